"""Panels of backups: one with its acts, the rehearsal, the restore, the second place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtWidgets import QFileDialog, QLineEdit

from desktop.access.actor import Act
from desktop.access.backup_desk import BackupSettings
from desktop.errors import SiteMusterError
from desktop.ui.changes import Changes
from desktop.ui.drafts import MakeAgain
from desktop.ui.i18n import moment_text, tr
from desktop.ui.jobs import Lane
from desktop.ui.pages.settings.backup_list import BackupLine, backup_state, reason_word, size_text
from desktop.ui.theme import Tone, Type
from desktop.ui.widgets.basics import (
    Card,
    Chip,
    bad,
    button,
    clear,
    column,
    good,
    label,
    line,
    to_the_left,
)
from desktop.ui.widgets.blocks import Facts, section
from desktop.ui.widgets.code_field import CodeField
from desktop.ui.widgets.fields import Form
from desktop.ui.widgets.gate import gate
from desktop.ui.widgets.panel import FormContent, PanelContent
from desktop.ui.workspace import Workspace

if TYPE_CHECKING:
    from desktop.access.desk import Desk
    from desktop.access.restore_desk import BackupVerdict, DrillReport, LedgerPart
    from desktop.ui.pages.settings.section import OpenPanel


_NEEDS_PASSPHRASE = {
    "passphrase_needed", "wrong_passphrase", "keyring_unusable", "keyring_entry_missing",
}


class BackupPanel(PanelContent):
    """Facts of one backup, then: check it, rehearse it, take it along, restore it."""

    def __init__(self, workspace: Workspace, found: BackupLine, open_panel: OpenPanel) -> None:
        info = found.info
        super().__init__(tr("备份 {at}", at=moment_text(info.at)), info.name)
        self._workspace, self._line, self._open_panel = workspace, found, open_panel
        head = line()
        head.addWidget(Chip(backup_state(found)))
        head.addStretch(1)
        self.rows.addLayout(head)
        facts = Facts(
            [
                (tr("起因"), reason_word(info.reason)), (tr("大小"), size_text(info.size)),
                (tr("内容到"), tr("第 {n} 段", n=info.reach)),
                (tr("核验时间"), moment_text(found.proof_at)),
                (tr("登记"), tr("账本登记的就是这一份") if found.known else tr("账本没有登记这一份")),
            ]
        )
        if info.trouble:
            facts.add(tr("问题"), info.trouble, Tone.BAD)
        self.rows.addWidget(facts)
        section(self.rows, tr("操作"))
        acts: list[tuple[str, str, Act, Callable[[], object]]] = [
            ("shield", tr("核对这一份"), Act.BACKUP_VERIFIED, self.verify),
            ("refresh", tr("恢复演练…"), Act.RESTORE_DRILLED, self._drill),
            ("export", tr("复制一份带走…"), Act.BACKUP_CREATED, self._export),
        ]
        for icon, text, act, do in acts:
            self.rows.addWidget(gate(button(text, do, icon=icon), workspace, act))
        self.secret = Form(enter_submits=True)
        self.secret.add_text(
            "passphrase", tr("账本口令"), hint=tr("核对要真的打开这份备份：账本没有绑定密钥环，请输口令。")
        ).setEchoMode(QLineEdit.EchoMode.Password)
        self.secret.submitted.connect(self.verify)
        self.secret.hide()
        self.rows.addWidget(self.secret)
        self._verdict = column(gap=8)
        self.rows.addLayout(self._verdict)
        self.rows.addStretch(1)
        restore = button(tr("恢复成这一份…"), self._restore, icon="undo", kind="danger")
        self.feet = (gate(restore, workspace, Act.BOOK_RESTORED),)

    def verify(self) -> None:
        """Open it through its own slots and recompute everything."""
        bundle, clock = self._line.info.path, self._workspace.desk.clock
        passphrase = self.secret.text("passphrase") or None

        def work(desk: Desk, progress: Any, cancel: Any) -> BackupVerdict:
            from desktop.access.restore_desk import verify_backup
            from desktop.bootstrap import leaf_readers

            return verify_backup(
                bundle, readers=leaf_readers, clock=clock, passphrase=passphrase, desk=desk,
                progress=progress, cancel=cancel,
            )

        self._workspace.act(
            work, self.show_verdict, title=tr("核对备份"), owner=self, changes=Changes.CUSTODY,
            lane=Lane.POOL, failed=self._not_opened,
        )

    def show_verdict(self, verdict: BackupVerdict) -> None:
        """Good or bad in one word, then why."""
        self.secret.put("passphrase", "")
        self.secret.hide()
        clear(self._verdict)
        card = Card("good" if verdict.ok else "bad", margin=12)
        card.rows.addWidget(
            label(tr("核对通过：与备份时一致，可以恢复。") if verdict.ok else tr("核对不通过，不要用这一份。"), Type.STRONG, wrap=True)
        )
        for sentence in (*verdict.flaws, *verdict.notes):
            card.rows.addWidget(label(sentence, wrap=True))
        for part in ledger_lines(verdict.ledger):
            card.rows.addWidget(label(part, tone=Tone.TEXT_2, wrap=True, selectable=True))
        self._verdict.addWidget(card)

    def _not_opened(self, error: SiteMusterError) -> None:
        """Without a keyring that opens it somebody has to."""
        if error.code in _NEEDS_PASSPHRASE:
            self.secret.put("passphrase", "")
            self.secret.show()
            self.secret.field("passphrase").setFocus()
        if error.code != "passphrase_needed":
            self._workspace.report(error)

    def _drill(self) -> None:
        self._open_panel(DrillPanel(self._workspace, self._line))

    def _restore(self) -> None:
        self._open_panel(RestorePanel(self._workspace, self._line))

    def _export(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, tr("复制到哪个文件夹"))
        if folder:
            self.export_to(Path(folder))

    def export_to(self, folder: Path) -> None:
        """A copy that is whole by itself."""
        bundle = self._line.info.path

        def work(desk: Desk, progress: Any, cancel: Any) -> Path:
            from desktop.access.backup_desk import export_backup

            return export_backup(desk, bundle, folder, progress, cancel)

        self._workspace.act(
            work,
            lambda made: self._workspace.messages.info(tr("备份已复制到 {path}。它仍是加密的，用恢复码或口令打开。", path=made)),
            title=tr("复制备份"), owner=self, changes=Changes.CUSTODY, lane=Lane.POOL,
        )


class DrillPanel(PanelContent):
    """Rehearse the worst day: only this bundle and the paper."""

    def __init__(self, workspace: Workspace, found: BackupLine) -> None:
        super().__init__(
            tr("恢复演练"), tr("用 {at} 的备份，在临时文件夹里完整恢复一遍再删掉；现在的账本不动。", at=moment_text(found.info.at))
        )
        self._workspace, self._line = workspace, found
        self.rows.addWidget(
            label(tr("请拿出锁存的恢复码，照纸面输入：演练的正是「电脑没了，只剩备份和这张纸」。"), wrap=True)
        )
        self.code = CodeField(across=2)
        self.code.completed.connect(self.save)
        self.rows.addWidget(self.code)
        self._result = column(gap=8)
        self.rows.addLayout(self._result)
        self.rows.addStretch(1)
        self._begin = button(tr("开始演练"), self.save, kind="primary")
        self.feet = (gate(self._begin, workspace, Act.RESTORE_DRILLED),)

    def save(self) -> None:
        """Rehearse; a wrong code is the most useful thing such a rehearsal can find."""
        if not self.code.is_complete():
            self._say("bad", tr("恢复码还没有输全，或有一组不对。"))
            return
        bundle, clock, code = self._line.info.path, self._workspace.desk.clock, self.code.text()

        def work(desk: Desk, progress: Any, cancel: Any) -> DrillReport:
            from desktop.access.restore_desk import drill
            from desktop.bootstrap import leaf_readers

            return drill(
                bundle, readers=leaf_readers, clock=clock, recovery_code=code, desk=desk,
                progress=progress, cancel=cancel,
            )

        self._begin.setEnabled(False)
        self._workspace.act(
            work, self.show_report, title=tr("恢复演练"), owner=self, changes=Changes.CUSTODY,
            lane=Lane.POOL, failed=self._failed,
        )

    def show_report(self, report: DrillReport) -> None:
        """What came of it, and how long the worst day would take."""
        self._begin.setEnabled(True)
        clear(self._result)
        head = line()
        head.addWidget(Chip(good(tr("演练通过")) if report.ok else bad(tr("演练不通过"))))
        head.addStretch(1)
        self._result.addLayout(head)
        facts = Facts(
            [
                (tr("数据行"), f"{report.rows:,}"),
                (tr("用时"), tr("{s} 秒", s=f"{report.times['total']:.1f}")),
            ]
        )
        for name, words in (
            (tr("不一致的表"), report.differing), (tr("缺的原始文件"), report.missing)
        ):
            if words:
                facts.add(name, "、".join(words[:6]), Tone.BAD)
        self._result.addWidget(facts)
        for part in ledger_lines(report.ledger):
            self._result.addWidget(label(part, tone=Tone.TEXT_2, wrap=True, selectable=True))

    def _failed(self, error: SiteMusterError) -> None:
        self._begin.setEnabled(True)
        self._say("bad", error.message)

    def _say(self, surface: str, text: str) -> None:
        clear(self._result)
        card = Card(surface, margin=12)
        card.rows.addWidget(label(text, wrap=True))
        self._result.addWidget(card)


class RestorePanel(PanelContent):
    """The consequences before anything is closed."""

    def __init__(self, workspace: Workspace, found: BackupLine) -> None:
        at = moment_text(found.info.at)
        super().__init__(tr("恢复成这一份备份"), tr("{at} 的备份", at=at))
        self._workspace, self._line = workspace, found
        card = Card("warn", margin=12)
        for text in (
            tr("整个账本回到 {at} 的样子。之后登记的人员、说明、冻结、告示牌都不在里面了。", at=at),
            tr("现在的账本不会删除：整个文件夹挪到旁边保留，文件夹名里写明日期。"),
            tr("之后采集过的打卡，考勤机里还有的再采集一次就回来；U盘文件要重新导入。"),
            tr("恢复要用恢复码、口令或公司钥匙，并记入操作记录：谁、什么时候、恢复到第几段。"),
            tr("先在旁边恢复并核对每一段，全部通过才替换；不通过，现在的账本原样不动。"),
        ):
            card.rows.addWidget(label(f"· {text}", wrap=True))
        self.rows.addWidget(card)
        if not found.newest:
            older = Card("bad", margin=12)
            older.rows.addWidget(
                label(tr("这不是最新的一份。后面还有更新的备份，一般应选最新的。"), Type.STRONG, wrap=True)
            )
            self.rows.addWidget(older)
        self.rows.addStretch(1)
        go = button(tr("关闭账本，去恢复…"), self._go, icon="undo", kind="danger")
        self.feet = (gate(go, workspace, Act.BOOK_RESTORED),)

    def _go(self) -> None:
        self._workspace.restore_asked.emit(self._line.info.path)


class PlacePanel(FormContent):
    """Where every backup is copied to, and the time of day."""

    def __init__(self, workspace: Workspace, settings: BackupSettings) -> None:
        super().__init__(tr("第二存放处和备份时间"), tr("放在另一块磁盘上：U盘、移动硬盘、另一台电脑的共享文件夹。"))
        self._workspace, self._settings = workspace, settings
        self.form.add_text(
            "place", tr("第二存放处的文件夹"), settings.second_place or "",
            tr("每份备份核验后自动复制过去；换了U盘要在这里重新选一次。留空为不用。"),
        )
        pick = button(tr("选择文件夹…"), self._choose, icon="folder", kind="quiet")
        self.form.add_widget(to_the_left(pick))
        at = settings.daily_at
        self.form.add_text(
            "daily_at", tr("每天几点以后备份"), "" if at is None else f"{at:%H:%M}",
            tr("如 18:00；留空为距上一份满一天就做。电脑关着就在下次打开时补做。"),
        )
        self.form.set_clean()
        self.rows.addWidget(self.form)
        self.rows.addStretch(1)
        keep = button(tr("保存"), self.save, kind="primary")
        self.feet = (gate(keep, workspace, Act.BACKUP_SETTINGS_CHANGED),)

    def again(self) -> MakeAgain:
        settings = self._settings
        return lambda page: PlacePanel(page.workspace, settings)

    def save(self) -> None:
        place, at = self.form.value("place") or None, self.form.value("daily_at")
        base = self._settings

        def work(desk: Desk, progress: Any, cancel: Any) -> str | None:
            from desktop.access.backup_desk import set_backup_settings
            from desktop.storage.schedule import time_of_day

            daily = time_of_day(at) if at else None
            return set_backup_settings(desk, replace(base, second_place=place, daily_at=daily))

        def done(warning: str | None) -> None:
            self.form.set_clean()
            if warning:
                self._workspace.messages.warn(tr("备份设置已保存。") + warning)
            else:
                self._workspace.messages.info(tr("备份设置已保存。"))
            self.finished.emit()

        self._workspace.act(
            work, done, title=tr("保存备份设置"), owner=self, changes=Changes.CUSTODY
        )

    def _choose(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, tr("选择第二存放处"))
        if folder:
            self.form.put("place", folder)


def ledger_lines(ledger: LedgerPart | None) -> list[str]:
    """What recomputing the chains came to, for people."""
    if ledger is None:
        return []
    lines = [tr("核对了 {s} 段、{r} 条记录。", s=f"{ledger.segments:,}", r=f"{ledger.records:,}")]
    if ledger.head:
        lines.append(tr("最后一段校验值 {head}", head=ledger.head[:16]))
    return lines

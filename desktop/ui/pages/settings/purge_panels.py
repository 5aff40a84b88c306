"""Panels of a class of records, of a purge with its steps, and of a removal at a terminal."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtWidgets import QFileDialog

from desktop.access.actor import Act
from desktop.retention.biometric import RemovalTask
from desktop.retention.queries import TermRow
from desktop.retention.rules import CLASS_WORDS, PURGED_HERE, START_WORDS
from desktop.retention.steps import PurgeView, Step
from desktop.ui.actions import PageName
from desktop.ui.changes import Changes
from desktop.ui.drafts import MakeAgain
from desktop.ui.files import open_folder
from desktop.ui.i18n import day_text, moment_text, tr
from desktop.ui.pages.settings.retention_panels import CustodyForm
from desktop.ui.pages.settings.terms import purge_state, term_state
from desktop.ui.theme import Tone, Type
from desktop.ui.widgets.basics import Card, Chip, button, label, line
from desktop.ui.widgets.blocks import Facts, section
from desktop.ui.widgets.gate import gate
from desktop.ui.widgets.panel import confirm
from desktop.ui.workspace import Workspace

if TYPE_CHECKING:
    from desktop.access.desk import Desk

_STEPS = {
    Step.APPROVED: "批准", Step.WITHDRAWN: "撤回", Step.RUN: "执行", Step.FINISHED: "收尾",
}


class TermPanel(CustodyForm):
    """Why a class is kept so long; where it is due, the proposal to purge it."""

    def __init__(self, workspace: Workspace, row: TermRow) -> None:
        super().__init__(
            workspace, tr(row.word), tr("{n} 条", n=f"{row.records:,}"), tr("提出清除"),
            Act.PURGE_PROPOSED,
        )
        self._row = row
        self.rows.removeWidget(self.form)
        head = line()
        head.addWidget(Chip(term_state(row)))
        head.addStretch(1)
        self.rows.addLayout(head)
        self.rows.addWidget(label(row.sentence, wrap=True, selectable=True))
        if row.first is not None:
            span = tr("{a} 至 {b}", a=day_text(row.first), b=day_text(row.last))
            self.rows.addWidget(Facts([(tr("起止"), span)]))
        section(self.rows, tr("依据"))
        for term in row.decision.terms:
            card = Card("neutral", margin=12)
            card.rows.setSpacing(2)
            card.rows.addWidget(label(term.clause.says, wrap=True))
            starts = tr(
                "自{what}{day}起 {n} 年，至 {end}", what=tr(START_WORDS[term.clause.start]),
                day=day_text(term.starts_on, tr("（未登记）")), n=term.clause.years,
                end=day_text(term.ends_on),
            )
            card.rows.addWidget(label(starts, tone=Tone.TEXT_2, wrap=True))
            card.rows.addWidget(label(term.clause.id, tone=Tone.TEXT_3))
            self.rows.addWidget(card)
        self.rows.addWidget(self.form)
        if row.state == "due" and row.record_class in PURGED_HERE:
            section(self.rows, tr("提出清除"))
            self.form.add_text("why", tr("理由 *"), hint=tr("永久留存，不要写姓名、证件号、电话。"))
            self.rows.addWidget(
                label(
                    tr("提出后由另一个人批准，再等几天才执行。执行后不能恢复；清除前的备份里还有，按备份策略逐步清理。"),
                    tone=Tone.WARN, wrap=True,
                )
            )
        else:
            self.feet = ()
        self.ready()

    def again(self) -> MakeAgain:
        row = self._row
        return lambda page: TermPanel(page.workspace, row)

    def save(self) -> None:
        if self._row.state != "due" or not self.form.require("why"):
            return
        record_class, why = self._row.record_class, self.form.value("why")

        def work(desk: Desk) -> Any:
            from desktop.retention.purge import propose_purge

            return propose_purge(desk, record_class, why)

        self.store(work, tr("清除申请已提出，请另一个人批准。"))


class PurgePanel(CustodyForm):
    """A purge with its steps; the next one is what the role and the state allow."""

    def __init__(self, workspace: Workspace, purge: PurgeView) -> None:
        super().__init__(
            workspace, tr("清除申请 {n} 号", n=purge.number), tr(CLASS_WORDS[purge.record_class]),
            tr("撤回申请"), Act.PURGE_PROPOSED,
        )
        self._purge = purge
        self.rows.removeWidget(self.form)
        head = line()
        head.addWidget(Chip(purge_state(purge)))
        head.addStretch(1)
        self.rows.addLayout(head)
        self.rows.addWidget(self._facts(purge))
        section(self.rows, tr("按哪条规定"))
        self.rows.addWidget(label(str(purge.content["rule"]["says"]), wrap=True, selectable=True))
        self.rows.addWidget(self.form)
        self._add_acts(purge)
        self.ready()

    def again(self) -> MakeAgain:
        purge = self._purge
        return lambda page: PurgePanel(page.workspace, purge)

    def approve(self) -> None:
        """The second person agrees."""
        number = self._purge.number

        def work(desk: Desk) -> Any:
            from desktop.retention.purge import approve_purge

            return approve_purge(desk, number)

        self.store(work, tr("清除申请 {n} 号已批准，等待期满才能执行。", n=number))

    def save(self) -> None:
        """Take it back, for a reason."""
        if not self.form.require("why"):
            return
        number, why = self._purge.number, self.form.value("why")

        def work(desk: Desk) -> Any:
            from desktop.retention.purge import withdraw_purge

            withdraw_purge(desk, number, why)

        self.store(work, tr("清除申请 {n} 号已撤回。", n=number))

    def execute(self) -> None:
        """Erase what was approved; asked once more, because nothing brings it back."""
        purge = self._purge
        if not confirm(
            self, tr("执行清除"),
            tr("{what}将被清除，不能恢复。请确认要用的表册、证据都已打印或导出。", what=tr(CLASS_WORDS[purge.record_class])),
            tr("执行清除"),
        ):
            return
        number, workspace = purge.number, self.workspace

        def work(desk: Desk, progress: Any, cancel: Any) -> Any:
            from desktop.retention.purge import run_purge

            return run_purge(desk, number, progress=progress, cancel=cancel)

        def done(result: Any) -> None:
            self.form.set_clean()
            workspace.messages.warn(result.sentence)
            self.finished.emit()

        workspace.act(
            work, done, title=tr("执行清除"), owner=self, changes=~Changes.NONE
        )

    def certify(self, folder: Path) -> None:
        """The certificate as PDF and JSON."""
        number, workspace = self._purge.number, self.workspace

        def work(desk: Desk, progress: Any, cancel: Any) -> Any:
            from desktop.retention.certificate import certificate

            return certificate(desk, number, folder)

        def done(files: Any) -> None:
            workspace.messages.info(
                tr("清除证明已写入 {path}。", path=files.pdf), tr("打开文件夹"), lambda: open_folder(folder)
            )

        workspace.act(work, done, title=tr("出具清除证明"), owner=self, changes=Changes.CUSTODY)

    def _facts(self, purge: PurgeView) -> Facts:
        counts = purge.content.get("counts", {})
        what = [
            tr("{n} 人", n=counts["person"]) if "person" in counts else "",
            tr("原始下载 {n} 份", n=counts["download"]) if "download" in counts else "",
        ]
        facts = Facts(
            [
                (tr("理由"), purge.why), (tr("范围"), "，".join(filter(None, what))),
                (tr("提出"), f"{purge.proposed.name}　{moment_text(purge.proposed_at)}"),
            ]
        )
        for step, word in _STEPS.items():
            done = purge.steps.get(step)
            if done is not None:
                facts.add(tr(word), f"{done.by.name}　{moment_text(done.at)}")
        if purge.state == "approved":
            facts.add(tr("可执行日"), day_text(purge.may_run_on))
        return facts

    def _add_acts(self, purge: PurgeView) -> None:
        state, workspace = purge.state, self.workspace
        undo = gate(button(tr("撤回申请"), self.save, kind="danger"), workspace, Act.PURGE_PROPOSED)
        if state in ("proposed", "approved"):
            self.form.add_text("why", tr("撤回理由"), hint=tr("撤回时填。"))
        if state == "proposed":
            agree = button(tr("批准清除"), self.approve, icon="check", kind="primary")
            self.feet = (undo, gate(agree, workspace, Act.PURGE_APPROVED))
            self.rows.addWidget(
                label(tr("提出人不能自己批准。批准前请核对范围，确认没有争议、检查在进行。"), tone=Tone.WARN, wrap=True)
            )
        elif state in ("approved", "run"):
            word = tr("执行清除…") if state == "approved" else tr("继续收尾…")
            do = gate(button(word, self.execute, kind="danger"), workspace, Act.PURGE_RUN)
            self.feet = (undo, do) if state == "approved" else (do,)
        elif state == "finished":
            paper = button(tr("出具清除证明…"), self._choose, icon="print", kind="primary")
            self.feet = (gate(paper, workspace, Act.ERASURE_CERTIFIED),)
        else:
            self.feet = ()

    def _choose(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, tr("清除证明写到哪个文件夹"))
        if folder:
            self.certify(Path(folder))


class RemovalPanel(CustodyForm):
    """One number that must go from one terminal: read the terminal again, or confirm by hand."""

    def __init__(self, workspace: Workspace, task: RemovalTask) -> None:
        super().__init__(
            workspace, tr("删除人脸、指纹"), tr("考勤机「{name}」上的编号 {no}", name=task.terminal, no=task.number),
            tr("确认已删除"), Act.BIOMETRICS_REMOVED,
        )
        self._task = task
        self.rows.insertWidget(
            0,
            Facts(
                [
                    (tr("人员"), f"{task.worker_no}　{task.name}"), (tr("退场"), day_text(task.due_on)),
                    (tr("考勤机"), task.terminal), (tr("机上编号"), task.number),
                ]
            ),
        )
        self.rows.insertWidget(1, label(tr("先在考勤机菜单里删除这个编号，再到「设备」页读一次机上人员：程序看到编号没有了，自己办结。"), wrap=True))
        go: Callable[[], object] = self._read
        self.rows.insertWidget(
            2, button(tr("去设备页读取机上人员"), go, icon="go")
        )
        self.form.add_text("note", tr("读不到机器时，写明怎样核实的 *"), hint=tr("如：11月20日在机器菜单里删除，拍照存档。"))
        self.rows.addWidget(label(tr("手工确认也留痕。"), Type.BODY, Tone.TEXT_3))
        self.ready()

    def again(self) -> MakeAgain:
        task = self._task
        return lambda page: RemovalPanel(page.workspace, task)

    def save(self) -> None:
        if not self.form.require("note"):
            return
        task_id, note = self._task.id, self.form.value("note")
        if task_id is None:
            self.workspace.messages.warn(tr("这一项还在登记，请稍候再点一次。"))
            return

        def work(desk: Desk) -> Any:
            from desktop.retention.biometric import confirm_removal

            confirm_removal(desk, task_id, note)

        self.store(work, tr("已办结。"))

    def _read(self) -> None:
        self.workspace.go(PageName.TERMINALS, terminal_id=self._task.terminal_id, act="match")

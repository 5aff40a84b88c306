"""A stick file: which terminal it came from, when it was taken, and what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from desktop.punches.stick import StickResult, import_stick
from desktop.ui.actions import PageName
from desktop.ui.changes import Changes
from desktop.ui.i18n import moment_text, tr
from desktop.ui.theme import Tone
from desktop.ui.widgets.basics import button, label
from desktop.ui.widgets.blocks import Facts, section
from desktop.ui.widgets.fields import Choice, DateField, Form
from desktop.ui.widgets.panel import PanelContent
from desktop.ui.workspace import Workspace

if TYPE_CHECKING:
    from desktop.access.desk import Desk

_SHOWN = 40


class StickPanel(PanelContent):
    """Asks the terminal and the day of taking, imports, reports."""

    def __init__(
        self, workspace: Workspace, path: Path, names: Sequence[str], name: str | None
    ) -> None:
        super().__init__(tr("导入U盘打卡文件"), path.name)
        self._workspace, self._path = workspace, path
        self.form = Form()
        self.form.add(
            "terminal", tr("来自哪台考勤机 *"), Choice([("", tr("请选择")), *((n, n) for n in names)])
        )
        if name is not None:
            self.form.field("terminal").choose(name)  # type: ignore[union-attr]
        today = workspace.desk.clock.today()
        self.form.add(
            "day", tr("什么时候从机器上拷的"), DateField(None, today),
            tr("不填则按文件的修改时间。记录采全到这一刻。"),
        )
        self.form.add_text("hour", tr("几点（如 18:30）"))
        self.rows.addWidget(self.form)
        self._report = label("", wrap=True)
        self.rows.addWidget(self._report)
        self.rows.addStretch(1)
        self._import = button(tr("导入"), self.save, icon="import", kind="primary")
        self.feet = (button(tr("关闭"), self.finished.emit), self._import)

    def save(self) -> None:
        """Import; the same file twice stores nothing new."""
        if not self.form.require("terminal"):
            return
        taken_at = self._taken_at()
        if taken_at is False:
            return
        path, name = self._path, self.form.value("terminal")
        self._import.setEnabled(False)

        def work(desk: Desk, progress: Any, cancel: Any) -> StickResult:
            return import_stick(
                desk, path, name, taken_at=taken_at, progress=progress, cancel=cancel
            )

        def failed(error: Any) -> None:
            self._import.setEnabled(True)
            self._report.setText(error.message)
            self._workspace.report(error)

        self._workspace.act(
            work, self.show_result, title=tr("导入U盘打卡文件"), owner=self, failed=failed,
            changes=Changes.PUNCHES | Changes.TERMINALS,
        )

    def show_result(self, result: StickResult) -> None:
        """Counts, what was refused with its line, numbers of nobody."""
        self._report.setText(
            tr("这个文件以前导入过，没有新内容。") if result.already_imported else tr("导入完成。")
        )
        facts = Facts(
            [
                (tr("行数"), f"{result.lines:,}"), (tr("新增"), f"{result.new:,}"),
                (tr("重复"), f"{result.duplicate:,}"), (tr("隔离"), f"{result.quarantined:,}"),
                (tr("退回的行"), f"{len(result.rejected):,}"),
                (tr("时间范围"), f"{moment_text(result.first)} 至 {moment_text(result.last)}"),
            ]
        )
        place = self.rows.count() - 1
        self.rows.insertWidget(place, facts)
        for warning in result.warnings:
            self.rows.insertWidget(self.rows.count() - 1, label(warning, tone=Tone.WARN, wrap=True))
        if result.unknown:
            names = "、".join(f"{number}（{n} 次）" for number, n in result.unknown[:_SHOWN])
            self.rows.insertWidget(
                self.rows.count() - 1,
                label(tr("还没有对号的编号：{names}", names=names), tone=Tone.WARN, wrap=True),
            )
        if result.rejected:
            section(self.rows, tr("看不懂的行"))
            lines = "、".join(tr("第 {n} 行", n=line.line) for line in result.rejected[:_SHOWN])
            self.rows.addWidget(label(lines, tone=Tone.TEXT_2, wrap=True))
        self._import.hide()
        self._workspace.messages.info(
            tr("U盘文件已导入：新增 {n} 条，重复 {d} 条。", n=f"{result.new:,}", d=f"{result.duplicate:,}"),
            tr("看考勤"), lambda: self._workspace.go(PageName.ATTENDANCE),
        )

    def _taken_at(self) -> Any:
        """A naive site time, None for the file's own; False when it cannot be read."""
        day, hour = self.form.value("day"), self.form.value("hour").replace("：", ":")
        if day is None:
            return None
        try:
            return datetime.combine(day, time.fromisoformat(hour.zfill(5)) if hour else time(23, 59))
        except ValueError:
            self.form.mark("hour", tr("时间请写成 18:30 的样子"))
            return False

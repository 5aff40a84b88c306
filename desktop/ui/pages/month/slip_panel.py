"""The sheet of one leaver, signed before the month ends."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtWidgets import QFileDialog

from desktop.ui.changes import Changes
from desktop.ui.files import open_folder
from desktop.ui.i18n import month_text, tr
from desktop.ui.widgets.basics import button
from desktop.ui.widgets.fields import DateField, Form
from desktop.ui.widgets.panel import PanelContent
from desktop.ui.widgets.person_field import PersonField
from desktop.ui.workspace import Workspace

if TYPE_CHECKING:
    from desktop.access.desk import Desk


class SlipPanel(PanelContent):
    """Person and last day; writes PDF and .docx."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(
            tr("离场人员考勤表"),
            tr("离场的人月底不在，当月考勤当场签字；之后的月表上印「已退场，__日已签」。"),
        )
        self._workspace = workspace
        self.form = Form()
        self.person = PersonField(workspace)
        self.form.add("person", tr("人员 *"), self.person, tr("输入姓名、拼音或人员编号后选择。"))
        today = workspace.desk.clock.today()
        self.form.add("until", tr("到哪一天 *"), DateField(today, today))
        self.form.set_clean()
        self.rows.addWidget(self.form)
        self.rows.addStretch(1)
        self.feet = (button(tr("导出离场考勤表…"), self.save, icon="export", kind="primary"),)

    def save(self) -> None:
        """Ask where to, then write."""
        worker_no = self.person.worker_no()
        ok = self.form.require("until")
        if worker_no is None:
            self.form.mark("person", tr("请从列出的人员中选择一位"))
            return
        folder = QFileDialog.getExistingDirectory(self, tr("导出到哪个文件夹")) if ok else ""
        if folder:
            self.export_to(Path(folder), worker_no)

    def export_to(self, folder: Path, worker_no: int) -> None:
        until = self.form.value("until")
        month = f"{until:%Y-%m}"

        def work(desk: Desk, progress: Any, cancel: Any) -> Any:
            from desktop.months.slip import export_slip

            return export_slip(desk, month, worker_no, until, folder)

        def done(files: Any) -> None:
            self._workspace.messages.info(
                tr("{month}离场考勤表已导出，{n} 个文件。", month=month_text(month), n=len(files)),
                tr("打开文件夹"), lambda: open_folder(folder),
            )
            self.finished.emit()

        self._workspace.act(
            work, done, title=tr("导出离场考勤表"), owner=self, changes=Changes.MONTHS
        )

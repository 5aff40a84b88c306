"""月结: the steps of closing a month, what is open, the papers as they will be printed."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QStackedWidget, QTabBar, QWidget

from desktop.access.actor import Act, View
from desktop.attendance.finding import Finding
from desktop.months.papers import ExportedFile, Paper, export_month, issue_papers, preview_papers
from desktop.ui.actions import Command, PageName
from desktop.ui.changes import Changes
from desktop.ui.files import open_folder
from desktop.ui.i18n import moment_text, month_text, tr
from desktop.ui.jobs import Lane
from desktop.ui.pages.attendance.findings_tab import finding_ways
from desktop.ui.pages.base import Page
from desktop.ui.pages.month.freeze_panel import FreezePanel
from desktop.ui.pages.month.papers_tab import PapersTab
from desktop.ui.pages.month.slip_panel import SlipPanel
from desktop.ui.pages.month.state import MonthState, VersionRow, read_state
from desktop.ui.pages.month.steps import StepActs, Steps
from desktop.ui.printing import print_pages
from desktop.ui.tables.columns import RIGHT, Column
from desktop.ui.tables.export import Listing, output_button
from desktop.ui.tables.model import RowsModel
from desktop.ui.tables.view import ListView
from desktop.ui.widgets.basics import bad, button, column
from desktop.ui.widgets.blocks import ActionRow, EmptyState, ScrollRows
from desktop.ui.widgets.gate import gate
from desktop.ui.workspace import Workspace

if TYPE_CHECKING:
    from desktop.access.desk import Desk

_TABS = ("papers", "open", "versions")
_ROWS = 200

_VERSIONS: tuple[Column[VersionRow], ...] = (
    Column("版", 3, lambda r: str(r.version), align=RIGHT, order=lambda r: r.version),
    Column("冻结时间", 8, lambda r: moment_text(r.frozen_at), order=lambda r: r.frozen_at),
    Column("冻结人", 6, lambda r: r.frozen_by),
    Column("带项理由", 16, lambda r: r.accepted_open),
    Column("摘要", 16, lambda r: r.digest, stretch=True),
)


class MonthPage(Page):
    """The header's month is the one that is closed here."""

    name = PageName.MONTH
    interests = (
        Changes.MONTHS | Changes.PUNCHES | Changes.CALENDAR | Changes.PEOPLE | Changes.TERMINALS
    )
    follows_month = True

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace, tr("月结"))
        self.state: MonthState | None = None
        slip = button(tr("出离场人员考勤表…"), self._slip, icon="person")
        self.add_acts([gate(slip, workspace, Act.MONTH_EXPORTED)])
        self.steps = Steps(
            workspace, StepActs(self._collect, self._settle, self.freeze, self._choose_folder)
        )
        self.body.addWidget(self.steps)
        self.tabs = QTabBar()
        self.tabs.setExpanding(False)
        self.tabs.setAccessibleName(tr("月结的各部分"))
        for word in (tr("表册预览"), tr("须处理"), tr("版本")):
            self.tabs.addTab(word)
        self.body.addWidget(self.tabs)
        self.stack = QStackedWidget()
        self.body.addWidget(self.stack, 1)
        self.tabs.currentChanged.connect(self.stack.setCurrentIndex)
        self.papers = PapersTab(workspace)
        self.papers.paper_changed.connect(self._load_papers)
        self.papers.print_asked.connect(self._print)
        self.open_rows = ScrollRows()
        self.versions = RowsModel(_VERSIONS, key=lambda row: row.version)
        version_view = ListView(tr("版本"))
        version_view.set_model(self.versions)
        listing = Listing(
            tr("月结版本"), "month-versions", _VERSIONS, lambda session: self.versions.rows(),
            personal=False, view=View.MONTHS,
        )
        version_tab = QWidget()
        rows = column(version_tab)
        rows.addWidget(
            output_button(workspace, self, lambda: listing), 0, Qt.AlignmentFlag.AlignRight
        )
        rows.addWidget(version_view, 1)
        for view in (self.papers, self.open_rows, version_tab):
            self.stack.addWidget(view)

    def load(self) -> None:
        workspace, month = self.workspace, self.workspace.month
        desk, project_id = workspace.desk, workspace.project_id
        now, today = desk.clock.local(), desk.clock.today()

        def work(progress: Any, cancel: Any) -> MonthState:
            with desk.look(View.MONTHS) as session:
                return read_state(session, project_id, month, now, today, progress, cancel)

        workspace.jobs.submit(
            work, self.show_state, lane=Lane.READ, owner=self, failed=workspace.report, key="state"
        )

    def run(self, command: Command) -> None:
        if command is Command.FREEZE:
            self.freeze()
        elif command is Command.EXPORT_PAPERS:
            self._choose_folder()

    def open_target(self, target: Mapping[str, Any]) -> None:
        """``tab``."""
        if "tab" in target:
            self.show_tab(target["tab"])

    def place(self) -> Mapping[str, Any]:
        return {"tab": _TABS[self.tabs.currentIndex()]}

    def show_tab(self, name: str) -> None:
        self.tabs.setCurrentIndex(_TABS.index(name))

    def show_state(self, state: MonthState) -> None:
        """Steps, open findings, versions; then the papers follow."""
        before = self.state
        moved = before is None or before.month != state.month
        frozen = not moved and before is not None and len(before.versions) < len(state.versions)
        self.state = state
        self.steps.show_state(state)
        self.summarise(state.status.sentence)
        self._show_open(state)
        self.versions.show_rows(state.versions)
        self.tabs.setTabText(1, tr("须处理 {n}", n=len(state.blocking)))
        self.tabs.setTabText(2, tr("版本 {n}", n=len(state.versions)))
        if state.status.version is None:
            self.papers.show_none(month_text(state.month))
        else:
            self._load_papers()
        if moved or frozen:
            self.show_tab("open" if state.blocking and not state.versions else "papers")

    def freeze(self) -> None:
        """The panel that says what is kept and what is open."""
        if self.state is not None:
            self.open_panel(FreezePanel(self.workspace, self.state))

    def export_to(self, folder: Path) -> None:
        """All papers of the newest version as PDF and .docx."""
        month, paper = self.workspace.month, self.papers.paper()

        def work(desk: Desk, progress: Any, cancel: Any) -> list[ExportedFile]:
            return export_month(
                desk, month, folder, paper=paper, progress=progress, cancel=cancel
            )

        def done(files: list[ExportedFile]) -> None:
            self.workspace.messages.info(
                tr("{month} 的表册已导出，{n} 个文件。", month=month_text(month), n=len(files)),
                tr("打开文件夹"), lambda: open_folder(folder),
            )

        self.workspace.act(
            work, done, title=tr("导出当月表册"), owner=self, changes=Changes.MONTHS
        )

    def _load_papers(self) -> None:
        if self.state is None or self.state.status.version is None:
            return
        desk, month, paper = self.workspace.desk, self.state.month, self.papers.paper()
        self.workspace.jobs.submit(
            lambda progress, cancel: preview_papers(desk, month, paper=paper),
            self.papers.show_papers, lane=Lane.READ, owner=self,
            failed=self.workspace.report, key="papers",
        )

    def _print(self, stems: list[str]) -> None:
        """Record the pages, then hand them to the printer's dialog."""
        month, paper = self.workspace.month, self.papers.paper()

        def work(desk: Desk, progress: Any, cancel: Any) -> list[Paper]:
            return issue_papers(desk, month, paper=paper)

        def ready(papers: list[Paper]) -> None:
            from reports.paper import join

            chosen = [one for one in papers if one.stem in stems]
            if chosen:
                title = chosen[0].stem if len(chosen) == 1 else month_text(month)
                document = join(*(one.document for one in chosen), title=title)
                print_pages(self, document, self.workspace.messages)

        self.workspace.act(
            work, ready, title=tr("准备打印"), owner=self, changes=Changes.MONTHS
        )

    def _show_open(self, state: MonthState) -> None:
        self.open_rows.clear_rows()
        if not state.blocking:
            self.open_rows.show_empty(
                EmptyState("good", tr("没有须处理的事项"), tr("可以冻结，然后打印签字表和公示件。"))
            )
            return
        for finding in state.blocking[:_ROWS]:
            self.open_rows.add(
                ActionRow(
                    bad(tr("须处理")), finding.text, finding.next_step, tr("去处理"),
                    partial(self._go, finding),
                )
            )
        if len(state.blocking) > _ROWS:
            self.open_rows.add(
                ActionRow(
                    bad(tr("还有 {n} 项", n=len(state.blocking) - _ROWS)), tr("在考勤页里全部列出"),
                    act=tr("去看"), do=self._settle,
                )
            )

    def _go(self, finding: Finding) -> None:
        finding_ways(self.workspace, finding)[0][1]()

    def _collect(self) -> None:
        self.workspace.go(PageName.TERMINALS, tab="terminals")

    def _settle(self) -> None:
        self.workspace.go(PageName.ATTENDANCE, blocking=True)

    def _choose_folder(self) -> None:
        if self.state is None or self.state.status.version is None:
            self.workspace.messages.warn(tr("先冻结，再导出表册。"))
            return
        folder = QFileDialog.getExistingDirectory(self, tr("导出到哪个文件夹"))
        if folder:
            self.export_to(Path(folder))

    def _slip(self) -> None:
        self.open_panel(SlipPanel(self.workspace))


def make_page(workspace: Workspace) -> MonthPage:
    """The page, on an open book."""
    return MonthPage(workspace)



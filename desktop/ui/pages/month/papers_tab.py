"""The papers of a frozen month as they will be printed: list of documents, real pages, zoom."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QListWidget, QListWidgetItem, QStackedWidget, QWidget

from desktop.access.actor import Act
from desktop.months.papers import ANNOUNCEMENT, MANAGERS, NOTICE, SHEET, Paper
from desktop.ui import icons, theme
from desktop.ui.i18n import tr
from desktop.ui.widgets.basics import Card, button, column, line
from desktop.ui.widgets.blocks import EmptyState
from desktop.ui.widgets.fields import Choice
from desktop.ui.widgets.gate import gate
from desktop.ui.widgets.paper_view import PaperTools, PaperView
from desktop.ui.workspace import Workspace

KINDS = {
    SHEET: "签字表", MANAGERS: "管理人员表", NOTICE: "公示件", ANNOUNCEMENT: "公示通知",
}


class PapersTab(QWidget):
    """``paper_changed`` when A3/A4 was switched, ``print_asked(stems)`` for one or all documents."""

    paper_changed = Signal()
    print_asked = Signal(list)

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self._papers: list[Paper] = []
        whole = column(self)
        self._stack = QStackedWidget()
        whole.addWidget(self._stack)
        shown = QWidget()
        row = line(shown, gap=theme.GRID + 4)
        left = column()
        self._size = Choice([("A3", tr("A3 横向")), ("A4", tr("A4 横向"))], tr("签字表纸张"))
        self._size.currentIndexChanged.connect(lambda _: self.paper_changed.emit())
        left.addWidget(self._size)
        self.list = QListWidget()
        self.list.setAccessibleName(tr("表册"))
        self.list.setIconSize(QSize(18, 18))
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.currentRowChanged.connect(self._show)
        card = Card(margin=1)
        card.setFixedWidth(264)
        card.rows.addWidget(self.list)
        left.addWidget(card, 1)
        for text, act in (
            (tr("打印这一份…"), self._print_one), (tr("打印全部签字表…"), self._print_all)
        ):
            left.addWidget(gate(button(text, act, icon="print"), workspace, Act.MONTH_EXPORTED))
        row.addLayout(left)
        right = column()
        tools = line()
        self.view = PaperView(workspace.jobs, tr("表册预览"))
        tools.addWidget(PaperTools(self.view))
        tools.addStretch(1)
        right.addLayout(tools)
        frame = Card(margin=0)
        frame.rows.addWidget(self.view)
        right.addWidget(frame, 1)
        row.addLayout(right, 1)
        self._stack.addWidget(shown)
        self._none = EmptyState(
            "month", "", tr("冻结以后，这里可以逐页看签字表、管理人员表、公示件和公示通知，再打印或导出。")
        )
        self._stack.addWidget(self._none)

    def paper(self) -> str:
        """``A3`` or ``A4``."""
        return str(self._size.value())

    def show_none(self, month: str) -> None:
        """The month is not frozen."""
        self._papers = []
        self.view.show_document(None)
        self._none.title.setText(tr("{month}还没有冻结", month=month))
        self._stack.setCurrentIndex(1)

    def show_papers(self, papers: Sequence[Paper]) -> None:
        """All documents; the chosen one stays if it is still there."""
        kept = self._papers[self.list.currentRow()].stem if self._has_choice() else ""
        self._papers = list(papers)
        self.list.blockSignals(True)
        self.list.clear()
        for paper in papers:
            pages = tr("{n} 页", n=len(paper.document.pages))
            name = "　".join(filter(None, (tr(KINDS[paper.kind]), paper.team or "", pages)))
            item = QListWidgetItem(icons.icon("sheet"), name)
            item.setToolTip(name)
            item.setSizeHint(QSize(0, theme.row_height()))
            self.list.addItem(item)
        self.list.blockSignals(False)
        self._stack.setCurrentIndex(0)
        chosen = next((k for k, paper in enumerate(papers) if paper.stem == kept), 0)
        self.list.setCurrentRow(chosen)

    def _has_choice(self) -> bool:
        return 0 <= self.list.currentRow() < len(self._papers)

    def _show(self, position: int) -> None:
        if 0 <= position < len(self._papers):
            self.view.show_document(self._papers[position].document)

    def _print_one(self) -> None:
        if self._has_choice():
            self.print_asked.emit([self._papers[self.list.currentRow()].stem])

    def _print_all(self) -> None:
        """Signing copies and managers' sheets together; notices go out after signing."""
        self.print_asked.emit(
            [paper.stem for paper in self._papers if paper.kind in (SHEET, MANAGERS)]
        )

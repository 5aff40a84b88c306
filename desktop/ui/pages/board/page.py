"""告示牌: the editor beside a live preview, and what the law still asks for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFileDialog, QFrame, QScrollArea, QWidget

from desktop.access.actor import Act, View
from desktop.board.export import BoardExport, export_board, issue_board
from desktop.board.rules import ITEMS, Missing
from desktop.errors import Conflict, SiteMusterError
from desktop.ui import theme
from desktop.ui.actions import Command, PageName
from desktop.ui.changes import Changes
from desktop.ui.drafts import Typed
from desktop.ui.files import open_folder
from desktop.ui.i18n import tr
from desktop.ui.jobs import Lane
from desktop.ui.pages.base import Page
from desktop.ui.pages.board import state as board
from desktop.ui.pages.board.facts import Actions, FactsList
from desktop.ui.pages.board.panels import (
    CompanyPanel,
    ContactPanel,
    PayDayPanel,
    StaffPanel,
    VersionsPanel,
    WagePanel,
)
from desktop.ui.pages.board.state import BoardState, preview, read_board
from desktop.ui.printing import print_pages
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
    rule,
    warn,
)
from desktop.ui.widgets.fields import Choice, Form
from desktop.ui.widgets.gate import gate
from desktop.ui.widgets.panel import PanelContent
from desktop.ui.widgets.paper_view import PaperTools, PaperView
from desktop.ui.workspace import Workspace

if TYPE_CHECKING:
    from desktop.access.desk import Desk
    from reports.paper import Document

_SIZES = (("A3", "A3 临时或小型牌"), ("A2", "A2"), ("A1", "A1"), ("1200x900", "1200×900 mm 大牌"))
_TYPING_MS = 350
_EDITOR_LEAST, _EDITOR = 330, 452


class BoardPage(Page):
    """Typed items are edited in place; facts of the site in the panel, each saved by itself."""

    name = PageName.BOARD
    interests = Changes.BOARD | Changes.SITE

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace, tr("告示牌"))
        self.state: BoardState | None = None
        self._seen = 0
        """The version of the items that the fields were filled from; typing goes on from there."""
        self._kept: dict[str, str] = {}
        """Edits that are laid over what somebody else saved meanwhile."""
        self.paper_size = Choice([(key, tr(word)) for key, word in _SIZES], tr("尺寸"))
        self.paper_size.currentIndexChanged.connect(lambda _: self._draw())
        self._final = button(tr("导出正式牌…"), lambda: self.export(draft=False), icon="export", kind="primary")
        leaving = [
            button(tr("打印"), self._print, icon="print"),
            button(tr("导出临时牌…"), lambda: self.export(draft=True), icon="export"), self._final,
        ]
        self.add_acts([self.paper_size, *leaving])
        for made in leaving:
            gate(made, workspace, Act.BOARD_EXPORTED)
        row = line(gap=2 * theme.GRID)
        self.body.addLayout(row, 1)
        row.addWidget(self._editor())
        right = column(gap=theme.GRID)
        self.paper = PaperView(workspace.jobs, tr("告示牌预览"))
        self.paper.fit("page")
        tools = line()
        tools.addStretch(1)
        tools.addWidget(PaperTools(self.paper))
        right.addLayout(tools)
        card = Card(margin=0)
        card.rows.addWidget(self.paper)
        right.addWidget(card, 1)
        row.addLayout(right, 1)
        self.panel.closed.connect(lambda: self._area.setVisible(True))
        self._typing = QTimer(self)
        self._typing.setSingleShot(True)
        self._typing.setInterval(_TYPING_MS)
        self._typing.timeout.connect(self._draw)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._area.setFixedWidth(max(_EDITOR_LEAST, min(_EDITOR, round(self.width() * 0.42))))

    def load(self) -> None:
        project_id, day = self.workspace.project_id, self.workspace.desk.clock.today()
        self.workspace.read(
            lambda session: read_board(session, project_id, day), self.show_state,
            view=View.BOARD, owner=self, key="board",
        )

    def run(self, command: Command) -> None:
        if command is Command.EXPORT_BOARD:
            self.export(draft=self.state is None or bool(self.state.content.missing))

    def is_dirty(self) -> bool:
        return super().is_dirty() or self.form.is_dirty()

    def typed(self) -> Typed:
        """Only what was edited, with the version it was edited over."""
        if not self.form.is_dirty():
            return {}
        edited = self.form.edited_fields()
        return {"seen": self._seen, "items": {name: self.form.value(name) for name in edited}}

    def type_again(self, typed: Typed) -> None:
        if typed:
            self.form.type_again(typed["items"])
            self._seen = typed["seen"]

    def open_panel(self, content: PanelContent) -> bool:
        """The panel takes the editor's place, so that the preview stays large enough to read."""
        shown = super().open_panel(content)
        self._area.setVisible(not shown)
        return shown

    def show_state(self, state: BoardState) -> None:
        """Show what was read; what is being typed stays."""
        self.state = state
        if not self.form.is_dirty():
            for key in ITEMS:
                _set_text(self.form, key, state.content.item(key))
            self.form.set_clean()
            self._seen = state.seen[board.ITEMS]
            kept, self._kept = self._kept, {}
            self.form.type_again(kept)
            self._edited()
        self._show_missing(state)
        self.facts.show_state(state)
        self._draw()

    def save(self) -> None:
        """Store the typed items."""
        from desktop.board.edit import set_items

        changed_here, seen = self.form.edited_fields(), self._seen
        typed = {key: text for key, text in self._typed().items() if key in changed_here}

        def done(changed: tuple[str, ...]) -> None:
            self.form.set_clean()
            self._edited()
            self.workspace.messages.info(tr("告示牌内容已保存（{n} 项有改动）。", n=len(changed)))

        self.workspace.act(
            lambda desk, progress, cancel: set_items(desk, typed, seen=seen), done,
            title=tr("保存告示牌"), owner=self, changes=Changes.BOARD, failed=self._not_saved,
        )

    def _not_saved(self, error: SiteMusterError) -> None:
        if isinstance(error, Conflict):
            self.workspace.messages.error(error, tr("刷新"), self._lay_over)
        else:
            self.workspace.report(error)

    def _lay_over(self) -> None:
        """Show what somebody else saved, with the own edits on top: saving again means to."""
        self._kept = {name: self.form.value(name) for name in self.form.edited_fields()}
        self.form.set_clean()
        self.load()

    def export(self, *, draft: bool) -> None:
        """Write the files; a final board with something missing is refused by the service."""
        if self.form.is_dirty():
            self.workspace.messages.warn(tr("左边的改动还没有保存，请先保存再导出。"))
            return
        folder = QFileDialog.getExistingDirectory(self, tr("导出到哪个文件夹"))
        if folder:
            self.export_to(Path(folder), draft=draft)

    def export_to(self, folder: Path, *, draft: bool) -> None:
        size = self.paper_size.value()

        def work(desk: Desk, progress: Any, cancel: Any) -> BoardExport:
            return export_board(desk, size, folder, draft, progress=progress, cancel=cancel)

        def done(made: BoardExport) -> None:
            what = tr("临时牌") if made.draft else tr("正式牌")
            self.workspace.messages.info(
                tr("第 {v} 版{what}已导出，{n} 个文件。", v=made.version, what=what, n=len(made.files)),
                tr("打开文件夹"), lambda: open_folder(folder),
            )

        self.workspace.act(
            work, done, title=tr("导出告示牌"), owner=self, changes=Changes.BOARD
        )

    def _editor(self) -> QWidget:
        holder = QWidget()
        self._rows = column(holder, gap=theme.GRID + 4)
        self._rows.setContentsMargins(0, 0, theme.GRID, 0)
        self._state_line = column(gap=theme.GRID)
        self._rows.addLayout(self._state_line)
        card = Card()
        head = line()
        head.addWidget(label(tr("投诉举报和其他渠道"), Type.HEAD), 1)
        self._save = button(tr("保存"), self.save, kind="primary")
        gate(self._save, self.workspace, Act.BOARD_CHANGED)
        head.addWidget(self._save)
        card.rows.addLayout(head)
        self.form = Form()
        for key, item in ITEMS.items():
            mark = " *" if item.clause else ""
            hint = "；".join(filter(None, (item.hint, item.clause)))
            self.form.add_text(key, f"{item.label}{mark}", hint=hint)
        self.form.edited.connect(self._edited)
        self.form.submitted.connect(self.save)
        card.rows.addWidget(self.form)
        acts = Actions(
            pay_day=lambda: self._panel(lambda s: PayDayPanel(self.workspace, s)),
            wage=lambda: self._panel(lambda s: WagePanel(self.workspace, s)),
            company=lambda one: self._panel(lambda s: ContactPanel(self.workspace, s, one)),
            add_company=lambda: self._panel(lambda s: CompanyPanel(self.workspace)),
            person=lambda one: self._panel(lambda s: StaffPanel(self.workspace, s, one)),
            versions=lambda: self._panel(lambda s: VersionsPanel(self.workspace, s)),
        )
        self.facts = FactsList(acts)
        self._rows.addWidget(self.facts)
        self._rows.addWidget(card)
        self._rows.addStretch(1)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setWidget(holder)
        self._area = area
        return area

    def _panel(self, make: Callable[[BoardState], Any]) -> None:
        if self.state is not None:
            self.open_panel(make(self.state))

    def _show_missing(self, state: BoardState) -> None:
        clear(self._state_line)
        missing = state.content.missing
        if missing:
            top = bad(tr("缺 {n} 项", n=len(missing)))
            sentence = tr("补齐后才能导出正式牌；之前先挂临时牌。")
        else:
            top = warn(tr("需重新张挂")) if state.status.reprint else good(tr("与墙上一致"))
            sentence = state.status.sentence
        card = Card(margin=theme.GRID + 4)
        row = line(gap=theme.GRID + 4)
        row.addWidget(Chip(top), 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(label(sentence, wrap=True), 1)
        card.rows.addLayout(row)
        for item in missing:
            card.rows.addWidget(rule())
            card.rows.addWidget(self._missing_row(item))
        self._state_line.addWidget(card)
        self._final.setEnabled(not missing)
        self._final.setToolTip(tr("还缺法定内容，请先补齐") if missing else "")

    def _missing_row(self, item: Missing) -> QWidget:
        row = QFrame()
        row.setToolTip(item.next_step)
        cells = line(row)
        texts = column(gap=0)
        texts.addWidget(label(item.label, wrap=True))
        texts.addWidget(label(item.clause, tone=Tone.TEXT_2, wrap=True))
        cells.addLayout(texts, 1)
        cells.addWidget(button(tr("去填写"), lambda: self._go(item.key), kind="quiet"))
        return row

    def _go(self, key: str) -> None:
        """To the field or the panel where a missing item is filled in."""
        if key in ITEMS:
            field = self.form.field(key)
            self._area.ensureWidgetVisible(field, 0, 80)
            field.setFocus()
            return
        self.facts.open_for(key)

    def _typed(self) -> dict[str, str]:
        return {key: self.form.value(key) for key in ITEMS}

    def _edited(self) -> None:
        self._save.setEnabled(self.form.is_dirty())
        self._typing.start()

    def _draw(self) -> None:
        state, typed, size = self.state, self._typed(), self.paper_size.value()
        if state is None:
            return
        self.workspace.jobs.submit(
            lambda progress, cancel: preview(state, typed, size), self.paper.show_document,
            lane=Lane.POOL, owner=self, failed=self.workspace.report, key="preview",
        )

    def _print(self) -> None:
        """What is printed hangs on a wall: it is a version like an export, of what is saved."""
        if self.form.is_dirty():
            self.workspace.messages.warn(tr("有改动还没有保存。请先保存，再打印。"))
            return
        size, draft = self.paper_size.value(), bool(self.state and self.state.status.missing)

        def send(made: Document) -> None:
            print_pages(self, made, self.workspace.messages)

        self.workspace.act(
            lambda desk, progress, cancel: issue_board(desk, size, draft), send,
            title=tr("打印告示牌"), owner=self, changes=Changes.BOARD,
        )


def _set_text(form: Form, key: str, text: str) -> None:
    field: Any = form.field(key)
    shown = text.replace("\n", "，")
    if field.text() != shown:
        field.setText(shown)


def make_page(workspace: Workspace) -> BoardPage:
    """The page, on an open book."""
    return BoardPage(workspace)



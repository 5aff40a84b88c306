"""What every page is: a heading, a body, a detail panel; fresh when seen, stale when not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtGui import QResizeEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from desktop.ui import theme
from desktop.ui.actions import Command, PageName
from desktop.ui.changes import Changes
from desktop.ui.drafts import Draft, Typed
from desktop.ui.theme import Tone, Type
from desktop.ui.widgets.basics import column, label, line
from desktop.ui.widgets.panel import DetailPanel, PanelContent
from desktop.ui.workspace import Workspace

_LEAST_BESIDE = 500
"""A page narrower than this beside its panel is of no use."""


class Page(QWidget):
    """Base of the pages; main thread, as long as the book is open.

    ``interests`` are the changes after which the page must look again; ``follows_month`` says
    whether it speaks of the month in the header.
    """

    name: PageName
    interests = Changes.NONE
    follows_month = False

    def __init__(self, workspace: Workspace, title: str) -> None:
        super().__init__()
        self.workspace = workspace
        self.setAccessibleName(title)
        self._stale = True
        whole = QHBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        left = QWidget()
        self._left = left
        self.body: QVBoxLayout = column(left, gap=theme.GRID + 4)
        self.body.setContentsMargins(
            2 * theme.GRID, theme.GRID + 6, 2 * theme.GRID, 2 * theme.GRID
        )
        head = line(gap=theme.GRID)
        head.addWidget(label(title, Type.TITLE), 1)
        self.head_acts = line(gap=theme.GRID)
        head.addLayout(self.head_acts)
        heading = column(gap=0)
        heading.addLayout(head)
        self._summary = label("", tone=Tone.TEXT_2, wrap=True)
        self._summary.hide()
        heading.addWidget(self._summary)
        self.body.addLayout(heading)
        self.panel = DetailPanel()
        whole.addWidget(left, 1)
        whole.addWidget(self.panel)
        self.panel.closed.connect(self._share_width)
        workspace.bus.changed.connect(self._maybe_stale)
        if self.follows_month:
            workspace.month_changed.connect(lambda _: self.refresh())

    def load(self) -> None:
        """Ask the services for what the page shows."""

    def open_target(self, target: Mapping[str, Any]) -> None:
        """Go to what another page or the command bar pointed at."""

    def run(self, command: Command) -> None:
        """Carry out one of this page's acts."""

    def is_dirty(self) -> bool:
        """Whether something typed here would be lost."""
        return self.panel.content is not None and self.panel.content.is_dirty()

    def draft(self) -> Draft | None:
        """Unsaved edits of this page as plain values, None without any."""
        content = self.panel.content
        in_panel = content if content is not None and content.is_dirty() else None
        on_page = self.typed()
        if in_panel is None and not on_page:
            return None
        make = in_panel.again() if in_panel is not None else None
        return Draft(self.name, make, in_panel.typed() if in_panel is not None else {}, on_page)

    def put_back(self, draft: Draft) -> None:
        """Show the edits of :meth:`draft` again, on a page that has loaded."""
        self.type_again(draft.on_page)
        if draft.make is not None:
            content = draft.make(self)
            if self.open_panel(content):
                content.type_again(draft.in_panel)

    def place(self) -> Mapping[str, Any]:
        """What :meth:`open_target` needs to come back to the part that is seen now."""
        return {}

    def typed(self) -> Typed:
        """Unsaved edits on the page itself, empty without any."""
        return {}

    def type_again(self, typed: Typed) -> None:
        """Put back what :meth:`typed` gave."""

    def refresh(self) -> None:
        """Look again: now if the page is seen, else when it is shown next."""
        if self.isVisible():
            self._stale = False
            self.load()
        else:
            self._stale = True

    def summarise(self, text: str) -> None:
        """The quiet line under the title."""
        self._summary.setText(text)
        self._summary.setVisible(bool(text))

    def open_panel(self, content: PanelContent) -> bool:
        """Show ``content`` in the panel; False if the user kept what was there."""
        shown = self.panel.put(content)
        self._share_width()
        return shown

    def _share_width(self) -> None:
        """Where both do not fit beside each other (200 %, small screens), the panel has it all."""
        content = self.panel.content
        wanted = theme.PANEL_WIDE if content is not None and content.wide else theme.PANEL_WIDTH
        alone = content is not None and self.width() - wanted < _LEAST_BESIDE
        self._left.setVisible(not alone)
        self.panel.fill(alone)

    def add_acts(self, acts: Sequence[QWidget]) -> None:
        """Buttons at the right end of the heading."""
        for act in acts:
            self.head_acts.addWidget(act)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._share_width()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self._stale:
            self._stale = False
            self.load()

    def _maybe_stale(self, what: Changes) -> None:
        if what & self.interests:
            self.refresh()

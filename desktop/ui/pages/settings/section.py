"""What every part of 设置 is: a widget on the page that reads when it is seen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from PySide6.QtWidgets import QWidget

from desktop.ui import theme
from desktop.ui.actions import Command
from desktop.ui.theme import Type
from desktop.ui.widgets.basics import Card, column, label, line
from desktop.ui.widgets.panel import PanelContent
from desktop.ui.workspace import Workspace

OpenPanel = Callable[[PanelContent], bool]


def card_head(card: Card, title: str, chip: QWidget | None = None, act: QWidget | None = None) -> None:
    """The first line of a card; all of one row are equally high, with or without a button."""
    head = line()
    head.addStrut(theme.CONTROL)
    head.addWidget(label(title, Type.STRONG))
    if chip is not None:
        head.addWidget(chip)
    head.addStretch(1)
    if act is not None:
        head.addWidget(act)
    card.rows.addLayout(head)


class Section(QWidget):
    """Made when its tab is first shown; main thread, as long as the page.

    ``open_panel`` shows content in the page's detail panel. Rows of a list that concern people
    and secrets are never kept between two looks.
    """

    def __init__(self, workspace: Workspace, open_panel: OpenPanel) -> None:
        super().__init__()
        self.workspace, self.open_panel = workspace, open_panel
        self.rows = column(self, gap=theme.GRID + 4)

    def load(self) -> None:
        """Ask the services for what the part shows."""

    def open_target(self, target: Mapping[str, Any]) -> None:
        """Go to what another page pointed at."""

    def run(self, command: Command) -> None:
        """Carry out one of the part's acts."""

"""What an act changed, told to every open page, so that no page needs to know another.

Bursts are collapsed: ten terminals finishing together cause one refresh.
"""

from __future__ import annotations

import enum

from PySide6.QtCore import QObject, QTimer, Signal


class Changes(enum.Flag):
    """Kinds of content a page may show."""

    NONE = 0
    PEOPLE = enum.auto()
    PUNCHES = enum.auto()
    CALENDAR = enum.auto()
    """Stop-work, leave, explanations, answers: what the office says beside the punches."""
    MONTHS = enum.auto()
    BOARD = enum.auto()
    TERMINALS = enum.auto()
    SITE = enum.auto()
    CUSTODY = enum.auto()
    """Users, keys, backups, retention, other computers: what the settings page shows."""


class ChangeBus(QObject):
    """``changed(Changes)`` soon after one or more acts; main thread."""

    changed = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._gathered = Changes.NONE
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(30)
        self._timer.timeout.connect(self._tell)

    def tell(self, what: Changes) -> None:
        """Note that ``what`` changed."""
        self._gathered |= what
        if self._gathered:
            self._timer.start()

    def _tell(self) -> None:
        gathered, self._gathered = self._gathered, Changes.NONE
        self.changed.emit(gathered)

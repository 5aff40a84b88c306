"""Remembers what was copied out of this window, so that locking can take it back.

Asking the clipboard who filled it is not enough: not every platform knows.
"""

from __future__ import annotations

from PySide6.QtCore import QObject
from PySide6.QtGui import QClipboard, QGuiApplication
from PySide6.QtWidgets import QApplication

_MODES = (QClipboard.Mode.Clipboard, QClipboard.Mode.Selection)


class Copied(QObject):
    """Listens from its making on; one per window, main thread. What other programs copied stays
    where it is."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._texts: dict[QClipboard.Mode, str] = {}
        QApplication.clipboard().changed.connect(self._note)

    def take_back(self) -> None:
        """Empty the clipboard and the selection where their text is ours."""
        clipboard = QApplication.clipboard()
        texts, self._texts = self._texts, {}
        for mode in _MODES:
            owns = (
                clipboard.ownsClipboard() if mode is QClipboard.Mode.Clipboard
                else clipboard.ownsSelection()
            )
            if owns or (mode in texts and clipboard.text(mode) == texts[mode]):
                clipboard.clear(mode)
        self._texts.clear()

    def _note(self, mode: QClipboard.Mode) -> None:
        """While a window of ours has the keyboard nobody else copies."""
        if mode in _MODES and QGuiApplication.focusWindow() is not None:
            self._texts[mode] = QApplication.clipboard().text(mode)
        else:
            self._texts.pop(mode, None)

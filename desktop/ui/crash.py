"""A crash leaves a note: what the program was doing, in words for the user and in a file for us.

The file holds types and places in the code only; messages of foreign exceptions may carry data of
people and stay out.
"""

from __future__ import annotations

import logging
import sys
import threading
import traceback
from pathlib import Path
from types import TracebackType

from PySide6.QtCore import QDateTime, QObject, Qt, Signal
from PySide6.QtWidgets import QApplication, QMessageBox, QWidget

from desktop import __version__
from desktop.ui.i18n import tr

_log = logging.getLogger(__name__)


def note_of(error: BaseException) -> str:
    """The trace without messages: where, which type, and its causes."""
    parts: list[str] = []
    current: BaseException | None = error
    while current is not None and len(parts) < 6:
        places = "".join(traceback.format_tb(current.__traceback__))
        parts.append(f"{places}{type(current).__module__}.{type(current).__qualname__}\n")
        current = current.__cause__ or current.__context__
    return f"SiteMuster {__version__}, Python {sys.version.split()[0]}, {sys.platform}\n" + (
        "\n--- caused by ---\n".join(parts)
    )


def write_note(error: BaseException, folder: Path) -> Path | None:
    """Keep the note; None where the folder cannot be written."""
    stamp = QDateTime.currentDateTimeUtc().toString("yyyyMMdd-HHmmss")
    path = folder / f"crash-{stamp}.txt"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text(note_of(error), encoding="utf-8")
    except OSError:
        return None
    return path


class CrashNotes(QObject):
    """Installed once; whatever nobody caught, on any thread, ends in one plain dialog."""

    _arrived = Signal(object)

    def __init__(self, folder: Path, window: QWidget) -> None:
        super().__init__(window)
        self._folder, self._window = folder, window
        self._open = False
        self._arrived.connect(self.show_error, Qt.ConnectionType.QueuedConnection)

    def install(self) -> None:
        """Take over the interpreter's last resort."""
        sys.excepthook = self._hook
        threading.excepthook = lambda args: (
            self._arrived.emit(args.exc_value) if args.exc_value is not None else None
        )

    def show_error(self, error: BaseException) -> None:
        """Write the note and say so; one dialog at a time."""
        _log.error("unexpected %s", note_of(error))
        path = write_note(error, self._folder)
        if self._open:
            return
        self._open = True
        try:
            self._dialog(error, path)
        finally:
            self._open = False

    def _dialog(self, error: BaseException, path: Path | None) -> None:
        box = QMessageBox(self._window)
        box.setIcon(QMessageBox.Icon.Warning)
        box.setWindowTitle(tr("程序遇到意外问题"))
        box.setText(tr("刚才的操作没有完成。已经保存的数据不受影响，可以继续使用。"))
        where = tr("记录已写入：{path}", path=path) if path else tr("记录无法写入磁盘。")
        box.setInformativeText(
            where + "\n" + tr("记录里只有程序位置，没有人员数据。求助时请把它交给技术人员。")
        )
        box.setDetailedText(note_of(error))
        copy = box.addButton(tr("复制记录"), QMessageBox.ButtonRole.ActionRole)
        box.addButton(tr("继续"), QMessageBox.ButtonRole.AcceptRole)
        box.exec()
        if box.clickedButton() is copy:
            QApplication.clipboard().setText(note_of(error))

    def _hook(
        self, kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        if issubclass(kind, KeyboardInterrupt):
            sys.__excepthook__(kind, error, trace)
            return
        self._arrived.emit(error)

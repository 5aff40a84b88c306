"""Showing a folder in the system's own file program."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices


def open_folder(folder: Path) -> bool:
    """True if the system took it."""
    return QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))

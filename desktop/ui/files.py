"""Files and folders of the user: what is dropped on a page, and showing a folder."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices, QDropEvent


def open_folder(folder: Path) -> bool:
    """Show a folder in the system's own file program; True if the system took it."""
    return QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))


def dropped_file(event: QDropEvent, endings: tuple[str, ...]) -> Path | None:
    """The one local file that is being dragged, if it ends as a page can use it."""
    urls = event.mimeData().urls()
    if len(urls) != 1 or not urls[0].isLocalFile():
        return None
    path = Path(urls[0].toLocalFile())
    return path if path.suffix.lower() in endings else None

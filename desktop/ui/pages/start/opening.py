"""What is seen for the half second in which a book is being opened."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QProgressBar, QWidget

from desktop.ui import theme
from desktop.ui.i18n import tr
from desktop.ui.theme import Tone, Type
from desktop.ui.widgets.basics import IconView, column, label


class OpeningView(QWidget):
    """A quiet picture for the half second a book needs."""

    def __init__(self) -> None:
        super().__init__()
        rows = column(self, gap=2 * theme.GRID)
        rows.addStretch(1)
        rows.addWidget(IconView("book", Tone.ACCENT, 44), 0, Qt.AlignmentFlag.AlignHCenter)
        self._text = label("", Type.HEAD)
        rows.addWidget(self._text, 0, Qt.AlignmentFlag.AlignHCenter)
        bar = QProgressBar()
        bar.setRange(0, 0)
        bar.setTextVisible(False)
        bar.setFixedWidth(220)
        rows.addWidget(bar, 0, Qt.AlignmentFlag.AlignHCenter)
        rows.addStretch(1)

    def show_folder(self, folder: Path) -> None:
        self._text.setText(tr("正在打开账本「{name}」…", name=folder.name))

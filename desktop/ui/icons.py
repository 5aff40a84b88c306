"""Icons: one own-drawn set of line SVGs, coloured from the theme when they are painted.

A file in ``icons/`` is a 24 × 24 drawing with ``currentColor`` strokes. Colours follow the theme at
every paint, so that switching light and dark needs no reload.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from PySide6.QtCore import QRect, QRectF, QSize, Qt
from PySide6.QtGui import QIcon, QIconEngine, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from desktop.ui import theme
from desktop.ui.theme import Tone

_FOLDER = Path(__file__).parent / "icons"


class _Engine(QIconEngine):
    """Draws one SVG in the tone that goes with the icon's state; main thread only."""

    def __init__(self, name: str, tone: Tone) -> None:
        super().__init__()
        self._name, self._tone = name, tone

    def _shade(self, mode: QIcon.Mode, state: QIcon.State) -> str:
        if mode == QIcon.Mode.Disabled:
            return theme.value(Tone.TEXT_3)
        if state == QIcon.State.On:
            return theme.value(Tone.ACCENT)
        return theme.value(self._tone)

    def paint(
        self, painter: QPainter, rect: QRect, mode: QIcon.Mode, state: QIcon.State
    ) -> None:
        renderer(self._name, self._shade(mode, state)).render(painter, QRectF(rect))

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        picture = QPixmap(size)
        picture.fill(Qt.GlobalColor.transparent)
        painter = QPainter(picture)
        self.paint(painter, QRect(0, 0, size.width(), size.height()), mode, state)
        painter.end()
        return picture

    def clone(self) -> QIconEngine:
        return _Engine(self._name, self._tone)


@lru_cache(maxsize=256)
def renderer(name: str, shade: str) -> QSvgRenderer:
    """The parsed drawing in one colour (``#rrggbb``)."""
    text = (_FOLDER / f"{name}.svg").read_text(encoding="utf-8")
    return QSvgRenderer(text.replace("currentColor", shade).encode())


def icon(name: str, tone: Tone = Tone.TEXT_2) -> QIcon:
    """The icon ``name`` in a tone; grey when disabled, accent when checked."""
    return QIcon(_Engine(name, tone))


def draw(painter: QPainter, name: str, rect: QRectF, tone: Tone) -> None:
    """Paint an icon inside a delegate or a custom widget."""
    renderer(name, theme.value(tone)).render(painter, rect)


def names() -> list[str]:
    """Every icon of the set."""
    return sorted(path.stem for path in _FOLDER.glob("*.svg"))

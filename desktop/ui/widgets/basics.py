"""Small parts: labels, buttons, icons, cards, chips. Everything follows the theme by itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from desktop.ui import icons, theme
from desktop.ui.theme import Tone, Type


@dataclass(frozen=True, slots=True)
class State:
    """A state as shown everywhere: word, icon and colour together, never colour alone."""

    word: str
    icon: str
    tone: Tone
    tint: Tone


class ShortLabel(QLabel):
    """One line that ends in "…" where it does not fit; the tool tip says the whole of it."""

    def setText(self, text: str) -> None:
        super().setText(text)
        self.setToolTip(text)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        room = self.contentsRect()
        shown = self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, room.width())
        painter.setPen(self.palette().color(self.foregroundRole()))
        painter.drawText(room, int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft), shown)


def good(word: str, icon: str = "good") -> State:
    return State(word, icon, Tone.GOOD, Tone.GOOD_TINT)


def warn(word: str, icon: str = "warn") -> State:
    return State(word, icon, Tone.WARN, Tone.WARN_TINT)


def bad(word: str, icon: str = "bad") -> State:
    return State(word, icon, Tone.BAD, Tone.BAD_TINT)


def info(word: str, icon: str = "info") -> State:
    return State(word, icon, Tone.ACCENT, Tone.ACCENT_TINT)


def neutral(word: str, icon: str = "empty") -> State:
    return State(word, icon, Tone.TEXT_2, Tone.NEUTRAL_TINT)


def label(
    text: str = "",
    role: Type = Type.BODY,
    tone: Tone = Tone.TEXT,
    *,
    wrap: bool = False,
    selectable: bool = False,
) -> QLabel:
    """A text in one of the theme's sizes and tones; plain text, whatever it contains."""
    made = QLabel(text)
    made.setTextFormat(Qt.TextFormat.PlainText)
    if role is not Type.BODY:
        made.setFont(theme.font(role))
    if tone is not Tone.TEXT:
        made.setProperty("tone", tone.value)
    made.setWordWrap(wrap)
    if wrap:
        made.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
    if selectable:
        made.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse
            | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
    return made


def set_tone(widget: QWidget, tone: Tone) -> None:
    """Change a label's tone after it was made."""
    widget.setProperty("tone", tone.value)
    repolish(widget)


def repolish(widget: QWidget) -> None:
    """Let the style sheet see a changed property."""
    widget.style().unpolish(widget)
    widget.style().polish(widget)


def button(
    text: str,
    act: Callable[[], object] | None = None,
    *,
    icon: str = "",
    kind: str = "",
    tip: str = "",
) -> QPushButton:
    """A button; ``kind`` is ``primary``, ``danger``, ``quiet`` or empty."""
    # Qt sets icon and text too close together; the blank is for the eye only.
    made = QPushButton(f" {text}" if icon else text)
    made.setAccessibleName(text)
    if kind:
        made.setProperty("kind", kind)
    if icon:
        tones = {"primary": Tone.ON_ACCENT, "danger": Tone.BAD, "quiet": Tone.ACCENT}
        made.setIcon(icons.icon(icon, tones.get(kind, Tone.TEXT_2)))
        made.setIconSize(QSize(18, 18))
    if tip:
        made.setToolTip(tip)
    if act is not None:
        made.clicked.connect(lambda: act())
    made.setAutoDefault(kind == "primary")
    return made


def icon_button(
    icon: str, name: str, act: Callable[[], object] | None = None, *, tip: str = ""
) -> QToolButton:
    """A button with an icon only; ``name`` is its tool tip and what a screen reader says."""
    made = QToolButton()
    made.setProperty("kind", "icon")
    made.setIcon(icons.icon(icon))
    made.setIconSize(QSize(18, 18))
    made.setAccessibleName(name)
    made.setToolTip(tip or name)
    made.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    if act is not None:
        made.clicked.connect(lambda: act())
    return made


class IconView(QWidget):
    """An icon that stands still, repainted in the theme's colours."""

    def __init__(self, name: str, tone: Tone = Tone.TEXT_2, size: int = 20) -> None:
        super().__init__()
        self._name, self._tone = name, tone
        self.setFixedSize(size, size)

    def show_icon(self, name: str, tone: Tone) -> None:
        self._name, self._tone = name, tone
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        icons.draw(painter, self._name, QRectF(self.rect()), self._tone)
        painter.end()


class Card(QFrame):
    """A surface with a thin line around; ``surface`` may be a state's tint instead."""

    def __init__(self, surface: str = "card", margin: int = 2 * theme.GRID) -> None:
        super().__init__()
        self.setProperty("surface", surface)
        self.rows = column(self, margin=margin)

    def set_surface(self, surface: str) -> None:
        self.setProperty("surface", surface)
        repolish(self)


class Chip(QFrame):
    """A state as a small coloured label."""

    def __init__(self, state: State | None = None) -> None:
        super().__init__()
        self._state = state
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        if state is not None:
            self.show_state(state)

    def show_state(self, state: State) -> None:
        self._state = state
        self.setAccessibleName(state.word)
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        word = self._state.word if self._state else ""
        return QSize(chip_width(self, word), self.fontMetrics().height() + 6)

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._state is not None:
            painter = QPainter(self)
            paint_chip(painter, QRectF(self.rect()), self._state)
            painter.end()


def chip_width(widget: QWidget, word: str) -> int:
    """Room a chip needs, in pixels."""
    return widget.fontMetrics().horizontalAdvance(word) + 18 + 4 + 18


def paint_chip(painter: QPainter, rect: QRectF, state: State) -> None:
    """Draw ``state`` into ``rect``: tinted, rounded, icon before word."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(theme.colour(state.tint))
    painter.drawRoundedRect(rect, rect.height() / 2, rect.height() / 2)
    size = 15.0
    icons.draw(
        painter, state.icon,
        QRectF(rect.x() + 8, rect.center().y() - size / 2, size, size), state.tone,
    )
    painter.setPen(theme.colour(state.tone))
    painter.drawText(
        rect.adjusted(8 + size + 5, 0, -8, 0),
        Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, state.word,
    )
    painter.restore()


def rule(*, upright: bool = False) -> QFrame:
    """A thin line across, or upright."""
    made = QFrame()
    made.setProperty("surface", "line")
    if upright:
        made.setFixedWidth(1)
    else:
        made.setFixedHeight(1)
    return made


def column(owner: QWidget | None = None, *, margin: int = 0, gap: int = theme.GRID) -> QVBoxLayout:
    """A vertical layout on the grid."""
    made = QVBoxLayout(owner) if owner is not None else QVBoxLayout()
    return _spaced(made, margin, gap)  # type: ignore[return-value]


def line(owner: QWidget | None = None, *, margin: int = 0, gap: int = theme.GRID) -> QHBoxLayout:
    """A horizontal layout on the grid."""
    made = QHBoxLayout(owner) if owner is not None else QHBoxLayout()
    return _spaced(made, margin, gap)  # type: ignore[return-value]


def to_the_left(widget: QWidget) -> QWidget:
    """Keeps a widget's own width where a form or a panel would stretch or centre it."""
    holder = QWidget()
    row = line(holder, gap=0)
    row.addWidget(widget)
    row.addStretch(1)
    return holder


def centred(widget: QWidget) -> QHBoxLayout:
    """In the middle of its row; an alignment flag would keep wrapped text from growing down."""
    row = line(gap=0)
    row.addStretch(1)
    row.addWidget(widget)
    row.addStretch(1)
    return row


def _spaced(layout: QBoxLayout, margin: int, gap: int) -> QBoxLayout:
    layout.setContentsMargins(margin, margin, margin, margin)
    layout.setSpacing(gap)
    return layout


def clear(layout: QBoxLayout) -> None:
    """Remove and delete everything in ``layout``."""
    while layout.count():
        item = layout.takeAt(0)
        widget, inner = item.widget(), item.layout()
        if widget is not None:
            widget.hide()
            widget.deleteLater()
        elif isinstance(inner, QBoxLayout):
            clear(inner)

"""The one place for colours, sizes and the look of standard widgets.

Fusion, palette roles, one accent colour, light and dark. Pages name a :class:`Tone`, never a
colour value; sizes are steps of an 8-pixel grid at 100 % and follow the font where text decides.
"""

from __future__ import annotations

import contextlib
import enum
import re
from collections.abc import Mapping
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFont, QFontDatabase, QFontMetrics, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication, QStyleFactory


class Tone(enum.Enum):
    """What a colour means. ``*_TINT`` is the quiet background that goes with the colour."""

    CANVAS = "canvas"
    SURFACE = "surface"
    RAIL = "rail"
    LINE = "line"
    LINE_STRONG = "line_strong"
    TEXT = "text"
    TEXT_2 = "text_2"
    TEXT_3 = "text_3"
    ACCENT = "accent"
    ACCENT_HOVER = "accent_hover"
    ON_ACCENT = "on_accent"
    ACCENT_TINT = "accent_tint"
    HOVER = "hover"
    GOOD = "good"
    GOOD_TINT = "good_tint"
    WARN = "warn"
    WARN_TINT = "warn_tint"
    BAD = "bad"
    BAD_TINT = "bad_tint"
    NEUTRAL_TINT = "neutral_tint"
    WEEKEND = "weekend"
    HOLIDAY = "holiday"
    OUTSIDE = "outside"
    DESK = "desk"
    """Behind a previewed sheet of paper."""


LIGHT: Mapping[Tone, str] = {
    Tone.CANVAS: "#f3f5f8",
    Tone.SURFACE: "#ffffff",
    Tone.RAIL: "#e9edf2",
    Tone.LINE: "#dbe1e8",
    Tone.LINE_STRONG: "#aeb8c4",
    Tone.TEXT: "#1b232d",
    Tone.TEXT_2: "#53606f",
    Tone.TEXT_3: "#7b8794",
    Tone.ACCENT: "#0b5cad",
    Tone.ACCENT_HOVER: "#084b8f",
    Tone.ON_ACCENT: "#ffffff",
    Tone.ACCENT_TINT: "#dfecf9",
    Tone.HOVER: "#eef3f8",
    Tone.GOOD: "#1a7244",
    Tone.GOOD_TINT: "#e0f2e7",
    Tone.WARN: "#8a5200",
    Tone.WARN_TINT: "#fcefd8",
    Tone.BAD: "#b3261e",
    Tone.BAD_TINT: "#fbe5e3",
    Tone.NEUTRAL_TINT: "#eaeef2",
    Tone.WEEKEND: "#f0f2f5",
    Tone.HOLIDAY: "#fdf0ee",
    Tone.OUTSIDE: "#f7f8fa",
    Tone.DESK: "#cdd4dc",
}

DARK: Mapping[Tone, str] = {
    Tone.CANVAS: "#1a1e23",
    Tone.SURFACE: "#22272e",
    Tone.RAIL: "#16191e",
    Tone.LINE: "#343b44",
    Tone.LINE_STRONG: "#59636f",
    Tone.TEXT: "#e5e9ee",
    Tone.TEXT_2: "#a9b3bf",
    Tone.TEXT_3: "#838e9b",
    Tone.ACCENT: "#74b3f2",
    Tone.ACCENT_HOVER: "#94c6f7",
    Tone.ON_ACCENT: "#0b1a2a",
    Tone.ACCENT_TINT: "#22394f",
    Tone.HOVER: "#2a3038",
    Tone.GOOD: "#74cf9c",
    Tone.GOOD_TINT: "#1f3a2c",
    Tone.WARN: "#e9bb63",
    Tone.WARN_TINT: "#3d331d",
    Tone.BAD: "#f4938b",
    Tone.BAD_TINT: "#472a28",
    Tone.NEUTRAL_TINT: "#2f363f",
    Tone.WEEKEND: "#282e36",
    Tone.HOLIDAY: "#362a2b",
    Tone.OUTSIDE: "#1e2329",
    Tone.DESK: "#121519",
}

GRID = 8
"""Pixels at 100 %; margins and gaps are multiples or halves of it."""
ROW = 34
"""Least height of a table row."""
CONTROL = 34
"""Least height of a field or a button."""
RADIUS = 5
PANEL_WIDTH = 424
PANEL_WIDE = 640
RAIL_WIDTH = 168
RAIL_NARROW = 60

_LEAST_PT = 10.5
_CHINESE = (
    "Microsoft YaHei UI", "Microsoft YaHei", "Noto Sans CJK SC", "Source Han Sans SC",
    "Noto Sans SC", "WenQuanYi Micro Hei", "PingFang SC", "SimSun",
)


class Type(enum.Enum):
    """Sizes of type as factors of the body size, and weight."""

    BODY = (1.0, QFont.Weight.Normal)
    STRONG = (1.0, QFont.Weight.DemiBold)
    HEAD = (1.14, QFont.Weight.DemiBold)
    TITLE = (1.52, QFont.Weight.DemiBold)
    FIGURE = (1.9, QFont.Weight.DemiBold)


def is_dark() -> bool:
    """Whether the window is dark now; read from the palette, so there is one truth."""
    return QGuiApplication.palette().color(QPalette.ColorRole.Window).lightness() < 128


def value(tone: Tone, dark: bool | None = None) -> str:
    """A tone as ``#rrggbb`` for style sheets and SVG."""
    return (DARK if (is_dark() if dark is None else dark) else LIGHT)[tone]


def colour(tone: Tone) -> QColor:
    """A tone for painters."""
    return QColor(value(tone))


def shadow() -> QColor:
    """Under a sheet of paper; the same in light and dark."""
    shade = QColor(Qt.GlobalColor.black)
    shade.setAlpha(70)
    return shade


def font(role: Type = Type.BODY) -> QFont:
    """The application's font in a role."""
    factor, weight = role.value
    made = QFont(QApplication.font())
    made.setPointSizeF(made.pointSizeF() * factor)
    made.setWeight(weight)
    return made


def row_height() -> int:
    """Height of a table row: never under :data:`ROW`, and room around larger type."""
    return max(ROW, round(QFontMetrics(QApplication.font()).height() * 1.6))


def has_chinese_font() -> bool:
    """Without one every text is a row of boxes; asked once, after the first paint."""
    return bool(QFontDatabase.families(QFontDatabase.WritingSystem.SimplifiedChinese))


def choose_font(app: QApplication) -> None:
    """The system's font, at least 10.5 pt; Chinese families behind it in a fixed order.

    A Linux system font without Chinese glyphs would borrow Japanese forms: a Chinese family then
    leads.
    """
    chosen = QFont(app.font())
    family = chosen.family()
    generic = family in ("", "Sans Serif", "Sans", "DejaVu Sans")
    chosen.setFamilies([*_CHINESE, family] if generic else [family, *_CHINESE])
    chosen.setPointSizeF(max(_LEAST_PT, chosen.pointSizeF()))
    app.setFont(chosen)


def apply(app: QApplication, dark: bool, *, chosen: bool = True) -> None:
    """Style, palette and style sheet for light or dark; may be called again at any time.

    ``chosen`` also tells the platform (frames, file dialogs); the desktop's own look needs no word.
    """
    if app.style().objectName().lower() != "fusion":
        app.setStyle(QStyleFactory.create("Fusion"))
    scheme = getattr(app.styleHints(), "setColorScheme", None)  # newer than 6.7
    if scheme is not None and chosen:
        scheme(Qt.ColorScheme.Dark if dark else Qt.ColorScheme.Light)
    app.setPalette(_palette(dark))
    app.setStyleSheet(_sheet(dark))


def follow_system(app: QApplication) -> None:
    """What the desktop asks for, now and whenever it changes its mind."""
    hints = app.styleHints()
    apply(app, hints.colorScheme() == Qt.ColorScheme.Dark, chosen=False)
    hints.colorSchemeChanged.connect(
        lambda scheme: apply(app, scheme == Qt.ColorScheme.Dark, chosen=False)
    )


def choose(app: QApplication, dark: bool) -> None:
    """The user's own choice; the desktop is no longer followed."""
    with contextlib.suppress(RuntimeError):  # nobody was listening
        app.styleHints().colorSchemeChanged.disconnect()
    apply(app, dark)


def _palette(dark: bool) -> QPalette:
    role = QPalette.ColorRole
    made = QPalette()
    pairs = {
        role.Window: Tone.CANVAS, role.Base: Tone.SURFACE, role.AlternateBase: Tone.HOVER,
        role.Button: Tone.SURFACE, role.WindowText: Tone.TEXT, role.Text: Tone.TEXT,
        role.ButtonText: Tone.TEXT, role.PlaceholderText: Tone.TEXT_3, role.BrightText: Tone.BAD,
        role.Highlight: Tone.ACCENT, role.HighlightedText: Tone.ON_ACCENT, role.Link: Tone.ACCENT,
        role.LinkVisited: Tone.ACCENT, role.ToolTipBase: Tone.SURFACE, role.ToolTipText: Tone.TEXT,
        role.Light: Tone.SURFACE, role.Midlight: Tone.HOVER, role.Mid: Tone.LINE,
        role.Dark: Tone.LINE_STRONG, role.Shadow: Tone.LINE_STRONG, role.Accent: Tone.ACCENT,
    }
    for where, tone in pairs.items():
        made.setColor(where, QColor(value(tone, dark)))
    for where in (role.WindowText, role.Text, role.ButtonText, role.HighlightedText):
        made.setColor(QPalette.ColorGroup.Disabled, where, QColor(value(Tone.TEXT_3, dark)))
    made.setColor(
        QPalette.ColorGroup.Disabled, role.Highlight, QColor(value(Tone.LINE_STRONG, dark))
    )
    return made


def _sheet(dark: bool) -> str:
    """The style sheet file with its ``@tone`` and ``@size`` names filled in."""
    names = {tone.value: value(tone, dark) for tone in Tone} | {"radius": f"{RADIUS}px"}
    folder = Path(__file__).parent / "icons"
    for name, file in (("arrow", "combo_arrow"), ("tick", f"tick_{'dark' if dark else 'light'}")):
        names[name] = f'url("{(folder / file).as_posix()}.svg")'
    text = (Path(__file__).parent / "theme.qss").read_text(encoding="utf-8")
    text = text.split("*/", 1)[1]  # the head comment speaks of @name itself
    return re.sub(r"@(\w+)", lambda name: names[name[1]], text)

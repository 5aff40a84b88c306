"""One theme: no colour outside it, readable in light and dark, every icon there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from PySide6.QtGui import QColor

import desktop.ui
from desktop.ui import icons, theme
from desktop.ui.actions import COMMANDS, PAGES
from desktop.ui.theme import DARK, LIGHT, Tone

UI = Path(desktop.ui.__file__).parent
_COLOUR = re.compile(r"#[0-9a-fA-F]{3,8}\b|QColor\(\s*\d|rgb\(")

READ = [
    (Tone.TEXT, Tone.CANVAS), (Tone.TEXT, Tone.SURFACE), (Tone.TEXT, Tone.ACCENT_TINT),
    (Tone.TEXT_2, Tone.CANVAS), (Tone.TEXT_2, Tone.SURFACE), (Tone.TEXT_2, Tone.NEUTRAL_TINT),
    (Tone.ACCENT, Tone.SURFACE), (Tone.ACCENT, Tone.ACCENT_TINT), (Tone.ON_ACCENT, Tone.ACCENT),
    (Tone.GOOD, Tone.GOOD_TINT), (Tone.WARN, Tone.WARN_TINT), (Tone.BAD, Tone.BAD_TINT),
    (Tone.BAD, Tone.SURFACE), (Tone.BAD, Tone.HOLIDAY),
]


def test_no_page_names_a_colour() -> None:
    found = [
        f"{path.relative_to(UI)}: {line.strip()}"
        for path in UI.rglob("*.py")
        if path.name != "theme.py"
        for line in path.read_text(encoding="utf-8").splitlines()
        if _COLOUR.search(line)
    ]
    assert found == []


def _luminance(colour: str) -> float:
    parts = [part / 255 for part in QColor(colour).getRgb()[:3]]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize(("ink", "paper"), READ)
def test_words_can_be_read(colours: dict[Tone, str], ink: Tone, paper: Tone) -> None:
    """WCAG AA for body text: 4.5 to 1."""
    pair = sorted((_luminance(colours[ink]), _luminance(colours[paper])), reverse=True)
    assert (pair[0] + 0.05) / (pair[1] + 0.05) >= 4.5


def test_both_looks_have_every_tone() -> None:
    assert set(LIGHT) == set(DARK) == set(Tone)


def test_type_is_never_small() -> None:
    assert theme.font().pointSizeF() >= 10.5
    assert theme.row_height() >= 32


def test_every_declared_icon_exists() -> None:
    known = set(icons.names())
    assert {declared.icon for declared in (*PAGES.values(), *COMMANDS.values())} <= known


def test_shortcuts_are_given_once() -> None:
    keys = [d.shortcut for d in (*PAGES.values(), *COMMANDS.values()) if d.shortcut]
    assert len(keys) == len(set(keys))
    assert [PAGES[page].shortcut for page in PAGES] == [f"Ctrl+{n}" for n in range(1, 8)]

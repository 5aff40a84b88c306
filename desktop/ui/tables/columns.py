"""A column, described once: title, width, text, alignment, sort key, state; for screen and export."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from PySide6.QtCore import Qt

from desktop.ui.theme import Tone
from desktop.ui.widgets.basics import State

R = TypeVar("R")

LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
CENTER = Qt.AlignmentFlag.AlignCenter


@dataclass(frozen=True, slots=True)
class Column(Generic[R]):
    """``width`` counts Chinese characters; ``sort`` is a key the query understands, or empty.

    ``state`` draws word, icon and colour instead of the plain text; ``tone`` colours plain text.
    ``order`` gives the value to sort rows in memory by (``text`` otherwise).
    """

    title: str
    width: float
    text: Callable[[R], str]
    sort: str = ""
    align: Qt.AlignmentFlag = LEFT
    state: Callable[[R], State | None] | None = None
    tone: Callable[[R], Tone | None] | None = None
    order: Callable[[R], Any] | None = None
    stretch: bool = False


def printable(columns: Sequence[Column[R]], row: R) -> list[str]:
    """A row as texts, as the screen shows it (masks included)."""
    return [_word(column, row) for column in columns]


def _word(column: Column[R], row: R) -> str:
    state = column.state(row) if column.state else None
    return column.text(row) or (state.word if state else "")

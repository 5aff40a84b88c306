"""The body cells of an attendance sheet, made when first asked for and used again.

A month of 10,000 people has half a million cells and a few hundred different ones. What comes once
only (names, numbers) is made and forgotten.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from functools import lru_cache
from operator import attrgetter
from typing import Any

from reports.boxes import PAD, PAD_V, part
from reports.metrics import fit
from reports.paper import GREY, Cell, Part
from reports.sheet import SheetRow
from reports.sheet_grid import SheetGrid

_FIELDS = {
    "name": ("name",),
    "number": ("worker_no",),
    "trade": ("trade",),
    "entry": ("entry", "exit"),
    "punched": ("punched_days",),
    "explained": ("explained_days",),
    "confirmed": ("confirmed_days",),
    "overtime": ("overtime",),
    "nights": ("nights",),
    "remark": ("remark",),
    "signature": ("signed",),
}
"""What a column prints of a person; index, days and thumb print are not fields."""
_NAME_OVER_NUMBER = ("name", "worker_no")
_ONCE = ("index", "name", "number")


@lru_cache(4096)
def number_text(value: Decimal | None) -> str:
    """Days and hours without needless zeros; nothing for nothing.

    >>> number_text(Decimal("21.50")), number_text(Decimal(100)), number_text(None)
    ('21.5', '100', '')
    """
    return "" if value is None else f"{value.normalize():f}"


class Cells(dict[Any, Cell]):
    """Cells of one column by what they print: a text or a count."""

    def __init__(self, grid: SheetGrid, column: str) -> None:
        super().__init__({"": Cell(), None: Cell()})
        form = grid.form
        self._width = grid.widths[grid.names.index(column)]
        self._room = self._width - 2 * PAD, form.row - 2 * PAD_V
        sizes = {
            "name": form.body_pt + 1,
            "remark": form.small_pt - 1,
            "signature": form.small_pt,
        }
        self._pt = sizes.get(column, form.body_pt)
        self._form, self._once = form, column in _ONCE

    def __missing__(self, key: Any) -> Cell:
        made = self._make(key)
        if not self._once:
            self[key] = made
        return made

    def _make(self, key: Any) -> Cell:
        # The same as boxes.cell, without its choices: this runs for every name and number.
        size, lines = fit(key if isinstance(key, str) else number_text(key), *self._room, self._pt)
        return Cell((Part(lines, size),) if lines else ())


class _NamesOverNumbers(Cells):
    """Where the worker's number has no column of its own; keys are (name, number)."""

    def _make(self, key: tuple[str, str]) -> Cell:
        form, width = self._form, self._width
        number = part(key[1], width, 330, form.small_pt, colour=GREY, max_lines=1)
        name = part(key[0], width, form.row - 300, form.body_pt + 0.5)
        return Cell((name, number))


class _Stays(Cells):
    """Keys are (entry, exit): one text, or one over the other."""

    def _make(self, key: tuple[str, str]) -> Cell:
        if not key[1]:
            return super()._make(key[0])
        form = self._form
        lines = (key[0] or "—", key[1])
        return Cell(
            tuple(
                part(line, self._width, form.row // 2, form.small_pt, max_lines=1) for line in lines
            )
        )


class DayCells(Cells):
    """Days of one tint; keys are (symbol, overtime hours below it)."""

    def __init__(self, grid: SheetGrid, fill: int | None) -> None:
        super().__init__(grid, "d1")
        self._fill = fill

    def _make(self, key: tuple[str, str]) -> Cell:
        symbol, overtime = key
        form, width = self._form, self._width
        upper = form.row - (form.row * 2 // 5 if overtime else 0)
        parts = [part(symbol, width, upper, form.symbol_pt, max_lines=1, pad=20)]
        if overtime:
            small = form.row - upper
            parts.append(part(overtime, width, small, form.small_pt - 1, max_lines=1, pad=20))
        return Cell(tuple(p for p in parts if p.lines), fill=self._fill)


def column_of(grid: SheetGrid, column: str) -> tuple[Callable[[SheetRow], Any], Cells]:
    """What of a person is the key in this column, and the column's cells."""
    if column == "name" and "number" not in grid.names:
        return attrgetter(*_NAME_OVER_NUMBER), _NamesOverNumbers(grid, column)
    kind = _Stays if column == "entry" else Cells
    return attrgetter(*_FIELDS[column]), kind(grid, column)

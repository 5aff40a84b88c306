"""From a table to boxes, strokes and lines: where its cells stand and their texts in them.

Pure arithmetic between the model and the painter; also what the tests look at when they ask
whether a text stays inside its cell.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate

from reports.metrics import text_width
from reports.paper import (
    BOTTOM,
    LEADING,
    LEFT,
    RIGHT,
    TOP,
    UNITS_PER_PT,
    Align,
    Cell,
    Part,
    Role,
    Row,
    Table,
    VAlign,
)

Box = tuple[int, int, int, int]

Ops = tuple[tuple[int, int, str, float, Role, int], ...]
"""Lines to draw: x, base line y, text, size, role, colour."""

_ASCENT = 0.905
"""From the top of a line box to its base line, in ems: ideographs sit in the middle."""
_EDGE = 40
"""Between a cell's border and a text at its top or bottom."""


@dataclass(slots=True)
class Grid:
    """``boxes``: every cell that shows something, with x, y, w, h, in reading order.

    ``strokes`` are x1, y1, x2, y2; neighbours on one line are one stroke. ``fills`` and
    ``hatches`` of a column are joined downwards.
    """

    boxes: list[tuple[Cell, int, int, int, int]] = field(default_factory=list)
    strokes: list[Box] = field(default_factory=list)
    fills: list[tuple[int, Box]] = field(default_factory=list)
    hatches: list[Box] = field(default_factory=list)


def lay_out(table: Table) -> Grid:
    """Place every cell of the table on the page."""
    grid = Grid()
    edges = [table.x, *accumulate(table.columns, initial=table.x)][1:]
    tops = list(accumulate((row.height for row in table.rows), initial=table.y))
    across: dict[int, list[tuple[int, int]]] = {}
    down: dict[int, list[tuple[int, int]]] = {}
    shade: dict[tuple[int, int], tuple[int | None, bool, int, int]] = {}
    for k, row in enumerate(table.rows):
        y, bottom = tops[k], tops[k + 1]
        if row.ruled:
            whole = (edges[0], edges[-1])
            across.setdefault(y, []).append(whole)
            across.setdefault(bottom, []).append(whole)
            for x in edges:
                down.setdefault(x, []).append((y, bottom))
        _place(grid, row, k, edges, tops, across, down, shade)
    for (x, right), (fill, hatch, y, bottom) in shade.items():
        _shade(grid, fill, hatch, (x, y, right - x, bottom - y))
    for y, pieces in sorted(across.items()):
        grid.strokes.extend((a, y, b, y) for a, b in _joined(pieces))
    for x, pieces in sorted(down.items()):
        grid.strokes.extend((x, a, x, b) for a, b in _joined(pieces))
    return grid


def _place(
    grid: Grid,
    row: Row,
    k: int,
    edges: list[int],
    tops: list[int],
    across: dict[int, list[tuple[int, int]]],
    down: dict[int, list[tuple[int, int]]],
    shade: dict[tuple[int, int], tuple[int | None, bool, int, int]],
) -> None:
    """One row: its visible cells, their shades, and their edges unless the row is ruled."""
    y = tops[k]
    column = 0
    for cell in row.cells:
        x = edges[column]
        column += cell.span
        if cell.covered:
            continue
        right, bottom = edges[column], tops[k + cell.rows]
        if cell.parts or cell.code is not None:
            grid.boxes.append((cell, x, y, right - x, bottom - y))
        if cell.fill is not None or cell.hatch:
            start = shade.get((x, right))
            if start and start[:2] == (cell.fill, cell.hatch) and start[3] == y:
                shade[x, right] = (cell.fill, cell.hatch, start[2], bottom)
            else:
                if start:
                    _shade(grid, start[0], start[1], (x, start[2], right - x, start[3] - start[2]))
                shade[x, right] = (cell.fill, cell.hatch, y, bottom)
        if not row.ruled:
            sides = cell.borders
            if sides & TOP:
                across.setdefault(y, []).append((x, right))
            if sides & BOTTOM:
                across.setdefault(bottom, []).append((x, right))
            if sides & LEFT:
                down.setdefault(x, []).append((y, bottom))
            if sides & RIGHT:
                down.setdefault(right, []).append((y, bottom))


def _shade(grid: Grid, fill: int | None, hatch: bool, box: Box) -> None:
    if fill is not None:
        grid.fills.append((fill, box))
    if hatch:
        grid.hatches.append(box)


def _joined(pieces: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Touching or overlapping stretches as one."""
    pieces.sort()
    joined = [pieces[0]]
    for a, b in pieces[1:]:
        if a <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(b, joined[-1][1]))
        else:
            joined.append((a, b))
    return joined


def place_lines(
    parts: Sequence[Part], w: int, h: int, align: Align, valign: VAlign, pad: int = 0
) -> Ops:
    """Where the lines of a box go, relative to its upper left corner."""
    ops: list[tuple[int, int, str, float, Role, int]] = []
    height = sum(_block_height(part) for part in parts)
    edge = _EDGE if pad else 0
    top = {"top": edge, "middle": (h - height) / 2, "bottom": h - height - edge}[valign]
    for part in parts:
        em = part.pt * UNITS_PER_PT
        for k, line in enumerate(part.lines):
            base = top + (_ASCENT + LEADING * k) * em
            if align == "left":
                x = float(pad)
            else:
                free = w - text_width(line, part.pt, part.role)
                x = free / 2 if align == "center" else free - pad
            ops.append((round(x), round(base), line, part.pt, part.role, part.colour))
        top += _block_height(part)
    return tuple(ops)


def _block_height(part: Part) -> float:
    return (LEADING * len(part.lines) - 0.15) * part.pt * UNITS_PER_PT if part.lines else 0.0

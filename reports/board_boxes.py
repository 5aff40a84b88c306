"""The board's boxes: one fitted text each, measured before they are placed, then one table.

A board is two columns of boxes of unequal height. :func:`table_of` turns boxes that tile a
rectangle into one table whose rows and columns are all their edges, so that painter and .docx
show the same picture. Sizes come from :class:`Sizes`, which is the only scale of the board.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise

from reports.metrics import STEP_PT, fit, room, text_height, wrap
from reports.paper import (
    BLACK,
    BOX,
    NO_BORDER,
    RED,
    UNITS_PER_PT,
    Align,
    Cell,
    Code,
    Part,
    Role,
    Row,
    Table,
    covered,
    mm,
)

BODY_PT = 14.5
"""15.3 mm on 1200 × 900 (three times enlarged): not below the 15 mm of forms.md F01."""
PHONE_PT = 24.0
"""25.4 mm there: the 25 mm for phone numbers."""
NOTE_PT = 10.0
"""「待补充」 and the foot: no content of the board."""

SLACK = 0.99
"""Share of a box's width that lines may fill: offices set digits a little wider than we do."""

_WIDOW = 3

SNAP = 80
"""Edges nearer than this are one edge; the padding of the rows absorbs it."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """All sizes of the board at ``scale`` 1 or more (below 1 only as the last resort)."""

    scale: float = 1.0

    @property
    def body(self) -> float:
        return _half(BODY_PT * self.scale)

    @property
    def phone(self) -> float:
        return _half(PHONE_PT * self.scale)

    @property
    def note(self) -> float:
        return _half(NOTE_PT * self.scale)

    @property
    def pad(self) -> int:
        """Free space above and below a text."""
        return round(mm(1.1) * self.scale)

    @property
    def side(self) -> int:
        """Free space left and right of a text."""
        return round(mm(1.6) * self.scale)

    def text(self, sample: str) -> int:
        """Width of a line of running text, with the space at the sides."""
        return self.around(room(sample, self.body))

    def em(self, count: float) -> int:
        """Width of ``count`` ideographs of running text, with the space at the sides."""
        return self.around(self.body * UNITS_PER_PT * count)

    def around(self, width: float) -> int:
        """Width of a box that holds a line of ``width``."""
        return int(width / SLACK) + 2 * self.side + 10


def _half(pt: float) -> float:
    return max(1.0, round(pt / STEP_PT) * STEP_PT)


@dataclass(frozen=True, slots=True)
class Look:
    """How a text stands in its box.

    ``least`` is the size a phone may shrink to before it breaks; ``prose`` fills its lines.
    """

    pt: float
    role: Role = "song"
    align: Align = "left"
    fill: int | None = None
    colour: int = BLACK
    borders: int = BOX
    least: float = 0.0
    one_line: bool = False
    prose: bool = False


@dataclass(frozen=True, slots=True)
class Box:
    """A text in a stretch ``left``–``right`` of its column (paper units).

    ``blank`` is what 「待补充：」 names when ``text`` is empty. ``lines`` break the text at chosen
    places if they fit.
    """

    left: int
    right: int
    text: str
    look: Look
    sizes: Sizes
    blank: str = ""
    lines: tuple[str, ...] = ()

    @property
    def inner(self) -> int:
        return int((self.right - self.left - 2 * self.sizes.side) * SLACK)

    def parts(self) -> tuple[Part, ...]:
        """The fitted lines; the same whatever height the box gets in the end."""
        look = self.look
        if not self.text:
            return self._blank_parts() if self.blank else ()
        size, lines = look.pt, self.lines
        if not lines or any(room(line, size, look.role) > self.inner for line in lines):
            size, lines = _lines(self.text, self.inner, look)
        return (Part(lines, size, look.role, look.colour),)

    def _blank_parts(self) -> tuple[Part, ...]:
        """A note, and below it a rule to write on."""
        note_pt, lines = fit(f"待补充：{self.blank}", self.inner, mm(40), self.sizes.note, "hei")
        rule = "_" * max(3, int(self.inner / room("_", self.sizes.body, "song")))
        return (
            Part(lines, note_pt, "hei", RED),
            Part((rule,), self.sizes.body, "song"),
        )

    @property
    def needed(self) -> int:
        """Least height."""
        return _needed(self)

    def cell(self) -> Cell:
        """The box as a cell of one row and one column; the table sets its spans."""
        look = self.look
        return Cell(
            self.parts(), align=look.align, borders=look.borders, fill=look.fill,
            pad=self.sizes.side,
        )


@lru_cache(8192)
def _needed(box: Box) -> int:
    height = sum(text_height(len(p.lines), p.pt) for p in box.parts() if p.lines)
    return round(height) + 2 * box.sizes.pad + 5


def _lines(text: str, width: int, look: Look) -> tuple[float, tuple[str, ...]]:
    """Size and lines: running text keeps its size and breaks, phones shrink first.

    Lines that are centred, or whose last would hold a character or two, come out balanced;
    others are filled.
    """
    size = look.pt
    if look.one_line:
        return fit(text, width, mm(100), size, look.role, max_lines=1)
    least = look.least or size
    while size > least and room(text, size, look.role) > width:
        size = max(least, size - STEP_PT)
    lines = wrap(text, width, size, look.role)
    if look.prose or (look.align == "left" and len(lines[-1]) > _WIDOW):
        return size, lines
    return fit(text, width, mm(2000), size, look.role, max_lines=max(1, len(lines)))


@dataclass(frozen=True, slots=True)
class Placed:
    """A cell at its place on the page."""

    left: int
    top: int
    right: int
    bottom: int
    cell: Cell


def qr_cell(payload: str, size: int) -> Cell:
    """A code alone in its cell."""
    return Cell(borders=NO_BORDER, code=Code(0, 0, size, payload))


def table_of(placed: Sequence[Placed]) -> Table:
    """One table of all cells; what no cell covers stays empty and without borders.

    The cells must not overlap. Edges within :data:`SNAP` become one.
    """
    tops = _snapped(y for item in placed for y in (item.top, item.bottom))
    lefts = sorted({x for item in placed for x in (item.left, item.right)})
    column = {x: k for k, x in enumerate(lefts)}
    ys = sorted(set(tops.values()))
    line = {y: k for k, y in enumerate(ys)}
    held: list[list[tuple[Cell, bool] | None]] = [
        [None] * (len(lefts) - 1) for _ in range(len(ys) - 1)
    ]
    for item in placed:
        first, stop = line[tops[item.top]], line[tops[item.bottom]]
        at, end = column[item.left], column[item.right]
        cell = replace(item.cell, span=end - at, rows=stop - first)
        below = covered(cell)
        for k in range(first, stop):
            held[k][at:end] = [(cell if k == first else below, c == at) for c in range(at, end)]
    rows = tuple(
        Row(ys[k + 1] - ys[k], tuple(_row_cells(slots))) for k, slots in enumerate(held)
    )
    widths = tuple(b - a for a, b in pairwise(lefts))
    return Table(lefts[0], ys[0], widths, rows)


def _row_cells(slots: Sequence[tuple[Cell, bool] | None]) -> Iterable[Cell]:
    """Cells of one row; neighbouring holes become one empty cell."""
    empty = 0
    for slot in slots:
        if slot is None:
            empty += 1
            continue
        if empty:
            yield Cell(span=empty, borders=NO_BORDER)
            empty = 0
        cell, begins = slot
        if begins:
            yield cell
    if empty:
        yield Cell(span=empty, borders=NO_BORDER)


def _snapped(values: Iterable[int]) -> dict[int, int]:
    """Every edge and the edge it becomes."""
    became: dict[int, int] = {}
    last = -SNAP
    for value in sorted(set(values)):
        if value - last >= SNAP:
            last = value
        became[value] = last
    return became

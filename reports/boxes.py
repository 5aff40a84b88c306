"""Short ways to make fitted texts and cells; every text put on paper passes :func:`fit` here."""

from __future__ import annotations

from collections.abc import Sequence

from reports.metrics import STEP_PT, fit, lines_in, printable, room
from reports.paper import BLACK, BOX, Align, Cell, Part, Role, Text, VAlign

PAD = 30
"""Free space left and right inside a cell, units."""
PAD_V = 15
"""Free space above and below."""


def text_box(
    text: str,
    x: int,
    y: int,
    w: int,
    h: int,
    pt: float,
    role: Role = "song",
    *,
    align: Align = "left",
    valign: VAlign = "middle",
    colour: int = BLACK,
    max_lines: int = 99,
) -> Text:
    """A free text fitted into its box."""
    size, lines = fit(text, w, h, pt, role, max_lines=max_lines)
    return Text(x, y, w, h, lines, size, role, align, valign, colour)


def part(
    text: str,
    w: int,
    h: int,
    pt: float,
    role: Role = "song",
    *,
    colour: int = BLACK,
    max_lines: int = 99,
    pad: int = PAD,
) -> Part:
    """Lines fitted into a cell ``w`` × ``h`` units (its padding is taken off here)."""
    size, lines = fit(text, w - 2 * pad, h - 2 * PAD_V, pt, role, max_lines=max_lines)
    return Part(lines, size, role, colour)


def cell(
    text: str,
    w: int,
    h: int,
    pt: float,
    role: Role = "song",
    *,
    span: int = 1,
    rows: int = 1,
    align: Align = "center",
    valign: VAlign = "middle",
    borders: int = BOX,
    fill: int | None = None,
    colour: int = BLACK,
    max_lines: int = 99,
    pad: int = PAD,
) -> Cell:
    """A cell with one fitted text; ``w`` and ``h`` are its whole width and height in units."""
    parts = (part(text, w, h, pt, role, colour=colour, max_lines=max_lines, pad=pad),)
    return Cell(
        parts if parts[0].lines else (),
        span=span,
        rows=rows,
        align=align,
        valign=valign,
        borders=borders,
        fill=fill,
        pad=pad,
    )


def entries_part(
    entries: Sequence[str],
    w: int,
    h: int,
    pt: float,
    role: Role = "song",
    *,
    between: str = "；",
    pad: int = PAD,
) -> Part:
    """A list as running text that breaks between its entries only, such as a legend."""
    size = pt
    while size > STEP_PT:
        lines: list[str] = []
        for k, entry in enumerate(entries):
            text = printable(entry) + (between if k < len(entries) - 1 else "")
            if lines and room(lines[-1] + text, size, role) <= w - 2 * pad:
                lines[-1] += text
            else:
                lines.append(text)
        fits = all(room(line, size, role) <= w - 2 * pad for line in lines)
        if fits and len(lines) <= lines_in(h - 2 * PAD_V, size):
            return Part(tuple(lines), size, role)
        size -= STEP_PT
    return part(between.join(entries), w, h, pt, role, pad=pad)

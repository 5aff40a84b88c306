"""Blocks of a board's column: rows of boxes that know their least height and place themselves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Protocol

from reports.board_boxes import Box, Placed, qr_cell
from reports.paper import BOTTOM, LEFT, RIGHT, TOP


class Block(Protocol):
    """A stretch of a column over its full width."""

    @property
    def height(self) -> int:
        """Least height, paper units."""

    def place(self, x: int, y: int, tall: int) -> Iterator[Placed]:
        """The cells at (``x``, ``y``), ``tall`` units high, at least :attr:`height`."""


@dataclass(frozen=True, slots=True)
class Line:
    """Boxes side by side, equally high."""

    boxes: tuple[Box, ...]

    @property
    def height(self) -> int:
        return max(box.needed for box in self.boxes)

    def place(self, x: int, y: int, tall: int) -> Iterator[Placed]:
        for box in self.boxes:
            yield Placed(x + box.left, y, x + box.right, y + tall, box.cell())


@dataclass(frozen=True, slots=True)
class Heading(Line):
    """The head of a section: never stretched, never the last of a column."""


@dataclass(frozen=True, slots=True)
class Qr:
    """A code with its caption at the right edge of a group."""

    left: int
    right: int
    payload: str
    caption: Box
    side: int

    @property
    def needed(self) -> int:
        return self.side + self.caption.needed

    def place(self, x: int, y: int, tall: int) -> Iterator[Placed]:
        foot = y + tall - self.caption.needed
        code = replace(qr_cell(self.payload, self.side), borders=LEFT | TOP | RIGHT)
        yield Placed(x + self.left, y, x + self.right, foot, code)
        cell = replace(self.caption.cell(), borders=LEFT | RIGHT | BOTTOM)
        yield Placed(x + self.left, foot, x + self.right, y + tall, cell)


@dataclass(frozen=True, slots=True)
class Group:
    """Lines beside one tall label (left) or code (right)."""

    lines: tuple[Line, ...]
    label: Box | None = None
    code: Qr | None = None

    @property
    def height(self) -> int:
        sides = [box.needed for box in (self.label, self.code) if box is not None]
        return max([sum(line.height for line in self.lines), *sides])

    def place(self, x: int, y: int, tall: int) -> Iterator[Placed]:
        if self.label is not None:
            yield Placed(x + self.label.left, y, x + self.label.right, y + tall, self.label.cell())
        if self.code is not None:
            yield from self.code.place(x, y, tall)
        least = sum(line.height for line in self.lines)
        used, top = 0, y
        for line in self.lines:
            used += line.height
            bottom = y + tall * used // least
            yield from line.place(x, top, bottom - top)
            top = bottom


@dataclass(frozen=True, slots=True)
class Listing:
    """Rows that may run over several columns: heads at the start, ``again`` where they go on."""

    heads: tuple[Heading, ...]
    again: Heading
    rows: tuple[Line, ...]

"""What papers of exactly one page share: rows of boxes, stacked, and shrunk together until they fit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from reports.board_boxes import Box, Placed
from reports.errors import ReportError


def fitting(placed_at: Callable[[float], list[Placed] | None], overflow: str) -> list[Placed]:
    """The cells at the largest scale of 1.0 … 0.5 that stand on the page.

    ``placed_at(scale)`` is None where they need more; raises :class:`ReportError` ``overflow``.
    """
    for step in range(100, 45, -5):
        placed = placed_at(step / 100)
        if placed is not None:
            return placed
    raise ReportError(overflow)


@dataclass(frozen=True, slots=True)
class Row:
    """Boxes of one height; ``height`` is the least one, ``after`` the space below."""

    boxes: tuple[Box, ...]
    height: int = 0
    after: int = 0

    @property
    def tall(self) -> int:
        return max(self.height, *(box.needed for box in self.boxes))

    @property
    def whole(self) -> int:
        return self.tall + self.after


def stacked(rows: Iterable[Row], left: int, y: int) -> Iterator[Placed]:
    """The rows' cells one below the other from ``left``, ``y`` (1/100 mm)."""
    for row in rows:
        for box in row.boxes:
            yield Placed(left + box.left, y, left + box.right, y + row.tall, box.cell())
        y += row.whole

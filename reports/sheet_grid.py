"""The columns of an attendance sheet as places: how wide a span is, where a share of a row ends."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate, pairwise

from reports.boxes import cell
from reports.paper import BOX, Align, Row
from reports.sheet import Shade
from reports.sheet_form import DAYS, FIRST, SheetForm

FILLS = {Shade.NONE: None, Shade.WEEKEND: 0xE6E6E6, Shade.HOLIDAY: 0xF9DCD9}
HEAD_FILL = 0xF2F2F2
"""Light enough for handwriting and for a copying machine."""


class SheetGrid:
    """The columns of one form. ``first`` columns stand before the days, the rest after them."""

    def __init__(self, form: SheetForm) -> None:
        self.form = form
        self.names = [name for name, _ in form.columns]
        self.widths = form.widths
        self.edges = list(accumulate(self.widths, initial=0))
        self.first = sum(name in FIRST for name in self.names)
        self.after_days = self.first + DAYS

    def __len__(self) -> int:
        return len(self.names)

    def width(self, start: int, span: int) -> int:
        """Of ``span`` columns from ``start`` on."""
        return self.edges[start + span] - self.edges[start]

    def split(
        self, start: int, stop: int, shares: Sequence[float], *, least: Sequence[float] = ()
    ) -> list[int]:
        """Spans from column ``start`` to ``stop`` whose widths come near the shares.

        ``least`` are widths wanted in any case; where the row is too short for all of them, the
        later parts give way.
        """
        whole, left = self.edges[stop] - self.edges[start], self.edges[start]
        cuts, seen = [start], 0.0
        for k, share in enumerate(shares[:-1], 1):
            seen += share / sum(shares)
            target = left + whole * seen
            at = bisect_left(self.edges, target)
            if target - self.edges[at - 1] < self.edges[at] - target:
                at -= 1
            if least:
                at = max(at, bisect_left(self.edges, self.edges[cuts[-1]] + least[k - 1]))
            cuts.append(min(max(at, cuts[-1] + 1), stop - len(shares) + k))
        cuts.append(stop)
        return [b - a for a, b in pairwise(cuts)]

    def wide_row(
        self,
        text: str,
        height: int,
        pt: float,
        *,
        hei: bool = False,
        align: Align = "left",
        borders: int = BOX,
    ) -> Row:
        """A row of one cell across the whole sheet."""
        span = len(self)
        box = cell(
            text,
            self.edges[-1],
            height,
            pt,
            "hei" if hei else "song",
            span=span,
            align=align,
            borders=borders,
            pad=100,
        )
        return Row(height, (box,))

"""Where everything on an attendance sheet stands: one table per page, head to signatures.

Boxes that are equal on many pages are made once; the back ends remember them too.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from operator import getitem

from reports.boxes import cell
from reports.paper import Cell, Page, Row, Table
from reports.sheet import PageRows, SheetInput, SheetKind, SheetRow
from reports.sheet_cells import Cells, DayCells, column_of, number_text
from reports.sheet_foot import foot_rows
from reports.sheet_form import COUNTS, DAYS, form_of
from reports.sheet_grid import FILLS, SheetGrid
from reports.sheet_head import SheetHead

NOBODY = "本表无人员记录"
BLANK = "______"


def total(values: Iterable[Decimal | None]) -> Decimal | None:
    """The sum of what is there, ``None`` if nothing is."""
    there = [value for value in values if value is not None]
    return sum(there, Decimal(0)) if there else None


class SheetLayout:
    """One sheet's pages; :meth:`page` gives the same page for the same number every time."""

    def __init__(self, sheet: SheetInput, pages: list[PageRows]) -> None:
        self.sheet, self.pages = sheet, pages
        self.grid = SheetGrid(form_of(sheet.paper, sheet.kind))
        self._head = SheetHead(sheet, self.grid)
        self._foot = foot_rows(sheet, self.grid)
        names, fills = self.grid.names, [FILLS[day.shade] for day in sheet.days]
        self._index = Cells(self.grid, "index")
        self._before = [column_of(self.grid, name) for name in names[1 : self.grid.first]]
        tinted = {fill: DayCells(self.grid, fill) for fill in fills}
        self._days = [tinted[fill] for fill in fills]
        self._outside = tuple(Cell(hatch=True) for _ in range(DAYS - len(fills)))
        after = [name for name in names[self.grid.after_days :] if name != "thumb"]
        self._after = [column_of(self.grid, name) for name in after]
        self._thumb = (Cell(),) if "thumb" in names else ()
        self._everyone = self._total_row("全表合计", sheet.rows)

    def page(self, k: int) -> Page:
        """Page ``k``, 0-based."""
        at, form = self.pages[k], self.grid.form
        rows = self.sheet.rows[at.first : at.stop]
        body = [self._person(n, row) for n, row in enumerate(rows, at.first + 1)]
        if not body:
            body = [self.grid.wide_row(NOBODY, form.row, form.body_pt, align="center")]
        table = Table(
            form.margin,
            form.margin,
            self.grid.widths,
            (
                *self._head.rows(at),
                *body,
                self._total_row("本页合计", rows),
                self._everyone,
                *self._foot,
            ),
        )
        return Page(*form.paper, (table,))

    # Body

    def _person(self, index: int, row: SheetRow) -> Row:
        """A person's row. Every cell spans one column: the back ends' short cut."""
        if len(row.cells) < len(self._days):
            raise ValueError("a person has fewer days than the sheet")
        cells = (
            self._index[str(index)],
            *[cells[key(row)] for key, cells in self._before],
            *map(getitem, self._days, row.cells),
            *self._outside,
            *[cells[key(row)] for key, cells in self._after],
            *self._thumb,
        )
        return Row(self.grid.form.row, cells, ruled=True)

    # Totals

    @staticmethod
    def _sums(rows: Sequence[SheetRow]) -> dict[str, str]:
        return {
            "punched": number_text(total(r.punched_days for r in rows)),
            "explained": number_text(total(r.explained_days for r in rows)),
            "confirmed": number_text(total(r.confirmed_days for r in rows)),
            "overtime": number_text(total(r.overtime for r in rows)),
            "nights": number_text(total(r.nights for r in rows)),
        }

    def _total_row(self, label: str, rows: Sequence[SheetRow]) -> Row:
        """Two such rows are as high as one person's."""
        sums = self._sums(rows)
        height, pt = self.grid.form.row // 2, self.grid.form.small_pt
        if self.sheet.kind is SheetKind.NOTICE:
            signed = str(sum(row.is_signed for row in rows))
        else:
            signed = BLANK
        people = f"共 {len(rows)} 人，应签 {len(rows)} 人，已签 {signed} 人"
        cells = [
            cell(
                label, self.grid.width(0, self.grid.first), height, pt, "hei", span=self.grid.first
            ),
            cell(people, self.grid.width(self.grid.first, DAYS), height, pt, span=DAYS),
        ]
        for k in range(self.grid.after_days, self.grid.after_days + len(COUNTS)):
            cells.append(cell(sums[self.grid.names[k]], self.grid.widths[k], height, pt))
        start = self.grid.after_days + len(COUNTS)
        cells.append(Cell(span=len(self.grid) - start))
        return Row(height, tuple(cells))

"""Where everything on an attendance sheet stands: one table per page, head to signatures.

Boxes that are equal on many pages are made once; the back ends remember them too.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from functools import lru_cache

from reports.boxes import cell, part
from reports.paper import GREY, Cell, Page, Row, Table
from reports.sheet import PageRows, SheetInput, SheetKind, SheetRow
from reports.sheet_foot import foot_rows
from reports.sheet_form import COUNTS, DAYS, form_of
from reports.sheet_grid import FILLS, SheetGrid
from reports.sheet_head import SheetHead

NOBODY = "本表无人员记录"
BLANK = "______"


@lru_cache(4096)
def number_text(value: Decimal | None) -> str:
    """Days and hours without needless zeros; nothing for nothing.

    >>> number_text(Decimal("21.50")), number_text(Decimal(100)), number_text(None)
    ('21.5', '100', '')
    """
    return "" if value is None else f"{value.normalize():f}"


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
        self._fills = [FILLS[day.shade] for day in sheet.days]
        self._outside = tuple(Cell(hatch=True) for _ in range(DAYS - len(sheet.days)))
        self._blanks = [Cell() for _ in self.grid.names]
        self._boxes: list[dict[str, Cell]] = [{} for _ in self.grid.names]
        self._day_cells: dict[tuple[tuple[str, str], int | None], Cell] = {}
        self._everyone = self._sums(sheet.rows)

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
                self._total_row("本页合计", rows, self._sums(rows)),
                self._total_row("全表合计", self.sheet.rows, self._everyone),
                *self._foot,
            ),
        )
        return Page(*form.paper, (table,))

    # Body

    def _person(self, index: int, row: SheetRow) -> Row:
        """A person's row. Every cell spans one column: the back ends' short cut."""
        texts = {
            "index": str(index),
            "number": row.worker_no,
            "trade": row.trade,
            "punched": number_text(row.punched_days),
            "explained": number_text(row.explained_days),
            "confirmed": number_text(row.confirmed_days),
            "overtime": number_text(row.overtime),
            "nights": number_text(row.nights),
            "remark": row.remark,
            "signature": row.signed,
            "thumb": "",
        }
        cells: list[Cell] = []
        for k in range(self.grid.first):
            name = self.grid.names[k]
            if name == "name":
                cells.append(self._name_cell(row, k))
            elif name == "entry":
                cells.append(self._entry_cell(row, k))
            else:
                cells.append(self._box(k, texts[name]))
        known = self._day_cells
        for day, fill in zip(row.cells[: len(self._fills)], self._fills, strict=True):
            found = known.get((day, fill))
            cells.append(found or self._day_cell(day, fill))
        cells.extend(self._outside)
        for k in range(self.grid.after_days, len(self.grid)):
            cells.append(self._box(k, texts[self.grid.names[k]]))
        return Row(self.grid.form.row, tuple(cells), ruled=True)

    def _box(self, column: int, text: str) -> Cell:
        """A body cell; equal texts of one column share it."""
        if not text:
            return self._blanks[column]
        known = self._boxes[column]
        found = known.get(text)
        if found is None:
            form, width = self.grid.form, self.grid.widths[column]
            name = self.grid.names[column]
            pt = {"remark": form.small_pt - 1, "signature": form.small_pt}.get(name, form.body_pt)
            found = cell(text, width, form.row, pt)
            if name not in ("index", "number") or len(known) < 100:
                known[text] = found
        return found

    def _name_cell(self, row: SheetRow, column: int) -> Cell:
        form, width = self.grid.form, self.grid.widths[column]
        if "number" in self.grid.names:
            return cell(row.name, width, form.row, form.body_pt + 1)
        number = part(row.worker_no, width, 330, form.small_pt, colour=GREY, max_lines=1)
        name = part(row.name, width, form.row - 300, form.body_pt + 0.5)
        return Cell((name, number))

    def _entry_cell(self, row: SheetRow, column: int) -> Cell:
        if not row.exit:
            return self._box(column, row.entry)
        known = self._boxes[column]
        found = known.get(f"{row.entry}\n{row.exit}")
        if found is None:
            form, width = self.grid.form, self.grid.widths[column]
            half = form.row // 2
            lines = (row.entry or "—", row.exit)
            parts = tuple(part(line, width, half, form.small_pt, max_lines=1) for line in lines)
            found = known[f"{row.entry}\n{row.exit}"] = Cell(parts)
        return found

    def _day_cell(self, day: tuple[str, str], fill: int | None) -> Cell:
        """Symbol, and overtime hours below it."""
        symbol, overtime = day
        form, width = self.grid.form, self.grid.widths[self.grid.first]
        upper = form.row - (form.row * 2 // 5 if overtime else 0)
        parts = [part(symbol, width, upper, form.symbol_pt, max_lines=1, pad=20)]
        if overtime:
            small = form.row - upper
            parts.append(part(overtime, width, small, form.small_pt - 1, max_lines=1, pad=20))
        found = Cell(tuple(p for p in parts if p.lines), fill=fill)
        self._day_cells[day, fill] = found
        return found

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

    def _total_row(self, label: str, rows: Sequence[SheetRow], sums: dict[str, str]) -> Row:
        """Two such rows are as high as one person's."""
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

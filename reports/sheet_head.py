"""The head of an attendance sheet: page code, title, facts, page number, column heads.

It stands on every page, so that each page stands alone.
"""

from __future__ import annotations

from reports.boxes import PAD_V, cell, part
from reports.metrics import fit, room
from reports.paper import GREY, NO_BORDER, RED, Cell, Code, Part, Row, covered
from reports.sheet import PageRows, SheetInput, SheetKind
from reports.sheet_form import CODE_SIZE, HEADS
from reports.sheet_grid import FILLS, HEAD_FILL, SheetGrid

KIND_HEADS = {
    (SheetKind.NOTICE, "signature"): "签字情况",
    (SheetKind.MANAGERS, "signature"): "本人签字",
    (SheetKind.MANAGERS, "trade"): "岗位",
}


class SheetHead:
    """The head's rows; only code and page number differ from page to page."""

    def __init__(self, sheet: SheetInput, grid: SheetGrid) -> None:
        self.sheet, self.grid = sheet, grid
        corner = Cell(span=2, borders=NO_BORDER, covered=True)
        self._below = (
            *(Row(grid.form.fact, (corner, *cells, corner), head=True) for cells in self._facts()),
            *self._column_heads(),
        )
        start = self._title_column()
        self._beside = (Cell(span=start - 2, borders=NO_BORDER),) if start > 2 else ()
        self._title = cell(
            sheet.title,
            grid.width(start, len(grid) - 2 - start),
            grid.form.title,
            grid.form.title_pt,
            "hei",
            span=len(grid) - 2 - start,
            borders=NO_BORDER,
            max_lines=1,
        )

    def rows(self, at: PageRows) -> tuple[Row, ...]:
        """Title, facts and column heads; page code at the left, page number at the right."""
        form, sheet = self.grid.form, self.sheet
        code = sheet.page_code(at.number - 1) if sheet.page_code is not None else None
        left = self._corner(code.payload if code else None, form.title + 2 * form.fact)
        right = self._page_number(at, code.human if code else "")
        top = Row(form.title, (left, *self._beside, self._title, right), head=True)
        return (top, *self._below)

    def _title_column(self) -> int:
        """Where the title's box begins so that its middle is nearest to the page's."""
        right = self.grid.edges[-1] - self.grid.edges[-3]
        return min((2, 3), key=lambda column: abs(self.grid.edges[column] - right))

    def _corner(self, payload: str | None, height: int) -> Cell:
        """The page code, or the red marks where there is none."""
        if payload is not None:
            code = Code(0, 0, CODE_SIZE, payload)
            return Cell(span=2, rows=3, borders=NO_BORDER, code=code)
        return Cell(self._marks(self.grid.width(0, 2), height), span=2, rows=3, borders=NO_BORDER)

    def _marks(self, width: int, height: int) -> tuple[Part, ...]:
        marks = self.sheet.marks
        share = height // max(1, len(marks))
        return tuple(
            part(mark, width, share, self.grid.form.title_pt, "hei", colour=RED, max_lines=1)
            for mark in marks
        )

    def _page_number(self, at: PageRows, human: str) -> Cell:
        """第 x 页 / 共 y 页, version, readable code; marks too if the code took their corner."""
        form, span = self.grid.form, 2
        width = self.grid.width(len(self.grid) - span, span)
        pages = f"第 {at.number} 页 / 共 {at.total} 页"
        parts = [part(pages, width, 600, form.fact_pt, max_lines=1)]
        if human and self.sheet.marks:
            marks = " ".join(self.sheet.marks)
            parts.append(part(marks, width, 600, form.fact_pt + 2, "hei", colour=RED, max_lines=1))
        if self.sheet.version:
            parts.append(
                part(self.sheet.version, width, 550, form.fact_pt, "hei", colour=RED, max_lines=1)
            )
        if human:
            parts.append(part(human, width, 700, form.small_pt - 1, colour=GREY, max_lines=2))
        return Cell(tuple(parts), span=span, rows=3, borders=NO_BORDER)

    def _facts(self) -> tuple[tuple[Cell, ...], tuple[Cell, ...]]:
        sheet = self.sheet
        first = [
            ("工程名称", sheet.project),
            ("施工总承包单位", sheet.contractor),
            (sheet.unit_label, sheet.unit),
        ]
        second = [
            ("班组", sheet.team),
            ("班组长", sheet.leader),
            ("统计周期", sheet.period),
            ("本月施工日", sheet.construction_days),
            ("考勤方式", sheet.method),
            ("制表日期", sheet.made_on),
            ("编号", sheet.number),
        ]
        kept = [fact for fact in second if fact[1] or fact[0] not in ("班组", "班组长")]
        return self._fact_row(first), self._fact_row(kept)

    def _fact_row(self, facts: list[tuple[str, str]]) -> tuple[Cell, ...]:
        """``label：value`` boxes, each about as wide as its text wants."""
        form, stop = self.grid.form, len(self.grid) - 2
        texts = [f"{label}：{value}" for label, value in facts]
        rooms = [room(text, form.fact_pt) for text in texts]
        spans = self.grid.split(
            2, stop, [wide + 600 for wide in rooms], least=[wide + 80 for wide in rooms]
        )
        cells, start = [], 2
        for text, span in zip(texts, spans, strict=True):
            width = self.grid.width(start, span)
            box = cell(
                text,
                width,
                form.fact,
                form.fact_pt,
                span=span,
                align="left",
                borders=NO_BORDER,
            )
            cells.append(box)
            start += span
        return tuple(cells)

    def _column_heads(self) -> tuple[Row, Row]:
        form, sheet = self.grid.form, self.sheet
        upper: list[Cell] = []
        lower: list[Cell] = []
        for name, width in form.columns:
            if not name.startswith("d"):
                head = self._head_cell(self._label(name), width)
                upper.append(head)
                lower.append(covered(head))
                continue
            number = int(name[1:])
            if number > len(sheet.days):
                upper.append(Cell(hatch=True))
                lower.append(Cell(hatch=True))
                continue
            day = sheet.days[number - 1]
            fill = FILLS[day.shade] or HEAD_FILL
            small = form.head_pt - 1
            upper.append(cell(str(day.number), width, form.day_head, form.head_pt, fill=fill))
            lower.append(cell(day.weekday, width, form.weekday_head, small, fill=fill))
        return (
            Row(form.day_head, tuple(upper), head=True),
            Row(form.weekday_head, tuple(lower), head=True),
        )

    def _label(self, name: str) -> str:
        """A column's head on this kind of sheet."""
        if name == "name" and "number" not in self.grid.names:
            return "姓名\n人员编号"
        return KIND_HEADS.get((self.sheet.kind, name)) or HEADS[name]

    def _head_cell(self, text: str, width: int) -> Cell:
        """A column head of two rows; forced breaks count as lines of one text."""
        form = self.grid.form
        height = form.day_head + form.weekday_head
        size = form.head_pt
        lines: list[str] = []
        for piece in text.split("\n"):
            share = height // (text.count("\n") + 1)
            pt, broken = fit(piece, width - 60, share - 2 * PAD_V, form.head_pt)
            size, lines = min(size, pt), [*lines, *broken]
        return Cell((Part(tuple(lines), size),), rows=2, fill=HEAD_FILL)

"""From tables to OOXML: rows, cells and their texts, each different one written once.

Knows nothing of pages, sections and packages (that is :mod:`reports.word`). Styles and pictures
are numbered in the order of first use, for the package to define.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate
from operator import getitem

from reports.paper import BOTTOM, BOX, LEFT, RIGHT, TOP, Cell, Code, Part, Row, Table
from reports.word_parts import Style

TWIPS = 1440 / 2540
"""Per paper unit."""
_EMU = 360
_CELL_MARGIN = 11
"""Twips left and right: a little less than the model's padding, so that no line breaks anew."""
_CELLS, _ROWS = 1000, 100
"""Remembered per width, and per form of table: many times what comes again."""

_CLEAN = {
    **{code: None for code in (*range(0x20), 0x7F, 0xFFFE, 0xFFFF)},
    **{code: None for code in range(0xD800, 0xE000)},
    ord("&"): "&amp;",
    ord("<"): "&lt;",
    ord(">"): "&gt;",
}
_KEEP = ' xml:space="preserve"'
_SIDES = ((TOP, "top"), (LEFT, "left"), (BOTTOM, "bottom"), (RIGHT, "right"))
_VALIGN = {"top": "top", "middle": "center", "bottom": "bottom"}


class Tables:
    """Turns tables into OOXML; remembers styles, pictures, and the rows and cells written."""

    def __init__(self) -> None:
        self.styles: dict[Style, str] = {}
        self.pictures: dict[tuple[str, str], int] = {}
        self._drawn = 0
        self._cells: dict[tuple[int, int], _Cells] = {}
        self._rows: dict[tuple[int, tuple[int, ...], int], _Rows] = {}

    def write(self, table: Table, indent: int, out: list[bytes]) -> None:
        """Add the pieces of one ``w:tbl``, ``indent`` units from the left margin."""
        form = (indent, table.columns, table.stroke)
        rows = self._rows.get(form)
        if rows is None:
            rows = self._rows[form] = _Rows(self, table, indent)
        out.append(rows.table_start)
        for row in table.rows:
            if row.ruled:
                rows.write_ruled(row, out)
            else:
                out.append(rows[row])
        out.append(b"</w:tbl>")

    def of_width(self, width: int, size: int) -> _Cells:
        """Cells of so many twips, borders of so many eighths of a point."""
        known = self._cells.get((width, size))
        if known is None:
            known = self._cells[width, size] = _Cells(self, width, size)
        return known

    def cell(self, cell: Cell, width: int, size: int) -> str:
        """Any ``w:tc``."""
        inside = "".join(self._paragraph(part, cell.align) for part in cell.parts if part.lines)
        if cell.code is not None:
            inside = self._picture(cell.code, cell.align) + inside
        inside = inside or '<w:p><w:pPr><w:pStyle w:val="gap"/></w:pPr></w:p>'
        return f"<w:tc>{_look(cell, width, size)}{inside}</w:tc>"

    def around(self, part: Part, align: str) -> tuple[str, str]:
        """What stands before and behind the text of a part."""
        style = self._style(Style(part.pt, part.role, align, part.colour))
        return f'<w:p><w:pPr><w:pStyle w:val="{style}"/></w:pPr><w:r>', "</w:r></w:p>"

    def _paragraph(self, part: Part, align: str) -> str:
        before, after = self.around(part, align)
        return before + _runs(part.lines) + after

    def _style(self, style: Style) -> str:
        return self.styles.setdefault(style, f"s{len(self.styles) + 1}")

    def _picture(self, code: Code, align: str) -> str:
        number = self.pictures.setdefault((code.payload, code.level), len(self.pictures) + 1)
        self._drawn += 1
        side = code.size * _EMU
        # The line is set as high as the picture: an exact line height would cut it.
        return (
            '<w:p><w:pPr><w:spacing w:line="240" w:lineRule="auto"/>'
            f'<w:jc w:val="{align}"/></w:pPr><w:r><w:drawing>'
            f'<wp:inline distT="0" distB="0" distL="0" distR="0"><wp:extent cx="{side}" '
            f'cy="{side}"/><wp:docPr id="{self._drawn}" name="code{self._drawn}"/>'
            "<a:graphic><a:graphicData "
            'uri="http://schemas.openxmlformats.org/drawingml/2006/picture"><pic:pic>'
            f'<pic:nvPicPr><pic:cNvPr id="{self._drawn}" name="code{number}.png"/>'
            f'<pic:cNvPicPr/></pic:nvPicPr><pic:blipFill><a:blip r:embed="p{number}"/>'
            "<a:stretch><a:fillRect/></a:stretch></pic:blipFill><pic:spPr><a:xfrm>"
            f'<a:off x="0" y="0"/><a:ext cx="{side}" cy="{side}"/></a:xfrm>'
            '<a:prstGeom prst="rect"><a:avLst/></a:prstGeom></pic:spPr></pic:pic>'
            "</a:graphicData></a:graphic></wp:inline></w:drawing></w:r></w:p>"
        )


class _Cells(dict[Cell, bytes]):
    """Cells of one width as OOXML, made when first asked for."""

    def __init__(self, tables: Tables, width: int, size: int) -> None:
        super().__init__()
        self._tables, self._width, self._size = tables, width, size
        self._around: dict[tuple[object, ...], tuple[str, str]] = {}

    def __missing__(self, cell: Cell) -> bytes:
        made = self._make(cell).encode()
        if len(self) >= _CELLS:
            self.clear()
        if cell.code is None:
            self[cell] = made
        return made

    def _make(self, cell: Cell) -> str:
        """One ``w:tc``. Most cells have one part and differ from others in its text only."""
        if len(cell.parts) != 1 or cell.code is not None or not cell.parts[0].lines:
            return self._tables.cell(cell, self._width, self._size)
        part = cell.parts[0]
        look = (
            part.pt, part.role, part.colour, cell.align, cell.valign, cell.span, cell.rows,
            cell.covered, cell.borders, cell.fill, cell.hatch, cell.pad,
        )  # fmt: skip
        around = self._around.get(look)
        if around is None:
            before, after = self._tables.around(part, cell.align)
            before = f"<w:tc>{_look(cell, self._width, self._size)}{before}"
            around = self._around[look] = before, f"{after}</w:tc>"
        return around[0] + _runs(part.lines) + around[1]


class _Rows(dict[Row, bytes]):
    """Rows of one form of table as OOXML, apart from ruled ones, which seldom come again."""

    def __init__(self, tables: Tables, table: Table, indent: int) -> None:
        super().__init__()
        # Equal columns get equal widths, so that a cell met again is written from memory.
        widths = [round(w * TWIPS) for w in table.columns]
        self._edges = list(accumulate(widths, initial=0))
        self._size = max(2, round(table.stroke / 2540 * 72 * 8))
        self._tables = tables
        self._columns = [tables.of_width(width, self._size) for width in widths]
        self._starts: dict[tuple[int, bool], bytes] = {}
        self.table_start = _table_start(widths, round(indent * TWIPS), self._size)

    def write_ruled(self, row: Row, out: list[bytes]) -> None:
        """Add the pieces of a row whose cells are the columns."""
        if len(row.cells) != len(self._columns):
            raise ValueError("a ruled row has one cell in every column")
        out.append(self._start(row))
        # One look-up per cell: this is where the speed of long sheets comes from.
        out += map(getitem, self._columns, row.cells)
        out.append(b"</w:tr>")

    def __missing__(self, row: Row) -> bytes:
        made = b"".join((self._start(row), *self._spanned(row), b"</w:tr>"))
        if len(self) >= _ROWS:
            self.clear()
        if all(cell.code is None for cell in row.cells):
            self[row] = made
        return made

    def _start(self, row: Row) -> bytes:
        start = self._starts.get((row.height, row.head))
        if start is None:
            start = self._starts[row.height, row.head] = _row_start(row)
        return start

    def _spanned(self, row: Row) -> Iterator[bytes]:
        column = 0
        for cell in row.cells:
            width = self._edges[column + cell.span] - self._edges[column]
            column += cell.span
            yield self._tables.of_width(width, self._size)[cell]


def _runs(lines: tuple[str, ...]) -> str:
    """Lines as text with breaks."""
    if len(lines) == 1 and lines[0].isalnum():  # nothing to escape, nothing to drop
        return f"<w:t>{lines[0]}</w:t>"
    return "<w:br/>".join(
        f"<w:t{_KEEP if ' ' in line else ''}>{line.translate(_CLEAN)}</w:t>" for line in lines
    )


def _look(cell: Cell, width: int, size: int) -> str:
    """``w:tcPr``; properties in the order of the schema."""
    look = f'<w:tcW w:w="{width}" w:type="dxa"/>'
    if cell.span > 1:
        look += f'<w:gridSpan w:val="{cell.span}"/>'
    if cell.covered:
        look += "<w:vMerge/>"
    elif cell.rows > 1:
        look += '<w:vMerge w:val="restart"/>'
    if cell.borders != BOX:
        look += f"<w:tcBorders>{_borders(cell.borders, size)}</w:tcBorders>"
    if cell.hatch:
        look += '<w:shd w:val="thinDiagStripe" w:color="B0B0B0" w:fill="FFFFFF"/>'
    elif cell.fill is not None:
        look += f'<w:shd w:val="clear" w:color="auto" w:fill="{cell.fill:06X}"/>'
    if cell.pad > 30:
        wide = round(cell.pad * TWIPS)
        look += (
            f'<w:tcMar><w:left w:w="{wide}" w:type="dxa"/>'
            f'<w:right w:w="{wide}" w:type="dxa"/></w:tcMar>'
        )
    look += f'<w:vAlign w:val="{_VALIGN[cell.valign]}"/>'
    return f"<w:tcPr>{look}</w:tcPr>"


def _row_start(row: Row) -> bytes:
    head = "<w:tblHeader/>" if row.head else ""
    return (
        f'<w:tr><w:trPr><w:cantSplit/><w:trHeight w:val="{round(row.height * TWIPS)}" '
        f'w:hRule="exact"/>{head}</w:trPr>'
    ).encode()


def _table_start(widths: list[int], indent: int, size: int) -> bytes:
    """All of a ``w:tbl`` before its rows."""
    sides = "".join(
        f'<w:{side} w:val="single" w:sz="{size}" w:space="0" w:color="000000"/>'
        for side in ("top", "left", "bottom", "right", "insideH", "insideV")
    )
    grid = "".join(f'<w:gridCol w:w="{w}"/>' for w in widths)
    return (
        f'<w:tbl><w:tblPr><w:tblW w:w="{sum(widths)}" w:type="dxa"/>'
        f'<w:tblInd w:w="{indent}" w:type="dxa"/><w:tblBorders>{sides}</w:tblBorders>'
        '<w:tblLayout w:type="fixed"/><w:tblCellMar>'
        f'<w:left w:w="{_CELL_MARGIN}" w:type="dxa"/>'
        f'<w:right w:w="{_CELL_MARGIN}" w:type="dxa"/></w:tblCellMar></w:tblPr>'
        f"<w:tblGrid>{grid}</w:tblGrid>"
    ).encode()


def _borders(sides: int, size: int) -> str:
    return "".join(
        f'<w:{name} w:val="single" w:sz="{size}" w:space="0" w:color="000000"/>'
        if sides & side
        else f'<w:{name} w:val="nil"/>'
        for side, name in _SIDES
    )

"""The .docx back end: streamed tables from the same pages the painter draws.

Each page becomes its tables, one under the other, at fixed widths and exact row heights, opened by
a paragraph of one point that breaks the page. Nothing is measured or broken here. Pages go to the
file one by one, so that 10,000 people weigh no more than one page; cells that occur again are
written from memory.

Lines and rectangles outside tables are decoration and are left out; free texts and codes are not,
and are refused, as is paper Word does not take.
"""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path
from typing import IO

from reports import codes, word_parts
from reports.errors import ReportError
from reports.paper import (
    BOTTOM,
    BOX,
    LEFT,
    RIGHT,
    TOP,
    Cancel,
    Cell,
    Code,
    Document,
    Line,
    Page,
    Part,
    Progress,
    Rect,
    Row,
    Table,
)
from reports.word_parts import OfficeFonts, Style, office_fonts

TWIPS = 1440 / 2540
"""Per paper unit."""
_EMU = 360
_LONGEST = 55880
"""Word refuses pages over 22 inches."""
_CELL_MARGIN = 11
"""Twips left and right: a little less than the model's padding, so that no line breaks anew."""
_STAMP = (1980, 1, 1, 0, 0, 0)
_LEVEL = 2
"""Deflate level: a tenth larger than the usual 6, four times as fast (measured)."""
_BOTTOM_MARGIN = 500

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


def write_docx(
    document: Document,
    path: Path,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
    *,
    fonts: OfficeFonts | None = None,
) -> None:
    """Write the .docx beside ``path``, then replace it; equal documents are equal files.

    On any failure ``path`` is as it was. Raises ``ReportError`` and whatever ``cancel`` raises.
    """
    path = Path(path)
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with beside.open("wb") as out:
            _write(document, out, progress, cancel, fonts or office_fonts())
            out.flush()
            os.fsync(out.fileno())
        os.replace(beside, path)
    except OSError as error:
        raise ReportError("write_failed", reason=error.strerror) from error
    finally:
        beside.unlink(missing_ok=True)


def _write(
    document: Document,
    out: IO[bytes],
    progress: Progress | None,
    cancel: Cancel | None,
    fonts: OfficeFonts,
) -> None:
    body = _Body()
    total = len(document.pages)
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=_LEVEL) as package:
        _part(package, "[Content_Types].xml", word_parts.CONTENT_TYPES)
        _part(package, "_rels/.rels", word_parts.PACKAGE_RELS)
        with package.open(_entry("word/document.xml"), "w", force_zip64=True) as stream:
            stream.write(word_parts.DOCUMENT_START.encode())
            for k in range(total):
                if cancel is not None:
                    cancel.raise_if_set()
                stream.write(b"".join(body.page(document.pages[k])))
                if progress is not None:
                    progress(k + 1, total, document.title)
            stream.write(body.end())
        pictures = list(body.pictures)
        _part(package, "word/_rels/document.xml.rels", word_parts.document_rels(len(pictures)))
        used = [(name, style) for style, name in body.styles.items()]
        _part(package, "word/styles.xml", word_parts.styles(used, fonts))
        _part(package, "word/settings.xml", word_parts.SETTINGS)
        _part(package, "word/fontTable.xml", word_parts.font_table(fonts))
        _part(package, "docProps/core.xml", word_parts.core(document.title, document.meta))
        _part(package, "docProps/app.xml", word_parts.APP)
        for number, (payload, level) in enumerate(pictures, 1):
            _part(package, f"word/media/code{number}.png", codes.png(payload, level))


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _STAMP)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = 0o644 << 16
    # ``open`` takes the level from the entry, not from the archive.
    entry._compresslevel = _LEVEL  # type: ignore[attr-defined]
    return entry


def _part(package: zipfile.ZipFile, name: str, data: str | bytes) -> None:
    package.writestr(_entry(name), data)


class _Known(dict[Cell, bytes]):
    """Cells of one width as OOXML, made when first asked for."""

    def __init__(self, body: _Body, width: int, size: int) -> None:
        super().__init__()
        self._make = (body, width, size)

    def __missing__(self, cell: Cell) -> bytes:
        body, width, size = self._make
        if len(self) > 5000:
            self.clear()
        made = body.cell(cell, width, size).encode()
        if cell.code is None:
            self[cell] = made
        return made


class _Body:
    """Turns pages into OOXML text; remembers styles, pictures and the cells already written."""

    def __init__(self) -> None:
        self.styles: dict[Style, str] = {}
        self.pictures: dict[tuple[str, str], int] = {}
        self._drawn = 0
        self._known: dict[tuple[int, int], _Known] = {}
        self._paper: tuple[int, int] | None = None
        self._left = self._top = 1000

    def page(self, page: Page) -> list[bytes]:
        """The page's text: a break (except at the start), its tables, the gaps between them."""
        tables = self._tables(page)
        if self._paper is None:
            if max(page.width, page.height) > _LONGEST:
                raise ReportError("paper_too_large", width=page.width, height=page.height)
            self._paper = (page.width, page.height)
            if tables:
                self._left, self._top = tables[0].x, tables[0].y
            out = [_gap(0)]
        elif self._paper != (page.width, page.height):
            raise ReportError("page_sizes", first=self._paper, other=(page.width, page.height))
        else:
            out = [_gap(0, new_page=True)]
        below = self._top
        for k, table in enumerate(tables):
            if k or table.y > below:
                out.append(_gap(table.y - below))
            self._table(table, out)
            below = table.y + table.h
        return out

    def end(self) -> bytes:
        """The last small paragraph and the section: paper, orientation, margins."""
        width, height = self._paper or (21000, 29700)
        turn = ' w:orient="landscape"' if width > height else ""
        section = (
            f'<w:sectPr><w:pgSz w:w="{round(width * TWIPS)}" '
            f'w:h="{round(height * TWIPS)}"{turn}/>'
            f'<w:pgMar w:top="{round(self._top * TWIPS)}" w:right="{round(500 * TWIPS)}" '
            f'w:bottom="{round(_BOTTOM_MARGIN * TWIPS)}" w:left="{round(self._left * TWIPS)}" '
            'w:header="0" w:footer="0" w:gutter="0"/><w:cols w:space="0"/></w:sectPr>'
            "</w:body></w:document>"
        )
        return _gap(0) + section.encode()

    @staticmethod
    def _tables(page: Page) -> list[Table]:
        tables = []
        for item in page.items:
            if isinstance(item, Table):
                tables.append(item)
            elif not isinstance(item, Line | Rect):
                raise ReportError("not_a_table", item=type(item).__name__)
        return tables

    def _table(self, table: Table, out: list[bytes]) -> None:
        # Equal columns get equal widths, so that a cell met again is written from memory.
        widths = [round(w * TWIPS) for w in table.columns]
        edges = list(accumulate(widths, initial=0))
        indent = round((table.x - self._left) * TWIPS)
        size = max(2, round(table.stroke / 2540 * 72 * 8))
        sides = "".join(
            f'<w:{side} w:val="single" w:sz="{size}" w:space="0" w:color="000000"/>'
            for side in ("top", "left", "bottom", "right", "insideH", "insideV")
        )
        grid = "".join(f'<w:gridCol w:w="{w}"/>' for w in widths)
        start = (
            f'<w:tbl><w:tblPr><w:tblW w:w="{edges[-1]}" w:type="dxa"/>'
            f'<w:tblInd w:w="{indent}" w:type="dxa"/><w:tblBorders>{sides}</w:tblBorders>'
            '<w:tblLayout w:type="fixed"/><w:tblCellMar>'
            f'<w:left w:w="{_CELL_MARGIN}" w:type="dxa"/>'
            f'<w:right w:w="{_CELL_MARGIN}" w:type="dxa"/></w:tblCellMar></w:tblPr>'
            f"<w:tblGrid>{grid}</w:tblGrid>"
        )
        out.append(start.encode())
        known = [self._of_width(width, size) for width in widths]
        for row in table.rows:
            out.append(self._row_start(row))
            if row.ruled:
                # One look-up per cell: this is where the speed of long sheets comes from.
                out += [made[cell] for made, cell in zip(known, row.cells, strict=True)]
            else:
                out += self._spanned(row, edges, size)
            out.append(b"</w:tr>")
        out.append(b"</w:tbl>")

    def _of_width(self, width: int, size: int) -> _Known:
        known = self._known.get((width, size))
        if known is None:
            known = self._known[width, size] = _Known(self, width, size)
        return known

    @staticmethod
    def _row_start(row: Row) -> bytes:
        head = "<w:tblHeader/>" if row.head else ""
        return (
            f'<w:tr><w:trPr><w:cantSplit/><w:trHeight w:val="{round(row.height * TWIPS)}" '
            f'w:hRule="exact"/>{head}</w:trPr>'
        ).encode()

    def _spanned(self, row: Row, edges: list[int], size: int) -> Iterator[bytes]:
        column = 0
        for cell in row.cells:
            width = edges[column + cell.span] - edges[column]
            column += cell.span
            yield self._of_width(width, size)[cell]

    def cell(self, cell: Cell, width: int, size: int) -> str:
        """One ``w:tc``; properties in the order of the schema."""
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
        inside = "".join(self._paragraph(part, cell.align) for part in cell.parts if part.lines)
        if cell.code is not None:
            inside = self._picture(cell.code, cell.align) + inside
        inside = inside or '<w:p><w:pPr><w:pStyle w:val="gap"/></w:pPr></w:p>'
        return f"<w:tc><w:tcPr>{look}</w:tcPr>{inside}</w:tc>"

    def _paragraph(self, part: Part, align: str) -> str:
        style = self._style(Style(part.pt, part.role, align, part.colour))
        runs = "<w:br/>".join(
            f"<w:t{_KEEP if ' ' in line else ''}>{line.translate(_CLEAN)}</w:t>"
            for line in part.lines
        )
        return f'<w:p><w:pPr><w:pStyle w:val="{style}"/></w:pPr><w:r>{runs}</w:r></w:p>'

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


def _gap(height: int, *, new_page: bool = False) -> bytes:
    """A paragraph of exactly ``height`` units, at least one point."""
    turn = "<w:pageBreakBefore/>" if new_page else ""
    twips = round(height * TWIPS)
    tall = f'<w:spacing w:line="{twips}" w:lineRule="exact"/>' if twips > 20 else ""
    return f'<w:p><w:pPr><w:pStyle w:val="gap"/>{turn}{tall}</w:pPr></w:p>'.encode()


def _borders(sides: int, size: int) -> str:
    return "".join(
        f'<w:{name} w:val="single" w:sz="{size}" w:space="0" w:color="000000"/>'
        if sides & side
        else f'<w:{name} w:val="nil"/>'
        for side, name in _SIDES
    )

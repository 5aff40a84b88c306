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
from pathlib import Path
from typing import IO

from reports import codes, word_parts
from reports.errors import ReportError
from reports.paper import Cancel, Document, Line, Page, Progress, Rect, Table
from reports.word_parts import OfficeFonts, office_fonts
from reports.word_table import TWIPS, Tables

_LONGEST = 55880
"""Word refuses pages over 22 inches."""
_STAMP = (1980, 1, 1, 0, 0, 0)
_LEVEL = 2
"""Deflate level: a tenth larger than the usual 6, four times as fast (measured)."""
_BOTTOM_MARGIN = 500


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
        pictures = list(body.tables.pictures)
        _part(package, "word/_rels/document.xml.rels", word_parts.document_rels(len(pictures)))
        used = [(name, style) for style, name in body.tables.styles.items()]
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


class _Body:
    """Turns pages into OOXML text, as long as all are of one size."""

    def __init__(self) -> None:
        self.tables = Tables()
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
            self.tables.write(table, table.x - self._left, out)
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


def _gap(height: int, *, new_page: bool = False) -> bytes:
    """A paragraph of exactly ``height`` units, at least one point."""
    turn = "<w:pageBreakBefore/>" if new_page else ""
    twips = round(height * TWIPS)
    tall = f'<w:spacing w:line="{twips}" w:lineRule="exact"/>' if twips > 20 else ""
    return f'<w:p><w:pPr><w:pStyle w:val="gap"/>{turn}{tall}</w:pPr></w:p>'.encode()

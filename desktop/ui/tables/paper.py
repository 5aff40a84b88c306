"""Lists of the window on paper: the columns as the screen shows them, on A4, heads on every page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import Qt

from desktop.ui.i18n import tr
from desktop.ui.tables.columns import Column, printable
from reports.boxes import cell, text_box
from reports.paper import A4_LANDSCAPE, Document, LazyPages, Page, Row, Table

_MARGIN = 1200
_TOP = 2600
_HEIGHT = 700
_PT = 9.0


def list_document(
    title: str, subtitle: str, columns: Sequence[Column[Any]], rows: Sequence[Any]
) -> Document:
    """A4 landscape pages of a list; rows are made into cells when their page is looked at."""
    width, height = A4_LANDSCAPE
    per_page = (height - _TOP - _MARGIN - 600) // _HEIGHT - 1
    count = max(1, -(-len(rows) // per_page))
    widths = _widths(columns, width - 2 * _MARGIN)

    def make(k: int) -> Page:
        part = rows[k * per_page : (k + 1) * per_page]
        heads = Row(
            _HEIGHT,
            tuple(cell(tr(c.title), w, _HEIGHT, _PT, "hei") for c, w in zip(columns, widths, strict=True)),
            head=True,
        )
        body = [_row(columns, widths, row) for row in part]
        return Page(
            width, height,
            (
                text_box(title, _MARGIN, _MARGIN, width - 2 * _MARGIN, 800, 14, "hei", align="center"),
                text_box(subtitle, _MARGIN, _MARGIN + 800, width - 2 * _MARGIN - 4000, 500, _PT),
                text_box(
                    tr("第 {k} 页 / 共 {n} 页", k=k + 1, n=count),
                    width - _MARGIN - 4000, _MARGIN + 800, 4000, 500, _PT, align="right",
                ),
                Table(_MARGIN, _TOP, widths, (heads, *body)),
            ),
        )

    return Document(title, LazyPages(count, make))


def _row(columns: Sequence[Column[Any]], widths: Sequence[int], row: Any) -> Row:
    cells = tuple(
        cell(text, width, _HEIGHT, _PT, align="right" if _right(column) else "left")
        for text, width, column in zip(printable(columns, row), widths, columns, strict=True)
    )
    return Row(_HEIGHT, cells)


def _right(column: Column[Any]) -> bool:
    return bool(column.align & Qt.AlignmentFlag.AlignRight)


def _widths(columns: Sequence[Column[Any]], room: int) -> tuple[int, ...]:
    whole = sum(column.width + 1 for column in columns)
    widths = [int(room * (column.width + 1) / whole) for column in columns]
    widths[-1] += room - sum(widths)
    return tuple(widths)

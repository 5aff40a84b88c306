"""A large board on many sheets of A3: for sites without a print shop.

Each sheet shows its part of the board with 10 mm overlap towards its neighbours. Around the part
runs a hairline to cut along, at the overlap stand ticks, and a line of text names row and column.
"""

from __future__ import annotations

from dataclasses import dataclass

from reports.boxes import text_box
from reports.paper import (
    A3_LANDSCAPE,
    A3_PORTRAIT,
    GREY,
    HAIR,
    Document,
    Item,
    LazyPages,
    Line,
    Page,
    Rect,
    Window,
    mm,
)

OVERLAP = mm(10)
EDGE = mm(5)
"""Office printers do not print nearer to the edge of the paper."""
CAPTION = mm(7)
"""Strip at the lower edge for the mark of row and column."""
_TICK = mm(4)


@dataclass(frozen=True, slots=True)
class _Raster:
    """How a board is cut: paper, rows and columns, size of one part (overlap included)."""

    paper: tuple[int, int]
    rows: int
    columns: int
    width: int
    height: int

    @property
    def sheets(self) -> int:
        return self.rows * self.columns


def tiles(document: Document) -> Document:
    """Every page of ``document`` on sheets of A3, row by row from the upper left corner."""
    parts = [
        (page, place, raster)
        for page in range(len(document.pages))
        for raster in (_raster(document.pages[page]),)
        for place in range(raster.sheets)
    ]

    def sheet(k: int) -> Page:
        page, place, raster = parts[k]
        board = f"第{page + 1}块　" if len(document.pages) > 1 else ""
        return _sheet(document.pages[page], raster, place, board)

    return Document(f"{document.title}（A3拼版）", LazyPages(len(parts), sheet), document.meta)


def _raster(page: Page) -> _Raster:
    """The way with the fewest sheets; landscape when both ways need as many."""
    found = [_cut(page, paper) for paper in (A3_LANDSCAPE, A3_PORTRAIT)]
    return min(found, key=lambda raster: raster.sheets)


def _cut(page: Page, paper: tuple[int, int]) -> _Raster:
    usable_w, usable_h = paper[0] - 2 * EDGE, paper[1] - 2 * EDGE - CAPTION
    columns = _count(page.width, usable_w)
    rows = _count(page.height, usable_h)
    return _Raster(
        paper, rows, columns, _share(page.width, columns), _share(page.height, rows)
    )


def _count(length: int, usable: int) -> int:
    """Parts needed along one side."""
    return max(1, -(-(length - OVERLAP) // (usable - OVERLAP)))


def _share(length: int, count: int) -> int:
    """Equal parts, rounded up, so that together they cover the board."""
    return -(-(length + (count - 1) * OVERLAP) // count)


def _sheet(page: Page, raster: _Raster, place: int, board: str) -> Page:
    row, column = divmod(place, raster.columns)
    width, height = raster.paper
    from_x = column * (raster.width - OVERLAP)
    from_y = row * (raster.height - OVERLAP)
    shown_w = min(raster.width, page.width - from_x)
    shown_h = min(raster.height, page.height - from_y)
    x = (width - raster.width) // 2
    y = EDGE + (height - 2 * EDGE - CAPTION - raster.height) // 2
    items: list[Item] = [
        Window(x, y, shown_w, shown_h, page, from_x, from_y),
        Rect(x, y, shown_w, shown_h, stroke=HAIR, colour=GREY),
    ]
    items += _overlap_ticks(
        (x, y, shown_w, shown_h),
        left=column > 0, right=column + 1 < raster.columns,
        top=row > 0, bottom=row + 1 < raster.rows,
    )
    mark = (
        f"{board}第{row + 1}行 第{column + 1}列（共{raster.rows}行{raster.columns}列）　"
        f"沿细线裁切，相邻两张重叠{OVERLAP // 100} mm 粘贴，短线为重叠位置"
    )
    items.append(
        text_box(mark, EDGE, height - EDGE - CAPTION, width - 2 * EDGE, CAPTION, 11, align="center")
    )
    return Page(width, height, tuple(items))


def _overlap_ticks(
    box: tuple[int, int, int, int], *, left: bool, right: bool, top: bool, bottom: bool
) -> list[Item]:
    """Ticks at both ends of the line where the neighbour's edge will lie."""
    x, y, w, h = box
    ticks: list[Item] = []
    for wanted, at in ((left, x + OVERLAP), (right, x + w - OVERLAP)):
        if wanted:
            ticks.append(Line(at, y - _TICK, at, y, HAIR, GREY))
            ticks.append(Line(at, y + h, at, y + h + _TICK, HAIR, GREY))
    for wanted, at in ((top, y + OVERLAP), (bottom, y + h - OVERLAP)):
        if wanted:
            ticks.append(Line(x - _TICK, at, x, at, HAIR, GREY))
            ticks.append(Line(x + w, at, x + w + _TICK, at, HAIR, GREY))
    return ticks

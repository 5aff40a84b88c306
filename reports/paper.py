"""A sheet of paper as data: what stands where, in 1/100 mm integers from the upper left corner.

The model owns the layout: whoever builds a page decides every width, height, line break and point
size once (with :mod:`reports.metrics`); the back ends (``painter``, ``word``) only draw or write
what stands here, so that preview, printer, PDF and .docx show the same people on the same page.

A page carries *tables* and free marks. The .docx back end writes the tables, one under the other;
free texts exist for posters, which are only ever painted.

This module refuses to know fonts, Qt, OOXML and what any text means.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, Protocol, TypeAlias, overload

Role: TypeAlias = Literal["song", "hei"]
"""``song`` is for grids and running text, ``hei`` (bold) for titles and heads."""
Align: TypeAlias = Literal["left", "center", "right"]
VAlign: TypeAlias = Literal["top", "middle", "bottom"]

Progress: TypeAlias = Callable[[int, int, str], None]
"""``progress(done, total, text)``, as everywhere in the program."""


class Cancel(Protocol):
    """What a back end asks between two pages."""

    def raise_if_set(self) -> None:
        """Raise the caller's own exception once the user asked to stop."""


def mm(length: float) -> int:
    """Millimetres in paper units."""
    return round(length * 100)


UNITS_PER_PT = 2540 / 72
LEADING = 1.2
"""Distance of two base lines in units of the point size, in both back ends."""

BLACK, WHITE, RED, GREY = 0x000000, 0xFFFFFF, 0xC00000, 0x595959
"""Colours are 0xRRGGBB."""

LEFT, TOP, RIGHT, BOTTOM = 1, 2, 4, 8
BOX, NO_BORDER = 15, 0
"""Borders of a cell, as a sum."""

HAIR, FINE, MEDIUM, BOLD = 9, 18, 35, 70
"""Stroke widths in use: 0.09, 0.18, 0.35 and 0.7 mm."""


@dataclass(frozen=True, slots=True)
class Text:
    """Lines already broken and fitted into a box; nothing is broken or shrunk later.

    ``angle`` turns the text around the middle of its box, counter-clockwise, in degrees.
    """

    x: int
    y: int
    w: int
    h: int
    lines: tuple[str, ...]
    pt: float
    role: Role = "song"
    align: Align = "left"
    valign: VAlign = "middle"
    colour: int = BLACK
    angle: int = 0


@dataclass(frozen=True, slots=True)
class Line:
    """A straight stroke of ``width`` units; ``dash`` is for cutting and folding marks."""

    x1: int
    y1: int
    x2: int
    y2: int
    width: int = FINE
    colour: int = BLACK
    dash: bool = False


@dataclass(frozen=True, slots=True)
class Rect:
    """A box; ``stroke`` 0 means no outline, ``hatch`` draws grey diagonals inside."""

    x: int
    y: int
    w: int
    h: int
    fill: int | None = None
    stroke: int = 0
    colour: int = BLACK
    hatch: bool = False
    radius: int = 0


@dataclass(frozen=True, slots=True)
class Code:
    """A QR code of ``size`` units square, four modules of quiet zone included."""

    x: int
    y: int
    size: int
    payload: str
    level: Literal["L", "M", "Q", "H"] = "M"


@dataclass(frozen=True, slots=True)
class Part:
    """Lines of one size inside a cell."""

    lines: tuple[str, ...]
    pt: float
    role: Role = "song"
    colour: int = BLACK


@dataclass(frozen=True, slots=True, eq=False)
class Cell:
    """One box of a table; its parts stand one under the other.

    Cells know no position, so that one object serves every equal box of every page; they compare
    and hash by identity, which is what the back ends' caches live on.

    ``span`` columns wide, ``rows`` rows high. Below a cell of several rows each row carries a
    ``covered`` cell of the same span. ``code`` draws a QR instead of text (its x and y are
    unused). ``pad`` is the free space left and right.
    """

    parts: tuple[Part, ...] = ()
    span: int = 1
    rows: int = 1
    align: Align = "center"
    valign: VAlign = "middle"
    borders: int = BOX
    fill: int | None = None
    hatch: bool = False
    covered: bool = False
    code: Code | None = None
    pad: int = 30

    @property
    def text(self) -> str:
        """The lines joined as one text: breaks inside the cell are layout, not content."""
        return "".join(line for part in self.parts for line in part.lines)


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """Cells from left to right; their spans fill the columns of the table.

    One object may stand on every page; like cells, rows compare and hash by identity.
    ``head`` rows repeat if an office edits the .docx. ``ruled`` promises that every cell spans
    one column and one row and has all four borders: the back ends then take a short cut.
    """

    height: int
    cells: tuple[Cell, ...]
    head: bool = False
    ruled: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A grid at a fixed place; ``stroke`` is the width of every border."""

    x: int
    y: int
    columns: tuple[int, ...]
    rows: tuple[Row, ...]
    stroke: int = FINE

    @property
    def w(self) -> int:
        return sum(self.columns)

    @property
    def h(self) -> int:
        return sum(row.height for row in self.rows)


@dataclass(frozen=True, slots=True)
class Window:
    """Another page seen through a rectangle: a poster drawn once, scaled or cut into tiles.

    The point (``from_x``, ``from_y``) of ``page`` comes to (``x``, ``y``), enlarged ``scale``
    times; what falls outside ``w`` × ``h`` is clipped.
    """

    x: int
    y: int
    w: int
    h: int
    page: Page
    from_x: int = 0
    from_y: int = 0
    scale: float = 1.0


Item: TypeAlias = Text | Line | Rect | Code | Table | Window


@dataclass(frozen=True, slots=True)
class Page:
    """One side of paper. Items are drawn in their order."""

    width: int
    height: int
    items: tuple[Item, ...]

    def tables(self) -> Iterator[Table]:
        return (item for item in self.items if isinstance(item, Table))


A4_PORTRAIT = (21000, 29700)
A4_LANDSCAPE = (29700, 21000)
A3_PORTRAIT = (29700, 42000)
A3_LANDSCAPE = (42000, 29700)


class LazyPages(Sequence[Page]):
    """Pages made when they are looked at: a thousand of them weigh nothing.

    ``make(k)`` must give the same page for the same ``k`` (0-based) every time.
    """

    def __init__(self, count: int, make: Callable[[int], Page]) -> None:
        self._count, self._make = count, make

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int) -> Page: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Page]: ...
    def __getitem__(self, index: int | slice) -> Page | Sequence[Page]:
        if isinstance(index, slice):
            return [self._make(k) for k in range(*index.indices(self._count))]
        if not -self._count <= index < self._count:
            raise IndexError(index)
        return self._make(index % self._count)


@dataclass(frozen=True, slots=True)
class Meta:
    """What a file says about itself. ``made_on`` is ``YYYY-MM-DD``, for the files' own dates."""

    author: str = ""
    subject: str = ""
    made_on: str = "2000-01-01"


@dataclass(frozen=True, slots=True)
class Document:
    """A title, pages (possibly lazy), and what the file says about itself."""

    title: str
    pages: Sequence[Page]
    meta: Meta = field(default_factory=Meta)


def vertical(text: str) -> tuple[str, ...]:
    """The lines of a head written downwards, one character each.

    >>> vertical("夜班")
    ('夜', '班')
    """
    return tuple(text)


def covered(cell: Cell) -> Cell:
    """What stands below a cell of several rows."""
    return replace(cell, parts=(), code=None, covered=True, rows=1)


def join(*documents: Document, title: str, meta: Meta | None = None) -> Document:
    """Several documents as one, their pages in order and still lazy."""
    owners = [(doc, k) for doc in documents for k in range(len(doc.pages))]
    return Document(
        title,
        LazyPages(len(owners), lambda k: owners[k][0].pages[owners[k][1]]),
        meta or (documents[0].meta if documents else Meta()),
    )


def texts(page: Page) -> Iterator[str]:
    """Every text of a page in drawing order, breaks inside one text removed."""
    for item in page.items:
        if isinstance(item, Text):
            yield "".join(item.lines)
        elif isinstance(item, Table):
            yield from (c.text for row in item.rows for c in row.cells if c.parts)
        elif isinstance(item, Window):
            yield from texts(item.page)


def describe(page: Page) -> Iterable[str]:
    """The page as readable lines, for golden files: numbers first, then the text."""
    yield f"page {page.width} {page.height}"
    for item in page.items:
        match item:
            case Text():
                yield (
                    f"text {item.x} {item.y} {item.w} {item.h} {item.pt:g} {item.role} "
                    f"{item.align} {item.valign} {'|'.join(item.lines)}"
                )
            case Line():
                yield f"line {item.x1} {item.y1} {item.x2} {item.y2} {item.width}"
            case Rect():
                fill = "-" if item.fill is None else f"{item.fill:06x}"
                yield f"rect {item.x} {item.y} {item.w} {item.h} {fill} {item.stroke}"
            case Code():
                yield f"code {item.x} {item.y} {item.size} {item.level} {item.payload}"
            case Window():
                yield f"window {item.x} {item.y} {item.w} {item.h} {item.scale:g}"
                yield from ("  " + line for line in describe(item.page))
            case Table():
                yield from _describe_table(item)


def _describe_table(table: Table) -> Iterator[str]:
    yield f"table {table.x} {table.y} columns {' '.join(map(str, table.columns))}"
    for row in table.rows:
        yield f"  row {row.height}{' head' if row.head else ''}"
        for cell in row.cells:
            yield f"    {_describe_cell(cell)}"


def _describe_cell(cell: Cell) -> str:
    size = f"{cell.span}x{cell.rows}" + (" covered" if cell.covered else "")
    look = f" {cell.align}/{cell.valign} b{cell.borders}"
    if cell.fill is not None:
        look += f" #{cell.fill:06x}"
    if cell.hatch:
        look += " hatch"
    parts = "".join(f" [{p.pt:g} {p.role}] {'|'.join(p.lines)}" for p in cell.parts)
    code = f" code {cell.code.size} {cell.code.payload}" if cell.code else ""
    return size + look + parts + code

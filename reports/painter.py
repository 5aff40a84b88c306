"""One painter for preview, printer and PDF: draws what a page says, decides nothing.

The only module of ``reports`` that imports Qt, and QtGui only; the print dialog lives in the
window. One painter unit is 1/100 mm. Any thread may paint; :func:`ensure_gui` must have run in
the main thread once before.

Qt is told to embed the bundled faces; characters beyond U+FFFF lose their way back to text there,
which :mod:`reports.pdf_text` mends after writing.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from functools import lru_cache
from importlib.resources import as_file, files
from pathlib import Path

from PySide6.QtCore import QFile, QIODevice, QLineF, QMarginsF, QRectF, QSizeF, Qt
from PySide6.QtGui import (
    QBrush,
    QColor,
    QFont,
    QFontDatabase,
    QGuiApplication,
    QImage,
    QPagedPaintDevice,
    QPageLayout,
    QPageSize,
    QPainter,
    QPdfWriter,
    QPen,
)

from reports import codes, pdf_text
from reports.errors import ReportError
from reports.grid import Grid, Ops, lay_out, place_lines
from reports.paper import (
    BLACK,
    UNITS_PER_PT,
    Cancel,
    Cell,
    Code,
    Document,
    Line,
    Page,
    Part,
    Progress,
    Rect,
    Role,
    Table,
    Text,
    Window,
)

UNITS_PER_INCH = 2540
_FACES: dict[Role, str] = {"song": "SiteMusterSong.otf", "hei": "SiteMusterHei.otf"}
_HATCH_GAP = 170
_HATCH_COLOUR = 0xB0B0B0

_gui: QGuiApplication | None = None


def ensure_gui() -> None:
    """Have a QGuiApplication, an offscreen one if the program runs without a window.

    Kept in a global: it must outlive every font and writer. Call from the main thread. There is
    one per process, so whoever opens a visible window later makes its QApplication *before* this.
    Where widgets are loaded already, the application made here is one that can carry them.
    """
    global _gui
    if QGuiApplication.instance() is None:
        widgets = sys.modules.get("PySide6.QtWidgets")
        make: type[QGuiApplication] = widgets.QApplication if widgets else QGuiApplication
        _gui = make(["sitemuster", "-platform", "offscreen"])
    _families()


@lru_cache(1)
def _families() -> dict[Role, str]:
    """Family names of the bundled faces, loaded into this process."""
    loaded: dict[Role, str] = {}
    for role, name in _FACES.items():
        with as_file(files("reports") / "fonts" / name) as path:
            number = QFontDatabase.addApplicationFont(str(path))
        families = QFontDatabase.applicationFontFamilies(number) if number >= 0 else []
        if not families:
            raise ReportError("write_failed", font=name)
        loaded[role] = families[0]
    return loaded


def _font(role: Role, pt: float) -> QFont:
    font = QFont(_families()[role])
    font.setPixelSize(max(1, round(pt * UNITS_PER_PT)))
    font.setHintingPreference(QFont.HintingPreference.PreferNoHinting)
    font.setKerning(False)
    return font


class PagePainter:
    """Draws pages on one QPainter, in one thread: Qt's fonts are not shared between threads.

    Remembers what is set on the painter and where the lines of shared cells go.
    """

    def __init__(self, painter: QPainter, rare: pdf_text.RareTexts | None = None) -> None:
        self._painter = painter
        self._rare = rare
        self._set: tuple[float, Role, int] | None = None
        self._fonts: dict[tuple[Role, float], QFont] = {}
        self._ops: dict[Cell, tuple[int, int, Ops]] = {}

    def page(self, page: Page) -> None:
        """Draw every item in its order."""
        self._set = None
        for item in page.items:
            match item:
                case Table():
                    self._table(item)
                case Text():
                    self._text(item)
                case Line():
                    self._line(item)
                case Rect():
                    self._rect(item)
                case Code():
                    self._code(item, item.x, item.y)
                case Window():
                    self._window(item)

    def _pen(self, width: int, colour: int, *, dash: bool = False) -> None:
        pen = QPen(QColor(colour), width)
        pen.setCapStyle(Qt.PenCapStyle.FlatCap if dash else Qt.PenCapStyle.SquareCap)
        pen.setJoinStyle(Qt.PenJoinStyle.MiterJoin)
        if dash:
            pen.setDashPattern([6.0, 4.0])
        self._painter.setPen(pen)
        self._set = None

    def _font(self, role: Role, pt: float) -> QFont:
        font = self._fonts.get((role, pt))
        if font is None:
            font = self._fonts[role, pt] = _font(role, pt)
        return font

    def _draw(self, ops: Ops, x: int, y: int) -> None:
        painter = self._painter
        for dx, dy, line, pt, role, colour in ops:
            if self._set != (pt, role, colour):
                painter.setFont(self._font(role, pt))
                painter.setPen(QColor(colour))
                self._set = (pt, role, colour)
            painter.drawText(x + dx, y + dy, line)
            if self._rare is not None and not line.isascii():
                self._rare.note(line, role)

    def _text(self, item: Text) -> None:
        part = Part(item.lines, item.pt, item.role, item.colour)
        if not item.angle:
            ops = place_lines((part,), item.w, item.h, item.align, item.valign)
            self._draw(ops, item.x, item.y)
            return
        self._painter.save()
        self._painter.translate(item.x + item.w / 2, item.y + item.h / 2)
        self._painter.rotate(-item.angle)
        ops = place_lines((part,), item.w, item.h, item.align, item.valign)
        self._draw(ops, -item.w // 2, -item.h // 2)
        self._painter.restore()
        self._set = None

    def _line(self, item: Line) -> None:
        self._pen(item.width, item.colour, dash=item.dash)
        self._painter.drawLine(item.x1, item.y1, item.x2, item.y2)

    def _rect(self, item: Rect) -> None:
        box = QRectF(item.x, item.y, item.w, item.h)
        if item.fill is not None and not item.radius:
            self._painter.fillRect(box, QColor(item.fill))
        if item.hatch:
            self._hatch([(item.x, item.y, item.w, item.h)])
        if item.stroke or (item.radius and item.fill is not None):
            if item.stroke:
                self._pen(item.stroke, item.colour)
            else:
                self._painter.setPen(Qt.PenStyle.NoPen)
                self._set = None
            rounded = item.radius and item.fill is not None
            brush = QBrush(QColor(item.fill or 0)) if rounded else QBrush(Qt.BrushStyle.NoBrush)
            self._painter.setBrush(brush)
            if item.radius:
                self._painter.drawRoundedRect(box, item.radius, item.radius)
            else:
                self._painter.drawRect(box)
            self._painter.setBrush(Qt.BrushStyle.NoBrush)

    def _code(self, code: Code, x: int, y: int) -> None:
        unit = code.size / codes.modules(code.payload, code.level)
        runs = [
            QRectF(x + left * unit, y + top * unit, length * unit, unit)
            for left, top, length in codes.runs(code.payload, code.level)
        ]
        self._painter.setPen(Qt.PenStyle.NoPen)
        self._painter.setBrush(QColor(BLACK))
        self._painter.drawRects(runs)
        self._painter.setBrush(Qt.BrushStyle.NoBrush)
        self._set = None

    def _window(self, item: Window) -> None:
        painter = self._painter
        painter.save()
        painter.setClipRect(QRectF(item.x, item.y, item.w, item.h), Qt.ClipOperation.IntersectClip)
        painter.translate(item.x, item.y)
        painter.scale(item.scale, item.scale)
        painter.translate(-item.from_x, -item.from_y)
        self.page(item.page)
        painter.restore()
        self._set = None

    def _hatch(self, boxes: Iterable[tuple[int, int, int, int]]) -> None:
        strokes = []
        for x, y, w, h in boxes:
            # Diagonals from lower left to upper right: x' + y' = c, clipped to the box.
            for c in range(_HATCH_GAP // 2, w + h, _HATCH_GAP):
                x1, y1 = (c, 0) if c <= w else (w, c - w)
                x2, y2 = (0, c) if c <= h else (c - h, h)
                strokes.append(QLineF(x + x1, y + y1, x + x2, y + y2))
        if strokes:
            self._pen(9, _HATCH_COLOUR)
            self._painter.drawLines(strokes)

    def _table(self, table: Table) -> None:
        grid: Grid = lay_out(table)
        for fill, box in grid.fills:
            self._painter.fillRect(QRectF(*box), QColor(fill))
        self._hatch(grid.hatches)
        if grid.strokes:
            self._pen(table.stroke, BLACK)
            self._painter.drawLines([QLineF(*stroke) for stroke in grid.strokes])
        if len(self._ops) > 5000:
            self._ops.clear()
        for cell, x, y, w, h in grid.boxes:
            if cell.code is not None:
                self._code(cell.code, x + (w - cell.code.size) // 2, y + (h - cell.code.size) // 2)
                continue
            known = self._ops.get(cell)
            if known is None or known[0] != w or known[1] != h:
                ops = place_lines(cell.parts, w, h, cell.align, cell.valign, cell.pad)
                self._ops[cell] = known = (w, h, ops)
            self._draw(known[2], x, y)


def paint_page(painter: QPainter, page: Page, rare: pdf_text.RareTexts | None = None) -> None:
    """Draw one page on a painter whose unit is 1/100 mm and whose origin is the paper's corner."""
    ensure_gui()
    PagePainter(painter, rare).page(page)


def page_image(page: Page, dpi: float = 96.0) -> QImage:
    """The page as an opaque picture, for the preview."""
    ensure_gui()
    scale = dpi / UNITS_PER_INCH
    image = QImage(
        max(1, round(page.width * scale)),
        max(1, round(page.height * scale)),
        QImage.Format.Format_RGB32,
    )
    image.fill(Qt.GlobalColor.white)
    painter = QPainter(image)
    try:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.TextAntialiasing)
        painter.scale(scale, scale)
        PagePainter(painter).page(page)
    finally:
        painter.end()
    return image


def _layout(page: Page) -> QPageLayout:
    """Exactly the page's paper, no margins. Qt keeps sizes as portrait plus orientation."""
    short, long = sorted((page.width, page.height))
    size = QPageSize(
        QSizeF(short / 100, long / 100),
        QPageSize.Unit.Millimeter,
        f"{short / 100:g}x{long / 100:g}mm",
        QPageSize.SizeMatchPolicy.ExactMatch,
    )
    turn = QPageLayout.Orientation
    layout = QPageLayout(
        size,
        turn.Landscape if page.width > page.height else turn.Portrait,
        QMarginsF(0, 0, 0, 0),
        QPageLayout.Unit.Millimeter,
    )
    layout.setMode(QPageLayout.Mode.FullPageMode)
    return layout


def write_pdf(
    document: Document,
    path: Path,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
) -> None:
    """Write the PDF beside ``path``, make every character recoverable, then replace ``path``.

    On any failure ``path`` is as it was. Raises ``ReportError("write_failed")`` and whatever
    ``cancel`` raises.
    """
    ensure_gui()
    path = Path(path)
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        rare = _write_pages(document, beside, progress, cancel)
        pdf_text.mend(
            beside,
            {_FACES[role].removesuffix(".otf"): list(seen) for role, seen in rare.seen.items()},
            title=document.title,
            made_on=document.meta.made_on,
            author=document.meta.author,
            subject=document.meta.subject,
            pages=len(document.pages),
        )
        os.replace(beside, path)
    except OSError as error:
        raise ReportError("write_failed", reason=error.strerror) from error
    finally:
        beside.unlink(missing_ok=True)


def _write_pages(
    document: Document, beside: Path, progress: Progress | None, cancel: Cancel | None
) -> pdf_text.RareTexts:
    rare = pdf_text.RareTexts()
    total = len(document.pages)
    out = QFile(str(beside))
    if not out.open(QIODevice.OpenModeFlag.WriteOnly):
        raise ReportError("write_failed", reason=out.errorString())
    writer = QPdfWriter(out)
    writer.setResolution(UNITS_PER_INCH)
    painter = QPainter()
    pages: PagePainter | None = None
    try:
        for k in range(total):
            if cancel is not None:
                cancel.raise_if_set()
            page = document.pages[k]
            if not writer.setPageLayout(_layout(page)):
                raise ReportError("paper_size", width=page.width, height=page.height)
            if pages is None:
                if not painter.begin(writer):
                    raise ReportError("write_failed", reason="painter")
                pages = PagePainter(painter, rare)
            elif not writer.newPage():
                raise ReportError("write_failed", reason="page")
            pages.page(page)
            if progress is not None:
                progress(k + 1, total, document.title)
    finally:
        if painter.isActive():
            painter.end()
        sound = out.flush() and out.error() == QFile.FileError.NoError
        out.close()
    if not sound:
        raise ReportError("write_failed", reason=out.errorString())
    return rare


def print_document(
    document: Document,
    printer: QPagedPaintDevice,
    *,
    pages: Sequence[int] | None = None,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
) -> None:
    """Print on a QPrinter the print dialog has returned; ``pages`` are 0-based.

    The paper is set again after the dialog and checked: some drivers hand back A4, and the rest
    of the page would be cut. Copies and collation stay as the dialog left them.
    Raises ``ReportError("paper_size")`` or ``ReportError("print_failed")``.
    """
    ensure_gui()
    chosen = list(range(len(document.pages))) if pages is None else list(pages)
    full_page = getattr(printer, "setFullPage", None)
    painter = QPainter()
    drawing: PagePainter | None = None
    try:
        for done, k in enumerate(chosen):
            if cancel is not None:
                cancel.raise_if_set()
            page = document.pages[k]
            wanted = _layout(page)
            printer.setPageLayout(wanted)
            if full_page is not None:
                full_page(True)
            _check_paper(printer, page)
            if drawing is None:
                if not painter.begin(printer):
                    raise ReportError("print_failed", reason="begin")
                drawing = PagePainter(painter)
            elif not printer.newPage():
                raise ReportError("print_failed", page=k + 1)
            painter.save()
            painter.scale(
                printer.logicalDpiX() / UNITS_PER_INCH, printer.logicalDpiY() / UNITS_PER_INCH
            )
            drawing.page(page)
            painter.restore()
            if progress is not None:
                progress(done + 1, len(chosen), document.title)
    finally:
        if painter.isActive():
            painter.end()


def _check_paper(printer: QPagedPaintDevice, page: Page) -> None:
    """Refuse if the device did not take the page's size, to a millimetre."""
    size = printer.pageLayout().fullRect(QPageLayout.Unit.Millimeter).size()
    if abs(size.width() - page.width / 100) > 1 or abs(size.height() - page.height / 100) > 1:
        raise ReportError(
            "paper_size",
            wanted=f"{page.width / 100:g}x{page.height / 100:g}",
            got=f"{size.width():g}x{size.height():g}",
        )

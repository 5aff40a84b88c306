"""Real pages on the screen: the painter's pictures, made when a page is looked at, at any zoom."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QRect, QSize, Qt, Signal
from PySide6.QtGui import QImage, QPainter, QPaintEvent, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QAbstractScrollArea, QWidget

from desktop.ui import theme
from desktop.ui.i18n import tr
from desktop.ui.jobs import JobRunner, Lane
from desktop.ui.theme import Tone
from desktop.ui.widgets.basics import icon_button, label, line

if TYPE_CHECKING:
    from desktop.errors import SiteMusterError
    from reports.paper import Document

_GAP = 16
_KEPT = 10
_LEAST, _MOST = 0.2, 4.0
_DPI = 96.0
_UNITS = 2540.0


class PaperView(QAbstractScrollArea):
    """Pages of one document under each other; all of one size. Drawn in the POOL lane.

    ``page_moved(k, count)`` says which page is in view, counted from 1. ``fit`` keeps the page's
    width or the whole page in the window until the user zooms.
    """

    page_moved = Signal(int, int)
    zoomed = Signal(float)

    def __init__(self, jobs: JobRunner, name: str) -> None:
        super().__init__()
        self.setAccessibleName(name)
        self._jobs = jobs
        self._document: Document | None = None
        self._count = 0
        self._paper = QSize(1, 1)
        self._zoom = 1.0
        self._fit = "width"
        self._pictures: OrderedDict[tuple[int, int], QImage] = OrderedDict()
        self._asked: set[tuple[int, int]] = set()
        self._generation = 0
        self.verticalScrollBar().valueChanged.connect(self._scrolled)
        self.horizontalScrollBar().valueChanged.connect(lambda _: self.viewport().update())

    def show_document(self, document: Document | None) -> None:
        """Replace the document; the place stays if it has as many pages."""
        self._generation += 1
        self._pictures.clear()
        self._asked.clear()
        same = document is not None and len(document.pages) == self._count
        self._document = document
        self._count = 0 if document is None else len(document.pages)
        if document is not None and self._count:
            page = document.pages[0]
            self._paper = QSize(page.width, page.height)
        self._arrange()
        if not same:
            self.verticalScrollBar().setValue(0)
        self._scrolled()

    def fit(self, how: str) -> None:
        """``width``, ``page`` or empty: keep the zoom as it is."""
        self._fit = how
        self._arrange()

    def zoom(self) -> float:
        return self._zoom

    def set_zoom(self, zoom: float) -> None:
        """1.0 is life size on a 96-dpi screen."""
        self._fit = ""
        self._apply_zoom(zoom)

    def show_page(self, number: int) -> None:
        """Scroll to a page, counted from 1."""
        self.verticalScrollBar().setValue((number - 1) * self._step())

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self.viewport())
        painter.fillRect(self.viewport().rect(), theme.colour(Tone.DESK))
        for number in range(self._count):
            rect = self._place(number)
            if not rect.intersects(self.viewport().rect()):
                continue
            picture = self._picture(number)
            painter.fillRect(rect.translated(2, 3), theme.shadow())
            if picture is None:
                painter.fillRect(rect, Qt.GlobalColor.white)
            else:
                painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
                painter.drawImage(rect, picture)
        painter.end()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def wheelEvent(self, event: QWheelEvent) -> None:
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.set_zoom(self._zoom * (1.15 if event.angleDelta().y() > 0 else 1 / 1.15))
            return
        super().wheelEvent(event)

    def _arrange(self) -> None:
        """Zoom to fit if asked, then the scroll bars."""
        room = self.viewport().size()
        if self._count and self._fit:
            width = (room.width() - 2 * _GAP) / (self._paper.width() * _DPI / _UNITS)
            height = (room.height() - 2 * _GAP) / (self._paper.height() * _DPI / _UNITS)
            zoom = min(width, height) if self._fit == "page" else width
            self._zoom = max(_LEAST, min(_MOST, zoom))
            self.zoomed.emit(self._zoom)
        size = self._page_size()
        self.verticalScrollBar().setPageStep(room.height())
        self.verticalScrollBar().setSingleStep(48)
        self.verticalScrollBar().setRange(0, max(0, self._count * self._step() + _GAP - room.height()))
        self.horizontalScrollBar().setPageStep(room.width())
        self.horizontalScrollBar().setRange(0, max(0, size.width() + 2 * _GAP - room.width()))
        self.viewport().update()

    def _apply_zoom(self, zoom: float) -> None:
        place = self.verticalScrollBar().value() / max(1, self._step())
        self._zoom = max(_LEAST, min(_MOST, zoom))
        self._arrange()
        self.verticalScrollBar().setValue(round(place * self._step()))
        self.zoomed.emit(self._zoom)

    def _page_size(self) -> QSize:
        scale = _DPI / _UNITS * self._zoom
        return QSize(round(self._paper.width() * scale), round(self._paper.height() * scale))

    def _step(self) -> int:
        return self._page_size().height() + _GAP

    def _place(self, number: int) -> QRect:
        size, room = self._page_size(), self.viewport().width()
        left = max(_GAP, (room - size.width()) // 2) - self.horizontalScrollBar().value()
        return QRect(left, _GAP + number * self._step() - self.verticalScrollBar().value(), size.width(), size.height())

    def _picture(self, number: int) -> QImage | None:
        """The page at the present zoom; an older picture serves until the new one is there."""
        dpi = round(_DPI * self._zoom * self.devicePixelRatioF())
        key = (number, dpi)
        found = self._pictures.get(key)
        if found is None:
            self._ask(key)
            return next((p for (n, _), p in reversed(self._pictures.items()) if n == number), None)
        self._pictures.move_to_end(key)
        return found

    def _ask(self, key: tuple[int, int]) -> None:
        if key in self._asked or self._document is None:
            return
        self._asked.add(key)
        document, generation = self._document, self._generation

        def work(progress: Any, cancel: Any) -> QImage | None:
            from reports.painter import page_image

            cancel.raise_if_set()
            return page_image(document.pages[key[0]], float(key[1]))

        def arrived(picture: QImage) -> None:
            if generation != self._generation:
                return
            self._asked.discard(key)
            self._pictures[key] = picture
            while len(self._pictures) > _KEPT:
                self._pictures.popitem(last=False)
            self.viewport().update()

        def failed(error: SiteMusterError) -> None:
            self._asked.discard(key)

        self._jobs.submit(work, arrived, lane=Lane.POOL, owner=self, failed=failed)

    def _scrolled(self) -> None:
        self.viewport().update()
        middle = self.verticalScrollBar().value() + self.viewport().height() // 3
        number = min(self._count, middle // max(1, self._step()) + 1)
        self.page_moved.emit(number, self._count)


class PaperTools(QWidget):
    """Page and zoom controls for a :class:`PaperView`."""

    def __init__(self, view: PaperView) -> None:
        super().__init__()
        self._view = view
        self._number = 1
        row = line(self, gap=2)
        row.addWidget(icon_button("up", tr("上一页"), lambda: view.show_page(max(1, self._number - 1))))
        self._page = label("")
        self._page.setMinimumWidth(self.fontMetrics().horizontalAdvance("000 / 000 页"))
        self._page.setAlignment(Qt.AlignmentFlag.AlignCenter)
        row.addWidget(self._page)
        row.addWidget(icon_button("down", tr("下一页"), lambda: view.show_page(self._number + 1)))
        row.addSpacing(theme.GRID)
        row.addWidget(icon_button("zoom_out", tr("缩小"), lambda: view.set_zoom(view.zoom() / 1.25)))
        self._zoom = label("100%")
        self._zoom.setMinimumWidth(self.fontMetrics().horizontalAdvance("100% "))
        self._zoom.setAlignment(Qt.AlignmentFlag.AlignCenter)
        row.addWidget(self._zoom)
        row.addWidget(icon_button("zoom_in", tr("放大"), lambda: view.set_zoom(view.zoom() * 1.25)))
        row.addWidget(icon_button("fit", tr("整页显示"), lambda: view.fit("page")))
        row.addWidget(icon_button("wide", tr("按宽度显示"), lambda: view.fit("width")))
        view.page_moved.connect(self._show_page)
        view.zoomed.connect(lambda zoom: self._zoom.setText(f"{zoom:.0%}"))

    def _show_page(self, number: int, count: int) -> None:
        self._number = number
        self._page.setText(tr("{k} / {n} 页", k=number, n=count) if count else "")

"""The month grid: who on the left and the totals on the right stand still, the days scroll.

Three views share one model and one selection; the middle one is the one that is worked in.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from PySide6.QtCore import QItemSelectionModel, QModelIndex, QPointF, QRect, Qt, Signal
from PySide6.QtGui import QFont, QKeyEvent, QPainter, QPolygonF, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QScrollBar,
    QStyle,
    QStyledItemDelegate,
    QTableView,
    QWidget,
)

from desktop.ui import theme
from desktop.ui.i18n import tr
from desktop.ui.pages.attendance.grid_model import EXPLAINED, SUMS, WHO, GridModel, Index
from desktop.ui.theme import Tone
from desktop.ui.widgets.basics import line, rule

Option = Any
"""``QStyleOptionViewItem``; the stubs of PySide know none of its fields."""

_DAY_LEAST, _DAY_MOST = 27, 38
_WHO_WIDTHS = (66, 78, 88)
_SUM_WIDTH = 45
_HEAD = 46
_PAD = 6
_QUIET = frozenset("○—")
_LEAVE = frozenset("△☆伤公")


def cell_tones(
    symbol: str, *, weekend: bool, holiday: bool
) -> tuple[Tone, Tone | None, bool]:
    """Text tone, background tone (None: the table's own) and whether the symbol is bold."""
    if symbol == "?":
        return Tone.WARN, Tone.WARN_TINT, True
    if symbol == "×":
        return Tone.BAD, Tone.BAD_TINT, True
    if symbol in EXPLAINED:
        return Tone.ACCENT, Tone.ACCENT_TINT, True
    if symbol == "停":
        return Tone.TEXT_2, Tone.NEUTRAL_TINT, False
    ground = Tone.HOLIDAY if holiday else Tone.WEEKEND if weekend else None
    if symbol == "—":
        return Tone.TEXT_3, Tone.OUTSIDE, False
    if symbol in _QUIET:
        return Tone.TEXT_3, ground, False
    if symbol in _LEAVE:
        return Tone.TEXT_2, ground, False
    return Tone.TEXT, ground, False


class DayDelegate(QStyledItemDelegate):
    """One day of one person: symbol, tint, a corner mark while an explanation waits."""

    def __init__(self, model: GridModel, parent: QWidget) -> None:
        super().__init__(parent)
        self._model = model

    def paint(self, painter: QPainter, option: Option, index: Index) -> None:
        model = self._model
        place = model.day_place(index.column())
        if place is None:
            return
        row = index.row()
        symbol = model.person(row).symbols[place]
        tone, ground, bold = cell_tones(
            symbol, weekend=model.weekend[place], holiday=model.holiday[place]
        )
        rect = option.rect
        if ground is not None:
            painter.fillRect(rect, theme.colour(ground))
        painter.setPen(theme.colour(Tone.LINE))
        painter.drawLine(rect.topRight(), rect.bottomRight())
        painter.drawLine(rect.bottomLeft(), rect.bottomRight())
        font = QFont(option.font)
        if bold:
            font.setWeight(QFont.Weight.Bold)
        if len(symbol) > 1:
            font.setStretch(82)
        painter.setFont(font)
        painter.setPen(theme.colour(tone))
        painter.drawText(rect, int(Qt.AlignmentFlag.AlignCenter), symbol)
        if model.waits(row, place):
            self._corner(painter, rect)
        if option.state & QStyle.StateFlag.State_Selected:
            painter.setPen(theme.colour(Tone.ACCENT))
            painter.drawRect(rect.adjusted(0, 0, -1, -1))
            painter.drawRect(rect.adjusted(1, 1, -2, -2))

    @staticmethod
    def _corner(painter: QPainter, rect: QRect) -> None:
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.colour(Tone.ACCENT))
        right, top = rect.right(), rect.top()
        painter.drawPolygon(
            QPolygonF([QPointF(right - 8, top), QPointF(right, top), QPointF(right, top + 8)])
        )
        painter.restore()


class EdgeDelegate(QStyledItemDelegate):
    """Who and totals: plain text, the row of the current cell marked."""

    def __init__(self, model: GridModel, parent: QWidget) -> None:
        super().__init__(parent)
        self._model = model
        self.current_row = -1

    def paint(self, painter: QPainter, option: Option, index: Index) -> None:
        rect = option.rect
        if index.row() == self.current_row:
            painter.fillRect(rect, theme.colour(Tone.ACCENT_TINT))
        painter.setPen(theme.colour(Tone.LINE))
        painter.drawLine(rect.bottomLeft(), rect.bottomRight())
        quiet = index.column() in (0, 2)
        bold = index.column() == self._model.columnCount() - 1 or index.column() == 1
        painter.setPen(theme.colour(Tone.TEXT_2 if quiet else Tone.TEXT))
        font = QFont(option.font)
        if bold:
            font.setWeight(QFont.Weight.DemiBold)
        painter.setFont(font)
        room = rect.adjusted(_PAD, 0, -_PAD, 0)
        text = index.data(Qt.ItemDataRole.DisplayRole)
        shown = option.fontMetrics.elidedText(text, Qt.TextElideMode.ElideRight, room.width() + 2)
        align = index.data(Qt.ItemDataRole.TextAlignmentRole)
        painter.drawText(room, int(align), shown)


class DayHeader(QHeaderView):
    """Day of the month over the weekday; weekends and holidays tinted, today underlined."""

    def __init__(self, model: GridModel, today: date, parent: QWidget) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self._model, self._today = model, today
        self.setFixedHeight(_HEAD)
        self.setSectionsClickable(True)

    def paintSection(self, painter: QPainter, rect: QRect, section: int) -> None:
        place = self._model.day_place(section)
        if place is None or not rect.isValid():
            return
        off, holiday = self._model.weekend[place], self._model.holiday[place]
        ground = Tone.HOLIDAY if holiday else Tone.WEEKEND if off else Tone.CANVAS
        painter.fillRect(rect, theme.colour(ground))
        painter.setPen(theme.colour(Tone.LINE))
        painter.drawLine(rect.topRight(), rect.bottomRight())
        painter.setPen(theme.colour(Tone.LINE_STRONG))
        painter.drawLine(rect.bottomLeft(), rect.bottomRight())
        number, word = self._model.headerData(
            section, Qt.Orientation.Horizontal, int(Qt.ItemDataRole.DisplayRole)
        ).split("\n")
        half = rect.height() // 2
        painter.setFont(theme.font(theme.Type.STRONG))
        painter.setPen(theme.colour(Tone.BAD if holiday else Tone.TEXT))
        painter.drawText(rect.adjusted(0, 3, 0, -half), int(Qt.AlignmentFlag.AlignCenter), number)
        painter.setFont(theme.font())
        painter.setPen(theme.colour(Tone.BAD if holiday else Tone.TEXT_2))
        painter.drawText(rect.adjusted(0, half, 0, -4), int(Qt.AlignmentFlag.AlignCenter), word)
        if self._model.days[place] == self._today:
            painter.fillRect(
                QRect(rect.x() + 3, rect.bottom() - 2, rect.width() - 7, 3),
                theme.colour(Tone.ACCENT),
            )


class _Days(QTableView):
    """The middle view; Enter opens the cell."""

    entered_cell = Signal()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.entered_cell.emit()
            return
        super().keyPressEvent(event)


class MonthGrid(QWidget):
    """``cells_chosen`` when the selection settled on one or more days; ``opened`` on click or
    Enter; ``person_opened(row)`` on a name."""

    cells_chosen = Signal()
    opened = Signal()
    person_opened = Signal(int)

    def __init__(self, today: date) -> None:
        super().__init__()
        self.model = GridModel()
        self.who = self._edge(tr("人员"))
        self.days = _Days()
        self.sums = self._edge(tr("合计"))
        self.days.setAccessibleName(tr("月考勤表"))
        self.days.setHorizontalHeader(DayHeader(self.model, today, self.days))
        for view in (self.who, self.days, self.sums):
            _prepare(view)
            view.setModel(self.model)
        self.days.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.days.setItemDelegate(DayDelegate(self.model, self.days))
        self._edges = [EdgeDelegate(self.model, view) for view in (self.who, self.sums)]
        self.who.setItemDelegate(self._edges[0])
        self.sums.setItemDelegate(self._edges[1])
        row = line(self, gap=0)
        row.addWidget(self.who)
        row.addWidget(rule(upright=True))
        row.addWidget(self.days, 1)
        row.addWidget(rule(upright=True))
        row.addWidget(self.sums)
        row.addWidget(self._outer_bar())
        self.who.clicked.connect(lambda index: self.person_opened.emit(index.row()))
        self.days.clicked.connect(lambda _: self.opened.emit())
        self.days.entered_cell.connect(self.opened)
        self.days.selectionModel().selectionChanged.connect(lambda *_: self.cells_chosen.emit())
        self.days.selectionModel().currentChanged.connect(self._mark_row)
        self.model.modelReset.connect(self._arrange)

    def chosen(self) -> list[tuple[int, int]]:
        """(row, place of the day) of the selected cells, by row and day."""
        found = []
        for index in self.days.selectionModel().selectedIndexes():
            place = self.model.day_place(index.column())
            if place is not None:
                found.append((index.row(), place))
        return sorted(found)

    def choose(self, row: int, place: int) -> None:
        """Select one cell and bring it into view."""
        index = self.model.index(row, place + len(WHO))
        self.days.selectionModel().setCurrentIndex(
            index, QItemSelectionModel.SelectionFlag.ClearAndSelect
        )
        self.days.scrollTo(index, QAbstractItemView.ScrollHint.EnsureVisible)

    def show_current(self) -> None:
        """Bring the current cell back into view, after the width changed."""
        self.days.scrollTo(self.days.currentIndex())

    def show_day(self, place: int) -> None:
        """Scroll the days so that this one can be seen."""
        if self.model.rowCount():
            self.days.scrollTo(self.model.index(0, place + len(WHO)))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_days()

    def _outer_bar(self) -> QScrollBar:
        """The middle's vertical scroll bar, moved to the outer edge; the edges follow it."""
        inner, outer = self.days.verticalScrollBar(), QScrollBar(Qt.Orientation.Vertical)
        inner.rangeChanged.connect(outer.setRange)
        inner.rangeChanged.connect(lambda *_: outer.setPageStep(inner.pageStep()))
        inner.rangeChanged.connect(lambda low, high: outer.setVisible(high > low))
        inner.valueChanged.connect(outer.setValue)
        outer.valueChanged.connect(inner.setValue)
        off = Qt.ScrollBarPolicy.ScrollBarAlwaysOff
        self.days.setVerticalScrollBarPolicy(off)
        for view in (self.who, self.sums):
            view.setVerticalScrollBarPolicy(off)
            view.setHorizontalScrollBarPolicy(off)
            inner.valueChanged.connect(view.verticalScrollBar().setValue)
            view.verticalScrollBar().valueChanged.connect(inner.setValue)
        return outer

    def _edge(self, name: str) -> QTableView:
        view = QTableView()
        view.setAccessibleName(name)
        view.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        view.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        return view

    def _arrange(self) -> None:
        """Hide in each view what belongs to the others."""
        count, days = self.model.columnCount(), len(self.model.days)
        for column in range(count):
            is_who, is_day = column < len(WHO), len(WHO) <= column < len(WHO) + days
            self.who.setColumnHidden(column, not is_who)
            self.days.setColumnHidden(column, not is_day)
            self.sums.setColumnHidden(column, is_who or is_day)
            if is_who:
                self.who.setColumnWidth(column, _WHO_WIDTHS[column])
            elif not is_day:
                self.sums.setColumnWidth(column, _SUM_WIDTH)
        self.who.setFixedWidth(sum(_WHO_WIDTHS) + 1)
        self.sums.setFixedWidth(_SUM_WIDTH * len(SUMS) + 1)
        self._fit_days()

    def _fit_days(self) -> None:
        count = len(self.model.days)
        if not count:
            return
        room = self.days.viewport().width() // count
        width = max(_DAY_LEAST, min(_DAY_MOST, room))
        for place in range(count):
            self.days.setColumnWidth(place + len(WHO), width)
        # The edges get the height of the middle's scroll bar, so that the last rows line up.
        below = self.days.horizontalScrollBar().sizeHint().height()
        shown = width * count > self.days.viewport().width()
        for view in (self.who, self.sums):
            view.setViewportMargins(0, _HEAD, 0, below if shown else 0)

    def _mark_row(self, current: QModelIndex, previous: QModelIndex) -> None:
        for edge, view in zip(self._edges, (self.who, self.sums), strict=True):
            edge.current_row = current.row()
            view.viewport().update()


def _prepare(view: QTableView) -> None:
    view.setShowGrid(False)
    view.setWordWrap(False)
    view.setTabKeyNavigation(False)
    view.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    view.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
    view.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
    view.verticalHeader().hide()
    view.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
    view.verticalHeader().setDefaultSectionSize(theme.row_height())
    heads = view.horizontalHeader()
    heads.setHighlightSections(False)
    heads.setMinimumSectionSize(20)
    heads.setFixedHeight(_HEAD)

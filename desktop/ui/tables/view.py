"""The one list view: fixed row height, chips for states, selection kept by id."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QItemSelection, QItemSelectionModel, QModelIndex, QRectF, Qt, Signal
from PySide6.QtGui import QKeyEvent, QPainter, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QStyle,
    QStyledItemDelegate,
    QTableView,
)

from desktop.ui import theme
from desktop.ui.tables.model import STATE_ROLE, TONE_ROLE, ColumnModel, Index
from desktop.ui.theme import Tone
from desktop.ui.widgets.basics import State, chip_width, paint_chip

_PAD = 8

Option = Any
"""``QStyleOptionViewItem``; the stubs of PySide know none of its fields."""


class CellDelegate(QStyledItemDelegate):
    """Text in a tone, or a chip; the current row is marked over its whole width."""

    def paint(self, painter: QPainter, option: Option, index: Index) -> None:
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        hovered = option.state & QStyle.StateFlag.State_MouseOver
        if selected:
            painter.fillRect(option.rect, theme.colour(Tone.ACCENT_TINT))
        elif hovered:
            painter.fillRect(option.rect, theme.colour(Tone.HOVER))
        painter.setPen(theme.colour(Tone.LINE))
        painter.drawLine(option.rect.bottomLeft(), option.rect.bottomRight())
        state = index.data(STATE_ROLE)
        if isinstance(state, State):
            self._chip(painter, option, state)
        else:
            self._text(painter, option, index)

    def _text(self, painter: QPainter, option: Option, index: Index) -> None:
        text = index.data(Qt.ItemDataRole.DisplayRole)
        if not text:
            return
        tone = index.data(TONE_ROLE)
        painter.setPen(theme.colour(tone if isinstance(tone, Tone) else Tone.TEXT))
        painter.setFont(option.font)
        room = option.rect.adjusted(_PAD, 0, -_PAD, 0)
        shown = option.fontMetrics.elidedText(
            str(text), Qt.TextElideMode.ElideRight, room.width()
        )
        align = index.data(Qt.ItemDataRole.TextAlignmentRole) or Qt.AlignmentFlag.AlignVCenter
        painter.drawText(room, int(align), shown)

    @staticmethod
    def _chip(painter: QPainter, option: Option, state: State) -> None:
        widget = option.widget
        width = min(chip_width(widget, state.word), option.rect.width() - 8)
        height = option.fontMetrics.height() + 4
        top = option.rect.y() + (option.rect.height() - height) / 2
        painter.setFont(option.font)
        paint_chip(painter, QRectF(option.rect.x() + 5, top, width, height), state)


class ListView(QTableView):
    """Rows to choose from: ``opened(id)`` on click or Enter, ``chosen_ids()`` for many.

    ``set_columns`` must follow the model; a reset keeps the selection by id and the scroll place.
    """

    opened = Signal(object)
    selection_moved = Signal()

    def __init__(self, name: str, *, many: bool = False) -> None:
        super().__init__()
        self.setAccessibleName(name)
        self.setProperty("framed", True)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        mode = QAbstractItemView.SelectionMode
        self.setSelectionMode(mode.ExtendedSelection if many else mode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setMouseTracking(True)
        self.setTabKeyNavigation(False)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setItemDelegate(CellDelegate(self))
        rows = self.verticalHeader()
        rows.hide()
        rows.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        rows.setDefaultSectionSize(theme.row_height())
        heads = self.horizontalHeader()
        heads.setHighlightSections(False)
        heads.setFixedHeight(theme.row_height())
        heads.setSectionsMovable(False)
        heads.setMinimumSectionSize(30)
        self._stretched: tuple[int, int] | None = None
        self._kept: list[int] = []
        self._kept_current: int | None = None
        self._kept_scroll = 0
        self.clicked.connect(self._open)
        self.activated.connect(self._open)

    def set_model(self, model: ColumnModel[Any], *, sortable: bool = True) -> None:
        """Connect a model and size its columns once, from their declared widths."""
        self.setModel(model)
        model.modelAboutToBeReset.connect(self._keep)
        model.modelReset.connect(self._restore)
        self.selectionModel().selectionChanged.connect(lambda *_: self.selection_moved.emit())
        em = self.fontMetrics().horizontalAdvance("国")
        heads = self.horizontalHeader()
        for section, column in enumerate(model.columns):
            width = round(column.width * em) + 2 * _PAD
            heads.resizeSection(section, width)
            if column.stretch:
                self._stretched = (section, width)
        if sortable:
            heads.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
            self.setSortingEnabled(True)
            heads.setSortIndicatorClearable(False)

    def chosen_ids(self) -> list[int]:
        """Ids of the selected rows, top to bottom."""
        model = self._columns()
        return [model.id_at(k) for k in sorted(i.row() for i in self.selectionModel().selectedRows())]

    def choose_id(self, wanted: int) -> bool:
        """Select one row and show it; False if it is not in the list."""
        position = self._columns().position_of(wanted)
        if position is None:
            return False
        self.selectRow(position)
        self.scrollTo(self.model().index(position, 0))
        return True

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._stretch()

    def _stretch(self) -> None:
        """Give what is left over to one column; never take from it (Qt's own mode would)."""
        if self._stretched is None:
            return
        section, least = self._stretched
        heads = self.horizontalHeader()
        others = heads.length() - heads.sectionSize(section)
        heads.resizeSection(section, max(least, self.viewport().width() - others))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._open(self.currentIndex())
            return
        super().keyPressEvent(event)

    def _columns(self) -> ColumnModel[Any]:
        model = self.model()
        assert isinstance(model, ColumnModel)
        return model

    def _open(self, index: QModelIndex) -> None:
        if index.isValid():
            self.opened.emit(self._columns().id_at(index.row()))

    def _keep(self) -> None:
        self._kept = self.chosen_ids() if self.selectionModel().hasSelection() else []
        current = self.currentIndex()
        self._kept_current = self._columns().id_at(current.row()) if current.isValid() else None
        self._kept_scroll = self.verticalScrollBar().value()

    def _restore(self) -> None:
        model = self._columns()
        chosen = QItemSelection()
        last = model.columnCount() - 1
        for wanted in self._kept[:1000]:
            position = model.position_of(wanted)
            if position is not None:
                chosen.select(model.index(position, 0), model.index(position, last))
        place = self.selectionModel()
        if not chosen.isEmpty():
            place.select(chosen, QItemSelectionModel.SelectionFlag.ClearAndSelect)
        if self._kept_current is not None:
            position = model.position_of(self._kept_current)
            if position is not None:
                place.setCurrentIndex(
                    model.index(position, 0), QItemSelectionModel.SelectionFlag.NoUpdate
                )
        self.verticalScrollBar().setValue(self._kept_scroll)


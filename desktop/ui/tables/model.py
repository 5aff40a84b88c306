"""Table models over columns: rows fetched by page as they are seen, or all in memory.

:class:`PagingModel` holds ids only; SQL gave them in order. Rows come in pages of 200 from the READ
lane and the oldest pages are dropped. :class:`RowsModel` is for lists that are short by nature.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt, Signal

from desktop.access.actor import View
from desktop.ui.i18n import tr
from desktop.ui.tables.columns import Column

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from desktop.ui.workspace import Workspace

R = TypeVar("R")
Index = QModelIndex | QPersistentModelIndex

Find = Callable[["Session", str, bool, "int | None"], list[int]]

PAGE = 200
"""Rows fetched together."""
_KEPT_PAGES = 16

STATE_ROLE = int(Qt.ItemDataRole.UserRole) + 1
TONE_ROLE = STATE_ROLE + 1
_WAITING = "…"


class ColumnModel(QAbstractTableModel, Generic[R]):
    """What both models share: columns to roles. ``loaded`` after a reset with fresh content."""

    loaded = Signal()

    def __init__(self, columns: Sequence[Column[R]]) -> None:
        super().__init__()
        self.columns = tuple(columns)

    def row(self, position: int) -> R | None:
        """The row at a position, or None while it is on its way."""
        raise KeyError(position)

    def id_at(self, position: int) -> int:
        """The id behind a position."""
        raise KeyError(position)

    def position_of(self, wanted: int) -> int | None:
        """Where an id stands now, or None."""
        raise KeyError(wanted)

    def columnCount(self, parent: Index = QModelIndex()) -> int:
        return 0 if parent.isValid() else len(self.columns)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = 0) -> Any:
        if orientation != Qt.Orientation.Horizontal or not 0 <= section < len(self.columns):
            return None
        column = self.columns[section]
        if role == Qt.ItemDataRole.DisplayRole:
            return tr(column.title)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return column.align
        return None

    def data(self, index: Index, role: int = 0) -> Any:
        if not index.isValid():
            return None
        column = self.columns[index.column()]
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return column.align
        if role not in (
            Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole,
            Qt.ItemDataRole.AccessibleTextRole, STATE_ROLE, TONE_ROLE,
        ):
            return None
        row = self.row(index.row())
        if row is None:
            return _WAITING if role == Qt.ItemDataRole.DisplayRole else None
        if role == STATE_ROLE:
            return column.state(row) if column.state else None
        if role == TONE_ROLE:
            return column.tone(row) if column.tone else None
        text = column.text(row)
        if not text and column.state and role == Qt.ItemDataRole.AccessibleTextRole:
            state = column.state(row)
            return state.word if state else ""
        return text


class RowsModel(ColumnModel[R]):
    """All rows in memory; ``key`` gives a row's id."""

    def __init__(self, columns: Sequence[Column[R]], key: Callable[[R], int]) -> None:
        super().__init__(columns)
        self._key = key
        self._rows: list[R] = []
        self._order: tuple[int, Qt.SortOrder] | None = None

    def show_rows(self, rows: Sequence[R]) -> None:
        """Replace the content; the user's order stays."""
        self.beginResetModel()
        self._rows = list(rows)
        self._arrange()
        self.endResetModel()
        self.loaded.emit()

    def rows(self) -> list[R]:
        return self._rows

    def row(self, position: int) -> R | None:
        return self._rows[position]

    def id_at(self, position: int) -> int:
        return self._key(self._rows[position])

    def position_of(self, wanted: int) -> int | None:
        return next((k for k, row in enumerate(self._rows) if self._key(row) == wanted), None)

    def rowCount(self, parent: Index = QModelIndex()) -> int:
        return 0 if parent.isValid() else len(self._rows)

    def sort(self, section: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        if not 0 <= section < len(self.columns):
            return
        self._order = (section, order)
        self.beginResetModel()
        self._arrange()
        self.endResetModel()

    def _arrange(self) -> None:
        if self._order is None:
            return
        section, order = self._order
        column = self.columns[section]
        value = column.order or column.text
        self._rows.sort(key=value, reverse=order == Qt.SortOrder.DescendingOrder)


class PagingModel(ColumnModel[R]):
    """Ids from one query, rows by page.

    ``find(session, sort key, descending, limit)`` gives ids in order (``limit`` None: all) and
    ``fetch(session, ids)`` their rows; both run in the READ lane. The first page is shown before
    the other ids are known; until then the model is not ``complete``.
    """

    def __init__(self, columns: Sequence[Column[R]], workspace: Workspace, view: View) -> None:
        """``view`` is the area the queries read."""
        super().__init__(columns)
        self._workspace, self._view = workspace, view
        self._ids: list[int] = []
        self._pages: OrderedDict[int, Sequence[R]] = OrderedDict()
        self._asked: set[int] = set()
        self._generation = 0
        self._find: Find = lambda *_: []
        self._fetch: Callable[[Session, list[int]], Sequence[R]] = lambda *_: []
        self.sort_key = ""
        self.descending = False
        self.complete = True

    def set_source(
        self,
        find: Find,
        fetch: Callable[[Session, list[int]], Sequence[R]],
    ) -> None:
        """Use these queries from the next :meth:`reload` on."""
        self._find, self._fetch = find, fetch

    def reload(self) -> None:
        """Ask for the first page, ids and rows together, and then for all ids."""
        find, fetch = self._find, self._fetch
        key, descending = self.sort_key, self.descending

        def first_page(session: Session) -> tuple[list[int], Sequence[R]]:
            ids = find(session, key, descending, PAGE)
            return ids, fetch(session, ids)

        def take(found: tuple[list[int], Sequence[R]]) -> None:
            self._take(*found)
            if not self.complete:
                self._workspace.read(
                    lambda session: find(session, key, descending, None), self._take_all,
                    view=self._view, owner=self, key="ids",
                )

        self._workspace.read(first_page, take, view=self._view, owner=self, key="ids")

    def row(self, position: int) -> R | None:
        number = position // PAGE
        page = self._pages.get(number)
        if page is None:
            self._ask(number)
            return None
        self._pages.move_to_end(number)
        offset = position - number * PAGE
        return page[offset] if offset < len(page) else None

    def ids(self) -> list[int]:
        """All ids in order, for exports."""
        return self._ids

    def fetcher(self) -> Callable[[Session, list[int]], Sequence[R]]:
        return self._fetch

    def id_at(self, position: int) -> int:
        return self._ids[position]

    def position_of(self, wanted: int) -> int | None:
        try:
            return self._ids.index(wanted)
        except ValueError:
            return None

    def rowCount(self, parent: Index = QModelIndex()) -> int:
        return 0 if parent.isValid() else len(self._ids)

    def sort(self, section: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        if not 0 <= section < len(self.columns) or not self.columns[section].sort:
            return
        key, down = self.columns[section].sort, order == Qt.SortOrder.DescendingOrder
        if (key, down) != (self.sort_key, self.descending):
            self.sort_key, self.descending = key, down
            self.reload()

    def _take(self, ids: list[int], rows: Sequence[R]) -> None:
        self.beginResetModel()
        self._generation += 1
        self.complete = len(ids) < PAGE
        self._ids = ids
        self._pages.clear()
        self._asked.clear()
        if rows:
            self._pages[0] = rows
        self.endResetModel()
        self.loaded.emit()

    def _take_all(self, ids: list[int]) -> None:
        """The other ids follow; when the list changed in between, it is shown anew."""
        shown = len(self._ids)
        if ids[:shown] != self._ids:
            self._take(ids, ())
        elif len(ids) > shown:
            self.beginInsertRows(QModelIndex(), shown, len(ids) - 1)
            self._ids = ids
            self.endInsertRows()
        self.complete = True
        self.loaded.emit()

    def _ask(self, number: int) -> None:
        if number in self._asked:
            return
        self._asked.add(number)
        wanted = self._ids[number * PAGE : (number + 1) * PAGE]
        generation, fetch = self._generation, self._fetch

        def arrived(rows: Sequence[R]) -> None:
            if generation != self._generation:
                return
            self._asked.discard(number)
            self._pages[number] = rows
            while len(self._pages) > _KEPT_PAGES:
                self._pages.popitem(last=False)
            last = min(len(self._ids), (number + 1) * PAGE) - 1
            self.dataChanged.emit(
                self.index(number * PAGE, 0), self.index(last, len(self.columns) - 1)
            )

        self._workspace.read(
            lambda session: fetch(session, wanted), arrived, view=self._view, owner=self
        )

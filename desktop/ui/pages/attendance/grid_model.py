"""The month grid as a table model: who, the days, the totals, exactly as the paper will print."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from functools import partial
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt

from desktop.attendance.month import PersonMonth
from desktop.attendance.rules import EXPLAINED_SYMBOLS, UNRESOLVED
from desktop.ui.i18n import day_words, tr, weekday
from desktop.ui.pages.attendance.snapshot import MonthSnapshot
from desktop.ui.tables.columns import CENTER, LEFT, RIGHT, Column

Index = QModelIndex | QPersistentModelIndex

WHO = ("编号", "姓名", "班组")
SUMS = ("打卡", "说明", "确认")

MEANINGS = {
    "√": "出勤一天", "半": "出勤半天", "夜": "夜班一天", "?": "待核，签字前须清零", "○": "无打卡记录",
    "补": "核实说明计一天", "补半": "核实说明计半天", "×": "经核实未出勤", "停": "停工",
    "节": "法定节假日", "△": "事假", "☆": "病假", "伤": "工伤", "公": "公出", "—": "未进场或已退场",
}


class GridModel(QAbstractTableModel):
    """Columns: :data:`WHO`, one per day, :data:`SUMS`. Rows in print order."""

    def __init__(self) -> None:
        super().__init__()
        self.snapshot: MonthSnapshot | None = None
        self._rows: list[PersonMonth] = []
        self.days: list[date] = []
        self.weekend: list[bool] = []
        self.holiday: list[bool] = []

    def show_rows(self, snapshot: MonthSnapshot | None, rows: Sequence[PersonMonth]) -> None:
        """Replace the content."""
        self.beginResetModel()
        self.snapshot = snapshot
        self._rows = list(rows)
        if snapshot is None:
            self.days = []
        else:
            count = (snapshot.last - snapshot.first).days + 1
            self.days = [snapshot.first + timedelta(days=n) for n in range(count)]
            known = snapshot.holidays
            self.holiday = [day in known and known[day].statutory for day in self.days]
            self.weekend = [
                known[day].day_type == "off" if day in known else day.weekday() >= 5
                for day in self.days
            ]
        self.endResetModel()

    def rows(self) -> list[PersonMonth]:
        return self._rows

    def person(self, row: int) -> PersonMonth:
        return self._rows[row]

    def day_place(self, column: int) -> int | None:
        """Place of the day in a column, None for the others."""
        place = column - len(WHO)
        return place if 0 <= place < len(self.days) else None

    def is_unresolved(self, row: int, place: int) -> bool:
        return self._rows[row].symbols[place] == UNRESOLVED

    def waits(self, row: int, place: int) -> bool:
        """Whether an explanation of the cell waits for approval."""
        assert self.snapshot is not None
        key = (self._rows[row].worker.person_id, self.days[place])
        found = self.snapshot.by_cell.get(key)
        return found is not None and found.state == "proposed"

    def rowCount(self, parent: Index = QModelIndex()) -> int:
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: Index = QModelIndex()) -> int:
        return 0 if parent.isValid() else len(WHO) + len(self.days) + len(SUMS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = 0) -> Any:
        if orientation != Qt.Orientation.Horizontal:
            return None
        place = self.day_place(section)
        if role == Qt.ItemDataRole.DisplayRole:
            if place is not None:
                return f"{self.days[place].day}\n{weekday(self.days[place])}"
            if section < len(WHO):
                return tr(WHO[section])
            return tr(SUMS[section - len(WHO) - len(self.days)])
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return CENTER if place is not None else (LEFT if section < len(WHO) else RIGHT)
        return None

    def data(self, index: Index, role: int = 0) -> Any:
        if not index.isValid():
            return None
        place = self.day_place(index.column())
        if role == Qt.ItemDataRole.DisplayRole:
            return self._text(index.row(), index.column(), place)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            if place is not None:
                return CENTER
            return LEFT if 0 < index.column() < len(WHO) else RIGHT
        if role == Qt.ItemDataRole.AccessibleTextRole and place is not None:
            row = self._rows[index.row()]
            meaning = tr(MEANINGS.get(row.symbols[place], ""))
            return f"{row.worker.name} {day_words(self.days[place])} {row.symbols[place]} {meaning}"
        if role == Qt.ItemDataRole.ToolTipRole and index.column() < len(WHO):
            return self._text(index.row(), index.column(), place)
        return None

    def _text(self, row: int, column: int, place: int | None) -> str:
        person = self._rows[row]
        if place is not None:
            return person.symbols[place]
        if column == 0:
            return str(person.worker.worker_no)
        if column == 1:
            return person.worker.name
        if column == 2:
            assert self.snapshot is not None
            return self.snapshot.team_name(person)
        totals = person.totals
        values = (totals.punched, totals.explained, totals.confirmed)
        half_days = values[column - len(WHO) - len(self.days)]
        return f"{half_days / 2:g}" if half_days or column != len(WHO) + len(self.days) + 1 else ""


def grid_columns(model: GridModel) -> list[Column[PersonMonth]]:
    """The grid as columns of a list, for a spreadsheet or a plain print."""
    snapshot = model.snapshot
    if snapshot is None:
        return []
    columns: list[Column[PersonMonth]] = [
        Column(WHO[0], 4, lambda r: str(r.worker.worker_no), align=RIGHT),
        Column(WHO[1], 5, lambda r: r.worker.name),
        Column(WHO[2], 5, snapshot.team_name),
        *(
            Column(str(day.day), 0.6, partial(_symbol, place), align=CENTER)
            for place, day in enumerate(model.days)
        ),
        Column(SUMS[0], 1.6, lambda r: f"{r.totals.punched / 2:g}", align=RIGHT),
        Column(SUMS[1], 1.6, lambda r: f"{r.totals.explained / 2:g}", align=RIGHT),
        Column(SUMS[2], 1.6, lambda r: f"{r.totals.confirmed / 2:g}", align=RIGHT),
    ]
    return columns


def _symbol(place: int, row: PersonMonth) -> str:
    return row.symbols[place]


EXPLAINED = frozenset(EXPLAINED_SYMBOLS.values())

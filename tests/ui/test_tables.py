"""Models behave as Qt demands; order comes from SQL; the selection stays with its row."""

from __future__ import annotations

from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QAbstractItemModelTester

from desktop.access.actor import View
from desktop.access.desk import Desk
from desktop.bootstrap import Office
from desktop.ui.actions import PageName
from desktop.ui.pages.attendance.grid_model import GridModel
from desktop.ui.pages.attendance.snapshot import read_month
from desktop.ui.shell.window import Window
from desktop.ui.tables.columns import Column
from desktop.ui.tables.model import PAGE, RowsModel
from desktop.ui.tables.view import ListView
from tests.attendance.crew import gates, hire, whole_days
from tests.ui.conftest import Settle

FATAL = QAbstractItemModelTester.FailureReportingMode.Fatal
COLUMNS: tuple[Column[tuple[int, str]], ...] = (
    Column("号", 3, lambda row: str(row[0]), order=lambda row: row[0]),
    Column("名", 6, lambda row: row[1], stretch=True),
)


def test_rows_in_memory() -> None:
    model: RowsModel[tuple[int, str]] = RowsModel(COLUMNS, key=lambda row: row[0])
    tester = QAbstractItemModelTester(model, FATAL)
    model.show_rows([(10, "乙"), (9, "甲")])
    model.sort(0)
    assert [model.id_at(k) for k in range(2)] == [9, 10]  # by value, not as text
    model.sort(0, Qt.SortOrder.DescendingOrder)
    assert [model.id_at(k) for k in range(2)] == [10, 9]
    model.show_rows([])
    assert tester is not None


def test_the_selection_stays_with_its_row(qtbot: Any) -> None:
    model: RowsModel[tuple[int, str]] = RowsModel(COLUMNS, key=lambda row: row[0])
    view = ListView("试", many=True)
    qtbot.addWidget(view)
    view.set_model(model)
    model.show_rows([(k, f"人{k}") for k in range(30)])
    view.choose_id(7)
    model.show_rows([(k, f"人{k}") for k in range(5, 40)])
    assert view.chosen_ids() == [7]
    model.sort(0, Qt.SortOrder.DescendingOrder)
    assert view.chosen_ids() == [7]


def test_people_come_by_page_in_the_order_of_sql(
    window: Window, peopled: Desk, settle: Settle
) -> None:
    window.take_office(Office(peopled.book, peopled))
    window.frame.show_page(PageName.ROSTER)  # type: ignore[union-attr]
    settle()
    model = window.frame.page(PageName.ROSTER).model  # type: ignore[union-attr]
    tester = QAbstractItemModelTester(model, FATAL)
    assert tester is not None
    assert model.rowCount() == 40 <= PAGE
    model.sort(1)  # by name, in pinyin
    settle()
    pinyins = [row.name for row in map(model.row, range(40))]
    with peopled.book.read() as session:
        wanted = session.connection().exec_driver_sql(
            "SELECT name FROM person ORDER BY pinyin, name, worker_no"
        )
        assert pinyins == [name for (name,) in wanted]


def test_rows_not_yet_there_are_asked_for(window: Window, desk: Desk, settle: Settle) -> None:
    from desktop.ui.tables.model import PagingModel

    window.take_office(Office(desk.book, desk))
    workspace = window.frame.workspace  # type: ignore[union-attr]
    model: PagingModel[tuple[int, str]] = PagingModel(COLUMNS, workspace, View.PROJECT)
    tester = QAbstractItemModelTester(model, FATAL)
    assert tester is not None
    asked: list[int] = []

    def fetch(session: object, ids: list[int]) -> list[tuple[int, str]]:
        asked.append(len(ids))
        return [(k, f"人{k}") for k in ids]

    model.set_source(lambda session, sort, down, limit: list(range(1, 1001))[:limit], fetch)
    model.reload()
    settle()
    assert asked == [PAGE]
    assert model.index(900, 1).data() == "…"
    settle()
    assert model.index(900, 1).data() == "人901"
    assert sum(asked) <= 2 * PAGE


def test_the_grid_is_a_model_too(desk: Desk) -> None:
    places, member = gates(desk), hire(desk, 7, "钢筋班")
    whole_days(desk, places, member, 2, 3)
    with desk.book.read() as session:
        snapshot = read_month(
            session, desk.project_id, "2026-11", desk.clock.local(), _silent, _Never()
        )
    model = GridModel()
    tester = QAbstractItemModelTester(model, FATAL)
    assert tester is not None
    model.show_rows(snapshot, snapshot.attendance.rows)
    assert model.columnCount() == 3 + 30 + 3
    cells = [model.index(0, column).data() for column in range(model.columnCount())]
    assert cells[:3] == ["7", "工友7", "钢筋班"]
    assert cells[3:6] == ["○", "√", "√"]
    assert cells[-3:] == ["2", "", "2"]
    model.show_rows(None, [])
    assert model.rowCount() == 0


def _silent(done: int, total: int, text: str) -> None: ...


class _Never:
    def raise_if_set(self) -> None: ...


@pytest.mark.parametrize("text", ["2026-11-24", "2026.11.24", "20261124", "2026年11月24日", "11-24"])
def test_a_date_may_be_typed_in_any_usual_form(text: str) -> None:
    from datetime import date

    from desktop.ui.widgets.fields import parse_day

    assert parse_day(text, date(2026, 1, 1)) == date(2026, 11, 24)
    assert parse_day("2026-02-30") is None
    assert parse_day("") is None

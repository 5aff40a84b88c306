"""Cells, blanks, hours, rows and totals."""

from __future__ import annotations

import pytest

from desktop.attendance.rules import (
    Cell,
    Row,
    Totals,
    blank,
    hours,
    judge,
    present_s,
    printed,
    row,
    totals,
)
from desktop.site.rules import Basis, RulePack, rule_pack
from tests.attendance.hand import RULE, at, day, night_days, punch, went

HOUR = 3600


@pytest.mark.parametrize(
    ("count", "span_s", "expected"),
    [
        (1, 0, Cell("?", 0)),
        (2, 0, Cell("?", 0)),
        (2, 2 * HOUR - 1, Cell("?", 0)),
        (2, 2 * HOUR, Cell("半", 1)),
        (3, 4 * HOUR - 1, Cell("半", 1)),
        (2, 4 * HOUR, Cell("√", 2)),
        (9, 15 * HOUR, Cell("√", 2)),
    ],
)
def test_the_value_of_a_span(count: int, span_s: int, expected: Cell) -> None:
    first = at("11-03 07:00")
    assert judge(first, first + span_s, count, night_team=False, rule=RULE) == expected


@pytest.mark.parametrize(
    ("span_s", "symbol"),
    [(3 * HOUR - 1, "?"), (3 * HOUR, "半"), (6 * HOUR - 1, "半"), (6 * HOUR, "√")],
)
def test_the_basis_workday_asks_for_more(span_s: int, symbol: str) -> None:
    rule = rule_pack({"basis": Basis.WORKDAY})
    first = at("11-03 07:00")
    assert judge(first, first + span_s, 2, night_team=False, rule=rule).symbol == symbol


@pytest.mark.parametrize(
    ("first", "night_team", "symbol"),
    [
        ("11-03 17:59:59", False, "√"), ("11-03 18:00:00", False, "夜"),
        ("11-04 03:59:59", False, "夜"), ("11-04 04:00:00", False, "√"),
        ("11-03 07:00", True, "夜"),
    ],
)
def test_a_night(first: str, night_team: bool, symbol: str) -> None:
    came = at(first)
    cell = judge(came, came + 5 * HOUR, 2, night_team=night_team, rule=RULE)
    assert cell == Cell(symbol, 2)


def test_half_a_night_is_half_a_day() -> None:
    came = at("11-03 19:00")
    assert judge(came, came + 3 * HOUR, 2, night_team=True, rule=RULE) == Cell("半", 1)


@pytest.mark.parametrize(
    ("stopped", "leave", "statutory", "inside", "symbol"),
    [
        (True, "△", True, False, "停"),
        (False, "☆", True, False, "☆"),
        (False, None, True, False, "节"),
        (False, None, False, False, "—"),
        (False, None, False, True, "○"),
    ],
)
def test_without_a_punch_the_order_of_the_text_decides(
    stopped: bool, leave: str | None, statutory: bool, inside: bool, symbol: str
) -> None:
    assert blank(stopped=stopped, leave=leave, statutory=statutory, inside=inside) == symbol


def test_hours_are_the_closed_pairs_of_the_day() -> None:
    made = went(
        punch("in", "11-03 07:00"), punch("out", "11-03 11:30"),
        punch("in", "11-03 13:00"), punch("out", "11-03 17:40"),
    )
    assert hours(present_s(made.kept[day("11-03")])) == 9.17


def test_hours_without_a_pair_are_the_span() -> None:
    made = went(punch("both", "11-03 07:00"), punch("both", "11-03 17:20"))
    assert hours(present_s(made.kept[day("11-03")])) == 10.33
    lone = went(punch("in", "11-03 07:00"))
    assert hours(present_s(lone.kept[day("11-03")])) == 0.0


def test_an_open_in_adds_nothing_to_the_pairs() -> None:
    made = went(
        punch("in", "11-03 07:00"), punch("out", "11-03 11:00"), punch("in", "11-03 13:00")
    )
    assert present_s(made.kept[day("11-03")]) == 4 * HOUR


def test_a_row_has_the_blanks_where_nothing_was_kept() -> None:
    made = went(
        punch("in", "10-31 07:00"), punch("out", "10-31 17:00"),
        punch("in", "11-02 07:00"), punch("out", "11-02 10:00"),
        punch("in", "11-03 20:00"), punch("out", "11-04 06:00"),
        punch("in", "11-05 07:00"), punch("out", "11-05 17:00"),
    )
    cells = row(made, day("11-01"), ["节", "○", "○", "—"], night_days("11-05", "11-05"), RULE)
    assert cells == Row(["节", "半", "夜", "—"], [0, 1, 2, 0])


def test_an_explanation_moves_explained_and_confirmed_days_never_punched_ones() -> None:
    cells = Row(["√", "?", "半", "○", "夜", "夜"], [2, 0, 1, 0, 2, 2])
    explained = {1: 2, 2: 2, 3: 1, 4: 0}
    assert printed(cells.symbols, explained) == ["√", "补", "补", "补半", "×", "夜"]
    assert totals(cells, explained) == Totals(punched=7, explained=5, confirmed=9, nights=1)
    assert totals(cells, {}) == Totals(punched=7, explained=0, confirmed=7, nights=2)
    assert totals(Row(["√"], [2]), {}).nights == 0


def test_a_whole_day_needs_the_thresholds_of_the_pack() -> None:
    came = at("11-03 07:00")
    loose = RulePack(full_s=60, half_s=30, night_from_s=7 * HOUR, night_to_s=0)
    assert judge(came, came + 60, 2, night_team=False, rule=loose) == Cell("夜", 2)

"""A dated change of team: days before stay with the old team."""

from __future__ import annotations

from datetime import date

import pytest

from desktop.access.desk import Desk
from desktop.errors import Refused
from desktop.people.team_move import move_to_team
from tests.attendance.crew import MONTH, gates, hire, month_of, team_id, whole_days


def _team(desk: Desk, name: str) -> int:
    with desk.book.read() as session:
        return team_id(session, name)


def test_the_month_is_split_at_the_day_of_the_move(desk: Desk) -> None:
    places = gates(desk)
    mover = hire(desk, 501, "木工班")
    whole_days(desk, places, mover, 3, 20)
    move_to_team(desk, 501, _team(desk, "钢筋班"), date(2026, 11, 16))
    parts = {part.assignment.team_id: part for part in month_of(desk, MONTH).parts()}
    old, new = parts[_team(desk, "木工班")], parts[_team(desk, "钢筋班")]
    assert (old.totals.punched, new.totals.punched) == (2, 2)
    assert old.symbols[19] == "—" and new.symbols[2] == "—"


def test_what_cannot_be_is_refused(desk: Desk) -> None:
    hire(desk, 502, "木工班", left=date(2026, 11, 10))
    steel, other = _team(desk, "钢筋班"), _team(desk, "架子班")
    for worker, team, day, code in (
        (999, steel, date(2026, 11, 5), "no_stay"),
        (502, steel, date(2026, 11, 11), "no_stay"),
        (502, _team(desk, "木工班"), date(2026, 11, 5), "same_team"),
        (502, other, date(2026, 11, 5), "other_employer"),
    ):
        with pytest.raises(Refused) as refusal:
            move_to_team(desk, worker, team, day)
        assert refusal.value.code == code
    move_to_team(desk, 502, steel, date(2026, 11, 5))
    with pytest.raises(Refused) as refusal:
        move_to_team(desk, 502, _team(desk, "木工班"), date(2026, 11, 4))
    assert refusal.value.code == "move_order"

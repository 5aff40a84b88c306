"""连班: what is one and what only looks like one."""

from __future__ import annotations

import pytest

from desktop.attendance.turns import Stretch, double_turns
from tests.attendance.hand import RULE, at, day, night_days, punch, went


def stretches(*times: str, gates: str = "io", nights: frozenset[int] = frozenset()) -> list[Stretch]:
    """Punches alternately at the gates ``i``, ``o`` (or all ``b``)."""
    names = {"i": "in", "o": "out", "b": "both"}
    punches = [punch(names[gates[n % len(gates)]], time) for n, time in enumerate(times)]
    return double_turns(went(*punches, nights=nights), RULE)


def test_a_day_turn_and_a_night_turn_with_supper_between() -> None:
    assert stretches("11-03 07:00", "11-03 18:00", "11-03 19:00", "11-04 06:00") == [
        Stretch(day("11-03"), at("11-03 07:00"), at("11-04 06:00"))
    ]


def test_a_day_turn_and_a_night_turn_with_a_short_sleep_between() -> None:
    assert stretches("11-03 07:00", "11-03 17:00", "11-03 22:00", "11-04 06:00") == [
        Stretch(day("11-03"), at("11-03 07:00"), at("11-04 06:00"))
    ]


def test_a_night_turn_followed_by_a_day_turn() -> None:
    found = stretches("11-03 19:00", "11-04 05:00", "11-04 08:00", "11-04 17:00")
    assert [one.day for one in found] == [day("11-03")]


def test_after_midnight_is_a_night_turn_too() -> None:
    assert stretches("11-03 09:00", "11-03 19:00", "11-04 00:30", "11-04 06:30")


def test_longer_than_any_turn_at_a_gate_without_direction() -> None:
    found = stretches(
        "11-03 19:00", "11-04 11:30", gates="b", nights=night_days("11-01", "11-30")
    )
    assert found == [Stretch(day("11-03"), at("11-03 19:00"), at("11-04 11:30"))]


@pytest.mark.parametrize(
    "times",
    [
        pytest.param(("11-03 07:00", "11-03 11:30", "11-03 13:00", "11-03 17:30",
                      "11-03 18:30", "11-03 21:30"), id="an evening of overtime"),
        pytest.param(("11-03 18:00", "11-03 23:00", "11-04 00:00", "11-04 06:00"),
                     id="a night with a meal at midnight"),
        pytest.param(("11-03 07:00", "11-03 22:00", "11-04 05:30", "11-04 15:00"),
                     id="two day turns with little sleep"),
        pytest.param(("11-03 19:00", "11-04 05:00", "11-04 13:00", "11-04 22:00"),
                     id="eight hours of rest"),
        pytest.param(("11-03 19:00", "11-04 05:00", "11-04 08:00", "11-04 09:00"),
                     id="an errand after the night"),
        pytest.param(("11-03 07:00", "11-03 15:00", "11-03 19:00", "11-03 23:50"),
                     id="home before midnight"),
        pytest.param((), id="nothing"),
    ],
)
def test_no_double_turn(times: tuple[str, ...]) -> None:
    assert stretches(*times) == []

"""The walk: every sentence of the rule text with an example worked out by hand."""

from __future__ import annotations

import pytest

from desktop.attendance.rules import (
    FAR_DAY,
    MAX_TERMINALS,
    Standing,
    Way,
    pack,
    pairs_of,
    plain,
    standing,
    standing_of,
    terminal_of,
    time_of,
    way_of,
)
from desktop.site.rules import RulePack
from tests.attendance.hand import at, day, dropped, kept, night_days, punch, went

NIGHTS = night_days("11-01", "11-30")


@pytest.mark.parametrize("way", list(Way))
@pytest.mark.parametrize("place", [0, 1, MAX_TERMINALS - 1])
def test_a_packed_punch_gives_back_what_it_was_made_of(way: Way, place: int) -> None:
    one = pack(at("11-03 07:00:59"), way, place, Standing.UNPROVEN)
    assert (time_of(one), way_of(one), terminal_of(one), standing_of(one)) == (
        at("11-03 07:00:59"), way, place, Standing.UNPROVEN,
    )


@pytest.mark.parametrize(
    ("method_class", "accepted", "declared", "expected"),
    [
        (1, 1, False, Standing.BIOMETRIC),
        (1, 0, True, Standing.NOT_ACCEPTED),
        (0, 0, True, Standing.NOT_ACCEPTED),
        (2, 1, True, Standing.NOT_BIOMETRIC),
        (0, 1, True, Standing.DECLARED),
        (0, 1, False, Standing.UNPROVEN),
    ],
)
def test_what_a_punch_is_worth(
    method_class: int, accepted: int, declared: bool, expected: Standing
) -> None:
    assert standing(method_class, accepted, declared=declared) is expected


def test_not_accepted_not_biometric_and_unproven_punches_are_dropped_with_their_reason() -> None:
    made = went(
        punch("in", "11-03 07:00", Standing.NOT_ACCEPTED),
        punch("in", "11-03 07:05", Standing.NOT_BIOMETRIC),
        punch("in", "11-03 07:10", Standing.UNPROVEN),
        punch("in", "11-03 07:15", Standing.DECLARED),
    )
    assert kept(made) == {"11-03": ["11-03 07:15:00"]}
    assert [why for _, why in dropped(made)] == [
        Standing.NOT_ACCEPTED, Standing.NOT_BIOMETRIC, Standing.UNPROVEN,
    ]


def test_within_sixty_seconds_of_the_last_kept_in_the_same_direction() -> None:
    made = went(
        punch("in", "11-03 07:00:00"), punch("in", "11-03 07:01:00"), punch("in", "11-03 07:01:01")
    )
    assert kept(made) == {"11-03": ["11-03 07:00:00", "11-03 07:01:01"]}
    assert dropped(made) == [("11-03 07:01:00", Standing.REPEATED)]


def test_a_repetition_is_measured_from_the_last_kept_not_from_the_last() -> None:
    times = ("07:00:00", "07:00:50", "07:01:40")
    made = went(*(punch("both", f"11-03 {time}") for time in times))
    assert kept(made) == {"11-03": ["11-03 07:00:00", "11-03 07:01:40"]}


def test_other_directions_are_no_repetition() -> None:
    made = went(
        punch("in", "11-03 07:00:00"), punch("out", "11-03 07:00:10"),
        punch("both", "11-03 07:00:20"),
    )
    assert len(made.kept[day("11-03")]) == 3


def test_a_punch_that_does_not_count_makes_no_repetition() -> None:
    made = went(
        punch("in", "11-03 07:00:00", Standing.NOT_BIOMETRIC), punch("in", "11-03 07:00:30")
    )
    assert kept(made) == {"11-03": ["11-03 07:00:30"]}


def test_a_punch_outside_the_stay_makes_no_repetition() -> None:
    made = went(
        punch("in", "11-10 03:59:50"), punch("in", "11-10 04:00:10"),
        stays=((day("11-10"), FAR_DAY),),
    )
    assert dropped(made) == [("11-10 03:59:50", Standing.OUTSIDE_STAY)]
    assert kept(made) == {"11-10": ["11-10 04:00:10"]}


def test_a_punch_outside_the_stay_neither_opens_nor_closes() -> None:
    made = went(
        punch("in", "11-09 23:00"), punch("out", "11-10 06:00"), stays=((day("11-10"), FAR_DAY),)
    )
    assert dropped(made) == [("11-09 23:00:00", Standing.OUTSIDE_STAY)]
    assert kept(made) == {"11-10": ["11-10 06:00:00"]}
    closing = went(
        punch("in", "11-09 20:00"), punch("both", "11-10 01:00"), punch("out", "11-10 04:30"),
        punch("out", "11-10 06:00"), stays=((day("11-08"), day("11-09")),),
    )
    assert kept(closing) == {"11-09": ["11-09 20:00:00", "11-10 01:00:00", "11-10 04:30:00"]}
    assert dropped(closing) == [("11-10 06:00:00", Standing.OUTSIDE_STAY)]


def test_between_two_stays_nothing_counts() -> None:
    made = went(
        punch("in", "11-05 07:00"), punch("in", "11-06 07:00"), punch("in", "11-08 07:00"),
        stays=((day("11-01"), day("11-05")), (day("11-08"), FAR_DAY)),
    )
    assert list(kept(made)) == ["11-05", "11-08"]


def test_without_a_stay_nothing_counts() -> None:
    made = went(punch("in", "11-05 07:00"), stays=())
    assert made.kept == {}


@pytest.mark.parametrize("nights", [frozenset(), NIGHTS])
def test_an_in_takes_the_date_of_time_minus_four_hours_in_every_team(
    nights: frozenset[int],
) -> None:
    made = went(
        punch("in", "11-03 03:59:59"), punch("in", "11-04 04:00:00"), punch("in", "11-05 08:00"),
        nights=nights,
    )
    assert list(kept(made)) == ["11-02", "11-04", "11-05"]


def test_an_out_takes_the_day_of_the_open_in() -> None:
    made = went(punch("in", "11-03 18:00"), punch("out", "11-04 06:00"))
    assert kept(made) == {"11-03": ["11-03 18:00:00", "11-04 06:00:00"]}
    assert pairs_of(made.kept[day("11-03")]) == [(at("11-03 18:00"), at("11-04 06:00"))]


def test_an_open_in_waits_sixteen_hours_and_not_a_second_longer() -> None:
    just = went(punch("in", "11-03 18:00:00"), punch("out", "11-04 10:00:00"))
    assert list(kept(just)) == ["11-03"]
    late = went(punch("in", "11-03 18:00:00"), punch("out", "11-04 10:00:01"))
    assert list(kept(late)) == ["11-03", "11-04"]
    assert pairs_of(late.kept[day("11-04")]) == []


def test_an_in_replaces_an_earlier_open_in() -> None:
    made = went(
        punch("in", "11-03 07:00"), punch("in", "11-04 07:00"), punch("out", "11-04 17:00")
    )
    assert pairs_of(made.kept[day("11-04")]) == [(at("11-04 07:00"), at("11-04 17:00"))]
    within_a_day = went(
        punch("in", "11-03 07:00"), punch("in", "11-03 13:00"), punch("out", "11-03 17:00")
    )
    assert pairs_of(within_a_day.kept[day("11-03")]) == [(at("11-03 13:00"), at("11-03 17:00"))]


@pytest.mark.parametrize("first_out", ["11-03 17:00", "11-04 11:00"])
def test_any_out_clears_the_open_in(first_out: str) -> None:
    """Paired or too late: the next out finds nothing open."""
    made = went(punch("in", "11-03 18:30" if first_out > "11-03 18" else "11-03 07:00"),
                punch("out", first_out), punch("out", "11-04 11:30"))
    assert list(kept(made))[-1] == "11-04"
    assert pairs_of(made.kept[day("11-04")]) == []


def test_an_unpaired_out_in_a_day_team_takes_time_minus_four_hours() -> None:
    made = went(punch("out", "11-04 03:30"), punch("out", "11-04 11:30"))
    assert list(kept(made)) == ["11-03", "11-04"]


def test_an_unpaired_out_in_a_night_team_takes_time_minus_twelve_hours() -> None:
    made = went(punch("out", "11-04 11:58"), punch("out", "11-04 12:00"), nights=NIGHTS)
    assert list(kept(made)) == ["11-03", "11-04"]


def test_unknown_direction_takes_the_same_days_and_neither_opens_nor_closes() -> None:
    day_team = went(punch("both", "11-03 20:00"), punch("both", "11-04 06:00"))
    assert list(kept(day_team)) == ["11-03", "11-04"]
    night_team = went(punch("both", "11-03 20:00"), punch("both", "11-04 06:00"), nights=NIGHTS)
    assert list(kept(night_team)) == ["11-03"]
    assert pairs_of(night_team.kept[day("11-03")]) == []
    between = went(punch("in", "11-03 18:00"), punch("both", "11-03 23:00"),
                   punch("out", "11-04 06:00"), nights=NIGHTS)
    assert pairs_of(between.kept[day("11-03")]) == [(at("11-03 18:00"), at("11-04 06:00"))]
    opening = went(punch("both", "11-03 19:00"), punch("out", "11-04 06:00"))
    assert list(kept(opening)) == ["11-03", "11-04"]


def test_the_shift_of_the_day_of_time_minus_four_hours_decides() -> None:
    """Night shift until the 9th, day shift from the 10th, and the other way round."""
    until = went(punch("both", "11-10 03:00"), punch("both", "11-10 06:00"),
                 nights=night_days("11-01", "11-09"))
    assert kept(until) == {"11-09": ["11-10 03:00:00"], "11-10": ["11-10 06:00:00"]}
    since = went(punch("both", "11-10 03:00"), punch("both", "11-10 06:00"),
                 nights=night_days("11-10", "11-30"))
    assert list(kept(since)) == ["11-09"]


def test_at_the_same_second_in_goes_before_out() -> None:
    made = went(punch("out", "11-03 17:00"), punch("in", "11-03 17:00"))
    assert pairs_of(made.kept[day("11-03")]) == [(at("11-03 17:00"), at("11-03 17:00"))]


def test_all_terminals_are_walked_together() -> None:
    east = pack(at("11-03 07:00"), Way.IN, 5, Standing.BIOMETRIC)
    west = pack(at("11-03 17:00"), Way.OUT, 9, Standing.BIOMETRIC)
    again = pack(at("11-03 07:00:30"), Way.IN, 9, Standing.BIOMETRIC)
    made = went(east, west, again)
    assert dropped(made) == [("11-03 07:00:30", Standing.REPEATED)]
    assert pairs_of(made.kept[day("11-03")]) == [(at("11-03 07:00"), at("11-03 17:00"))]


def test_the_thresholds_are_those_of_the_rule_pack() -> None:
    rule = RulePack(day_cut_s=6 * 3600, night_cut_s=8 * 3600, open_limit_s=3600, repeat_s=0)
    made = went(punch("in", "11-03 05:59"), punch("in", "11-03 05:59:01"),
                punch("out", "11-03 07:30"), rule=rule)
    assert kept(made) == {
        "11-02": ["11-03 05:59:00", "11-03 05:59:01"], "11-03": ["11-03 07:30:00"],
    }


def test_kept_punches_are_the_ones_that_came_in() -> None:
    came = [punch("in", "11-03 18:00"), punch("out", "11-04 06:00")]
    assert [plain(one) for one in went(*came).kept[day("11-03")]] == came

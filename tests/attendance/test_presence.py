"""施工日 and the 80 % of the project manager."""

from __future__ import annotations

from desktop.attendance.presence import Presence, construction_days


def manager(punched: int, *, days: int = 25, explained: int = 0, leave: int = 0) -> Presence:
    return Presence(days, punched, explained, leave, required=80)


def test_construction_days_are_inside_the_project_and_not_stopped() -> None:
    assert construction_days(1, 10, started=None, ended=None, stopped=set()) == list(range(1, 11))
    assert construction_days(1, 10, started=3, ended=8, stopped={1, 5}) == [3, 4, 6, 7, 8]
    assert construction_days(1, 10, started=0, ended=99, stopped=set()) == list(range(1, 11))
    assert construction_days(1, 10, started=11, ended=None, stopped=set()) == []


def test_the_sentence_as_printed() -> None:
    assert manager(43).sentence == "本月施工日25天，带班21.5天，占86%（要求不少于80%）"
    assert manager(43, days=26).sentence == "本月施工日26天，带班21.5天，占82.6%（要求不少于80%）"
    assert manager(0, days=0).sentence == "本月施工日0天，带班0天，占—（要求不少于80%）"


def test_eighty_percent_exactly_is_enough_and_nothing_is_rounded_up() -> None:
    assert manager(40).reached
    assert not manager(39).reached
    almost = manager(49, days=31)  # 79.03 %
    assert not almost.reached
    assert almost.tenths_of_percent == 790
    assert manager(0, days=0).reached


def test_explained_days_and_approved_leave_stand_beside_it() -> None:
    assert manager(40).beside == ""
    assert manager(30, explained=3, leave=2).beside == (
        "另有核实说明1.5天、经建设单位批准请假2天，不计入带班天数"
    )
    assert not manager(30, explained=10, leave=9).reached

"""The sentences: each names the punches and the rule."""

from __future__ import annotations

from datetime import date

import pytest

from desktop.attendance.reasons import (
    Blank,
    Explained,
    Gate,
    blank_reason,
    dropped_reason,
    explained_reason,
    hours_text,
    moment,
    punched_reason,
)
from desktop.attendance.rules import Standing, judge, time_of
from desktop.site.rules import Basis, rule_pack
from tests.attendance.hand import RULE, at, day, punch, went

GATES = [Gate("东门进", None), Gate("东门出", None), Gate("生活区", date(2026, 11, 1))]


def reason(*punches: int, night_team: bool = False, basis: Basis = Basis.VERIFICATION) -> str:
    rule = rule_pack({"basis": basis})
    number = day("11-03")
    bucket = went(*punches).kept[number]
    cell = judge(
        time_of(bucket[0]), time_of(bucket[-1]), len(bucket), night_team=night_team, rule=rule
    )
    return punched_reason(
        number, bucket, cell, night_team=night_team, rule=rule, gates=GATES
    )


def test_a_whole_day() -> None:
    assert reason(punch("in", "11-03 07:02:30"), punch("out", "11-03 18:05:29")) == (
        "07:02（东门进，进）、18:05（东门出，出），首末次相隔11小时02分，达到4小时，计1天（核验口径）。"
    )


def test_a_half_day_of_the_other_basis() -> None:
    assert reason(
        punch("in", "11-03 07:00"), punch("out", "11-03 12:00"), basis=Basis.WORKDAY
    ).endswith("相隔5小时00分，达到3小时、不足6小时，计半天（计工口径）。")


def test_seconds_show_where_minutes_would_hide_that_a_limit_was_missed() -> None:
    assert "相隔3小时59分59秒" in reason(
        punch("in", "11-03 07:00:00"), punch("out", "11-03 10:59:59")
    )


def test_a_lone_punch() -> None:
    assert reason(punch("in", "11-03 07:02")) == (
        "07:02（东门进，进），当日仅此一次有效打卡，规则不能判定出勤，待核。"
    )


def test_too_short() -> None:
    assert reason(punch("in", "11-03 07:00"), punch("out", "11-03 08:10")).endswith(
        "首末次相隔1小时10分，不足2小时（核验口径），规则不能判定出勤，待核。"
    )


def test_a_night_ends_on_the_next_morning() -> None:
    sentence = reason(punch("in", "11-03 18:40"), punch("out", "11-04 05:10"))
    assert sentence.startswith("18:40（东门进，进）、次日05:10（东门出，出），")
    assert sentence.endswith("计1天（核验口径），首次打卡在夜间，记夜班。")
    team = reason(punch("in", "11-03 17:40"), punch("out", "11-04 05:10"), night_team=True)
    assert team.endswith("班组当日为夜班，记夜班。")


def test_a_declared_terminal_says_so() -> None:
    sentence = reason(
        punch("both", "11-03 07:00", Standing.DECLARED), punch("both", "11-03 17:00")
    )
    assert "07:00（生活区，方向未定）" in sentence
    assert sentence.endswith("；其中07:00未注明验证方式，因生活区自2026-11-01起声明仅生物识别而计入。")


@pytest.mark.parametrize(
    ("blank", "sentence"),
    [
        (Blank(stop="暴雨", leave="事假", holiday="国庆节", stay="x"), "当日停工（暴雨），无打卡记录。"),
        (Blank(leave="病假，医院证明", holiday="国庆节"), "当日病假，医院证明，无打卡记录。"),
        (Blank(holiday="国庆节"), "法定节假日（国庆节），无打卡记录。"),
        (Blank(stay="2026-11-10进场"), "当日不在进退场期间（2026-11-10进场）。"),
        (Blank(), "当日无打卡记录。"),
    ],
)
def test_blanks(blank: Blank, sentence: str) -> None:
    assert blank_reason(blank) == sentence


def test_a_dropped_punch_names_itself_and_the_reason() -> None:
    made = went(punch("out", "11-03 12:30", Standing.NOT_BIOMETRIC))
    assert dropped_reason(made.dropped[0], GATES) == "12:30（东门出，出）未计：不是生物识别方式。"


def test_an_explanation_names_its_number() -> None:
    assert explained_reason(Explained(7, 1, "漏打")) == (
        "说明7号（漏打）经核实计半天，记“补半”，打卡数据未作改动。"
    )


def test_moments_and_thresholds() -> None:
    assert moment(at("11-02 23:10"), day("11-03")) == "11-02 23:10"
    assert hours_text(RULE.full_s) == "4小时"
    assert hours_text(9000) == "2小时30分"

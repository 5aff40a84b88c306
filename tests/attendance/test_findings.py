"""Findings: what blocks a month, what only warns, and when they go away."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from desktop.access.desk import Desk
from desktop.attendance import answers, calendar
from desktop.attendance.explain import Reason, add_explanation, approve_explanation
from desktop.attendance.finding import Finding
from desktop.attendance.findings import month_findings
from desktop.punches import ledger
from desktop.punches.tables import ClockReading, Terminal
from devices.terminals.model import Punch, SourceFormat, Unusable
from tests.attendance.crew import (
    RECEIVED,
    Member,
    gates,
    hire,
    month_of,
    punched,
    team_id,
    whole_days,
)
from tests.attendance.hand import at
from tests.sample_site import GENERAL_CONTRACTOR_NAME

AFTER = datetime(2026, 12, 2, 9)
FIRST, LAST = date(2026, 11, 1), date(2026, 11, 30)
CLOSED = datetime(2026, 12, 1, 8, 0, 1, tzinfo=UTC)  # 16:00:01 on site


def found(desk: Desk, code: str, now: datetime = AFTER, month: str = "2026-11") -> list[Finding]:
    with desk.book.read() as session:
        every = month_findings(session, month_of(desk, month), now)
    keys = [one.key for one in every]
    assert len(set(keys)) == len(keys), "a key stands for one matter"
    return [one for one in every if one.code == code]


def days(findings: list[Finding]) -> list[int]:
    return [one.day.day for one in findings if one.day is not None]


def read_until(desk: Desk, terminal_id: int, instant: datetime | None) -> None:
    with desk.book.write() as session:
        terminal = session.get(Terminal, terminal_id)
        assert terminal is not None
        terminal.complete_until = instant


def a_full_month(desk: Desk) -> tuple[dict[str, int], Member]:
    """One person there every day, both gates read to the end: nothing blocks."""
    places, who = gates(desk), hire(desk, 1, "钢筋班")
    whole_days(desk, places, who, *range(1, 31))
    for terminal_id in places.values():
        read_until(desk, terminal_id, CLOSED)
    return places, who


def test_a_full_month_has_no_finding(desk: Desk) -> None:
    a_full_month(desk)
    with desk.book.read() as session:
        assert month_findings(session, month_of(desk), AFTER) == []


def test_every_open_question_mark_blocks_until_it_is_explained(desk: Desk) -> None:
    places, who = gates(desk), hire(desk, 1, "钢筋班")
    punched(desk, places["进"], who, "11-03 07:00", "11-04 07:00")
    punched(desk, places["出"], who, "11-04 08:00")
    open_days = found(desk, "unresolved")
    assert days(open_days) == [3, 4] and all(one.blocking for one in open_days)
    assert open_days[0].text == (
        f"{who.name}（人员编号1）11月3日待核：07:00（进，进），当日仅此一次有效打卡，"
        "规则不能判定出勤，待核。"
    )
    assert open_days[0].key == f"unresolved:{who.person_id}:2026-11-03"
    assert "考勤说明" in open_days[0].next_step
    number = add_explanation(
        desk, [(who.person_id, date(2026, 11, 3))], half_days=0, reason=Reason.FORGOTTEN, text="x"
    ).number
    assert days(found(desk, "unresolved")) == [3, 4]
    assert found(desk, "explanation_waiting")[0].blocking is False
    approve_explanation(desk, number)
    assert days(found(desk, "unresolved")) == [4]
    assert found(desk, "explanation_waiting") == []


@pytest.mark.parametrize(
    ("instant", "blocks"),
    [
        (None, True),
        (datetime(2026, 12, 1, 7, 59, tzinfo=UTC), True),
        (datetime(2026, 12, 1, 8, 0, tzinfo=UTC), True),
        (CLOSED, False),
    ],
)
def test_a_terminal_must_be_read_later_than_sixteen_hours_after_the_month(
    desk: Desk, instant: datetime | None, blocks: bool
) -> None:
    places = gates(desk, 东门="both")
    read_until(desk, places["东门"], instant)
    open_ones = found(desk, "terminal_incomplete")
    assert bool(open_ones) is blocks
    if blocks:
        assert open_ones[0].blocking
        assert "须完整采集到12-01 16:00以后" in open_ones[0].text


@pytest.mark.parametrize(
    ("begin", "end", "covers"),
    [
        (datetime(2026, 11, 20, 8), datetime(2026, 11, 30, 23, 59), True),
        (datetime(2026, 11, 30, 20), datetime(2026, 12, 3, 8), True),
        (datetime(2026, 11, 20, 8), datetime(2026, 11, 30, 18), False),
        (datetime(2026, 12, 1, 1), datetime(2026, 12, 1, 18), False),
    ],
)
def test_a_written_note_that_reaches_the_months_end_excuses_a_terminal(
    desk: Desk, begin: datetime, end: datetime, covers: bool
) -> None:
    gate = gates(desk, 东门="both")["东门"]
    answers.add_outage(desk, gate, begin, end, reason="主板损坏", document="报修单")
    assert (found(desk, "terminal_incomplete") == []) is covers


def test_only_terminals_in_use_are_asked_for(desk: Desk) -> None:
    places = gates(desk, 旧门="both", 新门="both", 本月撤="both")
    with desk.book.write() as session:
        for name, since, until in (
            ("旧门", None, date(2026, 10, 31)), ("新门", date(2026, 12, 1), None),
            ("本月撤", None, date(2026, 11, 10)),
        ):
            terminal = session.get(Terminal, places[name])
            assert terminal is not None
            terminal.in_use_from, terminal.retired_on = since, until
    hire(desk, 1, "钢筋班")
    (late,) = found(desk, "terminal_incomplete")
    assert late.terminal_id == places["本月撤"] and "11-11 00:00以后" in late.text
    assert days(found(desk, "terminal_silent")) == list(range(1, 11))
    read_until(desk, places["本月撤"], datetime(2026, 11, 10, 17, 0, tzinfo=UTC))
    assert found(desk, "terminal_incomplete") == []


def test_a_silent_terminal_on_a_construction_day_blocks_until_answered(desk: Desk) -> None:
    places, who = a_full_month(desk)
    gate = gates(desk, 西门="both")["西门"]
    read_until(desk, gate, CLOSED)
    punched(desk, gate, who, *(f"11-{day:02d} 12:00" for day in range(1, 31) if day not in (5, 6, 9)))
    punched(desk, gate, "990001", "11-09 12:00", accepted=0)
    silent = found(desk, "terminal_silent")
    assert days(silent) == [5, 6] and all(one.blocking for one in silent)
    assert silent[0].key == f"terminal_silent:{gate}:2026-11-05"
    answers.answer_findings(desk, [silent[0].key], "当日换电源")
    after = found(desk, "terminal_silent")
    assert [(one.blocking, one.answer) for one in after] == [(True, ""), (False, "当日换电源")]
    answers.add_outage(desk, gate, datetime(2026, 11, 6, 8), datetime(2026, 11, 6, 9), reason="停电")
    assert days(found(desk, "terminal_silent")) == [5]
    calendar.add_stop(desk, date(2026, 11, 5), date(2026, 11, 5), reason="暴雨")
    assert found(desk, "terminal_silent") == []
    assert places


def test_days_that_have_not_passed_are_not_asked_about(desk: Desk) -> None:
    gates(desk, 西门="both")
    hire(desk, 1, "钢筋班")
    now = datetime(2026, 11, 4, 20)
    assert days(found(desk, "terminal_silent", now)) == [1, 2, 3]
    assert days(found(desk, "team_silent", now)) == [1, 2, 3]


def test_a_whole_team_without_a_punch_blocks_until_answered(desk: Desk) -> None:
    places = gates(desk)
    one, two = hire(desk, 1, "钢筋班"), hire(desk, 2, "钢筋班")
    hire(desk, 3, "木工班", entered=date(2026, 11, 29))
    hire(desk, 4, None, company=GENERAL_CONTRACTOR_NAME, trade="资料员")
    whole_days(desk, places, one, *range(1, 28))
    punched(desk, places["进"], two, "11-28 07:00")
    punched(desk, places["进"], two, "11-29 07:00", method_class=2)
    with desk.book.read() as session:
        steel, wood = (team_id(session, name) for name in ("钢筋班", "木工班"))
    silent = found(desk, "team_silent")
    assert sorted((one.team_id, one.day.day) for one in silent if one.day) == [
        (steel, 29), (steel, 30), (wood, 29), (wood, 30),
    ]
    assert "班组「钢筋班」11月29日是施工日，应到2人" in next(
        one.text for one in silent if one.team_id == steel and days([one]) == [29]
    )
    key = answers.silent_key(answers.SILENT_TEAM, steel, date(2026, 11, 30))
    answers.answer_findings(desk, [key], "转场")
    calendar.add_stop(desk, date(2026, 11, 29), LAST, reason="待料", team_id=wood)
    calendar.add_leave(desk, one.person_id, "事假", date(2026, 11, 29), date(2026, 11, 29))
    calendar.add_leave(desk, two.person_id, "公出", date(2026, 11, 29), date(2026, 11, 29))
    assert [(one.key, one.blocking) for one in found(desk, "team_silent")] == [(key, False)]


def test_a_punch_on_a_stop_day_is_a_finding(desk: Desk) -> None:
    places = gates(desk)
    who, other = hire(desk, 1, "钢筋班"), hire(desk, 2, "木工班")
    with desk.book.read() as session:
        wood = team_id(session, "木工班")
    calendar.add_stop(desk, date(2026, 11, 5), date(2026, 11, 6), reason="暴雨")
    calendar.add_stop(desk, date(2026, 11, 9), date(2026, 11, 9), reason="待料", team_id=wood)
    whole_days(desk, places, who, 5, 9)
    whole_days(desk, places, other, 9)
    findings = found(desk, "stop_day_punched")
    assert [(one.person_id, one.day) for one in findings] == [
        (who.person_id, date(2026, 11, 5)), (other.person_id, date(2026, 11, 9)),
    ]
    assert findings[0].text.endswith("在停工日11月5日（暴雨）有打卡，按打卡记“√”。")
    assert not findings[0].blocking


def test_a_move_does_not_report_the_stop_of_the_team_left(desk: Desk) -> None:
    places = gates(desk)
    who = hire(desk, 1, "木工班", moves=(("钢筋班", date(2026, 11, 8)),))
    with desk.book.read() as session:
        wood = team_id(session, "木工班")
    calendar.add_stop(desk, date(2026, 11, 5), date(2026, 11, 9), reason="待料", team_id=wood)
    whole_days(desk, places, who, 5, 9)
    assert days(found(desk, "stop_day_punched")) == [5]


def test_a_punch_on_leave_is_a_finding_except_on_business(desk: Desk) -> None:
    places, who = gates(desk), hire(desk, 1, "钢筋班")
    calendar.add_leave(desk, who.person_id, "病假", date(2026, 11, 5), date(2026, 11, 6))
    calendar.add_leave(desk, who.person_id, "公出", date(2026, 11, 9), date(2026, 11, 9))
    whole_days(desk, places, who, 6, 9)
    assert days(found(desk, "leave_day_punched")) == [6]


def test_everything_dropped_is_a_finding_with_its_reason(desk: Desk) -> None:
    places = gates(desk)
    who, gone = hire(desk, 1, "钢筋班"), hire(desk, 2, "钢筋班", left=date(2026, 11, 2))
    whole_days(desk, places, who, 3)
    punched(desk, places["进"], who, "11-03 07:00:20", "11-03 07:00:40")
    punched(desk, places["进"], who, "10-31 07:00", "11-04 07:00", accepted=0)
    punched(desk, places["进"], who, "11-05 07:00", method_class=2)
    punched(desk, places["进"], who, "11-06 07:00", method_class=0)
    punched(desk, places["进"], gone, *(f"11-07 {hour:02d}:00" for hour in range(7, 15)))
    (repeated,) = found(desk, "repeated")
    assert repeated.text == (
        f"{who.name}（人员编号1）11月3日07:00（进，进）、07:00（进，进）未计："
        "与上一次同方向打卡相隔太近，视为重复。"
    )
    assert [days(found(desk, code)) for code in ("not_accepted", "not_biometric", "unproven_method")] == [
        [4], [5], [6],
    ]
    (outside,) = found(desk, "outside_stay")
    assert outside.person_id == gone.person_id and "等8次未计：不在本人进退场期间" in outside.text
    assert outside.terminal_id == places["进"]
    assert not outside.blocking


def test_punches_of_people_long_gone_are_found_too(desk: Desk) -> None:
    places, gone = gates(desk), hire(desk, 2, "钢筋班", left=date(2026, 9, 30), entered=date(2026, 9, 1))
    punched(desk, places["进"], gone, "11-07 07:00")
    assert days(found(desk, "outside_stay")) == [7]


def test_unmatched_numbers_are_listed_and_long_ones_masked(desk: Desk) -> None:
    places = gates(desk)
    punched(desk, places["进"], "990001", "11-07 07:00", "11-09 07:00")
    punched(desk, places["进"], "410000199003070010", "11-07 07:00")
    texts = sorted(one.text for one in found(desk, "unmatched_number"))
    assert texts[-1] == (
        "「进」上的编号990001有2次打卡（11月7日至11月9日），未对应到花名册上的人。"
    )
    assert all("410000199003070010" not in text for text in texts)
    assert all("410000199003070010" not in one.key for one in found(desk, "unmatched_number"))


def test_a_day_and_a_night_turn_in_one_stretch_is_a_warning(desk: Desk) -> None:
    places, who = gates(desk), hire(desk, 1, "钢筋班")
    for month in ("10-31", "11-05"):
        following = {"10-31": "11-01", "11-05": "11-06"}[month]
        punched(desk, places["进"], who, f"{month} 07:00", f"{month} 19:00")
        punched(desk, places["出"], who, f"{month} 18:00", f"{following} 06:00")
    (warning,) = found(desk, "double_turn")
    assert warning.text.endswith("连班：11-05 07:00至11-06 06:00白班夜班连续在场。")
    assert not warning.blocking


def test_quarantined_records_are_told_with_their_reason(desk: Desk) -> None:
    gate = gates(desk, 东门="both")["东门"]
    broken = [
        Unusable(n, "impossible_date", "1", "2026-02-31 07:00:00", SourceFormat.ZK40, bytes([n]))
        for n in range(3)
    ]
    source = ledger.Source(ledger.Origin.PULL, RECEIVED.replace(day=3), "管理员")
    with desk.book.write() as session:
        terminal = session.get(Terminal, gate)
        assert terminal is not None
        ledger.store(session, terminal, ledger.Part([], broken), source)
    (warning,) = found(desk, "quarantined")
    assert "「东门」有3条记录日期不存在" in warning.text
    assert found(desk, "quarantined", month="2026-10") == []


def test_records_that_changed_between_two_readings_are_told(desk: Desk) -> None:
    gate, who = gates(desk, 东门="both")["东门"], hire(desk, 1, "钢筋班")
    punched(desk, gate, who, "11-03 07:00")
    other = Punch("1", at("11-03 07:00"), 15, 0, 1, 1, SourceFormat.ZK40, b"other bytes")
    with desk.book.write() as session:
        terminal = session.get(Terminal, gate)
        assert terminal is not None
        source = ledger.Source(ledger.Origin.PULL, RECEIVED, "管理员")
        assert ledger.store(session, terminal, ledger.Part([other]), source).conflict == 1
    (warning,) = found(desk, "conflict")
    assert "有1条记录两次读出的内容不一致" in warning.text


@pytest.mark.parametrize(
    ("offsets", "words"),
    [((-61, 5), "慢了61秒；"), ((30, 400), "快了400秒，已超过5分钟；"), ((60, -60), None)],
)
def test_a_wrong_clock_is_told(desk: Desk, offsets: tuple[int, int], words: str | None) -> None:
    gate = gates(desk, 东门="both")["东门"]
    with desk.book.write() as session:
        for offset in offsets:
            session.add(
                ClockReading(
                    terminal_id=gate, at=datetime(2026, 11, 9, 8, tzinfo=UTC),
                    terminal_time=datetime(2026, 11, 9, 16), offset_s=offset, round_trip_ms=9,
                )
            )
    drift = found(desk, "clock_drift")
    assert [words in one.text for one in drift] == ([] if words is None else [True])


def test_the_project_manager_is_warned_early_and_told_in_the_end(desk: Desk) -> None:
    places = gates(desk)
    manager = hire(desk, 3, None, company=GENERAL_CONTRACTOR_NAME, trade="项目经理")
    whole_days(desk, places, manager, *range(1, 11))
    early = found(desk, "manager_below", datetime(2026, 11, 11, 8))
    assert early == []
    behind = found(desk, "manager_below", datetime(2026, 11, 21, 8))
    assert behind[0].text.endswith("剩余10个施工日中还需带班14天。")
    (missed,) = found(desk, "manager_below")
    assert "本月施工日30天，带班10天，占33.3%（要求不少于80%）" in missed.text
    assert "剩余" not in missed.text
    whole_days(desk, places, manager, *range(11, 25))
    assert found(desk, "manager_below") == []


def test_blocking_findings_come_first_then_the_days_in_order(desk: Desk) -> None:
    places, who = gates(desk), hire(desk, 1, "钢筋班")
    punched(desk, places["进"], who, "11-09 07:00", "11-03 07:00")
    punched(desk, places["进"], who, "11-02 07:00", accepted=0)
    with desk.book.read() as session:
        every = month_findings(session, month_of(desk), AFTER)
    assert [one.blocking for one in every] == sorted((one.blocking for one in every), reverse=True)
    blocking = [one.day for one in every if one.blocking and one.day]
    assert blocking == sorted(blocking)
    assert every[0].as_json()["code"] == every[0].code
    assert FIRST <= blocking[0] <= LAST

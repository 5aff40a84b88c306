"""A month out of the book: who stands in it, under which symbols, in which parts, and why."""

from __future__ import annotations

import gc
from datetime import date

import pytest

from desktop.access.desk import Desk
from desktop.attendance import calendar, queries
from desktop.attendance.explain import (
    Reason,
    add_explanation,
    approve_explanation,
    withdraw_explanation,
)
from desktop.attendance.frame import load_frame, month_bounds
from desktop.attendance.month import MonthAttendance, PersonMonth, compute_month, parts_of
from desktop.attendance.rules import Standing
from desktop.errors import Cancelled, Refused
from desktop.jobs import CancelToken
from desktop.punches.tables import Terminal
from desktop.punches.terminal_book import add_terminal
from desktop.site.tables import Project, Shift
from desktop.site.teams import set_team_shift
from tests.attendance.crew import (
    Member,
    gates,
    hire,
    month_of,
    punched,
    symbols,
    team_id,
    whole_days,
)
from tests.sample_site import GENERAL_CONTRACTOR_NAME, STEEL_LABOUR_NAME, SUPERVISION_NAME


def row_of(attendance: MonthAttendance, member: Member) -> PersonMonth:
    row = attendance.row_of(member.person_id)
    assert row is not None
    return row


def cell(attendance: MonthAttendance, member: Member, day: int) -> dict[str, object]:
    document = queries.attendance_document(attendance, member.worker_no)
    found: dict[str, object] = document["rows"][0]["days"][str(day)]
    return found


def explain(desk: Desk, member: Member, *days: int, half_days: int = 2) -> int:
    number = add_explanation(
        desk, [(member.person_id, date(2026, 11, day)) for day in days], half_days=half_days,
        reason=Reason.FORGOTTEN, text="班组长证明",
    ).number
    approve_explanation(desk, number)
    return number


@pytest.mark.parametrize("month", ["2026-13", "2026-1", "26-11", "", "2026-11-01", "二〇二六"])
def test_what_is_no_month_is_refused(month: str) -> None:
    with pytest.raises(Refused, match="应如 2026-11"):
        month_bounds(month)


def test_a_month_ends_on_its_last_day() -> None:
    assert month_bounds("2024-02") == (date(2024, 2, 1), date(2024, 2, 29))
    assert month_bounds("2026-12")[1] == date(2026, 12, 31)


def test_an_empty_site_has_an_empty_month(desk: Desk) -> None:
    attendance = month_of(desk)
    assert attendance.rows == [] and attendance.parts() == [] and attendance.unmatched == []


def test_a_person_with_days_of_every_kind(desk: Desk) -> None:
    places, who = gates(desk), hire(desk, 1, "钢筋班")
    whole_days(desk, places, who, 2)
    punched(desk, places["进"], who, "11-03 07:00", "11-04 07:00", "11-05 19:00", "11-06 07:00")
    punched(desk, places["出"], who, "11-04 09:30", "11-06 05:30", "11-06 08:00")
    attendance = month_of(desk)
    assert [symbols(attendance, who)[day] for day in range(1, 8)] == list("○√?半夜?○")
    assert row_of(attendance, who).totals == (5, 0, 5, 1)
    assert attendance.punches_read == 9


def test_the_day_of_the_document(desk: Desk) -> None:
    places, who = gates(desk), hire(desk, 1, "钢筋班")
    punched(desk, places["进"], who, "11-05 19:00:30")
    punched(desk, places["出"], who, "11-06 05:30:30")
    assert cell(month_of(desk), who, 5) == {
        "symbol": "夜", "punched_symbol": "夜", "first": "2026-11-05T19:00:30",
        "last": "2026-11-06T05:30:30", "hours": 10.5, "value": 1.0, "punched_value": 1.0,
        "explanation": None,
        "reasons": [
            "19:00（进，进）、次日05:30（出，出），首末次相隔10小时30分，达到4小时，计1天（核验口径），"
            "首次打卡在夜间，记夜班。"
        ],
    }
    assert cell(month_of(desk), who, 6) == {
        "symbol": "○", "punched_symbol": "○", "first": None, "last": None, "hours": None,
        "value": 0.0, "punched_value": 0.0, "explanation": None, "reasons": ["当日无打卡记录。"],
    }


def test_the_document_of_the_month(desk: Desk) -> None:
    places, who, other = gates(desk), hire(desk, 2, "木工班"), hire(desk, 1, "木工班")
    whole_days(desk, places, who, 2, 3)
    attendance = month_of(desk)
    document = queries.attendance_document(attendance)
    assert document["month"] == "2026-11"
    assert document["rule"] == "核验口径：首末次打卡间隔≥4小时计1天，≥2小时计半天"
    assert document["construction_days"] == 30
    assert [row["worker_no"] for row in document["rows"]] == [1, 2]
    row = document["rows"][1]
    assert (row["name"], row["team"], row["trade"]) == (who.name, "木工班", "钢筋工")
    assert (row["punched_days"], row["explained_days"], row["confirmed_days"]) == (2.0, 0.0, 2.0)
    assert list(row["days"]) == [str(day) for day in range(1, 31)]
    with pytest.raises(Refused, match="人员编号9在2026-11没有在场记录"):
        queries.attendance_document(attendance, 9)
    assert len(queries.attendance_document(attendance, other.worker_no)["rows"]) == 1


def test_the_evening_before_the_month_opens_the_first_morning(desk: Desk) -> None:
    places, who = gates(desk), hire(desk, 1, "混凝土夜班")
    punched(desk, places["进"], who, "10-31 19:00", "11-30 19:00")
    punched(desk, places["出"], who, "11-01 06:00", "12-01 06:00")
    shown = symbols(month_of(desk), who)
    assert (shown[1], shown[30]) == ("○", "夜")
    assert symbols(month_of(desk, "2026-10"), who)[31] == "夜"


def test_only_stays_that_touch_the_month_have_a_row(desk: Desk) -> None:
    before = hire(desk, 1, "钢筋班", left=date(2026, 10, 31))
    entering = hire(desk, 2, "钢筋班", entered=date(2026, 11, 30))
    leaving = hire(desk, 3, "钢筋班", left=date(2026, 11, 1))
    hire(desk, 4, "钢筋班", entered=date(2026, 12, 1))
    attendance = month_of(desk)
    assert [row.worker.worker_no for row in attendance.rows] == [2, 3]
    assert list(symbols(attendance, entering).values()) == ["—"] * 29 + ["○"]
    assert list(symbols(attendance, leaving).values()) == ["○"] + ["—"] * 29
    assert attendance.row_of(before.person_id) is None


def test_re_entry_is_a_second_stay_in_the_same_row(desk: Desk) -> None:
    places = gates(desk)
    who = hire(desk, 1, "钢筋班", left=date(2026, 11, 5))
    hire(desk, 1, "钢筋班", entered=date(2026, 11, 10))
    whole_days(desk, places, who, 5, 6, 10)
    attendance = month_of(desk)
    shown = symbols(attendance, who)
    assert [shown[day] for day in (4, 5, 6, 9, 10, 11)] == list("○√——√○")
    assert [one.why for one in row_of(attendance, who).walk.dropped] == [Standing.OUTSIDE_STAY] * 2
    assert len(attendance.parts()) == 1
    assert cell(attendance, who, 6)["reasons"] == [
        "当日不在进退场期间（2026-10-01进场、2026-11-05退场、2026-11-10进场）。",
        "07:00（进，进）未计：不在本人进退场期间。",
        "17:30（出，出）未计：不在本人进退场期间。",
    ]


def test_stop_days_leave_and_holidays_name_days_without_punches(desk: Desk) -> None:
    places = gates(desk)
    who, other = hire(desk, 1, "钢筋班"), hire(desk, 2, "木工班")
    with desk.book.read() as session:
        steel = team_id(session, "钢筋班")
    calendar.add_stop(desk, date(2026, 10, 1), date(2026, 10, 2), reason="检查", document="通知")
    calendar.add_stop(desk, date(2026, 10, 9), date(2026, 10, 9), reason="待料", team_id=steel)
    withdrawn = calendar.add_stop(desk, date(2026, 10, 20), date(2026, 10, 20), reason="错")
    calendar.withdraw_stop(desk, withdrawn)
    for first, last, kind in ((2, 3, "事假"), (12, 12, "病假"), (13, 13, "工伤"), (14, 14, "公出")):
        calendar.add_leave(desk, who.person_id, kind, date(2026, 10, first), date(2026, 10, last))
    punched(desk, places["进"], who, "10-12 07:00")
    punched(desk, places["出"], who, "10-12 17:00")
    attendance = month_of(desk, "2026-10")
    shown = symbols(attendance, who)
    assert [shown[day] for day in (1, 2, 3, 4, 9, 12, 13, 14, 20)] == list("停停△○停√伤公○")
    assert [symbols(attendance, other)[day] for day in (1, 2, 3, 9)] == list("停停节○")
    assert cell(attendance, who, 1)["reasons"] == ["当日停工（检查，通知），无打卡记录。"]
    assert cell(attendance, who, 3)["reasons"] == ["当日事假，无打卡记录。"]
    assert cell(attendance, other, 3)["reasons"] == ["法定节假日（国庆节），无打卡记录。"]
    assert len(attendance.frame.construction_days()) == 29
    assert len(attendance.frame.construction_days(steel)) == 28


def test_outside_the_stay_the_order_of_the_rule_still_holds(desk: Desk) -> None:
    who = hire(desk, 1, "钢筋班", entered=date(2026, 10, 10))
    calendar.add_stop(desk, date(2026, 10, 5), date(2026, 10, 5), reason="暴雨")
    shown = symbols(month_of(desk, "2026-10"), who)
    assert [shown[day] for day in (1, 3, 4, 5, 9, 10)] == list("节节—停—○")


def test_a_move_between_teams_makes_two_parts_that_add_up(desk: Desk) -> None:
    places = gates(desk, 大门="both")
    who = hire(desk, 1, "钢筋班", moves=(("混凝土夜班", date(2026, 11, 16)),))
    gate = places["大门"]
    punched(desk, gate, who, "11-10 07:00", "11-10 17:00", "11-12 07:00")
    punched(desk, gate, who, "11-20 18:00", "11-21 06:00", "11-22 19:00", "11-23 06:00")
    explain(desk, who, 12)
    explain(desk, who, 24, half_days=1)
    attendance = month_of(desk)
    row = row_of(attendance, who)
    shown = symbols(attendance, who)
    assert (shown[10], shown[12], shown[20], shown[22], shown[24]) == ("√", "补", "夜", "夜", "补半")
    with desk.book.read() as session:
        teams = [team_id(session, name) for name in ("钢筋班", "混凝土夜班")]
    parts = attendance.parts()
    assert [part.sheet for part in parts] == [("team", team) for team in teams]
    assert parts[0].symbols == row.symbols[:15] + ["—"] * 15
    assert parts[1].symbols == ["—"] * 15 + row.symbols[15:]
    assert [part.totals for part in parts] == [(2, 2, 4, 0), (4, 1, 5, 2)]
    assert row.totals == tuple(map(sum, zip(*(part.totals for part in parts), strict=True)))
    assert row.current.team_id == teams[1]
    assert [list(part.explained) for part in parts] == [[11], [23]]


def test_back_in_the_first_team_is_one_part_of_it(desk: Desk) -> None:
    who = hire(
        desk, 1, "钢筋班",
        moves=(("木工班", date(2026, 11, 10)), ("钢筋班", date(2026, 11, 20))),
    )
    parts = parts_of(row_of(month_of(desk), who), month_of(desk).frame)
    assert [part.symbols.count("○") for part in parts] == [20, 10]


def test_the_team_of_the_day_decides_night_or_day(desk: Desk) -> None:
    """The morning after the last night still belongs to the night team's last day."""
    places = gates(desk, 大门="both")
    who = hire(desk, 1, "混凝土夜班", left=date(2026, 11, 20))
    punched(desk, places["大门"], who, "11-20 18:00", "11-21 06:00", "11-21 12:30")
    attendance = month_of(desk)
    assert symbols(attendance, who)[20] == "夜"
    assert len(row_of(attendance, who).walk.dropped) == 1


def test_a_shift_is_dated(desk: Desk) -> None:
    places, who = gates(desk, 大门="both"), hire(desk, 1, "钢筋班")
    with desk.book.read() as session:
        steel = team_id(session, "钢筋班")
    set_team_shift(desk, steel, date(2026, 11, 10), Shift.NIGHT)
    set_team_shift(desk, steel, date(2026, 11, 20), Shift.DAY)
    for first, second in (("09 17:00", "10 03:30"), ("12 17:00", "13 05:00"), ("25 17:00", "26 05:00")):
        punched(desk, places["大门"], who, f"11-{first}", f"11-{second}")
    shown = symbols(month_of(desk), who)
    assert [shown[day] for day in (9, 12, 25, 26)] == list("√夜??")


def test_managers_stand_by_company_after_the_teams(desk: Desk) -> None:
    supervisor = hire(desk, 1, None, company=SUPERVISION_NAME, trade="总监理工程师")
    manager = hire(desk, 3, None, company=GENERAL_CONTRACTOR_NAME, trade="项目经理")
    clerk = hire(desk, 2, None, company=GENERAL_CONTRACTOR_NAME, trade="资料员")
    worker = hire(desk, 4, "木工班")
    steel = hire(desk, 5, "钢筋班")
    attendance = month_of(desk)
    order = [part.row.worker.worker_no for part in attendance.parts()]
    assert order == [m.worker_no for m in (steel, worker, clerk, manager, supervisor)]
    assert [row.worker.worker_no for row in attendance.rows] == order
    companies = [attendance.frame.companies[ident].name for kind, ident in
                 (part.sheet for part in attendance.parts()) if kind == "managers"]
    assert companies == [GENERAL_CONTRACTOR_NAME] * 2 + [SUPERVISION_NAME]
    assert queries.attendance_document(attendance, 3)["rows"][0]["team"] is None


def test_promoted_within_the_month_is_one_row_and_two_parts(desk: Desk) -> None:
    who = hire(desk, 1, "钢筋班", left=date(2026, 11, 9))
    hire(desk, 1, None, company=STEEL_LABOUR_NAME, trade="施工员", entered=date(2026, 11, 10))
    attendance = month_of(desk)
    assert [part.sheet[0] for part in attendance.parts()] == ["team", "managers"]
    assert symbols(attendance, who)[9] == "○"
    assert row_of(attendance, who).current.is_manager
    team_part = attendance.parts()[0]
    assert (team_part.assignment.entered_on, team_part.assignment.left_on) == (
        date(2026, 10, 1), date(2026, 11, 9),
    )
    assert attendance.parts()[1].assignment.left_on is None


def test_the_project_manager_and_the_eighty_percent(desk: Desk) -> None:
    places = gates(desk)
    manager = hire(desk, 3, None, company=GENERAL_CONTRACTOR_NAME, trade="项目经理")
    calendar.add_stop(desk, date(2026, 11, 26), date(2026, 11, 30), reason="检查")
    whole_days(desk, places, manager, *range(1, 20))
    punched(desk, places["进"], manager, "11-20 07:00")
    punched(desk, places["出"], manager, "11-20 09:00")
    explain(desk, manager, 21)
    calendar.add_leave(
        desk, manager.person_id, "公出", date(2026, 11, 20), date(2026, 11, 27), owner_approved=True
    )
    calendar.add_leave(desk, manager.person_id, "事假", date(2026, 11, 28), date(2026, 11, 30))
    ((_, presence),) = month_of(desk).project_managers()
    assert presence.sentence == "本月施工日25天，带班19.5天，占78%（要求不少于80%）"
    assert presence.beside == "另有核实说明1天、经建设单位批准请假5天，不计入带班天数"
    assert not presence.reached


def test_an_explanation_replaces_the_cell_until_it_is_withdrawn(desk: Desk) -> None:
    places, who = gates(desk), hire(desk, 1, "钢筋班")
    whole_days(desk, places, who, 2, 3)
    punched(desk, places["进"], who, "11-04 07:00")
    number = explain(desk, who, 4)
    explain(desk, who, 3, half_days=0)
    waiting = add_explanation(
        desk, [(who.person_id, date(2026, 11, 5))], half_days=2, reason=Reason.FORGOTTEN, text="x"
    ).number
    attendance = month_of(desk)
    assert [symbols(attendance, who)[day] for day in (2, 3, 4, 5)] == list("√×补○")
    assert row_of(attendance, who).totals == (4, 2, 4, 0)
    shown = cell(attendance, who, 4)
    assert (shown["symbol"], shown["value"], shown["punched_value"]) == ("补", 1.0, 0.0)
    assert (shown["punched_symbol"], shown["explanation"]) == ("?", number)
    assert shown["reasons"] == [
        "07:00（进，进），当日仅此一次有效打卡，规则不能判定出勤，待核。",
        "说明1号（漏打）经核实计1天，记“补”，打卡数据未作改动。",
    ]
    withdraw_explanation(desk, number)
    approve_explanation(desk, waiting)
    assert [symbols(month_of(desk), who)[day] for day in (4, 5)] == ["?", "补"]


def test_dropped_punches_are_kept_beside_the_cell_with_their_reason(desk: Desk) -> None:
    places, who = gates(desk), hire(desk, 1, "钢筋班")
    whole_days(desk, places, who, 3)
    punched(desk, places["进"], who, "11-03 07:00:30")
    punched(desk, places["进"], who, "11-03 08:00", method_class=2)
    punched(desk, places["进"], who, "11-03 09:00", method_class=0)
    punched(desk, places["进"], who, "11-03 10:00", accepted=0)
    assert cell(month_of(desk), who, 3)["reasons"][1:] == [  # type: ignore[index]
        "07:00（进，进）未计：与上一次同方向打卡相隔太近，视为重复。",
        "08:00（进，进）未计：不是生物识别方式。",
        "09:00（进，进）未计：验证方式未注明，且该机未声明仅生物识别。",
        "10:00（进，进）未计：考勤机未通过验证。",
    ]


def test_an_unknown_method_counts_from_the_declared_day_on(desk: Desk) -> None:
    places, who = gates(desk, 大门="both"), hire(desk, 1, "钢筋班")
    for day in (9, 10):
        punched(desk, places["大门"], who, f"11-{day:02d} 07:00", f"11-{day:02d} 17:00",
                method_class=0)
    with desk.book.write() as session:
        terminal = session.get(Terminal, places["大门"])
        assert terminal is not None
        terminal.biometric_only_from = date(2026, 11, 10)
        terminal.biometric_only_evidence = "菜单照片"
    attendance = month_of(desk)
    assert [symbols(attendance, who)[day] for day in (9, 10)] == ["○", "√"]
    assert "声明仅生物识别" in str(cell(attendance, who, 10)["reasons"])


def test_numbers_of_nobody_are_listed_and_people_without_a_stay_walk_outside(desk: Desk) -> None:
    places = gates(desk)
    gone = hire(desk, 1, "钢筋班", left=date(2026, 10, 15))
    punched(desk, places["进"], gone, "11-03 07:00", "12-01 10:00")
    punched(desk, places["进"], "990001", "11-03 07:00", "11-05 07:10", "12-01 08:00")
    punched(desk, places["进"], "990002", "10-31 07:00")
    attendance = month_of(desk)
    assert [(one.number, one.punches) for one in attendance.unmatched] == [("990001", 2)]
    ((worker, made),) = attendance.outsiders
    assert worker.worker_no == 1
    assert [one.why for one in made.dropped] == [Standing.OUTSIDE_STAY] * 2


def test_the_planned_completion_ends_the_construction_days_unless_work_goes_on(desk: Desk) -> None:
    with desk.book.write() as session:
        project = session.get(Project, desk.project_id)
        assert project is not None
        project.started_on, project.planned_completion_on = date(2026, 11, 3), date(2026, 11, 20)
    places, who = gates(desk), hire(desk, 1, "钢筋班")
    with desk.book.read() as session:
        days = load_frame(session, desk.project_id, "2026-11").construction_days()
    assert len(days) == 18
    whole_days(desk, places, who, 22)
    with desk.book.read() as session:
        days = load_frame(session, desk.project_id, "2026-11").construction_days()
    assert len(days) == 28


def test_another_projects_terminal_is_not_read(desk: Desk) -> None:
    places, who = gates(desk), hire(desk, 1, "钢筋班")
    with desk.book.write() as session:
        other = Project(
            name="另一工程", code="ZZ-2", address="", permit_no="", started_on=None,
            planned_completion_on=None, enclosed=True, pay_day=None, created_at=desk.clock.now(),
        )
        session.add(other)
        session.flush()
        other_id = other.id
    elsewhere = add_terminal(
        Desk(desk.book, other_id, desk.actor), "别处", driver="zk", address="", direction="in"
    ).terminal_id
    punched(desk, elsewhere, who, "11-03 07:00")
    whole_days(desk, places, who, 4)
    attendance = month_of(desk)
    assert [symbols(attendance, who)[day] for day in (3, 4)] == ["○", "√"]


def test_a_month_before_the_rule_is_refused(desk: Desk) -> None:
    with pytest.raises(Refused):
        month_of(desk, "2014-12")


def test_progress_is_told_and_cancelling_is_heard(desk: Desk) -> None:
    places, who = gates(desk), hire(desk, 1, "钢筋班")
    whole_days(desk, places, who, 3)
    told: list[str] = []
    with desk.book.read() as session:
        compute_month(
            session, desk.project_id, "2026-11", progress=lambda done, total, text: told.append(text)
        )
        cancel = CancelToken()
        cancel.set()
        with pytest.raises(Cancelled):
            compute_month(session, desk.project_id, "2026-11", cancel=cancel)
    assert set(told) == {"读取打卡记录", "计算考勤"}


def test_cancelling_is_heard_without_any_punch(desk: Desk) -> None:
    hire(desk, 1, "钢筋班")
    cancel = CancelToken()
    cancel.set()
    with desk.book.read() as session, pytest.raises(Cancelled):
        compute_month(session, desk.project_id, "2026-11", cancel=cancel)
    assert gc.isenabled()


def test_garbage_collection_stays_as_the_caller_had_it(desk: Desk) -> None:
    gc.disable()
    try:
        month_of(desk)
        assert not gc.isenabled()
    finally:
        gc.enable()

"""Stop-work days, leave, outage notes, answers: entered, refused, withdrawn."""

from __future__ import annotations

from datetime import date, datetime

import pytest
from sqlalchemy import select

from desktop.access.actor import Actor, Role
from desktop.access.desk import Desk
from desktop.access.tables import AuditAct
from desktop.attendance import answers, calendar, queries
from desktop.attendance.tables import FindingAnswer
from desktop.errors import NotPermitted, Refused
from desktop.site.queries import team_of
from tests.attendance.crew import gates, hire, team_id

THIRD, FIFTH, NINTH = date(2026, 11, 3), date(2026, 11, 5), date(2026, 11, 9)


def team(desk: Desk, name: str) -> int:
    with desk.book.read() as session:
        return team_id(session, name)


def test_stop_work_is_entered_listed_and_withdrawn(desk: Desk) -> None:
    steel = team(desk, "钢筋班")
    first = calendar.add_stop(desk, THIRD, FIFTH, reason="暴雨", document="停工令3号")
    second = calendar.add_stop(desk, FIFTH, FIFTH, reason="待料", team_id=steel)
    calendar.withdraw_stop(desk, first, "日期写错")
    with desk.book.read() as session:
        rows = queries.stop_rows(session, desk.project_id)
    assert [(row.id, row.team, row.reason, row.withdrawn) for row in rows] == [
        (second, "钢筋班", "待料", False), (first, "", "暴雨", True),
    ]
    with pytest.raises(Refused, match="已经撤回"):
        calendar.withdraw_stop(desk, first)
    with pytest.raises(Refused, match="没有停工记录99号"):
        calendar.withdraw_stop(desk, 99)


def test_stop_work_of_one_scope_does_not_overlap(desk: Desk) -> None:
    steel, wood = team(desk, "钢筋班"), team(desk, "木工班")
    number = calendar.add_stop(desk, THIRD, FIFTH, reason="暴雨")
    with pytest.raises(Refused, match=f"与停工记录{number}号重叠"):
        calendar.add_stop(desk, FIFTH, NINTH, reason="暴雨")
    calendar.add_stop(desk, THIRD, FIFTH, reason="待料", team_id=steel)
    calendar.add_stop(desk, THIRD, FIFTH, reason="待料", team_id=wood)
    with pytest.raises(Refused, match="重叠"):
        calendar.add_stop(desk, THIRD, THIRD, reason="待料", team_id=steel)
    calendar.withdraw_stop(desk, number)
    calendar.add_stop(desk, FIFTH, NINTH, reason="暴雨")


def test_what_is_no_stop_work_is_refused(desk: Desk) -> None:
    with pytest.raises(Refused, match="早于开始日期"):
        calendar.add_stop(desk, FIFTH, THIRD, reason="暴雨")
    with pytest.raises(Refused, match="两年以上"):
        calendar.add_stop(desk, THIRD, date(2028, 11, 9), reason="暴雨")
    with pytest.raises(Refused, match="停工原因是空的"):
        calendar.add_stop(desk, THIRD, THIRD, reason=" ")
    with pytest.raises(Refused, match="没有这个班组"):
        calendar.add_stop(desk, THIRD, THIRD, reason="暴雨", team_id=77)
    with desk.book.read() as session:
        assert queries.stop_rows(session, desk.project_id) == []


def test_a_team_is_found_by_name_or_number(desk: Desk) -> None:
    with desk.book.read() as session:
        named = team_of(session, desk.project_id, "木工班")
        assert team_of(session, desk.project_id, "002") == named
        with pytest.raises(Refused, match="没有班组叫「油漆班」"):
            team_of(session, desk.project_id, "油漆班")


def test_leave_is_entered_listed_and_withdrawn(desk: Desk) -> None:
    who = hire(desk, 7, "钢筋班")
    number = calendar.add_leave(
        desk, who.person_id, "病假", THIRD, FIFTH, reason="感冒", document="诊断证明",
        owner_approved=True,
    )
    with pytest.raises(Refused, match=f"与请假记录{number}号重叠"):
        calendar.add_leave(desk, who.person_id, "personal", FIFTH, NINTH)
    with desk.book.read() as session:
        row = queries.leave_rows(session, desk.project_id)[0]
    assert (row.worker_no, row.kind, row.first, row.last) == (7, "病假", THIRD, FIFTH)
    assert row.owner_approved and not row.withdrawn
    calendar.withdraw_leave(desk, number)
    calendar.add_leave(desk, who.person_id, "personal", FIFTH, NINTH)
    with pytest.raises(Refused, match="已经撤回"):
        calendar.withdraw_leave(desk, number)
    with pytest.raises(Refused, match="没有请假记录99号"):
        calendar.withdraw_leave(desk, 99)


def test_what_is_no_leave_is_refused(desk: Desk) -> None:
    who = hire(desk, 7, "钢筋班")
    with pytest.raises(Refused, match="事假、病假、工伤、公出"):
        calendar.add_leave(desk, who.person_id, "年假", THIRD, FIFTH)
    with pytest.raises(Refused, match="从未在本项目进场"):
        calendar.add_leave(desk, 999, "事假", THIRD, FIFTH)
    with desk.book.read() as session:
        assert calendar.person_of(session, 7) == who.person_id
        with pytest.raises(Refused, match="没有人员编号8"):
            calendar.person_of(session, 8)


def test_an_outage_note_needs_a_terminal_a_time_and_a_reason(desk: Desk) -> None:
    gate = gates(desk)["进"]
    begin, end = datetime(2026, 11, 3, 8), datetime(2026, 11, 4, 9)
    with pytest.raises(Refused, match="没有这台考勤机"):
        answers.add_outage(desk, 99, begin, end, reason="停电")
    with pytest.raises(Refused, match="停用结束时间不晚于开始时间"):
        answers.add_outage(desk, gate, begin, begin, reason="停电")
    with pytest.raises(Refused, match="停用原因是空的"):
        answers.add_outage(desk, gate, begin, end, reason="")
    number = answers.add_outage(desk, gate, begin, end, reason="停电", document="供电公司通知")
    with desk.book.read() as session:
        rows = queries.outage_rows(session, desk.project_id)
    assert [(row.id, row.terminal, row.from_time, row.to_time) for row in rows] == [
        (number, "进", begin, end)
    ]


def test_questions_are_answered_together_and_again(desk: Desk) -> None:
    gate, steel = gates(desk)["进"], team(desk, "钢筋班")
    keys = [
        answers.silent_key(answers.SILENT_TERMINAL, gate, THIRD),
        answers.silent_key(answers.SILENT_TEAM, steel, THIRD),
    ]
    assert answers.answer_findings(desk, [*keys, keys[0]], "当日停电") == 2
    answers.answer_findings(desk, keys[:1], "当日换机")
    with desk.book.read() as session:
        assert queries.answers(session, desk.project_id) == {
            keys[0]: "当日换机", keys[1]: "当日停电",
        }


@pytest.mark.parametrize(
    "key",
    [
        "", "unresolved:1:2026-11-03", "terminal_silent:99:2026-11-03",
        "terminal_silent:1:20261103", "terminal_silent:01:2026-11-03", "team_silent:x:2026-11-03",
        "team_silent:1:2026-11-31", "team_silent:99:2026-11-03", "terminal_silent:1",
    ],
)
def test_what_is_no_question_cannot_be_answered(desk: Desk, key: str) -> None:
    gate = gates(desk)["进"]
    good = answers.silent_key(answers.SILENT_TERMINAL, gate, THIRD)
    with pytest.raises(Refused, match="不是等待答复的问题"):
        answers.answer_findings(desk, [good, key], "已核实")
    with desk.book.read() as session:
        assert session.scalars(select(FindingAnswer.id)).all() == []


def test_an_empty_answer_is_refused(desk: Desk) -> None:
    with pytest.raises(Refused, match="答复是空的"):
        answers.answer_findings(desk, ["team_silent:1:2026-11-03"], "  ")
    with pytest.raises(Refused, match="没有选中事项"):
        answers.answer_findings(desk, [], "已核实")


def test_every_entry_leaves_an_audit_row_and_needs_the_right(desk: Desk) -> None:
    who, gate = hire(desk, 7, "钢筋班"), gates(desk)["进"]
    begin, end = datetime(2026, 11, 3, 8), datetime(2026, 11, 4, 9)
    inspector = Desk(desk.book, desk.project_id, Actor("检查人", Role.INSPECTOR))
    question = answers.silent_key(answers.SILENT_TERMINAL, gate, THIRD)
    for hand in (desk, inspector):
        acts = [
            lambda hand=hand: calendar.add_stop(hand, THIRD, THIRD, reason="暴雨"),
            lambda hand=hand: calendar.withdraw_stop(hand, 1),
            lambda hand=hand: calendar.add_leave(hand, who.person_id, "事假", THIRD, THIRD),
            lambda hand=hand: calendar.withdraw_leave(hand, 1),
            lambda hand=hand: answers.add_outage(hand, gate, begin, end, reason="停电"),
            lambda hand=hand: answers.answer_findings(hand, [question], "停电"),
        ]
        for act in acts:
            if hand is desk:
                act()
            else:
                with pytest.raises(NotPermitted):
                    act()
    with desk.book.read() as session:
        acts_done = session.scalars(select(AuditAct.act).order_by(AuditAct.id)).all()
    assert acts_done[-6:] == ["calendar.changed"] * 5 + ["finding.answered"]

"""Two people change the same thing: the second one is told who was first, and nothing is lost."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from desktop.access import editing
from desktop.access.actor import Actor, Role
from desktop.access.desk import Desk
from desktop.attendance import answers, calendar, explain, queries
from desktop.attendance.answers import SILENT_TEAM, silent_key
from desktop.board import edit as board
from desktop.board import site_facts
from desktop.clock import FixedClock
from desktop.errors import Conflict
from desktop.people.tables import Stay, StayTeam
from desktop.people.team_move import move_to_team
from desktop.punches import terminal_book
from desktop.punches.terminal_book import Edit
from desktop.site.tables import Shift, Team
from desktop.site.teams import set_team_shift
from tests.punches.rig import terminal, worker
from tests.sample_site import STEEL_LABOUR_NAME

DAY = date(2026, 11, 23)


@pytest.fixture
def other(desk: Desk) -> Desk:
    """Somebody else at work on the same book."""
    return replace(desk, actor=Actor("张某", Role.LABOUR_OFFICER))


def version(desk: Desk, subject: str) -> int:
    with desk.book.read() as session:
        return editing.version(session, desk.project_id, subject)


def refused(act: Callable[[], Any]) -> Conflict:
    with pytest.raises(Conflict) as raised:
        act()
    return raised.value


def test_the_sentence_says_who_what_and_when(desk: Desk, other: Desk, clock: FixedClock) -> None:
    terminal(desk, "东门", direction="out")
    seen = version(desk, "terminal:1")
    terminal_book.edit_terminal(other, "东门", Edit(direction="in"), why="装反了", seen=seen)
    clock.instant += timedelta(minutes=5)
    conflict = refused(lambda: terminal_book.edit_terminal(
        desk, "东门", Edit(direction="both"), why="两用", seen=seen
    ))
    assert conflict.message == (
        "「东门」的方向已由 张某（劳资专管员） 于 16:00 改为 进；您的改动未保存。请刷新后再改。"
    )
    assert conflict.code == "changed_meanwhile"
    assert conflict.facts == {
        "subject": "terminal:1", "fields": ["direction"], "seen": 0, "version": 1,
    }
    clock.instant += timedelta(days=1)
    later = refused(lambda: terminal_book.edit_terminal(
        desk, "东门", Edit(direction="both"), why="两用", seen=seen
    ))
    assert "于 11月24日16:00 改为 进" in later.message
    with desk.book.read() as session:
        (view,) = terminal_book.list_terminals(session, desk.project_id)
    assert (view.direction, view.version) == ("in", 1)
    terminal_book.edit_terminal(
        desk, "东门", Edit(direction="both"), why="两用", seen=view.version
    )


def test_other_fields_and_equal_values_do_not_disturb_each_other(desk: Desk, other: Desk) -> None:
    terminal(desk, "东门", "192.168.1.201:4370")
    seen = version(desk, "terminal:1")
    terminal_book.edit_terminal(other, "东门", Edit(address="192.168.1.9:4370"), seen=seen)
    terminal_book.edit_terminal(
        desk, "东门", Edit(address="192.168.1.9:4370", transport="udp"), seen=seen
    )
    board.set_items(other, {"legal_aid": "甲"}, seen=version(desk, board.SUBJECT))
    board.set_items(desk, {"arbitration": "乙"}, seen=0)
    conflict = refused(lambda: board.set_items(desk, {"legal_aid": "丙", "arbitration": "丁"}, seen=0))
    assert "告示牌的「" in conflict.message and "改为 甲" in conflict.message
    with desk.book.read() as session:
        held = board._held(session, desk.project_id)
        assert (held["legal_aid"].value, held["arbitration"].value) == ("甲", "乙")


def test_a_password_is_never_said(desk: Desk, other: Desk) -> None:
    terminal(desk, "东门")
    terminal_book.edit_terminal(other, "东门", Edit(password="4711"), seen=0)
    conflict = refused(lambda: terminal_book.edit_terminal(
        desk, "东门", Edit(password="4712"), seen=0
    ))
    assert "通讯密码已由 张某" in conflict.message and "4711" not in str(conflict.facts)
    assert "4711" not in conflict.message


Step = tuple[str, Callable[[Desk, "int | None"], Any], str]


def steps(desk: Desk) -> list[Step]:
    """Every act that takes a version: its subject, itself, and what the second one reads."""
    terminal(desk, "东门")
    stop = calendar.add_stop(desk, DAY, DAY, reason="大风")
    person = worker(desk, 100001, "试工")
    leave = calendar.add_leave(desk, person, "事假", DAY, DAY)
    first = explain.add_explanation(
        desk, [(person, DAY)], half_days=2, reason=explain.Reason.FORGOTTEN, text="漏"
    ).number
    second = explain.add_explanation(
        desk, [(person, DAY - timedelta(days=1))], half_days=2,
        reason=explain.Reason.FORGOTTEN, text="漏",
    ).number
    staff = site_facts.set_staff(desk, "材料员", "甲某", "", STEEL_LABOUR_NAME)
    day = date(2026, 11, 1)
    question = silent_key(SILENT_TEAM, 1, DAY)
    words, teams = iter("甲乙丙丁戊己庚辛" * 9), iter([2, 1, 2])
    with desk.book.write() as session:
        stay = session.get_one(Stay, 1)
        stay.company_id = session.get_one(Team, 1).company_id
        session.add(StayTeam(stay_id=1, team_id=1, from_day=stay.from_day, to_day=None))
    return [
        ("terminal:1", lambda d, s: terminal_book.retire_terminal(d, "东门", DAY, seen=s), "停用日期"),
        ("terminal:1", lambda d, s: terminal_book.declare_biometric_only(d, "东门", DAY, "照片", seen=s), "仅生物识别声明"),
        ("terminal:1", lambda d, s: terminal_book.rebind_terminal(d, "东门", "换机", seen=s), "设备绑定"),
        (f"stop_work:{stop}", lambda d, s: calendar.withdraw_stop(d, stop, seen=s), f"停工记录{stop}号已由"),
        (f"leave:{leave}", lambda d, s: calendar.withdraw_leave(d, leave, seen=s), f"请假记录{leave}号已由"),
        (f"explanation:{first}", lambda d, s: explain.approve_explanation(d, first, seen=s), "于 16:00 批准"),
        (f"explanation:{second}", lambda d, s: explain.withdraw_explanation(d, second, seen=s), "于 16:00 撤回"),
        (answers.FINDINGS, lambda d, s: answers.answer_findings(d, [question], next(words), seen=s), "的答复已由"),
        (site_facts.PROJECT, lambda d, s: site_facts.set_pay_day(d, ord(next(words)) % 28 + 1, seen=s), "工资支付日期已由"),
        (site_facts.PROJECT, lambda d, s: site_facts.set_floor_wage(d, monthly="2200", hourly="21", document=next(words), effective_from=day, seen=s), "起的最低工资标准"),
        ("company:3", lambda d, s: site_facts.set_company_contact(d, STEEL_LABOUR_NAME, next(words), "", seen=s), "的联系人已由"),
        (f"staff:{staff}", lambda d, s: site_facts.set_staff(d, "材料员", next(words), "", STEEL_LABOUR_NAME, seen=s), "「材料员」的人员"),
        ("team:1", lambda d, s: set_team_shift(d, 1, DAY, Shift.NIGHT, seen=s), "起的班次已由"),
        ("stay:1", lambda d, s: move_to_team(d, 100001, next(teams), DAY, seen=s), "班组已由"),
    ]  # fmt: skip


def test_every_act_that_takes_a_version_stands_back(desk: Desk, other: Desk) -> None:
    for subject, act, words in steps(desk):
        seen = version(desk, subject)
        act(other, seen)
        conflict = refused(lambda act=act, seen=seen: act(desk, seen))  # type: ignore[misc]
        assert words in conflict.message and "张某" in conflict.message, (subject, conflict)
        assert conflict.message.endswith("；您的改动未保存。请刷新后再改。")
        assert version(desk, subject) == seen + 1
    with desk.book.read() as session:
        assert [row.version for row in queries.explanation_rows(session, 1)] == [1, 1]
        assert [row.version for row in queries.stop_rows(session, 1)] == [1]
        assert [row.version for row in queries.leave_rows(session, 1)] == [1]

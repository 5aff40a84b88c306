"""Explanations: proposed, approved, withdrawn, limited, and proven by the chain."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import select, update

from desktop.access.actor import Actor, Role
from desktop.access.audit import leaves as act_leaves
from desktop.access.desk import Desk
from desktop.access.tables import AuditAct
from desktop.attendance import queries
from desktop.attendance.explain import (
    MAX_CELLS,
    Added,
    Reason,
    add_explanation,
    approve_explanation,
    reason_of,
    withdraw_explanation,
)
from desktop.attendance.leaves import verify_readers
from desktop.attendance.tables import Explanation, ExplanationCell
from desktop.errors import NotPermitted, Refused
from desktop.site.tables import Project, RulePack
from desktop.storage import chain
from tests.attendance.crew import Member, hire

THIRD, FOURTH = date(2026, 11, 3), date(2026, 11, 4)


def propose(
    desk: Desk, *cells: tuple[Member, date], reason: Reason = Reason.FORGOTTEN, half_days: int = 2
) -> Added:
    return add_explanation(
        desk, [(member.person_id, day) for member, day in cells], half_days=half_days,
        reason=reason, text="班组长证明当日在岗", evidence="现场照片",
    )


def limit_to(desk: Desk, days: int) -> None:
    with desk.book.write() as session:
        row = session.scalars(select(RulePack)).one()
        row.content = {**row.content, "explanations_per_month": days}


@pytest.mark.parametrize("text", ["漏打", "forgotten", " 漏打 "])
def test_a_reason_is_named_by_its_word_or_its_code(text: str) -> None:
    assert reason_of(text) is Reason.FORGOTTEN
    assert Reason.FORGOTTEN.word == "漏打"


def test_another_reason_is_refused_and_the_known_ones_are_named() -> None:
    with pytest.raises(Refused, match="设备故障、断网、面部遮挡或受伤、外勤、漏打、系统归属错误"):
        reason_of("睡过头")


def test_many_people_and_days_are_one_explanation_with_one_number(desk: Desk) -> None:
    first, second = hire(desk, 1, "钢筋班"), hire(desk, 2, "钢筋班")
    cells = [(who, day) for who in (first, second) for day in (THIRD, FOURTH)]
    assert propose(desk, *cells, cells[0]) == Added(number=1, cells=4)
    assert propose(desk, (first, date(2026, 11, 5))).number == 2
    with desk.book.read() as session:
        rows = queries.explanation_rows(session, desk.project_id)
    assert [(row.number, row.state_word, len(row.cells)) for row in rows] == [
        (1, "待批准", 4), (2, "待批准", 1),
    ]
    assert rows[0].cells[0] == (1, first.name, THIRD)
    assert rows[0].proposed_by == "管理员"


def test_the_list_of_a_month_holds_what_touches_it(desk: Desk) -> None:
    who = hire(desk, 1, "钢筋班")
    propose(desk, (who, date(2026, 10, 31)))
    propose(desk, (who, date(2026, 11, 1)))
    with desk.book.read() as session:
        rows = queries.explanation_rows(
            session, desk.project_id, date(2026, 11, 1), date(2026, 11, 30)
        )
        waiting = queries.waiting_explanations(
            session, desk.project_id, date(2026, 10, 1), date(2026, 11, 30)
        )
    assert [row.number for row in rows] == [2]
    assert waiting == 2


def test_approval_and_withdrawal_are_acts_of_their_own(desk: Desk) -> None:
    who = hire(desk, 1, "钢筋班")
    propose(desk, (who, THIRD))
    approve_explanation(desk, 1)
    with pytest.raises(Refused, match="已经批准过"):
        approve_explanation(desk, 1)
    withdraw_explanation(desk, 1, "班组长记错")
    for act in (approve_explanation, withdraw_explanation):
        with pytest.raises(Refused, match="已经撤回"):
            act(desk, 1)
    with desk.book.read() as session:
        acts = session.execute(select(AuditAct.act, AuditAct.subject, AuditAct.why)).all()
        states = [row.state for row in queries.explanation_rows(session, desk.project_id)]
    assert [tuple(one) for one in acts][-3:] == [
        ("explanation.added", "explanation:1", ""),
        ("explanation.approved", "explanation:1", ""),
        ("explanation.withdrawn", "explanation:1", "班组长记错"),
    ]
    assert states == ["withdrawn"]


def test_a_cell_has_one_explanation_in_force(desk: Desk) -> None:
    who = hire(desk, 1, "钢筋班")
    propose(desk, (who, THIRD))
    with pytest.raises(Refused, match="人员编号1在2026-11-03已有说明1号") as refused:
        propose(desk, (who, THIRD), (who, FOURTH))
    assert refused.value.facts["cells"] == [{"worker_no": 1, "day": "2026-11-03", "number": 1}]
    withdraw_explanation(desk, 1)
    assert propose(desk, (who, THIRD), (who, FOURTH)) == Added(2, 2)


def test_what_cannot_be_explained_is_refused_as_a_whole(desk: Desk) -> None:
    who = hire(desk, 1, "钢筋班")
    stranger = Member(999, 999, "无")
    with pytest.raises(Refused, match="没有选中"):
        propose(desk)
    with pytest.raises(Refused, match="从未在本项目进场"):
        propose(desk, (who, THIRD), (stranger, THIRD))
    with pytest.raises(Refused, match="2026-11-25还没有到"):
        propose(desk, (who, THIRD), (who, date(2026, 11, 25)))
    with pytest.raises(Refused, match="只能是1天、半天或0天"):
        propose(desk, (who, THIRD), half_days=3)
    with pytest.raises(Refused, match="说明文字是空的"):
        add_explanation(
            desk, [(who.person_id, THIRD)], half_days=2, reason=Reason.FORGOTTEN, text="  "
        )
    with pytest.raises(Refused, match="过多"):
        add_explanation(
            desk, ((n, THIRD) for n in range(MAX_CELLS + 1)), half_days=2,
            reason=Reason.FORGOTTEN, text="全部",
        )
    with pytest.raises(Refused, match="没有说明1号"):
        approve_explanation(desk, 1)
    with desk.book.read() as session:
        assert session.scalars(select(ExplanationCell.id)).all() == []


def test_the_monthly_limit_counts_per_person_and_month(desk: Desk) -> None:
    limit_to(desk, 2)
    who, other = hire(desk, 1, "钢筋班"), hire(desk, 2, "钢筋班")
    propose(desk, (who, THIRD), (who, FOURTH))
    with pytest.raises(Refused, match="每人每月最多说明2天，2026-11超出的人员编号：1") as refused:
        propose(desk, (who, date(2026, 11, 5)), (other, date(2026, 11, 5)))
    assert refused.value.facts["workers"] == [1]
    propose(desk, (who, date(2026, 10, 5)), (other, date(2026, 11, 5)))


@pytest.mark.parametrize("reason", [Reason.DEVICE_FAILURE, Reason.NETWORK_DOWN])
def test_terminal_failures_are_outside_the_monthly_limit(desk: Desk, reason: Reason) -> None:
    limit_to(desk, 1)
    who = hire(desk, 1, "钢筋班")
    propose(desk, (who, THIRD), (who, FOURTH), reason=reason)
    propose(desk, (who, date(2026, 11, 5)))
    with pytest.raises(Refused, match="每人每月最多说明1天"):
        propose(desk, (who, date(2026, 11, 6)))
    withdraw_explanation(desk, 2)
    propose(desk, (who, date(2026, 11, 6)))


def test_a_december_limit_ends_with_the_year(desk: Desk) -> None:
    limit_to(desk, 1)
    who = hire(desk, 1, "钢筋班", entered=date(2025, 11, 1))
    propose(desk, (who, date(2025, 12, 31)))
    propose(desk, (who, date(2026, 1, 1)))
    with pytest.raises(Refused, match="2025-12"):
        propose(desk, (who, date(2025, 12, 30)))


def test_an_inspector_may_look_only(desk: Desk) -> None:
    who = hire(desk, 1, "钢筋班")
    inspector = Desk(desk.book, desk.project_id, Actor("检查人", Role.INSPECTOR))
    with pytest.raises(NotPermitted):
        propose(inspector, (who, THIRD))
    propose(desk, (who, THIRD))
    with pytest.raises(NotPermitted):
        approve_explanation(inspector, 1)
    with pytest.raises(NotPermitted):
        withdraw_explanation(inspector, 1)


# ── the chain ───────────────────────────────────────────────────────────────────────────────────


def verdict(desk: Desk) -> chain.Verdict:
    with desk.book.read() as session:
        readers = {"act": act_leaves, **verify_readers()}
        return chain.verify(session, desk.project_id, readers)


def three_steps(desk: Desk) -> None:
    who = hire(desk, 1, "钢筋班")
    propose(desk, (who, THIRD), (who, FOURTH))
    propose(desk, (who, date(2026, 11, 5)))
    approve_explanation(desk, 1)
    withdraw_explanation(desk, 2)


def test_every_step_is_in_the_chain(desk: Desk) -> None:
    three_steps(desk)
    proven = verdict(desk)
    assert proven.ok, proven.first_bad
    assert proven.counts["explanation"] == 4


@pytest.mark.parametrize(
    "forgery",
    [
        {"value_half_days": 1}, {"text": "另一段经过"}, {"reason_code": "device_failure"},
        {"evidence": ""}, {"proposed_by": "别人"}, {"approved_by": "项目经理"},
        {"approved_at": None}, {"approval_segment_id": None}, {"number": 9},
        {"withdrawal_segment_id": 1, "withdrawn_by": "我"}, {"segment_id": 2},
    ],
    ids=lambda forgery: "+".join(forgery),
)
def test_a_changed_explanation_is_found(desk: Desk, forgery: dict[str, object]) -> None:
    three_steps(desk)
    with desk.book.write() as session:
        session.execute(update(Explanation).where(Explanation.number == 1).values(**forgery))
    assert not verdict(desk).ok


def test_a_changed_cell_is_found(desk: Desk) -> None:
    three_steps(desk)
    with desk.book.write() as session:
        session.execute(
            update(ExplanationCell).where(ExplanationCell.day == FOURTH)
            .values(day=date(2026, 11, 9))
        )
    assert [flaw.code for flaw in verdict(desk).flaws] == ["record_changed"]


def test_an_approval_outside_the_chain_does_not_count(desk: Desk) -> None:
    """Who writes ``approved_by`` alone has approved nothing."""
    propose(desk, (hire(desk, 1, "钢筋班"), THIRD))
    with desk.book.write() as session:
        session.execute(update(Explanation).values(approved_by="我", approved_at=desk.clock.now()))
    with desk.book.read() as session:
        assert queries.explanation_rows(session, desk.project_id)[0].state == "proposed"


def test_another_projects_explanations_belong_to_its_own_chain(desk: Desk) -> None:
    three_steps(desk)
    with desk.book.write() as session:
        other = Project(
            name="另一工程", code="ZZ-2", address="", permit_no="", started_on=None,
            planned_completion_on=None, enclosed=True, pay_day=None, created_at=desk.clock.now(),
        )
        session.add(other)
        session.flush()
        other_id = other.id
    with desk.book.read() as session:
        empty = chain.verify(session, other_id, verify_readers())
    assert empty.ok and empty.counts == {"explanation": 0}

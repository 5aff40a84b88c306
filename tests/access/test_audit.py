"""Acts leave a row of their own, chained, in the act's own transaction."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from desktop.access import audit
from desktop.access.actor import Act, Actor, Role
from desktop.access.desk import Desk
from desktop.access.tables import AuditAct
from desktop.errors import NotPermitted
from desktop.storage import chain


def test_an_act_is_recorded_with_who_when_what_and_why(desk: Desk) -> None:
    with desk.book.write() as session:
        desk.audit(session, Act.ROSTER_EXPORTED, "roster", why="月末核对", rows=12)
    with desk.book.read() as session:
        row = session.scalars(select(AuditAct).order_by(AuditAct.id.desc())).first()
        assert row is not None
        assert (row.actor, row.act, row.subject) == ("管理员", "roster.exported", "roster")
        assert (row.why, row.facts, row.at) == ("月末核对", {"rows": 12}, desk.clock.now())
        verdict = chain.verify(session, desk.project_id, {audit.KIND: audit.leaves})
    assert verdict.ok, verdict.first_bad


def test_an_act_that_fails_leaves_no_trace_and_no_gap(desk: Desk) -> None:
    with desk.book.read() as session:
        before = chain.verify(session, desk.project_id, {audit.KIND: audit.leaves})
    with pytest.raises(ZeroDivisionError), desk.book.write() as session:
        desk.audit(session, Act.ROSTER_EXPORTED, "roster")
        _ = 1 // 0
    with desk.book.read() as session:
        after = chain.verify(session, desk.project_id, {audit.KIND: audit.leaves})
    assert (after.segments, after.head) == (before.segments, before.head)


def test_an_inspector_may_verify_but_not_change(desk: Desk) -> None:
    guest = Desk(desk.book, desk.project_id, Actor("检查员", Role.INSPECTOR))
    guest.permit(Act.LEDGER_VERIFIED)
    with pytest.raises(NotPermitted):
        guest.permit(Act.ROSTER_IMPORTED)

"""The two dates, the policy and holds: evidence is asked for, every change is audited."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from sqlalchemy import select

from desktop.access.actor import Act, Actor, Role
from desktop.access.tables import AuditAct
from desktop.attendance.calendar import person_of
from desktop.errors import NotPermitted, Refused
from desktop.retention.dates import Dated, Policy, dates_of, policy_of, set_dates, set_policy
from desktop.retention.holds import HoldKind, add_hold, holds, lift_hold
from desktop.retention.queries import disk_forecast, forecast
from desktop.retention.rules import RecordClass, Snapshots
from tests.retention.site_over import COMPLETED, MANAGER, OFFICER, SETTLED, Site, at, set_day


def code_of(act: Callable[[], object]) -> str:
    with pytest.raises(Refused) as refusal:
        act()
    return refusal.value.code


def test_dates_need_evidence_and_are_facts(working: Site) -> None:
    desk = at(working.desk, OFFICER)
    past, future = date(2026, 11, 30), date(2027, 1, 1)
    for dated, code in (
        (Dated(past, "  "), "date_evidence"), (Dated(future, "报告"), "date_future"),
        (Dated(date(2025, 1, 1), "报告"), "date_before_start"),
    ):
        assert code_of(lambda one=dated: set_dates(desk, completed=one)) == code
    with desk.book.read() as session:
        assert dates_of(session, 1).facts.completed_on is None
    set_dates(desk, completed=Dated(past, "验收报告"))
    other = Dated(past - timedelta(days=1), "更正报告")
    assert code_of(lambda: set_dates(desk, completed=other)) == "dates_why"
    both = set_dates(desk, completed=other, settled=Dated(past, "公示"), why="报告日期更正")
    assert both.completed == other and both.settled is not None
    with desk.book.read() as session:
        act = session.scalars(
            select(AuditAct).where(AuditAct.act == Act.RETENTION_CHANGED.value)
            .order_by(AuditAct.id.desc())
        ).first()
        assert act is not None and act.why == "报告日期更正"
        assert act.facts == {
            "completed_on": "2026-11-29", "settled_on": "2026-11-30",
            "before_completed_on": "2026-11-30", "before_settled_on": None,
        }
    with pytest.raises(NotPermitted):
        set_dates(at(working.desk, MANAGER), completed=other)


def test_the_policy_is_dated_and_bounded(working: Site) -> None:
    desk = working.desk
    today = working.clock.today()
    for policy, code in (
        (Policy(waiting_days=0), "policy_waiting"), (Policy(waiting_days=91), "policy_waiting"),
        (Policy(snapshot_kb=0), "policy_size"), (Policy(assessed_on=today), "assessment"),
        (Policy(assessed_on=today + timedelta(days=1), assessment="x"), "assessment"),
        (Policy(effective_from=today - timedelta(days=1)), "policy_past"),
    ):
        assert code_of(lambda one=policy: set_policy(desk, one)) == code
    set_policy(desk, Policy(waiting_days=3, snapshots=Snapshots.ALL))
    set_policy(desk, Policy(today + timedelta(days=30), waiting_days=14))
    with desk.book.read() as session:
        assert policy_of(session, 1, today - timedelta(days=1)) == Policy()
        assert policy_of(session, 1, today).waiting_days == 3
        assert policy_of(session, 1, today + timedelta(days=30)).waiting_days == 14


def test_holds_are_placed_listed_and_lifted(working: Site) -> None:
    desk = at(working.desk, MANAGER)
    with desk.book.read() as session:
        person = person_of(session, 1001)
    assert code_of(lambda: add_hold(desk, HoldKind.OTHER, " ")) == "hold_reason"
    assert code_of(lambda: add_hold(desk, HoldKind.OTHER, "争议", person_id=77)) == "unknown_person"
    whole = add_hold(desk, HoldKind.INSPECTION, "立案", document="〔2026〕1号")
    one = add_hold(desk, HoldKind.DISPUTE, "仲裁", person_id=person)
    with pytest.raises(NotPermitted):
        lift_hold(desk, one, "了结")
    office = working.desk
    assert code_of(lambda: lift_hold(office, one, "")) == "hold_reason"
    assert code_of(lambda: lift_hold(office, 99, "了结")) == "unknown_hold"
    lift_hold(office, one, "了结")
    assert code_of(lambda: lift_hold(office, one, "再次")) == "hold_lifted"
    with desk.book.read() as session:
        assert [(row.id, row.scope) for row in holds(session, 1)] == [
            (one, "人员编号1001"), (whole, "全项目")
        ]
        assert [row.id for row in holds(session, 1, active=True)] == [whole]
        assert holds(session, 1)[0].as_json()["lifted_by"] == "管理员"


def test_the_forecast_says_what_falls_due_when(working: Site) -> None:
    desk = working.desk

    def states() -> dict[RecordClass, str]:
        with desk.book.read() as session:
            rows = forecast(session, 1, working.clock.today(), folder=desk.book.path)
        assert all(row.sentence.endswith("。") for row in rows)
        return {row.record_class: row.state for row in rows}

    assert states() == {
        RecordClass.ATTENDANCE: "locked", RecordClass.LEDGER: "locked",
        RecordClass.PAYROLL: "none", RecordClass.CONTRACT: "locked",
        RecordClass.ASSESSMENT: "none", RecordClass.BIOMETRIC: "task",
    }
    set_day(working.clock, date(2027, 7, 1))
    set_dates(desk, completed=Dated(COMPLETED, "报告"), settled=Dated(SETTLED, "公示"))
    set_policy(desk, Policy(assessed_on=date(2026, 1, 1), assessment="影响评估1号"))
    assert states()[RecordClass.LEDGER] == "kept"
    with desk.book.read() as session:
        rows = {
            row.record_class: row
            for row in forecast(session, 1, working.clock.today(), folder=desk.book.path)
        }
    assert rows[RecordClass.ATTENDANCE].records == 2 and rows[RecordClass.ATTENDANCE].bytes > 300
    assert rows[RecordClass.LEDGER].earliest == date(2030, 6, 30)
    assert rows[RecordClass.ASSESSMENT].earliest == date(2029, 1, 1)
    assert rows[RecordClass.CONTRACT].records == 2
    assert rows[RecordClass.LEDGER].as_json()["clause"] == "T-28c"
    set_day(working.clock, date(2030, 6, 30))
    assert states()[RecordClass.ATTENDANCE] == states()[RecordClass.LEDGER] == "due"
    add_hold(desk, HoldKind.INSPECTION, "立案")
    assert states()[RecordClass.LEDGER] == "held"


def test_the_disk_is_projected_to_the_day_of_purging(working: Site) -> None:
    desk, today = working.desk, working.clock.today()
    with desk.book.read() as session:
        disk = disk_forecast(session, 1, today, desk.book.path)
    assert disk.by_month == {"2026-12": disk.held} and disk.held == disk.per_month > 300
    assert disk.until == date(2031, 3, 1), "planned completion, and the wages settled with it"
    assert disk.projected == disk.held + 15 * disk.per_month
    assert disk.snapshots_per_month == 0 and "不留存抓拍照片" in disk.sentence
    set_policy(desk, Policy(snapshots=Snapshots.ALL, snapshot_kb=40))
    with desk.book.read() as session:
        disk = disk_forecast(session, 1, today, desk.book.path)
    assert disk.snapshots_per_month == 30 * 40 * 1024, "32 punches in 31 days"
    assert disk.snapshots_projected == 15 * disk.snapshots_per_month
    assert "每次打卡" in disk.sentence


def test_an_inspector_reads_and_a_technician_does_not(working: Site) -> None:
    from desktop.access.actor import View

    for role, sees in ((Role.INSPECTOR, True), (Role.TECHNICIAN, False)):
        desk = at(working.desk, Actor("某人", role))
        if sees:
            with desk.look(View.RETENTION) as session:
                assert forecast(session, 1, working.clock.today())
        else:
            with pytest.raises(NotPermitted), desk.look(View.RETENTION):
                pass

"""Two persons, a waiting time, and everything asked again before anything is erased."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest
from sqlalchemy import select, update

from desktop.access.actor import Act, Actor, Role
from desktop.access.tables import AuditAct
from desktop.bootstrap import leaf_readers
from desktop.errors import NotPermitted, Refused
from desktop.people.tables import Contract, Person, Stay
from desktop.retention.dates import Dated, Policy, set_dates, set_policy
from desktop.retention.holds import HoldKind, add_hold, lift_hold
from desktop.retention.purge import approve_purge, propose_purge, run_purge, withdraw_purge
from desktop.retention.rules import RecordClass
from desktop.retention.scope import persons_due
from desktop.retention.steps import purge_of, purges
from desktop.site.tables import Project
from desktop.storage import chain
from tests.retention.site_over import (
    ADMINISTRATOR,
    COMPLETED,
    DUE,
    MANAGER,
    OFFICER,
    SETTLED,
    Site,
    at,
    purged,
    set_day,
)

LEDGER, ATTENDANCE = RecordClass.LEDGER, RecordClass.ATTENDANCE


def code_of(act: Callable[[], object]) -> str:
    with pytest.raises(Refused) as refusal:
        act()
    assert refusal.value.message.endswith("。"), refusal.value.message
    return refusal.value.code


def ready(site: Site) -> Site:
    """Raw data are gone, so that the ledger may follow."""
    purged(site, ATTENDANCE)
    set_day(site.clock, DUE)
    return site


def test_nothing_before_its_day_and_nothing_without_the_dates(working: Site) -> None:
    desk = at(working.desk, OFFICER)
    for record_class in (ATTENDANCE, LEDGER):
        assert code_of(lambda one=record_class: propose_purge(desk, one, "期满")) == "dates_missing"
    set_day(working.clock, date(2027, 7, 1))
    set_dates(desk, completed=Dated(COMPLETED, "验收报告"))
    assert code_of(lambda: propose_purge(desk, LEDGER, "期满")) == "dates_missing"
    set_dates(desk, settled=Dated(SETTLED, "结清公示"))
    set_day(working.clock, date(2030, 6, 29))
    assert code_of(lambda: propose_purge(desk, LEDGER, "期满")) == "not_due"
    with desk.book.read() as session:
        assert purges(session, 1) == []


def test_one_person_cannot_do_it_alone(site: Site) -> None:
    """Neither the proposer, nor under another name, nor an administrator without users."""
    for proposer in (OFFICER, ADMINISTRATOR):
        number = propose_purge(at(site.desk, proposer), ATTENDANCE, "保存期满")
        if proposer is ADMINISTRATOR:
            assert code_of(lambda n=number: approve_purge(site.desk, n)) == "same_person"
        with site.desk.book.read() as session:
            assert purge_of(session, 1, number).state == "proposed"
        assert code_of(lambda n=number: run_purge(site.desk, n)) == "purge_state"
        withdraw_purge(at(site.desk, proposer), number, "重新办理")
    alone = at(site.desk, Actor("管理员", Role.ADMINISTRATOR))
    number = propose_purge(alone, ATTENDANCE, "保存期满")
    assert code_of(lambda: approve_purge(alone, number)) == "same_person"
    assert code_of(lambda: approve_purge(at(site.desk, MANAGER), number)) == "same_person"
    number = propose_purge(at(site.desk, OFFICER), ATTENDANCE, "保存期满")
    assert approve_purge(at(site.desk, MANAGER), number) == date(2030, 7, 7)


@pytest.mark.parametrize(
    ("role", "act"),
    [
        (Role.INSPECTOR, "propose"), (Role.TECHNICIAN, "propose"), (Role.PROJECT_MANAGER, "propose"),
        (Role.LABOUR_OFFICER, "approve"), (Role.INSPECTOR, "approve"),
        (Role.LABOUR_OFFICER, "run"), (Role.PROJECT_MANAGER, "run"), (Role.TECHNICIAN, "withdraw"),
    ],
)
def test_every_step_asks_for_its_role(site: Site, role: Role, act: str) -> None:
    desk = at(site.desk, Actor("某人", role))
    acts: dict[str, Callable[[], object]] = {
        "propose": lambda: propose_purge(desk, ATTENDANCE, "期满"),
        "approve": lambda: approve_purge(desk, 1), "run": lambda: run_purge(desk, 1),
        "withdraw": lambda: withdraw_purge(desk, 1, "不办"),
    }
    with pytest.raises(NotPermitted):
        acts[act]()


def test_the_waiting_time_is_waited(site: Site) -> None:
    set_policy(site.desk, Policy(waiting_days=10))
    number = propose_purge(at(site.desk, OFFICER), ATTENDANCE, "保存期满")
    first = approve_purge(at(site.desk, MANAGER), number)
    assert first == date(2030, 7, 10)
    set_day(site.clock, date(2030, 7, 9))
    assert code_of(lambda: run_purge(site.desk, number)) == "purge_waiting"
    set_policy(site.desk, Policy(waiting_days=1))
    assert code_of(lambda: run_purge(site.desk, number)) == "purge_waiting", "as proposed"
    set_day(site.clock, first)
    assert run_purge(site.desk, number).files == 2


def test_a_hold_stops_every_step(site: Site) -> None:
    number = propose_purge(at(site.desk, OFFICER), ATTENDANCE, "保存期满")
    hold = add_hold(site.desk, HoldKind.INSPECTION, "监察立案", document="立案〔2030〕1号")
    assert code_of(lambda: approve_purge(at(site.desk, MANAGER), number)) == "held"
    assert code_of(lambda: propose_purge(site.desk, ATTENDANCE, "期满")) == "held"
    lift_hold(site.desk, hold, "已结案")
    first = approve_purge(at(site.desk, MANAGER), number)
    set_day(site.clock, first)
    # Raw data cannot be told apart by person: anybody's hold counts.
    hold = add_hold(site.desk, HoldKind.DISPUTE, "仲裁", person_id=site.colleague.person_id)
    assert code_of(lambda: run_purge(site.desk, number)) == "held"
    lift_hold(site.desk, hold, "已裁决")
    assert run_purge(site.desk, number).files == 2


def test_a_hold_on_a_person_keeps_that_person(site: Site) -> None:
    ready(site)
    hold = add_hold(site.desk, HoldKind.DISPUTE, "仲裁", person_id=site.gone.person_id)
    desk = at(site.desk, OFFICER)
    assert code_of(lambda: propose_purge(desk, LEDGER, "期满", workers=[1001])) == "not_eligible"
    number = propose_purge(desk, LEDGER, "期满")
    with desk.book.read() as session:
        content = purge_of(session, 1, number).content
    assert content["workers"] == [1002] and content["skipped"] == {"held": 1}
    assert content["whole"] is False, "somebody is left: the contacts of the project stay too"
    lift_hold(site.desk, hold, "了结")
    number = propose_purge(desk, LEDGER, "期满", workers=[1001])
    set_day(site.clock, approve_purge(at(site.desk, MANAGER), number))
    add_hold(site.desk, HoldKind.DISPUTE, "又起诉", person_id=site.gone.person_id)
    assert code_of(lambda: run_purge(site.desk, number)) == "not_eligible"
    with desk.book.read() as session:
        assert session.get_one(Person, site.gone.person_id).name == site.identity.name


def test_what_changed_since_the_approval_stops_the_run(site: Site) -> None:
    ready(site)
    number = propose_purge(at(site.desk, OFFICER), LEDGER, "期满", workers=[1001])
    first = approve_purge(at(site.desk, MANAGER), number)
    set_day(site.clock, first)
    later = Dated(date(2028, 1, 1), "补充结清公示")
    set_dates(site.desk, settled=later, why="又补发一笔工资")
    assert code_of(lambda: run_purge(site.desk, number)) == "not_due"
    set_dates(site.desk, settled=Dated(SETTLED, "结清公示"), why="登记错了")
    with site.desk.book.write() as session:
        stay = session.scalars(select(Stay).where(Stay.person_id == site.gone.person_id)).one()
        session.add(
            Stay(
                project_id=1, person_id=stay.person_id, company_id=stay.company_id,
                from_day=first, to_day=None, is_manager=False, trade="钢筋工", state="on_site",
                housing_registered_on=None, labour_registered_on=None, trained_on=None,
                taken_over_on=None,
            )
        )
    assert code_of(lambda: run_purge(site.desk, number)) == "not_eligible"


def test_somebody_of_another_project_waits_for_that_one(site: Site) -> None:
    ready(site)
    with site.desk.book.write() as session:
        session.add(
            Project(
                name="样例二期", code="ZZ-2", address="", permit_no="", started_on=None,
                planned_completion_on=None, enclosed=True, pay_day=None,
                created_at=site.clock.now(),
            )
        )
        session.flush()
        stay = session.scalars(select(Stay).where(Stay.person_id == site.gone.person_id)).one()
        session.add(
            Stay(
                project_id=2, person_id=stay.person_id, company_id=stay.company_id,
                from_day=date(2027, 1, 1), to_day=date(2027, 2, 1), is_manager=False,
                trade="钢筋工", state="exited", housing_registered_on=None,
                labour_registered_on=None, trained_on=None, taken_over_on=None,
            )
        )
    with site.desk.book.read() as session:
        scope = persons_due(session, 1, DUE)
        assert list(scope.numbers.values()) == [1002] and scope.skipped == {"not_due": 1}
    with site.desk.book.write() as session:
        session.execute(update(Contract).values(to_day=date(2029, 1, 1)))
    with site.desk.book.read() as session:
        assert persons_due(session, 1, DUE).skipped == {"not_due": 1, "contract": 1}


def test_the_reason_names_nobody(site: Site) -> None:
    """It is kept for ever and has no tombstone."""
    desk, who = at(site.desk, OFFICER), site.identity
    for text in (f"{who.name}要求删除", f"电话{who.phone}", f"证件{who.id_number}"):
        assert code_of(lambda why=text: propose_purge(desk, ATTENDANCE, why)) == "why_names"
    assert code_of(lambda: propose_purge(desk, ATTENDANCE, "  ")) == "purge_why"
    number = propose_purge(desk, ATTENDANCE, "保存期满")
    approver = at(site.desk, MANAGER)
    assert code_of(lambda: approve_purge(approver, number, why=who.name)) == "why_names"


@pytest.mark.parametrize(
    "record_class",
    [
        RecordClass.PAYROLL, RecordClass.CONTRACT, RecordClass.ASSESSMENT, RecordClass.BIOMETRIC,
    ],
)
def test_other_classes_say_where_they_go(site: Site, record_class: RecordClass) -> None:
    assert code_of(lambda: propose_purge(site.desk, record_class, "期满")) == "class_not_purged"


def test_every_step_is_in_the_chain_and_in_the_trail(site: Site) -> None:
    desk = site.desk
    first = propose_purge(at(desk, OFFICER), ATTENDANCE, "保存期满")
    withdraw_purge(at(desk, MANAGER), first, "再核对一次")
    purged(site, ATTENDANCE)
    with desk.book.read() as session:
        verdict = chain.verify(session, 1, leaf_readers(desk.book))
        assert verdict.ok and verdict.counts["purge"] == 6 and verdict.counts["tombstone"] == 2
        acts = session.execute(
            select(AuditAct.act, AuditAct.actor, AuditAct.facts)
            .where(AuditAct.act.startswith("purge."))
            .order_by(AuditAct.id)
        ).all()
        told = [(act, actor) for act, actor, _ in acts]
        assert [one.as_json()["state"] for one in purges(session, 1)] == ["finished", "withdrawn"]
    assert told == [
        (Act.PURGE_PROPOSED, OFFICER.name), (Act.PURGE_APPROVED, MANAGER.name),
        (Act.PURGE_PROPOSED, OFFICER.name), (Act.PURGE_APPROVED, MANAGER.name),
        (Act.PURGE_RUN, ADMINISTRATOR.name),
    ]
    assert acts[1].facts == {"withdrawn": True}
    assert code_of(lambda: approve_purge(at(desk, MANAGER), first)) == "purge_state"
    assert code_of(lambda: approve_purge(at(desk, MANAGER), 99)) == "unknown_purge"


def test_open_removal_tasks_come_first(site: Site) -> None:
    from desktop.retention.tables import BiometricRemoval

    with site.desk.book.write() as session:
        row = session.scalars(
            select(BiometricRemoval).where(BiometricRemoval.number == "1001")
        ).one()
        row.closed_how, row.closed_at = "", None
    assert code_of(lambda: propose_purge(site.desk, ATTENDANCE, "期满")) == "removals_open"


def test_a_cancelled_run_leaves_everything(site: Site) -> None:
    from desktop.errors import Cancelled
    from desktop.jobs import CancelToken

    ready(site)
    number = propose_purge(at(site.desk, OFFICER), LEDGER, "期满")
    set_day(site.clock, approve_purge(at(site.desk, MANAGER), number))
    cancel = CancelToken()
    cancel.set()
    with pytest.raises(Cancelled):
        run_purge(site.desk, number, cancel=cancel)
    with site.desk.book.read() as session:
        assert session.get_one(Person, site.gone.person_id).name == site.identity.name
        assert purge_of(session, 1, number).state == "approved"



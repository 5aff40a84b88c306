"""Finding and sorting people, and what lists show of them."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import select

from desktop.access.actor import Actor, Role
from desktop.access.desk import Desk
from desktop.access.tables import AuditAct
from desktop.demo.people import invent_people
from desktop.errors import NotPermitted, Refused
from desktop.people import queries
from desktop.people.queries import RosterQuery
from desktop.people.reveal import reveal
from desktop.people.roster_import import import_roster
from desktop.people.roster_search import SORTS
from desktop.people.rules import PersonState
from desktop.people.tables import Person, Stay
from tests.people.sheets import manager_row, row_of, write_xlsx

PEOPLE = invent_people(60)


@pytest.fixture
def site(desk: Desk, tmp_path: Path) -> Desk:
    """Twelve people with known names, one of them a manager, one gone."""
    names = (
        "曾伟", "单强", "欧阳娜娜", "买买提·阿不都热合曼·吐尔逊", "张伟", "张维", "李_百%", "王强", "𠮷田明", "John Smith",
    )
    rows = [row_of(person, place, 姓名=name, 人员编号=str(120 + place))
            for place, (person, name) in enumerate(zip(PEOPLE, names, strict=False))]
    rows[7]["退场日期"] = "2026-06-30"
    rows += [manager_row(PEOPLE[10], 姓名="周经理", 人员编号="7"), row_of(PEOPLE[11], 3, 姓名="吴夜", 人员编号="1205")]
    assert import_roster(desk, write_xlsx(tmp_path / "r.xlsx", rows)).created == 12
    return desk


def names(desk: Desk, query: RosterQuery) -> list[str]:
    sealer = desk.book.sealer
    with desk.book.read() as session:
        ids = queries.roster_ids(session, 1, query, sealer)
        assert queries.roster_count(session, 1, query, sealer) == len(ids)
        return [row.name for row in queries.roster_rows(session, sealer, ids)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("曾", ["曾伟"]), ("zengwei", ["曾伟"]), ("cengwei", ["曾伟"]), ("Zeng Wei", ["曾伟"]), ("zw", ["曾伟", "张伟", "张维"]),
        ("cw", ["曾伟"]), ("shanq", ["单强"]), ("danqiang", ["单强"]), ("oynn", ["欧阳娜娜"]),
        ("吐尔逊", ["买买提·阿不都热合曼·吐尔逊"]), ("mmtabd", ["买买提·阿不都热合曼·吐尔逊"]),
        ("𠮷", ["𠮷田明"]), ("jitian", ["𠮷田明"]), ("smith", ["John Smith"]), ("john smi", ["John Smith"]),
        ("120", ["曾伟", "吴夜"]), ("1205", ["吴夜"]), ("７", ["周经理"]), ("混凝土夜", ["买买提·阿不都热合曼·吐尔逊", "王强", "吴夜"]),
        ("_", ["李_百%"]), ("%", ["李_百%"]), ("百%", ["李_百%"]), ("\\", []), ("' OR 1=1 --", []), ("xyz", []),
        (PEOPLE[4].id_number, ["张伟"]), (PEOPLE[4].id_number.lower(), ["张伟"]), (PEOPLE[4].phone, ["张伟"]),
        (f"{PEOPLE[4].phone[:3]} {PEOPLE[4].phone[3:]}", ["张伟"]), (PEOPLE[4].phone[:10], []),
    ],
)
def test_search(site: Desk, text: str, found: list[str]) -> None:
    assert names(site, RosterQuery(text=text)) == found


def test_a_whole_number_is_found_only_with_the_sealer(site: Desk) -> None:
    with site.book.read() as session:
        assert queries.roster_ids(session, 1, RosterQuery(PEOPLE[4].phone)) == []


def test_filters(site: Desk) -> None:
    assert names(site, RosterQuery(managers=True)) == ["周经理"]
    assert len(names(site, RosterQuery(managers=False))) == 11
    assert names(site, RosterQuery(state=PersonState.EXITED)) == ["王强"]
    assert names(site, RosterQuery(team_id=4)) == ["买买提·阿不都热合曼·吐尔逊", "王强", "吴夜"]
    assert names(site, RosterQuery(team_id=4, text="wy")) == ["吴夜"]
    assert len(names(site, RosterQuery(company_id=3))) == 6
    assert names(site, RosterQuery(company_id=3, text="zw")) == ["曾伟", "张伟", "张维"]


def test_sorting_by_every_column(site: Desk) -> None:
    assert names(site, RosterQuery(sort="worker_no"))[0] == "周经理"
    assert names(site, RosterQuery(sort="worker_no", descending=True))[0] == "吴夜"
    by_name = names(site, RosterQuery(sort="name"))
    assert by_name == [
        "𠮷田明", "John Smith", "李_百%", "买买提·阿不都热合曼·吐尔逊", "欧阳娜娜", "单强", "王强", "吴夜", "曾伟",
        "张伟", "张维", "周经理",
    ]
    assert names(site, RosterQuery(sort="name", descending=True)) == by_name[::-1]
    assert names(site, RosterQuery(sort="team"))[0] == "周经理"
    assert names(site, RosterQuery(sort="to_day"))[-1] == "王强"
    for column in SORTS:
        for descending in (False, True):
            assert len(set(names(site, RosterQuery(sort=column, descending=descending)))) == 12


@pytest.mark.file_only
def test_no_sort_or_search_reads_the_wide_rows(site: Desk) -> None:
    """The plan of every list touches narrow indexes only (the ids are then a matter of milliseconds)."""
    from desktop.people.roster_search import _Wanted

    with site.book.read() as session:
        for query in (
            *(RosterQuery(sort=column) for column in SORTS), RosterQuery(text="zwm"),
            *(RosterQuery(team_id=2, sort=column) for column in SORTS), RosterQuery(text="钢筋"),
        ):
            wanted = _Wanted(session, 1, query, None)
            plan = session.connection().exec_driver_sql(
                "EXPLAIN QUERY PLAN " + wanted.statement("s.id", ordered=True), wanted.given
            )
            steps = [row[3] for row in plan]
            touched = [step for step in steps if step.startswith(("SCAN", "SEARCH"))]
            assert all("COVERING INDEX" in step for step in touched), (query, steps)
            assert [step.split()[1] for step in touched] in (["p", "s"], ["p", "s", "m"]), steps


def test_rows_are_masked_and_in_the_order_asked_for(site: Desk) -> None:
    with site.book.read() as session:
        ids = queries.roster_ids(session, 1, RosterQuery())
        wanted = [*reversed(ids), 999]
        rows = queries.roster_rows(session, site.book.sealer, wanted)
        assert [row.stay_id for row in rows] == ids[::-1]
        row = next(row for row in rows if row.name == "曾伟")
        number, phone, card = PEOPLE[0].id_number, PEOPLE[0].phone, PEOPLE[0].bank_card
        assert row.id_number == f"{number[:4]}**********{number[-4:]}"
        assert row.phone == f"{phone[:3]}****{phone[-4:]}"
        assert row.bank_card == f"****{card[-4:]}"
        assert (row.state_word, row.contract_number) == ("在场", "HT-001")
        assert {step.code for step in row.missing} == {
            "housing_registration_missing", "labour_registration_missing", "training_missing"
        }
        stays = queries.stays_of_person(session, site.book.sealer, 1, row.person_id)
        assert stays == [row]


def test_people_by_number(site: Desk) -> None:
    with site.book.read() as session:
        sealer = site.book.sealer
        person = queries.person_by_worker_no(session, 124)
        assert person is not None
        assert queries.person_by_worker_no(session, 99) is None
        assert queries.person_by_id_number(session, sealer, f" {PEOPLE[4].id_number.lower()}") == person
        assert queries.person_by_id_number(session, sealer, PEOPLE[40].id_number) is None
        assert queries.person_by_id_number(session, sealer, "no number") is None


def test_present_and_gate_findings(site: Desk) -> None:
    with site.book.read() as session:
        assert queries.present_on(session, 1, date(2026, 6, 30)) == {True: 1, False: 11}
        assert queries.present_on(session, 1, date(2026, 7, 1)) == {True: 1, False: 10}
        assert queries.present_on(session, 1, date(2026, 1, 1)) == {True: 0, False: 0}
        findings = queries.gate_findings(session, 1, date(2026, 7, 1))
    assert [one.worker_no for one in findings][:2] == [7, 120]
    assert len(findings) == 11
    assert all(one.steps for one in findings)


def test_numbers_in_clear_need_a_reason_and_leave_a_trace(site: Desk) -> None:
    with site.book.read() as session:
        person = session.scalars(select(Person).where(Person.worker_no == 120)).one()
    for why, person_id, code in (("", person.id, "reason_missing"), ("核对", 999, "unknown_person")):
        with pytest.raises(Refused) as refused:
            reveal(site, person_id, why)
        assert refused.value.code == code
    shown = reveal(site, person.id, "银行核对")
    assert (shown.id_number, shown.phone) == (PEOPLE[0].id_number, PEOPLE[0].phone)
    assert (shown.bank_card, shown.address) == (PEOPLE[0].bank_card, PEOPLE[0].address)
    assert (shown.id_kind, shown.emergency_phone) == ("01", "")
    with site.book.read() as session:
        acts = session.scalars(select(AuditAct).where(AuditAct.act == "personal_data.shown")).all()
        assert [(act.subject, act.why) for act in acts] == [(f"person:{person.id}", "银行核对")]
        assert session.scalars(select(Stay.id)).first() is not None
    with pytest.raises(NotPermitted):
        reveal(Desk(site.book, 1, Actor("检查员", Role.INSPECTOR)), person.id, "看看")

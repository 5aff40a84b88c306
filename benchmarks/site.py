"""The invented site the measurements stand on: a real book with many people. No time counts here.

Books are opened through a passphrase slot of the cheapest work factor, which takes as long as
opening by the raw key: the work of guessing is no part of any measurement.
"""

from __future__ import annotations

import shutil
from datetime import UTC, date, datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.child import Meter

if TYPE_CHECKING:
    from desktop.access.desk import Desk
    from desktop.storage.book import Book

NOW = datetime(2026, 12, 1, 8, 0, tzinfo=UTC)
MONTH = "2026-11"
PASSPHRASE = "benchmark"
FIRST_NUMBER = 100_001
_ENTERED = date(2026, 3, 2)
_AT_ONCE = 5_000


def make_book(meter: Meter, folder: str, people: int = 0, teams: int = 4) -> dict[str, Any]:
    """A book with the sample site and ``people`` on it, in ``teams`` teams; closed again."""
    from desktop.clock import FixedClock
    from desktop.storage.book import create_book
    from desktop.storage.keys import Argon2Cost
    from tests.sample_site import insert_project

    clock = FixedClock(NOW)
    path = Path(folder)
    path.parent.mkdir(parents=True, exist_ok=True)
    book, _ = create_book(
        path, clock, passphrase=PASSPHRASE, cost=Argon2Cost(memory_kib=64, iterations=1, lanes=1)
    )
    with book:
        with book.write() as session:
            project_id = insert_project(session, clock, path.parent)
        _add_teams(book, project_id, teams)
        _add_people(book, project_id, people)
    return {"project_id": project_id}


def fresh_copy(template: Path, target: Path) -> Path:
    """A copy of a closed book, in place of an earlier copy."""
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(template, target)
    return target


def open_desk(folder: str) -> Desk:
    """The desk of the office in ``folder``, opened as the program opens it."""
    from desktop.bootstrap import open_office
    from desktop.clock import FixedClock

    return open_office(Path(folder), passphrase=PASSPHRASE, clock=FixedClock(NOW)).desk


def _add_teams(book: Book, project_id: int, wanted: int) -> None:
    from sqlalchemy import select

    from desktop.site.tables import Shift, Team
    from desktop.site.teams import create_team

    with book.write() as session:
        there = list(session.scalars(select(Team).where(Team.project_id == project_id)))
        for place in range(len(there), wanted):
            shift = Shift.NIGHT if place % 4 == 3 else Shift.DAY
            company = there[place % len(there)].company_id
            create_team(session, project_id, company, f"第{place + 1}班组", shift=shift)


def _add_people(book: Book, project_id: int, count: int) -> None:
    """Persons with a stay, a membership and a contract each, through the tables."""
    from sqlalchemy import insert, select

    from desktop.demo.people import invent_people
    from desktop.people.tables import Contract, Person, Stay, StayTeam
    from desktop.site.tables import Team

    with book.read() as session:
        teams = [
            (team.id, team.company_id)
            for team in session.scalars(select(Team).where(Team.project_id == project_id))
        ]
    numbered = enumerate(invent_people(count), 1)
    while chunk := list(islice(numbered, _AT_ONCE)):
        rows: dict[Any, list[dict[str, Any]]] = {Person: [], Stay: [], StayTeam: [], Contract: []}
        for ident, one in chunk:
            team_id, company_id = teams[ident % len(teams)]
            rows[Person].append({"id": ident, **_person(book, one, FIRST_NUMBER + ident - 1)})
            rows[Stay].append(_stay(ident, project_id, company_id, one.trade))
            rows[StayTeam].append(
                {"stay_id": ident, "team_id": team_id, "from_day": _ENTERED, "to_day": None}
            )
            rows[Contract].append(
                {
                    "project_id": project_id, "stay_id": ident, "kind": "劳动合同",
                    "number": f"HT{ident:06d}", "from_day": _ENTERED, "to_day": None,
                }
            )
        with book.write() as session:
            for mapped, values in rows.items():
                session.connection().execute(insert(mapped.__table__), values)


def _person(book: Book, one: Any, worker_no: int) -> dict[str, Any]:
    from desktop.people import seals
    from desktop.people.pinyin import reading

    sealer, spelled = book.sealer, reading(one.name)
    return {
        "worker_no": worker_no, "name": one.name, "pinyin": spelled.pinyin,
        "initials": spelled.initials, "sex": one.sex, "nation": one.nation, "education": "",
        "birth_day": date.fromisoformat(one.id_number[6:14]), "id_kind": "01",
        "id_sealed": sealer.seal(one.id_number),
        "id_index": sealer.index(seals.ID_NUMBER, one.id_number),
        "address_sealed": sealer.seal(one.address), "phone_sealed": sealer.seal(one.phone),
        "phone_index": sealer.index(seals.PHONE, one.phone), "bank_name": "",
        "bank_card_sealed": sealer.seal(one.bank_card),
        "bank_card_index": sealer.index(seals.BANK_CARD, one.bank_card),
        "emergency_contact": "", "emergency_phone_sealed": None, "updated_at": NOW,
    }


def _stay(ident: int, project_id: int, company_id: int, trade: str) -> dict[str, Any]:
    return {
        "id": ident, "project_id": project_id, "person_id": ident, "company_id": company_id,
        "from_day": _ENTERED, "to_day": None, "is_manager": False, "trade": trade,
        "state": "on_site", "housing_registered_on": _ENTERED, "labour_registered_on": _ENTERED,
        "trained_on": _ENTERED, "taken_over_on": None,
    }

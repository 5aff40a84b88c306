"""A crew and gates put straight into the book of the sample site, and punches through the ledger.

Rows of people are written here by hand so that these tests do not depend on the roster file.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from desktop.access.desk import Desk
from desktop.attendance.month import MonthAttendance, compute_month
from desktop.people.tables import Person, Stay, StayTeam
from desktop.punches import ledger
from desktop.punches.tables import Terminal
from desktop.punches.terminal_book import add_terminal
from desktop.site.tables import Company, Team
from desktop.storage.types import local_seconds
from devices.terminals.model import Punch, SourceFormat

MONTH = "2026-11"
ENTERED = date(2026, 10, 1)
RECEIVED = datetime(2026, 12, 10, 8, tzinfo=UTC)
"""After every punch of these tests: none is later than its reception."""


@dataclass(frozen=True)
class Member:
    """Somebody on the sample site."""

    person_id: int
    worker_no: int
    name: str


def company_id(session: Session, name: str) -> int:
    """A company by name."""
    return session.scalars(select(Company.id).where(Company.name == name)).one()


def team_id(session: Session, name: str) -> int:
    """A team by name."""
    return session.scalars(select(Team.id).where(Team.name == name)).one()


def hire(
    desk: Desk,
    worker_no: int,
    team: str | None,
    *,
    entered: date = ENTERED,
    left: date | None = None,
    trade: str = "钢筋工",
    company: str | None = None,
    moves: tuple[tuple[str, date], ...] = (),
) -> Member:
    """One person with one stay; ``moves`` are later teams with their first day.

    A manager has no ``team`` but a ``company``. A known number gets a further stay.
    """
    with desk.book.write() as session:
        person = session.scalar(select(Person).where(Person.worker_no == worker_no))
        if person is None:
            person = _person(desk, worker_no)
            session.add(person)
            session.flush()
        first = None if team is None else session.get(Team, team_id(session, team))
        employer = first.company_id if first else company_id(session, company or "")
        stay = Stay(
            project_id=desk.project_id, person_id=person.id, company_id=employer,
            from_day=entered, to_day=left, is_manager=team is None, trade=trade, state="on_site",
            housing_registered_on=None, labour_registered_on=None, trained_on=None,
            taken_over_on=None,
        )
        session.add(stay)
        session.flush()
        steps = [] if first is None else [(first.name, entered), *moves]
        for place, (name, since) in enumerate(steps):
            until = left
            if place + 1 < len(steps):
                until = date.fromordinal(steps[place + 1][1].toordinal() - 1)
            session.add(
                StayTeam(
                    stay_id=stay.id, team_id=team_id(session, name), from_day=since, to_day=until
                )
            )
        return Member(person.id, worker_no, person.name)


def _person(desk: Desk, worker_no: int) -> Person:
    sealer, number = desk.book.sealer, f"invented {worker_no}"
    return Person(
        worker_no=worker_no, name=f"工友{worker_no}", pinyin="gongyou", initials="gy", sex="男",
        nation="01", education="", birth_day=None, id_kind="01", id_sealed=sealer.seal(number),
        id_index=sealer.index("id", number), address_sealed=None, phone_sealed=None,
        phone_index=None, bank_name="", bank_card_sealed=None, bank_card_index=None,
        emergency_contact="", emergency_phone_sealed=None, updated_at=desk.clock.now(),
    )


def gates(desk: Desk, **directions: str) -> dict[str, int]:
    """Terminals by name; without arguments 进 and 出."""
    wanted = directions or {"进": "in", "出": "out"}
    return {
        name: add_terminal(desk, name, driver="zk", address="", direction=way).terminal_id
        for name, way in wanted.items()
    }


def punched(
    desk: Desk,
    terminal_id: int,
    member: Member | str,
    *times: str,
    method_class: int = 1,
    accepted: int = 1,
) -> None:
    """Store punches (``11-03 07:00`` of 2026) of a person, or of a number, at a terminal."""
    number = member if isinstance(member, str) else str(member.worker_no)
    punches = []
    for time in times:
        form = "%Y-%m-%d %H:%M:%S" if time.count(":") == 2 else "%Y-%m-%d %H:%M"
        t_local = local_seconds(datetime.strptime(f"2026-{time}", form))
        raw = hashlib.sha256(f"{number}/{t_local}/{method_class}".encode()).digest()
        punches.append(
            Punch(number, t_local, 15, 0, method_class, accepted, SourceFormat.ZK40, raw)
        )
    source = ledger.Source(ledger.Origin.PULL, RECEIVED, desk.actor.name)
    with desk.book.write() as session:
        terminal = session.get(Terminal, terminal_id)
        assert terminal is not None
        ledger.store(session, terminal, ledger.Part(punches), source)


def whole_days(desk: Desk, places: dict[str, int], member: Member, *days: int) -> None:
    """In at 07:00 and out at 17:30 on days of November."""
    punched(desk, places["进"], member, *(f"11-{day:02d} 07:00" for day in days))
    punched(desk, places["出"], member, *(f"11-{day:02d} 17:30" for day in days))


def month_of(desk: Desk, month: str = MONTH) -> MonthAttendance:
    """The month computed from what is in the book now."""
    with desk.book.read() as session:
        return compute_month(session, desk.project_id, month)


def symbols(attendance: MonthAttendance, member: Member) -> dict[int, str]:
    """Day of the month → printed symbol of one person."""
    row = attendance.row_of(member.person_id)
    assert row is not None
    return dict(enumerate(row.symbols, 1))

"""What the book holds of the people in a roster, loaded in bulk, and what is to become of it.

A :class:`KnownPerson` and its stays are drafts: they begin as the rows of the book (or empty) and
note what was changed. Nothing is written here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from desktop.people import hidden, seals
from desktop.people.rules import Evidence
from desktop.people.tables import Contract, Person, Stay, StayTeam
from desktop.storage.sealed import Sealer

if TYPE_CHECKING:
    from desktop.people.roster_row import RosterEntry

T = TypeVar("T")
_CHUNK = 500

FIRST_OWN_NUMBER = 100_001
"""Numbers given by the program start here: terminals in use carry small numbers of their own."""
_LAST_COUNTED = 899_999_999


@dataclass(slots=True)
class Draft:
    """A row of the book or a new one (``id`` None), with the columns that changed.

    Drafts of a whole roster are in memory together: what is usually empty takes no room.
    """

    id: int | None
    values: dict[str, Any]
    changed: tuple[str, ...] = ()

    def set(self, column: str, value: Any) -> bool:
        """Set a column; returns whether that changed anything."""
        if self.values.get(column) == value:
            return False
        self.values[column] = value
        if self.id is not None and column not in self.changed:
            self.changed = (*self.changed, column)
        return True

    def fill(self, column: str, value: Any) -> bool:
        """Like :meth:`set`, but an empty value says nothing: it never erases."""
        return value not in (None, "") and self.set(column, value)


@dataclass(slots=True)
class KnownStay(Draft):
    """A stay with its memberships and contracts in order of their first day."""

    teams: list[Draft] = field(default_factory=list)
    contracts: list[Draft] = field(default_factory=list)
    claimed: RosterEntry | None = None
    """The row of the present file that spoke of it."""

    @property
    def from_day(self) -> date:
        day: date = self.values["from_day"]
        return day

    @property
    def to_day(self) -> date | None:
        day: date | None = self.values["to_day"]
        return day

    def overlaps(self, first: date, last: date | None) -> bool:
        """Whether a stay of those days, both included, would share a day with this one."""
        return first <= (self.to_day or date.max) and self.from_day <= (last or date.max)

    def evidence(self) -> Evidence:
        """What the rules of the gate look at."""
        starts = [draft.values["from_day"] for draft in self.contracts]
        dated = [day for day in starts if day is not None]
        return Evidence(
            is_manager=self.values["is_manager"], entered_on=self.from_day, left_on=self.to_day,
            has_contract=bool(self.contracts), contract_from=min(dated, default=None),
            housing_registered_on=self.values["housing_registered_on"],
            labour_registered_on=self.values["labour_registered_on"],
            trained_on=self.values["trained_on"], taken_over_on=self.values["taken_over_on"],
        )


@dataclass(slots=True)
class KnownPerson(Draft):
    """A person with the stays on this project.

    ``values`` hold plain text; of phone, card and ID only what the file brought, beside the
    indexes of what the book has.
    """

    stays: list[KnownStay] = field(default_factory=list)
    row: int = 0
    """The row of the present file that first spoke of the person."""


_PERSON_PLAIN = (
    "worker_no", "name", "sex", "nation", "education", "birth_day", "bank_name",
    "emergency_contact", "phone_index", "bank_card_index",
)
_STAY_PLAIN = (
    "person_id", "company_id", "from_day", "to_day", "is_manager", "trade", "state",
    "housing_registered_on", "labour_registered_on", "trained_on", "taken_over_on",
)


def load_people(
    session: Session, sealer: Sealer, project_id: int, keys: Collection[tuple[str, str]]
) -> dict[tuple[str, str], KnownPerson]:
    """The persons of the book among ``keys`` (kind, number), with their stays on the project."""
    by_index = {(kind, sealer.index(seals.ID_NUMBER, number)): (kind, number) for kind, number in keys}
    hidden.bring_in(session, by_index)
    people: dict[tuple[str, str], KnownPerson] = {}
    by_id: dict[int, KnownPerson] = {}
    columns = [getattr(Person, name) for name in _PERSON_PLAIN]
    for chunk in chunks(index for _, index in by_index):
        found = session.execute(
            select(
                Person.id, Person.id_kind, Person.id_index, Person.address_sealed,
                Person.emergency_phone_sealed, *columns,
            ).where(Person.id_index.in_(chunk))
        )
        for row in found:
            key = by_index.get((row.id_kind, row.id_index))
            if key is None:
                continue
            values = {name: getattr(row, name) for name in _PERSON_PLAIN}
            values["address"] = _opened(sealer, row.address_sealed)
            values["emergency_phone"] = _opened(sealer, row.emergency_phone_sealed)
            people[key] = by_id[row.id] = KnownPerson(row.id, values)
    _load_stays(session, project_id, by_id)
    return people


def _opened(sealer: Sealer, sealed: bytes | None) -> str:
    return "" if sealed is None else sealer.open(sealed)


def _load_stays(session: Session, project_id: int, people: dict[int, KnownPerson]) -> None:
    stays: dict[int, KnownStay] = {}
    columns = [getattr(Stay, name) for name in _STAY_PLAIN]
    for chunk in chunks(people):
        found = session.execute(
            select(Stay.id, *columns)
            .where(Stay.project_id == project_id, Stay.person_id.in_(chunk))
            .order_by(Stay.person_id, Stay.from_day)
        )
        for row in found:
            stay = KnownStay(row.id, {name: getattr(row, name) for name in _STAY_PLAIN})
            stays[row.id] = stay
            people[row.person_id].stays.append(stay)
    for chunk in chunks(stays):
        _load_parts(session, chunk, stays)


def _load_parts(session: Session, chunk: list[int], stays: dict[int, KnownStay]) -> None:
    teams = session.execute(
        select(StayTeam.id, StayTeam.stay_id, StayTeam.team_id, StayTeam.from_day, StayTeam.to_day)
        .where(StayTeam.stay_id.in_(chunk))
        .order_by(StayTeam.stay_id, StayTeam.from_day)
    )
    for row in teams:
        values = {"team_id": row.team_id, "from_day": row.from_day, "to_day": row.to_day}
        stays[row.stay_id].teams.append(Draft(row.id, values))
    contracts = session.execute(
        select(
            Contract.id, Contract.stay_id, Contract.kind, Contract.number, Contract.from_day,
            Contract.to_day,
        )
        .where(Contract.stay_id.in_(chunk))
        .order_by(Contract.stay_id, Contract.id)
    )
    for held in contracts:
        values = {
            "kind": held.kind, "number": held.number,
            "from_day": held.from_day, "to_day": held.to_day,
        }
        stays[held.stay_id].contracts.append(Draft(held.id, values))


def holders(
    session: Session, column: Any, values: Iterable[Any]
) -> dict[Any, list[tuple[int, int]]]:
    """``(person id, worker_no)`` of everybody whose ``column`` has one of ``values``."""
    found: dict[Any, list[tuple[int, int]]] = {}
    for chunk in chunks(values):
        for value, person_id, number in session.execute(
            select(column, Person.id, Person.worker_no).where(column.in_(chunk))
        ):
            found.setdefault(value, []).append((person_id, number))
    return found


def next_worker_no(session: Session, typed: Iterable[int]) -> int:
    """The number after the last one of the book and of the file, from ``FIRST_OWN_NUMBER`` on."""
    last = session.scalar(
        select(func.max(Person.worker_no)).where(Person.worker_no <= _LAST_COUNTED)
    )
    in_file = max((number for number in typed if number <= _LAST_COUNTED), default=0)
    unseen = hidden.last_number(session, _LAST_COUNTED)
    return max(FIRST_OWN_NUMBER - 1, last or 0, unseen, in_file) + 1


def chunks(items: Iterable[T]) -> Iterator[list[T]]:
    """Lists of at most 500 items: the size of an IN clause every engine takes."""
    rest = iter(items)
    while chunk := list(islice(rest, _CHUNK)):
        yield chunk

"""Who stands in a month, in which stay and team on which day (invariant 5). Reads only.

A day that no membership covers belongs to the latest one before it, or to the first: the team a
person left last still decides whose night shift ended on the morning after. Each day of the month
so belongs to exactly one team, and the parts of a person always add up to the whole.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from desktop.attendance.frame import MARGIN_DAYS, Frame
from desktop.attendance.rules import FAR_DAY, Spans
from desktop.people.tables import Person, Stay, StayTeam
from desktop.storage.types import day_number, day_of

_AT_ONCE = 500  # values of one IN list


class Assignment(NamedTuple):
    """A time inside a stay in one team, or in none (managers); both days included."""

    first: int
    last: int
    stay_id: int
    team_id: int | None
    company_id: int
    is_manager: bool
    trade: str
    entered: int
    left: int
    """Last day of the stay, :data:`FAR_DAY` while it is open."""

    @property
    def sheet(self) -> tuple[str, int]:
        """What it is printed on: ``("managers", company)`` or ``("team", team)``."""
        if self.is_manager or self.team_id is None:
            return "managers", self.company_id
        return "team", self.team_id

    @property
    def entered_on(self) -> date:
        """进场日期."""
        return day_of(self.entered)

    @property
    def left_on(self) -> date | None:
        """退场日期, None while the stay is open."""
        return None if self.left >= FAR_DAY else day_of(self.left)


@dataclass(frozen=True, slots=True)
class Worker:
    """A person with the stays that matter to the month; assignments by first day."""

    person_id: int
    worker_no: int
    name: str
    stays: Spans
    assignments: tuple[Assignment, ...]

    def touches(self, frame: Frame) -> bool:
        """Is the person on site on any day of the month?"""
        return any(
            first <= frame.last_day and last >= frame.first_day for first, last in self.stays
        )

    def assignment_on(self, day: int) -> Assignment | None:
        """The assignment a day belongs to; None for a person without any."""
        return owner(self.assignments, day)

    def nights(self, frame: Frame) -> frozenset[int]:
        """Days of the window on which the person's team works at night."""
        teams = {assignment.team_id for assignment in self.assignments}
        if len(teams) == 1:
            return frame.nights(next(iter(teams)))
        days: set[int] = set()
        for team_id in teams:
            for day in frame.nights(team_id):
                own = self.assignment_on(day)
                if own is not None and own.team_id == team_id:
                    days.add(day)
        return frozenset(days)


def owner(assignments: Iterable[Assignment], day: int) -> Assignment | None:
    """The latest of ``assignments`` (by first day) that began by ``day``, else the first."""
    chosen: Assignment | None = None
    for assignment in assignments:
        if chosen is not None and assignment.first > day:
            break
        chosen = assignment
    return chosen


def workers_of(session: Session, frame: Frame) -> list[Worker]:
    """Everybody with a stay that touches the month, by worker number.

    A stay that ended just before is loaded along: it decides where the first punches belong.
    """
    early, late = day_of(frame.first_day - MARGIN_DAYS), day_of(frame.last_day + MARGIN_DAYS)
    near = (Stay.from_day <= late) & or_(Stay.to_day.is_(None), Stay.to_day >= early)
    found = (worker for worker in _load(session, frame, near) if worker.touches(frame))
    return sorted(found, key=lambda worker: worker.worker_no)


def persons(session: Session, frame: Frame, person_ids: Collection[int]) -> list[Worker]:
    """The given persons with all their stays on the project, also those without any."""
    found: list[Worker] = []
    ordered = sorted(person_ids)
    for start in range(0, len(ordered), _AT_ONCE):
        some = ordered[start : start + _AT_ONCE]
        loaded = {w.person_id: w for w in _load(session, frame, Stay.person_id.in_(some))}
        names = session.execute(
            select(Person.id, Person.worker_no, Person.name).where(Person.id.in_(some))
        )
        for person_id, worker_no, name in names:
            found.append(
                loaded.get(person_id) or Worker(person_id, worker_no, name, (), ())
            )
    return sorted(found, key=lambda worker: worker.worker_no)


def _load(session: Session, frame: Frame, condition: Any) -> Iterator[Worker]:
    statement = (
        select(
            Person.id, Person.worker_no, Person.name, Stay.id, Stay.from_day, Stay.to_day,
            Stay.company_id, Stay.is_manager, Stay.trade,
            StayTeam.team_id, StayTeam.from_day, StayTeam.to_day,
        )
        .join(Stay, Stay.person_id == Person.id)
        .outerjoin(StayTeam, StayTeam.stay_id == Stay.id)
        .where(Stay.project_id == frame.project_id, condition)
        .order_by(Person.id, Stay.from_day, StayTeam.from_day)
    )
    people: dict[int, tuple[int, str]] = {}
    stays: defaultdict[int, dict[int, tuple[int, int]]] = defaultdict(dict)
    memberships: defaultdict[int, list[Assignment]] = defaultdict(list)
    for (
        person_id, worker_no, name, stay_id, entered_on, left_on,
        company_id, is_manager, trade, team_id, joined_on, parted_on,
    ) in session.execute(statement):
        people[person_id] = worker_no, name
        entered, left = day_number(entered_on), _end(left_on)
        stays[person_id][stay_id] = entered, left
        first = entered if joined_on is None else max(entered, day_number(joined_on))
        memberships[person_id].append(
            Assignment(
                first, min(left, _end(parted_on)), stay_id, team_id, company_id,
                is_manager, trade, entered, left,
            )
        )
    for person_id, (worker_no, name) in people.items():
        yield Worker(
            person_id, worker_no, name, tuple(stays[person_id].values()),
            tuple(sorted(memberships[person_id], key=lambda one: one.first)),
        )


def _end(day: date | None) -> int:
    return FAR_DAY if day is None else day_number(day)

"""Removal tasks: whoever left, his face and fingers leave every terminal that knows his number.

A task is open until the terminal was read after the exit and no longer shows the number, or until
somebody confirms it by hand. Templates themselves never come into the book; here are numbers only.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Text, func, select, type_coerce
from sqlalchemy.orm import Session

from desktop.access.actor import Act
from desktop.access.desk import Desk
from desktop.access.tables import AuditAct
from desktop.clock import CHINA
from desktop.errors import Refused
from desktop.people.tables import Person, Stay
from desktop.punches.queries import Resolver, resolver, shown_number
from desktop.punches.tables import Punch, Terminal, TerminalPerson
from desktop.retention.tables import BiometricRemoval
from desktop.storage.types import day_number

READ, HAND, RETURNED = "read", "hand", "returned"
"""How a task was closed."""

_LAST_PUNCHES_DAYS = 31
"""A terminal whose people were never read is judged by the punches of the last days before exit."""


@dataclass(frozen=True, slots=True)
class RemovalTask:
    """One task. ``id`` None: seen now, not yet stored by :func:`refresh_removals`."""

    id: int | None
    stay_id: int
    worker_no: int
    name: str
    terminal_id: int
    terminal: str
    number: str
    """As lists show it."""
    due_on: date
    closed_how: str = ""
    closed_by: str = ""
    closed_at: datetime | None = None
    note: str = ""

    @property
    def open(self) -> bool:
        """Is it still to be done?"""
        return not self.closed_how

    def as_json(self) -> dict[str, Any]:
        """An entry of ``retention tasks``."""
        return {
            "task": self.id, "worker_no": self.worker_no, "name": self.name,
            "terminal": self.terminal, "number": self.number, "due_on": self.due_on,
            "closed_how": self.closed_how or None, "closed_by": self.closed_by or None,
            "closed_at": self.closed_at, "note": self.note,
        }


@dataclass(frozen=True, slots=True)
class _Due:
    """A number of somebody who left, on a terminal that is believed to know it."""

    stay_id: int
    terminal_id: int
    number: str
    due_on: date


def removal_tasks(
    session: Session, project_id: int, today: date, *, everything: bool = False
) -> list[RemovalTask]:
    """Open tasks by day, stored or not; with ``everything`` the closed ones too.

    What a reading since then settled counts as closed, also before somebody stores that.
    """
    closings = _closings(session, project_id, today)
    found = [
        _task(row, worker_no, name, terminal, closings.get(row.id))
        for row, worker_no, name, terminal in session.execute(
            select(BiometricRemoval, Person.worker_no, Person.name, Terminal.name)
            .join(Stay, Stay.id == BiometricRemoval.stay_id)
            .join(Person, Person.id == Stay.person_id)
            .join(Terminal, Terminal.id == BiometricRemoval.terminal_id)
            .where(BiometricRemoval.project_id == project_id)
        )
    ]
    names = _terminal_names(session, project_id)
    people = {
        stay_id: (worker_no, name)
        for stay_id, worker_no, name in session.execute(
            select(Stay.id, Person.worker_no, Person.name)
            .join(Person, Person.id == Stay.person_id)
            .where(Stay.project_id == project_id, Stay.to_day.is_not(None))
        )
    }
    found += [
        RemovalTask(
            None, one.stay_id, *people[one.stay_id], one.terminal_id, names[one.terminal_id],
            shown_number(one.number), one.due_on,
        )
        for one in _not_stored(session, project_id, today)
    ]
    kept = found if everything else [task for task in found if task.open]
    return sorted(kept, key=lambda task: (task.due_on, task.terminal, task.worker_no))


def _task(
    row: BiometricRemoval, worker_no: int, name: str, terminal: str, closing: _Closing | None
) -> RemovalTask:
    how, by, at = row.closed_how, row.closed_by, row.closed_at
    if closing is not None:
        how, by, at = closing.how, closing.by, closing.at
    return RemovalTask(
        row.id, row.stay_id, worker_no, name, row.terminal_id, terminal, shown_number(row.number),
        row.due_on, how, by, at, row.note,
    )


def refresh_removals(desk: Desk) -> tuple[int, int]:
    """Store what is due and close what a later reading of a terminal shows as done.

    Returns how many were opened and closed. Cheap when nothing changed.
    """
    desk.permit(Act.BIOMETRICS_REMOVED)
    now, today = desk.clock.now(), desk.clock.today()
    with desk.book.write() as session:
        due = list(_not_stored(session, desk.project_id, today))
        session.add_all(
            BiometricRemoval(
                project_id=desk.project_id, stay_id=one.stay_id, terminal_id=one.terminal_id,
                number=one.number, due_on=one.due_on, opened_at=now, closed_how="", closed_by="",
                closed_at=None, note="",
            )
            for one in due
        )
        session.flush()
        closings = _closings(session, desk.project_id, today)
        for task_id, closing in closings.items():
            row = session.get_one(BiometricRemoval, task_id)
            row.closed_how, row.closed_by = closing.how, closing.by
            row.closed_at = closing.at or now
        if due or closings:
            desk.audit(
                session, Act.BIOMETRICS_REMOVED, f"project:{desk.project_id}", did="refreshed",
                opened=len(due), closed=len(closings),
            )
        return len(due), len(closings)


def confirm_removal(desk: Desk, task_id: int, note: str) -> None:
    """Confirm by hand that a number and its templates are gone; ``note`` says how it was checked.

    Raises :class:`Refused` ``unknown_task``, ``task_closed`` or ``task_note``.
    """
    desk.permit(Act.BIOMETRICS_REMOVED)
    if not note.strip():
        raise Refused("task_note", "确认删除须写明怎样核实的，任务仍未办结。请填写核实情况。")
    with desk.book.write() as session:
        row = session.get(BiometricRemoval, task_id)
        if row is None or row.project_id != desk.project_id:
            raise Refused("unknown_task", f"没有{task_id}号删除任务，未做任何改动。请用列表核对编号。")
        if row.closed_how:
            raise Refused("task_closed", f"{task_id}号删除任务已经办结，未做任何改动。")
        row.closed_how, row.closed_by, row.closed_at = HAND, desk.actor.name, desk.clock.now()
        row.note = note.strip()
        desk.audit(
            session, Act.BIOMETRICS_REMOVED, f"removal:{task_id}", did="confirmed",
            terminal_id=row.terminal_id,
        )


# ── what is due ─────────────────────────────────────────────────────────────────────────────────


def _not_stored(session: Session, project_id: int, today: date) -> Iterator[_Due]:
    """Numbers of people who left, on terminals that know them, without a task yet."""
    left = _left(session, project_id, today)
    if not left:
        return
    stored = {
        (stay_id, terminal_id, number)
        for stay_id, terminal_id, number in session.execute(
            select(
                BiometricRemoval.stay_id, BiometricRemoval.terminal_id, BiometricRemoval.number
            ).where(BiometricRemoval.project_id == project_id)
        )
    }
    known = _numbers_on(session, project_id, left)
    owners = resolver(session, project_id)
    stays = {stay.person_id: stay for stay in left}
    numbers: dict[int, list[tuple[int, str]]] = defaultdict(list)
    for terminal_id, number in known:
        for person_id in {owner for _, _, owner in owners.spans(terminal_id, number)}:
            mine = stays.get(person_id)
            if mine is not None and _owner(owners, terminal_id, number, mine) == person_id:
                numbers[mine.id].append((terminal_id, number))
    for stay in left:
        assert stay.to_day is not None
        for terminal_id, number in sorted(numbers[stay.id]):
            if (stay.id, terminal_id, number) not in stored:
                yield _Due(stay.id, terminal_id, number, stay.to_day)


def _owner(owners: Resolver, terminal_id: int, number: str, stay: Stay) -> int | None:
    assert stay.to_day is not None
    return owners.person(terminal_id, number, stay.to_day)


def _left(session: Session, project_id: int, today: date) -> list[Stay]:
    """The last stay of everybody who is not on the project any more."""
    last: dict[int, Stay] = {}
    for stay in session.scalars(
        select(Stay).where(Stay.project_id == project_id).order_by(Stay.from_day)
    ):
        last[stay.person_id] = stay
    return [
        stay for stay in last.values() if stay.to_day is not None and stay.to_day <= today
    ]


def _numbers_on(
    session: Session, project_id: int, left: Sequence[Stay]
) -> set[tuple[int, str]]:
    """Numbers terminals are known to hold: as read, or as punched where nobody was ever read."""
    terminals = set(_terminal_names(session, project_id))
    found = {
        (terminal_id, number)
        for terminal_id, number in session.execute(
            select(TerminalPerson.terminal_id, TerminalPerson.number)
        )
        if terminal_id in terminals
    }
    unread = terminals - {terminal_id for terminal_id, _ in found}
    unread -= set(_last_readings(session, terminals))
    if unread:
        days = [day_number(stay.to_day) for stay in left if stay.to_day is not None]
        punched = session.execute(
            select(Punch.terminal_id, Punch.number)
            .where(
                Punch.day.between(min(days) - _LAST_PUNCHES_DAYS, max(days)),
                Punch.terminal_id.in_(sorted(unread)),
            )
            .distinct()
        )
        found |= {(terminal_id, number) for terminal_id, number in punched}
    return found


def _terminal_names(session: Session, project_id: int) -> dict[int, str]:
    rows = session.execute(
        select(Terminal.id, Terminal.name).where(Terminal.project_id == project_id)
    )
    return {terminal_id: name for terminal_id, name in rows}


# ── what is done ────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class _Reading:
    """When a terminal's people were read last, and by whom."""

    at: datetime
    by: str


def _last_readings(session: Session, terminals: set[int]) -> dict[int, _Reading]:
    """By the audit trail: a terminal without anybody on it leaves no other trace of a reading."""
    latest = (
        select(func.max(AuditAct.id))
        .where(
            AuditAct.act == Act.NUMBERS_MATCHED.value,
            AuditAct.subject.in_([f"terminal:{terminal_id}" for terminal_id in terminals]),
            type_coerce(AuditAct.facts, Text).like('%"did":"people_read"%'),
        )
        .group_by(AuditAct.subject)
    )
    return {
        int(row.subject.partition(":")[2]): _Reading(row.at, row.actor)
        for row in session.scalars(select(AuditAct).where(AuditAct.id.in_(latest)))
    }


@dataclass(frozen=True, slots=True)
class _Closing:
    """How a task that is stored as open turns out to be done."""

    how: str
    by: str
    at: datetime | None


def _closings(
    session: Session, project_id: int, today: date
) -> dict[int, _Closing]:
    """Open tasks whose number a later reading no longer shows, or whose person is back."""
    waiting = session.scalars(
        select(BiometricRemoval).where(
            BiometricRemoval.project_id == project_id, BiometricRemoval.closed_how == ""
        )
    ).all()
    if not waiting:
        return {}
    readings = _last_readings(session, {row.terminal_id for row in waiting})
    held = {
        (terminal_id, number)
        for terminal_id, number in session.execute(
            select(TerminalPerson.terminal_id, TerminalPerson.number)
        )
    }
    left = {stay.id for stay in _left(session, project_id, today)}
    found: dict[int, _Closing] = {}
    for row in waiting:
        reading = readings.get(row.terminal_id)
        if row.stay_id not in left:
            found[row.id] = _Closing(RETURNED, "", None)
        elif (
            reading is not None
            and reading.at.astimezone(CHINA).date() >= row.due_on
            and (row.terminal_id, row.number) not in held
        ):
            found[row.id] = _Closing(READ, reading.by, reading.at)
    return found

"""Reads of the punch ledger for attendance, screens and findings. Every function takes a session.

Days and times are terminal time (see ``storage.types``); ``day`` numbers are days since
1970-01-01. Nothing here decides what a punch is worth.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from desktop.people.rules import mask_id
from desktop.people.tables import Person
from desktop.punches.tables import (
    Alias,
    Download,
    PunchConflict,
    PunchQuarantine,
    PunchSighting,
    Terminal,
    TerminalPerson,
)
from desktop.punches.tables import Punch as PunchRow
from desktop.storage import rows as rows_of
from desktop.storage.tables import Segment
from desktop.storage.types import day_number, local_time

FIRST_DAY, LAST_DAY = 0, 1 << 22
"""Ends of an open span: 1970-01-01, and a day no calendar reaches."""

_BLOCK = 20_000

Span = tuple[int, int, int]
"""First day, last day (both included), person."""


def shown_number(number: str) -> str:
    """A terminal's number as lists show it: one that may be an ID number is masked."""
    return mask_id(number) if len(number) >= 15 else number


# ── whose number is it ──────────────────────────────────────────────────────────────────────────


class Resolver:
    """Whose number it was on a day. Read once; touches no session afterwards.

    An alias of that terminal and day decides; otherwise a number that equals somebody's 人员编号
    is his.
    """

    def __init__(
        self,
        by_worker_no: Mapping[str, int],
        aliases: Mapping[tuple[int, str], Sequence[Span]],
    ) -> None:
        self._by_worker_no = by_worker_no
        self._aliases = aliases

    def person(self, terminal_id: int, number: str, day: int | date) -> int | None:
        """The person, None when the number was nobody's. ``day`` as a date or a day number."""
        at = day if isinstance(day, int) else day_number(day)
        for first, last, person_id in self._aliases.get((terminal_id, number), ()):
            if first <= at <= last:
                return person_id
        return self._by_worker_no.get(number)

    def spans(self, terminal_id: int, number: str) -> list[Span]:
        """When it is whose; the first span that holds a day decides. Empty: always nobody's."""
        found = list(self._aliases.get((terminal_id, number), ()))
        owner = self._by_worker_no.get(number)
        if owner is not None:
            found.append((FIRST_DAY, LAST_DAY, owner))
        return found

    def knows(self, terminal_id: int, number: str) -> bool:
        """Is it anybody's on any day?"""
        return number in self._by_worker_no or bool(self._aliases.get((terminal_id, number)))

    def numbers_of(self, person_id: int) -> set[str]:
        """Every number that is or was this person's, on whatever terminal."""
        own = {number for number, owner in self._by_worker_no.items() if owner == person_id}
        for (_, number), spans in self._aliases.items():
            if any(owner == person_id for _, _, owner in spans):
                own.add(number)
        return own


def resolver(session: Session, project_id: int) -> Resolver:
    """The :class:`Resolver` as things stand now."""
    people = session.execute(select(Person.worker_no, Person.id))
    by_worker_no = {str(worker_no): person_id for worker_no, person_id in people}
    aliases: dict[tuple[int, str], list[Span]] = {}
    rows = session.execute(
        select(Alias.terminal_id, Alias.number, Alias.from_day, Alias.to_day, Alias.person_id)
        .where(Alias.project_id == project_id)
        .order_by(Alias.id)
    )
    for terminal_id, number, from_day, to_day, person_id in rows:
        first = FIRST_DAY if from_day is None else day_number(from_day)
        last = LAST_DAY if to_day is None else day_number(to_day)
        if first <= last:
            aliases.setdefault((terminal_id, number), []).append((first, last, person_id))
    return Resolver(by_worker_no, aliases)


class Unmatched(NamedTuple):
    """A number with punches that was nobody's on their days. ``shown`` is what lists print;
    ``terminal_name`` the name the terminal itself has for it, empty if none was read."""

    terminal_id: int
    terminal: str
    number: str
    shown: str
    terminal_name: str
    punches: int
    first: datetime
    last: datetime


def unmatched(session: Session, project_id: int, first: date, last: date) -> list[Unmatched]:
    """Every number nobody has owned on a day between ``first`` and ``last`` it was punched on.

    Terminal by terminal, most punches first: freezing lists them, matching starts from them.
    """
    owners = resolver(session, project_id)
    terminals = _terminal_names(session, project_id)
    found: dict[tuple[int, str], list[int]] = {}
    lane = session.connection()
    counted = (
        "SELECT day, terminal_id, number, count(*), min(t_local), max(t_local) FROM punch"
        " WHERE day BETWEEN ? AND ? GROUP BY day, terminal_id, number"
    )
    span = (day_number(first), day_number(last))
    rows = lane.exec_driver_sql(rows_of.native(lane, counted), span)
    for day, terminal_id, number, punches, begin, end in rows:
        if terminal_id not in terminals or owners.person(terminal_id, number, day) is not None:
            continue
        held = found.setdefault((terminal_id, number), [0, begin, end])
        held[0] += punches
        held[1], held[2] = min(held[1], begin), max(held[2], end)
    names = _names_on_terminals(session, project_id)
    made = [
        Unmatched(
            terminal_id, terminals[terminal_id], number, shown_number(number),
            names.get((terminal_id, number), ""), punches, local_time(begin), local_time(end),
        )
        for (terminal_id, number), (punches, begin, end) in found.items()
    ]
    return sorted(made, key=lambda one: (one.terminal_id, -one.punches, one.number))


def _terminal_names(session: Session, project_id: int) -> dict[int, str]:
    rows = session.execute(
        select(Terminal.id, Terminal.name).where(Terminal.project_id == project_id)
    )
    return {terminal_id: name for terminal_id, name in rows}


def _names_on_terminals(session: Session, project_id: int) -> dict[tuple[int, str], str]:
    rows = session.execute(
        select(TerminalPerson.terminal_id, TerminalPerson.number, TerminalPerson.name)
        .join(Terminal, Terminal.id == TerminalPerson.terminal_id)
        .where(Terminal.project_id == project_id)
    )
    return {(terminal_id, number): name for terminal_id, number, name in rows}


# ── punches ─────────────────────────────────────────────────────────────────────────────────────


def punches_between(
    session: Session, project_id: int, first_day: date, last_day: date
) -> Iterator[tuple[int, str, int, int, int, int]]:
    """``(terminal_id, number, t_local, method_class, accepted, punch_id)``, streaming.

    By day, then terminal, number and time, out of one covering index: a million in constant
    memory. Other facts of a punch by its id.
    """
    terminals = set(_terminal_names(session, project_id))
    found = rows_of.blocks(
        session.connection(),
        "SELECT terminal_id, number, t_local, method_class, accepted, id FROM punch"
        " WHERE day BETWEEN ? AND ? ORDER BY day, terminal_id, number, t_local",
        (day_number(first_day), day_number(last_day)),
        _BLOCK,
    )
    for block in found:
        if {row[0] for row in block} <= terminals:
            yield from block  # type: ignore[misc]
        else:
            yield from (row for row in block if row[0] in terminals)  # type: ignore[misc]


@dataclass(frozen=True, slots=True)
class PunchView:
    """One punch with all that is held of it. ``origins``: first sighting first."""

    id: int
    terminal_id: int
    terminal: str
    direction: str
    number: str
    at: datetime
    method_raw: int
    method_class: int
    state_raw: int
    accepted: bool
    received_at: int
    origins: tuple[str, ...]
    conflicts: int


def punches_of(session: Session, project_id: int, person_id: int, day: date) -> list[PunchView]:
    """A person's punches of one calendar day in terminal time, in order."""
    owners = resolver(session, project_id)
    numbers = owners.numbers_of(person_id)
    if not numbers:
        return []
    rows = session.execute(
        select(PunchRow, Terminal.name, Terminal.direction, Segment.header)
        .join(Terminal, Terminal.id == PunchRow.terminal_id)
        .join(Segment, Segment.id == PunchRow.segment_id)
        .where(
            Terminal.project_id == project_id,
            PunchRow.day == day_number(day),
            PunchRow.number.in_(numbers),
        )
        .order_by(PunchRow.t_local, PunchRow.id)
    ).all()
    mine = [
        row for row in rows if owners.person(row[0].terminal_id, row[0].number, day) == person_id
    ]
    ids = [row[0].id for row in mine]
    sightings: dict[int, list[str]] = {}
    for punch_id, origin in session.execute(
        select(PunchSighting.punch_id, PunchSighting.origin)
        .where(PunchSighting.punch_id.in_(ids))
        .order_by(PunchSighting.id)
    ):
        sightings.setdefault(punch_id, []).append(origin)
    conflicts = [
        ident
        for (ident,) in session.execute(
            select(PunchConflict.punch_id).where(PunchConflict.punch_id.in_(ids))
        )
    ]
    return [
        PunchView(
            id=punch.id,
            terminal_id=punch.terminal_id,
            terminal=terminal,
            direction=direction,
            number=shown_number(punch.number),
            at=local_time(punch.t_local),
            method_raw=punch.method_raw,
            method_class=punch.method_class,
            state_raw=punch.state_raw,
            accepted=bool(punch.accepted),
            received_at=punch.received_at,
            origins=(str(header.get("origin", "")), *sightings.get(punch.id, ())),
            conflicts=conflicts.count(punch.id),
        )
        for punch, terminal, direction, header in mine
    ]


def punch_counts(session: Session, project_id: int, day: date) -> dict[int, int]:
    """Punches of one day by terminal; terminals without any are left out."""
    terminals = _terminal_names(session, project_id)
    lane = session.connection()
    counted = "SELECT terminal_id, count(*) FROM punch WHERE day = ? GROUP BY terminal_id"
    rows = lane.exec_driver_sql(rows_of.native(lane, counted), (day_number(day),))
    return {terminal_id: n for terminal_id, n in rows if terminal_id in terminals}


# ── collections and quarantine ──────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class DownloadView:
    """One collection as the log lists it; ``error`` is a code, empty when it was complete."""

    at: datetime
    terminal: str
    origin: str
    complete: bool
    counts: Mapping[str, Any]
    error: str


def downloads(
    session: Session, project_id: int, *, terminal_id: int | None = None, limit: int = 200
) -> list[DownloadView]:
    """The last collections, newest first."""
    query = (
        select(
            Download.at, Terminal.name, Download.origin, Download.complete, Download.counts,
            Download.error,
        )
        .join(Terminal, Terminal.id == Download.terminal_id)
        .where(Download.project_id == project_id)
        .order_by(Download.id.desc())
        .limit(limit)
    )
    if terminal_id is not None:
        query = query.where(Download.terminal_id == terminal_id)
    return [DownloadView(*row) for row in session.execute(query)]


@dataclass(frozen=True, slots=True)
class QuarantineView:
    """A record that is kept and never counted."""

    id: int
    terminal: str
    reason: str
    number: str
    time_text: str
    received_at: int
    raw: bytes


REASON_WORDS = {
    "impossible_date": "日期不存在",
    "before_2015": "早于2015年",
    "future": "晚于接收时间24小时以上",
    "undecodable": "无法识别",
}


def quarantine(
    session: Session, project_id: int, *, terminal_id: int | None = None, limit: int = 1000
) -> list[QuarantineView]:
    """Quarantined records, newest first."""
    query = (
        select(
            PunchQuarantine.id, Terminal.name, PunchQuarantine.reason, PunchQuarantine.number,
            PunchQuarantine.time_text, PunchQuarantine.received_at, PunchQuarantine.raw,
        )
        .join(Terminal, Terminal.id == PunchQuarantine.terminal_id)
        .where(Terminal.project_id == project_id)
        .order_by(PunchQuarantine.id.desc())
        .limit(limit)
    )
    if terminal_id is not None:
        query = query.where(PunchQuarantine.terminal_id == terminal_id)
    return [
        QuarantineView(ident, terminal, reason, shown_number(number), text, at, raw)
        for ident, terminal, reason, number, text, at, raw in session.execute(query)
    ]

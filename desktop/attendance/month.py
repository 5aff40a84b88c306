"""A month of attendance: everybody's row computed from the ledger under the rule then in force.

Recomputed whenever it is asked for and never stored; what is signed is ``months``' affair
(invariant 2). One row per person for the screen, one part per person and sheet for the paper.
"""

from __future__ import annotations

import gc
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from desktop.attendance import rules
from desktop.attendance.explain import REASON_WORDS
from desktop.attendance.frame import Frame, load_frame
from desktop.attendance.presence import Presence
from desktop.attendance.reading import Unmatched, read_punches
from desktop.attendance.reasons import LEAVE_WORDS, Explained
from desktop.attendance.rules import Row, Totals, Walk
from desktop.attendance.tables import Explanation, ExplanationCell, Leave
from desktop.attendance.workers import Assignment, Worker, owner, persons, workers_of
from desktop.jobs import CancelToken, Progress, silent
from desktop.site.rules import RulePack
from desktop.storage.types import day_number

_PROJECT_MANAGER = "项目经理"
_EVERY = 500  # rows between two looks at progress and cancel


@dataclass(frozen=True, slots=True)
class LeaveSpan:
    """Leave in force, days as numbers."""

    first: int
    last: int
    kind: str
    text: str
    owner_approved: bool


@dataclass(slots=True)
class PersonMonth:
    """One person's month. Places count the days from 0; values are half days."""

    worker: Worker
    nights: frozenset[int]
    leave: tuple[LeaveSpan, ...]
    walk: Walk
    cells: Row
    """By punches alone."""
    explained: Mapping[int, Explained]
    """Place → approved explanation."""
    symbols: list[str]
    """As printed."""
    totals: Totals
    assignments: tuple[Assignment, ...]
    """Those that touch the month; the row is listed under the last one."""

    @property
    def current(self) -> Assignment:
        """The assignment the row is listed under."""
        return self.assignments[-1]


@dataclass(frozen=True, slots=True)
class Part:
    """A person's part of a month in one sheet; days of other sheets are ``—``."""

    row: PersonMonth
    assignment: Assignment
    """The latest one on this sheet."""
    symbols: list[str]
    half_days: list[int]
    explained: Mapping[int, Explained]
    totals: Totals

    @property
    def sheet(self) -> tuple[str, int]:
        """``("team", team id)`` or ``("managers", company id)``."""
        return self.assignment.sheet


@dataclass(slots=True)
class MonthAttendance:
    """The whole month. ``rows`` and ``parts()`` are in print order."""

    frame: Frame
    rows: list[PersonMonth]
    outsiders: list[tuple[Worker, Walk]]
    """Known people with punches in the month but without a stay in it."""
    unmatched: list[Unmatched]
    punches_read: int
    _by_person: dict[int, PersonMonth] = field(default_factory=dict)

    @property
    def month(self) -> str:
        return self.frame.month

    @property
    def rule(self) -> RulePack:
        return self.frame.rule

    def row_of(self, person_id: int) -> PersonMonth | None:
        """The row of a person, None without a stay in the month."""
        if not self._by_person:
            self._by_person = {row.worker.person_id: row for row in self.rows}
        return self._by_person.get(person_id)

    def parts(self) -> list[Part]:
        """Every (person, sheet) once, in print order."""
        found = [part for row in self.rows for part in parts_of(row, self.frame)]
        return sorted(found, key=lambda part: print_order(part.assignment, part.row, self.frame))

    def project_managers(self) -> list[tuple[PersonMonth, Presence]]:
        """Every 项目经理 of the month with the 80 % (P-2.3.2d), by company in the book's order."""
        return [
            (row, presence_of(row, self.frame))
            for row in self.rows
            if row.current.is_manager and row.current.trade == _PROJECT_MANAGER
        ]


def compute_month(
    session: Session,
    project_id: int,
    month: str,
    *,
    progress: Progress = silent,
    cancel: CancelToken | None = None,
) -> MonthAttendance:
    """Compute ``YYYY-MM`` of a project from what the session sees.

    Raises :class:`desktop.errors.Refused` for a month that cannot be, and :class:`Cancelled`.
    """
    with _collection_paused():
        frame = load_frame(session, project_id, month)
        reading = read_punches(session, frame, progress, cancel)
        workers = workers_of(session, frame)
        leave = _leave(session, frame)
        explained = _explained(session, frame)
        nobody: list[int] = []
        rows = []
        blanks: dict[int | None, list[str]] = {}
        for done, worker in enumerate(workers):
            if done % _EVERY == 0:
                progress(done, len(workers), "计算考勤")
                if cancel is not None:
                    cancel.raise_if_set()
            rows.append(
                _person_month(
                    worker, frame, reading.by_person.pop(worker.person_id, nobody),
                    leave.get(worker.person_id, ()), explained.get(worker.person_id, {}), blanks,
                )
            )
        rows.sort(key=lambda row: print_order(row.current, row, frame))
        outsiders = _outsiders(session, frame, reading.by_person)
    return MonthAttendance(frame, rows, outsiders, reading.unmatched, reading.count)


@contextmanager
def _collection_paused() -> Iterator[None]:
    """No garbage collection: nothing here forms a cycle, and looking for one again and again
    among a million punches costs as much as the walk itself (measured)."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def print_order(assignment: Assignment, row: PersonMonth, frame: Frame) -> tuple[int, int, int]:
    """Teams by number, then the managers by company in the book's order; inside by worker number."""
    kind, ident = assignment.sheet
    if kind == "team":
        place = (0, frame.teams[ident].number)
    else:
        place = (1, list(frame.companies).index(ident) if ident in frame.companies else 1 << 30)
    return (*place, row.worker.worker_no)


def _person_month(
    worker: Worker,
    frame: Frame,
    punches: list[int],
    leave: tuple[LeaveSpan, ...],
    explained: Mapping[int, Explained],
    known_blanks: dict[int | None, list[str]],
) -> PersonMonth:
    nights = worker.nights(frame)
    punches.sort()
    made = rules.walk(punches, worker.stays, nights, frame.rule)
    assignments = tuple(
        one for one in worker.assignments
        if one.first <= frame.last_day and one.last >= frame.first_day
    ) or tuple(filter(None, (owner(worker.assignments, frame.first_day),)))
    blanks = _blanks(worker, frame, leave, known_blanks)
    cells = rules.row(made, frame.first_day, blanks, nights, frame.rule)
    values = {place: item.half_days for place, item in explained.items()}
    symbols = rules.printed(cells.symbols, values) if values else cells.symbols
    return PersonMonth(
        worker, nights, leave, made, cells, explained, symbols, rules.totals(cells, values),
        assignments,
    )


def _blanks(
    worker: Worker,
    frame: Frame,
    leave: tuple[LeaveSpan, ...],
    known: dict[int | None, list[str]],
) -> list[str]:
    """Symbols of the days without a punch; shared by everybody who is there all month."""
    first, last = frame.first_day, frame.last_day
    whole = len(worker.assignments) == 1 and not leave
    if whole and worker.assignments[0].first <= first and worker.assignments[0].last >= last:
        team_id = worker.assignments[0].team_id
        if team_id not in known:
            known[team_id] = [_blank(day, frame, team_id, None, inside=True) for day in frame.days]
        return known[team_id]
    found = []
    for day in frame.days:
        own = worker.assignment_on(day)
        symbol = next(
            (rules.LEAVE_SYMBOLS[span.kind] for span in leave if span.first <= day <= span.last),
            None,
        )
        inside = rules.within(day, worker.stays)
        found.append(_blank(day, frame, own and own.team_id, symbol, inside=inside))
    return found


def _blank(day: int, frame: Frame, team_id: int | None, leave: str | None, *, inside: bool) -> str:
    return rules.blank(
        stopped=day in frame.stopped(team_id), leave=leave, statutory=day in frame.statutory,
        inside=inside,
    )


def parts_of(row: PersonMonth, frame: Frame) -> list[Part]:
    """One person's parts; their values and explanations add up to the row."""
    sheets = {assignment.sheet: assignment for assignment in row.assignments}
    if len(sheets) == 1:
        return [
            Part(row, row.current, row.symbols, row.cells.half_days, row.explained, row.totals)
        ]
    owners = [owner(row.assignments, day) for day in frame.days]
    found = []
    for sheet, assignment in sheets.items():
        mine = [own is not None and own.sheet == sheet for own in owners]
        cells = Row(
            [s if own else rules.AWAY for s, own in zip(row.cells.symbols, mine, strict=True)],
            [v if own else 0 for v, own in zip(row.cells.half_days, mine, strict=True)],
        )
        explained = {place: item for place, item in row.explained.items() if mine[place]}
        values = {place: item.half_days for place, item in explained.items()}
        found.append(
            Part(
                row, assignment, rules.printed(cells.symbols, values), cells.half_days, explained,
                rules.totals(cells, values),
            )
        )
    return found


def presence_of(row: PersonMonth, frame: Frame) -> Presence:
    """A manager's punched days against the project's construction days."""
    working = set(frame.construction_days())
    approved = {
        day
        for span in row.leave if span.owner_approved
        for day in range(max(span.first, frame.first_day), min(span.last, frame.last_day) + 1)
        if day in working and not row.cells.half_days[day - frame.first_day]
    }
    return Presence(
        construction_days=len(working),
        punched=row.totals.punched,
        explained=row.totals.explained,
        leave_days=len(approved),
        required=frame.rule.key_staff_percent,
    )


def _outsiders(
    session: Session, frame: Frame, punches: Mapping[int, list[int]]
) -> list[tuple[Worker, Walk]]:
    month = range(frame.first_day * rules.DAY_S, (frame.last_day + 1) * rules.DAY_S)
    concerned = {
        person_id: sorted(some) for person_id, some in punches.items()
        if any(rules.time_of(punch) in month for punch in some)
    }
    return [
        (worker, rules.walk(
            concerned[worker.person_id], worker.stays, worker.nights(frame), frame.rule
        ))
        for worker in persons(session, frame, concerned)
    ]


def _leave(session: Session, frame: Frame) -> dict[int, tuple[LeaveSpan, ...]]:
    found: defaultdict[int, tuple[LeaveSpan, ...]] = defaultdict(tuple)
    rows = session.scalars(
        select(Leave)
        .where(
            Leave.project_id == frame.project_id, Leave.withdrawn_at.is_(None),
            Leave.from_day <= frame.last, Leave.to_day >= frame.first,
        )
        .order_by(Leave.id)
    )
    for row in rows:
        text = "，".join(filter(None, (LEAVE_WORDS[row.kind], row.reason, row.document)))
        found[row.person_id] += (
            LeaveSpan(
                day_number(row.from_day), day_number(row.to_day), row.kind, text,
                row.owner_approved,
            ),
        )
    return found


def _explained(session: Session, frame: Frame) -> dict[int, dict[int, Explained]]:
    """Person → place → explanation in force: approved, its approval in the chain, not withdrawn."""
    found: defaultdict[int, dict[int, Explained]] = defaultdict(dict)
    words: Mapping[str, str] = {reason.value: word for reason, word in REASON_WORDS.items()}
    rows: Any = session.execute(
        select(
            ExplanationCell.person_id, ExplanationCell.day, Explanation.number,
            Explanation.value_half_days, Explanation.reason_code,
        )
        .join(Explanation, Explanation.id == ExplanationCell.explanation_id)
        .where(
            Explanation.project_id == frame.project_id,
            Explanation.approval_segment_id.is_not(None),
            Explanation.withdrawal_segment_id.is_(None),
            ExplanationCell.day.between(frame.first, frame.last),
        )
        .order_by(Explanation.number)
    )
    for person_id, day, number, half_days, reason in rows:
        place = day_number(day) - frame.first_day
        found[person_id][place] = Explained(number, half_days, words.get(reason, reason))
    return found

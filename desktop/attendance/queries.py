"""Reads of attendance for screens and the command line. It decides nothing."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from desktop.access import editing
from desktop.attendance import reasons, rules
from desktop.attendance.explain import REASON_WORDS, Reason
from desktop.attendance.month import MonthAttendance, PersonMonth
from desktop.attendance.reasons import Blank
from desktop.attendance.tables import (
    Explanation,
    ExplanationCell,
    FindingAnswer,
    Leave,
    OutageNote,
    StopWork,
)
from desktop.errors import Refused
from desktop.people.tables import Person
from desktop.punches.tables import Terminal
from desktop.site.tables import Team
from desktop.storage.types import day_of, local_time


def cell_reasons(attendance: MonthAttendance, row: PersonMonth, place: int) -> list[str]:
    """Why a cell is what it is: the sentence of the day first, then the explanation, then every
    punch of the day that does not count. ``place`` 0 is the first of the month."""
    frame = attendance.frame
    day = frame.first_day + place
    bucket = row.walk.kept.get(day)
    if bucket:
        sentence = reasons.punched_reason(
            day, bucket, rules.Cell(row.cells.symbols[place], row.cells.half_days[place]),
            night_team=day in row.nights, rule=frame.rule, gates=frame.gates,
        )
    else:
        sentence = reasons.blank_reason(_blank(attendance, row, day))
    found = [sentence]
    if place in row.explained:
        found.append(reasons.explained_reason(row.explained[place]))
    gates = frame.gates
    found += (
        reasons.dropped_reason(dropped, gates) for dropped in row.walk.dropped
        if dropped.day == day
    )
    return found


def _blank(attendance: MonthAttendance, row: PersonMonth, day: int) -> Blank:
    frame = attendance.frame
    own = row.worker.assignment_on(day)
    return Blank(
        stop=frame.stopped(own and own.team_id).get(day, ""),
        leave=next((span.text for span in row.leave if span.first <= day <= span.last), ""),
        holiday=frame.statutory.get(day, ""),
        stay="" if rules.within(day, row.worker.stays) else stays_text(row.worker.stays),
    )


def stays_text(stays: rules.Spans) -> str:
    """``2026-11-10进场、2026-11-20退场``."""
    words = []
    for first, last in stays:
        words.append(f"{day_of(first)}进场")
        if last < rules.FAR_DAY:
            words.append(f"{day_of(last)}退场")
    return "、".join(words)


def attendance_document(
    attendance: MonthAttendance, worker_no: int | None = None
) -> dict[str, Any]:
    """The result of ``attendance show`` (design §3); only one row with ``worker_no``.

    Raises :class:`Refused` when that worker has no row in the month.
    """
    rows = [row for row in attendance.rows if worker_no in (None, row.worker.worker_no)]
    if worker_no is not None and not rows:
        raise Refused(
            "no_row", f"人员编号{worker_no}在{attendance.month}没有在场记录。请核对编号和月份。",
            worker_no=worker_no, month=attendance.month,
        )
    frame, rule = attendance.frame, attendance.rule
    return {
        "month": attendance.month,
        "rule": rule.label,
        "rule_name": rule.name,
        "rule_version": rule.version,
        "basis": rule.basis.value,
        "construction_days": len(frame.construction_days()),
        "rows": [_row_document(attendance, row) for row in rows],
    }


def _row_document(attendance: MonthAttendance, row: PersonMonth) -> dict[str, Any]:
    current, frame = row.current, attendance.frame
    team = None if current.team_id is None else frame.teams[current.team_id].name
    totals = row.totals
    return {
        "worker_no": row.worker.worker_no,
        "name": row.worker.name,
        "team": team,
        "trade": current.trade,
        "days": {
            str(place + 1): _cell_document(attendance, row, place)
            for place in range(len(row.symbols))
        },
        "punched_days": totals.punched / 2,
        "explained_days": totals.explained / 2,
        "confirmed_days": totals.confirmed / 2,
        "nights": totals.nights,
    }


def _cell_document(attendance: MonthAttendance, row: PersonMonth, place: int) -> dict[str, Any]:
    """``symbol`` and ``value`` as printed: values add up to the confirmed days,
    ``punched_value`` to the punched days."""
    bucket = row.walk.kept.get(attendance.frame.first_day + place)
    explained, punched = row.explained.get(place), row.cells.half_days[place]
    return {
        "symbol": row.symbols[place],
        "punched_symbol": row.cells.symbols[place],
        "first": local_time(rules.time_of(bucket[0])).isoformat() if bucket else None,
        "last": local_time(rules.time_of(bucket[-1])).isoformat() if bucket else None,
        "hours": rules.hours(rules.present_s(bucket)) if bucket else None,
        "value": (explained.half_days if explained else punched) / 2,
        "punched_value": punched / 2,
        "explanation": explained.number if explained else None,
        "reasons": cell_reasons(attendance, row, place),
    }


# ── calendar and explanations ───────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class StopRow:
    """A stop-work entry; ``team`` empty = the whole project."""

    id: int
    team: str
    first: date
    last: date
    reason: str
    document: str
    entered_by: str
    withdrawn: bool
    version: int = 0
    """What an editor saw, for ``calendar.withdraw_stop``."""


@dataclass(frozen=True, slots=True)
class LeaveRow:
    """A leave entry; ``kind`` in Chinese."""

    id: int
    person_id: int
    worker_no: int
    name: str
    kind: str
    first: date
    last: date
    reason: str
    document: str
    owner_approved: bool
    withdrawn: bool
    version: int = 0


@dataclass(frozen=True, slots=True)
class OutageRow:
    """An outage note; local wall time."""

    id: int
    terminal: str
    from_time: datetime
    to_time: datetime
    reason: str
    document: str
    entered_by: str


@dataclass(frozen=True, slots=True)
class ExplanationRow:
    """An explanation; ``state`` ``proposed``, ``approved`` or ``withdrawn``."""

    number: int
    state: str
    reason_code: str
    reason: str
    text: str
    evidence: str
    half_days: int
    proposed_by: str
    proposed_at: datetime
    approved_by: str
    cells: list[tuple[int, str, date]]
    """``(worker_no, name, day)`` by day and worker number."""
    version: int = 0
    """What an editor saw, for ``explain.approve_explanation`` and its like."""

    @property
    def state_word(self) -> str:
        """The shown word of the state."""
        return {"proposed": "待批准", "approved": "已批准", "withdrawn": "已撤回"}[self.state]


def stop_rows(session: Session, project_id: int) -> list[StopRow]:
    """Stop-work entries, newest first, also withdrawn ones."""
    seen = editing.versions(session, project_id, "stop_work")
    rows = session.execute(
        select(StopWork, Team.name)
        .outerjoin(Team, Team.id == StopWork.team_id)
        .where(StopWork.project_id == project_id)
        .order_by(StopWork.from_day.desc(), StopWork.id.desc())
    )
    return [
        StopRow(
            row.id, team or "", row.from_day, row.to_day, row.reason, row.document,
            row.entered_by, row.withdrawn_at is not None, seen.get(row.id, 0),
        )
        for row, team in rows
    ]


def leave_rows(session: Session, project_id: int) -> list[LeaveRow]:
    """Leave entries, newest first, also withdrawn ones."""
    seen = editing.versions(session, project_id, "leave")
    rows = session.execute(
        select(Leave, Person.worker_no, Person.name)
        .join(Person, Person.id == Leave.person_id)
        .where(Leave.project_id == project_id)
        .order_by(Leave.from_day.desc(), Leave.id.desc())
    )
    return [
        LeaveRow(
            row.id, row.person_id, worker_no, name,
            reasons.LEAVE_WORDS.get(row.kind, row.kind), row.from_day, row.to_day, row.reason,
            row.document, row.owner_approved, row.withdrawn_at is not None, seen.get(row.id, 0),
        )
        for row, worker_no, name in rows
    ]


def outage_rows(session: Session, project_id: int) -> list[OutageRow]:
    """Outage notes, newest first."""
    rows = session.execute(
        select(OutageNote, Terminal.name)
        .join(Terminal, Terminal.id == OutageNote.terminal_id)
        .where(OutageNote.project_id == project_id)
        .order_by(OutageNote.from_time.desc(), OutageNote.id.desc())
    )
    return [
        OutageRow(
            row.id, name, row.from_time, row.to_time, row.reason, row.document, row.entered_by
        )
        for row, name in rows
    ]


def answers(session: Session, project_id: int) -> dict[str, str]:
    """Finding key → the office's answer."""
    rows = session.execute(
        select(FindingAnswer.finding_key, FindingAnswer.text).where(
            FindingAnswer.project_id == project_id
        )
    )
    return {key: text for key, text in rows}


def explanation_rows(
    session: Session, project_id: int, first: date | None = None, last: date | None = None
) -> list[ExplanationRow]:
    """Explanations by number; with bounds those that speak of a day between them, with all their
    cells."""
    seen = editing.versions(session, project_id, "explanation")
    condition = [Explanation.project_id == project_id]
    if first is not None and last is not None:
        touching = select(ExplanationCell.explanation_id).where(
            ExplanationCell.day.between(first, last)
        )
        condition.append(Explanation.id.in_(touching))
    found = session.scalars(select(Explanation).where(*condition).order_by(Explanation.number))
    rows = found.all()
    cells = _cells(session, condition)
    return [
        ExplanationRow(
            row.number, _state(row), row.reason_code, _reason_word(row.reason_code), row.text,
            row.evidence, row.value_half_days, row.proposed_by, row.proposed_at,
            row.approved_by or "", cells.get(row.id, []), seen.get(row.number, 0),
        )
        for row in rows
    ]


def waiting_explanations(session: Session, project_id: int, first: date, last: date) -> int:
    """How many explanations of days between the two wait for approval."""
    touching = select(ExplanationCell.explanation_id).where(
        ExplanationCell.day.between(first, last)
    )
    return session.scalar(
        select(func.count()).select_from(Explanation).where(
            Explanation.project_id == project_id, Explanation.id.in_(touching),
            Explanation.approval_segment_id.is_(None),
            Explanation.withdrawal_segment_id.is_(None),
        )
    ) or 0


def _cells(session: Session, condition: list[Any]) -> dict[int, list[tuple[int, str, date]]]:
    found: defaultdict[int, list[tuple[int, str, date]]] = defaultdict(list)
    rows = session.execute(
        select(
            ExplanationCell.explanation_id, Person.worker_no, Person.name, ExplanationCell.day
        )
        .join(Person, Person.id == ExplanationCell.person_id)
        .join(Explanation, Explanation.id == ExplanationCell.explanation_id)
        .where(*condition)
        .order_by(ExplanationCell.day, Person.worker_no)
    )
    for explanation_id, worker_no, name, day in rows:
        found[explanation_id].append((worker_no, name, day))
    return found


def _state(row: Explanation) -> str:
    if row.withdrawal_segment_id is not None:
        return "withdrawn"
    return "proposed" if row.approval_segment_id is None else "approved"


def _reason_word(code: str) -> str:
    return REASON_WORDS[Reason(code)] if code in REASON_WORDS else code

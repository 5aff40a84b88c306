"""Reads of retention for screens and the command line: what falls due when, and how much disk."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from desktop.people.tables import Contract, Stay
from desktop.punches.tables import Punch, Terminal
from desktop.retention.biometric import removal_tasks
from desktop.retention.dates import dates_of, policy_of
from desktop.retention.holds import HoldView, holds
from desktop.retention.people import erased_persons
from desktop.retention.rules import (
    CLASS_WORDS,
    SNAPSHOT_WORDS,
    Decision,
    Facts,
    RecordClass,
    Snapshots,
    contract_ended_on,
    decide,
    months_until,
    snapshot_bytes,
)
from desktop.retention.scope import Original, originals_of
from desktop.site.queries import project_view
from desktop.storage.types import day_number, day_of

__all__ = ["DiskForecast", "HoldView", "TermRow", "disk_forecast", "forecast", "holds"]

_MONTHS_MEASURED = 3
"""Full months the average is taken over."""


@dataclass(frozen=True, slots=True)
class TermRow:
    """One class of records: how many, from when to when, and the earliest day of purging.

    ``state``: ``none`` nothing held, ``locked`` a day is missing, ``kept`` the term runs, ``held``
    a legal hold, ``due`` may be purged, ``task`` to be done outside the book.
    """

    record_class: RecordClass
    word: str
    records: int
    bytes: int
    first: date | None
    last: date | None
    decision: Decision
    state: str
    sentence: str

    @property
    def earliest(self) -> date | None:
        """The earliest day of purging."""
        return self.decision.earliest

    def as_json(self) -> dict[str, Any]:
        """A row of ``retention status``."""
        decided = self.decision.decided_by
        return {
            "class": self.record_class.value, "word": self.word, "records": self.records,
            "bytes": self.bytes, "first": self.first, "last": self.last,
            "earliest": self.earliest, "clause": None if decided is None else decided.clause.id,
            "state": self.state, "sentence": self.sentence,
            "terms": [
                {"clause": term.clause.id, "starts_on": term.starts_on, "ends_on": term.ends_on}
                for term in self.decision.terms
            ],
        }


def forecast(
    session: Session, project_id: int, today: date, *, folder: Path | None = None
) -> list[TermRow]:
    """Every class of records of a project in the order of the rules.

    ``folder`` is the book's, for the sizes of raw downloads; without it they count as none.
    """
    dates = dates_of(session, project_id).facts
    policy = policy_of(session, project_id, today)
    facts = Facts(
        dates.completed_on, dates.settled_on,
        contract_ended_on=_last_contract(session, project_id, dates.completed_on),
        assessed_on=policy.assessed_on,
    )
    held = holds(session, project_id, active=True)
    kept = [] if folder is None else originals_of(session, folder, project_id)
    tasks = removal_tasks(session, project_id, today)
    amounts: dict[RecordClass, tuple[int, int, date | None, date | None]] = {
        RecordClass.ATTENDANCE: _originals_amount(kept),
        RecordClass.LEDGER: _persons_amount(session, project_id),
        RecordClass.PAYROLL: (0, 0, None, None),
        RecordClass.CONTRACT: _contracts_amount(session, project_id),
        RecordClass.ASSESSMENT: (
            int(policy.assessed_on is not None), 0, policy.assessed_on, policy.assessed_on
        ),
        RecordClass.BIOMETRIC: (
            len(tasks), 0, min((task.due_on for task in tasks), default=None),
            max((task.due_on for task in tasks), default=None),
        ),
    }
    return [_row(one, amounts[one], facts, held, today) for one in RecordClass]


def _row(
    record_class: RecordClass, amount: tuple[int, int, date | None, date | None], facts: Facts,
    held: Sequence[HoldView], today: date,
) -> TermRow:
    records, size, first, last = amount
    if record_class is RecordClass.BIOMETRIC:
        facts = Facts(left_on=first)
    decision = decide(record_class, facts)
    state, sentence = _state(record_class, records, decision, held, today)
    return TermRow(
        record_class, CLASS_WORDS[record_class], records, size, first, last, decision, state,
        sentence,
    )


def _state(
    record_class: RecordClass, records: int, decision: Decision, held: Sequence[HoldView],
    today: date,
) -> tuple[str, str]:
    if record_class is RecordClass.BIOMETRIC:
        if not records:
            return "none", "没有待办的删除任务；人脸、指纹模板不进账本。"
        return "task", f"{records}项待在考勤机上删除并确认（退场即删）。"
    if not records and record_class is not RecordClass.ATTENDANCE:
        return "none", "账本里没有这类记录。"
    if decision.earliest is None:
        return "locked", decision.explanation
    if decision.earliest > today:
        return "kept", decision.explanation
    if held:
        return "held", f"已到期，因{len(held)}项留存冻结暂停清除。{decision.explanation}"
    if not records:
        return "none", "没有留存的原始下载和影像。"
    return "due", decision.explanation


def _last_contract(
    session: Session, project_id: int, completed_on: date | None
) -> date | None:
    """When the last contract of the project was over; with none, the completion."""
    rows = session.execute(
        select(Contract.to_day, Stay.to_day)
        .join(Stay, Stay.id == Contract.stay_id)
        .where(Contract.project_id == project_id)
    )
    ended = [contract_ended_on(to_day, left_on, completed_on) for to_day, left_on in rows]
    known = [day for day in ended if day is not None]
    return max(known, default=completed_on)


def _originals_amount(
    kept: Sequence[Original],
) -> tuple[int, int, date | None, date | None]:
    days = [one.at for one in kept]
    size = sum({one.sha256: one.size for one in kept}.values())
    return len(kept), size, min(days, default=None), max(days, default=None)


def _persons_amount(
    session: Session, project_id: int
) -> tuple[int, int, date | None, date | None]:
    gone = erased_persons(session)
    first = last = None
    people = set()
    for person_id, from_day, to_day in session.execute(
        select(Stay.person_id, Stay.from_day, Stay.to_day).where(Stay.project_id == project_id)
    ):
        if person_id not in gone:
            people.add(person_id)
            first = min(filter(None, (first, from_day)))
            last = max(filter(None, (last, to_day or from_day)))
    return len(people), 0, first, last


def _contracts_amount(
    session: Session, project_id: int
) -> tuple[int, int, date | None, date | None]:
    gone = erased_persons(session)
    rows = session.execute(
        select(Stay.person_id, Contract.from_day, Contract.to_day)
        .join(Stay, Stay.id == Contract.stay_id)
        .where(Contract.project_id == project_id)
    )
    held = [(first, last) for person_id, first, last in rows if person_id not in gone]
    return (
        len(held), 0,
        min((first for first, _ in held if first is not None), default=None),
        max((last for _, last in held if last is not None), default=None),
    )


# ── disk ────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class DiskForecast:
    """Bytes of raw downloads by month, and what will be held on the day they may go.

    ``until`` is that day, or the planned one while the project runs (planned completion and its
    term); None when neither is known, then nothing is projected. ``snapshots_per_month`` counts
    pictures the policy would keep at the pace of the last months; there are none yet.
    """

    by_month: Mapping[str, int]
    held: int
    per_month: int
    until: date | None
    projected: int
    policy: Snapshots
    snapshots_per_month: int
    snapshots_projected: int

    @property
    def sentence(self) -> str:
        """For people."""
        line = f"原始下载现存{_size(self.held)}，近来每月约{_size(self.per_month)}"
        if self.until is not None:
            line += f"，到可清除日{self.until}约{_size(self.projected)}"
        line += f"。{SNAPSHOT_WORDS[self.policy]}"
        if self.snapshots_per_month:
            line += f"：按近来的打卡量每月约{_size(self.snapshots_per_month)}"
            if self.until is not None:
                line += f"，到可清除日约{_size(self.snapshots_projected)}"
        return f"{line}。"

    def as_json(self) -> dict[str, Any]:
        """The disk part of ``retention status``."""
        return {
            "by_month": dict(self.by_month), "held": self.held, "per_month": self.per_month,
            "until": self.until, "projected": self.projected, "snapshots": self.policy.value,
            "snapshots_per_month": self.snapshots_per_month,
            "snapshots_projected": self.snapshots_projected,
        }


def disk_forecast(
    session: Session, project_id: int, today: date, folder: Path
) -> DiskForecast:
    """How much disk raw downloads and pictures take until they may be purged."""
    kept = originals_of(session, folder, project_id)
    by_month: Counter[str] = Counter()
    for one in {one.sha256: one for one in kept}.values():
        by_month[f"{one.at:%Y-%m}"] += one.size
    held = sum(by_month.values())
    per_month = _average(by_month, today)
    until, grows_until = _until(session, project_id)
    months = 0 if grows_until is None else months_until(today, grows_until)
    policy = policy_of(session, project_id, today)
    punches = _punches_per_month(session, project_id, today)
    pictures = snapshot_bytes(policy.snapshots, punches, policy.snapshot_kb)
    return DiskForecast(
        dict(sorted(by_month.items())), held, per_month, until,
        held + months * per_month, policy.snapshots, pictures, months * pictures,
    )


def _average(by_month: Mapping[str, int], today: date) -> int:
    """Of the last full months; of the present one while there is no full one."""
    full = [size for month, size in sorted(by_month.items()) if month < f"{today:%Y-%m}"]
    recent = full[-_MONTHS_MEASURED:] or list(by_month.values())
    return sum(recent) // len(recent) if recent else 0


def _until(session: Session, project_id: int) -> tuple[date | None, date | None]:
    """The day of purging, and the last day on which more comes in."""
    dates = dates_of(session, project_id).facts
    planned = project_view(session, project_id).planned_completion_on
    completed = dates.completed_on or planned
    settled = dates.settled_on or completed
    if completed is None or settled is None:
        return None, None
    return decide(RecordClass.ATTENDANCE, Facts(completed, settled)).earliest, completed


def _punches_per_month(session: Session, project_id: int, today: date) -> int:
    """Punches of the last ninety days, per thirty of them."""
    first = day_number(today - timedelta(days=30 * _MONTHS_MEASURED))
    here = select(Terminal.id).where(Terminal.project_id == project_id)
    count, oldest = session.execute(
        select(func.count(), func.min(Punch.day)).where(
            Punch.day >= first, Punch.day <= day_number(today), Punch.terminal_id.in_(here)
        )
    ).one()
    if not count:
        return 0
    days = max(30, (today - day_of(oldest)).days + 1)
    return int(count) * 30 // days


def _size(size: int) -> str:
    """1024-based, one decimal: what a file manager shows."""
    amount, unit = float(size), "B"
    for larger in ("KB", "MB", "GB"):
        if amount < 1024:
            break
        amount, unit = amount / 1024, larger
    return f"{amount:.0f}{unit}" if unit == "B" else f"{amount:.1f}{unit}"

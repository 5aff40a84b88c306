"""The two days of the project that every term is counted from, and what the site decided itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from desktop.access.actor import Act
from desktop.access.desk import Desk
from desktop.errors import Refused
from desktop.retention.rules import (
    LEAST_WAITING,
    MOST_WAITING,
    SNAPSHOT_KB,
    WAITING_DAYS,
    Facts,
    Snapshots,
)
from desktop.retention.tables import RetentionDates, RetentionPolicy
from desktop.site.queries import project_view

_LARGEST_KB = 4096


@dataclass(frozen=True, slots=True)
class Dated:
    """A day with the document that proves it."""

    day: date
    document: str


@dataclass(frozen=True, slots=True)
class ProjectDates:
    """Both days with their evidence; None where nothing was set."""

    completed: Dated | None
    settled: Dated | None

    @property
    def facts(self) -> Facts:
        """For the rules."""
        return Facts(
            completed_on=None if self.completed is None else self.completed.day,
            settled_on=None if self.settled is None else self.settled.day,
        )


def dates_of(session: Session, project_id: int) -> ProjectDates:
    """What is set for the project."""
    row = session.get(RetentionDates, project_id)
    if row is None:
        return ProjectDates(None, None)
    return ProjectDates(
        None if row.completed_on is None else Dated(row.completed_on, row.completed_document),
        None if row.wages_settled_on is None
        else Dated(row.wages_settled_on, row.settled_document),
    )


def set_dates(
    desk: Desk,
    *,
    completed: Dated | None = None,
    settled: Dated | None = None,
    why: str = "",
) -> ProjectDates:
    """Set one or both days; what is not given stays. ``why`` is asked for when a day changes.

    Raises :class:`Refused` ``date_evidence``, ``date_future``, ``date_before_start``,
    ``dates_why`` with nothing changed.
    """
    desk.permit(Act.RETENTION_CHANGED)
    today = desk.clock.today()
    with desk.book.write() as session:
        started = project_view(session, desk.project_id).started_on
        row = session.get(RetentionDates, desk.project_id)
        before = dates_of(session, desk.project_id)
        for word, given, held in (
            ("竣工日期", completed, before.completed), ("工资结清日期", settled, before.settled),
        ):
            if given is not None:
                _check(word, given, today, started)
                if held is not None and held.day != given.day and not why.strip():
                    raise Refused(
                        "dates_why", f"{word}已登记为{held.day}，更改须写明理由，未做任何改动。请填写理由。"
                    )
        if row is None:
            row = RetentionDates(
                project_id=desk.project_id, completed_on=None, completed_document="",
                wages_settled_on=None, settled_document="",
            )
            session.add(row)
        if completed is not None:
            row.completed_on, row.completed_document = completed.day, completed.document.strip()
        if settled is not None:
            row.wages_settled_on, row.settled_document = settled.day, settled.document.strip()
        row.set_by, row.set_at = desk.actor.name, desk.clock.now()
        session.flush()
        after = dates_of(session, desk.project_id)
        desk.audit(
            session, Act.RETENTION_CHANGED, f"project:{desk.project_id}", why=why.strip(),
            completed_on=_iso(after.completed), settled_on=_iso(after.settled),
            before_completed_on=_iso(before.completed), before_settled_on=_iso(before.settled),
        )
        return after


def _check(word: str, given: Dated, today: date, started: date | None) -> None:
    if not given.document.strip():
        raise Refused(
            "date_evidence", f"登记{word}须写明证明文件（名称或文号），未做任何改动。请补写文件。"
        )
    if given.day > today:
        raise Refused(
            "date_future", f"{word}{given.day}还没有到，未做任何改动。请在事实发生后按证明文件登记。"
        )
    if started is not None and given.day < started:
        raise Refused(
            "date_before_start", f"{word}{given.day}早于开工日期{started}，未做任何改动。请核对日期。"
        )


def _iso(dated: Dated | None) -> str | None:
    return None if dated is None else dated.day.isoformat()


# ── policy ──────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Policy:
    """What the site decided: waiting time, pictures, impact assessment."""

    effective_from: date | None = None
    waiting_days: int = WAITING_DAYS
    snapshots: Snapshots = Snapshots.NONE
    snapshot_kb: int = SNAPSHOT_KB
    assessed_on: date | None = None
    assessment: str = ""


def policy_of(session: Session, project_id: int, day: date) -> Policy:
    """The policy in force on ``day``; the defaults while nobody decided anything."""
    row = session.scalars(
        select(RetentionPolicy)
        .where(
            RetentionPolicy.project_id == project_id, RetentionPolicy.effective_from <= day
        )
        .order_by(RetentionPolicy.effective_from.desc())
        .limit(1)
    ).first()
    if row is None:
        return Policy()
    return Policy(
        row.effective_from, row.waiting_days, Snapshots(row.snapshots), row.snapshot_kb,
        row.assessed_on, row.assessment,
    )


def set_policy(desk: Desk, policy: Policy) -> None:
    """Store the policy from ``effective_from`` on (None: today); the same day is replaced.

    Raises :class:`Refused` ``policy_waiting``, ``policy_size``, ``assessment``,
    ``policy_past`` with nothing changed.
    """
    desk.permit(Act.RETENTION_CHANGED)
    today = desk.clock.today()
    since = policy.effective_from or today
    _check_policy(policy, since, today)
    with desk.book.write() as session:
        row = session.scalars(
            select(RetentionPolicy).where(
                RetentionPolicy.project_id == desk.project_id,
                RetentionPolicy.effective_from == since,
            )
        ).first()
        if row is None:
            row = RetentionPolicy(project_id=desk.project_id, effective_from=since)
            session.add(row)
        row.waiting_days, row.snapshot_kb = policy.waiting_days, policy.snapshot_kb
        row.snapshots = policy.snapshots.value
        row.assessed_on, row.assessment = policy.assessed_on, policy.assessment.strip()
        row.set_by, row.set_at = desk.actor.name, desk.clock.now()
        desk.audit(
            session, Act.RETENTION_CHANGED, "policy", since=since.isoformat(),
            waiting_days=policy.waiting_days, snapshots=policy.snapshots.value,
            snapshot_kb=policy.snapshot_kb,
            assessed_on=None if policy.assessed_on is None else policy.assessed_on.isoformat(),
        )


def _check_policy(policy: Policy, since: date, today: date) -> None:
    if since < today:
        raise Refused(
            "policy_past", "保存策略只能从今天或以后起生效，未做任何改动。请改生效日期。"
        )
    if not LEAST_WAITING <= policy.waiting_days <= MOST_WAITING:
        raise Refused(
            "policy_waiting",
            f"批准到执行的等待期为{LEAST_WAITING}至{MOST_WAITING}天，未做任何改动。请改等待期。",
        )
    if not 1 <= policy.snapshot_kb <= _LARGEST_KB:
        raise Refused(
            "policy_size", f"单张照片大小为1至{_LARGEST_KB}KB，未做任何改动。请改大小。"
        )
    if policy.assessed_on is not None and (
        policy.assessed_on > today or not policy.assessment.strip()
    ):
        raise Refused(
            "assessment", "影响评估须写明报告名称或编号，日期不能晚于今天，未做任何改动。请改正。"
        )

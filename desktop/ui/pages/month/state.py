"""Where a month stands, read in one go for the steps of its page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.orm import Session

from desktop.attendance.finding import Finding
from desktop.attendance.findings import month_findings
from desktop.attendance.month import compute_month
from desktop.clock import CHINA
from desktop.jobs import CancelToken, Progress
from desktop.months.queries import MonthStatus, month_status, versions

INCOMPLETE = "terminal_incomplete"


@dataclass(frozen=True, slots=True)
class VersionRow:
    """One freeze of the month."""

    version: int
    frozen_at: datetime
    frozen_by: str
    accepted_open: str
    digest: str


@dataclass(frozen=True, slots=True)
class MonthState:
    """Status, findings and versions; ``people`` is how many stand in the month."""

    month: str
    status: MonthStatus
    people: int
    findings: list[Finding]
    versions: list[VersionRow]
    rule: str

    @property
    def blocking(self) -> list[Finding]:
        return [finding for finding in self.findings if finding.blocking]

    @property
    def incomplete(self) -> list[Finding]:
        """Terminals that are not read to the end."""
        return [finding for finding in self.blocking if finding.code == INCOMPLETE]


def read_state(
    session: Session,
    project_id: int,
    month: str,
    now: datetime,
    today: date,
    progress: Progress,
    cancel: CancelToken,
) -> MonthState:
    """``now`` is local wall time."""
    attendance = compute_month(session, project_id, month, progress=progress, cancel=cancel)
    return MonthState(
        month,
        month_status(session, project_id, month, today),
        len(attendance.rows),
        month_findings(session, attendance, now),
        [
            VersionRow(
                row.version, row.frozen_at.astimezone(CHINA), row.frozen_by, row.accepted_open,
                row.digest.hex(),
            )
            for row in reversed(versions(session, project_id, month))
        ],
        attendance.rule.label,
    )

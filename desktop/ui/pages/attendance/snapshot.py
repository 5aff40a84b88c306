"""A month as the page shows it: computed attendance, findings and explanations, read in one go."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.orm import Session

from desktop.attendance.finding import Finding
from desktop.attendance.findings import month_findings
from desktop.attendance.month import MonthAttendance, PersonMonth, compute_month
from desktop.attendance.queries import (
    ExplanationRow,
    LeaveRow,
    StopRow,
    explanation_rows,
    leave_rows,
    stop_rows,
)
from desktop.jobs import CancelToken, Progress
from desktop.site.queries import HolidayView, holiday_years, holidays
from desktop.storage.types import day_number

Cell = tuple[int, date]
"""(person id, day)."""


@dataclass(frozen=True, slots=True)
class MonthSnapshot:
    """What was true when it was read; replaced as a whole, never changed."""

    attendance: MonthAttendance
    findings: list[Finding]
    explanations: list[ExplanationRow]
    stops: list[StopRow]
    leaves: list[LeaveRow]
    holidays: Mapping[date, HolidayView]
    holiday_years: list[int]
    """Years whose notice of the State Council is in the book."""
    by_cell: Mapping[Cell, ExplanationRow]
    """Explanations in force or waiting, by the cells they speak of."""

    @property
    def month(self) -> str:
        return self.attendance.month

    @property
    def first(self) -> date:
        return self.attendance.frame.first

    @property
    def last(self) -> date:
        return self.attendance.frame.last

    def team_name(self, row: PersonMonth) -> str:
        """Team of the row, or 管理人员."""
        team_id = row.current.team_id
        if team_id is None or row.current.is_manager:
            return "管理人员"
        return self.attendance.frame.teams[team_id].name

    def place(self, day: date) -> int:
        """Place of a day in the month's rows."""
        return day_number(day) - self.attendance.frame.first_day

    def blocking(self) -> int:
        return sum(finding.blocking for finding in self.findings)


def read_month(
    session: Session,
    project_id: int,
    month: str,
    now: datetime,
    progress: Progress,
    cancel: CancelToken,
) -> MonthSnapshot:
    """Compute and gather; ``now`` is local wall time."""
    attendance = compute_month(session, project_id, month, progress=progress, cancel=cancel)
    first, last = attendance.frame.first, attendance.frame.last
    explanations = explanation_rows(session, project_id, first, last)
    numbers = {row.worker.worker_no: row.worker.person_id for row in attendance.rows}
    by_cell = {
        (numbers[worker_no], day): explanation
        for explanation in explanations
        if explanation.state != "withdrawn"
        for worker_no, _, day in explanation.cells
        if worker_no in numbers
    }
    return MonthSnapshot(
        attendance,
        month_findings(session, attendance, now),
        explanations,
        [row for row in stop_rows(session, project_id) if row.first <= last and row.last >= first],
        [row for row in leave_rows(session, project_id) if row.first <= last and row.last >= first],
        holidays(session, first, last),
        holiday_years(session),
        by_cell,
    )

"""Reads of months for screens and other use cases."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from desktop.attendance.frame import month_bounds
from desktop.clock import CHINA
from desktop.months.tables import MonthPage, MonthVersion

REPORT_DAY = 5
"""Posting and report are due on the 5th of the next month (P-2.4.1a, P-2.3.2e)."""


def latest_version(session: Session, project_id: int, month: str) -> MonthVersion | None:
    """The newest freeze of a month."""
    return session.scalars(
        select(MonthVersion)
        .where(MonthVersion.project_id == project_id, MonthVersion.month == month)
        .order_by(MonthVersion.version.desc())
        .limit(1)
    ).first()


def versions(session: Session, project_id: int, month: str) -> list[MonthVersion]:
    """All freezes of a month, oldest first."""
    return list(
        session.scalars(
            select(MonthVersion)
            .where(MonthVersion.project_id == project_id, MonthVersion.month == month)
            .order_by(MonthVersion.version)
        )
    )


@dataclass(frozen=True, slots=True)
class MonthStatus:
    """Where a month stands. ``target`` is the house's own day, ``due`` the scheme's last one."""

    month: str
    version: int | None
    frozen_on: date | None
    accepted_open: str
    pages: int
    target: date
    due: date
    days_left: int

    @property
    def sentence(self) -> str:
        """One line for people."""
        if self.version is None:
            state = f"{self.month} 还没有冻结。"
        else:
            printed = f"已出 {self.pages} 页" if self.pages else "还没有打印"
            state = f"{self.month} 已冻结第 {self.version} 版（{self.frozen_on}），{printed}。"
        if self.days_left >= 0:
            return f"{state}目标 {self.target}，最迟 {self.due}，还剩 {self.days_left} 天。"
        return f"{state}公示与月报最迟 {self.due}，已过 {-self.days_left} 天。"

    def as_json(self) -> dict[str, Any]:
        """What is stored, for ``month status``."""
        return {
            "month": self.month, "version": self.version, "frozen_on": self.frozen_on,
            "accepted_open": self.accepted_open, "pages": self.pages, "target": self.target,
            "due": self.due, "days_left": self.days_left,
        }


def month_status(session: Session, project_id: int, month: str, today: date) -> MonthStatus:
    """State of a month by what is stored; raises :class:`desktop.errors.Refused` for no month."""
    _, last = month_bounds(month)
    due = last + timedelta(days=REPORT_DAY)
    version = latest_version(session, project_id, month)
    pages = 0
    if version is not None:
        pages = session.scalar(
            select(func.count()).select_from(MonthPage)
            .where(MonthPage.month_version_id == version.id)
        ) or 0
    return MonthStatus(
        month=month,
        version=None if version is None else version.version,
        frozen_on=None if version is None else version.frozen_at.astimezone(CHINA).date(),
        accepted_open="" if version is None else version.accepted_open,
        pages=pages, target=due - timedelta(days=1), due=due, days_left=(due - today).days,
    )

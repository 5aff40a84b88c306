"""Reads of an imported book for head office: one page per project."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from desktop.months.tables import MonthVersion
from desktop.people.tables import Stay, StayTeam
from desktop.punches.tables import Terminal
from desktop.site.tables import Company, Project, Team


@dataclass(frozen=True, slots=True)
class TeamLine:
    """People of a team on a day; ``team`` is empty for those without one (managers)."""

    company: str
    team: str
    people: int


@dataclass(frozen=True, slots=True)
class MonthLine:
    """The newest freeze of a month; ``digest`` hexadecimal."""

    month: str
    version: int
    digest: str
    frozen_at: datetime


@dataclass(frozen=True, slots=True)
class TerminalLine:
    """A terminal and until when everything it recorded is held."""

    name: str
    serial: str
    complete_until: datetime | None


@dataclass(frozen=True, slots=True)
class ProjectPage:
    """What head office sees of a project at a glance; ``on_day`` is the day of the export."""

    project_id: int
    code: str
    name: str
    on_day: date
    teams: tuple[TeamLine, ...]
    months: tuple[MonthLine, ...]
    terminals: tuple[TerminalLine, ...]

    def as_json(self) -> dict[str, Any]:
        """For ``rollup show``."""
        return {
            "code": self.code, "name": self.name, "on_day": self.on_day,
            "teams": [{"company": t.company, "team": t.team, "people": t.people} for t in self.teams],
            "months": [
                {"month": m.month, "version": m.version, "digest": m.digest, "frozen_at": m.frozen_at}
                for m in self.months
            ],
            "terminals": [
                {"name": t.name, "serial": t.serial, "complete_until": t.complete_until}
                for t in self.terminals
            ],
        }


def project_pages(session: Session, day: date) -> list[ProjectPage]:
    """All projects of the book as of ``day``."""
    return [
        ProjectPage(
            one.id, one.code, one.name, day, _teams(session, one.id, day),
            _months(session, one.id), _terminals(session, one.id),
        )
        for one in session.scalars(select(Project).order_by(Project.id))
    ]


def _teams(session: Session, project_id: int, day: date) -> tuple[TeamLine, ...]:
    member = (
        (StayTeam.stay_id == Stay.id) & (StayTeam.from_day <= day)
        & (StayTeam.to_day.is_(None) | (StayTeam.to_day >= day))
    )
    rows = session.execute(
        select(Company.name, Team.name, func.count(Stay.person_id.distinct()))
        .select_from(Stay)
        .join(Company, Company.id == Stay.company_id)
        .outerjoin(StayTeam, member)
        .outerjoin(Team, Team.id == StayTeam.team_id)
        .where(
            Stay.project_id == project_id, Stay.from_day <= day,
            Stay.to_day.is_(None) | (Stay.to_day >= day),
        )
        .group_by(Company.name, Team.number, Team.name)
        .order_by(Company.name, Team.number)
    )
    return tuple(TeamLine(company, team or "", people) for company, team, people in rows)


def _months(session: Session, project_id: int) -> tuple[MonthLine, ...]:
    newest: dict[str, MonthLine] = {}
    for one in session.scalars(
        select(MonthVersion)
        .where(MonthVersion.project_id == project_id)
        .order_by(MonthVersion.month, MonthVersion.version)
    ):
        newest[one.month] = MonthLine(one.month, one.version, one.digest.hex(), one.frozen_at)
    return tuple(newest.values())


def _terminals(session: Session, project_id: int) -> tuple[TerminalLine, ...]:
    return tuple(
        TerminalLine(one.name, one.serial, one.complete_until)
        for one in session.scalars(
            select(Terminal).where(Terminal.project_id == project_id).order_by(Terminal.name)
        )
    )

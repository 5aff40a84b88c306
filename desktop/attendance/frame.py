"""What a month is computed against: its days, the rule then in force, terminals, teams, calendar.

Loaded once per computation and never changed; everything a person's row needs besides the person
and the punches. It refuses to know people.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from desktop.attendance import presence
from desktop.attendance.reasons import Gate
from desktop.attendance.rules import FAR_DAY
from desktop.attendance.tables import StopWork
from desktop.errors import Refused
from desktop.punches.tables import Punch, Terminal
from desktop.site import queries as site
from desktop.site.rules import RulePack
from desktop.site.tables import Shift
from desktop.storage.types import day_number, day_of

_MONTH = re.compile(r"(20[1-9]\d)-(0[1-9]|1[0-2])")

MARGIN_DAYS = 2
"""Punches read on each side of the month. An ``in`` stays open for at most a day, so one day
before decides what is open when the month begins, and the turn of the last day has ended one day
after it; the second day lets a run of repetitions across the border settle."""


def month_bounds(month: str) -> tuple[date, date]:
    """First and last day of ``YYYY-MM``; raises :class:`Refused` for anything else."""
    match = _MONTH.fullmatch(month)
    if match is None:
        raise Refused("month", f"月份「{month[:20]}」写法不对，应如 2026-11。", month=month[:20])
    first = date(int(match[1]), int(match[2]), 1)
    return first, (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)


@dataclass(frozen=True, slots=True)
class TerminalFacts:
    """A terminal as attendance sees it; ``direction`` ``in``, ``out`` or ``both``."""

    id: int
    name: str
    direction: str
    biometric_only_from: int | None
    in_use_from: date | None
    retired_on: date | None
    complete_until: datetime | None

    def in_use(self, day: date) -> bool:
        """Is the terminal part of the site on that day?"""
        begun = self.in_use_from is None or self.in_use_from <= day
        return begun and (self.retired_on is None or day <= self.retired_on)


@dataclass(frozen=True, slots=True)
class Stop:
    """A stop-work order in force; ``team_id`` None stops the whole project."""

    id: int
    team_id: int | None
    first: int
    last: int
    text: str


@dataclass(slots=True)
class Frame:
    """The setting of one month of one project. Days are numbers, see ``storage.types``."""

    project_id: int
    month: str
    first: date
    last: date
    rule: RulePack
    terminals: list[TerminalFacts]
    """By id; a packed punch names the place in this list."""
    gates: list[Gate]
    """The same terminals as the sentences name them."""
    teams: dict[int, site.TeamView]
    companies: dict[int, site.CompanyView]
    """In the order of the settings file."""
    statutory: dict[int, str]
    """Names of the holidays of 300 % pay, by day."""
    stops: list[Stop]
    started: int | None
    ended: int | None
    night_days: dict[int, frozenset[int]]
    """Team → days of the window on which it works at night; day teams are absent."""
    _stopped: dict[int | None, dict[int, str]] = field(default_factory=dict)

    @property
    def first_day(self) -> int:
        """Number of the month's first day."""
        return day_number(self.first)

    @property
    def last_day(self) -> int:
        """Number of the month's last day."""
        return day_number(self.last)

    @property
    def days(self) -> range:
        """Numbers of the month's days."""
        return range(self.first_day, self.last_day + 1)

    def nights(self, team_id: int | None) -> frozenset[int]:
        """Days of the window on which the team works at night."""
        return frozenset() if team_id is None else self.night_days.get(team_id, frozenset())

    def stopped(self, team_id: int | None) -> dict[int, str]:
        """Stop-work days of the month for a team (None: for the project), with reason."""
        if team_id not in self._stopped:
            found: dict[int, str] = {}
            for stop in self.stops:
                if stop.team_id in (None, team_id):
                    low, high = max(stop.first, self.first_day), min(stop.last, self.last_day)
                    for day in range(low, high + 1):
                        found.setdefault(day, stop.text)
            self._stopped[team_id] = found
        return self._stopped[team_id]

    def construction_days(self, team_id: int | None = None) -> list[int]:
        """施工日 of the project, or of a team: days of its own stop-work orders do not count."""
        return presence.construction_days(
            self.first_day, self.last_day, started=self.started, ended=self.ended,
            stopped=self.stopped(team_id).keys(),
        )


def load_frame(session: Session, project_id: int, month: str) -> Frame:
    """The setting of a month; the rule is the one in force on its first day (invariant 10).

    Raises :class:`Refused` for a month that cannot be or that no rule governs.
    """
    first, last = month_bounds(month)
    project = site.project_view(session, project_id)
    holidays = site.holidays(session, first, last).items()
    terminals = _terminals(session, project_id)
    return Frame(
        project_id=project_id,
        month=month,
        first=first,
        last=last,
        rule=site.rule_for(session, project_id, first),
        terminals=terminals,
        gates=[
            Gate(t.name, None if t.biometric_only_from is None else day_of(t.biometric_only_from))
            for t in terminals
        ],
        teams={team.id: team for team in site.teams(session, project_id, last)},
        companies={company.id: company for company in site.companies(session, project_id)},
        statutory={day_number(day): off.name for day, off in holidays if off.statutory},
        stops=_stops(session, project_id, first, last),
        started=None if project.started_on is None else day_number(project.started_on),
        ended=_end_of_work(session, project.planned_completion_on, last),
        night_days=_night_days(session, project_id, first, last),
    )


def _terminals(session: Session, project_id: int) -> list[TerminalFacts]:
    rows = session.scalars(
        select(Terminal).where(Terminal.project_id == project_id).order_by(Terminal.id)
    ).all()
    return [
        TerminalFacts(
            row.id, row.name, row.direction,
            None if row.biometric_only_from is None else day_number(row.biometric_only_from),
            row.in_use_from, row.retired_on, row.complete_until,
        )
        for row in rows
    ]


def _stops(session: Session, project_id: int, first: date, last: date) -> list[Stop]:
    rows = session.scalars(
        select(StopWork)
        .where(
            StopWork.project_id == project_id, StopWork.withdrawn_at.is_(None),
            StopWork.from_day <= last, StopWork.to_day >= first,
        )
        .order_by(StopWork.id)
    )
    return [
        Stop(
            row.id, row.team_id, day_number(row.from_day), day_number(row.to_day),
            "，".join(filter(None, (row.reason, row.document))) or "停工",
        )
        for row in rows
    ]


def _end_of_work(session: Session, planned: date | None, last: date) -> int | None:
    """The planned completion bounds the project, unless people still come through the gates."""
    if planned is None or planned >= last:
        return None
    after = select(Punch.id).where(Punch.day.between(day_number(planned) + 1, FAR_DAY)).limit(1)
    return None if session.scalar(after) is not None else day_number(planned)


def _night_days(
    session: Session, project_id: int, first: date, last: date
) -> dict[int, frozenset[int]]:
    shift = site.shift_on(session, project_id)
    window = [
        first + timedelta(days=n)
        for n in range(-MARGIN_DAYS, (last - first).days + MARGIN_DAYS + 2)
    ]
    nights: dict[int, frozenset[int]] = {}
    for team in site.teams(session, project_id):
        days = [day_number(day) for day in window if shift(team.id, day) is Shift.NIGHT]
        if days:
            nights[team.id] = frozenset(days)
    return nights

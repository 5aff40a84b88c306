"""Reads of the site for screens, attendance and paper. Every function takes a session."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from desktop.errors import Refused
from desktop.site import codes
from desktop.site.rules import RulePack, in_force, rule_pack
from desktop.site.tables import (
    Company,
    FloorWage,
    Holiday,
    Participation,
    Project,
    Shift,
    Staff,
    Team,
    TeamShift,
)
from desktop.site.tables import RulePack as RulePackRow


@dataclass(frozen=True, slots=True)
class ProjectView:
    """The project as forms print it."""

    id: int
    name: str
    code: str
    address: str
    permit_no: str
    started_on: date | None
    planned_completion_on: date | None
    enclosed: bool
    pay_day: int | None


@dataclass(frozen=True, slots=True)
class CompanyView:
    """A participating company; ``kind`` is a code of ``corp_type``, ``kind_name`` its name."""

    id: int
    name: str
    credit_code: str
    kind: str
    kind_name: str
    contact: str
    phone: str


@dataclass(frozen=True, slots=True)
class StaffView:
    """A contact person; ``company_id`` None when the file named no company."""

    id: int
    post: str
    name: str
    phone: str
    company_id: int | None
    company: str


@dataclass(frozen=True, slots=True)
class TeamView:
    """A team with its company and the shift in force on the day asked for."""

    id: int
    number: int
    name: str
    leader: str
    company_id: int
    company: str
    shift: Shift


@dataclass(frozen=True, slots=True)
class FloorWageView:
    """当地最低工资标准 in force; amounts in yuan as printed."""

    monthly: str
    hourly: str
    document: str
    effective_from: date


@dataclass(frozen=True, slots=True)
class HolidayView:
    """A day of the State Council's notice: ``day_type`` ``off`` or ``work`` (调休上班)."""

    day: date
    day_type: str
    name: str
    statutory: bool
    """One of the thirteen days of 300 % (HO)."""


def project_view(session: Session, project_id: int) -> ProjectView:
    """The project; raises :class:`Refused` when the book has no such project."""
    row = session.get(Project, project_id)
    if row is None:
        raise Refused("unknown_project", "账本里没有这个项目。请重新打开账本。", project_id=project_id)
    return ProjectView(
        row.id, row.name, row.code, row.address, row.permit_no, row.started_on,
        row.planned_completion_on, row.enclosed, row.pay_day,
    )


def companies(session: Session, project_id: int) -> list[CompanyView]:
    """Participating companies in the order of the settings file."""
    found = session.execute(
        select(Company, Participation)
        .join(Participation, Participation.company_id == Company.id)
        .where(Participation.project_id == project_id)
        .order_by(Participation.id)
    )
    kinds = codes.table("corp_type")
    return [
        CompanyView(
            company.id, company.name, company.credit_code, part.kind,
            kinds.get(part.kind, part.kind), part.contact, part.phone,
        )
        for company, part in found
    ]


def companies_of_kind(session: Session, project_id: int, kind: str) -> list[CompanyView]:
    """Participating companies with that part in the project."""
    return [company for company in companies(session, project_id) if company.kind == kind]


def staff(session: Session, project_id: int) -> list[StaffView]:
    """Contact persons in the order of the settings file."""
    found = session.execute(
        select(Staff, Company.name)
        .outerjoin(Company, Company.id == Staff.company_id)
        .where(Staff.project_id == project_id)
        .order_by(Staff.id)
    )
    return [
        StaffView(row.id, row.post, row.name, row.phone, row.company_id, company or "")
        for row, company in found
    ]


def teams(session: Session, project_id: int, day: date | None = None) -> list[TeamView]:
    """All teams by number, with the shift on ``day`` (None: the latest one)."""
    shifts = shift_on(session, project_id)
    found = session.execute(
        select(Team, Company.name)
        .join(Company, Company.id == Team.company_id)
        .where(Team.project_id == project_id)
        .order_by(Team.number)
    )
    return [
        TeamView(
            team.id, team.number, team.name, team.leader, team.company_id, company,
            shifts(team.id, day or date.max),
        )
        for team, company in found
    ]


def team_of(session: Session, project_id: int, name: str) -> int:
    """Team of a name or number (``003``); refuses a name two companies use."""
    found = [
        team_id
        for team_id, team_name, number in session.execute(
            select(Team.id, Team.name, Team.number).where(Team.project_id == project_id)
        )
        if name.strip() in (team_name, f"{number:03d}")
    ]
    if len(found) != 1:
        what = "没有" if not found else "有几个"
        raise Refused("unknown_team", f"{what}班组叫「{name[:40]}」，未做任何改动。请改用班组的三位编号。")
    return found[0]


def shift_on(session: Session, project_id: int) -> Callable[[int, date], Shift]:
    """``f(team_id, day)``: the shift then in force; before the first dated row that row rules.

    Reads once; the returned function touches no session. A team unknown to it works by day.
    """
    found = session.execute(
        select(TeamShift.team_id, TeamShift.from_day, TeamShift.shift)
        .join(Team, Team.id == TeamShift.team_id)
        .where(Team.project_id == project_id)
        .order_by(TeamShift.team_id, TeamShift.from_day)
    )
    changes: dict[int, tuple[list[date], list[Shift]]] = {}
    for team_id, from_day, shift in found:
        days, shifts = changes.setdefault(team_id, ([], []))
        days.append(from_day)
        shifts.append(Shift(shift))

    def shift_of(team_id: int, day: date) -> Shift:
        if team_id not in changes:
            return Shift.DAY
        days, shifts = changes[team_id]
        return shifts[max(bisect_right(days, day) - 1, 0)]

    return shift_of


def rule_packs(session: Session, project_id: int) -> Sequence[tuple[date, RulePack]]:
    """Every rule pack of the project with its first day."""
    found = session.execute(
        select(RulePackRow.effective_from, RulePackRow.content)
        .where(RulePackRow.project_id == project_id)
        .order_by(RulePackRow.effective_from)
    )
    return [(since, rule_pack(content)) for since, content in found]


def rule_for(session: Session, project_id: int, day: date) -> RulePack:
    """The rule pack in force on ``day``."""
    try:
        return in_force(rule_packs(session, project_id), day)
    except LookupError as error:
        raise Refused(
            "no_rule", f"{day.isoformat()}还没有生效的考勤规则。请检查规则的生效日期。", day=day.isoformat()
        ) from error


def holidays(session: Session, first: date, last: date) -> dict[date, HolidayView]:
    """Days of the State Council's notices between two days, both included."""
    found = session.scalars(
        select(Holiday).where(Holiday.day.between(first, last)).order_by(Holiday.day)
    )
    return {
        row.day: HolidayView(row.day, row.day_type, row.name, row.statutory) for row in found
    }


def holiday_years(session: Session) -> list[int]:
    """Years whose notice is in the book; for any other year the user must import one."""
    return sorted({day.year for day in session.scalars(select(Holiday.day))})


def floor_wage(session: Session, project_id: int, day: date) -> FloorWageView | None:
    """The floor wage in force on ``day``, None when none was entered."""
    row = session.scalar(
        select(FloorWage)
        .where(FloorWage.project_id == project_id, FloorWage.effective_from <= day)
        .order_by(FloorWage.effective_from.desc())
        .limit(1)
    )
    if row is None:
        return None
    return FloorWageView(row.monthly, row.hourly, row.document, row.effective_from)

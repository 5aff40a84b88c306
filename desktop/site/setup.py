"""A new project in a book: everything project.toml says, except the board's typed items.

Those belong to the board's station, which stores ``ProjectFile.board`` in the same transaction.
"""

from __future__ import annotations

from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from desktop.clock import Clock
from desktop.errors import Refused
from desktop.site.holidays import store_packaged
from desktop.site.project_file import CompanyEntry, ProjectFile
from desktop.site.tables import (
    Company,
    FloorWage,
    Participation,
    Project,
    RulePack,
    Staff,
    Team,
    TeamShift,
)

BEGINNING = date(2015, 1, 1)
"""Nothing a terminal says about an earlier day is believed; rules and shifts start here."""


def create_project(session: Session, clock: Clock, file: ProjectFile) -> int:
    """Store the project of ``file`` and return its id. Companies of the book are used again."""
    if file.code and session.scalar(select(Project.id).where(Project.code == file.code)):
        raise Refused("project_exists", "本账本里已有这个项目代码，未做任何改动。请换一个代码。")
    project = Project(
        name=file.name, code=file.code, address=file.address, permit_no=file.permit_no,
        started_on=file.started_on, planned_completion_on=file.planned_completion_on,
        enclosed=file.enclosed, pay_day=file.pay_day, created_at=clock.now(),
    )
    session.add(project)
    session.flush()
    companies = {
        entry.credit_code: _participate(session, project.id, entry) for entry in file.companies
    }
    for person in file.staff:
        session.add(
            Staff(
                project_id=project.id, company_id=companies.get(person.company),
                post=person.post, name=person.name, phone=person.phone,
            )
        )
    _store_teams(session, project, file, companies)
    _store_rules(session, project.id, file)
    store_packaged(session)
    session.flush()
    return project.id


def _participate(session: Session, project_id: int, entry: CompanyEntry) -> int:
    company = session.scalar(select(Company).where(Company.credit_code == entry.credit_code))
    if company is None:
        company = Company(name=entry.name, credit_code=entry.credit_code)
        session.add(company)
        session.flush()
    elif company.name != entry.name:
        raise Refused(
            "company_name",
            f"本账本里该统一社会信用代码的单位叫「{company.name}」，与设置文件不同，未做任何改动。请核对单位名称。",
        )
    session.add(
        Participation(
            project_id=project_id, company_id=company.id, kind=entry.kind,
            contact=entry.contact, phone=entry.phone,
        )
    )
    return company.id


def _store_teams(
    session: Session, project: Project, file: ProjectFile, companies: dict[str, int]
) -> None:
    since = file.started_on or BEGINNING
    for number, entry in enumerate(file.teams, 1):
        team = Team(
            project_id=project.id, company_id=companies[entry.company], number=number,
            name=entry.name, leader=entry.leader,
        )
        session.add(team)
        session.flush()
        session.add(TeamShift(team_id=team.id, from_day=since, shift=entry.shift.value))


def _store_rules(session: Session, project_id: int, file: ProjectFile) -> None:
    session.add(
        RulePack(
            project_id=project_id, effective_from=BEGINNING, name=file.rules.name,
            version=file.rules.version, content=file.rules.to_dict(),
        )
    )
    wage = file.floor_wage
    if wage is not None:
        session.add(
            FloorWage(
                project_id=project_id, effective_from=wage.effective_from,
                monthly=wage.monthly, hourly=wage.hourly, document=wage.document,
            )
        )

"""Teams and their dated shifts: adding a team, changing a shift from a day on."""

from __future__ import annotations

from datetime import date

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from desktop.access import editing
from desktop.access.actor import Act
from desktop.access.desk import Desk
from desktop.errors import Refused
from desktop.site.setup import BEGINNING
from desktop.site.tables import Participation, Project, Shift, Team, TeamShift

LAST_NUMBER = 999
"""Team numbers have three digits in page identities (design §5)."""


def create_team(
    session: Session,
    project_id: int,
    company_id: int,
    name: str,
    *,
    leader: str = "",
    shift: Shift = Shift.DAY,
) -> Team:
    """A new team with the next number, its shift valid from the start of the project."""
    last = session.scalar(select(func.max(Team.number)).where(Team.project_id == project_id)) or 0
    if last >= LAST_NUMBER:
        raise Refused("too_many_teams", f"一个项目最多{LAST_NUMBER}个班组，未做任何改动。请合并班组。")
    team = Team(
        project_id=project_id, company_id=company_id, number=last + 1, name=name, leader=leader
    )
    session.add(team)
    session.flush()
    started = session.scalar(select(Project.started_on).where(Project.id == project_id))
    session.add(TeamShift(team_id=team.id, from_day=started or BEGINNING, shift=shift.value))
    session.flush()
    return team


def add_team(
    desk: Desk, name: str, company_id: int, *, leader: str = "", shift: Shift = Shift.DAY
) -> int:
    """Add a team of a participating company; returns its id."""
    desk.permit(Act.PROJECT_CHANGED)
    name = name.strip()
    if not name:
        raise Refused("team_name", "班组名称是空的，未做任何改动。请填写名称。")
    with desk.book.write() as session:
        taking_part = select(Participation.id).where(
            Participation.project_id == desk.project_id, Participation.company_id == company_id
        )
        if session.scalar(taking_part) is None:
            raise Refused("unknown_company", "该单位不是本项目的参建单位，未做任何改动。请先选择参建单位。")
        taken = select(Team.id).where(
            Team.project_id == desk.project_id, Team.company_id == company_id, Team.name == name
        )
        if session.scalar(taken) is not None:
            raise Refused("team_exists", f"该单位已有班组「{name}」，未做任何改动。请换一个名称。")
        team = create_team(session, desk.project_id, company_id, name, leader=leader, shift=shift)
        desk.audit(session, Act.PROJECT_CHANGED, f"team:{team.id}", added=True, shift=shift.value)
        return team.id


SHIFT_WORDS = {Shift.DAY: "白班", Shift.NIGHT: "夜班"}


def set_team_shift(
    desk: Desk, team_id: int, from_day: date, shift: Shift, *, seen: int | None = None
) -> None:
    """The shift of a team from ``from_day`` until the next dated change.

    Raises :class:`desktop.errors.Conflict` when somebody changed the team's shifts after the
    version ``seen`` of ``team:<id>``.
    """
    desk.permit(Act.PROJECT_CHANGED)
    with desk.book.write() as session:
        team = session.get(Team, team_id)
        if team is None or team.project_id != desk.project_id:
            raise Refused("unknown_team", "没有这个班组，未做任何改动。请刷新后再试。")
        change = session.scalar(
            select(TeamShift).where(TeamShift.team_id == team_id, TeamShift.from_day == from_day)
        )
        said = f"自{from_day}起的班次"
        now = None if change is None else SHIFT_WORDS[Shift(change.shift)]
        editing.check(
            desk, session, f"team:{team_id}", seen, f"「{team.name}」", {"shift": (said, now)}
        )
        editing.touch(desk, session, f"team:{team_id}", "shift")
        if change is None:
            session.add(TeamShift(team_id=team_id, from_day=from_day, shift=shift.value))
        else:
            change.shift = shift.value
        session.flush()
        desk.audit(
            session, Act.PROJECT_CHANGED, f"team:{team_id}",
            from_day=from_day.isoformat(), shift=shift.value,
        )

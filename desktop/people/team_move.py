"""A change of team inside a stay, from a day on (invariant 5)."""

from __future__ import annotations

from datetime import date, timedelta

from sqlalchemy import select

from desktop.access import editing
from desktop.access.actor import Act
from desktop.access.desk import Desk
from desktop.errors import Refused
from desktop.people.tables import Person, Stay, StayTeam
from desktop.site.tables import Team


def move_to_team(
    desk: Desk, worker_no: int, team_id: int, from_day: date, *, seen: int | None = None
) -> int:
    """Let the person belong to ``team_id`` from ``from_day`` to the end of the stay.

    Memberships that would begin later in that stay are refused: changes are entered in order.
    Returns the stay. Raises :class:`Refused` without a stay on that day, for a manager, or for a
    team of another employer, and :class:`desktop.errors.Conflict` when somebody moved the person
    after the version ``seen`` of ``stay:<id>``.
    """
    desk.permit(Act.ROSTER_IMPORTED)
    with desk.book.write() as session:
        stay = session.scalar(
            select(Stay)
            .join(Person, Person.id == Stay.person_id)
            .where(
                Person.worker_no == worker_no, Stay.project_id == desk.project_id,
                Stay.from_day <= from_day, Stay.to_day.is_(None) | (Stay.to_day >= from_day),
            )
        )
        if stay is None or stay.is_manager:
            raise Refused(
                "no_stay", f"人员编号 {worker_no} 在 {from_day} 不是在场工人，未做任何改动。请核对编号和日期。"
            )
        team = session.get(Team, team_id)
        if team is None or team.company_id != stay.company_id:
            raise Refused(
                "other_employer", "目标班组属于另一家用人单位，未做任何改动。换单位请先退场再进场。"
            )
        rows = session.scalars(
            select(StayTeam).where(StayTeam.stay_id == stay.id).order_by(StayTeam.from_day)
        ).all()
        last = rows[-1]
        present = session.get_one(Team, last.team_id).name
        editing.check(
            desk, session, f"stay:{stay.id}", seen, f"人员编号{worker_no}",
            {"team": ("班组", f"「{present}」")},
        )
        if last.from_day > from_day:
            raise Refused(
                "move_order", f"此人自 {last.from_day} 起已有调班组记录，未做任何改动。请填更晚的日期。"
            )
        if last.team_id == team_id:
            raise Refused("same_team", "此人已在这个班组，未做任何改动。")
        before = last.team_id
        if last.from_day == from_day:
            last.team_id = team_id
        else:
            last.to_day = from_day - timedelta(days=1)
            session.flush()
            session.add(
                StayTeam(
                    stay_id=stay.id, team_id=team_id, from_day=from_day, to_day=stay.to_day
                )
            )
        editing.touch(desk, session, f"stay:{stay.id}", "team")
        desk.audit(
            session, Act.ROSTER_IMPORTED, f"stay:{stay.id}", moved_from=before, moved_to=team_id,
            from_day=from_day.isoformat(),
        )
        return stay.id

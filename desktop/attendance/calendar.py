"""The construction calendar: stop-work orders and leave, with dates, scope, reason, document.

Both only say what a day without a punch is called and which days are construction days; no punch is
ever hidden by them. Entries are never changed: a wrong one is withdrawn and entered again.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from desktop.access import editing
from desktop.access.actor import Act
from desktop.access.desk import Desk
from desktop.attendance.reasons import LEAVE_WORDS
from desktop.attendance.tables import Leave, StopWork
from desktop.errors import Refused
from desktop.people.tables import Person, Stay
from desktop.site.tables import Team

MAX_DAYS = 731
"""Longest entry; a longer one is a slip of the hand in the year."""

LEAVE_KINDS: Mapping[str, str] = {word: kind for kind, word in LEAVE_WORDS.items()}
"""Chinese word → kind: 事假 病假 工伤 公出."""


def leave_kind(text: str) -> str:
    """The kind of a code or of its Chinese word; raises :class:`Refused` for anything else."""
    wanted = text.strip()
    kind = LEAVE_KINDS.get(wanted, wanted)
    if kind not in LEAVE_WORDS:
        words = "、".join(LEAVE_KINDS)
        raise Refused("leave_kind", f"没有这种请假类别，未做任何改动。可选：{words}。")
    return kind


def add_stop(
    desk: Desk,
    first: date,
    last: date,
    *,
    reason: str,
    document: str = "",
    team_id: int | None = None,
) -> int:
    """Enter stop-work days (both included) for the project or one team; returns the number."""
    desk.permit(Act.CALENDAR_CHANGED)
    _check_span(first, last)
    if not reason.strip():
        raise Refused("no_reason", "停工原因是空的，未做任何改动。请写明原因。")
    with desk.book.write() as session:
        if team_id is not None:
            _check_team(session, desk.project_id, team_id)
        same_scope = (
            StopWork.team_id.is_(None) if team_id is None else StopWork.team_id == team_id
        )
        taken = session.scalar(
            select(StopWork.id).where(
                StopWork.project_id == desk.project_id, StopWork.withdrawn_at.is_(None),
                StopWork.from_day <= last, StopWork.to_day >= first, same_scope,
            )
        )
        if taken is not None:
            raise Refused(
                "stop_overlap", f"这几天与停工记录{taken}号重叠，未做任何改动。请改日期或先撤回原记录。",
                stop=taken,
            )
        row = StopWork(
            project_id=desk.project_id, team_id=team_id, from_day=first, to_day=last,
            reason=reason.strip(), document=document.strip(), entered_by=desk.actor.name,
            entered_at=desk.clock.now(), withdrawn_at=None,
        )
        session.add(row)
        session.flush()
        desk.audit(
            session, Act.CALENDAR_CHANGED, f"stop_work:{row.id}",
            from_day=first.isoformat(), to_day=last.isoformat(), team_id=team_id,
        )
        return row.id


def withdraw_stop(
    desk: Desk, stop_id: int, why: str = "", *, seen: int | None = None
) -> None:
    """Take a stop-work entry back; it stays on file.

    Raises :class:`desktop.errors.Conflict` saying who was first, when the version ``seen`` of
    ``stop_work:<id>`` is not the present one.
    """
    desk.permit(Act.CALENDAR_CHANGED)
    with desk.book.write() as session:
        row = session.get(StopWork, stop_id)
        if row is None or row.project_id != desk.project_id:
            raise Refused("unknown_stop", f"没有停工记录{stop_id}号，未做任何改动。")
        editing.check(
            desk, session, f"stop_work:{stop_id}", seen, f"停工记录{stop_id}号",
            {editing.WHOLE: ("撤回", None)},
        )
        if row.withdrawn_at is not None:
            raise Refused("withdrawn", f"停工记录{stop_id}号已经撤回，未做任何改动。")
        row.withdrawn_at = desk.clock.now()
        editing.touch(desk, session, f"stop_work:{stop_id}")
        desk.audit(
            session, Act.CALENDAR_CHANGED, f"stop_work:{stop_id}", why=why, withdrawn=True
        )


def add_leave(
    desk: Desk,
    person_id: int,
    kind: str,
    first: date,
    last: date,
    *,
    reason: str = "",
    document: str = "",
    owner_approved: bool = False,
) -> int:
    """Enter a person's leave (both days included); returns the number of the entry.

    ``kind``: a key or value of :data:`LEAVE_KINDS`. ``owner_approved``: 建设单位 agreed in writing,
    which is what counts beside a project manager's 80 %.
    """
    desk.permit(Act.CALENDAR_CHANGED)
    kind = leave_kind(kind)
    _check_span(first, last)
    with desk.book.write() as session:
        stayed = select(Stay.id).where(
            Stay.project_id == desk.project_id, Stay.person_id == person_id
        )
        if session.scalar(stayed.limit(1)) is None:
            raise Refused("unknown_person", "此人从未在本项目进场，未做任何改动。请核对人员编号。")
        taken = session.scalar(
            select(Leave.id).where(
                Leave.project_id == desk.project_id, Leave.person_id == person_id,
                Leave.withdrawn_at.is_(None), Leave.from_day <= last, Leave.to_day >= first,
            )
        )
        if taken is not None:
            raise Refused(
                "leave_overlap", f"这几天与请假记录{taken}号重叠，未做任何改动。请改日期或先撤回原记录。",
                leave=taken,
            )
        row = Leave(
            project_id=desk.project_id, person_id=person_id, kind=kind, from_day=first,
            to_day=last, reason=reason.strip(), document=document.strip(),
            owner_approved=owner_approved, entered_by=desk.actor.name,
            entered_at=desk.clock.now(), withdrawn_at=None,
        )
        session.add(row)
        session.flush()
        desk.audit(
            session, Act.CALENDAR_CHANGED, f"leave:{row.id}", person_id=person_id, kind=kind,
            from_day=first.isoformat(), to_day=last.isoformat(), owner_approved=owner_approved,
        )
        return row.id


def withdraw_leave(
    desk: Desk, leave_id: int, why: str = "", *, seen: int | None = None
) -> None:
    """Take a leave entry back; it stays on file. ``seen`` as in :func:`withdraw_stop`."""
    desk.permit(Act.CALENDAR_CHANGED)
    with desk.book.write() as session:
        row = session.get(Leave, leave_id)
        if row is None or row.project_id != desk.project_id:
            raise Refused("unknown_leave", f"没有请假记录{leave_id}号，未做任何改动。")
        editing.check(
            desk, session, f"leave:{leave_id}", seen, f"请假记录{leave_id}号",
            {editing.WHOLE: ("撤回", None)},
        )
        if row.withdrawn_at is not None:
            raise Refused("withdrawn", f"请假记录{leave_id}号已经撤回，未做任何改动。")
        row.withdrawn_at = desk.clock.now()
        editing.touch(desk, session, f"leave:{leave_id}")
        desk.audit(session, Act.CALENDAR_CHANGED, f"leave:{leave_id}", why=why, withdrawn=True)


def person_of(session: Session, worker_no: int) -> int:
    """Person of a worker number; raises :class:`Refused` when there is none."""
    person_id = session.scalar(select(Person.id).where(Person.worker_no == worker_no))
    if person_id is None:
        raise Refused(
            "unknown_worker", f"没有人员编号{worker_no}，未做任何改动。请核对编号。",
            worker_no=worker_no,
        )
    return person_id


def _check_team(session: Session, project_id: int, team_id: int) -> None:
    team = session.get(Team, team_id)
    if team is None or team.project_id != project_id:
        raise Refused("unknown_team", "没有这个班组，未做任何改动。请刷新后再选。")


def _check_span(first: date, last: date) -> None:
    if last < first:
        raise Refused(
            "span_order", f"结束日期{last.isoformat()}早于开始日期{first.isoformat()}，未做任何改动。"
        )
    if (last - first).days >= MAX_DAYS:
        raise Refused("span_length", "起止日期相隔两年以上，未做任何改动。请核对年份。")

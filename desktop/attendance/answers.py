"""What the office writes to findings: outage notes of terminals, answers to days without punches.

An answer makes a question settled, it never makes a punch. Findings are computed anew each time;
their keys are stable, so an answer finds its question again (see ``findings``).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from desktop.access import editing
from desktop.access.actor import Act
from desktop.access.desk import Desk
from desktop.attendance.tables import FindingAnswer, OutageNote
from desktop.errors import Refused
from desktop.punches.tables import Terminal
from desktop.site.tables import Team

SILENT_TERMINAL, SILENT_TEAM = "terminal_silent", "team_silent"
"""Codes of the findings that ask a question; every other one asks for an act."""


def silent_key(code: str, subject_id: int, day: date) -> str:
    """The stable key of a question: ``team_silent:3:2026-11-09``."""
    return f"{code}:{subject_id}:{day.isoformat()}"


def add_outage(
    desk: Desk,
    terminal_id: int,
    from_time: datetime,
    to_time: datetime,
    *,
    reason: str,
    document: str = "",
) -> int:
    """Note in writing that a terminal recorded nothing, or cannot be read, in a time.

    Times are local wall time. Returns the number of the note.
    """
    desk.permit(Act.CALENDAR_CHANGED)
    if to_time <= from_time:
        raise Refused("span_order", "停用结束时间不晚于开始时间，未做任何改动。请核对。")
    if not reason.strip():
        raise Refused("no_reason", "停用原因是空的，未做任何改动。请写明原因。")
    with desk.book.write() as session:
        terminal = session.get(Terminal, terminal_id)
        if terminal is None or terminal.project_id != desk.project_id:
            raise Refused("unknown_terminal", "没有这台考勤机，未做任何改动。请刷新后再选。")
        row = OutageNote(
            project_id=desk.project_id, terminal_id=terminal_id, from_time=from_time,
            to_time=to_time, reason=reason.strip(), document=document.strip(),
            entered_by=desk.actor.name, entered_at=desk.clock.now(),
        )
        session.add(row)
        session.flush()
        desk.audit(
            session, Act.CALENDAR_CHANGED, f"outage_note:{row.id}", terminal_id=terminal_id,
            from_time=from_time.isoformat(), to_time=to_time.isoformat(),
        )
        return row.id


FINDINGS = "findings"
"""Of the versions of all answers of a project, see :func:`desktop.access.editing.version`."""


def answer_findings(
    desk: Desk, keys: Sequence[str], text: str, *, seen: int | None = None
) -> int:
    """Answer one or many questions with the same words; a later answer replaces an earlier one.

    Returns how many. Refused as a whole when one key is no question of this project;
    :class:`desktop.errors.Conflict` when somebody answered one of them otherwise after the
    version ``seen`` of :data:`FINDINGS`.
    """
    desk.permit(Act.FINDING_ANSWERED)
    wanted = list(dict.fromkeys(key.strip() for key in keys))
    if not wanted or not text.strip():
        raise Refused("no_answer", "没有选中事项或答复是空的，未做任何改动。请写明原因。")
    with desk.book.write() as session:
        before: dict[str, editing.Now] = {}
        for key in wanted:
            _check_key(session, desk.project_id, key)
            row = session.scalar(
                select(FindingAnswer).where(
                    FindingAnswer.project_id == desk.project_id, FindingAnswer.finding_key == key
                )
            )
            if row is None:
                row = FindingAnswer(project_id=desk.project_id, finding_key=key)
                session.add(row)
            elif row.text != text.strip():
                before[key] = ("答复", row.text)
            row.text = text.strip()
            row.answered_by, row.answered_at = desk.actor.name, desk.clock.now()
        editing.check(desk, session, FINDINGS, seen, "同一事项", before)
        editing.touch(desk, session, FINDINGS, *wanted)
        desk.audit(
            session, Act.FINDING_ANSWERED, f"findings:{len(wanted)}", why=text.strip(), keys=wanted
        )
    return len(wanted)


def _check_key(session: Session, project_id: int, key: str) -> None:
    code, _, rest = key.partition(":")
    subject, _, day = rest.partition(":")
    known: Terminal | Team | None = None
    try:
        if key == silent_key(code, int(subject), date.fromisoformat(day)):
            if code == SILENT_TERMINAL:
                known = session.get(Terminal, int(subject))
            elif code == SILENT_TEAM:
                known = session.get(Team, int(subject))
    except ValueError:
        known = None
    if known is None or known.project_id != project_id:
        raise Refused(
            "unknown_finding",
            f"事项「{key[:60]}」不是等待答复的问题，未做任何改动。请从待处理事项里复制编号；"
            "「?」要用考勤说明处理，考勤机未采集要补采或登记停用。",
        )

"""Two people at two PCs change the same thing: the second one is told who was first, in words.

Services call :func:`check` with the counter their caller saw and :func:`touch` after the change,
both in the act's own transaction. ``seen`` None asks for no check: a command changes what stands
there now, whatever it was before.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

from desktop.access.actor import Role
from desktop.access.desk import Desk
from desktop.clock import CHINA
from desktop.errors import Conflict
from desktop.storage import conflict
from desktop.storage.conflict import WHOLE, version, versions

if TYPE_CHECKING:
    from desktop.storage.tables import EditStamp

__all__ = ["WHOLE", "Now", "check", "touch", "version", "versions"]

Now = tuple[str, str | None]
"""A field as the user calls it, and its present value in words; None where it is not shown."""

_MOST_NAMED = 4


def check(
    desk: Desk,
    session: Session,
    subject: str,
    seen: int | None,
    shown: str,
    fields: Mapping[str, Now],
) -> None:
    """Raise :class:`Conflict` when somebody changed one of ``fields`` after ``seen``.

    ``shown`` names the subject in the sentence, ``fields`` are those the caller is about to
    change. :data:`WHOLE` among them: the act concerns the thing as a whole; its ``Now`` is then
    the word for what somebody else did to it (``已撤回``), with None as value.
    """
    if seen is None or not fields:
        return
    later = conflict.check(session, desk.project_id, subject, seen, fields)
    if not later:
        return
    today = desk.clock.today()
    said = [
        _said(shown, stamp, fields.get(stamp.field), today_is=today == _local(stamp.at).date())
        for stamp in later[-_MOST_NAMED:]
    ]
    raise Conflict(
        "changed_meanwhile",
        f"{'；'.join(said)}；您的改动未保存。请刷新后再改。",
        subject=subject,
        fields=[stamp.field for stamp in later],
        seen=seen,
        version=later[-1].version,
    )


def touch(desk: Desk, session: Session, subject: str, *fields: str) -> int:
    """Note that the desk's actor changed ``fields`` (none: the whole); the counter afterwards."""
    return conflict.touch(
        session, desk.project_id, subject, fields or (WHOLE,),
        editor=desk.actor.name, role=desk.actor.role.value, at=desk.clock.now(),
    )


def _said(shown: str, stamp: EditStamp, now: Now | None, *, today_is: bool) -> str:
    """``「东门」的方向已由 张某（劳资专管员）于 10:32 改为 进``."""
    moment = _local(stamp.at)
    when = f"{moment:%H:%M}" if today_is else f"{moment.month}月{moment.day}日{moment:%H:%M}"
    done_by = f"已由 {_who(stamp)} 于 {when} "
    if stamp.field == WHOLE:
        return f"{shown}{done_by}{now[0] if now else '改过'}"
    if now is None:
        return f"{shown}{done_by}改过"
    word, value = now
    return f"{shown}的{word}{done_by}" + ("改过" if value is None else f"改为 {value or '空'}")


def _who(stamp: EditStamp) -> str:
    from desktop.access.matrix import ROLE_NAMES

    try:
        role = ROLE_NAMES[Role(stamp.role)]
    except ValueError:  # of a newer program
        role = ""
    return stamp.editor if role in ("", stamp.editor) else f"{stamp.editor}（{role}）"


def _local(moment: datetime) -> datetime:
    return moment.astimezone(CHINA)

"""Versions of what people edit: two PCs that change the same thing, and who was first.

Every change of something editable leaves a stamp (who, when) per field under one counter per
subject. An editor remembers the counter he saw; a stamp above it on a field he wants to change is
somebody else's work, and his own would wipe it out unseen. Fields that nobody else touched do not
disturb each other. It knows no station and no word for the user; see ``access.editing``.

The session of :func:`touch` and :func:`check` must come from ``Book.write``: writers come one
after another on both engines, so what was checked still holds when it is stamped.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from desktop.storage.tables import EditStamp

WHOLE = ""
"""The field of a change that concerns the thing as a whole: added, withdrawn, removed."""


def version(session: Session, project_id: int, subject: str) -> int:
    """How often ``subject`` was changed; 0 for what nobody changed since it was made."""
    return int(
        session.scalar(
            select(func.max(EditStamp.version)).where(
                EditStamp.project_id == project_id, EditStamp.subject == subject
            )
        )
        or 0
    )


def versions(session: Session, project_id: int, kind: str) -> dict[int, int]:
    """The counters of all subjects ``kind:<number>``, by number; those at 0 are left out."""
    rows = session.execute(
        select(EditStamp.subject, func.max(EditStamp.version))
        .where(
            EditStamp.project_id == project_id,
            EditStamp.subject.startswith(f"{kind}:", autoescape=True),
        )
        .group_by(EditStamp.subject)
    )
    return {int(subject.partition(":")[2]): int(number) for subject, number in rows}


def check(
    session: Session, project_id: int, subject: str, seen: int, fields: Iterable[str]
) -> list[EditStamp]:
    """Stamps of changes after ``seen`` that ``fields`` would wipe out, the oldest first.

    A change of the whole stands against every field, and every field against the whole.
    """
    wanted = set(fields)
    later = session.scalars(
        select(EditStamp)
        .where(
            EditStamp.project_id == project_id,
            EditStamp.subject == subject,
            EditStamp.version > seen,
        )
        .order_by(EditStamp.version)
    )
    return [
        stamp for stamp in later
        if stamp.field in wanted or stamp.field == WHOLE or WHOLE in wanted
    ]


def touch(
    session: Session,
    project_id: int,
    subject: str,
    fields: Collection[str],
    *,
    editor: str,
    role: str,
    at: datetime,
) -> int:
    """Note that ``fields`` of ``subject`` were changed now; the counter afterwards."""
    number = version(session, project_id, subject) + 1
    held = {
        stamp.field: stamp
        for stamp in session.scalars(
            select(EditStamp).where(
                EditStamp.project_id == project_id, EditStamp.subject == subject
            )
        )
    }
    for field in fields:
        stamp = held.get(field)
        if stamp is None:
            stamp = EditStamp(project_id=project_id, subject=subject, field=field)
            session.add(stamp)
        stamp.version, stamp.editor, stamp.role, stamp.at = number, editor, role, at
    session.flush()
    return number

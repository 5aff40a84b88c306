"""Holds the facts of the book (``book_info``) against the chain.

The identity of the book goes into the hash of every segment; when it was made and whether it is a
demo stand in the act that made it. Books of the first release told only ``demo``: of them the day
is held against the first act, which was written within the same minute.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from desktop.access.actor import Act
from desktop.access.tables import AuditAct
from desktop.storage.tables import BookInfo

_TOLD = ("book_id", "created_at")
_AT_MOST = timedelta(minutes=10)
"""Between the first row of a book and its first act, on a slow disk."""


def told(session: Session) -> dict[str, str]:
    """What the act that makes a book says of it."""
    held = _held(session)
    return {name: held[name] for name in _TOLD}


def flaws(session: Session) -> list[str]:
    """One sentence for each fact that is not as it was written."""
    made = session.scalars(
        select(AuditAct).where(AuditAct.act == Act.BOOK_CREATED.value)
        .order_by(AuditAct.id).limit(1)
    ).first()
    if made is None:  # a book filled by other means has nothing to be held against
        return []
    held = _held(session)
    facts = made.facts if isinstance(made.facts, dict) else {}
    wrong = [name for name in _TOLD if name in facts and held.get(name) != facts[name]]
    opened_as = session.info.get("book_id")
    if "book_id" not in wrong and opened_as is not None and held.get("book_id") != opened_as:
        wrong.append("book_id")
    if "created_at" not in facts and not _near(held.get("created_at"), made.at):
        wrong.append("created_at")
    if (held.get("demo") == "1") != bool(facts.get("demo")):
        wrong.append("demo")
    return [f"账本资料里的「{_NAMES[name]}」被其他程序改动过。" for name in wrong]


_NAMES = {"book_id": "账本编号", "created_at": "建立时间", "demo": "演示标记"}


def _held(session: Session) -> dict[str, Any]:
    return {row.name: row.value for row in session.scalars(select(BookInfo))}


def _near(text: str | None, moment: datetime) -> bool:
    try:
        made = datetime.fromisoformat(text or "")
    except ValueError:
        return False
    return made.tzinfo is not None and abs(moment - made) <= _AT_MOST

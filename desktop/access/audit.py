"""The trace of acts: one row and one segment per act, in the act's own transaction (invariant 9).

Facts are internal numbers and counts, never names or numbers of people: the trail outlives the
personal data it speaks of.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Text, insert, select, type_coerce
from sqlalchemy.orm import Session

from desktop.access.actor import Act, Actor
from desktop.access.tables import AuditAct
from desktop.storage import chain, tombstones
from desktop.storage.encode import Layout, document
from desktop.storage.tables import Base, Segment
from desktop.storage.types import Big

KIND = "act"
"""Kind of the segments this module writes and reads."""

_RECORD = Layout("AUDT", 1, ints=2, texts=5)
_INSERT = insert(Base.metadata.tables[AuditAct.__tablename__])
_WRITTEN = tuple(column.key for column in _INSERT.table.c if column.key != "id")


def record(
    session: Session,
    project_id: int,
    actor: Actor,
    act: Act,
    subject: str,
    *,
    at: datetime,
    why: str = "",
    facts: Mapping[str, Any] | None = None,
) -> Segment:
    """Write that ``actor`` did ``act`` to ``subject`` and return its segment.

    ``session`` is the one of the act itself: both are kept or neither. ``facts`` are plain JSON.
    """
    row = AuditAct(
        project_id=project_id,
        at=at.replace(microsecond=0),
        actor=actor.name,
        act=act.value,
        subject=subject,
        why=why,
        facts=dict(facts or {}),
    )
    segment = chain.append(
        session, project_id, KIND, [row_leaf(row)], {}, at=at, operator=actor.name
    )
    row.segment_id = segment.id
    session.connection().execute(_INSERT, {name: getattr(row, name) for name in _WRITTEN})
    return segment


def leaves(session: Session, project_id: int) -> Iterator[tuple[int, bytes]]:
    """The :data:`desktop.storage.chain.LeafReader` of kind :data:`KIND`."""
    rows = session.execute(
        select(
            AuditAct.segment_id, AuditAct.id, AuditAct.project_id, type_coerce(AuditAct.at, Big),
            AuditAct.actor, AuditAct.act, AuditAct.subject, AuditAct.why,
            type_coerce(AuditAct.facts, Text),
        )
        .where(chain.own_or_orphan(AuditAct.segment_id, project_id))
        .order_by(AuditAct.segment_id, AuditAct.id)
        .execution_options(yield_per=1000)
    )
    erased = tombstones.stones(session, AuditAct.__tablename__)
    for segment_id, ident, project, at_s, actor, act, subject, why, facts in rows:
        own = _leaf(project, at_s, actor, act, subject, why, facts)
        yield segment_id, tombstones.leaf_of(own, erased.get(ident))


def row_leaf(row: AuditAct) -> bytes:
    """Leaf of an act as it is, or will be, stored."""
    stored = document(row.facts).decode("utf-8")
    at_s = int(row.at.timestamp())
    return _leaf(row.project_id, at_s, row.actor, row.act, row.subject, row.why, stored)


def _leaf(
    project_id: int, at_s: int, actor: str, act: str, subject: str, why: str, facts: str
) -> bytes:
    """Over the values as stored, nothing parsed: a forged row must not stop the verification."""
    texts = [text.encode("utf-8") for text in (actor, act, subject, why, facts)]
    return chain.leaf(_RECORD.pack((project_id, at_s), texts))

"""What the chain knows of erasures: tombstones, and how a verification reads an erased record.

A record that lost its personal text can no longer be recomputed. Its tombstone keeps the leaf it
had; the root of its old segment proves that this leaf is the true one, and the tombstone's own
segment proves what is left of the record. So nothing goes unproven: a record changed *after* its
erasure gives a leaf that fits neither. It knows no person and no rule: those who erase hand over
what to keep.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from desktop.storage import chain
from desktop.storage.encode import Layout
from desktop.storage.tables import Segment, Tombstone

KIND = "tombstone"
"""Kind of the segments written here."""

_RECORD = Layout("TOMB", 1, ints=3, texts=4)


class Stone(NamedTuple):
    """``kept`` and ``rest`` of one tombstone, see :class:`desktop.storage.tables.Tombstone`."""

    kept: bytes
    rest: bytes


class Erasure(NamedTuple):
    """One row about to be erased. ``kept`` and ``rest`` are empty for what was never chained."""

    subject: str
    row_id: int
    kept: bytes = b""
    rest: bytes = b""
    replacement: str = ""


def stones(session: Session, subject: str) -> dict[int, Stone]:
    """The tombstones of one table, by row; usually none at all."""
    rows = session.execute(
        select(Tombstone.row_id, Tombstone.kept, Tombstone.rest).where(Tombstone.subject == subject)
    )
    return {row_id: Stone(bytes(kept), bytes(rest)) for row_id, kept, rest in rows}


def leaf_of(leaf: bytes, stone: Stone | None) -> bytes:
    """The leaf that stands in the tree for a record which now has ``leaf``.

    That of the time before, if the record is exactly what its erasure left; its own otherwise.
    """
    return stone.kept if stone is not None and leaf == stone.rest else leaf


def record(
    session: Session,
    project_id: int,
    purge_number: int,
    erasures: Sequence[Erasure],
    *,
    at: datetime,
    operator: str,
) -> Segment:
    """Write the tombstones of one purge as one segment; the rows may be erased after this only.

    The session is that of the erasure itself, from ``Book.write``: both are kept or neither.
    """
    segment = chain.append(
        session, project_id, KIND,
        (_leaf(project_id, purge_number, *erasure) for erasure in erasures),
        {"purge": purge_number}, at=at, operator=operator,
    )
    if erasures:
        session.execute(
            insert(Tombstone),
            [
                {
                    "project_id": project_id, "segment_id": segment.id,
                    "purge_number": purge_number, **erasure._asdict(),
                }
                for erasure in erasures
            ],
        )
    return segment


def leaves(session: Session, project_id: int) -> Iterator[tuple[int, bytes]]:
    """The :data:`desktop.storage.chain.LeafReader` of kind :data:`KIND`."""
    rows = session.execute(
        select(
            Tombstone.segment_id, Tombstone.project_id, Tombstone.purge_number, Tombstone.subject,
            Tombstone.row_id, Tombstone.kept, Tombstone.rest, Tombstone.replacement,
        )
        .where(chain.own_or_orphan(Tombstone.segment_id, project_id))
        .order_by(Tombstone.segment_id, Tombstone.id)
        .execution_options(yield_per=1000)
    )
    for segment_id, project, purge_number, subject, row_id, kept, rest, replacement in rows:
        yield segment_id, _leaf(project, purge_number, subject, row_id, kept, rest, replacement)


def commitments(session: Session, project_id: int) -> int:
    """How many chained records of the project stand by their commitment alone."""
    return session.scalar(
        select(func.count())
        .select_from(Tombstone)
        .where(Tombstone.project_id == project_id, Tombstone.kept != b"")
    ) or 0


def _leaf(
    project_id: int, purge_number: int, subject: str, row_id: int, kept: bytes, rest: bytes,
    replacement: str,
) -> bytes:
    texts = (subject.encode(), bytes(kept), bytes(rest), replacement.encode())
    return chain.leaf(_RECORD.pack((project_id, purge_number, row_id), texts))

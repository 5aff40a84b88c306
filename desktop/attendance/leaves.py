"""What the chain holds of explanations: one record each for proposal, approval and withdrawal.

The rows of ``explanation`` may change (an approval is written into them), their history may not:
every step is a segment of kind :data:`KIND` of its own, and an explanation counts only when its
approval's segment is named. It refuses to know whether an explanation is allowed.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Integer, select, type_coerce
from sqlalchemy.orm import Session

from desktop.access.desk import Desk
from desktop.attendance.tables import Explanation, ExplanationCell
from desktop.storage import chain, tombstones
from desktop.storage.encode import Layout, absent
from desktop.storage.tables import Segment
from desktop.storage.types import Big

KIND = "explanation"
"""Kind of the segments this module writes and reads."""

_PROPOSAL = Layout("EXPL", 1, ints=4, texts=5)
_APPROVAL = Layout("EXAP", 1, ints=3, texts=1)
_WITHDRAWAL = Layout("EXWD", 1, ints=3, texts=1)
_CELL = struct.Struct(">qq").pack


def verify_readers() -> dict[str, chain.LeafReader]:
    """Readers of the kinds this station writes."""
    return {KIND: leaves}


def commit(desk: Desk, session: Session, record_leaf: bytes) -> int:
    """Append a segment of one record; returns its id. The session is the act's own."""
    segment = chain.append(
        session, desk.project_id, KIND, [record_leaf], {},
        at=desk.clock.now(), operator=desk.actor.name,
    )
    return segment.id


def proposal_leaf(
    project_id: int, number: int, half_days: int, at_s: int, reason: str, text: str,
    evidence: str, proposed_by: str, cells: list[tuple[int, int]],
) -> bytes:
    """Digest of a proposal; ``cells`` are ``(person id, day number)``."""
    packed = b"".join(_CELL(person, day) for person, day in sorted(cells))
    texts = [part.encode() for part in (reason, text, evidence, proposed_by)]
    return chain.leaf(_PROPOSAL.pack((project_id, number, half_days, at_s), [*texts, packed]))


def approval_leaf(project_id: int, number: int, at_s: int | None, who: str | None) -> bytes:
    """Digest of an approval."""
    return _act_leaf(_APPROVAL, project_id, number, at_s, who)


def withdrawal_leaf(project_id: int, number: int, at_s: int | None, who: str | None) -> bytes:
    """Digest of a withdrawal."""
    return _act_leaf(_WITHDRAWAL, project_id, number, at_s, who)


def _act_leaf(
    layout: Layout, project_id: int, number: int, at_s: int | None, who: str | None
) -> bytes:
    return chain.leaf(layout.pack((project_id, number, absent(at_s)), [(who or "").encode()]))


def leaves(session: Session, project_id: int) -> Iterator[tuple[int, bytes]]:
    """The :data:`desktop.storage.chain.LeafReader` of kind :data:`KIND`."""
    found: list[tuple[int, int, bytes]] = []
    cells = _cells_by_explanation(session)
    erased = tombstones.stones(session, Explanation.__tablename__)
    for row in session.execute(_stored()):
        (ident, own_project, number, half_days, reason, text, evidence, by, at,
         approved_by, approved_at, withdrawn_by, withdrawn_at, *segments) = row
        records = (
            tombstones.leaf_of(
                proposal_leaf(
                    own_project, number, half_days, at, reason, text, evidence, by,
                    cells.get(ident, []),
                ),
                erased.get(ident),
            ),
            approval_leaf(own_project, number, approved_at, approved_by),
            withdrawal_leaf(own_project, number, withdrawn_at, withdrawn_by),
        )
        found += (
            (segment, ident, record)
            for segment, record in zip(segments, records, strict=True)
            if segment is not None
        )
    own = set(session.scalars(select(Segment.id).where(Segment.project_id == project_id)))
    others = set(session.scalars(select(Segment.id).where(Segment.project_id != project_id)))
    for segment, _, record in sorted(found):
        if segment in own or segment not in others:  # of no segment at all: a forgery
            yield segment, record


def _stored() -> Any:
    """Every explanation as stored, nothing parsed."""
    row = Explanation
    return select(
        row.id, row.project_id, row.number, row.value_half_days, row.reason_code, row.text,
        row.evidence, row.proposed_by, type_coerce(row.proposed_at, Big),
        row.approved_by, type_coerce(row.approved_at, Big),
        row.withdrawn_by, type_coerce(row.withdrawn_at, Big),
        row.segment_id, row.approval_segment_id, row.withdrawal_segment_id,
    ).order_by(row.id)


def _cells_by_explanation(session: Session) -> dict[int, list[tuple[int, int]]]:
    cells: dict[int, list[tuple[int, int]]] = {}
    for ident, person, day in session.execute(
        select(
            ExplanationCell.explanation_id, ExplanationCell.person_id,
            type_coerce(ExplanationCell.day, Integer),
        )
    ):
        cells.setdefault(ident, []).append((person, day))
    return cells

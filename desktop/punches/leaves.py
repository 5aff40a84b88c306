"""Reads the punch ledger back as the leaves of its segments, in constant memory.

Rows stand in the order of their ids, and so do segments: the four tables are read side by side
and joined segment by segment. A row in a wrong place breaks that order and shows as a segment
that appears twice, see :mod:`desktop.storage.chain`.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby, repeat
from operator import itemgetter
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from desktop.punches import record
from desktop.storage import rows as rows_of
from desktop.storage import tombstones
from desktop.storage.tables import Segment

KIND = "punches"
"""Kind of the segments read here."""

Leaf = tuple[int, bytes]
_Stones = dict[int, tombstones.Stone]
_stones = tombstones.stones

_BLOCK = 10_000
_PUNCHES = (
    "SELECT id, terminal_id, epoch, seq, CAST(number AS BLOB), t_local, day, method_raw,"
    " state_raw, method_class, accepted, source_format, received_at, raw, segment_id"
    " FROM punch ORDER BY id"
)
_SIGHTINGS = "SELECT segment_id, id, punch_id, CAST(origin AS BLOB) FROM punch_sighting ORDER BY id"
_CONFLICTS = "SELECT segment_id, id, punch_id, source_format, raw FROM punch_conflict ORDER BY id"
_QUARANTINE = (
    "SELECT segment_id, id, terminal_id, source_format, received_at, CAST(reason AS BLOB),"
    " CAST(number AS BLOB), CAST(time_text AS BLOB), raw FROM punch_quarantine ORDER BY id"
)


def punch_segments(session: Session, project_id: int) -> Iterator[Leaf]:
    """The :data:`desktop.storage.chain.LeafReader` of kind :data:`KIND`.

    Within a segment: punches, sightings, conflicts, quarantine, each by id.
    """
    foreign = set(session.scalars(select(Segment.id).where(Segment.project_id != project_id)))
    smaller = _Beside(
        heapq.merge(
            _leaves(session, _SIGHTINGS, record.sighting_leaf, {}),
            _leaves(session, _CONFLICTS, record.conflict_leaf, _stones(session, "punch_conflict")),
            _leaves(
                session, _QUARANTINE, record.quarantine_leaf, _stones(session, "punch_quarantine")
            ),
            key=itemgetter(0),
        ),
        foreign,
    )
    erased = _stones(session, "punch")
    for segment_id, rows in _punch_runs(session):
        if segment_id not in foreign:
            yield from smaller.until(segment_id)
            leaves = _with_stones(rows, erased) if erased else record.punch_leaves(rows)
            yield from zip(repeat(segment_id), leaves, strict=False)
    yield from smaller.rest()


class _Beside:
    """The leaves of the smaller tables, handed out where their segment comes by."""

    def __init__(self, leaves: Iterator[Leaf], foreign: set[int]) -> None:
        self._leaves = (leaf for leaf in leaves if leaf[0] not in foreign)
        self._next: Leaf | None = next(self._leaves, None)

    def until(self, segment_id: int) -> Iterator[Leaf]:
        """What belongs to segments before this one."""
        while self._next is not None and self._next[0] < segment_id:
            yield self._next
            self._next = next(self._leaves, None)

    def rest(self) -> Iterator[Leaf]:
        """All that is left."""
        while self._next is not None:
            yield self._next
            self._next = next(self._leaves, None)


def _punch_runs(session: Session) -> Iterator[tuple[int, Iterator[Any]]]:
    """Segment and its neighbouring rows; a long segment comes in several runs."""
    for block in _blocks(session, _PUNCHES):
        yield from groupby(block, key=itemgetter(-1))


def _with_stones(rows: Iterator[Any], erased: _Stones) -> Iterator[bytes]:
    """Leaves of punches, some of which lost their number after its term."""
    held = list(rows)
    for row, leaf in zip(held, record.punch_leaves(held), strict=True):
        yield tombstones.leaf_of(leaf, erased.get(row[0]))


def _leaves(
    session: Session, statement: str, leaf: Callable[..., bytes], erased: _Stones
) -> Iterator[Leaf]:
    for block in _blocks(session, statement):
        for segment_id, *values in block:
            yield segment_id, tombstones.leaf_of(leaf(*values), erased.get(values[0]))


def _blocks(session: Session, statement: str) -> Iterator[Sequence[Any]]:
    """Rows straight from the driver: a million of them pass here."""
    return rows_of.blocks(session.connection(), statement, (), _BLOCK)

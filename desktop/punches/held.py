"""What the ledger already holds of a batch: read before writing, because a duplicate is no error.

Two ways to look: a log comes in time order, so its batch is one range of the key's index; a batch
in disorder is asked for key by key. Memory is bounded by the batch, never by the ledger.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import Connection, select

from desktop.punches.tables import PunchConflict, PunchSighting
from desktop.storage import rows as rows_of
from desktop.storage.tables import Segment

Key = tuple[int, str, int, int]
"""t_local, number, method_raw, state_raw: with the terminal, the key of a punch without sequence."""

_K = TypeVar("_K", bound=Hashable)
_AT_ONCE = 5_000
"""Ids in one statement; the servers' limits are above it."""


class Held(NamedTuple):
    """A punch of the ledger. ``segment_id`` 0: it came earlier in this very batch. ``raw`` None:
    its source format is none of those asked for, so there is nothing to compare."""

    id: int
    segment_id: int
    source_format: int
    raw: bytes | None


_BY_KEY = "FROM punch WHERE terminal_id = ? AND seq IS NULL AND t_local {} ?"
_BY_SEQ = "FROM punch WHERE terminal_id = ? AND epoch = ? AND seq {} ?"


def _columns(formats: Collection[int]) -> str:
    """Those of :class:`Held`; raw bytes only where they will be compared: they are the bulk."""
    comparable = ", ".join(str(int(one)) for one in sorted(formats))
    return f"id, segment_id, source_format, CASE WHEN source_format IN ({comparable}) THEN raw END"


def by_key(
    lane: Connection, terminal_id: int, keys: Collection[Key], formats: Collection[int]
) -> dict[Key, Held]:
    """Held punches with one of ``keys``, of a source without sequence."""
    times = [key[0] for key in keys]
    span = (terminal_id, min(times), max(times))
    in_range = _BY_KEY.format("BETWEEN ? AND")
    found = _size(lane, in_range, span, len(keys))
    if found == 0:
        return {}
    if found is not None:
        columns = f"t_local, number, method_raw, state_raw, {_columns(formats)}"
        rows = _rows(lane, f"SELECT {columns} {in_range}", span)
        wanted = set(keys)
        return {
            key: Held(*row[4:]) for row in rows if (key := (row[0], row[1], row[2], row[3])) in wanted
        }
    if rows_of.on_server(lane):
        return _joined_by_key(lane, terminal_id, keys, formats)
    rest = "AND number = ? AND method_raw = ? AND state_raw = ?"
    one = f"SELECT {_columns(formats)} {_BY_KEY.format('=')} {rest}"
    return _probed(lane, one, keys, lambda key: (terminal_id, *key))


def by_seq(
    lane: Connection, terminal_id: int, epoch: int, seqs: Collection[int], formats: Collection[int]
) -> dict[int, Held]:
    """Held punches with one of the device's own sequence numbers, in this epoch."""
    span = (terminal_id, epoch, min(seqs), max(seqs))
    in_range = _BY_SEQ.format("BETWEEN ? AND")
    found = _size(lane, in_range, span, len(seqs))
    if found == 0:
        return {}
    if found is not None:
        wanted = set(seqs)
        rows = _rows(lane, f"SELECT seq, {_columns(formats)} {in_range}", span)
        return {row[0]: Held(*row[1:]) for row in rows if row[0] in wanted}
    if rows_of.on_server(lane):
        return _joined_by_seq(lane, terminal_id, epoch, seqs, formats)
    one = f"SELECT {_columns(formats)} {_BY_SEQ.format('=')}"
    return _probed(lane, one, seqs, lambda seq: (terminal_id, epoch, seq))


def _size(lane: Connection, where: str, span: tuple[int, ...], asked: int) -> int | None:
    """Rows of the range, None when there are so many that single look-ups are cheaper."""
    most = 3 * asked + 1000
    counted = f"SELECT count(*) FROM (SELECT 1 {where} LIMIT {most + 1}) AS few"
    count = lane.exec_driver_sql(rows_of.native(lane, counted), span).scalar_one()
    return None if count > most else int(count)


def _rows(lane: Connection, statement: str, values: tuple[Any, ...]) -> Iterator[Sequence[Any]]:
    """Rows straight from the driver."""
    for block in rows_of.blocks(lane, statement, values, _AT_ONCE):
        yield from block


# On a server every question is a journey: there all keys go along in one.


def _joined_by_key(
    lane: Connection, terminal_id: int, keys: Collection[Key], formats: Collection[int]
) -> dict[Key, Held]:
    asked = list(map(list, zip(*keys, strict=True)))
    rows = lane.exec_driver_sql(
        "SELECT t_local, number, method_raw, state_raw,"
        f" {_columns(formats)} FROM punch JOIN (SELECT * FROM unnest(%s::bigint[], %s::text[],"
        " %s::integer[], %s::integer[]) AS k (t_local, number, method_raw, state_raw)) AS asked"
        " USING (t_local, number, method_raw, state_raw)"
        " WHERE terminal_id = %s AND seq IS NULL",
        (*asked, terminal_id),
    )
    return {(row[0], row[1], row[2], row[3]): Held(*row[4:]) for row in rows}


def _joined_by_seq(
    lane: Connection, terminal_id: int, epoch: int, seqs: Collection[int], formats: Collection[int]
) -> dict[int, Held]:
    rows = lane.exec_driver_sql(
        f"SELECT seq, {_columns(formats)} FROM punch"
        " WHERE terminal_id = %s AND epoch = %s AND seq = ANY (%s::bigint[])",
        (terminal_id, epoch, list(seqs)),
    )
    return {row[0]: Held(*row[1:]) for row in rows}


def _probed(lane: Connection, statement: str, keys: Iterable[_K], values: Any) -> dict[_K, Held]:
    cursor = lane.connection.cursor()
    held: dict[_K, Held] = {}
    try:
        for key in keys:
            row = cursor.execute(statement, values(key)).fetchone()
            if row is not None:
                held[key] = Held(*row)
    finally:
        cursor.close()
    return held


def origins(lane: Connection, segment_ids: Iterable[int]) -> dict[int, str]:
    """How the punches of each segment were first seen."""
    return {
        ident: str(header.get("origin", ""))
        for ids in _portions(sorted(set(segment_ids)))
        for ident, header in lane.execute(
            select(Segment.id, Segment.header).where(Segment.id.in_(ids))
        )
    }


def sighted(lane: Connection, origin: str, punch_ids: Sequence[int]) -> set[int]:
    """Which of the punches were already seen again by ``origin``."""
    return {
        ident
        for ids in _portions(punch_ids)
        for (ident,) in lane.execute(
            select(PunchSighting.punch_id).where(
                PunchSighting.punch_id.in_(ids), PunchSighting.origin == origin
            )
        )
    }


def conflicting(lane: Connection, punch_ids: Sequence[int]) -> set[tuple[int, bytes]]:
    """Differing raw bytes already kept for these punches."""
    return {
        (ident, raw)
        for ids in _portions(punch_ids)
        for ident, raw in lane.execute(
            select(PunchConflict.punch_id, PunchConflict.raw).where(PunchConflict.punch_id.in_(ids))
        )
    }


def _portions(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(ids), _AT_ONCE):
        yield ids[start : start + _AT_ONCE]

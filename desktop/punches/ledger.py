"""The punch ledger: what devices said, kept once, never changed, never lost (invariant 1).

A batch is one transaction and at most one segment: new punches, further sightings of held ones,
conflicts, quarantined records, in this order. It does not know whose number a number is or what a
punch is worth. Everything that comes in is idempotent: a batch that was stored half, or twice,
is stored again without harm.

Counting: every record of the input counts once, as ``new``, ``duplicate`` or ``quarantined`` —
also the second time it comes. ``sighting`` and ``conflict`` say how many of the duplicates left a
row of their own.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain as joined
from itertools import repeat
from operator import itemgetter
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import Connection
from sqlalchemy.orm import Session

from desktop.access.actor import Act
from desktop.access.desk import Desk
from desktop.jobs import CancelToken, Progress, silent
from desktop.punches import held, leaves, plausible, record
from desktop.punches.held import Held
from desktop.punches.plausible import Doubtful
from desktop.punches.tables import Terminal
from desktop.storage import chain
from desktop.storage import rows as rows_of
from devices.terminals.model import Punch, Unusable

KIND = leaves.KIND
"""Kind of the segments written here."""

CHUNK = 50_000
"""Records of one transaction: bounds memory and the time others wait for the writer."""

_DAY_S = 86_400
_T = TypeVar("_T")


class Origin(enum.StrEnum):
    """The way a record came; how much it proves is derived from it."""

    PULL = "pull"
    LIVE = "live"
    PUSH = "push"
    USB = "usb"


class Part(NamedTuple):
    """Records in source order, at most :data:`CHUNK`. ``seqs`` beside the punches where the
    device numbers its records itself, else None."""

    punches: Sequence[Punch]
    unusable: Sequence[Unusable] = ()
    seqs: Sequence[int] | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """Where records came from. ``sha256`` of the whole raw download; ``received_at`` aware.

    ``written_at``: when records that waited outside of the book come into it; else at once.
    """

    origin: Origin
    received_at: datetime
    operator: str
    sha256: bytes | None = None
    written_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Counts:
    """What became of the records, see the module; ``new`` never holds quarantined ones."""

    new: int = 0
    duplicate: int = 0
    quarantined: int = 0
    conflict: int = 0
    sighting: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.new + other.new,
            self.duplicate + other.duplicate,
            self.quarantined + other.quarantined,
            self.conflict + other.conflict,
            self.sighting + other.sighting,
        )


@dataclass(slots=True)
class _Batch:
    """What one transaction will write."""

    fresh: Sequence[Punch] = ()
    seqs: Sequence[int | None] = ()
    sightings: list[int] = field(default_factory=list)
    conflicts: list[tuple[int, int, bytes]] = field(default_factory=list)
    quarantine: list[Doubtful] = field(default_factory=list)


def store(session: Session, terminal: Terminal, part: Part, source: Source) -> Counts:
    """Store one batch in the session's transaction. ``terminal`` is a row of that session.

    Nothing new writes nothing. The epoch is the terminal's present one.
    """
    lane = session.connection()
    now = plausible.believed_now(session, terminal.project_id, source.received_at)
    sifted = plausible.sift(lane, terminal.id, part.punches, part.unusable, now)
    batch = _Batch(quarantine=plausible.not_yet_kept(lane, terminal.id, sifted.doubtful))
    seqs = part.seqs
    if seqs is not None and sifted.kept is not None:
        seqs = [seqs[place] for place in sifted.kept]
    if sifted.punches:
        _sort_out(lane, terminal, sifted.punches, seqs, source.origin, batch)
    _write(session, terminal, source, batch)
    new = len(batch.fresh)
    return Counts(
        new=new,
        duplicate=len(sifted.punches) - new,
        quarantined=len(sifted.doubtful),
        conflict=len(batch.conflicts),
        sighting=len(batch.sightings),
    )


# ── what is new ─────────────────────────────────────────────────────────────────────────────────


def _sort_out(
    lane: Connection,
    terminal: Terminal,
    punches: Sequence[Punch],
    seqs: Sequence[int] | None,
    origin: Origin,
    batch: _Batch,
) -> None:
    """Compare with the ledger; fill ``batch`` with what is new, seen again or in conflict.

    A punch of the batch itself has no id yet; −1 stands for the first new one, −2 for the next.
    """
    known: dict[Any, Held]
    keys: Sequence[Any]
    formats = {punch.source_format for punch in punches}
    if seqs is None:
        keys = [(t_local, number, method, state) for number, t_local, method, state, *_ in punches]
        known = held.by_key(lane, terminal.id, keys, formats)
    else:
        keys = seqs
        known = held.by_seq(lane, terminal.id, terminal.epoch, keys, formats)
    if not known and len(set(keys)) == len(keys):
        batch.fresh, batch.seqs = punches, seqs or ()
        return
    fresh: list[Punch] = []
    fresh_seqs: list[int | None] = []
    again: dict[int, int] = {}
    differing: dict[tuple[int, bytes], int] = {}
    for place, (key, punch) in enumerate(zip(keys, punches, strict=True)):
        before = known.get(key)
        if before is None:
            known[key] = Held(-1 - len(fresh), 0, punch.source_format, punch.raw)
            fresh.append(punch)
            if seqs is not None:
                fresh_seqs.append(seqs[place])
            continue
        if before.segment_id:
            again[before.id] = before.segment_id
        if before.source_format == punch.source_format and before.raw != punch.raw:
            differing.setdefault((before.id, punch.raw), punch.source_format)
    batch.fresh, batch.seqs = fresh, fresh_seqs
    batch.sightings = _new_sightings(lane, origin, again)
    batch.conflicts = _new_conflicts(lane, differing)


def _new_sightings(lane: Connection, origin: Origin, again: dict[int, int]) -> list[int]:
    """Punches first seen, and until now only seen, by another way."""
    came_by = held.origins(lane, again.values())
    other = [ident for ident, segment in again.items() if came_by.get(segment) != origin]
    seen = held.sighted(lane, origin, other) if other else set()
    return [ident for ident in other if ident not in seen]


def _new_conflicts(
    lane: Connection, differing: dict[tuple[int, bytes], int]
) -> list[tuple[int, int, bytes]]:
    if not differing:
        return []
    kept = held.conflicting(lane, sorted({ident for ident, _ in differing if ident > 0}))
    return [
        (ident, form, raw) for (ident, raw), form in differing.items() if (ident, raw) not in kept
    ]


# ── writing ─────────────────────────────────────────────────────────────────────────────────────

_PUNCH = (
    "id", "seq", "number", "t_local", "day", "method_raw", "state_raw", "method_class", "accepted",
    "source_format", "raw",
)
"""What differs from punch to punch of a batch; the rest is said once."""
_SIGHTING = ("id", "segment_id", "punch_id", "origin")
_CONFLICT = ("id", "segment_id", "punch_id", "source_format", "raw")
_QUARANTINE = (
    "id", "segment_id", "terminal_id", "source_format", "reason", "number", "time_text",
    "received_at", "raw",
)


def _numbered(lane: Connection, table: str, items: Sequence[_T]) -> list[tuple[int, _T]]:
    """Ids are given here: the digests and the references of one batch need them beforehand."""
    return list(zip(rows_of.new_ids(lane, table, len(items)), items, strict=True))


def _write(session: Session, terminal: Terminal, source: Source, batch: _Batch) -> None:
    """The segment over all rows, then the rows that name it."""
    if not (batch.fresh or batch.sightings or batch.conflicts or batch.quarantine):
        return
    lane = session.connection()
    received = int(source.received_at.timestamp())
    ids = rows_of.new_ids(lane, "punch", len(batch.fresh))
    columns = _punch_columns(terminal, batch, ids, received)
    origin = source.origin.value
    against = [
        (ids[-1 - ident] if ident < 0 else ident, form, raw) for ident, form, raw in batch.conflicts
    ]
    sightings = _numbered(lane, "punch_sighting", batch.sightings)
    conflicts = _numbered(lane, "punch_conflict", against)
    doubtful = _numbered(lane, "punch_quarantine", batch.quarantine)
    segment = chain.append(
        session,
        terminal.project_id,
        KIND,
        joined(
            record.punch_leaves(zip(*columns.for_digest(), strict=False)),
            (record.sighting_leaf(at, ident, origin.encode()) for at, ident in sightings),
            (record.conflict_leaf(at, *one) for at, one in conflicts),
            (_quarantine_leaf(at, terminal.id, received, one) for at, one in doubtful),
        ),
        _header(terminal, source, batch),
        at=source.written_at or source.received_at,
        operator=source.operator,
    )
    columns.insert(lane, segment.id)
    add = rows_of.insert_many
    add(
        lane, "punch_sighting", _SIGHTING,
        [(at, segment.id, ident, origin) for at, ident in sightings],
    )
    add(lane, "punch_conflict", _CONFLICT, [(at, segment.id, *one) for at, one in conflicts])
    add(
        lane,
        "punch_quarantine",
        _QUARANTINE,
        [
            (
                at, segment.id, terminal.id, one.source_format, one.reason, one.number,
                one.time_text, received, one.raw,
            )
            for at, one in doubtful
        ],
    )


@dataclass(slots=True)
class _Columns:
    """New punches column by column: each value is touched once for the digest, once for the row."""

    ids: range
    terminal_id: int
    epoch: int
    received: int
    seqs: Sequence[int | None]
    numbers: Sequence[str] = ()
    times: Sequence[int] = ()
    days: Sequence[int] = ()
    rest: Sequence[Sequence[Any]] = ()
    """method_raw, state_raw, method_class, accepted, source_format."""
    raws: Sequence[bytes] = ()

    def for_digest(self) -> list[Iterable[Any]]:
        """In the order of :data:`record.PunchRow`."""
        return [
            self.ids, repeat(self.terminal_id), repeat(self.epoch), self._seqs(),
            map(str.encode, self.numbers), self.times, self.days, *self.rest,
            repeat(self.received), self.raws, repeat(None),
        ]

    def insert(self, lane: Connection, segment_id: int) -> None:
        rows = zip(
            self.ids, self._seqs(), self.numbers, self.times, self.days, *self.rest, self.raws,
            strict=False,
        )
        same = {
            "segment_id": segment_id, "terminal_id": self.terminal_id, "epoch": self.epoch,
            "received_at": self.received,
        }
        rows_of.insert_many(lane, "punch", _PUNCH, list(rows), same)

    def _seqs(self) -> Iterable[int | None]:
        return self.seqs or repeat(None)


def _punch_columns(
    terminal: Terminal, batch: _Batch, ids: range, received: int
) -> _Columns:
    columns = _Columns(ids, terminal.id, terminal.epoch, received, batch.seqs)
    if batch.fresh:
        # Three times as fast as zip(*rows) over 50,000 rows.
        columns.numbers, columns.times, *columns.rest, columns.raws = (
            list(map(itemgetter(place), batch.fresh)) for place in range(len(Punch._fields))
        )
        columns.days = [t_local // _DAY_S for t_local in columns.times]
    return columns


def _quarantine_leaf(ident: int, terminal_id: int, received: int, one: Doubtful) -> bytes:
    return record.quarantine_leaf(
        ident, terminal_id, one.source_format, received, one.reason.encode(),
        one.number.encode(), one.time_text.encode(), one.raw,
    )


def _header(terminal: Terminal, source: Source, batch: _Batch) -> dict[str, Any]:
    """Plain facts of a segment; ``first`` / ``last`` in terminal time, of the new punches."""
    times = [punch.t_local for punch in batch.fresh]
    return {
        "terminal": terminal.id,
        "epoch": terminal.epoch,
        "origin": source.origin.value,
        "first": plausible.time_text(min(times)) if times else "",
        "last": plausible.time_text(max(times)) if times else "",
        "punches": len(batch.fresh),
        "sightings": len(batch.sightings),
        "conflicts": len(batch.conflicts),
        "quarantined": len(batch.quarantine),
        "download": "" if source.sha256 is None else source.sha256.hex(),
    }


# ── whole collections ───────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Stored:
    """How far a collection is: ``records`` and ``counts`` of all parts so far, ``last`` part."""

    records: int
    counts: Counts
    last: bool


Begin = Callable[[Session, Terminal], None]
"""Called in the first transaction before its rows; raising leaves nothing stored."""

Saved = Callable[[Session, Terminal, Stored], None]
"""Called in the transaction of each part, after its rows: cursor, completeness, trace."""


def store_parts(
    desk: Desk,
    terminal_id: int,
    parts: Iterable[Part],
    source: Source,
    saved: Saved,
    *,
    begin: Begin | None = None,
    total: int = 0,
    progress: Progress = silent,
    cancel: CancelToken | None = None,
) -> Counts:
    """Store parts as they come, one transaction each; ``saved`` sees at least one, the last.

    Raises :class:`desktop.errors.Cancelled` between parts; what was stored till then stays.
    """
    desk.permit(Act.PUNCHES_COLLECTED)
    done = Stored(0, Counts(), last=False)
    for part, last in _with_last(parts):
        if cancel is not None:
            cancel.raise_if_set()
        with desk.book.write() as session:
            terminal = session.get_one(Terminal, terminal_id)
            if begin is not None:
                begin(session, terminal)
                begin = None
            counts = store(session, terminal, part, source)
            done = Stored(
                done.records + len(part.punches) + len(part.unusable), done.counts + counts, last
            )
            saved(session, terminal, done)
        progress(done.records, max(total, done.records), "保存打卡记录")
    return done.counts


def _with_last(parts: Iterable[Part]) -> Iterator[tuple[Part, bool]]:
    """Each part and whether it is the last; an empty one when there is none."""
    source = iter(parts)
    held_back = next(source, Part((), ()))
    for part in source:
        yield held_back, False
        held_back = part
    yield held_back, True


def verify_readers() -> dict[str, chain.LeafReader]:
    """Who recomputes the leaves of the segments written here."""
    return {KIND: leaves.punch_segments}

"""One chain per project: every ledger record is a leaf, every transaction a segment (design §5).

Leaves form the tree of :mod:`desktop.storage.merkle`. A segment's hash is
``SHA256(02 ‖ canonical header)`` and covers the hash before it. This module knows no ledger: those
who own records hand over a :data:`LeafReader`.

The holder of the data key can rewrite everything and recompute the chain, and a dropped *last*
segment leaves a shorter chain that is whole in itself. Both show only against a head kept
elsewhere (signed paper, notice board, backup manifest): pass it in ``checkpoints``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import groupby
from operator import itemgetter
from typing import Any

from sqlalchemy import Text, bindparam, insert, select, type_coerce
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from desktop.clock import CHINA
from desktop.jobs import CancelToken, Progress, silent
from desktop.storage import faults
from desktop.storage.encode import Layout, document
from desktop.storage.merkle import Tree, leaf, merkle_root, node
from desktop.storage.tables import Base, BookInfo, Segment
from desktop.storage.types import Big

LeafReader = Callable[[Session, int], Iterator[tuple[int, bytes]]]
"""``reader(session, project_id)`` yields ``(segment_id, leaf)`` of one kind, the rows of a segment
together and in record order. Rows whose segment does not exist must be yielded too: they are
forgeries, and only the reader sees them (:func:`own_or_orphan` is the condition to use)."""

GENESIS = bytes(32)
"""``previous_hash`` of a project's first segment."""

_KIND_NAMES = {
    "act": "操作记录", "punches": "打卡记录", "explanation": "核实说明", "month": "月度冻结",
    "page": "印出的页", "slip": "退场考勤确认单", "board": "告示牌",
    "purge": "清除审批", "tombstone": "清除记录", "salvaged": "抢救",
}

_HEADER = Layout("SEGM", 1, ints=4, texts=6)

__all__ = [
    "GENESIS", "Checkpoint", "Flaw", "LeafReader", "Verdict", "append", "head", "leaf",
    "merkle_root", "node", "own_or_orphan", "verify",
]


def own_or_orphan(column: Any, project_id: int) -> Any:
    """SQL condition for readers: rows of the project's segments, and rows of no segment at all."""
    own = select(Segment.id).where(Segment.project_id == project_id)
    return column.in_(own) | column.not_in(select(Segment.id))


# ── writing ─────────────────────────────────────────────────────────────────────────────────────


def head(session: Session, project_id: int) -> Segment | None:
    """The last segment of a project."""
    return session.scalars(
        select(Segment)
        .where(Segment.project_id == project_id)
        .order_by(Segment.sequence.desc())
        .limit(1)
    ).first()


def append(
    session: Session,
    project_id: int,
    kind: str,
    leaves: Iterable[bytes],
    header: dict[str, Any],
    *,
    at: datetime,
    operator: str,
    after: int = 0,
    ident: int | None = None,
) -> Segment:
    """Add the next segment and return it, written, so that its rows can name its ``id``.

    Every act passes here: written by Core, a third of the time the unit of work would take. What
    is pending in ``session`` is written first; the segment itself is no part of it.
    The session must come from ``Book.write``: its transaction holds the write lock from the
    start, so nobody else can take the same head. ``header`` is plain JSON without personal data.
    ``after`` is the highest segment known to have existed: where the chain ends earlier (a
    salvaged book), the gap stays open and every verification names it; ``ident`` is then a row
    number that no orphaned record speaks of.
    """
    tree = Tree()
    for _ in tree.extend(leaves):
        pass
    session.flush()
    link = session.connection()
    last = link.execute(_LAST, {"project_id": project_id}).first()
    segment = Segment(
        project_id=project_id,
        sequence=max(0 if last is None else last.sequence, after) + 1,
        kind=kind,
        count=tree.count,
        root=tree.root(),
        header=header,
        at=at.astimezone(UTC).replace(microsecond=0),
        operator=operator,
        previous_hash=GENESIS if last is None else last.hash,
    )
    segment.hash = _hash(_Link.of(segment), _book_id(session))
    values = {name: getattr(segment, name) for name in _WRITTEN}
    if ident is not None:
        values["id"] = ident
    written = link.execute(_INSERT, values).inserted_primary_key
    assert written is not None
    segment.id = written[0]
    return segment


_TABLE = Base.metadata.tables[Segment.__tablename__]
_LAST = (
    select(_TABLE.c.sequence, _TABLE.c.hash)
    .where(_TABLE.c.project_id == bindparam("project_id"))
    .order_by(_TABLE.c.sequence.desc()).limit(1)
)
_INSERT = insert(_TABLE)
_WRITTEN = tuple(column.key for column in _TABLE.c if column.key != "id")


@dataclass(frozen=True, slots=True)
class _Link:
    """A segment as stored, nothing parsed: a forged value must not stop the verification."""

    id: int
    project_id: int
    sequence: int
    kind: str
    count: int
    root: bytes
    header: str
    at_s: int
    operator: str
    previous_hash: bytes
    hash: bytes

    @classmethod
    def of(cls, segment: Segment) -> _Link:
        """The stored form of a segment that is about to be written."""
        return cls(
            0, segment.project_id, segment.sequence, segment.kind, segment.count, segment.root,
            document(segment.header).decode("utf-8"), int(segment.at.timestamp()),
            segment.operator, segment.previous_hash, b"",
        )

    def __str__(self) -> str:
        """How a flaw speaks of this segment."""
        kind = _KIND_NAMES.get(self.kind, self.kind)
        try:
            moment = datetime.fromtimestamp(self.at_s, CHINA).strftime("%Y-%m-%d %H:%M:%S")
        except (ValueError, OverflowError, OSError):
            moment = "时间无效，"
        return f"第{self.sequence}段（{kind}，{moment}写入，{self.count}条）"


def _hash(link: _Link, book_id: str) -> bytes:
    """``SHA256(02 ‖ …)`` over every column but ``id`` and ``hash``, and the book's identity."""
    canonical = _HEADER.pack(
        (link.project_id, link.sequence, link.count, link.at_s),
        (
            book_id.encode("utf-8"),
            link.kind.encode("utf-8"),
            link.root,
            link.operator.encode("utf-8"),
            link.previous_hash,
            link.header.encode("utf-8"),
        ),
    )
    return hashlib.sha256(b"\x02" + canonical).digest()


def _links(session: Session, project_id: int) -> list[_Link]:
    rows = session.execute(
        select(
            Segment.id, Segment.project_id, Segment.sequence, Segment.kind, Segment.count,
            Segment.root, type_coerce(Segment.header, Text), type_coerce(Segment.at, Big),
            Segment.operator, Segment.previous_hash, Segment.hash,
        )
        .where(Segment.project_id == project_id)
        .order_by(Segment.sequence)
    )
    return [_Link(*row) for row in rows]


def _book_id(session: Session) -> str:
    known: str | None = session.info.get("book_id")
    if known is None:
        known = session.scalars(select(BookInfo.value).where(BookInfo.name == "book_id")).one()
        session.info["book_id"] = known
    return known


# ── verifying ───────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Flaw:
    """One thing that does not hold: stable ``code``, Chinese ``text``, the segment's sequence."""

    code: str
    text: str
    sequence: int | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What :func:`verify` found; ``counts`` are the records that were read, by kind."""

    ok: bool
    first_bad: str | None
    head: bytes | None
    segments: int
    counts: Mapping[str, int] = field(default_factory=dict)
    flaws: tuple[Flaw, ...] = ()
    sequence: int = 0
    """Number of the last segment."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A head that was kept outside the book, for example on signed paper."""

    sequence: int
    hash: bytes


def verify(
    session: Session,
    project_id: int,
    readers: Mapping[str, LeafReader],
    progress: Progress = silent,
    cancel: CancelToken | None = None,
    *,
    checkpoints: Sequence[Checkpoint] = (),
) -> Verdict:
    """Recompute a project's whole chain from its records; nothing stored is believed.

    Flaws come in the order: headers and links by sequence, then records by segment, then the
    checkpoints. Raises :class:`Cancelled`; a damaged page surfaces as the environment's fault.
    """
    try:
        segments = _links(session, project_id)
    except DBAPIError as error:
        if not faults.is_unreadable(error):
            raise
        text = "账本的段首里有读不出来的文字：被其他程序改动过。"
        return Verdict(False, text, None, 0, {}, (Flaw("header_changed", text),))
    flaws = list(_link_flaws(segments, _book_id(session), readers))
    records = _Records(segments, progress, cancel)
    for kind in sorted(readers):
        records.read(kind, readers[kind](session, project_id))
    flaws += records.missing(readers)
    for kept in checkpoints:
        flaws += _checkpoint_flaws(segments, kept)
    flaws.sort(key=lambda flaw: flaw.sequence if flaw.sequence is not None else 1 << 62)
    return Verdict(
        ok=not flaws,
        first_bad=flaws[0].text if flaws else None,
        head=segments[-1].hash if segments else None,
        segments=len(segments),
        counts=records.counts,
        flaws=tuple(flaws),
        sequence=segments[-1].sequence if segments else 0,
    )


def _link_flaws(
    segments: list[_Link], book_id: str, readers: Mapping[str, LeafReader]
) -> Iterator[Flaw]:
    """Sequence without gaps, each header giving its hash, each link naming the one before."""
    expected, previous = 1, GENESIS
    for segment in segments:
        number = segment.sequence
        if number != expected:
            yield Flaw("segment_missing", _gap(expected, number - 1), expected)
        elif segment.previous_hash != previous:
            text = f"{segment}与前一段衔接不上：前一段被改动或替换过。"
            yield Flaw("link_broken", text, number)
        if segment.hash != _hash(segment, book_id):
            yield Flaw("header_changed", f"{segment}的段首信息被改动过。", number)
        elif segment.count and segment.kind not in readers:
            text = f"{segment}属于本程序不认识的种类「{segment.kind}」，无法核对。"
            yield Flaw("unknown_kind", text, number)
        expected, previous = number + 1, segment.hash


def _gap(first: int, last: int) -> str:
    which = f"第{first}段" if first >= last else f"第{first}至{last}段"
    return f"账本缺少{which}：被整段删除。"


class _Records:
    """Reads the records of every kind once, segment by segment, and compares with the headers."""

    def __init__(
        self, segments: list[_Link], progress: Progress, cancel: CancelToken | None
    ) -> None:
        self._by_id = {segment.id: segment for segment in segments}
        self._read: set[int] = set()
        self._progress = progress
        self._cancel = cancel
        self._total = sum(segment.count for segment in segments)
        self._done = 0
        self.counts: dict[str, int] = {}
        self._flaws: list[Flaw] = []

    def read(self, kind: str, rows: Iterator[tuple[int, bytes]]) -> None:
        """Take all rows of one kind."""
        self.counts[kind] = 0
        try:
            self._read_groups(kind, rows)
        except DBAPIError as error:
            if not faults.is_unreadable(error):
                raise
            text = f"{_KIND_NAMES.get(kind, kind)}里有读不出来的文字：被其他程序改动过。"
            self._flaws.append(Flaw("record_changed", text))

    def _read_groups(self, kind: str, rows: Iterator[tuple[int, bytes]]) -> None:
        for segment_id, group in groupby(rows, key=itemgetter(0)):
            tree = Tree()
            for size in tree.extend(map(itemgetter(1), group)):
                self._done += size
                if self._cancel is not None:
                    self._cancel.raise_if_set()
                self._progress(self._done, max(self._total, self._done), "核对账本")
            self.counts[kind] += tree.count
            self._compare(kind, segment_id, tree)

    def _compare(self, kind: str, segment_id: int, tree: Tree) -> None:
        segment = self._by_id.get(segment_id)
        if segment is None:
            text = f"有{tree.count}条记录（{_KIND_NAMES.get(kind, kind)}）不属于账本的任何一段：是后来添加的，或其所属的段被删除。"
            self._flaws.append(Flaw("record_without_segment", text))
        elif segment.kind != kind:
            text = f"{segment}里混入了{tree.count}条其他种类的记录。"
            self._flaws.append(Flaw("record_added", text, segment.sequence))
        elif segment_id in self._read:
            text = f"{segment}在别处又出现{tree.count}条记录：是后来添加或移动过的。"
            self._flaws.append(Flaw("record_added", text, segment.sequence))
        else:
            self._read.add(segment_id)
            self._flaws += _content_flaws(segment, tree)

    def missing(self, readers: Mapping[str, LeafReader]) -> list[Flaw]:
        """All flaws, completed by the segments that have no record left."""
        for segment in self._by_id.values():
            if segment.id not in self._read and segment.kind in readers:
                self._flaws += _content_flaws(segment, Tree())
        return self._flaws


def _content_flaws(segment: _Link, tree: Tree) -> Iterator[Flaw]:
    if tree.count < segment.count:
        text = f"{segment}少了{segment.count - tree.count}条记录：被删除。"
        yield Flaw("record_removed", text, segment.sequence)
    elif tree.count > segment.count:
        text = f"{segment}多出{tree.count - segment.count}条记录：是后来添加的。"
        yield Flaw("record_added", text, segment.sequence)
    elif tree.root() != segment.root:
        text = f"{segment}中有记录的内容或次序被改动过。"
        yield Flaw("record_changed", text, segment.sequence)


def _checkpoint_flaws(segments: list[_Link], checkpoint: Checkpoint) -> Iterator[Flaw]:
    held = {segment.sequence: segment.hash for segment in segments}
    known = held.get(checkpoint.sequence)
    if known is None:
        last = max(held, default=0)
        yield Flaw("segment_missing", _gap(last + 1, checkpoint.sequence), last + 1)
    elif known != checkpoint.hash:
        text = f"第{checkpoint.sequence}段与账本之外留存的校验值不符：整条账本被重写过。"
        yield Flaw("chain_rewritten", text, checkpoint.sequence)

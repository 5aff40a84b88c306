"""Fills a salvaged book from its own raw downloads: what the ledger lost and a kept file still has.

Nothing is stored twice: a punch that was saved from the damaged file is a duplicate here. What is
new goes into segments of its own, written today and received when the download was; the segments
that lost it stay incomplete and every verification goes on saying so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from desktop.errors import EnvironmentFault
from desktop.jobs import CancelToken, Progress, silent
from desktop.punches import originals, pull_original
from desktop.punches.leaves import KIND
from desktop.punches.ledger import CHUNK, Counts, Origin, Part, Source, store
from desktop.punches.pull_original import PullOriginal
from desktop.punches.tables import Download, PunchQuarantine, Terminal
from desktop.storage.tables import Segment
from devices.errors import FileRefused
from devices.files.attlog import AttlogContent

if TYPE_CHECKING:
    from desktop.storage.book import Book


@dataclass(slots=True)
class Reimported:
    """What the raw downloads gave. ``new`` and ``quarantined`` records were not in the book;
    ``unreadable`` and ``unassigned`` are names of files that could not be used: damaged, or of a
    terminal that nobody can tell any more."""

    files: int = 0
    records: int = 0
    new: int = 0
    quarantined: int = 0
    unreadable: list[str] = field(default_factory=list)
    unassigned: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Part of the result of ``backup salvage``."""
        return {
            "files": self.files, "records": self.records, "new": self.new,
            "quarantined": self.quarantined, "unreadable": list(self.unreadable),
            "unassigned": list(self.unassigned),
        }


@dataclass(frozen=True, slots=True)
class _Known:
    """What the book says of a download: whose it was, when it came."""

    terminal_id: int
    at: datetime


def reimport(
    book: Book,
    operator: str,
    progress: Progress = silent,
    cancel: CancelToken | None = None,
) -> Reimported:
    """Store from every kept file what the book does not hold; one transaction per part.

    Raises ``Cancelled`` between parts, and the environment's faults.
    """
    report, before = Reimported(), _quarantined(book)
    folder = book.path / originals.FOLDER
    names = sorted(path.name for path in folder.glob("*") if len(path.name) == 64)
    known = _downloads(book)
    for done, name in enumerate(names):
        progress(done, len(names), "从原始文件补回打卡记录")
        report.files += 1
        try:
            digest = bytes.fromhex(name)
            found = pull_original.parse(originals.read(book, digest))
        except (EnvironmentFault, ValueError):
            report.unreadable.append(name)
            continue
        owners = dict(known.get(digest, {}))
        if isinstance(found, PullOriginal):
            owners[found.terminal_id] = _Known(found.terminal_id, found.at)
        if not owners:
            report.unassigned.append(name)
        for owner in owners.values():
            _fill(book, operator, digest, found, owner, report, cancel)
    report.quarantined = _quarantined(book) - before
    return report


def _quarantined(book: Book) -> int:
    with book.read() as session:
        return session.scalar(select(func.count()).select_from(PunchQuarantine)) or 0


def _downloads(book: Book) -> dict[bytes, dict[int, _Known]]:
    """Digest of a download → the terminals it is known of, by the log and by the segments."""
    known: dict[bytes, dict[int, _Known]] = {}
    with book.read() as session:
        for header, at in session.execute(
            select(Segment.header, Segment.at).where(Segment.kind == KIND)
        ):
            digest, terminal = _named(header)
            if digest:
                known.setdefault(digest, {})[terminal] = _Known(terminal, at)
        for sha256, terminal, at in session.execute(
            select(Download.sha256, Download.terminal_id, Download.at)
            .where(Download.sha256.is_not(None))
            .order_by(Download.id.desc())
        ):
            if sha256 is not None:
                known.setdefault(sha256, {})[terminal] = _Known(terminal, at)
    return known


def _named(header: Any) -> tuple[bytes, int]:
    if not isinstance(header, Mapping):
        return b"", 0
    try:
        return bytes.fromhex(header.get("download") or ""), int(header["terminal"])
    except (ValueError, KeyError, TypeError):
        return b"", 0


def _fill(
    book: Book,
    operator: str,
    digest: bytes,
    found: PullOriginal | bytes,
    owner: _Known,
    report: Reimported,
    cancel: CancelToken | None,
) -> None:
    origin = Origin.PULL if isinstance(found, PullOriginal) else Origin.USB
    source = Source(
        origin, owner.at, operator, digest, written_at=book.clock.now()
    )
    try:
        for part in _parts(found):
            if cancel is not None:
                cancel.raise_if_set()
            with book.write() as session:
                terminal = session.get(Terminal, owner.terminal_id)
                if terminal is None:
                    report.unassigned.append(digest.hex())
                    return
                counts: Counts = store(session, terminal, part, source)
            report.records += len(part.punches) + len(part.unusable)
            report.new += counts.new
    except FileRefused:
        report.unreadable.append(digest.hex())


def _parts(found: PullOriginal | bytes) -> Iterator[Part]:
    if isinstance(found, PullOriginal):
        yield from found.parts()
        return
    for part in AttlogContent(found).parts(CHUNK):
        yield Part(part.punches, part.unusable)

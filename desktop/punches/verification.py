"""The verdict over the whole ledger: page seals of the file first, then the chain (design §5).

It proves that what is held is what was written. It cannot prove that the holder of the data key
did not rewrite everything: for that a head kept elsewhere is compared by hand.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from desktop.errors import EnvironmentFault
from desktop.jobs import CancelToken, Progress, silent
from desktop.punches.tables import Punch, PunchQuarantine, Terminal
from desktop.site.tables import Project
from desktop.storage import chain, faults, integrity, tombstones
from desktop.storage.book import Book
from desktop.storage.tables import Segment


@dataclass(frozen=True, slots=True)
class LedgerVerdict:
    """``punches`` without the ``quarantined``; ``first_bad`` names the segment, record or page.

    ``head`` is the hash of the last segment, hexadecimal, None for an empty chain. ``flaws`` are
    all sentences, ``damaged_pages`` page numbers of the database file.
    """

    punches: int
    quarantined: int
    ok: bool
    first_bad: str | None
    head: str | None
    segments: int = 0
    flaws: tuple[str, ...] = ()
    damaged_pages: tuple[int, ...] = ()
    sequence: int = 0
    """Number of the last segment; with ``head`` the checkpoint to be kept elsewhere."""
    erased: int = 0
    """Records that stand by their commitment alone: their personal text has outlived its term."""

    def as_json(self) -> dict[str, Any]:
        """The result of ``ledger verify``."""
        return {
            "punches": self.punches,
            "quarantined": self.quarantined,
            "ok": self.ok,
            "first_bad": self.first_bad,
            "head": self.head,
            "segments": self.segments,
            "flaws": list(self.flaws),
            "damaged_pages": list(self.damaged_pages),
            "erased": self.erased,
            "checkpoint": None if self.head is None else f"{self.sequence}:{self.head}",
        }


def damaged_verdict(sentence: str, pages: tuple[int, ...] = ()) -> LedgerVerdict:
    """The verdict over a file that cannot be read as it was written."""
    return LedgerVerdict(0, 0, False, sentence, None, flaws=(sentence,), damaged_pages=pages)


def verify_ledger(
    book: Book,
    project_id: int,
    readers: Mapping[str, chain.LeafReader],
    progress: Progress = silent,
    cancel: CancelToken | None = None,
    *,
    beside: Sequence[Callable[[Session], list[str]]] = (),
    checkpoints: Sequence[chain.Checkpoint] = (),
) -> LedgerVerdict:
    """Recompute everything; ``readers`` are those of all stations. Raises ``Cancelled`` only.

    ``beside`` give sentences on what is no ledger but must agree with one; ``checkpoints`` are
    heads that were kept outside the book.
    """
    pages = tuple(integrity.check_pages(book))
    if pages:
        return damaged_verdict(faults.damage_sentence(pages), pages)
    try:
        with book.read() as session:
            verdict = chain.verify(
                session, project_id, readers, progress, cancel, checkpoints=checkpoints
            )
            also = [_HOMELESS] if _without_terminal(session) else []
            also += [_NOBODYS] if _without_project(session) else []
            also += [text for check in beside for text in _sentences(session, check)]
            return LedgerVerdict(
                punches=_count(session, project_id, Punch),
                quarantined=_count(session, project_id, PunchQuarantine),
                ok=verdict.ok and not also,
                first_bad=verdict.first_bad or next(iter(also), None),
                head=None if verdict.head is None else verdict.head.hex(),
                segments=verdict.segments,
                flaws=(*(flaw.text for flaw in verdict.flaws), *also),
                sequence=verdict.sequence,
                erased=tombstones.commitments(session, project_id),
            )
    except EnvironmentFault as fault:
        # A damaged page of the WAL shows only when it is read.
        if fault.code != "book_damaged":
            raise
        return damaged_verdict(fault.message, tuple(fault.facts.get("pages", ())))


def _sentences(session: Session, check: Callable[[Session], list[str]]) -> list[str]:
    try:
        return check(session)
    except ValueError:  # a document that is none
        return [_UNREADABLE]
    except DBAPIError as error:
        if not faults.is_unreadable(error):
            raise
        return [_UNREADABLE]


_UNREADABLE = "账本里有读不出来的内容，与操作记录无法核对：被其他程序改动过。"
_HOMELESS = "有打卡记录所属的考勤机被删除。请从备份恢复，或请专业人员查明。"


_NOBODYS = "账本里有一段不属于任何项目：被其他程序改动过。请从备份恢复，或请专业人员查明。"


def _without_project(session: Session) -> bool:
    """Is there a segment of no project? So the last one could be taken off with its rows left."""
    known = select(Project.id)
    stray = select(Segment.id).where(Segment.project_id.not_in(known)).limit(1)
    return session.scalar(stray) is not None


def _without_terminal(session: Session) -> bool:
    """Is there a punch of a terminal that no longer exists? Only a foreign hand removes one."""
    known = select(Terminal.id)
    return session.scalar(select(Punch.id).where(Punch.terminal_id.not_in(known)).limit(1)) is not None


def _count(session: Session, project_id: int, table: type[Punch] | type[PunchQuarantine]) -> int:
    here = select(Terminal.id).where(Terminal.project_id == project_id)
    counted = select(func.count()).select_from(table).where(table.terminal_id.in_(here))
    return session.scalar(counted) or 0

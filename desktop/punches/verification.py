"""The verdict over the whole ledger: page seals of the file first, then the chain (design §5).

It proves that what is held is what was written. It cannot prove that the holder of the data key
did not rewrite everything: for that a head kept elsewhere is compared by hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from desktop.errors import EnvironmentFault
from desktop.jobs import CancelToken, Progress, silent
from desktop.punches.tables import Punch, PunchQuarantine, Terminal
from desktop.storage import chain, faults, integrity
from desktop.storage.book import Book


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
) -> LedgerVerdict:
    """Recompute everything; ``readers`` are those of all stations. Raises ``Cancelled`` only."""
    pages = tuple(integrity.check_pages(book))
    if pages:
        return damaged_verdict(faults.damage_sentence(pages), pages)
    try:
        with book.read() as session:
            verdict = chain.verify(session, project_id, readers, progress, cancel)
            homeless = _without_terminal(session)
            return LedgerVerdict(
                punches=_count(session, project_id, Punch),
                quarantined=_count(session, project_id, PunchQuarantine),
                ok=verdict.ok and not homeless,
                first_bad=verdict.first_bad or (_HOMELESS if homeless else None),
                head=None if verdict.head is None else verdict.head.hex(),
                segments=verdict.segments,
                flaws=tuple(flaw.text for flaw in verdict.flaws),
            )
    except EnvironmentFault as fault:
        # A damaged page of the WAL shows only when it is read.
        if fault.code != "book_damaged":
            raise
        return damaged_verdict(fault.message, tuple(fault.facts.get("pages", ())))


_HOMELESS = "有打卡记录所属的考勤机被删除。请从备份恢复，或请专业人员查明。"


def _without_terminal(session: Session) -> bool:
    """Is there a punch of a terminal that no longer exists? Only a foreign hand removes one."""
    known = select(Terminal.id)
    return session.scalar(select(Punch.id).where(Punch.terminal_id.not_in(known)).limit(1)) is not None


def _count(session: Session, project_id: int, table: type[Punch] | type[PunchQuarantine]) -> int:
    here = select(Terminal.id).where(Terminal.project_id == project_id)
    counted = select(func.count()).select_from(table).where(table.terminal_id.in_(here))
    return session.scalar(counted) or 0

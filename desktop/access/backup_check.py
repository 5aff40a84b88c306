"""Proving a backup: through its own slots, all of it, and against the living book.

The ledger of a backup is recomputed like that of the living book; who can do that for which kind
of segment is handed in by the caller (:data:`LeafReaders`).
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from desktop.access.actor import Act
from desktop.access.backup_desk import last_registered, registered
from desktop.access.desk import Desk
from desktop.access.tables import AuditAct
from desktop.clock import CHINA, Clock
from desktop.errors import Refused
from desktop.jobs import CancelToken, Progress, silent
from desktop.paths import disk_fault
from desktop.storage import bundle_open, chain, restore
from desktop.storage.bundle import BackupInfo, Head, digest_of, info_of
from desktop.storage.bundle_open import LeafReaders, Opened, Secret, open_bundle
from desktop.storage.card import BACKUPS
from desktop.storage.chain import Checkpoint
from desktop.storage.opened import Book
from desktop.storage.restore import Relation

if TYPE_CHECKING:
    from desktop.storage.company_keys import CompanyPrivate


@dataclass(frozen=True, slots=True)
class LedgerPart:
    """What recomputing all chains of a book came to."""

    ok: bool
    segments: int
    records: int
    head: str | None
    first_bad: str | None

    def as_json(self) -> dict[str, Any]:
        return {
            "ok": self.ok, "segments": self.segments, "records": self.records, "head": self.head,
            "first_bad": self.first_bad,
        }


def ledger_of(
    book: Book,
    heads: Sequence[Head],
    readers: LeafReaders,
    progress: Progress,
    cancel: CancelToken | None,
) -> LedgerPart:
    """All chains, each held against the head that the manifest kept."""
    segments, records, head, first_bad = 0, 0, None, None
    with book.read() as session:
        for kept in heads:
            verdict = chain.verify(
                session, kept.project, readers(book), progress, cancel,
                checkpoints=(Checkpoint(kept.sequence, kept.hash),),
            )
            segments += verdict.segments
            records += sum(verdict.counts.values())
            head = None if verdict.head is None else verdict.head.hex()
            first_bad = first_bad or verdict.first_bad
    return LedgerPart(first_bad is None, segments, records, head, first_bad)


@dataclass(frozen=True, slots=True)
class BackupVerdict:
    """``ok``: the bundle is exactly what was backed up under its name, kept files included.
    ``ledger`` is None when it was too damaged to read. ``flaws`` and ``notes`` are Chinese sentences."""

    name: str
    ok: bool
    flaws: tuple[str, ...]
    missing: tuple[str, ...]
    ledger: LedgerPart | None
    relation: Relation
    notes: tuple[str, ...]
    digest: str

    def as_json(self) -> dict[str, Any]:
        """The result of ``backup verify``."""
        return {
            "name": self.name, "ok": self.ok, "flaws": list(self.flaws),
            "missing": list(self.missing), "ledger": self.ledger,
            "relation": self.relation.kind, "behind": self.relation.behind,
            "notes": list(self.notes), "digest": self.digest,
        }


def verify_backup(
    bundle: Path,
    *,
    readers: LeafReaders,
    clock: Clock,
    passphrase: str | None = None,
    recovery_code: str | None = None,
    company: CompanyPrivate | None = None,
    desk: Desk | None = None,
    progress: Progress = silent,
    cancel: CancelToken | None = None,
) -> BackupVerdict:
    """Open a bundle through its own slots and prove all of it; with a ``desk`` also hold it
    against the living book, and write that down.

    Raises :class:`Refused` for a wrong secret or no bundle, :class:`EnvironmentFault`
    ``bundle_damaged`` where it cannot even be opened.
    """
    if desk is not None:
        desk.permit(Act.BACKUP_VERIFIED)
    living = None if desk is None else desk.book.path
    opened = open_bundle(
        bundle, Secret(passphrase, recovery_code, company), living=living
    )
    flaws = bundle_open.flaws_of(opened, progress, cancel)
    missing = bundle_open.missing_files(opened, progress, cancel)
    ledger = None
    if not flaws:
        try:
            with bundle_open.reading(opened, clock, progress, cancel) as book:
                ledger = ledger_of(book, opened.manifest.contents.heads, readers, progress, cancel)
        except OSError as error:
            raise disk_fault(error, Path(tempfile.gettempdir())) from error
        if not ledger.ok:
            flaws.append(f"账本核对不通过：{ledger.first_bad}")
    held = NOT_COMPARED
    if desk is not None:
        with desk.book.read() as session:
            held = held_against(session, opened)
    flaws += held.exchanged
    verdict = BackupVerdict(
        bundle.name, not flaws and not missing, tuple(flaws), tuple(one.path for one in missing),
        ledger, held.relation, held.notes, digest_of(bundle),
    )
    if desk is not None:
        with desk.book.write() as session:
            desk.audit(
                session, Act.BACKUP_VERIFIED, f"backup:{bundle.name}", digest=verdict.digest,
                ok=verdict.ok, relation=held.relation.kind,
            )
    return verdict


@dataclass(frozen=True, slots=True)
class Comparison:
    """A bundle beside the living book; ``doubts`` are those notes that ask for a second thought,
    ``exchanged`` those that prove it is not what its name and its chain say."""

    relation: Relation
    notes: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    exchanged: tuple[str, ...] = ()


NOT_COMPARED = Comparison(restore.UNKNOWN)


def held_against(session: Session, opened: Opened) -> Comparison:
    """The relation to the living book, what it registered, and sentences about both."""
    manifest, name = opened.manifest, opened.bundle.name
    relation = restore.relation(session, manifest.contents.heads)
    notes: list[str] = []
    older: list[str] = []
    exchanged: list[str] = []
    branch = _left_branch(session, manifest.contents.heads)
    if relation.kind in ("other_chain", "newer") and branch:
        older.append(branch)
    elif relation.kind == "other_chain":
        exchanged.append("这份备份的内容不在现有账本的历史里：账本或备份有一个被改写过。")
    elif relation.kind == "newer":
        notes.append("这份备份比现有账本新：现有账本可能是用更旧的备份恢复的，或被换过。")
    if relation.purges:
        notes.append(
            f"备份之后做过{relation.purges}项到期清除，备份里还有这些内容；恢复后请重新执行清除。"
        )
    said = registered(session, name)
    if said is not None and _facts(said).get("digest") != digest_of(opened.bundle):
        exchanged.append(f"账本里登记的「{name}」是另一份内容：这份备份被换过。")
    last = last_registered(session)
    if last is not None and _older_than(manifest.contents.heads, last):
        when = last.at.astimezone(CHINA)
        older.append(
            f"这份备份比账本登记的最后一次备份旧（最后一次是{when:%Y-%m-%d %H:%M}做的"
            f"「{last.subject.removeprefix('backup:')}」）。"
        )
    doubts = (*exchanged, *older)
    return Comparison(relation, (*doubts, *notes), doubts, tuple(exchanged))


def _left_branch(session: Session, heads: Sequence[Head]) -> str:
    """A sentence for a backup of the book as it went on before a restore took it back."""
    acts = session.scalars(
        select(AuditAct).where(AuditAct.act == Act.BOOK_RESTORED.value).order_by(AuditAct.id.desc())
    )
    for act in acts:
        if any(head.sequence > _facts(act).get("sequence", 0) for head in heads):
            when = act.at.astimezone(CHINA)
            return f"这份备份是账本于{when:%Y-%m-%d %H:%M}用备份恢复之前做的，不在现有账本的历史里。"
    return ""


def _facts(act: Any) -> dict[str, Any]:
    return act.facts if isinstance(act.facts, dict) else {}


def _older_than(heads: Sequence[Head], act: Any) -> bool:
    """Whether a bundle with ``heads`` reaches less far than the one the act speaks of."""
    said = {one["project"]: one["sequence"] for one in _facts(act).get("heads", ())}
    return any(head.sequence < said.get(head.project, 0) for head in heads)


def named_backup(folder: Path, name: str) -> BackupInfo:
    """A backup by its name on the shelf of ``folder``, or by the path of its folder."""
    for place in (folder / BACKUPS / name, Path(name).expanduser()):
        if place.is_dir():
            return info_of(place)
    raise Refused(
        "no_bundle",
        f"没有名为「{name}」的备份，未做任何改动。请用 backup list 查看，或给出备份文件夹的路径。",
    )

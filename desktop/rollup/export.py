"""``rollup export``: one file for head office, signed by the book and sealed to the company's key.

By default without identity numbers, telephones, addresses, bank cards and birth days; with them
only for a written reason. The chain travels whole. The file appears complete or not at all, and
its audit row is in the chain exactly when the file is there (decision 0013).
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from desktop.access.actor import Act, View
from desktop.access.desk import Desk
from desktop.delivery import destination, hand_over, sha256_of, working_folder
from desktop.errors import Refused
from desktop.jobs import CancelToken, Progress, silent
from desktop.months.tables import MonthVersion
from desktop.people.tables import Stay
from desktop.punches.tables import Punch, PunchQuarantine, Terminal
from desktop.punches.verification import verify_ledger
from desktop.rollup.imported import ImportedBook
from desktop.rollup.manifest import KIND, SUFFIX, Head, Manifest, ProjectHead
from desktop.rollup.snapshot import write_copy
from desktop.site.tables import Project
from desktop.storage import chain
from desktop.storage.book import Book
from desktop.storage.chain import LeafReader
from desktop.storage.envelope import CompanyPublic, SigningKey, seal_stream
from desktop.storage.integrity import DATABASE_KEY
from desktop.storage.keys import DataKey
from desktop.storage.migrations import VERSIONS
from desktop.storage.sealed import Sealer

Readers = Callable[[Book], Mapping[str, LeafReader]]
"""``bootstrap.leaf_readers``: who can recompute the leaves of a book."""

_SIGNING = "rollup signing"
_DATABASE = "book.db"


@dataclass(frozen=True, slots=True)
class ExportedRollup:
    """The file that was written. ``fingerprint`` is the site's, ``company`` that of the key."""

    path: Path
    manifest: Manifest
    sha256: str
    company: str

    def as_json(self) -> dict[str, Any]:
        """The result of ``rollup export``."""
        return {
            "path": self.path, "sha256": self.sha256, "book_id": self.manifest.book_id,
            "exported_at": self.manifest.exported_at, "with_personal": self.manifest.with_personal,
            "projects": [
                {"code": one.code, "name": one.name, "sequence": one.sequence, "head": one.hash,
                 "counts": one.counts}
                for one in self.manifest.projects
            ],
            "fingerprint": self.manifest.fingerprint, "company_fingerprint": self.company,
        }


def signing_key(book: Book) -> SigningKey:
    """The book's signing key: a sub-key of its data key, so it lies nowhere and is never lost.

    Moving, backing up and restoring keep it; a rekey after a leak changes it, as it must.
    """
    return SigningKey(book.subkey(_SIGNING))


def export_rollup(
    desk: Desk,
    path: Path,
    company: CompanyPublic,
    readers: Readers,
    *,
    with_personal: bool = False,
    why: str = "",
    progress: Progress = silent,
    cancel: CancelToken | None = None,
) -> ExportedRollup:
    """Write the roll-up of the desk's book to ``path`` and return what it holds.

    Raises :class:`Refused` for a missing reason, a place inside the book, a file that is there
    already or a ledger that does not hold; :class:`EnvironmentFault` for the disk.
    """
    desk.permit(Act.ROLLUP_EXPORTED)
    if with_personal:
        desk.permit(Act.PERSONAL_DATA_SHOWN)
        if not why.strip():
            raise Refused(
                "reason_missing", "汇总要带证件号码和电话，须写明事由，没有导出。请填写事由，或不带这些资料导出。"
            )
    target = destination(path, desk.book.path)
    if target.exists():
        raise Refused(
            "file_exists", f"「{target.name}」已经存在，没有导出，原文件未动。请换一个文件名。"
        )
    with working_folder(target.parent) as work:
        database, draft = work / _DATABASE, work / target.name
        raw = os.urandom(32)
        key = DataKey(desk.book.book_id, raw)
        manifest = _copied(desk, database, key, with_personal, progress, cancel)
        _verify(ImportedBook(database, manifest, key, desk.clock), readers, progress, cancel)
        head = Head.new(manifest, signing_key(desk.book), raw)
        _seal(desk.book, head, database, draft, company, progress, cancel)
        database.unlink()
        digest = sha256_of(draft)
        with desk.book.write() as session:
            desk.audit(
                session, Act.ROLLUP_EXPORTED, f"book:{desk.book.book_id}", why=why.strip(),
                company=company.id, with_personal=with_personal, sha256=digest,
                heads=[[one.project_id, one.sequence, one.hash] for one in manifest.projects],
            )
            hand_over(work, target.parent, [target.name])
    return ExportedRollup(target, manifest, digest, company.fingerprint)


def suggested_name(book: Book, code: str) -> str:
    """A file name without blanks for the project ``code``."""
    safe = "".join(sign if sign.isalnum() or sign in "-_" else "_" for sign in code)
    return f"{safe}-{book.clock.local():%Y%m%d-%H%M}{SUFFIX}"


def _copied(
    desk: Desk, file: Path, key: DataKey, personal: bool, progress: Progress,
    cancel: CancelToken | None,
) -> Manifest:
    """Copy and describe from one snapshot, so that the manifest speaks of exactly this copy."""
    book = desk.book
    with desk.look(View.ROLLUP) as session:
        projects = tuple(_project(session, one) for one in session.scalars(
            select(Project).order_by(Project.id)
        ))
        write_copy(
            session, book.sealer, file, key.subkey(DATABASE_KEY), Sealer(key.subkey),
            personal=personal, progress=progress, cancel=cancel,
        )
    with file.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return Manifest(
        book_id=book.book_id, demo=book.demo, schema=VERSIONS[-1],
        exported_at=desk.clock.now().isoformat(), exported_by=desk.actor.name,
        with_personal=personal, projects=projects, sha256=digest, size=file.stat().st_size,
        signer=signing_key(book).public.hex(),
    )


def _project(session: Session, project: Project) -> ProjectHead:
    last = chain.head(session, project.id)
    here = select(Terminal.id).where(Terminal.project_id == project.id)

    def count(table: Any, condition: Any) -> int:
        return session.scalar(select(func.count()).select_from(table).where(condition)) or 0

    counts = {
        "stays": count(Stay, Stay.project_id == project.id),
        "on_site": count(Stay, (Stay.project_id == project.id) & Stay.to_day.is_(None)),
        "punches": count(Punch, Punch.terminal_id.in_(here)),
        "quarantined": count(PunchQuarantine, PunchQuarantine.terminal_id.in_(here)),
        "frozen_months": session.scalar(
            select(func.count(MonthVersion.month.distinct()))
            .where(MonthVersion.project_id == project.id)
        ) or 0,
    }
    return ProjectHead(
        project.id, project.code, project.name, 0 if last is None else last.sequence,
        "" if last is None else last.hash.hex(), counts,
    )


def _verify(
    copy: ImportedBook, readers: Readers, progress: Progress, cancel: CancelToken | None
) -> None:
    """Head office refuses what does not hold; say it here, where it can be looked into."""
    with copy:
        with copy.read() as session:
            idents = session.scalars(select(Project.id)).all()
        for ident in idents:
            verdict = verify_ledger(copy, ident, readers(copy), progress, cancel)
            if not verdict.ok:
                raise Refused(
                    "ledger_not_ok",
                    f"账本核对不通过，没有导出汇总：{verdict.first_bad}请先运行「ledger verify」查明，再从备份恢复。",
                    first_bad=verdict.first_bad,
                )


class _Joined:
    """The packed head, then the database, as one stream."""

    def __init__(self, head: bytes, rest: Any) -> None:
        self._head, self._rest = head, rest

    def read(self, size: int) -> bytes:
        if self._head:
            part, self._head = self._head[:size], self._head[size:]
            return part
        data: bytes = self._rest.read(size)
        return data


def _seal(
    book: Book, head: Head, database: Path, draft: Path, company: CompanyPublic,
    progress: Progress, cancel: CancelToken | None,
) -> None:
    with database.open("rb") as content, draft.open("wb") as file:
        source: Any = _Joined(head.packed(), content)
        seal_stream(
            company, source, file, kind=KIND, signer=signing_key(book),
            total=head.manifest.size, progress=progress, cancel=cancel,
        )
        file.flush()
        os.fsync(file.fileno())  # it is going to be pulled out of its socket

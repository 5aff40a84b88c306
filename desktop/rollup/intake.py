"""``rollup import``: takes a roll-up in when it proves itself, and keeps it beside when it does not
continue what came before.

Refused (nothing is kept): not for this company, altered, cut, not a roll-up. Conflict (kept beside,
never over the other): another signing key than the one trusted since the first import, a chain
that does not hold, a chain that does not contain the head imported before, an older state.
"""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sqlcipher3 import dbapi2 as cipher

from desktop.clock import Clock
from desktop.errors import EnvironmentFault, Refused
from desktop.jobs import CancelToken, Progress, silent
from desktop.paths import disk_fault, sync_folder
from desktop.punches.verification import verify_ledger
from desktop.rollup import continuity, schema_check
from desktop.rollup.export import Readers
from desktop.rollup.imported import ImportedBook
from desktop.rollup.manifest import KEPT_KIND, KIND, MOST_HEAD, Head, content_refused
from desktop.rollup.shelf import DATABASE_FILE, HEAD_FILE, INCOMING, Entry, Shelf, Site, State
from desktop.storage.envelope import CompanyPrivate, open_stream, seal_stream
from desktop.storage.integrity import DATABASE_KEY
from desktop.storage.keys import DataKey

_SPARE = 64 << 20


@dataclass(frozen=True, slots=True)
class ImportedRollup:
    """``outcome``: ``new``, ``extended``, ``unchanged`` or ``conflict`` (then ``entry.kind``)."""

    outcome: str
    site: Site
    entry: Entry

    @property
    def sentence(self) -> str:
        """For people."""
        label, heads = self.site.label(), "，".join(
            f"{one.name}第{one.sequence}段" for one in self.entry.projects
        )
        if self.outcome == "conflict":
            return self.entry.sentence
        if self.outcome == "unchanged":
            return f"「{label}」的这份汇总早已导入（{heads}），没有改动。"
        if self.outcome == "new":
            return (
                f"已导入「{label}」（{heads}）。这是该账本第一次上报，请给项目部打电话核对签名指纹："
                f"{self.entry.fingerprint}（项目部用「rollup keys」查看）。"
            )
        return f"已导入「{label}」的新一份汇总（{heads}），接在上一份之后，核对通过。"

    def as_json(self) -> dict[str, Any]:
        """The result of ``rollup import``."""
        return {
            "outcome": self.outcome, "book_id": self.site.book_id, "sentence": self.sentence,
            **{key: value for key, value in self.entry.as_json().items() if key != "sentence"},
        }


def import_rollup(
    file: Path,
    shelf: Shelf,
    private: CompanyPrivate,
    readers: Readers,
    clock: Clock,
    *,
    progress: Progress = silent,
    cancel: CancelToken | None = None,
) -> ImportedRollup:
    """Take ``file`` in. Raises :class:`Refused` or :class:`EnvironmentFault` with nothing kept."""
    lock = shelf.taken()
    try:
        try:
            work = Path(tempfile.mkdtemp(prefix=f"{INCOMING}-", dir=shelf.folder))
        except OSError as error:
            raise disk_fault(error, shelf.folder) from error
        try:
            head, digest = _opened(file, work / DATABASE_FILE, private, progress, cancel)
            _brought_up_to_date(head, work / DATABASE_FILE, _key(head))
            _keep_head(head, work / HEAD_FILE, private)
            return _judged(
                shelf, work, head, digest, private, readers, clock, progress, cancel
            )
        except OSError as error:
            raise disk_fault(error, shelf.folder) from error
        finally:
            shutil.rmtree(work, ignore_errors=True)
    finally:
        lock.release()


def _key(head: Head) -> DataKey:
    return DataKey(head.manifest.book_id, head.key)


class _Parts:
    """Takes the opened stream apart: the head into memory, the rest into the file."""

    def __init__(self, target: Any) -> None:
        self.head = b""
        self.digest = hashlib.sha256()
        self.size = 0
        self._target = target
        self._start = bytearray()
        self._length: int | None = None

    def write(self, data: bytes) -> int:
        if self._length is None or len(self.head) < self._length:
            self._start += data
            if self._length is None and len(self._start) >= 4:
                self._length = int.from_bytes(self._start[:4], "big")
                if self._length > MOST_HEAD:
                    raise content_refused()
            if self._length is None or len(self._start) < 4 + self._length:
                return len(data)
            self.head = bytes(self._start[4 : 4 + self._length])
            self._rest(bytes(self._start[4 + self._length :]))
            self._start = bytearray()
        else:
            self._rest(data)
        return len(data)

    def _rest(self, data: bytes) -> None:
        self.digest.update(data)
        self.size += len(data)
        self._target.write(data)


def _opened(
    file: Path, database: Path, private: CompanyPrivate, progress: Progress,
    cancel: CancelToken | None,
) -> tuple[Head, str]:
    """Open and prove the envelope; the database lies at ``database`` then. With its digest."""
    try:
        if not file.is_file():
            raise Refused("file_missing", f"找不到汇总文件「{file.name}」，未导入任何内容。请核对路径。")
        size = file.stat().st_size
        if shutil.disk_usage(database.parent).free < size + _SPARE:
            raise EnvironmentFault(
                "disk_full",
                f"磁盘空间不够放这份汇总（需要{size // (1 << 20) + 64}MB），未导入任何内容。请清理磁盘后重试。",
            )
        source = file.open("rb")
    except OSError as error:
        raise disk_fault(error, file.parent) from error
    with source, database.open("wb") as target:
        parts: Any = _Parts(target)
        # Nothing is compressed: the content cannot be larger than the file.
        header = open_stream(
            private, source, parts, kind=KIND, limit=size, total=size, progress=progress,
            cancel=cancel,
        )
        target.flush()
        os.fsync(target.fileno())
        if header.signer is None:
            raise Refused(
                "envelope_unsigned",
                "这份汇总没有签名，无法证明出自哪个账本，未导入任何内容。请让项目部重新导出。",
            )
        head = Head.unpacked(parts.head, header.signer)
        manifest = head.manifest
        if (parts.size, parts.digest.hexdigest()) != (manifest.size, manifest.sha256):
            raise content_refused()
        source.seek(0)
        digest = hashlib.file_digest(source, "sha256").hexdigest()
    return head, digest


def _brought_up_to_date(head: Head, database: Path, key: DataKey) -> None:
    """The tables must be exactly those of its version, then those of ours."""
    try:
        schema_check.bring_up_to_date(database, key.subkey(DATABASE_KEY), head.manifest.schema)
    except cipher.Error as error:
        raise content_refused() from error


def _keep_head(head: Head, file: Path, private: CompanyPrivate) -> None:
    with file.open("wb") as target:
        seal_stream(private.public, io.BytesIO(head.packed()[4:]), target, kind=KEPT_KIND)
        target.flush()
        os.fsync(target.fileno())


def kept_head(shelf: Shelf, site: Site, entry: Entry, private: CompanyPrivate) -> Head:
    """The head of an import on the shelf. Raises :class:`Refused`, EnvironmentFault."""
    target = io.BytesIO()
    place = shelf.place(site.book_id, entry.name) / HEAD_FILE
    try:
        with place.open("rb") as source:
            open_stream(private, source, target, kind=KEPT_KIND, limit=MOST_HEAD)
    except OSError as error:
        raise disk_fault(error, place.parent) from error
    return Head.unpacked(target.getvalue(), bytes.fromhex(entry.signer))


def opened_entry(
    shelf: Shelf, site: Site, entry: Entry, private: CompanyPrivate, clock: Clock
) -> ImportedBook:
    """The imported book, read-only."""
    if not _lies_there(shelf, site, entry):
        raise EnvironmentFault(
            "rollup_missing", f"汇总文件夹里缺少「{site.label()}」的文件，没有打开。请重新导入项目部的汇总文件。"
        )
    head = kept_head(shelf, site, entry, private)
    file = shelf.place(site.book_id, entry.name) / DATABASE_FILE
    return ImportedBook(file, head.manifest, _key(head), clock)


def _judged(
    shelf: Shelf, work: Path, head: Head, digest: str, private: CompanyPrivate, readers: Readers,
    clock: Clock, progress: Progress, cancel: CancelToken | None,
) -> ImportedRollup:
    manifest = head.manifest
    site = shelf.site(manifest.book_id) or Site(manifest.book_id, manifest.demo, manifest.signer)
    known = next((one for one in site.entries if one.sha256 == digest), None)
    if known is not None and known.state is not State.REPLACED:
        if not _lies_there(shelf, site, known):  # somebody removed it from the shelf
            _put_on_shelf(shelf, work, site, known)
        outcome = "conflict" if known.state is State.CONFLICT else "unchanged"
        return ImportedRollup(outcome, site, known)
    entry = Entry.of(manifest, site.next_name(), digest, clock.now().isoformat())
    with ImportedBook(work / DATABASE_FILE, manifest, _key(head), clock) as book:
        kind, sentence = _conflict(
            shelf, site, book, head, private, readers, clock, progress, cancel
        )
    if kind:
        entry = replace(entry, state=State.CONFLICT, kind=kind, sentence=sentence)
    before = site.current
    changed = site.having(entry)
    if not kind and before is not None:
        changed = changed.having(replace(before, state=State.REPLACED))
    _put_on_shelf(shelf, work, changed, entry)
    outcome = "conflict" if kind else "new" if before is None else "extended"
    return ImportedRollup(outcome, changed, entry)


def _conflict(
    shelf: Shelf, site: Site, book: ImportedBook, head: Head, private: CompanyPrivate,
    readers: Readers, clock: Clock, progress: Progress, cancel: CancelToken | None,
) -> tuple[str, str]:
    """Why this import may not count by itself: kind and sentence, both empty when it may."""
    manifest = head.manifest
    if manifest.signer != site.signer:
        return continuity.signer_changed(site, manifest)
    for project in manifest.projects:
        verdict = verify_ledger(book, project.project_id, readers(book), progress, cancel)
        if not verdict.ok or (verdict.head or "") != project.hash:
            return continuity.ledger_broken(site, manifest, project, verdict)
    before = site.current
    if before is None:
        return "", ""
    return continuity.compared(
        before, lambda: opened_entry(shelf, site, before, private, clock), manifest, book
    )


def _lies_there(shelf: Shelf, site: Site, entry: Entry) -> bool:
    place = shelf.place(site.book_id, entry.name)
    return all((place / name).is_file() for name in (DATABASE_FILE, HEAD_FILE))


def _put_on_shelf(shelf: Shelf, work: Path, site: Site, entry: Entry) -> None:
    place = shelf.place(site.book_id, entry.name)
    place.parent.mkdir(mode=0o700, exist_ok=True)
    if place.exists():  # of an import that was killed before it counted
        shutil.rmtree(place)
    place.mkdir(mode=0o700)
    for name in (DATABASE_FILE, HEAD_FILE):
        os.replace(work / name, place / name)
    sync_folder(place)
    shelf.write(site)
    shelf.sweep(site)


def accept_conflict(
    shelf: Shelf, site: Site, name: str, clock: Clock, *, why: str, fingerprint: str = ""
) -> ImportedRollup:
    """A person decides that the conflict ``name`` counts from now on; the other is set aside.

    A changed signing key needs its ``fingerprint``, as read by telephone. A ledger that does not
    hold is never accepted. Raises :class:`Refused`.
    """
    lock = shelf.taken()
    try:
        fresh = shelf.site(site.book_id) or site
        return _accepted(shelf, fresh, name, clock, why, fingerprint)
    finally:
        lock.release()


def _accepted(
    shelf: Shelf, site: Site, name: str, clock: Clock, why: str, fingerprint: str
) -> ImportedRollup:
    entry = next((one for one in site.conflicts if one.name == name), None)
    if entry is None:
        raise Refused("conflict_not_found", f"没有编号为「{name}」的待处理冲突。请用「rollup conflicts」查看。")
    if entry.kind == continuity.LEDGER_BROKEN:
        raise Refused(
            "conflict_broken", "这份汇总的账本本身核对不通过，不能采用，仍放在一边。请让项目部查明后重新上报。"
        )
    if not why.strip():
        raise Refused("reason_missing", "采用有冲突的汇总须写明理由，没有采用。请填写理由。")
    if entry.signer != site.signer and _digits(fingerprint) != _digits(entry.fingerprint):
        raise Refused(
            "fingerprint_wrong",
            "签名钥匙变了，须输入电话里核对过的新指纹；输入的与这份汇总的不一致，没有采用。请与项目部重新核对。",
        )
    before, changed = site.current, replace(site, signer=entry.signer)
    if before is not None:
        changed = changed.having(replace(before, state=State.SET_ASIDE))
    entry = replace(entry, state=State.CURRENT, why=f"{clock.now().isoformat()} {why.strip()}")
    changed = changed.having(entry)
    shelf.write(changed)
    return ImportedRollup("extended", changed, entry)


def _digits(text: str) -> str:
    return "".join(sign for sign in text if sign.isdigit())

"""A bundle opened by a secret: its key, the proof of its manifest, and its tables to read.

A bundle opens through the slots it carries, so a paper of the time fits even when a newer one was
printed since; where the book it belongs to is at hand, that book's slots are tried too. Nothing
beside the bundle is written, so it may lie on a medium that cannot be.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.orm import Session
from sqlalchemy.pool import QueuePool
from sqlcipher3 import dbapi2 as cipher

from desktop.clock import Clock
from desktop.errors import EnvironmentFault, Refused, SiteMusterError
from desktop.jobs import CancelToken, Progress, silent
from desktop.storage import backup_store, chain, faults, migrate, snapshot, unlock
from desktop.storage.backup_store import Unfaithful, file_digest
from desktop.storage.bundle import (
    OPTIONAL_PARTS,
    PARTS,
    Contents,
    KeptFile,
    Manifest,
    damaged,
    manifest_of,
    place_of,
    sealed_by,
)
from desktop.storage.card import DATABASE_FILE, BookCard
from desktop.storage.engine import connect
from desktop.storage.integrity import DATABASE_KEY
from desktop.storage.keys import SLOTS_FILE, DataKey
from desktop.storage.lock import FolderLock
from desktop.storage.migrations import VERSIONS
from desktop.storage.opened import Book

if TYPE_CHECKING:
    from desktop.storage.company_keys import CompanyPrivate

LeafReaders = Callable[[Book], Mapping[str, chain.LeafReader]]
"""Who recomputes the leaves of which segment kind, for a book; see ``bootstrap.leaf_readers``."""


@dataclass(frozen=True, slots=True)
class Secret:
    """What opens a bundle or a damaged book; the first one that is given is the only one tried.
    None at all: the demo's own passphrase, or this computer's keyring."""

    passphrase: str | None = None
    recovery_code: str | None = None
    company: CompanyPrivate | None = None

    def key_of(self, folder: Path, card: BookCard) -> DataKey:
        """The data key behind the slots in ``folder``; raises what :mod:`unlock` raises."""
        return unlock.data_key(
            folder, card, passphrase=self.passphrase, recovery_code=self.recovery_code,
            company=self.company,
        )


@dataclass(frozen=True, slots=True)
class Opened:
    """A bundle whose key is known. ``slots_of`` is the folder whose slots gave it: the bundle's
    own, or that of the living book."""

    bundle: Path
    manifest: Manifest
    card: BookCard
    key: DataKey
    slots_of: Path

    @property
    def database_key(self) -> bytes:
        return self.key.subkey(DATABASE_KEY)

    @property
    def file(self) -> Path:
        return self.bundle / DATABASE_FILE


def open_bundle(bundle: Path, secret: Secret, *, living: Path | None = None) -> Opened:
    """Open ``bundle``; ``living`` is the folder of its book, if that is at hand.

    Raises :class:`Refused` for a wrong secret, no bundle, a newer one; :class:`EnvironmentFault`
    ``bundle_damaged`` for parts missing or a manifest that its key did not seal.
    """
    manifest = manifest_of(bundle)
    for name in (DATABASE_FILE, *PARTS):
        if not (bundle / name).is_file():
            raise damaged(bundle, f"缺少 {name}")
    schema = manifest.contents.schema
    if schema not in VERSIONS:
        raise Refused(
            "bundle_newer",
            f"备份「{bundle.name}」由更新版本的程序做成（数据版本{schema}，本程序只认识到{VERSIONS[-1]}），"
            "没有使用它，未做任何改动。请先升级程序。",
            bundle=schema,
            program=VERSIONS[-1],
        )
    card = _card_of(bundle)
    if card.book_id != manifest.book_id:
        raise damaged(bundle, "清单和账本说明不是同一个账本的")
    key, slots_of = _key(bundle, card, secret, living, manifest)
    opened = Opened(bundle, manifest, card, key, slots_of)
    if not sealed_by(manifest, opened.database_key):
        raise damaged(bundle, "清单被改动过，或不是用这个账本的钥匙写的")
    return opened


def _card_of(bundle: Path) -> BookCard:
    try:
        return BookCard.read(bundle)
    except EnvironmentFault as fault:
        raise damaged(bundle, "账本说明或数据库文件读不出来") from fault


def _key(
    bundle: Path, card: BookCard, secret: Secret, living: Path | None, manifest: Manifest
) -> tuple[DataKey, Path]:
    """Where the living book's slots give the bundle's key they win: they are the newer ones."""
    if living is not None:
        try:
            key = secret.key_of(living, BookCard.peek(living))
            if manifest.format > 1 and sealed_by(manifest, key.subkey(DATABASE_KEY)):
                return key, living
            if manifest.format == 1 and _fits(bundle / DATABASE_FILE, key):
                return key, living
        except SiteMusterError:
            pass  # the bundle's own slots decide what is wrong
    return secret.key_of(bundle, card), bundle


def _fits(file: Path, key: DataKey) -> bool:
    try:
        connect(file, key.subkey(DATABASE_KEY), setup=(), frozen=True).close()
    except cipher.DatabaseError:
        return False
    return True


# ── proving ─────────────────────────────────────────────────────────────────────────────────────


def flaws_of(
    opened: Opened, progress: Progress = silent, cancel: CancelToken | None = None
) -> list[str]:
    """What of the bundle is not what was written, as clauses; empty when all of it holds.

    Everything but the kept files: without those the book itself is whole (:func:`missing_files`).
    """
    manifest, flaws = opened.manifest, []
    for name, digest in manifest.parts.items():
        part = opened.bundle / name
        if not part.is_file() or file_digest(part) != digest:
            flaws.append(f"{name} 与清单不符")
    looked, found = snapshot.look(opened.file, opened.database_key, progress, cancel)
    if looked.bad:
        pages = "、".join(map(str, looked.bad[:5]))
        flaws.append(f"数据库有{len(looked.bad)}页损坏（第{pages}页{'等' if len(looked.bad) > 5 else ''}）")
    elif looked.sha256 != manifest.sha256:
        flaws.append("数据库文件与清单的校验值不符")
    elif found is None:
        flaws.append("数据库结构不完整")
    elif not _as_said(manifest, found):
        flaws.append("数据库的内容与清单不符")
    return flaws


def _as_said(manifest: Manifest, found: Contents) -> bool:
    """The first release counted no rows."""
    said = manifest.contents
    if manifest.format == 1:
        return (said.schema, said.heads) == (found.schema, found.heads)
    return said == found


def missing_files(
    opened: Opened, progress: Progress = silent, cancel: CancelToken | None = None
) -> list[KeptFile]:
    """Kept files that are nowhere, or not what they were."""
    missing, files = [], opened.manifest.files
    for done, kept in enumerate(files):
        progress(done, len(files), "核对原始文件")
        place = place_of(opened.bundle, kept)
        if place is None or file_digest(place, cancel) != kept.sha256:
            missing.append(kept)
    return missing


def unpack(
    opened: Opened, folder: Path, progress: Progress = silent, cancel: CancelToken | None = None
) -> list[KeptFile]:
    """Copy a bundle into the existing empty ``folder`` as a closed book, each file proven.

    Returns the kept files that could not be brought along. Raises :class:`EnvironmentFault`
    ``bundle_damaged``, :class:`OSError`, ``Cancelled``.
    """
    try:
        backup_store.copy_file(
            opened.file, folder / DATABASE_FILE, expected=opened.manifest.sha256,
            progress=progress, text="恢复数据库", cancel=cancel,
        )
    except Unfaithful as error:
        raise damaged(opened.bundle, "数据库文件与清单的校验值不符") from error
    _, found = snapshot.look(folder / DATABASE_FILE, opened.database_key, progress, cancel)
    if found is None or not _as_said(opened.manifest, found):
        raise damaged(opened.bundle, "数据库的内容与清单不符")
    copy_parts(opened, folder)
    missing, files = [], opened.manifest.files
    for done, kept in enumerate(files):
        progress(done, len(files), "恢复原始文件")
        source, target = place_of(opened.bundle, kept), folder / kept.path
        try:
            if source is None:
                raise Unfaithful(kept.path)
            target.parent.mkdir(parents=True, exist_ok=True)
            backup_store.copy_file(source, target, expected=kept.sha256, cancel=cancel)
        except Unfaithful:
            target.unlink(missing_ok=True)
            missing.append(kept)
    return missing


def copy_parts(opened: Opened, folder: Path) -> None:
    """Slots, card and what goes along with them into ``folder``."""
    backup_store.copy_file(opened.slots_of / SLOTS_FILE, folder / SLOTS_FILE)
    opened.card.write(folder)
    for name in OPTIONAL_PARTS:
        if (opened.bundle / name).is_file():
            backup_store.copy_file(opened.bundle / name, folder / name)


# ── reading ─────────────────────────────────────────────────────────────────────────────────────


@contextmanager
def reading(
    opened: Opened, clock: Clock, progress: Progress = silent, cancel: CancelToken | None = None
) -> Iterator[Book]:
    """The bundle as a book that can only be read, by today's tables.

    A bundle of an earlier revision is read from a migrated copy in a temporary folder, which is
    removed afterwards; it is encrypted like the bundle.
    """
    if opened.manifest.contents.schema == VERSIONS[-1]:
        with _frozen(opened, opened.file, clock) as book:
            yield book
        return
    with tempfile.TemporaryDirectory(prefix="sitemuster-bundle-") as work:
        file = Path(work) / DATABASE_FILE
        backup_store.copy_file(
            opened.file, file, progress=progress, text="准备核对", cancel=cancel
        )
        migrate.upgrade(file, opened.database_key)
        with _frozen(opened, file, clock) as book:
            yield book


@contextmanager
def _frozen(opened: Opened, file: Path, clock: Clock) -> Iterator[Book]:
    store = _FrozenStore(file, opened.database_key)
    book = Book(
        opened.bundle, opened.card, opened.key, clock, cast(FolderLock, _NoLock()), store
    )
    try:
        yield book
    finally:
        book.close()


class _NoLock:
    """A bundle is not locked: nobody writes to it."""

    def release(self) -> None:
        """Nothing to let go."""


class _FrozenStore:
    """The tables of a closed file, read alone and without a trace beside it."""

    dialect = "sqlite"

    def __init__(self, file: Path, key: bytes) -> None:
        self.reader: Engine = create_engine(
            "sqlite+pysqlite://",
            module=cipher,
            creator=lambda: connect(
                file, key, setup=("query_only=ON", "cache_size=-65536"), frozen=True
            ),
            poolclass=QueuePool,
            hide_parameters=True,
        )
        event.listen(
            self.reader, "begin", lambda connection: connection.exec_driver_sql("BEGIN")
        )
        self.writer = self.reader

    def translated(self, *, reading: bool = False) -> AbstractContextManager[None]:
        return faults.translated(list, reading=reading)

    def give_up(self, session: Session, error: BaseException) -> None:
        session.invalidate()

    def close(self) -> None:
        self.reader.dispose()

"""Restoring: a bundle becomes a book again, beside first and proven, then in its place.

The place may be empty (a new machine), or hold the book of the same identity, damaged or not. That
book is compared before anything is replaced, so that an older backup is known as such. Who may
restore, and what is written about it in the chain, is for the caller.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, select, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session
from sqlalchemy.pool import StaticPool
from sqlcipher3 import dbapi2 as cipher

from desktop.clock import Clock
from desktop.errors import Refused, SiteMusterError
from desktop.jobs import CancelToken, Progress, silent
from desktop.paths import disk_fault, refuse_unsafe_folder
from desktop.storage import opening, swap
from desktop.storage.backup import megabytes
from desktop.storage.bundle import Head, KeptFile, bundles_in
from desktop.storage.bundle_open import Opened, Secret, open_bundle, unpack
from desktop.storage.card import BACKUPS, CARD_FILE, DATABASE_FILE, BookCard
from desktop.storage.engine import connect
from desktop.storage.integrity import DATABASE_KEY
from desktop.storage.keys import SLOTS_FILE, KeySlots
from desktop.storage.lock import FolderLock
from desktop.storage.opened import Book
from desktop.storage.tables import Segment

_ROOM = 32 << 20
_BOOK_PARTS = (DATABASE_FILE, CARD_FILE, SLOTS_FILE)


@dataclass(frozen=True, slots=True)
class Relation:
    """A bundle beside the living book. ``kind``: ``same``, ``older``, ``newer``, ``other_chain``
    (its head never stood in that chain) or ``unknown`` (no book there, or it cannot be read).

    ``behind``: segments the book has after the bundle's head. ``purges``: tombstones among them.
    """

    kind: str
    behind: int = 0
    purges: int = 0


UNKNOWN = Relation("unknown")


def relation(session: Session, heads: Sequence[Head]) -> Relation:
    """Compare the heads of a bundle with the chains of a book."""
    behind, newer = 0, False
    for head in heads:
        here = session.execute(
            select(Segment.hash).where(
                Segment.project_id == head.project, Segment.sequence == head.sequence
            )
        ).first()
        after = session.execute(
            select(Segment.sequence)
            .where(Segment.project_id == head.project)
            .order_by(Segment.sequence.desc())
            .limit(1)
        ).first()
        last = 0 if after is None else int(after.sequence)
        if here is None and last < head.sequence:
            newer = True
        elif here is None or bytes(here.hash) != head.hash:
            return Relation("other_chain")
        else:
            behind += last - head.sequence
    if behind:
        return Relation("older", behind, _purges(session, heads))
    return Relation("newer" if newer else "same")


def _purges(session: Session, heads: Sequence[Head]) -> int:
    """Erasures done after the heads; a book of the first release knows none."""
    count = 0
    with suppress(SQLAlchemyError):
        for head in heads:
            count += session.execute(
                text(
                    "SELECT count(*) FROM tombstone JOIN segment ON segment.id = segment_id"
                    " WHERE segment.project_id = :project AND segment.sequence > :sequence"
                ),
                {"project": head.project, "sequence": head.sequence},
            ).scalar_one()
    return count


# ── the place ───────────────────────────────────────────────────────────────────────────────────


@dataclass(slots=True)
class Restoring:
    """A restore under way: the bundle unpacked and proven beside the place it is for."""

    opened: Opened
    folder: Path
    clock: Clock
    missing: list[KeptFile]
    note: str | None
    """What an earlier restore had left, as a sentence."""
    _swap: swap.Swap
    _held: FolderLock | None
    _secret: Secret
    aside: Path | None = field(default=None)

    @property
    def beside(self) -> Path:
        return self._swap.beside

    @contextmanager
    def book(self) -> Iterator[Book]:
        """The unpacked book, open for the caller's checks and for the act it writes; an older one
        is migrated by this."""
        lock = FolderLock(self.beside)
        try:
            book = opening.open_unlocked(
                self.beside, self.opened.card, self.opened.key, self.clock, lock
            )
        except BaseException:
            lock.release()
            raise
        with book:
            yield book

    @contextmanager
    def living(self) -> Iterator[Session | None]:
        """The tables of the book that is about to be replaced, None where nothing can be read."""
        key = None
        if self._held is not None:
            with suppress(SiteMusterError):
                card = BookCard.peek(self.folder)
                key = self._secret.key_of(self.folder, card).subkey(DATABASE_KEY)
        with looking(self.folder / DATABASE_FILE, key or self.opened.database_key) as session:
            yield session if self._held is not None else None

    def put_in_place(self) -> Path | None:
        """The exchange itself; returns where the replaced book is kept."""
        try:
            self.aside = self._swap.put_in_place(self.clock.now(), self._held)
        except OSError as error:
            raise disk_fault(error, self.folder.parent) from error
        self._held = None
        return self.aside


@contextmanager
def restoring(
    bundle: Path,
    folder: Path,
    secret: Secret,
    clock: Clock,
    progress: Progress = silent,
    cancel: CancelToken | None = None,
) -> Iterator[Restoring]:
    """Unpack ``bundle`` beside ``folder``; without :meth:`Restoring.put_in_place` all is undone.

    Raises :class:`Refused` (``other_book``, ``folder_occupied``, ``no_room``, ``book_in_use``,
    ``bundle_newer``, a wrong secret …) and :class:`EnvironmentFault` (``bundle_damaged``,
    ``disk_full`` …) with the place untouched.
    """
    folder = folder.absolute()
    refuse_unsafe_folder(folder)
    note = swap.finish(folder)
    occupied = _occupied(folder)
    held = FolderLock(folder) if occupied else None
    exchange: swap.Swap | None = None
    made: list[Path] = []
    try:
        opened = open_bundle(bundle.absolute(), secret, living=folder if occupied else None)
        if occupied:
            _refuse_other_book(folder, opened)
        try:
            made = [one for one in folder.parents if not one.exists()]
            folder.parent.mkdir(parents=True, exist_ok=True)
            refuse_without_room(opened, folder.parent)
            exchange = swap.Swap(folder)
            missing = unpack(opened, exchange.beside, progress, cancel)
        except OSError as error:
            raise disk_fault(error, folder.parent) from error
        yield Restoring(opened, folder, clock, missing, note, exchange, held, secret)
    finally:
        if exchange is not None:
            exchange.abandon()
        if held is not None:
            held.release()
        _unmake(made)  # only those still empty go


def _occupied(folder: Path) -> bool:
    """Whether a book (or what is left of one) is there; anything else is not to be moved."""
    try:
        names = {entry.name for entry in os.scandir(folder)}
    except FileNotFoundError:
        return False
    except OSError as error:
        raise disk_fault(error, folder) from error
    if names and not names.intersection(_BOOK_PARTS):
        raise Refused(
            "folder_occupied",
            f"文件夹「{folder.name}」不是空的，也不是账本，没有恢复，未做任何改动。请换一个空文件夹。",
        )
    return bool(names)


def _refuse_other_book(folder: Path, opened: Opened) -> None:
    """By everything that says whose folder it is; a card alone may be damaged."""
    known: set[str] = set()
    server = None
    with suppress(SiteMusterError):
        card = BookCard.peek(folder)
        known.add(card.book_id)
        server = card.server
    if server is not None:
        raise _on_server(folder)
    with suppress(SiteMusterError):
        known.add(KeySlots.read(folder).book_id)
    if not known:
        known.update(one.book_id for one in bundles_in(folder / BACKUPS) if one.book_id)
    if known and opened.card.book_id not in known:
        raise Refused(
            "other_book",
            f"备份「{opened.bundle.name}」是另一个账本的，不能恢复到「{folder.name}」里，未做任何改动。"
            "请选对账本，或恢复到一个空文件夹。",
        )


def _on_server(folder: Path) -> Refused:
    return Refused(
        "restore_on_server",
        f"「{folder.name}」的账本在服务器上，不能直接用备份替换，未做任何改动。"
        "请先把备份恢复到一个空文件夹，核对后再用 book move 搬到服务器。",
    )


def refuse_without_room(opened: Opened, place: Path) -> None:
    """Raise :class:`Refused` ``no_room`` unless ``place`` can take the unpacked bundle."""
    manifest = opened.manifest
    # An older book is migrated beside a copy of itself.
    need = 2 * opened.file.stat().st_size + sum(one.size for one in manifest.files) + _ROOM
    free = shutil.disk_usage(place).free
    if free < need:
        raise Refused(
            "no_room",
            f"磁盘空间不够恢复：约需{megabytes(need)}，只剩{megabytes(free)}。没有恢复，未做任何改动。"
            "请清理磁盘，或恢复到另一块磁盘上的空文件夹。",
            need=need,
            free=free,
        )


def _unmake(folders: Sequence[Path]) -> None:
    for folder in folders:
        with suppress(OSError):
            folder.rmdir()


@contextmanager
def looking(file: Path, key: bytes) -> Iterator[Session | None]:
    """A session on a database that may be damaged; nothing is written, no WAL moved."""
    try:
        connection = _look_only(file, key)
    except (cipher.Error, OSError):
        yield None
        return
    engine = create_engine(
        "sqlite+pysqlite://", module=cipher, creator=lambda: connection, poolclass=StaticPool,
        hide_parameters=True,
    )
    try:
        with Session(engine) as session:
            yield session
    finally:
        engine.dispose()
        connection.close()


def _look_only(file: Path, key: bytes) -> Any:
    """With a WAL that holds something the main file alone is not the book."""
    wal = file.with_name(f"{file.name}-wal")
    if not wal.exists() or not wal.stat().st_size:
        return connect(file, key, setup=(), frozen=True)
    connection = cipher.connect(
        f"{file.absolute().as_uri()}?mode=ro", isolation_level=None, uri=True,
        check_same_thread=False,
    )
    try:
        connection.execute("PRAGMA cipher_log_level=NONE")
        connection.execute(f"PRAGMA key=\"x'{key.hex()}'\"")
        connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    except BaseException:
        connection.close()
        raise
    return connection


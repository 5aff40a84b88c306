"""Opens a book folder: looks first, refuses before anything is touched, then migrates and checks.

The order is: the folder and its card, the lock, the key, a look at the main file alone, recovery
of a WAL, the schema version, the backup and migration, the guards.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlcipher3 import dbapi2 as cipher

from desktop.clock import Clock
from desktop.errors import EnvironmentFault, Refused
from desktop.paths import refuse_unsafe_folder
from desktop.storage import faults, guard, leftovers, migrate, unlock
from desktop.storage.card import DATABASE_FILE, BookCard, moved, restoring_beside
from desktop.storage.engine import FileStore, connect
from desktop.storage.integrity import DATABASE_KEY, damaged_pages
from desktop.storage.keys import DataKey
from desktop.storage.lock import FolderLock
from desktop.storage.migrations import VERSIONS
from desktop.storage.opened import Book

if TYPE_CHECKING:
    from desktop.storage.company_keys import CompanyPrivate

_log = logging.getLogger(__name__)


def open_book(
    folder: Path,
    clock: Clock,
    *,
    passphrase: str | None = None,
    recovery_code: str | None = None,
    company: CompanyPrivate | None = None,
) -> Book:
    """Open an existing book and bring its tables up to date (verified backup first).

    With a passphrase only that slot is tried, with a recovery code or head office's key only that
    one; with none the demo's own passphrase file or the OS keyring. Raises :class:`Refused` or
    :class:`EnvironmentFault`, each with a sentence and the next step, the folder untouched.
    """
    refuse_unsafe_folder(folder)
    interrupted = _end_of_a_restore(folder)
    card = BookCard.read(folder, unfinished=True)
    lock = FolderLock(folder)
    try:
        found = unlock.unlocked(
            folder, card, passphrase=passphrase, recovery_code=recovery_code, company=company,
            fits=None if card.server is None else lambda key: _fits_server(folder, card, key),
        )
        if card.arriving is not None:
            from desktop.storage import move_back

            card = move_back.finish_arrival(folder, card, found.key)
        notices = leftovers.settle(folder, found)
        book = open_unlocked(folder, card, found.key, clock, lock)
        book.opened_by = found.way
        book.notices += notices if interrupted is None else [interrupted, *notices]
    except BaseException:
        lock.release()
        raise
    if book.server is not None:
        from desktop.storage import server_opening

        try:
            server_opening.settle(book)
        except BaseException:  # cut off in this moment: the folder must open again
            book.close()
            raise
    return book


def open_unlocked(
    folder: Path, card: BookCard, key: DataKey, clock: Clock, lock: FolderLock
) -> Book:
    """The part of opening after the key is known; ``lock`` is held and passes to the book."""
    if card.server is not None:
        from desktop.storage import server_opening  # psycopg only where there is a server

        return server_opening.open_on_server(folder, card, key, clock, lock)
    file = folder / DATABASE_FILE
    database_key = key.subkey(DATABASE_KEY)
    with faults.translated(lambda: damaged_pages(file, database_key)):
        _look(file, database_key)
        if file.with_name(f"{file.name}-wal").exists():
            _log.warning("a WAL was left: the program did not end cleanly; recovering")
        _bring_up_to_date(folder, card, database_key, clock)
    store = FileStore(file, database_key)
    try:
        return Book(folder, card, key, clock, lock, store)
    except BaseException:
        store.close()
        raise


def _end_of_a_restore(folder: Path) -> str | None:
    """What a restore that was cut off left beside the folder is brought to its end."""
    if not restoring_beside(folder).is_dir():
        return None
    from desktop.storage import swap

    return swap.finish(folder)


def _fits_server(folder: Path, card: BookCard, key: DataKey) -> bool:
    from desktop.storage import server_keys

    return server_keys.fits(folder, card, key)


def _look(file: Path, key: bytes) -> None:
    """Refuse what must not be touched, reading the main file alone and leaving no trace.

    A program killed while its WAL was being moved into the main file leaves that file neither old
    nor new: only with its WAL is it the book, so its damage is for the recovery to find.
    """
    try:
        connection = connect(file, key, setup=(), frozen=True)
        try:
            refuse_newer(migrate.schema_version(connection))
        finally:
            connection.close()
    except cipher.DatabaseError as error:
        wal = file.with_name(f"{file.name}-wal")
        if not (faults.is_damage(error) and wal.exists() and wal.stat().st_size):
            raise


def _bring_up_to_date(folder: Path, card: BookCard, key: bytes, clock: Clock) -> None:
    """After recovery of a WAL look again, then migrate if need be, then check the guards."""
    file = folder / DATABASE_FILE
    connection = connect(file, key)
    try:
        version = migrate.schema_version(connection)
        refuse_newer(version)
        if version == VERSIONS[-1]:
            guard.check_triggers(connection)
            _refuse_moved(connection)
            return
    finally:
        connection.close()
    if version is None:
        raise EnvironmentFault(
            "book_damaged",
            "账本的数据库是空的：创建没有完成，或文件被替换过。未做任何改动。请从 backups 里的备份恢复。",
            pages=[],
        )
    from desktop.storage import backup  # rarely needed, and start-up is measured

    backup.before(folder, card, key, clock, reason=f"migration-{version}")
    migrate.upgrade(file, key)


def _refuse_moved(connection: Any) -> None:
    row = connection.execute("SELECT value FROM book_info WHERE name = 'moved_to'").fetchone()
    if row is not None:
        raise moved(str(row[0]))


def refuse_newer(version: str | None) -> None:
    """Raise :class:`Refused` ``book_newer`` for tables of a later release."""
    if version is not None and version not in VERSIONS:
        raise Refused(
            "book_newer",
            f"这个账本由更新版本的程序保存（数据版本{version}，本程序只认识到{VERSIONS[-1]}）。"
            "未做任何改动。请先升级程序再打开。",
            book=version,
            program=VERSIONS[-1],
        )

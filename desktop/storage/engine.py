"""The two engines over one encrypted file: a writer with one lane, and readers beside it.

In this form as measured (storage-notes §2): a raw 32-byte key, explicit pools (SQLAlchemy's own
choice for this URL crashes under threads), transactions begun by us and never by the driver. The
key lives in a closure; it is in no URL, no exception, no log.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.orm import Session
from sqlalchemy.pool import QueuePool
from sqlcipher3 import dbapi2 as cipher

from desktop.storage import faults, guard
from desktop.storage.integrity import damaged_pages

SETUP = (
    "journal_mode=WAL",
    "synchronous=FULL",
    "foreign_keys=ON",
    "recursive_triggers=ON",
    "trusted_schema=OFF",
    "cell_size_check=ON",
    "temp_store=MEMORY",
    "cache_size=-65536",
)
"""Pragmas of every connection that may write; 64 MB of cache, else imports are 2.8 × slower."""

_BUSY_S = 5
_READERS = 4
_MORE_READERS = 12
_READER_WAIT_S = 60


def connect(
    path: Path, key: bytes, *, setup: tuple[str, ...] = SETUP, frozen: bool = False
) -> Any:
    """One DB-API connection on the file with the raw ``key``, in autocommit.

    ``frozen`` reads the main file alone and leaves no trace beside it (no WAL, no lock): for
    looking before anything is touched. Raises ``cipher.DatabaseError`` (errorcode 26) for a wrong
    key; nothing stays open then, as a leaked handle would keep the WAL file alive.
    """
    if frozen:
        target = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
    else:
        target = f"{path.absolute().as_uri()}?mode=rw"
    connection = cipher.connect(
        target, isolation_level=None, check_same_thread=False, timeout=_BUSY_S, uri=True
    )
    try:
        connection.execute("PRAGMA cipher_log_level=NONE")  # before the key: noise on stderr
        connection.execute(f"PRAGMA key=\"x'{key.hex()}'\"")
        connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        for pragma in setup:
            connection.execute(f"PRAGMA {pragma}").fetchall()
    except BaseException:
        connection.close()
        raise
    return connection


def create_file(path: Path, key: bytes) -> None:
    """Make a new encrypted database file that holds nothing yet. ``path`` must not exist."""
    path.touch(mode=0o600, exist_ok=False)
    connection = cipher.connect(str(path), isolation_level=None)
    try:
        connection.execute("PRAGMA cipher_log_level=NONE")
        connection.execute(f"PRAGMA key=\"x'{key.hex()}'\"")
        connection.execute("PRAGMA journal_mode=WAL").fetchall()
        connection.execute("PRAGMA user_version=1").fetchall()
    finally:
        connection.close()


def writer_engine(path: Path, key: bytes) -> Engine:
    """The one lane that writes: ``BEGIN IMMEDIATE``, guarded by the authorizer."""

    def guarded() -> Any:
        connection = connect(path, key)
        connection.set_authorizer(guard.authorizer(cipher))
        return connection

    return _engine(guarded, "BEGIN IMMEDIATE", size=1, overflow=0)


def reader_engine(path: Path, key: bytes) -> Engine:
    """Readers see the last committed state and never wait for the writer.

    Several connections, so that a read inside a read or in another thread does not wait; the
    last one used is taken first, which keeps one cache warm.
    """
    setup = (*SETUP, "query_only=ON")
    return _engine(
        lambda: connect(path, key, setup=setup), "BEGIN", size=_READERS, overflow=_MORE_READERS
    )


def _engine(creator: Callable[[], Any], begin: str, *, size: int, overflow: int) -> Engine:
    engine = create_engine(
        "sqlite+pysqlite://",
        module=cipher,
        creator=creator,
        poolclass=QueuePool,
        pool_size=size,
        max_overflow=overflow,
        pool_use_lifo=True,
        pool_timeout=_READER_WAIT_S,
        hide_parameters=True,  # values are personal data; exceptions end in logs
    )
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(begin))
    return engine


class FileStore:
    """The tables of an open book in its file: what :class:`desktop.storage.opened.Book` stands on.

    The last connection that goes empties and removes the WAL.
    """

    dialect = "sqlite"

    def __init__(self, file: Path, key: bytes) -> None:
        self._damaged_pages = lambda: damaged_pages(file, key)
        self.writer = writer_engine(file, key)
        self.reader = reader_engine(file, key)

    def translated(self, *, reading: bool = False) -> AbstractContextManager[None]:
        """Faults of disk and file in our words."""
        return faults.translated(self._damaged_pages, reading=reading)

    def give_up(self, session: Session, error: BaseException) -> None:
        """Roll back; after damage the whole connection is in error state and must go."""
        if faults.is_damage(error):
            session.invalidate()
        else:
            session.rollback()

    def close(self) -> None:
        self.reader.dispose()
        self.writer.dispose()

"""A database file copied as it stood at one instant, and the proof that a copy is just that.

The file is copied as it lies on the disk, ciphertext and seals, and each seal is checked in
passing. The database's own ways are not used for that: its backup interface opens and seals every
page anew, and reports success over a damaged page (tried: every time).

What makes the plain copy whole: the write-ahead log is emptied into the file, then a reader that
needs the file alone stays open. As long as it is there nobody moves anything into the file;
writers go on in the log. It knows no bundle and no folder.
"""

from __future__ import annotations

import hashlib
import os
import time
import weakref
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from sqlcipher3 import dbapi2 as cipher

from desktop.errors import Cancelled
from desktop.jobs import CancelToken, Progress, silent
from desktop.storage import faults, migrate, pages
from desktop.storage.backup_store import forget_cached
from desktop.storage.bundle import Contents, Head
from desktop.storage.engine import connect

_INSTRUCTIONS = 100_000
"""Of the database's machine between two looks at the cancel token: some milliseconds."""
_CACHE = ("cache_size=-65536", "synchronous=FULL")
_CHECK_CACHE = ("cache_size=-262144",)
"""A structure check with a small cache is forty times slower."""
_WAIT_S = 60
_PAUSE_S = 0.05
_AT_ONCE = 256 * pages.PAGE


class Taken(NamedTuple):
    """What a snapshot must contain, the salt of the book's own file, and the digest of the copy
    where every seal was checked while it was made; both empty where a server had the tables."""

    contents: Contents
    salt: bytes = b""
    sha256: str = ""


class OpenBook(Protocol):
    """Whoever has the file open in this process."""

    def alone(self) -> AbstractContextManager[None]:
        """Nobody else of this process writes inside the block."""


def copy_database(
    source: Path,
    target: Path,
    key: bytes,
    progress: Progress = silent,
    cancel: CancelToken | None = None,
    *,
    book: OpenBook | None = None,
) -> Taken:
    """Copy an open or closed database into ``target`` (absent), safe on disk.

    Whether the disk gives it back is for the caller to prove. Raises the driver's errors,
    ``book_damaged``, ``book_busy``, ``Cancelled`` and :class:`OSError`; a half-written target is
    the caller's to remove.
    """
    handle = _reading_handle(source, book)
    try:
        with closing(connect(source, key, setup=_CACHE)) as live, stoppable(live, cancel):
            with nullcontext() if book is None else book.alone():
                _hold_still(live, source, cancel)
            contents = contents_of(live)
            looked = _copy_pages(handle, target, key, progress, cancel)
            live.execute("ROLLBACK")
    finally:
        if book is None or os.name != "posix":
            os.close(handle)
    if looked.bad:
        raise faults.damaged(looked.bad)
    return Taken(contents, pages.salt_of(target), looked.sha256)


_handles: weakref.WeakKeyDictionary[Any, list[int]] = weakref.WeakKeyDictionary()


def _reading_handle(file: Path, book: OpenBook | None) -> int:
    """A handle of our own on a database file.

    POSIX lets go of *all* locks a process has on a file as soon as it closes any handle on it: the
    database would believe it holds locks it no longer has. So beside an open book the handle stays
    open as long as the book lives, one for each file it ever had.
    """
    facts = file.stat()
    kept = [] if book is None else _handles.setdefault(book, [])
    for handle in kept:
        if os.path.samestat(os.fstat(handle), facts):
            os.lseek(handle, 0, os.SEEK_SET)
            return handle
    handle = os.open(file, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    if book is not None and os.name == "posix":
        kept.append(handle)
        weakref.finalize(book, os.close, handle)
    return handle


def _hold_still(live: Any, file: Path, cancel: CancelToken | None) -> None:
    """Empty the log and hold a read transaction that begins with it empty.

    Raises ``book_busy`` when others read or write without a pause for a minute.
    """
    log = file.with_name(f"{file.name}-wal")
    patience = time.monotonic() + _WAIT_S
    while True:
        live.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        live.execute("BEGIN")
        live.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        if not log.exists() or not log.stat().st_size:
            return
        live.execute("ROLLBACK")
        if time.monotonic() > patience:
            raise faults.busy()
        if cancel is not None:
            cancel.raise_if_set()
        time.sleep(_PAUSE_S)


def _copy_pages(
    handle: int, target: Path, key: bytes, progress: Progress, cancel: CancelToken | None
) -> pages.Looked:
    total, digest, bad, done, number = os.fstat(handle).st_size, hashlib.sha256(), [], 0, 0
    seals: pages.Seals | None = None
    writing = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(writing, "wb") as copy:
        while block := os.read(handle, _AT_ONCE):
            seals = seals or pages.Seals(key, block[: pages.SALT])
            whole = memoryview(block)
            for at in range(0, len(block) - pages.PAGE + 1, pages.PAGE):
                number += 1
                if not seals.hold(number, whole[at : at + pages.PAGE]):
                    bad.append(number)
            digest.update(block)
            copy.write(block)
            done += len(block)
            progress(done, max(total, done), "复制数据库并核对每一页")
            if cancel is not None:
                cancel.raise_if_set()
        copy.flush()
        os.fsync(copy.fileno())
        forget_cached(copy.fileno())
    if done % pages.PAGE or not done:
        bad.append(number + 1)
    return pages.Looked(tuple(bad), digest.hexdigest(), done)


def contents_of(connection: Any) -> Contents:
    """What an open DB-API connection sees: revision, heads of the chains, rows of every table."""
    names = [
        name
        for (name,) in connection.execute(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
            " ORDER BY name"
        ).fetchall()
    ]
    counts = {
        name: int(connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0])
        for name in names
    }
    heads = []
    if "segment" in counts:
        heads = connection.execute(
            "SELECT project_id, max(sequence), hash FROM segment GROUP BY project_id"
            " ORDER BY project_id"
        ).fetchall()
    return Contents(
        migrate.schema_version(connection),
        tuple(Head(project, sequence, bytes(digest)) for project, sequence, digest in heads),
        counts,
    )


def structure(
    file: Path, key: bytes, progress: Progress = silent, cancel: CancelToken | None = None
) -> Contents | None:
    """What a closed file contains, None when it does not hold together. Leaves no trace."""
    progress(0, 0, "核对数据库结构")
    try:
        opened = connect(file, key, setup=_CHECK_CACHE, frozen=True)
        with closing(opened) as connection, stoppable(connection, cancel):
            if connection.execute("PRAGMA quick_check").fetchall() != [("ok",)]:
                return None
            return contents_of(connection)
    except cipher.DatabaseError:
        return None


def look(
    file: Path, key: bytes, progress: Progress = silent, cancel: CancelToken | None = None
) -> tuple[pages.Looked, Contents | None]:
    """Prove a closed file: every page seal, the digest, the structure, then what it contains.

    The contents are None when the file does not hold together. Touches nothing beside the file.
    """
    looked = pages.look(file, key, progress, cancel)
    return looked, None if looked.bad else structure(file, key, progress, cancel)


@contextmanager
def stoppable(connection: Any, cancel: CancelToken | None) -> Iterator[None]:
    """Long statements of the connection end with ``Cancelled`` once the user asks to stop."""
    if cancel is None:
        yield
        return
    connection.set_progress_handler(cancel.is_set, _INSTRUCTIONS)
    try:
        yield
    except cipher.OperationalError as error:
        if cancel.is_set():
            raise Cancelled from error
        raise
    finally:
        connection.set_progress_handler(None, 0)


def sync(file: Path) -> None:
    """Wait until the file is on the disk."""
    with file.open("rb+") as written:
        os.fsync(written.fileno())

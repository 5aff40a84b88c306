"""An open book: its sessions, its derived keys, its end. It knows no table of any station."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from desktop.clock import Clock
from desktop.storage import faults
from desktop.storage.card import DATABASE_FILE, BookCard
from desktop.storage.engine import reader_engine, writer_engine
from desktop.storage.integrity import DATABASE_KEY, damaged_pages
from desktop.storage.keys import Argon2Cost, DataKey, Slot, SlotName
from desktop.storage.lock import FolderLock
from desktop.storage.sealed import Sealer

_LANE_WAIT_S = 120


class Book:
    """An open book. Threads may share it; sessions never cross threads.

    Lives from :func:`open_book` or ``create_book`` to :meth:`close`; holds the folder's lock.
    """

    def __init__(self, folder: Path, card: BookCard, key: DataKey, clock: Clock, lock: FolderLock):
        """Only ``opening`` and ``creation`` make books: they have checked the folder."""
        self.path = folder
        self.database_file = folder / DATABASE_FILE
        self.book_id = card.book_id
        self.demo = card.demo
        self.clock = clock
        self.sealer = Sealer(key.subkey)
        self._key = key
        self._lock = lock
        self._lane = threading.Lock()
        self._lane_owner: int | None = None
        database_key = key.subkey(DATABASE_KEY)
        self._writer: Engine = writer_engine(self.database_file, database_key)
        self._reader: Engine = reader_engine(self.database_file, database_key)

    def subkey(self, label: str) -> bytes:
        """32 bytes derived from the data key for one purpose."""
        return self._key.subkey(label)

    def slot(self, name: SlotName, secret: bytes, cost: Argon2Cost | None) -> Slot:
        """The data key sealed under another secret, see :mod:`desktop.storage.slot_change`."""
        return Slot.seal(name, self.book_id, self._key, secret, cost)

    @contextmanager
    def write(self) -> Iterator[Session]:
        """The one writing transaction: takes the write lock at once, commits at the end.

        Any exception rolls back all of it. Other threads wait their turn; a write inside a write
        of the same thread is a defect. Objects stay readable after the commit.
        """
        with self._in_lane(), faults.translated(self._damaged_pages):
            session = Session(
                self._writer, expire_on_commit=False, info={"book_id": self.book_id}
            )
            try:
                session.connection()
                yield session
                session.commit()
            except BaseException as error:
                _give_up(session, error)
                raise
            finally:
                session.close()

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A snapshot of the last committed state; nothing can be written through it."""
        with faults.translated(self._damaged_pages, reading=True):
            session = Session(
                self._reader,
                autoflush=False,
                expire_on_commit=False,
                info={"book_id": self.book_id},
            )
            try:
                yield session
            except BaseException as error:
                _give_up(session, error)
                raise
            finally:
                session.close()

    @contextmanager
    def _in_lane(self) -> Iterator[None]:
        here = threading.get_ident()
        if self._lane_owner == here:
            raise RuntimeError("Book.write inside Book.write: pass the session on instead")
        if not self._lane.acquire(timeout=_LANE_WAIT_S):
            raise faults.busy()
        self._lane_owner = here
        try:
            yield
        finally:
            self._lane_owner = None
            self._lane.release()

    def _damaged_pages(self) -> list[int]:
        return damaged_pages(self.database_file, self.subkey(DATABASE_KEY))

    def close(self) -> None:
        """Empty and remove the WAL, let go of the folder; twice is harmless."""
        self._reader.dispose()
        self._writer.dispose()
        self._lock.release()

    def __enter__(self) -> Book:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _give_up(session: Session, error: BaseException) -> None:
    """Roll back; after damage the whole connection is in error state and must go."""
    if faults.is_damage(error):
        session.invalidate()
    else:
        session.rollback()

"""An open book: its sessions, its derived keys, its end. It knows no table of any station."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from desktop.clock import Clock
from desktop.storage import faults, key_ring
from desktop.storage.card import DATABASE_FILE, BookCard
from desktop.storage.key_ring import KeyRing
from desktop.storage.keys import Argon2Cost, DataKey, Slot, SlotName
from desktop.storage.lock import FolderLock
from desktop.storage.read_gate import ReadGate
from desktop.storage.sealed import Sealer

if TYPE_CHECKING:
    from desktop.storage.server_store import ServerStore

_LANE_WAIT_S = 120


class Store(Protocol):
    """Where a book's tables are: a file (``engine.FileStore``) or a server (``ServerStore``)."""

    writer: Engine
    """One connection; its transactions begin with the write lock."""
    reader: Engine

    @property
    def dialect(self) -> str:
        """``sqlite`` or ``postgresql``."""

    def translated(self, *, reading: bool = False) -> AbstractContextManager[None]:
        """Raises the environment's faults met inside the block in our words."""

    def give_up(self, session: Session, error: BaseException) -> None:
        """Undo after ``error``."""

    def close(self) -> None:
        """Let go of all connections."""


class Book:
    """An open book. Threads may share it; sessions never cross threads.

    Lives from :func:`open_book` or ``create_book`` to :meth:`close`; holds the folder's lock.
    """

    def __init__(
        self,
        folder: Path,
        card: BookCard,
        key: DataKey,
        clock: Clock,
        lock: FolderLock,
        store: Store,
    ) -> None:
        """Only ``opening`` makes books: it has checked folder and tables."""
        self.path = folder
        self.database_file = folder / DATABASE_FILE
        self.book_id = card.book_id
        self.demo = card.demo
        self.clock = clock
        self.ring = KeyRing.of(key, card.book_id, key_ring.stored(store, key.generation))
        self.sealer = Sealer.of(self.ring)
        self._lock = lock
        self._gate = ReadGate()
        self.opened_by = ""
        """The way that gave the key: a slot's name, empty for a book that was just made."""
        self.notices: list[str] = []
        """Sentences for the user: what the opening found cut off and ended."""
        self._lane = threading.Lock()
        self._lane_owner: int | None = None
        self._store = store

    @property
    def dialect(self) -> str:
        """``sqlite`` for a file, ``postgresql`` for a server; ``database_file`` is the file's."""
        return self._store.dialect

    @property
    def server(self) -> ServerStore | None:
        """The server's side of the book, None for a file."""
        return self._store if self._store.dialect == "postgresql" else None  # type: ignore[return-value]

    def subkey(self, label: str) -> bytes:
        """32 bytes derived from the newest data key for one purpose; earlier ones: ``ring``."""
        return self.ring.subkey(label)

    def slot(self, name: SlotName, secret: bytes, cost: Argon2Cost | None) -> Slot:
        """The data key sealed under another secret, see :mod:`desktop.storage.slot_change`."""
        return Slot.seal(name, self.book_id, self.ring.newest, secret, cost)

    @contextmanager
    def write(self) -> Iterator[Session]:
        """The one writing transaction: takes the write lock at once, commits at the end.

        Any exception rolls back all of it. Other threads (and on a server other computers) wait
        their turn; a write inside a write of the same thread is a defect. Objects stay readable
        after the commit. ``server_away`` means that nothing was kept.
        """
        with self._in_lane(), self._store.translated():
            session = Session(
                self._store.writer, expire_on_commit=False, info={"book_id": self.book_id}
            )
            try:
                session.connection()
                if self.dialect == "postgresql":
                    key_ring.refuse_renewed(session, self.ring)
                yield session
                session.commit()
            except BaseException as error:
                self._store.give_up(session, error)
                raise
            finally:
                session.close()

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A snapshot of the last committed state; nothing can be written through it."""
        with self._gate.passing(), self._store.translated(reading=True):
            session = Session(
                self._store.reader,
                autoflush=False,
                expire_on_commit=False,
                info={"book_id": self.book_id},
            )
            try:
                yield session
            except BaseException as error:
                self._store.give_up(session, error)
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

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Nobody else writes inside the block; reading goes on. Nothing is begun. Again inside it
        is harmless."""
        if self._lane_owner == threading.get_ident():
            yield
            return
        with self._in_lane():
            yield

    @contextmanager
    def at_rest(self) -> Iterator[None]:
        """Inside :meth:`alone`: nobody reads either, all connections are closed."""
        with self._gate.shut():
            self._store.close()
            yield

    def take(self, ring: KeyRing, store: Store | None = None) -> None:
        """Go on under a new data key; with other tables (``store``) only inside :meth:`at_rest`."""
        self._store = store or self._store
        self.ring = ring
        self.sealer.renew(ring)

    def close(self) -> None:
        """Let go of tables and folder (a file's WAL is emptied); twice is harmless."""
        self._store.close()
        self._lock.release()

    def __enter__(self) -> Book:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

"""A book whose server cannot be reached: its folder and its key, and nothing else.

Reading and writing raise what opening raised; what a station keeps in the folder under a sub-key
of the book (records that wait, terminals that are known) can be used. It never turns into the real
book by itself: when the server is back, close it and open the book with all its checks.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

from desktop.clock import Clock
from desktop.errors import EnvironmentFault
from desktop.paths import refuse_unsafe_folder
from desktop.storage import unlock
from desktop.storage.card import DATABASE_FILE, BookCard
from desktop.storage.lock import FolderLock
from desktop.storage.opened import Book

if TYPE_CHECKING:
    from desktop.storage.company_keys import CompanyPrivate
    from desktop.storage.keys import DataKey

DIALECT = "away"


class AwayBook(Book):
    """Holds the folder's lock like any book. ``fault`` is why there is no more to it."""

    def __init__(
        self, folder: Path, card: BookCard, key: DataKey, clock: Clock, lock: FolderLock,
        fault: EnvironmentFault,
    ) -> None:
        self.path = folder
        self.database_file = folder / DATABASE_FILE
        self.book_id = card.book_id
        self.demo = card.demo
        self.clock = clock
        self.opened_by = ""
        self.notices = []
        self.fault = fault
        self._key = key
        self._lock = lock

    @property
    def dialect(self) -> str:
        return DIALECT

    @property
    def server(self) -> None:
        return None

    def subkey(self, label: str) -> bytes:
        return self._key.subkey(label)

    @contextmanager
    def write(self) -> Iterator[Session]:
        raise self._again()
        yield

    @contextmanager
    def read(self) -> Iterator[Session]:
        raise self._again()
        yield

    def close(self) -> None:
        self._lock.release()

    def _again(self) -> EnvironmentFault:
        return EnvironmentFault(self.fault.code, self.fault.message, **self.fault.facts)


def open_away(
    folder: Path,
    clock: Clock,
    fault: EnvironmentFault,
    *,
    passphrase: str | None = None,
    recovery_code: str | None = None,
    company: CompanyPrivate | None = None,
) -> AwayBook:
    """The folder of a book whose opening raised ``fault`` (``server_away``).

    Raises as ``open_book`` does when the key is not found; ``fault`` itself for a book in a file,
    or when two keys are known and only the server could say which one is in force.
    """
    refuse_unsafe_folder(folder)
    card = BookCard.read(folder)
    if card.server is None:
        raise fault
    lock = FolderLock(folder)
    try:
        found = unlock.unlocked(
            folder, card, passphrase=passphrase, recovery_code=recovery_code, company=company,
            fits=lambda _: False,
        )
        if not found.sure:
            raise fault
        return AwayBook(folder, card, found.key, clock, lock, fault)
    except BaseException:
        lock.release()
        raise

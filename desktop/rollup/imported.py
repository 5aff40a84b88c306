"""A book that came as a roll-up: opened for reading, refusing every act that would change it.

It stands where services expect a :class:`Book`, so that everything that only reads works on it.
The file is opened unchangeable (no lock, no WAL): nothing at all can be written into it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.orm import Session
from sqlalchemy.pool import QueuePool
from sqlcipher3 import dbapi2 as cipher

from desktop.clock import Clock
from desktop.errors import Refused
from desktop.rollup.manifest import Manifest
from desktop.storage import faults
from desktop.storage.book import Book
from desktop.storage.card import BookCard
from desktop.storage.engine import connect
from desktop.storage.integrity import DATABASE_KEY, damaged_pages
from desktop.storage.keys import DataKey
from desktop.storage.lock import FolderLock

_SETUP = (
    "query_only=ON", "trusted_schema=OFF", "cell_size_check=ON", "temp_store=MEMORY",
    "cache_size=-65536",
)
_READERS = 4


class ImportedBook(Book):
    """Read-only. Lives until :meth:`close`; several may be open on one file."""

    def __init__(self, file: Path, manifest: Manifest, key: DataKey, clock: Clock) -> None:
        """Does not touch the file yet; a wrong key shows at the first read. ``file`` is named as
        in every book."""
        store = _FrozenStore(file, key.subkey(DATABASE_KEY))
        card = BookCard(manifest.book_id, manifest.demo)
        super().__init__(file.parent, card, key, clock, _NoLock(), store)

    @contextmanager
    def write(self) -> Iterator[Session]:
        """Refused, always."""
        _refuse()
        yield Session()  # what makes this a context manager like the one it stands for

    def __enter__(self) -> ImportedBook:
        return self


def _refuse() -> None:
    raise Refused(
        "rollup_read_only",
        "这是项目部上报的汇总，只能查看，不能修改，什么也没有写入。要改请在项目部的账本里改，再重新上报。",
    )


class _NoLock(FolderLock):
    """Nothing is locked that nobody can change."""

    def __init__(self) -> None:
        self._handle = None


class _FrozenStore:
    """The tables in a file that is never written."""

    dialect = "sqlite"

    def __init__(self, file: Path, key: bytes) -> None:
        self._damaged_pages = lambda: damaged_pages(file, key)
        self.reader: Engine = create_engine(
            "sqlite+pysqlite://",
            module=cipher,
            creator=lambda: connect(file, key, setup=_SETUP, frozen=True),
            poolclass=QueuePool,
            pool_size=_READERS,
            hide_parameters=True,
        )
        event.listen(self.reader, "begin", lambda link: link.exec_driver_sql("BEGIN"))
        self.writer = self.reader

    def translated(self, *, reading: bool = False) -> AbstractContextManager[None]:
        return faults.translated(self._damaged_pages, reading=reading)

    def give_up(self, session: Session, error: BaseException) -> None:
        if faults.is_damage(error):
            session.invalidate()
        else:
            session.rollback()

    def close(self) -> None:
        self.reader.dispose()

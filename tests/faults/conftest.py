"""One rich book per test process; every test works on a copy."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from desktop.access.desk import Desk
from desktop.bootstrap import Office
from desktop.clock import FixedClock
from desktop.punches.verification import LedgerVerdict
from desktop.storage.book import Book, open_book
from desktop.storage.chain import Checkpoint
from tests.conftest import PASSPHRASE
from tests.faults.rich_book import fill
from tests.retention.site_over import ADMINISTRATOR
from tests.storage.rig import database_key

NEXT_DAY = datetime(2026, 12, 2, 0, 0, tzinfo=UTC)
MUCH_LATER = datetime(2030, 9, 2, 0, 0, tzinfo=UTC)


@dataclass
class Rich:
    """The closed book, the key of its file, and the head that somebody wrote down."""

    folder: Path
    key: bytes
    head: Checkpoint

    @property
    def file(self) -> Path:
        return self.folder / "book.db"

    def copy(self, folder: Path) -> Rich:
        """A copy nobody has opened."""
        return Rich(Path(shutil.copytree(self.folder, folder)), self.key, self.head)

    def open(self) -> Book:
        return open_book(self.folder, FixedClock(MUCH_LATER), passphrase=PASSPHRASE)

    def verify(self, *kept: Checkpoint, pages: tuple[str, ...] = ()) -> LedgerVerdict:
        """What ``ledger verify`` says, with what was kept elsewhere."""
        with self.open() as book:
            return verdict_of(book, *kept, pages=pages)


def verdict_of(book: Book, *kept: Checkpoint, pages: tuple[str, ...] = ()) -> LedgerVerdict:
    """The same of an open book."""
    office = Office(book, Desk(book, 1, ADMINISTRATOR))
    return office.verify_ledger(checkpoints=kept, pages=pages)


@pytest.fixture(scope="session")
def rich_template(tmp_path_factory: pytest.TempPathFactory, site_template: Path) -> Rich:
    folder = tmp_path_factory.mktemp("template") / "rich"
    shutil.copytree(site_template, folder)
    clock = FixedClock(NEXT_DAY)
    with open_book(folder, clock, passphrase=PASSPHRASE) as book:
        fill(Desk(book, 1, ADMINISTRATOR), clock, tmp_path_factory.mktemp("scratch"))
        key = database_key(book)
    found = Rich(folder, key, Checkpoint(0, b""))
    verdict = found.verify()
    assert verdict.ok and verdict.head is not None, verdict.flaws
    found.head = Checkpoint(verdict.sequence, bytes.fromhex(verdict.head))
    return found


@pytest.fixture
def rich(rich_template: Rich, tmp_path: Path) -> Rich:
    return rich_template.copy(tmp_path / "rich")


@pytest.fixture
def rich_copies(rich_template: Rich, tmp_path: Path) -> Callable[[], Rich]:
    """One fresh copy after the other, in the same place to save space."""
    made: list[Rich] = []

    def copy() -> Rich:
        for one in made:
            shutil.rmtree(one.folder, ignore_errors=True)
        made.append(rich_template.copy(tmp_path / f"copy-{len(made)}"))
        return made[-1]

    return copy

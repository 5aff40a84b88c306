"""What every room's tests stand on: a still clock, a fresh book, a desk at the sample site.

Nothing is mocked: books are real encrypted folders. Making one costs a second, so each is made
once per worker process and its closed folder is copied for every test.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from desktop.access.actor import Actor, Role
from desktop.access.desk import Desk
from desktop.clock import FixedClock
from desktop.storage.book import Book, create_book, open_book
from desktop.storage.keys import Argon2Cost
from tests.sample_site import insert_project

PASSPHRASE = "样例口令 sample"
CHEAP = Argon2Cost(memory_kib=64, iterations=1, lanes=1)
"""Work of one guess in tests only; the program itself never passes a cost."""

NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")


@pytest.fixture(scope="session", autouse=True)
def own_folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Settings, logs and default books of the machine's user are out of reach."""
    home = tmp_path_factory.mktemp("home")
    names = ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME")
    with pytest.MonkeyPatch.context() as patch:
        for name in names:
            patch.setenv(name, str(home / name.lower()))
        patch.delenv("SITEMUSTER_DATA_DIR", raising=False)
        yield


@pytest.fixture
def clock() -> FixedClock:
    """Tuesday 2026-11-24, 16:00 on site."""
    return FixedClock(NOW)


@pytest.fixture(scope="session")
def empty_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A closed book without any project; never opened, only copied."""
    folder = tmp_path_factory.mktemp("template") / "book"
    book, _ = create_book(folder, FixedClock(NOW), passphrase=PASSPHRASE, cost=CHEAP)
    book.close()
    return folder


@pytest.fixture(scope="session")
def site_template(tmp_path_factory: pytest.TempPathFactory, empty_template: Path) -> Path:
    """A closed book with the sample project; never opened, only copied."""
    folder = tmp_path_factory.mktemp("template") / "site"
    shutil.copytree(empty_template, folder)
    clock = FixedClock(NOW)
    with open_book(folder, clock, passphrase=PASSPHRASE) as book, book.write() as session:
        insert_project(session, clock, folder.parent)
    return folder


@pytest.fixture
def open_copy(tmp_path: Path, clock: FixedClock) -> Iterator[Callable[[Path], Book]]:
    """Copies a template into this test's folder and opens it; closed at the end."""
    opened: list[Book] = []

    def copy(template: Path) -> Book:
        folder = tmp_path / f"book-{len(opened)}"
        shutil.copytree(template, folder)
        opened.append(open_book(folder, clock, passphrase=PASSPHRASE))
        return opened[-1]

    yield copy
    for book in opened:
        book.close()


@pytest.fixture
def book(open_copy: Callable[[Path], Book], empty_template: Path) -> Book:
    """A fresh open book without a project."""
    return open_copy(empty_template)


@pytest.fixture
def desk(open_copy: Callable[[Path], Book], site_template: Path) -> Desk:
    """An administrator's desk at the sample site (:mod:`tests.sample_site`)."""
    return Desk(open_copy(site_template), 1, Actor("管理员", Role.ADMINISTRATOR))

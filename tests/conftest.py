"""What every room's tests stand on: a still clock, a fresh book, a desk at the sample site.

Nothing is mocked: books are real encrypted folders. Making one costs a second, so each is made
once per worker process and its closed folder is copied for every test. With ``--engine postgresql``
the same fixtures give books whose tables are on a private server: there a database is copied along.
"""

from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from desktop.access.actor import Actor, Role
from desktop.access.desk import Desk
from desktop.clock import FixedClock
from desktop.storage.book import Book, create_book, open_book
from desktop.storage.card import BookCard
from desktop.storage.keys import Argon2Cost
from tests.sample_site import insert_project

if TYPE_CHECKING:
    from tests.server.rig import Server

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


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--engine", choices=("sqlite", "postgresql"), default="sqlite",
        help="where the tables of the shared fixtures' books are",
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """On a server only what stands on the shared books runs, and not what is about the file."""
    if config.getoption("--engine") == "postgresql":
        chosen = [item for item in items if _for_servers(item)]
        config.hook.pytest_deselected(items=[item for item in items if item not in chosen])
        items[:] = chosen


def _for_servers(item: pytest.Item) -> bool:
    uses_a_book = "empty_template" in getattr(item, "fixturenames", ())
    return uses_a_book and item.get_closest_marker("file_only") is None


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """A private PostgreSQL of this worker process."""
    from tests.server.rig import Server

    with Server() as running:
        yield running


Copy = Callable[[Path, Path], Path]
"""``copy(template, folder)``: a closed book's twin in ``folder``, which is returned."""


@pytest.fixture(scope="session")
def copy_for_good(request: pytest.FixtureRequest) -> Copy:
    """Copies that stay until the end of the run."""
    return _copier(request)


@pytest.fixture
def copy_book(request: pytest.FixtureRequest) -> Copy:
    """Copies of a test; what they have on a server goes with it."""
    return _copier(request)


_numbers = itertools.count(1)


def _copier(request: pytest.FixtureRequest) -> Copy:
    def copy(template: Path, folder: Path) -> Path:
        shutil.copytree(template, folder)
        card = BookCard.read(folder)
        if card.server is not None:
            running: Server = request.getfixturevalue("server")
            twin = replace(card.server, database=f"copy_{next(_numbers)}")
            running.clone(card.server.database, twin.database)
            request.addfinalizer(lambda: running.drop(twin.database))
            replace(card, database=str(twin)).write(folder)
        return folder

    return copy


@pytest.fixture(scope="session")
def empty_template(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Path:
    """A closed book without any project; never opened, only copied."""
    folder = tmp_path_factory.mktemp("template") / "book"
    where = None
    if request.config.getoption("--engine") == "postgresql":
        from desktop.storage.server_creation import NewServerBook

        where = NewServerBook(request.getfixturevalue("server").url(database="template_empty"))
    book, _ = create_book(folder, FixedClock(NOW), passphrase=PASSPHRASE, cost=CHEAP, server=where)
    book.close()
    return folder


@pytest.fixture(scope="session")
def site_template(
    tmp_path_factory: pytest.TempPathFactory, empty_template: Path, copy_for_good: Copy
) -> Path:
    """A closed book with the sample project; never opened, only copied."""
    folder = copy_for_good(empty_template, tmp_path_factory.mktemp("template") / "site")
    clock = FixedClock(NOW)
    with open_book(folder, clock, passphrase=PASSPHRASE) as book, book.write() as session:
        insert_project(session, clock, folder.parent)
    return folder


@pytest.fixture
def open_copy(
    tmp_path: Path, clock: FixedClock, copy_book: Copy
) -> Iterator[Callable[[Path], Book]]:
    """Copies a template into this test's folder and opens it; closed at the end."""
    opened: list[Book] = []

    def copy(template: Path) -> Book:
        folder = copy_book(template, tmp_path / f"book-{len(opened)}")
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

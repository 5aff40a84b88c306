"""The finished site: built once per worker process, its closed folder copied for every test."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from desktop.access.desk import Desk
from desktop.clock import FixedClock
from desktop.retention.rules import RecordClass
from desktop.storage.book import Book, open_book
from tests.conftest import NOW, PASSPHRASE, Copy
from tests.retention.site_over import ADMINISTRATOR, Site, build, built, over, purged


@pytest.fixture(scope="session")
def working_site(
    tmp_path_factory: pytest.TempPathFactory, site_template: Path, copy_for_good: Copy
) -> Path:
    """A closed book: everybody has left, nothing is due yet."""
    room = tmp_path_factory.mktemp("working")
    folder = copy_for_good(site_template, room / "book")
    clock = FixedClock(NOW)
    with open_book(folder, clock, passphrase=PASSPHRASE) as book:
        build(Desk(book, 1, ADMINISTRATOR), clock, room)
    return folder


@pytest.fixture(scope="session")
def over_site(
    tmp_path_factory: pytest.TempPathFactory, working_site: Path, copy_for_good: Copy
) -> Path:
    """The same on the day everything falls due."""
    folder = copy_for_good(working_site, tmp_path_factory.mktemp("over") / "book")
    clock = FixedClock(NOW)
    with open_book(folder, clock, passphrase=PASSPHRASE) as book:
        over(built(Desk(book, 1, ADMINISTRATOR), clock))
    return folder


OpenCopy = Callable[[Path], Book]


@pytest.fixture
def working(open_copy: OpenCopy, working_site: Path, clock: FixedClock) -> Site:
    """At the second of December 2026."""
    site = built(Desk(open_copy(working_site), 1, ADMINISTRATOR), clock)
    return site.on(2026, 12, 2)


@pytest.fixture
def site(open_copy: OpenCopy, over_site: Path, clock: FixedClock) -> Site:
    """On the day everything falls due."""
    return built(Desk(open_copy(over_site), 1, ADMINISTRATOR), clock).on(2030, 6, 30)


@pytest.fixture(scope="session")
def erased_site(
    tmp_path_factory: pytest.TempPathFactory, over_site: Path, copy_for_good: Copy
) -> Path:
    """The same after the one person was erased."""
    folder = copy_for_good(over_site, tmp_path_factory.mktemp("erased") / "book")
    clock = FixedClock(NOW)
    with open_book(folder, clock, passphrase=PASSPHRASE) as book:
        site = built(Desk(book, 1, ADMINISTRATOR), clock).on(2030, 6, 30)
        purged(site, RecordClass.ATTENDANCE)
        purged(site, RecordClass.LEDGER, workers=[1001])
    return folder


@pytest.fixture
def erased(open_copy: OpenCopy, erased_site: Path, clock: FixedClock) -> Site:
    """A month after the erasure."""
    return built(Desk(open_copy(erased_site), 1, ADMINISTRATOR), clock).on(2030, 8, 1)

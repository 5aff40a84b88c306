"""Several PCs on one book: folders of their own, one database on the private server.

The book is made once per worker process; every test gets a copy of the database and as many PCs as
it asks for. A second PC is a copy of the first one's folder, as an office would set it up: lock,
workstation and what waits are its own.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from desktop.access.actor import Actor, Role
from desktop.access.desk import Desk
from desktop.clock import Clock, FixedClock
from desktop.storage import workstation
from desktop.storage.book import Book, create_book, open_book
from desktop.storage.card import BookCard
from desktop.storage.server_creation import NewServerBook
from tests.conftest import CHEAP, NOW, PASSPHRASE
from tests.sample_site import insert_project
from tests.server.rig import Server

_TEMPLATE = "pcs_template"
_made: dict[int, Path] = {}


def template(server: Server, folder: Path) -> Path:
    """The closed folder of a book with the sample project, its tables in :data:`_TEMPLATE`."""
    held = _made.get(server.port)
    if held is None:
        clock = FixedClock(NOW)
        where = NewServerBook(server.url(database=_TEMPLATE))
        book, _ = create_book(folder / "book", clock, passphrase=PASSPHRASE, cost=CHEAP, server=where)
        with book.write() as session:
            insert_project(session, clock, folder)
        book.close()
        held = _made[server.port] = folder / "book"
    return held


class Pcs:
    """The PCs of one test."""

    def __init__(self, server: Server, source: Path, folder: Path, database: str) -> None:
        self.server = server
        self.database = database
        self.folder = folder
        self._source = source
        self._books: list[Book] = []
        server.clone(_TEMPLATE, database)

    def setup(self, name: str) -> Path:
        """The closed folder of a PC called ``name``."""
        place = self.folder / name
        shutil.copytree(self._source, place)
        card = BookCard.read(place)
        assert card.server is not None
        replace(card, database=str(replace(card.server, database=self.database))).write(place)
        workstation.rename(place, name)
        return place

    def open(self, place: Path, clock: Clock | None = None) -> Book:
        """Open it; closed with the test."""
        book = open_book(place, clock or FixedClock(NOW), passphrase=PASSPHRASE)
        self._books.append(book)
        return book

    def desk(
        self, name: str, actor: str = "", role: Role = Role.ADMINISTRATOR,
        clock: Clock | None = None,
    ) -> Desk:
        """An open desk at a new PC."""
        return Desk(self.open(self.setup(name), clock), 1, Actor(actor or f"{name}用户", role))

    def close(self) -> None:
        for book in self._books:
            book.close()
        self.server.drop(self.database)


@pytest.fixture
def pcs(
    server: Server, tmp_path_factory: pytest.TempPathFactory, tmp_path: Path,
    request: pytest.FixtureRequest,
) -> Iterator[Pcs]:
    """A book on the server without any PC yet."""
    source = template(server, tmp_path_factory.mktemp("pcs"))
    number = len(_numbers)
    _numbers.append(number)
    made = Pcs(server, source, tmp_path, f"pcs_{number}")
    yield made
    made.close()


_numbers: list[int] = []

Make = Callable[[str], Desk]

"""Two projects in one book on the private server, and what a member of one can reach."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from desktop.access.actor import Actor, Role
from desktop.access.desk import Desk
from desktop.attendance import calendar
from desktop.clock import FixedClock
from desktop.demo.people import invent_people
from desktop.people.roster_import import import_roster
from desktop.punches.ledger import Origin
from desktop.site.project_file import read_project_file
from desktop.site.setup import create_project
from desktop.storage import server_admin, server_connection, server_login
from desktop.storage.book import create_book
from desktop.storage.card import BookCard
from desktop.storage.server_address import ServerAddress
from desktop.storage.server_connection import Login
from desktop.storage.server_creation import NewServerBook
from tests.conftest import CHEAP, NOW, PASSPHRASE
from tests.people.sheets import row_of, write_xlsx
from tests.punches.rig import keep, punches, terminal, unusable
from tests.sample_site import insert_project
from tests.server.rig import Server

PEOPLE = invent_people(6)
"""Three on the first project, three on the second."""


@dataclass
class Two:
    """Two projects, each with people, a terminal and a ledger, and a raw login for each."""

    server: Server
    database: str
    first: Desk
    second: Desk
    logins: dict[int, Login]

    def psql(self, project: int) -> Any:
        """What somebody does who has found the password of his PC's login."""
        return server_connection.open_connection(self.logins[project], autocommit=True)

    def folder_of(self, project: int, folder: Path) -> Path:
        """A PC's closed folder with the login of one project."""
        shutil.copytree(self.first.book.path, folder)
        login = self.logins[project]
        card = BookCard(self.first.book.book_id, database=str(login.address))
        card.write(folder)
        server_login.write(folder, card, self.first.book.ring.newest, login.password)
        return folder


@pytest.fixture(scope="module")
def two(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Two]:
    """Made once per module."""
    room, clock = tmp_path_factory.mktemp("two"), FixedClock(NOW)
    url = server.url(database="two_projects")
    book, _ = create_book(
        room / "book", clock, passphrase=PASSPHRASE, cost=CHEAP, server=NewServerBook(url)
    )
    try:
        with book.write() as session:
            insert_project(session, clock, room)
        toml = (room / "project.toml").read_text("utf-8")
        (room / "project.toml").write_text(toml.replace("2026-0001", "2026-0002"), "utf-8")
        with book.write() as session:
            assert create_project(session, clock, read_project_file(room / "project.toml")) == 2
        desks = [Desk(book, number, Actor("管理员", Role.ADMINISTRATOR)) for number in (1, 2)]
        for number, desk in enumerate(desks):
            _fill(desk, room, number)
        address, password = ServerAddress.parse(url)
        admin = server_admin.Administrator(Login(address, password or ""))
        logins = {
            number: admin.add_member(f"two_projects_p{number}", (number,), everywhere=False)
            for number in (1, 2)
        }
        yield Two(server, "two_projects", desks[0], desks[1], logins)
    finally:
        book.close()
        server.drop("two_projects")


def _fill(desk: Desk, room: Path, number: int) -> None:
    gate = terminal(desk, f"门{number}")
    keep(desk, gate, punches(30), aside=[unusable()])
    keep(desk, gate, punches(3), Origin.USB)
    people = PEOPLE[3 * number : 3 * number + 3]
    roster = write_xlsx(room / f"{number}.xlsx", [row_of(one) for one in people])
    assert not import_roster(desk, roster).rejected
    calendar.add_stop(desk, date(2026, 3, 2), date(2026, 3, 3), reason="暴雨")

"""A book with its administrator, an officer and a technician; a password costs too much to set
anew for every test."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from desktop.access.actor import Actor, Role
from desktop.access.desk import Desk
from desktop.access.users import add_user
from desktop.clock import FixedClock
from desktop.storage.book import Book, open_book
from tests.access.rig import ADMINISTRATOR, PASSWORD, PEOPLE, with_administrator
from tests.conftest import NOW, PASSPHRASE, Copy


@pytest.fixture(scope="session")
def users_template(
    site_template: Path, copy_for_good: Copy, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A closed book with three users; never opened, only copied."""
    folder = copy_for_good(site_template, tmp_path_factory.mktemp("template") / "users")
    with open_book(folder, FixedClock(NOW), passphrase=PASSPHRASE) as book:
        desk = with_administrator(Desk(book, 1, Actor(ADMINISTRATOR, Role.ADMINISTRATOR)))
        for role in (Role.LABOUR_OFFICER, Role.TECHNICIAN):
            add_user(desk, PEOPLE[role], role, PASSWORD)
    return folder


@pytest.fixture
def peopled(open_copy: Callable[[Path], Book], users_template: Path) -> Desk:
    """The administrator's desk in a book of three: he is 1, the officer 2, the technician 3."""
    return Desk(open_copy(users_template), 1, Actor(ADMINISTRATOR, Role.ADMINISTRATOR))

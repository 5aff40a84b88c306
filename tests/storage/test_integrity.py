"""Every flipped byte of the database file is found and its page named."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import pytest
from sqlalchemy import text

from desktop.access import audit
from desktop.access.desk import Desk
from desktop.clock import FixedClock
from desktop.errors import EnvironmentFault
from desktop.storage import chain
from desktop.storage.book import open_book
from desktop.storage.integrity import check_pages
from tests.conftest import NOW, PASSPHRASE
from tests.storage.rig import KIND, PROJECT, add_segment, add_terminal, read_sample

PAGE = 4096
CLOCK = FixedClock(NOW)


@pytest.fixture
def closed(desk: Desk) -> Path:
    """A book with a ledger of a few dozen pages."""
    with desk.book.write() as session:
        add_terminal(session)
        rows = [(str(at), at.to_bytes(2, "big") * 100) for at in range(400)]
        add_segment(session, desk.clock, rows)
    desk.book.close()
    return desk.book.path


def flip(folder: Path, at: int) -> None:
    with (folder / "book.db").open("r+b") as file:
        file.seek(at)
        byte = file.read(1)[0]
        file.seek(at)
        file.write(bytes([byte ^ 1]))


def test_an_untouched_file_has_no_damaged_page(closed: Path) -> None:
    with open_book(closed, CLOCK, passphrase=PASSPHRASE) as book:
        assert check_pages(book) == []


def test_a_flipped_byte_anywhere_is_found_and_its_page_named(closed: Path, tmp_path: Path) -> None:
    size = (closed / "book.db").stat().st_size
    dice = random.Random(7)
    places = [0, 15, 16, PAGE - 1, PAGE, size - 1, *(dice.randrange(size) for _ in range(40))]
    for number, place in enumerate(places):
        folder = Path(shutil.copytree(closed, tmp_path / f"copy-{number}"))
        flip(folder, place)
        assert place // PAGE + 1 in found(folder), place
        shutil.rmtree(folder)


def found(folder: Path) -> list[int]:
    """Damaged pages, however they come to light: at opening, or by the check."""
    try:
        with open_book(folder, CLOCK, passphrase=PASSPHRASE) as book:
            return check_pages(book)
    except EnvironmentFault as fault:
        assert fault.code == "book_damaged" and "备份" in fault.message
        pages: list[int] = fault.facts["pages"]
        return pages




def test_damage_met_while_verifying_is_named_by_page(closed: Path, tmp_path: Path) -> None:
    """The read itself fails then; the fault still names the page, and other reads go on."""
    readers = {audit.KIND: audit.leaves, KIND: read_sample}
    size = (closed / "book.db").stat().st_size
    met = 0
    for page in range(size // PAGE - 30, size // PAGE):
        folder = Path(shutil.copytree(closed, tmp_path / f"copy-{page}"))
        flip(folder, (page - 1) * PAGE + 100)
        with open_book(folder, CLOCK, passphrase=PASSPHRASE) as book:
            try:
                with book.read() as session:
                    assert chain.verify(session, PROJECT, readers).ok
            except EnvironmentFault as fault:
                met += 1
                assert fault.facts["pages"] == [page]
                assert f"第{page}页" in fault.message
            with book.read() as session:
                session.execute(text("SELECT name FROM project")).all()
            assert check_pages(book) == [page]
        shutil.rmtree(folder)
    assert met > 5


def test_a_cut_file_is_found(closed: Path) -> None:
    with (closed / "book.db").open("r+b") as file:
        file.truncate((closed / "book.db").stat().st_size - 1000)
    assert found(closed) != []

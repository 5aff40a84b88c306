"""A copy of a book counts only after it was opened and compared."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from desktop.access.desk import Desk
from desktop.errors import EnvironmentFault
from desktop.storage import backup
from desktop.storage.book import open_book
from desktop.storage.card import BookCard
from desktop.storage.chain import head
from tests.conftest import PASSPHRASE
from tests.storage.rig import add_segment, add_terminal, database_key

pytestmark = pytest.mark.file_only


@pytest.fixture
def copied(desk: Desk) -> Path:
    with desk.book.write() as session:
        add_terminal(session)
        add_segment(session, desk.clock, [(str(at), bytes([at])) for at in range(50)])
    folder = desk.book.path
    return backup.before(
        folder, BookCard.read(folder), database_key(desk.book), desk.clock, reason="test"
    )


def test_a_copy_of_an_open_book_opens_through_its_own_slots(
    desk: Desk, copied: Path, tmp_path: Path
) -> None:
    restored = Path(shutil.copytree(copied, tmp_path / "restored"))
    book = open_book(restored, desk.clock, passphrase=PASSPHRASE)
    with book, book.read() as session, desk.book.read() as original:
        ours, theirs = head(session, 1), head(original, 1)
    assert ours is not None and theirs is not None and ours.hash == theirs.hash
    manifest = json.loads((copied / "manifest.json").read_text())
    assert manifest["book_id"] == desk.book.book_id and manifest["heads"][0]["sequence"] == 1
    assert (copied / "book.db").read_bytes()[:15] != b"SQLite format 3"
    assert [path.name for path in copied.parent.iterdir()] == [copied.name]


def test_two_copies_of_one_second_have_two_names(desk: Desk, copied: Path) -> None:
    folder = desk.book.path
    second = backup.before(
        folder, BookCard.read(folder), database_key(desk.book), desk.clock, reason="test"
    )
    assert second.name == f"{copied.name}-2"


def test_what_a_killed_program_left_is_cleared(desk: Desk, copied: Path) -> None:
    folder = desk.book.path
    left = folder / "backups" / ".20200101T000000Z-test.new"
    left.mkdir()
    (left / "book.db").write_bytes(b"half")
    backup.before(folder, BookCard.read(folder), database_key(desk.book), desk.clock, reason="x")
    assert not left.exists() and copied.exists()


def test_a_damaged_book_gives_no_copy(desk: Desk, copied: Path) -> None:
    folder, key, card = desk.book.path, database_key(desk.book), BookCard.read(desk.book.path)
    desk.book.close()
    with (folder / "book.db").open("r+b") as file:
        file.seek(4096 * 9 + 77)
        file.write(b"\x00\x01\x02")
    with pytest.raises(EnvironmentFault) as caught:
        backup.before(folder, card, key, desk.clock, reason="test")
    assert caught.value.code == "book_damaged"
    assert [path.name for path in copied.parent.iterdir()] == [copied.name]

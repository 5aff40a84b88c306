"""Page seals computed here are those of the database, page for page."""

from __future__ import annotations

import hashlib
import random
import shutil
from pathlib import Path

import pytest

from desktop.access.desk import Desk
from desktop.errors import Cancelled
from desktop.jobs import CancelToken
from desktop.storage import pages
from desktop.storage.integrity import damaged_pages
from tests.storage.rig import database_key

pytestmark = pytest.mark.file_only


@pytest.fixture
def closed(desk: Desk) -> tuple[Path, bytes]:
    desk.book.close()
    return desk.book.database_file, database_key(desk.book)


def test_the_same_pages_as_the_database_itself_says(
    closed: tuple[Path, bytes], tmp_path: Path
) -> None:
    file, key = closed
    whole = pages.look(file, key)
    assert whole.bad == () and whole.size == file.stat().st_size
    assert whole.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()
    dice = random.Random(3)
    count = whole.size // pages.PAGE
    for number in range(12):
        copy = Path(shutil.copyfile(file, tmp_path / f"{number}.db"))
        wanted = {dice.randrange(2, count + 1) for _ in range(number)}
        with copy.open("r+b") as target:
            for page in wanted:
                target.seek((page - 1) * pages.PAGE + dice.randrange(pages.PAGE))
                byte = target.read(1)
                target.seek(-1, 1)
                target.write(bytes([byte[0] ^ 0x40]))
        assert list(pages.look(copy, key).bad) == sorted(wanted) == damaged_pages(copy, key)


def test_what_is_no_whole_file(closed: tuple[Path, bytes]) -> None:
    file, key = closed
    count = file.stat().st_size // pages.PAGE
    assert len(pages.look(file, bytes(32)).bad) == count
    with file.open("r+b") as target:
        target.truncate(file.stat().st_size - 1)
    assert pages.look(file, key).bad == (count,)
    first = file.read_bytes()[0]
    with file.open("r+b") as target:
        target.write(bytes([first ^ 1]))
    assert len(pages.look(file, key).bad) == count  # with the salt every seal is lost
    file.write_bytes(b"")
    assert pages.look(file, key).bad == (1,)


def test_the_user_may_stop_it(closed: tuple[Path, bytes]) -> None:
    file, key = closed
    seen: list[tuple[int, int]] = []
    pages.look(file, key, lambda done, total, _: seen.append((done, total)))
    assert seen[-1] == (file.stat().st_size, file.stat().st_size)
    token = CancelToken()
    token.set()
    with pytest.raises(Cancelled):
        pages.look(file, key, cancel=token)

"""A new book exists whole or not at all, and never in place of anything."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import select

from desktop.clock import FixedClock
from desktop.errors import EnvironmentFault, Refused
from desktop.storage.book import Book, create_book, open_book
from desktop.storage.keys import STANDARD_COST, Argon2Cost, KeySlots, SlotName
from desktop.storage.lock import FolderLock
from desktop.storage.tables import BookInfo
from tests.conftest import CHEAP, NOW
from tests.storage.rig import snapshot

CLOCK = FixedClock(NOW)


def test_a_new_book_opens_by_passphrase_and_by_recovery_code(tmp_path: Path) -> None:
    folder = tmp_path / "工地" / "账本 一"
    book, code = create_book(folder, CLOCK, passphrase="Ｐass１", cost=CHEAP)
    with book.write() as session:
        session.add(BookInfo(name="sign", value="kept"))
    book.close()
    assert {path.name for path in folder.iterdir()} == {
        "book.json", "book.db", "keyslots.json", "book.lock", "backups",
    }
    assert [path.name for path in folder.parent.iterdir()] == ["账本 一"]
    for how in ({"passphrase": "Pass1"}, {"recovery_code": code.replace("-", " ")}):
        with open_book(folder, CLOCK, **how) as again, again.read() as session:
            assert again.book_id == book.book_id
            value = session.scalars(select(BookInfo.value).where(BookInfo.name == "sign")).one()
            assert value == "kept"


def test_with_a_passphrase_only_passphrase_and_recovery_slots_are_made(tmp_path: Path) -> None:
    create_book(tmp_path / "b", CLOCK, passphrase="p", cost=CHEAP)[0].close()
    assert set(KeySlots.read(tmp_path / "b").slots) == {SlotName.PASSPHRASE, SlotName.RECOVERY}


def test_the_work_of_a_guess_is_what_the_notes_ask_for(tmp_path: Path) -> None:
    assert Argon2Cost(256 * 1024, 3, 4) == STANDARD_COST
    create_book(tmp_path / "b", CLOCK, passphrase="p")[0].close()
    costs = {slot.cost for slot in KeySlots.read(tmp_path / "b").slots.values()}
    assert costs == {STANDARD_COST}
    open_book(tmp_path / "b", CLOCK, passphrase="p").close()


def test_a_demo_book_opens_without_options(tmp_path: Path) -> None:
    create_book(tmp_path / "b", CLOCK, passphrase=None, demo=True, cost=CHEAP)[0].close()
    with open_book(tmp_path / "b", CLOCK) as book, book.read() as session:
        assert book.demo
        assert session.get(BookInfo, "demo") is not None
    (tmp_path / "b" / "demo-passphrase.txt").unlink()
    with pytest.raises(EnvironmentFault) as caught:
        open_book(tmp_path / "b", CLOCK)
    assert caught.value.code == "demo_passphrase_missing"


def test_an_empty_folder_becomes_the_book(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    create_book(tmp_path / "b", CLOCK, passphrase="p", cost=CHEAP)[0].close()
    open_book(tmp_path / "b", CLOCK, passphrase="p").close()


def test_an_existing_book_is_never_replaced(tmp_path: Path) -> None:
    create_book(tmp_path / "b", CLOCK, passphrase="p", cost=CHEAP)[0].close()
    before = snapshot(tmp_path)
    with pytest.raises(Refused) as caught:
        create_book(tmp_path / "b", CLOCK, passphrase="q", cost=CHEAP)
    assert caught.value.code == "book_exists" and snapshot(tmp_path) == before


def test_a_folder_in_use_or_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "a.jpg").write_bytes(b"x")
    (tmp_path / "file").write_bytes(b"x")
    before = snapshot(tmp_path)
    for name in ("photos", "file"):
        with pytest.raises(Refused) as caught:
            create_book(tmp_path / name, CLOCK, passphrase="q", cost=CHEAP)
        assert caught.value.code == "folder_occupied"
    assert snapshot(tmp_path) == before


def test_a_parent_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    with pytest.raises((Refused, EnvironmentFault)):
        create_book(tmp_path / "file" / "b", CLOCK, passphrase="q", cost=CHEAP)


def test_a_book_needs_some_way_to_open(tmp_path: Path) -> None:
    with pytest.raises(Refused) as caught:
        create_book(tmp_path / "b", CLOCK, passphrase=None, keyring=False, cost=CHEAP)
    assert caught.value.code == "passphrase_needed" and list(tmp_path.iterdir()) == []


def test_first_content_that_fails_leaves_no_book(tmp_path: Path) -> None:
    def fill(book: Book) -> None:
        with book.write() as session:
            session.add(BookInfo(name="x", value="y"))
        raise Refused("sample", "样例")

    with pytest.raises(Refused):
        create_book(tmp_path / "a" / "b", CLOCK, passphrase="p", fill=fill, cost=CHEAP)
    assert list(tmp_path.iterdir()) == []


def test_first_content_is_in_the_book(tmp_path: Path) -> None:
    def fill(book: Book) -> None:
        with book.write() as session:
            session.add(BookInfo(name="x", value="y"))

    book, _ = create_book(tmp_path / "b", CLOCK, passphrase="p", fill=fill, cost=CHEAP)
    with book, book.read() as session:
        assert session.get(BookInfo, "x") is not None
        assert book.path == tmp_path / "b"


def test_a_folder_without_the_right_to_write() -> None:
    """As an ordinary user: the administrator may write anywhere."""
    with tempfile.TemporaryDirectory(prefix="readonly-") as name:
        folder = Path(name)
        folder.chmod(0o555)
        was_root = os.geteuid() == 0
        if was_root:
            os.seteuid(65534)
        try:
            with pytest.raises(EnvironmentFault) as caught:
                create_book(folder / "新" / "账本", CLOCK, passphrase="x", cost=CHEAP)
        finally:
            if was_root:
                os.seteuid(0)
        assert caught.value.code == "read_only" and list(folder.iterdir()) == []


@contextmanager
def _largest_file(size: int) -> Iterator[None]:
    """No file of this process may grow beyond ``size``: a disk that runs full, without a disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("size", [1, 5_000, 100_000])
def test_no_room_at_creation_leaves_nothing(tmp_path: Path, size: int) -> None:
    with _largest_file(size), pytest.raises(EnvironmentFault) as caught:
        create_book(tmp_path / "b", CLOCK, passphrase="p", cost=CHEAP)
    assert caught.value.code in {"disk_full", "disk_error"} and "磁盘" in caught.value.message
    assert list(tmp_path.iterdir()) == []
    create_book(tmp_path / "b", CLOCK, passphrase="p", cost=CHEAP)[0].close()


def test_no_room_in_a_write_rolls_back_and_the_book_goes_on(book: Book) -> None:
    with _largest_file(book.database_file.stat().st_size + 50_000):
        with pytest.raises(EnvironmentFault) as caught, book.write() as session:
            session.add_all(BookInfo(name=str(at), value="x" * 4000) for at in range(200))
        assert caught.value.code in {"disk_full", "disk_error"}
    with book.write() as session:
        assert session.get(BookInfo, "7") is None
        session.add(BookInfo(name="after", value=""))
    with book.read() as session:
        assert session.get(BookInfo, "after") is not None


FULL_DISK = """
set -e
mount -t tmpfs -o size=400k tmpfs "$1"
"$2" -c '
import sys
from pathlib import Path
from desktop.clock import SystemClock
from desktop.errors import EnvironmentFault
from desktop.storage.book import create_book
from desktop.storage.keys import Argon2Cost
try:
    create_book(Path(sys.argv[1]) / "b", SystemClock(), passphrase="p", cost=Argon2Cost(64, 1, 1))
except EnvironmentFault as error:
    print(error.code, list(Path(sys.argv[1]).iterdir()))
' "$1"
umount "$1"
"""


def test_a_full_disk_at_creation(tmp_path: Path) -> None:
    """A real small disk: a tmpfs in a mount namespace of its own (unprivileged where allowed)."""
    unshare = shutil.which("unshare")
    assert unshare is not None, "util-linux is part of every Debian"
    rights = ["-m"] if os.geteuid() == 0 else ["-Urm"]

    def run(*how: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [unshare, *rights, *how, "sh", "-c", FULL_DISK, "sh", str(tmp_path), sys.executable],
            capture_output=True, text=True, timeout=60, check=False,
            cwd=Path(__file__).parents[2],
        )

    done = run()
    if "propagation" in done.stderr:  # the root is no mount point: a change-root environment
        done = run("--propagation", "unchanged")
    if done.returncode and "mount" in done.stderr + done.stdout:
        # No right to mount here at all: the limit on the file size above proves the same path.
        assert "denied" in done.stderr or "not permitted" in done.stderr
        return
    assert done.stdout.strip() == "disk_full []", done.stdout + done.stderr


def test_what_a_killed_creation_left_goes_with_the_next_one(tmp_path: Path) -> None:
    """It holds keys and tables of a book that never came to be. One at work is left alone."""
    left, busy = tmp_path / ".b.new-left", tmp_path / ".b.new-busy"
    for folder in (left, busy):
        folder.mkdir()
        (folder / "book.db").write_bytes(b"half")
    lock = FolderLock(busy)
    create_book(tmp_path / "b", CLOCK, passphrase="p", cost=CHEAP)[0].close()
    assert {path.name for path in tmp_path.iterdir()} == {"b", ".b.new-busy"}
    lock.release()

"""Kill -9 at any instant: what was acknowledged is there, nothing is half there."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from desktop.access import audit
from desktop.access.actor import Act, Actor, Role
from desktop.clock import FixedClock
from desktop.storage import chain
from desktop.storage.book import Book, create_book, open_book
from desktop.storage.integrity import check_pages
from tests.conftest import CHEAP, NOW, PASSPHRASE
from tests.storage.rig import KIND, PROJECT, add_terminal, read_sample

ROOT = Path(__file__).parents[2]

WRITER = """
import sys
from pathlib import Path
from desktop.clock import SystemClock
from desktop.storage.book import open_book
import desktop.site.tables, desktop.punches.tables
from tests.storage.rig import add_segment
book = open_book(Path(sys.argv[1]), SystemClock(), passphrase=sys.argv[2])
number = 0
print("ready", flush=True)
while True:
    rows = [(str(number * 1000 + at), (number * 1000 + at).to_bytes(4, "big") * 20) for at in range(300)]
    with book.write() as session:
        add_segment(session, book.clock, rows)
    print(number, flush=True)
    number += 1
"""

CREATOR = """
import sys
from pathlib import Path
from desktop.clock import SystemClock
from desktop.storage.book import create_book
from desktop.storage.keys import Argon2Cost
print("ready", flush=True)
create_book(Path(sys.argv[1]), SystemClock(), passphrase=sys.argv[2], cost=Argon2Cost(64, 1, 1))
print("made", flush=True)
"""


def run(program: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", program, *arguments], stdout=subprocess.PIPE, text=True, cwd=ROOT
    )


def kill_after(process: subprocess.Popen[str], seconds: float) -> list[str]:
    """What it acknowledged after ``ready``, up to the kill."""
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    time.sleep(seconds)
    process.kill()
    rest = process.stdout.read().splitlines()
    process.wait()
    process.stdout.close()
    return rest


def test_killed_while_writing(
    open_copy: Callable[[Path], Book], site_template: Path, tmp_path: Path
) -> None:
    book = open_copy(site_template)
    with book.write() as session:
        add_terminal(session)
    book.close()
    for number, seconds in enumerate((0.0, 0.003, 0.02, 0.11, 0.35)):
        folder = Path(shutil.copytree(book.path, tmp_path / f"killed-{number}"))
        acknowledged = kill_after(run(WRITER, str(folder), PASSPHRASE), seconds)
        with open_book(folder, FixedClock(NOW), passphrase=PASSPHRASE) as again:
            assert check_pages(again) == []
            with again.read() as session:
                readers = {KIND: read_sample, audit.KIND: audit.leaves}
                verdict = chain.verify(session, PROJECT, readers)
            assert verdict.ok, verdict.first_bad
            assert len(acknowledged) <= verdict.segments <= len(acknowledged) + 1
            assert verdict.counts[KIND] == 300 * verdict.segments


@pytest.mark.parametrize("seconds", [0.0, 0.05, 0.15])
def test_killed_while_creating(tmp_path: Path, seconds: float) -> None:
    folder = tmp_path / "book"
    kill_after(run(CREATOR, str(folder), PASSPHRASE), seconds)
    if folder.exists():
        open_book(folder, FixedClock(NOW), passphrase=PASSPHRASE).close()
    else:
        create_book(folder, FixedClock(NOW), passphrase=PASSPHRASE, cost=CHEAP)[0].close()


@pytest.mark.parametrize("tail", ["cut", "garbled"])
def test_a_write_ahead_log_that_lost_its_tail(
    open_copy: Callable[[Path], Book], site_template: Path, tmp_path: Path, tail: str
) -> None:
    """As after a power cut on a disk that lied about syncing: whole transactions or nothing."""
    book = open_copy(site_template)
    with book.write() as session:
        add_terminal(session)
    for name in range(20):
        with book.write() as session:
            audit_row(session, book, name)
    copy = Path(shutil.copytree(book.path, tmp_path / "cut"))
    log = copy / "book.db-wal"
    with log.open("r+b") as file:
        middle = log.stat().st_size * 2 // 3
        if tail == "cut":
            file.truncate(middle)
        else:
            file.seek(middle)
            file.write(b"\xa5" * 500)
    with open_book(copy, FixedClock(NOW), passphrase=PASSPHRASE) as again, again.read() as session:
        verdict = chain.verify(session, PROJECT, {audit.KIND: audit.leaves})
    assert verdict.ok and 0 < verdict.segments < 20


def audit_row(session: Session, book: Book, number: int) -> None:
    audit.record(
        session, PROJECT, Actor("管理员", Role.ADMINISTRATOR), Act.PROJECT_CHANGED,
        f"row {number}", at=book.clock.now(),
    )

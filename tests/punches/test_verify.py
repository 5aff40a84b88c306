"""``ledger verify``: a changed, removed, added or moved record, a lost segment, a flipped byte."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from desktop.access.actor import Actor, Role
from desktop.access.desk import Desk
from desktop.clock import FixedClock
from desktop.errors import Cancelled
from desktop.jobs import CancelToken
from desktop.punches.ledger import Origin
from desktop.punches.verification import LedgerVerdict, verify_ledger
from desktop.storage.book import open_book
from tests.conftest import NOW, PASSPHRASE
from tests.punches.rig import (
    READERS,
    keep,
    proof,
    proven,
    punch,
    punches,
    rows,
    terminal,
    unusable,
)
from tests.storage.rig import database_key, forge

Forged = Callable[..., LedgerVerdict]

PUNCH_COLUMNS = (
    "epoch", "seq", "t_local", "day", "method_raw", "state_raw", "method_class", "accepted",
    "source_format", "received_at",
)


@pytest.fixture
def filled(desk: Desk) -> Desk:
    """Two segments of punches, one of sightings, conflicts and quarantine."""
    gate = terminal(desk)
    keep(desk, gate, punches(20))
    keep(desk, gate, punches(40), aside=[unusable()])
    keep(desk, gate, [*punches(3), punch(raw=b"odd")], Origin.USB, aside=[unusable(b"more")])
    assert proven(desk).punches == 40
    return desk


@pytest.fixture
def forged(filled: Desk) -> Forged:
    """Closes the book, runs statements with a foreign hand, opens it again and verifies."""
    book = filled.book

    def run(*statements: str) -> LedgerVerdict:
        key = database_key(book)
        book.close()
        forge(book.database_file, key, *statements)
        with open_book(book.path, FixedClock(NOW), passphrase=PASSPHRASE) as again:
            return proof(Desk(again, 1, Actor("管理员", Role.ADMINISTRATOR)))

    return run


def bad(verdict: LedgerVerdict, *words: str) -> None:
    assert not verdict.ok
    assert verdict.first_bad is not None
    for word in words:
        assert word in verdict.first_bad


@pytest.mark.parametrize("column", PUNCH_COLUMNS)
def test_every_column_of_a_punch(forged: Forged, column: str) -> None:
    bad(forged(f"UPDATE punch SET {column} = 7 WHERE id = 5"), "改动")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE punch SET number = '100009' WHERE id = 5",
        "UPDATE punch SET raw = x'00' WHERE id = 5",
        "UPDATE punch_sighting SET origin = 'live' WHERE id = 1",
        "UPDATE punch_sighting SET punch_id = 30 WHERE id = 1",
        "UPDATE punch_conflict SET raw = x'00'",
        "UPDATE punch_quarantine SET reason = 'future' WHERE id = 1",
        "UPDATE punch_quarantine SET number = '2', time_text = '' WHERE id = 2",
    ],
)
def test_every_kind_of_record(forged: Forged, statement: str) -> None:
    bad(forged(statement), "改动")


def test_a_removed_record_is_named_with_its_segment(forged: Forged) -> None:
    bad(forged("DELETE FROM punch WHERE id = 3"), "打卡记录", "少了1条")


def test_a_removed_sighting(forged: Forged) -> None:
    bad(forged("DELETE FROM punch_sighting WHERE id = 2"), "少了1条")


@pytest.mark.parametrize("segment", ["max(id)", "min(id)", "99"])
def test_an_added_punch(forged: Forged, segment: str) -> None:
    made = "99" if segment == "99" else f"(SELECT {segment} FROM segment WHERE kind = 'punches')"
    columns = (
        "terminal_id, epoch, seq, number, t_local + 1, day, method_raw, state_raw, method_class,"
        " accepted, source_format, received_at, raw"
    )
    verdict = forged(f"INSERT INTO punch SELECT 900, {made}, {columns} FROM punch WHERE id = 1")
    assert not verdict.ok
    assert verdict.punches == 41


def test_a_moved_punch(forged: Forged) -> None:
    later = "(SELECT max(id) FROM segment WHERE kind = 'punches')"
    assert not forged(f"UPDATE punch SET segment_id = {later} WHERE id = 2").ok


def test_two_punches_that_changed_places(forged: Forged) -> None:
    verdict = forged(
        "UPDATE punch SET id = 800 WHERE id = 1",
        "UPDATE punch SET id = 1 WHERE id = 2",
        "UPDATE punch SET id = 2 WHERE id = 800",
    )
    bad(verdict, "改动")


def test_a_dropped_segment(forged: Forged) -> None:
    verdict = forged(
        "DELETE FROM segment WHERE id = (SELECT min(id) FROM segment WHERE kind = 'punches')"
    )
    bad(verdict, "缺少第")


def test_a_segment_with_all_its_records(forged: Forged) -> None:
    first = "(SELECT min(id) FROM segment WHERE kind = 'punches')"
    verdict = forged(
        f"DELETE FROM punch_sighting WHERE punch_id IN (SELECT id FROM punch WHERE segment_id = {first})",
        f"DELETE FROM punch_conflict WHERE punch_id IN (SELECT id FROM punch WHERE segment_id = {first})",
        f"DELETE FROM punch WHERE segment_id = {first}",
        f"DELETE FROM segment WHERE id = {first}",
    )
    bad(verdict, "缺少第")


@pytest.mark.file_only
def test_a_flipped_byte_names_its_page(filled: Desk) -> None:
    book = filled.book
    book.close()  # the seals are read from the file alone
    data = bytearray(book.database_file.read_bytes())
    place = len(data) - 3000
    data[place] ^= 1
    book.database_file.write_bytes(data)
    verdict = proof(filled)
    page = place // 4096 + 1
    assert not verdict.ok
    assert verdict.damaged_pages == (page,)
    assert f"第{page}页" in str(verdict.first_bad)


@pytest.mark.file_only
def test_a_page_that_only_shows_when_it_is_read(
    filled: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a damaged WAL: the seals of the main file hold, reading does not."""
    book = filled.book
    book.close()
    data = bytearray(book.database_file.read_bytes())
    data[len(data) - 3000] ^= 1
    book.database_file.write_bytes(data)
    monkeypatch.setattr("desktop.storage.integrity.check_pages", lambda book: [])
    verdict = proof(filled)
    assert (verdict.ok, verdict.head) == (False, None)
    assert "损坏" in str(verdict.first_bad)


def test_progress_and_cancel(filled: Desk) -> None:
    steps: list[int] = []
    verify_ledger(
        filled.book, 1, READERS, lambda done, total, text: steps.append(done), None
    )
    assert steps == sorted(steps)
    assert steps
    cancel = CancelToken()
    cancel.set()
    with pytest.raises(Cancelled):
        verify_ledger(filled.book, 1, READERS, cancel=cancel)


def test_the_ledgers_of_two_projects_in_one_book_are_proven_apart(filled: Desk) -> None:
    columns = (
        "name, 'P-2', address, permit_no, started_on, planned_completion_on, enclosed, pay_day,"
        " created_at"
    )
    with filled.book.write() as session:
        session.connection().exec_driver_sql(
            "INSERT INTO project (name, code, address, permit_no, started_on,"
            f" planned_completion_on, enclosed, pay_day, created_at) SELECT {columns} FROM project"
        )
    other = Desk(filled.book, 2, filled.actor)
    gate = terminal(other, "别处")
    keep(other, gate, punches(7), aside=[unusable()])
    keep(other, gate, punches(2), Origin.USB)
    keep(filled, 1, [punch("55")])
    assert (proven(filled).punches, proven(other).punches) == (41, 7)
    assert rows(filled, "SELECT count(DISTINCT project_id) FROM segment") == [(2,)]


def test_a_terminal_removed_under_its_punches_is_found(filled: Desk, forged: Forged) -> None:
    """A server shows nobody the punches of a terminal that leads to no project."""
    verdict = forged("PRAGMA foreign_keys=OFF", "DELETE FROM terminal")
    words = ("考勤机被删除",) if filled.book.dialect == "sqlite" else ("少了20条记录",)
    bad(verdict, *words)

"""Threads share a book: readers never wait for the writer, writers take turns."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from desktop.storage.book import Book
from desktop.storage.tables import BookInfo


def test_readers_see_whole_transactions_while_a_writer_writes(book: Book) -> None:
    """Every commit adds two rows; no reader ever sees an odd number of them."""
    done = threading.Event()

    def write() -> None:
        try:
            for number in range(120):
                with book.write() as session:
                    session.add(BookInfo(name=f"a{number}", value="x"))
                    session.flush()
                    session.add(BookInfo(name=f"b{number}", value="x"))
        finally:
            done.set()

    def read() -> int:
        rounds = 0
        while not done.is_set() or rounds == 0:
            with book.read() as session:
                first = count(session)
                assert first % 2 == 0 and count(session) == first
            rounds += 1
        return rounds

    with ThreadPoolExecutor(7) as threads:
        readers = [threads.submit(read) for _ in range(6)]
        threads.submit(write).result()
        assert all(reader.result() > 0 for reader in readers)
    with book.read() as session:
        assert count(session) == 240


def count(session: Session) -> int:
    query = select(func.count()).select_from(BookInfo).where(BookInfo.value == "x")
    return session.scalars(query).one()


def test_writers_take_turns_and_lose_nothing(book: Book) -> None:
    def add(worker: int) -> None:
        for number in range(15):
            with book.write() as session:
                highest = session.scalar(select(func.count()).select_from(BookInfo))
                session.add(BookInfo(name=f"{worker}-{number}", value=str(highest)))

    with ThreadPoolExecutor(6) as threads:
        for done in [threads.submit(add, worker) for worker in range(6)]:
            done.result()
    with book.read() as session:
        values = session.scalars(select(BookInfo.value).where(BookInfo.name.like("%-%"))).all()
    assert len(values) == len(set(values)) == 90


def test_a_read_inside_a_write_sees_the_state_before(book: Book) -> None:
    with book.write() as session:
        session.add(BookInfo(name="new", value="x"))
        session.flush()
        with book.read() as before, book.read() as too:
            assert before.get(BookInfo, "new") is None and too.get(BookInfo, "new") is None
    with book.read() as after:
        assert after.get(BookInfo, "new") is not None


def test_a_write_inside_a_write_is_a_defect_not_a_deadlock(book: Book) -> None:
    with book.write(), pytest.raises(RuntimeError), book.write():
        pass
    with book.write() as session:
        session.add(BookInfo(name="after", value="x"))


def test_closing_removes_the_write_ahead_log(book: Book) -> None:
    with book.write() as session:
        session.execute(text("UPDATE book_info SET value = value"))
    assert (book.path / "book.db-wal").exists()
    book.close()
    assert not (book.path / "book.db-wal").exists()
    book.close()

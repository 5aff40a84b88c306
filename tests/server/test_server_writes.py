"""Writing to a book on a server: one after another, kept or not kept, and nothing said twice."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from desktop.access.actor import Act
from desktop.access.desk import Desk
from desktop.clock import FixedClock
from desktop.errors import EnvironmentFault, Refused
from desktop.storage import server_connection
from desktop.storage.book import open_book
from desktop.storage.card import BookCard
from desktop.storage.server_connection import MOVED_TO, has_arrived
from desktop.storage.tables import BookInfo
from tests.conftest import NOW, PASSPHRASE
from tests.punches.rig import keep as store
from tests.punches.rig import proven, punches, terminal
from tests.server.pcs import Pcs, pcs
from tests.server.relay import Relay, at_commit

__all__ = ["pcs"]


def note(desk: Desk, name: str) -> None:
    """One act with one plain row, as a service writes."""
    with desk.book.write() as session:
        session.add(BookInfo(name=name, value="x"))
        desk.audit(session, Act.TERMINAL_CHANGED, name)


def notes(desk: Desk) -> list[str]:
    with desk.book.read() as session:
        names = select(BookInfo.name).where(BookInfo.name.like("n%")).order_by(BookInfo.name)
        return list(session.scalars(names))


def acts(desk: Desk) -> int:
    with desk.book.read() as session:
        found = session.execute(text("SELECT count(*) FROM audit_act WHERE subject LIKE 'n%'"))
        return int(found.scalar_one())


def through(pcs: Pcs, relay: Relay, name: str) -> Desk:
    """A PC whose way to the server goes over ``relay``."""
    place = pcs.setup(name)
    card = BookCard.read(place)
    assert card.server is not None
    replace(card, database=str(replace(card.server, port=relay.port))).write(place)
    book = pcs.open(place)
    return Desk(book, 1, pcs.desk("另一台").actor)


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_commit_whose_answer_is_lost(pcs: Pcs, when: str) -> None:
    """Cut before the server has the COMMIT nothing is kept and the caller is told; cut after it
    the act stands, once, and the caller never notices."""
    with Relay(pcs.server.port) as relay:
        desk = through(pcs, relay, "工地")
        note(desk, "n0")
        relay.cut = at_commit(when)
        if when == "before":
            with pytest.raises(EnvironmentFault) as fault:
                note(desk, "n1")
            assert fault.value.code == "server_away" and "没有保存" in fault.value.message
            kept = ["n0"]
        else:
            note(desk, "n1")
            kept = ["n0", "n1"]
        assert relay.cuts == 1
        assert notes(desk) == kept and acts(desk) == len(kept)
        note(desk, "n2")
        assert notes(desk) == [*kept, "n2"]
        assert proven(desk).ok


def test_what_cannot_be_asked_is_said_to_be_unknown(
    pcs: Pcs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_connection, "_ASK_S", 0.3)
    with Relay(pcs.server.port) as relay:
        desk = through(pcs, relay, "工地")
        commit = at_commit("after")

        def cut_for_good(data: bytes) -> str:
            act = commit(data)
            if act:
                relay.closed = True
            return act

        relay.cut = cut_for_good
        with pytest.raises(EnvironmentFault) as fault:
            note(desk, "n1")
    assert fault.value.code == "server_outcome_unknown" and "还不知道" in fault.value.message
    other = pcs.desk("另一台二")
    assert other.book.server is not None
    receipt = bytes.fromhex(fault.value.facts["receipt"])
    assert has_arrived(other.book.server.login, receipt, 5) is True
    assert has_arrived(other.book.server.login, bytes(16), 5) is False
    assert notes(other) == ["n1"]


def test_a_connection_cut_in_the_middle_leaves_nothing(pcs: Pcs) -> None:
    with Relay(pcs.server.port) as relay:
        desk = through(pcs, relay, "工地")
        gate = terminal(desk)
        with pytest.raises(EnvironmentFault) as fault, desk.book.write() as session:
            session.add(BookInfo(name="n1", value="x"))
            session.flush()
            relay.drop_all()
            session.add(BookInfo(name="n2", value="x"))
            session.flush()
        assert fault.value.code == "server_away"
        assert notes(desk) == []
        assert store(desk, gate, punches(300)).new == 300
        with pytest.raises(EnvironmentFault), desk.book.read() as session:
            session.execute(text("SELECT 1"))
            relay.drop_all()
            session.execute(text("SELECT 1"))
        assert proven(desk).punches == 300


def test_writers_come_one_after_another(pcs: Pcs) -> None:
    """Four PCs at once on one chain: no gap, no fork, no lost act."""
    desks = [pcs.desk(f"电脑{number}") for number in range(4)]
    faults: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for turn in range(12):
                note(desks[number], f"n{number}-{turn:02}")
        except BaseException as error:  # noqa: BLE001
            faults.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults
    assert len(notes(desks[0])) == acts(desks[0]) == 48
    verdict = proven(desks[0])
    with desks[1].book.read() as session:
        heads = session.execute(text("SELECT count(*), max(sequence) FROM segment")).one()
    assert verdict.ok and heads[0] == heads[1]


def test_a_reader_sees_one_state(pcs: Pcs) -> None:
    one, other = pcs.desk("一"), pcs.desk("二")
    with one.book.read() as session:
        count = select(BookInfo.name).where(BookInfo.name.like("n%"))
        assert not session.scalars(count).all()
        note(other, "n1")
        assert not session.scalars(count).all()
    assert notes(one) == ["n1"]
    with pytest.raises(DBAPIError, match="read-only"), one.book.read() as session:
        session.execute(text("DELETE FROM book_info"))


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_a_restart_of_the_server_is_survived(pcs: Pcs, mode: str) -> None:
    desk = pcs.desk("工地")
    note(desk, "n1")
    pcs.server.stop(mode)
    with pytest.raises(EnvironmentFault) as fault:
        note(desk, "n2")
    assert fault.value.code == "server_away" and "连不上" in fault.value.message
    with pytest.raises(EnvironmentFault), desk.book.read() as session:
        session.execute(text("SELECT 1"))
    with pytest.raises(EnvironmentFault) as fault:
        open_book(pcs.setup("新开"), FixedClock(NOW), passphrase=PASSPHRASE)
    assert fault.value.code == "server_away"
    pcs.server.start()
    assert notes(desk) == ["n1"]
    note(desk, "n3")
    assert notes(desk) == ["n1", "n3"] and proven(desk).ok


def test_errors_quote_no_row(pcs: Pcs) -> None:
    """PostgreSQL's detail holds whole rows; of what escapes only the first line is left."""
    desk = pcs.desk("工地")
    with desk.book.write() as session:
        session.add(BookInfo(name="张三410000", value="秘密"))
    with pytest.raises(DBAPIError) as error, desk.book.write() as session:
        session.add(BookInfo(name="张三410000", value="秘密"))
    said = f"{error.value!s} {error.value.orig!s} {error.value!r} {error.value.orig!r}"
    assert "duplicate key" in said and "张三" not in said
    with pytest.raises(DBAPIError) as error, desk.book.write() as session:
        session.execute(text("INSERT INTO book_info (name) VALUES (:n)"), {"n": "李四419000"})
    assert "李四" not in f"{error.value!s} {error.value.orig!s}"


def test_a_book_that_moved_takes_nothing_more(pcs: Pcs, tmp_path: Path) -> None:
    desk = pcs.desk("工地")
    with pcs.server.superuser(pcs.database) as hand:
        hand.execute("INSERT INTO sitemuster.book_info VALUES (%s, '新账本')", (MOVED_TO,))
    with pytest.raises(Refused) as refusal:
        note(desk, "n1")
    assert refusal.value.code == "book_moved" and "新账本" in refusal.value.message
    assert notes(desk) == []
    with pytest.raises(Refused) as refusal:
        open_book(pcs.setup("晚到"), FixedClock(NOW), passphrase=PASSPHRASE)
    assert refusal.value.code == "book_moved"

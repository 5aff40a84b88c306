"""What one PC does, the others hear of: by notice, by comparing, and after the server was gone."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from desktop.access.actor import Act
from desktop.access.desk import Desk
from desktop.attendance import calendar
from desktop.board import edit as board
from desktop.errors import EnvironmentFault
from desktop.punches.stick import import_stick
from desktop.punches.terminal_book import Edit, edit_terminal
from desktop.storage import watch
from desktop.storage.watch import AREA_OF, CHANNEL, UNWATCHED, Area, Watch
from tests.punches.rig import terminal
from tests.server.pcs import Pcs, pcs
from tests.storage import stations

__all__ = ["pcs"]


class Ear:
    """Collects what a watcher tells."""

    def __init__(self) -> None:
        self.heard: list[frozenset[Area]] = []
        self.states: list[bool] = []
        self._more = threading.Condition()

    def changed(self, areas: frozenset[Area]) -> None:
        with self._more:
            self.heard.append(areas)
            self._more.notify_all()

    def reached(self, here: bool) -> None:
        with self._more:
            self.states.append(here)
            self._more.notify_all()

    def until(self, *areas: Area, seconds: float = 10) -> None:
        """Wait until all of ``areas`` were heard; then forget."""
        with self._more:
            assert self._more.wait_for(
                lambda: set(areas) <= set().union(*self.heard), seconds
            ), self.heard
            self.heard.clear()

    def state(self, *states: bool) -> None:
        with self._more:
            assert self._more.wait_for(lambda: self.states == list(states), 20), self.states


@contextmanager
def listening(desk: Desk, poll_s: float = 60) -> Iterator[Ear]:
    """A watcher that has begun to hear."""
    ear = Ear()
    watching = Watch(desk.book, ear.changed, ear.reached, poll_s=poll_s)
    watching.start()
    until = time.monotonic() + 10
    while watching._counts is None and time.monotonic() < until:
        time.sleep(0.01)
    try:
        yield ear
    finally:
        watching.stop()


def test_every_table_belongs_to_an_area_or_to_none() -> None:
    tables = set(stations.METADATA.tables)
    assert tables <= set(AREA_OF) | UNWATCHED, tables - set(AREA_OF) - UNWATCHED
    assert not set(AREA_OF) & UNWATCHED


def test_acts_are_heard_elsewhere_and_not_at_home(pcs: Pcs) -> None:
    first, second = pcs.desk("甲"), pcs.desk("乙")
    with listening(first) as mine, listening(second) as others:
        board.set_items(first, {"legal_aid": "新的"})
        others.until(Area.BOARD, Area.AUDIT)
        terminal(first, "东门")
        others.until(Area.TERMINALS)
        edit_terminal(second, "东门", Edit(address="192.168.1.9:4370"))
        mine.until(Area.TERMINALS)
        assert others.heard == [] and mine.heard == []


def test_a_large_import_is_heard_too(pcs: Pcs) -> None:
    """Rows that go past SQLAlchemy to the driver."""
    first, second = pcs.desk("甲"), pcs.desk("乙")
    terminal(first, "东门")
    stick = pcs.folder / "1_attlog.dat"
    stick.write_text("".join(
        f"   100001\t2026-11-02 06:{n // 60:02}:{n % 60:02}\t1\t0\t15\t0\r\n" for n in range(200)
    ))
    with listening(second) as others:
        import_stick(first, stick, "东门")
        others.until(Area.PUNCHES, Area.TERMINALS)


def test_what_was_rolled_back_is_not_told(pcs: Pcs) -> None:
    first, second = pcs.desk("甲"), pcs.desk("乙")
    with listening(second, poll_s=0.2) as others:
        with pytest.raises(ZeroDivisionError), first.book.write() as session:
            board._store(session, 1, {"legal_aid": "不会有"})
            1 / 0  # noqa: B018
        time.sleep(0.6)
        assert others.heard == []


def test_a_notice_holds_an_area_and_a_number(pcs: Pcs) -> None:
    desk = pcs.desk("甲")
    assert desk.book.server is not None
    with desk.book.server.connect() as link:
        link.execute(f"LISTEN {CHANNEL}")
        terminal(desk, "东门", password="4711")
        calendar.add_stop(desk, desk.clock.today(), desk.clock.today(), reason="张某家中有事")
        board.set_items(desk, {"legal_aid": "张某，19900000001"})
        said = [notice.payload for notice in link.notifies(timeout=0.5)]
    assert said and all(re.fullmatch(r"[a-z]+ \d+", payload) for payload in said), said


def test_without_notices_the_counters_tell(
    pcs: Pcs, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = pcs.desk("甲"), pcs.desk("乙")
    monkeypatch.setattr(watch, "CHANNEL", "somewhere_else")
    with listening(second, poll_s=0.2) as others:
        monkeypatch.setattr(watch, "CHANNEL", CHANNEL)
        board.set_items(first, {"legal_aid": "新的"})
        others.until(Area.BOARD)


def test_a_program_that_does_not_count_is_noticed_by_the_chain(pcs: Pcs) -> None:
    first, second = pcs.desk("甲"), pcs.desk("乙")
    with listening(second, poll_s=0.2) as others:
        with first.book.write() as session:
            first.audit(session, Act.BOARD_CHANGED, "board")
            session.connection().info["areas"] = set()
        others.until(*Area)


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_a_restart_of_the_server(pcs: Pcs, mode: str) -> None:
    """The watcher says that the server is gone and back, and tells what happened meanwhile."""
    first, second = pcs.desk("甲"), pcs.desk("乙")
    with listening(second) as others:
        pcs.server.stop(mode)
        others.state(False)
        with pytest.raises(EnvironmentFault) as away:
            board.set_items(first, {"legal_aid": "没有服务器"})
        assert away.value.code == "server_away"
        pcs.server.start()
        board.set_items(first, {"legal_aid": "又有了"})
        others.until(Area.BOARD, seconds=20)
        others.state(False, True)
        board.set_items(first, {"legal_aid": "再改"})
        others.until(Area.BOARD)

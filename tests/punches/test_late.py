"""What waited comes into the book by the rules of its kind; a book in a file takes it too.

With a real server that goes and comes back: ``tests/server/test_sharing_away.py``.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from desktop.access.desk import Desk
from desktop.errors import EnvironmentFault
from desktop.jobs import silent
from desktop.punches import late, spool
from desktop.punches.collect import pull
from desktop.punches.keeping import Keeping
from desktop.punches.ledger import Origin, Part, Source, store
from desktop.punches.pull_result import PullResult
from desktop.punches.reach import reach_of
from desktop.punches.received import of_batch
from desktop.punches.stick_intake import facts_of
from desktop.punches.tables import Terminal
from desktop.punches.terminal_book import terminal_named
from devices.emulators.zk import ZkEmulator
from devices.terminals.driver import Surroundings
from devices.terminals.registry import open_driver
from tests.punches.rig import (
    MORNING,
    QUICK,
    emulator,
    proven,
    punches,
    rows,
    stored,
    table,
    terminal,
    unusable,
)
from tests.punches.test_spool import put

GATE = "东门"
AWAY = EnvironmentFault("server_away", "服务器连不上。")


def waited(desk: Desk) -> PullResult:
    """A reading that had to wait."""
    with desk.book.read() as session:
        reach = reach_of(desk, terminal_named(session, 1, GATE))
    around = Surroundings(now=desk.clock.now, timing=QUICK)
    batch = open_driver(reach.driver, reach.connection, around).pull(reach.cursor.get("driver"))
    return Keeping(desk, reach, of_batch(batch, desk.clock.now())).let_wait(AWAY)


@pytest.fixture
def gate(desk: Desk) -> Iterator[ZkEmulator]:
    with emulator(desk, stored(500)) as unit:
        terminal(desk, GATE, unit.address)
        (result,) = pull(desk, timing=QUICK)
        assert result.new == 500
        unit.add(stored(60, start=MORNING + timedelta(days=5)))
        yield unit


def test_many_parts_move_the_cursor_once(
    desk: Desk, gate: ZkEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert waited(desk).waiting == 60
    monkeypatch.setattr(spool, "_FULL_BLOCK", 500)
    (batch,) = spool.waiting(desk.book).batches
    parts = list(spool.parts(desk.book, batch))
    spool.remove(batch)
    # The same again in small blocks: a kill between two of them leaves the cursor where it was.
    put(
        desk.book, parts, terminal=GATE, facts=batch.facts, received_at=batch.received_at
    )
    (small,) = spool.waiting(desk.book).batches
    assert len(list(spool.parts(desk.book, small))) > 10
    report = late.store_waiting(desk.book, 1)
    assert [(one.records, one.new) for one in report.arrived] == [(60, 60)]
    assert report.sentences() == [
        "服务器断开期间存在本机的60条记录已全部入账（「东门」），其中新增60条。"
    ]
    (again,) = pull(desk, timing=QUICK)
    assert (again.new, again.duplicate, again.complete) == (0, 560, True)
    assert proven(desk).punches == 560


def test_a_batch_cut_off_in_the_middle_is_finished(desk: Desk, gate: ZkEmulator) -> None:
    """Half of it was stored before the kill: it counts as there, and nothing is doubled."""
    waited(desk)
    (batch,) = spool.waiting(desk.book).batches
    (part,) = spool.parts(desk.book, batch)
    with desk.book.write() as session:
        half = Part(part.punches[:30], ())
        source = Source(Origin.PULL, batch.received_at, "管理员")
        store(session, session.get_one(Terminal, 1), half, source)
    (arrived,) = late.store_waiting(desk.book, 1).arrived
    assert (arrived.records, arrived.new) == (60, 30)
    assert table(desk, "punch_sighting") == 0
    (again,) = pull(desk, timing=QUICK)
    assert (again.new, again.duplicate) == (0, 560)
    assert proven(desk).punches == 560


def test_quarantined_records_wait_too(desk: Desk) -> None:
    terminal(desk, GATE)
    facts = facts_of(bytes(32), 9, 4, 0, 1, desk.clock.now())
    put(desk.book, [], terminal=GATE, facts=facts)
    kept = spool.put(
        desk.book, "usb", project_id=1, terminal_id=1, terminal=GATE, operator="甲",
        role="nobody_knows", received_at=desk.clock.now(), facts=facts, records=4,
        parts=[Part(punches(3), [unusable()])],
    )
    report = late.store_waiting(desk.book, 1)
    assert [(one.records, one.new) for one in report.arrived] == [(4, 3)]
    (left,) = report.left  # a pull whose facts are not those of a pull
    assert left.batch.records == 0 and "别的版本的程序" in left.reason
    assert not kept.path.exists() and left.batch.path.exists()
    assert rows(desk, "SELECT reason FROM punch_quarantine") == [("impossible_date",)]
    assert rows(desk, "SELECT actor FROM audit_act WHERE act = 'punches.collected'") == [("甲",)]


def test_other_projects_are_left_alone(desk: Desk) -> None:
    put(desk.book, [], project_id=2)
    assert late.store_waiting(desk.book, 1, progress=silent) == late.LateReport()
    assert len(spool.waiting(desk.book).batches) == 1

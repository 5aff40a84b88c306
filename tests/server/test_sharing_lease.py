"""A terminal is collected by one PC at a time; who is cut off is taken over from, and said so."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, text

from desktop.access.desk import Desk
from desktop.access.tables import AuditAct
from desktop.punches import lease
from desktop.punches.collect import pull
from desktop.punches.lease import Leases, holders
from desktop.punches.pull_result import PullResult
from desktop.punches.tables import CollectionLease
from devices.terminals.driver import Connection, Driver, Surroundings
from devices.terminals.registry import open_driver
from tests.punches.rig import QUICK, emulator, proven, stored, table, terminal
from tests.server.pcs import Pcs, pcs

__all__ = ["pcs"]

GATE, BACK = "东门", "后门"


class Gate:
    """A driver that waits at the door until it is told to go on; then it is the real one."""

    def __init__(self) -> None:
        self.arrived, self.open = threading.Event(), threading.Event()

    def __call__(self, name: str, connection: Connection, around: Surroundings) -> Driver:
        self.arrived.set()
        assert self.open.wait(20)
        return open_driver(name, connection, around)


def pulling(desk: Desk, gate: Gate, pool: ThreadPoolExecutor) -> Future[list[PullResult]]:
    """A pull of the gate's terminal that stands at the door."""
    running = pool.submit(pull, desk, [GATE], opener=gate, timing=QUICK)
    assert gate.arrived.wait(20)
    return running


def force(desk: Desk, **values: Any) -> None:
    """Set columns of the lease, as time alone would."""
    with desk.book.write() as session:
        row = session.get_one(CollectionLease, 1)
        for name, value in values.items():
            setattr(row, name, value)


def acts(desk: Desk) -> list[tuple[str, str, str]]:
    with desk.book.read() as session:
        return [
            (row.actor, row.subject, row.why) for row in session.scalars(
                select(AuditAct).where(AuditAct.act == "lease.taken").order_by(AuditAct.id)
            )
        ]


def test_two_pcs_at_one_terminal(pcs: Pcs) -> None:
    first, second = pcs.desk("门卫室"), pcs.desk("办公室")
    gate = Gate()
    with (
        emulator(first, stored(300)) as unit, emulator(first, stored(40), serial="CKJG264160002") as other,
        ThreadPoolExecutor(1) as pool,
    ):
        terminal(first, GATE, unit.address)
        terminal(first, BACK, other.address)
        running = pulling(first, gate, pool)
        refused, taken = pull(second, timing=QUICK)
        assert refused.error is not None and refused.error.code == "collected_elsewhere"
        assert "正由另一台电脑「门卫室」采集" in refused.error.message
        assert "占用到" in refused.error.message and "本机没有采集它" in refused.error.message
        assert (taken.error, taken.new) == (None, 40)
        with second.book.read() as session:
            (held,) = holders(second, session)
            assert (held.terminal_id, held.name, held.mine) == (1, "门卫室", False)
            assert timedelta(seconds=30) < held.until - datetime.now(UTC) < timedelta(seconds=95)
        gate.open.set()
        (result,) = running.result(30)
        assert (result.error, result.new, result.warnings) == (None, 300, ())
        again, _ = pull(second, timing=QUICK)
        assert (again.error, again.new, again.duplicate) == (None, 0, 300)
    with second.book.read() as session:
        assert holders(second, session) == []
    assert acts(first) == []  # nothing was taken over
    assert proven(second).punches == 340


def test_a_pc_that_was_cut_off_is_taken_over_from(pcs: Pcs) -> None:
    first, second = pcs.desk("门卫室"), pcs.desk("办公室", "张某")
    gate = Gate()
    with emulator(first, stored(300)) as unit, ThreadPoolExecutor(1) as pool:
        terminal(first, GATE, unit.address)
        running = pulling(first, gate, pool)
        force(second, expires_at=datetime.now(UTC) - timedelta(seconds=2))
        (result,) = pull(second, timing=QUICK)
        assert (result.error, result.new) == (None, 300)
        (warning,) = result.warnings
        assert "由另一台电脑「门卫室」自" in warning and warning.endswith("现已接管。")
        # The other one was only slow. It stores what it read, and nothing is doubled.
        gate.open.set()
        (slow,) = running.result(30)
        assert (slow.error, slow.new, slow.duplicate) == (None, 0, 300)
        (after,) = pull(second, timing=QUICK)
        assert (after.new, after.duplicate, after.warnings) == (0, 300, ())
    assert acts(second) == [("张某", "terminal:1", "expired")]
    assert proven(second).punches == 300 == table(second, "punch")


def test_the_loser_is_told(pcs: Pcs, monkeypatch: pytest.MonkeyPatch) -> None:
    """Renewing shows that somebody else has the terminal now."""
    monkeypatch.setattr(lease, "RENEW_S", 0)
    first, second = pcs.desk("门卫室"), pcs.desk("办公室")
    gate, lost, renew = Gate(), threading.Event(), Leases.renew

    def watched(leases: Leases) -> None:
        renew(leases)
        if leases.lost(1):
            lost.set()

    monkeypatch.setattr(Leases, "renew", watched)
    with emulator(first, stored(20)) as unit, ThreadPoolExecutor(1) as pool:
        terminal(first, GATE, unit.address)
        running = pulling(first, gate, pool)
        taking = Leases(second)
        with second.book.write() as session:
            session.execute(text("UPDATE collection_lease SET expires_at = 1"))
            reach = Reached(1, GATE)
            assert taking._take(session, reach, lease.workstation.register(second.book, session))
        assert lost.wait(20)
        gate.open.set()
        (result,) = running.result(30)
    assert result.error is None and result.new == 20
    assert any("在采集途中被另一台电脑接管" in one for one in result.warnings)


class Reached:
    """What a lease looks at in a ``Reach``."""

    def __init__(self, terminal_id: int, name: str) -> None:
        self.terminal_id, self.name = terminal_id, name


def test_a_lease_lasts_as_long_as_the_reading(
    pcs: Pcs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "RENEW_S", 0)
    desk = pcs.desk("门卫室")
    gate = Gate()
    with emulator(desk, stored(20)) as unit, ThreadPoolExecutor(1) as pool:
        terminal(desk, GATE, unit.address)
        running = pulling(desk, gate, pool)
        force(desk, expires_at=datetime(2026, 1, 1, tzinfo=UTC))
        renewed = wait_for(lambda: bool(held(desk)))
        gate.open.set()
        running.result(30)
    assert renewed and not held(desk)
    with desk.book.read() as session:
        row = session.get_one(CollectionLease, 1)
        assert row.released_at is not None and row.renewed_at >= row.taken_at


def held(desk: Desk) -> list[lease.Holder]:
    with desk.book.read() as session:
        return holders(desk, session)


def wait_for(happened: Callable[[], bool], seconds: float = 10) -> bool:
    tick, left = threading.Event(), int(seconds / 0.02)
    while left and not happened():
        tick.wait(0.02)
        left -= 1
    return bool(left)


def test_the_clock_of_the_pc_does_not_matter(pcs: Pcs) -> None:
    """Leases go by the server's time: both PCs here believe it is another month."""
    desk = pcs.desk("门卫室")
    with emulator(desk, stored(20)) as unit:
        terminal(desk, GATE, unit.address)
        pull(desk, timing=QUICK)
    with desk.book.read() as session:
        row = session.get_one(CollectionLease, 1)
        assert abs(row.taken_at - datetime.now(UTC)) < timedelta(minutes=1)
        assert row.expires_at - row.taken_at == timedelta(seconds=lease.LEASE_S)


def test_a_copied_folder_is_another_pc(pcs: Pcs) -> None:
    from desktop.storage import workstation

    first, second = pcs.setup("甲"), pcs.setup("乙")
    marks = {workstation.here(place).mark for place in (first, second)}
    assert len(marks) == 2
    assert workstation.here(first) == workstation.here(first)
    assert [workstation.here(place).name for place in (first, second)] == ["甲", "乙"]

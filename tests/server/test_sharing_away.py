"""The server is away: what is collected waits on the PC, and comes into the book once."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from desktop import bootstrap
from desktop.access.desk import Desk
from desktop.attendance import calendar
from desktop.clock import FixedClock
from desktop.errors import EnvironmentFault, Refused
from desktop.punches import known, late, spool
from desktop.punches.collect import pull
from desktop.punches.ledger import Part
from desktop.punches.pull_result import PullResult
from desktop.punches.stick import import_stick
from desktop.punches.terminal_book import Edit, edit_terminal, find_terminal, rebind_terminal
from tests.conftest import PASSPHRASE
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
)
from tests.punches.test_spool import put
from tests.server.pcs import Pcs, pcs

__all__ = ["pcs"]

ROOT = Path(__file__).parents[2]
GATE, BACK = "东门", "后门"


@contextmanager
def server_away(pcs: Pcs, mode: str = "fast") -> Iterator[None]:
    pcs.server.stop(mode)
    try:
        yield
    finally:
        pcs.server.start()


def one(desk: Desk, **options: Any) -> PullResult:
    (result,) = pull(desk, [GATE], timing=QUICK, **options)
    return result


def remember(desk: Desk) -> None:
    """What this PC knows of the terminals, as after an opening or a pull."""
    with desk.book.read() as session:
        known.remember(desk.book, desk.project_id, session)


def came_in(desk: Desk) -> late.LateReport:
    return late.store_waiting(desk.book, desk.project_id)


def downloads(desk: Desk) -> int:
    return table(desk, "download")


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_a_pull_without_the_server(pcs: Pcs, clock: FixedClock, mode: str) -> None:
    desk = pcs.desk("门卫室", "劳资员", clock=clock)
    memory = stored(500)
    with emulator(desk, memory) as unit:
        terminal(desk, GATE, unit.address, password="")
        assert one(desk).new == 500
        unit.add(stored(30, start=MORNING + timedelta(days=9)))
        with server_away(pcs, mode):
            clock.instant += timedelta(minutes=1)
            result = one(desk)
            assert (result.waiting, result.new, result.complete) == (30, 0, False)
            assert result.error is not None and result.error.code == "server_away"
            assert "30条记录已存在本机，服务器恢复后自动入账，不会丢失" in result.error.message
            unit.add(stored(5, start=MORNING + timedelta(days=10)))
            clock.instant += timedelta(minutes=1)
            assert one(desk).waiting == 5  # goes on where what waits ends
            assert one(desk).waiting == 0
            assert [b.records for b in spool.waiting(desk.book).batches] == [30, 5]
        clock.instant += timedelta(hours=1)
        report = came_in(desk)
        assert [(a.terminal, a.records, a.new) for a in report.arrived] == [
            (GATE, 30, 30), (GATE, 5, 5),
        ]
        assert report.sentences() == [
            "服务器断开期间存在本机的35条记录已全部入账（「东门」），其中新增35条。"
        ]
        assert came_in(desk) == late.LateReport() and not spool.waiting(desk.book).batches
        # The cursor moved along: nothing is read twice, nothing is missing.
        again = one(desk)
        assert (again.new, again.duplicate, again.complete) == (0, 535, True)
    assert table(desk, "punch") == 535 and proven(desk).ok
    noted = rows(desk, "SELECT at, counts FROM download ORDER BY id")
    assert [json.loads(counts).get("waited_s") for _, counts in noted] == [
        None, 3660, 3600, None,
    ]
    acts = rows(desk, "SELECT actor, facts FROM audit_act WHERE act = 'punches.collected' ORDER BY id")
    assert [actor for actor, _ in acts] == ["劳资员"] * 3
    # Received when it was read, written when it came in.
    times = rows(desk, "SELECT DISTINCT received_at FROM punch ORDER BY 1")
    assert [t[0] - times[0][0] for t in times] == [0, 60, 120]


def test_a_server_that_takes_nothing(pcs: Pcs, clock: FixedClock) -> None:
    """It answers, but only for reading: a standby, or its disk is full."""
    desk = pcs.desk("门卫室", clock=clock)
    with emulator(desk, stored(50)) as unit:
        terminal(desk, GATE, unit.address)
        one(desk)
        unit.add(stored(6, start=MORNING + timedelta(days=9)))
        stick = pcs.folder / "1_attlog.dat"
        stick.write_bytes(unit.stick())
        with pcs.server.superuser() as link:
            link.execute(f"ALTER DATABASE {pcs.database} SET default_transaction_read_only = on")
            cut(pcs)
            result = one(desk)
            assert result.waiting == 6 and result.error is not None
            assert result.error.message.startswith("服务器现在不能保存：")
            assert import_stick(desk, stick, GATE).waiting == 56
            assert len(spool.waiting(desk.book).batches) == 2
            link.execute(f"ALTER DATABASE {pcs.database} RESET default_transaction_read_only")
        cut(pcs)
        again = one(desk)
        assert "存在本机的62条记录已全部入账" in again.warnings[0]
        assert (again.new, again.duplicate) == (0, 56)
    assert table(desk, "punch") == 56 and proven(desk).ok


def cut(pcs: Pcs) -> None:
    with pcs.server.superuser() as link:
        link.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
            (pcs.database,),
        )


def test_a_stick_without_the_server(pcs: Pcs, clock: FixedClock) -> None:
    desk = pcs.desk("门卫室", clock=clock)
    terminal(desk, GATE)
    remember(desk)
    with emulator(desk, stored(400)) as unit:
        stick = pcs.folder / "1_attlog.dat"
        stick.write_bytes(unit.stick())
    with server_away(pcs):
        result = import_stick(desk, stick, GATE)
        assert (result.lines, result.waiting, result.new) == (400, 400, 0)
        assert "400条记录已存在本机" in result.warnings[-1]
        with pytest.raises(Refused, match="本机认识的有：东门"):
            import_stick(desk, stick, BACK)
    (arrived,) = came_in(desk).arrived
    assert (arrived.records, arrived.new) == (400, 400)
    assert import_stick(desk, stick, GATE).already_imported
    assert table(desk, "punch") == 400 and downloads(desk) == 2 and proven(desk).ok
    assert (desk.book.path / "originals" / result.sha256).is_file()


def test_a_batch_that_was_stored_is_not_stored_again(pcs: Pcs, clock: FixedClock) -> None:
    """Killed after the commit and before the file was removed; or the outcome was unknown."""
    desk = pcs.desk("门卫室", clock=clock)
    with emulator(desk, stored(50)) as unit:
        terminal(desk, GATE, unit.address)
        one(desk)
        unit.add(stored(9, start=MORNING + timedelta(days=9)))
        with server_away(pcs):
            one(desk)
        (batch,) = spool.waiting(desk.book).batches
        content = batch.path.read_bytes()
        came_in(desk)
        before = (downloads(desk), table(desk, "audit_act"), table(desk, "clock_reading"))
        batch.path.write_bytes(content)
        (arrived,) = came_in(desk).arrived
        assert (arrived.records, arrived.new) == (9, 0) and not batch.path.exists()
        assert (downloads(desk), table(desk, "audit_act"), table(desk, "clock_reading")) == before


def test_another_pc_collected_meanwhile(pcs: Pcs, clock: FixedClock) -> None:
    """Both read the same records; the book holds them once and the cursor is the later one's."""
    first, second = pcs.desk("门卫室", clock=clock), pcs.desk("办公室", clock=clock)
    with emulator(first, stored(50)) as unit:
        terminal(first, GATE, unit.address)
        one(first)
        unit.add(stored(9, start=MORNING + timedelta(days=9)))
        with server_away(pcs):
            one(first)
        unit.add(stored(4, start=MORNING + timedelta(days=11)))
        assert one(second).new == 13
        (arrived,) = came_in(first).arrived
        assert (arrived.records, arrived.new) == (9, 0)
        assert (one(first).duplicate, one(first).new) == (63, 0)
        with first.book.read() as session:
            gate = find_terminal(session, 1, GATE)
            assert gate is not None and gate.cursor["held"] == 63
    assert table(first, "punch") == 63 and proven(first).ok


def test_a_log_that_was_cleared_while_away(pcs: Pcs, clock: FixedClock) -> None:
    desk = pcs.desk("门卫室", clock=clock)
    with emulator(desk, stored(50)) as unit:
        terminal(desk, GATE, unit.address)
        one(desk)
    with emulator(desk, stored(7, start=MORNING + timedelta(days=9))) as unit:
        move_terminal(desk, unit.address)
        with server_away(pcs):
            result = one(desk)
            assert (result.waiting, result.log_changed) == (7, True)
        (arrived,) = came_in(desk).arrived
        assert arrived.new == 7 and "机内的旧记录与已保存的不同" in arrived.warnings[0]
        again = one(desk)
        assert (again.new, again.duplicate, again.log_changed) == (0, 7, False)
    assert rows(desk, "SELECT epoch FROM terminal") == [(1,)]


def move_terminal(desk: Desk, address: str) -> None:
    edit_terminal(desk, GATE, Edit(address=address))
    remember(desk)


def test_another_unit_is_refused_without_the_server_too(pcs: Pcs) -> None:
    desk = pcs.desk("门卫室")
    with emulator(desk, stored(50)) as unit:
        terminal(desk, GATE, unit.address)
        one(desk)
    with emulator(desk, stored(5), serial="CKJG999999999") as unit:
        move_terminal(desk, unit.address)
        with server_away(pcs):
            result = one(desk)
    assert result.error is not None and result.error.code == "serial_changed"
    assert not spool.waiting(desk.book).batches


def test_a_unit_that_was_replaced_meanwhile(pcs: Pcs) -> None:
    """What the old unit gave is kept; it binds nothing and moves no cursor."""
    desk = pcs.desk("门卫室")
    with emulator(desk, stored(50)) as unit:
        terminal(desk, GATE, unit.address)
        one(desk)
        unit.add(stored(9, start=MORNING + timedelta(days=9)))
        with server_away(pcs):
            one(desk)
    rebind_terminal(desk, GATE, "摔坏了")
    (arrived,) = came_in(desk).arrived
    assert arrived.new == 9 and "换了机器，记录已按原机保存" in arrived.warnings[0]
    assert rows(desk, "SELECT serial, epoch, cursor FROM terminal") == [("", 1, "{}")]
    assert table(desk, "punch") == 59 and proven(desk).ok


def test_what_the_book_does_not_take_stays_until_it_is_given_up(pcs: Pcs) -> None:
    desk = pcs.desk("门卫室")
    terminal(desk, GATE)
    terminal(desk, BACK)
    remember(desk)
    with emulator(desk, stored(40)) as unit:
        stick = pcs.folder / "1_attlog.dat"
        stick.write_bytes(unit.stick())
    import_stick(desk, stick, GATE)
    with server_away(pcs):
        import_stick(desk, stick, BACK)
    (left,) = came_in(desk).left
    assert "已作为「东门」的记录导入过，没有再导入到「后门」" in left.reason
    with pytest.raises(Refused, match="须写明原因"):
        late.drop(desk, left.batch.id, " ")
    with pytest.raises(Refused, match="没有编号为「x」"):
        late.drop(desk, "x", "选错了")
    assert late.drop(desk, left.batch.id[:8], "选错了考勤机").records == 40
    assert not spool.waiting(desk.book).batches and came_in(desk) == late.LateReport()
    assert rows(desk, "SELECT why FROM audit_act WHERE act = 'waiting.dropped'") == [("选错了考勤机",)]
    put(desk.book, [Part(punches(3))], terminal_id=99, terminal="没有的门")
    (strange,) = came_in(desk).left
    assert "「没有的门」，账本里没有它，没有入账" in strange.reason
    late.drop(desk, strange.batch.id, "恢复了旧备份")
    damaged = desk.book.path / spool.FOLDER / "00000001-abcdef01.batch"
    damaged.write_bytes(b"no batch")
    assert came_in(desk) == late.LateReport()
    assert damaged.exists() and len(spool.waiting(desk.book).damaged) == 1


def test_opening_while_the_server_is_away(pcs: Pcs, clock: FixedClock) -> None:
    """Only collecting works, by what this PC knew; the next opening brings it in."""
    place = pcs.setup("门卫室")
    options: dict[str, Any] = {"passphrase": PASSPHRASE, "clock": clock}
    office = bootstrap.open_office(place, **options)
    with emulator(office.desk, stored(50)) as unit:
        terminal(office.desk, GATE, unit.address)
        assert one(office.desk).new == 50
        office.close()
        unit.add(stored(9, start=MORNING + timedelta(days=9)))
        with server_away(pcs):
            with pytest.raises(EnvironmentFault) as fault:
                bootstrap.open_office(place, **options)
            away = bootstrap.open_away(place, fault.value, **options)
            assert "现在连不上" in away.away
            with pytest.raises(Refused, match="正被另一个窗口或命令使用"):
                bootstrap.open_away(place, fault.value, **options)
            assert away.desk.actor.name == "离线采集（门卫室）"
            assert one(away.desk).waiting == 9
            with pytest.raises(Refused):  # a technician, and there is no book
                calendar.add_stop(away.desk, clock.today(), clock.today(), reason="大风")
            with pytest.raises(EnvironmentFault, match="现在连不上"), away.book.write():
                pass
            away.close()
            strange = pcs.setup("新电脑")
            with pytest.raises(EnvironmentFault, match="现在连不上"):
                bootstrap.open_away(strange, fault.value, **options)
        office = bootstrap.open_office(place, **options)
        assert any("9条记录已全部入账" in one for one in office.book.notices)
        assert table(office.desk, "punch") == 59
        assert rows(office.desk, "SELECT operator FROM segment WHERE kind = 'punches' ORDER BY id") == [
            ("管理员",), ("离线采集（门卫室）",),
        ]
        office.close()


COLLECTOR = """
import sys
from pathlib import Path
from desktop import bootstrap
from desktop.clock import FixedClock
from desktop.errors import EnvironmentFault
from desktop.punches.collect import pull
from tests.conftest import NOW, PASSPHRASE
from tests.punches.rig import QUICK
place, options = Path(sys.argv[1]), {"passphrase": PASSPHRASE, "clock": FixedClock(NOW)}
print("ready", flush=True)
try:
    office = bootstrap.open_office(place, **options)
except EnvironmentFault as fault:
    office = bootstrap.open_away(place, fault, **options)
(result,) = pull(office.desk, ["东门"], timing=QUICK)
print("got", result.new, result.waiting, flush=True)
office.close()
"""


def killed_after(place: Path, seconds: float) -> int:
    """Collect in another process and kill it; the records it acknowledged."""
    process = subprocess.Popen(
        [sys.executable, "-c", COLLECTOR, str(place)], stdout=subprocess.PIPE, text=True, cwd=ROOT,
    )
    assert process.stdout is not None
    process.stdout.readline()
    time.sleep(seconds)
    process.kill()
    said = process.stdout.read().split()
    process.wait()
    process.stdout.close()
    return int(said[1]) + int(said[2]) if said[:1] == ["got"] else 0


def test_killed_at_any_instant(pcs: Pcs) -> None:
    """With the server away and with it back: nothing acknowledged is lost, nothing is doubled."""
    place, chance = pcs.setup("门卫室"), random.Random(11)
    desk = Desk(pcs.open(place), 1, bootstrap.ADMINISTRATOR)
    with emulator(desk, stored(200, people=40)) as unit:
        terminal(desk, GATE, unit.address)
        remember(desk)
        desk.book.close()
        acknowledged = 0
        with server_away(pcs):
            for turn in range(2):
                acknowledged += killed_after(place, chance.uniform(0.6, 1.4))
                unit.add(stored(90, people=40, start=MORNING + timedelta(days=20 + turn)))
        for _ in range(2):
            acknowledged += killed_after(place, chance.uniform(0.5, 1.2))
        desk = Desk(pcs.open(place), 1, bootstrap.ADMINISTRATOR)
        late.store_waiting(desk.book, 1)
        assert table(desk, "punch") >= acknowledged
        assert one(desk).complete
        distinct = len({(p.number, p.when) for p in unit.unit.punches})
    assert table(desk, "punch") == distinct == proven(desk).punches
    assert not spool.waiting(desk.book).batches

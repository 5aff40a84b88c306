"""Collecting over true sockets: everything once, nothing that is not certain, nobody blocks another."""

from __future__ import annotations

import threading
import time
from datetime import datetime, timedelta
from typing import Any

import pytest

from desktop.access.desk import Desk
from desktop.errors import Refused
from desktop.jobs import CancelToken
from desktop.punches import originals
from desktop.punches.collect import PullResult, pull
from desktop.punches.ledger import Origin
from desktop.punches.queries import downloads
from desktop.punches.terminal_book import list_terminals, rebind_terminal, retire_terminal
from devices.emulators.zk import Faults, StoredPunch, StoredUser
from devices.terminals.driver import Timing
from devices.terminals.model import SourceFormat
from devices.terminals.registry import open_driver
from tests.punches.rig import (
    MORNING,
    QUICK,
    emulator,
    keep,
    proven,
    punch,
    rows,
    segments,
    site_time,
    stored,
    table,
    terminal,
)

GATE = "东门进"


def collect(desk: Desk, *names: str, **options: Any) -> list[PullResult]:
    return pull(desk, names or None, timing=QUICK, **options)


def one(desk: Desk, **options: Any) -> PullResult:
    (result,) = collect(desk, **options)
    return result


def view(desk: Desk, place: int = 0) -> Any:
    with desk.book.read() as session:
        return list_terminals(session, desk.project_id)[place]


def test_a_log_is_stored_and_the_terminal_book_knows_until_when(desk: Desk) -> None:
    with emulator(desk, stored(300)) as unit:
        terminal(desk, GATE, unit.address)
        result = one(desk)
    assert result.as_json() == {
        "terminal": GATE, "serial": "CKJG264160001", "reported": 300, "received": 300, "new": 300,
        "duplicate": 0, "quarantined": 0, "conflict": 0, "sighting": 0, "clock_offset_s": 0,
        "complete": True, "log_changed": False, "attempts": 1, "warnings": [], "waiting": 0,
        "error": None,
    }
    state = view(desk)
    assert (state.serial, state.held, state.last_error) == ("CKJG264160001", 300, "")
    assert state.complete_until == state.last_contact_at == desk.clock.now()
    assert state.clock_offset_s == 0
    assert proven(desk).punches == 300


def test_pulling_again_reads_only_what_grew(desk: Desk) -> None:
    memory = stored(200)
    with emulator(desk, memory) as unit:
        terminal(desk, GATE, unit.address)
        assert one(desk).new == 200
        again = one(desk)
        assert (again.received, again.new, again.duplicate, again.complete) == (200, 0, 200, True)
        assert segments(desk) == 1
        unit.add(stored(3, start=MORNING + timedelta(days=3)))
        grown = one(desk)
        assert (grown.received, grown.new, grown.duplicate) == (203, 3, 200)
    assert (segments(desk), proven(desk).punches) == (2, 203)
    with desk.book.read() as session:
        log = downloads(session, desk.project_id)
    assert [(line.origin, line.complete, line.counts["new"]) for line in log] == [
        ("pull", True, 3), ("pull", True, 0), ("pull", True, 200),
    ]


def test_duplicates_and_bad_dates_of_the_log_are_counted_every_time(desk: Desk) -> None:
    memory = [
        *stored(20), stored(1)[0], StoredPunch("100003", 31 * 86_400 * 1),
        StoredPunch("100004", datetime(2012, 5, 5)), StoredPunch("100004", (12 * 31 - 1) * 86_400),
        StoredPunch("", MORNING),
    ]
    with emulator(desk, memory) as unit:
        terminal(desk, GATE, unit.address)
        first = one(desk)
        assert (first.received, first.new, first.duplicate, first.quarantined) == (25, 20, 1, 4)
        again = one(desk)
        assert (again.received, again.new, again.duplicate, again.quarantined) == (25, 0, 21, 4)
        unit.add([StoredPunch("100004", datetime(2012, 5, 5)), *stored(1, step_s=1)])
        third = one(desk)
        assert (third.received, third.new, third.duplicate, third.quarantined) == (27, 0, 22, 5)
    verdict = proven(desk)
    assert (verdict.punches, verdict.quarantined) == (20, 4)


def test_a_long_log_moves_the_cursor_part_by_part(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("desktop.punches.received.CHUNK", 100)
    cancel = CancelToken()

    def stop_at(done: int, total: int, text: str) -> None:
        if text == "保存打卡记录" and done >= 200:
            cancel.set()

    with emulator(desk, stored(450)) as unit:
        terminal(desk, GATE, unit.address)
        cut = one(desk, cancel=cancel, progress=stop_at)
        assert cut.error is not None
        assert (cut.complete, cut.new, cut.error.code) == (False, 200, "cancelled")
        state = view(desk)
        assert (state.held, state.complete_until) == (200, None)
        whole = one(desk)
        assert (whole.received, whole.new, whole.duplicate, whole.complete) == (450, 250, 200, True)
    assert (segments(desk), proven(desk).punches) == (5, 450)
    assert view(desk).complete_until is not None


def test_stick_first_then_pull_confirms(desk: Desk) -> None:
    with emulator(desk, stored(30)) as unit:
        gate = terminal(desk, GATE, unit.address)
        line = [
            punch(one.number, one.when, form=SourceFormat.ATTLOG, raw=b"%d" % at)  # type: ignore[arg-type]
            for at, one in enumerate(stored(25))
        ]
        keep(desk, gate, line, Origin.USB)
        result = one(desk)
    assert (result.new, result.duplicate, result.sighting) == (5, 25, 25)
    assert proven(desk).punches == 30


@pytest.mark.parametrize(
    "faults",
    [
        Faults(sessions=0, cut_after=2000),
        Faults(sessions=0, stall_at=9),
        Faults(sessions=0, bad_checksum_at=9),
        Faults(sessions=0, count_by=5),
        Faults(sessions=0, announce_by=4000),
        Faults(sessions=0, short_chunk_by=40),
        Faults(sessions=0, busy=True),
    ],
    ids=["cut", "stall", "checksum", "count", "announced", "short", "busy"],
)
def test_what_is_not_certain_is_not_stored(desk: Desk, faults: Faults) -> None:
    with emulator(desk, stored(300), faults=faults) as unit:
        terminal(desk, GATE, unit.address)
        began = time.monotonic()
        result = one(desk)
    assert time.monotonic() - began < 12
    assert result.error is not None
    assert GATE in result.error.message
    assert (result.complete, result.received, result.new) == (False, 0, 0)
    assert (table(desk, "punch"), table(desk, "punch_quarantine"), segments(desk)) == (0, 0, 0)
    state = view(desk)
    assert (state.complete_until, state.last_error) == (None, result.error.code)


@pytest.mark.parametrize(
    "faults",
    [
        Faults(cut_after=2000), Faults(reboot_at=9, reboot_s=0.01), Faults(bad_checksum_at=9),
        Faults(sessions=0, events_in_bulk=3), Faults(grow_by=2), Faults(zero_count=True),
        Faults(sessions=0, refuse_buffered=True),
    ],
    ids=["cut", "reboot", "checksum", "events", "grows", "uncounted", "direct"],
)
def test_what_heals_is_stored_once(desk: Desk, faults: Faults) -> None:
    with emulator(desk, stored(300), faults=faults) as unit:
        terminal(desk, GATE, unit.address)
        result = one(desk)
    assert result.error is None
    assert result.complete
    # Punches taken while the log was read come with the next reading.
    assert result.new == proven(desk).punches == 300


def test_udp_with_lost_datagrams(desk: Desk) -> None:
    with emulator(desk, stored(400), faults=Faults(sessions=0, drop_every=13)) as unit:
        terminal(desk, GATE, unit.address, transport="udp")
        result = one(desk)
    assert (result.error, result.new) == (None, 400)


def test_a_log_that_changed_twice_raises_the_epoch_and_loses_nothing(desk: Desk) -> None:
    with emulator(desk, stored(50)) as unit:
        terminal(desk, GATE, unit.address)
        one(desk)
        unit.replace(stored(60)[40:])
        result = one(desk)
        assert result.log_changed
        assert (result.new, result.duplicate, result.complete) == (10, 10, True)
        assert GATE in result.warnings[0]
        again = one(desk)
        assert (again.log_changed, again.new, again.warnings) == (False, 0, ())
    assert view(desk).epoch == 1
    assert rows(desk, "SELECT epoch, count(*) FROM punch GROUP BY epoch") == [(0, 50), (1, 10)]
    assert rows(desk, "SELECT count(*) FROM audit_act WHERE why = 'log_changed'") == [(1,)]
    assert proven(desk).punches == 60


def test_one_strange_reading_of_the_older_part_is_not_believed(desk: Desk) -> None:
    with emulator(desk, stored(50)) as unit:
        terminal(desk, GATE, unit.address)
        one(desk)
        unit.unit.faults = Faults(sessions=2, alter_record=7)
        unit.add(stored(1, start=MORNING + timedelta(days=1)))
        result = one(desk)
    assert (result.error, result.new, result.log_changed) == (None, 1, False)
    assert (view(desk).epoch, table(desk, "punch_conflict")) == (0, 0)


def test_another_unit_at_the_address_is_refused(desk: Desk) -> None:
    with emulator(desk, stored(20), serial="FIRST01") as unit:
        terminal(desk, GATE, unit.address)
        one(desk)
        unit.unit.options["~SerialNumber"] = "SECOND2"
        unit.replace(stored(25, first=200001))
        result = one(desk)
        assert result.error is not None
        assert (result.error.code, result.new, result.complete) == ("serial_changed", 0, False)
        assert "FIRST01" in result.error.message
        assert (table(desk, "punch"), view(desk).epoch) == (20, 0)
        rebind_terminal(desk, GATE, "旧机损坏，厂家换机")
        assert one(desk).new == 25
    state = view(desk)
    assert (state.serial, state.epoch) == ("SECOND2", 1)
    proven(desk)


def test_the_same_unit_entered_twice_is_warned_of(desk: Desk) -> None:
    with emulator(desk, stored(5), exclusive=False) as unit:
        terminal(desk, GATE, unit.address)
        terminal(desk, "西门进", unit.address)
        first, second = collect(desk)
    assert first.complete
    assert second.complete
    assert len(first.warnings + second.warnings) == 1


def test_keys_are_sealed_and_used_and_a_wrong_one_is_tried_once(desk: Desk) -> None:
    with emulator(desk, stored(9), key=123456) as unit:
        terminal(desk, GATE, unit.address, password="123456")
        terminal(desk, "无密码", unit.address)
        terminal(desk, "错密码", unit.address, password="1")
        terminal(desk, "不是数字", unit.address, password="abc")
        good = collect(desk, GATE)[0]
        assert (good.error, good.new) == (None, 9)
        visits = unit.sessions
        for name, word in (("无密码", "设有通讯密码"), ("错密码", "拒绝了通讯密码"), ("不是数字", "密码")):
            (result,) = collect(desk, name)
            assert result.error is not None
            assert result.error.code == "access_denied"
            assert word in result.error.message
        assert unit.sessions == visits + 2
    assert rows(desk, "SELECT count(*) FROM terminal WHERE password_sealed LIKE '%123456%'") == [(0,)]


def test_unknown_layouts_are_kept_sealed(desk: Desk) -> None:
    with emulator(desk, stored(30), width=40, faults=Faults(sessions=0, count_by=70)) as unit:
        # 1,200 bytes that the terminal calls 100 records: 12 bytes each, a layout nobody knows.
        terminal(desk, GATE, unit.address)
        result = one(desk)
    assert result.error is not None
    assert (result.error.code, table(desk, "punch")) == ("bad_response", 0)
    kept = rows(desk, "SELECT sha256 FROM download WHERE sha256 IS NOT NULL")
    for (digest,) in kept:
        assert len(b"".join(originals.read(desk.book, digest))) == 1200


def test_terminals_are_read_beside_each_other_and_fail_alone(desk: Desk) -> None:
    slow = Faults(sessions=0, delay_s=0.12)
    with (
        emulator(desk, stored(10), serial="A1", faults=slow) as a,
        emulator(desk, stored(20), serial="B2", faults=slow) as b,
        emulator(desk, stored(30), serial="C3", faults=Faults(sessions=0, busy=True)) as c,
    ):
        for name, unit in (("甲", a), ("乙", b), ("丙", c)):
            terminal(desk, name, unit.address)
        terminal(desk, "只用U盘")
        here = threading.get_ident()
        steps: list[tuple[int, str]] = []
        began = time.monotonic()
        results = collect(desk, progress=lambda done, total, text: steps.append(
            (threading.get_ident(), text)))
        beside = time.monotonic() - began
        began = time.monotonic()
        collect(desk, "甲")
        alone = time.monotonic() - began
    assert [(one.terminal, one.new, one.complete) for one in results] == [
        ("甲", 10, True), ("乙", 20, True), ("丙", 0, False),
    ]
    assert beside < 2 * alone
    assert {ident for ident, _ in steps} == {here}
    assert any("正在读取" in text for _, text in steps)


def test_cancelling_ends_every_lane_soon(desk: Desk) -> None:
    stall = Faults(sessions=0, stall_at=3)
    long_waits = Timing(reply_s=30, bulk_s=30, silence_s=60)
    cancel = CancelToken()
    with (
        emulator(desk, stored(10), serial="A1", faults=stall) as a,
        emulator(desk, stored(20), serial="B2", faults=stall) as b,
    ):
        terminal(desk, "甲", a.address)
        terminal(desk, "乙", b.address)
        threading.Timer(0.3, cancel.set).start()
        began = time.monotonic()
        results = pull(desk, cancel=cancel, timing=long_waits)
        assert time.monotonic() - began < 3
    assert [one.error.code for one in results if one.error] == ["cancelled", "cancelled"]
    assert table(desk, "punch") == 0


def test_what_is_asked_for_must_be_there(desk: Desk) -> None:
    with pytest.raises(Refused) as nothing:
        collect(desk)
    assert nothing.value.code == "no_terminal"
    terminal(desk, "只用U盘")
    with emulator(desk, stored(5)) as unit:
        terminal(desk, GATE, unit.address)
        unknown, read, by_stick = collect(desk, "北门", GATE, "只用U盘")
    assert (read.new, read.error) == (5, None)
    assert [one.error.code for one in (unknown, by_stick) if one.error] == [
        "unknown_terminal", "no_address",
    ]
    assert (unknown.terminal, by_stick.terminal) == ("北门", "只用U盘")
    assert not unknown.complete and not by_stick.complete


def test_a_retired_terminal_is_read_only_when_named(desk: Desk) -> None:
    with emulator(desk, stored(5)) as unit:
        terminal(desk, GATE, unit.address)
        retire_terminal(desk, GATE, MORNING.date())
        with pytest.raises(Refused):
            collect(desk)
        assert collect(desk, GATE, GATE)[0].new == 5


def test_the_reading_time_is_what_is_complete(desk: Desk) -> None:
    def slow_clock() -> datetime:
        return desk.clock.local() - timedelta(minutes=7)

    with emulator(desk, stored(5), now=slow_clock) as unit:
        terminal(desk, GATE, unit.address)
        result = one(desk)
    assert result.clock_offset_s == -420
    assert view(desk).complete_until == desk.clock.now()
    assert rows(desk, "SELECT offset_s, terminal_time FROM clock_reading") == [
        (-420, int((slow_clock() - datetime(1970, 1, 1)).total_seconds()))
    ]
    assert site_time(desk.clock.local()) == desk.clock.now()


def test_a_dead_clock_says_nothing_about_drift(desk: Desk) -> None:
    with emulator(desk, stored(5), now=lambda: 31 * 86_400 + 30 * 86_400) as unit:
        terminal(desk, GATE, unit.address)
        result = one(desk)
    assert (result.clock_offset_s, result.complete, table(desk, "clock_reading")) == (None, True, 0)


def test_names_of_the_8_byte_log_come_from_its_people(desk: Desk) -> None:
    people = [StoredUser(str(100001 + at), "工人") for at in range(7)]
    with emulator(desk, stored(40), width=8, users=people) as unit:
        terminal(desk, GATE, unit.address)
        assert one(desk).new == 40
    assert view(desk).serial
    assert rows(desk, "SELECT encoding FROM terminal") == [("gbk",)]


def test_an_empty_log_is_complete(desk: Desk) -> None:
    with emulator(desk) as unit:
        terminal(desk, GATE, unit.address)
        result = one(desk)
    assert (result.received, result.complete, segments(desk)) == (0, True, 0)


def test_a_defect_in_one_lane_stops_the_others_and_is_not_hidden(desk: Desk) -> None:
    stall = Faults(sessions=0, stall_at=3)
    with emulator(desk, stored(10), faults=stall) as unit:
        terminal(desk, "甲", unit.address)
        terminal(desk, "乙", "10.0.0.1:4370")

        def opener(name: str, connection: Any, around: Any) -> Any:
            if connection.address != unit.address:
                raise ZeroDivisionError
            return open_driver(name, connection, around)

        began = time.monotonic()
        with pytest.raises(ZeroDivisionError):
            pull(desk, opener=opener, timing=Timing(reply_s=30, bulk_s=30, silence_s=60))
        assert time.monotonic() - began < 3


def test_a_unit_that_will_not_say_its_serial(desk: Desk) -> None:
    with emulator(desk, stored(5), serial="") as unit:
        terminal(desk, GATE, unit.address)
        result = one(desk)
        assert (result.serial, result.new, result.complete) == ("", 5, True)
    with desk.book.read() as session:
        (entry,) = downloads(session, desk.project_id, terminal_id=1)
    assert entry.terminal == GATE

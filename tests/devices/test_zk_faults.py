"""Everything that goes wrong on a line or in a firmware, over true sockets.

Two outcomes are allowed: after a retry the whole log, or an error inside the limits. Never a
wrong punch, never an endless wait.
"""

from __future__ import annotations

import time

import pytest

from devices.emulators.zk import Faults, StoredPunch, ZkEmulator
from devices.errors import (
    BadResponse,
    ConnectionCut,
    DeviceBusy,
    DeviceError,
    DeviceTimeout,
)
from tests.devices.rig import PUNCHES, check_whole, driver, some_users

ONCE = {
    "bad checksum in the first answer": Faults(bad_checksum_at=1),
    "bad checksum in a chunk": Faults(bad_checksum_at=7),
    "cut in the first packet": Faults(cut_after=20),
    "cut in a chunk": Faults(cut_after=70_000),
    "cut in the last chunk": Faults(cut_after=160_100),
    "stall at once": Faults(stall_at=1),
    "stall in a chunk": Faults(stall_at=8),
    "reboot in a transfer": Faults(reboot_at=8, reboot_s=0.03),
    "lying size, larger": Faults(announce_by=40 * 4000),
    "lying size, odd": Faults(announce_by=3),
    "lying size, smaller": Faults(announce_by=-4000),
    "sizes that differ": Faults(announce_second_by=40),
    "length in front too long": Faults(prefix_by=40),
    "length in front too short": Faults(prefix_by=-40),
    "log cut short, whole records": Faults(cut_log_by=4000),
    "log cut inside a record": Faults(cut_log_by=13),
    "chunks too short": Faults(short_chunk_by=1),
    "chunk announces something else": Faults(chunk_announce=4_000_000_000),
    "count too high": Faults(count_by=1),
    "count too low": Faults(count_by=-1),
    "half the count": Faults(count_by=-2000),
    "mad frame length": Faults(frame_length=0x7FFFFFFF, frame_length_at=8),
    "short frame length": Faults(frame_length=7, frame_length_at=8),
    "frame longer than it is": Faults(frame_length=20, frame_length_at=6),
    "another reply number": Faults(wrong_number_at=8),
    "busy": Faults(busy=True),
}

HARMLESS = {
    "split": Faults(sessions=0, split=1000),
    "bytes one by one at first": Faults(sessions=0, split=7),
    "coalesced": Faults(sessions=0, coalesce=True),
    "coalesced and split": Faults(sessions=0, coalesce=True, split=1024),
    "events inside bulk": Faults(sessions=0, events_in_bulk=3),
    "growing": Faults(sessions=0, grow_by=5),
    "no buffered read": Faults(sessions=0, refuse_buffered=True),
    "whole chunks": Faults(sessions=0, whole_chunks=True),
    "slow": Faults(sessions=0, delay_s=0.02),
}


@pytest.mark.parametrize("name", ONCE)
def test_a_fault_that_passes_is_outlived(name: str) -> None:
    with ZkEmulator(some_users(), PUNCHES, faults=ONCE[name]) as terminal:
        batch = driver(terminal.address).pull()
    check_whole(batch)
    assert batch.attempts == 2


@pytest.mark.parametrize("name", ONCE)
def test_a_fault_that_stays_gives_no_punch_and_no_endless_wait(name: str) -> None:
    faults = ONCE[name]
    stays = Faults(**{f: getattr(faults, f) for f in Faults.__slots__} | {"sessions": 0})
    with ZkEmulator(some_users(), PUNCHES, faults=stays) as terminal:
        began = time.monotonic()
        with pytest.raises(DeviceError) as caught:
            driver(terminal.address).pull()
        assert time.monotonic() - began < 5
    certain = caught.value.certain
    assert certain is not None
    assert certain.attempts == 3
    assert len(certain.failures) == 3


@pytest.mark.parametrize("name", HARMLESS)
def test_odd_manners_are_no_faults(name: str) -> None:
    faults = HARMLESS[name]
    with ZkEmulator(some_users(), PUNCHES, faults=faults) as terminal:
        batch = driver(terminal.address).pull()
        assert terminal.unit.acknowledged_events == batch.events_set_aside
    assert batch.attempts == 1
    check_whole(batch)


def test_events_are_acknowledged_and_set_aside() -> None:
    faults = Faults(sessions=0, events_in_bulk=2)
    with ZkEmulator(some_users(), PUNCHES, faults=faults) as terminal:
        batch = driver(terminal.address).pull()
    assert batch.events_set_aside == 6
    assert {event.kind for event in batch.events} == {"punch"}
    assert batch.events[0].raw[:6] == b"880005"
    assert batch.received == 4000


@pytest.mark.parametrize(
    ("faults", "error"),
    [
        (Faults(sessions=0, stall_at=8), DeviceTimeout),
        (Faults(sessions=0, cut_after=70_000), ConnectionCut),
        (Faults(sessions=0, bad_checksum_at=7), BadResponse),
        (Faults(sessions=0, busy=True), DeviceBusy),
    ],
)
def test_errors_by_kind(faults: Faults, error: type[DeviceError]) -> None:
    with (
        ZkEmulator(some_users(), PUNCHES, faults=faults) as terminal,
        pytest.raises(error) as caught,
    ):
        driver(terminal.address).pull()
    certain = caught.value.certain
    assert certain is not None
    if error is not DeviceBusy:
        assert (certain.serial, certain.reported) == ("CKJG264160001", 4000)
        assert certain.clock is not None


def test_the_count_may_grow_between_the_looks() -> None:
    faults = Faults(sessions=0, grow_early_by=5, grow_by=7)
    with ZkEmulator(some_users(), PUNCHES, faults=faults) as terminal:
        batch = driver(terminal.address).pull()
    assert (batch.reported_before, batch.received, batch.reported_after) == (4000, 4005, 4012)
    check_whole(batch, 4005)


def test_firmware_that_counts_nothing() -> None:
    faults = Faults(sessions=0, zero_count=True)
    for width in (16, 40):
        with ZkEmulator(some_users(), PUNCHES, width=width, faults=faults) as terminal:
            batch = driver(terminal.address).pull()
        check_whole(batch)
        assert (batch.reported, batch.width) == (0, width)
    with ZkEmulator(some_users(), [], faults=Faults(sessions=0, zero_count=True)) as terminal:
        assert driver(terminal.address).pull().received == 0


@pytest.mark.parametrize("transport", ["tcp", "udp"])
def test_no_way_of_reading_at_all(transport: str) -> None:
    refuse = Faults(sessions=0, refuse_buffered=True, refuse_direct=True)
    with ZkEmulator(some_users(), PUNCHES, faults=refuse) as terminal:
        with pytest.raises(BadResponse) as caught:
            driver(terminal.address, transport=transport).pull()
        assert caught.value.what == "reply"
    with ZkEmulator(some_users(), [], faults=refuse) as terminal:
        assert driver(terminal.address, transport=transport).pull().received == 0


def test_an_unknown_layout_is_kept_raw() -> None:
    with ZkEmulator(some_users(), PUNCHES) as terminal:
        terminal.unit._log = bytes(24 * 4000)
        with pytest.raises(BadResponse) as caught:
            driver(terminal.address).pull()
    assert (caught.value.what, caught.value.raw) == ("layout", bytes(24 * 4000))


def test_a_bad_date_is_one_unusable_record() -> None:
    bad = ((26 * 12 + 1) * 31 + 30) * 86400
    punches = [*PUNCHES[:100], StoredPunch("880001", bad), *PUNCHES[100:]]
    for transport in ("tcp", "udp"):
        with ZkEmulator(some_users(), punches) as terminal:
            batch = driver(terminal.address, transport=transport).pull()
            # Over UDP an odd record must have been seen twice, but only while it is new.
            sessions = 1 if transport == "tcp" else 2
            assert terminal.sessions == sessions
            assert driver(terminal.address, transport=transport).pull(batch.cursor).known == 4001
            assert terminal.sessions == sessions + 1
        records = batch.records()
        assert len(records.punches) == 4000
        assert [(u.position, u.reason) for u in records.unusable] == [(100, "impossible_date")]


def test_people_outlive_a_fault_too() -> None:
    with ZkEmulator(some_users(100), [], faults=Faults(cut_after=500)) as terminal:
        found = driver(terminal.address).people()
    assert (len(found.persons), found.attempts) == (100, 2)


# ---- the older part ----------------------------------------------------------------------


def test_a_read_that_lies_about_the_past_is_read_again() -> None:
    with ZkEmulator(some_users(), PUNCHES) as terminal:
        cursor = driver(terminal.address).pull().cursor
    with ZkEmulator(some_users(), PUNCHES, faults=Faults(alter_record=17)) as terminal:
        batch = driver(terminal.address).pull(cursor)
        assert terminal.sessions == 2
    assert (batch.known, batch.prefix_changed) == (4000, False)
    check_whole(batch)


def test_two_reads_that_differ_from_each_other_and_from_the_past_give_nothing() -> None:
    with ZkEmulator(some_users(), PUNCHES) as terminal:
        cursor = driver(terminal.address).pull().cursor
        rounds = iter(range(100))
        original = terminal.unit._dataset

        def other_each_time(visit, code):  # type: ignore[no-untyped-def]
            visit.faults = Faults(alter_record=next(rounds))
            return original(visit, code)

        terminal.unit._dataset = other_each_time  # type: ignore[method-assign]
        with pytest.raises(BadResponse) as caught:
            driver(terminal.address).pull(cursor)
    assert caught.value.what == "unsteady_log"


def test_a_past_altered_for_good_is_said() -> None:
    with ZkEmulator(some_users(), PUNCHES) as terminal:
        cursor = driver(terminal.address).pull().cursor
    with ZkEmulator(some_users(), PUNCHES, faults=Faults(sessions=0, alter_record=17)) as terminal:
        batch = driver(terminal.address).pull(cursor)
    assert batch.prefix_changed

"""Datagrams: lost, damaged, swapped, late. The log comes whole or not at all."""

from __future__ import annotations

import pytest

from devices.emulators.zk import Faults, ZkEmulator
from tests.devices.rig import PUNCHES, check_whole, driver, some_users


@pytest.mark.parametrize(
    "faults",
    [
        Faults(sessions=0, drop=frozenset({1})),
        Faults(sessions=0, drop=frozenset({4, 5})),
        Faults(sessions=0, drop=frozenset({6, 20, 25, 26, 50})),
        Faults(sessions=0, drop_every=23),
        Faults(sessions=0, bad_checksum_at=12),
        Faults(sessions=0, events_in_bulk=2, drop_every=37),
        Faults(sessions=0, refuse_buffered=True, drop=frozenset({9, 10})),
    ],
    ids=["connect", "early", "several", "every 23rd", "damaged", "events", "direct"],
)
def test_lost_datagrams_are_asked_for_again(faults: Faults) -> None:
    with ZkEmulator(some_users(), PUNCHES, faults=faults) as terminal:
        batch = driver(terminal.address, transport="udp").pull()
    check_whole(batch)
    assert batch.attempts == 1


@pytest.mark.parametrize(
    "faults",
    [
        Faults(stall_at=12),
        Faults(announce_by=40),
        Faults(prefix_by=8),
        Faults(short_chunk_by=8),
        Faults(reboot_at=20, reboot_s=0.05),
    ],
    ids=["stall", "size", "prefix", "short", "reboot"],
)
def test_worse_over_udp(faults: Faults) -> None:
    with ZkEmulator(some_users(), PUNCHES, faults=faults) as terminal:
        batch = driver(terminal.address, transport="udp").pull()
    check_whole(batch)
    assert batch.attempts == 2


def test_swapped_datagrams_never_become_punches() -> None:
    """Each checksum is right and the length too, but records are cut apart at the seams."""
    with ZkEmulator(some_users(), PUNCHES) as terminal:
        original = terminal.unit.answer
        lies = iter([True, False, False])

        def swapped(visit, code, number, data):  # type: ignore[no-untyped-def]
            packets = original(visit, code, number, data)
            if code == 1504 and data[:4] == bytes(4) and next(lies):
                packets[3], packets[4] = packets[4], packets[3]
            return packets

        terminal.unit.answer = swapped  # type: ignore[method-assign]
        batch = driver(terminal.address, transport="udp").pull()
    check_whole(batch)


@pytest.mark.parametrize("width", [16, 40])
def test_a_datagram_that_comes_twice_never_stands_for_another(width: int) -> None:
    """1008 bytes are 63 records of 16: the length, the count and each record would look right."""
    with ZkEmulator(some_users(), PUNCHES, width=width) as terminal:
        original = terminal.unit.answer
        lies = iter([True])

        def doubled(visit, code, number, data):  # type: ignore[no-untyped-def]
            packets = original(visit, code, number, data)
            if code == 1504 and next(lies, False):
                packets[3] = packets[2]
            return packets

        terminal.unit.answer = doubled  # type: ignore[method-assign]
        batch = driver(terminal.address, transport="udp").pull()
    check_whole(batch)
    assert batch.attempts == 1


def test_equal_datagrams_of_a_true_log_are_read_one_by_one() -> None:
    same = [PUNCHES[0]] * 2000
    with ZkEmulator(some_users(), same) as terminal:
        terminal.unit._log = terminal.unit._log[:40] * 2000
        batch = driver(terminal.address, transport="udp").pull()
    assert batch.received == 2000
    assert len(set(batch.records().punches)) == 1

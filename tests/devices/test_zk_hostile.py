"""A terminal that means no good: limits of time and memory, and any bytes at all."""

from __future__ import annotations

import gc
import random
import socket
import struct
import time
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.emulators.zk import Faults, ZkEmulator
from devices.errors import BadResponse, DeviceError, DeviceTimeout
from devices.terminals.driver import Timing
from tests.devices.rig import PUNCHES, check_whole, driver, hexed, some_users, talking


def test_silence_ends_the_whole_operation() -> None:
    """One byte a second is neither silence nor an answer."""
    timing = Timing(reply_s=2, bulk_s=2, silence_s=1.5, waits_s=(0.01, 0.01))
    faults = Faults(sessions=0, drip_at=8)
    with ZkEmulator(some_users(), PUNCHES, faults=faults) as terminal:
        began = time.monotonic()
        with pytest.raises(DeviceTimeout) as caught:
            driver(terminal.address, timing=timing).pull()
        assert time.monotonic() - began < 4
    assert caught.value.given_up
    assert caught.value.certain is not None
    assert caught.value.certain.attempts == 1


def test_endless_events_are_no_answer() -> None:
    punch = hexed("f4 01 d4 fb 00 02 00 00 37 00 00 00")
    event = b"PP\x82\x7d" + len(punch).to_bytes(4, "little") + punch

    def babbling(client: socket.socket) -> None:
        client.recv(100)
        until = time.monotonic() + 3
        while time.monotonic() < until:
            client.sendall(event)
            time.sleep(0.01)

    with talking(babbling) as address:
        began = time.monotonic()
        with pytest.raises(DeviceTimeout):
            driver(address).probe()
        assert time.monotonic() - began < 2


@pytest.mark.parametrize("size", [60 << 20, 0xFFFFFFFF])
def test_a_lying_size_costs_no_memory(size: int) -> None:
    faults = Faults(sessions=0, announce_by=size - 160_004)
    with ZkEmulator(some_users(), PUNCHES, faults=faults) as terminal:
        zk = driver(terminal.address)
        gc.collect()
        tracemalloc.start()
        try:
            with pytest.raises(BadResponse) as caught:
                zk.pull()
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert caught.value.what == "size"
    assert peak < 4 << 20


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.binary(max_size=64),
            st.builds(
                lambda length, body: b"PP\x82\x7d" + struct.pack("<I", length) + body,
                st.integers(0, 0xFFFFFFFF),
                st.binary(max_size=64),
            ),
        ),
        max_size=4,
    )
)
def test_a_terminal_that_answers_anything(answers: list[bytes]) -> None:
    def script(client: socket.socket) -> None:
        for answer in answers:
            client.recv(100)
            client.sendall(answer)

    timing = Timing(reply_s=0.1, bulk_s=0.1, silence_s=0.5, waits_s=())
    with talking(script) as address, pytest.raises(DeviceError):
        driver(address, timing=timing).pull()


@pytest.mark.parametrize("seed", range(6))
def test_random_cuts_and_damage(seed: int) -> None:
    """Anywhere in the byte stream: the whole log or an error."""
    random_ = random.Random(seed)
    faults = Faults(
        sessions=2,
        cut_after=random_.randrange(1, 170_000),
        split=random_.choice([0, 1460, 8192]),
        bad_checksum_at=random_.choice([0, random_.randrange(1, 20)]),
    )
    with ZkEmulator(some_users(), PUNCHES, faults=faults) as terminal:
        check_whole(driver(terminal.address).pull())

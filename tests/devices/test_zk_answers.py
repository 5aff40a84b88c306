"""Single answers that are unusual or wrong, one by one."""

from __future__ import annotations

import socket
import struct

import pytest

from devices.errors import (
    BadResponse,
    DeviceBusy,
    DeviceError,
    DeviceNotFound,
    DeviceTimeout,
    NotSupported,
)
from devices.terminals.driver import Timing
from tests.devices.rig import FOUR, Answer, driver, puppet

SIZE = struct.pack("<I", len(FOUR))
ANNOUNCED = b"\0" + SIZE + SIZE + bytes(4)


def prepared(size: int = len(FOUR)) -> Answer:
    return (1500, struct.pack("<II", size, 65528))


GOOD: dict[str, dict[int, list[Answer]]] = {
    "one DATA": {},
    "the stream at once": {1503: [prepared(), (1501, FOUR[:70]), (1501, FOUR[70:]), (2000, b"")]},
    "in chunks": {1503: [(2000, ANNOUNCED)], 1504: [prepared(), (1501, FOUR), (2000, b"")]},
    "announced without check value": {1503: [(2000, ANNOUNCED[:9])], 1504: [(1501, FOUR)]},
    "announced once": {1503: [(2000, ANNOUNCED[:5])], 1504: [(1501, FOUR)]},
    "announced by ACK_DATA": {1503: [(2002, ANNOUNCED)], 1504: [(1501, FOUR)]},
    "freeing refused": {1503: [(2000, ANNOUNCED)], 1504: [(1501, FOUR)], 1502: [(2001, b"")]},
    "freeing unanswered": {1503: [(2000, ANNOUNCED)], 1504: [(1501, FOUR)], 1502: []},
    "leaving unanswered": {1001: []},
    "directly": {1503: [(65535, b"")], 13: [(1501, FOUR)]},
    "directly in a stream": {1503: [(2001, b"")], 13: [prepared(), (1501, FOUR), (2000, b"")]},
    "clock refused": {201: [(2001, b"")]},
}

BAD: dict[str, tuple[dict[int, list[Answer]], str]] = {
    "announcement too short": ({1503: [(2000, b"\0\xa4\0\0")]}, "fields"),
    "nothing although four": ({1503: [(2000, b"")]}, "count"),
    "nothing directly": ({1503: [(2001, b"")], 13: [(2000, b"")]}, "count"),
    "session lost": ({1503: [(2005, b"")]}, "reply"),
    "odd code": ({1503: [(1234, b"")]}, "reply"),
    "three bytes": ({1503: [(1501, b"\0\0\0")]}, "transfer"),
    "prefix of another size": ({1503: [(1501, b"\xa1" + FOUR[1:])]}, "transfer"),
    "prepared twice": ({1503: [prepared(), prepared()]}, "reply"),
    "prepared with two bytes": ({1503: [(1500, b"\xa4\0")]}, "fields"),
    "more than prepared": ({1503: [prepared(), (1501, FOUR + b"\0")]}, "transfer"),
    "less than prepared": ({1503: [prepared(), (1501, FOUR[:-1]), (2000, b"")]}, "transfer"),
    "chunk refused": ({1503: [(2000, ANNOUNCED)], 1504: [(2001, b"")]}, "reply"),
    "counts refused": ({50: [(2001, b"")]}, "reply"),
    "counts too short": ({50: [(2000, bytes(79))]}, "fields"),
    "clock too short": ({201: [(2000, b"\0")]}, "fields"),
    "clock with an odd code": ({201: [(1234, b"")]}, "reply"),
    "odd answer to CONNECT": ({1000: [(1234, b"")]}, "reply"),
    "odd answer to AUTH": ({1000: [(2005, b"")], 1102: [(2001, b"")]}, "reply"),
    "two records too many": (
        {1503: [(1501, struct.pack("<I", 240) + FOUR[4:] + FOUR[4:84])]},
        "count",
    ),
}


@pytest.mark.parametrize("name", GOOD)
def test_answers_that_will_do(name: str) -> None:
    with puppet(GOOD[name]) as address:
        batch = driver(address).pull()
    assert (batch.received, batch.attempts, batch.serial) == (4, 1, "")
    assert len(batch.records().punches) == 4
    assert (batch.clock.offset_s is None) == (name == "clock refused")


@pytest.mark.parametrize("name", BAD)
def test_answers_that_will_not(name: str) -> None:
    answers, what = BAD[name]
    with puppet(answers) as address, pytest.raises(BadResponse) as caught:
        driver(address).pull()
    assert caught.value.what == what


@pytest.mark.parametrize("code", [2001, 2003, 2004])
def test_held_by_another_program(code: int) -> None:
    with puppet({1000: [(code, b"")]}) as address, pytest.raises(DeviceBusy):
        driver(address).probe()


def test_health_refused() -> None:
    with puppet({50: [(65535, b"")]}) as address, pytest.raises(NotSupported):
        driver(address).health()


@pytest.mark.parametrize(
    ("size", "what"), [(72, None), (73, "size"), (72 * 1000, "size"), (80_000_000, "size")]
)
def test_people_of_a_lying_size(size: int, what: str | None) -> None:
    users = struct.pack("<I", 72) + bytes(48) + b"880001".ljust(24, b"\0")
    announced = struct.pack("<BII", 0, size + 4, size + 4)
    answers: dict[int, list[Answer]] = {1503: [(2000, announced)], 1504: [(1501, users)]}
    with puppet(answers) as address:
        if what is None:
            assert driver(address).people().persons[0].number == "880001"
            return
        with pytest.raises(BadResponse) as caught:
            driver(address).people()
    assert caught.value.what == what


def test_a_port_that_never_answers() -> None:
    """A listener whose queue is full lets further callers wait."""
    timing = Timing(connect_s=0.3, waits_s=())
    with socket.create_server(("127.0.0.1", 0), backlog=0) as server:
        host, port = server.getsockname()
        callers = []
        for _ in range(4):
            caller = socket.socket()
            caller.setblocking(False)
            caller.connect_ex((host, port))
            callers.append(caller)
        with pytest.raises((DeviceNotFound, DeviceTimeout)) as caught:
            driver(f"{host}:{port}", timing=timing).probe()
        for caller in callers:
            caller.close()
    assert isinstance(caught.value, DeviceError)


def test_a_name_that_is_none() -> None:
    for transport in ("tcp", "udp"):
        with pytest.raises(DeviceNotFound) as caught:
            driver("a..b:4370", transport=transport).probe()
        assert caught.value.reason == "name"

"""The driver against healthy terminals of every kind, over true TCP and UDP."""

from __future__ import annotations

import hashlib
import socket
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest

from devices.emulators.zk import StoredPunch, StoredUser, ZkEmulator
from devices.errors import (
    AccessDenied,
    Cancelled,
    DeviceBusy,
    DeviceError,
    DeviceNotFound,
    NotSupported,
)
from devices.terminals.driver import Capability, Connection, Surroundings, Timing
from devices.terminals.model import SourceFormat
from devices.terminals.registry import driver_class, driver_names, open_driver
from devices.terminals.zk.codes import Request
from devices.terminals.zk.driver import ZkDriver
from devices.terminals.zk.transport import split_address
from tests.devices.rig import LOCAL, MORNING, driver, hexed, some_punches, some_users, talking

BOTH = pytest.mark.parametrize("transport", ["tcp", "udp"])

READS_ONLY = {
    "READ_USERS": 9,
    "READ_OPTION": 11,
    "READ_PUNCHES": 13,
    "READ_COUNTS": 50,
    "READ_TIME": 201,
    "CONNECT": 1000,
    "EXIT": 1001,
    "READ_VERSION": 1100,
    "AUTH": 1102,
    "FREE_DATA": 1502,
    "PREPARE_READ": 1503,
    "READ_CHUNK": 1504,
    "ACK_EVENT": 2000,
}


def test_no_command_that_changes_a_terminal_exists() -> None:
    assert {code.name: code.value for code in Request} == READS_ONLY


def test_the_conversation_of_the_notes_byte_by_byte() -> None:
    """CONNECT, key 123456, GET_TIME: every byte we send is the published one."""
    conversation = [
        ("e8 03 17 fc 00 00 00 00", "d5 07 fb 9c 2f 5b 00 00"),
        ("4e 04 28 7f 2f 5b 01 00 26 7f 32 a2", None),
        ("c9 00 05 a4 2f 5b 02 00", "d0 07 55 28 2f 5b 02 00 08 42 a1 32"),
    ]
    accepted = hexed("50 50 82 7d 08 00 00 00") + _ok(1)

    def script(client: socket.socket) -> None:
        for asked, answer in conversation:
            packet = hexed(asked)
            want = hexed("50 50 82 7d") + len(packet).to_bytes(4, "little") + packet
            assert client.recv(100) == want
            if answer is None:
                client.sendall(accepted)
            else:
                body = hexed(answer)
                head = hexed("50 50 82 7d") + len(body).to_bytes(4, "little")
                client.sendall(head + body)
        client.recv(100)

    with talking(script) as address:
        reading = driver(address, password="123456").clock()
    assert reading.terminal_time == LOCAL
    assert reading.offset_s == 0


def _ok(number: int) -> bytes:
    """ACK_OK of session 0x5B2F, checksum by hand."""
    total = 2000 + 0x5B2F + number
    return b"".join(n.to_bytes(2, "little") for n in (2000, 0xFFFF - total, 0x5B2F, number))


@BOTH
def test_probe_clock_health(transport: str) -> None:
    with ZkEmulator(some_users(), some_punches(7), key=123456, now=lambda: LOCAL) as terminal:
        zk = driver(terminal.address, transport=transport, password="123456")
        identity = zk.probe()
        health = zk.health()
        reading = zk.clock()
    assert identity.serial == "CKJG264160001"
    assert (identity.model, identity.firmware) == ("SenseFace 2A", "Ver 6.60 Apr 28 2021")
    assert identity.protocol == f"zk-{transport}"
    assert identity.options["~PIN2Width"] == "9"
    assert "FaceFunOn" not in identity.options
    assert (health.users, health.punches, health.punch_capacity) == (5, 7, 200_000)
    assert (reading.terminal_time, reading.offset_s) == (LOCAL, 0)
    assert reading.host_time == datetime(2026, 6, 5, 0, 30, tzinfo=UTC) + timedelta(
        microseconds=reading.host_time.microsecond
    )


def test_a_fast_clock_and_an_impossible_one() -> None:
    with ZkEmulator(now=lambda: LOCAL + timedelta(seconds=301)) as terminal:
        assert driver(terminal.address).clock().offset_s == 301
    bad = ((26 * 12 + 1) * 31 + 30) * 86400
    with ZkEmulator(some_users(), some_punches(2), now=lambda: bad) as terminal:
        reading = driver(terminal.address).clock()
        assert (reading.terminal_time, reading.offset_s) == (None, None)
        assert driver(terminal.address).pull().received == 2


@BOTH
@pytest.mark.parametrize("user_width", [28, 72])
@pytest.mark.parametrize("encoding", ["gbk", "utf-8"])
def test_people(transport: str, user_width: int, encoding: str) -> None:
    users = [StoredUser(str(100 + at), "王芳" if at % 2 else "阿里") for at in range(150)]
    with ZkEmulator(users, encoding=encoding, user_width=user_width) as terminal:
        found = driver(terminal.address, transport=transport).people()
    assert (found.serial, found.encoding, found.reported) == ("CKJG264160001", encoding, 150)
    assert [(p.number, p.name) for p in found.persons] == [(u.number, u.name) for u in users]
    assert found.persons[0].slot == 1


def test_no_people() -> None:
    with ZkEmulator() as terminal:
        found = driver(terminal.address).people()
    assert (found.persons, found.encoding) == ([], "")


@BOTH
@pytest.mark.parametrize(
    ("width", "form"),
    [
        (8, SourceFormat.ZK8),
        (16, SourceFormat.ZK16),
        (40, SourceFormat.ZK40),
        (49, SourceFormat.ZK49),
        (52, SourceFormat.ZK_WIDE),
    ],
)
@pytest.mark.parametrize("count", [1, 5, 2500])
def test_pull_of_every_width(transport: str, width: int, form: SourceFormat, count: int) -> None:
    """Small logs come as one DATA packet, long ones in chunks."""
    punches = some_punches(count)
    with ZkEmulator(some_users(), punches, width=width) as terminal:
        batch = driver(terminal.address, transport=transport).pull()
    assert batch.complete
    assert (batch.serial, batch.received, batch.known) == ("CKJG264160001", count, 0)
    assert (batch.reported_before, batch.reported_after) == (count, count)
    assert (batch.source_format, batch.width, batch.attempts) == (form, width, 1)
    records = batch.records()
    assert records.unusable == []
    epoch = datetime(1970, 1, 1)
    assert [
        (p.number, epoch + timedelta(seconds=p.t_local), p.method_raw, p.state_raw)
        for p in records.punches
    ] == [tuple(punch) for punch in punches]
    assert b"".join(p.raw for p in records.punches) == batch.raw
    assert batch.sha256 == hashlib.sha256(batch.raw).digest()


def test_pull_reads_only() -> None:
    with ZkEmulator(some_users(), some_punches(2000), key=7, width=8) as terminal:
        driver(terminal.address, password="7").pull()
        driver(terminal.address, password="7").people()
        assert set(terminal.requests) <= set(READS_ONLY.values())


@BOTH
def test_an_empty_log(transport: str) -> None:
    with ZkEmulator(some_users()) as terminal:
        batch = driver(terminal.address, transport=transport).pull()
    assert (batch.received, batch.records().punches, list(batch.parts())) == (0, [], [])
    assert batch.complete


def test_progress_is_told_and_ends_whole() -> None:
    seen: list[tuple[int, int, str]] = []
    with ZkEmulator(some_users(), some_punches(5000)) as terminal:
        driver(terminal.address).pull(progress=lambda *facts: seen.append(facts))
    bulk = [(done, total) for done, total, step in seen if step == "punches"]
    assert bulk[-1] == (200_004, 200_004)
    assert bulk == sorted(bulk)
    assert {step for _, _, step in seen} == {"connect", "punches", "check"}


# ---- cursor ------------------------------------------------------------------------------


def test_the_log_only_grows() -> None:
    punches = some_punches(300)
    with ZkEmulator(some_users(), punches[:200]) as terminal:
        zk = driver(terminal.address)
        first = zk.pull()
        assert first.cursor == {"count": 200, "digest": first.prefix_digest(200)}
        terminal.add(punches[200:])
        second = zk.pull(first.cursor)
        third = zk.pull(second.cursor)
    assert (second.received, second.known, second.prefix_changed) == (300, 200, False)
    assert [p.number for p in second.records(second.known).punches] == [
        p.number for p in punches[200:]
    ]
    assert (third.received, third.known, list(third.parts(third.known))) == (300, 300, [])
    assert terminal.sessions == 3
    assert third.prefix_digest(200) == first.cursor["digest"]
    with pytest.raises(ValueError):
        third.prefix_digest(301)


@pytest.mark.parametrize("kept", [0, 120, 250])
def test_a_cleared_or_altered_log_is_read_twice_and_said(kept: int) -> None:
    with ZkEmulator(some_users(), some_punches(200)) as terminal:
        cursor = driver(terminal.address).pull().cursor
        terminal.replace([punch._replace(state=5) for punch in some_punches(kept)])
        batch = driver(terminal.address).pull(cursor)
        assert terminal.sessions == 3
    assert (batch.prefix_changed, batch.known, batch.received) == (True, 0, kept)
    assert batch.cursor["count"] == kept


@pytest.mark.parametrize("cursor", [None, {}, {"count": "x"}, {"count": 5}, {"seq": 9}])
def test_no_or_a_foreign_cursor(cursor: dict[str, object] | None) -> None:
    with ZkEmulator(some_users(), some_punches(9)) as terminal:
        batch = driver(terminal.address).pull(cursor)
    assert (batch.known, batch.prefix_changed) == (0, False)


# ---- refusals ----------------------------------------------------------------------------


@BOTH
@pytest.mark.parametrize(("password", "remedy"), [("", "key_missing"), ("654321", "key_wrong")])
def test_a_wrong_key_is_tried_once(transport: str, password: str, remedy: str) -> None:
    with ZkEmulator(some_users(), some_punches(3), key=123456) as terminal:
        with pytest.raises(AccessDenied) as caught:
            driver(terminal.address, transport=transport, password=password).pull()
        assert terminal.requests.count(1102) == 1
    assert caught.value.remedy_id == remedy
    assert caught.value.certain is not None
    assert caught.value.certain.failures == ("access_denied",)
    assert password == "" or password not in repr(caught.value)


def test_the_second_client_is_told_that_somebody_holds_the_terminal() -> None:
    with ZkEmulator(some_users(), some_punches(3)) as terminal:
        host, port = split_address(terminal.address)
        with socket.create_connection((host, port)):
            time.sleep(0.2)
            with pytest.raises(DeviceBusy) as caught:
                driver(terminal.address).pull()
            assert caught.value.certain is not None
            assert caught.value.certain.failures == ("device_busy",) * 3
        time.sleep(0.2)
        assert driver(terminal.address).pull().received == 3


def test_nobody_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    for transport in ("tcp", "udp"):
        with pytest.raises(DeviceNotFound) as caught:
            driver(f"127.0.0.1:{port}", transport=transport).probe()
        assert caught.value.reason == "refused"


@pytest.mark.parametrize(
    "address", ["", ":", "host:", "host:0", "host:99999", "a:b:c", "h:４３７０"]
)
def test_addresses_that_are_none(address: str) -> None:
    with pytest.raises(DeviceNotFound) as caught:
        driver(address).probe()
    assert caught.value.reason == "address"


@pytest.mark.parametrize(
    ("address", "host", "port"),
    [
        ("10.0.0.9", "10.0.0.9", 4370),
        ("gate:4371", "gate", 4371),
        ("[::1]:9", "::1", 9),
        ("[::1]", "::1", 4370),
    ],
)
def test_addresses(address: str, host: str, port: int) -> None:
    assert split_address(address) == (host, port)


def test_the_waits_between_attempts_are_those_of_the_house() -> None:
    slept: list[float] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    zk = ZkDriver(Connection(f"127.0.0.1:{port}"), Surroundings(sleep=slept.append))
    with pytest.raises(DeviceNotFound) as caught:
        zk.pull()
    assert sum(slept) == pytest.approx(6.0)
    assert caught.value.certain is not None
    assert caught.value.certain.attempts == 3


def test_the_limits_of_the_house() -> None:
    timing = Timing()
    assert (timing.reply_s, timing.bulk_s, timing.silence_s) == (5.0, 15.0, 60.0)
    assert timing.waits_s == (2.0, 4.0)


def test_cancel_before_and_in_the_middle() -> None:
    class AtStep:
        """Set once the transfer has begun."""

        def __init__(self) -> None:
            self.begun = False

        def is_set(self) -> bool:
            return self.begun

    with ZkEmulator(some_users(), some_punches(5000)) as terminal:
        stop = threading.Event()
        stop.set()
        with pytest.raises(Cancelled):
            driver(terminal.address).pull(cancel=stop)
        token = AtStep()

        def progress(done: int, total: int, step: str) -> None:
            token.begun = step == "punches"

        with pytest.raises(Cancelled) as caught:
            driver(terminal.address).pull(cancel=token, progress=progress)
        assert caught.value.certain is not None
        assert caught.value.certain.reported == 5000
        time.sleep(0.1)
        assert driver(terminal.address).pull().received == 5000


def test_cancel_ends_a_wait_at_once() -> None:
    def silent_terminal(client: socket.socket) -> None:
        client.recv(100)
        client.recv(100)

    stop = threading.Event()
    with talking(silent_terminal) as address:
        timer = threading.Timer(0.2, stop.set)
        timer.start()
        began = time.monotonic()
        with pytest.raises(Cancelled):
            ZkDriver(Connection(address)).pull(cancel=stop)
        assert time.monotonic() - began < 2
        timer.join()


# ---- registry ----------------------------------------------------------------------------


def test_registry() -> None:
    assert driver_names() == ["zk"]
    assert driver_class("zk") is ZkDriver
    assert ZkDriver.capabilities == set(Capability)
    assert isinstance(open_driver("zk", Connection("10.0.0.9")), ZkDriver)
    with pytest.raises(NotSupported):
        driver_class("hik")
    with pytest.raises(NotSupported):
        open_driver("zk", Connection("10.0.0.9", "serial"))


def test_no_secret_in_any_text() -> None:
    assert "123456" not in repr(Connection("10.0.0.9", password="123456"))


def test_errors_carry_facts_not_sentences() -> None:
    error = DeviceBusy("10.0.0.9:4370")
    assert isinstance(error, DeviceError)
    assert (error.code, error.address) == ("device_busy", "10.0.0.9:4370")


# ---- speed -------------------------------------------------------------------------------


def test_a_hundred_thousand() -> None:
    punches = [
        StoredPunch(str(880001 + at % 200), MORNING + timedelta(seconds=7 * at))
        for at in range(100_000)
    ]
    with ZkEmulator(some_users(200), punches, key=123456) as terminal:
        began = time.monotonic()
        batch = driver(terminal.address, password="123456").pull()
        pulled = time.monotonic() - began
        decoding = min(_timed(lambda: sum(len(p.punches) for p in batch.parts())) for _ in range(3))
    assert batch.received == 100_000
    assert pulled < 10
    assert decoding < 0.5


def _timed(act: object) -> float:
    began = time.process_time()
    assert callable(act)
    assert act() == 100_000
    return time.process_time() - began

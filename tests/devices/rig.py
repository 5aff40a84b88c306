"""Terminals on loopback and drivers with short waits. True sockets, nothing mocked."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from devices.emulators.zk import StoredPunch, StoredUser
from devices.emulators.zk.records import log_bytes
from devices.emulators.zk.server import packet_bytes
from devices.emulators.zk.unit import Out
from devices.terminals.driver import Connection, Surroundings, Timing
from devices.terminals.model import Batch
from devices.terminals.zk.driver import ZkDriver

SHORT = Timing(
    connect_s=2.0, reply_s=0.7, bulk_s=0.7, datagram_s=0.2, silence_s=5.0, waits_s=(0.02, 0.04)
)
MORNING = datetime(2026, 6, 5, 7, 58, 11)
LOCAL = datetime(2026, 6, 5, 8, 30)


def hexed(text: str) -> bytes:
    """Bytes from the hex of the notes."""
    return bytes.fromhex(text.replace("…", " "))


def some_users(count: int = 5) -> list[StoredUser]:
    names = ("张伟", "欧阳娜娜", "王小红", "阿卜杜热合曼", "李𬭎")
    return [
        StoredUser(str(880001 + at), names[at % 4], card=1000 + at, password="4711")
        for at in range(count)
    ]


def some_punches(count: int, users: int = 5) -> list[StoredPunch]:
    return [
        StoredPunch(str(880001 + at % users), MORNING + timedelta(seconds=61 * at), 15, at % 2)
        for at in range(count)
    ]


PUNCHES = some_punches(4000)
"""160 KB: three chunks over TCP, ten over UDP."""


def check_whole(batch: Batch, count: int = 4000) -> None:
    """Every punch once, in order, exactly as stored."""
    assert batch.complete
    epoch = datetime(1970, 1, 1)
    punches = [p for part in batch.parts() for p in part.punches]
    assert len(punches) == batch.received == count
    assert [
        (p.number, epoch + timedelta(seconds=p.t_local), p.method_raw, p.state_raw)
        for p in punches[: len(PUNCHES)]
    ] == [tuple(punch) for punch in PUNCHES]


def driver(
    address: str,
    *,
    transport: str = "tcp",
    password: str = "",
    encoding: str = "",
    timing: Timing = SHORT,
    sleep: Callable[[float], None] | None = None,
    now: Callable[[], datetime] = lambda: datetime(2026, 6, 5, 0, 30, tzinfo=UTC),
) -> ZkDriver:
    """A driver whose clock stands at 2026-06-05 08:30 on site."""
    around = Surroundings(now=now, timing=timing)
    if sleep is not None:
        around = Surroundings(now=now, timing=timing, sleep=sleep)
    return ZkDriver(Connection(address, transport, password, encoding), around)


@contextmanager
def talking(script: Callable[[socket.socket], None]) -> Iterator[str]:
    """A hand-written terminal: each client is given to ``script``; the address is yielded."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(0.1)
    done = threading.Event()
    failures: list[BaseException] = []

    def serve() -> None:
        while not done.is_set():
            try:
                client, _ = listener.accept()
            except TimeoutError:
                continue
            with client:
                client.settimeout(5)
                try:
                    script(client)
                except OSError:
                    continue
                except AssertionError as failure:
                    failures.append(failure)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{listener.getsockname()[1]}"
    finally:
        done.set()
        thread.join(10)
        listener.close()
    if failures:
        raise failures[0]


Answer = tuple[int, bytes]
"""Code and data of one packet."""


@contextmanager
def puppet(answers: dict[int, list[Answer]]) -> Iterator[str]:
    """A terminal that gives fixed packets for each request, else what a healthy one with four
    punches of 40 bytes would. Packets carry the number of the request."""

    def script(client: socket.socket) -> None:
        usual = _usual_answers()
        while head := client.recv(8):
            packet = client.recv(int.from_bytes(head[4:], "little"))
            code, number = struct.unpack_from("<H4xH", packet)
            for reply, data in answers.get(code, usual.get(code, [(2001, b"")])):
                body = packet_bytes(Out(reply, 0x5B2F, number, data))
                client.sendall(b"PP\x82\x7d" + struct.pack("<I", len(body)) + body)

    with talking(script) as address:
        yield address


def _usual_answers() -> dict[int, list[Answer]]:
    counted = [0] * 20
    counted[4], counted[8], counted[16] = 1, 4, 1000
    return {
        1000: [(2000, b"")],
        1001: [(2000, b"")],
        50: [(2000, struct.pack("<20I", *counted))],
        201: [(2000, hexed("08 42 a1 32"))],
        1503: [(1501, FOUR)],
        1502: [(2000, b"")],
    }


FOUR = struct.pack("<I", 160) + log_bytes(some_punches(4), 40, {})
"""The dataset of a log of four."""

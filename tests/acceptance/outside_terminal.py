"""A biometric terminal written by somebody who has never seen the program.

Made from the published text of the stand-alone protocol alone, with the standard library: frames,
checksums, sessions, the key exchange, buffered and direct bulk reads, counts, live events. It can
misbehave on demand, one fault per reading of its log (:data:`FAULTS`), as terminals on building
sites do. It refuses to know what the reading program is like: it notes what it was asked and
whether the packets were sound, nothing more.
"""

from __future__ import annotations

import random
import socket
import struct
import threading
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from types import TracebackType

from tests.acceptance.outside_packets import (
    START,
    Punch,
    User,
    answer_to_key,
    checksum,
    frame,
    packed_at,
)

CONNECT, EXIT, AUTH = 1000, 1001, 1102
ACK_OK, ACK_ERROR, ACK_UNAUTH, UNKNOWN = 2000, 2001, 2005, 65535
OPTIONS, SIZES, GET_TIME, STATE, VERSION = 11, 50, 201, 64, 1100
LOG, USERS, OPERATIONS, BUFFERED, CHUNK = 13, 9, 34, 1503, 1504
PREPARE, DATA, FREE, EVENT, REG_EVENT = 1500, 1501, 1502, 500, 500
ENABLE, DISABLE = 1002, 1003
HARMLESS = frozenset({
    CONNECT, EXIT, AUTH, OPTIONS, SIZES, GET_TIME, STATE, VERSION, LOG, USERS, BUFFERED, CHUNK,
    FREE, REG_EVENT, ACK_OK, 69,
})
"""What a reader of a log may send: nothing that clears, writes, opens, blocks or restarts."""

TWO_GB = 2_000_000_000
CHINA = timezone(timedelta(hours=8))

FAULTS = {
    "cut": "the connection closes in the middle of the records",
    "reset": "the same, with a reset instead of an end",
    "announce_2gb": "the buffered reply announces 2 GB",
    "announce_small": "the buffered reply announces three records fewer than there are",
    "announce_ragged": "the buffered reply announces seven bytes fewer: no whole records",
    "prepare_2gb": "a chunk is announced with 2 GB",
    "frame_2gb": "a frame says it is 2 GB long",
    "head_lies": "the length before the records disagrees with the records",
    "short_chunk": "a chunk carries fewer bytes than were asked for, and ends as if complete",
    "stall": "silence in the middle of the records, the connection stays",
    "events": "live punches between the packets of the transfer, one of them never logged",
    "checksum": "one bit of the records turned over, checksum of the old bytes",
    "grow": "people punch between the count and the reading",
    "grow_late": "people punch while the records are on their way",
    "reboot": "half-way the terminal restarts: every further request gets 'no session'",
    "altered": "one old record of the log is another one, packets sound",
    "dropped_old": "the first record of the log is missing, another one doubled, packets sound",
}


class Gone(Exception):
    """This connection is over."""


@dataclass
class OutsideTerminal:
    """Listens on loopback from ``with`` to its end; ``plan`` is one fault per reading of the log.

    Readings after the plan's end are sound. ``always`` repeats one fault for ever. ``payload`` is
    the largest DATA packet, ``pieces`` "whole" | "split" | "coalesced" how bytes reach the wire.
    """

    serial: str
    log: list[Punch]
    users: Sequence[User] = ()
    key: int = 123456
    plan: list[str] = field(default_factory=list)
    always: str = ""
    payload: int = 16384
    pieces: str = "whole"
    buffered: bool = True
    count_says: int | None = None
    ahead_s: int = 0
    """How far the terminal's clock is ahead of the computer's."""

    asked: list[int] = field(default_factory=list)
    readings: int = 0
    unsound: int = 0
    """Packets of the client with a bad checksum or a bad head."""
    events_sent: int = 0
    events_acknowledged: int = 0

    def __post_init__(self) -> None:
        self._lock = threading.RLock()
        self._session = 0x5B00
        self._stop = threading.Event()
        self._chance = random.Random(self.serial)
        self._open: set[socket.socket] = set()

    def __enter__(self) -> OutsideTerminal:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        with suppress(OSError):  # wakes the thread that waits for the next connection
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            for connection in list(self._open):
                connection.close()

    def punch(self, punches: Iterable[Punch]) -> None:
        """People pass the gate."""
        with self._lock:
            self.log.extend(punches)

    def clear(self) -> None:
        """Somebody empties the log at the terminal's own menu."""
        with self._lock:
            self.log.clear()

    def _accept(self) -> None:
        while not self._stop.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            if self._stop.is_set():
                connection.close()
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self._open.add(connection)
                self._session = (self._session + 0x2F) & 0xFFFF
                talk = _Talk(self, connection, self._session)
            threading.Thread(target=talk.run, daemon=True).start()

    def next_fault(self) -> str:
        """The fault of the reading that begins now."""
        with self._lock:
            self.readings += 1
            if self.always:
                return self.always
            place = self.readings - 1
            return self.plan[place] if place < len(self.plan) else ""


class _Talk:
    """One connection."""

    def __init__(self, terminal: OutsideTerminal, connection: socket.socket, session: int) -> None:
        self.terminal, self.connection, self.session = terminal, connection, session
        self.allowed = False
        self.rebooted = False
        self.fault = ""
        self.set_aside = b""
        self.waiting: list[bytes] = []

    def run(self) -> None:
        buffer = b""
        try:
            while True:
                got = self.connection.recv(65536)
                if not got:
                    return
                buffer += got
                while len(buffer) >= 8:
                    size = struct.unpack_from("<I", buffer, 4)[0]
                    if buffer[:4] != START or not 8 <= size <= 1 << 20:
                        self.terminal.unsound += 1
                        return
                    if len(buffer) < 8 + size:
                        break
                    packet, buffer = buffer[8 : 8 + size], buffer[8 + size :]
                    try:
                        self._packet(packet)
                    except _NothingMore:
                        self.waiting = []
        except (OSError, Gone):
            pass
        finally:
            with self.terminal._lock:
                self.terminal._open.discard(self.connection)
            self.connection.close()

    # ── sending ────────────────────────────────────────────────────────────────────────────────

    def _send(self, raw: bytes, *, more: bool = False) -> None:
        """Onto the wire; ``more`` tells that another packet of the same answer follows."""
        if self.terminal.pieces == "coalesced":
            self.waiting.append(raw)
            if more:
                return
            raw = b"".join(self.waiting)
            self.waiting = []
        if self.terminal.pieces != "split":
            self.connection.sendall(raw)
            return
        chance, place = self.terminal._chance, 0
        while place < len(raw):
            step = chance.choice((1, 2, 5, 7, 8, 9, 17, 1000, 4000))
            self.connection.sendall(raw[place : place + step])
            place += step
            if chance.random() < 0.05:
                time.sleep(0.001)

    def _reply(
        self, command: int, number: int, data: bytes = b"", *, session: int | None = None,
        more: bool = False,
    ) -> None:
        self._send(
            frame(command, self.session if session is None else session, number, data), more=more)

    def _event(self, punch: Punch, when: datetime) -> None:
        six = bytes((when.year - 2000, when.month, when.day, when.hour, when.minute, when.second))
        data = struct.pack("<24sBB", punch.pin.encode(), punch.method, punch.state) + six
        self.terminal.events_sent += 1
        self._send(frame(EVENT, 1, 0, data), more=True)

    # ── requests ───────────────────────────────────────────────────────────────────────────────

    def _packet(self, packet: bytes) -> None:
        command, sum_, session, number = struct.unpack_from("<HHHH", packet)
        data = packet[8:]
        if checksum(struct.pack("<HHHH", command, 0, session, number) + data) != sum_:
            self.terminal.unsound += 1
            return
        self.terminal.asked.append(command)
        if command == ACK_OK:
            if number == 0 and session == self.session:
                self.terminal.events_acknowledged += 1
            return
        if command == CONNECT:
            if self.rebooted:
                self.session, self.rebooted = (self.session + 0x100) & 0xFFFF, False
            self.allowed = self.terminal.key == 0
            self._reply(ACK_OK if self.allowed else ACK_UNAUTH, number)
            return
        if self.rebooted or session != self.session:
            self._reply(ACK_UNAUTH, number)
            return
        if command == AUTH:
            self.allowed = len(data) == 4 and data == answer_to_key(
                self.terminal.key, self.session, data[2])
            self._reply(ACK_OK if self.allowed else ACK_UNAUTH, number)
            return
        if not self.allowed:
            self._reply(ACK_UNAUTH, number)
            return
        self._allowed(command, number, data)

    def _allowed(self, command: int, number: int, data: bytes) -> None:
        terminal = self.terminal
        if command == EXIT:
            self._reply(ACK_OK, number)
            raise Gone
        if command == OPTIONS:
            self._option(number, data)
        elif command == SIZES:
            self._reply(ACK_OK, number, self._sizes())
        elif command == GET_TIME:
            now = datetime.now(CHINA) + timedelta(seconds=terminal.ahead_s)
            self._reply(ACK_OK, number, struct.pack("<I", packed_at(now)))
        elif command == VERSION:
            self._reply(ACK_OK, number, b"Ver 6.60 Nov 13 2019\0")
        elif command == BUFFERED and terminal.buffered and len(data) == 11 and data[0] == 1:
            self._prepare(number, struct.unpack_from("<H", data, 1)[0])
        elif command == CHUNK and len(data) == 8:
            start, length = struct.unpack("<II", data)
            self._chunk(number, start, length)
        elif command in (LOG, USERS) and not terminal.buffered:
            self.set_aside = self._dataset(command)
            self._stream(number, self.set_aside, len(self.set_aside))
        elif command in (FREE, ENABLE, DISABLE, REG_EVENT):
            self._reply(ACK_OK, number)
        else:
            self._reply(UNKNOWN, number)

    def _option(self, number: int, data: bytes) -> None:
        known = {
            "~SerialNumber": self.terminal.serial, "~DeviceName": "iFace702", "~Platform": "ZLM60_TFT",
            "~PIN2Width": "9", "MAC": "00:17:61:00:00:01", "FaceFunOn": "1", "~UserExtFmt": "1",
        }
        name = data.split(b"\0")[0].decode("ascii", "replace")
        if name in known:
            self._reply(ACK_OK, number, f"{name}={known[name]}".encode() + b"\0")
        else:
            self._reply(ACK_ERROR, number)

    def _sizes(self) -> bytes:
        with self.terminal._lock:
            held = len(self.terminal.log)
        says = held if self.terminal.count_says is None else self.terminal.count_says
        numbers = [0] * 23
        numbers[4], numbers[8] = len(self.terminal.users), says
        numbers[15], numbers[16] = 10_000, 200_000
        numbers[18], numbers[19] = 10_000 - len(self.terminal.users), 200_000 - says
        return struct.pack("<23I", *numbers)

    # ── bulk ───────────────────────────────────────────────────────────────────────────────────

    def _dataset(self, what: int) -> bytes:
        terminal = self.terminal
        if what == USERS:
            body = b"".join(user.record() for user in terminal.users)
            return struct.pack("<I", len(body)) + body
        if what != LOG:
            return struct.pack("<I", 0)
        self.fault = terminal.next_fault()
        with terminal._lock:
            if self.fault == "grow":
                terminal.log.extend(self._passing(3))
            log = list(terminal.log)
            if self.fault == "grow_late":
                terminal.log.extend(self._passing(2))
        if self.fault == "altered" and log:
            old = log[len(log) // 3]
            log[len(log) // 3] = Punch(old.pin, old.when + 3600, old.method, old.state, old.index)
        if self.fault == "dropped_old" and log:
            log = [*log[1:], log[-1]]
        body = b"".join(punch.record() for punch in log)
        says = len(body) + 40 if self.fault == "head_lies" else len(body)
        return struct.pack("<I", says) + body

    def _passing(self, count: int) -> list[Punch]:
        """People at the gate right now, one second apart, none of them seen before."""
        terminal = self.terminal
        now = datetime.now(CHINA).replace(tzinfo=None) - timedelta(minutes=1)
        pins = sorted({punch.pin for punch in terminal.log}) or ["7001"]
        return [
            Punch(pins[n % len(pins)], packed_at(now + timedelta(seconds=n))) for n in range(count)
        ]

    def _prepare(self, number: int, what: int) -> None:
        if what not in (LOG, USERS, OPERATIONS):
            self._reply(ACK_ERROR, number)
            return
        self.set_aside = self._dataset(what)
        size = len(self.set_aside)
        if size <= 1024 and self.fault in ("", "events", "altered"):
            self._reply(DATA, number, self.set_aside, session=0)
            return
        if what == LOG and self.fault == "announce_2gb":
            size = TWO_GB
        elif what == LOG and self.fault == "announce_small":
            size -= 120
        elif what == LOG and self.fault == "announce_ragged":
            size -= 7
        check = self.terminal._chance.getrandbits(32)
        self._reply(ACK_OK, number, b"\0" + struct.pack("<III", size, size, check))

    def _chunk(self, number: int, start: int, length: int) -> None:
        part = self.set_aside[start : start + length]
        if self.fault == "short_chunk" and start == 0:
            part = part[:-40]
        announced = TWO_GB if self.fault == "prepare_2gb" else len(part)
        self._stream(number, part, announced)

    def _stream(self, number: int, part: bytes, announced: int) -> None:
        """PREPARE_DATA, DATA…, ACK_OK with the byte count where the session stands."""
        fault = self.fault
        self._reply(PREPARE, number, struct.pack("<II", announced, 65528), more=True)
        if fault == "events":
            self._event(Punch("990001", 0), datetime(2026, 10, 8, 7, 0, 1))
        half = len(part) // 2
        payload = min(self.terminal.payload, max(half, 1))
        for start in range(0, len(part), payload):
            data = part[start : start + payload]
            packet = frame(DATA, 0, number, data)
            if start + payload > half and self.fault:
                packet = self._half_way(number, packet)
            self._send(packet, more=True)
        self._reply(ACK_OK, number, session=len(part) & 0xFFFF)

    def _half_way(self, number: int, packet: bytes) -> bytes:
        """What happens in the middle of a transfer, and what becomes of its next packet."""
        fault = self.fault
        if fault in ("cut", "reset"):
            self.connection.sendall(packet[: len(packet) // 2])
            if fault == "reset":
                self.connection.setsockopt(
                    socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            raise Gone
        if fault == "frame_2gb":
            return START + struct.pack("<I", TWO_GB) + packet[8:]
        if fault == "checksum":
            self.fault = ""
            whole = bytearray(packet)
            whole[16 + (len(whole) - 16) // 2] ^= 0x10
            return bytes(whole)
        if fault == "stall":
            while self.connection.recv(65536):
                pass
            raise Gone
        if fault == "reboot":
            self.rebooted = True
            self._reply(ACK_UNAUTH, number)
            raise _NothingMore
        if fault == "events":
            self.fault = ""
            self._live()
        return packet

    def _live(self) -> None:
        """Two people pass the gate and are logged; a third is announced and never logged."""
        passing = self._passing(2)
        self.terminal.punch(passing)
        for punch in passing:
            self._event(punch, datetime.now(CHINA))
        self._event(Punch("990001", 0), datetime(2026, 10, 8, 7, 0, 1))


class _NothingMore(Exception):
    """The rest of this answer never comes; the connection stays."""

"""The terminal itself: its memory, its sessions, its answers. Knows no socket."""

from __future__ import annotations

import struct
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from devices.emulators.zk.faults import Faults
from devices.emulators.zk.records import (
    StoredPunch,
    StoredUser,
    attlog_line,
    log_bytes,
    packed,
    unpacked,
    user_bytes,
)

CONNECT, EXIT, AUTH, VERSION = 1000, 1001, 1102, 1100
OPTION, COUNTS, TIME, LOG, USERS = 11, 50, 201, 13, 9
PREPARE_READ, READ_CHUNK, FREE = 1503, 1504, 1502
PREPARE, DATA, OK, ERROR, UNAUTHORISED, UNKNOWN, EVENT = 1500, 1501, 2000, 2001, 2005, 65535, 500
_HEALTHY = Faults(sessions=0)


class Out(NamedTuple):
    """A packet to be sent: code, session field, reply number, data."""

    code: int
    field: int
    number: int
    data: bytes


class Visit:
    """One session of one client."""

    def __init__(self, session: int, faults: Faults) -> None:
        self.session = session
        self.faults = faults
        self.open = False
        self.prepared = b""
        self.datagrams = False
        self.packets = 0
        self.sent = 0


class Unit:
    """Memory and manners. All methods may be called from any thread."""

    def __init__(
        self,
        users: Sequence[StoredUser],
        punches: Iterable[StoredPunch],
        *,
        key: int,
        encoding: str,
        width: int,
        user_width: int,
        ma300: bool,
        faults: Faults,
        options: dict[str, str],
        punch_capacity: int,
        direct_limit: int,
        now: Callable[[], datetime | int],
    ) -> None:
        self.lock = threading.Lock()
        self.users = list(users)
        self.punches = list(punches)
        self.options = options
        self.faults = faults
        self.now = now
        self.key = key
        self.device_number = 1
        self.requests: list[int] = []
        self.acknowledged_events = 0
        self._encoding = encoding
        self._width = width
        self._user_width = user_width
        self._ma300 = ma300
        self._capacity = punch_capacity
        self._direct_limit = direct_limit
        self._next_session = 0x5B2E
        self._visits = 0
        self._log = b""
        self._encode_log()

    # ---- memory --------------------------------------------------------------------------

    def _encode_log(self) -> None:
        indexes = {user.number: at for at, user in enumerate(self.users, 1)}
        self._log = log_bytes(self.punches, self._width, indexes, ma300=self._ma300)

    def add(self, punches: Iterable[StoredPunch]) -> None:
        """Somebody stands before the terminal."""
        with self.lock:
            self._add(list(punches))

    def _add(self, punches: list[StoredPunch]) -> None:
        indexes = {user.number: at for at, user in enumerate(self.users, 1)}
        self.punches += punches
        self._log += log_bytes(punches, self._width, indexes, ma300=self._ma300)

    def replace(self, punches: Iterable[StoredPunch]) -> None:
        """Somebody cleared the log at the terminal's own menu; only these remain."""
        with self.lock:
            self.punches = list(punches)
            self._encode_log()

    def stick(self) -> bytes:
        """What its menu writes to a stick as ``<n>_attlog.dat``."""
        with self.lock:
            return b"".join(attlog_line(punch, self.device_number) for punch in self.punches)

    def user_file(self) -> bytes:
        """What its menu writes to a stick as ``user.dat``."""
        with self.lock:
            return self._user_records()

    def _user_records(self) -> bytes:
        return b"".join(
            user_bytes(user, self._user_width, at, self._encoding)
            for at, user in enumerate(self.users, 1)
        )

    # ---- sessions ------------------------------------------------------------------------

    def visit(self) -> Visit:
        """A client has come."""
        with self.lock:
            self._visits += 1
            self._next_session = (self._next_session + 1) & 0xFFFF or 1
            struck = self.faults.sessions == 0 or self._visits <= self.faults.sessions
            return Visit(self._next_session, self.faults if struck else _HEALTHY)

    @property
    def visits(self) -> int:
        return self._visits

    def answer(self, visit: Visit, code: int, number: int, data: bytes) -> list[Out]:
        """The packets that answer one request, in order."""
        with self.lock:
            self.requests.append(code)
            return list(self._answer(visit, code, number, data))

    def _answer(self, visit: Visit, code: int, number: int, data: bytes) -> Iterator[Out]:
        session = visit.session
        if code == OK:
            self.acknowledged_events += 1
        elif code == CONNECT:
            if visit.faults.busy:
                yield Out(ERROR, 0, number, b"")
            else:
                visit.open = self.key == 0
                yield Out(OK if visit.open else UNAUTHORISED, session, number, b"")
        elif code == AUTH:
            visit.open = data == key_answer(self.key, session)
            yield Out(OK if visit.open else UNAUTHORISED, session, number, b"")
        elif not visit.open:
            yield Out(UNAUTHORISED, session, number, b"")
        elif code in (LOG, USERS, PREPARE_READ, READ_CHUNK, FREE):
            yield from self._bulk(visit, code, number, data)
        else:
            yield self._small(visit, code, number, data)

    def _small(self, visit: Visit, code: int, number: int, data: bytes) -> Out:
        session = visit.session
        if code == EXIT:
            visit.open = False
            return Out(OK, session, number, b"")
        if code == VERSION:
            return Out(OK, session, number, b"Ver 6.60 Apr 28 2021\0")
        if code == TIME:
            return Out(OK, session, number, struct.pack("<I", packed(self.now())))
        if code == OPTION:
            name = data.rstrip(b"\0").decode("ascii", "replace")
            value = self.options.get(name)
            if value is None:
                return Out(ERROR, session, number, b"")
            return Out(OK, session, number, f"{name}={value}\0".encode("gbk"))
        if code == COUNTS:
            return Out(OK, session, number, self._counts(visit.faults))
        return Out(UNKNOWN, session, number, b"")

    def _counts(self, faults: Faults) -> bytes:
        punches = 0 if faults.zero_count else max(0, len(self.punches) + faults.count_by)
        numbers = [0] * 23
        numbers[4] = len(self.users)
        numbers[8] = punches
        numbers[12] = sum(user.privilege >= 14 for user in self.users)
        numbers[14], numbers[15], numbers[16] = 3000, 3000, self._capacity
        numbers[19] = max(0, self._capacity - punches)
        numbers[20], numbers[22] = len(self.users), 3000
        return struct.pack("<23I", *numbers)

    # ---- bulk ----------------------------------------------------------------------------

    def _bulk(self, visit: Visit, code: int, number: int, data: bytes) -> Iterator[Out]:
        faults = visit.faults
        if code == FREE:
            visit.prepared = b""
            yield Out(OK, visit.session, number, b"")
        elif code == PREPARE_READ:
            if faults.refuse_buffered:
                yield Out(UNKNOWN, visit.session, number, b"")
                return
            yield self._prepare(visit, struct.unpack_from("<H", data, 1)[0], number)
        elif code == READ_CHUNK:
            start, length = struct.unpack("<II", data)
            part = visit.prepared[start : start + length]
            yield from self._stream(visit, part, number, length if part else 0)
        elif faults.refuse_direct:
            yield Out(ERROR, visit.session, number, b"")
        else:
            whole = self._dataset(visit, code)
            if len(whole) <= self._direct_limit:
                yield Out(DATA, 0, number, whole)
            else:
                yield from self._stream(visit, whole, number, len(whole))

    def _dataset(self, visit: Visit, code: int) -> bytes:
        faults = visit.faults
        if code == USERS:
            records = self._user_records()
            return struct.pack("<I", len(records)) + records
        self._grow(faults.grow_early_by)
        records = self._log
        if faults.alter_record >= 0:
            at = faults.alter_record * self._width + self._width - 12
            records = records[:at] + bytes((records[at] ^ 1,)) + records[at + 1 :]
        if faults.cut_log_by:
            records = records[: -faults.cut_log_by]
        self._grow(faults.grow_by)
        return struct.pack("<I", len(records) + faults.prefix_by) + records

    def _grow(self, count: int) -> None:
        if count:
            self._add([self.punches[-1]._replace(state=1)] * count)

    def _prepare(self, visit: Visit, code: int, number: int) -> Out:
        faults = visit.faults
        visit.prepared = self._dataset(visit, code)
        size = len(visit.prepared)
        if size <= self._direct_limit and not faults.announce_by:
            return Out(DATA, 0, number, visit.prepared)
        if code == LOG:
            size += faults.announce_by
        again = size + faults.announce_second_by
        answer = struct.pack("<BIII", 0, size, again, 0x1A2B3C4D)
        return Out(OK, visit.session, number, answer)

    def _stream(self, visit: Visit, part: bytes, number: int, announced: int) -> Iterator[Out]:
        """PREPARE_DATA, DATA …, OK; ``visit`` decides how it goes wrong."""
        faults = visit.faults
        if faults.whole_chunks:
            yield Out(DATA, 0, number, part)
            return
        largest = 1008 if visit.datagrams else 65_528
        length = faults.chunk_announce or announced
        yield Out(PREPARE, 0, number, struct.pack("<II", length, largest))
        for _ in range(faults.events_in_bulk):
            yield Out(EVENT, 1, 0, self._event())
        if faults.short_chunk_by:
            part = part[: -faults.short_chunk_by]
        for at in range(0, len(part), largest):
            yield Out(DATA, 0, number, part[at : at + largest])
        yield Out(OK, len(part) & 0xFFFF, number, b"")

    def _event(self) -> bytes:
        punch = self.punches[-1]
        year, *rest = unpacked(packed(punch.when))
        pin = punch.number.encode("ascii").ljust(24, b"\0")
        return pin + bytes((punch.method, punch.state, year - 2000, *rest))


def key_answer(key: int, session: int, tick: int = 50) -> bytes:
    """What the terminal expects from a client that knows its key, written out step by step."""
    turned = 0
    for bit in range(32):
        if key >> bit & 1:
            turned |= 1 << (31 - bit)
    turned = (turned + session) % (1 << 32)
    a, b, c, d = struct.pack("<I", turned)
    a, b, c, d = a ^ ord("Z"), b ^ ord("K"), c ^ ord("S"), d ^ ord("O")
    a, b, c, d = c, d, a, b
    return bytes((a ^ tick, b ^ tick, tick, d ^ tick))

"""One session with one terminal (§1, §3, §7): numbered requests, bulk reads, events set aside.

A ``with`` block: entering connects and answers the key, leaving says EXIT and closes. The session
number is taken from the CONNECT reply and from nowhere else, because later replies reuse its field.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from types import TracebackType
from typing import NamedTuple

from devices.errors import (
    AccessDenied,
    BadResponse,
    ConnectionCut,
    DeviceBusy,
    DeviceError,
    DeviceTimeout,
)
from devices.terminals.driver import Progress, silent
from devices.terminals.model import Event
from devices.terminals.zk import frame, key
from devices.terminals.zk.codes import EVENT_KINDS, REFUSALS, Reply, Request
from devices.terminals.zk.frame import Packet
from devices.terminals.zk.gather import CheckSize, Gathering, any_size
from devices.terminals.zk.transport import Transport, Watch

MAX_DATASET = 64 << 20
"""Bytes of one log; the largest terminals hold 1,000,000 punches of 40 bytes."""
SLOWEST = 4096
"""Bytes a second below which a transfer is a stall in disguise."""
_RESENDS = 8
_ONE_DATAGRAM = 1008
_STRAY = 4096
_EVENT_BYTES_KEPT = 64 << 10


class Dataset(NamedTuple):
    """What is read in bulk: its command, the selector of 1503 and the data of the direct form."""

    command: Request
    selector: int
    direct: bytes
    step: str


PUNCHES = Dataset(Request.READ_PUNCHES, 0, b"", "punches")
USERS = Dataset(Request.READ_USERS, 5, b"\x05", "people")


class Refused(Exception):
    """The terminal knows neither way of reading; a signal to ``pull``, no error of the tree."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Session:
    """Speaks with one terminal; one thread; lives inside one ``with`` block."""

    def __init__(
        self, open_transport: Callable[[], Transport], address: str, password: int, watch: Watch
    ) -> None:
        self._open = open_transport
        self._address = address
        self._password = password
        self._watch = watch
        self._timing = watch.timing
        self._session = 0
        self._number = -1
        self._transfer_began = 0.0
        self._transfer_done = 0
        self._event_bytes = 0
        self.events: list[Event] = []
        self.events_set_aside = 0

    def __enter__(self) -> Session:
        self._transport = self._open()
        try:
            self._log_in()
        except BaseException:
            self._transport.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # A courtesy: a terminal that knows we left takes the next client at once. Nothing
        # depends on it, so nothing that goes wrong here may hide what happened before.
        with suppress(DeviceError):
            self._send(Request.EXIT)
            if kind is None:
                self._answer("exit", min(1.0, self._timing.reply_s))
        self._transport.close()

    # ---- requests ------------------------------------------------------------------------

    def _log_in(self) -> None:
        try:
            reply = self.request(Request.CONNECT, step="connect")
        except ConnectionCut as error:
            raise DeviceBusy(self._address) from error
        if reply.code in (Reply.ERROR, Reply.RETRY, Reply.REPEAT):
            raise DeviceBusy(self._address)
        if reply.code not in (Reply.OK, Reply.UNAUTHORISED):
            raise BadResponse("reply", expected=int(Reply.OK), got=reply.code)
        self._session = reply.session
        if reply.code == Reply.OK:
            return
        answer = self.request(
            Request.AUTH, key.scramble(self._password, self._session), step="connect"
        )
        if answer.code == Reply.UNAUTHORISED:
            raise AccessDenied("key_wrong" if self._password else "key_missing")
        if answer.code != Reply.OK:
            raise BadResponse("reply", expected=int(Reply.OK), got=answer.code)

    def request(
        self, code: Request, data: bytes = b"", *, step: str, limit_s: float = 0.0
    ) -> Packet:
        """Send one request and return its answer, whatever its code. Datagrams are sent again."""
        if not self._transport.lossy:
            self._send(code, data)
            return self._answer(step, limit_s or self._timing.reply_s)
        limit = limit_s or self._timing.reply_s
        wait = min(self._timing.datagram_s, limit)
        tries = max(1, int(limit / wait + 0.5))
        for left in reversed(range(tries)):
            if code == Request.CONNECT:
                self._number = -1
            self._send(code, data)
            try:
                return self._answer(step, wait)
            except DeviceTimeout as error:
                if error.given_up or not left:
                    raise
        raise AssertionError("unreachable")

    def ask(self, code: Request, data: bytes = b"", *, step: str) -> bytes | None:
        """The data of a good answer, None when the terminal refuses this request."""
        reply = self.request(code, data, step=step)
        if reply.code in (Reply.OK, Reply.OK_DATA):
            return reply.data
        if reply.code in REFUSALS:
            return None
        raise BadResponse("reply", expected=int(Reply.OK), got=reply.code)

    def _send(self, code: Request, data: bytes = b"") -> None:
        self._number = (self._number + 1) % 0xFFFF
        self._transport.send(frame.encode(code, self._session, self._number, data))

    def _answer(self, step: str, limit_s: float) -> Packet:
        """The next packet of the running request. Events in between are acknowledged and kept;
        answers to earlier requests (late datagrams) are passed over, within bounds."""
        until = self._watch.monotonic() + limit_s
        for _ in range(_STRAY):
            packet = self._transport.receive(limit_s, step)
            if packet.code == Reply.EVENT:
                self._set_aside(packet)
            elif packet.number == self._number:
                return packet
            if self._watch.monotonic() > until:
                raise DeviceTimeout(step, limit_s)
        raise BadResponse("reply_number", expected=self._number)

    def _set_aside(self, packet: Packet) -> None:
        acknowledgement = frame.encode(Request.ACK_EVENT, self._session, 0)
        self._transport.send(acknowledgement)
        self.events_set_aside += 1
        self._event_bytes += len(packet.data) + 16
        if self._event_bytes <= _EVENT_BYTES_KEPT:
            self.events.append(Event(EVENT_KINDS.get(packet.session, "unknown"), packet.data))

    # ---- bulk reads ----------------------------------------------------------------------

    def read_dataset(self, what: Dataset, check_size: CheckSize, progress: Progress) -> bytes:
        """The records of a dataset without its 4-byte prefix; b"" for an empty one.

        ``check_size`` refuses an announced size (prefix included) before it is read. Raises
        :class:`Refused` when the terminal knows neither the buffered nor the direct way.
        """
        head = struct.pack("<BHII", 1, what.command, what.selector, 0)
        self._transfer_began = self._watch.monotonic()
        self._transfer_done = 0
        reply = self.request(
            Request.PREPARE_READ, head, step=what.step, limit_s=self._timing.bulk_s
        )
        whole: bytes | bytearray
        if reply.code in REFUSALS:
            whole = self._again(what.step, partial(self._direct, what, check_size, progress))
        elif reply.code == Reply.DATA:
            check_size(len(reply.data))
            whole = reply.data
        elif reply.code == Reply.PREPARE_DATA:
            answer = Gathering(None, check_size, lossy=self._transport.lossy)
            whole = self._gather(reply, answer, what.step, progress)
        elif reply.code in (Reply.OK, Reply.OK_DATA):
            whole = self._buffered(reply.data, what, check_size, progress)
            with suppress(DeviceTimeout):
                self.request(Request.FREE_DATA, step=what.step)
        else:
            raise BadResponse("reply", expected=int(Reply.DATA), got=reply.code)
        return _without_prefix(whole)

    def _buffered(
        self, announcement: bytes, what: Dataset, check_size: CheckSize, progress: Progress
    ) -> bytes | bytearray:
        if not announcement:
            return b""
        size = _announced(announcement)
        check_size(size)
        data = bytearray()
        chunk = self._transport.chunk
        failures = 0
        while len(data) < size:
            wanted = min(chunk, size - len(data))
            try:
                data += self._chunk(len(data), wanted, what.step)
            except (DeviceTimeout, BadResponse) as error:
                failures += 1
                if not self._is_loss(error) or failures > _RESENDS:
                    raise
                # Fewer datagrams at a time: where one in twenty is lost, twenty never arrive.
                chunk = max(_ONE_DATAGRAM, chunk // 2)
                self._watch.check(what.step)
                continue
            failures = 0
            chunk = min(chunk * 2, self._transport.chunk)
            self._transfer_done = len(data)
            progress(len(data), size, what.step)
        return data

    def _is_loss(self, error: DeviceError) -> bool:
        """Whether asking again for the same piece may help: over UDP only, TCP loses nothing."""
        if not self._transport.lossy:
            return False
        if isinstance(error, DeviceTimeout):
            return not error.given_up
        return isinstance(error, BadResponse) and error.what in ("transfer", "size")

    def _again(self, step: str, read: Callable[[], bytes]) -> bytes:
        """A read that cannot be asked for in pieces, as a whole again after a lost datagram."""
        for left in reversed(range(_RESENDS)):
            try:
                return read()
            except (DeviceTimeout, BadResponse) as error:
                if not self._is_loss(error) or not left:
                    raise
            self._watch.check(step)
        raise AssertionError("unreachable")

    def _chunk(self, start: int, wanted: int, step: str) -> bytes:
        self._send(Request.READ_CHUNK, struct.pack("<II", start, wanted))
        first = self._answer(step, self._bulk_wait())
        answer = Gathering(wanted, any_size, lossy=self._transport.lossy)
        return self._gather(first, answer, step, silent)

    def _direct(self, what: Dataset, check_size: CheckSize, progress: Progress) -> bytes:
        self._send(what.command, what.direct)
        first = self._answer(what.step, self._bulk_wait())
        if first.code in REFUSALS:
            raise Refused(first.code)
        if first.code in (Reply.OK, Reply.OK_DATA) and not first.data:
            return b""
        answer = Gathering(None, check_size, lossy=self._transport.lossy)
        return self._gather(first, answer, what.step, progress)

    def _bulk_wait(self) -> float:
        return self._timing.datagram_s if self._transport.lossy else self._timing.bulk_s

    def _gather(self, packet: Packet, answer: Gathering, step: str, progress: Progress) -> bytes:
        """The whole of a bulk answer whose first packet is here."""
        while not answer.take(packet):
            if answer.wanted:
                progress(len(answer.data), answer.wanted, step)
            self._pace(len(answer.data), step)
            packet = self._answer(step, self._bulk_wait())
        return bytes(answer.data)

    def _pace(self, received: int, step: str) -> None:
        """A terminal that sends a byte now and then is never silent and never done."""
        limit = self._timing.silence_s + (self._transfer_done + received) / SLOWEST
        if self._watch.monotonic() - self._transfer_began > limit:
            raise DeviceTimeout(step, limit)


def _announced(data: bytes) -> int:
    """Size from the answer to 1503: zero byte, size, size again, unknown check value (§7 no. 3)."""
    if len(data) < 5:
        raise BadResponse("fields", expected=5, got=len(data))
    size = int.from_bytes(data[1:5], "little")
    if len(data) >= 9 and int.from_bytes(data[5:9], "little") != size:
        raise BadResponse("size", expected=size, got=int.from_bytes(data[5:9], "little"))
    return size


def _without_prefix(whole: bytes | bytearray) -> bytes:
    """Every dataset starts with the length of the records behind it; it must be that length."""
    if not whole:
        return b""
    if len(whole) < 4:
        raise BadResponse("transfer", expected=4, got=len(whole))
    length = int.from_bytes(whole[:4], "little")
    if length != len(whole) - 4:
        raise BadResponse("transfer", expected=length, got=len(whole) - 4)
    return bytes(memoryview(whole)[4:])

"""Bytes to and from one terminal (§1): a TCP stream or UDP datagrams, every wait limited.

Used by one thread. A transport hands out whole packets whose checksum was verified and knows
nothing of sessions. Limits are read from the caller's monotonic clock through :class:`Watch`.
"""

from __future__ import annotations

import select
import socket
from typing import Protocol

from devices.errors import (
    BadResponse,
    Cancelled,
    ConnectionCut,
    DeviceNotFound,
    DeviceTimeout,
)
from devices.terminals.driver import Cancel, Surroundings
from devices.terminals.zk import frame

PORT = 4370
SLICE_S = 0.2
"""Longest time between two looks at ``cancel``."""


class Watch:
    """Cancel and the house's limit for silence, over all attempts of one operation."""

    def __init__(self, surroundings: Surroundings, cancel: Cancel | None) -> None:
        self.monotonic = surroundings.monotonic
        self.timing = surroundings.timing
        self._sleep = surroundings.sleep
        self._cancel = cancel
        self._last_valid = self.monotonic()

    def packet_seen(self) -> None:
        """A packet with a right checksum came in."""
        self._last_valid = self.monotonic()

    def check(self, step: str) -> None:
        """Raise ``Cancelled``, or ``DeviceTimeout`` with ``given_up`` after too long a silence."""
        if self._cancel is not None and self._cancel.is_set():
            raise Cancelled()
        limit = self.timing.silence_s
        if self.monotonic() - self._last_valid > limit:
            raise DeviceTimeout(step, limit, given_up=True)

    def pause(self, seconds: float, step: str) -> None:
        """Wait between attempts, still looking at ``cancel``."""
        left = seconds
        while left > 0:
            self.check(step)
            self._sleep(min(SLICE_S, left))
            left -= SLICE_S
        self.check(step)


class Transport(Protocol):
    """What a session needs: see the two classes below."""

    lossy: bool
    chunk: int

    def send(self, packet: bytes) -> None: ...

    def receive(self, idle_s: float, step: str) -> frame.Packet: ...

    def close(self) -> None: ...


def split_address(address: str) -> tuple[str, int]:
    """Host and port of ``HOST:PORT``, ``HOST`` or ``[IPV6]:PORT``."""
    text = address.strip()
    host, colon, port = text.rpartition(":")
    if not colon or text.endswith("]"):
        host, port = text, str(PORT)
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        raise DeviceNotFound(address, "address")
    if not host or not (port.isascii() and port.isdigit()) or not 0 < int(port) < 65536:
        raise DeviceNotFound(address, "address")
    return host, int(port)


def _resolve(address: str, kind: socket.SocketKind) -> tuple[socket.AddressFamily, tuple[str, int]]:
    host, port = split_address(address)
    try:
        found = socket.getaddrinfo(host, port, type=kind)
    except (OSError, UnicodeError) as error:
        raise DeviceNotFound(address, "name") from error
    family, _, _, _, where = found[0]
    return family, (str(where[0]), int(where[1]))


def _wait_readable(sock: socket.socket, idle_s: float, watch: Watch, step: str) -> None:
    """Return once bytes are there; looks at cancel in between."""
    until = watch.monotonic() + idle_s
    while True:
        watch.check(step)
        left = until - watch.monotonic()
        if left <= 0:
            raise DeviceTimeout(step, idle_s)
        ready, _, _ = select.select([sock], [], [], min(SLICE_S, left))
        if ready:
            return


class TcpTransport:
    """A stream: packets coalesce and split at will, so exactly the announced bytes are read."""

    lossy = False
    chunk = 65_472

    def __init__(self, address: str, watch: Watch) -> None:
        self._watch = watch
        family, where = _resolve(address, socket.SOCK_STREAM)
        self._socket = socket.socket(family, socket.SOCK_STREAM)
        try:
            self._socket.setblocking(False)
            self._connect(address, where)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except BaseException:
            self._socket.close()
            raise

    def _connect(self, address: str, where: tuple[str, int]) -> None:
        watch = self._watch
        until = watch.monotonic() + watch.timing.connect_s
        try:
            self._socket.connect(where)
            return
        except BlockingIOError:
            pass
        except OSError as error:
            raise _not_found(address, error) from error
        while True:
            watch.check("connect")
            left = until - watch.monotonic()
            if left <= 0:
                raise DeviceNotFound(address, "no_answer")
            wait = min(SLICE_S, left)
            # Windows reports a refused connection in the third set only.
            _, writable, failed = select.select([], [self._socket], [self._socket], wait)
            if writable or failed:
                break
        code = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            cause = OSError(code, "connect")
            raise _not_found(address, cause) from cause

    def send(self, packet: bytes) -> None:
        """Send one packet. Requests are tiny: a full send buffer means nobody reads any more."""
        data = memoryview(frame.wrap(packet))
        until = self._watch.monotonic() + self._watch.timing.reply_s
        try:
            while len(data):
                try:
                    data = data[self._socket.send(data) :]
                except BlockingIOError:
                    self._watch.check("send")
                    if self._watch.monotonic() > until:
                        raise DeviceTimeout("send", self._watch.timing.reply_s) from None
                    select.select([], [self._socket], [], SLICE_S)
        except OSError as error:
            raise ConnectionCut("send") from error

    def receive(self, idle_s: float, step: str) -> frame.Packet:
        """The next packet. ``DeviceTimeout`` after ``idle_s`` without any byte."""
        head = self._exactly(frame.TCP_HEAD.size, idle_s, step)
        body = self._exactly(frame.announced_length(head), idle_s, step)
        packet = frame.decode(body)
        self._watch.packet_seen()
        return packet

    def _exactly(self, count: int, idle_s: float, step: str) -> bytearray:
        data = bytearray(count)
        view = memoryview(data)
        have = 0
        while have < count:
            try:
                got = self._socket.recv_into(view[have:])
            except BlockingIOError:
                _wait_readable(self._socket, idle_s, self._watch, step)
                continue
            except OSError as error:
                raise ConnectionCut(step) from error
            if got == 0:
                raise ConnectionCut(step)
            have += got
            self._watch.check(step)
        return data

    def close(self) -> None:
        self._socket.close()


class UdpTransport:
    """Datagrams: each holds one packet or nothing of use; a damaged one counts as lost."""

    lossy = True
    chunk = 16_384

    def __init__(self, address: str, watch: Watch) -> None:
        self._watch = watch
        self._address = address
        self._answered = False
        family, where = _resolve(address, socket.SOCK_DGRAM)
        self._socket = socket.socket(family, socket.SOCK_DGRAM)
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
            self._socket.setblocking(False)
            # A connected datagram socket takes packets of this one peer only.
            self._socket.connect(where)
        except OSError as error:
            self._socket.close()
            raise _not_found(address, error) from error

    def send(self, packet: bytes) -> None:
        """Send one datagram; it may be lost without notice."""
        try:
            self._socket.send(packet)
        except BlockingIOError:
            return
        except OSError as error:
            raise self._cut("send", error) from error

    def receive(self, idle_s: float, step: str) -> frame.Packet:
        """The next sound datagram within ``idle_s``; damaged ones are passed over."""
        until = self._watch.monotonic() + idle_s
        while True:
            left = until - self._watch.monotonic()
            if left <= 0:
                raise DeviceTimeout(step, idle_s)
            try:
                data = self._socket.recv(65_535)
            except BlockingIOError:
                _wait_readable(self._socket, left, self._watch, step)
                continue
            except OSError as error:
                raise self._cut(step, error) from error
            self._watch.check(step)
            try:
                packet = frame.decode(data)
            except BadResponse:
                continue
            self._answered = True
            self._watch.packet_seen()
            return packet

    def _cut(self, step: str, error: OSError) -> ConnectionCut | DeviceNotFound:
        """The peer's system said "no such port": nobody there, or gone since."""
        return ConnectionCut(step) if self._answered else _not_found(self._address, error)

    def close(self) -> None:
        self._socket.close()


def _not_found(address: str, error: OSError) -> DeviceNotFound:
    refused = isinstance(error, ConnectionRefusedError) or error.errno in _REFUSED
    return DeviceNotFound(address, "refused" if refused else "unreachable")


_REFUSED = frozenset({111, 10061})
"""ECONNREFUSED on Linux and on Windows, as read from SO_ERROR."""


def open_transport(kind: str, address: str, watch: Watch) -> Transport:
    """``tcp`` or ``udp`` (§1)."""
    return UdpTransport(address, watch) if kind == "udp" else TcpTransport(address, watch)

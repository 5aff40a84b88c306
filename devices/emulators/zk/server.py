"""Sockets of the emulated terminal: one port on loopback, TCP and UDP, a thread per client."""

from __future__ import annotations

import socket
import struct
import threading
import time
from array import array
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from types import TracebackType

from devices.emulators.zk.faults import Faults
from devices.emulators.zk.records import StoredPunch, StoredUser
from devices.emulators.zk.unit import EXIT, Out, Unit, Visit

_MAGIC = b"\x50\x50\x82\x7d"
_POLL_S = 0.05
_LEAVING_S = 0.3


class _Gone(Exception):
    """The connection ends here."""


def checksum(packet: bytes) -> int:
    """Sum of the words with end-around carry, complemented; the field itself counts as zero."""
    words = array("H", packet + bytes(len(packet) % 2))
    if words.itemsize != 2:
        raise AssertionError("no 16-bit array type")
    total = sum(words)
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def packet_bytes(out: Out) -> bytes:
    """A packet as UDP carries it."""
    blank = struct.pack("<HHHH", out.code, 0, out.field, out.number) + out.data
    return blank[:2] + struct.pack("<H", checksum(blank)) + blank[4:]


class ZkEmulator:
    """``with ZkEmulator(users=…, punches=…) as terminal: … terminal.address``.

    ``users`` / ``punches``: what it has in store. ``key`` 0 = none. ``width`` 8, 16, 40, 49 or
    more, ``user_width`` 28 or 72. ``now`` is its own naive local clock (a packed int for a broken
    one). ``exclusive``: a second TCP client is turned away while one is served.
    """

    def __init__(
        self,
        users: Sequence[StoredUser] = (),
        punches: Iterable[StoredPunch] = (),
        *,
        key: int = 0,
        encoding: str = "gbk",
        width: int = 40,
        user_width: int = 72,
        ma300: bool = False,
        faults: Faults | None = None,
        serial: str = "CKJG264160001",
        model: str = "SenseFace 2A",
        options: dict[str, str] | None = None,
        punch_capacity: int = 200_000,
        direct_limit: int = 1024,
        now: Callable[[], datetime | int] = datetime.now,
        exclusive: bool = True,
        port: int = 0,
    ) -> None:
        known = {
            "~SerialNumber": serial,
            "~DeviceName": model,
            "~Platform": "ZAM180_TFT",
            "~PIN2Width": "9",
            "ZKFaceVersion": "40",
            "AlarmReRec": "1",
        }
        self.unit = Unit(
            users,
            punches,
            key=key,
            encoding=encoding,
            width=width,
            user_width=user_width,
            ma300=ma300,
            faults=faults or Faults(),
            options={name: text for name, text in (known | (options or {})).items() if text},
            punch_capacity=punch_capacity,
            direct_limit=direct_limit,
            now=now,
        )
        self._exclusive = exclusive
        self._port = port
        self._stop = threading.Event()
        self._away_until = 0.0
        self._threads: list[threading.Thread] = []
        self._serving = 0
        self._lock = threading.Lock()

    # ---- what tests and the demo use -----------------------------------------------------

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._port}"

    @property
    def sessions(self) -> int:
        """Clients so far."""
        return self.unit.visits

    @property
    def requests(self) -> list[int]:
        """Every code received, in order."""
        return self.unit.requests

    def add(self, punches: Iterable[StoredPunch]) -> None:
        self.unit.add(punches)

    def replace(self, punches: Iterable[StoredPunch]) -> None:
        self.unit.replace(punches)

    def stick(self) -> bytes:
        return self.unit.stick()

    def user_file(self) -> bytes:
        return self.unit.user_file()

    def __enter__(self) -> ZkEmulator:
        self._open()
        for run in (self._serve_tcp, self._serve_udp):
            self._start(run)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        with self._lock:
            threads = list(self._threads)
        for thread in threads:
            thread.join(5)
        self._listener.close()
        self._datagrams.close()

    # ---- sockets -------------------------------------------------------------------------

    def _open(self) -> None:
        """The same port for both; another program may hold its UDP side, then try the next."""
        for _ in range(50):
            self._listener = self._listen(self._port)
            port = self._listener.getsockname()[1]
            self._datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            try:
                self._datagrams.bind(("127.0.0.1", port))
            except OSError:
                self._listener.close()
                self._datagrams.close()
                if self._port:
                    raise
                continue
            self._datagrams.settimeout(_POLL_S)
            self._port = port
            return
        raise OSError("no free port")

    def _listen(self, port: int) -> socket.socket:
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        listener.listen(8)
        listener.settimeout(_POLL_S)
        return listener

    def _start(self, run: Callable[..., None], *facts: object) -> None:
        thread = threading.Thread(target=run, args=facts, daemon=True, name="zk-emulator")
        with self._lock:
            self._threads = [t for t in self._threads if t.is_alive()] + [thread]
            thread.start()

    def _serve_tcp(self) -> None:
        while not self._stop.is_set():
            if time.monotonic() < self._away_until:
                # A unit that restarts has no open port.
                self._listener.close()
                self._stop.wait(max(0.0, self._away_until - time.monotonic()))
                self._listener = self._listen(self._port)
            try:
                client, _ = self._listener.accept()
            except TimeoutError:
                continue
            if self._admitted():
                self._start(self._serve_client, client)
            else:
                client.close()

    def _admitted(self) -> bool:
        """Whether the next client may come in; one that is just leaving is waited for."""
        until = time.monotonic() + _LEAVING_S
        while True:
            with self._lock:
                if not self._exclusive or not self._serving:
                    self._serving += 1
                    return True
            if time.monotonic() > until or self._stop.wait(0.005):
                return False

    def _serve_client(self, client: socket.socket) -> None:
        visit = self.unit.visit()
        try:
            with client:
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                client.settimeout(_POLL_S)
                wire = _Wire(visit, self._stop, client)
                leaving = False
                while not leaving:
                    code, number, data = self._request(client)
                    wire.send(self.unit.answer(visit, code, number, data))
                    leaving = code == EXIT
        except (OSError, _Gone):
            if visit.faults.reboot_at and visit.packets >= visit.faults.reboot_at:
                self._away_until = time.monotonic() + visit.faults.reboot_s
        finally:
            with self._lock:
                self._serving -= 1

    def _request(self, client: socket.socket) -> tuple[int, int, bytes]:
        magic, length = struct.unpack("<4sI", self._read(client, 8))
        if magic != _MAGIC or not 8 <= length <= 4096:
            raise _Gone
        packet = self._read(client, length)
        code, _, _, number = struct.unpack_from("<HHHH", packet)
        return code, number, packet[8:]

    def _read(self, client: socket.socket, count: int) -> bytes:
        data = b""
        while len(data) < count:
            if self._stop.is_set():
                raise _Gone
            try:
                got = client.recv(count - len(data))
            except TimeoutError:
                continue
            if not got:
                raise _Gone
            data += got
        return data

    def _serve_udp(self) -> None:
        visits: dict[tuple[str, int], _Wire] = {}
        while not self._stop.is_set():
            try:
                packet, peer = self._datagrams.recvfrom(65_535)
            except (TimeoutError, ConnectionError):
                continue
            if len(packet) < 8 or time.monotonic() < self._away_until:
                continue
            code, _, _, number = struct.unpack_from("<HHHH", packet)
            wire = visits.get(peer)
            if wire is None:
                wire = visits[peer] = _Wire(self.unit.visit(), self._stop, self._datagrams, peer)
            try:
                wire.send(self.unit.answer(wire.visit, code, number, packet[8:]))
            except (OSError, _Gone):
                self._away_until = time.monotonic() + wire.visit.faults.reboot_s
                visits.clear()
            if code == EXIT:
                visits.pop(peer, None)


class _Wire:
    """The way to one client, with everything that can happen on it."""

    def __init__(
        self,
        visit: Visit,
        stop: threading.Event,
        sock: socket.socket,
        peer: tuple[str, int] | None = None,
    ) -> None:
        self.visit = visit
        visit.datagrams = peer is not None
        self._stop = stop
        self._socket = sock
        self._peer = peer

    def send(self, packets: list[Out]) -> None:
        faults = self.visit.faults
        together = b""
        for out in packets:
            data = self._struck(out)
            if data is None:
                continue
            if faults.coalesce:
                together += data
            else:
                self._deliver(data)
        if together:
            self._deliver(together)

    def _struck(self, out: Out) -> bytes | None:
        """The bytes of a packet after what happens to it; None when it is lost."""
        visit, faults = self.visit, self.visit.faults
        visit.packets += 1
        at = visit.packets
        if faults.stall_at and at >= faults.stall_at:
            return None
        if at == faults.reboot_at:
            raise _Gone
        if faults.delay_s and self._stop.wait(faults.delay_s):
            raise _Gone
        if at == faults.wrong_number_at:
            out = out._replace(number=(out.number + 7) & 0xFFFF)
        packet = packet_bytes(out)
        if at == faults.bad_checksum_at:
            packet = packet[:-1] + bytes((packet[-1] ^ 0x10,))
        if self._peer is not None:
            lost = at in faults.drop or (faults.drop_every and at % faults.drop_every == 0)
            return None if lost else packet
        length = len(packet)
        if at == faults.frame_length_at:
            length = faults.frame_length
        return _MAGIC + struct.pack("<I", length) + packet

    def _deliver(self, data: bytes) -> None:
        visit, faults = self.visit, self.visit.faults
        if self._peer is not None:
            self._socket.sendto(data, self._peer)
            return
        step = faults.split or len(data)
        if faults.drip_at and visit.packets >= faults.drip_at:
            step = 1
        for at in range(0, len(data), step):
            piece = data[at : at + step]
            if faults.cut_after >= 0:
                piece = piece[: max(0, faults.cut_after - visit.sent)]
            self._push(piece)
            visit.sent += len(piece)
            if faults.cut_after >= 0 and visit.sent >= faults.cut_after:
                raise _Gone
            if step == 1 and faults.drip_at and self._stop.wait(1.0):
                raise _Gone

    def _push(self, data: bytes) -> None:
        """Send all, although the socket has a time limit for the sake of stopping."""
        view = memoryview(data)
        while len(view):
            if self._stop.is_set():
                raise _Gone
            try:
                view = view[self._socket.send(view) :]
            except TimeoutError:
                continue

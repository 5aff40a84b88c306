"""Putting one bulk answer together (§7 no. 4): PREPARE_DATA, DATA …, OK — or DATA alone."""

from __future__ import annotations

from collections.abc import Callable

from devices.errors import BadResponse
from devices.terminals.zk.codes import Reply
from devices.terminals.zk.frame import Packet

CheckSize = Callable[[int], None]


def any_size(size: int) -> None:
    """For pieces whose size was asked for and is checked against that."""


class Gathering:
    """Takes packets until exactly the announced bytes are there; one use.

    ``wanted`` None: the size is whatever PREPARE_DATA says, as far as ``check_size`` agrees; a
    lone DATA without announcement is then the whole of a small dataset. Memory grows with what
    arrives, never with what is announced.
    """

    def __init__(self, wanted: int | None, check_size: CheckSize, *, lossy: bool) -> None:
        self.data = bytearray()
        self.wanted = wanted
        self._check_size = check_size
        self._lossy = lossy
        self._announced = False
        self._seen: set[bytes] = set()

    def take(self, packet: Packet) -> bool:
        """Whether the answer is complete with this packet; BadResponse when it cannot be."""
        if packet.code == Reply.PREPARE_DATA and not self._announced:
            self._prepare(packet.data)
            return False
        if packet.code == Reply.DATA:
            return self._add(packet.data)
        if packet.code in (Reply.OK, Reply.OK_DATA):
            if len(self.data) != (self.wanted or 0):
                raise BadResponse("transfer", expected=self.wanted, got=len(self.data))
            return True
        raise BadResponse("reply", expected=int(Reply.DATA), got=packet.code)

    def _prepare(self, data: bytes) -> None:
        if len(data) < 4:
            raise BadResponse("fields", expected=4, got=len(data))
        size = int.from_bytes(data[:4], "little")
        if self.wanted is not None and size != self.wanted:
            raise BadResponse("size", expected=self.wanted, got=size)
        self._check_size(size)
        self.wanted = size
        self._announced = True

    def _add(self, data: bytes) -> bool:
        if self._lossy:
            # A datagram that came twice while another was lost keeps the length right.
            if data in self._seen:
                raise BadResponse("transfer", expected="datagram", got="same again")
            self._seen.add(data)
        self.data += data
        if self.wanted is None:
            self._check_size(len(self.data))
            return True
        if len(self.data) > self.wanted:
            raise BadResponse("transfer", expected=self.wanted, got=len(self.data))
        # The closing OK may be a lost datagram; over TCP it must come.
        return len(self.data) == self.wanted and (self._lossy or not self._announced)

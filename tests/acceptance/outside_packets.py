"""Packets and records of the stand-alone protocol, from its published text alone.

``packed`` times are the protocol's u32; :func:`packed` makes those of any six numbers, sound or
impossible. One punch of a log is the 40-byte record, one person the 72-byte record.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from datetime import datetime

START = bytes.fromhex("5050827d")


def packed(year: int, month: int, day: int, hour: int = 0, minute: int = 0, second: int = 0) -> int:
    """The u32 of six numbers, whether or not such a day exists."""
    days = ((year - 2000) * 12 + month - 1) * 31 + day - 1
    return days * 86400 + hour * 3600 + minute * 60 + second


def packed_at(when: datetime) -> int:
    """The u32 of a real moment."""
    return packed(when.year, when.month, when.day, when.hour, when.minute, when.second)


@dataclass(frozen=True, slots=True)
class Punch:
    """One record of the log; ``index`` is the person's place in the user table."""

    pin: str
    when: int
    method: int = 15
    state: int = 0
    index: int = 1
    tail: bytes = bytes.fromhex("00000000ff000000")

    def record(self) -> bytes:
        """The 40 bytes."""
        return struct.pack(
            "<H24sBIB8s", self.index, self.pin.encode("ascii"), self.method, self.when, self.state,
            self.tail,
        )


@dataclass(frozen=True, slots=True)
class User:
    """One person as the terminal knows him."""

    index: int
    pin: str
    name: str

    def record(self) -> bytes:
        """The 72 bytes, name in GBK."""
        return struct.pack(
            "<HB8s24sIBH6s24s", self.index, 0, b"", self.name.encode("gbk")[:24], 0, 1, 0, b"",
            self.pin.encode("ascii"),
        )


def checksum(packet: bytes) -> int:
    """Of a packet whose checksum field is zero."""
    if len(packet) % 2:
        packet += b"\0"
    total = sum(struct.unpack(f"<{len(packet) // 2}H", packet))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


def frame(command: int, session: int, number: int, data: bytes = b"") -> bytes:
    """One TCP frame with a sound checksum."""
    sound = checksum(struct.pack("<HHHH", command, 0, session, number) + data)
    packet = struct.pack("<HHHH", command, sound, session, number) + data
    return START + struct.pack("<I", len(packet)) + packet


def answer_to_key(key: int, session: int, tick: int) -> bytes:
    """The four bytes of AUTH."""
    turned = int(f"{key:032b}"[::-1], 2)
    mixed = bytes(a ^ b for a, b in zip(
        struct.pack("<I", (turned + session) & 0xFFFFFFFF), b"ZKSO", strict=True))
    swapped = mixed[2:] + mixed[:2]
    return bytes((swapped[0] ^ tick, swapped[1] ^ tick, tick, swapped[3] ^ tick))

"""Packets and their checksum (§1). Knows no socket and no meaning of a code."""

from __future__ import annotations

import struct
from typing import NamedTuple

from devices.errors import BadResponse

MAGIC = b"\x50\x50\x82\x7d"
TCP_HEAD = struct.Struct("<4sI")
HEAD = struct.Struct("<HHHH")
SHORTEST = HEAD.size
LONGEST = 1 << 20
"""Bytes of one packet; nothing longer is ever allocated."""


class Packet(NamedTuple):
    """One packet, checksum already verified. ``session`` is only a session in a CONNECT reply."""

    code: int
    session: int
    number: int
    data: bytes


def word_sum(packet: bytes | bytearray | memoryview) -> int:
    """Sum of all 16-bit little-endian words modulo 65535, an odd length padded with one zero.

    2**16 leaves 1 modulo 65535, so the number formed by all bytes has the same remainder as the
    sum of its words: one division instead of a loop over 32,000 words.
    """
    return int.from_bytes(packet, "little") % 0xFFFF


def encode(code: int, session: int, number: int, data: bytes = b"") -> bytes:
    """A packet as UDP carries it. Checksum: one's complement of the end-around-carry sum."""
    blank = HEAD.pack(code, 0, session, number) + data
    total = word_sum(blank)
    # A true end-around-carry sum of something non-zero is never 0 but 65535.
    checksum = 0xFFFF - (total or 0xFFFF)
    return HEAD.pack(code, checksum, session, number) + data


def wrap(packet: bytes) -> bytes:
    """The TCP form: magic and length in front."""
    return TCP_HEAD.pack(MAGIC, len(packet)) + packet


def announced_length(head: bytes | bytearray) -> int:
    """Length of the packet behind an 8-byte TCP head; BadResponse for no head or a mad length."""
    magic, length = TCP_HEAD.unpack(head)
    if magic != MAGIC:
        raise BadResponse("magic")
    check_length(length)
    return int(length)


def check_length(length: int) -> None:
    """BadResponse unless a packet may be this long."""
    if not SHORTEST <= length <= LONGEST:
        raise BadResponse("frame_length", expected=LONGEST, got=length)


def decode(packet: bytes | bytearray) -> Packet:
    """A packet from its UDP form; BadResponse for a wrong length or checksum."""
    check_length(len(packet))
    if word_sum(packet) != 0:
        raise BadResponse("checksum")
    code, _, session, number = HEAD.unpack_from(packet)
    return Packet(code, session, number, bytes(memoryview(packet)[SHORTEST:]))

"""QR codes as modules: for the painter's rectangles and the .docx's pictures.

The mask is fixed. Any of the eight makes a valid code that every reader takes, and choosing the
prettiest costs five times as much as making the code (measured), 500 pages at a time.

Page codes are short upper-case payloads of one length. For those a :class:`_Plan` learns from two
codes of segno's where data bits go, and then only has to fill them in: fourteen times as fast
(measured). A plan that cannot reproduce segno's code is not used.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Any

import segno
from segno import consts

QUIET = 4
"""Modules of quiet zone on each side, as the standard wants."""
_MASK = 3
_ALPHANUMERIC = {char: k for k, char in enumerate("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:")}
_BITS = bytes.maketrans(b"01", b"\0\1")
_INVERTED = bytes.maketrans(b"\0\1", b"\xff\0")


@lru_cache(64)
def matrix(payload: str, level: str) -> tuple[bytes, ...]:
    """Rows of modules, 1 is dark, without the quiet zone."""
    if all(char in _ALPHANUMERIC for char in payload):
        plan = _plan(len(payload), level)
        if plan is not None:
            return plan.rows(payload)
    return _by_segno(payload, level)


def _by_segno(payload: str, level: str) -> tuple[bytes, ...]:
    code = segno.make_qr(payload, error=level.lower(), boost_error=False, mask=_MASK)
    return tuple(bytes(row) for row in code.matrix)


class _Plan:
    """Alphanumeric codes of one length and level (ISO/IEC 18004, versions 2 to 6)."""

    def __init__(self, length: int, level: str) -> None:
        sample = "A" * length
        rows = _by_segno(sample, level)
        self._side = len(rows)
        version = (self._side - 17) // 4
        table: Any = consts.ECC
        blocks = table[version][consts.ERROR_MAPPING[level]]
        self._blocks = [(b.num_data, b.num_total) for b in blocks for _ in range(b.num_blocks)]
        # For every module the place of its bit in the message; the last place is always 0.
        places = [8 * sum(total for _, total in self._blocks)] * self._side**2
        for place, at in zip(range(places[0]), _data_modules(self._side), strict=False):
            places[at] = place
        self._lay: Callable[[bytes], tuple[int, ...]] = itemgetter(*places)
        self._blank = int.from_bytes(b"".join(rows), "big") ^ self._message(sample)

    def rows(self, payload: str) -> tuple[bytes, ...]:
        """The modules of one code."""
        side = self._side
        flat = (self._blank ^ self._message(payload)).to_bytes(side * side, "big")
        return tuple(flat[k : k + side] for k in range(0, side * side, side))

    def _message(self, payload: str) -> int:
        """The message's bits laid into the symbol, one byte a module, as one number."""
        return int.from_bytes(bytes(self._lay(self._bits(payload) + b"\0")), "big")

    def _bits(self, payload: str) -> bytes:
        """One byte a bit: data, then error correction, both interleaved."""
        words = self._words(payload)
        data: list[bytes] = []
        check: list[bytes] = []
        at = 0
        for count, total in self._blocks:
            block = words[at : at + count]
            at += count
            data.append(block)
            check.append(_remainder(block, total - count))
        mixed = bytes(
            block[k]
            for group in (data, check)
            for k in range(max(map(len, group)))
            for block in group
            if k < len(block)
        )
        return f"{int.from_bytes(mixed, 'big'):0{8 * len(mixed)}b}".encode().translate(_BITS)

    def _words(self, payload: str) -> bytes:
        values = [_ALPHANUMERIC[char] for char in payload]
        bits, length = 0b0010 << 9 | len(values), 13  # mode, count
        for k in range(0, len(values) - 1, 2):
            bits, length = bits << 11 | (values[k] * 45 + values[k + 1]), length + 11
        if len(values) % 2:
            bits, length = bits << 6 | values[-1], length + 6
        room: int = 8 * sum(count for count, _ in self._blocks)
        end = min(4, room - length)
        end += -(length + end) % 8
        words = (bits << end).to_bytes((length + end) // 8, "big")
        missing = room // 8 - len(words)
        return words + (b"\xec\x11" * missing)[:missing]


def _remainder(data: bytes, count: int) -> bytes:
    """Reed–Solomon check words of one block."""
    multiples = _multiples(count)
    top, keep = 8 * (count - 1), (1 << 8 * (count - 1)) - 1
    rest = 0
    for word in data:
        rest = (rest & keep) << 8 ^ multiples[rest >> top ^ word]
    return rest.to_bytes(count, "big")


@lru_cache(16)
def _multiples(count: int) -> tuple[int, ...]:
    """0 to 255 times the generator for ``count`` check words, without its first term."""
    powers: Sequence[int] = consts.GEN_POLY[count]
    found = [0]
    for factor in range(1, 256):
        log = consts.GALIOS_LOG[factor]
        terms = bytes(consts.GALIOS_EXP[log + power] for power in powers)
        found.append(int.from_bytes(terms, "big"))
    return tuple(found)


def _data_modules(side: int) -> Iterator[int]:
    """Positions of message bits: upwards and downwards in pairs of columns, from the right."""
    last = side - 7
    for pair, right in enumerate(k if k > 6 else k - 1 for k in range(side - 1, 0, -2)):
        for y in range(side) if pair % 2 else range(side - 1, -1, -1):
            for x in (right, right - 1):
                finder = (x < 9 and y < 9) or (x >= side - 8 and y < 9) or (x < 9 and y >= side - 8)
                aligner = abs(x - last) <= 2 and abs(y - last) <= 2
                if not (finder or aligner or x == 6 or y == 6):
                    yield y * side + x


@lru_cache(16)
def _plan(length: int, level: str) -> _Plan | None:
    """The plan for a length, if it makes what segno makes."""
    sample = "".join("SM1:0A7Z-"[k % 9] for k in range(length))
    if not 25 <= len(_by_segno(sample, level)) <= 41:
        return None
    plan = _Plan(length, level)
    return plan if plan.rows(sample) == _by_segno(sample, level) else None


def modules(payload: str, level: str) -> int:
    """Modules along one side, quiet zone included."""
    return len(matrix(payload, level)) + 2 * QUIET


def runs(payload: str, level: str) -> list[tuple[int, int, int]]:
    """Dark stretches ``(left, top, length)`` in modules, quiet zone counted in."""
    found: list[tuple[int, int, int]] = []
    for top, row in enumerate(matrix(payload, level), QUIET):
        left = row.find(1)
        while left >= 0:
            end = row.find(0, left)
            end = len(row) if end < 0 else end
            found.append((left + QUIET, top, end - left))
            left = row.find(1, end)
    return found


def png(payload: str, level: str) -> bytes:
    """A one-bit picture of eight by eight points a module, quiet zone included.

    Always the same bytes for the same payload.
    """
    rows = matrix(payload, level)
    side = (len(rows) + 2 * QUIET) * 8
    blank = (b"\0" + b"\xff" * (side // 8)) * (8 * QUIET)
    edge = b"\xff" * QUIET
    lines = [
        (b"\0" + edge + row.translate(_INVERTED) + edge) * 8  # one byte is eight points
        for row in rows
    ]
    head = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", head)
        + _chunk(b"IDAT", zlib.compress(blank + b"".join(lines) + blank, 1))
        + _chunk(b"IEND", b"")
    )


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

"""Punch records of 8, 16, 40, 49 and more bytes (§7.1), decoded in columns for speed.

One impossible date or unreadable number never stops the rest: such a record comes out as
``Unusable`` with its bytes.
"""

from __future__ import annotations

import struct
import sys
from array import array
from collections.abc import Mapping, Sequence
from functools import partial
from itertools import repeat

from devices.terminals.model import Punch, Records, SourceFormat, Unusable
from devices.terminals.zk import packed_time
from devices.terminals.zk.codes import METHOD_CLASSES

NARROW = (8, 16)
WIDE_FROM = 40
WIDEST = 128
"""A record wider than this is no longer taken for a 40-byte record with an appendix."""

_PIN_BYTES = 24
_MAX_CACHED = 100_000

# 100,000 tuples: calling the class would cost four times the decoding.
_new_punch = partial(tuple.__new__, Punch)


def number_of(field: bytes) -> str:
    """A pin field: printable ASCII up to the first NUL, right-aligned ones stripped; "" if none."""
    pin = field.partition(b"\0")[0].strip(b" ")
    if not pin or not all(0x21 <= byte <= 0x7E for byte in pin):
        return ""
    return pin.decode("ascii")


class _Numbers(dict[bytes, str]):
    """Pin field → number. A site has hundreds of pins and a log has 100,000 of them."""

    def __missing__(self, field: bytes) -> str:
        if len(self) >= _MAX_CACHED:
            self.clear()
        number = self[field] = number_of(field)
        return number


def source_format(width: int) -> SourceFormat:
    """The format of a record width; the 8-byte variant is decided in ``layout``."""
    known = {
        8: SourceFormat.ZK8,
        16: SourceFormat.ZK16,
        40: SourceFormat.ZK40,
        49: SourceFormat.ZK49,
    }
    return known.get(width, SourceFormat.ZK_WIDE)


def record_struct(layout: SourceFormat, width: int) -> struct.Struct:
    """Fields of one record in the order they stand; the appendix of wide ones is skipped.

    8: index, method, time, state (MA300: index, method, state, time); 16: pin, time, method,
    state; 40 and more: pin, method, time, state.
    """
    if layout is SourceFormat.ZK8:
        return struct.Struct("<HBIB")
    if layout is SourceFormat.ZK8_MA300:
        return struct.Struct("<HBBI")
    if layout is SourceFormat.ZK16:
        return struct.Struct("<IIBB6x")
    return struct.Struct(f"<2x{_PIN_BYTES}sBIB{width - 32}x")


_FIELDS = {
    SourceFormat.ZK8: (2, 3, 7),
    SourceFormat.ZK8_MA300: (2, 4, 3),
    SourceFormat.ZK16: (8, 4, 9),
}
_FIELDS_OF_WIDE = (26, 27, 31)
"""Offsets of method, time and state."""


def _integers(raw: bytes, start: int, end: int, width: int, size: int) -> Sequence[int]:
    """The little-endian integer of ``size`` 2 or 4 bytes at ``start`` of each record."""
    count = (end - start + width - 1) // width
    packed = bytearray(size * count)
    for at in range(size):
        packed[at::size] = raw[start + at : end : width]
    numbers = array("H" if size == 2 else "I", bytes(packed))
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers


class PunchDecoder:
    """Decodes any run of records of one log. Called from the thread that called ``pull``.

    ``numbers`` maps user index to pin, needed for 8-byte records only. The object keeps the raw
    log alive and nothing else of size.
    """

    def __init__(
        self,
        raw: bytes,
        width: int,
        layout: SourceFormat,
        numbers: Mapping[int, str] | None = None,
    ) -> None:
        self.raw = raw
        self.width = width
        self.layout = layout
        self._by_index = numbers or {}
        self._by_pin = _Numbers()
        self._days = packed_time.DayBases()

    @property
    def numbers(self) -> Mapping[int, str]:
        """User index to pin, as given; empty where records carry their pin."""
        return self._by_index

    def __call__(self, first: int, last: int) -> Records:
        """Records ``first`` (included) to ``last`` (excluded), both 0-based."""
        width = self.width
        begin, end = first * width, last * width
        if begin >= end:
            return Records([], [])
        numbers, methods, times, states = self._columns(begin, end)
        days = self._days
        seconds = [days[packed // 86_400] + packed % 86_400 for packed in times]
        raw = self.raw
        punches: list[Punch] = list(
            map(
                _new_punch,
                zip(
                    numbers,
                    seconds,
                    methods,
                    states,
                    methods.translate(METHOD_CLASSES),
                    repeat(1),
                    repeat(int(self.layout)),
                    [raw[at : at + width] for at in range(begin, end, width)],
                    strict=False,
                ),
            )
        )
        if min(seconds) >= 0 and "" not in numbers:
            return Records(punches, [])
        return self._sorted_out(punches, times, first)

    def _columns(self, begin: int, end: int) -> tuple[list[str], bytes, Sequence[int], bytes]:
        """Numbers, methods, packed times, states of the records between two offsets.

        Each field of all records is cut out by one strided slice: no tuple per record is made
        only to be taken apart again, which halves the time.
        """
        raw, width = self.raw, self.width
        method_at, time_at, state_at = _FIELDS.get(self.layout, _FIELDS_OF_WIDE)
        return (
            self._numbers(begin, end),
            raw[begin + method_at : end : width],
            _integers(raw, begin + time_at, end, width, 4),
            raw[begin + state_at : end : width],
        )

    def _numbers(self, begin: int, end: int) -> list[str]:
        raw, width = self.raw, self.width
        if width == 8:
            get = self._by_index.get
            return [get(index, "") for index in _integers(raw, begin, end, width, 2)]
        if width == 16:
            return [str(pin) if pin else "" for pin in _integers(raw, begin, end, width, 4)]
        by_pin = self._by_pin
        return [by_pin[raw[at : at + _PIN_BYTES]] for at in range(begin + 2, end, width)]

    def _sorted_out(self, punches: list[Punch], times: Sequence[int], first: int) -> Records:
        """Separate what cannot be a punch, keeping its place in the log."""
        good: list[Punch] = []
        unusable: list[Unusable] = []
        for position, (punch, packed) in enumerate(zip(punches, times, strict=True), first):
            if punch.number and punch.t_local >= 0:
                good.append(punch)
                continue
            reason = "impossible_date" if punch.number else "undecodable"
            unusable.append(
                Unusable(
                    position,
                    reason,
                    punch.number,
                    packed_time.text(packed),
                    punch.source_format,
                    punch.raw,
                )
            )
        return Records(good, unusable)

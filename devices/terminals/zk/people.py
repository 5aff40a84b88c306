"""User records of 28 and 72 bytes (§7.2), from the terminal or from ``user.dat``.

The password field is stepped over and never leaves this file.
"""

from __future__ import annotations

import codecs
import struct
from collections.abc import Sequence

from devices.errors import BadResponse
from devices.terminals.model import Person
from devices.terminals.zk.records import number_of

WIDTHS = (72, 28)
UTF_8 = "utf-8"
GBK = "gbk"
_DISABLED = 1

_NARROW = struct.Struct("<HB5x8sIxBhI")
_WIDE = struct.Struct("<HB8x24sIB8x24s")
_NAME_BYTES = {28: 8, 72: 24}


def widths(size: int, lowest: int, highest: int) -> list[int]:
    """Record widths that divide ``size`` bytes into ``lowest``…``highest`` users."""
    return [w for w in WIDTHS if size % w == 0 and lowest <= size // w <= highest]


def check_announced(size: int, count: int, bound: int, growth: int = 256) -> None:
    """Refuse an announced user dataset (with prefix) that cannot be; ``count`` 0 = not counted."""
    if size > bound:
        raise BadResponse("size", expected=bound, got=size)
    if count > 0 and size > 4 and not widths(size - 4, count, count + growth):
        raise BadResponse("size", expected=count, got=size)


def choose_width(raw: bytes, lowest: int, highest: int) -> int:
    """72 or 28; where both divide within the counts (multiples of 504 bytes), the one whose
    records make sense. ``BadResponse("count")`` when neither does."""
    candidates = widths(len(raw), max(lowest, 1), highest)
    if not candidates:
        raise BadResponse("count", expected=lowest, got=len(raw))
    return max(candidates, key=lambda width: sense(raw, width))


def sense(raw: bytes, width: int) -> float:
    """Share of records with a plausible pin, privilege and name."""
    good = 0
    rows = list(_fields(raw, width))
    for _, privilege, name, _, _, number in rows:
        sound = number.isdigit() and len(number) <= 24 and privilege <= 15
        good += sound and not any(byte < 0x20 for byte in name.partition(b"\0")[0])
    return good / len(rows)


def _fields(raw: bytes, width: int) -> list[tuple[int, int, bytes, int, int, str]]:
    """Index, privilege byte, name field, card, group, number of each record."""
    if width == 28:
        return [
            (index, privilege, name, card, group, str(pin) if pin else "")
            for index, privilege, name, card, group, _, pin in _NARROW.iter_unpack(raw)
        ]
    return [
        (index, privilege, name, card, group, number_of(pin))
        for index, privilege, name, card, group, pin in _WIDE.iter_unpack(raw)
    ]


def decode(raw: bytes, width: int, encoding: str = "") -> tuple[list[Person], str]:
    """All people and the encoding of their names.

    ``encoding`` given: used as it is. Otherwise strict UTF-8 over all names, else GBK; "" while
    all names are ASCII, because then a later Chinese name must still decide.
    """
    rows = _fields(raw, width)
    names = [row[2].partition(b"\0")[0] for row in rows]
    chosen = encoding or choose_encoding(names, _NAME_BYTES[width])
    persons = [
        Person(
            slot=index,
            number=number,
            name=decode_name(name, chosen or UTF_8),
            card=card,
            privilege=privilege & ~_DISABLED,
            enabled=not privilege & _DISABLED,
            group=group,
        )
        for (index, privilege, _, card, group, number), name in zip(rows, names, strict=True)
    ]
    return persons, chosen


def choose_encoding(names: Sequence[bytes], field_bytes: int) -> str:
    """``utf-8`` when every name is; a name that fills its field may end inside a character."""
    if all(name.isascii() for name in names):
        return ""
    for name in names:
        try:
            decoder = codecs.getincrementaldecoder(UTF_8)("strict")
            decoder.decode(name, final=len(name) < field_bytes)
        except UnicodeDecodeError:
            return GBK
    return UTF_8


def decode_name(name: bytes, encoding: str) -> str:
    """Text up to the first NUL; what cannot be read (a character cut by the firmware) becomes
    U+FFFD. Control characters too: they would break a line of a list."""
    text = name.partition(b"\0")[0].decode(encoding, "replace").strip()
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)

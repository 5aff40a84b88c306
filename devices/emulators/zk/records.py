"""What an emulated terminal has in store, and its bytes (§4, §7.1, §7.2 and the stick files)."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import NamedTuple

FACE = 15
USUAL_TAIL = b"\x00\x00\x00\x00\xff\x00\x00\x00"


class StoredPunch(NamedTuple):
    """A punch in the terminal's memory. ``when`` may be a packed number: impossible dates."""

    number: str
    when: datetime | int
    method: int = FACE
    state: int = 0


class StoredUser(NamedTuple):
    """A user in the terminal's memory; ``name`` as bytes is stored as it is."""

    number: str
    name: str | bytes
    card: int = 0
    privilege: int = 0
    group: int = 1
    password: str = ""


def packed(when: datetime | int) -> int:
    """Seconds since 2000 with months of 31 days."""
    if isinstance(when, int):
        return when
    months = (when.year - 2000) * 12 + (when.month - 1)
    hours = (months * 31 + when.day - 1) * 24 + when.hour
    return (hours * 60 + when.minute) * 60 + when.second


def unpacked(value: int) -> tuple[int, int, int, int, int, int]:
    """The six parts of a packed time, existing or not."""
    parts = []
    for base in (60, 60, 24, 31, 12):
        value, part = divmod(value, base)
        parts.append(part)
    second, minute, hour, day, month = parts
    return value + 2000, month + 1, day + 1, hour, minute, second


def punch_bytes(punch: StoredPunch, width: int, index: int, *, ma300: bool = False) -> bytes:
    """One log record. ``index`` is that of the user."""
    when = packed(punch.when)
    if width == 8:
        if ma300:
            return struct.pack("<HBBI", index, punch.method, punch.state, when)
        return struct.pack("<HBIB", index, punch.method, when, punch.state)
    if width == 16:
        return struct.pack("<IIBBHI", int(punch.number), when, punch.method, punch.state, 0, 0)
    head = struct.pack(
        "<H24sBIB", index, punch.number.encode("ascii"), punch.method, when, punch.state
    )
    return head + USUAL_TAIL + bytes(width - 40)


def log_bytes(
    punches: Iterable[StoredPunch], width: int, indexes: Mapping[str, int], *, ma300: bool = False
) -> bytes:
    """A whole log without its length prefix."""
    return b"".join(
        punch_bytes(punch, width, indexes.get(punch.number, 0), ma300=ma300) for punch in punches
    )


def user_bytes(user: StoredUser, width: int, index: int, encoding: str) -> bytes:
    """One user record; a long name is cut like firmware cuts it, inside a character if need be."""
    name = user.name if isinstance(user.name, bytes) else user.name.encode(encoding)
    password = user.password.encode("ascii")
    if width == 28:
        return struct.pack(
            "<HB5s8sIxBhI",
            index,
            user.privilege,
            password,
            name[:8],
            user.card,
            user.group,
            0,
            int(user.number),
        )
    return struct.pack(
        "<HB8s24sIB8x24s",
        index,
        user.privilege,
        password,
        name[:24],
        user.card,
        user.group,
        user.number.encode("ascii"),
    )


def attlog_line(punch: StoredPunch, device_number: int) -> bytes:
    """One line of ``1_attlog.dat``, as terminals write it."""
    year, month, day, hour, minute, second = unpacked(packed(punch.when))
    when = f"{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}"
    fields = (f"{punch.number:>9}", when, device_number, punch.state, punch.method, 0)
    return "\t".join(map(str, fields)).encode("ascii") + b"\r\n"

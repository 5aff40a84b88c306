"""People from a USB stick: ``user.dat`` (usb-files.md §2), for comparing with the worker list.

The file holds the terminal's passwords in clear; they are stepped over and never handed out.
Nothing creates workers from it.
"""

from __future__ import annotations

from pathlib import Path

from devices.errors import BadResponse, FileRefused
from devices.terminals.model import People
from devices.terminals.zk import people

MAX_BYTES = 16 << 20


def read_user_dat(path: Path, *, encoding: str = "") -> People:
    """All people of the file. ``FileRefused``: ``too_large``, ``empty``, ``unreadable`` or
    ``not_users`` (no whole number of records, or records that make no sense)."""
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise FileRefused("unreadable") from error
    return parse_user_dat(data, encoding=encoding)


def parse_user_dat(data: bytes, *, encoding: str = "") -> People:
    """The same from bytes. A 4-byte length in front is tolerated when it is right."""
    if len(data) > MAX_BYTES:
        raise FileRefused("too_large", facts=(MAX_BYTES,))
    body = data
    if len(data) >= 4 and int.from_bytes(data[:4], "little") == len(data) - 4:
        body = data[4:]
    if not body:
        raise FileRefused("empty")
    try:
        width = people.choose_width(body, 1, len(body))
    except BadResponse as error:
        raise FileRefused("not_users") from error
    if people.sense(body, width) < 0.5:
        raise FileRefused("not_users")
    persons, chosen = people.decode(body, width, encoding)
    return People("", persons, chosen, len(persons))

"""The terminal's counts and capacities (§6)."""

from __future__ import annotations

import struct
from typing import NamedTuple

from devices.errors import BadResponse
from devices.terminals.model import Health

_BASIC = 80
_WITH_FACES = 92
_LARGEST = 100_000_000
"""A count above this is not a count (seen as −1 on units that do not know it)."""


class Counts(NamedTuple):
    """What bulk reads are checked against."""

    users: int
    punches: int
    user_capacity: int
    punch_capacity: int


def _at(data: bytes, offset: int) -> int:
    if offset + 4 > len(data):
        return 0
    value = int(struct.unpack_from("<I", data, offset)[0])
    return value if value <= _LARGEST else 0


def parse(data: bytes) -> Health:
    """Health from the answer to request 50; shorter than its twenty numbers is an error."""
    if len(data) < _BASIC:
        raise BadResponse("fields", expected=_BASIC, got=len(data))
    faces = len(data) >= _WITH_FACES
    return Health(
        users=_at(data, 16),
        user_capacity=_at(data, 60),
        punches=_at(data, 32),
        punch_capacity=_at(data, 64),
        free_punches=_at(data, 76),
        fingerprints=_at(data, 24),
        fingerprint_capacity=_at(data, 56),
        faces=_at(data, 80) if faces else 0,
        face_capacity=_at(data, 88) if faces else 0,
        administrators=_at(data, 48),
        passwords=_at(data, 52),
        operations=_at(data, 40),
    )


def dataset_bound(count: int, capacity: int, width: int, growth: int, absolute: int) -> int:
    """Largest believable dataset in bytes, prefix included.

    By capacity where the terminal states one at least as large as its count, else by its count
    and some growth, never above ``absolute``; with neither known only ``absolute`` is left.
    """
    most = capacity if capacity >= count else 0
    most = max(most, count) + growth if most or count else 0
    return min(absolute, 4 + most * width) if most else absolute

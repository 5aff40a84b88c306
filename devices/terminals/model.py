"""What every terminal driver and every stick file delivers: punches, people, clock, health.

Plain values without behaviour of any vendor. Nothing here knows whose number a number is, which
day counts or what is stored; a record that cannot be a punch is delivered beside the punches with
its raw bytes, never dropped.

Terminal time is local wall time without zone. It is carried as ``t_local``: seconds of the naive
local time counted as if it were UTC, so ``t_local // 86400`` is the day since 1970-01-01.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from typing import Any, NamedTuple

NOT_STATED = -1
"""``method_raw`` / ``state_raw`` of a source that does not say (a four-field stick line)."""

PART = 20_000
"""Records decoded at a time by default: bounds memory, large enough to cost nothing."""


class MethodClass(IntEnum):
    """What a method proves (terminals-overview.md §2). Only ``BIOMETRIC`` is compliant."""

    UNPROVEN = 0
    BIOMETRIC = 1
    NOT_BIOMETRIC = 2


class SourceFormat(IntEnum):
    """How the raw bytes of a record are laid out; raw bytes compare only within one format.

    ``ZK_WIDE`` is any other width above 40 whose first 40 bytes are a ``ZK40`` record.
    ``ZK8_MA300`` is the 8-byte record with the state before the time.
    """

    ZK8 = 1
    ZK16 = 2
    ZK40 = 3
    ZK49 = 4
    ATTLOG = 5
    ZK_WIDE = 6
    ZK8_MA300 = 7


class Punch(NamedTuple):
    """One punch as the source said it. A tuple, because there are 100,000 of them.

    ``method_class`` is a :class:`MethodClass` value and ``source_format`` a
    :class:`SourceFormat` value, both as plain int; ``accepted`` is 1 or 0.
    """

    number: str
    t_local: int
    method_raw: int
    state_raw: int
    method_class: int
    accepted: int
    source_format: int
    raw: bytes


class Unusable(NamedTuple):
    """A record that cannot be a punch: listed with its raw bytes, never counted.

    ``reason`` is ``impossible_date`` or ``undecodable``. ``position`` is the 0-based place in the
    log, or the 1-based line of a file. ``number`` and ``time_text`` are as far as they could be
    read (``2026-02-31 07:58:11``), else empty.
    """

    position: int
    reason: str
    number: str
    time_text: str
    source_format: int
    raw: bytes


class Records(NamedTuple):
    """A run of records, decoded: the punches and the unusable ones, each in source order."""

    punches: list[Punch]
    unusable: list[Unusable]


class Person(NamedTuple):
    """A user record of a terminal. Its password is never carried.

    ``slot`` is the terminal's internal index. ``privilege`` without the disabled bit: 0 user,
    2 enroller, 6 manager, 14 super-admin.
    """

    slot: int
    number: str
    name: str
    card: int
    privilege: int
    enabled: bool
    group: int


@dataclass(frozen=True, slots=True)
class People:
    """All people of a terminal. ``encoding`` is ``utf-8`` or ``gbk`` once names decide it,
    empty while every name is ASCII; store it and give it back to the driver."""

    serial: str
    persons: list[Person]
    encoding: str
    reported: int
    attempts: int = 1


@dataclass(frozen=True, slots=True)
class ClockReading:
    """Terminal time against our time at the middle of the round trip; resolution one second.

    ``terminal_time`` is naive; None when the terminal shows an impossible date or refuses to say
    its time, then ``offset_s`` is None too. ``host_time`` is aware (UTC). ``offset_s`` is terminal
    minus host: positive = the terminal is fast.
    """

    terminal_time: datetime | None
    host_time: datetime
    round_trip_ms: int
    offset_s: int | None


@dataclass(frozen=True, slots=True)
class Identity:
    """Who answers. ``serial`` is empty when the terminal will not say it."""

    serial: str
    model: str
    firmware: str
    platform: str
    protocol: str
    options: dict[str, str]


@dataclass(frozen=True, slots=True)
class Health:
    """The terminal's own counts and capacities; 0 where it does not say."""

    users: int
    user_capacity: int
    punches: int
    punch_capacity: int
    free_punches: int
    fingerprints: int
    fingerprint_capacity: int
    faces: int
    face_capacity: int
    administrators: int
    passwords: int
    operations: int

    @property
    def punch_fill_percent(self) -> int:
        """How full the log is, 0 when the capacity is unknown. At 100 new punches are lost."""
        if self.punch_capacity <= 0:
            return 0
        return min(100, self.punches * 100 // self.punch_capacity)


class Event(NamedTuple):
    """Something the terminal sent by itself. During ``pull`` it is acknowledged and set aside.

    ``kind``: ``punch``, ``finger``, ``user_enrolled``, ``finger_enrolled``, ``key``, ``unlock``,
    ``verify``, ``score``, ``alarm`` or ``unknown``. Never turned into punches by a pull.
    """

    kind: str
    raw: bytes


@dataclass(frozen=True, slots=True)
class Certain:
    """What a failed pull may still say. No punch of it may be used.

    ``reported`` is the terminal's own count, None when it was never read; ``failures`` names the
    error code of each attempt in order.
    """

    serial: str = ""
    reported: int | None = None
    clock: ClockReading | None = None
    attempts: int = 0
    events_set_aside: int = 0
    failures: tuple[str, ...] = ()


Cursor = dict[str, Any]
"""Opaque to the caller, JSON only, stored in the transaction that stores the batch.
For ZK ``{"count": int, "digest": hex}``: the records held and SHA-256 of their raw bytes."""


@dataclass(frozen=True, slots=True)
class Batch:
    """One complete transfer, consistent with the terminal's own count. Decoding is lazy.

    ``received`` records are in it; ``known`` leading ones were already covered by the cursor
    given to ``pull`` (byte for byte), so ``parts(known)`` yields just what may be new.
    ``prefix_changed``: two separate reads agree with each other but not with the cursor — the log
    was cleared, replaced or altered; ``known`` is then 0 and the caller raises the epoch.
    ``raw`` holds the records back to back, ``sha256`` is its digest. ``reported_before`` /
    ``reported_after`` are the terminal's counts around the transfer (0, 0 on firmware that does
    not count).
    """

    serial: str
    reported_before: int
    reported_after: int
    received: int
    known: int
    prefix_changed: bool
    cursor: Cursor
    clock: ClockReading
    source_format: SourceFormat
    width: int
    sha256: bytes
    raw: bytes = field(repr=False)
    decode: Callable[[int, int], Records] = field(repr=False, compare=False)
    events: tuple[Event, ...] = field(default=(), repr=False)
    events_set_aside: int = 0
    attempts: int = 1
    encoding: str = ""
    complete: bool = True

    @property
    def reported(self) -> int:
        """The terminal's count after the transfer."""
        return self.reported_after

    def parts(self, start: int = 0, size: int = PART) -> Iterator[Records]:
        """The records from ``start`` on, decoded ``size`` at a time, in log order."""
        for first in range(start, self.received, size):
            yield self.decode(first, min(first + size, self.received))

    def records(self, start: int = 0) -> Records:
        """All records from ``start`` on in one piece; prefer :meth:`parts` for long logs."""
        return self.decode(start, self.received)

    def prefix_digest(self, count: int) -> str:
        """SHA-256 (hex) of the first ``count`` raw records; ValueError when there are fewer."""
        if not 0 <= count <= self.received:
            raise ValueError("prefix outside the log")
        return hashlib.sha256(memoryview(self.raw)[: count * self.width]).hexdigest()

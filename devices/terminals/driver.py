"""What the program may ask of any terminal: the reading side.

A driver is a reference and opens nothing when it is made. Each call opens its own connection and
session and closes both before it returns or raises: nothing is held between calls.

**Caller and thread.** All calls come from the lane of that terminal: one thread at a time per
driver; different drivers run in parallel without knowing each other. Calls block; each has limits
stated in :class:`Timing`, looks at ``cancel`` at every packet and at least every quarter second
while waiting, and calls ``progress`` in the same thread.

Nothing that clears, resets, writes or opens a door is part of this protocol.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from enum import Enum
from typing import Any, ClassVar, Protocol

from devices.terminals.model import Batch, ClockReading, Health, Identity, People

SITE_ZONE = timezone(timedelta(hours=8), "CST")
"""The zone the terminals' wall clocks are set to."""

Progress = Callable[[int, int, str], None]
"""``progress(done, total, step)``: bytes of the running transfer; ``total`` 0 = not known yet.
``step`` is a code, not a text: ``connect``, ``people``, ``punches``, ``check``, ``wait``."""


class Cancel(Protocol):
    """``threading.Event`` and the program's own token both fit."""

    def is_set(self) -> bool: ...


def silent(done: int, total: int, step: str) -> None:
    """The progress of nobody."""


def system_now() -> datetime:
    """The computer's clock, aware; callers with their own clock pass it instead."""
    return datetime.now(UTC)


class Capability(Enum):
    """What a protocol can do at all; a single terminal may still refuse."""

    PROBE = "probe"
    CLOCK = "clock"
    HEALTH = "health"
    PEOPLE = "people"
    PULL = "pull"


@dataclass(frozen=True, slots=True)
class Timing:
    """All waits, in seconds. The defaults are the rule of the house; tests pass shorter ones.

    ``reply_s`` for an ordinary answer, ``bulk_s`` without any byte in a bulk step, ``datagram_s``
    before a lost UDP datagram is asked for again, ``silence_s`` without a valid packet ends the
    whole operation, ``waits_s`` between attempts (their number + 1 = attempts).
    """

    connect_s: float = 5.0
    reply_s: float = 5.0
    bulk_s: float = 15.0
    datagram_s: float = 2.0
    silence_s: float = 60.0
    waits_s: tuple[float, ...] = (2.0, 4.0)


@dataclass(frozen=True, slots=True)
class Connection:
    """How to reach one terminal. ``password`` is the communication key, empty for none.

    ``address`` is ``HOST:PORT`` (or HOST, then the protocol's own port); ``transport`` is ``tcp``
    or ``udp``; ``encoding`` is what :class:`People` reported earlier, empty = decide.
    """

    address: str
    transport: str = "tcp"
    password: str = field(default="", repr=False)
    encoding: str = ""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The outside world a driver may look at."""

    now: Callable[[], datetime] = system_now
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    timing: Timing = Timing()
    zone: tzinfo = SITE_ZONE


class Driver(Protocol):
    """One terminal. Made as ``Driver(connection, surroundings)``; see ``registry.open_driver``.

    Every call may raise ``DeviceNotFound``, ``DeviceBusy``, ``AccessDenied``, ``DeviceTimeout``,
    ``ConnectionCut``, ``BadResponse``, ``NotSupported`` or ``Cancelled``.
    """

    name: ClassVar[str]
    capabilities: ClassVar[frozenset[Capability]]

    def __init__(self, connection: Connection, surroundings: Surroundings = ...) -> None: ...

    def probe(self, *, cancel: Cancel | None = None) -> Identity:
        """Serial, model, firmware. No side effect, one attempt."""

    def clock(self, *, cancel: Cancel | None = None) -> ClockReading:
        """Terminal time against ours. One attempt."""

    def health(self, *, cancel: Cancel | None = None) -> Health:
        """Counts and capacities. One attempt."""

    def people(self, *, progress: Progress = silent, cancel: Cancel | None = None) -> People:
        """All people on the terminal, complete or an error; retried like :meth:`pull`."""

    def pull(
        self,
        cursor: Mapping[str, Any] | None = None,
        *,
        progress: Progress = silent,
        cancel: Cancel | None = None,
    ) -> Batch:
        """The whole log, complete and consistent, or an error with ``error.certain``.

        At most three attempts, each from a fresh session and from zero, with the waits of
        :class:`Timing`. A log whose older part disagrees with ``cursor`` is read once more before
        it is returned: see ``Batch.prefix_changed``; two reads that disagree with each other and
        with the cursor raise ``BadResponse("unsteady_log")``. ``AccessDenied`` is never retried.
        """

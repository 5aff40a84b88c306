"""The only reader of the wall clock inside ``desktop`` (invariant 6)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Protocol

CHINA = timezone(timedelta(hours=8), "CST")
"""Sites keep one zone all year; terminals know no zone, the office does."""


class Clock(Protocol):
    """What services take when they need to know the time."""

    def now(self) -> datetime:
        """The present instant, aware, UTC, whole seconds."""

    def local(self) -> datetime:
        """The present wall time on site, naive, whole seconds."""

    def today(self) -> date:
        """The present date on site."""


class SystemClock:
    """The computer's clock, read in UTC and shown in China Standard Time."""

    def now(self) -> datetime:
        return datetime.now(UTC).replace(microsecond=0)

    def local(self) -> datetime:
        return self.now().astimezone(CHINA).replace(tzinfo=None)

    def today(self) -> date:
        return self.local().date()


class FixedClock(SystemClock):
    """A clock that stands still until it is set: the demo site lives at a chosen instant."""

    def __init__(self, instant: datetime) -> None:
        self.instant = instant.astimezone(UTC).replace(microsecond=0)

    def now(self) -> datetime:
        return self.instant

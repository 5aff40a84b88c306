"""The only reader of the wall clock inside ``desktop`` (invariant 6)."""

from __future__ import annotations

import sys
import time
from datetime import UTC, date, datetime, timedelta, timezone
from functools import cache
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

    def uptime(self) -> tuple[str, int]:
        """A mark of this run of the computer, and its length in whole seconds.

        Nobody can set it, unlike the clock. The mark is empty where runs cannot be told apart.
        """


class SystemClock:
    """The computer's clock, read in UTC and shown in China Standard Time."""

    def now(self) -> datetime:
        return datetime.now(UTC).replace(microsecond=0)

    def local(self) -> datetime:
        return self.now().astimezone(CHINA).replace(tzinfo=None)

    def today(self) -> date:
        return self.local().date()

    def uptime(self) -> tuple[str, int]:
        return _run_of_the_computer(), int(time.monotonic())


class FixedClock(SystemClock):
    """A clock that stands still until it is set: the demo site lives at a chosen instant."""

    def __init__(self, instant: datetime) -> None:
        self.instant = instant.astimezone(UTC).replace(microsecond=0)

    def now(self) -> datetime:
        return self.instant

    def uptime(self) -> tuple[str, int]:
        return "", 0


@cache
def _run_of_the_computer() -> str:
    """Linux gives each start an identity, Windows counts them; empty where neither can be read."""
    try:
        if sys.platform == "win32":
            import winreg

            place = (
                r"SYSTEM\CurrentControlSet\Control\Session Manager"
                r"\Memory Management\PrefetchParameters"
            )
            with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, place) as key:
                return f"boot {winreg.QueryValueEx(key, 'BootId')[0]}"
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return file.read().strip()
    except OSError:
        return ""

"""Which backups stay: 7 daily, 5 weekly, 12 monthly; those made before a bold act by their own rule.

Pure functions over instants. Buckets are the latest days, weeks and months that *have* a backup, so
a clock that jumps a year ahead costs one place in each row and never empties the shelf. A backup
"from the future" is a sign of a wrong clock, then or now: it stays and takes nobody's place.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from datetime import datetime, timedelta

from desktop.clock import CHINA

DAILY = 7
WEEKLY = 5
MONTHLY = 12
FRESH = timedelta(days=1)
"""So long every backup stays: who makes two in a morning wants both till tomorrow."""

BEFORE_DAYS = 90
BEFORE_LEAST = 3
"""Backups made before a migration, a rekey, a restore: kept so long, and never fewer than these."""


def keep(times: Iterable[datetime], now: datetime) -> set[datetime]:
    """The instants (aware) of regular backups that stay; the newest is always among them.

    >>> from datetime import UTC
    >>> days = [datetime(2026, 11, day, 9, tzinfo=UTC) for day in range(2, 25)]
    >>> sorted(at.day for at in keep(days, days[-1]))
    [8, 15, 18, 19, 20, 21, 22, 23, 24]
    """
    known = set(times)
    future = {at for at in known if at > now}
    past = sorted(known - future, reverse=True)
    stay = future | {at for at in past if now - at < FRESH}
    for most, bucket in ((DAILY, _day), (WEEKLY, _week), (MONTHLY, _month)):
        stay.update(_newest_of_each(past, bucket, most))
    return stay


def keep_before(times: Iterable[datetime], now: datetime) -> set[datetime]:
    """The same for backups that were made before something bold."""
    known = sorted(set(times), reverse=True)
    past = [at for at in known if at <= now]
    oldest = now - timedelta(days=BEFORE_DAYS)
    return {at for at in known if at > oldest} | set(past[:BEFORE_LEAST])


def _newest_of_each(
    newest_first: Sequence[datetime], bucket: Callable[[datetime], Hashable], most: int
) -> Iterable[datetime]:
    first: dict[Hashable, datetime] = {}
    for at in newest_first:
        first.setdefault(bucket(at), at)
    return list(first.values())[:most]


def _day(at: datetime) -> Hashable:
    return at.astimezone(CHINA).date()


def _week(at: datetime) -> Hashable:
    return at.astimezone(CHINA).isocalendar()[:2]


def _month(at: datetime) -> Hashable:
    local = at.astimezone(CHINA)
    return local.year, local.month

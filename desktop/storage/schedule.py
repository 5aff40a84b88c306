"""When a backup is due, and what the book says about that: facts of ``book_info`` and pure rules.

It makes nothing and reads no clock. Whether the book changed is for those who know the trail.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from sqlalchemy.orm import Session

from desktop.clock import CHINA
from desktop.errors import Refused
from desktop.storage.tables import BookInfo

SECOND_PLACE = "backup.second_place"
DAILY_AT = "backup.daily_at"
COPIED_AT = "backup.second_copied_at"
"""Names of rows in ``book_info``."""

EVERY = timedelta(days=1)
_CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")


@dataclass(frozen=True, slots=True)
class BackupSettings:
    """``second_place`` is a folder on another medium, None for none. ``daily_at`` is the time of
    day on site from which the day's backup is due, None for a day after the last one."""

    second_place: str | None = None
    daily_at: time | None = None

    def as_json(self) -> dict[str, str | None]:
        """The result of ``backup settings``."""
        at = None if self.daily_at is None else f"{self.daily_at:%H:%M}"
        return {"second_place": self.second_place, "daily_at": at}


def settings_of(session: Session) -> BackupSettings:
    """What the book says; what cannot be understood counts as not set."""
    place, at = _value(session, SECOND_PLACE), _value(session, DAILY_AT)
    found = _CLOCK.fullmatch(at or "")
    return BackupSettings(place, None if found is None else time(int(found[1]), int(found[2])))


def store_settings(session: Session, settings: BackupSettings) -> None:
    """Keep the settings in the session's transaction."""
    put_value(session, SECOND_PLACE, settings.second_place)
    put_value(session, DAILY_AT, settings.as_json()["daily_at"])


def time_of_day(text: str) -> time:
    """``18:00``; raises :class:`Refused` ``daily_at_wrong``."""
    found = _CLOCK.fullmatch(text.strip().replace("：", ":"))
    if found is None:
        raise Refused(
            "daily_at_wrong", f"「{text}」不是一天中的时间，备份设置没有改动。请写成 18:00 这样。"
        )
    return time(int(found[1]), int(found[2]))


def copied_at(session: Session) -> datetime | None:
    """When a backup last reached the second place, aware; None for never."""
    try:
        return datetime.fromisoformat(_value(session, COPIED_AT) or "")
    except ValueError:
        return None


def _value(session: Session, name: str) -> str | None:
    row = session.get(BookInfo, name)
    return None if row is None or not row.value else row.value


def put_value(session: Session, name: str, value: str | None) -> None:
    """Set a row of ``book_info``; None empties it."""
    row = session.get(BookInfo, name)
    if row is not None:
        row.value = value or ""
    elif value:
        session.add(BookInfo(name=name, value=value))


def is_due(made: Iterable[datetime], now: datetime, daily_at: time | None = None) -> bool:
    """Whether a changed book waits for its backup; ``made`` are the instants of the good ones.

    A backup from the future says that the clock was or is wrong; it does not count, so that a
    clock set back by a year does not stop the backups for a year.

    >>> from datetime import UTC
    >>> now = datetime(2026, 11, 24, 9, tzinfo=UTC)
    >>> is_due([now - timedelta(hours=25)], now), is_due([now - timedelta(hours=23)], now)
    (True, False)
    >>> is_due([now + timedelta(days=365)], now)
    True
    """
    since = now - EVERY if daily_at is None else _last(daily_at, now)
    return not any(since <= at <= now for at in made)


def _last(at: time, now: datetime) -> datetime:
    """The latest instant not after ``now`` when clocks on site showed ``at``."""
    local = now.astimezone(CHINA)
    today = local.replace(hour=at.hour, minute=at.minute, second=0, microsecond=0)
    return today if today <= local else today - EVERY

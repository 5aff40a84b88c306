"""The 32-bit time of the terminals (§4): months of 31 days, so impossible dates can be written."""

from __future__ import annotations

from datetime import date, datetime, timedelta

EPOCH_DAY = date(1970, 1, 1).toordinal()
DAY_S = 86_400
IMPOSSIBLE = -(1 << 40)
"""Base of a day that does not exist: keeps any sum with it negative."""

_EPOCH = datetime(1970, 1, 1)


def split(packed: int) -> tuple[int, int, int, int, int, int]:
    """Year, month, day, hour, minute, second as written, whether or not the date exists."""
    days, second_of_day = divmod(packed, DAY_S)
    months, day = divmod(days, 31)
    year, month = divmod(months, 12)
    hours, rest = divmod(second_of_day, 3600)
    return 2000 + year, month + 1, day + 1, hours, *divmod(rest, 60)


def pack(moment: datetime) -> int:
    """The inverse for a time that exists.

    >>> pack(datetime(2026, 6, 5, 8, 30)).to_bytes(4, "little").hex(" ")
    '08 42 a1 32'
    """
    days = ((moment.year - 2000) * 12 + moment.month - 1) * 31 + moment.day - 1
    return days * DAY_S + moment.hour * 3600 + moment.minute * 60 + moment.second


def day_base(packed_day: int) -> int:
    """``t_local`` of the midnight of a packed day (value // 86400), :data:`IMPOSSIBLE` if none."""
    year, month, day, *_ = split(packed_day * DAY_S)
    try:
        return (date(year, month, day).toordinal() - EPOCH_DAY) * DAY_S
    except ValueError:
        return IMPOSSIBLE


class DayBases(dict[int, int]):
    """Packed day → base, computed once per day; there are at most 49,710 of them."""

    def __missing__(self, packed_day: int) -> int:
        base = self[packed_day] = day_base(packed_day)
        return base


def local_seconds(packed: int) -> int | None:
    """``t_local`` (see ``model``) of a packed time; None for a date that does not exist."""
    seconds = day_base(packed // DAY_S) + packed % DAY_S
    return None if seconds < 0 else seconds


def moment(packed: int) -> datetime | None:
    """The naive terminal time; None for a date that does not exist."""
    seconds = local_seconds(packed)
    return None if seconds is None else _EPOCH + timedelta(seconds=seconds)


def text(packed: int) -> str:
    """``2026-02-31 07:58:11``: the time as written, for listing what cannot be a punch."""
    year, month, day, hour, minute, second = split(packed)
    return f"{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}"

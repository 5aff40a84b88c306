"""Column types that mean the same in SQLite STRICT tables and in PostgreSQL.

Times are integer seconds (storage-notes: text times make the import 1.5 × slower and the file
1.8 × larger); local terminal time is counted as if it were UTC, so ``t_local // 86400`` is its day.
"""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, Dialect, Integer, Text, TypeDecorator
from sqlalchemy.sql import operators

Big = BigInteger().with_variant(Integer, "sqlite")
"""64 bits on both engines."""

EPOCH_DAY = date(1970, 1, 1).toordinal()
_EPOCH = datetime(1970, 1, 1)


def day_number(day: date) -> int:
    """Days since 1970-01-01."""
    return day.toordinal() - EPOCH_DAY


def day_of(number: int) -> date:
    """The inverse of :func:`day_number`."""
    return date.fromordinal(number + EPOCH_DAY)


def local_seconds(moment: datetime) -> int:
    """Seconds of a naive local time, counted as if it were UTC."""
    return int((moment - _EPOCH).total_seconds())


def local_time(seconds: int) -> datetime:
    """The inverse of :func:`local_seconds`."""
    return _EPOCH + timedelta(seconds=seconds)


class Day(TypeDecorator[date]):
    """A date stored as days since 1970-01-01."""

    impl = Integer
    cache_ok = True

    def process_bind_param(self, value: date | None, dialect: Dialect) -> int | None:
        return None if value is None else day_number(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> date | None:
        return None if value is None else day_of(value)


class LocalSeconds(TypeDecorator[datetime]):
    """A naive terminal time, see :func:`local_seconds`."""

    impl = Big
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        return None if value is None else local_seconds(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        return None if value is None else local_time(value)


class UtcSeconds(TypeDecorator[datetime]):
    """An aware instant, stored as Unix seconds."""

    impl = Big
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        return None if value is None else int(value.timestamp())

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        return None if value is None else datetime.fromtimestamp(value, UTC)


_IS = {operators.is_: operators.eq, operators.is_not: operators.is_distinct_from}


class Flag(TypeDecorator[bool]):
    """A truth value; STRICT tables know no BOOLEAN."""

    impl = Integer
    cache_ok = True

    class Comparator(TypeDecorator.Comparator[bool]):
        """``is_(True)`` on a number: PostgreSQL has ``IS`` for its own truth values only."""

        def operate(self, op: Any, *other: Any, **options: Any) -> Any:
            if op in _IS and isinstance(other[0], bool):
                op = _IS[op]
            return super().operate(op, *other, **options)

    comparator_factory = Comparator

    def process_bind_param(self, value: bool | None, dialect: Dialect) -> int | None:
        return None if value is None else int(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> bool | None:
        return None if value is None else bool(value)


class Json(TypeDecorator[Any]):
    """A small JSON document, canonical: sorted keys, no blanks, UTF-8 kept."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        if value is None:
            return None
        return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        return None if value is None else json.loads(value)

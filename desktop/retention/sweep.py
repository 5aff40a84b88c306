"""The look through the whole book after an erasure, before it is committed.

What erases knows its places one by one; this knows none and reads every column that holds text. A
number that is still found anywhere, or a name where none may stand, undoes the whole erasure:
better nothing erased than something said to be.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from typing import Any

from sqlalchemy import Column, LargeBinary, Select, Text, select, type_coerce
from sqlalchemy.orm import Session

from desktop.errors import Refused
from desktop.months.tables import MonthVersion
from desktop.punches.tables import Punch, Terminal
from desktop.retention.needles import Needles
from desktop.retention.places import may_keep_name
from desktop.storage.tables import Base
from desktop.storage.types import Json

_WHOLE_NAMES = frozenset({("person", "name"), ("terminal_person", "name")})
"""Here a longer name is somebody else's, not a mention."""


def sweep(session: Session, projects: Collection[int], needles: Needles) -> Counter[str]:
    """Names that may stay, by ``table.column``. Raises :class:`Refused` ``purge_incomplete``.

    Tables of a project are read for ``projects`` only: elsewhere a namesake may live.
    """
    kept: Counter[str] = Counter()
    left: Counter[str] = Counter()
    for table in Base.metadata.sorted_tables:
        names = [column for column in table.columns if _holds_text(table.name, column)]
        if not names:
            continue
        for row in session.execute(_rows(table, names, projects)):
            for column, value in zip(names, row, strict=True):
                if value is None or value in ("", b""):
                    continue
                place = (table.name, column.name)
                if _code(needles, value):
                    left[".".join(place)] += 1
                elif _name(needles, value, whole=place in _WHOLE_NAMES):
                    (kept if may_keep_name(*place) else left)[".".join(place)] += 1
    if left:
        listed = "、".join(f"{place}（{count}处）" for place, count in sorted(left.items()))
        raise Refused(
            "purge_incomplete",
            f"核对时发现仍有未清除的个人信息：{listed}。本次清除已全部撤销，账本没有改动。"
            "请把这句话交给软件维护人员。",
            left=dict(left),
        )
    return kept


def _holds_text(table: str, column: Column[Any]) -> bool:
    """Texts and raw bytes; sealed fields and digests are noise to whoever has no key."""
    if isinstance(column.type, LargeBinary):
        return column.name == "raw" and table != Punch.__tablename__
    return isinstance(column.type, Text | Json)


def _rows(
    table: Any, columns: list[Column[Any]], projects: Collection[int]
) -> Select[Any]:
    """The texts of a table as stored; of punches each number once, their bytes follow it."""
    texts = [
        type_coerce(column, Text) if isinstance(column.type, Json) else column
        for column in columns
    ]
    query = select(*texts).select_from(table).execution_options(yield_per=1000)
    if table.name == Punch.__tablename__:
        query = query.distinct()
    return query.where(*_within(table, projects))


def _within(table: Any, projects: Collection[int]) -> Iterator[Any]:
    columns = table.columns
    if "project_id" in columns:
        yield columns.project_id.in_(projects)
    elif "terminal_id" in columns:
        yield columns.terminal_id.in_(_terminals(projects))
    elif "month_version_id" in columns:
        own = select(MonthVersion.id).where(MonthVersion.project_id.in_(projects))
        yield columns.month_version_id.in_(own)
    elif "punch_id" in columns:
        own = select(Punch.id).where(Punch.terminal_id.in_(_terminals(projects)))
        yield columns.punch_id.in_(own)


def _terminals(projects: Collection[int]) -> Any:
    return select(Terminal.id).where(Terminal.project_id.in_(projects))


def _code(needles: Needles, value: Any) -> bool:
    if isinstance(value, bytes):
        return needles.in_bytes(value)
    return needles.code_in(str(value))


def _name(needles: Needles, value: Any, *, whole: bool) -> bool:
    if isinstance(value, bytes):
        return False  # looked at with the numbers, in every encoding
    return needles.is_name(value) if whole else needles.name_in(value)

"""Reads the rows of a mended file, around the pages that were lost.

A table is read by ranges of row ids. Where the database stumbles, the next readable row is looked
for in doubling steps and the border found by halving; what was stepped over is searched once more
for islands of good rows. A row that holds the mark of a lost page is lost too, never data. It
writes nothing and knows no table by name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlcipher3 import dbapi2 as cipher

from desktop.jobs import CancelToken
from desktop.storage.engine import connect

BATCH = 2_000
_FURTHEST = 1 << 40
_SWEEPS = 2_000
_STRIDE = 16
"""Rows of a page, about: between two looks for an island."""

Row = tuple[Any, ...]
"""The row id, then the values in the order of the columns; text as its bytes."""


@dataclass(frozen=True, slots=True)
class Shape:
    """A table of the file: its statement, its columns, which of them are text, how indexes and
    triggers are made again. ``numbered``: one of the columns is the row id itself."""

    name: str
    sql: str
    columns: tuple[str, ...]
    texts: frozenset[str]
    numbered: bool
    after: tuple[str, ...] = ()

    @property
    def listed(self) -> str:
        return ", ".join(f'"{name}"' for name in self.columns)


@dataclass(slots=True)
class TableRead:
    """``lost`` are ranges of row ids nobody can read, both ends included; the last one may have
    no end. ``read`` counts the rows that were handed out."""

    name: str
    read: int = 0
    lost: list[tuple[int, int | None]] = field(default_factory=list)

    def covers(self, row_id: int) -> bool:
        """Whether this row is among those that could not be read."""
        return any(low <= row_id and (high is None or row_id <= high) for low, high in self.lost)


def shapes(connection: Any) -> list[Shape]:
    """Every table of a file, in the order in which they were made."""
    made = connection.execute(
        "SELECT type, name, tbl_name, sql FROM sqlite_schema"
        " WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY rowid"
    ).fetchall()
    found = []
    for kind, name, _, sql in made:
        if kind != "table":
            continue
        columns = connection.execute(f'PRAGMA table_info("{name}")').fetchall()
        found.append(
            Shape(
                name,
                sql,
                tuple(column[1] for column in columns),
                frozenset(column[1] for column in columns if _is_text(column[2])),
                [column[2].upper() for column in columns if column[5]] == ["INTEGER"],
                tuple(one[3] for one in made if one[0] != "table" and one[2] == name),
            )
        )
    return found


def _is_text(declared: str) -> bool:
    """The database's own rule for what a declared type means."""
    return any(word in declared.upper() for word in ("CHAR", "CLOB", "TEXT"))


class Reader:
    """Reads tables of the file ``path``; opened anew after each stumble."""

    def __init__(
        self, path: Path, key: bytes, mark: bytes, cancel: CancelToken | None = None
    ) -> None:
        self._path = path
        self._key = key
        self._mark = mark
        self._cancel = cancel
        self._open: Any = None

    def shapes(self) -> list[Shape]:
        """What the file says of its tables."""
        with closing(connect(self._path, self._key, setup=(), frozen=True)) as connection:
            return shapes(connection)

    def read(self, shape: Shape, take: Callable[[Sequence[Row]], None]) -> TableRead:
        """Hand all readable rows of a table to ``take``, in batches and in order of row id."""
        found = TableRead(shape.name)
        first, last = self._bounds(shape)
        high = _FURTHEST if last is None else last
        place: int | None = first
        while place is not None and place <= high:
            reached, whole = self._stream(shape, place, high, take, found)
            broken = place if reached is None else reached + 1
            if whole or broken > high:
                break
            place = self._next_good(shape, broken, high)
            end = high if place is None else place - 1
            found.lost.append((broken, None if place is None and last is None else end))
        found.lost = _joined(found.lost)
        return found

    def _bounds(self, shape: Shape) -> tuple[int, int | None]:
        """First and last row id; the last is None where the end of the table is lost."""
        low = self._one(f'SELECT min(rowid) FROM "{shape.name}" NOT INDEXED')
        high = self._one(f'SELECT max(rowid) FROM "{shape.name}" NOT INDEXED')
        if low == (None,) and high == (None,):
            return 0, -1
        first = 1 if low is None or low[0] is None else int(low[0])
        return first, None if high is None or high[0] is None else int(high[0])

    def _stream(
        self,
        shape: Shape,
        low: int,
        high: int,
        take: Callable[[Sequence[Row]], None],
        found: TableRead,
    ) -> tuple[int | None, bool]:
        """Rows of a range until its end or a stumble; the last row id handed out or marked."""
        batch: list[Row] = []
        last: int | None = None
        whole = True
        for row in self._rows(shape, low, high):
            if row is None:
                whole = False
                break
            last = row[0]
            if self._marked(row):
                found.lost.append((row[0], row[0]))
                continue
            batch.append(row)
            if len(batch) == BATCH:
                found.read += len(batch)
                take(batch)
                batch = []
        if batch:
            found.read += len(batch)
            take(batch)
        return last, whole

    def _rows(self, shape: Shape, low: int, high: int) -> Iterator[Row | None]:
        """The rows; None for a stumble, after which nothing comes."""
        if self._cancel is not None:
            self._cancel.raise_if_set()
        try:
            yield from self._connection().execute(
                f'SELECT rowid, {shape.listed} FROM "{shape.name}" NOT INDEXED'
                " WHERE rowid >= ? AND rowid <= ? ORDER BY rowid",
                (low, high),
            )
        except cipher.DatabaseError:
            self._close()
            yield None

    def _next_good(self, shape: Shape, broken: int, high: int) -> int | None:
        """The first row id from ``broken`` on at which reading goes on, None for no such place."""
        step, bad = 1, broken
        good: int | None = None
        while good is None and bad < high:
            probe = min(broken + step, high)
            if self._reads(shape, probe, high):
                good = probe
            else:
                bad = probe
            step *= 2
        if good is None:
            return self._island(shape, broken, high + 1, high)
        edge = self._border(shape, bad, good, high)
        return self._island(shape, broken, edge, high) or edge

    def _border(self, shape: Shape, bad: int, good: int, high: int) -> int:
        """Halving: the first good one between a bad and a good one."""
        while good - bad > 1:
            middle = (bad + good) // 2
            if self._reads(shape, middle, high):
                good = middle
            else:
                bad = middle
        return good

    def _island(self, shape: Shape, broken: int, end: int, high: int) -> int | None:
        """Good rows between two bad ones that the doubling steps went over."""
        if end >= _FURTHEST:
            return None
        stride = max(_STRIDE, (end - broken) // _SWEEPS)
        before = broken
        for place in range(broken + stride, end, stride):
            if self._reads(shape, place, high):
                return self._border(shape, before, place, high)
            before = place
        return None

    def _reads(self, shape: Shape, row_id: int, high: int) -> bool:
        """Whether the first row from ``row_id`` on can be read whole."""
        for row in self._rows(shape, row_id, high):
            return row is not None
        return True

    def _marked(self, row: Row) -> bool:
        return any(isinstance(value, bytes) and self._mark in value for value in row)

    def _one(self, statement: str) -> Row | None:
        try:
            found: Row = self._connection().execute(statement).fetchone()
            return found
        except cipher.DatabaseError:
            self._close()
            return None

    def _connection(self) -> Any:
        if self._open is None:
            self._open = connect(
                self._path, self._key, setup=("cell_size_check=ON", "cache_size=-65536"),
                frozen=True,
            )
            self._open.text_factory = bytes
        return self._open

    def _close(self) -> None:
        if self._open is not None:
            self._open.close()
            self._open = None

    def close(self) -> None:
        """Let go of the file."""
        self._close()


def _joined(ranges: Sequence[tuple[int, int | None]]) -> list[tuple[int, int | None]]:
    """Neighbouring ranges as one."""
    joined: list[tuple[int, int | None]] = []
    for low, high in sorted(ranges, key=lambda one: one[0]):
        before = joined[-1][1] if joined else None
        if joined and before is not None and low <= before + 1:
            joined[-1] = (joined[-1][0], high if high is None else max(high, before))
        else:
            joined.append((low, high))
    return joined

"""All tables of a book from a file to a server or back, and the proof that a copy is equal.

A copy is proven row by row: both sides are read in the order of their keys and digested, so that
nothing is taken on trust from the statement that wrote it. What only a server has (members,
receipts) stays there. Connections are the driver's own, transactions the caller's.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import Connection, sql

from desktop.errors import EnvironmentFault, Refused
from desktop.jobs import CancelToken, Progress, silent
from desktop.storage import server_bulk, server_schema
from desktop.storage.server_rules import MEMBERSHIP

_ONLY_THERE = MEMBERSHIP | {"write_receipt"}
_NEVER = frozenset({"alembic_version"})
_OWN_COLUMNS = {"person": {"entered_by"}}
_BLOCK = 5_000


@dataclass(frozen=True, slots=True)
class Shape:
    """One table to copy: its columns in order, and those of its primary key."""

    name: str
    columns: tuple[str, ...]
    key: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Print:
    """Rows of a table and the digest over all of them in the order of their keys."""

    rows: int
    digest: str


Prints = dict[str, Print]


def file_to_server(
    source: Any, target: Connection[Any], progress: Progress = silent,
    cancel: CancelToken | None = None,
) -> Prints:
    """Copy everything of ``source`` (a DB-API connection on a file) into the empty tables of
    ``target``, which have no row policies yet. Returns the prints of both, which are equal.

    Raises :class:`Refused` ``move_unfit`` for a text PostgreSQL cannot hold, and
    :class:`EnvironmentFault` ``move_failed`` when both sides differ.
    """
    shapes = _shapes(source, target)
    steps = _Steps(sum(_count(source, shape.name) for shape in shapes), progress, cancel)
    prints: Prints = {}
    for shape in shapes:
        seen = _Digest()
        blocks = steps.over(seen.over(_file_rows(source, shape)), "搬到服务器")
        names = sql.SQL(", ").join(map(sql.Identifier, shape.columns))
        kinds = server_bulk.column_kinds(target, shape.name, shape.columns)
        try:
            server_bulk.write(
                target, sql.Identifier(shape.name), names, kinds,
                (row for block in blocks for row in block),
            )
        except psycopg.DataError as error:
            raise Refused(
                "move_unfit",
                f"表 {shape.name} 里有服务器存不下的内容（文字里有空字符，或数值过大），没有搬，账本保持原样。"
                "请把这句话交给软件维护人员。",
                table=shape.name,
            ) from error
        prints[shape.name] = seen.print()
    _advance_sequences(target, shapes)
    _refuse_different(prints, {
        shape.name: _Digest().all_of(_server_rows(target, shape)) for shape in shapes
    })
    return prints


def server_to_file(
    source: Connection[Any], target: Any, progress: Progress = silent,
    cancel: CancelToken | None = None,
) -> Prints:
    """Copy everything that ``source`` sees (in a transaction of one snapshot) into the empty
    tables of ``target``, a DB-API connection inside a transaction without foreign keys enforced.
    """
    shapes = _shapes(target, source)
    steps = _Steps(sum(_count(source, shape.name) for shape in shapes), progress, cancel)
    prints: Prints = {}
    for shape in shapes:
        seen = _Digest()
        marks = ", ".join("?" * len(shape.columns))
        order = f'INSERT INTO "{shape.name}" ({_listed(shape.columns)}) VALUES ({marks})'
        for block in steps.over(seen.over(_server_rows(source, shape)), "从服务器复制"):
            target.executemany(order, block)
        prints[shape.name] = seen.print()
    broken = target.execute("PRAGMA foreign_key_check").fetchall()
    if broken:
        raise _failed(sorted({str(row[0]) for row in broken}))
    _refuse_different(prints, {
        shape.name: _Digest().all_of(_file_rows(target, shape)) for shape in shapes
    })
    return prints


def _refuse_different(one: Prints, other: Prints) -> None:
    different = sorted(name for name in one if one[name] != other.get(name))
    if different:
        raise _failed(different)


def _failed(tables: Sequence[str]) -> EnvironmentFault:
    return EnvironmentFault(
        "move_failed",
        f"复制后逐行核对不一致（{'、'.join(tables)}），已全部撤销，原来的账本保持原样。请检查磁盘和网络后重试。",
        tables=list(tables),
    )


# ── shapes and rows ─────────────────────────────────────────────────────────────────────────────


def _shapes(file: Any, server: Connection[Any]) -> list[Shape]:
    """The tables both sides have, parents before children."""
    there = server_schema.tables(server)
    here = {
        name
        for (name,) in file.execute(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        ).fetchall()
    } - _NEVER
    if here != there.keys() - _ONLY_THERE - _NEVER:
        raise _failed(sorted(here ^ (there.keys() - _ONLY_THERE - _NEVER)))
    shapes: dict[str, Shape] = {}
    waiting = {name: {parent for _, parent in there[name].refs} - {name} for name in here}
    while waiting:
        ready = sorted(name for name, parents in waiting.items() if parents <= shapes.keys())
        if not ready:
            raise _failed(sorted(waiting))
        for name in ready:
            shapes[name] = _shape(file, name)
            if shapes[name].columns and set(shapes[name].columns) != (
                there[name].columns - _OWN_COLUMNS.get(name, set())
            ):
                raise _failed([name])
            del waiting[name]
    return list(shapes.values())


def _shape(file: Any, name: str) -> Shape:
    facts = file.execute(f"PRAGMA table_info({name})").fetchall()
    keys = sorted((fact[5], fact[1]) for fact in facts if fact[5])
    return Shape(name, tuple(fact[1] for fact in facts), tuple(column for _, column in keys))


def _listed(columns: Sequence[str]) -> str:
    return ", ".join(f'"{column}"' for column in columns)


def _select(shape: Shape) -> str:
    return f'SELECT {_listed(shape.columns)} FROM "{shape.name}" ORDER BY {_listed(shape.key)}'


_Block = Sequence[Sequence[Any]]


def _file_rows(file: Any, shape: Shape) -> Iterator[_Block]:
    cursor = file.execute(_select(shape))
    try:
        while block := cursor.fetchmany(_BLOCK):
            yield block
    finally:
        cursor.close()


def _server_rows(link: Connection[Any], shape: Shape) -> Iterator[_Block]:
    with link.cursor(f"copy_{shape.name}", binary=True) as cursor:
        cursor.execute(_select(shape).encode())
        while block := cursor.fetchmany(_BLOCK):
            yield block


def _count(connection: Any, table: str) -> int:
    row = connection.execute(f'SELECT count(*) FROM "{table}"').fetchone()
    return int(row[0])


def _advance_sequences(link: Connection[Any], shapes: Sequence[Shape]) -> None:
    """New rows go on above the copied ones."""
    for shape in shapes:
        if shape.key == ("id",):
            link.execute(
                sql.SQL(
                    "SELECT setval(pg_get_serial_sequence({}, 'id'), max(id)) FROM {}"
                    " HAVING max(id) IS NOT NULL"
                ).format(sql.Literal(shape.name), sql.Identifier(shape.name))
            )


class _Digest:
    """Over rows in the order they pass; equal for equal values of either driver."""

    def __init__(self) -> None:
        self._rows = 0
        self._hash = hashlib.blake2b(digest_size=32)

    def over(self, blocks: Iterator[_Block]) -> Iterator[_Block]:
        """Hands the blocks on."""
        for block in blocks:
            self._rows += len(block)
            self._hash.update("\n".join(map(repr, map(tuple, block))).encode() + b"\n")
            yield block

    def all_of(self, blocks: Iterator[_Block]) -> Print:
        for _ in self.over(blocks):
            pass
        return self.print()

    def print(self) -> Print:
        return Print(self._rows, self._hash.hexdigest())


class _Steps:
    """Progress and cancelling over all tables."""

    def __init__(self, total: int, progress: Progress, cancel: CancelToken | None) -> None:
        self._total = total
        self._done = 0
        self._progress = progress
        self._cancel = cancel

    def over(self, blocks: Iterator[_Block], text: str) -> Iterator[_Block]:
        for block in blocks:
            if self._cancel is not None:
                self._cancel.raise_if_set()
            yield block
            self._done += len(block)
            self._progress(self._done, max(self._total, self._done), text)

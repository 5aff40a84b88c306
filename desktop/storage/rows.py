"""The driver's own cursor on either engine, where rows are too many for anything above it.

Statements are written once, in SQLite's words: ``?`` for values, ``CAST(… AS BLOB)`` for the bytes
of a text.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from sqlalchemy import Connection

_numbers = itertools.count(1)
_COPY_FROM = 50
"""From so many rows on, COPY and a second statement are faster than single inserts."""

_TEXT_BYTES = re.compile(r"CAST\((\w+) AS BLOB\)")


def on_server(lane: Connection) -> bool:
    """Whether the connection leads to PostgreSQL."""
    return lane.dialect.name == "postgresql"


def native(lane: Connection, statement: str) -> str:
    """``statement`` as the driver of this connection takes it."""
    if on_server(lane):
        statement = _TEXT_BYTES.sub(r"convert_to(\1, 'UTF8')", statement)
        return statement.replace("%", "%%").replace("?", "%s")
    return statement


def blocks(
    lane: Connection, statement: str, values: Sequence[Any], size: int
) -> Iterator[Sequence[Sequence[Any]]]:
    """Rows in blocks of at most ``size``, never more than a block of them in memory."""
    if on_server(lane):
        # Without a name PostgreSQL's driver would fetch all rows at once.
        cursor = lane.connection.cursor(f"rows_{next(_numbers)}", binary=True)
    else:
        cursor = lane.connection.cursor()
    try:
        cursor.execute(native(lane, statement), values)
        while block := cursor.fetchmany(size):
            yield block
    finally:
        cursor.close()


def new_ids(lane: Connection, table: str, count: int) -> range:
    """``count`` ids in a row for new rows of ``table``, above all there are.

    The connection must hold the write lock. On a server they come from the table's sequence:
    rows of other projects are not to be seen, but their ids are taken.
    """
    if not count:
        return range(0)
    if on_server(lane):
        first = int(lane.exec_driver_sql("SELECT take_ids(%s, %s)", (table, count)).scalar_one())
        return range(first, first + count)
    top = lane.exec_driver_sql(f"SELECT coalesce(max(id), 0) FROM {table}").scalar_one()
    return range(int(top) + 1, int(top) + 1 + count)


def insert_many(
    lane: Connection,
    table: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[Any]],
    same: Mapping[str, int] = MappingProxyType({}),
) -> None:
    """Add ``rows`` in the order given; tens of thousands at a time on either engine.

    ``same`` are further columns whose number is that of all rows: it is said once.
    """
    if not rows:
        return
    if on_server(lane) and len(rows) >= _COPY_FROM:
        from desktop.storage import server_bulk  # psycopg only where there is a server

        server_bulk.copy_in(lane, table, columns, rows, same)
        return
    values = ", ".join([*("?" * len(columns)), *(str(int(value)) for value in same.values())])
    statement = f"INSERT INTO {table} ({', '.join([*columns, *same])}) VALUES ({values})"
    lane.exec_driver_sql(native(lane, statement), rows)

"""Many rows at once into a table of a server: binary COPY, then one INSERT.

COPY into a table with row policies is refused by PostgreSQL, so the rows go into a temporary table
first; the INSERT from there passes policies, triggers and constraints like any other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from psycopg import Connection, sql
from sqlalchemy import Connection as Lane

from desktop.storage import watch

_PLACE = sql.Identifier("pg_temp", "incoming_rows")


def copy_in(
    lane: Lane, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]],
    same: Mapping[str, int],
) -> None:
    """Add ``rows`` to ``table`` in the order given, each with the numbers of ``same`` besides; any
    conflict fails the transaction."""
    watch.note(lane, f"INSERT INTO {table}")  # what goes to the driver directly is not overheard
    link: Any = lane.connection.driver_connection
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    target = sql.Identifier(table)
    kinds = column_kinds(link, table, columns)
    link.execute(
        sql.SQL("CREATE TEMPORARY TABLE {} ON COMMIT DROP AS SELECT {} FROM {} WITH NO DATA").format(
            _PLACE, names, target
        )
    )
    write(link, _PLACE, names, kinds, rows)
    link.execute(
        sql.SQL("INSERT INTO {} ({}) SELECT {} FROM {}").format(
            target,
            sql.SQL(", ").join([names, *map(sql.Identifier, same)]),
            sql.SQL(", ").join([names, *map(sql.Literal, same.values())]),
            _PLACE,
        )
    )
    link.execute(sql.SQL("DROP TABLE {}").format(_PLACE))


def write(
    link: Connection[Any], place: sql.Composable, names: sql.Composable, kinds: Sequence[str],
    rows: Iterable[Sequence[Any]],
) -> None:
    """COPY ``rows`` into a table that has no row policies, or none for this role."""
    order = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT BINARY)").format(place, names)
    with link.cursor() as cursor, cursor.copy(order) as copy:
        copy.set_types(kinds)
        for row in rows:
            copy.write_row(row)


def column_kinds(link: Connection[Any], table: str, columns: Sequence[str]) -> list[str]:
    """PostgreSQL's names of the columns' types, in that order."""
    held = dict(
        link.execute(
            "SELECT a.attname, t.typname FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid"
            " WHERE a.attrelid = %s::regclass AND a.attnum > 0 AND NOT a.attisdropped",
            (table,),
        ).fetchall()
    )
    return [held[column] for column in columns]

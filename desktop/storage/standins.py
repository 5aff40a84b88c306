"""Stand-ins for rows that others speak of and that are lost: so a salvaged book opens and shows
what is left. Never for a row of the ledgers: a missing record stays missing.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

_ROUNDS = 6


def make(connection: Any, ledgers: Collection[str]) -> dict[str, int]:
    """Add them on a DB-API connection without foreign keys; returns how many per table."""
    made: dict[str, int] = {}
    for _ in range(_ROUNDS):
        missing = _missing(connection, ledgers)
        if not missing:
            break
        for table, column, value in sorted(missing):
            if _add(connection, table, column, value):
                made[table] = made.get(table, 0) + 1
    return made


def _missing(connection: Any, ledgers: Collection[str]) -> set[tuple[str, str, int]]:
    """Parent table, its column, the value that a row somewhere names and nobody has."""
    wanted: set[tuple[str, str, int]] = set()
    for table, row_id, parent, number in connection.execute("PRAGMA foreign_key_check").fetchall():
        if parent in ledgers:
            continue
        keys = connection.execute(f'PRAGMA foreign_key_list("{table}")').fetchall()
        _, _, _, source, target = next(one for one in keys if one[0] == number)[:5]
        named = connection.execute(
            f'SELECT "{source}" FROM "{table}" WHERE rowid = ?', (row_id,)
        ).fetchone()
        if named is not None and isinstance(named[0], int):
            wanted.add((parent, target or "id", named[0]))
    return wanted


def _add(connection: Any, table: str, column: str, value: int) -> bool:
    columns = connection.execute(f'PRAGMA table_info("{table}")').fetchall()
    parents = {
        one[3]: (one[2], one[4] or "id")
        for one in connection.execute(f'PRAGMA foreign_key_list("{table}")').fetchall()
    }
    values: dict[str, Any] = {}
    for _, name, kind, required, _, _ in columns:
        if name == column:
            values[name] = value
        elif not required:
            continue
        elif name in parents:
            parent, key = parents[name]
            found = connection.execute(f'SELECT min("{key}") FROM "{parent}"').fetchone()[0]
            values[name] = 1 if found is None else found
        else:
            values[name] = _plain(table, name, kind, value)
    names = ", ".join(f'"{name}"' for name in values)
    marks = ", ".join("?" for _ in values)
    done = connection.execute(
        f'INSERT OR IGNORE INTO "{table}" ({names}) VALUES ({marks})', tuple(values.values())
    )
    return bool(done.rowcount > 0)


def _plain(table: str, name: str, kind: str, value: int) -> Any:
    """The emptiest value of a column; names are told apart, documents are empty ones."""
    if kind.upper() == "INTEGER":
        return 0
    if kind.upper() == "BLOB":
        return b""
    if _is_document(table, name):
        return "{}"
    return f"抢救占位{value}" if name in ("name", "code") else ""


def _is_document(table: str, name: str) -> bool:
    from desktop.storage.tables import Base
    from desktop.storage.types import Json

    known = Base.metadata.tables.get(table)
    return known is not None and name in known.c and isinstance(known.c[name].type, Json)

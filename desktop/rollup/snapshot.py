"""Copies a book into a new encrypted file under another key, row by row, from one snapshot.

Row by row, because then nothing that stays at the site can remain in unused pages of the file, and
because the book may live on a server. The new file has the guards of every book.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from desktop.jobs import CancelToken, Progress, silent
from desktop.rollup import carried
from desktop.storage import guard, migrate
from desktop.storage.engine import connect, create_file
from desktop.storage.sealed import Sealer

_STEP = 20_000


def write_copy(
    session: Session,
    site: Sealer,
    file: Path,
    key: bytes,
    rollup: Sealer,
    *,
    personal: bool,
    progress: Progress = silent,
    cancel: CancelToken | None = None,
) -> None:
    """Make ``file`` (absent), encrypted by ``key``, of what ``session`` sees.

    Raises :class:`EnvironmentFault` for sealed data that is damaged and for a ledger nobody
    decided about, :class:`Cancelled`; the caller removes what is there then.
    """
    create_file(file, key)
    migrate.upgrade(file, key)
    connection = connect(file, key, setup=("synchronous=OFF", "temp_store=MEMORY"))
    try:
        columns = _tables(connection)
        for table in guard.LEDGER_TABLES:
            if table not in carried.CARRIED:
                raise carried.undecided(table)
        total, done = _rows(session), 0
        connection.execute("PRAGMA foreign_keys=OFF")
        connection.execute("BEGIN IMMEDIATE")
        _copy_facts(session, connection)
        for table in carried.CARRIED:
            names = columns[table]
            change = carried.recast(table, names, site, rollup, personal=personal)
            into = f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})"
            for rows in _chunks(session, table, names):
                if cancel is not None:
                    cancel.raise_if_set()
                connection.executemany(into, rows if change is None else change(rows))
                done += len(rows)
                progress(min(done, total), total, "准备汇总数据")
        broken = connection.execute("PRAGMA foreign_key_check").fetchall()
        assert not broken, f"the copy lost {broken[0][2]} of {broken[0][0]}"
        connection.execute("COMMIT")
        guard.check_triggers(connection)
        connection.execute("PRAGMA journal_mode=DELETE").fetchall()  # one file, whole in itself
    finally:
        connection.close()


def _tables(connection: Any) -> Mapping[str, list[str]]:
    """Columns of every table of the new file, in order."""
    names = [name for (name,) in connection.execute(
        "SELECT name FROM sqlite_schema WHERE type = 'table'"
    ).fetchall()]
    return {
        name: [row[1] for row in connection.execute(f"PRAGMA table_info({name})").fetchall()]
        for name in names
    }


def _rows(session: Session) -> int:
    """About how many rows there are: those of the one big table."""
    counted = session.connection().exec_driver_sql("SELECT count(*) FROM punch").scalar()
    return int(counted or 0)


def _copy_facts(session: Session, connection: Any) -> None:
    held = dict(_all(session, "SELECT name, value FROM book_info"))
    connection.executemany(
        "INSERT INTO book_info (name, value) VALUES (?, ?)",
        [(name, held[name]) for name in carried.BOOK_FACTS if name in held],
    )


def _chunks(
    session: Session, table: str, names: Sequence[str]
) -> Iterator[list[Sequence[Any]]]:
    """Raw stored values, as both engines hold them: numbers, texts, bytes."""
    quoted = ", ".join(f'"{name}"' for name in names)
    rows = session.connection().exec_driver_sql(
        f'SELECT {quoted} FROM "{table}"',
        execution_options={"stream_results": True, "max_row_buffer": _STEP},
    )
    for part in rows.partitions(_STEP):
        yield [tuple(row) for row in part]


def _all(session: Session, query: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in session.connection().exec_driver_sql(query)]

"""The tables of a file that came from outside must be, word for word, those its version makes.

A view or a trigger that somebody added would run inside our own queries; an older version is
brought up to ours in the copy, with the steps every book takes.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, event
from sqlalchemy.pool import NullPool
from sqlcipher3 import dbapi2 as cipher

from desktop.errors import Refused
from desktop.rollup.manifest import content_refused
from desktop.storage import migrate
from desktop.storage.engine import connect, create_file
from desktop.storage.migrations import VERSIONS

_LOOK = ("query_only=ON", "trusted_schema=OFF", "cell_size_check=ON")


def bring_up_to_date(file: Path, key: bytes, version: str) -> None:
    """Check ``file`` against ``version``, then migrate it to ours.

    Raises :class:`Refused` for a newer or a foreign form; ``cipher.Error`` when ``key`` does not
    open it or it is damaged.
    """
    if version not in VERSIONS:
        raise Refused(
            "rollup_newer",
            f"这份汇总由更新版本的程序导出（数据版本{version}，本程序只认识到{VERSIONS[-1]}），"
            "未导入任何内容。请先升级程序。",
        )
    if _schema(file, key) != _made(version):
        raise content_refused()
    if version != VERSIONS[-1]:
        migrate.upgrade(file, key)
        connection = connect(file, key, setup=())
        connection.execute("PRAGMA journal_mode=DELETE").fetchall()
        connection.close()


def _made(version: str) -> dict[str, tuple[Any, ...]]:
    with tempfile.TemporaryDirectory(prefix="sitemuster-") as folder:
        file, key = Path(folder) / "empty.db", bytes(32)
        build(file, key, version)
        return _schema(file, key)


def build(file: Path, key: bytes, version: str) -> None:
    """Make an empty ``file`` with the tables of an older version, guards of that version only."""
    create_file(file, key)
    engine = create_engine(
        "sqlite+pysqlite://", module=cipher, creator=lambda: connect(file, key),
        poolclass=NullPool,
    )
    event.listen(engine, "begin", lambda link: link.exec_driver_sql("BEGIN IMMEDIATE"))
    try:
        with engine.begin() as connection:
            migrate.run_steps(connection, to=version)
    finally:
        engine.dispose()


def _schema(file: Path, key: bytes) -> dict[str, tuple[Any, ...]]:
    connection = connect(file, key, setup=_LOOK, frozen=True)
    try:
        rows = connection.execute(
            "SELECT name, type, tbl_name, sql FROM sqlite_schema"
        ).fetchall()
        (known,) = connection.execute("SELECT group_concat(version_num) FROM alembic_version").fetchone()
    finally:
        connection.close()
    made = {name: (kind, table, _plain(sql)) for name, kind, table, sql in rows}
    return {**made, "": (known,)}


def _plain(sql: str | None) -> str:
    """Without quotes and line ends, which another version of a library may set otherwise."""
    return " ".join((sql or "").replace('"', "").split())

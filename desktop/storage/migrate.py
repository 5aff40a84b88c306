"""Brings a book's tables to the form this program works with; all or nothing.

The connection has no authorizer and no foreign-key enforcement (rebuilding a parent would delete
its children), so both are made up for before the commit: the ledgers' triggers must be there, and
``foreign_key_check`` must be empty. It does not decide when to run, nor makes the backup.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import Connection, create_engine, event
from sqlalchemy.pool import NullPool
from sqlcipher3 import dbapi2 as cipher

from desktop.errors import EnvironmentFault
from desktop.storage import guard
from desktop.storage.engine import SETUP, connect
from desktop.storage.migrations import VERSIONS

_SETUP = tuple("foreign_keys=OFF" if one.startswith("foreign_keys") else one for one in SETUP)
_STEPS = Path(__file__).parent / "migrations"


def schema_version(connection: Any) -> str | None:
    """Revision of an open DB-API connection, None for a database that holds no tables yet."""
    known = connection.execute(
        "SELECT count(*) FROM sqlite_schema WHERE name = 'alembic_version'"
    ).fetchone()
    if not known[0]:
        return None
    row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return None if row is None else str(row[0])


def upgrade(path: Path, key: bytes, *, steps: Path = _STEPS, to: str = VERSIONS[-1]) -> None:
    """Run the missing steps in one transaction; a failing one leaves the file as it was.

    Raises :class:`EnvironmentFault` ``migration_failed`` when the outcome does not hold together.
    """
    engine = create_engine(
        "sqlite+pysqlite://",
        module=cipher,
        creator=lambda: connect(path, key, setup=_SETUP),
        poolclass=NullPool,
        hide_parameters=True,
    )
    event.listen(engine, "begin", lambda link: link.exec_driver_sql("BEGIN IMMEDIATE"))
    try:
        with engine.begin() as connection:
            # A salvaged book has records whose segment is lost: found before, no fault of a step.
            before = set(connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall())
            run_steps(connection, steps=steps, to=to)
            driver = connection.connection.driver_connection
            if to not in VERSIONS[:-1]:  # an older form is made for a copy of older tables only
                guard.check_triggers(driver)
            after = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
            broken = [row for row in after if row not in before]
            if broken:
                raise EnvironmentFault(
                    "migration_failed",
                    "账本升级后核对不通过（有记录失去了所属的上级），升级已撤销，账本保持原样。请联系技术支持。",
                    tables=sorted({str(row[0]) for row in broken}),
                )
    finally:
        engine.dispose()


def run_steps(
    connection: Connection, *, steps: Path = _STEPS, to: str = VERSIONS[-1]
) -> None:
    """The missing steps inside the transaction of ``connection``, on either engine."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(steps).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, to)

"""What keeps the ledgers append-only inside the database (invariant 1).

Triggers refuse UPDATE and DELETE for every program that opens the file; an authorizer on our own
writer connection also refuses what no trigger sees: DROP, ALTER, and the pragmas that would
switch the guards off. Both are needed (storage-notes §5): DROP TABLE fires no trigger, a dropped
trigger opens the table, ``INSERT OR REPLACE`` passes without ``recursive_triggers``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from desktop.errors import EnvironmentFault
from desktop.storage import erasing

LEDGER_TABLES = (
    "segment",
    "audit_act",
    "punch",
    "punch_sighting",
    "punch_conflict",
    "punch_quarantine",
    "month_version",
    "month_row",
    "month_page",
    "leaver_slip",
    "board_version",
    "tombstone",
    "purge",
    "purge_step",
)
"""Rows of these tables are written once, but for what :mod:`desktop.storage.erasing` lets go. A
migration that adds one creates its triggers."""

_PRAGMAS = frozenset(
    {
        "foreign_key_check", "foreign_key_list", "index_info", "index_list", "index_xinfo",
        "integrity_check", "optimize", "quick_check", "table_info", "table_list", "table_xinfo",
        "wal_checkpoint",
    }
)
"""Pragmas that may carry an argument on the writer; every other one could weaken a guard."""


class Trigger(NamedTuple):
    """One trigger that must exist."""

    name: str
    table: str
    sql: str


def triggers(tables: Iterable[str]) -> Iterator[Trigger]:
    """The two triggers of each ledger table, for SQLite."""
    for table in tables:
        for act in ("UPDATE", "DELETE"):
            name = f"{table}_no_{act.lower()}"
            sql = (
                f"CREATE TRIGGER {name} BEFORE {act} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )
            yield Trigger(name, table, sql)


def guarding(tables: Iterable[str]) -> Iterator[Trigger]:
    """What stands at the newest version: the same, but for tables that may lose personal text."""
    for trigger in triggers(tables):
        erasable = trigger.table in erasing.ERASABLE and trigger.name.endswith("_no_update")
        yield trigger._replace(sql=erasing.update_trigger(trigger.table)) if erasable else trigger


def server_triggers(tables: Iterable[str]) -> Iterator[str]:
    """The same for PostgreSQL, where grants are the first guard and these the second."""
    yield (
        "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$"
    )
    for table in tables:
        yield (
            f"CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )


def check_triggers(connection: Any) -> None:
    """Compare the triggers of a DB-API connection with what must be there, word for word.

    Raises :class:`EnvironmentFault` ``guards_missing`` naming the tables left open.
    """
    held = dict(
        connection.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'").fetchall()
    )
    expected = list(guarding(LEDGER_TABLES))
    unguarded = sorted({one.table for one in expected if held.get(one.name) != one.sql})
    if unguarded:
        names = "、".join(unguarded)
        raise EnvironmentFault(
            "guards_missing",
            f"账本的防改保护不完整（{names}），可能被其他程序改动过。账本未打开，未做任何改动。"
            "请从备份恢复，并核对账本。",
            tables=unguarded,
        )


def authorizer(cipher: Any) -> Any:
    """The callback for ``set_authorizer`` of the writer; ``cipher`` is the DB-API module.

    Called when a statement is prepared, never per row.
    """
    deny: int = cipher.SQLITE_DENY
    ok: int = cipher.SQLITE_OK
    changes = {cipher.SQLITE_UPDATE, cipher.SQLITE_DELETE}
    ledgers = frozenset(LEDGER_TABLES)
    refused = {
        cipher.SQLITE_ALTER_TABLE,
        cipher.SQLITE_ATTACH,
        cipher.SQLITE_DETACH,
        cipher.SQLITE_CREATE_TEMP_TRIGGER,
        cipher.SQLITE_CREATE_TRIGGER,
        cipher.SQLITE_DROP_INDEX,
        cipher.SQLITE_DROP_TABLE,
        cipher.SQLITE_DROP_TRIGGER,
        cipher.SQLITE_DROP_VIEW,
        cipher.SQLITE_DROP_VTABLE,
    }

    def check(action: int, first: str | None, second: str | None, *_: str | None) -> int:
        if action in refused:
            return deny
        if action == cipher.SQLITE_UPDATE and second in erasing.ERASABLE.get(str(first), ()):
            return ok  # the trigger asks for the row's tombstone
        if action in changes and (first in ledgers or str(first).startswith("sqlite_schema")):
            return deny
        if action == cipher.SQLITE_PRAGMA and second is not None and first not in _PRAGMAS:
            return deny
        return ok

    return check

"""The one narrow way a chained row may lose personal text: who may change what, and into what.

A column named here may be emptied, once, after a tombstone for exactly that row was written: into
nothing, a fixed mark, or what the tombstone prescribes, never into another text. Every other column
of the row stays as it is. Triggers say so to every program that opens the file, the
authorizer (:mod:`desktop.storage.guard`) to ours. What a tombstone keeps, and how a verification
uses it, is in :mod:`desktop.storage.tombstones`; nothing here touches a database.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping
from types import MappingProxyType

MARK = "已清除"
"""What takes the place of an erased text, and how a number begins that stands for another."""
ERASED_DOCUMENT = '{"erased":true}'
"""The same for a JSON document, as it is stored."""


class Into(enum.Enum):
    """What an erased column becomes."""

    NOTHING = "NULL"
    MARK = MARK
    DOCUMENT = ERASED_DOCUMENT
    NUMBER = "replacement"
    """The tombstone's ``replacement``: :data:`MARK` and more, or the number as it was."""
    KEPT = "kept"
    """The tombstone's ``kept``: a digest, as unique as the record it stands for."""


ERASABLE: Mapping[str, Mapping[str, Into]] = MappingProxyType({
    "month_row": {"personal_sealed": Into.NOTHING, "salt": Into.NOTHING},
    "month_version": {"accepted_open": Into.MARK},
    "audit_act": {"why": Into.MARK},
    "board_version": {"content": Into.DOCUMENT},
    "punch": {"number": Into.NUMBER, "raw": Into.KEPT},
    "punch_conflict": {"raw": Into.KEPT},
    "punch_quarantine": {"number": Into.NUMBER, "raw": Into.KEPT},
})
"""Ledger table → column → what it becomes. Everything else in a ledger is never changed."""

_DIGEST = 32
"""Bytes of what stands for erased bytes."""

_FIXED: Mapping[str, tuple[str, ...]] = MappingProxyType({
    "month_row": ("id", "month_version_id", "sheet", "position", "person_id", "facts", "leaf"),
    "month_version": (
        "id", "project_id", "segment_id", "month", "version", "rule", "rule_version", "digest",
        "head", "findings", "frozen_by", "frozen_at",
    ),
    "audit_act": ("id", "project_id", "segment_id", "at", "actor", "act", "subject", "facts"),
    "board_version": (
        "id", "project_id", "segment_id", "version", "draft", "digest", "exported_by",
        "exported_at",
    ),
    "punch": (
        "id", "segment_id", "terminal_id", "epoch", "seq", "t_local", "day", "method_raw",
        "state_raw", "method_class", "accepted", "source_format", "received_at",
    ),
    "punch_conflict": ("id", "punch_id", "segment_id", "source_format"),
    "punch_quarantine": (
        "id", "segment_id", "terminal_id", "source_format", "reason", "time_text", "received_at",
    ),
})
"""The other columns. A migration that adds one to such a table makes its trigger anew."""


def update_trigger(table: str) -> str:
    """The SQLite trigger that stands in for the plain one of an :data:`ERASABLE` table.

    Names inside a trigger of the file mean the file's own tables: a temporary ``tombstone`` of
    somebody else changes nothing.
    """
    return (
        f"CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table} "
        f"WHEN NOT ({_allowed(table, 'IS')} AND EXISTS ("
        f"SELECT 1 FROM tombstone WHERE {_stone(table, 'IS')})) "
        f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
    )


def server_function(table: str) -> str:
    """Name of the PostgreSQL function behind the trigger of an :data:`ERASABLE` table."""
    return f"refuse_change_of_{table}"


def server_statements(table: str) -> Iterator[str]:
    """The same for PostgreSQL: the function, then the trigger bound to it instead of the plain one.

    The tombstone is looked for in the schema of the table itself, never along a search path: a
    temporary table comes first there.
    """
    same = "IS NOT DISTINCT FROM"
    values = ["OLD.id", *(f"NEW.{name}" for name in _prescribed(table))]
    row = _stone(table, same).replace("'", "''")
    for place, value in enumerate(values, 1):
        row = row.replace(value, f"${place}")
    yield (
        f"CREATE OR REPLACE FUNCTION {server_function(table)}() RETURNS trigger"
        " LANGUAGE plpgsql AS $$ DECLARE known boolean; BEGIN "
        f"IF TG_OP = 'UPDATE' THEN IF {_allowed(table, same)} THEN "
        f"EXECUTE format('SELECT EXISTS (SELECT 1 FROM %I.tombstone WHERE {row})',"
        f" TG_TABLE_SCHEMA) INTO known USING {', '.join(values)}; "
        "IF known THEN RETURN NEW; END IF; END IF; END IF; "
        "RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$"
    )
    yield f"DROP TRIGGER {table}_no_change ON {table}"
    yield (
        f"CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE ON {table} "
        f"FOR EACH ROW EXECUTE FUNCTION {server_function(table)}()"
    )


def _allowed(table: str, same: str) -> str:
    """Nothing but the named columns differs, and those say nothing any more."""
    parts = [f"NEW.{name} {same} OLD.{name}" for name in _FIXED[table]]
    for name, into in ERASABLE[table].items():
        if into is Into.NOTHING:
            parts.append(f"NEW.{name} IS NULL")
        elif into is Into.NUMBER:
            parts.append(
                f"(NEW.{name} {same} OLD.{name} OR substr(NEW.{name}, 1, {len(MARK)}) = '{MARK}')"
            )
        elif into is Into.KEPT:
            parts.append(f"length(NEW.{name}) = {_DIGEST}")
        else:
            parts.append(f"NEW.{name} {same} '{into.value}'")
    return " AND ".join(parts)


def _stone(table: str, same: str) -> str:
    """The tombstone of this very row, with the stand-ins it prescribes."""
    parts = [f"tombstone.subject = '{table}'", "tombstone.row_id = OLD.id"]
    parts += [
        f"NEW.{name} {same} tombstone.{ERASABLE[table][name].value}"
        for name in _prescribed(table)
    ]
    return " AND ".join(parts)


def _prescribed(table: str) -> list[str]:
    """Columns whose stand-in stands in the tombstone."""
    return [
        name for name, into in ERASABLE[table].items() if into in (Into.NUMBER, Into.KEPT)
    ]

"""A ledger row is never changed nor removed: triggers for everybody, the authorizer for us."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlcipher3 import dbapi2 as cipher

from desktop.access.actor import Act
from desktop.access.desk import Desk
from desktop.storage import guard
from tests.storage import stations
from tests.storage.rig import add_segment, add_terminal, database_key, foreign_hand

INSERT = (
    "INTO punch_quarantine (id, segment_id, terminal_id, source_format, reason, number, time_text,"
    " received_at, raw) VALUES (1, 1, 1, 1, 'future', 'x', '', 7, x'00')"
)


@pytest.fixture
def filled(desk: Desk) -> Desk:
    with desk.book.write() as session:
        add_terminal(session)
        add_segment(session, desk.clock, [("1", b"a"), ("2", b"b")])
        desk.audit(session, Act.TERMINAL_CHANGED, "terminal 1")
    return desk


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE punch_quarantine SET raw = x'00'",
        "UPDATE segment SET operator = 'x' WHERE id = 0",
        "DELETE FROM punch_quarantine",
        "DELETE FROM audit_act WHERE id = 1",
        f"INSERT OR REPLACE {INSERT}",
        f"REPLACE {INSERT}",
        f"INSERT {INSERT} ON CONFLICT DO UPDATE SET raw = x'00'",
        "DROP TABLE punch_quarantine",
        "DROP TRIGGER punch_quarantine_no_update",
        "DROP INDEX ix_audit_act_segment_id",
        "ALTER TABLE punch_quarantine RENAME TO other",
        "ALTER TABLE punch_quarantine DROP COLUMN raw",
        "ALTER TABLE punch_quarantine ADD COLUMN more TEXT",
        "CREATE TRIGGER more BEFORE INSERT ON punch BEGIN SELECT 1; END",
        "CREATE TEMP TRIGGER more BEFORE INSERT ON punch BEGIN SELECT 1; END",
        "PRAGMA writable_schema = ON",
        "PRAGMA main.writable_schema = ON",
        "PRAGMA recursive_triggers = OFF",
        "PRAGMA foreign_keys = OFF",
        "PRAGMA ignore_check_constraints = ON",
        "PRAGMA synchronous = OFF",
        "PRAGMA journal_mode = MEMORY",
        "PRAGMA key = 'x'",
        "PRAGMA rekey = 'x'",
        "PRAGMA cipher_memory_security = OFF",
        "ATTACH ':memory:' AS other",
        "UPDATE sqlite_schema SET sql = ''",
    ],
)
def test_our_own_writer_cannot(filled: Desk, statement: str) -> None:
    before = everything(filled)
    with pytest.raises(DBAPIError), filled.book.write() as session:
        session.execute(text(statement))
    assert everything(filled) == before


def everything(desk: Desk) -> list[object]:
    tables = ("punch_quarantine", "segment", "audit_act", "sqlite_schema")
    with desk.book.read() as session:
        return [session.execute(text(f"SELECT * FROM {name}")).fetchall() for name in tables]


def test_vacuum_and_reindex_harm_nothing(filled: Desk) -> None:
    before = everything(filled)[:3]
    with filled.book.write() as session:
        session.execute(text("REINDEX"))
    assert everything(filled)[:3] == before


@pytest.mark.parametrize("table", guard.LEDGER_TABLES)
@pytest.mark.parametrize("act", ["UPDATE {0} SET rowid = rowid", "DELETE FROM {0}"])
def test_the_triggers_stop_other_programs_too(filled: Desk, table: str, act: str) -> None:
    """Every ledger table has them; an empty table proves nothing, so a row is put there first."""
    with foreign_hand(filled.book.database_file, database_key(filled.book)) as hand:
        hand.execute("BEGIN")
        columns = hand.execute(f"PRAGMA table_info({table})").fetchall()
        values = ", ".join("x'00'" if column[2] == "BLOB" else "77" for column in columns)
        hand.execute(f"INSERT INTO {table} VALUES ({values})")
        with pytest.raises(cipher.IntegrityError, match="append-only"):
            hand.execute(act.format(table))


def test_reading_is_all_a_reader_can(filled: Desk) -> None:
    """And a try is a defect of ours, not the disk's fault."""
    with pytest.raises(DBAPIError, match="readonly"), filled.book.read() as session:
        session.execute(text("INSERT INTO book_info VALUES ('a', 'b')"))


def test_every_table_that_says_append_only_is_guarded() -> None:
    """The mapped classes' own words are the check on the list."""
    said = {
        mapper.local_table.name
        for mapper in stations.mappers()
        if "append-only" in (mapper.class_.__doc__ or "").lower()
        or "never changed" in (mapper.class_.__doc__ or "").lower()
    }
    assert said <= set(guard.LEDGER_TABLES)
    assert set(guard.LEDGER_TABLES) <= set(stations.METADATA.tables)


def test_the_server_gets_the_same_guards() -> None:
    statements = list(guard.server_triggers(guard.LEDGER_TABLES))
    assert len(statements) == 1 + len(guard.LEDGER_TABLES)
    assert all("BEFORE UPDATE OR DELETE ON" in one for one in statements[1:])

"""The one exception of the ledgers is narrow: tried through our connection and a foreign one.

A tombstone has to be there, only the named columns change, and into nothing but what it says. What
a foreign hand with the key forces all the same is found by the verification.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlcipher3 import dbapi2 as cipher

from desktop.access.desk import Desk
from desktop.bootstrap import leaf_readers
from desktop.retention.rules import RecordClass
from desktop.storage import chain, erasing, tombstones
from desktop.storage.tombstones import Erasure
from tests.retention.site_over import Site, purged
from tests.storage import stations
from tests.storage.rig import database_key, foreign_hand, forge

pytestmark = pytest.mark.file_only

TABLES = sorted(erasing.ERASABLE)
INTO = erasing.Into
STAND_INS = {
    INTO.NOTHING: "NULL", INTO.MARK: "'已清除'", INTO.DOCUMENT: "'{\"erased\":true}'",
    INTO.NUMBER: "'已清除9-1'", INTO.KEPT: f"x'{'4b' * 32}'",
}


def first_row(desk: Desk, table: str) -> int:
    """A row to try it on; conflicts do not occur by themselves, so one is put there."""
    if table == "punch_conflict":
        with foreign_hand(desk.book.database_file, database_key(desk.book)) as hand:
            hand.execute("INSERT INTO punch_conflict VALUES (1, 1, 1, 1, x'01')")
    with desk.book.read() as session:
        row = session.execute(text(f"SELECT min(id) FROM {table}")).scalar_one()
    assert row is not None, table
    return int(row)


def erased_columns(table: str) -> str:
    return ", ".join(
        f"{column} = {STAND_INS[into]}" for column, into in erasing.ERASABLE[table].items()
    )


def text_of(table: str) -> str:
    """The tombstone's replacement: the stand-in of a number, else a text nobody may put anywhere."""
    return "已清除9-1" if INTO.NUMBER in erasing.ERASABLE[table].values() else "伪造的理由"


def bury(desk: Desk, table: str, row: int) -> None:
    """A tombstone for the row, the way the program writes it."""
    with desk.book.write() as session:
        tombstones.record(
            session, desk.project_id, 1, [Erasure(table, row, b"K" * 32, b"", text_of(table))],
            at=desk.clock.now(), operator="试",
        )


def through_ours(desk: Desk, statement: str) -> None:
    with desk.book.write() as session:
        session.connection().exec_driver_sql(statement)


def through_foreign(desk: Desk, statement: str) -> None:
    with foreign_hand(desk.book.database_file, database_key(desk.book)) as hand:
        hand.execute(statement)


WAYS = pytest.mark.parametrize(
    "way", [through_ours, through_foreign], ids=["our connection", "another program"]
)


@WAYS
@pytest.mark.parametrize("table", TABLES)
def test_the_exception_is_narrow(working: Site, table: str, way: object) -> None:
    desk = working.desk
    row = first_row(desk, table)
    erase = f"UPDATE {table} SET {erased_columns(table)} WHERE id = {row}"
    run = through_ours if way is through_ours else through_foreign

    def refused(statement: str) -> None:
        with pytest.raises((DBAPIError, cipher.IntegrityError)):
            run(desk, statement)

    refused(erase)  # no tombstone at all
    bury(desk, table, row + 1_000_000)
    refused(erase)  # somebody else's
    other = TABLES[TABLES.index(table) - 1]
    bury(desk, other, row)
    refused(erase)  # another table's
    bury(desk, table, row)
    for column in _other_columns(table):
        refused(f"UPDATE {table} SET {erased_columns(table)}, {column} = 77 WHERE id = {row}")
        refused(f"UPDATE {table} SET {column} = {column} WHERE id = {row}")
    for column in erasing.ERASABLE[table]:
        refused(f"UPDATE {table} SET {column} = x'01' WHERE id = {row}")
        refused(f"UPDATE {table} SET {column} = '别的' WHERE id = {row}")
        refused(f"UPDATE {table} SET {column} = '伪造的理由' WHERE id = {row}")
    refused(f"DELETE FROM {table} WHERE id = {row}")
    if table in ("month_row", "audit_act", "punch"):
        refused(f"UPDATE {table} SET {erased_columns(table)}")  # the other rows have none
    run(desk, erase)
    run(desk, erase)  # again changes nothing
    for column in erasing.ERASABLE[table]:
        refused(f"UPDATE {table} SET {column} = 'zurück' WHERE id = {row}")


def _other_columns(table: str) -> Iterator[str]:
    for column in stations.METADATA.tables[table].columns:
        if column.name not in erasing.ERASABLE[table]:
            yield column.name


@WAYS
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE tombstone SET replacement = 'x'", "DELETE FROM tombstone",
        "UPDATE purge SET why = 'x'", "DELETE FROM purge_step", "UPDATE purge_step SET step = 'run'",
        "INSERT OR REPLACE INTO tombstone SELECT * FROM tombstone",
    ],
)
def test_tombstones_and_steps_are_written_once(site: Site, statement: str, way: object) -> None:
    desk = site.desk
    purged(site, RecordClass.ATTENDANCE)
    with pytest.raises((DBAPIError, cipher.IntegrityError, cipher.DatabaseError)):
        if way is through_ours:
            through_ours(desk, statement)
        else:
            with foreign_hand(desk.book.database_file, database_key(desk.book)) as hand:
                hand.execute("PRAGMA recursive_triggers = ON")
                hand.execute(statement)


def test_a_temporary_table_of_that_name_opens_nothing(working: Site) -> None:
    """SQLite looks inside a trigger of the file in the file alone."""
    desk = working.desk
    with foreign_hand(desk.book.database_file, database_key(desk.book)) as hand:
        hand.execute(
            "CREATE TEMP TABLE tombstone AS SELECT 'month_row' AS subject, id AS row_id,"
            " x'' AS kept, x'' AS rest, '' AS replacement FROM month_row"
        )
        with pytest.raises(cipher.IntegrityError, match="append-only"):
            hand.execute("UPDATE month_row SET personal_sealed = NULL, salt = NULL")


def test_the_columns_named_are_those_of_the_tables() -> None:
    """A column that is added to such a table must be said to stay or to go."""
    for table in TABLES:
        mapped = [column.name for column in stations.METADATA.tables[table].columns]
        trigger = erasing.update_trigger(table)
        assert set(re.findall(r"NEW\.(\w+)", trigger)) == set(mapped)
    

def flaws(desk: Desk) -> set[str]:
    with desk.book.read() as session:
        found = chain.verify(session, desk.project_id, leaf_readers(desk.book)).flaws
    return {flaw.code for flaw in found}


@pytest.mark.parametrize(
    "forgery",
    [
        # erased although nobody decided it
        "UPDATE month_row SET personal_sealed = NULL, salt = NULL WHERE person_id = 2",
        "UPDATE month_row SET personal_sealed = NULL WHERE person_id = 2",
        "UPDATE audit_act SET why = '已清除' WHERE id = (SELECT min(id) FROM audit_act)",
        # what an erasure left is changed afterwards
        "UPDATE month_row SET facts = replace(facts, '√', '×') WHERE person_id = 1",
        "UPDATE punch SET t_local = t_local + 60 WHERE number LIKE '已清除%'",
        "UPDATE punch SET number = '9' WHERE number LIKE '已清除%'",
        "UPDATE audit_act SET actor = '别人' WHERE why = '已清除'",
        "UPDATE board_version SET content = '{}'",
        "UPDATE explanation SET value_half_days = 0",
        "UPDATE month_version SET accepted_open = ''",
        "UPDATE punch_quarantine SET reason = 'future ' WHERE number LIKE '已清除%'",
        # the tombstones themselves
        "UPDATE tombstone SET kept = x'00' WHERE subject = 'month_row'",
        "UPDATE tombstone SET rest = x'00' WHERE subject = 'punch'",
        "DELETE FROM tombstone WHERE subject = 'month_row'",
        "INSERT INTO tombstone VALUES (999, 1, 1, 1, 'month_row', 2, x'00', x'', '')",
        "INSERT INTO tombstone VALUES (999, 1, 999, 1, 'month_row', 2, x'00', x'', '')",
        # the decision
        "UPDATE purge SET proposed_by = '别人'",
        "UPDATE purge SET number = number + 7",
        "UPDATE purge_step SET done_by_id = 9 WHERE step = 'approved'",
        "DELETE FROM purge_step WHERE step = 'approved'",
    ],
)
def test_what_a_foreign_hand_forces_is_found(erased: Site, forgery: str) -> None:
    desk = erased.desk
    assert flaws(desk) == set()
    forge(desk.book.database_file, database_key(desk.book), forgery)
    assert flaws(desk) - {"unknown_kind"}, forgery


def test_a_weaker_trigger_keeps_the_book_shut(working: Site) -> None:
    """The special triggers are compared word for word at every opening, like the plain ones."""
    from desktop.errors import EnvironmentFault
    from desktop.storage.book import open_book
    from tests.conftest import PASSPHRASE

    desk = working.desk
    key = database_key(desk.book)
    desk.book.close()
    with foreign_hand(desk.book.database_file, key) as hand:
        hand.execute("DROP TRIGGER month_row_no_update")
        weaker = erasing.update_trigger("month_row").replace("NEW.facts IS OLD.facts AND ", "")
        hand.execute(weaker)
    with pytest.raises(EnvironmentFault) as fault:
        open_book(desk.book.path, working.clock, passphrase=PASSPHRASE)
    assert fault.value.code == "guards_missing" and fault.value.facts["tables"] == ["month_row"]

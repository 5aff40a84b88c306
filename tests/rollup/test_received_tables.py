"""The tables of a received file: nothing foreign in them, and older ones are brought up to date."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlcipher3 import dbapi2 as cipher

from desktop.errors import Refused
from desktop.rollup.schema_check import bring_up_to_date, build
from desktop.storage import migrate
from desktop.storage.engine import connect
from desktop.storage.migrations import VERSIONS

KEY = bytes(range(32))


def made(folder: Path, version: str, *more: str) -> Path:
    """A file as an exporting program of that version leaves it."""
    file = folder / "book.db"
    build(file, KEY, version)
    connection = connect(file, KEY, setup=())
    for statement in (*more, "PRAGMA journal_mode=DELETE"):
        connection.execute(statement).fetchall()
    connection.close()
    return file


@pytest.mark.parametrize("version", VERSIONS)
def test_every_released_version_is_taken_in(tmp_path: Path, version: str) -> None:
    file = made(tmp_path, version)
    bring_up_to_date(file, KEY, version)
    connection = connect(file, KEY, setup=(), frozen=True)
    assert migrate.schema_version(connection) == VERSIONS[-1]
    connection.close()
    assert [path.name for path in tmp_path.iterdir()] == ["book.db"]


@pytest.mark.parametrize("more", [
    "CREATE VIEW person_view AS SELECT * FROM person",
    "CREATE TRIGGER mine AFTER INSERT ON stay BEGIN DELETE FROM stay; END",
    "CREATE TABLE more (id INTEGER PRIMARY KEY)",
    "CREATE INDEX more ON stay (state)",
    "ALTER TABLE stay ADD COLUMN more TEXT",
    "DROP TRIGGER punch_no_update",
    "UPDATE alembic_version SET version_num = '0001'",
    "INSERT INTO alembic_version VALUES ('0001')",
])
def test_anything_foreign_is_refused(tmp_path: Path, more: str) -> None:
    file = made(tmp_path, VERSIONS[-1], more)
    with pytest.raises(Refused) as refusal:
        bring_up_to_date(file, KEY, VERSIONS[-1])
    assert refusal.value.code == "rollup_content"


def test_a_newer_version_and_a_wrong_key(tmp_path: Path) -> None:
    file = made(tmp_path, VERSIONS[-1])
    with pytest.raises(Refused, match="升级程序"):
        bring_up_to_date(file, KEY, "9999")
    with pytest.raises(cipher.DatabaseError):
        bring_up_to_date(file, bytes(32), VERSIONS[-1])

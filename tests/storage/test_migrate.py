"""Tables come from numbered steps; a step that fails leaves nothing behind."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool
from sqlcipher3 import dbapi2 as cipher

from desktop.clock import FixedClock
from desktop.errors import EnvironmentFault
from desktop.storage import migrate, opening
from desktop.storage.book import open_book
from desktop.storage.engine import connect, create_file
from desktop.storage.integrity import DATABASE_KEY
from desktop.storage.migrations import VERSIONS
from tests.conftest import NOW, PASSPHRASE
from tests.storage import stations
from tests.storage.rig import foreign_hand, snapshot

KEY = bytes(range(32))
CLOCK = FixedClock(NOW)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A database at the newest version."""
    path = tmp_path / "book.db"
    create_file(path, KEY)
    migrate.upgrade(path, KEY)
    return path


def schema(connection: Any) -> dict[str, str]:
    rows = connection.execute(
        "SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL AND type <> 'trigger'"
        " AND name NOT LIKE 'alembic%'"
    )
    return {name: " ".join(sql.replace('"', "").split()) for name, sql in rows.fetchall()}


def test_the_steps_make_what_the_stations_map(file: Path) -> None:
    """Compared twice: by Alembic, and word for word with what the mapped classes would make."""
    engine = create_engine(
        "sqlite+pysqlite://", module=cipher, creator=lambda: connect(file, KEY), poolclass=NullPool
    )
    with engine.connect() as connection:
        context = MigrationContext.configure(connection)
        assert compare_metadata(context, stations.METADATA) == []
        held = schema(connection.connection.driver_connection)
    mapped = create_engine(
        "sqlite+pysqlite://", module=cipher, creator=lambda: cipher.connect(":memory:"),
        poolclass=NullPool,
    )
    with mapped.connect() as connection:
        stations.METADATA.create_all(connection)
        wanted = schema(connection.connection.driver_connection)
    assert held == wanted
    assert all(sql.endswith("STRICT") for name, sql in held.items() if sql.startswith("CREATE TABLE"))


def test_the_list_of_versions_is_the_list_of_steps() -> None:
    steps = ScriptDirectory(str(migrate._STEPS)).walk_revisions()
    assert tuple(reversed([step.revision for step in steps])) == VERSIONS


def steps_with(tmp_path: Path, body: str) -> Path:
    """The released steps and one more, numbered 9001."""
    folder = tmp_path / "步骤 100%"
    shutil.copytree(migrate._STEPS, folder, ignore=shutil.ignore_patterns("__pycache__"))
    lines = "\n".join(f"    {line}" for line in body.splitlines())
    (folder / "versions" / "9001_more.py").write_text(
        "import sqlalchemy as sa\nfrom alembic import op\n"
        f"revision = '9001'\ndown_revision = '{VERSIONS[-1]}'\n\ndef upgrade():\n{lines}\n",
        encoding="utf-8",
    )
    return folder


def state(path: Path) -> list[Any]:
    connection = connect(path, KEY)
    try:
        return [
            migrate.schema_version(connection),
            connection.execute("SELECT * FROM sqlite_schema").fetchall(),
            connection.execute("SELECT * FROM book_info").fetchall(),
        ]
    finally:
        connection.close()


def test_a_step_runs_and_is_not_run_again(file: Path, tmp_path: Path) -> None:
    steps = steps_with(tmp_path, "op.add_column('person', sa.Column('nickname', sa.Text()))")
    migrate.upgrade(file, KEY, steps=steps, to="9001")
    migrate.upgrade(file, KEY, steps=steps, to="9001")
    assert state(file)[0] == "9001"


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ("op.add_column('person', sa.Column('nickname', sa.Text()))\nraise RuntimeError('half')", RuntimeError),
        ("op.execute(\"INSERT INTO book_info VALUES ('a','b')\")\nop.execute('nonsense')", Exception),
        ("op.execute('DROP TRIGGER punch_no_delete')", EnvironmentFault),
        (
            "with op.batch_alter_table('segment', recreate='always') as batch:\n"
            "    batch.add_column(sa.Column('more', sa.Text()))",
            EnvironmentFault,
        ),
        (
            "op.execute(\"INSERT INTO team (project_id, company_id, number, name, leader)"
            " VALUES (99, 99, 1, 'x', '')\")",
            EnvironmentFault,
        ),
    ],
    ids=["raises", "bad statement", "drops a guard", "rebuilds a ledger", "orphans a row"],
)  # fmt: skip
def test_a_step_that_fails_leaves_nothing(
    file: Path, tmp_path: Path, body: str, fault: type[Exception]
) -> None:
    before = state(file)
    with pytest.raises(fault):
        migrate.upgrade(file, KEY, steps=steps_with(tmp_path, body), to="9001")
    assert state(file) == before


@pytest.fixture
def older(tmp_path: Path, site_template: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A book one step behind the program: the program is given one more step."""
    folder = Path(shutil.copytree(site_template, tmp_path / "book"))
    steps = steps_with(tmp_path, "op.add_column('person', sa.Column('nickname', sa.Text()))")
    monkeypatch.setattr(opening, "VERSIONS", (*VERSIONS, "9001"))
    upgrade = migrate.upgrade
    monkeypatch.setattr(
        migrate, "upgrade", lambda path, key: upgrade(path, key, steps=steps, to="9001")
    )
    return folder


def test_an_older_book_is_backed_up_then_brought_up_to_date(older: Path) -> None:
    with open_book(older, CLOCK, passphrase=PASSPHRASE) as book:
        key = book.subkey(DATABASE_KEY)
    with foreign_hand(older / "book.db", key) as hand:
        assert migrate.schema_version(hand) == "9001"
    (copy,) = (older / "backups").iterdir()
    assert copy.name == f"20261124T080000Z-migration-{VERSIONS[-1]}"
    with foreign_hand(copy / "book.db", key) as hand:
        assert migrate.schema_version(hand) == VERSIONS[-1]
    open_book(older, CLOCK, passphrase=PASSPHRASE).close()
    assert len(list((older / "backups").iterdir())) == 1


def test_without_a_verified_backup_nothing_is_migrated(older: Path) -> None:
    (older / "backups").rmdir()
    (older / "backups").write_text("in the way")
    before = snapshot(older)
    with pytest.raises(EnvironmentFault):
        open_book(older, CLOCK, passphrase=PASSPHRASE)
    assert {name: body for name, (_, body) in snapshot(older).items()} == {
        name: body for name, (_, body) in before.items()
    }

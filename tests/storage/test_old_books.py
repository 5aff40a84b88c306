"""A book of every release so far: it opens, is backed up before it changes, and still verifies."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from desktop.bootstrap import open_office
from desktop.clock import SystemClock
from desktop.errors import SiteMusterError
from desktop.months.queries import latest_version
from desktop.people.tables import Person
from desktop.storage import migrate, unlock
from desktop.storage.card import BACKUPS, DATABASE_FILE, BookCard
from desktop.storage.chain import Checkpoint
from desktop.storage.engine import connect
from desktop.storage.integrity import DATABASE_KEY
from desktop.storage.migrations import VERSIONS
from tests import old_books

RELEASES = sorted(path.stem for path in old_books.FOLDER.glob("*.json"))


@dataclass
class OldBook:
    """A folder as that release left it, its key and what must be found in it."""

    folder: Path
    expected: dict[str, Any]
    key: bytes

    @property
    def head(self) -> Checkpoint:
        return Checkpoint(self.expected["segments"], bytes.fromhex(self.expected["head"]))

    def dump(self, folder: Path | None = None) -> list[Any]:
        """Schema and every row of every table, as stored."""
        connection = connect(
            (folder or self.folder) / DATABASE_FILE, self.key, setup=("query_only=ON",), frozen=True
        )
        try:
            schema = connection.execute(
                "SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY name"
            ).fetchall()
            tables = [name for kind, name, *_ in schema if kind == "table"]
            rows = {name: connection.execute(f"SELECT * FROM {name}").fetchall() for name in tables}
        finally:
            connection.close()
        return [schema, rows]


@pytest.fixture(params=RELEASES)
def old(request: pytest.FixtureRequest, tmp_path: Path) -> OldBook:
    """The demo book of one release, unpacked."""
    folder = tmp_path / "旧账本"
    old_books.unpack(request.param, folder)
    expected = json.loads((old_books.FOLDER / f"{request.param}.json").read_text(encoding="utf-8"))
    key = unlock.data_key(folder, BookCard.read(folder), passphrase=None, recovery_code=None)
    return OldBook(folder, expected, key.subkey(DATABASE_KEY))


def test_it_opens_is_backed_up_first_and_verifies(old: OldBook) -> None:
    before = old.dump()
    with open_office(old.folder).book as book:
        book.close()
    office = open_office(old.folder)
    try:
        verdict = office.verify_ledger(checkpoints=[old.head])
        assert verdict.ok, verdict.flaws
        assert verdict.punches == old.expected["punches"]
        assert verdict.segments >= old.expected["segments"]
        with office.book.read() as session:
            assert session.query(Person).count() == old.expected["people"]
            assert latest_version(session, office.project_id, old.expected["month"]) is not None
    finally:
        office.close()
    connection = connect(old.folder / DATABASE_FILE, old.key, setup=())
    assert migrate.schema_version(connection) == VERSIONS[-1]
    connection.close()
    (copy,) = (old.folder / BACKUPS).glob(f"*-migration-{old.expected['schema']}")
    assert old.dump(copy) == before, "the backup is the old book, row by row"


STEP = '''
revision = "9001"
down_revision = "{last}"


def upgrade():
    from alembic import op

    op.execute("CREATE TABLE half_way (id INTEGER PRIMARY KEY) STRICT")
    op.execute("INSERT INTO book_info VALUES ('half', 'way')")
    op.execute("UPDATE person SET name = 'x'")
    raise RuntimeError("half-way")
'''


def test_a_step_that_fails_half_way_leaves_the_old_book(
    old: OldBook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All released steps have run by then, and the last one has changed every person."""
    steps = tmp_path / "steps"
    shutil.copytree(migrate._STEPS, steps, ignore=shutil.ignore_patterns("__pycache__"))
    (steps / "versions" / "9001_fails.py").write_text(STEP.format(last=VERSIONS[-1]))
    before, content = old.dump(), (old.folder / DATABASE_FILE).read_bytes()
    upgrade = migrate.upgrade

    def further(path: Path, key: bytes, **_: Any) -> None:
        upgrade(path, key, steps=steps, to="9001")

    with monkeypatch.context() as patch:
        patch.setattr(migrate, "upgrade", further)
        with pytest.raises((RuntimeError, SiteMusterError)):
            open_office(old.folder)
    assert old.dump() == before
    assert (old.folder / DATABASE_FILE).read_bytes() == content, "not one byte"
    assert not (old.folder / f"{DATABASE_FILE}-wal").exists()
    office = open_office(old.folder)
    try:
        assert office.verify_ledger(checkpoints=[old.head]).ok
    finally:
        office.close()


def test_a_program_of_another_day_says_which_version_it_needs(old: OldBook) -> None:
    connection = connect(old.folder / DATABASE_FILE, old.key, setup=())
    connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    content = (old.folder / DATABASE_FILE).read_bytes()
    with pytest.raises(SiteMusterError, match="升级程序") as refusal:
        open_office(old.folder, clock=SystemClock())
    assert refusal.value.code == "book_newer"
    assert (old.folder / DATABASE_FILE).read_bytes() == content

"""The attacker's list: each attempt is refused, or ``ledger verify`` names it.

Through our connection everything that could change a ledger is refused. Another program that has
the key can do it all; then the ledger says so. Only a chain that is recomputed as a whole is
whole, and shows against what was kept elsewhere. Permissions by role: tests/access.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from desktop.access.actor import Act
from desktop.access.desk import Desk
from desktop.bootstrap import leaf_readers
from desktop.cli.main import run
from desktop.errors import SiteMusterError
from desktop.months import rules
from desktop.months.tables import MonthRow
from desktop.storage import chain
from desktop.storage.chain import Checkpoint
from desktop.storage.guard import LEDGER_TABLES
from desktop.storage.merkle import Tree
from desktop.storage.sealed import Sealer
from tests.conftest import PASSPHRASE
from tests.faults.conftest import Rich, verdict_of
from tests.retention.site_over import ADMINISTRATOR, PASSWORD
from tests.storage.rig import foreign_hand

pytestmark = pytest.mark.file_only

Copies = Callable[[], Rich]


def test_every_ledger_has_rows_to_attack(rich: Rich) -> None:
    with foreign_hand(rich.file, rich.key) as hand:
        empty = [t for t in LEDGER_TABLES if not hand.execute(f"SELECT 1 FROM {t}").fetchone()]
    assert empty == []


# ── through our own connection ──────────────────────────────────────────────────────────────────

GUARDS = (
    "PRAGMA writable_schema=ON", "PRAGMA recursive_triggers=OFF", "PRAGMA foreign_keys=OFF",
    "PRAGMA trusted_schema=ON", "PRAGMA journal_mode=OFF", "PRAGMA synchronous=OFF",
    "PRAGMA key='x'", "PRAGMA rekey='x'", "PRAGMA ignore_check_constraints=ON",
    "ATTACH DATABASE ':memory:' AS other",
    "DELETE FROM sqlite_schema", "UPDATE sqlite_schema SET sql = ''",
)


def attempts(table: str, columns: list[str]) -> Iterator[str]:
    """Statements against one ledger table."""
    for column in columns:
        yield f"UPDATE {table} SET {column} = {column}"
        yield f"UPDATE {table} SET {column} = NULL"
    listed = ", ".join(columns)
    yield f"UPDATE OR REPLACE {table} SET id = (SELECT min(id) FROM {table})"
    yield f"DELETE FROM {table}"
    yield f"DELETE FROM {table} WHERE id = (SELECT max(id) FROM {table})"
    yield f"REPLACE INTO {table} ({listed}) SELECT {listed} FROM {table}"
    yield f"INSERT OR REPLACE INTO {table} ({listed}) SELECT {listed} FROM {table} LIMIT 1"
    upsert = f"ON CONFLICT DO UPDATE SET {columns[-1]} = excluded.{columns[-1]}"
    yield f"INSERT INTO {table} ({listed}) SELECT {listed} FROM {table} WHERE true {upsert}"
    yield f"DROP TABLE {table}"
    yield f"ALTER TABLE {table} RENAME TO other"
    yield f"ALTER TABLE {table} DROP COLUMN {columns[-1]}"
    yield f"ALTER TABLE {table} ADD COLUMN more TEXT"
    yield f"DROP TRIGGER {table}_no_update"
    yield f"DROP TRIGGER {table}_no_delete"
    yield f"CREATE TRIGGER mine BEFORE DELETE ON {table} BEGIN SELECT RAISE(IGNORE); END"
    yield f"CREATE TEMP TRIGGER mine BEFORE DELETE ON {table} BEGIN SELECT RAISE(IGNORE); END"


@pytest.mark.parametrize("table", LEDGER_TABLES)
def test_our_connection_refuses_to_change_a_ledger(rich: Rich, table: str) -> None:
    with rich.open() as book:
        with book.read() as session:
            columns = [row[1] for row in session.execute(text(f"PRAGMA table_info({table})"))]
            before = session.execute(text(f"SELECT * FROM {table}")).fetchall()
        assert before and columns[0] == "id"
        for statement in [*attempts(table, columns), *GUARDS]:
            with pytest.raises((DBAPIError, SiteMusterError)), book.write() as session:
                session.connection().exec_driver_sql(statement)
                raise AssertionError(f"let through: {statement}")
        with book.read() as session:
            assert session.execute(text(f"SELECT * FROM {table}")).fetchall() == before
    assert rich.verify(rich.head).ok


# ── through another program with the key ────────────────────────────────────────────────────────

NOT_COMMITTED = {
    # Rows are told by segment and place; a number of a row alone says nothing.
    (table, "id") for table in LEDGER_TABLES
}


def changed(value: Any) -> Any:
    """Another value of the same type."""
    if value is None:
        return 1
    if isinstance(value, int):
        return value + 1000
    if isinstance(value, bytes):
        return bytes([value[0] ^ 1]) + value[1:] if value else b"x"
    try:
        document = json.loads(value)
    except ValueError:
        document = None
    if isinstance(document, dict | list):
        return json.dumps([document, "more"], ensure_ascii=False, separators=(",", ":"))
    return f"{value}改"


@pytest.mark.parametrize("table", LEDGER_TABLES)
def test_any_changed_value_is_found(rich: Rich, table: str) -> None:
    """Every column of every ledger, one after the other, changed and set back."""
    unfound = []
    with rich.open() as book, foreign_hand(rich.file, rich.key) as hand:
        triggers = hand.execute(
            "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'"
        ).fetchall()
        columns = [row[1] for row in hand.execute(f"PRAGMA table_info({table})")]
        # The newest row with as few empty values as possible.
        empties = " + ".join(f"({name} IS NULL)" for name in columns)
        row = hand.execute(f"SELECT * FROM {table} ORDER BY {empties}, id DESC LIMIT 1").fetchone()
        for name, value in zip(columns, row, strict=True):
            if (table, name) in NOT_COMMITTED:
                continue
            set_value(hand, triggers, table, name, row[0], changed(value))
            verdict = verdict_of(book)
            set_value(hand, triggers, table, name, row[0], value)
            if verdict.ok:
                unfound.append(name)
            else:
                assert verdict.first_bad and verdict.first_bad.endswith("。"), (name, verdict)
    assert rich.verify(rich.head).ok, "set back"
    assert unfound == []


def set_value(
    hand: Any, triggers: list[tuple[str, str]], table: str, name: str, ident: int, value: Any
) -> None:
    """One value with the guards out of the way; they stand again afterwards."""
    hand.execute("PRAGMA foreign_keys=OFF")
    for trigger, _ in triggers:
        hand.execute(f"DROP TRIGGER {trigger}")
    try:
        hand.execute(f"UPDATE {table} SET {name} = ? WHERE id = ?", (value, ident))
    finally:
        for _, sql in triggers:
            hand.execute(sql)


@pytest.mark.parametrize("table", LEDGER_TABLES)
def test_removed_added_and_swapped_rows_are_found(rich_copies: Copies, table: str) -> None:
    rich = rich_copies()
    with foreign_hand(rich.file, rich.key) as hand:
        deeds = {
            "first removed": [(f"DELETE FROM {table} WHERE id = (SELECT min(id) FROM {table})", ())],
            "last removed": [(f"DELETE FROM {table} WHERE id = (SELECT max(id) FROM {table})", ())],
            "added": [addition(hand, table)],
        }
        if pair := two_of_one_segment(hand, table):
            one, other = pair
            move = f"UPDATE {table} SET id = ? WHERE id = ?"
            deeds["swapped"] = [(move, (-1, one)), (move, (one, other)), (move, (other, -1))]
    for name, statements in deeds.items():
        if (table, name) == ("segment", "last removed"):
            continue  # with its rows left behind this is found too, see below
        rich = rich_copies()
        with unguarded(rich) as hand:
            for statement, values in statements:
                hand.execute(statement, values)
        verdict = rich.verify()
        assert not verdict.ok and verdict.first_bad, (table, name)


@contextmanager
def unguarded(rich: Rich) -> Iterator[Any]:
    """The foreign hand with the triggers out of the way, and put back afterwards."""
    with foreign_hand(rich.file, rich.key) as hand:
        hand.execute("PRAGMA foreign_keys=OFF")
        triggers = hand.execute(
            "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'"
        ).fetchall()
        for name, _ in triggers:
            hand.execute(f"DROP TRIGGER {name}")
        yield hand
        for _, sql in triggers:
            hand.execute(sql)


def addition(hand: Any, table: str) -> tuple[str, list[Any]]:
    """One more row like the last one, different enough for the unique indexes."""
    columns = [row[1] for row in hand.execute(f"PRAGMA table_info({table})")]
    row = dict(zip(
        columns, hand.execute(f"SELECT * FROM {table} ORDER BY id DESC LIMIT 1").fetchone(), strict=True
    ))
    for index in hand.execute(f"PRAGMA index_list({table})").fetchall():
        if index[2]:  # unique
            name = hand.execute(f"PRAGMA index_info({index[1]})").fetchall()[-1][2]
            row[name] = changed(row[name])
    row["id"] += 900_000
    marks = ", ".join("?" * len(columns))
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", list(row.values())


def two_of_one_segment(hand: Any, table: str) -> tuple[int, int] | None:
    """Ids of two rows whose order their segment commits to."""
    columns = [row[1] for row in hand.execute(f"PRAGMA table_info({table})")]
    if "segment_id" not in columns:
        return None
    found = hand.execute(
        f"SELECT min(id), max(id) FROM {table} GROUP BY segment_id HAVING count(*) > 1"
    ).fetchone()
    return None if found is None else (int(found[0]), int(found[1]))


def test_rows_of_a_sheet_swapped(rich: Rich) -> None:
    with unguarded(rich) as hand:
        (one, facts_1), (other, facts_2) = hand.execute(
            "SELECT id, facts FROM month_row ORDER BY sheet, position LIMIT 2"
        ).fetchall()
        for ident, facts in ((one, facts_2), (other, facts_1)):
            hand.execute("UPDATE month_row SET facts = ? WHERE id = ?", (facts, ident))
    verdict = rich.verify()
    assert not verdict.ok and "月度冻结" in str(verdict.first_bad)


def test_whole_segments_removed(rich_copies: Copies) -> None:
    """With their rows; in the middle it shows at once, at the end only against a kept head."""
    for place, shows_alone in (("4", True), ("(SELECT max(sequence) FROM segment)", False)):
        rich = rich_copies()
        with unguarded(rich) as hand:
            (ident, sequence) = hand.execute(
                f"SELECT id, sequence FROM segment WHERE sequence = {place}"
            ).fetchone()
            for table in LEDGER_TABLES:
                names = [row[1] for row in hand.execute(f"PRAGMA table_info({table})")]
                if "segment_id" in names:
                    hand.execute(f"DELETE FROM {table} WHERE segment_id = ?", (ident,))
            hand.execute("DELETE FROM segment WHERE id = ?", (ident,))
        assert rich.verify().ok is not shows_alone
        against = rich.verify(rich.head)
        assert not against.ok and f"缺少第{sequence}段" in str(against.first_bad)


def test_an_audit_row_removed(rich: Rich) -> None:
    with unguarded(rich) as hand:
        hand.execute("DELETE FROM audit_act WHERE act = 'month.frozen'")
    sentence = str(rich.verify().first_bad)
    assert "操作记录" in sentence and "被删除" in sentence


def test_facts_of_the_book_changed(rich_copies: Copies) -> None:
    for name, value in (("created_at", "2020-01-01T00:00:00+00:00"), ("demo", "1")):
        rich = rich_copies()
        with foreign_hand(rich.file, rich.key) as hand:
            hand.execute("INSERT OR REPLACE INTO book_info VALUES (?, ?)", (name, value))
        assert not rich.verify().ok, name


# ── the whole chain recomputed ──────────────────────────────────────────────────────────────────


def recompute(rich: Rich) -> None:
    """What the holder of the key does: every root, link and hash anew over what is there now."""
    with rich.open() as book, book.read() as session:
        trees: dict[int, Tree] = {}
        for reader in leaf_readers(book).values():
            for segment_id, leaf in reader(session, 1):
                list(trees.setdefault(segment_id, Tree()).extend([leaf]))
        links = chain._links(session, 1)
        book_id = book.book_id
    previous = chain.GENESIS
    with unguarded(rich) as hand:
        for link in links:
            tree = trees.get(link.id, Tree())
            fresh = replace(link, root=tree.root(), count=tree.count, previous_hash=previous)
            previous = chain._hash(fresh, book_id)
            hand.execute(
                "UPDATE segment SET root = ?, count = ?, previous_hash = ?, hash = ? WHERE id = ?",
                (fresh.root, fresh.count, fresh.previous_hash, previous, link.id),
            )


def test_a_recomputed_chain_is_whole_and_differs_from_every_head_kept(
    rich: Rich, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest = tmp_path / "manifest.json"
    manifest.write_text(json.dumps({"heads": [
        {"project": 1, "sequence": rich.head.sequence, "hash": rich.head.hash.hex()}
    ]}))
    with unguarded(rich) as hand:
        hand.execute("UPDATE punch SET t_local = t_local - 3600 WHERE id = 3")
    assert not rich.verify().ok
    recompute(rich)
    assert rich.verify().ok, "the chain alone cannot tell"
    verdict = rich.verify(rich.head)
    assert not verdict.ok and "整条账本被重写过" in str(verdict.first_bad)
    # The same by the command line, with what was written down and with a backup's manifest.
    secret, password = tmp_path / "secret", tmp_path / "password"
    secret.write_text(PASSPHRASE, encoding="utf-8")
    password.write_text(PASSWORD, encoding="utf-8")
    line = [
        "--data-dir", str(rich.folder), "--passphrase-file", str(secret), "--user",
        ADMINISTRATOR.name, "--password-file", str(password), "ledger", "verify",
    ]
    assert run(line) == 0
    kept = f"{rich.head.sequence}:{rich.head.hash.hex()}"
    for proof in (("--checkpoint", kept), ("--against", str(manifest))):
        capsys.readouterr()
        assert run([*line, *proof]) == 1
        assert "整条账本被重写过" in capsys.readouterr().err, proof
    for wrong in (("--checkpoint", "12"), ("--against", str(secret)), ("--page", "SM1:X")):
        assert run([*line, *wrong]) == 1
        assert "没有核对" in capsys.readouterr().err


def test_a_page_on_the_wall_outlives_a_rewritten_month(rich: Rich) -> None:
    """Facts of a frozen row changed, its leaf and the chain made to fit: the printed code does not."""
    with foreign_hand(rich.file, rich.key) as hand:
        (code,) = hand.execute("SELECT code FROM month_page WHERE code <> '' LIMIT 1").fetchone()
    assert rich.verify(pages=(code,)).ok
    with unguarded(rich) as hand:
        for ident, facts, stored in hand.execute(
            "SELECT id, facts, leaf FROM month_row WHERE salt IS NOT NULL"
        ).fetchall():
            lie = facts.replace("√", "○")
            assert lie != facts
            leaf = hashlib.sha256(stored).digest()  # any: the forger has the salt and fits it
            hand.execute("UPDATE month_row SET facts = ?, leaf = ? WHERE id = ?", (lie, leaf, ident))
    with rich.open() as book, book.read() as session:
        fitting = dict(true_leaves(session, book.sealer))
    with unguarded(rich) as hand:
        for ident, leaf in fitting.items():
            hand.execute("UPDATE month_row SET leaf = ? WHERE id = ?", (leaf, ident))
    recompute(rich)
    assert rich.verify().ok, "the chain alone cannot tell"
    verdict = rich.verify(pages=(code,))
    assert not verdict.ok and "印出的页" in str(verdict.first_bad)


def true_leaves(session: Session, sealer: Sealer) -> Iterator[tuple[int, bytes]]:
    """Leaf of each frozen row over its present facts."""
    for row in session.scalars(select(MonthRow).where(MonthRow.salt.is_not(None))):
        assert row.personal_sealed is not None and row.salt is not None
        fields = sealer.open(row.personal_sealed).encode()
        yield row.id, rules.row_leaf(row.facts, rules.personal_commitment(row.salt, fields))


def test_an_older_state_put_in_place_of_the_book(
    rich_template: Rich, rich: Rich, tmp_path: Path
) -> None:
    """A backup or a copied folder is whole in itself; its head is older than the one kept."""
    with rich.open() as book:
        desk = Desk(book, 1, ADMINISTRATOR)
        with book.write() as session:
            desk.audit(session, Act.PROJECT_CHANGED, "project:1", why="后来的")
    newer = rich.verify()
    kept = Checkpoint(newer.sequence, bytes.fromhex(str(newer.head)))
    older = rich_template.copy(tmp_path / "older")
    assert older.verify().ok and older.verify(rich.head).ok
    verdict = older.verify(kept)
    assert not verdict.ok and "缺少第" in str(verdict.first_bad)

"""What a PC refuses before it works on a server's tables, and how those are made and mended."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from desktop.access import server_desk
from desktop.clock import FixedClock
from desktop.errors import EnvironmentFault, Refused, SiteMusterError
from desktop.storage import server_admin, server_login, server_rules, server_schema
from desktop.storage.book import create_book, open_book
from desktop.storage.card import BookCard
from desktop.storage.migrations import VERSIONS
from desktop.storage.server_address import ServerAddress
from desktop.storage.server_connection import Login
from desktop.storage.server_creation import NewServerBook
from tests.conftest import CHEAP, NOW, PASSPHRASE
from tests.server.pcs import Pcs, pcs
from tests.server.rig import ADMIN, SUPERUSER, Server
from tests.storage import stations

__all__ = ["pcs"]

CLOCK = FixedClock(NOW)
ONLY_THERE = server_rules.MEMBERSHIP | {"write_receipt"}


def refusal(place: Path) -> SiteMusterError:
    with pytest.raises(SiteMusterError) as caught:
        open_book(place, CLOCK, passphrase=PASSPHRASE)
    assert caught.value.message.endswith("。")
    return caught.value


def administrator(server: Server, database: str) -> server_admin.Administrator:
    address, password = ServerAddress.parse(server.url(ADMIN, database))
    return server_admin.Administrator(Login(address, password or ""))


def test_the_steps_make_the_mapped_tables(pcs: Pcs) -> None:
    """The same as for a file: what migrations made is what the stations map."""
    url = pcs.server.url(SUPERUSER, pcs.database).replace("postgresql:", "postgresql+psycopg:")
    engine = create_engine(f"{url}?options=-csearch_path%3Dsitemuster", poolclass=NullPool)
    with engine.connect() as connection:
        found = compare_metadata(MigrationContext.configure(connection), stations.METADATA)
    different = [
        one for one in found
        if not (one[0] == "remove_table" and one[1].name in ONLY_THERE)
        and not (one[0] == "remove_column" and one[3].name == "entered_by")
        and not (one[0] == "add_fk" and one[1].parent.name in server_rules.WATCHED)
    ]
    assert different == []


def test_every_text_sorts_by_its_bytes(pcs: Pcs) -> None:
    with pcs.server.superuser(pcs.database) as hand:
        other = hand.execute(
            "SELECT table_name, column_name FROM information_schema.columns"
            " WHERE table_schema = 'sitemuster' AND data_type = 'text'"
            " AND collation_name IS DISTINCT FROM 'C' AND table_name <> 'alembic_version'"
        ).fetchall()
    assert other == []


BROKEN = (
    "DROP TRIGGER punch_no_change ON sitemuster.punch",
    "DROP TRIGGER month_row_no_truncate ON sitemuster.month_row",
    "DROP TRIGGER punch_parents ON sitemuster.punch",
    "ALTER TABLE sitemuster.segment DISABLE TRIGGER segment_no_change",
    "CREATE OR REPLACE FUNCTION sitemuster.refuse_change() RETURNS trigger LANGUAGE plpgsql AS"
    " 'BEGIN RETURN NEW; END'",
    "CREATE OR REPLACE FUNCTION sitemuster.refuse_change_of_month_row() RETURNS trigger"
    " LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
    "DROP TRIGGER segment_no_change ON sitemuster.segment; CREATE TRIGGER segment_no_change"
    " BEFORE UPDATE ON sitemuster.segment FOR EACH ROW WHEN (false)"
    " EXECUTE FUNCTION sitemuster.refuse_change()",
    "ALTER TABLE sitemuster.person DISABLE ROW LEVEL SECURITY",
    "ALTER TABLE sitemuster.person NO FORCE ROW LEVEL SECURITY",
    "DROP POLICY member ON sitemuster.terminal",
    "CREATE POLICY wide ON sitemuster.person USING (true)",
    "ALTER POLICY member ON sitemuster.stay USING (true)",
    "GRANT UPDATE ON sitemuster.punch TO {group}",
    "GRANT DELETE ON sitemuster.audit_act TO PUBLIC",
    "GRANT INSERT ON sitemuster.project_member TO {group}",
)


@pytest.mark.parametrize("statement", BROKEN)
def test_a_missing_guard_is_refused_and_mended(pcs: Pcs, statement: str) -> None:
    place = pcs.setup("工地")
    group = "pcs_template_app"
    with pcs.server.superuser(pcs.database) as hand:
        hand.execute(statement.format(group=group))
    fault = refusal(place)
    assert isinstance(fault, EnvironmentFault) and fault.code == "guards_missing"
    assert fault.facts["tables"] and "book upgrade" in fault.message
    before, after = server_desk.upgrade(
        place, pcs.server.url(ADMIN, pcs.database), None, passphrase=PASSPHRASE, clock=CLOCK
    )
    assert before == after == VERSIONS[-1]
    open_book(place, CLOCK, passphrase=PASSPHRASE).close()


def as_login(pcs: Pcs, place: Path, name: str, password: str) -> None:
    """Give a PC's folder another login."""
    with open_book(place, CLOCK, passphrase=PASSPHRASE) as book:
        key = book.ring.newest
    card = BookCard.read(place)
    assert card.server is not None
    card = replace(card, database=str(card.server.as_user(name)))
    card.write(place)
    server_login.write(place, card, key, password)


@pytest.mark.parametrize("name", [SUPERUSER, ADMIN, "owner_like"])
def test_a_login_that_could_remove_the_guards_is_refused(pcs: Pcs, name: str) -> None:
    place = pcs.setup("工地")
    if name == "owner_like":
        with pcs.server.superuser() as hand:
            hand.execute("DROP ROLE IF EXISTS owner_like")
        pcs.server.login(name)
        with pcs.server.superuser() as hand:
            hand.execute("GRANT pcs_template_owner, pcs_template_app TO owner_like")
    as_login(pcs, place, name, pcs.server.password(name))
    if name == ADMIN:
        with pcs.server.superuser(pcs.database) as hand:
            hand.execute(f"GRANT pcs_template_app TO {ADMIN}")
    try:
        assert refusal(place).code == "server_role_too_strong"
    finally:
        with pcs.server.superuser(pcs.database) as hand:
            hand.execute(f"REVOKE pcs_template_app FROM {ADMIN}")


def test_a_wrong_password_and_a_removed_login(pcs: Pcs) -> None:
    place = pcs.setup("工地")
    as_login(pcs, place, "nobody_here", "x")
    assert refusal(place).code == "server_login"
    (place / server_login.LOGIN_FILE).unlink()
    assert refusal(place).code == "server_login_missing"


def other_database(pcs: Pcs, place: Path, database: str) -> None:
    card = BookCard.read(place)
    assert card.server is not None
    address = replace(card.server, database=database)
    replace(card, database=str(address)).write(place)


def test_no_book_and_another_book(pcs: Pcs, tmp_path: Path) -> None:
    place = pcs.setup("工地")
    other_database(pcs, place, "postgres")
    assert refusal(place).code == "server_no_book"
    other_database(pcs, place, pcs.database)
    with pcs.server.superuser(pcs.database) as hand:
        hand.execute("UPDATE sitemuster.book_info SET value = 'x' WHERE name = 'book_id'")
    assert refusal(place).code == "server_other_book"


def test_a_newer_schema_is_left_alone(pcs: Pcs) -> None:
    place = pcs.setup("工地")
    with pcs.server.superuser(pcs.database) as hand:
        hand.execute("UPDATE sitemuster.alembic_version SET version_num = '9999'")
    assert refusal(place).code == "book_newer"
    with pytest.raises(Refused) as caught:
        server_desk.upgrade(
            place, pcs.server.url(ADMIN, pcs.database), None, passphrase=PASSPHRASE, clock=CLOCK
        )
    assert caught.value.code == "book_newer"


def test_an_older_schema_is_backed_up_and_brought_up_to_date(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tables of revision 0001, as the first release would have made them."""
    build: Callable[..., None] = server_admin.Administrator.build
    monkeypatch.setattr(
        server_admin.Administrator, "build", lambda self, **more: build(self, to="0001", **more)
    )
    for module in (server_schema, server_rules):
        monkeypatch.setattr(module, "LEDGER_TABLES", [
            name for name in server_rules.LEDGER_TABLES
            if name not in ("tombstone", "purge", "purge_step")
        ])
    own = [one for one in server_rules.OWN_OBJECTS if "tombstone" not in one and "purge" not in one]
    monkeypatch.setattr(server_rules, "OWN_OBJECTS", tuple(own))
    url = server.url(database="older")
    admin = administrator(server, "older")
    admin.prepare()
    admin.build(facts={"book_id": "x"})
    monkeypatch.undo()
    book, _ = create_book(tmp_path / "file", CLOCK, passphrase=PASSPHRASE, cost=CHEAP)
    book.close()
    login = admin.add_member("older_office", (), everywhere=True)
    with server.superuser("older") as hand:
        hand.execute(
            "UPDATE sitemuster.book_info SET value = %s WHERE name = 'book_id'", (book.book_id,)
        )
        hand.execute("INSERT INTO sitemuster.company VALUES (1, '某公司', 'X')")
    place = tmp_path / "file"
    card = BookCard(book.book_id, database=str(login.address))
    card.write(place)
    server_login.write(place, card, book.ring.newest, login.password)
    (place / "book.db").rename(tmp_path / "unused.db")
    found = refusal(place)
    assert found.code == "server_schema_old" and found.facts["book"] == "0001"
    assert server_desk.upgrade(
        place, url, None, passphrase=PASSPHRASE, clock=CLOCK
    ) == ("0001", VERSIONS[-1])
    (bundle,) = (place / "backups").glob("2*")
    assert bundle.name == "20261124T080000Z-migration-0001"
    with open_book(place, CLOCK, passphrase=PASSPHRASE) as opened, opened.read() as session:
        held = session.connection().exec_driver_sql("SELECT name FROM company").scalars().all()
    assert held == ["某公司"]
    server.drop("older")


def test_a_step_that_fails_leaves_the_tables_as_they_were(pcs: Pcs) -> None:
    admin = administrator(pcs.server, pcs.database)
    with pytest.raises(psycopg.Error), admin.building() as connection:
        link = server_schema.driver(connection)
        link.execute("ALTER TABLE sitemuster.person ADD COLUMN half text")
        link.execute("SELECT nonsense")
    with pcs.server.superuser(pcs.database) as hand:
        columns = server_schema.tables(hand)["person"].columns
        members = hand.execute(
            "SELECT 1 FROM pg_auth_members a JOIN pg_roles m ON m.oid = a.member"
            " JOIN pg_roles g ON g.oid = a.roleid WHERE m.rolname = %s AND g.rolname LIKE '%%_owner'",
            (ADMIN,),
        ).fetchall()
    assert "half" not in columns and not members
    open_book(pcs.setup("工地"), CLOCK, passphrase=PASSPHRASE).close()


@pytest.mark.parametrize(
    ("url", "word"),
    [
        ("mysql://a@b/c", "postgresql://"), ("postgresql://b/c", "登录名"),
        ("postgresql://a@b:x/c", "端口"), ("postgresql://a@b/C-1", "数据库名"),
        ("postgresql://a@b/c?sslmode=prefer", "sslmode"), ("postgresql://a@b/c?host=d", "参数"),
    ],
)
def test_addresses_that_do_not_fit(url: str, word: str) -> None:
    with pytest.raises(Refused) as caught:
        ServerAddress.parse(url)
    assert caught.value.code == "server_url" and word in caught.value.message


def test_addresses_ask_for_tls_and_show_no_password() -> None:
    address, password = ServerAddress.parse("postgresql://a:p%40ss@db.example/book")
    assert (password, str(address)) == ("p@ss", "postgresql://a@db.example:5432/book?sslmode=require")
    local, _ = ServerAddress.parse("postgresql://a@[::1]:5433/book")
    assert str(local) == "postgresql://a@[::1]:5433/book"
    assert "p@ss" not in repr(Login(address, "p@ss"))


def test_a_creation_that_fails_leaves_nothing_on_the_server(server: Server, tmp_path: Path) -> None:
    def fail(_: object) -> None:
        raise RuntimeError("half")

    with pytest.raises(RuntimeError):
        create_book(
            tmp_path / "b", CLOCK, passphrase="p", cost=CHEAP, fill=fail,
            server=NewServerBook(server.url(database="half_made")),
        )
    assert not (tmp_path / "b").exists()
    with server.superuser() as hand:
        left = hand.execute(
            "SELECT datname FROM pg_database WHERE datname LIKE 'half%'"
            " UNION ALL SELECT rolname FROM pg_roles WHERE rolname LIKE 'half%'"
        ).fetchall()
    assert left == []


def test_a_database_with_a_book_is_never_made_anew(pcs: Pcs, tmp_path: Path) -> None:
    with pytest.raises(Refused) as caught:
        create_book(
            tmp_path / "b", CLOCK, passphrase="p", cost=CHEAP,
            server=NewServerBook(pcs.server.url(database=pcs.database)),
        )
    assert caught.value.code == "server_occupied" and not (tmp_path / "b").exists()
    open_book(pcs.setup("工地"), CLOCK, passphrase=PASSPHRASE).close()

"""The same exception on a server: as narrow for the program, for a login with psql, and for the
owner of the tables; a temporary table of the tombstones' name opens nothing."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from desktop.access.actor import Act, Actor, Role
from desktop.access.desk import Desk
from desktop.clock import FixedClock
from desktop.errors import SiteMusterError
from desktop.jobs import silent
from desktop.months.tables import MonthRow, MonthVersion
from desktop.retention.erase import Eraser
from desktop.retention.ledger_rows import act_reasons, month_rows
from desktop.retention.needles import Identity, Needles
from desktop.storage.book import open_book
from desktop.storage.card import BookCard
from tests.attendance.crew import hire
from tests.conftest import NOW, PASSPHRASE
from tests.server.pcs import template
from tests.server.rig import Server

DATABASE = "retention_exception"

REFUSED = (
    "UPDATE month_row SET personal_sealed = NULL, salt = NULL",
    "UPDATE month_row SET personal_sealed = NULL, salt = NULL WHERE id = 1",
    "UPDATE month_row SET salt = NULL WHERE id = 1",
    "UPDATE month_row SET facts = '{}' WHERE id = 1",
    "UPDATE month_row SET personal_sealed = NULL, salt = '\\x00' WHERE id = 1",
    "UPDATE month_row SET personal_sealed = NULL, salt = NULL, leaf = '\\x00' WHERE id = 1",
    "UPDATE audit_act SET why = '已清除' WHERE id = 1",
    "UPDATE audit_act SET actor = '别人' WHERE id = 1",
    "DELETE FROM month_row",
    "TRUNCATE month_row",
    "CREATE TEMP TABLE tombstone AS SELECT 'month_row' AS subject, 1::bigint AS row_id,"
    " ''::bytea AS kept, ''::bytea AS rest, '' AS replacement;"
    " UPDATE month_row SET personal_sealed = NULL, salt = NULL WHERE id = 1",
)


@pytest.fixture
def desk(server: Server, tmp_path: Path) -> Iterator[Desk]:
    """A book on the server with two frozen rows and a reason that names somebody."""
    source = template(server, tmp_path)
    server.clone("pcs_template", DATABASE)
    folder = tmp_path / "pc"
    shutil.copytree(source, folder)
    card = BookCard.read(folder)
    assert card.server is not None
    replace(card, database=str(replace(card.server, database=DATABASE))).write(folder)
    with open_book(folder, FixedClock(NOW), passphrase=PASSPHRASE) as book:
        here = Desk(book, 1, Actor("管理员", Role.ADMINISTRATOR))
        people = [hire(here, 1001, "钢筋班"), hire(here, 1002, "钢筋班")]
        with book.write() as session:
            segment = here.audit(session, Act.LEDGER_VERIFIED, "book", why="工友1001要求")
            session.add(
                MonthVersion(
                    id=1, project_id=1, segment_id=segment.id, month="2026-11", version=1,
                    rule="r", rule_version=1, digest=b"d", head={}, findings=[], accepted_open="",
                    frozen_by="管理员", frozen_at=NOW,
                )
            )
            session.flush()
            session.add_all(
                MonthRow(
                    id=place, month_version_id=1, sheet=1, position=place,
                    person_id=member.person_id, facts={"worker_no": member.worker_no},
                    personal_sealed=book.sealer.seal("{}"), salt=b"s", leaf=b"l",
                )
                for place, member in enumerate(people, 1)
            )
        yield here
    server.drop(DATABASE)


def rows(session: Session) -> list[tuple[int, bool, bool]]:
    found = session.execute(
        text("SELECT id, personal_sealed IS NULL, salt IS NULL FROM month_row ORDER BY id")
    )
    return [tuple(row) for row in found]


def test_the_exception_is_as_narrow_on_a_server(server: Server, desk: Desk) -> None:
    for statement in REFUSED:
        with pytest.raises((DBAPIError, SiteMusterError)), desk.book.write() as session:
            session.execute(text(statement))
    # The owner of the server: no grant stops him, the triggers do.
    with server.superuser(DATABASE) as owner:
        owner.execute("SET search_path = sitemuster")
        for statement in REFUSED:
            with pytest.raises(psycopg.Error, match="append-only"):
                owner.execute(statement)
            owner.execute("DROP TABLE IF EXISTS pg_temp.tombstone")
    with desk.book.read() as session:
        assert rows(session) == [(1, False, False), (2, False, False)]


def test_with_its_tombstone_a_row_is_erased_and_only_that(server: Server, desk: Desk) -> None:
    needles = Needles.of([Identity("工友1001", ())], [])
    with desk.book.write() as session:
        eraser = Eraser(session, desk, 1)
        eraser.redact(month_rows(session, desk.book.sealer, {1}), silent, None)
        eraser.redact(act_reasons(session, [1], needles), silent, None)
        assert eraser.erased.counts == {"month_row": 1, "audit_act": 1}
    with desk.book.read() as session:
        assert rows(session) == [(1, True, True), (2, False, False)]
        reasons = session.execute(text("SELECT DISTINCT why FROM audit_act WHERE why <> ''"))
        assert [why for (why,) in reasons] == ["已清除"]
    for statement in (
        "UPDATE month_row SET salt = '\\x00' WHERE id = 1",
        "UPDATE month_row SET personal_sealed = NULL, salt = NULL WHERE id = 2",
        "UPDATE audit_act SET why = '又写' WHERE why = '已清除'",
        "UPDATE tombstone SET kept = '\\x00'",
        "DELETE FROM tombstone",
    ):
        with server.superuser(DATABASE) as owner:
            owner.execute("SET search_path = sitemuster")
            with pytest.raises(psycopg.Error, match="append-only"):
                owner.execute(statement)

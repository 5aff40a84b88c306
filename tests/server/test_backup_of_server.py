"""A book whose tables are on a server is backed up into files, and restored as one."""

from __future__ import annotations

from pathlib import Path

from desktop.access.actor import Act, Actor, Role
from desktop.access.backup_desk import create_backup, due
from desktop.access.desk import Desk
from desktop.access.restore_desk import restore_backup, verify_backup
from desktop.bootstrap import leaf_readers
from desktop.clock import FixedClock
from desktop.storage.book import create_book, open_book
from desktop.storage.server_creation import NewServerBook
from tests.conftest import CHEAP, NOW, PASSPHRASE
from tests.punches.rig import keep, punches, table, terminal
from tests.sample_site import insert_project
from tests.server.rig import Server

CLOCK = FixedClock(NOW)


def test_from_the_server_into_files_and_back(server: Server, tmp_path: Path) -> None:
    where = NewServerBook(server.url(database="backed_up"))
    book, _ = create_book(
        tmp_path / "book", CLOCK, passphrase=PASSPHRASE, cost=CHEAP, server=where
    )
    with book:
        with book.write() as session:
            insert_project(session, CLOCK, tmp_path)
        desk = Desk(book, 1, Actor("管理员", Role.ADMINISTRATOR))
        with book.write() as session:
            desk.audit(session, Act.PROJECT_CHANGED, "project:1")
        keep(desk, terminal(desk), punches(400))
        assert due(book, CLOCK.now())
        made = create_backup(desk)
        assert made.ok and not due(book, CLOCK.now())
        verdict = verify_backup(
            made.path, passphrase=PASSPHRASE, readers=leaf_readers, clock=CLOCK, desk=desk
        )
        assert verdict.ok and verdict.relation.kind == "older" and verdict.relation.behind == 1
    place = tmp_path / "file"
    report = restore_backup(
        made.path, place, passphrase=PASSPHRASE, readers=leaf_readers, clock=CLOCK
    )
    assert report.ledger.ok
    with open_book(place, CLOCK, passphrase=PASSPHRASE) as again:
        assert again.dialect == "sqlite"
        assert table(Desk(again, 1, desk.actor), "punch") == 400

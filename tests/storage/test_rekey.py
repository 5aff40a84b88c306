"""A new data key: everything under it, and nothing changed by it."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from sqlalchemy import LargeBinary, select
from sqlcipher3 import dbapi2 as cipher

from desktop.access import key_desk
from desktop.access.actor import Act, Actor, Role
from desktop.access.desk import Desk
from desktop.access.recovery_paper import Paper, handed_over
from desktop.access.tables import AuditAct
from desktop.bootstrap import leaf_readers, sealings
from desktop.clock import FixedClock
from desktop.errors import Cancelled, EnvironmentFault, NotPermitted, Refused, SiteMusterError
from desktop.jobs import CancelToken
from desktop.months.freeze import freeze_month
from desktop.months.queries import latest_version
from desktop.people.tables import Person
from desktop.punches import originals
from desktop.punches import seals as punch_seals
from desktop.punches.verification import verify_ledger
from desktop.storage import reseal, sealed_file
from desktop.storage.book import Book, open_book
from desktop.storage.engine import connect
from desktop.storage.guard import LEDGER_TABLES
from desktop.storage.integrity import DATABASE_KEY
from desktop.storage.rekey import NewWays, RekeyReport
from desktop.storage.sealed import generation_of
from desktop.storage.tables import Base
from tests.attendance.crew import MONTH
from tests.conftest import CHEAP, NOW, PASSPHRASE
from tests.storage.killing import CODE, NEW_PASSPHRASE, prove
from tests.storage.rekey_site import (
    ADMINISTRATOR,
    AFTER_MONTH,
    DOWNLOAD,
    PEOPLE,
    Template,
    build,
    open_office,
    whole,
)

pytestmark = pytest.mark.file_only  # on a server: tests/server/test_rekey_on_server.py


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory, site_template: Path) -> Template:
    return build(tmp_path_factory.mktemp("rekey") / "book", site_template)


@pytest.fixture
def desk(template: Template, tmp_path: Path) -> Iterator[Desk]:
    folder = Path(shutil.copytree(template[0], tmp_path / "book"))
    book = open_book(folder, FixedClock(AFTER_MONTH), passphrase=PASSPHRASE)
    yield Desk(book, 1, ADMINISTRATOR)
    book.close()


def changed(desk: Desk, **options: object) -> RekeyReport:
    ways = NewWays(CODE, NEW_PASSPHRASE, keyring=False)
    return key_desk.rekey_book(
        desk, ways, sealings(desk.book), prove, cost=CHEAP, **options  # type: ignore[arg-type]
    )


def test_everything_goes_on_under_the_new_key_and_nothing_else_changed(
    desk: Desk, template: Template
) -> None:
    book, (_, old_code, kept) = desk.book, template
    old = {label: book.subkey(label) for label in (DATABASE_KEY, originals.FOLDER, "field seal")}
    with book.read() as session:
        before = session.execute(select(Person.id, Person.id_sealed, Person.id_index)).all()
        digest = latest_version(session, 1, MONTH).digest  # type: ignore[union-attr]
    report = changed(desk)
    assert (report.generation, report.files) == (2, 1)
    assert report.values >= 4 * len(PEOPLE)
    whole(book, kept)
    assert freeze_month(desk, MONTH, accept_open="再次").unchanged
    with book.read() as session:
        after = session.execute(select(Person.id, Person.id_sealed, Person.id_index)).all()
        assert all(generation_of(row.id_sealed) == 2 for row in after)
        changed_indexes = {a.id for a, b in zip(after, before, strict=True) if a.id_index != b.id_index}
        assert len(changed_indexes) == len(PEOPLE)
        version = latest_version(session, 1, MONTH)
        assert version is not None and version.digest == digest
        row = session.scalars(select(AuditAct).where(AuditAct.act == Act.BOOK_REKEYED.value)).one()
        assert row.facts == {"generation": 2, "values": report.values}
    with pytest.raises(cipher.DatabaseError):
        connect(book.database_file, old[DATABASE_KEY])
    file = next((book.path / originals.FOLDER).iterdir())
    with pytest.raises(sealed_file.Damaged):
        sealed_file.first(file, originals.SEALED.kind, old[originals.FOLDER])
    assert book.subkey("field seal") != old["field seal"]
    book.close()
    left = {path.name for path in book.path.iterdir()}
    assert not any(name.startswith(".rekey") or name.endswith(".old") for name in left)
    for way in ({"passphrase": PASSPHRASE}, {"recovery_code": old_code}):
        with pytest.raises(Refused):
            open_book(book.path, FixedClock(AFTER_MONTH), **way)
    for way in ({"passphrase": NEW_PASSPHRASE}, {"recovery_code": CODE}):
        with open_book(book.path, FixedClock(AFTER_MONTH), **way) as again:
            assert again.notices == [] and again.ring.generation == 2
            whole(again, kept)


def test_the_backup_from_before_opens_in_the_old_ways(
    desk: Desk, template: Template
) -> None:
    """What a leaked key still opens, and what the manual says of it."""
    changed(desk)
    backup = next((desk.book.path / "backups").glob("*-rekey"))
    for way in ({"passphrase": PASSPHRASE}, {"recovery_code": template[1]}):
        with open_book(backup, FixedClock(AFTER_MONTH), **way) as copy:
            assert copy.ring.generation == 1
            whole(copy, template[2])


def test_a_third_key_still_reads_what_the_first_one_sealed(
    desk: Desk, template: Template
) -> None:
    changed(desk)
    desk.clock.instant = datetime(2027, 2, 3, tzinfo=UTC)  # type: ignore[attr-defined]
    assert changed(desk).generation == 3
    whole(desk.book, template[2])
    ring = desk.book.ring
    keys = [ring.subkey_on("month rows", day) for day in (
        date(2026, 11, 1), date(2026, 12, 1), date(2027, 1, 1), date(2027, 2, 1), date(2027, 3, 1)
    )]  # fmt: skip
    assert keys[0] == keys[1] == ring.subkey("month rows", 1)
    assert keys[2] == keys[3] == ring.subkey("month rows", 2)
    assert keys[4] == ring.subkey("month rows", 3)


def untouched(desk: Desk, code: str, kept: bytes) -> None:
    """As before the attempt, and with nothing left of it."""
    assert desk.book.ring.generation == 1
    whole(desk.book, kept)
    names = {path.name for path in desk.book.path.iterdir()}
    assert not any(name.startswith(".rekey") for name in names)
    desk.book.close()
    for way in ({"passphrase": PASSPHRASE}, {"recovery_code": code}):
        open_book(desk.book.path, FixedClock(AFTER_MONTH), **way).close()
    with pytest.raises(Refused):
        open_book(desk.book.path, FixedClock(AFTER_MONTH), recovery_code=CODE)


@pytest.mark.parametrize(
    "at", ["核对每一页的封印", "用新钥匙加密数据库", "用新钥匙重新密封人员资料", "核对账本"]
)
def test_cancelled_anywhere_it_leaves_the_old_key(
    desk: Desk, template: Template, at: str
) -> None:
    token = CancelToken()

    def progress(done: int, total: int, text: str) -> None:
        if text == at:
            token.set()

    with pytest.raises(Cancelled):
        key_desk.rekey_book(
            desk, NewWays(CODE, NEW_PASSPHRASE, keyring=False), sealings(desk.book),
            lambda copy: verify_ledger(copy, 1, leaf_readers(copy), progress, token),
            progress=progress, cancel=token, cost=CHEAP,
        )
    untouched(desk, *template[1:])


def test_a_copy_that_does_not_hold_is_thrown_away(
    desk: Desk, template: Template
) -> None:
    def refuse(copy: Book) -> None:
        raise Refused("ledger_not_ok", "样例。")

    with pytest.raises(Refused, match="样例"):
        key_desk.rekey_book(
            desk, NewWays(CODE, NEW_PASSPHRASE, keyring=False), sealings(desk.book), refuse,
            cost=CHEAP,
        )
    untouched(desk, *template[1:])


def test_a_value_that_does_not_open_stops_the_change(
    desk: Desk, template: Template
) -> None:
    """Nothing may stay behind under a key that is given up."""
    with desk.book.write() as session:
        person = session.scalars(select(Person).order_by(Person.id)).first()
        assert person is not None
        whole_seal, person.address_sealed = person.address_sealed, b"\x01" + bytes(40)
    with pytest.raises(EnvironmentFault) as caught:
        changed(desk)
    assert caught.value.code == "sealed_damaged"
    with desk.book.write() as session:
        session.get(Person, person.id).address_sealed = whole_seal  # type: ignore[union-attr]
    untouched(desk, *template[1:])


def test_what_a_passphrase_book_must_be_given(desk: Desk) -> None:
    with pytest.raises(Refused) as caught:
        key_desk.ways_after(desk, CODE, None)
    assert caught.value.code == "passphrase_needed"
    assert key_desk.ways_after(desk, CODE, "p") == NewWays(CODE, "p", keyring=False)
    with pytest.raises(Refused) as caught:
        key_desk.rekey_book(
            desk, NewWays(CODE, None, keyring=False), sealings(desk.book), prove, cost=CHEAP
        )
    assert caught.value.code == "last_way"


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.ADMINISTRATOR])
def test_only_the_administrator_changes_the_key(desk: Desk, role: Role) -> None:
    with pytest.raises(NotPermitted):
        changed(Desk(desk.book, 1, Actor("某", role)))
    assert not list(desk.book.path.glob("backups/*"))


def test_readers_go_on_and_writers_wait(desk: Desk, template: Template) -> None:
    stop, troubles = threading.Event(), list[Exception]()
    counts = {"read": 0, "written": 0}

    def read() -> None:
        while not stop.is_set():
            with desk.book.read() as session:
                sealed = session.scalars(select(Person.id_sealed)).all()
                assert [desk.book.sealer.open(one) for one in sealed]
            counts["read"] += 1

    def write() -> None:
        while not stop.is_set():
            with desk.book.write() as session:
                desk.audit(session, Act.SCREEN_LOCKED, "book")
            counts["written"] += 1

    def guarded(work: object) -> None:
        try:
            work()  # type: ignore[operator]
        except (SiteMusterError, cipher.Error, AssertionError) as error:
            troubles.append(error)

    threads = [threading.Thread(target=guarded, args=(work,)) for work in (read, read, write)]
    for thread in threads:
        thread.start()
    try:
        changed(desk)
        written = counts["written"]
        while counts["written"] < written + 3 and not troubles:
            stop.wait(0.01)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert troubles == [] and counts["read"] > 3
    with desk.book.read() as session:
        rows = session.scalars(select(AuditAct.id).where(AuditAct.act == Act.SCREEN_LOCKED.value))
        assert len(rows.all()) == counts["written"]
    whole(desk.book, template[2])


def test_files_of_another_computer_are_sealed_anew_when_they_are_found(
    desk: Desk, template: Template
) -> None:
    """A folder whose files missed the change: cut off after the exchange, or restored beside."""
    book = desk.book
    old = (template[0] / originals.FOLDER / template[2].hex()).read_bytes()
    changed(desk)
    assert not reseal.files_wait(book.path, book.ring)
    (book.path / originals.FOLDER / template[2].hex()).write_bytes(old)
    (book.path / originals.FOLDER / ("0" * 64)).write_bytes(b"of nobody" * 30)
    (book.path / reseal.MARK_FILE).unlink()
    assert reseal.files_wait(book.path, book.ring)
    assert reseal.reseal_files(book.path, book.ring, punch_seals.FILES) == 1
    assert not reseal.files_wait(book.path, book.ring)
    assert b"".join(originals.read(book, template[2])) == DOWNLOAD
    assert (book.path / originals.FOLDER / ("0" * 64)).read_bytes() == b"of nobody" * 30


def test_every_sealed_column_is_known_to_the_change(desk: Desk) -> None:
    """A new column ``*_sealed`` in a table that may be updated must be named by its station."""
    known = {(one.table, one.column) for one in sealings(desk.book).fields}
    mapped = {
        (table.name, column.name)
        for table in Base.metadata.tables.values() if table.name not in LEDGER_TABLES
        for column in table.columns
        if isinstance(column.type, LargeBinary) and column.name.endswith("_sealed")
    }
    assert known == mapped
    indexes = {(one.table, one.index_column) for one in sealings(desk.book).fields if one.index_column}
    assert indexes == {
        (table.name, column.name)
        for table in Base.metadata.tables.values() for column in table.columns
        if isinstance(column.type, LargeBinary) and column.name.endswith("_index")
    }


def test_a_ring_that_was_tampered_with_is_said(desk: Desk) -> None:
    changed(desk)
    with desk.book.write() as session:
        session.execute(
            Base.metadata.tables["book_info"].update()
            .where(Base.metadata.tables["book_info"].c.name == "key_ring")
            .values(value='{"generation": 2, "sealed": "00"}')
        )
    desk.book.close()
    with pytest.raises(EnvironmentFault) as caught:
        open_book(desk.book.path, FixedClock(AFTER_MONTH), passphrase=NEW_PASSPHRASE)
    assert caught.value.code == "key_ring_damaged" and "备份" in caught.value.message


# ── the disk refuses ────────────────────────────────────────────────────────────────────────────


def test_files_that_cannot_be_sealed_now_are_sealed_at_the_next_opening(
    desk: Desk, template: Template
) -> None:
    in_the_way = desk.book.path / f".{reseal.MARK_FILE}.new"
    in_the_way.mkdir()
    report = changed(desk)
    assert report.generation == 2 and report.files_wait.endswith("。")
    desk.book.close()
    with open_office(desk.book.path, passphrase=NEW_PASSPHRASE, clock=FixedClock(NOW)) as book:
        assert "部分原始文件" in "".join(book.notices)
    in_the_way.rmdir()
    with open_office(desk.book.path, passphrase=NEW_PASSPHRASE, clock=FixedClock(NOW)) as book:
        assert book.notices == [] and not reseal.files_wait(book.path, book.ring)
        whole(book, template[2])


def test_slots_that_cannot_be_moved_in_are_moved_at_the_next_opening(
    desk: Desk, template: Template, tmp_path: Path
) -> None:
    """The new key holds by then: the paper with its code must stay."""
    in_the_way = desk.book.path / "keyslots.json.old"
    in_the_way.mkdir()
    paper = Paper(tmp_path / "paper.txt")
    with pytest.raises(EnvironmentFault) as caught, handed_over(desk, CODE, paper, 2):
        changed(desk)
    assert caught.value.code == "rekey_unfinished" and "新恢复码请收好" in caught.value.message
    assert (tmp_path / "paper.txt").read_text(encoding="utf-8").startswith(CODE)
    desk.book.close()
    in_the_way.rmdir()
    with open_book(desk.book.path, FixedClock(NOW), recovery_code=CODE) as book:
        assert "补做完成" in "".join(book.notices)
        assert not list(book.path.glob(".rekey*"))


def test_a_change_that_failed_takes_its_paper_back(
    desk: Desk, template: Template, tmp_path: Path
) -> None:
    paper = Paper(tmp_path / "paper.txt", tmp_path / "paper.pdf", "样例花园")
    with pytest.raises(Refused), handed_over(desk, CODE, paper, 2):
        assert (tmp_path / "paper.pdf").is_file()
        raise Refused("sample", "样例。")
    assert not any(tmp_path.glob("paper.*"))
    (tmp_path / "paper.pdf").write_bytes(b"an older sheet")
    with pytest.raises(Refused) as caught, handed_over(desk, CODE, paper, 2):
        pass
    assert caught.value.code == "recovery_exists" and not (tmp_path / "paper.txt").exists()
    assert (tmp_path / "paper.pdf").read_bytes() == b"an older sheet"
    with pytest.raises(EnvironmentFault), handed_over(desk, CODE, Paper(tmp_path / "no" / "a"), 2):
        pass


def test_who_reads_too_long_delays_the_exchange_and_nothing_is_lost(
    desk: Desk, template: Template, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("desktop.storage.read_gate._WAIT_S", 0.2)
    go_on, inside = threading.Event(), threading.Event()

    def read() -> None:
        with desk.book.read() as session:
            session.scalars(select(Person.id)).all()
            inside.set()
            with desk.book.read() as nested:  # a read inside a read never waits
                nested.scalars(select(Person.id)).all()
            go_on.wait(60)

    thread = threading.Thread(target=read)

    def progress(done: int, total: int, text: str) -> None:
        if text == "用新钥匙加密数据库":
            thread.start()
            inside.wait(30)

    with pytest.raises(EnvironmentFault) as caught:
        changed(desk, progress=progress)
    go_on.set()
    thread.join()
    assert caught.value.code == "book_busy"
    untouched(desk, *template[1:])

"""A roll-up goes to head office whole and signed, and without what head office does not need."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from desktop.access.actor import Act, Actor, Role
from desktop.access.desk import Desk
from desktop.access.tables import AuditAct
from desktop.attendance.month import compute_month
from desktop.bootstrap import leaf_readers
from desktop.clock import FixedClock
from desktop.errors import NotPermitted, Refused, SiteMusterError
from desktop.people.queries import RosterQuery, roster_ids, roster_rows
from desktop.people.tables import Person
from desktop.punches.tables import Punch, Terminal
from desktop.punches.verification import verify_ledger
from desktop.rollup import carried
from desktop.rollup.continuity import FORK, LEDGER_BROKEN, OLDER, SIGNER_CHANGED
from desktop.rollup.export import ExportedRollup, signing_key
from desktop.rollup.intake import accept_conflict, opened_entry
from desktop.rollup.manifest import Head
from desktop.rollup.queries import project_pages
from desktop.rollup.shelf import State
from desktop.storage.book import Book, open_book
from desktop.storage.envelope import fingerprint, private_key
from tests.attendance.crew import MONTH
from tests.conftest import PASSPHRASE
from tests.rollup.conftest import ADDRESS, COMPANY_PASSPHRASE, PHONE, Company
from tests.storage.rig import database_key, foreign_hand, forge

Report = Callable[..., ExportedRollup]


def later_act(desk: Desk, why: str = "样例") -> None:
    """Something more in the chain."""
    with desk.book.write() as session:
        desk.audit(session, Act.PROJECT_CHANGED, "project:1", why=why)


def test_the_whole_way(site: Desk, company: Company, report: Report) -> None:
    made = report(site)
    assert made.manifest.projects[0].counts["punches"] == 180
    assert made.manifest.fingerprint == fingerprint(signing_key(site.book).public)
    taken = company.take(made.path)
    assert taken.outcome == "new" and made.manifest.fingerprint in taken.sentence
    with opened_entry(
        company.shelf, taken.site, taken.entry, company.private, company.clock
    ) as book:
        verdict = verify_ledger(book, 1, leaf_readers(book))
        assert verdict.ok and verdict.head == made.manifest.projects[0].hash
        with book.read() as session, site.book.read() as there:
            assert session.query(Punch).count() == there.query(Punch).count() == 180
            attendance, original = compute_month(session, 1, MONTH), compute_month(there, 1, MONTH)
            assert [row.symbols for row in attendance.rows] == [
                row.symbols for row in original.rows
            ]
            (page,) = project_pages(session, company.clock.today())
            assert sum(team.people for team in page.teams) == 3
            assert [(one.month, one.version) for one in page.months] == [(MONTH, 1)]
    with site.book.read() as session:
        row = session.scalars(
            select(AuditAct).where(AuditAct.act == Act.ROLLUP_EXPORTED.value)
        ).one()
        assert row.actor == "柳专管" and row.facts["sha256"] == made.sha256
        assert row.facts["heads"] == [[1, taken.entry.projects[0].sequence, verdict.head]]
    assert company.take(made.path).outcome == "unchanged"


def test_personal_fields_stay_unless_they_are_asked_for(
    site: Desk, company: Company, report: Report
) -> None:
    taken = company.take(report(site).path)
    with opened_entry(
        company.shelf, taken.site, taken.entry, company.private, company.clock
    ) as book, book.read() as session:
        for person in session.scalars(select(Person)):
            assert book.sealer.open(person.id_sealed) == "" and person.nation == ""
            assert person.phone_sealed is person.address_sealed is person.phone_index is None
            assert person.emergency_contact == "" and person.name.startswith("工友")
        assert set(session.scalars(select(Terminal.password_sealed))) == {None}
        ids = roster_ids(session, 1, RosterQuery())
        assert len(roster_rows(session, book.sealer, ids)) == 3
    with pytest.raises(Refused, match="事由"):
        report(site, "b", with_personal=True)
    taken = company.take(report(site, "b", with_personal=True, why="监管部门调取").path)
    assert taken.outcome == "extended"
    with opened_entry(
        company.shelf, taken.site, taken.entry, company.private, company.clock
    ) as book, book.read() as session:
        found = roster_ids(session, 1, RosterQuery(text=PHONE), book.sealer)
        assert len(found) == 3
        person = session.scalars(select(Person)).first()
        assert person is not None and person.address_sealed is not None
        assert book.sealer.open(person.address_sealed) == ADDRESS
        assert set(session.scalars(select(Terminal.password_sealed))) == {None}


@pytest.mark.file_only
def test_every_table_was_decided_about(site: Desk) -> None:
    """A new table travels or stays: somebody has to say so."""
    with foreign_hand(site.book.database_file, database_key(site.book)) as hand:
        held = {name for (name,) in hand.execute(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'"
        )}
        named = {*carried.CARRIED, *carried.LEFT_AT_SITE, "book_info", "alembic_version"}
        assert held == named
        for table in carried.CARRIED:
            columns = [row[1] for row in hand.execute(f"PRAGMA table_info({table})")]
            sealed = [name for name in columns if name.endswith("_sealed")]
            known = {
                "person": 5, "terminal": 1, "month_row": 1,
            }
            assert len(sealed) == known.get(table, 0), (table, sealed)


def test_nothing_can_be_written_into_an_imported_book(
    site: Desk, company: Company, report: Report
) -> None:
    taken = company.take(report(site).path)
    with opened_entry(
        company.shelf, taken.site, taken.entry, company.private, company.clock
    ) as book:
        before = book.database_file.read_bytes()
        desk = Desk(book, 1, Actor("管理员", Role.ADMINISTRATOR))
        with pytest.raises(Refused, match="只能查看"):
            later_act(desk)
        with book.read() as session, pytest.raises(Exception, match=r"readonly|read-only|query"):
            session.connection().exec_driver_sql("DELETE FROM stay")
        assert book.database_file.read_bytes() == before


def test_who_may_export_and_where_to(site: Desk, report: Report, company: Company) -> None:
    for role in (Role.INSPECTOR, Role.TECHNICIAN):
        with pytest.raises(NotPermitted):
            report(Desk(site.book, 1, Actor("某", role)))
    report(site)
    with pytest.raises(Refused, match="已经存在"):
        report(site)
    with pytest.raises(Refused, match="账本文件夹里面"):
        report(site, f"../{site.book.path.name}/r")


@pytest.mark.file_only
def test_a_ledger_that_does_not_hold_is_not_reported(site: Desk, report: Report) -> None:
    forge(
        site.book.database_file, database_key(site.book),
        "UPDATE punch SET t_local = t_local + 60 WHERE id = 7",
    )
    with pytest.raises(Refused, match="账本核对不通过") as refusal:
        report(site)
    assert refusal.value.code == "ledger_not_ok"
    with site.book.read() as session:
        assert not session.scalars(
            select(AuditAct).where(AuditAct.act == Act.ROLLUP_EXPORTED.value)
        ).all()


# ── the file on its way ─────────────────────────────────────────────────────────────────────────


def test_an_altered_byte_anywhere_is_refused(
    site: Desk, company: Company, report: Report, tmp_path: Path
) -> None:
    content = report(site).path.read_bytes()
    size = len(content)
    places = [0, 9, 13, 40, 200, 400, 5000, size // 3, size // 2, size - 65, size - 1]
    for place in places:
        file = tmp_path / "altered"
        file.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        with pytest.raises(Refused) as refusal:
            company.take(file)
        assert refusal.value.message.endswith("。") and "未导入" in refusal.value.message, place
    for cut in (0, 7, 300, size // 2, size - 1):
        file.write_bytes(content[:cut])
        with pytest.raises(Refused) as refusal:
            company.take(file)
        assert "未导入" in refusal.value.message, cut
    file.write_bytes(content + b"\0")
    with pytest.raises(Refused, match="未导入"):
        company.take(file)
    assert [path.name for path in company.folder.iterdir()] == ["book.lock"], "nothing was kept"


def test_for_another_company(site: Desk, company: Company, report: Report) -> None:
    from desktop.storage.envelope import new_company_keys
    from tests.conftest import CHEAP

    other, _ = new_company_keys(COMPANY_PASSPHRASE, cost=CHEAP)
    stranger = Company(company.folder, private_key(other, COMPANY_PASSPHRASE), company.files)
    with pytest.raises(Refused, match="另一把"):
        stranger.take(report(site).path)


def test_content_that_lies_is_refused(
    site: Desk, company: Company, report: Report, tmp_path: Path
) -> None:
    """Well sealed and signed by somebody, but not what it says: a forger without the site's key."""
    import io

    from desktop.rollup.manifest import KIND
    from desktop.storage.envelope import SigningKey, open_stream, seal_stream

    with report(site).path.open("rb") as source:
        plain = io.BytesIO()
        open_stream(company.private, source, plain, kind=KIND)
    content = plain.getvalue()
    length = int.from_bytes(content[:4], "big")
    head, database = Head.unpacked(content[4 : 4 + length], None), content[4 + length :]
    forger = SigningKey(bytes(32))
    cases = {
        "signed by another": (content, forger),
        "another database": (content[:-4096] + bytes(4096), signing_key(site.book)),
        "no head": (b"\xff\xff\xff\xff" + content, signing_key(site.book)),
        "a head that never ends": (content[: 4 + length // 2], signing_key(site.book)),
        "resigned with another database": (
            Head.new(head.manifest, signing_key(site.book), head.key).packed() + database[:-1],
            signing_key(site.book),
        ),
        "no JSON": ((5).to_bytes(4, "big") + b"hello" + database, signing_key(site.book)),
    }
    for name, (body, signer) in cases.items():
        file = tmp_path / "lie"
        with file.open("wb") as target:
            seal_stream(
                company.private.public, io.BytesIO(body), target, kind=KIND, signer=signer
            )
        with pytest.raises(Refused) as refusal:
            company.take(file)
        assert refusal.value.code == "rollup_content", name
    assert not list(company.folder.glob("*/site.json"))


# ── one after the other ─────────────────────────────────────────────────────────────────────────


def test_a_later_one_replaces_the_earlier(site: Desk, company: Company, report: Report) -> None:
    first = company.take(report(site, "a").path)
    old = report(site, "b")
    later_act(site)
    second = company.take(report(site, "c").path)
    assert (first.outcome, second.outcome) == ("new", "extended")
    assert [one.state for one in second.site.entries] == [State.REPLACED, State.CURRENT]
    assert sorted(path.name for path in company.shelf.place(site.book.book_id).iterdir()) == [
        "0002", "site.json"
    ]
    third = company.take(old.path)
    assert (third.outcome, third.entry.kind) == ("conflict", OLDER)
    assert "旧" in third.sentence and "没有采用" in third.sentence
    assert third.site.current == second.entry
    assert company.take(old.path).entry.name == third.entry.name, "not kept twice"


@pytest.mark.file_only
def test_a_restored_book_forks_and_is_kept_beside(
    site: Desk, company: Company, report: Report, tmp_path: Path, clock: FixedClock
) -> None:
    backup = Path(shutil.copytree(site.book.path, tmp_path / "backup"))
    later_act(site, "甲")
    company.take(report(site, "a").path)
    with open_book(backup, clock, passphrase=PASSPHRASE) as restored:
        desk = Desk(restored, 1, site.actor)
        later_act(desk, "乙")
        later_act(desk, "丙")
        fork = company.take(report(desk, "b").path)
        assert (fork.outcome, fork.entry.kind) == ("conflict", FORK)
        assert "分了岔" in fork.sentence and "没有改动" in fork.sentence
        assert fork.site.current is not None and fork.site.current.name == "0001"
        assert company.shelf.place(restored.book_id, "0002").is_dir(), "kept beside"
        with pytest.raises(Refused, match="理由"):
            accept_conflict(company.shelf, fork.site, "0002", company.clock, why=" ")
        accepted = accept_conflict(
            company.shelf, fork.site, "0002", company.clock, why="昨日硬盘坏，用备份恢复"
        )
        assert accepted.site.current is not None and accepted.site.current.name == "0002"
        assert accepted.site.entries[0].state is State.SET_ASIDE
        assert company.shelf.place(restored.book_id, "0001").is_dir(), "never removed"
        later_act(desk)
        assert company.take(report(desk, "c").path).outcome == "extended"


def test_another_signing_key_is_a_conflict_until_its_fingerprint_is_typed(
    site: Desk, company: Company, report: Report
) -> None:
    taken = company.take(report(site, "a").path)
    # Head office trusted another key before: as after a rekey at the site.
    known = company.shelf.site(site.book.book_id)
    assert known is not None
    from dataclasses import replace

    company.shelf.write(replace(known, signer="ab" * 32))
    later_act(site)
    made = report(site, "b")
    second = company.take(made.path)
    assert (second.outcome, second.entry.kind) == ("conflict", SIGNER_CHANGED)
    assert made.manifest.fingerprint in second.sentence
    for wrong in ("", "11111 22222"):
        with pytest.raises(Refused, match="指纹"):
            accept_conflict(
                company.shelf, second.site, second.entry.name, company.clock, why="换过钥匙",
                fingerprint=wrong,
            )
    accepted = accept_conflict(
        company.shelf, second.site, second.entry.name, company.clock, why="换过钥匙",
        fingerprint=made.manifest.fingerprint.replace(" ", "-"),
    )
    assert accepted.site.signer == taken.entry.signer
    later_act(site)
    assert company.take(report(site, "c").path).outcome == "extended"


@pytest.mark.file_only
def test_a_signed_file_with_a_broken_ledger_is_kept_and_never_accepted(
    site: Desk, company: Company, report: Report, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program that does not look before it exports: the site's key, a chain that does not hold."""
    from desktop.rollup import export

    forge(
        site.book.database_file, database_key(site.book), "DELETE FROM punch WHERE id = 7",
    )
    monkeypatch.setattr(export, "_verify", lambda *_: None)
    taken = company.take(report(site).path)
    assert (taken.outcome, taken.entry.kind) == ("conflict", LEDGER_BROKEN)
    assert "被删除" in taken.sentence and taken.site.current is None
    with pytest.raises(Refused, match="不能采用"):
        accept_conflict(company.shelf, taken.site, "0001", company.clock, why="不管")


@pytest.mark.file_only
def test_a_chain_cut_and_gone_on_with_shows_at_head_office(
    site: Desk, company: Company, report: Report
) -> None:
    """The holder of the data key drops the newest acts and goes on: whole in itself, and a fork."""
    later_act(site, "不想让人看见")
    reported = report(site, "a")
    company.take(reported.path)
    cut = f"SELECT id FROM segment WHERE sequence >= {reported.manifest.projects[0].sequence}"
    forge(
        site.book.database_file, database_key(site.book), "PRAGMA foreign_keys=OFF",
        f"DELETE FROM audit_act WHERE segment_id IN ({cut})",
        f"DELETE FROM segment WHERE id IN ({cut})",
    )
    for _ in range(3):
        later_act(site)
    assert verify_ledger(site.book, 1, leaf_readers(site.book)).ok, "whole in itself"
    taken = company.take(report(site, "b").path)
    assert (taken.outcome, taken.entry.kind) == ("conflict", FORK)
    assert f"第{reported.manifest.projects[0].sequence}段起" in taken.sentence


def test_two_sites_side_by_side(
    site: Desk, company: Company, report: Report, open_copy: Callable[[Path], Book],
    tmp_path: Path,
) -> None:
    from desktop.storage.creation import create_book
    from tests.conftest import CHEAP
    from tests.sample_site import insert_project

    second, _ = create_book(
        tmp_path / "另一个", FixedClock(datetime(2026, 12, 1, tzinfo=UTC) + timedelta(days=2)),
        passphrase=PASSPHRASE, cost=CHEAP,
    )
    with second:
        with second.write() as session:
            insert_project(session, second.clock, tmp_path)
        other = Desk(second, 1, site.actor)
        later_act(other)
        for desk, name in ((site, "a"), (other, "b")):
            assert company.take(report(desk, name).path).outcome == "new"
    assert {one.book_id for one in company.shelf.sites()} == {site.book.book_id, second.book_id}
    with pytest.raises(Refused, match="有2个"):
        company.shelf.find("ZZ-2026-0001")
    assert company.shelf.find(second.book_id[:8]).book_id == second.book_id


def test_an_import_that_fails_half_way_leaves_the_earlier_one(
    site: Desk, company: Company, report: Report, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = company.take(report(site, "a").path)
    later_act(site)
    second = report(site, "b")
    from desktop.rollup.shelf import Shelf

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Shelf, "write", full)
        with pytest.raises(SiteMusterError, match="空间"):
            company.take(second.path)
    known = company.shelf.site(site.book.book_id)
    assert known is not None and known.current == first.entry
    assert company.take(second.path).outcome == "extended"
    assert sorted(path.name for path in company.shelf.place(site.book.book_id).iterdir()) == [
        "0002", "site.json"
    ]


def test_a_copy_lost_from_the_shelf_comes_back_with_the_next_file(
    site: Desk, company: Company, report: Report
) -> None:
    first = report(site, "a")
    taken = company.take(first.path)
    place = company.shelf.place(site.book.book_id, "0001")
    shutil.rmtree(place)
    with pytest.raises(SiteMusterError, match="重新导入"):
        opened_entry(company.shelf, taken.site, taken.entry, company.private, company.clock)
    assert company.take(first.path).outcome == "unchanged" and (place / "book.db").is_file()
    shutil.rmtree(place)
    later_act(site)
    assert company.take(report(site, "b").path).outcome == "extended", "the head is enough"

"""Somebody is erased: nothing of him is found anywhere, everything is proven as before."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import select

from desktop.access.desk import Desk
from desktop.bootstrap import leaf_readers
from desktop.errors import Refused
from desktop.months.freeze import freeze_month
from desktop.months.outlook import month_outlook
from desktop.months.papers import preview_papers
from desktop.people.queries import RosterQuery, roster_ids, roster_rows
from desktop.people.tables import Person
from desktop.punches import originals
from desktop.punches.tables import Alias, Punch, TerminalPerson
from desktop.punches.verification import LedgerVerdict, verify_ledger
from desktop.retention.rules import RecordClass
from desktop.retention.tables import LegalHold
from desktop.site.tables import Company, Staff, Team
from reports.paper import texts
from tests.attendance.crew import MONTH, month_of, symbols
from tests.retention.site_over import Site, decrypted_pages, dumped, purged
from tests.storage.rig import database_key, foreign_hand


def verified(desk: Desk) -> LedgerVerdict:
    return verify_ledger(desk.book, desk.project_id, leaf_readers(desk.book))


def everything_of(desk: Desk) -> str:
    """All rows, all pages in clear, all kept files, the names of all files."""
    with foreign_hand(desk.book.database_file, database_key(desk.book)) as hand:
        parts = [dumped(hand)]
    pages = decrypted_pages(desk)
    parts += [pages.decode("utf-8", "ignore"), pages.decode("gb18030", "ignore")]
    folder = desk.book.path / originals.FOLDER
    for file in folder.iterdir():
        content = b"".join(originals.read(desk.book, bytes.fromhex(file.name)))
        parts += [content.decode("utf-8", "ignore"), content.decode("gb18030", "ignore")]
    return "\n".join([*parts, *(path.name for path in desk.book.path.rglob("*"))])


@pytest.mark.file_only
def test_nothing_of_the_person_is_found_and_the_ledger_is_whole(site: Site) -> None:
    desk = site.desk
    before = verified(desk)
    assert before.ok and before.erased == 0
    with foreign_hand(desk.book.database_file, database_key(desk.book)) as hand:
        held = dumped(hand)
    clear = decrypted_pages(desk)
    for needle in (site.identity.name, site.identity.id_number, site.identity.phone):
        assert needle in held and needle.encode() in clear, "this search would find him"

    purged(site, RecordClass.ATTENDANCE)
    result = purged(site, RecordClass.LEDGER, workers=[1001])
    assert result.scrubbed and result.doubtful == 0 and result.names_kept == {}
    assert result.counts == {
        "audit_act": 2, "board_version": 1, "contact": 3, "contract": 1, "explanation": 1,
        "month_row": 1, "month_version": 1, "person": 1, "punch": 11, "punch_quarantine": 1,
        "terminal_person": 0, "text": 4,
    }
    found = everything_of(desk)
    assert [needle for needle in site.needles if needle in found] == []
    assert "同事" not in found, "names that terminals told go with the raw data"

    after = verified(desk)
    assert after.ok and after.flaws == ()
    assert (after.punches, after.quarantined) == (before.punches, before.quarantined)
    assert after.erased == 18
    assert after.segments > before.segments


def test_the_numbers_stay_and_lead_to_nobody(site: Site) -> None:
    desk = site.desk
    computed = symbols(month_of(desk), site.gone)
    purged(site, RecordClass.ATTENDANCE)
    purged(site, RecordClass.LEDGER, workers=[1001])
    assert symbols(month_of(desk), site.gone) == computed, "punches are still his number's"
    with desk.book.read() as session:
        rows = roster_rows(
            session, desk.book.sealer, roster_ids(session, desk.project_id, RosterQuery())
        )
        assert {row.worker_no: row.name for row in rows} == {
            1001: "已清除1001", 1002: site.colleague.name
        }
        assert site.identity.id_number[-4:] not in {row.id_number[-4:] for row in rows}
        (alias,) = session.scalars(select(Alias)).all()
        numbers = set(
            session.scalars(select(Punch.number).where(Punch.terminal_id == site.terminals["出"]))
        )
        assert alias.number == "已清除1001-1" and numbers == {alias.number, "1002"}


def test_an_old_month_prints_and_is_not_frozen_again(site: Site) -> None:
    desk = site.desk
    digests = [len(paper.document.pages) for paper in preview_papers(desk, MONTH)]
    purged(site, RecordClass.ATTENDANCE)
    purged(site, RecordClass.LEDGER, workers=[1001])
    papers = preview_papers(desk, MONTH)
    said = "".join(text for one in papers for page in one.document.pages for text in texts(page))
    assert [len(paper.document.pages) for paper in papers] == digests
    assert "（已清除）" in said and site.colleague.name in said
    assert site.identity.name not in said
    assert month_outlook(desk, MONTH).changed == [], "an erased name is no change of the facts"
    with pytest.raises(Refused, match="不再冻结") as refusal:
        freeze_month(desk, MONTH, accept_open="再来一次")
    assert refusal.value.code == "month_erased"


@pytest.mark.file_only
def test_the_whole_project_goes_with_its_contacts(site: Site) -> None:
    desk = site.desk
    purged(site, RecordClass.ATTENDANCE)
    result = purged(site, RecordClass.LEDGER)
    assert result.counts["person"] == 2 and result.counts["board_version"] == 1
    found = everything_of(desk)
    for needle in (*site.needles, site.colleague.name, "简督", "19900000006", "柳钢筋"):
        assert needle not in found, needle
    assert verified(desk).ok
    with desk.book.read() as session:
        assert {row.name for row in session.scalars(select(Staff))} == {"已清除"}
        assert session.scalars(select(Company)).all(), "companies are no persons"
    with pytest.raises(Refused, match="已清除过2人") as refusal:
        purged(site, RecordClass.LEDGER)
    assert refusal.value.code == "nothing_due"


def test_a_namesake_who_stays_keeps_his_mentions(site: Site) -> None:
    """A name two people bear proves nothing in a free text; numbers still do."""
    desk = site.desk
    with desk.book.write() as session:
        session.get_one(Person, site.colleague.person_id).name = site.identity.name
    purged(site, RecordClass.ATTENDANCE)
    result = purged(site, RecordClass.LEDGER, workers=[1001])
    assert result.doubtful == 1
    with desk.book.read() as session:
        team = session.scalars(select(Team).where(Team.name == "钢筋班")).one()
        assert team.leader == site.identity.name, "whose it is cannot be told"
        assert session.get_one(Person, site.colleague.person_id).name == site.identity.name
        assert session.get_one(Person, site.gone.person_id).name == "已清除1001"
    assert verified(desk).ok


def test_what_is_still_found_undoes_everything(site: Site) -> None:
    """A place nobody thought of: the sweep finds the number and nothing is erased at all."""
    desk = site.desk
    purged(site, RecordClass.ATTENDANCE)
    with desk.book.write() as session:
        session.add(
            Company(name=f"某公司{site.identity.phone}", credit_code="91410000MA0000099X")
        )
    before = verified(desk).head
    with pytest.raises(Refused) as refusal:
        purged(site, RecordClass.LEDGER, workers=[1001])
    assert refusal.value.code == "purge_incomplete"
    assert refusal.value.facts == {"left": {"company.name": 1}}
    assert site.identity.phone not in refusal.value.message
    with desk.book.read() as session:
        assert session.get_one(Person, site.gone.person_id).name == site.identity.name
    after = verified(desk)
    assert after.ok and after.erased == 0 and after.head != before, "the approval is in the chain"


def test_a_name_of_an_organisation_stays_and_is_told(site: Site) -> None:
    desk = site.desk
    purged(site, RecordClass.ATTENDANCE)
    with desk.book.write() as session:
        team = session.scalars(select(Team).where(Team.name == "木工班")).one()
        team.name = f"{site.identity.name}班"
    result = purged(site, RecordClass.LEDGER, workers=[1001])
    assert result.names_kept == {"team.name": 1}
    assert "班组名称1处" in result.sentence


def test_a_backup_made_before_still_holds_him_and_is_named(site: Site) -> None:
    from desktop.access.backup_desk import create_backup

    purged(site, RecordClass.ATTENDANCE)
    made = create_backup(site.desk)
    result = purged(site, RecordClass.LEDGER, workers=[1001])
    (held,) = [one for one in result.backups if one.name == made.name]
    assert held.goes_by is not None and held.goes_by.year == 2031
    assert "backup create" in result.sentence and made.name in result.sentence
    later = create_backup(site.desk)
    assert later.name not in {one.name for one in result.backups}
    assert json.dumps(result.as_json(), default=str)


def test_what_the_raw_data_purge_removes(site: Site) -> None:
    desk = site.desk
    folder = desk.book.path / originals.FOLDER
    assert len(list(folder.iterdir())) == 2
    with pytest.raises(Refused, match="原始下载") as refusal:
        purged(site, RecordClass.LEDGER, workers=[1001])
    assert refusal.value.code == "originals_first"
    result = purged(site, RecordClass.ATTENDANCE)
    assert result.files == 2 and result.bytes > 0 and list(folder.iterdir()) == []
    with desk.book.read() as session:
        assert session.scalars(select(TerminalPerson)).all() == []
        assert session.scalars(select(Punch)).first() is not None, "punches are the ledger"
    assert verified(desk).ok


def test_a_hold_that_was_lifted_keeps_its_row_without_the_name(site: Site) -> None:
    from desktop.retention.holds import HoldKind, add_hold, lift_hold

    desk = site.desk
    number = add_hold(desk, HoldKind.DISPUTE, f"{site.identity.name}申请仲裁")
    lift_hold(desk, number, f"{site.identity.name}撤回申请")
    purged(site, RecordClass.ATTENDANCE)
    purged(site, RecordClass.LEDGER, workers=[1001])
    with desk.book.read() as session:
        (row,) = session.scalars(select(LegalHold)).all()
        assert (row.reason, row.lifted_why) == ("已清除", "已清除")
    assert verified(desk).ok


def test_terminals_in_use_with_id_numbers_are_refused(site: Site) -> None:
    from desktop.punches.tables import Terminal

    desk = site.desk
    purged(site, RecordClass.ATTENDANCE)
    with desk.book.write() as session:
        session.get_one(Terminal, site.terminals["出"]).retired_on = None
    with pytest.raises(Refused, match="停用") as refusal:
        purged(site, RecordClass.LEDGER, workers=[1001])
    assert refusal.value.code == "terminals_in_use"


def test_an_interrupted_finish_is_finished_by_running_again(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk refuses the removal of a file: the database part is kept, the rest follows."""
    import os

    from desktop.errors import EnvironmentFault
    from desktop.retention import steps
    from desktop.retention.purge import run_purge

    folder = site.desk.book.path / originals.FOLDER
    unlink = Path.unlink

    def refuse(path: Path, *args: bool, **options: bool) -> None:
        if path.parent == folder:
            raise PermissionError(13, os.strerror(13))
        unlink(path, *args, **options)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", refuse)
        with pytest.raises(EnvironmentFault):
            purged(site, RecordClass.ATTENDANCE)
    with site.desk.book.read() as session:
        (purge,) = steps.purges(session, 1)
        assert purge.state == "run"
    assert len(list(folder.iterdir())) == 2
    result = run_purge(site.desk, purge.number)
    assert result.files == 2 and list(folder.iterdir()) == []
    with site.desk.book.read() as session:
        assert steps.purge_of(session, 1, purge.number).state == "finished"
    with pytest.raises(Refused, match="不能执行"):
        run_purge(site.desk, purge.number)
    assert site.clock.today() >= date(2030, 6, 30)

"""A damaged book gives what it still holds, says what it lost, and never makes a loss look whole."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable, Iterable
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from desktop.access.actor import Act
from desktop.access.backup_desk import create_backup
from desktop.access.desk import Desk
from desktop.access.salvage_desk import KIND, SALVOR, SalvageReport, salvage_book
from desktop.access.tables import AuditAct
from desktop.bootstrap import leaf_readers
from desktop.clock import FixedClock
from desktop.errors import Cancelled, SiteMusterError
from desktop.jobs import CancelToken
from desktop.punches.collect import pull
from desktop.punches.reimport import reimport
from desktop.punches.stick import import_stick
from desktop.punches.tables import Punch
from desktop.storage import chain, salvage_pages, salvage_rows
from desktop.storage.book import Book, open_book
from desktop.storage.engine import connect, create_file
from desktop.storage.pages import PAGE, salt_of
from desktop.storage.salvage_tables import after_erasure
from desktop.storage.tables import Segment
from tests.conftest import NOW, PASSPHRASE
from tests.punches.rig import MORNING, QUICK, emulator, keep, punches, stored, terminal
from tests.storage.rig import database_key, snapshot

pytestmark = pytest.mark.file_only

CLOCK = FixedClock(NOW)
STICK, PULLED, BARE = 900, 700, 200
"""Punches with a raw download (a stick, a pull) and without one."""


@pytest.fixture
def site(desk: Desk, tmp_path: Path) -> Desk:
    """A book with three kinds of punches and a few acts, closed."""
    lines = [
        f"{100001 + at % 7:>9}\t{MORNING + timedelta(seconds=97 * at)}\t1\t0\t15\t0\r\n"
        for at in range(STICK)
    ]
    stick = tmp_path / "1_attlog.dat"
    stick.write_bytes("".join(lines).encode("ascii"))
    terminal(desk, "东门进")
    import_stick(desk, stick, "东门进")
    memory = stored(PULLED, first=200001)
    with emulator(desk, memory[: PULLED // 2]) as unit:
        terminal(desk, "西门进", unit.address)
        pull(desk, timing=QUICK)
        unit.add(memory[PULLED // 2 :])
        pull(desk, timing=QUICK)
    keep(desk, terminal(desk, "南门进"), punches(BARE, first=300001))
    desk.book.close()
    return desk


def damage(folder: Path, pages: Iterable[int], size: int = 16) -> None:
    with (folder / "book.db").open("r+b") as file:
        for page in pages:
            file.seek((page - 1) * PAGE + 1000)
            file.write(os.urandom(size))


def salvaged(folder: Path, target: Path, **more: Any) -> SalvageReport:
    options: dict[str, Any] = {
        "passphrase": PASSPHRASE, "readers": leaf_readers, "reimporter": reimport, "clock": CLOCK,
    }
    return salvage_book(folder, target, **{**options, **more})


def count(folder: Path) -> int:
    return (folder / "book.db").stat().st_size // PAGE


def look(folder: Path, ask: Callable[[Any], Any]) -> Any:
    with open_book(folder, CLOCK, passphrase=PASSPHRASE) as book, book.read() as session:
        return ask(session)


def held(folder: Path) -> int:
    return int(look(folder, lambda session: session.scalar(select(func.count()).select_from(Punch))))


def pages_of(desk: Desk, table: str) -> list[int]:
    """The leaves of a table, the end of it first."""
    file, key = desk.book.database_file, database_key(desk.book)
    with closing(connect(file, key, setup=(), frozen=True)) as connection:
        (root,) = connection.execute(
            "SELECT rootpage FROM sqlite_schema WHERE name = ?", (table,)
        ).fetchone()
    vault = salvage_pages.Vault(key, salt_of(file))
    content = file.read_bytes()

    def plain(number: int) -> bytes:
        return vault.open(number, content[(number - 1) * PAGE : number * PAGE])

    return [page for page in salvage_pages.tree(plain, root) if plain(page)[0] == 0x0D]


def bare(site: Desk) -> None:
    """Without the backup that nothing here made but a migration might."""
    shutil.rmtree(site.book.path / "backups")


# ── what is saved ───────────────────────────────────────────────────────────────────────────────


def test_an_undamaged_book_comes_out_whole(site: Desk, tmp_path: Path) -> None:
    before = snapshot(site.book.path)
    report = salvaged(site.book.path, tmp_path / "saved")
    assert report.whole and report.bad_pages == () and report.reimported["new"] == 0
    assert report.reimported["files"] == 3 and report.reimported["records"] == STICK + PULLED
    assert held(tmp_path / "saved") == STICK + PULLED + BARE
    assert snapshot(site.book.path) == before


def test_lost_punches_come_back_from_the_raw_downloads(site: Desk, tmp_path: Path) -> None:
    folder, target = site.book.path, tmp_path / "saved"
    chosen = sorted(pages_of(site, "punch")[10:15])
    damage(folder, chosen)
    before = snapshot(folder)
    report = salvaged(folder, target, use_backups=False)
    assert snapshot(folder) == before  # not a single byte
    assert report.bad_pages == tuple(chosen) and not report.whole
    punch = next(one for one in report.tables if one.name == "punch")
    assert punch.lost and punch.saved < STICK + PULLED + BARE
    assert held(target) == STICK + PULLED + BARE == punch.saved + report.reimported["new"]
    # No laundering: the segments that lost records say so for ever, the gap is written down.
    assert not report.ledger_ok and any("少了" in flaw for flaw in report.flaws)
    with open_book(target, CLOCK, passphrase=PASSPHRASE) as book:
        with book.read() as session:
            (segment,) = session.scalars(select(Segment).where(Segment.kind == KIND))
            assert segment.count == 0 and segment.header["bad_pages"] == chosen
            assert segment.header["lost"]["punch"] == [list(span) for span in punch.lost]
            (act,) = session.scalars(
                select(AuditAct).where(AuditAct.act == Act.BOOK_SALVAGED.value)
            )
            assert act.actor == SALVOR.name
            assert act.facts["reimported"] == report.reimported["new"]
            verdict = chain.verify(session, 1, leaf_readers(book))
        assert [flaw.text for flaw in verdict.flaws] == list(report.flaws)
        assert create_backup(Desk(book, 1, site.actor)).ok


def test_a_backup_fills_the_gaps_row_by_row(site: Desk, tmp_path: Path) -> None:
    with open_book(site.book.path, CLOCK, passphrase=PASSPHRASE) as book:
        desk = Desk(book, 1, site.actor)
        made = create_backup(desk)
        keep(desk, 3, punches(300, first=400001))
    folder = site.book.path
    damage(folder, range(40, count(folder), 9))
    report = salvaged(folder, tmp_path / "saved")
    assert report.filled_from == made.name
    punch = next(one for one in report.tables if one.name == "punch")
    total = STICK + PULLED + BARE + 300
    assert punch.saved + punch.filled + report.reimported["new"] == held(tmp_path / "saved")
    # What the backup has is proven by the very roots of the damaged book; only newer rows miss.
    newest = total - 300
    assert all(low > newest for low, _ in punch.lost)
    assert all("少了" in flaw or "缺少" in flaw or "段首" in flaw for flaw in report.flaws)


def test_a_lost_end_of_the_chain_leaves_a_gap(site: Desk, tmp_path: Path) -> None:
    """Segment and records gone together would make a shorter chain that is whole in itself."""
    folder = site.book.path
    with open_book(folder, CLOCK, passphrase=PASSPHRASE) as book, book.write() as session:
        for number in range(60):
            Desk(book, 1, site.actor).audit(session, Act.CALENDAR_CHANGED, f"day:{number}")
    bare(site)

    damage(folder, pages_of(site, "segment")[:1])
    report = salvaged(folder, tmp_path / "saved")
    assert any("整段删除" in flaw for flaw in report.flaws)
    again = look(tmp_path / "saved", lambda session: session.scalars(
        select(Segment.sequence).order_by(Segment.sequence)
    ).all())
    assert 40 < len(again) < max(again)


def test_the_whole_chain_lost(site: Desk, tmp_path: Path) -> None:
    bare(site)
    damage(site.book.path, pages_of(site, "segment"))
    report = salvaged(site.book.path, tmp_path / "saved")
    # The verdict, what the raw downloads prove once more, the act about it.
    assert not report.ledger_ok and report.segments == 1 + 3 + 1
    assert report.reimported["new"] == 0
    assert not any("混入" in flaw or "多出" in flaw for flaw in report.flaws)
    assert any("不属于账本的任何一段" in flaw for flaw in report.flaws)
    assert held(tmp_path / "saved") == STICK + PULLED + BARE


def test_a_lost_project_gets_a_stand_in(site: Desk, tmp_path: Path) -> None:
    bare(site)
    damage(site.book.path, pages_of(site, "project"))
    report = salvaged(site.book.path, tmp_path / "saved")
    project = next(one for one in report.tables if one.name == "project")
    assert (project.saved, project.standins) == (0, 1) and not report.whole
    assert held(tmp_path / "saved") == STICK + PULLED + BARE


# ── the pages without which nothing can be read ─────────────────────────────────────────────────


@pytest.mark.parametrize("where", ["first", "salt", "deeper"])
@pytest.mark.parametrize("donor", ["backup", "program"])
def test_the_table_of_tables(site: Desk, tmp_path: Path, where: str, donor: str) -> None:
    folder = site.book.path
    with open_book(folder, CLOCK, passphrase=PASSPHRASE) as book:
        made = create_backup(Desk(book, 1, site.actor))
    key = database_key(site.book)
    pages = salvage_pages.directory(salvage_pages.Donor("", folder / "book.db", key))
    assert pages is not None and len(pages) > 3
    if donor == "program":
        bare(site)
    with (folder / "book.db").open("r+b") as file:
        file.seek({"first": 200, "salt": 3, "deeper": (max(pages) - 1) * PAGE + 50}[where])
        file.write(os.urandom(8))
    if (where, donor) == ("salt", "program"):
        with pytest.raises(SiteMusterError) as caught:  # without the salt nothing can be read
            salvaged(folder, tmp_path / "saved")
        assert caught.value.code == "beyond_salvage" and not (tmp_path / "saved").exists()
        return
    report = salvaged(folder, tmp_path / "saved")
    assert report.directory_from == {
        "backup": "" if where == "salt" else made.name, "program": "program"
    }[donor]
    assert report.ledger_ok and held(tmp_path / "saved") == STICK + PULLED + BARE


def test_pages_of_another_layout_are_no_donor(site: Desk, tmp_path: Path) -> None:
    other = tmp_path / "other.db"
    key = database_key(site.book)
    create_file(other, key)
    with closing(connect(other, key)) as made:
        made.execute("CREATE TABLE punch (id INTEGER PRIMARY KEY)")
    copy = Path(shutil.copyfile(site.book.database_file, tmp_path / "copy.db"))
    with copy.open("r+b") as file:
        file.seek(500)
        file.write(b"\0" * 9)
    with pytest.raises(SiteMusterError) as caught:
        salvage_pages.mend(
            copy, key, lambda: [salvage_pages.Donor("x", other, key, by_program=True)]
        )
    assert caught.value.code == "beyond_salvage"


def test_a_file_that_was_cut(site: Desk, tmp_path: Path) -> None:
    file = site.book.database_file
    with file.open("r+b") as target:
        target.truncate(file.stat().st_size * 2 // 3 + 100)
    report = salvaged(site.book.path, tmp_path / "saved")
    assert not report.whole and len(report.bad_pages) > 10
    # Everything with a raw download is there again, or was not lost.
    assert held(tmp_path / "saved") >= STICK + PULLED


def test_beyond_salvage(site: Desk, tmp_path: Path) -> None:
    file = site.book.database_file
    file.write_bytes(os.urandom(file.stat().st_size))
    with pytest.raises(SiteMusterError) as caught:
        salvaged(site.book.path, tmp_path / "saved")
    assert caught.value.code == "beyond_salvage" and "恢复" in caught.value.message
    assert not (tmp_path / "saved").exists()


def test_what_was_erased_does_not_come_back_from_a_backup() -> None:
    """Rows of before the erasure are filled in as its tombstone left them."""
    columns = ("id", "person_id", "personal_sealed", "salt", "leaf")
    shape = salvage_rows.Shape("month_row", "", columns, frozenset(), numbered=True)
    row = (7, 7, 1, b"sealed", b"salt", b"leaf")
    stone = {"kept": b"k", "replacement": "已清除-7"}
    assert after_erasure(shape, row, {}) == row
    assert after_erasure(shape, row, {7: stone}) == (7, 7, 1, None, None, b"leaf")
    punch = salvage_rows.Shape("punch", "", ("id", "number", "raw"), frozenset(), numbered=True)
    assert after_erasure(punch, (7, 7, b"100001", b"raw"), {7: stone}) == (7, 7, "已清除-7", b"k")
    gone = salvage_rows.Shape("person", "", ("id", "name"), frozenset(), numbered=True)
    assert after_erasure(gone, (7, 7, b"x"), {7: stone}) is None


# ── everything else ─────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("seed", range(6))
def test_any_damage_gives_a_book_that_opens_and_tells(
    site: Desk, tmp_path: Path, seed: int
) -> None:
    dice = random.Random(seed)
    folder, total = site.book.path, count(site.book.path)
    hurt = dice.sample(range(1, total + 1), dice.choice((1, 3, 12, 40)))
    damage(folder, hurt, dice.choice((4, 3000)))
    report = salvaged(folder, tmp_path / "saved")
    assert set(report.bad_pages) == set(hurt)
    with open_book(tmp_path / "saved", CLOCK, passphrase=PASSPHRASE) as book, book.read() as session:
        verdict = chain.verify(session, 1, leaf_readers(book))
        lost = {one.name for one in report.tables if one.lost}
        ledgers = {"segment", "audit_act", "punch", "punch_sighting"}
        assert verdict.ok or lost & ledgers
        assert not (lost & {"segment", "audit_act"}) or not verdict.ok


def test_what_is_refused(
    site: Desk, open_copy: Callable[[Path], Book], empty_template: Path, tmp_path: Path
) -> None:
    folder = site.book.path
    full = tmp_path / "full"
    full.mkdir()
    (full / "letter.txt").write_text("x")
    token = CancelToken()
    token.set()
    for code, source, target, more in (
        ("wrong_passphrase", folder, tmp_path / "saved", {"passphrase": "no"}),
        ("folder_occupied", folder, full, {}),
        ("out_in_book", folder, folder / "saved", {}),
        ("no_book", tmp_path / "nothing", tmp_path / "saved", {}),
        ("cancelled", folder, tmp_path / "saved", {"cancel": token}),
    ):
        with pytest.raises((SiteMusterError, Cancelled)) as caught:
            salvaged(source, target, **more)  # type: ignore[arg-type]
        assert caught.value.code == code
    in_use = open_copy(empty_template)
    with pytest.raises(SiteMusterError) as caught:
        salvaged(in_use.path, tmp_path / "saved")
    assert caught.value.code == "book_in_use"
    assert not [path for path in tmp_path.iterdir() if "saved" in path.name]

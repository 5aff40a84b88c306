"""A backup becomes a book again: on an empty machine, over a damaged book, never over another."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from desktop.access.actor import Act, Role
from desktop.access.backup_desk import backup_status, create_backup, list_backups
from desktop.access.desk import Desk
from desktop.access.restore_desk import (
    HOLDER,
    DrillReport,
    RestoreReport,
    drill,
    restore_backup,
    verify_backup,
)
from desktop.access.tables import AuditAct
from desktop.access.users import add_user, set_password
from desktop.bootstrap import leaf_readers
from desktop.clock import FixedClock
from desktop.errors import SiteMusterError
from desktop.punches import originals
from desktop.storage import slot_change, swap
from desktop.storage.book import Book, create_book, open_book
from desktop.storage.bundle import digest_of, manifest_of
from desktop.storage.card import restoring_beside
from tests import old_books
from tests.conftest import CHEAP, NOW, PASSPHRASE
from tests.punches.rig import keep, punches, terminal
from tests.storage import dying
from tests.storage.rig import database_key, forge, snapshot

pytestmark = pytest.mark.file_only

CLOCK = FixedClock(NOW)


@pytest.fixture
def site(desk: Desk) -> Desk:
    """A book with punches, one raw download, and a recovery code known to the test."""
    keep(desk, terminal(desk), punches(300))
    originals.copy(desk.book, io.BytesIO(b"1\t2026-11-02 06:30:00\t1\t0\t15\t0\r\n" * 50)).keep()
    return desk


@pytest.fixture
def code(site: Desk) -> str:
    return slot_change.renew_recovery_code(site.book, cost=CHEAP)


def restored(bundle: Path, folder: Path, **more: object) -> RestoreReport:
    options = {"passphrase": PASSPHRASE, "readers": leaf_readers, "clock": CLOCK, **more}
    return restore_backup(bundle, folder, **options)  # type: ignore[arg-type]


def refusal(act: Callable[..., object], *given: Any, **more: Any) -> SiteMusterError:
    with pytest.raises(SiteMusterError) as caught:
        act(*given, **more)
    return caught.value


def acts(book: Book, act: Act) -> list[AuditAct]:
    with book.read() as session:
        return list(session.scalars(select(AuditAct).where(AuditAct.act == act.value)))


# ── an empty machine ────────────────────────────────────────────────────────────────────────────


def test_on_an_empty_machine_with_only_the_bundle_and_the_recovery_code(
    site: Desk, code: str, tmp_path: Path
) -> None:
    made = create_backup(site)
    # The folder of the bundle alone, copied by hand as anybody would.
    alone = Path(shutil.copytree(made.path, tmp_path / "stick" / made.name))
    site.book.close()
    shutil.rmtree(site.book.path)
    place = tmp_path / "new machine" / "here" / "book"
    report = restored(alone, place, passphrase=None, recovery_code=code)
    assert report.ledger.ok and report.aside is None and report.missing == ()
    assert report.relation.kind == "unknown" and not report.bind_offered
    with open_book(place, CLOCK, passphrase=PASSPHRASE) as book:
        (act,) = acts(book, Act.BOOK_RESTORED)
        assert act.actor == HOLDER.name
        assert act.facts["head"] == made.heads[0].hash.hex()
        assert act.facts["digest"] == made.digest
        (kept,) = (place / originals.FOLDER).iterdir()
        content = b"".join(originals.read(book, bytes.fromhex(kept.name)))
        assert len(content) == 50 * 32
    assert [one.name for one in place.parent.iterdir()] == ["book"]


def test_the_drill_leaves_nothing_but_its_act(site: Desk, code: str, tmp_path: Path) -> None:
    made = create_backup(site)
    work = tmp_path / "work"
    work.mkdir()
    report: DrillReport = drill(
        made.path, recovery_code=code, readers=leaf_readers, clock=CLOCK, desk=site, work=work
    )
    assert report.ok and report.audited and report.rows > 300
    assert set(report.times) == {"unlock", "copy", "open", "ledger", "total"}
    assert list(work.iterdir()) == []
    (act,) = acts(site.book, Act.RESTORE_DRILLED)
    assert act.facts["digest"] == made.digest and act.facts["ok"] is True
    wrong = "000000-" * 7 + "000011"
    assert refusal(
        lambda: drill(made.path, recovery_code=wrong, readers=leaf_readers, clock=CLOCK)
    ).code == "wrong_recovery_code"


def test_a_bundle_of_the_first_release(tmp_path: Path, old_book: Callable[[], Path]) -> None:
    """It says less of itself, and its tables are brought up to date."""
    folder = old_book()
    with open_book(folder, CLOCK):  # migrates, and copies first
        pass
    bundle = list_backups(folder)[0].path
    manifest = json.loads((bundle / "manifest.json").read_text("utf-8"))
    for newer in ("format", "seal", "parts", "files", "counts", "size", "salt", "program"):
        manifest.pop(newer)
    (bundle / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    verdict = verify_backup(bundle, readers=leaf_readers, clock=CLOCK)
    assert verdict.ok and verdict.ledger is not None and verdict.ledger.ok
    report = restored(bundle, tmp_path / "again", passphrase=None)
    assert report.ledger.ok and report.schema_before == "0001"


@pytest.fixture
def old_book(tmp_path: Path) -> Callable[[], Path]:
    """A demo book of release 0.1.0, unpacked."""
    def unpack() -> Path:
        old_books.unpack("0.1.0", tmp_path / "old")
        (card,) = (tmp_path / "old").rglob("book.json")
        return card.parent

    return unpack


# ── over a book that is there ───────────────────────────────────────────────────────────────────


def test_over_a_damaged_book(site: Desk, tmp_path: Path) -> None:
    made = create_backup(site)
    folder = site.book.path
    site.book.close()
    damaged = bytearray((folder / "book.db").read_bytes())
    damaged[4096 * 5 : 4096 * 9] = bytes(4 * 4096)
    (folder / "book.db").write_bytes(damaged)
    report = restored(made.path, folder)
    assert report.aside is not None and ".被替换-20261124-160000" in report.aside.name
    assert (report.aside / "book.db").read_bytes() == bytes(damaged)  # quarantined, not touched
    assert (folder / "backups" / made.name / "manifest.json").is_file()
    assert list((folder / "backups" / "store").iterdir())
    with open_book(folder, CLOCK, passphrase=PASSPHRASE) as book:
        assert len(acts(book, Act.BOOK_RESTORED)) == 1
        again = create_backup(Desk(book, 1, site.actor))
        assert again.ok
    assert not restoring_beside(folder).exists()


def test_an_older_one_is_known_and_asked_for(site: Desk) -> None:
    first = create_backup(site)
    keep(site, 1, punches(100, first=200001))
    site.book.clock.instant = NOW + timedelta(hours=1)  # type: ignore[attr-defined]
    second = create_backup(site)
    verdict = verify_backup(
        first.path, passphrase=PASSPHRASE, readers=leaf_readers, clock=CLOCK, desk=site
    )
    assert verdict.ok and verdict.relation.kind == "older" and verdict.relation.behind == 3
    assert any("旧（" in note and second.name in note for note in verdict.notes)
    folder = site.book.path
    site.book.close()
    before = snapshot(folder)
    said = refusal(lambda: restored(first.path, folder))
    assert said.code == "backup_older" and second.name in said.message
    assert snapshot(folder) == before
    report = restored(first.path, folder, accept_older=True)
    assert report.relation.behind == 4
    with open_book(folder, CLOCK, passphrase=PASSPHRASE) as book:
        (act,) = acts(book, Act.BOOK_RESTORED)
        assert (act.facts["sequence"], act.facts["relation"]) == (first.heads[0].sequence, "older")


def test_backups_of_the_branch_that_was_left(site: Desk) -> None:
    """After going back to an older one, those made since are of another branch, and known as that;
    the new branch is covered by its own."""
    first = create_backup(site)
    keep(site, 1, punches(100, first=200001))
    left = create_backup(site)
    folder = site.book.path
    site.book.close()
    restored(first.path, folder, accept_older=True)
    with open_book(folder, CLOCK, passphrase=PASSPHRASE) as book:
        desk = Desk(book, 1, site.actor)
        assert backup_status(desk).changed
        verdict = verify_backup(
            left.path, passphrase=PASSPHRASE, readers=leaf_readers, clock=CLOCK, desk=desk
        )
        assert verdict.relation.kind == "newer" and verdict.ok
        assert any("恢复之前" in note for note in verdict.notes)
        own = create_backup(desk)
        assert own.reach <= left.reach
        status = backup_status(desk)
        assert status.last is not None and status.last.name == own.name and not status.changed
        keep(desk, 1, punches(90, first=500001))
        keep(desk, 1, punches(90, first=600001))
        verdict = verify_backup(
            left.path, passphrase=PASSPHRASE, readers=leaf_readers, clock=CLOCK, desk=desk
        )
        assert verdict.relation.kind == "other_chain" and verdict.ok
        assert any("恢复之前" in note for note in verdict.notes)
    assert left.path.is_dir()


def test_a_backup_swapped_for_an_older_one(site: Desk) -> None:
    """Somebody puts yesterday's content under today's name: the registered digest tells."""
    first = create_backup(site)
    keep(site, 1, punches(100, first=200001))
    second = create_backup(site)
    shutil.rmtree(second.path)
    shutil.copytree(first.path, second.path)
    assert digest_of(second.path) != second.digest
    verdict = verify_backup(
        second.path, passphrase=PASSPHRASE, readers=leaf_readers, clock=CLOCK, desk=site
    )
    assert verdict.ledger is not None and verdict.ledger.ok  # a perfect backup, only not that one
    assert not verdict.ok and ["被换过" in flaw for flaw in verdict.flaws] == [True]
    assert set(verdict.flaws) < set(verdict.notes)
    folder = site.book.path
    site.book.close()
    assert refusal(lambda: restored(second.path, folder)).code == "backup_older"


def test_the_secrets_of_today_open_yesterdays_backup(site: Desk, code: str) -> None:
    made = create_backup(site)
    slot_change.set_passphrase(site.book, "新的口令 2", cost=CHEAP)
    folder = site.book.path
    site.book.close()
    report = restored(made.path, folder, passphrase="新的口令 2", accept_older=True)
    assert report.ledger.ok
    open_book(folder, CLOCK, passphrase="新的口令 2").close()
    assert refusal(lambda: open_book(folder, CLOCK, passphrase=PASSPHRASE)).code == "wrong_passphrase"


def test_a_book_with_users_asks_for_its_administrator(site: Desk, code: str, tmp_path: Path) -> None:
    set_password(site, "管理员", "administrator 1")
    add_user(site, "赵员", Role.LABOUR_OFFICER, "officer pass 1")
    made = create_backup(site)
    place = tmp_path / "place"
    assert refusal(lambda: restored(made.path, place)).code == "login_needed"
    officer = {"user": "赵员", "password": "officer pass 1"}
    assert refusal(lambda: restored(made.path, place, **officer)).code == "not_permitted"
    assert not place.exists()
    chief = {"user": "管理员", "password": "administrator 1"}
    assert restored(made.path, place, **chief).ledger.ok
    by_paper = tmp_path / "paper"
    assert restored(made.path, by_paper, passphrase=None, recovery_code=code).ledger.ok


# ── what is refused ─────────────────────────────────────────────────────────────────────────────


def test_what_is_refused_leaves_the_place_untouched(
    site: Desk, open_copy: Callable[[Path], Book], empty_template: Path, tmp_path: Path
) -> None:
    made = create_backup(site)
    papers = tmp_path / "papers"
    papers.mkdir()
    (papers / "letter.txt").write_text("x")
    own = site.book.path
    newer = Path(shutil.copytree(made.path, tmp_path / made.name))
    body = json.loads((newer / "manifest.json").read_text("utf-8"))
    (newer / "manifest.json").write_text(json.dumps({**body, "schema": "9999"}), "utf-8")
    other_format = Path(shutil.copytree(made.path, tmp_path / f"f{made.name}"))
    (other_format / "manifest.json").write_text(json.dumps({**body, "format": 99}), "utf-8")
    before = snapshot(own), snapshot(papers)
    for bundle, place, wanted, secret in (
        (made.path, own, "book_in_use", PASSPHRASE),
        (made.path, papers, "folder_occupied", PASSPHRASE),
        (made.path, tmp_path / "fresh", "wrong_passphrase", "no"),
        (newer, tmp_path / "fresh", "bundle_newer", PASSPHRASE),
        (other_format, tmp_path / "fresh", "bundle_newer", PASSPHRASE),
        (papers, tmp_path / "fresh", "no_bundle", PASSPHRASE),
    ):
        said = refusal(restored, bundle, place, passphrase=secret)
        assert said.code == wanted, said.message
        assert "未做任何改动" in said.message
    assert (snapshot(own), snapshot(papers)) == before
    assert not (tmp_path / "fresh").exists()
    site.book.close()
    other, _ = another_book(tmp_path / "other")
    before_other = snapshot(other)
    assert refusal(lambda: restored(made.path, other)).code == "other_book"
    assert snapshot(other) == before_other


def another_book(folder: Path) -> tuple[Path, str]:
    book, code = create_book(folder, CLOCK, passphrase=PASSPHRASE, cost=CHEAP)
    book.close()
    return folder, code


def test_a_bundle_damaged_anywhere_is_refused(site: Desk, tmp_path: Path) -> None:
    made = create_backup(site)
    for number, (name, at) in enumerate((
        ("book.db", 4096 * 7 + 11), ("manifest.json", 40), ("keyslots.json", 70),
        ("book.json", 20), ("book.db", 3),
    )):
        broken = Path(shutil.copytree(made.path, tmp_path / str(number) / made.name))
        content = bytearray((broken / name).read_bytes())
        content[at] ^= 0x21
        (broken / name).write_bytes(content)
        said = refusal(restored, broken, tmp_path / "place")
        assert said.code in ("bundle_damaged", "key_slots_damaged", "wrong_passphrase"), said.code
        assert not (tmp_path / "place").exists()
    # A raw download that is gone is told, and keeps nobody from his book.
    poor = Path(shutil.copytree(made.path, tmp_path / "poor" / made.name))
    shutil.rmtree(poor / "originals")
    report = restored(poor, tmp_path / "place")
    assert len(report.missing) == 1 and report.ledger.ok


def test_a_manifest_written_anew_without_the_key(site: Desk, tmp_path: Path) -> None:
    """The thief can compute digests but not the seal."""
    made = create_backup(site)
    forged = Path(shutil.copytree(made.path, tmp_path / made.name))
    body = json.loads((forged / "manifest.json").read_text("utf-8"))
    body["heads"] = []
    (forged / "manifest.json").write_text(json.dumps(body), "utf-8")
    assert refusal(lambda: restored(forged, tmp_path / "place")).code == "bundle_damaged"
    body["files"] = [{"path": "../evil", "sha256": "0" * 64, "size": 1}]
    (forged / "manifest.json").write_text(json.dumps(body), "utf-8")
    assert refusal(lambda: restored(forged, tmp_path / "place")).code == "bundle_damaged"


def test_a_backup_whose_ledger_does_not_hold(site: Desk, tmp_path: Path) -> None:
    forge(site.book.database_file, database_key(site.book), "DELETE FROM punch WHERE id = 17")
    made = create_backup(site)
    verdict = verify_backup(made.path, passphrase=PASSPHRASE, readers=leaf_readers, clock=CLOCK)
    assert not verdict.ok and verdict.ledger is not None and not verdict.ledger.ok
    place = tmp_path / "place"
    said = refusal(lambda: restored(made.path, place))
    assert said.code == "backup_flawed" and not place.exists()
    report = restored(made.path, place, accept_flaws=True)
    assert not report.ledger.ok and report.ledger.first_bad


def test_not_enough_room(site: Desk, tmp_path: Path) -> None:
    """Asked before anything is copied; the bundle says it is larger than any disk."""
    made = create_backup(site)
    huge = Path(shutil.copytree(made.path, tmp_path / made.name))
    manifest = manifest_of(huge)
    enormous = replace(manifest, files=(replace(manifest.files[0], size=1 << 60),))
    (huge / "manifest.json").write_bytes(enormous.text(database_key(site.book)))
    place, work = tmp_path / "a" / "place", tmp_path / "work"
    work.mkdir()
    said = refusal(lambda: restored(huge, place))
    assert said.code == "no_room" and " GB" in said.message
    assert not place.parent.exists()
    said = refusal(
        lambda: drill(
            huge, passphrase=PASSPHRASE, readers=leaf_readers, clock=CLOCK, work=work
        )
    )
    assert said.code == "no_room" and list(work.iterdir()) == []


# ── killed at any instant ───────────────────────────────────────────────────────────────────────

def test_killed_between_any_two_renames(site: Desk, tmp_path: Path) -> None:
    """Either the old or the new book is there, and the next opening says what happened."""
    made = create_backup(site)
    keep(site, 1, punches(100, first=200001))
    folder = site.book.path
    site.book.close()
    places = [
        Path(shutil.copytree(folder, tmp_path / f"{steps}" / "book")) for steps in range(7)
    ]
    outcomes = dying.run([
        {
            "act": "restore", "place": str(place), "steps": steps,
            "bundle": str(place / "backups" / made.name),
        }
        for steps, place in enumerate(places)
    ])
    news = []
    for place, outcome in zip(places, outcomes, strict=True):
        with open_book(place, CLOCK, passphrase=PASSPHRASE) as book:
            news.append(len(acts(book, Act.BOOK_RESTORED)) == 1)
            notices = list(book.notices)
        assert (place / "backups" / made.name / "book.db").exists()
        assert not restoring_beside(place).exists()
        assert bool(notices) == (outcome == "killed")
        kept = [one.name for one in place.parent.iterdir() if "被替换" in one.name]
        assert len(kept) == (1 if news[-1] else 0)
    assert news == sorted(news) and not news[0] and news[-1]
    assert outcomes[0] == "killed" and outcomes[-1] == "done"
    assert any(new and outcome == "killed" for new, outcome in zip(news, outcomes, strict=True))


def test_no_new_book_in_the_moment_between(site: Desk, tmp_path: Path) -> None:
    """The name is free for an instant; a new book must not take it."""
    made = create_backup(site)
    folder = site.book.path
    site.book.close()
    (outcome,) = dying.run([
        {"act": "restore", "place": str(folder), "steps": 1, "bundle": str(made.path)}
    ])
    assert outcome == "killed" and not folder.exists()
    said = refusal(create_book, folder, CLOCK, passphrase=PASSPHRASE, cost=CHEAP)
    assert said.code == "book_exists"
    with open_book(folder, CLOCK, passphrase=PASSPHRASE) as book:
        assert len(acts(book, Act.BOOK_RESTORED)) == 1


UNPACKER = """
import sys
from tests.storage import dying
print("ready", flush=True)
dying.restore(sys.argv[1], sys.argv[2])
"""


@pytest.mark.parametrize("seconds", [0.0, 0.1])
def test_killed_while_unpacking(site: Desk, tmp_path: Path, seconds: float) -> None:
    made = create_backup(site)
    site.book.close()
    place = tmp_path / "place" / "book"
    process = subprocess.Popen(
        [sys.executable, "-c", UNPACKER, str(place), str(made.path)],
        stdout=subprocess.PIPE, text=True, cwd=dying.ROOT,
    )
    assert process.stdout is not None and process.stdout.readline() == "ready\n"
    time.sleep(seconds)
    process.kill()
    process.communicate()
    if not (place / "book.json").exists():
        assert restored(made.path, place).ledger.ok
    open_book(place, CLOCK, passphrase=PASSPHRASE).close()
    assert [one.name for one in place.parent.iterdir()] == ["book"]


def test_somebody_else_is_restoring(site: Desk) -> None:
    made = create_backup(site)
    folder = site.book.path
    site.book.close()
    under_way = swap.Swap(folder)
    for act in (
        lambda: open_book(folder, CLOCK, passphrase=PASSPHRASE),
        lambda: restored(made.path, folder),
    ):
        assert refusal(act).code == "restore_running"
    under_way.abandon()
    open_book(folder, CLOCK, passphrase=PASSPHRASE).close()

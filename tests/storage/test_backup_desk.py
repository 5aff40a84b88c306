"""Backups as an office makes them: when due, once what never changes, thinned, at two places."""

from __future__ import annotations

import io
import json
import os
import shutil
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from desktop.access.actor import Act, Actor, Role
from desktop.access.backup_desk import (
    BackupSettings,
    backup_settings,
    backup_status,
    create_backup,
    due,
    export_backup,
    list_backups,
    second_place_backups,
    set_backup_settings,
)
from desktop.access.desk import Desk
from desktop.access.restore_desk import restore_backup, verify_backup
from desktop.access.tables import AuditAct
from desktop.bootstrap import leaf_readers
from desktop.clock import FixedClock
from desktop.errors import Cancelled, NotPermitted, SiteMusterError
from desktop.jobs import CancelToken
from desktop.punches import originals
from desktop.storage import backup
from desktop.storage.book import Book, open_book
from desktop.storage.bundle import shelf
from desktop.storage.second_place import MARKER, copy_there, folder_in
from tests.conftest import NOW, PASSPHRASE
from tests.punches.rig import keep, proven, punches, terminal
from tests.storage import dying
from tests.storage.small_disk import read_only, scarce, small_disk

pytestmark = pytest.mark.file_only

DAY = timedelta(days=1)


@pytest.fixture
def site(desk: Desk) -> Desk:
    keep(desk, terminal(desk), punches(200))
    return desk


def later(desk: Desk, by: timedelta) -> datetime:
    clock = desk.clock
    assert isinstance(clock, FixedClock)
    clock.instant += by
    return clock.instant


def original(desk: Desk, content: bytes) -> None:
    originals.copy(desk.book, io.BytesIO(content)).keep()


def refusal(act: Callable[..., object], *given: Any, **more: Any) -> SiteMusterError:
    with pytest.raises(SiteMusterError) as caught:
        act(*given, **more)
    return caught.value


def acts(desk: Desk, act: Act) -> list[AuditAct]:
    with desk.book.read() as session:
        return list(
            session.scalars(select(AuditAct).where(AuditAct.act == act.value).order_by(AuditAct.id))
        )


def names(place: Path) -> list[str]:
    return sorted(path.name for path in place.iterdir())


# ── making ──────────────────────────────────────────────────────────────────────────────────────


def test_a_backup_leaves_an_act_with_its_head_and_digest(site: Desk) -> None:
    made = create_backup(site)
    (act,) = acts(site, Act.BACKUP_CREATED)
    assert act.facts["digest"] == made.digest and act.subject == f"backup:{made.name}"
    assert act.facts["heads"] == [made.heads[0].as_json()]
    (listed,) = list_backups(site.book.path)
    assert listed == replace(made, ok=None) and made.ok is True
    verdict = verify_backup(
        made.path, passphrase=PASSPHRASE, readers=leaf_readers, clock=site.clock, desk=site
    )
    assert verdict.ok and verdict.ledger is not None and verdict.ledger.ok
    assert (verdict.relation.kind, verdict.relation.behind, verdict.notes) == ("older", 1, ())
    assert proven(site).ok


def test_when_one_is_due(site: Desk) -> None:
    now = site.clock.now()
    assert due(site.book, now)
    create_backup(site, reason="daily")
    assert not due(site.book, now)
    assert not due(site.book, now + 3 * DAY)  # nothing happened but the backup itself
    assert "今天，之后账本没有改动" in backup_status(site).sentence
    keep(site, 1, punches(10, first=300001))
    assert not due(site.book, now + timedelta(hours=23))
    assert due(site.book, now + timedelta(hours=24, seconds=1))
    later(site, 3 * DAY)
    status = backup_status(site)
    assert status.due and status.changed and "3天前，之后账本有改动" in status.sentence
    set_backup_settings(site, BackupSettings(daily_at=time(18)))
    for hour, wanted in ((17, False), (18, True), (19, True)):
        moment = NOW.replace(hour=hour - 8)
        assert due(site.book, moment) is wanted, hour
    # A clock set back by a year: the backup "from the future" does not count, the new one does.
    set_backup_settings(site, BackupSettings())
    past = later(site, -365 * DAY)
    assert due(site.book, past)
    create_backup(site, reason="daily")
    assert not due(site.book, past)
    assert len(list_backups(site.book.path)) == 2


def test_raw_downloads_lie_there_once(site: Desk, tmp_path: Path) -> None:
    original(site, b"one" * 1000)
    first = create_backup(site)
    original(site, b"two" * 1000)
    later(site, DAY)
    second = create_backup(site)
    store = site.book.path / "backups" / "store"
    assert len(names(store)) == 2
    for name in names(first.path / "originals"):
        inodes = {(one.path / "originals" / name).stat().st_ino for one in (first, second)}
        assert len(inodes) == 1
    # Where links are unknown the store alone holds them; a bundle by itself is then exported.
    shutil.rmtree(second.path / "originals")
    check = {"passphrase": PASSPHRASE, "readers": leaf_readers, "clock": site.clock}
    assert verify_backup(second.path, **check).ok  # type: ignore[arg-type]
    alone = export_backup(site, second.path, tmp_path / "stick")
    assert len(names(alone / "originals")) == 2 and names(alone.parent) == [second.name]
    assert verify_backup(alone, **check).ok  # type: ignore[arg-type]
    assert refusal(export_backup, site, second.path, tmp_path / "stick").code == "backup_exported"
    assert refusal(export_backup, site, second.path, site.book.path).code == "out_in_book"
    # One damaged in the store is found, and told by name.
    (kept,) = [one for one in store.iterdir() if one.stat().st_nlink == 1]
    content = bytearray(kept.read_bytes())
    content[50] ^= 1
    kept.write_bytes(content)
    verdict = verify_backup(second.path, **check)  # type: ignore[arg-type]
    assert not verdict.ok and len(verdict.missing) == 1 and not verdict.flaws


def test_while_others_write_and_read(site: Desk) -> None:
    """The copy is one instant of the book; nobody waits for it."""
    stop, stored = threading.Event(), [0]

    def write() -> None:
        while not stop.is_set():
            keep(site, 1, punches(40, first=400001 + 10 * stored[0]))
            stored[0] += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        made = [create_backup(site) for _ in range(4)]
    finally:
        stop.set()
        writer.join()
    assert stored[0] > 4
    reach = [one.reach for one in made]
    assert reach == sorted(set(reach))
    for one in made:
        verdict = verify_backup(
            one.path, passphrase=PASSPHRASE, readers=leaf_readers, clock=site.clock
        )
        assert verdict.ok, verdict.flaws


def test_who_may(site: Desk) -> None:
    for role, allowed in (
        (Role.INSPECTOR, False), (Role.TECHNICIAN, False), (Role.LABOUR_OFFICER, True),
    ):
        desk = Desk(site.book, 1, Actor("某人", role))
        if allowed:
            assert create_backup(desk).ok
        else:
            with pytest.raises(NotPermitted):
                create_backup(desk)
        with pytest.raises(NotPermitted):
            set_backup_settings(desk, BackupSettings())


# ── what goes wrong ─────────────────────────────────────────────────────────────────────────────


def test_a_damaged_book_keeps_its_last_good_backup(site: Desk) -> None:
    original(site, b"raw")
    good = create_backup(site)
    shelf_before = names(good.path.parent)
    file = site.book.database_file
    with site.book.read() as session:  # the log is empty: the file alone is the book
        session.execute(select(AuditAct)).all()
    with file.open("r+b") as target:
        target.seek(file.stat().st_size - 4096 * 3 + 100)
        target.write(b"\0\1\2\3")
    said = refusal(create_backup, site)
    assert said.code == "book_damaged" and good.name in said.message
    assert said.facts["pages"] == [file.stat().st_size // 4096 - 2]
    assert names(good.path.parent) == shelf_before


@pytest.mark.parametrize("looks", [0, 1, 2])
def test_cancelled(site: Desk, looks: int) -> None:
    token, seen = CancelToken(), [0]

    def watch(*_: object) -> None:
        if seen[0] == looks:
            token.set()
        seen[0] += 1

    if not looks:
        token.set()
    with pytest.raises(Cancelled):
        create_backup(site, progress=watch, cancel=token)
    assert names(site.book.path / "backups") == []
    assert create_backup(site).ok


def test_a_full_disk(site: Desk, tmp_path: Path) -> None:
    """Half-way, after the room was found to be enough: nothing half-done, the book goes on."""
    folder = site.book.path
    site.book.close()
    with small_disk(tmp_path / "small", 52) as disk:
        place = Path(shutil.copytree(folder, disk / "book"))
        with open_book(place, FixedClock(NOW), passphrase=PASSPHRASE) as book:
            desk = Desk(book, 1, site.actor)
            (place / "originals").mkdir(exist_ok=True)
            (place / "originals" / ("a" * 64)).write_bytes(os.urandom(27 << 20))
            with scarce():
                said = refusal(create_backup, desk)
            assert said.code in ("disk_full", "disk_error")
            assert [one for one in (place / "backups").rglob("*") if one.is_file()] == []
            keep(desk, 1, punches(10, first=500001))
            (place / "originals" / ("b" * 64)).write_bytes(os.urandom(9 << 20))
            with scarce():
                said = refusal(create_backup, desk)  # not even begun
            assert said.code in ("disk_full", "disk_error")
            for one in (place / "originals").iterdir():
                one.unlink()
            assert create_backup(desk).ok
            assert proven(desk).ok
            with read_only(place / "backups"):
                assert refusal(create_backup, desk).code == "read_only"


def test_killed_at_any_step(site: Desk, tmp_path: Path) -> None:
    """What stands under its name is whole; what does not is cleared by the next one."""
    original(site, b"raw" * 500)
    site.book.close()
    every = list(range(0, 20, 3))
    places = [Path(shutil.copytree(site.book.path, tmp_path / f"{steps}")) for steps in every]
    outcomes = dying.run([
        {"act": "create", "place": str(place), "steps": steps}
        for place, steps in zip(places, every, strict=True)
    ])
    whole = 0
    for place, outcome in zip(places, outcomes, strict=True):
        with open_book(place, site.clock, passphrase=PASSPHRASE) as book:
            desk = Desk(book, 1, site.actor)
            assert proven(desk).ok
            found = shelf(place)
            for one in found:
                assert verify_backup(
                    one.path, passphrase=PASSPHRASE, readers=leaf_readers, clock=site.clock
                ).ok
            whole += len(found)
            assert outcome == "killed" or len(found) == 1
            assert create_backup(desk).ok
        left = [path for path in (place / "backups").rglob("*") if path.name.startswith(".")]
        assert left == []
    assert outcomes[0] == "killed" and outcomes[-1] == "done" and 1 <= whole < len(every)


# ── thinning ────────────────────────────────────────────────────────────────────────────────────


def on_day(bundle: Path, at: datetime, reason: str = "daily", reach: int | None = None) -> str:
    """The same bundle as if made at another time; thinning looks at manifests only."""
    name = f"{at:%Y%m%dT%H%M%SZ}-{reason}"
    copy = Path(shutil.copytree(bundle, bundle.with_name(name), copy_function=os.link))
    body = json.loads((copy / "manifest.json").read_text("utf-8"))
    body |= {"at": at.isoformat(), "reason": reason}
    if reach is not None:
        body["heads"][0]["sequence"] = reach
    (copy / "manifest.json").unlink()
    (copy / "manifest.json").write_text(json.dumps(body), "utf-8")
    return name


def test_thinned_by_the_calendar_and_never_the_last_good_one(site: Desk) -> None:
    original(site, b"raw" * 100)
    made = create_backup(site, reason="daily")
    place = made.path.parent
    for back in range(1, 60):
        on_day(made.path, NOW - back * DAY, reach=2)
    moved = [on_day(made.path, NOW - back * DAY, "migration-0001") for back in (30, 89, 200, 300)]
    broken = on_day(made.path, NOW - 400 * DAY)
    (place / broken / "book.db").unlink()
    furthest = on_day(made.path, NOW - 900 * DAY, reach=500)  # made when the clock stood wrong
    removed = backup.thin(place, NOW)
    left = [one.name for one in shelf(site.book.path)]
    assert set(moved[:3]) <= set(left) and moved[3] not in left
    assert {broken, furthest, made.name} <= set(left)
    assert len([name for name in left if name.endswith("-daily")]) < 7 + 5 + 3 + 2
    assert len(removed) > 40 and backup.thin(place, NOW) == []
    assert names(place / "store")  # a broken manifest may still need it
    shutil.rmtree(place / broken)
    for one in shelf(site.book.path):
        shutil.rmtree(one.path)
    later(site, DAY)
    for one in (site.book.path / "originals").iterdir():
        one.unlink()
    keep(site, 1, punches(10, first=600001))
    create_backup(site)
    backup.thin(place, NOW + DAY)
    assert len(shelf(site.book.path)) == 1


def test_a_clock_a_year_ahead_costs_no_backup_but_its_own_place(site: Desk) -> None:
    made = [create_backup(site, reason="daily")]
    for _ in range(3):
        later(site, DAY)
        keep(site, 1, punches(10, first=700001 + 10 * len(made)))
        made.append(create_backup(site, reason="daily"))
    later(site, 365 * DAY)
    ahead = create_backup(site, reason="daily")
    later(site, -364 * DAY)
    back = create_backup(site, reason="daily")
    left = {one.name for one in list_backups(site.book.path)}
    assert {one.name for one in (*made, ahead, back)} == left


# ── the second place ────────────────────────────────────────────────────────────────────────────


def test_the_second_place(site: Desk, tmp_path: Path) -> None:
    original(site, b"raw" * 100)
    place = tmp_path / "stick"
    assert refusal(set_backup_settings, site, BackupSettings(str(place))).code == (
        "second_place_missing"
    )
    assert refusal(
        set_backup_settings, site, BackupSettings(str(site.book.path / "backups"))
    ).code == "second_place_in_book"
    place.mkdir()
    warning = set_backup_settings(site, BackupSettings(str(place), time(18)))
    assert warning is not None and "同一块磁盘" in warning
    assert backup_settings(site) == BackupSettings(str(place), time(18))
    made = create_backup(site)
    assert made.second_ok is True and "已复制" in made.second
    (there,) = second_place_backups(site)
    assert there.digest == made.digest and there.path != made.path
    (act,) = acts(site, Act.BACKUP_COPIED)
    assert act.facts["digest"] == made.digest
    assert backup_status(site).second == ""
    # It restores without the first place.
    away = tmp_path / "away"
    shutil.copytree(place, away)
    report = restore_backup(
        folder_in(away, site.book.book_id) / made.name, tmp_path / "new", passphrase=PASSPHRASE,
        readers=leaf_readers, clock=site.clock,
    )
    assert report.ledger.ok and report.missing == ()

    # Unplugged: the backup is made all the same, and the sentence counts the days.
    os.rename(place, tmp_path / "pocket")
    place.mkdir()  # the empty mount point
    later(site, 9 * DAY)
    made = create_backup(site)
    assert made.ok and made.second_ok is False
    assert "不在" in made.second and "上次成功是9天前" in made.second
    assert "9天前" in backup_status(site).second and names(place) == []
    # Another stick is another place until somebody says so.
    other = folder_in(place, site.book.book_id)
    other.mkdir()
    assert create_backup(site).second_ok is False
    set_backup_settings(site, BackupSettings(str(place)))
    assert create_backup(site).second_ok is True
    (other / MARKER).write_text('{"book_id": "of another book"}')
    assert refusal(set_backup_settings, site, BackupSettings(str(place))).code == (
        "second_place_taken"
    )


def test_a_second_place_that_is_full(site: Desk, tmp_path: Path) -> None:
    keep(site, 1, punches(9000, first=800001, people=9000, step_s=7))
    made = create_backup(site)
    assert made.size > 1 << 20
    with small_disk(tmp_path / "stick", 1) as place:
        set_backup_settings(site, BackupSettings(str(place)))
        with scarce():
            copy = copy_there(made.path, place, site.clock.now(), NOW - 3 * DAY)
        assert not copy.ok and "本机的备份完好" in copy.sentence and "3天前" in copy.sentence
        assert second_place_backups(site) == []
        there = folder_in(place, site.book.book_id)
        assert [path for path in there.rglob(".*") if path.name.endswith(".new")] == []


def test_thinned_there_too(site: Desk, open_copy: Callable[[Path], Book], tmp_path: Path) -> None:
    place = tmp_path / "stick"
    place.mkdir()
    set_backup_settings(site, BackupSettings(str(place)))
    first = create_backup(site)
    there = folder_in(place, site.book.book_id)
    for back in range(2, 40):
        on_day(there / first.name, NOW - back * DAY, reach=1)
    keep(site, 1, punches(10, first=900001))
    create_backup(site)
    left = [one.name for one in second_place_backups(site)]
    assert first.name in left and len(left) < 7 + 5 + 3 + 2
    assert acts(site, Act.BACKUP_COPIED)[-1].facts["removed"]

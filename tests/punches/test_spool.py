"""Batches that wait on a PC: whole or not at all, sealed, in order, safe against kill and full disk."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from desktop.errors import EnvironmentFault
from desktop.punches import spool
from desktop.punches.ledger import Part
from desktop.punches.spool import Waiting
from desktop.storage.book import Book
from tests.conftest import NOW
from tests.punches.rig import MORNING, punch, punches, unusable
from tests.storage.small_disk import small_disk

ROOT = Path(__file__).parents[2]
WRITER = """
import hashlib, sys
from dataclasses import dataclass
from pathlib import Path
from desktop.punches import spool
from desktop.punches.ledger import Part
from tests.conftest import NOW
from tests.punches.rig import punches

class Folder:
    path = Path(sys.argv[1])
    def subkey(self, label):
        return hashlib.sha256(label.encode()).digest()

print("ready", flush=True)
for number in range(1000):
    kept = spool.put(Folder(), "pull", project_id=1, terminal_id=1, terminal="东门", operator="甲",
                     role="technician", received_at=NOW, facts={"n": number}, records=900,
                     parts=[Part(punches(900))])
    print(kept.path.name, flush=True)
"""


@dataclass
class Folder:
    """A place that is no open book."""

    path: Path
    subkey: Callable[[str], bytes]


def put(place: Any, what: list[Part], **more: Any) -> Waiting:
    count = sum(len(part.punches) + len(part.unusable) for part in what)
    options: dict[str, Any] = {
        "project_id": 1, "terminal_id": 1, "terminal": "东门", "operator": "甲",
        "role": "technician", "received_at": NOW, "facts": {}, "records": count, **more,
    }
    return spool.put(place, "pull", parts=iter(what), **options)


def test_a_batch_comes_back_as_it_was(book: Book) -> None:
    odd = punch(raw=bytes(range(256)) * 4)._replace(number="人\udcff号")
    many = [Part(punches(30_000)), Part([odd], [unusable(b"\x00\xff" * 500)]), Part(punches(3))]
    kept = put(book, many, facts={"sha256": "ab", "n": [1, None]}, received_at=NOW)
    assert (kept.records, kept.facts) == (30_005, {"sha256": "ab", "n": [1, None]})
    back = list(spool.parts(book, kept))
    assert len(back) > 4  # never much of it in memory at once
    assert [one for part in back for one in part.punches] == [
        one for part in many for one in part.punches
    ]
    assert [one for part in back for one in part.unusable] == many[1].unusable
    assert all(part.seqs is None for part in back)
    numbered = put(book, [Part(punches(3), seqs=[7, 8, 9])])
    assert next(spool.parts(book, numbered)).seqs == [7, 8, 9]


def test_nothing_lies_on_the_disk_in_clear(book: Book) -> None:
    kept = put(book, [Part([punch("100001", raw=b"4101234567")])])
    content = kept.path.read_bytes()
    assert kept.path.stat().st_mode & 0o077 == 0
    assert not any(text in content for text in (b"100001", b"4101234567", "东门".encode()))
    assert kept.path.name == f"00000001-{kept.id[:8]}.batch"


def test_the_summary_says_what_waits(book: Book) -> None:
    assert spool.waiting(book).sentence() == "没有等待入账的打卡记录。"
    put(book, [Part(punches(5))], received_at=NOW + timedelta(hours=1))
    put(book, [Part(punches(7))], terminal_id=2, terminal="后门", received_at=NOW)
    found = spool.waiting(book)
    assert (found.records, found.since, found.terminals) == (12, NOW, ("东门", "后门"))
    assert found.size == sum(one.path.stat().st_size for one in found.batches) > 500
    assert found.sentence().startswith(
        "本机有2批共12条打卡记录等待入账（「东门」、「后门」，最早2026-11-24 16:00采集，占用0.0 MB）。"
    )
    spool.remove(found.batches[0])
    spool.remove(found.batches[0])
    assert [one.terminal for one in spool.waiting(book).batches] == ["后门"]


def test_every_change_of_a_file_shows_and_nothing_is_removed(book: Book) -> None:
    kept = put(book, [Part(punches(9_000))])
    whole = kept.path.read_bytes()
    for content in (
        b"", whole[:20], whole[:-1], whole[:-700], b"OTHER" + whole[5:],
        whole[:60] + b"?" + whole[61:], whole[:-90] + b"?" + whole[-89:],
    ):
        kept.path.write_bytes(content)
        found = spool.waiting(book)
        assert len(found.batches) + len(found.damaged) == 1
        assert found.batches or "1个等待文件已损坏" in found.sentence()
        with pytest.raises(EnvironmentFault, match="没有入账，文件保留未动") as fault:
            list(spool.parts(book, kept))
        assert fault.value.code == "waiting_damaged"
        assert kept.path.exists()


def test_what_cannot_be_read_to_its_end_is_not_kept(book: Book) -> None:
    def broken() -> Iterator[Part]:
        yield Part(punches(100))
        raise RuntimeError("the source")

    with pytest.raises(RuntimeError):
        spool.put(
            book, "usb", project_id=1, terminal_id=1, terminal="东门", operator="甲",
            role="technician", received_at=NOW, facts={}, records=200, parts=broken(),
        )
    with pytest.raises(ValueError, match="announced"):
        put(book, [Part(punches(100))], records=99)
    assert list((book.path / spool.FOLDER).iterdir()) == []


def test_the_next_reading_goes_on_where_what_waits_ends(book: Book) -> None:
    assert spool.cursor_after(book, 1) is None
    put(book, [Part(punches(5))], facts={"cursor_after": {"held": 5}})
    put(book, [Part(punches(5))], facts={"cursor_after": {"held": 9}})
    put(book, [Part(punches(5))], terminal_id=2, facts={"cursor_after": {"held": 77}})
    assert spool.cursor_after(book, 1) == {"held": 9}


def test_there_is_a_limit(book: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    put(book, [Part(punches(100))])
    monkeypatch.setattr(spool, "MOST_BYTES", 1000)
    with pytest.raises(EnvironmentFault, match="这一批没有再存；考勤机里的记录还在") as fault:
        put(book, [Part(punches(100))])
    assert fault.value.code == "waiting_full"
    assert len(spool.waiting(book).batches) == 1


def test_a_full_disk(tmp_path: Path, book: Book) -> None:
    with small_disk(tmp_path / "small", 2) as disk:
        place = Folder(disk, book.subkey)
        first = put(place, [Part(punches(2_000))])
        with pytest.raises(EnvironmentFault) as fault:
            for _ in range(50):
                put(place, [Part(punches(3_000, first=200001))])
        assert fault.value.code in ("disk_full", "disk_error")
        if fault.value.code == "disk_full":
            assert "考勤机里的记录还在" in fault.value.message and "不要清空" in fault.value.message
        found = spool.waiting(place)
        assert not found.damaged and found.batches[0] == first
        assert len(list(spool.parts(place, first))) == 1
        assert not list(disk.rglob("*.new"))


def test_killed_at_random_instants(tmp_path: Path) -> None:
    """Everything acknowledged is there and whole; nothing is there half."""
    import hashlib

    place = Folder(tmp_path, lambda label: hashlib.sha256(label.encode()).digest())
    chance = random.Random(7)
    acknowledged: list[str] = []
    for _ in range(4):
        process = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE, text=True,
            cwd=ROOT,
        )
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
        time.sleep(chance.uniform(0.03, 0.25))
        process.kill()
        acknowledged += process.stdout.read().split()
        process.wait()
        process.stdout.close()
        found = spool.waiting(place)
        assert not found.damaged
        names = [one.path.name for one in found.batches]
        assert set(acknowledged) <= set(names) and len(names) == len(set(names))
        for one in found.batches:
            assert sum(len(part.punches) for part in spool.parts(place, one)) == 900
    put(replace(place), [Part([punch(at=MORNING)])])
    assert not list(tmp_path.rglob("*.new"))
    assert len(acknowledged) > 8

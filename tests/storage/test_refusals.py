"""A book that cannot be opened is refused in one sentence with the next step, nothing touched."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from desktop.clock import FixedClock
from desktop.errors import EnvironmentFault, Refused, SiteMusterError
from desktop.storage.book import create_book, open_book
from desktop.storage.engine import create_file
from desktop.storage.integrity import DATABASE_KEY
from desktop.storage.keys import KeySlots, Slot, SlotName
from desktop.storage.migrations import VERSIONS
from tests.conftest import CHEAP, NOW, PASSPHRASE
from tests.storage.rig import foreign_hand, snapshot


@pytest.fixture
def closed(tmp_path: Path, site_template: Path) -> Path:
    """A closed book nobody else uses."""
    return Path(shutil.copytree(site_template, tmp_path / "账本"))


def refused(folder: Path, **how: str) -> SiteMusterError:
    """Open ``folder``, expect a refusal, and see that nothing in it changed."""
    before = snapshot(folder)
    with pytest.raises(SiteMusterError) as caught:
        open_book(folder, FixedClock(NOW), **(how or {"passphrase": PASSPHRASE}))
    assert snapshot(folder) == before
    message = caught.value.message
    assert message.endswith("。") and "请" in message
    assert PASSPHRASE not in message and str(folder.parent) not in message
    return caught.value


def key_of(folder: Path) -> bytes:
    with open_book(folder, FixedClock(NOW), passphrase=PASSPHRASE) as book:
        return book.subkey(DATABASE_KEY)


def test_a_wrong_passphrase(closed: Path) -> None:
    error = refused(closed, passphrase="别的口令")
    assert (type(error), error.code) == (Refused, "wrong_passphrase")
    assert "恢复码" in error.message


def test_no_passphrase_where_one_is_needed(closed: Path) -> None:
    before = snapshot(closed)
    with pytest.raises(Refused) as caught:
        open_book(closed, FixedClock(NOW))
    assert caught.value.code == "passphrase_needed" and "--passphrase-file" in caught.value.message
    assert snapshot(closed) == before


def test_a_recovery_code_of_another_book(closed: Path) -> None:
    error = refused(closed, recovery_code="-".join(["000011"] * 8))
    assert error.code == "wrong_recovery_code"


def test_a_mistyped_recovery_code(closed: Path) -> None:
    error = refused(closed, recovery_code="-".join(["000011"] * 4 + ["000012"] + ["000011"] * 3))
    assert error.code == "recovery_code_mistyped" and "第5组" in error.message


def test_a_book_of_a_newer_version_names_both(closed: Path) -> None:
    key = key_of(closed)
    with foreign_hand(closed / "book.db", key) as hand:
        hand.execute("UPDATE alembic_version SET version_num = '0042'")
    error = refused(closed)
    assert error.code == "book_newer"
    assert "0042" in error.message and VERSIONS[-1] in error.message and "升级程序" in error.message


@pytest.mark.parametrize("change", [{"format": 9}, {"database": "postgresql"}])
def test_a_card_of_a_newer_version(closed: Path, change: dict[str, object]) -> None:
    card = json.loads((closed / "book.json").read_text())
    (closed / "book.json").write_text(json.dumps(card | change))
    assert refused(closed).code == "book_newer"


def test_key_slots_of_a_newer_version(closed: Path) -> None:
    slots = json.loads((closed / "keyslots.json").read_text())
    (closed / "keyslots.json").write_text(json.dumps(slots | {"format": 9}))
    assert refused(closed).code == "book_newer"


def test_a_plain_sqlite_file(closed: Path) -> None:
    (closed / "book.db").unlink()
    plain = sqlite3.connect(closed / "book.db")
    plain.execute("CREATE TABLE alembic_version (version_num TEXT)")
    plain.close()
    error = refused(closed)
    assert error.code == "plain_database" and "没有加密" in error.message


def test_a_folder_that_is_no_book(tmp_path: Path) -> None:
    folder = tmp_path / "照片"
    folder.mkdir()
    (folder / "a.jpg").write_bytes(b"x")
    assert refused(folder).code == "no_book"
    with pytest.raises(Refused) as caught:
        open_book(tmp_path / "没有", FixedClock(NOW), passphrase=PASSPHRASE)
    assert caught.value.code == "no_book" and not (tmp_path / "没有").exists()


def test_a_missing_database_is_not_made_anew(closed: Path) -> None:
    (closed / "book.db").unlink()
    error = refused(closed)
    assert (type(error), error.code) == (EnvironmentFault, "database_missing")


@pytest.mark.parametrize("content", [b"", b"\x00" * 100, os.urandom(9000)])
def test_a_database_that_is_something_else_is_damage_not_a_wrong_key(
    closed: Path, content: bytes
) -> None:
    (closed / "book.db").write_bytes(content)
    error = refused(closed)
    assert (type(error), error.code) == (EnvironmentFault, "book_damaged")
    assert "备份" in error.message and "口令" not in error.message


def test_an_empty_database_under_the_right_key(closed: Path) -> None:
    key = key_of(closed)
    (closed / "book.db").unlink()
    create_file(closed / "book.db", key)
    with pytest.raises(EnvironmentFault) as caught:
        open_book(closed, FixedClock(NOW), passphrase=PASSPHRASE)
    assert caught.value.code == "book_damaged"


@pytest.mark.parametrize("part", [3, 20, 100, 4090])
def test_a_flipped_byte_in_the_first_page_is_damage_not_a_wrong_key(closed: Path, part: int) -> None:
    flip(closed / "book.db", part)
    error = refused(closed)
    assert error.code == "book_damaged" and 1 in error.facts["pages"]


def flip(file: Path, at: int) -> None:
    with file.open("r+b") as stream:
        stream.seek(at)
        byte = stream.read(1)[0]
        stream.seek(at)
        stream.write(bytes([byte ^ 0x10]))


def test_missing_key_slots(closed: Path) -> None:
    (closed / "keyslots.json").unlink()
    assert refused(closed).code == "key_slots_missing"


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"{", b"\xff", b'{"format":1}', b'{"format":1,"book_id":"x","slots":{"x":{}}}']
)
def test_unreadable_key_slots(closed: Path, content: bytes) -> None:
    (closed / "keyslots.json").write_bytes(content)
    assert refused(closed).code == "key_slots_damaged"


def test_a_flipped_digit_in_the_slots_is_damage_not_a_wrong_passphrase(closed: Path) -> None:
    body = json.loads((closed / "keyslots.json").read_text())
    sealed = body["slots"]["passphrase"]["sealed"]
    body["slots"]["passphrase"]["sealed"] = ("0" if sealed[0] != "0" else "1") + sealed[1:]
    (closed / "keyslots.json").write_text(json.dumps(body))
    assert refused(closed).code == "key_slots_damaged"


def test_slots_of_another_book(closed: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    create_book(other, FixedClock(NOW), passphrase=PASSPHRASE, cost=CHEAP)[0].close()
    shutil.copy(other / "keyslots.json", closed)
    assert refused(closed).code == "key_slots_damaged"


def test_absurd_work_in_a_slot_is_not_tried(closed: Path) -> None:
    body = json.loads((closed / "keyslots.json").read_text())
    body["slots"]["passphrase"]["kdf"]["memory_kib"] = 1 << 40
    (closed / "keyslots.json").write_text(json.dumps(body))
    assert refused(closed).code == "key_slots_damaged"


def test_a_slot_cannot_be_moved_to_another_name(closed: Path) -> None:
    slots = KeySlots.read(closed)
    moved = slots.slots[SlotName.PASSPHRASE]
    body = moved.as_json()
    stolen = Slot.of_json("recovery", body)
    assert stolen.open(slots.book_id, PASSPHRASE.encode()) is None


def test_a_damaged_card(closed: Path) -> None:
    (closed / "book.json").write_text("{")
    assert refused(closed).code == "book_card_damaged"


def test_missing_guards_are_named(closed: Path) -> None:
    key = key_of(closed)
    with foreign_hand(closed / "book.db", key) as hand:
        hand.execute("DROP TRIGGER punch_no_update")
        hand.execute("DROP TRIGGER audit_act_no_delete")
        hand.execute("CREATE TRIGGER audit_act_no_delete BEFORE DELETE ON audit_act BEGIN SELECT 1; END")
    with pytest.raises(EnvironmentFault) as caught:
        open_book(closed, FixedClock(NOW), passphrase=PASSPHRASE)
    assert caught.value.code == "guards_missing"
    assert caught.value.facts["tables"] == ["audit_act", "punch"]


OTHER_PROCESS = """
import sys
from pathlib import Path
from desktop.clock import SystemClock
from desktop.errors import Refused
from desktop.storage.book import open_book
try:
    open_book(Path(sys.argv[1]), SystemClock(), passphrase=sys.argv[2])
except Refused as error:
    print(error.code, error.message)
"""


def test_a_second_process_is_refused(closed: Path) -> None:
    with open_book(closed, FixedClock(NOW), passphrase=PASSPHRASE):
        before = snapshot(closed)
        done = subprocess.run(
            [sys.executable, "-c", OTHER_PROCESS, str(closed), PASSPHRASE],
            capture_output=True, text=True, timeout=60, check=True,
        )
        assert snapshot(closed) == before
        assert done.stdout.startswith("book_in_use") and "关闭" in done.stdout
        assert refused(closed).code == "book_in_use"
    open_book(closed, FixedClock(NOW), passphrase=PASSPHRASE).close()

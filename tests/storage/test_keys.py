"""Sub-keys, slots and changing them; the recovery code as typed by tired people."""

from __future__ import annotations

import hmac
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from desktop.access import key_desk
from desktop.access.actor import Act, Actor, Role
from desktop.access.desk import Desk
from desktop.access.tables import AuditAct
from desktop.clock import FixedClock
from desktop.errors import EnvironmentFault, NotPermitted, Refused
from desktop.storage import recovery_code, slot_change
from desktop.storage.book import Book, open_book
from desktop.storage.engine import connect
from desktop.storage.keys import DataKey, KeySlots, Slot, SlotName
from tests.conftest import CHEAP, NOW, PASSPHRASE
from tests.storage.rig import database_key

CLOCK = FixedClock(NOW)


def test_subkeys_differ_by_label_and_book_and_stay_the_same() -> None:
    key = DataKey("one", bytes(32))
    subkeys = {key.subkey("a"), key.subkey("b"), DataKey("other", bytes(32)).subkey("a"), bytes(32)}
    assert len(subkeys) == 4
    extracted = hmac.digest(b"one", bytes(32), "sha256")  # RFC 5869, by hand
    assert key.subkey("a") == hmac.digest(extracted, b"sitemuster a\x01", "sha256")


def test_a_data_key_shows_nothing() -> None:
    key = DataKey("one", b"\x41" * 32)
    assert "41" not in repr(key) + str(key) and "AAAA" not in repr(key)


@pytest.mark.parametrize("cost", [None, CHEAP])
def test_a_slot_opens_with_its_secret_only(cost: object) -> None:
    key = DataKey.new("one")
    slot = Slot.seal(SlotName.PASSPHRASE, "one", key, bytes(32), cost)
    again = Slot.of_json("passphrase", slot.as_json())
    opened = again.open("one", bytes(32))
    assert opened is not None and opened.subkey("x") == key.subkey("x")
    assert again.open("one", b"\x01" + bytes(31)) is None
    assert again.open("other", bytes(32)) is None


def test_the_recovery_slot_cannot_be_removed() -> None:
    with pytest.raises(ValueError, match="required"):
        KeySlots("one", {}).without(SlotName.RECOVERY)


def test_no_secret_stands_in_the_files(book: Book) -> None:
    for file in book.path.rglob("*"):
        if file.is_file():
            content = file.read_bytes()
            assert PASSPHRASE.encode() not in content
            for label in ("database", "field seal", "field index"):
                assert book.subkey(label) not in content
                assert book.subkey(label).hex().encode() not in content
    assert (book.path / "keyslots.json").stat().st_mode & 0o077 == 0


@pytest.mark.file_only
def test_a_new_passphrase_replaces_the_old(book: Book) -> None:
    before = book.database_file.read_bytes()
    slot_change.set_passphrase(book, "新口令", cost=CHEAP)
    assert book.database_file.read_bytes() == before
    book.close()
    open_book(book.path, CLOCK, passphrase="新口令").close()
    with pytest.raises(Refused):
        open_book(book.path, CLOCK, passphrase=PASSPHRASE)
    assert not (book.path / slot_change.OLD_SLOTS_FILE).exists()


def test_an_empty_passphrase_is_refused(book: Book) -> None:
    with pytest.raises(Refused):
        slot_change.set_passphrase(book, "", cost=CHEAP)


def test_a_new_recovery_code_replaces_the_paper(book: Book) -> None:
    first = slot_change.renew_recovery_code(book, cost=CHEAP)
    second = slot_change.renew_recovery_code(book, cost=CHEAP)
    book.close()
    open_book(book.path, CLOCK, recovery_code=second).close()
    with pytest.raises(Refused) as caught:
        open_book(book.path, CLOCK, recovery_code=first)
    assert caught.value.code == "wrong_recovery_code"


def test_a_change_that_cannot_be_written_leaves_the_old_ways(book: Book) -> None:
    in_the_way = book.path / ".keyslots.json.new"
    in_the_way.mkdir()
    with pytest.raises(EnvironmentFault):
        slot_change.set_passphrase(book, "新口令", cost=CHEAP)
    in_the_way.rmdir()
    book.close()
    open_book(book.path, CLOCK, passphrase=PASSPHRASE).close()
    assert not (book.path / slot_change.OLD_SLOTS_FILE).exists()


@given(st.binary(min_size=16, max_size=16))
def test_a_code_comes_back_from_paper(secret: bytes) -> None:
    code = recovery_code.printed(secret)
    assert len(code) == 55 and recovery_code.secret_of(code) == secret
    wide = code.translate({ord(str(at)): 0xFF10 + at for at in range(10)})
    for typed in (code.replace("-", ""), code.replace("-", " "), f"  {wide}\n", code.replace("-", "—")):
        assert recovery_code.secret_of(typed) == secret


@given(st.binary(min_size=16, max_size=16), st.integers(0, 47), st.integers(1, 9))
def test_a_wrong_digit_is_found_in_its_group(secret: bytes, place: int, by: int) -> None:
    digits = list(recovery_code.printed(secret).replace("-", ""))
    digits[place] = str((int(digits[place]) + by) % 10)
    with pytest.raises(Refused) as caught:
        recovery_code.secret_of("".join(digits))
    assert caught.value.facts["group"] == place // 6 + 1


@given(st.binary(min_size=16, max_size=16), st.integers(0, 46))
def test_swapped_neighbours_in_a_group_are_found(secret: bytes, place: int) -> None:
    digits = list(recovery_code.printed(secret).replace("-", ""))
    if place % 6 == 5 or digits[place] == digits[place + 1]:
        return
    digits[place], digits[place + 1] = digits[place + 1], digits[place]
    with pytest.raises(Refused):
        recovery_code.secret_of("".join(digits))


@pytest.mark.parametrize("typed", ["", "12", "x" * 48, "1" * 49, "999999" * 8, "OOOOOO" * 8, "\x00"])
def test_anything_else_is_no_code(typed: str) -> None:
    with pytest.raises(Refused):
        recovery_code.secret_of(typed)


def test_slots_survive_a_round_trip(tmp_path: Path) -> None:
    key = DataKey.new("one")
    slots = KeySlots("one", {}).having(Slot.seal(SlotName.RECOVERY, "one", key, b"s", CHEAP))
    slots.write(tmp_path)
    assert KeySlots.read(tmp_path) == slots


# ── changes that were cut off ───────────────────────────────────────────────────────────────────


def opens(folder: Path, **way: str) -> bool:
    try:
        open_book(folder, CLOCK, **way).close()
    except Refused:
        return False
    return True


def test_a_paper_that_nobody_got_never_takes_the_last_one_away(book: Book) -> None:
    """Two renewals killed one after the other: the paper in the safe goes on opening."""
    first = slot_change.renew_recovery_code(book, cost=CHEAP)
    second, third = recovery_code.new_code(), recovery_code.new_code()
    slot_change.new_recovery_code(book, second, CHEAP)
    slot_change.set_passphrase(book, "新口令", cost=CHEAP)
    slot_change.new_recovery_code(book, third, CHEAP)
    assert slot_change.unfinished(book.path) == ["recovery"]
    book.close()
    assert not opens(book.path, passphrase=PASSPHRASE) and opens(book.path, passphrase="新口令")
    with open_book(book.path, CLOCK, recovery_code=first) as again:
        said = "".join(again.notices)
        assert "恢复码" in said and "key rotate" in said
    assert not opens(book.path, recovery_code=second)
    assert opens(book.path, recovery_code=third)  # proven by use: now the first one is void
    assert not opens(book.path, recovery_code=first)
    assert slot_change.unfinished(book.path) == []


def test_a_change_is_taken_back_as_it_was(book: Book) -> None:
    before = KeySlots.read(book.path)
    waiting = slot_change.new_recovery_code(book, recovery_code.new_code(), CHEAP)
    held = (book.path / slot_change.OLD_SLOTS_FILE).read_bytes()
    change = slot_change.new_passphrase(book, "新口令", CHEAP)
    change.undo()
    assert (book.path / slot_change.OLD_SLOTS_FILE).read_bytes() == held
    waiting.undo()
    assert KeySlots.read(book.path) == before
    assert not (book.path / slot_change.OLD_SLOTS_FILE).exists()


def test_slots_garbled_after_the_rename_are_found_in_the_old_file(book: Book) -> None:
    """A disk that lied about the new file: the one it replaced still opens."""
    slot_change.new_passphrase(book, "新口令", CHEAP)
    book.close()
    (book.path / "keyslots.json").write_bytes(b"\x00" * 300)
    open_book(book.path, CLOCK, passphrase=PASSPHRASE).close()


def test_an_old_file_that_is_damaged_or_foreign_is_passed_over(book: Book) -> None:
    slot_change.new_passphrase(book, "新口令", CHEAP)
    book.close()
    old = book.path / slot_change.OLD_SLOTS_FILE
    for content in (b"{", old.read_bytes().replace(b'"sha256": "', b'"sha256": "0')):
        old.write_bytes(content)
        assert slot_change.unfinished(book.path) == []
        assert opens(book.path, passphrase="新口令")
        assert not old.exists()


def test_the_last_usable_way_is_never_removed(book: Book) -> None:
    for act in (slot_change.remove_passphrase, slot_change.remove_keyring):
        with pytest.raises(Refused):
            act(book)
    assert set(KeySlots.read(book.path).slots) == {SlotName.RECOVERY, SlotName.PASSPHRASE}


@pytest.mark.parametrize("role", list(Role))
def test_every_change_of_a_way_is_the_administrators_and_written_down(desk: Desk, role: Role) -> None:
    other = Desk(desk.book, 1, Actor("某", role))
    acts = {
        Act.PASSPHRASE_CHANGED: lambda: key_desk.change_passphrase(other, "新口令", cost=CHEAP),
        Act.RECOVERY_CODE_RENEWED: lambda: key_desk.renew_recovery_code(other, cost=CHEAP),
    }
    for act, change in acts.items():
        if role is not Role.ADMINISTRATOR:
            with pytest.raises(NotPermitted):
                change()
        else:
            change()
        with desk.book.read() as session:
            written = session.scalars(select(AuditAct).where(AuditAct.act == act.value)).all()
        assert len(written) == (role is Role.ADMINISTRATOR)
    for forbidden in (key_desk.remove_passphrase, key_desk.bind_to_this_computer,
                      key_desk.unbind_from_this_computer, key_desk.key_status):  # fmt: skip
        if role is not Role.ADMINISTRATOR:
            with pytest.raises(NotPermitted):
                forbidden(other)


@pytest.mark.file_only
def test_an_act_whose_row_cannot_be_written_changes_no_way(desk: Desk) -> None:
    """The audit row and the slot are kept both, or neither."""
    before = KeySlots.read(desk.book.path)
    foreign = connect(desk.book.database_file, database_key(desk.book))
    foreign.execute(
        "CREATE TRIGGER audit_act_refused BEFORE INSERT ON audit_act"
        " BEGIN SELECT RAISE(ABORT, 'disk'); END"
    )
    foreign.close()
    with pytest.raises(DBAPIError):
        key_desk.change_passphrase(desk, "新口令", cost=CHEAP)
    assert KeySlots.read(desk.book.path) == before
    assert not (desk.book.path / slot_change.OLD_SLOTS_FILE).exists()

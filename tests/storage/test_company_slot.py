"""Head office opens a book whose PC, keyring, passphrase and paper are all lost."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from sqlalchemy import select

from desktop.access import key_desk
from desktop.access.actor import Act, Actor, Role
from desktop.access.desk import Desk
from desktop.access.tables import AuditAct
from desktop.bootstrap import open_office, sealings
from desktop.clock import FixedClock
from desktop.errors import EnvironmentFault, NotPermitted, Refused
from desktop.storage.book import open_book
from desktop.storage.company_keys import (
    PRIVATE_SUFFIX,
    CompanyPrivate,
    new_company_keys,
    private_key,
    public_key,
)
from desktop.storage.company_slot import opened_with
from desktop.storage.keys import KeySlots
from desktop.storage.rekey import NewWays
from tests.conftest import CHEAP, NOW, PASSPHRASE
from tests.storage.killing import CODE, prove

SECRET = "总部保险柜口令 vault"
CLOCK = FixedClock(NOW)


def pair(name: str = "样例建工集团") -> CompanyPrivate:
    private, public = new_company_keys(SECRET, name=name, made_on="2026-11-01", cost=CHEAP)
    key = private_key(private, SECRET)
    assert key.public == public_key(public)
    return key


HEAD_OFFICE, OTHER = pair(), pair("别家公司")


def acts(desk: Desk, act: Act) -> list[dict[str, object]]:
    with desk.book.read() as session:
        rows = session.scalars(select(AuditAct).where(AuditAct.act == act.value))
        return [dict(row.facts) for row in rows]


def test_head_office_opens_the_book_and_its_backups(desk: Desk) -> None:
    public = key_desk.add_company_slot(desk, HEAD_OFFICE.public, fingerprint=HEAD_OFFICE.public.fingerprint)
    assert acts(desk, Act.COMPANY_SLOT_ADDED) == [
        {"company": public.id, "fingerprint": public.fingerprint, "compared": True}
    ]
    assert key_desk.key_status(desk).company == public
    folder = desk.book.path
    desk.book.close()
    with open_book(folder, CLOCK, company=HEAD_OFFICE) as book:
        assert book.opened_by == "company"
    with pytest.raises(Refused) as caught:
        open_book(folder, CLOCK, company=OTHER)
    assert caught.value.code == "wrong_company_key"
    assert HEAD_OFFICE.public.fingerprint in caught.value.message
    for way in ({"passphrase": PASSPHRASE},):
        open_book(folder, CLOCK, **way).close()


def test_the_slot_is_bound_to_its_book_and_generation(desk: Desk, tmp_path: Path) -> None:
    key_desk.add_company_slot(desk, HEAD_OFFICE.public)
    desk.book.close()
    slots = json.loads((desk.book.path / "keyslots.json").read_text())
    for change in ({"book_id": "00000000-0000-4000-8000-000000000000"}, {"generation": 2}):
        moved = KeySlots.of_json(slots | change)


        assert opened_with(moved, HEAD_OFFICE) is None
    assert opened_with(KeySlots.of_json(slots), HEAD_OFFICE) is not None


@pytest.mark.parametrize("change", [{"sealed": "zz"}, {"sealed": 5}, {"sealed": ""}])
def test_a_damaged_slot_is_damage(desk: Desk, change: dict[str, object]) -> None:
    key_desk.add_company_slot(desk, HEAD_OFFICE.public)
    desk.book.close()
    file = desk.book.path / "keyslots.json"
    body = json.loads(file.read_text())
    body["company"] |= change
    file.write_text(json.dumps(body))
    with pytest.raises(EnvironmentFault) as caught:
        open_book(desk.book.path, CLOCK, company=HEAD_OFFICE)
    assert caught.value.code == "key_slots_damaged"
    open_book(desk.book.path, CLOCK, passphrase=PASSPHRASE).close()


def test_removed_it_opens_nothing_more(desk: Desk) -> None:
    with pytest.raises(Refused) as caught:
        key_desk.remove_company_slot(desk)
    assert caught.value.code == "no_company_slot"
    key_desk.add_company_slot(desk, OTHER.public)
    key_desk.add_company_slot(desk, HEAD_OFFICE.public)  # in place of the other
    key_desk.remove_company_slot(desk)
    assert len(acts(desk, Act.COMPANY_SLOT_REMOVED)) == 1
    desk.book.close()
    for key in (HEAD_OFFICE, OTHER):
        with pytest.raises(Refused) as caught:
            open_book(desk.book.path, CLOCK, company=key)
        assert caught.value.code == "no_company_slot" and "恢复码" in caught.value.message
    assert json.loads((desk.book.path / "keyslots.json").read_text())["format"] == 1


def test_a_fingerprint_that_differs_is_refused(desk: Desk) -> None:
    with pytest.raises(Refused) as caught:
        key_desk.add_company_slot(desk, OTHER.public, fingerprint=HEAD_OFFICE.public.fingerprint)
    assert caught.value.code == "fingerprint_differs"
    assert KeySlots.read(desk.book.path).company is None
    spoken = HEAD_OFFICE.public.fingerprint.replace(" ", "，")
    key_desk.add_company_slot(desk, HEAD_OFFICE.public, fingerprint=spoken)


def test_a_public_file_is_read_and_others_are_refused(desk: Desk, tmp_path: Path) -> None:
    file = tmp_path / "a.sitemuster-pub"
    file.write_bytes(HEAD_OFFICE.public.as_file())
    assert key_desk.company_public(file) == HEAD_OFFICE.public
    with pytest.raises(EnvironmentFault):
        key_desk.company_public(tmp_path / "missing")
    (tmp_path / "pipe").mkdir()
    with pytest.raises(EnvironmentFault):
        key_desk.company_public(tmp_path / "pipe")
    private = tmp_path / f"a{PRIVATE_SUFFIX}"
    private.write_bytes(new_company_keys(SECRET, cost=CHEAP)[0])
    with pytest.raises(Refused) as caught:
        key_desk.company_public(private)
    assert "拿反" in caught.value.message


def test_recovered_by_head_office_it_gets_a_passphrase_again(desk: Desk, tmp_path: Path) -> None:
    key_desk.add_company_slot(desk, HEAD_OFFICE.public)
    desk.book.close()
    folder = Path(shutil.copytree(desk.book.path, tmp_path / "found"))
    office = open_office(folder, company=HEAD_OFFICE, clock=CLOCK)
    assert key_desk.recover_access(office.desk, "又有口令了", cost=CHEAP) == "passphrase"
    assert [row["way"] for row in acts(office.desk, Act.BOOK_RECOVERED)] == ["company", "company"]
    office.close()
    again = open_office(folder, passphrase="又有口令了", clock=CLOCK)
    with pytest.raises(NotPermitted) as caught:
        key_desk.recover_access(again.desk, "第三个", cost=CHEAP)
    assert caught.value.code == "not_recovered"
    again.close()


def test_a_new_data_key_is_sealed_to_head_office_too(desk: Desk) -> None:
    key_desk.add_company_slot(desk, HEAD_OFFICE.public)
    before = KeySlots.read(desk.book.path).company
    key_desk.rekey_book(
        desk, NewWays(CODE, PASSPHRASE, keyring=False), sealings(desk.book), prove, cost=CHEAP
    )
    assert KeySlots.read(desk.book.path).company != before
    desk.book.close()
    with open_book(desk.book.path, CLOCK, company=HEAD_OFFICE) as book:
        assert book.ring.generation == 2


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.ADMINISTRATOR])
def test_only_the_administrator_touches_the_slot(desk: Desk, role: Role) -> None:
    other = Desk(desk.book, 1, Actor("某", role))
    for act in (
        lambda: key_desk.add_company_slot(other, HEAD_OFFICE.public),
        lambda: key_desk.remove_company_slot(other), lambda: key_desk.key_status(other),
    ):
        with pytest.raises(NotPermitted):
            act()

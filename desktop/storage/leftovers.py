"""What a killed change of keys left in a book's folder, and how the next opening ends it.

Of a new data key (:mod:`desktop.storage.rekey`): ``.rekey.new`` is half made and goes; ``.rekey``
with a database was never put in place and goes; ``.rekey`` without one belongs to the database in
place and is moved in. Of a changed slot: ``keyslots.json.old`` stays until the new way was used.
Nothing that opens the book is ever removed before its successor opened it.
"""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path

from desktop.errors import SiteMusterError
from desktop.paths import disk_fault, sync_folder
from desktop.storage import os_keyring, slot_change
from desktop.storage.card import DATABASE_FILE
from desktop.storage.keys import OLD_SLOTS_FILE, SLOTS_FILE, KeySlots, SlotName
from desktop.storage.unlock import REKEY_FOLDER, Unlocked

BUILDING_FOLDER = f"{REKEY_FOLDER}.new"
SERVER_LOGIN = "server.sealed"
"""A book on a server keeps its login beside the slots; it goes along with them."""

WAY_NAMES = {
    "keyring": "系统密钥环", "recovery": "恢复码", "passphrase": "口令", "company": "公司钥匙",
}
_ADVICE = {
    "keyring": "key keyring", "recovery": "key rotate", "passphrase": "key passphrase",
    "company": "key company add",
}

_GIVEN_UP = (
    "上次换钥匙（key rekey）中断了，没有做完：账本仍用原来的钥匙，什么也没有丢失。"
    "那次给出的新恢复码不生效，请销毁那张纸，需要时重新换一次。"
)
_COMPLETED = (
    "上次换钥匙（key rekey）在最后一步中断，现已补做完成：账本用的是新钥匙。"
    "请使用那次给出的新恢复码，之前的作废。"
)


def settle(folder: Path, found: Unlocked) -> list[str]:
    """End what was cut off; returns Chinese sentences for the user. The folder's lock is held and
    ``found`` opens the database. Raises :class:`EnvironmentFault` for the disk."""
    if not found.sure:
        return []
    try:
        said = _settle_rekey(folder, found)
        if said:
            return [said]
        waiting = slot_change.settle(folder, found.way) if found.present else (
            slot_change.unfinished(folder)
        )
    except OSError as error:
        raise disk_fault(error, folder) from error
    return [two_ways(name) for name in waiting]


def _settle_rekey(folder: Path, found: Unlocked) -> str:
    building, ready = folder / BUILDING_FOLDER, folder / REKEY_FOLDER
    if ready.exists():
        if not ((ready / SLOTS_FILE).exists() or (ready / DATABASE_FILE).exists()):
            shutil.rmtree(ready)  # everything had been moved in
            return _COMPLETED
        slots = _slots_of(ready)
        if slots is not None and slots.generation == found.key.generation:
            promote(folder)
            return _COMPLETED
        give_up(folder)
        return _GIVEN_UP
    if building.exists():
        give_up(folder)
        return _GIVEN_UP
    return ""


def promote(folder: Path) -> None:
    """The new slots take their place; what belongs to the earlier key goes. Raises OSError."""
    ready = folder / REKEY_FOLDER
    earlier = _slots_of(folder)
    for name in (SERVER_LOGIN, SLOTS_FILE):
        if (ready / name).exists():
            os.replace(ready / name, folder / name)
    sync_folder(folder)
    (folder / OLD_SLOTS_FILE).unlink(missing_ok=True)
    shutil.rmtree(ready)
    _forget_entry(earlier, _slots_of(folder))


def give_up(folder: Path) -> None:
    """Throw away what was prepared under a new key. Raises OSError."""
    building, ready = folder / BUILDING_FOLDER, folder / REKEY_FOLDER
    if ready.exists():  # by one rename: without its database the rest would look like put in place
        if building.exists():
            shutil.rmtree(building)
        os.rename(ready, building)
        sync_folder(folder)
    prepared = _slots_of(building)
    shutil.rmtree(building)
    _forget_entry(prepared, _slots_of(folder))


def _slots_of(folder: Path) -> KeySlots | None:
    with suppress(SiteMusterError):
        return KeySlots.read(folder)
    return None


def _forget_entry(gone: KeySlots | None, staying: KeySlots | None) -> None:
    """The keyring entry of slots that are gone; one that cannot be removed opens nothing."""
    slot = None if gone is None else gone.slots.get(SlotName.KEYRING)
    if gone is None or slot is None:
        return
    if staying is not None and staying.slots.get(SlotName.KEYRING) == slot:
        return
    with suppress(os_keyring.KeyringUnusable):
        os_keyring.forget(gone.book_id, slot.entry)


def two_ways(name: str) -> str:
    """The sentence for a way of which an earlier one still opens."""
    way = WAY_NAMES[name]
    return (
        f"上次更换{way}时程序中断，没有确认完成：新、旧{way}目前都能打开账本。"
        f"请重新更换一次（{_ADVICE[name]}），旧的才作废。"
    )


"""Changing how a book is opened: a new passphrase, the keyring of this computer, a new code.

Rewrites ``keyslots.json``, never the database. The old file stays beside as ``keyslots.json.old``
until the new slot was opened from what the disk holds (storage-notes §6).
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from desktop.errors import Refused
from desktop.storage import os_keyring, recovery_code
from desktop.storage.creation import prove
from desktop.storage.keys import (
    SLOTS_FILE,
    STANDARD_COST,
    Argon2Cost,
    KeySlots,
    Slot,
    SlotName,
    passphrase_secret,
)
from desktop.storage.opened import Book

OLD_SLOTS_FILE = f"{SLOTS_FILE}.old"


def set_passphrase(book: Book, passphrase: str, *, cost: Argon2Cost = STANDARD_COST) -> None:
    """From now on the book opens with ``passphrase``; the earlier one no longer fits."""
    if not passphrase:
        raise Refused("passphrase_empty", "口令不能为空，原来的打开方式不变。请输入新口令。")
    secret = passphrase_secret(passphrase)
    _replace(book, book.slot(SlotName.PASSPHRASE, secret, cost), secret)


def bind_keyring(book: Book) -> None:
    """From now on the book opens by this computer's keyring (a new entry, read back first).

    Raises :class:`os_keyring.KeyringUnusable`; the earlier ways still fit then.
    """
    earlier = KeySlots.read(book.path).slots.get(SlotName.KEYRING)
    secret = os.urandom(32)
    slot = book.slot(SlotName.KEYRING, secret, None)
    os_keyring.store(book.book_id, slot.entry, secret)
    try:
        _replace(book, slot, secret)
    except BaseException:
        os_keyring.forget(book.book_id, slot.entry)
        raise
    if earlier is not None:
        os_keyring.forget(book.book_id, earlier.entry)


def renew_recovery_code(book: Book, *, cost: Argon2Cost = STANDARD_COST) -> str:
    """A new printed code; the earlier paper no longer fits."""
    code = recovery_code.new_code()
    secret = recovery_code.secret_of(code)
    _replace(book, book.slot(SlotName.RECOVERY, secret, cost), secret)
    return code


def _replace(book: Book, slot: Slot, secret: bytes) -> None:
    folder: Path = book.path
    file, old = folder / SLOTS_FILE, folder / OLD_SLOTS_FILE
    changed = KeySlots.read(folder).having(slot)
    shutil.copy2(file, old)
    try:
        changed.write(folder)
        prove(KeySlots.read(folder), {slot.name: secret})
    except BaseException:
        os.replace(old, file)
        raise
    old.unlink()

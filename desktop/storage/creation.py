"""Makes a new book: in a folder beside, then renamed into place, so that it exists whole or not.

A key is never made for a folder that already holds anything: "starting fresh" over an existing
book is how people lose everything (storage-notes §6).
"""

from __future__ import annotations

import glob
import os
import secrets
import shutil
import tempfile
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

from desktop.clock import Clock
from desktop.errors import Refused, SiteMusterError
from desktop.paths import disk_fault, refuse_unsafe_folder, sync_folder
from desktop.storage import faults, migrate, os_keyring, recovery_code
from desktop.storage.card import (
    BACKUPS,
    CARD_FILE,
    DATABASE_FILE,
    DEMO_PASSPHRASE_FILE,
    BookCard,
    restoring_beside,
)
from desktop.storage.engine import create_file
from desktop.storage.integrity import DATABASE_KEY
from desktop.storage.keys import (
    STANDARD_COST,
    Argon2Cost,
    DataKey,
    KeySlots,
    Slot,
    SlotName,
    passphrase_secret,
)
from desktop.storage.lock import LOCK_FILE, FolderLock
from desktop.storage.opened import Book
from desktop.storage.opening import open_unlocked
from desktop.storage.tables import BookInfo


class NewOnServer(Protocol):
    """Makes the tables of a new book on a server, see :mod:`desktop.storage.server_creation`."""

    def make(
        self, folder: Path, card: BookCard, key: DataKey, facts: Mapping[str, str]
    ) -> BookCard:
        """Tables, first facts and this computer's login; the card that names them."""

    def undo(self) -> None:
        """Take all of it back; silent where nothing was made."""

    def settle(self, book: Book) -> None:
        """The folder is in place."""


def create_book(
    folder: Path,
    clock: Clock,
    *,
    passphrase: str | None,
    demo: bool = False,
    keyring: bool | None = None,
    fill: Callable[[Book], None] | None = None,
    cost: Argon2Cost = STANDARD_COST,
    server: NewOnServer | None = None,
) -> tuple[Book, str]:
    """A new book in ``folder`` (absent or empty), open, and its recovery code as printed.

    ``keyring`` None: only when no passphrase is given; True: required besides; False: never.
    ``fill(book)`` writes the first content: when it raises, no book comes to be. A demo book makes
    its own passphrase file. With ``server`` the tables are made there and not in the folder.
    Raises :class:`Refused` or :class:`EnvironmentFault`; on any failure nothing is left, neither
    in the folder nor in the keyring nor on the server.
    """
    refuse_unsafe_folder(folder)
    refuse_occupied(folder)
    card = BookCard(str(uuid.uuid4()), demo)
    if demo and passphrase is None:
        passphrase = secrets.token_urlsafe(18)
    use_keyring = keyring if keyring is not None else passphrase is None
    if not use_keyring and passphrase is None:
        raise Refused(
            "passphrase_needed",
            "新账本需要口令或系统密钥环，未做任何改动。请给出口令（命令行用 --passphrase-file）。",
        )
    made = _missing_parents(folder)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        beside, lock = room_beside(folder)
    except OSError as error:
        _remove_empty(made)
        raise disk_fault(error, folder.parent) from error
    try:
        key, code = _make_keys(beside, card, passphrase, use_keyring, cost)
        if demo:
            _write_private(beside / DEMO_PASSPHRASE_FILE, f"{passphrase}\n")
        facts = {"book_id": card.book_id, "created_at": clock.now().isoformat()}
        if demo:
            facts["demo"] = "1"
        if server is not None:
            card = server.make(beside, card, key, facts)
        _build(beside, card, key, clock, facts, fill, lock)
        put_in_place(beside, folder)
    except BaseException as error:
        if server is not None:
            server.undo()
        if use_keyring:
            _forget_keyring_entry(beside)
        lock.release()
        shutil.rmtree(beside, ignore_errors=True)
        _remove_empty(made)
        if isinstance(error, OSError):
            raise disk_fault(error, folder.parent) from error
        raise
    book = _reopen(folder, card, key, clock)
    if server is not None:
        server.settle(book)
    return book, code


def room_beside(folder: Path) -> tuple[Path, FolderLock]:
    """A hidden folder beside ``folder`` to build in, and its lock; what a killed program left of
    one is removed first. Raises OSError."""
    for left in folder.parent.glob(f".{glob.escape(folder.name)}.new-*"):
        try:
            lock = FolderLock(left)
        except SiteMusterError:  # somebody is at work in it
            continue
        _forget_keyring_entry(left)
        lock.release()
        shutil.rmtree(left, ignore_errors=True)
    beside = Path(tempfile.mkdtemp(prefix=f".{folder.name}.new-", dir=folder.parent))
    return beside, FolderLock(beside)


def refuse_occupied(folder: Path) -> None:
    """Raise :class:`Refused` unless ``folder`` is absent or empty."""
    if restoring_beside(folder).is_dir():
        from desktop.storage import swap

        swap.finish(folder)  # a restore killed between two renames: the book is there again
    try:
        names = {entry.name for entry in os.scandir(folder)}
    except FileNotFoundError:
        return
    except NotADirectoryError as error:
        raise Refused(
            "folder_occupied", f"「{folder.name}」是一个文件，不能放账本，未做任何改动。请换一个文件夹名。"
        ) from error
    except OSError as error:
        raise disk_fault(error, folder) from error
    if CARD_FILE in names or DATABASE_FILE in names:
        raise Refused(
            "book_exists",
            f"「{folder.name}」里已经有一个账本，没有新建，原账本未做任何改动。请直接打开它，或换一个文件夹新建。",
        )
    if names:
        raise Refused(
            "folder_occupied",
            f"文件夹「{folder.name}」不是空的，没有新建账本，未做任何改动。请换一个空文件夹。",
        )


def _make_keys(
    folder: Path, card: BookCard, passphrase: str | None, use_keyring: bool, cost: Argon2Cost
) -> tuple[DataKey, str]:
    """Slots in the order of storage-notes §6: keyring first and read back, then the file, then
    the proof that each slot opens."""
    key = DataKey.new(card.book_id)
    code = recovery_code.new_code()
    typed = {SlotName.RECOVERY: recovery_code.secret_of(code)}
    if passphrase is not None:
        typed[SlotName.PASSPHRASE] = passphrase_secret(passphrase)
    slots = KeySlots(card.book_id, {})
    for name, secret in typed.items():
        slots = slots.having(Slot.seal(name, card.book_id, key, secret, cost))
    if use_keyring:
        wrapping = os.urandom(32)
        slot = Slot.seal(SlotName.KEYRING, card.book_id, key, wrapping, None)
        os_keyring.store(card.book_id, slot.entry, wrapping)
        typed[SlotName.KEYRING] = wrapping
        slots = slots.having(slot)
    slots.write(folder)
    KeySlots.read(folder).prove(typed)
    return key, code


def _build(
    folder: Path,
    card: BookCard,
    key: DataKey,
    clock: Clock,
    facts: dict[str, str],
    fill: Callable[[Book], None] | None,
    lock: FolderLock,
) -> None:
    """Database, card, backups folder, first rows; everything closed at the end."""
    in_file = card.server is None
    if in_file:
        database_key = key.subkey(DATABASE_KEY)
        with faults.translated(list):
            create_file(folder / DATABASE_FILE, database_key)
            migrate.upgrade(folder / DATABASE_FILE, database_key)
    (folder / BACKUPS).mkdir()
    (folder / LOCK_FILE).touch(mode=0o600)
    card.write(folder)
    with open_unlocked(folder, card, key, clock, lock) as book:
        if in_file:
            with book.write() as session:
                session.add_all(BookInfo(name=name, value=value) for name, value in facts.items())
        if fill is not None:
            fill(book)


def put_in_place(beside: Path, folder: Path) -> None:
    """One rename makes the finished folder ``beside`` the book; raises OSError."""
    if folder.exists():
        folder.rmdir()  # empty, or this fails and the new book is thrown away
    os.rename(beside, folder)
    sync_folder(folder.parent)


def _reopen(folder: Path, card: BookCard, key: DataKey, clock: Clock) -> Book:
    lock = FolderLock(folder)
    try:
        return open_unlocked(folder, card, key, clock, lock)
    except BaseException:
        lock.release()
        raise


def _write_private(path: Path, text: str) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)


def _missing_parents(folder: Path) -> list[Path]:
    """Parents that do not exist yet, deepest first."""
    missing = []
    for parent in folder.absolute().parents:
        if parent.exists():
            break
        missing.append(parent)
    return missing


def _remove_empty(folders: list[Path]) -> None:
    for folder in folders:
        try:
            folder.rmdir()
        except OSError:
            return


def _forget_keyring_entry(beside: Path) -> None:
    """Take back the entry of a book that never came to be; what stays opens nothing."""
    try:
        slots = KeySlots.read(beside)
        os_keyring.forget(slots.book_id, slots.slots[SlotName.KEYRING].entry)
    except (SiteMusterError, KeyError):
        return

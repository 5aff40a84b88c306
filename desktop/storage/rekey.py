"""A new data key after a leak: everything under it, the ledgers untouched (decision 0022).

A book in a file is copied beside under the new key, sealed anew there, proven as a whole, and then
put in place by one rename, so that a kill leaves either the old book or the new one. The new slots
wait in ``.rekey`` and are moved in afterwards; until then both kinds of slots are tried and the
one that opens the database counts. A book on a server has one transaction instead of the copy.

Who holds the old key can still open: backups from before, and copies of the folder from before.
Not: the file from now on, nor anything sealed from now on.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from sqlalchemy.orm import Session
from sqlcipher3 import dbapi2 as cipher

from desktop.errors import EnvironmentFault, Refused
from desktop.jobs import CancelToken, Progress, silent
from desktop.paths import disk_fault, sync_folder
from desktop.storage import company_slot, faults, leftovers, os_keyring, recovery_code, snapshot
from desktop.storage.bundle import Contents
from desktop.storage.card import CARD_FILE, DATABASE_FILE, BookCard
from desktop.storage.engine import FileStore, connect
from desktop.storage.integrity import DATABASE_KEY, damaged_pages
from desktop.storage.key_ring import ENTRY, KeyRing
from desktop.storage.keys import (
    STANDARD_COST,
    Argon2Cost,
    DataKey,
    KeySlots,
    Slot,
    SlotName,
    passphrase_secret,
)
from desktop.storage.leftovers import BUILDING_FOLDER
from desktop.storage.lock import LOCK_FILE, FolderLock
from desktop.storage.opened import Book
from desktop.storage.opening import open_unlocked
from desktop.storage.reseal import (
    SealedFiles,
    check_fields,
    failed,
    reseal_fields,
    reseal_files,
)
from desktop.storage.sealed import SealedField, Sealer
from desktop.storage.unlock import REKEY_FOLDER

_COPYING = ("journal_mode=OFF", "synchronous=OFF", "cache_size=-65536")
"""For a copy that is thrown away when anything goes wrong."""


@dataclass(frozen=True, slots=True)
class NewWays:
    """What opens the book afterwards. ``recovery_code`` is printed before the change begins;
    ``passphrase`` None keeps none; ``keyring`` binds this computer's."""

    recovery_code: str
    passphrase: str | None
    keyring: bool


@dataclass(frozen=True, slots=True)
class Sealings:
    """What the stations have under the data key, and since when months take the new salts."""

    fields: Sequence[SealedField]
    files: Sequence[SealedFiles]
    salts_from: date


@dataclass(frozen=True, slots=True)
class RekeyReport:
    """What was done: the new generation, values and files sealed anew. ``files_wait`` is the
    sentence why some files still lie under the earlier key; the next opening goes on with them."""

    generation: int
    values: int
    files: int
    files_wait: str = ""


Witness = Callable[[Session, int], None]
"""Writes the audit row in the transaction that seals anew; gets the number of values."""


def rekey(
    book: Book,
    ways: NewWays,
    sealings: Sealings,
    secure: Callable[[], object],
    witness: Witness,
    check: Callable[[Book], None],
    *,
    progress: Progress = silent,
    cancel: CancelToken | None = None,
    cost: Argon2Cost = STANDARD_COST,
) -> RekeyReport:
    """Give ``book`` a new data key; it stays open and goes on under it.

    ``secure()`` makes the verified backup, ``check(copy)`` proves the ledgers of the finished copy;
    both raise if they cannot. Raises :class:`Refused`, :class:`EnvironmentFault`,
    ``Cancelled``; the book is as before then, and the new ways open nothing.
    """
    if ways.passphrase is None and not ways.keyring:
        raise Refused(
            "last_way", "换钥匙后至少要有口令或系统密钥环中的一种，没有换。请给出口令（--new-passphrase-file）。"
        )
    key = DataKey.new(book.book_id, book.ring.generation + 1)
    ring = book.ring.succeeded_by(key, sealings.salts_from)
    try:
        _begin(book.path)
        secure()
        if book.dialect == "sqlite":
            with book.alone():
                _make_slots(book, key, ways, cost)
                values = _copy_and_prove(
                    book, ring, sealings.fields, witness, check, progress, cancel
                )
                _make_ready(book.path)
                _exchange(book, ring)
        else:
            _make_slots(book, key, ways, cost)
            values = _on_server(book, ring, sealings.fields, witness, progress, cancel)
    except BaseException as error:
        if not _may_be_in_place(book, error):
            leftovers.give_up(book.path)
        if isinstance(error, OSError):
            raise disk_fault(error, book.path) from error
        raise
    try:  # the new key holds: what fails from here on must not look like a failed change
        files = reseal_files(book.path, ring, sealings.files, progress)
    except EnvironmentFault as fault:
        return RekeyReport(ring.generation, values, 0, fault.message)
    return RekeyReport(ring.generation, values, files)


def _may_be_in_place(book: Book, error: BaseException) -> bool:
    """Whether the new key could be the book's by now: then the next opening decides."""
    building, ready = book.path / BUILDING_FOLDER, book.path / REKEY_FOLDER
    if not ready.exists():
        return not building.exists()
    if book.dialect == "sqlite":
        return not (ready / DATABASE_FILE).exists()
    return getattr(error, "code", "") == "server_outcome_unknown"


def _begin(folder: Path) -> None:
    """An empty folder beside: from here on an opening can tell that the change was cut off.
    Nothing of an earlier attempt is used."""
    if (folder / BUILDING_FOLDER).exists() or (folder / REKEY_FOLDER).exists():
        leftovers.give_up(folder)
    (folder / BUILDING_FOLDER).mkdir(mode=0o700)


def _make_slots(book: Book, key: DataKey, ways: NewWays, cost: Argon2Cost) -> None:
    """The slots of the new key, beside; keyring first, then the file, then the proof of each."""
    building = book.path / BUILDING_FOLDER
    present, secrets = KeySlots.read(book.path), dict[SlotName, bytes]()
    slots = KeySlots(book.book_id, {}, generation=key.generation)
    secrets[SlotName.RECOVERY] = recovery_code.secret_of(ways.recovery_code)
    if ways.passphrase is not None:
        secrets[SlotName.PASSPHRASE] = passphrase_secret(ways.passphrase)
    for name, secret in secrets.items():
        slots = slots.having(Slot.seal(name, book.book_id, key, secret, cost))
    if ways.keyring:
        secret = os.urandom(32)
        slot = Slot.seal(SlotName.KEYRING, book.book_id, key, secret, None)
        slots = slots.having(slot)
        slots.write(building)  # first the file: a kill then leaves the name of the entry
        os_keyring.store(book.book_id, slot.entry, secret)
        secrets[SlotName.KEYRING] = secret
    public = company_slot.public_of(present)
    if public is not None:
        sealed = company_slot.sealed_to(public, book.book_id, key)
        slots = replace(slots, company=sealed)
    slots.write(building)
    KeySlots.read(building).prove(secrets)


# ── a book in a file ────────────────────────────────────────────────────────────────────────────


def _copy_and_prove(
    book: Book,
    ring: KeyRing,
    fields: Sequence[SealedField],
    witness: Witness,
    check: Callable[[Book], None],
    progress: Progress,
    cancel: CancelToken | None,
) -> int:
    """The whole book under the new key in ``.rekey.new``; returns the values sealed anew."""
    folder, building = book.path, book.path / BUILDING_FOLDER
    file, old = building / DATABASE_FILE, book.subkey(DATABASE_KEY)
    new = ring.subkey(DATABASE_KEY)
    with faults.translated(lambda: damaged_pages(folder / DATABASE_FILE, old)):
        taken = snapshot.copy_database(
            folder / DATABASE_FILE, file, old, progress, cancel, book=book
        )
    progress(0, 0, "用新钥匙加密数据库")
    _change_key(file, old, new, ring)
    card = BookCard.peek(folder)
    card.write(building)
    with _opened(building, card, ring.newest, book) as copy:
        with copy.write() as session:
            values = reseal_fields(session, fields, book.sealer, copy.sealer, progress, cancel)
            witness(session, values)
        with copy.read() as session:
            check_fields(session, fields, copy.sealer)
        check(copy)
    looked, found = snapshot.look(file, new, progress, cancel)
    if looked.bad or found is None or not _grown(taken.contents, found) or _opens(file, old):
        raise failed()
    if cancel is not None:
        cancel.raise_if_set()
    return values


def _opened(building: Path, card: BookCard, key: DataKey, book: Book) -> Book:
    lock = FolderLock(building)
    try:
        return open_unlocked(building, card, key, book.clock, lock)
    except BaseException:
        lock.release()
        raise


def _change_key(file: Path, old: bytes, new: bytes, ring: KeyRing) -> None:
    """Encrypt the copy with the new key and put the ring of the earlier ones into it."""
    with closing(connect(file, old, setup=_COPYING)) as connection:
        connection.execute(f"PRAGMA rekey=\"x'{new.hex()}'\"").fetchall()
        connection.execute(
            "INSERT INTO book_info (name, value) VALUES (?, ?)"
            " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            (ENTRY, ring.entry()),
        )
    snapshot.sync(file)


def _grown(before: Contents, after: Contents) -> bool:
    """The copy has what the book had, and the one act more that says so."""
    more = {"segment": 1, "audit_act": 1}
    expected = {name: rows + more.get(name, 0) for name, rows in before.counts.items()}
    held: Mapping[str, int] = {**after.counts, "book_info": expected["book_info"]}
    longer = [
        (one.project, one.sequence, one.hash) for one in after.heads if one not in before.heads
    ]
    return (
        held == expected
        and after.counts["book_info"] - before.counts["book_info"] in (0, 1)
        and after.schema == before.schema
        and len(longer) == 1
    )


def _opens(file: Path, key: bytes) -> bool:
    try:
        connect(file, key, setup=(), frozen=True).close()
    except cipher.DatabaseError:
        return False
    return True


def _make_ready(folder: Path) -> None:
    """What was proven gets the name under which an opening completes it."""
    building = folder / BUILDING_FOLDER
    for name in (CARD_FILE, LOCK_FILE):
        (building / name).unlink(missing_ok=True)
    sync_folder(building)
    os.rename(building, folder / REKEY_FOLDER)
    sync_folder(folder)


def _exchange(book: Book, ring: KeyRing) -> None:
    """Put the new database in place by one rename; from there on the new key is the book's."""
    file, ready = book.database_file, book.path / REKEY_FOLDER
    with book.at_rest():
        _empty_wal(file, book.subkey(DATABASE_KEY))
        os.replace(ready / DATABASE_FILE, file)
        book.take(ring, FileStore(file, ring.subkey(DATABASE_KEY)))
        _promote(book.path)


def _promote(folder: Path) -> None:
    """Move the new slots in; should the disk refuse, the next opening does it."""
    try:
        sync_folder(folder)
        leftovers.promote(folder)
    except OSError as error:
        raise EnvironmentFault(
            "rekey_unfinished",
            "账本已经用新钥匙加密，但密钥文件没能换好，磁盘报错。请用新恢复码或新口令重新打开账本，程序会自动补做；"
            "新恢复码请收好，旧的已作废。",
        ) from error


def _empty_wal(file: Path, key: bytes) -> None:
    """A log of the old file beside the new one would be taken for its own: it must be gone."""
    with closing(connect(file, key)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    if file.with_name(f"{file.name}-wal").exists():
        raise faults.busy()
    sync_folder(file.parent)



# ── a book on a server ──────────────────────────────────────────────────────────────────────────


def _on_server(
    book: Book,
    ring: KeyRing,
    fields: Sequence[SealedField],
    witness: Witness,
    progress: Progress,
    cancel: CancelToken | None,
) -> int:
    """One transaction seals the fields anew; other computers then need the new slots."""
    from desktop.storage import server_keys

    server_keys.seal_login(book, ring.newest, book.path / BUILDING_FOLDER)
    _make_ready(book.path)
    after = Sealer.of(ring)
    with book.write() as session:
        server_keys.refuse_unless_whole(session)
        server_keys.put_ring(session, book.ring, ring)
        values = reseal_fields(session, fields, book.sealer, after, progress, cancel)
        check_fields(session, fields, after)
        witness(session, values)
        if cancel is not None:
            cancel.raise_if_set()
    book.take(ring)
    _promote(book.path)
    return values

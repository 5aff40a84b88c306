"""Brings a book from a server back into a file: the whole of it, proven, and only then in force.

The order: copied into a hidden folder and proven; renamed into place, its card saying *arriving*;
the server's tables marked as moved, which ends all writing there; the card made final. While that
goes on nobody else can write. Killed before the mark the server is the book, and the next try
begins anew; killed after it, opening the new folder asks the server and makes the card final.

It also takes the copies that backups of a book on a server need.
"""

from __future__ import annotations

import shutil
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from psycopg import Connection, IsolationLevel

from desktop.errors import Refused
from desktop.jobs import CancelToken, Progress, silent
from desktop.paths import disk_fault, refuse_unsafe_folder, sync_folder
from desktop.storage import migrate, move, server_copy, server_faults, server_login, snapshot
from desktop.storage.bundle import Contents
from desktop.storage.card import (
    BACKUPS,
    CARD_FILE,
    DATABASE_FILE,
    SQLCIPHER_FILE,
    BookCard,
    arriving,
)
from desktop.storage.creation import put_in_place, refuse_occupied, room_beside
from desktop.storage.engine import SETUP, FileStore, connect, create_file
from desktop.storage.keys import DataKey
from desktop.storage.lock import LOCK_FILE
from desktop.storage.migrations import VERSIONS
from desktop.storage.move import MoveReport, Prove
from desktop.storage.opened import Book
from desktop.storage.server_connection import LOCK, MOVED_TO, open_connection
from desktop.storage.server_login import LOGIN_FILE

_COPYING = tuple("foreign_keys=OFF" if one.startswith("foreign_keys") else one for one in SETUP)
_STAYS = frozenset({CARD_FILE, LOCK_FILE, LOGIN_FILE, BACKUPS, DATABASE_FILE, move.RETIRED})
"""Of the folder of a book on a server: not part of what goes into the new folder."""


def into_file(
    link: Connection[Any],
    target: Path,
    key: bytes,
    progress: Progress = silent,
    cancel: CancelToken | None = None,
    *,
    version: str = VERSIONS[-1],
) -> tuple[Contents, server_copy.Prints]:
    """All tables of one instant into a new file ``target``; what it contains, for comparing.

    ``link`` is in autocommit. Raises ``move_failed`` and the faults of disk and driver; a half
    written target is the caller's to remove.
    """
    create_file(target, key)
    migrate.upgrade(target, key, to=version)
    link.isolation_level = IsolationLevel.REPEATABLE_READ
    link.read_only = True
    try:
        with link.transaction(), closing(connect(target, key, setup=_COPYING)) as file:
            file.execute("BEGIN IMMEDIATE")
            prints = server_copy.server_to_file(link, file, progress, cancel)
            file.execute("COMMIT")
            contents = snapshot.contents_of(file)
    finally:
        if not link.closed:
            link.isolation_level = None
            link.read_only = None
    snapshot.sync(target)
    return contents, prints


def snapshot_of(
    book: Book, target: Path, progress: Progress = silent, cancel: CancelToken | None = None
) -> Contents:
    """The whole of an open book on a server in a new file under the book's own database key.

    Raises :class:`Refused` ``needs_all_projects`` for a login that does not see all of it.
    """
    assert book.server is not None
    with book.server.translated(), closing(move.open_whole(book.server.login)) as link:
        return into_file(link, target, move.database_key(book), progress, cancel)[0]


def to_file(
    book: Book,
    folder: Path,
    prove: Prove,
    progress: Progress = silent,
    cancel: CancelToken | None = None,
) -> MoveReport:
    """Move ``book`` (open, on a server) into a new book ``folder``; the book here is closed for
    good afterwards, and its folder says where it went.

    Raises :class:`Refused`, :class:`EnvironmentFault`, ``Cancelled``; the server is the book then.
    """
    if book.server is None:
        raise Refused("already_in_file", "这个账本就在本机文件里，没有搬，未做任何改动。")
    folder = folder.absolute()
    refuse_unsafe_folder(folder)
    _clear_unfinished(folder, book.book_id)
    refuse_occupied(folder)
    here = BookCard.read(book.path)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        beside, lock = room_beside(folder)
    except OSError as error:
        raise disk_fault(error, folder.parent) from error
    try:
        with (
            book.alone(), book.server.translated(),
            closing(move.open_whole(book.server.login)) as link,
        ):
            link.execute("SELECT pg_advisory_lock(%s)", (LOCK,))  # nobody writes until the end
            key = move.database_key(book)
            contents, prints = into_file(link, beside / DATABASE_FILE, key, progress, cancel)
            card = replace(here, database=SQLCIPHER_FILE, arriving=here.database)
            _prove_here(book, card, beside, key, prove)
            _complete_folder(book.path, beside, card)
            lock.release()
            put_in_place(beside, folder)
            link.execute(
                "INSERT INTO book_info (name, value) VALUES (%s, %s)", (MOVED_TO, folder.name)
            )
    except BaseException as error:
        lock.release()
        shutil.rmtree(beside, ignore_errors=True)
        if isinstance(error, OSError):
            raise disk_fault(error, folder.parent) from error
        raise
    replace(card, arriving=None).write(folder)
    (folder / LOGIN_FILE).unlink(missing_ok=True)
    replace(here, moved_to=folder.name).write(book.path)
    return move.report(folder.name, prints, contents.heads)


def _prove_here(book: Book, card: BookCard, beside: Path, key: bytes, prove: Prove) -> None:
    store = FileStore(beside / DATABASE_FILE, key)
    try:
        prove(move.twin(book, card, store, beside))
    finally:
        store.close()


def _complete_folder(source: Path, beside: Path, card: BookCard) -> None:
    """Slots, originals and whatever else belongs to the book; raises OSError."""
    for entry in sorted(source.iterdir()):
        if entry.name in _STAYS or entry.name.startswith("."):
            continue
        if entry.is_dir():
            shutil.copytree(entry, beside / entry.name)
        else:
            shutil.copy2(entry, beside / entry.name)
    shutil.copy2(source / LOGIN_FILE, beside / LOGIN_FILE)  # to ask the server after a kill
    (beside / BACKUPS).mkdir()
    (beside / LOCK_FILE).touch(mode=0o600)
    card.write(beside)
    sync_folder(beside)


def _clear_unfinished(folder: Path, book_id: str) -> None:
    """A folder of this very book whose move was cut off before the server was given up: the book
    is open on the server, so what lies there is a copy and goes."""
    if not (folder / CARD_FILE).exists():
        return
    card = BookCard.peek(folder)
    if card.arriving is not None and card.book_id == book_id:
        shutil.rmtree(folder)


def finish_arrival(folder: Path, card: BookCard, key: DataKey) -> BookCard:
    """The card of a folder whose move was cut off, made final when the server was given up.

    Raises :class:`Refused` ``book_arriving`` when the server is still the book, and the server's
    faults when it cannot be asked.
    """
    assert card.arriving is not None
    login = server_login.read(folder, replace(card, database=card.arriving), key)
    with (
        server_faults.translated(login.address.place),
        open_connection(login, autocommit=True) as link,
    ):
        row = link.execute("SELECT 1 FROM book_info WHERE name = %s", (MOVED_TO,)).fetchone()
    if row is None:
        raise arriving()
    settled = replace(card, arriving=None)
    settled.write(folder)
    (folder / LOGIN_FILE).unlink(missing_ok=True)
    return settled

"""Moves a book from its file to a server, so that a kill at any instant leaves one valid book.

The order: everything is copied to the server and proven there, marked as *arriving*; then one
rename of ``book.json`` makes the server the book; then the file is put aside as a retired copy.
Killed before the rename the file is the book, and the next try replaces what arrived; killed after
it the server is the book, and the next opening puts the file aside. The way back is
:mod:`desktop.storage.move_back`.

Imported only where a server is used.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from sqlcipher3 import dbapi2 as cipher

from desktop.clock import Clock
from desktop.errors import Refused
from desktop.jobs import CancelToken, Progress, silent
from desktop.paths import disk_fault, sync_folder
from desktop.storage import server_copy, server_login, server_opening, server_schema, snapshot
from desktop.storage.bundle import Head
from desktop.storage.card import DATABASE_FILE, BookCard
from desktop.storage.engine import connect
from desktop.storage.integrity import DATABASE_KEY
from desktop.storage.keys import SLOTS_FILE
from desktop.storage.lock import FolderLock
from desktop.storage.opened import Book, Store
from desktop.storage.server_address import ServerAddress
from desktop.storage.server_admin import ARRIVING, Administrator
from desktop.storage.server_connection import MOVED_TO, Login, open_connection
from desktop.storage.server_creation import FIRST_MEMBER, member_login
from desktop.storage.server_store import ServerStore

RETIRED = "retired"
"""Folder inside a book's own: the files it had before it moved to a server."""

Prove = Callable[[Book], None]
"""Recomputes the ledgers of a book; raises when one does not hold."""


@dataclass(frozen=True, slots=True)
class MoveReport:
    """What was moved: rows of all tables and the heads of the chains, which are those of before.
    ``place`` as sentences name it."""

    place: str
    tables: int
    rows: int
    heads: tuple[Head, ...]

    def as_json(self) -> dict[str, Any]:
        """The result of ``book move``."""
        return {
            "place": self.place, "tables": self.tables, "rows": self.rows,
            "heads": [head.as_json() for head in self.heads],
        }


class NoLock:
    """Of a book that is looked at inside another one's folder."""

    def release(self) -> None:
        """Nothing to let go."""


def twin(book: Book, card: BookCard, store: Store, folder: Path | None = None) -> Book:
    """The same book over other tables, to be proven; its ``close`` ends nothing but ``store``."""
    lock = cast(FolderLock, NoLock())
    return Book(folder or book.path, card, book.ring.newest, book.clock, lock, store)


def report(place: str, prints: server_copy.Prints, heads: tuple[Head, ...]) -> MoveReport:
    """The report over what was copied."""
    return MoveReport(place, len(prints), sum(one.rows for one in prints.values()), heads)


def to_server(
    book: Book,
    url: str,
    password: str | None,
    prove: Prove,
    progress: Progress = silent,
    cancel: CancelToken | None = None,
    *,
    member: str = FIRST_MEMBER,
) -> MoveReport:
    """Move ``book`` (open, in its file) to the database of ``url``, an administrator's.

    It stays open and goes on there. Raises :class:`Refused`, :class:`EnvironmentFault`,
    ``Cancelled``; the book is as before then, and nothing is left on the server.
    """
    if book.dialect != "sqlite":
        raise Refused(
            "already_on_server", "这个账本已经在服务器上，没有搬，未做任何改动。要搬回本机请用 book move --to-file。"
        )
    address, inside = ServerAddress.parse(url)
    admin = Administrator(Login(address, password or inside or ""))
    login_name = member_login(address, member)
    with book.alone():
        made = admin.prepare()
        try:
            heads, prints = _copy(book, admin, progress, cancel)
            login = admin.add_member(login_name, (), everywhere=True)
            card = replace(BookCard.read(book.path), database=str(login.address))
            store = ServerStore(login)
            try:
                _prove_there(book, card, store, heads, prove)
                server_login.write(book.path, card, book.ring.newest, login.password)
                card.write(book.path)  # from here on the server is the book
            except BaseException:
                store.close()
                raise
        except BaseException:
            if BookCard.peek(book.path).server is None:
                with suppress(Exception):  # what cannot be removed is replaced by the next try
                    admin.remove(database=made)
            raise
        with book.at_rest():
            book.take(book.ring, store)
    server_opening.settle(book)
    return report(address.place, prints, heads)


def _copy(
    book: Book, admin: Administrator, progress: Progress, cancel: CancelToken | None
) -> tuple[tuple[Head, ...], server_copy.Prints]:
    """The tables with all rows, in one transaction on each side."""
    prints: server_copy.Prints = {}
    with book.read() as session:
        source: Any = session.connection().connection.driver_connection

        def fill(link: Any) -> None:
            prints.update(server_copy.file_to_server(source, link, progress, cancel))

        admin.build(facts={ARRIVING: "move"}, fill=fill)
        return snapshot.contents_of(source).heads, prints


def _prove_there(
    book: Book, card: BookCard, store: ServerStore, heads: tuple[Head, ...], prove: Prove
) -> None:
    """The way every PC will open it: guards, identity, heads, and the whole ledger."""
    with store.connect() as link:
        server_opening.look(link, store.login, book.book_id)
        found = heads_of(link)
    if found != heads:
        raise Refused(
            "move_failed", "搬到服务器后账本的校验值与原来不同，已撤销，账本保持原样。请检查服务器后重试。"
        )
    prove(twin(book, card, store))


def heads_of(link: Any) -> tuple[Head, ...]:
    """The heads of all chains that a connection to a server sees."""
    rows = link.execute(
        "SELECT DISTINCT ON (project_id) project_id, sequence, hash"
        f" FROM {server_schema.SCHEMA}.segment ORDER BY project_id, sequence DESC"
    ).fetchall()
    return tuple(Head(project, sequence, bytes(digest)) for project, sequence, digest in rows)


# ── the retired copy ────────────────────────────────────────────────────────────────────────────


def retire_file(folder: Path, card: BookCard, key: bytes, clock: Clock) -> Path | None:
    """Put the file of a book that is on a server now aside, marked inside and outside; where it
    lies now. None where there is none. ``key`` of the file; nobody has it open. May be repeated.
    """
    file = folder / DATABASE_FILE
    if not file.exists():
        return None
    try:
        _mark(file, key, card.database)
        target = _free(folder / RETIRED, f"{clock.now():%Y%m%dT%H%M%SZ}")
        target.mkdir(mode=0o700, parents=True)
        shutil.copy2(folder / SLOTS_FILE, target / SLOTS_FILE)
        BookCard(card.book_id, card.demo, moved_to=card.database).write(target)
        os.rename(file, target / DATABASE_FILE)
        sync_folder(target)
        sync_folder(folder)
    except OSError as error:
        raise disk_fault(error, folder) from error
    return target


def _mark(file: Path, key: bytes, target: str) -> None:
    """Said inside the file as well: a card can be edited by hand. One that does not open with the
    book's key is somebody else's; it is put aside as it is."""
    with suppress(cipher.DatabaseError), closing(connect(file, key)) as connection:
        connection.execute(
            "INSERT INTO book_info (name, value) VALUES (?, ?) ON CONFLICT DO NOTHING",
            (MOVED_TO, target),
        )


def _free(parent: Path, name: str) -> Path:
    target, number = parent / name, 1
    while target.exists():
        number += 1
        target = parent / f"{name}-{number}"
    return target


def whole_login(login: Login, link: Any) -> None:
    """Raise :class:`Refused` for a login that does not see every project of the book."""
    row = link.execute("SELECT 1 FROM project_member WHERE project_id = 0").fetchone()
    if row is None:
        raise Refused(
            "needs_all_projects",
            f"这台电脑在服务器（{login.address.place}）上的登录名只看得到部分项目，不能复制整个账本，未做任何改动。"
            "请在能看到全部项目的电脑上做。",
        )


def open_whole(login: Login) -> Any:
    """A plain connection of a login that sees the whole book; close it."""
    link = open_connection(login, autocommit=True)
    try:
        whole_login(login, link)
    except BaseException:
        link.close()
        raise
    return link


def database_key(book: Book) -> bytes:
    """The key of the book's file, also while it has none."""
    return book.subkey(DATABASE_KEY)

"""Opens a book whose tables are on a server: looks at everything before anything is done.

Nothing is migrated here: the tables belong to a role this computer cannot take, and other
computers work on them. An older schema is refused with the way to bring it up to date.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from desktop.clock import Clock
from desktop.errors import EnvironmentFault, Refused
from desktop.storage import (
    opening,
    server_connection,
    server_faults,
    server_login,
    server_schema,
)
from desktop.storage.card import BookCard, moved
from desktop.storage.keys import DataKey
from desktop.storage.lock import FolderLock
from desktop.storage.migrations import VERSIONS
from desktop.storage.opened import Book
from desktop.storage.server_admin import ARRIVING
from desktop.storage.server_connection import MOVED_TO, Login
from desktop.storage.server_store import ServerStore

if TYPE_CHECKING:
    from psycopg import Connection

_RECEIPTS_KEPT = "2 days"


def open_on_server(
    folder: Path, card: BookCard, key: DataKey, clock: Clock, lock: FolderLock
) -> Book:
    """The book of a folder whose card names a server; ``lock`` is held and passes to the book."""
    login = server_login.read(folder, card, key)
    place = login.address.place
    with (
        server_faults.translated(place),
        server_connection.open_connection(login, autocommit=True) as link,
    ):
        look(link, login, card.book_id)
        link.execute(f"DELETE FROM write_receipt WHERE at < now() - interval '{_RECEIPTS_KEPT}'")
    store = ServerStore(login)
    try:
        return Book(folder, card, key, clock, lock, store)
    except BaseException:
        store.close()
        raise


def look(link: Connection[Any], login: Login, book_id: str) -> None:
    """Refuse what must not be worked on: server, version, guards, another or a moved book."""
    place = login.address.place
    server_schema.refuse_old_server(link, place)
    version = server_schema.version(link)
    if version is None:
        raise EnvironmentFault(
            "server_no_book",
            f"服务器（{place}）的数据库 {login.address.database} 里没有账本的表。账本没有打开，也没有新建。"
            "请核对服务器；数据丢失时请从备份恢复。",
            server=place, database=login.address.database,
        )
    opening.refuse_newer(version)
    if version != VERSIONS[-1]:
        raise Refused(
            "server_schema_old",
            f"服务器上的账本还是旧版本的表（{version}，本程序需要{VERSIONS[-1]}），未做任何改动。"
            "请服务器管理员运行 book upgrade 升级（会先做备份），各台电脑再打开。",
            book=version, program=VERSIONS[-1],
        )
    server_schema.check(link, place)
    facts = dict(link.execute("SELECT name, value FROM book_info").fetchall())
    if facts.get("book_id") != book_id:
        raise Refused(
            "server_other_book",
            f"服务器（{place}）的数据库 {login.address.database} 里是另一个账本，未做任何改动。请核对服务器和数据库。",
            server=place,
        )
    if MOVED_TO in facts:
        raise moved(facts[MOVED_TO])


def settle(book: Book) -> None:
    """The folder is in place: end what a killed creation or move may have left open."""
    from sqlalchemy import delete, select

    from desktop.storage import move
    from desktop.storage.tables import BookInfo

    with book.read() as session:
        pending = session.scalar(select(BookInfo.value).where(BookInfo.name == ARRIVING))
    if pending is not None:
        with book.write() as session:
            session.execute(delete(BookInfo).where(BookInfo.name == ARRIVING))
    move.retire_file(book.path, BookCard.read(book.path), move.database_key(book), book.clock)

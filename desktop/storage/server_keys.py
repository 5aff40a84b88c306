"""What a new data key means for a book on a server: the login file, the ring, who may do it.

Imported only where a server is used.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import text
from sqlalchemy.orm import Session

from desktop.errors import EnvironmentFault, Refused
from desktop.storage import server_connection, server_faults, server_login
from desktop.storage.card import BookCard
from desktop.storage.key_ring import ENTRY, KeyRing, generation_of, renewed_elsewhere
from desktop.storage.keys import DataKey
from desktop.storage.opened import Book
from desktop.storage.server_rules import EVERY_PROJECT
from desktop.storage.tables import BookInfo
from desktop.storage.unlock import REKEY_FOLDER


def seal_login(book: Book, key: DataKey, folder: Path) -> None:
    """The password of this computer's login, sealed under the new key in ``folder``."""
    assert book.server is not None
    server_login.write(folder, BookCard.peek(book.path), key, book.server.login.password)


def refuse_unless_whole(session: Session) -> None:
    """Raise :class:`Refused` for a login that does not see every project: what it cannot see it
    could not seal anew."""
    everywhere = session.execute(
        text("SELECT 1 FROM project_member WHERE role_name = CURRENT_USER AND project_id = :every"),
        {"every": EVERY_PROJECT},
    ).first()
    if everywhere is None:
        raise Refused(
            "rekey_needs_all_projects",
            "在服务器上换钥匙要用能看到全部项目的登录名，这台电脑的登录名只看得到部分项目，没有换，未做任何改动。"
            "请在能看到全部项目的电脑上换。",
        )


def put_ring(session: Session, present: KeyRing, ring: KeyRing) -> None:
    """The ring of the new key into the book; refused when somebody else was first."""
    row = session.get(BookInfo, ENTRY, with_for_update=True)
    if generation_of(None if row is None else row.value) != present.generation:
        raise renewed_elsewhere()
    if row is None:
        session.add(BookInfo(name=ENTRY, value=ring.entry()))
    else:
        row.value = ring.entry()
    session.flush()


def fits(folder: Path, card: BookCard, key: DataKey) -> bool:
    """Whether the tables on the server are under ``key``; asked when two generations are known.

    Raises the server's faults when it cannot be asked.
    """
    login = None
    for place in (folder, folder / REKEY_FOLDER):
        try:
            login = server_login.read(place, card, key)
            break
        except EnvironmentFault as fault:
            if fault.code != "server_login_missing":
                raise
    if login is None:
        return False
    with (
        server_faults.translated(login.address.place),
        server_connection.open_connection(login, autocommit=True) as link,
    ):
        row = link.execute("SELECT value FROM book_info WHERE name = %s", (ENTRY,)).fetchone()
    return generation_of(None if row is None else row[0]) == key.generation

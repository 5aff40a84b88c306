"""The tables of a new book on a server, made with an administrator's login."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from desktop.errors import Refused, SiteMusterError
from desktop.storage import server_login, server_opening
from desktop.storage.card import BookCard
from desktop.storage.keys import DataKey
from desktop.storage.opened import Book
from desktop.storage.server_address import ServerAddress
from desktop.storage.server_admin import ARRIVING, Administrator, group_of, owner_of
from desktop.storage.server_connection import Login

_NAME = re.compile(r"[a-z][a-z0-9_]{0,59}")

FIRST_MEMBER = "office"
"""The first computer's login is ``<database>_office``; it sees every project."""


class NewServerBook:
    """See ``creation.NewOnServer``. The administrator's password is kept nowhere."""

    def __init__(self, url: str, password: str | None = None, member: str = FIRST_MEMBER) -> None:
        """``url`` of an administrator; ``password`` where it is not part of it."""
        address, inside = ServerAddress.parse(url)
        self.administrator = Administrator(Login(address, password or inside or ""))
        self.member = member_login(address, member)
        self._new_database = False
        self._made = False

    def make(
        self, folder: Path, card: BookCard, key: DataKey, facts: Mapping[str, str]
    ) -> BookCard:
        """Database, tables, facts marked as *arriving*, and a login kept in ``folder``."""
        admin = self.administrator
        self._new_database = admin.prepare()
        self._made = True
        admin.build(facts={**facts, ARRIVING: "creation"})
        login = admin.add_member(self.member, (), everywhere=True)
        card = BookCard(card.book_id, card.demo, str(login.address))
        server_login.write(folder, card, key, login.password)
        return card

    def undo(self) -> None:
        """Take back what was made; what cannot be is marked and replaced by the next try."""
        if not self._made:
            return
        try:
            self.administrator.remove(database=self._new_database)
        except SiteMusterError:
            return

    def settle(self, book: Book) -> None:
        server_opening.settle(book)


def member_login(address: ServerAddress, member: str) -> str:
    """The login of a member: names are the server's, so the database's name goes first.

    Raises :class:`Refused` ``login_name``.
    """
    prefix = f"{address.database}_"
    login = member if member.startswith(prefix) else prefix + member
    if not _NAME.fullmatch(login) or login in (owner_of(address.database), group_of(address.database)):
        raise Refused(
            "login_name",
            "登录名只能用小写字母、数字和下划线，连数据库名不超过60个字符，也不能叫 owner 或 app。未做任何改动。请换一个名字。",
        )
    return login

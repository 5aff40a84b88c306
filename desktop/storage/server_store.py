"""The tables of an open book on a server: what :class:`desktop.storage.opened.Book` stands on."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from sqlalchemy.orm import Session

from desktop.storage import server_connection, server_faults
from desktop.storage.watch import Teller

if TYPE_CHECKING:
    from psycopg import Connection

    from desktop.storage.server_connection import Login


class ServerStore:
    """Engines of one login; other PCs have theirs."""

    dialect = "postgresql"

    def __init__(self, login: Login) -> None:
        self.login = login
        self.writer = server_connection.writer_engine(login)
        self.teller = Teller(self.writer)
        self.reader = server_connection.reader_engine(login)

    @property
    def place(self) -> str:
        """``host:port``, for sentences."""
        return self.login.address.place

    def connect(self) -> Connection[Any]:
        """A connection of one's own in autocommit, for example to LISTEN on.

        Raises ``server_away`` and its kin.
        """
        with self.translated():
            return server_connection.open_connection(self.login, autocommit=True)

    def translated(self, *, reading: bool = False) -> AbstractContextManager[None]:
        """Faults of server and network in our words."""
        return server_faults.translated(self.place, reading=reading)

    def give_up(self, session: Session, error: BaseException) -> None:
        """Roll back after ``error``; what is gone needs none."""
        if server_faults.is_lost(error):
            session.invalidate()
        else:
            session.rollback()

    def close(self) -> None:
        self.reader.dispose()
        self.writer.dispose()

"""Connections to a book on a server, and the one commit that knows whether it happened.

Imported only where a server is used: it needs psycopg, and a book in a file must open without.

**One writer at a time**, as on the file: every writing transaction first takes an advisory lock of
the database, so the chain's head cannot be taken twice and each statement sees all that was
committed before. **A commit whose answer got lost** is looked up: each writing transaction leaves
a receipt, a random number in a table; after reconnecting, the receipt is there or it is not.
PostgreSQL's own transaction number is no such proof, a crashed server may give it out again.
"""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg import Connection, IsolationLevel
from psycopg.pq import TransactionStatus
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.pool import QueuePool, StaticPool

from desktop.storage import server_faults
from desktop.storage.card import moved
from desktop.storage.server_address import ServerAddress

SCHEMA = "sitemuster"
"""All objects of a book, away from ``public``, where others may create."""

LOCK = 0x534D_4C4F_434B
"""The advisory lock that makes writers come one after another."""

MOVED_TO = "moved_to"
"""In ``book_info``: the book went on elsewhere; what is here is kept and no longer written."""

_LOCK_WAIT_S = 120
_CONNECT_S = 10
_ASK_S = 60
_READERS, _MORE_READERS, _READER_WAIT_S = 2, 10, 60
_SESSION = {
    "search_path": SCHEMA,
    "timezone": "UTC",
    "client_min_messages": "warning",
    "lock_timeout": f"{_LOCK_WAIT_S}s",
    "jit": "off",  # compiling our short statements takes longer than running them
    # A PC that lost its network must not hold the writers' lock for long: the server finds out.
    "tcp_keepalives_idle": "20",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
}
_KEEPALIVE = {
    "keepalives": 1, "keepalives_idle": 20, "keepalives_interval": 5, "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}


@dataclass(frozen=True, slots=True)
class Login:
    """A way into a server; the password shows in no ``repr``."""

    address: ServerAddress
    password: str = field(repr=False)


def open_connection(
    login: Login,
    *,
    kind: type[Connection[Any]] = Connection,
    database: str | None = None,
    autocommit: bool = False,
    wait_s: int = _CONNECT_S,
) -> Connection[Any]:
    """One psycopg connection with the session settings of a book. Raises ``psycopg.Error``."""
    address = login.address
    return kind.connect(
        host=address.host,
        port=address.port,
        dbname=database or address.database,
        user=address.user,
        password=login.password,
        connect_timeout=wait_s,
        autocommit=autocommit,
        application_name="sitemuster",
        client_encoding="utf8",
        options=" ".join(f"-c {name}={value}" for name, value in _SESSION.items()),
        **_KEEPALIVE,  # type: ignore[arg-type]
        **dict(address.options),  # type: ignore[arg-type]
    )


class WriterConnection(Connection[Any]):
    """The lane that writes; see the module for what its commit does."""

    login: Login

    def commit(self) -> None:
        """Commit, and know the outcome also when the connection breaks in that moment.

        Raises the driver's error when nothing was kept, ``server_outcome_unknown`` when the
        server could not be asked within a minute, and ``book_moved`` when the book went on
        elsewhere while it was open here.
        """
        if self.info.transaction_status != TransactionStatus.INTRANS:
            super().commit()
            return
        receipt = secrets.token_bytes(16)
        left = self.execute(
            "INSERT INTO write_receipt (id) SELECT %s"
            " WHERE pg_current_xact_id_if_assigned() IS NOT NULL"
            " RETURNING (SELECT value FROM book_info WHERE name = %s)",
            (receipt, MOVED_TO),
        ).fetchone()
        if left is not None and left[0] is not None:
            super().rollback()
            raise moved(left[0])
        try:
            super().commit()
        except psycopg.Error as error:
            if not (left and server_faults.is_lost(error)):
                raise
            arrived = has_arrived(self.login, receipt)
            if arrived is None:
                place = self.login.address.place
                raise server_faults.outcome_unknown(place, receipt.hex()) from error
            if not arrived:
                raise
            self.close()

    def rollback(self) -> None:
        """Roll back; a connection that is gone has done so already."""
        if not self.closed:
            super().rollback()


def has_arrived(login: Login, receipt: bytes, wait_s: float | None = None) -> bool | None:
    """Whether the transaction that left ``receipt`` was committed; None: nobody could be asked.

    Taking the writers' lock first waits for the broken connection's transaction to end: until
    then its outcome is open.
    """
    until = time.monotonic() + (_ASK_S if wait_s is None else wait_s)
    while True:
        try:
            with open_connection(login, wait_s=5) as link:
                link.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK,))
                found = link.execute("SELECT 1 FROM write_receipt WHERE id = %s", (receipt,))
                return found.fetchone() is not None
        except psycopg.Error:
            if time.monotonic() > until:
                return None
            time.sleep(0.2)


def writer_engine(login: Login) -> Engine:
    """The one lane that writes: it begins with the writers' lock."""

    def connect() -> Connection[Any]:
        link = open_connection(login, kind=WriterConnection)
        assert isinstance(link, WriterConnection)
        link.login = login
        return link

    engine = _engine(connect, size=1, overflow=0)
    event.listen(
        engine, "begin", lambda link: link.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK})")
    )
    return engine


def reader_engine(login: Login) -> Engine:
    """Readers see one committed state for the whole of a session, and can write nothing."""

    def connect() -> Connection[Any]:
        link = open_connection(login)
        link.isolation_level = IsolationLevel.REPEATABLE_READ
        link.read_only = True
        return link

    return _engine(connect, size=_READERS, overflow=_MORE_READERS)


def engine_over(link: Connection[Any]) -> Engine:
    """An engine over one connection that is open already: for building and copying."""
    return create_engine(
        "postgresql+psycopg://", creator=lambda: link, poolclass=StaticPool,
        use_native_hstore=False, hide_parameters=True,
    )


def _engine(connect: Any, *, size: int, overflow: int) -> Engine:
    return create_engine(
        "postgresql+psycopg://",
        creator=connect,
        poolclass=QueuePool,
        pool_size=size,
        max_overflow=overflow,
        pool_use_lifo=True,
        pool_timeout=_READER_WAIT_S,
        pool_pre_ping=True,  # a connection from before a restart of the server is replaced unseen
        use_native_hstore=False,
        hide_parameters=True,
    )

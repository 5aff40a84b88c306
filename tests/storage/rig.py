"""What the storage tests share: looking at a folder from outside, and the foreign hand.

The *foreign hand* is a plain sqlcipher3 connection with the right key and none of our guards: what
somebody with the key and another program could do to the file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session
from sqlcipher3 import dbapi2 as cipher

from desktop.storage import chain
from desktop.storage.book import Book
from desktop.storage.card import BookCard
from desktop.storage.encode import Layout
from desktop.storage.integrity import DATABASE_KEY

PROJECT = 1


def snapshot(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Every path under ``folder`` and itself: modification time and content."""
    paths = [folder, *sorted(folder.rglob("*"))]
    return {
        str(path.relative_to(folder)): (
            path.stat().st_mtime_ns,
            path.read_bytes() if path.is_file() else b"",
        )
        for path in paths
    }


def database_key(book: Book) -> bytes:
    """The key of the file, as only the program can derive it."""
    return book.subkey(DATABASE_KEY)


@contextmanager
def foreign_hand(file: Path, key: bytes) -> Iterator[Any]:
    """A guard-free connection; every statement commits by itself."""
    connection = cipher.connect(str(file), isolation_level=None)
    try:
        connection.execute("PRAGMA cipher_log_level=NONE")
        connection.execute(f"PRAGMA key=\"x'{key.hex()}'\"")
        yield connection
    finally:
        connection.close()


def forge(file: Path, key: bytes, *statements: str) -> None:
    """Run ``statements`` with the triggers out of the way, then put the triggers back.

    Of a book on a server (then there is no ``file``) it is the hand of the server's superuser.
    """
    if not file.exists():
        _forge_on_server(file.parent, statements)
        return
    with foreign_hand(file, key) as hand:
        triggers = hand.execute("SELECT name, sql FROM sqlite_schema WHERE type='trigger'").fetchall()
        for name, _ in triggers:
            hand.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            hand.execute(statement)
        for _, sql in triggers:
            hand.execute(sql)


def _forge_on_server(folder: Path, statements: tuple[str, ...]) -> None:
    from tests.server.rig import Server

    address = BookCard.peek(folder).server
    assert address is not None
    with Server.running[address.port].superuser(address.database) as hand:
        hand.execute("SET session_replication_role = replica")  # neither triggers nor references
        hand.execute("SET search_path = sitemuster")
        for statement in statements:
            if not statement.startswith("PRAGMA"):
                hand.execute(re.sub(r"x'(\w*)'", r"'\\x\1'::bytea", statement))


# A ledger of quarantined records stands for all of them: several rows per segment, raw bytes.

KIND = "sample"
_RECORD = Layout("SMPL", 1, ints=2, texts=2)


def add_segment(session: Session, clock: Any, rows: list[tuple[str, bytes]]) -> int:
    """One segment of ``rows`` (number, raw); returns its id."""
    leaves = [sample_leaf(number, raw) for number, raw in rows]
    segment = chain.append(
        session, PROJECT, KIND, leaves, {"terminal": 1}, at=clock.now(), operator="试"
    )
    connection = session.connection()
    connection.exec_driver_sql(
        "INSERT INTO punch_quarantine (segment_id, terminal_id, source_format, reason, number,"
        " time_text, received_at, raw) VALUES (?, 1, 1, 'future', ?, '', 7, ?)",
        [(segment.id, number, raw) for number, raw in rows],
    )
    return segment.id


def add_terminal(session: Session) -> None:
    """Terminal 1, which the quarantined rows name."""
    session.connection().exec_driver_sql(
        "INSERT INTO terminal (id, project_id, name, driver, address, transport, direction, serial,"
        " encoding, biometric_only_evidence, epoch, cursor)"
        " VALUES (1, 1, '东门', 'zk', '', 'tcp', 'in', '', '', '', 0, '{}')"
    )


def read_sample(session: Session, project_id: int) -> Iterator[tuple[int, bytes]]:
    """The leaf reader of :data:`KIND`."""
    rows = session.connection().exec_driver_sql(
        "SELECT segment_id, terminal_id, received_at, number, raw FROM punch_quarantine"
        " ORDER BY segment_id, id"
    )
    for segment_id, terminal, received, number, raw in rows:
        yield segment_id, sample_leaf(number, raw, terminal, received)


def sample_leaf(number: str, raw: bytes, terminal: int = 1, received: int = 7) -> bytes:
    """Leaf of one row of :func:`add_segment`."""
    return chain.leaf(_RECORD.pack((terminal, received), (number.encode(), raw)))

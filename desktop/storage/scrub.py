"""Rewrites the database file after an erasure, so that no freed page keeps what was erased.

Deleting and overwriting rows leaves their old bytes in free pages and in the write-ahead log, also
those of earlier edits. ``VACUUM`` builds the file anew from what is left; then the log is emptied.
Its working copy goes through the temporary folder, encrypted like the book (tried; a memory copy
would need as much memory as the book is large). Blocks the file system frees are beyond us: they
hold pages encrypted with the book's key.
"""

from __future__ import annotations

import logging
import time
from typing import Any

from sqlcipher3 import dbapi2 as cipher

from desktop.storage.book import Book
from desktop.storage.engine import SETUP, connect
from desktop.storage.integrity import DATABASE_KEY

_log = logging.getLogger(__name__)

_SETUP = (
    *(one for one in SETUP if not one.startswith("temp_store")), "temp_store=FILE",
    "secure_delete=ON", "busy_timeout=250",
)
_ATTEMPTS = 20
_PAUSE_S = 0.1


def scrub(book: Book) -> bool:
    """Rebuild the file and empty the log; False when others kept it from being finished.

    A server's tables are not ours to rebuild: there it is always False, see the manual. Waits up
    to seven seconds for readers, and as long for writers.
    """
    if book.dialect != "sqlite":
        return False
    connection = connect(book.database_file, book.subkey(DATABASE_KEY), setup=_SETUP)
    try:
        return _insist(connection, "VACUUM") and _insist(
            connection, "PRAGMA wal_checkpoint(TRUNCATE)"
        )
    finally:
        connection.close()


def _insist(connection: Any, statement: str) -> bool:
    """Run until nobody is in the way; a checkpoint says by its first number that somebody was."""
    for _ in range(_ATTEMPTS):
        try:
            answer = connection.execute(statement).fetchone()
            if answer is None or not answer[0]:
                return True
        except cipher.OperationalError as error:
            _log.warning("scrub: not finished (%s)", error.sqlite_errorname)
        time.sleep(_PAUSE_S)
    return False

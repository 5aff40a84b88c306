"""Page seals of the database file: every page carries an HMAC, so every flipped byte shows.

It reads the file alone, on a connection of its own, and never repairs.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from sqlcipher3 import dbapi2 as cipher

if TYPE_CHECKING:
    from desktop.storage.book import Book

_PAGE = re.compile(r"page (\d+)")
_PAGE_BYTES = 4096


def check_pages(book: Book) -> list[int]:
    """Numbers of the damaged pages of an open book, in order; empty when all seals hold.

    0.17 s for 100 MB. Pages still in the WAL are checked by the database itself when read. A
    server's pages are the server's own affair.
    """
    if book.server is not None:
        return []
    return damaged_pages(book.database_file, book.subkey(DATABASE_KEY))


DATABASE_KEY = "database"
"""Label of the sub-key that encrypts the file."""


def damaged_pages(path: Path, key: bytes) -> list[int]:
    """The same for a file that need not be openable: only its seals are computed."""
    connection = cipher.connect(
        f"{path.absolute().as_uri()}?mode=ro", isolation_level=None, uri=True
    )
    try:
        connection.execute("PRAGMA cipher_log_level=NONE")
        connection.execute(f"PRAGMA key=\"x'{key.hex()}'\"")
        reports = connection.execute("PRAGMA cipher_integrity_check").fetchall()
    finally:
        connection.close()
    pages = {int(found[1]) for (report,) in reports if (found := _PAGE.search(str(report)))}
    if reports and not pages:
        pages = {path.stat().st_size // _PAGE_BYTES + 1}
    return sorted(pages)

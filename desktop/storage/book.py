"""A book (账本): one folder that is opened whole and closed whole. This is storage's front door.

The folder holds ``book.json`` (what this is), ``book.db`` (SQLCipher), ``keyslots.json``,
``book.lock`` and ``backups/``; exports never go into it.
"""

from desktop.storage.creation import create_book
from desktop.storage.opened import Book
from desktop.storage.opening import open_book

__all__ = ["Book", "create_book", "open_book"]

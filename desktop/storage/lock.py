"""One program per book: an operating-system lock that dies with its process."""

from __future__ import annotations

import os
from pathlib import Path

from desktop.errors import Refused
from desktop.paths import disk_fault, take_lock

LOCK_FILE = "book.lock"


class FolderLock:
    """Held from opening to closing. The file is never written, so refusing leaves no trace."""

    def __init__(self, folder: Path) -> None:
        """Take the lock; raises :class:`Refused` ``book_in_use`` at once if another holds it."""
        try:
            self._handle: int | None = os.open(folder / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise disk_fault(error, folder) from error
        try:
            take_lock(self._handle)
        except OSError as error:
            self.release()
            raise Refused(
                "book_in_use",
                "这个账本正被另一个窗口或命令使用，未做任何改动。请先关闭那一个，再重试。",
            ) from error

    def release(self) -> None:
        """Let go; twice is harmless. Closing the handle releases the lock on every system."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

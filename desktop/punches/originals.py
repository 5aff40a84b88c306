"""Received files as they came, sealed: the proof beside the ledger, kept until the retention ends.

``originals/`` in the book's folder holds one file per digest, sealed in frames under a sub-key of
the book (:mod:`desktop.storage.sealed_file`). Copies can be made while the book's server is away:
only the folder and the key are needed.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Protocol

from desktop.errors import EnvironmentFault
from desktop.paths import disk_fault, sync_folder
from desktop.storage import sealed_file
from desktop.storage.reseal import SealedFiles
from desktop.storage.sealed_file import FRAME, Damaged, Kind

FOLDER = "originals"

_KIND = Kind(b"SMOF1", b"sitemuster original v1")

SEALED = SealedFiles(FOLDER, FOLDER, _KIND)
"""What a change of the data key seals anew."""

_UNFINISHED = ".new"


class Place(Protocol):
    """A book's folder and its derived keys; an open book is one."""

    path: Path

    def subkey(self, label: str) -> bytes: ...


class Original:
    """A sealed copy that is not yet part of the book: :meth:`keep` it or :meth:`discard` it."""

    def __init__(self, beside: Path, sha256: bytes, size: int) -> None:
        self.sha256 = sha256
        self.size = size
        self._beside = beside

    def keep(self) -> None:
        """Put the copy in its place, where the same content may lie already; twice is harmless."""
        kept = self._beside.with_name(self.sha256.hex())
        try:
            if self._beside.exists() or not kept.exists():
                os.replace(self._beside, kept)
        except OSError as error:
            raise disk_fault(error, self._beside.parent) from error
        sync_folder(self._beside.parent)

    def discard(self) -> None:
        """Remove the copy."""
        with suppress(OSError):
            self._beside.unlink()


def copy(place: Place, source: BinaryIO, *, named: bytes | None = None) -> Original:
    """A sealed copy of a stream, safe on disk. Raises :class:`EnvironmentFault`.

    Its name is the digest of the content, or ``named``: that of the download it belongs to.
    """
    folder = place.path / FOLDER
    digest, size = hashlib.sha256(), 0

    def blocks() -> Iterator[bytes]:
        nonlocal size
        while block := source.read(FRAME):
            digest.update(block)
            size += len(block)
            yield block

    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        own = f"{os.getpid()}-"
        for left in folder.glob(f"*{_UNFINISHED}"):
            if not left.name.startswith(own):  # of a program that was killed while copying
                left.unlink(missing_ok=True)
        beside = folder / f"{own}{os.urandom(8).hex()}{_UNFINISHED}"
        handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as target:
            sealed_file.write(target, _KIND, place.subkey(FOLDER), blocks())
            target.flush()
            os.fsync(target.fileno())
    except OSError as error:
        raise disk_fault(error, folder) from error
    return Original(beside, named or digest.digest(), size)


def read(place: Place, sha256: bytes) -> Iterator[bytes]:
    """The content of a kept file, frame by frame, each proven before it is handed out.

    Raises :class:`EnvironmentFault` when there is no such file or it was changed or cut.
    """
    path = place.path / FOLDER / sha256.hex()
    try:
        with path.open("rb") as source:
            yield from sealed_file.read(source, _KIND, place.subkey(FOLDER))
    except Damaged as error:
        raise EnvironmentFault(
            "original_damaged", "这份原始文件的密封不完整：已损坏或被改动过。打卡记录不受影响。"
        ) from error
    except OSError as error:
        raise EnvironmentFault(
            "original_missing", "账本里没有这份原始文件，或读不出来。打卡记录不受影响。"
        ) from error

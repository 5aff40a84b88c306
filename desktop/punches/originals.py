"""Received files as they came, sealed: the proof beside the ledger, kept until the retention ends.

``originals/`` in the book's folder holds one file per digest, encrypted in frames under a sub-key
of the book, so that a large file never stands in memory and nothing lies on the disk in clear.
"""

from __future__ import annotations

import hashlib
import os
import struct
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from desktop.errors import EnvironmentFault
from desktop.paths import disk_fault, sync_folder
from desktop.storage.book import Book

FOLDER = "originals"

_MAGIC = b"SMOF1"
_SALT = 8
_FRAME = 1 << 20
_LENGTH = struct.Struct(">I")
_PURPOSE = b"sitemuster original v1"
_UNFINISHED = ".new"


class Original:
    """A sealed copy that is not yet part of the book: :meth:`keep` it or :meth:`discard` it."""

    def __init__(self, beside: Path, sha256: bytes, size: int) -> None:
        self.sha256 = sha256
        self.size = size
        self._beside = beside

    def keep(self) -> None:
        """Put the copy in its place; a file with the same content is there already or not."""
        try:
            os.replace(self._beside, self._beside.with_name(self.sha256.hex()))
        except OSError as error:
            raise disk_fault(error, self._beside.parent) from error
        sync_folder(self._beside.parent)

    def discard(self) -> None:
        """Remove the copy."""
        with suppress(OSError):
            self._beside.unlink()


def copy(book: Book, source: BinaryIO) -> Original:
    """A sealed copy of a stream, safe on disk. Raises :class:`EnvironmentFault`."""
    folder = book.path / FOLDER
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        own = f"{os.getpid()}-"
        for left in folder.glob(f"*{_UNFINISHED}"):
            if not left.name.startswith(own):  # of a program that was killed while copying
                left.unlink(missing_ok=True)
        beside = folder / f"{own}{os.urandom(8).hex()}{_UNFINISHED}"
        digest, size = hashlib.sha256(), 0
        handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as target:
            salt = os.urandom(_SALT)
            target.write(_MAGIC + salt)
            cipher = AESGCM(book.subkey(FOLDER))
            for place, (block, last) in enumerate(_frames(source)):
                digest.update(block)
                size += len(block)
                sealed = cipher.encrypt(_nonce(salt, place), block, _associated(last))
                target.write(_LENGTH.pack(len(sealed)) + sealed)
            target.flush()
            os.fsync(target.fileno())
    except OSError as error:
        raise disk_fault(error, folder) from error
    return Original(beside, digest.digest(), size)


def read(book: Book, sha256: bytes) -> Iterator[bytes]:
    """The content of a kept file, frame by frame, each proven before it is handed out.

    Raises :class:`EnvironmentFault` when there is no such file or it was changed or cut.
    """
    path = book.path / FOLDER / sha256.hex()
    try:
        with path.open("rb") as source:
            head = source.read(len(_MAGIC) + _SALT)
            cipher, salt, place = AESGCM(book.subkey(FOLDER)), head[len(_MAGIC) :], 0
            length = source.read(_LENGTH.size)
            if head[: len(_MAGIC)] != _MAGIC or len(salt) != _SALT or not length:
                raise _damaged()
            while length:
                sealed = source.read(min(_LENGTH.unpack(length)[0], _FRAME + 64))
                length = source.read(_LENGTH.size)
                yield cipher.decrypt(_nonce(salt, place), sealed, _associated(not length))
                place += 1
    except (InvalidTag, struct.error, ValueError) as error:
        raise _damaged() from error
    except OSError as error:
        raise EnvironmentFault(
            "original_missing", "账本里没有这份原始文件，或读不出来。打卡记录不受影响。"
        ) from error


def _frames(source: BinaryIO) -> Iterator[tuple[bytes, bool]]:
    """Blocks and whether each is the last; an empty stream is one empty block."""
    block = source.read(_FRAME)
    while True:
        following = source.read(_FRAME) if len(block) == _FRAME else b""
        yield block, not following
        if not following:
            return
        block = following


def _nonce(salt: bytes, place: int) -> bytes:
    return salt + _LENGTH.pack(place)


def _associated(last: bool) -> bytes:
    """A file cut at a frame border does not end with a last frame."""
    return _PURPOSE + (b"\x01" if last else b"\x00")


def _damaged() -> EnvironmentFault:
    return EnvironmentFault(
        "original_damaged", "这份原始文件的密封不完整：已损坏或被改动过。打卡记录不受影响。"
    )

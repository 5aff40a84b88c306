"""The pages of a closed database file, looked at one by one without the database.

SQLCipher 4 keeps 4,096 bytes per page: ciphertext (AES-256-CBC), 16 bytes of IV, 64 of
HMAC-SHA512 over both and the page number. The file begins with its salt instead of a header. That
is enough to find every damaged page, in one reading that also gives the file's digest, with
progress and an end when the user wants one; the pragma for it can be neither watched nor stopped.
It repairs nothing and knows no table.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from desktop.jobs import CancelToken, Progress, silent

PAGE = 4096
SALT = 16
_HMAC = 64
IV = 16
_BODY = PAGE - _HMAC
_AT_ONCE = 256 * PAGE
_LOCK_PAGE = (1 << 30) // PAGE + 1
"""The page with the lock bytes: the database never writes it, nobody sealed it."""

_HMAC_SALT_MASK = 0x3A
_HMAC_ROUNDS = 2


@dataclass(frozen=True, slots=True)
class Looked:
    """What one reading of a file found; ``bad`` are page numbers from 1, ``size`` bytes."""

    bad: tuple[int, ...]
    sha256: str
    size: int


def look(
    file: Path,
    key: bytes,
    progress: Progress = silent,
    cancel: CancelToken | None = None,
    *,
    text: str = "核对每一页的封印",
) -> Looked:
    """Check every page seal and digest the file. Raises :class:`OSError` and ``Cancelled``.

    A file that does not end with a whole page counts as damaged in a page after the last.
    """
    total = file.stat().st_size
    digest, bad, done, number = hashlib.sha256(), [], 0, 0
    with file.open("rb") as source:
        seals = Seals(key, _salt_of(source))
        while block := source.read(_AT_ONCE):
            digest.update(block)
            whole = memoryview(block)
            for at in range(0, len(block) - PAGE + 1, PAGE):
                number += 1
                if not seals.hold(number, whole[at : at + PAGE]):
                    bad.append(number)
            done += len(block)
            progress(done, max(total, done), text)
            if cancel is not None:
                cancel.raise_if_set()
    if done % PAGE or not done:
        bad.append(number + 1)
    return Looked(tuple(bad), digest.hexdigest(), done)


class Seals:
    """The seals of one file. ``salt`` are its first 16 bytes, ``key`` the 32 that encrypt it."""

    def __init__(self, key: bytes, salt: bytes) -> None:
        masked = bytes(byte ^ _HMAC_SALT_MASK for byte in salt)
        secret = hashlib.pbkdf2_hmac("sha512", key, masked, _HMAC_ROUNDS, len(key))
        padded = secret.ljust(128, b"\0")
        # HMAC by hand: the two keyed halves are computed once, not per page.
        self._inner = hashlib.sha512(bytes(byte ^ 0x36 for byte in padded))
        self._outer = hashlib.sha512(bytes(byte ^ 0x5C for byte in padded))

    def hold(self, number: int, page: memoryview) -> bool:
        """Whether a page of :data:`PAGE` bytes is what was sealed under this number."""
        return number == _LOCK_PAGE or self.seal(number, page) == page[_BODY:]

    def seal(self, number: int, page: memoryview) -> bytes:
        """The 64 bytes that end a page with this ciphertext and IV."""
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(page[SALT if number == 1 else 0 : _BODY])
        inner.update(number.to_bytes(4, "little"))
        outer.update(inner.digest())
        return outer.digest()


def salt_of(file: Path) -> bytes:
    """The salt of a file: no secret, but without it no page of the file can be read."""
    with file.open("rb") as source:
        return _salt_of(source)


def _salt_of(source: BinaryIO) -> bytes:
    salt = source.read(SALT)
    source.seek(0)
    return salt

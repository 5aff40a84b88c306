"""Files sealed in frames: large content never stands in memory, nothing lies on the disk in clear.

A file is a mark, a salt, and frames: length, AES-256-GCM text. The nonce is salt and place, the
associated data say what the file is for and whether a frame is the last, so that a changed,
swapped or missing frame shows. It knows nothing of what is sealed, nor where the key comes from.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

FRAME = 1 << 20
"""Most bytes of one block."""

_SALT = 8
_MOST_SEALED = FRAME + 64
"""More than any sealed block: a length that lies never reads just what it should have said."""
_LENGTH = struct.Struct(">I")


class Kind(NamedTuple):
    """What a file is: its first five bytes, and the purpose every frame is bound to."""

    mark: bytes
    purpose: bytes


class Damaged(Exception):
    """The seal of a file is broken: changed, cut, or of another book."""


def write(target: BinaryIO, kind: Kind, key: bytes, blocks: Iterable[bytes]) -> int:
    """Seal ``blocks`` (each at most :data:`FRAME`) into ``target``; returns the bytes written.

    No block at all is one empty block. The caller flushes and syncs.
    """
    salt = os.urandom(_SALT)
    target.write(kind.mark + salt)
    cipher, written = AESGCM(key), len(kind.mark) + _SALT
    for place, (block, last) in enumerate(_with_last(blocks)):
        if len(block) > FRAME:
            raise ValueError("a block is larger than a frame")
        sealed = cipher.encrypt(_nonce(salt, place), block, _associated(kind, last))
        written += target.write(_LENGTH.pack(len(sealed)) + sealed)
    return written


def read(source: BinaryIO, kind: Kind, key: bytes) -> Iterator[bytes]:
    """The blocks as they were given, each proven before it is handed out.

    Raises :class:`Damaged`, and :class:`OSError` as the system says it.
    """
    try:
        head = source.read(len(kind.mark) + _SALT)
        cipher, salt, place = AESGCM(key), head[len(kind.mark) :], 0
        length = source.read(_LENGTH.size)
        if head[: len(kind.mark)] != kind.mark or len(salt) != _SALT or not length:
            raise Damaged
        while length:
            sealed = source.read(min(_LENGTH.unpack(length)[0], _MOST_SEALED))
            length = source.read(_LENGTH.size)
            yield cipher.decrypt(_nonce(salt, place), sealed, _associated(kind, not length))
            place += 1
    except (InvalidTag, struct.error, ValueError) as error:
        raise Damaged from error


def first(path: Path, kind: Kind, key: bytes) -> bytes:
    """The first block alone, proven; raises as :func:`read` does."""
    with path.open("rb") as source:
        for block in read(source, kind, key):
            return block
    raise Damaged


def _with_last(blocks: Iterable[bytes]) -> Iterator[tuple[bytes, bool]]:
    source = iter(blocks)
    block = next(source, b"")
    for following in source:
        yield block, False
        block = following
    yield block, True


def _nonce(salt: bytes, place: int) -> bytes:
    return salt + _LENGTH.pack(place)


def _associated(kind: Kind, last: bool) -> bytes:
    return kind.purpose + (b"\x01" if last else b"\x00")

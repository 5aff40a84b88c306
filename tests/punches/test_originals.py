"""Sealed copies: whole or not at all, and every change of them shows."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest

from desktop.errors import EnvironmentFault
from desktop.punches import originals
from desktop.storage.book import Book

MEGABYTE = 1 << 20


def kept(book: Book, content: bytes) -> Path:
    copy = originals.copy(book, io.BytesIO(content))
    copy.keep()
    assert copy.size == len(content)
    return book.path / originals.FOLDER / copy.sha256.hex()


@pytest.mark.parametrize("size", [0, 1, MEGABYTE - 1, MEGABYTE, MEGABYTE + 1, 3 * MEGABYTE])
def test_content_comes_back(book: Book, size: int) -> None:
    content = os.urandom(size)
    path = kept(book, content)
    assert b"".join(originals.read(book, bytes.fromhex(path.name))) == content
    assert path.stat().st_mode & 0o077 == 0
    if size > 100:
        assert content[:50] not in path.read_bytes()


def test_every_change_shows(book: Book) -> None:
    path = kept(book, b"abc" * MEGABYTE)
    whole = path.read_bytes()
    frame = MEGABYTE + 16 + 4
    for content in (
        b"", whole[:5], whole[:20], whole[:-1], whole[: 13 + frame], whole + b"\0\0\0\1x",
        whole[:13] + whole[13 + frame :], whole[:500] + b"?" + whole[501:],
        b"OTHER" + whole[5:], whole[:13] + b"\xff\xff\xff\xff" + whole[17:],
    ):
        path.write_bytes(content)
        with pytest.raises(EnvironmentFault, match="密封"):
            list(originals.read(book, bytes.fromhex(path.name)))


def test_a_file_nobody_kept(book: Book) -> None:
    with pytest.raises(EnvironmentFault, match="没有这份"):
        list(originals.read(book, bytes(32)))


def test_copies_of_a_killed_program_are_swept(book: Book) -> None:
    first = originals.copy(book, io.BytesIO(b"one"))
    folder = book.path / originals.FOLDER
    (folder / "1-dead.new").write_bytes(b"half")
    second = originals.copy(book, io.BytesIO(b"two"))
    assert not (folder / "1-dead.new").exists()
    first.keep()
    second.discard()
    second.discard()
    assert [path.name for path in folder.iterdir()] == [first.sha256.hex()]


def test_a_folder_that_cannot_be_written(book: Book) -> None:
    (book.path / originals.FOLDER).write_bytes(b"a file in the way")
    with pytest.raises(EnvironmentFault):
        originals.copy(book, io.BytesIO(b"x"))

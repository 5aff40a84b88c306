"""Taking one stream out of an OLE2 compound file, and wrapping it up again, cleanly.

An old .xls is such a container. Its allocation chains may run in circles or point outside; the
walk here visits every sector at most once. The fresh container made of the stream alone is what a
spreadsheet reader then gets to see. Format: [MS-CFB].
"""

from __future__ import annotations

import struct

_END = 0xFFFFFFFE
_FREE = 0xFFFFFFFF
_FAT = 0xFFFFFFFD
_NO_STREAM = 0xFFFFFFFF
_HEADER_FAT = 109
_ENTRY = 128
_MINI_LIMIT = 4096


class OleError(ValueError):
    """The container is damaged."""


class OleFile:
    """A parsed container; ``names`` are its streams and storages in directory order."""

    def __init__(self, content: bytes) -> None:
        if len(content) < 512:
            raise OleError
        self._content = content
        shift, mini_shift = struct.unpack_from("<HH", content, 30)
        if shift not in (9, 12) or mini_shift != 6:
            raise OleError
        self._size = 1 << shift
        self._fat = self._read_fat()
        (directory,) = struct.unpack_from("<I", content, 48)
        self._entries = self._read_directory(self._chain(directory))
        (mini_fat,) = struct.unpack_from("<I", content, 60)
        self._mini_fat = [] if mini_fat >= _FAT else _words(self._chain(mini_fat))
        self.names = list(self._entries)

    def stream(self, name: str) -> bytes:
        """The bytes of a stream. Raises :class:`OleError`."""
        first, length = self._entries[name]
        if length > len(self._content):
            raise OleError
        if length >= _MINI_LIMIT:
            data = self._chain(first, length)
        else:
            data = self._mini_chain(first, length)
        if len(data) < length:
            raise OleError
        return data[:length]

    def _sector(self, number: int) -> bytes:
        start = (number + 1) * self._size
        if number >= _FAT or start >= len(self._content):
            raise OleError
        return self._content[start : start + self._size].ljust(self._size, b"\0")

    def _read_fat(self) -> list[int]:
        numbers = [n for n in struct.unpack_from(f"<{_HEADER_FAT}I", self._content, 76) if n < _FAT]
        (more,) = struct.unpack_from("<I", self._content, 68)
        seen: set[int] = set()
        while more < _FAT:
            if more in seen:
                raise OleError
            seen.add(more)
            words = _words(self._sector(more))
            numbers += [n for n in words[:-1] if n < _FAT]
            more = words[-1]
        if len(numbers) * self._size > len(self._content):
            raise OleError
        fat: list[int] = []
        for number in numbers:
            fat += _words(self._sector(number))
        return fat

    def _chain(self, first: int, limit: int | None = None) -> bytes:
        parts: list[bytes] = []
        seen: set[int] = set()
        number, taken = first, 0
        while number != _END and (limit is None or taken < limit):
            if number in seen or number >= len(self._fat):
                raise OleError
            seen.add(number)
            parts.append(self._sector(number))
            taken += self._size
            number = self._fat[number]
        return b"".join(parts)

    def _mini_chain(self, first: int, length: int) -> bytes:
        root_first, root_length = self._entries.get("", (_END, 0))
        container = self._chain(root_first, root_length) if root_length else b""
        parts: list[bytes] = []
        seen: set[int] = set()
        number, taken = first, 0
        while number != _END and taken < length:
            if number in seen or number >= len(self._mini_fat):
                raise OleError
            seen.add(number)
            parts.append(container[number * 64 : number * 64 + 64])
            taken += 64
            number = self._mini_fat[number]
        return b"".join(parts)

    def _read_directory(self, data: bytes) -> dict[str, tuple[int, int]]:
        """Name → (first sector, length); the root entry has the empty name."""
        entries: dict[str, tuple[int, int]] = {}
        for start in range(0, len(data) - _ENTRY + 1, _ENTRY):
            length, kind = struct.unpack_from("<HB", data, start + 64)
            if kind not in (1, 2, 5) or not 2 <= length <= 64:
                continue
            name = data[start : start + length - 2].decode("utf-16-le", "replace")
            first, low = struct.unpack_from("<II", data, start + 116)
            entries.setdefault("" if kind == 5 else name, (first, low))
        return entries


def _words(data: bytes) -> list[int]:
    return list(struct.unpack(f"<{len(data) // 4}I", data[: len(data) // 4 * 4]))


def wrap_stream(name: str, data: bytes) -> bytes:
    """A container (version 4, sectors of 4,096 bytes) that holds ``data`` as its only stream."""
    size = 4096
    data = data.ljust(_MINI_LIMIT, b"\0")
    body = -(-len(data) // size)
    fat_sectors = 1
    while fat_sectors * (size // 4) < body + fat_sectors + 2:
        fat_sectors += 1
    if fat_sectors > _HEADER_FAT:
        raise OleError
    # Readers expect the root to own a (here unused) store of small streams.
    directory, small, first = fat_sectors, fat_sectors + 1, fat_sectors + 2
    fat = [_FAT] * fat_sectors + [_END, _END]
    fat += [*range(first + 1, first + body), _END]
    fat += [_FREE] * (fat_sectors * (size // 4) - len(fat))
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16)
    header += struct.pack("<HHHHH6x", 0x3E, 4, 0xFFFE, 12, 6)
    header += struct.pack("<IIII", 1, fat_sectors, directory, 0)
    header += struct.pack("<IIIII", _MINI_LIMIT, _END, 0, _END, 0)
    header += struct.pack(
        f"<{_HEADER_FAT}I", *range(fat_sectors), *[_FREE] * (_HEADER_FAT - fat_sectors)
    )
    entries = _entry("Root Entry", 5, 1, small, size) + _entry(name, 2, _NO_STREAM, first, len(data))
    return b"".join((
        header.ljust(size, b"\0"),
        struct.pack(f"<{len(fat)}I", *fat),
        entries.ljust(size, b"\0"),
        bytes(size),
        data.ljust(body * size, b"\0"),
    ))


def _entry(name: str, kind: int, child: int, first: int, length: int) -> bytes:
    text = name.encode("utf-16-le") + b"\0\0"
    return (
        text.ljust(64, b"\0")
        + struct.pack("<HBBIII", len(text), kind, 1, _NO_STREAM, _NO_STREAM, child)
        + bytes(16 + 4 + 16)
        + struct.pack("<IQ", first, length)
    )

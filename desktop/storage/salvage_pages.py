"""Makes a copy of a damaged database file readable without believing a damaged page.

A page whose seal does not hold is replaced by one that nobody can take for data: filled with a
random mark under a good seal. The database then stumbles over such a page where it is part of a
tree, and where it holds the rest of a long value the mark is found in the value. The pages of the
table of tables are taken from a *donor* with the same ones (a backup, or a new book of this
program), because without them nothing at all can be read. The damaged original is never opened.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from io import FileIO
from pathlib import Path
from typing import BinaryIO

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC

from desktop.errors import EnvironmentFault
from desktop.jobs import CancelToken, Progress, silent
from desktop.storage.pages import IV, PAGE, SALT, Seals

_DATA = PAGE - 80
_HEADER = 100
_LEAF, _INTERIOR = 0x0D, 0x05
_SIZE_AT, _CHANGES_AT, _FREE_AT, _VALID_AT = 28, 24, 32, 92
_MAGIC = b"SQLite format 3\x00"
_MARK = 32
_MARK_TYPE = 0xEE
"""First byte of a marked page: no kind of page the database knows."""


class Vault:
    """Pages of one file in clear: only in memory, only to mend."""

    def __init__(self, key: bytes, salt: bytes) -> None:
        self._key = key
        self.salt = salt
        self.seals = Seals(key, salt)

    def open(self, number: int, page: bytes) -> bytes:
        """The 4,016 bytes of a sound page; the first has its usual header again."""
        start = SALT if number == 1 else 0
        cipher = Cipher(AES(self._key), CBC(page[_DATA : _DATA + IV])).decryptor()
        plain = cipher.update(page[start:_DATA]) + cipher.finalize()
        return _MAGIC + plain if number == 1 else plain

    def seal(self, number: int, plain: bytes) -> bytes:
        """The page as it lies in the file."""
        iv = os.urandom(IV)
        cipher = Cipher(AES(self._key), CBC(iv)).encryptor()
        if number == 1:
            body = self.salt + cipher.update(plain[SALT:]) + cipher.finalize()
        else:
            body = cipher.update(plain) + cipher.finalize()
        page = body + iv
        return page + self.seals.seal(number, memoryview(page.ljust(PAGE, b"\0")))


@dataclass(frozen=True, slots=True)
class Donor:
    """A sound file of the same book whose table of tables may be the same. ``by_program``: made
    new just now; it counts only where something of the damaged one can be compared with it."""

    name: str
    file: Path
    key: bytes
    by_program: bool = False


@dataclass(slots=True)
class Mended:
    """A readable copy. ``bad`` are the pages whose seal did not hold, ``directory_from`` the donor
    of the table of tables, empty where it was whole. ``mark`` stands for lost content."""

    pages: int
    bad: list[int] = field(default_factory=list)
    directory_from: str = ""
    mark: bytes = b""


def mend(
    file: Path,
    key: bytes,
    donors: Callable[[], Iterable[Donor]],
    salts: Sequence[bytes] = (),
    progress: Progress = silent,
    cancel: CancelToken | None = None,
) -> Mended:
    """Mend the copy ``file`` in place. ``salts`` are what backups say the salt of the file was.

    Raises :class:`EnvironmentFault` ``beyond_salvage`` where no page can be read, or the table of
    tables is lost and no donor has it.
    """
    with file.open("r+b", buffering=0) as copy:
        size = copy.seek(0, os.SEEK_END)
        copy.truncate((size + PAGE - 1) // PAGE * PAGE)
        patient = _Patient(copy, _salt(copy, key, salts), key)
        patient.look(progress, cancel)
        if len(patient.bad) == patient.count:
            raise _beyond("没有一页能用账本的钥匙读出来")
        donor = patient.mend_directory(donors)
        patient.mark_the_rest()
        os.fsync(copy.fileno())
    return Mended(patient.count, sorted(patient.bad), donor, patient.mark)


def _at(file: BinaryIO | FileIO, number: int) -> bytes:
    """A page as it lies in the file; short or empty beyond its end."""
    file.seek((number - 1) * PAGE)
    return file.read(PAGE) or b""


def _salt(file: FileIO, key: bytes, candidates: Sequence[bytes]) -> bytes:
    """The salt under which the most of some pages hold: the file's own, unless that is damaged."""
    own = _at(file, 1)[:SALT]
    count = os.fstat(file.fileno()).st_size // PAGE
    sample = range(2, min(count, 64) + 1)
    best, most = own, 0
    for salt in (own, *dict.fromkeys(candidates)):
        if len(salt) != SALT:
            continue
        seals = Seals(key, salt)
        held = sum(
            seals.hold(number, memoryview(_at(file, number))) for number in sample
        )
        if held > most:
            best, most = salt, held
    return best


class _Patient:
    """The copy under the knife."""

    def __init__(self, file: FileIO, salt: bytes, key: bytes) -> None:
        self._file = file
        self._vault = Vault(key, salt)
        self.count = os.fstat(file.fileno()).st_size // PAGE
        self.bad: set[int] = set()
        self.mark = bytes([_MARK_TYPE]) + os.urandom(_MARK - 1)
        if _at(file, 1)[:SALT] != salt:
            file.seek(0)
            file.write(salt)

    def look(self, progress: Progress, cancel: CancelToken | None) -> None:
        for number in range(1, self.count + 1):
            if not self._vault.seals.hold(number, memoryview(self._read(number))):
                self.bad.add(number)
            if number % 256 == 0:
                progress(number * PAGE, self.count * PAGE, "查找损坏的页")
                if cancel is not None:
                    cancel.raise_if_set()

    def mend_directory(self, donors: Callable[[], Iterable[Donor]]) -> str:
        """Take lost pages of the table of tables from the first donor that has the same ones."""
        if self._directory_is_whole():
            return ""
        for donor in donors():
            pages = directory(donor)
            if pages is not None and self._fits(pages, donor):
                for number in self.bad.intersection(pages):
                    self._write(number, self._adapted(number, pages[number]))
                return donor.name
        raise _beyond("数据库的目录页损坏，备份里也没有同样的目录页")

    def _directory_is_whole(self) -> bool:
        try:
            return not self.bad.intersection(tree(self._plain))
        except ValueError:
            return False

    def _fits(self, pages: dict[int, bytes], donor: Donor) -> bool:
        """All that can be compared must be equal; of a program's own there must be something."""
        shared = [number for number in pages if number not in self.bad]
        if max(pages) > self.count or (donor.by_program and not shared):
            return False
        return all(_same(number, self._plain(number), pages[number]) for number in shared)

    def _adapted(self, number: int, plain: bytes) -> bytes:
        """The first page says how large the file is and where its free pages are."""
        if number != 1:
            return plain
        header = bytearray(plain)
        header[_SIZE_AT : _SIZE_AT + 4] = self.count.to_bytes(4, "big")
        header[_FREE_AT : _FREE_AT + 8] = bytes(8)
        header[_VALID_AT : _VALID_AT + 4] = header[_CHANGES_AT : _CHANGES_AT + 4]
        return bytes(header)

    def mark_the_rest(self) -> None:
        """Every other damaged page, and those a cut file should have, get the mark."""
        mended = self._vault
        for number in sorted(self.bad):
            if not mended.seals.hold(number, memoryview(self._read(number))):
                self._write(number, self._marked())
        wanted = int.from_bytes(self._plain(1)[_SIZE_AT : _SIZE_AT + 4], "big")
        for number in range(self.count + 1, min(wanted, 2 * self.count + 1024) + 1):
            self.bad.add(number)
            self._write(number, self._marked())

    def _marked(self) -> bytes:
        return (self.mark * (_DATA // _MARK + 1))[:_DATA]

    def _plain(self, number: int) -> bytes:
        page = self._read(number)
        if number in self.bad and not self._vault.seals.hold(number, memoryview(page)):
            raise ValueError("damaged")
        return self._vault.open(number, page)

    def _read(self, number: int) -> bytes:
        return _at(self._file, number).ljust(PAGE, b"\0")

    def _write(self, number: int, plain: bytes) -> None:
        self._file.seek((number - 1) * PAGE)
        self._file.write(self._vault.seal(number, plain))


def directory(donor: Donor) -> dict[int, bytes] | None:
    """The pages of a sound file's table of tables, in clear; None where it is not sound."""
    try:
        with donor.file.open("rb") as source:
            vault = Vault(donor.key, _at(source, 1)[:SALT])

            def plain(number: int) -> bytes:
                page = _at(source, number)
                if len(page) < PAGE or not vault.seals.hold(number, memoryview(page)):
                    raise ValueError("damaged")
                return vault.open(number, page)

            return {number: plain(number) for number in tree(plain)}
    except (OSError, ValueError):
        return None


def tree(plain: Callable[[int], bytes], root: int = 1) -> Iterator[int]:
    """The pages of a table, from its root on, the end of the table first.

    Raises :class:`ValueError` where the tree breaks.
    """
    waiting, seen = [root], set()
    while waiting:
        number = waiting.pop()
        if number in seen or number < 1:
            raise ValueError("no tree")
        seen.add(number)
        yield number
        page, at = plain(number), _HEADER if number == 1 else 0
        if page[at] == _LEAF:
            continue
        if page[at] != _INTERIOR:
            raise ValueError("no tree")
        cells = int.from_bytes(page[at + 3 : at + 5], "big")
        for cell in range(cells):
            place = at + 12 + 2 * cell
            start = int.from_bytes(page[place : place + 2], "big")
            waiting.append(int.from_bytes(page[start : start + 4], "big"))
        waiting.append(int.from_bytes(page[at + 8 : at + 12], "big"))


def _same(number: int, ours: bytes, theirs: bytes) -> bool:
    start = _HEADER if number == 1 else 0
    return ours[start:] == theirs[start:]


def _beyond(why: str) -> EnvironmentFault:
    return EnvironmentFault(
        "beyond_salvage",
        f"这个数据库文件抢救不了：{why}。原文件未做任何改动。请从备份恢复，再重新采集考勤机里还有的记录。",
    )

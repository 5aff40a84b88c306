"""A new book from what a damaged one still holds; the damaged one is never touched.

The order: a copy of the files (unreadable sectors become zeros), the copy mended, every table read
around its losses into a new database under the same keys, gaps filled from a backup where one has
those very rows, and rows that lost their parent given a stand-in, so that the book opens. What the
chain says of it, and whose hand did it, is for :mod:`desktop.access.salvage_desk`.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlcipher3 import dbapi2 as cipher

from desktop.errors import SiteMusterError
from desktop.jobs import CancelToken, Progress, silent
from desktop.storage import backup_store, migrate, pages
from desktop.storage.bundle import OPTIONAL_PARTS, BackupInfo, manifest_of, sealed_by, shelf
from desktop.storage.card import BACKUPS, DATABASE_FILE, BookCard
from desktop.storage.engine import connect, create_file
from desktop.storage.integrity import DATABASE_KEY
from desktop.storage.keys import SLOTS_FILE, DataKey
from desktop.storage.salvage_pages import Donor, Mended, mend
from desktop.storage.salvage_rows import Reader
from desktop.storage.salvage_tables import NewTables, TableReport

_WORK = "damaged"
_SCRATCH = "scratch"
_BLOCK = pages.PAGE * 64


@dataclass(slots=True)
class Rescue:
    """What was saved into ``folder``, a closed book."""

    folder: Path
    pages: int
    bad_pages: list[int]
    directory_from: str
    tables: list[TableReport]
    filled_from: str
    """Name of the backup that filled gaps, empty for none."""
    known_sequences: dict[int, int]
    """Per project the highest segment that anything speaks of, at least."""
    next_segment: int
    """A row number for the next segment that no saved record speaks of."""
    guards_mended: bool
    unreadable_sectors: int

    def table(self, name: str) -> TableReport:
        """The report on one table; an empty one where there is no such table."""
        return next((one for one in self.tables if one.name == name), TableReport(name))


def rescue(
    folder: Path,
    card: BookCard,
    key: DataKey,
    target: Path,
    *,
    use_backups: bool = True,
    progress: Progress = silent,
    cancel: CancelToken | None = None,
) -> Rescue:
    """Build a book in the existing empty folder ``target`` from the damaged one in ``folder``.

    Raises :class:`EnvironmentFault` ``beyond_salvage``, ``disk_full``; :class:`OSError`;
    ``Cancelled``. The caller removes ``target`` then.
    """
    work = target / _WORK
    work.mkdir(mode=0o700)
    database_key = key.subkey(DATABASE_KEY)
    sectors = _copy_damaged(folder, work, progress, cancel)
    infos = _usable(folder, card, database_key) if use_backups else []
    salts = [manifest_of(one.path).salt for one in infos]
    mended = _mended(work, database_key, infos, salts, progress, cancel)
    new = NewTables(target / DATABASE_FILE, database_key, progress)
    with closing(new):
        with closing(Reader(work / DATABASE_FILE, database_key, mended.mark, cancel)) as reader:
            new.copy_all(reader)
        filled_from = new.fill(infos)
        new.finish(card)
        segment = new.next_segment()
        new.close()
        sequences = new.known_sequences(infos)
    _bring_along(folder, card, target, infos)
    shutil.rmtree(work)
    return Rescue(
        target, mended.pages, mended.bad, mended.directory_from, new.reports, filled_from,
        sequences, segment, new.guards_mended, sectors,
    )


# ── the copy ────────────────────────────────────────────────────────────────────────────────────


def _copy_damaged(
    folder: Path, work: Path, progress: Progress, cancel: CancelToken | None
) -> int:
    """Main file and log, as far as the disk gives them; returns the blocks it did not give."""
    lost = 0
    for name in (DATABASE_FILE, f"{DATABASE_FILE}-wal"):
        if (folder / name).exists():
            lost += _copy_what_is_readable(folder / name, work / name, progress, cancel)
    return lost


def _copy_what_is_readable(
    source: Path, target: Path, progress: Progress, cancel: CancelToken | None
) -> int:
    lost, total = 0, source.stat().st_size
    with source.open("rb", buffering=0) as reading, target.open("xb") as writing:
        for start in range(0, total, _BLOCK):
            if cancel is not None:
                cancel.raise_if_set()
            progress(start, total, "复制损坏的账本")
            try:
                reading.seek(start)
                writing.write(reading.read(_BLOCK))
            except OSError as error:
                if error.errno != errno.EIO:
                    raise
                lost += _copy_by_pages(reading, writing, start, min(start + _BLOCK, total))
        writing.flush()
        os.fsync(writing.fileno())
    return lost


def _copy_by_pages(reading: Any, writing: Any, start: int, end: int) -> int:
    lost = 0
    for place in range(start, end, pages.PAGE):
        size = min(pages.PAGE, end - place)
        try:
            reading.seek(place)
            block = reading.read(size)
        except OSError:
            block, lost = b"", lost + 1
        writing.seek(place)
        writing.write(block.ljust(size, b"\0"))
    return lost


def _mended(
    work: Path,
    key: bytes,
    infos: Sequence[BackupInfo],
    salts: Sequence[bytes],
    progress: Progress,
    cancel: CancelToken | None,
) -> Mended:
    """Mend, let the log be moved into the file, mend what that brought."""
    file = work / DATABASE_FILE

    def donors() -> Iterator[Donor]:
        for one in infos:
            yield Donor(one.name, one.path / DATABASE_FILE, key)
        scratch = work / _SCRATCH
        with suppress(SiteMusterError, OSError):
            create_file(scratch, key)
            migrate.upgrade(scratch, key)
            yield Donor("program", scratch, key, by_program=True)

    _move_log(file, key)
    mended = mend(file, key, donors, salts, progress, cancel)
    if (work / f"{DATABASE_FILE}-wal").exists():
        _move_log(file, key)
        again = mend(file, key, donors, salts, progress, cancel)
        again.bad = sorted({*mended.bad, *again.bad})
        again.directory_from = again.directory_from or mended.directory_from
        mended = again
    return mended


def _move_log(file: Path, key: bytes) -> None:
    """What the log holds is newer than the file; where even that fails the file alone counts."""
    log = file.with_name(f"{file.name}-wal")
    if not log.exists():
        return
    try:
        with closing(connect(file, key, setup=())) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    except cipher.DatabaseError:
        return
    log.unlink(missing_ok=True)


def _usable(folder: Path, card: BookCard, key: bytes) -> list[BackupInfo]:
    """Backups of this very book under this very key, the furthest first."""
    found = []
    for info in shelf(folder):
        with suppress(SiteMusterError):
            manifest = manifest_of(info.path)
            sealed = manifest.format > 1 and sealed_by(manifest, key)
            if info.ok is not False and sealed and manifest.book_id == card.book_id:
                found.append(info)
    return sorted(found, key=lambda one: (one.reach, one.at), reverse=True)


def _bring_along(
    folder: Path, card: BookCard, target: Path, infos: Sequence[BackupInfo]
) -> None:
    """Slots, card and kept files; slots that are gone come from a backup."""
    places = [folder, *(one.path for one in infos)]
    slots = next(place for place in places if (place / SLOTS_FILE).exists())
    backup_store.copy_file(slots / SLOTS_FILE, target / SLOTS_FILE)
    card.write(target)
    for name in OPTIONAL_PARTS:
        if (folder / name).exists():
            shutil.copyfile(folder / name, target / name)
    (target / BACKUPS).mkdir()
    for path in backup_store.files_of(folder):
        place = target / path.relative_to(folder)
        place.parent.mkdir(parents=True, exist_ok=True)
        with suppress(OSError):
            shutil.copyfile(path, place)

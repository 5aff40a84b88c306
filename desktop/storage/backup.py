"""Verified copies of a whole book (storage-notes §8): made beside, proven, then given their name.

A copy counts only after it was closed and looked at again: every page seal, the structure, the
revision, the rows, the heads of the chains. Until then it has a temporary name, and what a killed
program left under such a name is thrown away by the next one. A damaged book gives no copy: the
last good one stays the last good one. Copies are encrypted like the book and open through the
slots they carry.
"""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from desktop import __version__
from desktop.clock import CHINA, Clock
from desktop.errors import EnvironmentFault, Refused
from desktop.jobs import CancelToken, Progress, silent
from desktop.paths import disk_fault, sync_folder, write_atomically
from desktop.storage import backup_store, faults, pages, snapshot, thinning
from desktop.storage.backup_store import UNFINISHED, Unfaithful, file_digest
from desktop.storage.bundle import (
    MANIFEST_FILE,
    OPTIONAL_PARTS,
    BackupInfo,
    KeptFile,
    Manifest,
    bundles_in,
    furthest,
    info_of,
    manifest_of,
    shelf,
)
from desktop.storage.card import BACKUPS, CARD_FILE, DATABASE_FILE, SQLCIPHER_FILE, BookCard
from desktop.storage.integrity import damaged_pages
from desktop.storage.keys import SLOTS_FILE, KeySlots, slots_damaged
from desktop.storage.snapshot import Taken

if TYPE_CHECKING:
    from desktop.storage.opened import Book

GONE = ".gone"
_ROOM = 16 << 20
"""Bytes that should stay free beside a backup."""

Snapshot = Callable[[Path, Progress, CancelToken | None], Taken]
"""``snapshot(target, progress, cancel)`` writes the book's tables of one instant into a new file
under the book's database key. The seam for books whose tables are on a server."""

_one_at_a_time = threading.Lock()


@dataclass(frozen=True, slots=True)
class Source:
    """What is copied: the book's folder, its card, the key of its database file.

    ``generation`` of the data key that ``key`` comes from, where it is known: slots of another one
    would not open the copy.
    """

    folder: Path
    card: BookCard
    key: bytes
    snapshot: Snapshot
    generation: int | None = None

    @classmethod
    def of_file(
        cls, folder: Path, card: BookCard, key: bytes, book: Book | None = None
    ) -> Source:
        """A book whose tables are in its own folder; ``book`` has them open, if anybody has."""
        file = folder / DATABASE_FILE

        def take(target: Path, progress: Progress, cancel: CancelToken | None) -> Taken:
            with faults.translated(lambda: damaged_pages(file, key)):
                return snapshot.copy_database(file, target, key, progress, cancel, book=book)

        return cls(folder, card, key, take, None if book is None else book.ring.generation)


def before(folder: Path, card: BookCard, key: bytes, clock: Clock, *, reason: str) -> Path:
    """Copy the book of ``folder`` before something bold and return the copy's folder.

    ``key`` opens the database file; ``reason`` (letters, digits, dashes) becomes part of the name.
    Raises :class:`EnvironmentFault` when no verified copy could be made; nothing is left then.
    """
    return make(Source.of_file(folder, card, key), clock, reason=reason).path


def make(
    source: Source,
    clock: Clock,
    *,
    reason: str,
    progress: Progress = silent,
    cancel: CancelToken | None = None,
) -> BackupInfo:
    """One more bundle in ``backups/`` of the book, proven. Removes no other one.

    Raises :class:`EnvironmentFault` (``book_damaged``, ``disk_full``, ``read_only``,
    ``backup_failed``), ``Cancelled``, :class:`Refused` ``backup_running``; nothing is left then.
    """
    if not _one_at_a_time.acquire(blocking=False):
        raise Refused("backup_running", "正在做另一份备份，没有再开始一份。请等它完成。")
    try:
        return _make(source, clock, reason, progress, cancel)
    finally:
        _one_at_a_time.release()


def _make(
    source: Source, clock: Clock, reason: str, progress: Progress, cancel: CancelToken | None
) -> BackupInfo:
    backups = source.folder / BACKUPS
    at = clock.now()
    target = _free(backups, f"{at:%Y%m%dT%H%M%SZ}-{reason}")
    beside = target.with_name(f".{target.name}{UNFINISHED}")
    try:
        backups.mkdir(exist_ok=True)
        clear_unfinished(backups)
        earlier = shelf(source.folder)
        _refuse_without_room(source, backups)
        beside.mkdir(mode=0o700)
        with _with_last_good(earlier):
            taken = source.snapshot(beside / DATABASE_FILE, progress, cancel)
        digest, size = _proven(beside / DATABASE_FILE, source.key, taken, progress, cancel)
        parts = _copy_parts(source, beside)
        known = [kept for one in earlier if one.ok is not False for kept in _files(one)]
        kept = backup_store.keep_all(source.folder, backups, known, progress, cancel)
        if cancel is not None:
            cancel.raise_if_set()
        manifest = Manifest(
            source.card.book_id, at, reason, digest, taken.contents, size, kept, parts,
            taken.salt, __version__,
        )
        write_atomically(beside / MANIFEST_FILE, manifest.text(source.key))
        backup_store.link_into(beside, backups, kept)
        os.rename(beside, target)
        sync_folder(backups)
    except BaseException as error:
        shutil.rmtree(beside, ignore_errors=True)
        if isinstance(error, Unfaithful):
            raise _failed() from error
        if isinstance(error, OSError):
            raise disk_fault(error, backups) from error
        raise
    return replace(info_of(target), ok=True)


def _files(info: BackupInfo) -> Iterator[KeptFile]:
    yield from manifest_of(info.path).files


def _free(backups: Path, name: str) -> Path:
    target, number = backups / name, 1
    while target.exists():
        number += 1
        target = backups / f"{name}-{number}"
    return target


def _refuse_without_room(source: Source, backups: Path) -> None:
    """Say so before the disk is full: other programs of the user suffer from a full disk too."""
    file = source.folder / DATABASE_FILE
    size = file.stat().st_size if file.exists() else 0
    free = shutil.disk_usage(backups).free
    if free < size + _ROOM:
        raise EnvironmentFault(
            "disk_full",
            f"磁盘空间不够做备份：约需{megabytes(size + _ROOM)}，只剩{megabytes(free)}。"
            "没有做备份，账本和已有备份未做任何改动。请清理磁盘后重试。",
            need=size + _ROOM,
            free=free,
        )


def megabytes(size: int) -> str:
    """A size for a sentence."""
    return f"{size / 1e6:.0f} MB" if size < 10**9 else f"{size / 1e9:.1f} GB"


@contextmanager
def _with_last_good(earlier: list[BackupInfo]) -> Iterator[None]:
    """A damaged book: say which backup is now the one to keep."""
    try:
        yield
    except EnvironmentFault as fault:
        if fault.code != "book_damaged":
            raise
        last = furthest(earlier)
        which = "还没有任何备份" if last is None else f"最后一份备份是「{last.name}」，没有被替换"
        raise EnvironmentFault(
            "book_damaged", f"{fault.message}没有做新的备份；{which}。", **fault.facts
        ) from fault


def _proven(
    file: Path, key: bytes, taken: Taken, progress: Progress, cancel: CancelToken | None
) -> tuple[str, int]:
    """Read the finished copy back from the disk; its digest and size.

    Raises ``backup_failed`` unless it is what was to be copied. Seals that were checked on the way
    are proven by the digest; those of a server's snapshot are looked at now.
    """
    if taken.sha256:
        progress(0, 0, "读回备份核对")
        digest = file_digest(file, cancel)
        sealed = digest == taken.sha256
    else:
        looked = pages.look(file, key, progress, cancel)
        digest, sealed = looked.sha256, not looked.bad
    if not sealed or snapshot.structure(file, key, progress, cancel) != taken.contents:
        raise _failed()
    return digest, file.stat().st_size


def _copy_parts(source: Source, beside: Path) -> dict[str, str]:
    """Slots and card into the copy; returns their digests. The card speaks of a file."""
    shutil.copyfile(source.folder / SLOTS_FILE, beside / SLOTS_FILE)
    slots = KeySlots.read(beside)
    if slots.book_id != source.card.book_id or not slots.intact:
        raise slots_damaged()
    if source.generation not in (None, slots.generation):
        raise Refused(
            "backup_while_rekeying", "账本正在换钥匙，没有做备份，未做任何改动。请等换完再做。"
        )
    replace(source.card, database=SQLCIPHER_FILE).write(beside)
    names = [SLOTS_FILE, CARD_FILE]
    for name in OPTIONAL_PARTS:
        if (source.folder / name).is_file():
            shutil.copyfile(source.folder / name, beside / name)
            names.append(name)
    for name in names:
        (beside / name).chmod(0o600)
        snapshot.sync(beside / name)
    return {name: file_digest(beside / name) for name in names}


def _failed() -> EnvironmentFault:
    return EnvironmentFault(
        "backup_failed",
        "备份写入后核对不通过，已丢弃；账本没有改动，后面的步骤也没有执行。请检查磁盘后重试。",
    )


# ── keeping the shelf in order ──────────────────────────────────────────────────────────────────


def clear_unfinished(backups: Path) -> None:
    """Remove what a killed program left half made or half removed. The caller holds the book."""
    for pattern in (f".*{UNFINISHED}", f".*{GONE}"):
        for left in backups.glob(pattern):
            if left.is_dir():
                shutil.rmtree(left, ignore_errors=True)
            else:
                left.unlink(missing_ok=True)


def thin(place: Path, now: datetime, *, protect: str = "") -> list[str]:
    """Remove the bundles of a folder that need not be kept; returns their names.

    Never the one named ``protect``, never the last good one, never one that cannot be read:
    whoever wants those gone removes them by hand. ``now`` may be wrong by years
    (:mod:`desktop.storage.thinning`).
    """
    infos = bundles_in(place)
    good = [one for one in infos if one.ok is not False]
    regular = [one for one in good if one.regular]
    stay = thinning.keep((one.at for one in regular), now)
    stay_before = thinning.keep_before((one.at for one in good if not one.regular), now)
    last = furthest(infos)
    removed = []
    for one in good:
        needed = one.at in (stay if one.regular else stay_before)
        if needed or one.name == protect or one is last:
            continue
        try:
            _remove(one.path)
        except OSError:
            continue  # held open by somebody: the next time
        removed.append(one.name)
    if removed or len(good) == len(infos):
        _sweep(place)
    return removed


def _remove(bundle: Path) -> None:
    """First the name, so that a kill leaves no bundle that is there by half."""
    gone = bundle.with_name(f".{bundle.name}{GONE}")
    os.rename(bundle, gone)
    shutil.rmtree(gone, ignore_errors=True)


def _sweep(place: Path) -> None:
    """Drop files of the store that no bundle needs; not while one of them cannot be read."""
    infos = bundles_in(place)
    if any(one.ok is False for one in infos):
        return
    backup_store.sweep(place, (kept.sha256 for one in infos for kept in _files(one)))


def age_in_days(then: datetime, now: datetime) -> int:
    """Whole calendar days on site between two instants, for sentences; never negative."""
    return max(0, (now.astimezone(CHINA).date() - then.astimezone(CHINA).date()).days)

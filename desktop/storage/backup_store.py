"""The store beside the bundles: each kept file once, named by its digest.

Raw downloads (and later the photos of a month) never change once they are closed, so bundles refer
to them instead of copying them every day. A copy counts after its digest was read back from the
disk. It does not know what a file is for.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from desktop.jobs import CancelToken, Progress, silent
from desktop.paths import sync_folder
from desktop.storage.bundle import STORE, KeptFile

KEPT_FOLDERS = ("originals",)
"""Folders of a book whose files go along with a backup."""

UNFINISHED = ".new"
_BLOCK = 1 << 20


def files_of(folder: Path) -> Iterator[Path]:
    """The files of a book that a backup keeps, in a fixed order; half-written ones left out."""
    for name in KEPT_FOLDERS:
        for path in sorted((folder / name).rglob("*")):
            hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
            if path.is_file() and not hidden and not path.name.endswith(UNFINISHED):
                yield path


def keep_all(
    folder: Path,
    backups: Path,
    known: Iterable[KeptFile],
    progress: Progress = silent,
    cancel: CancelToken | None = None,
) -> tuple[KeptFile, ...]:
    """Put every file of the book ``folder`` into the store of ``backups``.

    ``known`` are entries of earlier bundles: a file with path, size and time of one of them is not
    read again. Raises :class:`OSError`, ``Cancelled``.
    """
    earlier = {(one.path, one.size, one.changed_ns): one for one in known}
    found = list(files_of(folder))
    kept = []
    for done, path in enumerate(found):
        if cancel is not None:
            cancel.raise_if_set()
        progress(done, len(found), "备份原始文件")
        facts, name = path.stat(), path.relative_to(folder).as_posix()
        same = earlier.get((name, facts.st_size, facts.st_mtime_ns))
        if same is None or not holds(backups, same):
            digest, size = put(path, backups, cancel=cancel)
            same = KeptFile(name, digest, size, facts.st_mtime_ns)
        kept.append(same)
    return tuple(kept)


def holds(backups: Path, kept: KeptFile) -> bool:
    """Whether the store has a file of that name and size."""
    try:
        return (backups / STORE / kept.sha256).stat().st_size == kept.size
    except OSError:
        return False


def put(
    source: Path, backups: Path, *, expected: str = "", cancel: CancelToken | None = None
) -> tuple[str, int]:
    """Copy a file into the store; returns its digest and size.

    With ``expected`` any other digest is an :class:`OSError`: the source is not what it was.
    """
    store = backups / STORE
    store.mkdir(mode=0o700, exist_ok=True)
    beside = store / f".{os.urandom(8).hex()}{UNFINISHED}"
    try:
        digest, size = copy_file(source, beside, expected=expected, cancel=cancel)
        target = store / digest
        if target.exists() and target.stat().st_size == size:
            beside.unlink()
        else:
            os.replace(beside, target)
            sync_folder(store)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    return digest, size


def copy_file(
    source: Path,
    target: Path,
    *,
    expected: str = "",
    progress: Progress = silent,
    text: str = "",
    cancel: CancelToken | None = None,
) -> tuple[str, int]:
    """Copy to a file that does not exist yet and read it back from the disk.

    Returns digest and size. Raises :class:`Unfaithful` when the copy or the source is not what was
    to be copied, else :class:`OSError` and ``Cancelled``.
    """
    digest, size, total = hashlib.sha256(), 0, source.stat().st_size
    with source.open("rb") as reading:
        handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as writing:
            while block := reading.read(_BLOCK):
                if cancel is not None:
                    cancel.raise_if_set()
                digest.update(block)
                writing.write(block)
                size += len(block)
                progress(size, max(total, size), text)
            writing.flush()
            os.fsync(writing.fileno())
            forget_cached(writing.fileno())
    copied = digest.hexdigest()
    if expected and copied != expected:
        raise Unfaithful(source.name)
    if file_digest(target, cancel) != copied:
        raise Unfaithful(target.name)
    return copied, size


class Unfaithful(OSError):
    """A file is not what its digest says: the copy failed, or the source changed."""


def file_digest(file: Path, cancel: CancelToken | None = None) -> str:
    """Hexadecimal SHA-256 of a file."""
    digest = hashlib.sha256()
    with file.open("rb") as source:
        while block := source.read(_BLOCK):
            if cancel is not None:
                cancel.raise_if_set()
            digest.update(block)
    return digest.hexdigest()


def forget_cached(handle: int) -> None:
    """What is read back should come from the medium, where the system can be asked for that."""
    advise = getattr(os, "posix_fadvise", None)
    if advise is not None:
        advise(handle, 0, 0, os.POSIX_FADV_DONTNEED)


def link_into(bundle: Path, backups: Path, kept: Iterable[KeptFile]) -> None:
    """Links in a bundle to its files of the store, where the disk knows links.

    They take no space and make the folder of the bundle whole by itself, so that it can be copied
    away by hand. Where they cannot be made the store alone holds the files.
    """
    for one in kept:
        place = bundle / one.path
        place.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(backups / STORE / one.sha256, place)
        except OSError:
            return


def sweep(backups: Path, referred: Iterable[str]) -> int:
    """Remove what no bundle refers to, and what a killed program left; returns files removed."""
    wanted, removed = set(referred), 0
    try:
        entries = list((backups / STORE).iterdir())
    except OSError:
        return 0
    for entry in entries:
        if entry.name not in wanted:
            entry.unlink(missing_ok=True)
            removed += 1
    return removed

"""Files handed to the user: whole and together under their names, or none at all.

A cancelled, refused or failed export leaves the folder as it was. Exports never go into a book.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from desktop.errors import EnvironmentFault, Refused
from desktop.paths import disk_fault, take_lock
from reports.errors import ReportError

_WRITING = ".writing-"
_HELD = ".held"


def destination(out: Path, book: Path) -> Path:
    """``out`` as an absolute path; refused when it lies in the folder of the book."""
    chosen = out.expanduser().absolute()
    inside, real = os.path.realpath(book), os.path.realpath(chosen)
    if real == inside or real.startswith(inside + os.sep):
        raise Refused(
            "out_in_book", "输出文件夹在账本文件夹里面，未输出任何文件。请选账本以外的文件夹。"
        )
    return chosen


@contextmanager
def working_folder(out: Path) -> Iterator[Path]:
    """A folder inside ``out`` to write into; gone afterwards whatever happened.

    One that a killed program left there (it may hold names) is removed by the next export to the
    same place. Raises :class:`desktop.errors.EnvironmentFault` for what the disk refuses.
    """
    folder, held = None, -1
    try:
        out.mkdir(parents=True, exist_ok=True)
        _sweep(out)
        folder = Path(tempfile.mkdtemp(prefix=_WRITING, dir=out))
        held = os.open(folder / _HELD, os.O_RDWR | os.O_CREAT, 0o600)
        with suppress(OSError):  # a disk without locks: then nothing is ever swept on it
            take_lock(held)
        yield folder
    except OSError as error:
        raise disk_fault(error, out) from error
    except ReportError as error:
        raise EnvironmentFault(
            "paper_not_written",
            "文件没有写成，未留下任何文件。请检查输出文件夹的空间和权限后重试。",
        ) from error
    finally:
        if held >= 0:
            os.close(held)
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)


def _sweep(out: Path) -> None:
    """Remove working folders nobody holds any more."""
    for left in out.glob(f"{_WRITING}*"):
        try:
            handle = os.open(left / _HELD, os.O_RDWR)
        except OSError:
            continue
        try:
            take_lock(handle)
        except OSError:  # another export is at work
            continue
        finally:
            os.close(handle)
        shutil.rmtree(left, ignore_errors=True)


def hand_over(folder: Path, out: Path, names: Iterable[str]) -> None:
    """Move finished files to their names; on failure those already moved are taken away again."""
    moved: list[Path] = []
    try:
        for name in names:
            os.replace(folder / name, out / name)
            moved.append(out / name)
    except OSError:
        for path in moved:
            path.unlink(missing_ok=True)
        raise


def sha256_of(path: Path) -> str:
    """Hexadecimal digest of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()

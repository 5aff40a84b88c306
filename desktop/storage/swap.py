"""Puts a finished book folder in the place of another, whole or not at all.

Everything is prepared in a hidden folder beside. A small journal in it says what the last two
renames will be; a program killed between them leaves no book under the name for that instant, and
whoever comes next finishes it (:func:`finish`, called before a book is opened). The folder that
was replaced is kept under another name, never removed; its backups move to the new one.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from desktop.clock import CHINA
from desktop.errors import Refused
from desktop.paths import sync_folder, write_atomically
from desktop.storage.bundle import STORE
from desktop.storage.card import BACKUPS, restoring_beside
from desktop.storage.lock import LOCK_FILE, FolderLock

_JOURNAL = "swap.json"
_NEW = "book"


class Swap:
    """One exchange: fill :attr:`beside`, then :meth:`put_in_place`; :meth:`abandon` otherwise."""

    def __init__(self, folder: Path) -> None:
        """Make the hidden folder and lock it. :func:`finish` was called before."""
        self.folder = folder
        self._work = restoring_beside(folder)
        self._work.mkdir(mode=0o700)
        self._lock = FolderLock(self._work)
        self.beside = self._work / _NEW
        self.beside.mkdir(mode=0o700)

    def put_in_place(self, now: datetime, held: FolderLock | None) -> Path | None:
        """Exchange; returns where the replaced folder is kept, None where there was none.

        ``held`` is the lock of the folder that is replaced.
        """
        (self.beside / BACKUPS).mkdir(exist_ok=True)
        (self.beside / LOCK_FILE).touch(mode=0o600)
        aside = None if held is None else _free_name(self.folder, now)
        plan = {"aside": None if aside is None else aside.name}
        write_atomically(self._work / _JOURNAL, json.dumps(plan).encode("utf-8"))
        if held is not None and sys.platform == "win32":
            held.release()  # a folder with an open file in it cannot be renamed there
        if aside is not None:
            os.rename(self.folder, aside)
        _complete(self.folder, self._work, aside)
        if held is not None:
            held.release()
        self._end()
        return aside

    def abandon(self) -> None:
        """Throw the prepared folder away; twice, or after the exchange, is harmless."""
        self._end()

    def _end(self) -> None:
        self._lock.release()
        shutil.rmtree(self._work, ignore_errors=True)


def finish(folder: Path) -> str | None:
    """Bring an interrupted exchange to an end; a sentence about it, None when there was none.

    Raises :class:`Refused` ``restore_running`` while another program is at it.
    """
    work = restoring_beside(folder)
    if not work.is_dir():
        return None
    try:
        lock = FolderLock(work)
    except Refused as error:
        raise Refused(
            "restore_running", "这个账本正在另一个窗口或命令里恢复，未做任何改动。请等它完成再打开。"
        ) from error
    try:
        planned, aside = _plan(folder, work)
        _drop_empty(folder)
        done = not (work / _NEW).exists()
        if planned and (done or not folder.exists()):
            _complete(folder, work, aside)
            kept = "" if aside is None else f"；被替换的旧账本保存在「{aside.name}」"
            sentence = f"上次恢复在最后一步中断，现已完成，账本是恢复后的内容{kept}。"
        else:
            sentence = "上次恢复没有完成就中断了，账本没有改动；恢复到一半的内容已清理。"
    finally:
        lock.release()
    shutil.rmtree(work, ignore_errors=True)
    return sentence


def _plan(folder: Path, work: Path) -> tuple[bool, Path | None]:
    """Whether the exchange had begun, and where the replaced folder went or was to go."""
    try:
        name = json.loads((work / _JOURNAL).read_bytes())["aside"]
    except (OSError, ValueError, KeyError, TypeError):
        return False, None
    return True, None if name is None else folder.parent / str(name)


def _drop_empty(folder: Path) -> None:
    """An empty folder of that name is no book: it may be taken away."""
    with suppress(OSError):
        folder.rmdir()


def _complete(folder: Path, work: Path, aside: Path | None) -> None:
    """From the moment on when the old folder has its new name; may be done again."""
    _drop_empty(folder)
    if (work / _NEW).exists():
        os.rename(work / _NEW, folder)
        sync_folder(folder.parent)
    if aside is not None and aside.exists():
        _move_backups(aside / BACKUPS, folder / BACKUPS)


def _move_backups(old: Path, new: Path) -> None:
    """The backups of the replaced book stay on the shelf; one that cannot be moved stays there."""
    if not old.is_dir():
        return
    for entry in sorted(old.iterdir(), key=lambda one: one.name == STORE):
        with suppress(OSError):
            if entry.name == STORE:
                (new / STORE).mkdir(exist_ok=True)
                for file in entry.iterdir():
                    os.rename(file, new / STORE / file.name)
                entry.rmdir()
            elif not (new / entry.name).exists():
                os.rename(entry, new / entry.name)


def _free_name(folder: Path, now: datetime) -> Path:
    stem = f"{folder.name}.被替换-{now.astimezone(CHINA):%Y%m%d-%H%M%S}"
    name, number = stem, 1
    while (folder.parent / name).exists():
        number += 1
        name = f"{stem}-{number}"
    return folder.parent / name

"""Verified copies of a whole book before anything bold is done to it (storage-notes §8).

A copy counts only after it was closed, reopened, its page seals and structure checked and its
ledger heads compared; until then it has a temporary name. Copies are encrypted like the book and
open through the same slots.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import Any

from sqlcipher3 import dbapi2 as cipher

from desktop.clock import Clock
from desktop.errors import EnvironmentFault
from desktop.paths import disk_fault, sync_folder, write_atomically
from desktop.storage import faults, migrate
from desktop.storage.card import BACKUPS, CARD_FILE, DATABASE_FILE, BookCard
from desktop.storage.engine import connect
from desktop.storage.integrity import damaged_pages
from desktop.storage.keys import SLOTS_FILE

MANIFEST_FILE = "manifest.json"


def before(folder: Path, card: BookCard, key: bytes, clock: Clock, *, reason: str) -> Path:
    """Copy the book of ``folder`` into its ``backups/`` and return the copy's folder.

    ``key`` opens the database file; ``reason`` (letters, digits, dashes) becomes part of the name.
    Raises :class:`EnvironmentFault` when no verified copy could be made; nothing is left then.
    """
    name = f"{clock.now():%Y%m%dT%H%M%SZ}-{reason}"
    target = _free(folder / BACKUPS, name)
    beside = target.with_name(f".{target.name}.new")
    try:
        target.parent.mkdir(exist_ok=True)
        for unfinished in target.parent.glob(".*.new"):  # of a killed program; we hold the lock
            shutil.rmtree(unfinished, ignore_errors=True)
        beside.mkdir(mode=0o700)
        with faults.translated(lambda: damaged_pages(folder / DATABASE_FILE, key)):
            state = _copy(folder / DATABASE_FILE, beside / DATABASE_FILE, key)
        for part in (SLOTS_FILE, CARD_FILE):
            shutil.copyfile(folder / part, beside / part)
        _verify(beside / DATABASE_FILE, key, state)
        manifest = {
            "book_id": card.book_id,
            "at": clock.now().isoformat(),
            "reason": reason,
            "sha256": _file_digest(beside / DATABASE_FILE),
            **state,
        }
        text = json.dumps(manifest, indent=2, ensure_ascii=False) + "\n"
        write_atomically(beside / MANIFEST_FILE, text.encode("utf-8"))
        os.rename(beside, target)
        sync_folder(target.parent)
    except BaseException as error:
        shutil.rmtree(beside, ignore_errors=True)
        if isinstance(error, OSError):
            raise disk_fault(error, folder / BACKUPS) from error
        raise
    return target


def _free(backups: Path, name: str) -> Path:
    target, number = backups / name, 1
    while target.exists():
        number += 1
        target = backups / f"{name}-{number}"
    return target


def _copy(source: Path, target: Path, key: bytes) -> dict[str, Any]:
    """One consistent copy under the same key, compact; returns what it must contain."""
    connection = connect(source, key)
    try:
        state = _state(connection)
        connection.execute("VACUUM INTO ?", (str(target),))
    finally:
        connection.close()
    return state


def _state(connection: Any) -> dict[str, Any]:
    heads = connection.execute(
        "SELECT project_id, max(sequence), hex(hash) FROM segment GROUP BY project_id"
    ).fetchall()
    return {
        "schema": migrate.schema_version(connection),
        "heads": [
            {"project": project, "sequence": sequence, "hash": digest}
            for project, sequence, digest in heads
        ],
    }


def _verify(file: Path, key: bytes, state: dict[str, Any]) -> None:
    """Reopen the copy and compare; raises ``backup_failed``."""
    try:
        connection = connect(file, key, setup=())
        try:
            sound = connection.execute("PRAGMA quick_check").fetchall() == [("ok",)]
            sound = sound and _state(connection) == state
        finally:
            connection.close()
        sound = sound and not damaged_pages(file, key)
    except cipher.Error as error:
        raise _failed() from error
    if not sound:
        raise _failed()
    with file.open("rb+") as copy:
        os.fsync(copy.fileno())


def _failed() -> EnvironmentFault:
    return EnvironmentFault(
        "backup_failed",
        "备份写入后核对不通过，已丢弃；账本没有改动，后面的步骤也没有执行。请检查磁盘后重试。",
    )


def _file_digest(file: Path) -> str:
    with file.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()

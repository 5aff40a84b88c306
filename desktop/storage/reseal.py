"""Sealing anew what lies under an earlier data key: fields of tables, and files beside them.

Of the tables only those that may be updated; rows of the ledgers stay as they are and open through
the key ring. It is told by the stations which fields and files there are, and works on either
engine.
"""

from __future__ import annotations

import json
import os
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from desktop.errors import EnvironmentFault
from desktop.jobs import CancelToken, Progress, silent
from desktop.paths import disk_fault, sync_folder, write_atomically
from desktop.storage import sealed_file
from desktop.storage.key_ring import KeyRing
from desktop.storage.sealed import SealedField, Sealer, generation_of
from desktop.storage.sealed_file import Damaged, Kind
from desktop.storage.tables import Base

MARK_FILE = "sealed-files.json"
"""In the book's folder: which generation its files are sealed under; missing means the first."""

_UNFINISHED = ".reseal"
_AT_ONCE = 2_000


@dataclass(frozen=True, slots=True)
class SealedFiles:
    """Files of a station: their folder in the book, the label of their sub-key, their kind."""

    folder: str
    label: str
    kind: Kind


# ── fields ──────────────────────────────────────────────────────────────────────────────────────


def reseal_fields(
    session: Session,
    fields: Sequence[SealedField],
    before: Sealer,
    after: Sealer,
    progress: Progress = silent,
    cancel: CancelToken | None = None,
) -> int:
    """Seal every value of ``fields`` with ``after`` and recompute its index; returns how many.

    An index that was not computed from the value (the row was erased) stays as it is. Raises
    :class:`EnvironmentFault` ``sealed_damaged`` for a value that does not open: nothing may be
    left behind under a key that is about to be given up.
    """
    by_table: dict[str, list[SealedField]] = defaultdict(list)
    for one in fields:
        by_table[one.table].append(one)
    done = 0
    for name, columns in by_table.items():
        for values in _in_parts(_changed(session, columns, before, after)):
            if cancel is not None:
                cancel.raise_if_set()
            _store(session, name, columns[0].key, values)
            done += sum(len(one) - 1 for one in values)
            progress(done, 0, "用新钥匙重新密封人员资料")
    return done


def _changed(
    session: Session, columns: Sequence[SealedField], before: Sealer, after: Sealer
) -> Iterator[dict[str, Any]]:
    """For each row its key and the columns that change."""
    table = Base.metadata.tables[columns[0].table]
    names = [columns[0].key]
    for one in columns:
        names += [one.column, *([one.index_column] if one.index_column else [])]
    rows = session.execute(select(*(table.c[name] for name in names))).mappings().all()
    for row in rows:
        new: dict[str, Any] = {"row_key": row[columns[0].key]}
        for one in columns:
            sealed = row[one.column]
            if not sealed:
                continue
            text = before.open(sealed)
            new[one.column] = after.seal(text)
            if one.index_column and row[one.index_column] == before.index(one.label, text):
                new[one.index_column] = after.index(one.label, text)
        if len(new) > 1:
            yield new


def _store(session: Session, name: str, key: str, values: list[dict[str, Any]]) -> None:
    """Rows with the same columns go together; Core only, so that no editing stamp is touched."""
    table = Base.metadata.tables[name]
    alike: dict[tuple[str, ...], list[dict[str, Any]]] = defaultdict(list)
    for one in values:
        alike[tuple(sorted(one))].append(one)
    for columns, group in alike.items():
        changed: dict[str, Any] = {
            column: bindparam(f"new_{column}") for column in columns if column != "row_key"
        }
        statement = update(table).where(table.c[key] == bindparam("row_key")).values(changed)
        session.connection().execute(
            statement,
            [{n if n == "row_key" else f"new_{n}": v for n, v in one.items()} for one in group],
        )


def _in_parts(rows: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    part: list[dict[str, Any]] = []
    for row in rows:
        part.append(row)
        if len(part) == _AT_ONCE:
            yield part
            part = []
    if part:
        yield part


def check_fields(session: Session, fields: Sequence[SealedField], sealer: Sealer) -> None:
    """Open everything that was sealed anew, from what the database holds.

    Raises ``rekey_failed`` when a value is still under an earlier key.
    """
    for one in fields:
        table = Base.metadata.tables[one.table]
        column = table.c[one.column]
        for sealed in session.scalars(select(column).where(column.is_not(None))):
            if not sealed:
                continue
            sealer.open(sealed)
            if generation_of(sealed) != sealer.generation:
                raise failed()


def failed() -> EnvironmentFault:
    """The copy under the new key is not what it must be."""
    return EnvironmentFault(
        "rekey_failed",
        "换钥匙后的新账本核对不通过，已丢弃；账本仍用原来的钥匙，什么也没有改动。请检查磁盘和内存后重试。",
    )


# ── files ───────────────────────────────────────────────────────────────────────────────────────


def files_wait(folder: Path, ring: KeyRing) -> bool:
    """Whether files of the book may lie under an earlier key: a change was cut off, or made on
    another computer."""
    return ring.generation > 1 and marked(folder) != ring.generation


def reseal_files(
    folder: Path,
    ring: KeyRing,
    kinds: Sequence[SealedFiles],
    progress: Progress = silent,
    cancel: CancelToken | None = None,
) -> int:
    """Seal the files of the book with the newest key, each exchanged at one blow; returns how
    many. May be cut off anywhere and begun again. A file that no key opens is left alone.
    """
    done = 0
    try:
        for kind in kinds:
            place = folder / kind.folder
            if not place.is_dir():
                continue
            for left in place.glob(f".*{_UNFINISHED}"):
                left.unlink(missing_ok=True)
            for path in sorted(place.iterdir()):
                if cancel is not None:
                    cancel.raise_if_set()
                if path.is_file() and not path.name.startswith("."):
                    done += _reseal(path, kind, ring)
                    progress(done, 0, "用新钥匙重新密封原始文件")
        text = json.dumps({"generation": ring.generation}) + "\n"
        write_atomically(folder / MARK_FILE, text.encode("ascii"), private=True)
    except OSError as error:
        raise disk_fault(error, folder) from error
    return done


def _reseal(path: Path, kind: SealedFiles, ring: KeyRing) -> bool:
    key = _key_of(path, kind, ring)
    newest = ring.subkey(kind.label)
    if key is None or key == newest:
        return False
    beside = path.with_name(f".{path.name}{_UNFINISHED}")
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with path.open("rb") as source, os.fdopen(handle, "wb") as target:
            blocks = sealed_file.read(source, kind.kind, key)
            sealed_file.write(target, kind.kind, newest, blocks)
            target.flush()
            os.fsync(target.fileno())
    except Damaged:  # found by the reading station, which has the words for it
        beside.unlink()
        return False
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    os.replace(beside, path)
    sync_folder(path.parent)
    return True


def _key_of(path: Path, kind: SealedFiles, ring: KeyRing) -> bytes | None:
    """The key that opens the file's first block, the newest tried first."""
    for generation in range(ring.generation, 0, -1):
        key = ring.subkey(kind.label, generation)
        try:
            sealed_file.first(path, kind.kind, key)
        except Damaged:
            continue
        return key
    return None


def marked(folder: Path) -> int:
    """The generation the files of the book are sealed under, as far as the folder says."""
    try:
        return int(json.loads((folder / MARK_FILE).read_bytes())["generation"])
    except (OSError, ValueError, KeyError, TypeError):
        return 1

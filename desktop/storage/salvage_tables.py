"""Tables of a salvaged book: read from the mended copy, filled from a backup, made whole enough.

Rows go in as they came out, number for number; indexes and triggers follow when all rows are there.
What could be neither read nor filled is reported by its row numbers.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from sqlcipher3 import dbapi2 as cipher

from desktop.errors import EnvironmentFault
from desktop.jobs import Progress
from desktop.storage import faults, guard, migrate, standins
from desktop.storage.bundle import BackupInfo
from desktop.storage.card import DATABASE_FILE, BookCard
from desktop.storage.engine import connect, create_file
from desktop.storage.erasing import ERASABLE, Into
from desktop.storage.migrations import VERSIONS
from desktop.storage.salvage_rows import Reader, Row, Shape, TableRead

_NO_KEYS = ("foreign_keys=OFF", "journal_mode=OFF", "synchronous=OFF", "cache_size=-65536")
_TABLE_NAMES = {
    "segment": "账本段首", "audit_act": "操作记录", "punch": "打卡记录",
    "punch_quarantine": "隔离的打卡", "punch_sighting": "重复见到的打卡",
    "punch_conflict": "有出入的打卡", "person": "人员", "stay": "进退场", "terminal": "考勤机",
    "project": "项目", "company": "单位", "team": "班组", "month_row": "月考勤行",
    "month_version": "月度冻结", "month_page": "印出的页", "explanation": "情况说明",
    "app_user": "用户", "book_info": "账本资料", "download": "采集日志", "alias": "对号",
}


@dataclass(slots=True)
class TableReport:
    """One table: ``saved`` rows from the file, ``filled`` from a backup, ``lost`` ranges of row
    numbers that neither has, ``standins`` rows made up so that others keep their parent."""

    name: str
    saved: int = 0
    filled: int = 0
    standins: int = 0
    refused: int = 0
    """Rows that were read but fit no longer (a number twice, for example)."""
    lost: list[tuple[int, int | None]] = field(default_factory=list)

    @property
    def shown(self) -> str:
        return _TABLE_NAMES.get(self.name, self.name)

    def as_json(self) -> dict[str, Any]:
        return {
            "table": self.name, "saved": self.saved, "filled": self.filled,
            "standins": self.standins, "refused": self.refused,
            "lost": [list(one) for one in self.lost],
        }


class NewTables:
    """The database file of a salvaged book while it is made."""

    def __init__(self, target: Path, key: bytes, progress: Progress) -> None:
        self._target = target
        self._key = key
        self._progress = progress
        self._shapes: dict[str, Shape] = {}
        self._read: dict[str, TableRead] = {}
        self.reports: list[TableReport] = []
        self.guards_mended = False
        create_file(target, key)
        self._new = connect(target, key, setup=_NO_KEYS)

    def copy_all(self, reader: Reader) -> None:
        """Every table of the file, the small ones of the chain first."""
        found = reader.shapes()
        for done, shape in enumerate(found):
            self._progress(done, len(found), f"抢救{_TABLE_NAMES.get(shape.name, shape.name)}")
            self._shapes[shape.name] = shape
            self._new.execute(shape.sql)
            report = TableReport(shape.name)
            self._new.execute("BEGIN")
            read = reader.read(shape, partial(self._take, shape, report))
            self._new.execute("COMMIT")
            self._read[shape.name] = read
            report.lost = list(read.lost)
            self.reports.append(report)

    def _take(self, shape: Shape, report: TableReport, rows: Iterable[Row]) -> None:
        statement = _insert(shape)
        for row in rows:
            changed = self._new.execute(statement, _values(shape, row)).rowcount
            report.saved += max(changed, 0)
            report.refused += 0 if changed > 0 else 1

    def fill(self, infos: Sequence[BackupInfo]) -> str:
        """Take the rows of the gaps from the furthest backup of the same revision."""
        gaps = {name: read for name, read in self._read.items() if read.lost}
        schema = migrate.schema_version(self._new)
        donor = next(
            (one for one in infos if one.schema == (schema or one.schema)), None
        )
        if not gaps or donor is None:
            return ""
        file = donor.path / DATABASE_FILE
        try:
            old = connect(file, self._key, setup=("cache_size=-65536",), frozen=True)
        except cipher.DatabaseError:
            return ""
        filled = 0
        with closing(old):
            old.text_factory = bytes
            # Tombstones first: what was erased must not come back.
            for name in sorted(gaps, key=lambda one: one != "tombstone"):
                try:
                    filled += self._fill_table(old, self._shapes[name], gaps[name])
                except cipher.DatabaseError as error:
                    self._new.execute("ROLLBACK")
                    if not faults.is_damage(error) and not _is_about_tables(error):
                        raise
        return donor.name if filled else ""

    def _fill_table(self, old: Any, shape: Shape, gaps: TableRead) -> int:
        report = self._report(shape.name)
        statement, erased = _insert(shape), self._erased(shape.name)
        self._new.execute("BEGIN")
        for low, high in gaps.lost:
            rows = old.execute(
                f'SELECT rowid, {shape.listed} FROM "{shape.name}"'
                " WHERE rowid >= ? AND rowid <= ? ORDER BY rowid",
                (low, (1 << 62) if high is None else high),
            )
            for row in rows:
                kept = after_erasure(shape, row, erased)
                if kept is not None:
                    changed = self._new.execute(statement, _values(shape, kept)).rowcount
                    report.filled += max(changed, 0)
        self._new.execute("COMMIT")
        top = old.execute(f'SELECT max(rowid) FROM "{shape.name}"').fetchone()[0] or 0
        report.lost = [
            (max(low, top + 1), high) for low, high in gaps.lost if high is None or high > top
        ]
        return report.filled

    def _erased(self, name: str) -> dict[int, dict[str, Any]]:
        """Tombstones of a table that the new book holds, by row."""
        if "tombstone" not in self._shapes:
            return {}
        return {
            row_id: {"kept": kept, "replacement": replacement}
            for row_id, kept, replacement in self._new.execute(
                "SELECT row_id, kept, replacement FROM tombstone WHERE subject = ?", (name,)
            )
        }

    def finish(self, card: BookCard) -> None:
        """Indexes, facts, stand-ins, guards; then the file must hold together."""
        self._progress(0, 0, "整理抢救出的账本")
        self._drop_the_ambiguous()
        for shape in self._shapes.values():
            for statement in shape.after:
                with suppress(cipher.IntegrityError):  # a unique index over rows that differ
                    self._new.execute(statement)
        self._with_facts(card)
        for name, made in standins.make(self._new, guard.LEDGER_TABLES).items():
            self._report(name).standins = made
        if migrate.schema_version(self._new) == VERSIONS[-1]:
            self._mend_guards()
        sound = self._new.execute("PRAGMA quick_check").fetchall() == [("ok",)]
        self._new.execute("PRAGMA journal_mode=WAL").fetchall()
        if not sound:
            raise EnvironmentFault(
                "beyond_salvage", "抢救出的账本核对不通过，已丢弃；原文件未做任何改动。请检查磁盘后重试。"
            )
        with self._target.open("rb+") as file:
            os.fsync(file.fileno())

    def _drop_the_ambiguous(self) -> None:
        """Rows of a ledger record that was lost at the end of its table: the next record gets its
        number, and they would be taken for its own. Segments are numbered past them instead."""
        for table, row_id, parent, number in self._new.execute(
            "PRAGMA foreign_key_check"
        ).fetchall():
            if parent not in guard.LEDGER_TABLES or parent == "segment":
                continue
            column = self._keys(table)[number][0]
            (named,) = self._new.execute(
                f'SELECT "{column}" FROM "{table}" WHERE rowid = ?', (row_id,)
            ).fetchone()
            (last,) = self._new.execute(f'SELECT max(rowid) FROM "{parent}"').fetchone()
            if named > (last or 0):
                self._new.execute(f'DELETE FROM "{table}" WHERE rowid = ?', (row_id,))
                self._report(table).refused += 1

    def _keys(self, table: str) -> dict[int, tuple[str, str]]:
        """Foreign keys of a table: number → column, the table it points to."""
        rows = self._new.execute(f'PRAGMA foreign_key_list("{table}")').fetchall()
        return {int(row[0]): (row[3], row[2]) for row in rows}

    def _report(self, name: str) -> TableReport:
        return next(one for one in self.reports if one.name == name)

    def next_segment(self) -> int:
        """A row number for the next segment that no record speaks of."""
        most = [self._new.execute("SELECT max(id) FROM segment").fetchone()[0] or 0]
        for name in self._shapes:
            for column, parent in self._keys(name).values():
                if parent == "segment":
                    found = self._new.execute(f'SELECT max("{column}") FROM "{name}"').fetchone()
                    most.append(found[0] or 0)
        return int(max(most)) + 1

    def _with_facts(self, card: BookCard) -> None:
        """Where their rows were lost: the identity, and the revision by the tables that are there."""
        facts = {"book_id": card.book_id, **({"demo": "1"} if card.demo else {})}
        for name, value in facts.items():
            self._new.execute(
                "INSERT OR IGNORE INTO book_info (name, value) VALUES (?, ?)", (name, value)
            )
        if migrate.schema_version(self._new) is None and "alembic_version" in self._shapes:
            version = VERSIONS[-1] if "tombstone" in self._shapes else VERSIONS[0]
            self._new.execute("INSERT INTO alembic_version (version_num) VALUES (?)", (version,))

    def close(self) -> None:
        """Twice is harmless."""
        self._new.close()

    def _mend_guards(self) -> None:
        held = dict(
            self._new.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'")
        )
        for trigger in guard.guarding(guard.LEDGER_TABLES):
            if held.get(trigger.name) != trigger.sql:
                self._new.execute(f"DROP TRIGGER IF EXISTS {trigger.name}")
                self._new.execute(trigger.sql)
                self.guards_mended = True

    def known_sequences(self, infos: Sequence[BackupInfo]) -> dict[int, int]:
        """The highest segment of each project that a saved row or a backup speaks of; one more
        where the end of the table of segments was lost, because nobody knows what stood there."""
        with closing(connect(self._target, self._key, setup=(), frozen=True)) as connection:
            known = {int(row[0]): 0 for row in connection.execute("SELECT id FROM project")}
            known.update(
                connection.execute(
                    "SELECT project_id, max(sequence) FROM segment GROUP BY project_id"
                ).fetchall()
            )
            last_row = connection.execute("SELECT max(id) FROM segment").fetchone()[0] or 0
        for info in infos:
            for head in info.heads:
                known[head.project] = max(known.get(head.project, 0), head.sequence)
        if any(high is None or high > last_row for _, high in self._report("segment").lost):
            known = {project: sequence + 1 for project, sequence in known.items()}
        return known


def _insert(shape: Shape) -> str:
    """Rows keep their number. Text came as bytes and is text again, whatever it says."""
    values = ["CAST(? AS TEXT)" if name in shape.texts else "?" for name in shape.columns]
    names = shape.listed if shape.numbered else f"rowid, {shape.listed}"
    marks = ", ".join(values if shape.numbered else ["?", *values])
    return f'INSERT OR IGNORE INTO "{shape.name}" ({names}) VALUES ({marks})'


def _is_about_tables(error: cipher.DatabaseError) -> bool:
    """A backup without that table or column has nothing to fill it with."""
    return str(error).startswith(("no such table", "no such column"))


def _values(shape: Shape, row: Row) -> Row:
    return row[1:] if shape.numbered else row


def after_erasure(
    shape: Shape, row: Row, erased: dict[int, dict[str, Any]]
) -> Row | None:
    """A row of a backup as it is since its erasure; None where it is gone altogether."""
    stone = erased.get(row[0])
    if stone is None:
        return row
    rules = ERASABLE.get(shape.name)
    if rules is None:
        return None
    values = list(row)
    for name, into in rules.items():
        at = shape.columns.index(name) + 1
        if into in (Into.NUMBER, Into.KEPT):
            values[at] = stone[into.value]
        else:
            values[at] = None if into is Into.NOTHING else into.value
    return tuple(values)


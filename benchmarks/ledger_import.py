"""(b) A million decoded punches into the encrypted ledger, beside raw sqlite3.

The yardstick writes the same rows under the same indexes (the statements are read from the real
book) with ``executemany`` into a plain file, WAL, 64 MB cache, equally in batches of one commit
each; no encryption, no triggers, no comparison with what is held, no digests. Making the rows
counts on neither side. Parsing a stick file and a whole stick import are told apart.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.child import Meter
from benchmarks.harness import (
    Figure,
    Run,
    Scale,
    Side,
    SideFailed,
    most_above_idle_mb,
    prepare,
    ratio,
    run,
    seconds,
    short,
)

if TYPE_CHECKING:
    from devices.terminals.model import Punch

TITLE = "decoded punches imported into the encrypted ledger, beside raw sqlite3.executemany"

PUNCHES = 1_000_000
TERMINALS = 4
_NUMBERS = 10_000
_BATCH = 50_000
_EPOCH = datetime(1970, 1, 1)
_FIRST = int((datetime(2026, 11, 1, 5) - _EPOCH).total_seconds())
_SPAN_S = 29 * 86_400
_COLUMNS = 15


def measure(work: Path, scale: Scale) -> list[Figure]:
    """Ratio and memory of the import; then the stick, for information."""
    from benchmarks.site import fresh_copy

    punches = scale.of(PUNCHES, 400)
    template, stick = work / "template", work / "1_attlog.dat"
    statements = prepare("benchmarks.ledger_import:book_with_terminals", folder=str(template))
    prepare("benchmarks.ledger_import:write_stick", path=str(stick), punches=punches)
    given = {"punches": punches}
    parse = Side("benchmarks.ledger_import:parse_stick", {"path": str(stick)})
    rounds: dict[str, list[Run]] = {"ours": [], "raw": [], "parsed": [], "stick": []}
    for _ in range(scale.repeats):
        book = str(fresh_copy(template, work / "book"))
        rounds["ours"].append(
            run(Side("benchmarks.ledger_import:import_decoded", {**given, "folder": book}))
        )
        plain = work / "plain.db"
        for old in work.glob("plain.db*"):
            old.unlink()
        raw = {**given, **statements, "path": str(plain)}
        rounds["raw"].append(run(Side("benchmarks.ledger_import:write_plain", raw)))
        rounds["parsed"].append(run(parse))
        book = str(fresh_copy(template, work / "book"))
        whole = {"folder": book, "path": str(stick)}
        rounds["stick"].append(run(Side("benchmarks.ledger_import:import_whole_stick", whole)))
    for one in chain.from_iterable(rounds.values()):
        if one.facts["punches"] != punches:
            raise SideFailed(f"{one.facts['punches']} of {punches} punches are there")
    return _figures(rounds, f"{punches:,} punches")


def _figures(rounds: dict[str, list[Run]], what: str) -> list[Figure]:
    ours, raw = rounds["ours"], rounds["raw"]
    floor = seconds(raw)
    return [
        Figure(
            "b", f"import {what} / raw executemany", seconds(ours), floor, ratio(ours, raw),
            "×", 2.5,
        ),
        Figure(
            "b", "  its peak above the idle program", f"{most_above_idle_mb(ours):.0f} MB",
            f"idle {short(ours[0].idle_mb)} MB", most_above_idle_mb(ours), "MB", 150,
        ),
        Figure(
            "b", "  parsing the same as a stick file / raw", seconds(rounds["parsed"]), floor,
            ratio(rounds["parsed"], raw), "×",
        ),
        Figure(
            "b", "  whole stick import (copy, two readings, store) / raw", seconds(rounds["stick"]),
            floor, ratio(rounds["stick"], raw), "×",
        ),
        Figure(
            "b", "  whole stick import, peak above idle",
            f"{most_above_idle_mb(rounds['stick']):.0f} MB", "",
            most_above_idle_mb(rounds["stick"]), "MB",
        ),
    ]


# ── the sides ───────────────────────────────────────────────────────────────────────────────────


def import_decoded(meter: Meter, folder: str, punches: int) -> dict[str, Any]:
    """Batches through ``store_parts``, as the stick import and the pull do."""
    from benchmarks.site import open_desk
    from desktop.punches.ledger import Counts, Origin, Part, Source, store_parts

    desk = open_desk(folder)
    with desk.book:
        source = Source(Origin.USB, desk.clock.now(), desk.actor.name)
        counts = Counts()

        def parts(place: int) -> Iterator[Part]:
            for first, count in _batches(punches // TERMINALS):
                with meter.aside():
                    part = Part(_decoded(place, first, count, punches // TERMINALS))
                yield part
                part = None  # type: ignore[assignment]

        meter.idle()
        with meter.measuring():
            for place in range(TERMINALS):
                counts += store_parts(
                    desk, place + 1, parts(place), source, lambda *_: None
                )
    return {"punches": counts.new}


def write_plain(
    meter: Meter, path: str, punches: int, table: str, indexes: list[str]
) -> dict[str, Any]:
    """The floor: ready tuples, one ``executemany`` and one commit per batch."""
    with closing(sqlite3.connect(path, isolation_level=None)) as plain:
        plain.execute("PRAGMA journal_mode=WAL").fetchall()
        plain.execute("PRAGMA cache_size=-65536").fetchall()
        for statement in (table, *indexes):
            plain.execute(statement)
        insert = f"INSERT INTO punch VALUES ({', '.join('?' * _COLUMNS)})"
        meter.idle()
        ident = 1
        with meter.measuring():
            for place in range(TERMINALS):
                for first, count in _batches(punches // TERMINALS):
                    with meter.aside():
                        decoded = _decoded(place, first, count, punches // TERMINALS)
                        rows = list(_rows(decoded, ident, place + 1))
                        del decoded
                        ident += count
                    plain.execute("BEGIN")
                    plain.executemany(insert, rows)
                    plain.execute("COMMIT")
        (held,) = plain.execute("SELECT count(*) FROM punch").fetchone()
    return {"punches": held}


def parse_stick(meter: Meter, path: str) -> dict[str, Any]:
    """The stick file read and decoded, nothing stored."""
    from devices.files.attlog import Attlog

    found = 0
    with meter.measuring():
        for part in Attlog(Path(path)).parts(_BATCH):
            found += len(part.punches)
    return {"punches": found}


def import_whole_stick(meter: Meter, folder: str, path: str) -> dict[str, Any]:
    """The command ``punches import``: sealed copy, survey, second reading, storing."""
    from benchmarks.site import open_desk
    from desktop.punches.stick import import_stick

    desk = open_desk(folder)
    with desk.book:
        meter.idle()
        with meter.measuring():
            result = import_stick(desk, Path(path), _name(0))
    return {"punches": result.new}


# ── what they need ──────────────────────────────────────────────────────────────────────────────


def _batches(punches: int) -> Iterator[tuple[int, int]]:
    for first in range(0, punches, _BATCH):
        yield first, min(_BATCH, punches - first)


def _moments(first: int, count: int, of: int) -> Iterator[tuple[str, int]]:
    """Number and time of the punches from ``first`` on, in order of time, all different."""
    for place in range(first, first + count):
        yield str(100_001 + place * 7 % _NUMBERS), _FIRST + place * _SPAN_S // of


def _decoded(terminal: int, first: int, count: int, of: int) -> list[Punch]:
    """Punches as the stick reader hands them over."""
    from devices.terminals.model import Punch, SourceFormat

    form, state = int(SourceFormat.ATTLOG), terminal % 2
    return [
        Punch(number, t_local, 15, state, 1, 1, form, _line(number, t_local, state))
        for number, t_local in _moments(first, count, of)
    ]


def _line(number: str, t_local: int, state: int) -> bytes:
    day, second = divmod(t_local, 86_400)
    minute, second = divmod(second, 60)
    hour, minute = divmod(minute, 60)
    day -= _FIRST // 86_400 - 1
    return (
        f"{number:>9}\t2026-11-{day:02} {hour:02}:{minute:02}:{second:02}\t1\t{state}\t15\t0"
    ).encode("ascii")


def _rows(decoded: list[Punch], ident: int, terminal_id: int) -> Iterator[tuple[Any, ...]]:
    """The rows the ledger stores for these punches, in the order of the table."""
    for place, one in enumerate(decoded, ident):
        number, t_local, method, state, method_class, accepted, form, raw = one
        yield (
            place, 2, terminal_id, 0, None, number, t_local, t_local // 86_400, method, state,
            method_class, accepted, form, 1_796_112_000, raw,
        )


def write_stick(meter: Meter, path: str, punches: int) -> dict[str, Any]:
    """A stick file of that many lines."""
    with Path(path).open("wb") as file:
        for first, count in _batches(punches):
            lines = (_line(n, t, 0) + b"\r\n" for n, t in _moments(first, count, punches))
            file.write(b"".join(lines))
    return {}


def _name(place: int) -> str:
    return f"{place + 1}号门"


def book_with_terminals(meter: Meter, folder: str) -> dict[str, Any]:
    """The book, and how its table of punches is made."""
    from benchmarks.site import make_book, open_desk
    from desktop.punches.terminal_book import add_terminal

    make_book(meter, folder)
    desk = open_desk(folder)
    with desk.book:
        for place in range(TERMINALS):
            way = "out" if place % 2 else "in"
            add_terminal(desk, _name(place), driver="zk", address="", direction=way)
        with desk.book.read() as session:
            made = session.connection().exec_driver_sql(
                "SELECT type, sql FROM sqlite_schema WHERE tbl_name = 'punch'"
                " AND type IN ('table', 'index') AND sql IS NOT NULL"
            ).fetchall()
    return {
        "table": next(sql for kind, sql in made if kind == "table"),
        "indexes": [sql for kind, sql in made if kind == "index"],
    }

"""(i) Decoded punches into the ledger on PostgreSQL, beside plain COPY; acts a second beside INSERT.

A private server with fsync, as an office's would be. The yardstick of the import copies ready rows
in binary, equally in batches of one commit each, into a table with the same columns, indexes and
triggers as the book's own; no comparison with what is held, no digests, no row policies. Making the
rows counts on neither side. (The book's table of punches has no foreign keys on a server, a trigger
watches each batch; what they would cost is told as well.) An act is one whole service call on the server: permission, two
statements, the chain's next segment, the receipt; beside it a single INSERT with a commit.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

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
    serving,
)

TITLE = "decoded punches imported into the ledger on a server, beside COPY"

PUNCHES = 400_000
ACTS = 300
TERMINALS = 4
_BATCH = 50_000
_TEMPLATE, _CLONE = "bench_template", "bench_book"


def measure(work: Path, scale: Scale) -> list[Figure]:
    """How fast the import is as a part of COPY, its memory, and what an act costs."""
    punches, acts = scale.of(PUNCHES, 400), scale.of(ACTS, 20)
    folder = work / "book"
    names = ("ours", "copy", "keys", "acts", "insert")
    rounds: dict[str, list[Run]] = {name: [] for name in names}
    with serving("benchmarks.custody_server:private_server") as line:
        given: dict[str, Any] = {"server": json.loads(line), "folder": str(folder)}
        prepare("benchmarks.custody_server:book_on_server", **given)
        for _ in range(scale.repeats):
            for name, side, more in (
                ("ours", "import_decoded", {"punches": punches}),
                ("copy", "copy_plain", {"punches": punches, "references": False}),
                ("keys", "copy_plain", {"punches": punches, "references": True}),
                ("acts", "write_acts", {"acts": acts}),
                ("insert", "insert_rows", {"acts": acts}),
            ):
                prepare("benchmarks.custody_server:fresh_database", **given)
                rounds[name].append(
                    run(Side(f"benchmarks.custody_server:{side}", {**given, **more}))
                )
    for name in names[:3]:
        for one in rounds[name]:
            if one.facts["punches"] != punches:
                raise SideFailed(f"{one.facts['punches']} of {punches} punches are there")
    return _figures(rounds, punches, acts)


def _figures(rounds: dict[str, list[Run]], punches: int, acts: int) -> list[Figure]:
    ours, copy, keys = rounds["ours"], rounds["copy"], rounds["keys"]
    per_act = [one.wall_s / acts * 1000 for one in rounds["acts"]]
    plain = [one.wall_s / acts * 1000 for one in rounds["insert"]]
    return [
        Figure(
            "i", f"speed of importing {punches:,} punches / COPY, same indexes and triggers",
            seconds(ours), seconds(copy), ratio(copy, ours), "× COPY", 0.5, at_least=True,
        ),
        Figure(
            "i", "  the same / COPY where foreign keys watch each row as well", seconds(ours),
            seconds(keys), ratio(keys, ours), "× COPY",
        ),
        Figure(
            "i", "  its peak above the idle program", f"{most_above_idle_mb(ours):.0f} MB", "",
            most_above_idle_mb(ours), "MB", 150,
        ),
        Figure(
            "i", "an audited act on the server / one INSERT with commit",
            f"{min(per_act):.2f} ms", f"{min(plain):.2f} ms",
            ratio(rounds["acts"], rounds["insert"]), "×",
        ),
    ]


@contextmanager
def private_server() -> Iterator[str]:
    """Runs beside the measurements; yields its ways in."""
    from tests.server.rig import ADMIN, SUPERUSER, Server

    with Server(durable=True) as server:
        yield json.dumps({
            "super": server.url(SUPERUSER), "admin": server.url(ADMIN, _TEMPLATE),
        })


# ── what the sides stand on ─────────────────────────────────────────────────────────────────────


def book_on_server(meter: Meter, server: dict[str, str], folder: str) -> dict[str, Any]:
    """The book with its terminals, its tables on the server."""
    from benchmarks.site import NOW, PASSPHRASE
    from desktop.access.actor import Actor, Role
    from desktop.access.desk import Desk
    from desktop.clock import FixedClock
    from desktop.punches.terminal_book import add_terminal
    from desktop.storage.book import Book, create_book
    from desktop.storage.keys import Argon2Cost
    from desktop.storage.server_creation import NewServerBook
    from tests.sample_site import insert_project

    path, clock = Path(folder), FixedClock(NOW)

    def fill(book: Book) -> None:
        with book.write() as session:
            insert_project(session, clock, path.parent)
        desk = Desk(book, 1, Actor("管理员", Role.ADMINISTRATOR))
        for place in range(TERMINALS):
            add_terminal(desk, f"{place + 1}号门", driver="zk", direction="in", address="")

    book, _ = create_book(
        path, clock, passphrase=PASSPHRASE, fill=fill, server=NewServerBook(server["admin"]),
        cost=Argon2Cost(memory_kib=64, iterations=1, lanes=1),
    )
    book.close()
    return {}


def fresh_database(meter: Meter, server: dict[str, str], folder: str) -> dict[str, Any]:
    """The book as it was made, in a database of its own."""
    from dataclasses import replace

    import psycopg

    from desktop.storage.card import BookCard

    with psycopg.connect(server["super"], autocommit=True) as link:
        link.execute(f"DROP DATABASE IF EXISTS {_CLONE} WITH (FORCE)")
        link.execute(f"CREATE DATABASE {_CLONE} TEMPLATE {_TEMPLATE}")
        link.execute("CHECKPOINT")
    card = BookCard.read(Path(folder))
    assert card.server is not None
    replace(card, database=str(replace(card.server, database=_CLONE))).write(Path(folder))
    return {}


def _super(server: dict[str, str]) -> Any:
    import psycopg

    link = psycopg.connect(server["super"], dbname=_CLONE, options="-csearch_path=sitemuster")
    return link


# ── the sides ───────────────────────────────────────────────────────────────────────────────────


def import_decoded(
    meter: Meter, server: dict[str, str], folder: str, punches: int
) -> dict[str, Any]:
    """Batches through ``store_parts``, as the stick import and the pull do."""
    from benchmarks import ledger_import

    assert ledger_import.TERMINALS == TERMINALS
    return ledger_import.import_decoded(meter, folder, punches)


def copy_plain(
    meter: Meter, server: dict[str, str], folder: str, punches: int, references: bool
) -> dict[str, Any]:
    """The yardstick: ready rows, one COPY and one commit per batch."""
    from psycopg import sql

    from benchmarks.ledger_import import _batches, _decoded, _rows
    from desktop.punches.tables import Punch
    from desktop.storage import server_bulk

    columns = Punch.__table__.columns.keys()
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    with _super(server) as link:
        link.execute("CREATE TABLE plain (LIKE punch INCLUDING ALL)")
        if references:
            link.execute(
                "ALTER TABLE plain ADD FOREIGN KEY (segment_id) REFERENCES segment,"
                " ADD FOREIGN KEY (terminal_id) REFERENCES terminal"
            )
        link.execute(
            "CREATE TRIGGER plain_no_change BEFORE UPDATE OR DELETE ON plain"
            " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
        link.execute(
            "CREATE TRIGGER plain_parents AFTER INSERT ON plain REFERENCING NEW TABLE AS added"
            " FOR EACH STATEMENT EXECUTE FUNCTION refuse_stray_punches()"
        )
        (segment,) = link.execute("SELECT min(id) FROM segment").fetchone()
        kinds = server_bulk.column_kinds(link, "plain", columns)
        link.commit()
        ident = 1
        meter.idle()
        with meter.measuring():
            for place in range(TERMINALS):
                for first, count in _batches(punches // TERMINALS):
                    with meter.aside():
                        decoded = _decoded(place, first, count, punches // TERMINALS)
                        rows = [
                            (row[0], segment, *row[2:]) for row in _rows(decoded, ident, place + 1)
                        ]
                        ident += count
                    server_bulk.write(link, sql.Identifier("plain"), names, kinds, rows)
                    link.commit()
        (held,) = link.execute("SELECT count(*) FROM plain").fetchone()
    return {"punches": held}


def write_acts(meter: Meter, server: dict[str, str], folder: str, acts: int) -> dict[str, Any]:
    """Whole acts: a row of an answer and its audit row, in the chain."""
    from benchmarks.site import open_desk
    from desktop.access.actor import Act

    desk = open_desk(folder)
    with desk.book, meter.measuring():
        for place in range(acts):
            desk.permit(Act.TERMINAL_CHANGED)
            with desk.book.write() as session:
                desk.audit(session, Act.TERMINAL_CHANGED, f"terminal:{place}")
    return {}


def insert_rows(meter: Meter, server: dict[str, str], folder: str, acts: int) -> dict[str, Any]:
    """The yardstick: one row, one commit."""
    with _super(server) as link:
        link.execute("CREATE TABLE plain_act (id serial PRIMARY KEY, at bigint, subject text)")
        link.commit()
        with meter.measuring():
            for place in range(acts):
                link.execute(
                    "INSERT INTO plain_act (at, subject) VALUES (%s, %s)", (place, f"t:{place}")
                )
                link.commit()
    return {}

"""(c) A month of 10,000 people and a million punches computed, beside merely reading the rows.

Both open the same book in a fresh process, so both decrypt every page once. Reading takes the
rows from the driver's cursor in chunks and drops them: nothing can read them for less.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.child import Meter
from benchmarks.harness import (
    Figure,
    Scale,
    Side,
    SideFailed,
    alternate,
    prepare,
    ratio,
    seconds,
)

if TYPE_CHECKING:
    from devices.terminals.model import Punch

TITLE = "a month computed for everybody, beside merely reading its punches through the same book"

PEOPLE = 10_000
PUNCHES_EACH = 100
_DAYS = 25
_TEAMS = 40
_CHUNK = 50_000
_EPOCH = date(1970, 1, 1)
_FIRST = date(2026, 11, 1)
_HALVES = 4
"""Terminals: in and out at two gates."""


def measure(work: Path, scale: Scale) -> list[Figure]:
    people = scale.of(PEOPLE, 8)
    punches = people * PUNCHES_EACH
    book = str(work / "book")
    prepare("benchmarks.month:book_with_month", folder=book, people=people)
    computed, read, streamed = alternate(
        scale.repeats,
        [
            Side("benchmarks.month:compute", {"folder": book}),
            Side("benchmarks.month:merely_read", {"folder": book}),
            Side("benchmarks.month:stream", {"folder": book}),
        ],
    )
    for one in (*computed, *read, *streamed):
        if one.facts["punches"] != punches:
            raise SideFailed(f"{one.facts['punches']} of {punches} punches were read")
    if any(one.facts["rows"] != people for one in computed):
        raise SideFailed("not everybody has a row")
    what = f"month of {people:,} people, {punches:,} punches"
    return [
        Figure(
            "c", f"{what} / reading", seconds(computed), seconds(read), ratio(computed, read),
            "×", 3,
        ),
        Figure(
            "c", "  the program's own stream of punches / reading", seconds(streamed),
            seconds(read), ratio(streamed, read), "×",
        ),
    ]


# ── the sides ───────────────────────────────────────────────────────────────────────────────────


def compute(meter: Meter, folder: str) -> dict[str, Any]:
    """Everybody's row, symbols and totals."""
    from benchmarks.site import MONTH, open_desk
    from desktop.attendance.month import compute_month

    desk = open_desk(folder)
    with desk.book, desk.book.read() as session:
        meter.idle()
        with meter.measuring():
            month = compute_month(session, desk.project_id, MONTH)
    return {"punches": month.punches_read, "rows": len(month.rows)}


def merely_read(meter: Meter, folder: str) -> dict[str, Any]:
    """The columns the month needs, of the same days, through the same kind of session."""
    from benchmarks.site import open_desk

    first, last = _bounds()
    desk = open_desk(folder)
    found = 0
    with desk.book, desk.book.read() as session:
        meter.idle()
        with meter.measuring():
            cursor = session.connection().exec_driver_sql(
                "SELECT terminal_id, number, t_local, method_class, accepted FROM punch"
                " WHERE day BETWEEN ? AND ?",
                (first, last),
            ).cursor
            while chunk := cursor.fetchmany(_CHUNK):
                found += len(chunk)
            cursor.close()
    return {"punches": found}


def stream(meter: Meter, folder: str) -> dict[str, Any]:
    """What the program offers to anybody who needs punches of some days."""
    from benchmarks.site import open_desk
    from desktop.punches.queries import punches_between

    desk = open_desk(folder)
    found = 0
    with desk.book, desk.book.read() as session:
        meter.idle()
        first, last = _FIRST - timedelta(days=1), _FIRST + timedelta(days=30)
        with meter.measuring():
            for _ in punches_between(session, desk.project_id, first, last):
                found += 1
    return {"punches": found}


def _bounds() -> tuple[int, int]:
    """The days of the month and the one before and after, as the ledger counts days."""
    first = (_FIRST - _EPOCH).days
    return first - 1, first + 30


# ── the book ────────────────────────────────────────────────────────────────────────────────────


def book_with_month(meter: Meter, folder: str, people: int) -> dict[str, Any]:
    """Everybody comes and goes twice on 25 days; one team in four works at night."""
    from benchmarks.site import make_book, open_desk
    from desktop.punches.ledger import Origin, Part, Source, store_parts
    from desktop.punches.terminal_book import add_terminal

    make_book(meter, folder, people, _TEAMS)
    desk = open_desk(folder)
    with desk.book:
        source = Source(Origin.PULL, desk.clock.now(), desk.actor.name)
        for place in range(_HALVES):
            made = add_terminal(
                desk, f"{place + 1}号机", driver="zk", address="",
                direction="out" if place % 2 else "in",
            )
            parts = (Part(chunk) for chunk in _chunks(place, people))
            store_parts(desk, made.terminal_id, parts, source, lambda *_: None)
    return {}


def _chunks(place: int, people: int) -> Iterator[list[Punch]]:
    """The punches of one terminal in order of time, at most a batch at once."""
    days_at_once = max(1, _CHUNK // people)
    for start in range(0, _DAYS, days_at_once):
        days = range(start, min(_DAYS, start + days_at_once))
        yield sorted(_punches(place, people, days), key=lambda one: one.t_local)


_CLOCK = {
    "day": ("06:40", "11:30", "12:30", "17:40"),
    "night": ("18:50", "23:30", "24:30", "29:20"),
}
"""In, out, in, out; hours above 24 are those of the next date."""


def _punches(place: int, people: int, days: range) -> Iterator[Punch]:
    from benchmarks.site import FIRST_NUMBER
    from devices.terminals.model import Punch, SourceFormat

    first, form = (_FIRST - _EPOCH).days, int(SourceFormat.ZK40)
    starts = {turn: _second(clock[place]) for turn, clock in _CLOCK.items()}
    for day in days:
        midnight = int((datetime(2026, 11, 1 + day) - datetime(1970, 1, 1)).total_seconds())
        assert midnight // 86_400 == first + day
        for one in range(people):
            turn = "night" if one % _TEAMS % 4 == 2 else "day"
            t_local = midnight + starts[turn] + (one * 37 + day * 11) % 1500
            number = str(FIRST_NUMBER + one)
            raw = f"{place}{number:>24}{t_local:>15}".encode("ascii")
            yield Punch(number, t_local, 15, place % 2, 1, 1, form, raw)


def _second(clock: str) -> int:
    hour, minute = map(int, clock.split(":"))
    return (hour * 60 + minute) * 60

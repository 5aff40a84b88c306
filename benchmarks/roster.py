"""(e) A roster of 100,000 people: first screen, every sort, three-letter search.

Each answer is what the page asks for: all ids in order, and one screen of rows. ``first`` is the
first question to a book just opened, ``again`` the median of the same question afterwards; of the
rounds the least disturbed one counts, because the limit is in milliseconds. Beside it stands the
other way: fetch every row once and search or sort in the program.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.child import Meter
from benchmarks.harness import Figure, Run, Scale, Side, SideFailed, alternate, prepare, short

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from desktop.access.desk import Desk

TITLE = "the roster: first screen, sort, search, beside fetching all and doing it in the program"

PEOPLE = 100_000
SCREEN = 200
"""Rows the page fetches together (``desktop.ui.tables.model.PAGE``)."""
LIMIT_MS = 100
_TEAMS = 40
_AGAIN = 5
Cost = tuple[float, float]
"""Wall and CPU milliseconds."""
_SEARCHES = ("wan", "zwq", "lia", "ang")
"""Syllables nearly everybody has, and initials few have."""


def measure(work: Path, scale: Scale) -> list[Figure]:
    people = scale.of(PEOPLE, 50)
    book = str(work / "book")
    prepare("benchmarks.roster:book_with_people", folder=book, people=people)
    ours, naive = alternate(
        scale.repeats,
        [
            Side("benchmarks.roster:ask", {"folder": book}),
            Side("benchmarks.roster:fetch_all", {"folder": book}),
        ],
    )
    if any(one.facts["found"] < SCREEN for one in ours):
        raise SideFailed("a screen of the roster stayed empty")
    return [
        figure
        for kind in _WHAT
        for figure in _figures(kind, people, ours, naive)
    ]


_WHAT = {"screen": "first screen", "sort": "slowest sort", "search": "slowest 3-letter search"}


def _figures(kind: str, people: int, ours: list[Run], naive: list[Run]) -> Iterator[Figure]:
    """The slowest question of a kind, asked first and again."""
    beside = min(one.facts["ms"][kind] for one in naive)
    for when in ("first", "again"):
        costs = [one.facts[when][kind] for one in ours]
        each: dict[str, Cost] = {name: min(cost[name] for cost in costs) for name in costs[0]}
        name = max(each, key=lambda name: each[name])
        wall, cpu = each[name]
        yield Figure(
            "e", f"{people:,} people, {_WHAT[kind]} ({name}), {when}",
            f"{short(wall)} ms (CPU {short(cpu)})",
            f"{short(beside)} ms, ours {wall / max(beside, 1e-9):.2f} of it", wall, "ms", LIMIT_MS,
        )


# ── the sides ───────────────────────────────────────────────────────────────────────────────────


def ask(meter: Meter, folder: str) -> dict[str, Any]:
    """Every question, the first time and again, in milliseconds by kind and name."""
    from benchmarks.site import open_desk
    from desktop.people.queries import RosterQuery
    from desktop.people.roster_search import SORTS

    kinds = {
        "screen": {"worker_no": RosterQuery()},
        "sort": {name: RosterQuery(sort=name) for name in SORTS if name != "worker_no"},
        "search": {text: RosterQuery(text=text) for text in _SEARCHES},
    }
    facts: dict[str, Any] = {"first": {}, "again": {}, "found": 0}
    for kind, queries in kinds.items():
        first = facts["first"][kind] = {}
        again = facts["again"][kind] = {}
        for name, query in queries.items():
            # Opened for each: a first answer must not find pages that another one has read.
            desk = open_desk(folder)
            with desk.book, desk.book.read() as session:
                answer = _answering(session, desk, query)
                first[name], count = _timed(answer)
                again[name] = sorted(_timed(answer)[0] for _ in range(_AGAIN))[_AGAIN // 2]
            facts["found"] += count
    return facts


def _answering(session: Session, desk: Desk, query: Any) -> Callable[[], int]:
    from desktop.people.queries import roster_ids, roster_rows

    def answer() -> int:
        # What the page asks before it paints; the other ids follow while it can be read.
        ids = roster_ids(
            session, desk.project_id, query, desk.book.sealer, limit=SCREEN
        )
        roster_rows(session, desk.book.sealer, ids)
        return len(ids)

    return answer


def _timed(answer: Callable[[], int]) -> tuple[Cost, int]:
    wall, cpu = time.perf_counter(), time.process_time()
    count = answer()
    return ((time.perf_counter() - wall) * 1000, (time.process_time() - cpu) * 1000), count


def fetch_all(meter: Meter, folder: str) -> dict[str, Any]:
    """The yardstick: all rows into the program, then sorted or searched there; milliseconds."""
    from benchmarks.site import open_desk

    took: dict[str, float] = {}
    for kind in _WHAT:
        desk = open_desk(folder)
        with desk.book, desk.book.read() as session:
            began = time.perf_counter()
            answer = session.connection().exec_driver_sql(
                "SELECT s.id, p.worker_no, p.name, p.pinyin, p.initials, s.trade, s.state"
                " FROM stay s JOIN person p ON p.id = s.person_id WHERE s.project_id = ?",
                (desk.project_id,),
            )
            rows = list(answer.fetchall())
            if kind == "search":
                rows = [row for row in rows if _SEARCHES[0] in row[3] or _SEARCHES[0] in row[4]]
            else:
                rows.sort(key=lambda row: row[1] if kind == "screen" else (row[3], row[2], row[1]))
            took[kind] = (time.perf_counter() - began) * 1000
    return {"ms": took}


def book_with_people(meter: Meter, folder: str, people: int) -> dict[str, Any]:
    from benchmarks.site import make_book

    return make_book(meter, folder, people, _TEAMS)

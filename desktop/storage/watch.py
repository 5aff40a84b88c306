"""What changed at other PCs that share a book on a server: told soon, and never only told.

Each writing transaction counts the areas it touched (``change_count``) and sends a notice with its
commit: area and number, nothing else, since every login of the database may listen. A watcher
hears the notices in a thread of its own and compares the counters every half minute besides, so
that a lost notice costs half a minute and a server that was restarted costs nothing.

It does not know what an area looks like on a screen. A book in a file has one program: nothing is
counted, and a watcher of it does nothing.
"""

from __future__ import annotations

import enum
import logging
import re
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, event

from desktop.errors import SiteMusterError

if TYPE_CHECKING:
    from desktop.storage.opened import Book

_log = logging.getLogger(__name__)

CHANNEL = "sitemuster_changes"
"""Notices stay within their database, and a database holds one book."""

POLL_S = 30.0
_GATHER_S = 0.05
_LOOK_S = 0.5
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.5, 15.0


class Area(enum.StrEnum):
    """What belongs together on screens; the payload of a notice names one."""

    SITE = "site"
    PEOPLE = "people"
    TERMINALS = "terminals"
    PUNCHES = "punches"
    CALENDAR = "calendar"
    MONTHS = "months"
    BOARD = "board"
    USERS = "users"
    AUDIT = "audit"
    RETENTION = "retention"


AREA_OF: Mapping[str, Area] = {
    **dict.fromkeys(
        ("project", "company", "participation", "staff", "team", "team_shift", "rule_pack",
         "holiday", "floor_wage"), Area.SITE,
    ),
    **dict.fromkeys(("person", "stay", "stay_team", "contract", "roster_import"), Area.PEOPLE),
    **dict.fromkeys(
        ("terminal", "terminal_person", "alias", "clock_reading", "download", "collection_lease"),
        Area.TERMINALS,
    ),
    **dict.fromkeys(
        ("punch", "punch_sighting", "punch_conflict", "punch_quarantine"), Area.PUNCHES
    ),
    **dict.fromkeys(
        ("stop_work", "leave", "explanation", "explanation_cell", "outage_note",
         "finding_answer"), Area.CALENDAR,
    ),
    **dict.fromkeys(("month_version", "month_row", "month_page", "leaver_slip"), Area.MONTHS),
    **dict.fromkeys(("board_item", "board_version"), Area.BOARD),
    **dict.fromkeys(("app_user", "login_guard"), Area.USERS),
    "audit_act": Area.AUDIT,
    **dict.fromkeys(
        ("retention_dates", "retention_policy", "legal_hold", "purge", "purge_step",
         "biometric_removal", "tombstone"), Area.RETENTION,
    ),
}
"""Table → area. Tables that no screen shows are not in it."""

UNWATCHED = frozenset(
    {"book_info", "segment", "edit_stamp", "change_count", "workstation", "write_receipt"}
)
"""Tables that change only together with others, or that no screen shows."""

_WRITES = re.compile(r"\s*(?:INSERT\s+INTO|UPDATE|DELETE\s+FROM)\s+\"?(\w+)", re.IGNORECASE)
_TELL = (
    "WITH told AS (INSERT INTO change_count (area, number) SELECT unnest(%s::text[]), 1"
    " ON CONFLICT (area) DO UPDATE SET number = change_count.number + 1 RETURNING area, number)"
    " SELECT pg_notify(%s, area || ' ' || number) FROM told"
)
_COUNTS = "SELECT area, number FROM change_count"
_HEADS = (
    "SELECT id, (SELECT max(sequence) FROM segment WHERE project_id = project.id) FROM project"
)


# ── telling ─────────────────────────────────────────────────────────────────────────────────────


class Teller:
    """Counts and notifies at each commit of one writing engine; knows which notices are its own."""

    def __init__(self, engine: Engine) -> None:
        self._own: set[int] = set()
        event.listen(engine, "connect", self._connected)
        event.listen(engine, "close", self._gone)
        event.listen(engine, "begin", _forget)
        event.listen(engine, "before_cursor_execute", _note)
        event.listen(engine, "commit", _tell)

    def is_own(self, backend: int) -> bool:
        """Whether the server process ``backend`` writes for this program."""
        return backend in self._own

    def _connected(self, link: Any, record: Any) -> None:
        record.info["backend"] = link.info.backend_pid
        self._own.add(record.info["backend"])

    def _gone(self, link: Any, record: Any) -> None:
        self._own.discard(record.info.get("backend", 0))


def _forget(link: Connection) -> None:
    link.info["areas"] = set()


def _note(link: Connection, cursor: Any, statement: str, *_: Any) -> None:
    note(link, statement)


def note(link: Connection, statement: str) -> None:
    """Note what ``statement`` changes; for those who go past SQLAlchemy to the driver."""
    found = _WRITES.match(statement)
    if found is not None:
        area = AREA_OF.get(found[1].lower())
        if area is not None:
            link.info.setdefault("areas", set()).add(area.value)


def _tell(link: Connection) -> None:
    areas = link.info.get("areas")
    if areas:
        # In one order, so that two writers never wait for each other.
        link.exec_driver_sql(_TELL, (sorted(areas), CHANNEL))
        link.info["areas"] = set()


# ── hearing ─────────────────────────────────────────────────────────────────────────────────────


class Watch:
    """Tells ``changed(areas)`` what other PCs did, ``reached(bool)`` when the server goes or comes.

    Both are called in the watcher's own thread. Nothing is told about what this program wrote.
    Coming back, everything that may have been missed is told before ``reached(True)``.
    """

    def __init__(
        self,
        book: Book,
        changed: Callable[[frozenset[Area]], None],
        reached: Callable[[bool], None] = lambda _: None,
        *,
        poll_s: float = POLL_S,
    ) -> None:
        self._server = book.server
        self._changed = changed
        self._reached = reached
        self._poll_s = poll_s
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)
        self._counts: dict[str, int] | None = None
        self._compared: tuple[dict[str, int], dict[int, int]] = ({}, {})
        self._here = True

    def start(self) -> None:
        """Begin; a change after this call is told."""
        if self._server is not None:
            self._thread.start()

    def stop(self) -> None:
        """End, and wait for a callback that is running. Must not be called from one."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        import psycopg

        assert self._server is not None
        wait_s = _FIRST_WAIT_S
        while not self._stop.is_set():
            try:
                with self._server.connect() as link:
                    wait_s = _FIRST_WAIT_S
                    self._listen(link)
            except (SiteMusterError, psycopg.Error) as error:
                _log.warning("the server is away: %s", type(error).__name__)
                self._say_reached(False)
                self._stop.wait(wait_s)
                wait_s = min(wait_s * 2, _LONGEST_WAIT_S)

    def _say_reached(self, here: bool) -> None:
        if here is not self._here:
            self._here = here
            self._reached(here)

    def _listen(self, link: Any) -> None:
        """Until stopped or cut off: wait for notices, compare the counters now and then."""
        link.execute(f"LISTEN {CHANNEL}")
        self._compare(link)
        self._say_reached(True)
        compared = time.monotonic()
        while not self._stop.is_set():
            notices = list(link.notifies(timeout=min(_LOOK_S, self._poll_s), stop_after=1))
            if notices:
                notices += link.notifies(timeout=_GATHER_S)
                self._hear(notices)
            if time.monotonic() - compared >= self._poll_s:
                self._compare(link)
                compared = time.monotonic()

    def _hear(self, notices: Iterable[Any]) -> None:
        assert self._server is not None and self._counts is not None
        areas: set[Area] = set()
        for notice in notices:
            name, _, number = notice.payload.partition(" ")
            if not number.isdigit():
                continue  # somebody else's notice
            self._counts[name] = max(int(number), self._counts.get(name, 0))
            if not self._server.teller.is_own(notice.pid):
                areas |= _known([name])
        if areas:
            self._changed(frozenset(areas))

    def _compare(self, link: Any) -> None:
        """The counters and the chain's heads against those known; the first time only look."""
        counts = {name: int(number) for name, number in link.execute(_COUNTS)}
        heads = {int(project): int(head or 0) for project, head in link.execute(_HEADS)}
        heard, (last_counts, last_heads) = self._counts, self._compared
        self._counts, self._compared = dict(counts), (counts, heads)
        if heard is None:
            return
        moved = _known(name for name, number in counts.items() if number > heard.get(name, 0))
        if counts == last_counts and heads != last_heads:
            moved = set(Area)  # by a program that does not count
        if moved:
            self._changed(frozenset(moved))


def _known(names: Iterable[str]) -> set[Area]:
    return {Area(name) for name in names if name in Area._value2member_map_}

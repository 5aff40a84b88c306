"""One PC at a time collects a terminal: a lease per terminal, by the server's clock.

The ledger needs no lease, it takes everything twice without harm; the terminal does, cheap units
answer one program only. A PC that is cut off keeps its lease until it expires; whoever takes it
over then says so, to the user and in the audit trail. A book in a file has one program, which
holds everything.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from desktop.access.actor import Act
from desktop.access.desk import Desk
from desktop.clock import CHINA
from desktop.errors import Refused, SiteMusterError
from desktop.punches.reach import Reach
from desktop.punches.spool import must_wait
from desktop.punches.tables import CollectionLease
from desktop.storage import workstation
from desktop.storage.tables import Workstation

LEASE_S = 90
RENEW_S = 20
"""A lease outlives three renewals that did not get through."""


@dataclass(frozen=True, slots=True)
class Holder:
    """Who collects a terminal, until when unless he renews."""

    terminal_id: int
    name: str
    since: datetime
    until: datetime
    mine: bool


def holders(desk: Desk, session: Session) -> list[Holder]:
    """The leases that run now, for screens; none on a book in a file."""
    now = server_now(desk, session)
    mark = workstation.here(desk.book.path).mark if desk.book.dialect != "sqlite" else ""
    rows = session.execute(
        select(CollectionLease, Workstation)
        .join(Workstation, Workstation.id == CollectionLease.workstation_id)
        .where(
            CollectionLease.project_id == desk.project_id,
            CollectionLease.released_at.is_(None), CollectionLease.expires_at > now,
        )
        .order_by(CollectionLease.terminal_id)
    )
    return [
        Holder(one.terminal_id, pc.name, one.taken_at, one.expires_at, pc.mark == mark)
        for one, pc in rows
    ]


def server_now(desk: Desk, session: Session) -> datetime:
    """The server's present time, whole seconds; the PC's own where there is no server."""
    if session.get_bind().dialect.name != "postgresql":
        return desk.clock.now()
    # Not now(): that is when the transaction began, and it may have waited for its turn since.
    seconds = session.scalar(text("SELECT floor(extract(epoch FROM clock_timestamp()))::bigint"))
    return datetime.fromtimestamp(int(seconds or 0), UTC)


class Leases:
    """The leases of one pull. ``refused`` says why a terminal must not be read now."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._held: dict[int, int] = {}
        """terminal → workstation"""
        self._lost: set[int] = set()
        self._due = 0.0
        self.refused: dict[int, Refused] = {}
        self.warnings: dict[int, tuple[str, ...]] = {}

    def take(self, reaches: Sequence[Reach]) -> None:
        """Take what is free, expired or ours. Raises ``server_away``; then nothing is held."""
        if self._desk.book.dialect == "sqlite" or not reaches:
            return
        held: dict[int, int] = {}
        with self._desk.book.write() as session:
            me = workstation.register(self._desk.book, session)
            for reach in sorted(reaches, key=lambda one: one.terminal_id):
                if self._take(session, reach, me):
                    held[reach.terminal_id] = me
        self._held = held
        self._due = time.monotonic() + RENEW_S

    def renew(self) -> None:
        """Renew when it is time; called often. Server away: the pull goes on, the lease may not."""
        if not self._held or time.monotonic() < self._due:
            return
        self._due = time.monotonic() + RENEW_S
        try:
            with self._desk.book.write() as session:
                now = server_now(self._desk, session)
                for terminal_id, me in list(self._held.items()):
                    row = session.get(CollectionLease, terminal_id)
                    if row is None or row.workstation_id != me or row.released_at is not None:
                        del self._held[terminal_id]
                        self._lost.add(terminal_id)
                        continue
                    row.renewed_at, row.expires_at = now, now + timedelta(seconds=LEASE_S)
        except SiteMusterError as error:
            if not must_wait(error, self._desk.book):
                raise

    def lost(self, terminal_id: int) -> bool:
        """Whether another PC took this terminal over while we were reading it."""
        return terminal_id in self._lost

    def release(self) -> None:
        """Let go of all; on an unreachable server they expire by themselves."""
        held, self._held = self._held, {}
        if not held:
            return
        try:
            with self._desk.book.write() as session:
                now = server_now(self._desk, session)
                for terminal_id, me in held.items():
                    row = session.get(CollectionLease, terminal_id)
                    if row is not None and row.workstation_id == me:
                        row.released_at = now
        except SiteMusterError as error:
            if not must_wait(error, self._desk.book):
                raise

    def _take(self, session: Session, reach: Reach, me: int) -> bool:
        now = server_now(self._desk, session)
        row = session.get(CollectionLease, reach.terminal_id, populate_existing=True)
        if row is None:
            row = CollectionLease(terminal_id=reach.terminal_id, project_id=self._desk.project_id)
            session.add(row)
        elif row.workstation_id != me and row.released_at is None:
            holder = session.get_one(Workstation, row.workstation_id)
            if row.expires_at > now:
                self.refused[reach.terminal_id] = _held_elsewhere(reach, holder, row)
                return False
            self._say_taken_over(session, reach, holder, row, me)
        row.workstation_id, row.taken_at, row.renewed_at = me, now, now
        row.expires_at, row.released_at = now + timedelta(seconds=LEASE_S), None
        session.flush()
        return True

    def _say_taken_over(
        self, session: Session, reach: Reach, holder: Workstation, row: CollectionLease, me: int
    ) -> None:
        since = row.taken_at.astimezone(CHINA)
        self.warnings[reach.terminal_id] = (
            f"「{reach.name}」由另一台电脑「{holder.name}」自{since:%m-%d %H:%M}起采集，没有见到它结束，"
            "现已接管。",
        )
        self._desk.audit(
            session, Act.LEASE_TAKEN, f"terminal:{reach.terminal_id}", why="expired",
            workstation=me, from_workstation=holder.id,
            renewed_at=row.renewed_at.isoformat(),
        )


def _held_elsewhere(reach: Reach, holder: Workstation, row: CollectionLease) -> Refused:
    since, until = row.taken_at.astimezone(CHINA), row.expires_at.astimezone(CHINA)
    return Refused(
        "collected_elsewhere",
        f"「{reach.name}」正由另一台电脑「{holder.name}」采集（{since:%H:%M}开始，占用到{until:%H:%M:%S}），"
        "本机没有采集它。请等它结束，或稍后再试。",
        terminal=reach.name, workstation=holder.name, until=row.expires_at.isoformat(),
    )

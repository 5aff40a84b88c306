"""Stores one complete transfer, part by part, each part moving the cursor over what it stored.

The book may have moved on since the terminal was read: another PC collected it too, its unit was
replaced, or this very transfer was stored before the PC was killed. Then records are stored all the
same, which harms nothing, but cursor and epoch stay as they are.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from desktop.access.actor import Act
from desktop.access.desk import Desk
from desktop.errors import EnvironmentFault, Refused
from desktop.jobs import CancelToken, Progress
from desktop.punches import received, spool
from desktop.punches.ledger import Counts, Origin, Source, Stored, store_parts
from desktop.punches.pull_result import PullError, PullResult, note_clock, note_download
from desktop.punches.reach import Reach
from desktop.punches.received import Received
from desktop.punches.tables import Download, Terminal
from desktop.punches.terminal_book import bind_serial, other_unit


class AlreadyStored(Exception):
    """A batch that waited was stored to its end before; nothing was changed now."""


@dataclass(slots=True)
class Keeping:
    """One transfer on its way into the book, or to its place on this PC."""

    desk: Desk
    reach: Reach
    got: Received
    stored: Stored = field(default_factory=lambda: Stored(0, Counts(), last=False))
    warnings: tuple[str, ...] = ()
    moved_on: bool = False
    before: dict[str, Any] | None = None
    """The cursor this transfer goes on from, as the book holds it."""

    @property
    def _before(self) -> int:
        """Quarantined records in the part of the log that was held already."""
        if self.got.prefix_changed or not self.got.known:
            return 0
        cursor = self.reach.cursor if self.before is None else self.before
        return int(cursor.get("quarantined", 0))

    def store(self, progress: Progress, cancel: CancelToken | None) -> PullResult:
        """Into the book. Raises what ``store_parts`` and the checks of the unit raise, and
        :class:`AlreadyStored` for a batch that waited."""
        got, desk = self.got, self.desk
        source = Source(
            Origin.PULL, got.at, desk.actor.name, got.sha256 if got.received else None,
            written_at=desk.clock.now() if got.late else None,
        )
        store_parts(
            desk, self.reach.terminal_id, got.parts(), source, self._save, begin=self._admit,
            total=got.fresh, progress=progress, cancel=cancel,
        )
        return self._result(complete=True)

    def let_wait(self, why: EnvironmentFault) -> PullResult:
        """The server takes nothing now: onto this PC's disk. Refuses another unit, as the book
        would."""
        got, reach = self.got, self.reach
        if got.serial and reach.serial and got.serial != reach.serial:
            refusal = other_unit(reach.name, reach.serial, got.serial)
            return self._result(complete=False, error=PullError(refusal.code, refusal.message))
        waiting = got.fresh - self.stored.records
        if got.fresh or got.prefix_changed:
            desk = self.desk
            operator = (desk.actor.name, desk.actor.role.value)
            try:
                received.put(desk.book, desk.project_id, operator, reach, got)
            except EnvironmentFault as fault:
                return self._result(complete=False, error=PullError(fault.code, fault.message))
            said = f"「{reach.name}」读到的{waiting}条记录已存在本机，服务器恢复后自动入账，不会丢失"
        else:
            said = f"「{reach.name}」没有新记录"
        reason = "服务器连不上" if spool.is_away(why) else "服务器现在不能保存"
        error = PullError("server_away", f"{reason}：{said}。请检查网络和服务器。")
        return self._result(complete=False, error=error, waiting=waiting)

    def _admit(self, session: Session, terminal: Terminal) -> None:
        """In the first transaction: is it the same unit, is it the same log?"""
        got, reach = self.got, self.reach
        if got.late and _noted(session, terminal.id, Origin.PULL, got):
            raise AlreadyStored
        renewed = terminal.epoch != reach.epoch
        held = dict(terminal.cursor or {})
        self.moved_on = renewed or held.get("driver") != reach.cursor.get("driver")
        self.before = None if self.moved_on else held
        if renewed and terminal.serial != got.serial:
            self.warnings = (
                f"「{terminal.name}」在这批记录读出之后换了机器，记录已按原机保存。",
            )
            return
        self.warnings = bind_serial(session, terminal, got.serial)
        if not got.prefix_changed or self.moved_on:
            return
        terminal.epoch += 1
        if got.late:
            terminal.cursor = {}  # moves with the last part; till then nothing of this log is held
        self.warnings += (
            f"「{terminal.name}」机内的旧记录与已保存的不同（可能被清空、更换或改动过），已记入留痕；"
            "已保存的打卡全部保留。请查明原因。",
        )
        self.desk.audit(
            session, Act.PUNCHES_COLLECTED, f"terminal:{terminal.id}", why="log_changed",
            epoch=terminal.epoch, held=int(reach.cursor.get("held", 0)), received=got.received,
        )

    def _save(self, session: Session, terminal: Terminal, stored: Stored) -> None:
        """In the transaction of each part: the cursor over exactly what is stored."""
        got = self.got
        self.stored = stored
        self._move_cursor(terminal, stored)
        if terminal.last_contact_at is None or terminal.last_contact_at < got.at:
            terminal.last_contact_at = got.at
        if got.encoding:
            terminal.encoding = got.encoding
        if not stored.last:
            return
        read_at = got.clock.host_time
        if terminal.complete_until is None or terminal.complete_until < read_at:
            terminal.complete_until = read_at
        result = self._result(complete=True)
        note_clock(session, terminal.id, got.clock)
        waited_s = int((self.desk.clock.now() - got.at).total_seconds()) if got.late else None
        note_download(
            session, self.desk, terminal.id, result, got.sha256, at=got.at, waited_s=waited_s
        )
        if stored.counts.new or stored.counts.sighting or stored.counts.conflict:
            late: dict[str, Any] = {} if waited_s is None else {"waited_s": waited_s}
            self.desk.audit(
                session, Act.PUNCHES_COLLECTED, f"terminal:{terminal.id}", origin="pull",
                new=result.new, quarantined=result.quarantined, conflict=result.conflict, **late,
            )

    def _move_cursor(self, terminal: Terminal, stored: Stored) -> None:
        got = self.got
        if self.moved_on or not (stored.last or got.digest):
            return
        held = got.known + stored.records
        cursor = dict(got.cursor)
        if not stored.last and got.digest:
            cursor |= {"count": held, "digest": got.digest(held)}
        terminal.cursor = {
            "driver": cursor,
            "held": held,
            "quarantined": self._before + stored.counts.quarantined,
        }

    def given_up(self, error: PullError) -> PullResult:
        """Stopped between parts, or refused: what was stored till then stays, and is noted."""
        result = self._result(complete=False, error=error)
        with self.desk.book.write() as session:
            note_download(
                session, self.desk, self.reach.terminal_id, result, self.got.sha256,
                at=self.desk.clock.now(),
            )
        return result

    def _result(
        self, *, complete: bool, error: PullError | None = None, waiting: int = 0
    ) -> PullResult:
        got, counts = self.got, self.stored.counts
        quarantined = self._before + counts.quarantined
        seen = got.known + self.stored.records
        return PullResult(
            terminal=self.reach.name,
            serial=got.serial,
            reported=got.reported,
            received=got.received,
            new=counts.new,
            duplicate=seen - counts.new - quarantined,
            quarantined=quarantined,
            conflict=counts.conflict,
            sighting=counts.sighting,
            clock_offset_s=got.clock.offset_s,
            complete=complete,
            log_changed=got.prefix_changed,
            attempts=got.attempts,
            warnings=self.warnings,
            waiting=waiting,
            error=error,
        )


def _noted(session: Session, terminal_id: int, origin: Origin, got: Received) -> bool:
    """Whether the log of collections holds this very transfer as stored to its end."""
    return session.scalar(
        select(Download.id).where(
            Download.terminal_id == terminal_id, Download.at == got.at,
            Download.origin == origin.value, Download.sha256 == got.sha256, Download.complete.is_(True),
        ).limit(1)
    ) is not None


def failed_result(reach: Reach, refusal: Refused) -> PullResult:
    """A terminal that was not read at all."""
    return PullResult(terminal=reach.name, error=PullError(refusal.code, refusal.message))

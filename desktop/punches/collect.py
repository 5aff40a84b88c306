"""Collecting (采集): reads terminals over the network and stores what is certain.

Reading happens in worker threads, one lane per terminal; the book is touched in the caller's
thread only. A transfer is stored when it came complete and consistent, or not at all; its parts
are transactions of their own, each moving the cursor over exactly what it stored, and the last
one says until when everything is held. Killed at any instant, the next reading goes on.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session

from desktop.access.actor import Act
from desktop.access.desk import Desk
from desktop.errors import Cancelled, Refused
from desktop.jobs import CancelToken, Progress, silent
from desktop.punches import originals, words
from desktop.punches.ledger import CHUNK, Counts, Origin, Part, Source, Stored, store_parts
from desktop.punches.pull_result import PullError, PullResult, note_clock, note_download
from desktop.punches.reach import Opener, Reach, reach_of
from desktop.punches.tables import Terminal
from desktop.punches.terminal_book import bind_serial, find_terminal, unknown_terminal
from devices import errors as device_errors
from devices.terminals import model
from devices.terminals.driver import Surroundings, Timing
from devices.terminals.registry import open_driver

__all__ = ["PullError", "PullResult", "pull"]

AT_ONCE = 8
"""Terminals read at the same time."""
_LOOK_S = 0.1


def pull(
    desk: Desk,
    names: Sequence[str] | None = None,
    *,
    progress: Progress = silent,
    cancel: CancelToken | None = None,
    opener: Opener = open_driver,
    timing: Timing = Timing(),
) -> list[PullResult]:
    """Read the named terminals, or all in use that have an address; results in their order.

    A failing terminal is a result with ``error``, never an exception, and so is a name nobody
    entered or one without an address: the others are read all the same. Raises :class:`Refused`
    ``no_terminal`` when none is named and there is none to read.
    """
    desk.permit(Act.PUNCHES_COLLECTED)
    wanted = _named(desk, names) if names else _all_in_use(desk)
    reaches = [one for one in wanted if isinstance(one, Reach)]
    stop = CancelToken()
    results: dict[int, PullResult] = {}
    around = Surroundings(now=desk.clock.now, timing=timing)
    board = _Board(progress)
    with ThreadPoolExecutor(min(AT_ONCE, len(reaches) or 1), thread_name_prefix="terminal") as lanes:
        running = {
            lanes.submit(_read, reach, opener, around, board, _Either(stop, cancel)): reach
            for reach in reaches
        }
        try:
            for future, reach in _as_they_come(running, board):
                results[reach.terminal_id] = _settle(desk, reach, future, progress, cancel)
        except BaseException:
            stop.set()
            raise
    return [results[one.terminal_id] if isinstance(one, Reach) else one for one in wanted]


def _all_in_use(desk: Desk) -> list[Reach | PullResult]:
    with desk.book.read() as session:
        found = session.scalars(
            select(Terminal)
            .where(
                Terminal.project_id == desk.project_id,
                Terminal.retired_on.is_(None),
                Terminal.address != "",
            )
            .order_by(Terminal.id)
        ).all()
        if not found:
            raise Refused(
                "no_terminal", "还没有可以联网采集的考勤机。请先用 terminal add 登记，再采集。"
            )
        return [reach_of(desk, terminal) for terminal in found]


def _named(desk: Desk, names: Sequence[str]) -> list[Reach | PullResult]:
    """One for each name: how to reach it, or the result that says why it cannot be read."""
    wanted: list[Reach | PullResult] = []
    with desk.book.read() as session:
        for name in dict.fromkeys(name.strip() for name in names):
            terminal = find_terminal(session, desk.project_id, name)
            try:
                if terminal is None:
                    raise unknown_terminal(session, desk.project_id, name, "没有采集")
                wanted.append(reach_of(desk, terminal))
            except Refused as refusal:
                error = PullError(refusal.code, refusal.message)
                wanted.append(PullResult(terminal=name, error=error))
    return wanted


# ── the network side, in worker threads ─────────────────────────────────────────────────────────


class _Either:
    """Cancelled by the user or by our own end; what drivers look at."""

    def __init__(self, own: CancelToken, users: CancelToken | None) -> None:
        self._own = own
        self._users = users

    def is_set(self) -> bool:
        return self._own.is_set() or (self._users is not None and self._users.is_set())


class _Board:
    """Where lanes note how far they are; the caller's thread reads it and tells the user."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._lanes: dict[str, tuple[int, int]] = {}

    def note(self, name: str, done: int, total: int) -> None:
        """From any lane."""
        self._lanes[name] = (done, total)

    def show(self, waiting: Sequence[str]) -> None:
        """From the caller's thread."""
        lanes = list(self._lanes.values())
        done, total = sum(lane[0] for lane in lanes), sum(lane[1] for lane in lanes)
        who = f"「{waiting[0]}」" if len(waiting) == 1 else f"{len(waiting)}台考勤机"
        self._progress(done, total, f"正在读取{who}")


def _read(
    reach: Reach, opener: Opener, around: Surroundings, board: _Board, cancel: _Either
) -> model.Batch:
    """In a lane: open the driver, read the log."""

    def note(done: int, total: int, step: str) -> None:
        board.note(reach.name, done, total)

    driver = opener(reach.driver, reach.connection, around)
    return driver.pull(reach.cursor.get("driver"), progress=note, cancel=cancel)


def _as_they_come(
    running: dict[Future[model.Batch], Reach], board: _Board
) -> Iterator[tuple[Future[model.Batch], Reach]]:
    waiting = set(running)
    while waiting:
        ready, waiting = wait(waiting, timeout=_LOOK_S, return_when=FIRST_COMPLETED)
        for future in ready:
            yield future, running[future]
        if waiting:
            board.show([running[future].name for future in waiting])


# ── the book side, in the caller's thread ───────────────────────────────────────────────────────


def _settle(
    desk: Desk,
    reach: Reach,
    future: Future[model.Batch],
    progress: Progress,
    cancel: CancelToken | None,
) -> PullResult:
    try:
        batch = future.result()
    except device_errors.DeviceError as error:
        return _Failure(desk, reach, error).note()
    keeping = _Keeping(desk, reach, batch)
    try:
        return keeping.store(progress, cancel)
    except Cancelled as error:
        return keeping.given_up(PullError(error.code, f"「{reach.name}」的采集已取消。"))
    except Refused as refusal:
        return keeping.given_up(PullError(refusal.code, refusal.message))


@dataclass(slots=True)
class _Keeping:
    """Stores one complete transfer, part by part."""

    desk: Desk
    reach: Reach
    batch: model.Batch
    stored: Stored = field(default_factory=lambda: Stored(0, Counts(), last=False))
    warnings: tuple[str, ...] = ()

    @property
    def _before(self) -> int:
        """Quarantined records in the part of the log that was held already."""
        if self.batch.prefix_changed or not self.batch.known:
            return 0
        return int(self.reach.cursor.get("quarantined", 0))

    def store(self, progress: Progress, cancel: CancelToken | None) -> PullResult:
        batch, desk = self.batch, self.desk
        source = Source(
            Origin.PULL, desk.clock.now(), desk.actor.name, batch.sha256 if batch.received else None
        )
        parts = (
            Part(records.punches, records.unusable) for records in batch.parts(batch.known, CHUNK)
        )
        store_parts(
            desk, self.reach.terminal_id, parts, source, self._save, begin=self._admit,
            total=batch.received - batch.known, progress=progress, cancel=cancel,
        )
        return self._result(complete=True)

    def _admit(self, session: Session, terminal: Terminal) -> None:
        """In the first transaction: is it the same unit, is it the same log?"""
        self.warnings = bind_serial(session, terminal, self.batch.serial)
        if not self.batch.prefix_changed:
            return
        terminal.epoch += 1
        self.warnings += (
            f"「{terminal.name}」机内的旧记录与已保存的不同（可能被清空、更换或改动过），已记入留痕；"
            "已保存的打卡全部保留。请查明原因。",
        )
        self.desk.audit(
            session, Act.PUNCHES_COLLECTED, f"terminal:{terminal.id}", why="log_changed",
            epoch=terminal.epoch, held=int(self.reach.cursor.get("held", 0)),
            received=self.batch.received,
        )

    def _save(self, session: Session, terminal: Terminal, stored: Stored) -> None:
        """In the transaction of each part: the cursor over exactly what is stored."""
        batch = self.batch
        self.stored = stored
        held = batch.known + stored.records
        cursor = dict(batch.cursor)
        if not stored.last:
            cursor |= {"count": held, "digest": batch.prefix_digest(held)}
        terminal.cursor = {
            "driver": cursor,
            "held": held,
            "quarantined": self._before + stored.counts.quarantined,
        }
        terminal.last_contact_at = self.desk.clock.now()
        if batch.encoding:
            terminal.encoding = batch.encoding
        if not stored.last:
            return
        read_at = batch.clock.host_time
        if terminal.complete_until is None or terminal.complete_until < read_at:
            terminal.complete_until = read_at
        result = self._result(complete=True)
        note_clock(session, terminal.id, batch.clock)
        note_download(session, self.desk, self.reach.terminal_id, result, batch.sha256)
        if stored.counts.new or stored.counts.sighting or stored.counts.conflict:
            self.desk.audit(
                session, Act.PUNCHES_COLLECTED, f"terminal:{terminal.id}", origin="pull",
                new=result.new, quarantined=result.quarantined, conflict=result.conflict,
            )

    def given_up(self, error: PullError) -> PullResult:
        """Stopped between parts, or refused: what was stored till then stays, and is noted."""
        result = self._result(complete=False, error=error)
        with self.desk.book.write() as session:
            note_download(session, self.desk, self.reach.terminal_id, result, self.batch.sha256)
        return result

    def _result(self, *, complete: bool, error: PullError | None = None) -> PullResult:
        batch, counts = self.batch, self.stored.counts
        quarantined = self._before + counts.quarantined
        seen = batch.known + self.stored.records
        return PullResult(
            terminal=self.reach.name,
            serial=batch.serial,
            reported=batch.reported,
            received=batch.received,
            new=counts.new,
            duplicate=seen - counts.new - quarantined,
            quarantined=quarantined,
            conflict=counts.conflict,
            sighting=counts.sighting,
            clock_offset_s=batch.clock.offset_s,
            complete=complete,
            log_changed=batch.prefix_changed,
            attempts=batch.attempts,
            warnings=self.warnings,
            error=error,
        )


@dataclass(slots=True)
class _Failure:
    """Notes a reading that gave nothing that may be used."""

    desk: Desk
    reach: Reach
    error: device_errors.DeviceError

    def note(self) -> PullResult:
        reach, error = self.reach, self.error
        certain = error.certain or model.Certain()
        result = PullResult(
            terminal=reach.name,
            serial=certain.serial,
            reported=certain.reported,
            clock_offset_s=None if certain.clock is None else certain.clock.offset_s,
            attempts=certain.attempts,
            error=PullError(error.code, words.of_terminal(error, reach.name)),
        )
        kept = self._keep_unknown_layout()
        with self.desk.book.write() as session:
            terminal = session.get_one(Terminal, reach.terminal_id)
            if certain.clock is not None:
                terminal.last_contact_at = self.desk.clock.now()
                note_clock(session, terminal.id, certain.clock)
            note_download(session, self.desk, reach.terminal_id, result, kept)
        return result

    def _keep_unknown_layout(self) -> bytes | None:
        """Records of a layout nobody knows are kept sealed, for the day somebody does."""
        raw = getattr(self.error, "raw", b"")
        if not raw:
            return None
        copy = originals.copy(self.desk.book, io.BytesIO(raw))
        copy.keep()
        return copy.sha256

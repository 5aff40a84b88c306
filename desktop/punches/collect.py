"""Collecting (采集): reads terminals over the network and stores what is certain.

Reading happens in worker threads, one lane per terminal; the book is touched in the caller's
thread only. A transfer is stored when it came complete and consistent, or not at all; its parts
are transactions of their own, each moving the cursor over exactly what it stored, and the last
one says until when everything is held. Killed at any instant, the next reading goes on.

A book on a server may be away: terminals are then read as this PC last knew them, and what they
gave waits here (see ``spool``) until the server is back.
"""

from __future__ import annotations

import io
import logging
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import closing
from dataclasses import dataclass, field, replace

from sqlalchemy import select

from desktop.access.actor import Act
from desktop.access.desk import Desk
from desktop.errors import Cancelled, EnvironmentFault, Refused
from desktop.jobs import CancelToken, Progress, silent
from desktop.punches import known, late, originals, pull_original, words
from desktop.punches.keeping import Keeping, failed_result
from desktop.punches.lanes import read_all
from desktop.punches.lease import Leases
from desktop.punches.pull_result import PullError, PullResult, note_clock, note_download
from desktop.punches.reach import Opener, Reach, reach_of
from desktop.punches.received import of_batch
from desktop.punches.spool import must_wait
from desktop.punches.tables import Terminal
from desktop.punches.terminal_book import find_terminal, unknown_terminal
from devices import errors as device_errors
from devices.terminals import model
from devices.terminals.driver import Surroundings, Timing
from devices.terminals.registry import open_driver

__all__ = ["PullError", "PullResult", "pull"]

_log = logging.getLogger(__name__)


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
    entered, one without an address, or one that another PC is collecting: the others are read all
    the same. With the server away results carry ``waiting``. Raises :class:`Refused`
    ``no_terminal`` when none is named and there is none to read.
    """
    desk.permit(Act.PUNCHES_COLLECTED)
    run = _Run(desk, progress, cancel)
    wanted = run.wanted(names)
    reaches = run.leased([one for one in wanted if isinstance(one, Reach)])
    around = Surroundings(now=desk.clock.now, timing=timing)
    try:
        with closing(
            read_all(reaches, opener, around, progress, cancel, run.leases.renew)
        ) as readings:
            for reach, reading in readings:
                run.results[reach.terminal_id] = run.settle(reach, reading)
    finally:
        run.leases.release()
    run.remember()
    results = [
        run.results[one.terminal_id] if isinstance(one, Reach) else one for one in wanted
    ]
    if run.came_in:
        results[0] = replace(results[0], warnings=(*run.came_in, *results[0].warnings))
    return results


@dataclass(slots=True)
class _Run:
    """One pull: whether the server is there, who may be read, what came of it."""

    desk: Desk
    progress: Progress
    cancel: CancelToken | None
    away: EnvironmentFault | None = None
    results: dict[int, PullResult] = field(default_factory=dict)
    came_in: tuple[str, ...] = ()
    """Sentences about what had waited on this PC till now."""
    leases: Leases = field(init=False)

    def __post_init__(self) -> None:
        self.leases = Leases(self.desk)

    # ── before reading ──────────────────────────────────────────────────────────────────────────

    def wanted(self, names: Sequence[str] | None) -> list[Reach | PullResult]:
        """One for each terminal: how to reach it, or the result that says why not."""
        try:
            report = late.store_waiting(self.desk.book, self.desk.project_id)
            self.came_in = tuple(report.sentences())
            return _named(self.desk, names) if names else _all_in_use(self.desk)
        except EnvironmentFault as fault:
            if not must_wait(fault, self.desk.book):
                raise
            self.away = fault
            held = known.recall(self.desk.book)
            if held is None or held.project_id != self.desk.project_id:
                raise  # this PC never saw the terminal book
        return [
            one if isinstance(one, Reach) else PullResult(
                terminal=str(one.facts.get("terminal", "")),
                error=PullError(one.code, one.message),
            )
            for one in known.reaches(self.desk.book, held, names)
        ]

    def leased(self, reaches: Sequence[Reach]) -> list[Reach]:
        """Those nobody else is reading; the others have their result already."""
        if self.away is None:
            try:
                self.leases.take(reaches)
            except EnvironmentFault as fault:
                if not must_wait(fault, self.desk.book):
                    raise
                self.away = fault
        for reach in reaches:
            refusal = self.leases.refused.get(reach.terminal_id)
            if refusal is not None:
                self.results[reach.terminal_id] = failed_result(reach, refusal)
        return [one for one in reaches if one.terminal_id not in self.results]

    # ── after reading, in the caller's thread ───────────────────────────────────────────────────

    def settle(self, reach: Reach, reading: Future[model.Batch]) -> PullResult:
        """The result of one terminal; what it gave is in the book, or waits on this PC."""
        try:
            batch = reading.result()
        except device_errors.DeviceError as error:
            return self._failed(reach, error)
        at = self.desk.clock.now()
        pull_original.keep(self.desk, reach, batch, at)  # the proof first, also with no server
        keeping = Keeping(self.desk, reach, of_batch(batch, at))
        result = self._kept(keeping)
        warnings = (*self.leases.warnings.get(reach.terminal_id, ()), *result.warnings)
        if self.leases.lost(reach.terminal_id):
            warnings += (
                f"「{reach.name}」在采集途中被另一台电脑接管；两边的记录都已保存，不会重复。",
            )
        return replace(result, warnings=warnings)

    def _kept(self, keeping: Keeping) -> PullResult:
        if self.away is not None:
            return keeping.let_wait(self.away)
        name = keeping.reach.name
        try:
            try:
                return keeping.store(self.progress, self.cancel)
            except Cancelled as error:
                return keeping.given_up(PullError(error.code, f"「{name}」的采集已取消。"))
            except Refused as refusal:
                return keeping.given_up(PullError(refusal.code, refusal.message))
        except EnvironmentFault as fault:
            if not must_wait(fault, self.desk.book):
                raise
            self.away = fault
            return keeping.let_wait(fault)

    def _failed(self, reach: Reach, error: device_errors.DeviceError) -> PullResult:
        failure = _Failure(self.desk, reach, error)
        if self.away is None:
            try:
                failure.note()
            except EnvironmentFault as fault:
                if not must_wait(fault, self.desk.book):
                    raise
                self.away = fault
        return failure.result

    def remember(self) -> None:
        """What this PC will know of the terminals when the server is away next time."""
        if self.away is not None or self.desk.book.dialect == "sqlite":
            return
        try:
            with self.desk.book.read() as session:
                known.remember(self.desk.book, self.desk.project_id, session)
        except EnvironmentFault as fault:
            _log.warning("the terminals are not remembered: %s", fault.code)


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


@dataclass(slots=True)
class _Failure:
    """A reading that gave nothing that may be used."""

    desk: Desk
    reach: Reach
    error: device_errors.DeviceError

    @property
    def result(self) -> PullResult:
        certain = self.error.certain or model.Certain()
        return PullResult(
            terminal=self.reach.name,
            serial=certain.serial,
            reported=certain.reported,
            clock_offset_s=None if certain.clock is None else certain.clock.offset_s,
            attempts=certain.attempts,
            error=PullError(self.error.code, words.of_terminal(self.error, self.reach.name)),
        )

    def note(self) -> None:
        """Into the log of collections, with the terminal's clock where it was read."""
        certain = self.error.certain or model.Certain()
        kept = self._keep_unknown_layout()
        with self.desk.book.write() as session:
            terminal = session.get_one(Terminal, self.reach.terminal_id)
            now = self.desk.clock.now()
            if certain.clock is not None:
                terminal.last_contact_at = now
                note_clock(session, terminal.id, certain.clock)
            note_download(session, self.desk, terminal.id, self.result, kept, at=now)

    def _keep_unknown_layout(self) -> bytes | None:
        """Records of a layout nobody knows are kept sealed, for the day somebody does."""
        raw = getattr(self.error, "raw", b"")
        if not raw:
            return None
        copy = originals.copy(self.desk.book, io.BytesIO(raw))
        copy.keep()
        return copy.sha256

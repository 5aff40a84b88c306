"""What one reading of one terminal came to: the result shown, and the rows that keep it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from desktop.access.desk import Desk
from desktop.punches.ledger import Origin
from desktop.punches.tables import ClockReading, Download
from devices.terminals import model


@dataclass(frozen=True, slots=True)
class PullError:
    """Why a terminal gave nothing: stable code, one sentence."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class PullResult:
    """One terminal of one pull. ``received`` = ``new`` + ``duplicate`` + ``quarantined``, plus
    ``waiting``: kept on this PC because the server is away, see ``spool``.

    ``reported`` is the terminal's own count, None when it was never read. ``complete``: the whole
    log as it stood is held by the book. ``log_changed``: the older part of the log was not what was held, twice.
    """

    terminal: str
    serial: str = ""
    reported: int | None = None
    received: int = 0
    new: int = 0
    duplicate: int = 0
    quarantined: int = 0
    conflict: int = 0
    sighting: int = 0
    clock_offset_s: int | None = None
    complete: bool = False
    log_changed: bool = False
    attempts: int = 0
    warnings: tuple[str, ...] = ()
    waiting: int = 0
    error: PullError | None = None

    def as_json(self) -> dict[str, Any]:
        """The element of ``terminal pull``'s list."""
        error = self.error
        return {
            "terminal": self.terminal,
            "serial": self.serial,
            "reported": self.reported,
            "received": self.received,
            "new": self.new,
            "duplicate": self.duplicate,
            "quarantined": self.quarantined,
            "conflict": self.conflict,
            "sighting": self.sighting,
            "clock_offset_s": self.clock_offset_s,
            "complete": self.complete,
            "log_changed": self.log_changed,
            "attempts": self.attempts,
            "warnings": list(self.warnings),
            "waiting": self.waiting,
            "error": None if error is None else {"code": error.code, "message": error.message},
        }


def note_clock(session: Session, terminal_id: int, clock: model.ClockReading) -> None:
    """Keep a clock reading; one of an impossible date says nothing about drift."""
    if clock.terminal_time is None or clock.offset_s is None:
        return
    session.add(
        ClockReading(
            terminal_id=terminal_id,
            at=clock.host_time.replace(microsecond=0),
            terminal_time=clock.terminal_time,
            offset_s=clock.offset_s,
            round_trip_ms=clock.round_trip_ms,
        )
    )


def note_download(
    session: Session,
    desk: Desk,
    terminal_id: int,
    result: PullResult,
    sha256: bytes | None,
    *,
    at: datetime,
    waited_s: int | None = None,
) -> None:
    """One line in the log of collections; ``sha256`` of what was received, ``at`` when.

    ``waited_s``: how long it waited on a PC before the book could be reached.
    """
    late = {} if waited_s is None else {"waited_s": waited_s}
    session.add(
        Download(
            project_id=desk.project_id,
            terminal_id=terminal_id,
            at=at,
            origin=Origin.PULL.value,
            complete=result.complete,
            sha256=sha256,
            counts={
                "reported": result.reported,
                "received": result.received,
                "new": result.new,
                "duplicate": result.duplicate,
                "quarantined": result.quarantined,
                "conflict": result.conflict,
                "sighting": result.sighting,
                "attempts": result.attempts,
                "log_changed": result.log_changed,
                **late,
            },
            error="" if result.error is None else result.error.code,
        )
    )

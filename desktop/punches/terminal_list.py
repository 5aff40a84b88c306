"""The terminal book as lists show it: one row per terminal with its last collection."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from desktop.access import editing
from desktop.punches.tables import ClockReading, Download, Terminal


@dataclass(frozen=True, slots=True)
class TerminalView:
    """A terminal as lists show it. ``held`` are the records of its log that are stored.

    ``clock_offset_s`` at the last reading, positive = fast; ``last_error`` is the code of the
    last collection, empty when it was complete.
    """

    id: int
    name: str
    driver: str
    address: str
    transport: str
    direction: str
    serial: str
    has_password: bool
    biometric_only_from: date | None
    biometric_only_evidence: str
    in_use_from: date | None
    retired_on: date | None
    epoch: int
    held: int
    complete_until: datetime | None
    last_contact_at: datetime | None
    clock_offset_s: int | None
    last_error: str
    version: int = 0
    """What an editor saw, for :func:`edit_terminal` and its like."""


def list_terminals(session: Session, project_id: int) -> list[TerminalView]:
    """All terminals in the order they were entered, retired ones too."""
    # Before the values: a change in between then shows as one the editor has not seen.
    seen = editing.versions(session, project_id, "terminal")
    terminals = session.scalars(
        select(Terminal).where(Terminal.project_id == project_id).order_by(Terminal.id)
    ).all()
    offsets = _latest_offsets(session, terminals)
    failures = _latest_failures(session, terminals)
    return [
        TerminalView(
            id=one.id,
            name=one.name,
            driver=one.driver,
            address=one.address,
            transport=one.transport,
            direction=one.direction,
            serial=one.serial,
            has_password=one.password_sealed is not None,
            biometric_only_from=one.biometric_only_from,
            biometric_only_evidence=one.biometric_only_evidence,
            in_use_from=one.in_use_from,
            retired_on=one.retired_on,
            epoch=one.epoch,
            held=int((one.cursor or {}).get("held", 0)),
            complete_until=one.complete_until,
            last_contact_at=one.last_contact_at,
            clock_offset_s=offsets.get(one.id),
            last_error=failures.get(one.id, ""),
            version=seen.get(one.id, 0),
        )
        for one in terminals
    ]


def _latest_offsets(session: Session, terminals: Sequence[Terminal]) -> dict[int, int]:
    last = (
        select(func.max(ClockReading.id))
        .where(ClockReading.terminal_id.in_([one.id for one in terminals]))
        .group_by(ClockReading.terminal_id)
    )
    rows = session.execute(
        select(ClockReading.terminal_id, ClockReading.offset_s).where(ClockReading.id.in_(last))
    )
    return {terminal_id: offset for terminal_id, offset in rows}


def _latest_failures(session: Session, terminals: Sequence[Terminal]) -> dict[int, str]:
    last = (
        select(func.max(Download.id))
        .where(Download.terminal_id.in_([one.id for one in terminals]))
        .group_by(Download.terminal_id)
    )
    rows = session.execute(
        select(Download.terminal_id, Download.error).where(Download.id.in_(last))
    )
    return {terminal_id: error for terminal_id, error in rows}

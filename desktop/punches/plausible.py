"""Which records may be punches at all: the rest is kept raw, listed and never counted.

Not believed: dates that do not exist, times before 2015, times later than received + 24 h (a
terminal after a battery failure says such things), and a record that once came from the future —
also when the day it claimed has arrived and it comes again, by whichever way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, func, select
from sqlalchemy.orm import Session

from desktop.clock import CHINA
from desktop.punches.tables import PunchQuarantine
from desktop.storage.tables import Segment
from desktop.storage.types import local_seconds, local_time
from devices.terminals.model import Punch, Unusable

EARLIEST = local_seconds(datetime(2015, 1, 1))
"""t_local; nothing a terminal says about an earlier time is believed."""

_AT_ONCE = 5_000
"""Raw records in one statement; the engines' limits are above it."""

AHEAD_S = 24 * 3600
"""How far a terminal's clock may be ahead of the moment of reception."""

IMPOSSIBLE_DATE, BEFORE_2015, FUTURE, UNDECODABLE = (
    "impossible_date", "before_2015", "future", "undecodable",
)


class Doubtful(NamedTuple):
    """A record for the quarantine. ``position`` as in ``devices`` (line or place), −1 unknown."""

    position: int
    source_format: int
    reason: str
    number: str
    time_text: str
    raw: bytes


@dataclass(frozen=True, slots=True)
class Sifted:
    """What of a part may be believed; ``kept`` are places in the part, None = all of it."""

    punches: Sequence[Punch]
    kept: Sequence[int] | None
    doubtful: list[Doubtful]


def latest(received_at: datetime) -> int:
    """The latest t_local that is believed of something received at that instant."""
    return local_seconds(received_at.astimezone(CHINA).replace(tzinfo=None)) + AHEAD_S


def believed_now(session: Session, project_id: int, received_at: datetime) -> datetime:
    """The moment of reception, or the latest the ledger knows when that is later.

    A computer whose clock fell back (an empty battery) would take every true punch for one from the
    future, and what once was that is never believed again.
    """
    newest = session.scalar(select(func.max(Segment.at)).where(Segment.project_id == project_id))
    return received_at if newest is None else max(received_at, newest)


def time_text(t_local: int) -> str:
    """A terminal time as the quarantine lists it: ``2026-11-24 07:58:11``; "" beyond year 9999."""
    try:
        return local_time(t_local).isoformat(" ")
    except OverflowError:
        return ""


def sift(
    lane: Connection,
    terminal_id: int,
    punches: Sequence[Punch],
    unusable: Sequence[Unusable],
    received_at: datetime,
) -> Sifted:
    """Separate what may be believed. ``lane`` is asked for records that came from the future."""
    doubtful = [
        Doubtful(one.position, one.source_format, one.reason, one.number, one.time_text, one.raw)
        for one in unusable
    ]
    if not punches:
        return Sifted(punches, None, doubtful)
    times = [punch[1] for punch in punches]
    first, last, limit = min(times), max(times), latest(received_at)
    prophets = _came_from_the_future(lane, terminal_id, first, last)
    if first >= EARLIEST and last <= limit and not prophets:
        return Sifted(punches, None, doubtful)
    kept: list[int] = []
    for place, punch in enumerate(punches):
        reason = ""
        if punch.t_local < EARLIEST:
            reason = BEFORE_2015
        elif punch.t_local > limit or (punch.number, time_text(punch.t_local)) in prophets:
            reason = FUTURE
        if not reason:
            kept.append(place)
            continue
        doubtful.append(
            Doubtful(
                -1, punch.source_format, reason, punch.number, time_text(punch.t_local), punch.raw
            )
        )
    return Sifted([punches[place] for place in kept], kept, doubtful)


def _came_from_the_future(
    lane: Connection, terminal_id: int, first: int, last: int
) -> set[tuple[str, str]]:
    known = PunchQuarantine
    rows = lane.execute(
        select(known.number, known.time_text).where(
            known.terminal_id == terminal_id,
            known.reason == FUTURE,
            known.time_text.between(time_text(first), time_text(last)),
        )
    )
    return {(number, text) for number, text in rows}


def not_yet_kept(
    lane: Connection, terminal_id: int, doubtful: Sequence[Doubtful]
) -> list[Doubtful]:
    """Each record once, without those the quarantine holds already, in order."""
    fresh: dict[tuple[int, bytes], Doubtful] = {}
    for one in doubtful:
        fresh.setdefault((one.source_format, one.raw), one)
    known, raws = PunchQuarantine, sorted({raw for _, raw in fresh})
    forms = sorted({form for form, _ in fresh})
    for start in range(0, len(raws), _AT_ONCE):
        found = select(known.source_format, known.raw).where(
            known.terminal_id == terminal_id,
            known.source_format.in_(forms),
            known.raw.in_(raws[start : start + _AT_ONCE]),
        )
        for form, raw in lane.execute(found):
            fresh.pop((form, raw), None)
    return list(fresh.values())

"""The month's punches out of the ledger, per person, packed for the walk.

The only part whose cost grows with the ledger, so it does nothing twice: one pass over the
covering index, numbers are resolved once per terminal and number, and a punch is an integer from
the first moment. It refuses to judge anything but the standing of a single punch.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from desktop.attendance.frame import MARGIN_DAYS, Frame, TerminalFacts
from desktop.attendance.rules import DAY_S, FAR_DAY, TIME_SHIFT, WAYS, pack, standing, time_of
from desktop.jobs import CancelToken, Progress, silent
from desktop.punches.queries import Span, resolver
from desktop.punches.tables import Punch

_CHUNK = 50_000
_CLAIM_BITS = 7
_PROVEN = 3
"""The claim of nearly every punch: method class biometric (1, doubled), accepted (1)."""


class Unmatched(NamedTuple):
    """A number with punches in the month that belongs to nobody; times in local seconds."""

    terminal_id: int
    number: str
    punches: int
    first: int
    last: int


@dataclass(slots=True)
class Reading:
    """What was read: packed punches by person, unsorted, and the numbers of nobody."""

    by_person: dict[int, list[int]] = field(default_factory=dict)
    unmatched: list[Unmatched] = field(default_factory=list)
    count: int = 0


def read_punches(
    session: Session,
    frame: Frame,
    progress: Progress = silent,
    cancel: CancelToken | None = None,
) -> Reading:
    """Every stored punch of the month and its margin. Raises :class:`Cancelled`."""
    made = Reading()
    groups: defaultdict[int, defaultdict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for chunk in _claims(session, frame):
        for terminal_id, number, claim in chunk:
            groups[terminal_id][number].append(claim)
        made.count += len(chunk)
        progress(made.count, 0, "读取打卡记录")
        if cancel is not None:
            cancel.raise_if_set()
    owners = resolver(session, frame.project_id)
    for place, terminal in enumerate(frame.terminals):
        for number, claims in groups.pop(terminal.id, {}).items():
            punches = _packed(claims, terminal, place)
            for person_id, some in _split(punches, owners.spans(terminal.id, number)):
                if person_id is None:
                    made.unmatched += _unmatched(some, terminal.id, number, frame)
                else:
                    held = made.by_person.setdefault(person_id, some)
                    if held is not some:
                        held += some
    return made


def _claims(session: Session, frame: Frame) -> Iterator[Sequence[tuple[int, str, int]]]:
    """``(terminal, number, claim)`` in chunks; a claim is the time and what the terminal said.

    Read straight from the driver's cursor: row objects would cost as much as the whole rule.
    """
    statement = select(
        Punch.terminal_id,
        Punch.number,
        Punch.t_local * (1 << TIME_SHIFT) + Punch.method_class * 2 + Punch.accepted,
    ).where(Punch.day.between(frame.first_day - MARGIN_DAYS, frame.last_day + MARGIN_DAYS))
    result = session.connection().execute(statement)
    cursor = result.cursor
    try:
        while chunk := cursor.fetchmany(_CHUNK):
            yield chunk
    finally:
        result.close()


def _packed(claims: list[int], terminal: TerminalFacts, place: int) -> list[int]:
    """Claims of one number at one terminal as packed punches."""
    way = WAYS[terminal.direction]
    bits = pack(0, way, place, 0)

    def judged(claim: int) -> int:
        method_class, accepted = divmod(claim & _CLAIM_BITS, 2)
        t_local = claim >> TIME_SHIFT
        since = terminal.biometric_only_from
        declared = since is not None and since <= t_local // DAY_S
        return pack(t_local, way, place, standing(method_class, accepted, declared=declared))

    return [
        claim - _PROVEN | bits if claim & _CLAIM_BITS == _PROVEN else judged(claim)
        for claim in claims
    ]


def _split(
    punches: list[int], spans: Sequence[Span]
) -> Iterator[tuple[int | None, list[int]]]:
    """Punches of one number by the person it belonged to on their day, None for nobody."""
    if len(spans) == 1 and spans[0][0] <= 0 and spans[0][1] >= FAR_DAY:
        yield spans[0][2], punches
        return
    parts: dict[int | None, list[int]] = {}
    for punch in punches:
        day = time_of(punch) // DAY_S
        person = next((who for first, last, who in spans if first <= day <= last), None)
        parts.setdefault(person, []).append(punch)
    yield from parts.items()


def _unmatched(
    punches: list[int], terminal_id: int, number: str, frame: Frame
) -> Iterator[Unmatched]:
    """The number once, if it has punches in the month itself."""
    times = [t for t in map(time_of, punches) if t // DAY_S in frame.days]
    if times:
        yield Unmatched(terminal_id, number, len(times), min(times), max(times))

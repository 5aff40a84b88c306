"""Reading a whole log so that it may be believed (§7, §11; the house's rule for ``pull``).

A transfer is used only when every packet was sound, the dataset has exactly its announced length,
its records divide into a known layout, and their number lies between the terminal's own counts
before and after. Where it disagrees with what the caller already holds, it is read twice.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from devices.errors import BadResponse
from devices.terminals.driver import Progress
from devices.terminals.model import (
    PART,
    Batch,
    Certain,
    ClockReading,
    Event,
    Person,
    SourceFormat,
)
from devices.terminals.zk import counts, layout, people
from devices.terminals.zk.codes import Request
from devices.terminals.zk.records import WIDEST, PunchDecoder
from devices.terminals.zk.session import MAX_DATASET, PUNCHES, USERS, Dataset, Refused, Session


@dataclass(slots=True)
class Notes:
    """What became certain on the way, kept over all attempts for the report of a failure."""

    serial: str = ""
    reported: int | None = None
    clock: ClockReading | None = None
    attempts: int = 0
    events_set_aside: int = 0
    failures: list[str] = field(default_factory=list)

    def certain(self) -> Certain:
        return Certain(
            serial=self.serial,
            reported=self.reported,
            clock=self.clock,
            attempts=self.attempts,
            events_set_aside=self.events_set_aside,
            failures=tuple(self.failures),
        )


@dataclass(slots=True)
class Transfer:
    """One complete, consistent transfer of the log."""

    serial: str
    clock: ClockReading
    before: int
    after: int
    raw: bytes
    width: int
    layout: SourceFormat
    numbers: Mapping[int, str] | None
    encoding: str
    events: tuple[Event, ...]

    @property
    def records(self) -> int:
        return len(self.raw) // self.width if self.raw else 0

    def decoder(self) -> PunchDecoder:
        return PunchDecoder(self.raw, self.width, self.layout, self.numbers)

    def has_unusable(self, start: int) -> bool:
        """Whether any record from ``start`` on cannot be a punch; bounded memory."""
        decode, end = self.decoder(), self.records
        return any(decode(at, min(at + PART, end)).unusable for at in range(start, end, PART))


def read_counts(session: Session) -> counts.Counts:
    """The terminal's own counts; a unit that will not say them cannot be read safely."""
    data = session.ask(Request.READ_COUNTS, step="check")
    if data is None:
        raise BadResponse("reply", expected="counts")
    health = counts.parse(data)
    return counts.Counts(health.users, health.punches, health.user_capacity, health.punch_capacity)


def read_users(
    session: Session, now: counts.Counts, encoding: str, progress: Progress
) -> tuple[list[Person], str]:
    """All user records, as many as the terminal counts before and after, and their encoding."""
    bound = counts.dataset_bound(
        now.users, now.user_capacity, max(people.WIDTHS), layout.GROWTH, MAX_DATASET
    )

    def check(size: int) -> None:
        people.check_announced(size, now.users, bound)

    raw = _dataset(session, USERS, now.users, check, progress)
    after = read_counts(session).users
    if not raw:
        _check_count(0, now.users, after)
        return [], encoding
    uncounted = now.users == after == 0
    width = people.choose_width(raw, now.users, len(raw) if uncounted else after)
    return people.decode(raw, width, encoding)


def read_log(
    session: Session,
    serial: str,
    clock: ClockReading,
    encoding: str,
    progress: Progress,
    notes: Notes,
) -> Transfer:
    """One attempt at the whole log inside an open session."""
    before = read_counts(session)
    notes.reported = before.punches
    bound = counts.dataset_bound(
        before.punches, before.punch_capacity, WIDEST, layout.GROWTH, MAX_DATASET
    )

    def check(size: int) -> None:
        layout.check_announced(size, before.punches, bound)

    raw = _dataset(session, PUNCHES, before.punches, check, progress)
    progress(len(raw), len(raw), "check")
    after = read_counts(session)
    notes.reported = after.punches
    numbers: dict[int, str] | None = None
    width, form = 40, SourceFormat.ZK40
    if raw:
        if 8 in layout.widths(len(raw), max(before.punches, 1), after.punches or len(raw)):
            persons, encoding = read_users(session, after, encoding, progress)
            numbers = {person.slot: person.number for person in persons}
        width, form = layout.choose(raw, before.punches, after.punches, numbers)
    transfer = Transfer(
        serial=serial,
        clock=clock,
        before=before.punches,
        after=after.punches,
        raw=raw,
        width=width,
        layout=form,
        numbers=numbers,
        encoding=encoding,
        events=tuple(session.events),
    )
    if before.punches or after.punches:
        _check_count(transfer.records, before.punches, after.punches)
    return transfer


def _dataset(
    session: Session,
    what: Dataset,
    count: int,
    check: Callable[[int], None],
    progress: Progress,
) -> bytes:
    """The dataset; a terminal that counts nothing may also refuse to read it: then it is empty."""
    try:
        return session.read_dataset(what, check, progress)
    except Refused as refusal:
        if count == 0:
            return b""
        raise BadResponse("reply", expected=what.step, got=refusal.code) from refusal


def _check_count(records: int, before: int, after: int) -> None:
    if not before <= records <= after:
        raise BadResponse("count", expected=(before, after), got=records)


class SteadyLog:
    """Compares each transfer with what the caller holds, and with the one before.

    The log of a terminal only grows. A transfer whose older part is not what the caller holds is
    not returned until a second one, from another session, says the same.
    """

    def __init__(self, cursor: Mapping[str, Any] | None) -> None:
        self._count, self._digest = _cursor_facts(cursor)
        self._doubtful: Transfer | None = None
        self._unsteady = False

    def judge(self, transfer: Transfer, *, lossy: bool = False) -> tuple[int, bool] | None:
        """Leading records already held and whether the older part changed; None = read again.

        ``lossy``: it came as datagrams, which carry no place of their own. A swapped pair keeps
        every checksum right but cuts records apart, so new records that make no sense must be
        seen twice. Once two reads differed from each other, the older part is never called
        changed any more: then only what fits the held part will do.
        """
        held = self._held(transfer)
        if held and not (lossy and transfer.has_unusable(self._count)):
            return self._count, False
        first, self._doubtful = self._doubtful, transfer
        if first is None:
            return None
        same = first.width == transfer.width and transfer.raw.startswith(first.raw)
        if same and held:
            return self._count, False
        if same and not self._unsteady:
            return 0, True
        self._unsteady = True
        raise BadResponse("unsteady_log", expected=first.records, got=transfer.records)

    def _held(self, transfer: Transfer) -> bool:
        if self._count == 0:
            return True
        if self._count > transfer.records:
            return False
        part = memoryview(transfer.raw)[: self._count * transfer.width]
        return hashlib.sha256(part).hexdigest() == self._digest


def _cursor_facts(cursor: Mapping[str, Any] | None) -> tuple[int, str]:
    """Count and digest; anything else than a cursor of ours means nothing is held."""
    if not cursor:
        return 0, ""
    count, digest = cursor.get("count"), cursor.get("digest")
    if not isinstance(count, int) or not isinstance(digest, str) or count < 0:
        return 0, ""
    return count, digest


def batch_of(transfer: Transfer, known: int, changed: bool, notes: Notes) -> Batch:
    """The result of a pull; decoding happens when the caller asks for records."""
    digest = hashlib.sha256(transfer.raw)
    return Batch(
        serial=transfer.serial,
        reported_before=transfer.before,
        reported_after=transfer.after,
        received=transfer.records,
        known=known,
        prefix_changed=changed,
        cursor={"count": transfer.records, "digest": digest.hexdigest()},
        clock=transfer.clock,
        source_format=transfer.layout,
        width=transfer.width,
        sha256=digest.digest(),
        raw=transfer.raw,
        decode=transfer.decoder(),
        events=transfer.events,
        events_set_aside=notes.events_set_aside,
        attempts=notes.attempts,
        encoding=transfer.encoding,
    )

"""One complete transfer of a terminal's log, as it was read or as it waited on this PC."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from desktop.punches import spool
from desktop.punches.ledger import CHUNK, Part
from desktop.punches.originals import Place
from desktop.punches.reach import Reach
from devices.terminals import model
from devices.terminals.driver import Connection


@dataclass(frozen=True, slots=True)
class Received:
    """What ``keeping`` stores. The first ``known`` of ``received`` records were held before.

    ``parts`` hands out the others as often as asked. ``digest`` gives the cursor between parts;
    None: it moves with the last part only. ``at`` is when the records were received, ``late``
    says that they waited since.
    """

    serial: str
    reported: int
    received: int
    known: int
    prefix_changed: bool
    cursor: dict[str, Any]
    clock: model.ClockReading
    sha256: bytes
    encoding: str
    attempts: int
    at: datetime
    parts: Callable[[], Iterator[Part]]
    digest: Callable[[int], str] | None = None
    late: bool = False

    @property
    def fresh(self) -> int:
        """Records that were not held before."""
        return self.received - self.known


def of_batch(batch: model.Batch, at: datetime) -> Received:
    """A transfer that was just read."""

    def parts() -> Iterator[Part]:
        for records in batch.parts(batch.known, CHUNK):
            yield Part(records.punches, records.unusable)

    return Received(
        serial=batch.serial,
        reported=batch.reported,
        received=batch.received,
        known=batch.known,
        prefix_changed=batch.prefix_changed,
        cursor=dict(batch.cursor),
        clock=batch.clock,
        sha256=batch.sha256,
        encoding=batch.encoding,
        attempts=batch.attempts,
        at=at,
        parts=parts,
        digest=batch.prefix_digest,
    )


def put(place: Place, project_id: int, operator: tuple[str, str], reach: Reach, got: Received) -> None:
    """Let ``got`` wait on this PC; ``operator`` is name and role of who collected it.

    Raises as :func:`desktop.punches.spool.put` does.
    """
    clock = got.clock
    spool.put(
        place, "pull",
        project_id=project_id, terminal_id=reach.terminal_id, terminal=reach.name,
        operator=operator[0], role=operator[1], received_at=got.at,
        parts=got.parts(), records=got.fresh,
        facts={
            "serial": got.serial,
            "reported": got.reported,
            "received": got.received,
            "known": got.known,
            "prefix_changed": got.prefix_changed,
            "sha256": got.sha256.hex(),
            "encoding": got.encoding,
            "attempts": got.attempts,
            "clock": {
                "terminal": None if clock.terminal_time is None else clock.terminal_time.isoformat(),
                "host": clock.host_time.isoformat(),
                "round_trip_ms": clock.round_trip_ms,
                "offset_s": clock.offset_s,
            },
            "epoch": reach.epoch,
            "cursor_before": reach.cursor,
            "cursor": got.cursor,
            "cursor_after": {"driver": got.cursor, "held": got.received, "quarantined": 0},
        },
    )


def of_waiting(place: Place, batch: spool.Waiting) -> tuple[Reach, Received]:
    """A transfer that waited, and the terminal as it was known when it was read."""
    facts = batch.facts
    clock, terminal_time = facts["clock"], facts["clock"]["terminal"]
    reach = Reach(
        batch.terminal_id, batch.terminal, "", Connection(""), facts["cursor_before"],
        facts["epoch"],
    )
    got = Received(
        serial=facts["serial"],
        reported=facts["reported"],
        received=facts["received"],
        known=facts["known"],
        prefix_changed=facts["prefix_changed"],
        cursor=facts["cursor"],
        clock=model.ClockReading(
            None if terminal_time is None else datetime.fromisoformat(terminal_time),
            datetime.fromisoformat(clock["host"]), clock["round_trip_ms"], clock["offset_s"],
        ),
        sha256=bytes.fromhex(facts["sha256"]),
        encoding=facts["encoding"],
        attempts=facts["attempts"],
        at=batch.received_at,
        parts=lambda: spool.parts(place, batch),
        late=True,
    )
    return reach, got

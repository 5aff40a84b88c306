"""The raw records of a pull, kept sealed beside the ledger like a stick's file.

Only what was new in a log is kept: one line of JSON that says how the records are laid out, then
the records back to back. All of them together are the log as the terminal had it, and a damaged
book can be filled from them again. The file is named by the digest of the whole log as it was
received, which is what the log of collections and the segments say.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from desktop.access.actor import Act
from desktop.access.desk import Desk
from desktop.punches import originals
from desktop.punches.ledger import CHUNK, Part
from desktop.punches.reach import Reach
from devices.terminals.model import Batch, SourceFormat
from devices.terminals.zk.records import PunchDecoder

KIND = "sitemuster pull 1"
_MOST_HEADER = 1 << 22


@dataclass(frozen=True, slots=True)
class PullOriginal:
    """A kept part of a terminal's log: ``first`` is the 0-based place of its first record."""

    terminal_id: int
    epoch: int
    first: int
    at: datetime
    operator: str
    decoder: PunchDecoder

    def parts(self) -> Iterator[Part]:
        """The records in log order."""
        count = len(self.decoder.raw) // self.decoder.width
        for start in range(0, count, CHUNK):
            records = self.decoder(start, min(start + CHUNK, count))
            yield Part(records.punches, records.unusable)


def keep(desk: Desk, reach: Reach, batch: Batch, at: datetime) -> None:
    """Keep the records of ``batch`` that were not held before. Raises :class:`EnvironmentFault`.

    Nothing is kept of another unit than the one that is known: the book will refuse it too.
    """
    desk.permit(Act.PUNCHES_COLLECTED)
    other = reach.serial and batch.serial and reach.serial != batch.serial
    if other or batch.known >= batch.received:
        return
    numbers = getattr(batch.decode, "numbers", {})
    header = {
        "kind": KIND,
        "terminal": reach.terminal_id,
        "epoch": reach.epoch + (1 if batch.prefix_changed else 0),
        "first": batch.known,
        "at": at.isoformat(),
        "operator": desk.actor.name,
        "format": int(batch.source_format),
        "width": batch.width,
        "numbers": {str(index): pin for index, pin in numbers.items()},
    }
    head = json.dumps(header, ensure_ascii=False).encode("utf-8") + b"\n"
    raw = memoryview(batch.raw)[batch.known * batch.width :]
    copy = originals.copy(desk.book, io.BytesIO(head + raw), named=batch.sha256)
    copy.keep()


def parse(blocks: Iterable[bytes]) -> PullOriginal | bytes:
    """What a kept file is: a pull, or the content of something else (a stick's file).

    Raises :class:`ValueError` for a pull that cannot be read.
    """
    content = b"".join(blocks)
    if not content.startswith(b'{"kind": "' + KIND.encode("ascii")):
        return content
    head, newline, raw = content.partition(b"\n")
    if not newline or len(head) > _MOST_HEADER:
        raise ValueError("no header")
    try:
        header = json.loads(head)
        numbers = {int(index): str(pin) for index, pin in header["numbers"].items()}
        width, layout = int(header["width"]), SourceFormat(header["format"])
        if width <= 0 or len(raw) % width:
            raise ValueError("width")
        return PullOriginal(
            int(header["terminal"]), int(header["epoch"]), int(header["first"]),
            datetime.fromisoformat(header["at"]), str(header["operator"]),
            PunchDecoder(raw, width, layout, numbers),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError("header") from error

"""A stick's records on their way into the book, at once or after they waited on this PC."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from desktop.access.actor import Act
from desktop.access.desk import Desk
from desktop.errors import Refused
from desktop.jobs import CancelToken, Progress
from desktop.punches import spool
from desktop.punches.keeping import AlreadyStored
from desktop.punches.ledger import Counts, Origin, Part, Source, Stored, store_parts
from desktop.punches.tables import Download, Terminal


@dataclass(frozen=True, slots=True)
class Intake:
    """One file into one terminal's ledger. ``facts`` are plain JSON, see :func:`facts_of`;
    ``at`` is when it was read, ``late`` says that it waited since."""

    desk: Desk
    terminal_id: int
    at: datetime
    facts: dict[str, Any]
    late: bool = False

    @property
    def sha256(self) -> bytes:
        """Of the file, and the name of its sealed copy."""
        return bytes.fromhex(self.facts["sha256"])

    def store(
        self, parts: Iterable[Part], records: int, progress: Progress, cancel: CancelToken | None
    ) -> Counts:
        """Part by part. Raises :class:`AlreadyStored` for a file that waited, and
        :class:`Refused` for one that another terminal has."""
        source = Source(
            Origin.USB, self.at, self.desk.actor.name, self.sha256,
            written_at=self.desk.clock.now() if self.late else None,
        )
        return store_parts(
            self.desk, self.terminal_id, parts, source, self._save,
            begin=self._admit, total=records, progress=progress, cancel=cancel,
        )

    def _admit(self, session: Session, terminal: Terminal) -> None:
        refuse_other_terminal(session, self.desk.project_id, terminal.id, self.sha256)
        if not self.late:
            return
        noted = select(Download.id).where(
            Download.terminal_id == terminal.id, Download.at == self.at,
            Download.origin == Origin.USB.value, Download.sha256 == self.sha256,
        )
        if session.scalar(noted.limit(1)) is not None:
            raise AlreadyStored

    def _save(self, session: Session, terminal: Terminal, stored: Stored) -> None:
        if not stored.last:
            return
        until = self.facts["until"]
        if until is not None:
            moment = datetime.fromtimestamp(until, UTC)
            if terminal.complete_until is None or terminal.complete_until < moment:
                terminal.complete_until = moment
        counts = stored.counts
        waited_s = int((self.desk.clock.now() - self.at).total_seconds())
        late: dict[str, Any] = {"waited_s": waited_s} if self.late else {}
        session.add(self._download(counts, late))
        if counts.new or counts.sighting or counts.conflict:
            self.desk.audit(
                session, Act.PUNCHES_COLLECTED, f"terminal:{terminal.id}", origin="usb",
                new=counts.new, quarantined=counts.quarantined, conflict=counts.conflict,
                file=self.facts["sha256"], **late,
            )

    def _download(self, counts: Counts, late: dict[str, int]) -> Download:
        return Download(
            project_id=self.desk.project_id,
            terminal_id=self.terminal_id,
            at=self.at,
            origin=Origin.USB.value,
            complete=True,
            sha256=self.sha256,
            counts={
                "lines": self.facts["lines"],
                "new": counts.new,
                "duplicate": counts.duplicate,
                "quarantined": counts.quarantined,
                "conflict": counts.conflict,
                "sighting": counts.sighting,
                "rejected": self.facts["rejected"],
                "device_number": self.facts["device_number"],
                "bytes": self.facts["bytes"],
                **late,
            },
            error="",
        )


def facts_of(
    sha256: bytes, size: int, lines: int, rejected: int, device_number: int | None,
    until: datetime | None,
) -> dict[str, Any]:
    """What the log of collections keeps of a file. ``until``: everything before is on it."""
    return {
        "sha256": sha256.hex(),
        "bytes": size,
        "lines": lines,
        "rejected": rejected,
        "device_number": device_number,
        "until": None if until is None else int(until.timestamp()),
    }


def refuse_other_terminal(
    session: Session, project_id: int, terminal_id: int, sha256: bytes
) -> None:
    """Raise :class:`Refused` when the file was imported as another terminal's before."""
    other_id = session.scalar(
        select(Download.terminal_id).where(
            Download.project_id == project_id, Download.origin == Origin.USB.value,
            Download.complete.is_(True), Download.sha256 == sha256, Download.terminal_id != terminal_id,
        ).limit(1)
    )
    if other_id is None:
        return
    other = session.get_one(Terminal, other_id)
    mine = session.get_one(Terminal, terminal_id)
    raise Refused(
        "stick_of_other_terminal",
        f"这个文件已作为「{other.name}」的记录导入过，没有再导入到「{mine.name}」。"
        "请核对文件是哪台考勤机的。",
        terminal=other.name,
    )


def store_waited(theirs: Desk, batch: spool.Waiting, progress: Progress) -> Counts:
    """A file that waited, at the desk of who read it; raises as :meth:`Intake.store` does."""
    intake = Intake(theirs, batch.terminal_id, batch.received_at, batch.facts, late=True)
    return intake.store(spool.parts(theirs.book, batch), batch.records, progress, None)

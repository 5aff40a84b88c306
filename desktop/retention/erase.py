"""The erasure itself, inside the one transaction of a run: tombstones first, then the rows.

Whoever calls has asked the terms, the holds and the two persons. Everything here is undone when the
sweep at the end still finds somebody.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain as joined
from itertools import islice
from typing import Any

from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.orm import Session

from desktop.access.desk import Desk
from desktop.jobs import CancelToken, Progress, silent
from desktop.punches.tables import Download, Terminal, TerminalPerson
from desktop.retention import ledger_rows, people
from desktop.retention.ledger_rows import Redaction
from desktop.retention.scope import Original, Persons, refuse_in_use
from desktop.retention.sweep import sweep
from desktop.storage import tombstones
from desktop.storage.tables import Segment
from desktop.storage.tombstones import Erasure

_BATCH = 20_000
"""Tombstones in one segment: bounds the memory, not the transaction."""


@dataclass(slots=True)
class Erased:
    """What a run erased: ``counts`` by kind, the tombstones' segments, names that may stay."""

    counts: Counter[str] = field(default_factory=Counter)
    segments: list[Segment] = field(default_factory=list)
    names_kept: Counter[str] = field(default_factory=Counter)
    doubtful: int = 0

    def as_json(self) -> dict[str, Any]:
        """Facts of the run's step: counts and chain positions, no personal data."""
        return {
            "counts": dict(self.counts),
            "segments": [
                {"project": one.project_id, "sequence": one.sequence, "hash": one.hash.hex()}
                for one in self.segments
            ],
            "names_kept": dict(self.names_kept), "doubtful": self.doubtful,
        }


@dataclass(frozen=True, slots=True)
class Eraser:
    """Writes the tombstones of one purge and changes the rows they stand for."""

    session: Session
    desk: Desk
    number: int
    erased: Erased = field(default_factory=Erased)

    def redact(
        self, redactions: Iterable[Redaction], progress: Progress, cancel: CancelToken | None
    ) -> None:
        """Erase chained rows, batch by batch."""
        for batch in _batches(redactions):
            if cancel is not None:
                cancel.raise_if_set()
            projects = {one.project_id for one in batch}
            for project in sorted(projects):
                self.bury(project, [one.erasure for one in batch if one.project_id == project])
            self._change(batch)
            self.erased.counts.update(one.table.__tablename__ for one in batch)
            progress(sum(self.erased.counts.values()), 0, "清除个人信息")

    def bury(self, project_id: int, erasures: list[Erasure]) -> None:
        """Tombstones into a project's chain."""
        if erasures:
            self.erased.segments.append(
                tombstones.record(
                    self.session, project_id, self.number, erasures, at=self.desk.clock.now(),
                    operator=self.desk.actor.name,
                )
            )

    def _change(self, batch: list[Redaction]) -> None:
        """Only the named columns are set: the authorizer lets nothing else through."""
        kinds = {(one.table, tuple(one.values)) for one in batch}
        for table, columns in sorted(kinds, key=lambda kind: kind[0].__tablename__):
            rows = [
                {"the_id": one.erasure.row_id, **{f"new_{k}": v for k, v in one.values.items()}}
                for one in batch if one.table is table and tuple(one.values) == columns
            ]
            target = table.__table__
            self.session.connection().execute(
                update(target)  # type: ignore[arg-type]
                .where(target.c.id == bindparam("the_id"))
                .values({name: bindparam(f"new_{name}") for name in columns}),
                rows,
            )


def _batches(redactions: Iterable[Redaction]) -> Iterator[list[Redaction]]:
    rest = iter(redactions)
    while batch := list(islice(rest, _BATCH)):
        yield batch


def erase_persons(
    session: Session,
    desk: Desk,
    number: int,
    scope: Persons,
    *,
    whole: bool,
    progress: Progress = silent,
    cancel: CancelToken | None = None,
) -> Erased:
    """Erase the persons of ``scope`` on all of their projects; ``whole``: the contacts of this
    project too. Raises :class:`Refused` (``terminals_in_use``, ``purge_incomplete``)."""
    sealer, ids = desk.book.sealer, set(scope.numbers)
    projects = sorted(scope.projects | {desk.project_id})
    eraser = Eraser(session, desk, number)
    counts = eraser.erased.counts
    needles = people.needles_for(session, sealer, ids)
    eraser.erased.doubtful = needles.doubtful
    personal = ledger_rows.personal_numbers(session, projects, needles)
    refuse_in_use(session, (terminal_id for terminal_id, _ in personal))
    numbers = people.stand_ins(session, personal)
    own, others = [desk.project_id], [p for p in projects if p != desk.project_id]
    eraser.redact(
        joined(
            ledger_rows.month_rows(session, sealer, ids),
            ledger_rows.freeze_reasons(session, projects, needles),
            ledger_rows.act_reasons(session, projects, needles),
            ledger_rows.boards(session, own, needles, whole=whole),
            ledger_rows.boards(session, others, needles, whole=False),
            ledger_rows.explanations(session, own, needles, whole=whole),
            ledger_rows.explanations(session, others, needles, whole=False),
            ledger_rows.punches(session, projects, needles, numbers),
            ledger_rows.conflicts(session, projects, needles, numbers),
            ledger_rows.quarantined(session, projects, needles, numbers),
        ),
        progress, cancel,
    )
    counts["terminal_person"] += people.erase_at_terminals(
        session, projects, needles, numbers, ids
    )
    counts["text"] += people.erase_texts(session, others, needles, ids, whole=False)
    counts["text"] += people.erase_texts(session, own, needles, ids, whole=whole)
    counts["contact"] += people.erase_contacts(session, others, needles, whole=False)
    counts["contact"] += people.erase_contacts(session, own, needles, whole=whole)
    counts["contract"] += people.erase_contracts(session, ids)
    gone = people.erase_persons(session, sealer, ids)
    counts["person"] += len(gone)
    eraser.bury(desk.project_id, gone)
    progress(0, 0, "核对有无遗漏")
    eraser.erased.names_kept = sweep(session, projects, needles)
    return eraser.erased


def erase_downloads(
    session: Session, desk: Desk, number: int, originals: Collection[Original]
) -> Erased:
    """Tombstones for raw downloads, and what terminals said of people; the files follow after the
    commit, see :mod:`desktop.retention.purge`."""
    eraser = Eraser(session, desk, number)
    eraser.bury(
        desk.project_id,
        [
            Erasure(Download.__tablename__, one.download_id, replacement=one.sha256.hex())
            for one in originals
        ],
    )
    here = select(Terminal.id).where(Terminal.project_id == desk.project_id)
    known = session.scalars(
        select(TerminalPerson.id).where(TerminalPerson.terminal_id.in_(here))
    ).all()
    session.execute(delete(TerminalPerson).where(TerminalPerson.terminal_id.in_(here)))
    eraser.erased.counts.update(download=len(originals), terminal_person=len(known))
    return eraser.erased

"""Purges and their steps as they are stored: two append-only tables, each row a link of the chain.

A proposal is never edited; what follows is a step beside it. It refuses to know whether a step is
allowed: that is :mod:`desktop.retention.purge`.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Text, func, select, type_coerce
from sqlalchemy.orm import Session

from desktop.access.desk import Desk
from desktop.clock import CHINA
from desktop.errors import Refused
from desktop.retention.rules import Hands, RecordClass, may_run_on
from desktop.retention.tables import Purge, PurgeStep
from desktop.storage import chain
from desktop.storage.encode import Layout, absent, document
from desktop.storage.types import Big

KIND = "purge"
"""Kind of the segments written here."""

_PROPOSAL = Layout("PURG", 1, ints=4, texts=4)
_STEP = Layout("PSTP", 1, ints=4, texts=4)


class Step(enum.StrEnum):
    """What may follow a proposal, each at most once."""

    APPROVED = "approved"
    WITHDRAWN = "withdrawn"
    RUN = "run"
    """What was in the database is erased."""
    FINISHED = "finished"
    """Files are gone and freed pages are overwritten."""


@dataclass(frozen=True, slots=True)
class StepView:
    """One step: who, when, and what came of it."""

    by: Hands
    at: datetime
    why: str
    content: dict[str, Any]
    segment_id: int


@dataclass(frozen=True, slots=True)
class PurgeView:
    """A purge with its steps. ``content`` as it was proposed, by internal numbers only."""

    number: int
    record_class: RecordClass
    why: str
    content: dict[str, Any]
    proposed: Hands
    proposed_at: datetime
    steps: dict[Step, StepView]

    @property
    def state(self) -> str:
        """``proposed``, or the value of the last step."""
        last = "proposed"
        for step in Step:
            if step in self.steps:
                last = step.value
        return last

    @property
    def may_run_on(self) -> date | None:
        """First day of the run, None before the approval."""
        approved = self.steps.get(Step.APPROVED)
        if approved is None:
            return None
        return may_run_on(approved.at.astimezone(CHINA).date(), self.content["waiting_days"])

    def as_json(self) -> dict[str, Any]:
        """An entry of ``retention list``."""
        return {
            "purge": self.number, "class": self.record_class.value, "state": self.state,
            "why": self.why, "content": self.content, "proposed_by": self.proposed.name,
            "proposed_at": self.proposed_at, "may_run_on": self.may_run_on,
            "steps": {
                step.value: {"by": done.by.name, "at": done.at, "why": done.why, **done.content}
                for step, done in self.steps.items()
            },
        }


def hands_of(desk: Desk) -> Hands:
    """Whose hands are at the desk."""
    return Hands(desk.actor.name, desk.actor.user_id)


def add_purge(
    session: Session, desk: Desk, record_class: RecordClass, why: str, content: dict[str, Any]
) -> int:
    """Store a proposal; returns its number."""
    last = session.scalar(
        select(func.max(Purge.number)).where(Purge.project_id == desk.project_id)
    )
    row = Purge(
        project_id=desk.project_id, number=(last or 0) + 1, record_class=record_class.value,
        why=why, content=content, proposed_by=desk.actor.name,
        proposed_by_id=desk.actor.user_id, proposed_at=desk.clock.now(),
    )
    row.segment_id = _append(
        session, desk, _proposal_leaf(
            row.project_id, row.number, row.proposed_by_id, int(row.proposed_at.timestamp()),
            row.record_class, why, document(content).decode(), row.proposed_by,
        )
    )
    session.add(row)
    session.flush()
    return row.number


def add_step(
    session: Session, desk: Desk, number: int, step: Step, content: dict[str, Any], *,
    why: str = "",
) -> None:
    """Store a step of a purge; ``content`` are counts and internal numbers."""
    row = PurgeStep(
        project_id=desk.project_id, purge_id=_row(session, desk.project_id, number).id,
        step=step.value, why=why, content=content,
        done_by=desk.actor.name, done_by_id=desk.actor.user_id, done_at=desk.clock.now(),
    )
    row.segment_id = _append(
        session, desk, _step_leaf(
            row.project_id, number, row.done_by_id, int(row.done_at.timestamp()), row.step, why,
            document(content).decode(), row.done_by,
        )
    )
    session.add(row)
    session.flush()


def _append(session: Session, desk: Desk, leaf: bytes) -> int:
    return chain.append(
        session, desk.project_id, KIND, [leaf], {}, at=desk.clock.now(), operator=desk.actor.name
    ).id


# ── reading ─────────────────────────────────────────────────────────────────────────────────────


def purges(session: Session, project_id: int) -> list[PurgeView]:
    """All purges of a project, the latest first."""
    found = session.scalars(
        select(Purge).where(Purge.project_id == project_id).order_by(Purge.id.desc())
    )
    return [_view(session, row) for row in found]


def purge_of(session: Session, project_id: int, number: int) -> PurgeView:
    """One purge; raises :class:`Refused` ``unknown_purge``."""
    return _view(session, _row(session, project_id, number))


def _row(session: Session, project_id: int, number: int) -> Purge:
    row = session.scalars(
        select(Purge).where(Purge.project_id == project_id, Purge.number == number)
    ).first()
    if row is None:
        raise Refused(
            "unknown_purge", f"没有{number}号清除申请，未做任何改动。请用 retention list 核对编号。"
        )
    return row


def _view(session: Session, row: Purge) -> PurgeView:
    steps = {
        Step(step.step): StepView(
            Hands(step.done_by, step.done_by_id), step.done_at, step.why, step.content,
            step.segment_id,
        )
        for step in session.scalars(select(PurgeStep).where(PurgeStep.purge_id == row.id))
    }
    return PurgeView(
        row.number, RecordClass(row.record_class), row.why, row.content,
        Hands(row.proposed_by, row.proposed_by_id), row.proposed_at, steps,
    )


# ── the chain ───────────────────────────────────────────────────────────────────────────────────


def leaves(session: Session, project_id: int) -> Iterator[tuple[int, bytes]]:
    """The :data:`desktop.storage.chain.LeafReader` of kind :data:`KIND`."""
    proposals = select(
        Purge.segment_id, Purge.project_id, Purge.number, Purge.proposed_by_id,
        type_coerce(Purge.proposed_at, Big), Purge.record_class, Purge.why,
        type_coerce(Purge.content, Text), Purge.proposed_by,
    ).where(chain.own_or_orphan(Purge.segment_id, project_id))
    later = select(
        PurgeStep.segment_id, PurgeStep.project_id, func.coalesce(Purge.number, 0),
        PurgeStep.done_by_id, type_coerce(PurgeStep.done_at, Big), PurgeStep.step, PurgeStep.why,
        type_coerce(PurgeStep.content, Text), PurgeStep.done_by,
    ).outerjoin(Purge, Purge.id == PurgeStep.purge_id).where(
        chain.own_or_orphan(PurgeStep.segment_id, project_id)
    )
    found = [(row[0], _proposal_leaf(*row[1:])) for row in session.execute(proposals).all()]
    found += [(row[0], _step_leaf(*row[1:])) for row in session.execute(later).all()]
    yield from sorted(found)


def _proposal_leaf(
    project_id: int, number: int, by_id: int | None, at_s: int, record_class: str, why: str,
    content: str, by: str,
) -> bytes:
    texts = [text.encode() for text in (record_class, why, content, by)]
    return chain.leaf(_PROPOSAL.pack((project_id, number, absent(by_id), at_s), texts))


def _step_leaf(
    project_id: int, number: int, by_id: int | None, at_s: int, step: str, why: str,
    content: str, by: str,
) -> bytes:
    texts = [text.encode() for text in (step, why, content, by)]
    return chain.leaf(_STEP.pack((project_id, number, absent(by_id), at_s), texts))

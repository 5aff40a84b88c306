"""留存冻结: a dispute or an inspection suspends purging, of one person or of the whole project."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from desktop.access.actor import Act
from desktop.access.desk import Desk
from desktop.errors import Refused
from desktop.people.tables import Person, Stay
from desktop.retention.tables import LegalHold


class HoldKind(enum.StrEnum):
    """Why something must be kept."""

    DISPUTE = "dispute"
    INSPECTION = "inspection"
    OTHER = "other"


HOLD_WORDS: Mapping[HoldKind, str] = MappingProxyType({
    HoldKind.DISPUTE: "劳动争议、诉讼",
    HoldKind.INSPECTION: "监督检查、监察立案",
    HoldKind.OTHER: "其他",
})


@dataclass(frozen=True, slots=True)
class HoldView:
    """One hold; ``worker_no`` None is the whole project."""

    id: int
    person_id: int | None
    worker_no: int | None
    kind: HoldKind
    reason: str
    document: str
    placed_by: str
    placed_at: datetime
    lifted_by: str
    lifted_at: datetime | None
    lifted_why: str

    @property
    def scope(self) -> str:
        """In words, without a name."""
        return "全项目" if self.worker_no is None else f"人员编号{self.worker_no}"

    def as_json(self) -> dict[str, Any]:
        """An entry of ``retention hold list``."""
        return {
            "hold": self.id, "worker_no": self.worker_no, "kind": self.kind.value,
            "reason": self.reason, "document": self.document, "placed_by": self.placed_by,
            "placed_at": self.placed_at, "lifted_by": self.lifted_by or None,
            "lifted_at": self.lifted_at, "lifted_why": self.lifted_why,
        }


def add_hold(
    desk: Desk,
    kind: HoldKind,
    reason: str,
    *,
    person_id: int | None = None,
    document: str = "",
) -> int:
    """Suspend purging from now on; returns the hold's number.

    Raises :class:`Refused` ``hold_reason`` or ``unknown_person`` with nothing changed.
    """
    desk.permit(Act.HOLD_ADDED)
    if not reason.strip():
        raise Refused("hold_reason", "加留存冻结须写明事由，未做任何改动。请填写事由。")
    with desk.book.write() as session:
        if person_id is not None and session.scalar(
            select(Stay.id)
            .where(Stay.project_id == desk.project_id, Stay.person_id == person_id)
            .limit(1)
        ) is None:
            raise Refused(
                "unknown_person", "这个人没有在本项目的在场记录，未做任何改动。请核对人员编号。"
            )
        row = LegalHold(
            project_id=desk.project_id, person_id=person_id, kind=kind.value,
            reason=reason.strip(), document=document.strip(), placed_by=desk.actor.name,
            placed_at=desk.clock.now(), lifted_by=None, lifted_at=None, lifted_why="",
        )
        session.add(row)
        session.flush()
        desk.audit(
            session, Act.HOLD_ADDED, f"hold:{row.id}", why=row.reason, kind=kind.value,
            person_id=person_id,
        )
        return row.id


def lift_hold(desk: Desk, hold_id: int, why: str) -> None:
    """End a hold. Raises :class:`Refused` ``unknown_hold``, ``hold_lifted`` or ``hold_reason``."""
    desk.permit(Act.HOLD_LIFTED)
    if not why.strip():
        raise Refused("hold_reason", "解除留存冻结须写明事由，冻结仍然有效。请填写事由。")
    with desk.book.write() as session:
        row = session.get(LegalHold, hold_id)
        if row is None or row.project_id != desk.project_id:
            raise Refused(
                "unknown_hold", f"没有{hold_id}号留存冻结，未做任何改动。请用列表核对编号。"
            )
        if row.lifted_at is not None:
            raise Refused(
                "hold_lifted", f"{hold_id}号留存冻结已由{row.lifted_by}解除，未做任何改动。"
                "如需再次冻结，请重新登记。"
            )
        row.lifted_by, row.lifted_at = desk.actor.name, desk.clock.now()
        row.lifted_why = why.strip()
        desk.audit(
            session, Act.HOLD_LIFTED, f"hold:{hold_id}", why=row.lifted_why,
            person_id=row.person_id,
        )


def holds(session: Session, project_id: int, *, active: bool = False) -> list[HoldView]:
    """All holds of a project, or those in force, the latest first."""
    query = (
        select(LegalHold, Person.worker_no)
        .outerjoin(Person, Person.id == LegalHold.person_id)
        .where(LegalHold.project_id == project_id)
        .order_by(LegalHold.id.desc())
    )
    if active:
        query = query.where(LegalHold.lifted_at.is_(None))
    return [
        HoldView(
            row.id, row.person_id, number, HoldKind(row.kind), row.reason, row.document,
            row.placed_by, row.placed_at, row.lifted_by or "", row.lifted_at, row.lifted_why,
        )
        for row, number in session.execute(query)
    ]


def refuse_held(session: Session, project_id: int, person_ids: set[int] | None) -> None:
    """Raise :class:`Refused` ``held`` if a hold in force touches what is to be purged.

    ``person_ids`` None: something that cannot be told apart by person, so every hold counts.
    """
    touching = [
        hold for hold in holds(session, project_id, active=True)
        if hold.person_id is None or person_ids is None or hold.person_id in person_ids
    ]
    if touching:
        listed = "、".join(
            f"{hold.id}号（{HOLD_WORDS[hold.kind]}，{hold.scope}）" for hold in touching[:6]
        )
        raise Refused(
            "held",
            f"有留存冻结在起作用：{listed}。没有清除任何内容。请待事由了结、解除冻结后再办。",
            holds=[hold.id for hold in touching],
        )

"""Audit acts: append-only, chained like punches (invariant 9)."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from desktop.storage.tables import STRICT, Base
from desktop.storage.types import Json


class AuditAct(Base):
    """Who did what to which subject, when and why. ``facts`` hold internal numbers, no names."""

    __tablename__ = "audit_act"
    __table_args__ = (Index("ix_audit_act_segment_id", "segment_id"), STRICT)

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id"))
    segment_id: Mapped[int] = mapped_column(ForeignKey("segment.id"))
    at: Mapped[datetime]
    actor: Mapped[str]
    act: Mapped[str]
    subject: Mapped[str]
    why: Mapped[str]
    facts: Mapped[Any] = mapped_column(Json)

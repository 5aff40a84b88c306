"""Mapped classes of retention: dates, policy, holds, purges with their steps, removal tasks.

The tombstones themselves belong to the storage room: every station's verification asks for them.
"""

from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from desktop.storage.tables import STRICT, Base
from desktop.storage.types import Day, Json


class RetentionDates(Base):
    """The two days every term is counted from; while one is missing nothing may be purged."""

    __tablename__ = "retention_dates"
    __table_args__ = (STRICT,)

    project_id: Mapped[int] = mapped_column(ForeignKey("project.id"), primary_key=True)
    completed_on: Mapped[date | None] = mapped_column(Day)
    """竣工: day of the completion certificate."""
    completed_document: Mapped[str]
    wages_settled_on: Mapped[date | None] = mapped_column(Day)
    """Day on which all wages of the project were paid."""
    settled_document: Mapped[str]
    set_by: Mapped[str]
    set_at: Mapped[datetime]


class RetentionPolicy(Base):
    """What the site decided for itself, from a day on (invariant 10)."""

    __tablename__ = "retention_policy"
    __table_args__ = (UniqueConstraint("project_id", "effective_from"), STRICT)

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id"))
    effective_from: Mapped[date] = mapped_column(Day)
    waiting_days: Mapped[int]
    """Days between the approval of a purge and its run."""
    snapshots: Mapped[str]
    """``none``, ``abnormal`` or ``all``: which punches may bring a picture along."""
    snapshot_kb: Mapped[int]
    """Size of one picture for the forecast, KiB."""
    assessed_on: Mapped[date | None] = mapped_column(Day)
    """Day of the impact assessment (PI 55)."""
    assessment: Mapped[str]
    """Its name or number; the paper itself lies in the file."""
    set_by: Mapped[str]
    set_at: Mapped[datetime]


class LegalHold(Base):
    """留存冻结: a dispute or an inspection suspends purging, of a person or of the project."""

    __tablename__ = "legal_hold"
    __table_args__ = (STRICT,)

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id"))
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    """None: the whole project."""
    kind: Mapped[str]
    reason: Mapped[str]
    document: Mapped[str]
    placed_by: Mapped[str]
    placed_at: Mapped[datetime]
    lifted_by: Mapped[str | None]
    lifted_at: Mapped[datetime | None]
    lifted_why: Mapped[str]


class Purge(Base):
    """A proposal to purge what has outlived its term. Append-only; what follows are steps."""

    __tablename__ = "purge"
    __table_args__ = (UniqueConstraint("project_id", "number"), STRICT)

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id"))
    segment_id: Mapped[int] = mapped_column(ForeignKey("segment.id"))
    number: Mapped[int]
    record_class: Mapped[str]
    why: Mapped[str]
    content: Mapped[Any] = mapped_column(Json)
    """What would go, by internal numbers, with counts, period, dates and the deciding rule."""
    proposed_by: Mapped[str]
    proposed_by_id: Mapped[int | None]
    proposed_at: Mapped[datetime]


class PurgeStep(Base):
    """``approved``, ``withdrawn``, ``run`` or ``finished``, each at most once. Append-only."""

    __tablename__ = "purge_step"
    __table_args__ = (UniqueConstraint("purge_id", "step"), STRICT)

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id"))
    purge_id: Mapped[int] = mapped_column(ForeignKey("purge.id"))
    segment_id: Mapped[int] = mapped_column(ForeignKey("segment.id"))
    step: Mapped[str]
    why: Mapped[str]
    content: Mapped[Any] = mapped_column(Json)
    done_by: Mapped[str]
    done_by_id: Mapped[int | None]
    done_at: Mapped[datetime]


class BiometricRemoval(Base):
    """Somebody left: his face and fingers have to leave a terminal. Open until confirmed."""

    __tablename__ = "biometric_removal"
    __table_args__ = (UniqueConstraint("stay_id", "terminal_id", "number"), STRICT)

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id"))
    stay_id: Mapped[int] = mapped_column(ForeignKey("stay.id"))
    terminal_id: Mapped[int] = mapped_column(ForeignKey("terminal.id"))
    number: Mapped[str]
    """The number on that terminal; may be an ID number, so lists mask it."""
    due_on: Mapped[date] = mapped_column(Day)
    """The day of the exit."""
    opened_at: Mapped[datetime]
    closed_how: Mapped[str]
    """Empty while open; ``read``, ``hand`` or ``returned`` (the person is on site again)."""
    closed_by: Mapped[str]
    closed_at: Mapped[datetime | None]
    note: Mapped[str]

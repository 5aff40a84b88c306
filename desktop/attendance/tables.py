"""Mapped classes beside the punches: stop-work, leave, explanations, answers, outage notes."""

from datetime import date, datetime

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from desktop.storage.tables import STRICT, Base
from desktop.storage.types import Day, Flag, LocalSeconds


class StopWork(Base):
    """停工: days that are no construction days, for the project or one team."""

    __tablename__ = "stop_work"
    __table_args__ = (STRICT,)

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id"))
    team_id: Mapped[int | None] = mapped_column(ForeignKey("team.id"))
    from_day: Mapped[date] = mapped_column(Day)
    to_day: Mapped[date] = mapped_column(Day)
    reason: Mapped[str]
    document: Mapped[str]
    entered_by: Mapped[str]
    entered_at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]


class Leave(Base):
    """Leave of a person: ``kind`` personal 事假, sick 病假, injury 工伤, business 公出."""

    __tablename__ = "leave"
    __table_args__ = (Index("ix_leave_person_id", "person_id"), STRICT)

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    kind: Mapped[str]
    from_day: Mapped[date] = mapped_column(Day)
    to_day: Mapped[date] = mapped_column(Day)
    reason: Mapped[str]
    document: Mapped[str]
    owner_approved: Mapped[bool] = mapped_column(Flag)
    entered_by: Mapped[str]
    entered_at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]


class Explanation(Base):
    """F20 补卡/更正审批单: a row of its own beside untouched punches (P-2.2.3b).

    Proposal, approval and withdrawal are each committed to the chain by a segment of kind
    ``explanation``; the columns named ``*segment_id`` point at them.
    """

    __tablename__ = "explanation"
    __table_args__ = (UniqueConstraint("project_id", "number"), STRICT)

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id"))
    number: Mapped[int]
    reason_code: Mapped[str]
    text: Mapped[str]
    evidence: Mapped[str]
    value_half_days: Mapped[int]
    """Proposed value in half days: 2 补, 1 补半, 0 ×."""
    proposed_by: Mapped[str]
    proposed_at: Mapped[datetime]
    approved_by: Mapped[str | None]
    approved_at: Mapped[datetime | None]
    withdrawn_by: Mapped[str | None]
    withdrawn_at: Mapped[datetime | None]
    segment_id: Mapped[int] = mapped_column(ForeignKey("segment.id"))
    approval_segment_id: Mapped[int | None] = mapped_column(ForeignKey("segment.id"))
    withdrawal_segment_id: Mapped[int | None] = mapped_column(ForeignKey("segment.id"))


class ExplanationCell(Base):
    """One cell an explanation speaks of."""

    __tablename__ = "explanation_cell"
    __table_args__ = (
        UniqueConstraint("explanation_id", "person_id", "day"),
        Index("ix_explanation_cell_day", "day", "person_id"),
        STRICT,
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    explanation_id: Mapped[int] = mapped_column(ForeignKey("explanation.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    day: Mapped[date] = mapped_column(Day)


class OutageNote(Base):
    """Written note that a terminal recorded nothing (or cannot be read) in a time."""

    __tablename__ = "outage_note"
    __table_args__ = (STRICT,)

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id"))
    terminal_id: Mapped[int] = mapped_column(ForeignKey("terminal.id"))
    from_time: Mapped[datetime] = mapped_column(LocalSeconds)
    to_time: Mapped[datetime] = mapped_column(LocalSeconds)
    reason: Mapped[str]
    document: Mapped[str]
    entered_by: Mapped[str]
    entered_at: Mapped[datetime]


class FindingAnswer(Base):
    """The office's answer to a finding that asks a question (a day without any punch)."""

    __tablename__ = "finding_answer"
    __table_args__ = (UniqueConstraint("project_id", "finding_key"), STRICT)

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id"))
    finding_key: Mapped[str]
    text: Mapped[str]
    answered_by: Mapped[str]
    answered_at: Mapped[datetime]

"""Mapped classes of a frozen month (invariant 7): rows, commitments, printed pages. Append-only."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from desktop.storage.tables import STRICT, Base
from desktop.storage.types import Day, Json


class MonthVersion(Base):
    """One freeze of a month. ``month`` is ``YYYY-MM``."""

    __tablename__ = "month_version"
    __table_args__ = (UniqueConstraint("project_id", "month", "version"), STRICT)

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id"))
    segment_id: Mapped[int] = mapped_column(ForeignKey("segment.id"))
    month: Mapped[str]
    version: Mapped[int]
    rule: Mapped[str]
    rule_version: Mapped[int]
    digest: Mapped[bytes]
    head: Mapped[Any] = mapped_column(Json)
    """Header facts: legend, construction days, project-manager line, titles per sheet."""
    findings: Mapped[Any] = mapped_column(Json)
    accepted_open: Mapped[str]
    """Reason of ``--accept-open``, or empty."""
    frozen_by: Mapped[str]
    frozen_at: Mapped[datetime]


class MonthRow(Base):
    """One printed row: a person in one sheet (team, or managers of a unit).

    ``facts`` carry no name; ``personal_sealed`` holds the printed personal fields and, with
    ``salt``, can be erased later while ``leaf`` keeps the commitment (design §5).
    """

    __tablename__ = "month_row"
    __table_args__ = (UniqueConstraint("month_version_id", "sheet", "position"), STRICT)

    id: Mapped[int] = mapped_column(primary_key=True)
    month_version_id: Mapped[int] = mapped_column(ForeignKey("month_version.id"))
    sheet: Mapped[int]
    """Number of the team, or 900 + n for the managers' sheet of the n-th unit."""
    position: Mapped[int]
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    facts: Mapped[Any] = mapped_column(Json)
    personal_sealed: Mapped[bytes | None]
    salt: Mapped[bytes | None]
    leaf: Mapped[bytes]


class MonthPage(Base):
    """A printed page with its full digest; the page code carries the first 160 bits."""

    __tablename__ = "month_page"
    __table_args__ = (Index("ix_month_page_code", "code"), STRICT)

    id: Mapped[int] = mapped_column(primary_key=True)
    month_version_id: Mapped[int] = mapped_column(ForeignKey("month_version.id"))
    segment_id: Mapped[int] = mapped_column(ForeignKey("segment.id"))
    kind: Mapped[str]
    sheet: Mapped[int]
    page: Mapped[int]
    first: Mapped[int]
    last: Mapped[int]
    paper: Mapped[str]
    code: Mapped[str]
    digest: Mapped[bytes]


class LeaverSlip(Base):
    """The sheet of one leaver, signed before the month ends."""

    __tablename__ = "leaver_slip"
    __table_args__ = (Index("ix_leaver_slip_month", "project_id", "month"), STRICT)

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id"))
    segment_id: Mapped[int] = mapped_column(ForeignKey("segment.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    month: Mapped[str]
    until_day: Mapped[date] = mapped_column(Day)
    digest: Mapped[bytes]
    printed_at: Mapped[datetime]

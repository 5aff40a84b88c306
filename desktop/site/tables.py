"""Mapped classes of the site: what a project is made of before anybody enters it."""

import enum
from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from desktop.storage.tables import STRICT, Base
from desktop.storage.types import Day, Flag, Json


class Shift(enum.StrEnum):
    """A team's shift; it decides the attendance day of unpaired punches."""

    DAY = "day"
    NIGHT = "night"


class Project(Base):
    """One building project. A book may hold several; the first release makes one."""

    __tablename__ = "project"
    __table_args__ = (STRICT,)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    code: Mapped[str] = mapped_column(unique=True)
    address: Mapped[str]
    permit_no: Mapped[str]
    started_on: Mapped[date | None] = mapped_column(Day)
    planned_completion_on: Mapped[date | None] = mapped_column(Day)
    enclosed: Mapped[bool] = mapped_column(Flag)
    pay_day: Mapped[int | None]
    created_at: Mapped[datetime]


class Company(Base):
    """A company, shared by the projects of a book; ``credit_code`` per GB 32100-2015."""

    __tablename__ = "company"
    __table_args__ = (STRICT,)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    credit_code: Mapped[str] = mapped_column(unique=True)


class Participation(Base):
    """A company's part in a project (参建单位): ``kind`` is a code of ``corp_type``."""

    __tablename__ = "participation"
    __table_args__ = (UniqueConstraint("project_id", "company_id"), STRICT)

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id"))
    company_id: Mapped[int] = mapped_column(ForeignKey("company.id"))
    kind: Mapped[str]
    contact: Mapped[str]
    phone: Mapped[str]


class Staff(Base):
    """A contact for forms and the rights board; a manager who punches also stands in the roster."""

    __tablename__ = "staff"
    __table_args__ = (STRICT,)

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id"))
    company_id: Mapped[int | None] = mapped_column(ForeignKey("company.id"))
    post: Mapped[str]
    name: Mapped[str]
    phone: Mapped[str]


class Team(Base):
    """A team (班组). ``number`` 001–999 is fixed for ever: it stands in page identities."""

    __tablename__ = "team"
    __table_args__ = (
        UniqueConstraint("project_id", "number"),
        UniqueConstraint("project_id", "company_id", "name"),
        STRICT,
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id"))
    company_id: Mapped[int] = mapped_column(ForeignKey("company.id"))
    number: Mapped[int]
    name: Mapped[str]
    leader: Mapped[str]


class TeamShift(Base):
    """The shift of a team from a day on, until the next row."""

    __tablename__ = "team_shift"
    __table_args__ = (UniqueConstraint("team_id", "from_day"), STRICT)

    id: Mapped[int] = mapped_column(primary_key=True)
    team_id: Mapped[int] = mapped_column(ForeignKey("team.id"))
    from_day: Mapped[date] = mapped_column(Day)
    shift: Mapped[str]


class RulePack(Base):
    """Thresholds of a project from a day on (invariant 10); ``content`` see ``rules.RulePack``."""

    __tablename__ = "rule_pack"
    __table_args__ = (UniqueConstraint("project_id", "effective_from"), STRICT)

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id"))
    effective_from: Mapped[date] = mapped_column(Day)
    name: Mapped[str]
    version: Mapped[int]
    content: Mapped[Any] = mapped_column(Json)


class Holiday(Base):
    """A day of the State Council's yearly notice, shared in a book."""

    __tablename__ = "holiday"
    __table_args__ = (STRICT,)

    day: Mapped[date] = mapped_column(Day, primary_key=True)
    day_type: Mapped[str]
    name: Mapped[str]
    statutory: Mapped[bool] = mapped_column(Flag)


class FloorWage(Base):
    """当地最低工资标准 from a day on; amounts as printed, in yuan."""

    __tablename__ = "floor_wage"
    __table_args__ = (UniqueConstraint("project_id", "effective_from"), STRICT)

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id"))
    effective_from: Mapped[date] = mapped_column(Day)
    monthly: Mapped[str]
    hourly: Mapped[str]
    document: Mapped[str]

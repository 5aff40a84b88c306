"""Mapped classes of people. Identity, phone and bank card are sealed (AES-GCM) with a blind index.

``*_sealed`` columns hold ``Sealer.seal`` output, ``*_index`` columns the keyed blind index for
exact search; no column holds those values in clear, on either engine.
"""

from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from desktop.storage.tables import STRICT, Base
from desktop.storage.types import Day, Flag, Json


class Person(Base):
    """One human being per (id kind, id number), shared in a book (invariant 4)."""

    __tablename__ = "person"
    __table_args__ = (
        UniqueConstraint("id_kind", "id_index"),
        Index("ix_person_name", "name"),
        Index("ix_person_phone_index", "phone_index"),
        Index("ix_person_bank_card_index", "bank_card_index"),
        # Cover search and every sort by a person's column: the wide rows are never read for it.
        Index("ix_person_roster", "pinyin", "name", "worker_no", "initials"),
        Index("ix_person_traits", "worker_no", "sex", "nation", "birth_day"),
        STRICT,
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    worker_no: Mapped[int] = mapped_column(unique=True)
    name: Mapped[str]
    pinyin: Mapped[str]
    """Sort key, then every reading for search: ``zengwei|cengwei``."""
    initials: Mapped[str]
    """Initials of every reading: ``zw|cw``."""
    sex: Mapped[str]
    """``男``, ``女`` or empty."""
    nation: Mapped[str]
    education: Mapped[str]
    birth_day: Mapped[date | None] = mapped_column(Day)
    id_kind: Mapped[str]
    """Code of ``id_card_type``; 01 = resident identity card."""
    id_sealed: Mapped[bytes]
    id_index: Mapped[bytes]
    address_sealed: Mapped[bytes | None]
    phone_sealed: Mapped[bytes | None]
    phone_index: Mapped[bytes | None]
    bank_name: Mapped[str]
    bank_card_sealed: Mapped[bytes | None]
    bank_card_index: Mapped[bytes | None]
    emergency_contact: Mapped[str]
    emergency_phone_sealed: Mapped[bytes | None]
    updated_at: Mapped[datetime]


class Stay(Base):
    """A person's time on a project (invariant 5): from entry to exit, both days included."""

    __tablename__ = "stay"
    __table_args__ = (
        UniqueConstraint("project_id", "person_id", "from_day"),
        # Covers the roster's filters and sorts; starts with the person, see people.queries.
        Index(
            "ix_stay_roster",
            "person_id", "project_id", "company_id", "state", "is_manager", "trade",
            "from_day", "to_day",
        ),
        STRICT,
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    company_id: Mapped[int] = mapped_column(ForeignKey("company.id"))
    from_day: Mapped[date] = mapped_column(Day)
    to_day: Mapped[date | None] = mapped_column(Day)
    is_manager: Mapped[bool] = mapped_column(Flag)
    trade: Mapped[str]
    """工种 of a worker, post (岗位) of a manager, as written on the roster."""
    state: Mapped[str]
    """``people.rules.PersonState`` that the evidence supports, kept up to date by the services."""
    housing_registered_on: Mapped[date | None] = mapped_column(Day)
    labour_registered_on: Mapped[date | None] = mapped_column(Day)
    trained_on: Mapped[date | None] = mapped_column(Day)
    taken_over_on: Mapped[date | None] = mapped_column(Day)
    """Day of ``--takeover``: earlier dates of this stay are 补录."""


class StayTeam(Base):
    """Membership of a team inside a stay, both days included; managers may have none."""

    __tablename__ = "stay_team"
    __table_args__ = (
        UniqueConstraint("stay_id", "from_day"),
        Index("ix_stay_team_team_id", "team_id"),
        # The last membership ends with the stay: (stay, to_day) finds it without a sort.
        Index("ix_stay_team_roster", "stay_id", "to_day", "team_id"),
        STRICT,
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    stay_id: Mapped[int] = mapped_column(ForeignKey("stay.id"))
    team_id: Mapped[int] = mapped_column(ForeignKey("team.id"))
    from_day: Mapped[date] = mapped_column(Day)
    to_day: Mapped[date | None] = mapped_column(Day)


class Contract(Base):
    """Labour contract or written agreement of a stay (P-2.1.2)."""

    __tablename__ = "contract"
    __table_args__ = (Index("ix_contract_stay_id", "stay_id"), STRICT)

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id"))
    stay_id: Mapped[int] = mapped_column(ForeignKey("stay.id"))
    kind: Mapped[str]
    number: Mapped[str]
    from_day: Mapped[date | None] = mapped_column(Day)
    to_day: Mapped[date | None] = mapped_column(Day)


class RosterImport(Base):
    """One imported spreadsheet: digest and counts, so that the trace survives the file."""

    __tablename__ = "roster_import"
    __table_args__ = (STRICT,)

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id"))
    at: Mapped[datetime]
    sha256: Mapped[bytes]
    counts: Mapped[Any] = mapped_column(Json)
    taken_over_on: Mapped[date | None] = mapped_column(Day)

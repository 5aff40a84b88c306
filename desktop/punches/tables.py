"""Mapped classes of terminals and of the append-only punch ledger (invariant 1)."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from desktop.storage.tables import STRICT, Base
from desktop.storage.types import Big, Day, Flag, Json, LocalSeconds


class Terminal(Base):
    """A terminal (考勤机). ``id`` is permanent; ``serial`` is bound at first contact."""

    __tablename__ = "terminal"
    __table_args__ = (UniqueConstraint("project_id", "name"), STRICT)

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id"))
    name: Mapped[str]
    driver: Mapped[str]
    address: Mapped[str]
    """``host:port``; empty for a terminal that is only read by stick."""
    transport: Mapped[str]
    """``tcp`` or ``udp``."""
    direction: Mapped[str]
    """``in``, ``out`` or ``both``."""
    serial: Mapped[str]
    password_sealed: Mapped[bytes | None]
    encoding: Mapped[str]
    """``utf-8`` or ``gbk`` once decided over all names; empty before."""
    biometric_only_from: Mapped[date | None] = mapped_column(Day)
    """From here on unknown methods count: the terminal is declared 仅生物识别."""
    biometric_only_evidence: Mapped[str]
    in_use_from: Mapped[date | None] = mapped_column(Day)
    retired_on: Mapped[date | None] = mapped_column(Day)
    epoch: Mapped[int]
    cursor: Mapped[Any] = mapped_column(Json)
    """``driver``: the driver's own, for ZK count and digest of the prefix already held; ``held``:
    records of the log that are stored, ``quarantined`` of them in quarantine. Empty before."""
    complete_until: Mapped[datetime | None]
    """Everything this terminal recorded before this instant (UTC) is held."""
    last_contact_at: Mapped[datetime | None]


class TerminalPerson(Base):
    """A number found on a terminal at the last reading of its people; not a claim of identity."""

    __tablename__ = "terminal_person"
    __table_args__ = (UniqueConstraint("terminal_id", "number"), STRICT)

    id: Mapped[int] = mapped_column(primary_key=True)
    terminal_id: Mapped[int] = mapped_column(ForeignKey("terminal.id"))
    number: Mapped[str]
    name: Mapped[str]
    card: Mapped[int] = mapped_column(Big)
    read_at: Mapped[datetime]


class Alias(Base):
    """对号: a terminal's own number belongs to a person from a day to a day, both included."""

    __tablename__ = "alias"
    __table_args__ = (Index("ix_alias_terminal_id", "terminal_id", "number"), STRICT)

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id"))
    terminal_id: Mapped[int] = mapped_column(ForeignKey("terminal.id"))
    number: Mapped[str]
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    from_day: Mapped[date | None] = mapped_column(Day)
    to_day: Mapped[date | None] = mapped_column(Day)
    basis: Mapped[str]
    """``worker_no``, ``id_number``, ``name`` or ``hand``."""
    confirmed_by: Mapped[str]
    confirmed_at: Mapped[datetime]


class ClockReading(Base):
    """Terminal time against our time; evidence for drift, never used to edit a punch."""

    __tablename__ = "clock_reading"
    __table_args__ = (Index("ix_clock_reading_terminal_id", "terminal_id", "at"), STRICT)

    id: Mapped[int] = mapped_column(primary_key=True)
    terminal_id: Mapped[int] = mapped_column(ForeignKey("terminal.id"))
    at: Mapped[datetime]
    terminal_time: Mapped[datetime] = mapped_column(LocalSeconds)
    offset_s: Mapped[int]
    round_trip_ms: Mapped[int]


class Download(Base):
    """One collection: a pull or a stick file, with the digest of what was received."""

    __tablename__ = "download"
    __table_args__ = (Index("ix_download_terminal_id", "terminal_id", "at"), STRICT)

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id"))
    terminal_id: Mapped[int] = mapped_column(ForeignKey("terminal.id"))
    at: Mapped[datetime]
    origin: Mapped[str]
    complete: Mapped[bool] = mapped_column(Flag)
    sha256: Mapped[bytes | None]
    counts: Mapped[Any] = mapped_column(Json)
    """``reported, received, new, duplicate, quarantined, conflict``."""
    error: Mapped[str]
    """Error code, or empty."""


class Punch(Base):
    """One punch as the terminal said it. Append-only: triggers refuse UPDATE and DELETE.

    ``method_raw`` / ``state_raw`` −1 = not stated. ``method_class`` 0 unproven, 1 biometric,
    2 not biometric. ``t_local`` and ``day`` in terminal time (see ``storage.types``).
    ``origin`` of the first sighting is that of the segment; later ones are ``PunchSighting``.
    The two unique indexes are partial on PostgreSQL too: the baseline
    migration says so; to say it here would load that dialect at every start.
    """

    __tablename__ = "punch"
    __table_args__ = (
        Index(
            "uq_punch_seq", "terminal_id", "epoch", "seq", unique=True,
            sqlite_where=text("seq IS NOT NULL"),
        ),
        Index(
            "uq_punch_key", "terminal_id", "t_local", "number", "method_raw", "state_raw",
            unique=True,
            sqlite_where=text("seq IS NULL"),
        ),
        Index(
            "ix_punch_day", "day", "terminal_id", "number", "t_local", "method_class", "accepted",
        ),
        STRICT,
    )

    id: Mapped[int] = mapped_column(Big, primary_key=True)
    segment_id: Mapped[int] = mapped_column(ForeignKey("segment.id"))
    terminal_id: Mapped[int] = mapped_column(ForeignKey("terminal.id"))
    epoch: Mapped[int]
    seq: Mapped[int | None] = mapped_column(Big)
    number: Mapped[str]
    t_local: Mapped[int] = mapped_column(Big)
    day: Mapped[int]
    method_raw: Mapped[int]
    state_raw: Mapped[int]
    method_class: Mapped[int]
    accepted: Mapped[int]
    source_format: Mapped[int]
    received_at: Mapped[int] = mapped_column(Big)
    raw: Mapped[bytes]


class PunchSighting(Base):
    """The same punch seen again by another way (``origin``: pull, live, push, usb). Append-only."""

    __tablename__ = "punch_sighting"
    __table_args__ = (UniqueConstraint("punch_id", "origin"), STRICT)

    id: Mapped[int] = mapped_column(Big, primary_key=True)
    punch_id: Mapped[int] = mapped_column(ForeignKey("punch.id"))
    segment_id: Mapped[int] = mapped_column(ForeignKey("segment.id"))
    origin: Mapped[str]


class PunchConflict(Base):
    """Equal key and source format, other raw bytes: kept beside the punch. Append-only."""

    __tablename__ = "punch_conflict"
    __table_args__ = (UniqueConstraint("punch_id", "raw"), STRICT)

    id: Mapped[int] = mapped_column(Big, primary_key=True)
    punch_id: Mapped[int] = mapped_column(ForeignKey("punch.id"))
    segment_id: Mapped[int] = mapped_column(ForeignKey("segment.id"))
    source_format: Mapped[int]
    raw: Mapped[bytes]


class PunchQuarantine(Base):
    """A record that cannot be a punch: kept raw with its reason, never counted. Append-only."""

    __tablename__ = "punch_quarantine"
    __table_args__ = (UniqueConstraint("terminal_id", "source_format", "raw"), STRICT)

    id: Mapped[int] = mapped_column(Big, primary_key=True)
    segment_id: Mapped[int] = mapped_column(ForeignKey("segment.id"))
    terminal_id: Mapped[int] = mapped_column(ForeignKey("terminal.id"))
    source_format: Mapped[int]
    reason: Mapped[str]
    """``impossible_date``, ``before_2015``, ``future`` or ``undecodable``."""
    number: Mapped[str]
    time_text: Mapped[str]
    received_at: Mapped[int] = mapped_column(Big)
    raw: Mapped[bytes]


class CollectionLease(Base):
    """Which PC collects a terminal, by the server's time. One row per terminal, kept when over.

    ``released_at`` None and ``expires_at`` past: the PC was cut off while it collected.
    """

    __tablename__ = "collection_lease"
    __table_args__ = (STRICT,)

    terminal_id: Mapped[int] = mapped_column(ForeignKey("terminal.id"), primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id"))
    workstation_id: Mapped[int] = mapped_column(ForeignKey("workstation.id"))
    taken_at: Mapped[datetime]
    renewed_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    released_at: Mapped[datetime | None]

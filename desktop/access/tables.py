"""Users and their log-ins; audit acts, append-only and chained like punches (invariant 9)."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from desktop.storage.tables import STRICT, Base
from desktop.storage.types import Big, Flag, Json


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


class AppUser(Base):
    """Who may log in. A book without any row has its first administrator all the same.

    ``password_hash`` is None only while the book has one user. Rows are never removed: the audit
    trail speaks of them. Role, activity and password are compared with the trail by
    :mod:`desktop.access.user_check`.
    """

    __tablename__ = "app_user"
    __table_args__ = (STRICT,)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    role: Mapped[str]
    password_hash: Mapped[str | None]
    os_account: Mapped[str | None] = mapped_column(unique=True)
    active: Mapped[bool] = mapped_column(Flag)


class LoginGuard(Base):
    """Failed log-ins of one user (0: of all names nobody has), and what is left of the wait.

    ``wait_s`` was left when it was ``seen_at`` by the clock and ``uptime_s`` after the start
    ``boot`` of the computer, see :mod:`desktop.access.login`.
    """

    __tablename__ = "login_guard"
    __table_args__ = (STRICT,)

    user_id: Mapped[int] = mapped_column(primary_key=True)
    failures: Mapped[int]
    wait_s: Mapped[int]
    seen_at: Mapped[datetime]
    boot: Mapped[str]
    uptime_s: Mapped[int] = mapped_column(Big)

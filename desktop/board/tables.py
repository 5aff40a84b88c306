"""Mapped classes of the rights board: content that no other table holds, and exported versions."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from desktop.storage.tables import STRICT, Base
from desktop.storage.types import Flag, Json


class BoardItem(Base):
    """One item of the board that is typed by the user, by key of project.toml ``[board]``."""

    __tablename__ = "board_item"
    __table_args__ = (UniqueConstraint("project_id", "key"), STRICT)

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id"))
    key: Mapped[str]
    value: Mapped[str]


class BoardVersion(Base):
    """One export of the board: what it said, and the digest of that. Append-only."""

    __tablename__ = "board_version"
    __table_args__ = (UniqueConstraint("project_id", "version"), STRICT)

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id"))
    segment_id: Mapped[int] = mapped_column(ForeignKey("segment.id"))
    version: Mapped[int]
    draft: Mapped[bool] = mapped_column(Flag)
    content: Mapped[Any] = mapped_column(Json)
    digest: Mapped[bytes]
    exported_by: Mapped[str]
    exported_at: Mapped[datetime]

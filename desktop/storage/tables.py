"""The mapped base of all stations, and the tables that belong to the book itself."""

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import ForeignKey, LargeBinary, MetaData, Text, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from desktop.storage.types import Json, UtcSeconds

STRICT: dict[str, Any] = {"sqlite_strict": True}
"""Last item of every ``__table_args__``: SQLite then keeps the declared types."""


class Base(DeclarativeBase):
    """All mapped classes; constraint names are fixed so that migrations can name them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar = {str: Text(), bytes: LargeBinary(), datetime: UtcSeconds()}


class BookInfo(Base):
    """Facts of the book: ``book_id``, ``demo``, …; one row per name."""

    __tablename__ = "book_info"
    __table_args__ = (STRICT,)

    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str]


class Segment(Base):
    """One link of a project's chain (design §5). Rows are never changed nor removed.

    ``header`` is the canonical document whose hash, with ``previous_hash``, gives ``hash``.
    """

    __tablename__ = "segment"
    __table_args__ = (
        UniqueConstraint("project_id", "sequence"),
        UniqueConstraint("project_id", "previous_hash"),
        STRICT,
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id"))
    sequence: Mapped[int]
    kind: Mapped[str]
    count: Mapped[int]
    root: Mapped[bytes]
    header: Mapped[Any] = mapped_column(Json)
    at: Mapped[datetime]
    operator: Mapped[str]
    previous_hash: Mapped[bytes]
    hash: Mapped[bytes]

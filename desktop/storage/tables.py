"""The mapped base of all stations, and the tables that belong to the book itself."""

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import ForeignKey, Index, LargeBinary, MetaData, Text, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from desktop.storage.types import Big, Json, UtcSeconds

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


class EditStamp(Base):
    """Who changed one field of something last; what an editor on another PC is told.

    ``subject`` as in the audit trail (``terminal:3``); ``field`` empty for a thing as a whole.
    ``version`` counts the changes of the subject: of two fields the later one stands higher.
    Holds no value: the sentence takes it from the row itself.
    """

    __tablename__ = "edit_stamp"
    __table_args__ = (UniqueConstraint("project_id", "subject", "field"), STRICT)

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id"))
    subject: Mapped[str]
    field: Mapped[str]
    version: Mapped[int]
    editor: Mapped[str]
    role: Mapped[str]
    at: Mapped[datetime]


class ChangeCount(Base):
    """How often an area of the book was changed: what PCs that share it compare."""

    __tablename__ = "change_count"
    __table_args__ = (STRICT,)

    area: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(Big)


class Workstation(Base):
    """A PC that opened the book from a server; ``mark`` is random and never used again."""

    __tablename__ = "workstation"
    __table_args__ = (STRICT,)

    id: Mapped[int] = mapped_column(primary_key=True)
    mark: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    first_seen_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]


class Tombstone(Base):
    """What stands for something erased after its term (regulation §6). Append-only.

    ``subject`` and ``row_id`` name the row, also when the row itself is gone. Of a chained record
    ``kept`` is what its verification needs: of a month row the commitment over its printed fields,
    of every other record the leaf it had; ``rest`` is the leaf it has since, so that what is left
    of it cannot be changed either. Both are empty for what was never chained. ``replacement`` is
    the text that took the erased one's place.
    """

    __tablename__ = "tombstone"
    __table_args__ = (
        UniqueConstraint("subject", "row_id"),
        Index("ix_tombstone_segment_id", "segment_id"),
        STRICT,
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id"))
    segment_id: Mapped[int] = mapped_column(ForeignKey("segment.id"))
    purge_number: Mapped[int]
    subject: Mapped[str]
    row_id: Mapped[int] = mapped_column(Big)
    kept: Mapped[bytes]
    rest: Mapped[bytes]
    replacement: Mapped[str]

"""Short names for what a migration step writes often; frozen like the steps that use them."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TEXT

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
"""64 bits on both engines."""

WORDS = sa.Text().with_variant(TEXT(collation="C"), "postgresql")
"""Text that sorts and compares by its bytes, whatever language the server was set up in."""


def table(name: str, *parts: Any) -> None:
    """A STRICT table; SQLite then keeps the declared types."""
    op.create_table(name, *parts, sqlite_strict=True)


def index(
    name: str, table_name: str, columns: list[str], *, unique: bool = False, where: str = ""
) -> None:
    """An index, partial where ``where`` is given."""
    condition = sa.text(where) if where else None
    options: dict[str, Any] = {"sqlite_where": condition, "postgresql_where": condition}
    op.create_index(name, table_name, columns, unique=unique, **options)


def whole(name: str, *, key: bool = False, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Integer(), primary_key=key, nullable=null)


def big(name: str, *, key: bool = False, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, BIG, primary_key=key, nullable=null)


def text(name: str, *, key: bool = False, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, WORDS, primary_key=key, nullable=null)


def blob(name: str, *, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.LargeBinary(), nullable=null)


def ref(name: str, target: str, *, kind: Any = sa.Integer, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, kind, sa.ForeignKey(target), nullable=null)

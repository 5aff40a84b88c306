"""Persons of the book whom this computer's login on a server does not see.

Persons are shared within a book (invariant 4), but on a server a login sees those of its own
projects. Whoever brings an ID number shows that the person stands before him: then the row becomes
visible. Numbers must be free in the whole book. In a file nobody is hidden, and all of this costs
nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from itertools import islice

from sqlalchemy import text
from sqlalchemy.orm import Session

from desktop.storage.rows import on_server

NOBODY_SEEN = 0
"""Stands for the id of somebody who is not to be seen."""

_AT_ONCE = 5_000


def bring_in(session: Session, identities: Collection[tuple[str, bytes]]) -> None:
    """Make the persons with these ``(id kind, blind index)`` visible to this login.

    Only in a writing session: a trial run sees what is seen anyway.
    """
    lane = session.connection()
    if not on_server(lane) or lane.connection.driver_connection.read_only:  # type: ignore[union-attr]
        return
    rest = iter(identities)
    while chunk := list(islice(rest, _AT_ONCE)):
        lane.exec_driver_sql(
            "SELECT claim_person(kind, known)"
            " FROM unnest(%s::text[], %s::bytea[]) AS shown (kind, known)",
            ([kind for kind, _ in chunk], [index for _, index in chunk]),
        )


def taken_numbers(session: Session, numbers: Iterable[int]) -> set[int]:
    """Which of the 人员编号 belong to anybody of the book; on a file the empty set, as nobody is
    hidden there."""
    lane, wanted = session.connection(), list(numbers)
    if not wanted or not on_server(lane):
        return set()
    found = lane.exec_driver_sql("SELECT taken_worker_numbers(%s::bigint[])", (wanted,))
    return set(found.scalars())


def last_number(session: Session, below: int) -> int:
    """The highest 人员编号 of the hidden and the seen, at most ``below``; 0 on a file."""
    lane = session.connection()
    if not on_server(lane):
        return 0
    statement = text("SELECT last_worker_number(:below)")
    return int(lane.execute(statement, {"below": below}).scalar() or 0)

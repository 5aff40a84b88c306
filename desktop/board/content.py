"""Gathers what the board says on a day from the site's tables and the board's own items."""

from __future__ import annotations

import hashlib
from datetime import date

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from desktop.access.actor import View
from desktop.access.desk import Desk
from desktop.board.rules import (
    BoardContent,
    BoardPerson,
    BoardUnit,
    BoardWage,
    Missing,
    missing_items,
)
from desktop.board.tables import BoardItem
from desktop.site import queries as site
from desktop.site.tables import FloorWage
from desktop.storage.encode import document

__all__ = ["BoardContent", "Missing", "board_content", "content_digest", "missing_items", "today"]


def board_content(session: Session, project_id: int, day: date) -> BoardContent:
    """The content on ``day``: the floor wage then in force, everything else as it now stands.

    ``.missing`` of the result lists the blocking items that are not there.
    """
    project = site.project_view(session, project_id)
    companies = site.companies(session, project_id)
    kinds = {company.id: company.kind for company in companies}
    wage = site.floor_wage(session, project_id, day)
    return BoardContent(
        project_name=project.name,
        project_address=project.address,
        permit_no=project.permit_no,
        started_on=project.started_on,
        pay_day=project.pay_day,
        units=tuple(
            BoardUnit(c.kind, c.kind_name, c.name, c.contact, c.phone) for c in companies
        ),
        persons=tuple(
            BoardPerson(
                s.post, s.name, s.phone, s.company,
                "" if s.company_id is None else kinds.get(s.company_id, ""),
            )
            for s in site.staff(session, project_id)
        ),
        wage=None
        if wage is None
        else BoardWage(wage.monthly, wage.hourly, wage.document, wage.effective_from),
        items=_items(session, project_id),
        coming_wage=None if wage is not None else _coming_wage(session, project_id, day),
    )


def today(desk: Desk) -> BoardContent:
    """The board as it would be exported now."""
    with desk.look(View.BOARD) as session:
        return board_content(session, desk.project_id, desk.clock.today())


def content_digest(content: BoardContent) -> bytes:
    """SHA-256 of what the board says; the same words give the same digest in every book."""
    return hashlib.sha256(b"board 1\0" + document(content.as_json())).digest()


def _coming_wage(session: Session, project_id: int, day: date) -> date | None:
    return session.scalar(
        select(func.min(FloorWage.effective_from)).where(
            FloorWage.project_id == project_id, FloorWage.effective_from > day
        )
    )


def _items(session: Session, project_id: int) -> tuple[tuple[str, str], ...]:
    found = session.execute(
        select(BoardItem.key, BoardItem.value)
        .where(BoardItem.project_id == project_id, BoardItem.value != "")
        .order_by(BoardItem.key)
    )
    return tuple((key, value) for key, value in found)

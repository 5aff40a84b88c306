"""What the board page shows, read in one go."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

from sqlalchemy.orm import Session

from desktop.access import editing
from desktop.board import edit, site_facts
from desktop.board.content import BoardContent, board_content
from desktop.board.poster import board_input, drawn
from desktop.board.queries import BoardStatus, VersionRow, board_status, next_version, versions
from desktop.board.rules import tidy
from desktop.site.queries import CompanyView, FloorWageView, StaffView, companies, floor_wage, staff
from reports.paper import Document

ITEMS, SITE = edit.SUBJECT, site_facts.PROJECT
"""Subjects of the versions of the typed items, and of pay day and floor wage."""


@dataclass(frozen=True, slots=True)
class BoardState:
    """Content as stored, where it stands, and the site's facts behind it."""

    content: BoardContent
    status: BoardStatus
    versions: list[VersionRow]
    companies: list[CompanyView]
    staff: list[StaffView]
    wage: FloorWageView | None
    version: int
    day: date
    seen: Mapping[str, int]
    """Versions of what is edited here, by subject (``access.editing``): who saves, saves over
    these."""


def read_board(session: Session, project_id: int, day: date) -> BoardState:
    """Everything as it is on ``day``."""
    seen = {subject: editing.version(session, project_id, subject) for subject in (ITEMS, SITE)}
    for kind in ("staff", "company"):
        for number, version in editing.versions(session, project_id, kind).items():
            seen[f"{kind}:{number}"] = version
    return BoardState(
        board_content(session, project_id, day),
        board_status(session, project_id, day),
        versions(session, project_id),
        companies(session, project_id),
        staff(session, project_id),
        floor_wage(session, project_id, day),
        next_version(session, project_id),
        day,
        seen,
    )


def preview(state: BoardState, typed: Mapping[str, str], size: str) -> Document:
    """The poster with what is being typed, saved or not; a draft while something is missing."""
    items = dict(state.content.items)
    for key, text in typed.items():
        items[key] = _tidied(key, text)
    content = replace(
        state.content, items=tuple(sorted((k, v) for k, v in items.items() if v))
    )
    made = board_input(
        content, made_on=state.day, updated_on=state.day, version=state.version,
        draft=bool(content.missing),
    )
    return drawn(made, size)


def _tidied(key: str, text: str) -> str:
    try:
        return tidy(key, text)
    except ValueError:
        return text

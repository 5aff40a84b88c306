"""Stays as time goes by: entries and exits that were planned become true without anybody's act."""

from __future__ import annotations

from datetime import date
from typing import Any, cast

from sqlalchemy import CursorResult, update
from sqlalchemy.orm import Session

from desktop.people.rules import PersonState
from desktop.people.tables import Stay

_BEFORE_ENTRY = (
    PersonState.CANDIDATE, PersonState.CONTRACTED, PersonState.REGISTERED, PersonState.ENROLLED,
)


def refresh_states(session: Session, project_id: int, today: date) -> int:
    """Bring the stored states up to ``today``; returns how many changed."""
    entered = (
        update(Stay)
        .where(
            Stay.project_id == project_id, Stay.from_day <= today,
            Stay.state.in_([state.value for state in _BEFORE_ENTRY]),
        )
        .values(state=PersonState.ON_SITE.value)
    )
    left = (
        update(Stay)
        .where(
            Stay.project_id == project_id, Stay.to_day <= today,
            Stay.state == PersonState.ON_SITE.value,
        )
        .values(state=PersonState.EXITED.value)
    )
    return sum(
        cast(CursorResult[Any], session.execute(change)).rowcount for change in (entered, left)
    )

"""Actors and permissions. The first book has one administrator; roles arrive with custody."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from desktop.errors import NotPermitted


class Role(enum.StrEnum):
    """Who somebody is in the program."""

    ADMINISTRATOR = "administrator"
    LABOUR_OFFICER = "labour_officer"
    PROJECT_MANAGER = "project_manager"
    INSPECTOR = "inspector"


class Act(enum.StrEnum):
    """What can be done; the audit trail uses the same words."""

    BOOK_CREATED = "book.created"
    PROJECT_CHANGED = "project.changed"
    CALENDAR_CHANGED = "calendar.changed"
    ROSTER_IMPORTED = "roster.imported"
    ROSTER_EXPORTED = "roster.exported"
    PERSONAL_DATA_SHOWN = "personal_data.shown"
    TERMINAL_CHANGED = "terminal.changed"
    NUMBERS_MATCHED = "numbers.matched"
    PUNCHES_COLLECTED = "punches.collected"
    EXPLANATION_ADDED = "explanation.added"
    EXPLANATION_APPROVED = "explanation.approved"
    EXPLANATION_WITHDRAWN = "explanation.withdrawn"
    FINDING_ANSWERED = "finding.answered"
    MONTH_FROZEN = "month.frozen"
    MONTH_EXPORTED = "month.exported"
    BOARD_CHANGED = "board.changed"
    BOARD_EXPORTED = "board.exported"
    LEDGER_VERIFIED = "ledger.verified"


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody who acts: shown name and role."""

    name: str
    role: Role


_READ_ONLY = frozenset({Act.LEDGER_VERIFIED})


def permit(actor: Actor, act: Act) -> None:
    """Return if ``actor`` may do ``act``; raise :class:`NotPermitted` otherwise."""
    if actor.role is Role.INSPECTOR and act not in _READ_ONLY:
        raise NotPermitted(
            "not_permitted", f"{actor.name}只有查看权限，此操作未执行。请由劳资专管员办理。", act=act.value
        )

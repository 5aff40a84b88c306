"""What a finding is: something the office must look at, with the next step in words."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date
from typing import Any


@dataclass(frozen=True, slots=True)
class Finding:
    """One matter of a month. ``key`` is stable: the same matter has the same key tomorrow.

    ``blocking`` keeps the month from being frozen. ``answer`` is the office's answer to a
    question; an answered question blocks no longer. ``text`` may name a person.
    """

    code: str
    key: str
    blocking: bool
    text: str
    next_step: str
    person_id: int | None = None
    terminal_id: int | None = None
    team_id: int | None = None
    day: date | None = None
    answer: str = ""

    def as_json(self) -> dict[str, Any]:
        """For ``--json``."""
        return asdict(self)


def spoken(day: date) -> str:
    """``11月3日``."""
    return f"{day.month}月{day.day}日"

"""施工日 and the project manager's 80 % (P-2.3.2d; DB 2011). Pure.

Construction days are the days of the month inside the project minus its stop-work days; a statutory
holiday on which nobody ordered a stop is a construction day. The manager's *punched* days are
counted; explained days and leave approved by the owner stand beside the sentence, they explain a
missed day and do not cancel it (regulation §8).
"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass


def construction_days(
    first: int, last: int, *, started: int | None, ended: int | None, stopped: Set[int]
) -> list[int]:
    """Construction days from ``first`` to ``last``; ``started``/``ended`` bound the project."""
    begin = first if started is None else max(first, started)
    end = last if ended is None else min(last, ended)
    return [day for day in range(begin, end + 1) if day not in stopped]


@dataclass(frozen=True, slots=True)
class Presence:
    """The project manager's month; days in half days, ``required`` in percent."""

    construction_days: int
    punched: int
    explained: int
    leave_days: int
    required: int

    @property
    def tenths_of_percent(self) -> int | None:
        """Punched part of the construction days, rounded down; None without construction days."""
        if not self.construction_days:
            return None
        return self.punched * 500 // self.construction_days

    @property
    def reached(self) -> bool:
        """Is the required part reached? A month without construction days asks nothing."""
        return self.punched * 50 >= self.required * self.construction_days

    @property
    def sentence(self) -> str:
        """「本月施工日25天，带班21.5天，占86%（要求不少于80%）」."""
        tenths = self.tenths_of_percent
        part = "—" if tenths is None else f"{tenths / 10:g}%"
        return (
            f"本月施工日{self.construction_days}天，带班{self.punched / 2:g}天，占{part}"
            f"（要求不少于{self.required}%）"
        )

    @property
    def beside(self) -> str:
        """Explained days and approved leave in words, empty without any."""
        parts = []
        if self.explained:
            parts.append(f"核实说明{self.explained / 2:g}天")
        if self.leave_days:
            parts.append(f"经建设单位批准请假{self.leave_days}天")
        return f"另有{'、'.join(parts)}，不计入带班天数" if parts else ""

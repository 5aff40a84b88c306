"""连班: a day and a night turn worked in one stretch. Pure; a warning, never a value.

No clause gives a number for it. Own wording of the warning: a person was on site longer than any
turn lasts (the rule's 16 h), or a day turn and a night turn, each long enough to be a day of its
own, follow each other with less than eight hours between them. A meal outside the gate does not
end a turn, and an evening of overtime that ends before midnight is no night turn.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from desktop.attendance.rules import DAY_S, Walk, pairs_of, starts_at_night, time_of
from desktop.site.rules import HOUR_S, RulePack

MEAL_S = 2 * HOUR_S
"""An absence up to this long belongs to the turn."""

REST_S = 8 * HOUR_S
"""Less than this between two turns is one stretch."""


class Turn(NamedTuple):
    """An unbroken time on site, ``came`` to ``left`` in local seconds."""

    came: int
    left: int


class Stretch(NamedTuple):
    """A day and a night turn in one stretch; ``day`` is the attendance day it began on."""

    day: int
    came: int
    left: int


def double_turns(made: Walk, rule: RulePack) -> list[Stretch]:
    """Every stretch of one person that is a 连班, in time order."""
    found = []
    before: tuple[int, Turn] | None = None
    for day, turn in _turns(made):
        if turn.left - turn.came > rule.open_limit_s:
            found.append(Stretch(day, *turn))
        elif before is not None and _one_stretch(before[1], turn, rule):
            found.append(Stretch(before[0], before[1].came, turn.left))
        before = day, turn
    return found


def _turns(made: Walk) -> Iterator[tuple[int, Turn]]:
    """Turns in time order with the attendance day they began on, meals closed over."""
    pieces: list[tuple[int, int, int]] = []
    for day, bucket in made.kept.items():
        spans = pairs_of(bucket) or [(time_of(bucket[0]), time_of(bucket[-1]))]
        pieces += ((came, left, day) for came, left in spans)
    current: tuple[int, Turn] | None = None
    for came, left, day in sorted(pieces):
        if current is not None and came - current[1].left <= MEAL_S:
            current = current[0], Turn(current[1].came, max(left, current[1].left))
            continue
        if current is not None:
            yield current
        current = day, Turn(came, left)
    if current is not None:
        yield current


def _one_stretch(first: Turn, second: Turn, rule: RulePack) -> bool:
    if second.came - first.left >= REST_S:
        return False
    if min(first.left - first.came, second.left - second.came) < rule.full_s:
        return False
    return _is_night(first, rule) != _is_night(second, rule)


def _is_night(turn: Turn, rule: RulePack) -> bool:
    """Begins at night and lasts into or lies in the small hours."""
    if not starts_at_night(turn.came, rule):
        return False
    return turn.came // DAY_S != turn.left // DAY_S or turn.came % DAY_S < rule.night_to_s

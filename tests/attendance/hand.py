"""Short ways to write punches by hand, shared by the tests of the rule.

``at("11-03 07:00")`` is a local second of 2026; ``gate("in")`` a place in the list of terminals:
0 in, 1 out, 2 both directions.
"""

from __future__ import annotations

from datetime import date, datetime

from desktop.attendance.rules import FAR_DAY, Standing, Walk, Way, pack, time_of, walk
from desktop.site.rules import RulePack
from desktop.storage.types import day_number, local_seconds, local_time

RULE = RulePack()
ALWAYS = ((0, FAR_DAY),)
NEVER_NIGHT: frozenset[int] = frozenset()
PLACES = {"in": 0, "out": 1, "both": 2}


def at(text: str) -> int:
    """``11-03 07:00`` or ``11-03 07:00:30`` of 2026 as local seconds."""
    form = "%Y-%m-%d %H:%M:%S" if text.count(":") == 2 else "%Y-%m-%d %H:%M"
    return local_seconds(datetime.strptime(f"2026-{text}", form))


def day(text: str) -> int:
    """``11-03`` of 2026 as a day number."""
    return day_number(date.fromisoformat(f"2026-{text}"))


def punch(gate: str, text: str, stand: Standing = Standing.BIOMETRIC) -> int:
    """A punch at a gate ``in``, ``out`` or ``both``."""
    return pack(at(text), list(Way)[PLACES[gate]], PLACES[gate], stand)


def went(
    *punches: int,
    stays: tuple[tuple[int, int], ...] = ALWAYS,
    nights: frozenset[int] = NEVER_NIGHT,
    rule: RulePack = RULE,
) -> Walk:
    """The walk over punches written in any order."""
    return walk(sorted(punches), stays, nights, rule)


def kept(made: Walk) -> dict[str, list[str]]:
    """``{"11-03": ["11-03 07:00:00", …]}``."""
    return {
        f"{local_time(number * 86400):%m-%d}": [
            f"{local_time(time_of(one)):%m-%d %H:%M:%S}" for one in bucket
        ]
        for number, bucket in made.kept.items()
    }


def dropped(made: Walk) -> list[tuple[str, Standing]]:
    """``[("11-03 07:00:20", Standing.REPEATED), …]``."""
    return [(f"{local_time(time_of(one.punch)):%m-%d %H:%M:%S}", one.why) for one in made.dropped]


def night_days(first: str, last: str) -> frozenset[int]:
    """Days of night work, both included."""
    return frozenset(range(day(first), day(last) + 1))

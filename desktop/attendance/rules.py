"""The attendance rule: from one person's punches to days, symbols and values. Pure, no I/O.

What the rule text says stands here: the walk through raw terminal time, the attendance day, the
cell, the totals. It knows no table and no name; it refuses to know pay, and overtime is never
derived from gate times.

A punch is one integer, see :func:`pack`: a month of a large site is a million of them, and sorting
integers sorts by time, then direction, then terminal, whatever the order of arrival. A day is the
number of days since 1970-01-01 of terminal time (``storage.types``). Values are counted in half
days, so that no total is ever rounded.

Where the rule text can be read in two ways, this reading holds (docs/decisions):

* *Within 60 s* includes the 60th second (以内 includes the number, Civil Code 1259).
* *The last kept* is the last punch that survived every step: one dropped for lying outside the
  stay does not make its successor a repetition.
* *In night teams*: the person's team, with its shift, on the date of (time − 04:00). The team on
  the calendar date of the punch would give the same day at every hour.
* *No punch*: the order of the text decides, 停 before leave before 节 before — before ○.
* *Confirmed days* are the punched days with the explained cells replaced by the explained value.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import NamedTuple

from desktop.site.rules import RulePack

DAY_S = 86_400
FAR_DAY = 1 << 22
"""An open end: a day no terminal can show."""


# ── one punch ───────────────────────────────────────────────────────────────────────────────────


class Way(enum.IntEnum):
    """Direction of a punch: the terminal's configured one; a terminal ``both`` gives UNKNOWN."""

    IN = 0
    OUT = 1
    UNKNOWN = 2


WAYS: Mapping[str, Way] = {"in": Way.IN, "out": Way.OUT, "both": Way.UNKNOWN}


class Standing(enum.IntEnum):
    """Why a punch counts (the first two) or is dropped (the others)."""

    BIOMETRIC = 0
    DECLARED = 1
    """Unknown method, but the terminal was declared 仅生物识别 by then."""
    NOT_ACCEPTED = 2
    NOT_BIOMETRIC = 3
    UNPROVEN = 4
    REPEATED = 5
    OUTSIDE_STAY = 6


_BIOMETRIC, _NOT_BIOMETRIC = 1, 2  # method_class of the ledger; 0 is unproven


def standing(method_class: int, accepted: int, *, declared: bool) -> Standing:
    """What a punch is worth before its person is looked at.

    ``declared``: the terminal is declared 仅生物识别, with evidence, since that day or earlier.
    """
    if accepted != 1:
        return Standing.NOT_ACCEPTED
    if method_class == _BIOMETRIC:
        return Standing.BIOMETRIC
    if method_class == _NOT_BIOMETRIC:
        return Standing.NOT_BIOMETRIC
    return Standing.DECLARED if declared else Standing.UNPROVEN


_TERMINAL_SHIFT, _WAY_SHIFT, TIME_SHIFT = 3, 22, 24
MAX_TERMINALS = 1 << _WAY_SHIFT - _TERMINAL_SHIFT


def pack(t_local: int, way: int, terminal: int, stand: int) -> int:
    """One punch as one integer: time, :class:`Way`, place of the terminal, :class:`Standing`.

    ``terminal`` is a place in the month's list of terminals, below :data:`MAX_TERMINALS`.
    """
    return t_local << TIME_SHIFT | way << _WAY_SHIFT | terminal << _TERMINAL_SHIFT | stand


def time_of(punch: int) -> int:
    """Local seconds of a packed punch."""
    return punch >> TIME_SHIFT


def way_of(punch: int) -> Way:
    """Direction of a packed punch."""
    return Way(punch >> _WAY_SHIFT & 3)


def terminal_of(punch: int) -> int:
    """Place of the terminal of a packed punch."""
    return punch >> _TERMINAL_SHIFT & MAX_TERMINALS - 1


def standing_of(punch: int) -> Standing:
    """Standing of a packed punch before the walk."""
    return Standing(punch & 7)


# ── the walk ────────────────────────────────────────────────────────────────────────────────────

Spans = Sequence[tuple[int, int]]
"""Spans of days, both ends included; an open end is :data:`FAR_DAY`."""


def within(day: int, spans: Spans) -> bool:
    """Does ``day`` lie in one of the spans?"""
    return any(first <= day <= last for first, last in spans)


class Dropped(NamedTuple):
    """A punch that does not count, and why.

    ``day`` is the attendance day it would have had; for a punch dropped before its day is assigned
    the date of (time − day cut).
    """

    day: int
    punch: int
    why: Standing


_CLOSES = 4  # free bit of a kept punch: an out that closed the last in of its day


@dataclass(slots=True)
class Walk:
    """What the walk made of one person's punches; each of them stands in it exactly once."""

    kept: dict[int, list[int]] = field(default_factory=dict)
    """Attendance day → its punches in time order, see :func:`pairs_of` and :func:`plain`."""
    dropped: list[Dropped] = field(default_factory=list)
    """In time order."""


_LONG_AGO = -(1 << 62)


def walk(punches: Iterable[int], stays: Spans, nights: Set[int], rule: RulePack) -> Walk:
    """Walk one person's punches of all terminals, packed and sorted.

    ``nights``: days on which the person's team works at night. Begin ``rule.open_limit_s`` before
    what is of interest, as long as an ``in`` stays open. At one second ``in`` goes before ``out``.
    """
    made = Walk()
    kept, dropped = made.kept, made.dropped
    day_cut, night_cut = rule.day_cut_s, rule.night_cut_s
    repeat_s, open_limit = rule.repeat_s, rule.open_limit_s
    low = min((first for first, _ in stays), default=1)
    high = max((last for _, last in stays), default=0)
    gaps = len(stays) > 1
    last_kept = [_LONG_AGO] * len(Way)
    opened, open_day = _LONG_AGO, 0
    filled, bucket = None, list[int]()  # the day last added to, and its list
    for punch in punches:
        t = punch >> TIME_SHIFT
        day = (t - day_cut) // DAY_S
        if punch & 7 > 1:
            dropped.append(Dropped(day, punch, Standing(punch & 7)))
            continue
        way = punch >> _WAY_SHIFT & 3
        if t - last_kept[way] <= repeat_s:
            dropped.append(Dropped(day, punch, Standing.REPEATED))
            continue
        closes = way == 1 and t - opened <= open_limit
        if closes:
            day = open_day
        elif way and day in nights:
            day = (t - night_cut) // DAY_S
        if not low <= day <= high or (gaps and not within(day, stays)):
            dropped.append(Dropped(day, punch, Standing.OUTSIDE_STAY))
            continue
        last_kept[way] = t
        if way == 0:
            opened, open_day = t, day
        elif way == 1:
            opened = _LONG_AGO
            if closes:
                punch |= _CLOSES
        if day != filled:
            filled = day
            bucket = kept.setdefault(day, [])
        bucket.append(punch)
    return made


def plain(punch: int) -> int:
    """A kept punch as it was packed."""
    return punch & ~_CLOSES


def pairs_of(bucket: Iterable[int]) -> list[tuple[int, int]]:
    """The closed in→out pairs of a day's kept punches, in local seconds.

    An ``in`` always replaces the open one, so the pair begins with the last ``in`` before.
    """
    pairs = []
    came = 0
    for punch in bucket:
        if punch & _CLOSES:
            pairs.append((came, punch >> TIME_SHIFT))
        elif not punch >> _WAY_SHIFT & 3:
            came = punch >> TIME_SHIFT
    return pairs


# ── the cell ────────────────────────────────────────────────────────────────────────────────────

FULL, NIGHT, HALF, UNRESOLVED = "√", "夜", "半", "?"
STOPPED, HOLIDAY, AWAY, NO_RECORD = "停", "节", "—", "○"
LEAVE_SYMBOLS: Mapping[str, str] = {
    "personal": "△", "sick": "☆", "injury": "伤", "business": "公",
}
EXPLAINED_SYMBOLS: Mapping[int, str] = {2: "补", 1: "补半", 0: "×"}
"""Printed instead of the punched symbol, by explained half days."""

EXPLAINED_NOTE = "补 为核实说明，不改动考勤机原始数据"
"""Printed on every page that may carry an explained cell."""


class Cell(NamedTuple):
    """What a day is worth by its punches alone."""

    symbol: str
    half_days: int


_ONE_PUNCH = Cell(UNRESOLVED, 0)
_HALF_DAY = Cell(HALF, 1)
_FULL_DAY = Cell(FULL, 2)
_NIGHT_TURN = Cell(NIGHT, 2)


def judge(first: int, last: int, count: int, *, night_team: bool, rule: RulePack) -> Cell:
    """The cell of a day with ``count`` kept punches from ``first`` to ``last`` (local seconds).

    ``night_team``: the person's team works at night on this attendance day.
    """
    span = last - first
    if count < 2 or span < rule.half_s:
        return _ONE_PUNCH
    if span < rule.full_s:
        return _HALF_DAY
    if night_team or starts_at_night(first, rule):
        return _NIGHT_TURN
    return _FULL_DAY


def starts_at_night(t_local: int, rule: RulePack) -> bool:
    """Is this a time of day at which a night turn begins?"""
    time_of_day = t_local % DAY_S
    return time_of_day >= rule.night_from_s or time_of_day < rule.night_to_s


def blank(*, stopped: bool, leave: str | None, statutory: bool, inside: bool) -> str:
    """The symbol of a day without a kept punch; ``leave`` is the symbol of leave, or None.

    ``statutory``: one of the thirteen holidays of 300 % pay. ``inside``: the day is in the stay.
    """
    if stopped:
        return STOPPED
    if leave is not None:
        return leave
    if statutory:
        return HOLIDAY
    return NO_RECORD if inside else AWAY


def present_s(bucket: Sequence[int]) -> int:
    """Seconds on site of one day: its closed pairs if there are any, else the span."""
    closed = [left - came for came, left in pairs_of(bucket)]
    return sum(closed) if closed else time_of(bucket[-1]) - time_of(bucket[0])


def hours(seconds: int) -> float:
    """Hours with two decimals."""
    return round(seconds / 3600, 2)


# ── the row ─────────────────────────────────────────────────────────────────────────────────────


class Row(NamedTuple):
    """One person's month by punches alone: a symbol and half days for every day from the first."""

    symbols: list[str]
    half_days: list[int]


def row(made: Walk, first_day: int, blanks: Sequence[str], nights: Set[int], rule: RulePack) -> Row:
    """Cells of the days from ``first_day`` on; ``blanks`` are their symbols without a punch."""
    symbols = list(blanks)
    length = len(symbols)
    half_days = [0] * length
    for day, bucket in made.kept.items():
        place = day - first_day
        if 0 <= place < length:
            symbols[place], half_days[place] = judge(
                bucket[0] >> TIME_SHIFT, bucket[-1] >> TIME_SHIFT, len(bucket),
                night_team=day in nights, rule=rule,
            )
    return Row(symbols, half_days)


class Totals(NamedTuple):
    """Totals in half days: 打卡天数, 说明天数, 确认天数; ``nights`` counts printed 夜."""

    punched: int
    explained: int
    confirmed: int
    nights: int


def printed(symbols: Sequence[str], explained: Mapping[int, int]) -> list[str]:
    """The symbols as printed; ``explained`` maps the place of a day to its explained half days."""
    shown = list(symbols)
    for place, value in explained.items():
        shown[place] = EXPLAINED_SYMBOLS[value]
    return shown


def totals(cells: Row, explained: Mapping[int, int]) -> Totals:
    """Sums of a row; an explanation moves explained and confirmed days, never punched ones."""
    punched = sum(cells.half_days)
    replaced = sum(cells.half_days[place] for place in explained)
    granted = sum(explained.values())
    nights = sum(
        1 for place, symbol in enumerate(cells.symbols)
        if symbol == NIGHT and place not in explained
    ) if NIGHT in cells.symbols else 0
    return Totals(punched, granted, punched - replaced + granted, nights)

"""The rule once more, written slowly from its text, against the fast one on random punches."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from desktop.attendance import rules
from desktop.attendance.rules import FAR_DAY, Standing, Way
from desktop.site.rules import RulePack
from desktop.storage.types import day_number, local_seconds

FIRST, LAST = date(2026, 11, 1), date(2026, 11, 12)
RULE = RulePack()


@dataclass(frozen=True, order=True)
class Slow:
    """A punch in words; ordered by time, direction (in, out, unknown), terminal."""

    when: datetime
    direction: str
    terminal: int
    verdict: str


VERDICTS = {
    "biometric": Standing.BIOMETRIC, "declared": Standing.DECLARED,
    "refused": Standing.NOT_ACCEPTED, "card": Standing.NOT_BIOMETRIC,
    "unproven": Standing.UNPROVEN,
}
DIRECTIONS = {"in": Way.IN, "out": Way.OUT, "unknown": Way.UNKNOWN}


def slow_walk(
    punches: list[Slow], stay: list[tuple[date, date | None]], night: set[date]
) -> tuple[dict[date, list[Slow]], dict[date, list[timedelta]], list[Slow]]:
    """Kept punches per day, closed pairs per day, dropped punches."""
    days: dict[date, list[Slow]] = defaultdict(list)
    pairs: dict[date, list[timedelta]] = defaultdict(list)
    dropped = []
    last_kept: dict[str, datetime] = {}
    open_in: tuple[datetime, date] | None = None
    for one in sorted(punches):
        if one.verdict in ("refused", "card", "unproven"):
            dropped.append(one)
            continue
        previous = last_kept.get(one.direction)
        if previous is not None and one.when - previous <= timedelta(seconds=60):
            dropped.append(one)
            continue
        four = (one.when - timedelta(hours=4)).date()
        twelve = (one.when - timedelta(hours=12)).date()
        unpaired = twelve if four in night else four
        closes = None
        if one.direction == "in":
            day = four
        elif one.direction == "out" and open_in and one.when - open_in[0] <= timedelta(hours=16):
            day, closes = open_in[1], one.when - open_in[0]
        else:
            day = unpaired
        if not any(begin <= day and (end is None or day <= end) for begin, end in stay):
            dropped.append(one)
            continue
        last_kept[one.direction] = one.when
        if one.direction == "in":
            open_in = one.when, day
        elif one.direction == "out":
            open_in = None
        if closes is not None:
            pairs[day].append(closes)
        days[day].append(one)
    return days, pairs, dropped


def slow_cell(punches: list[Slow], day: date, night: set[date]) -> tuple[str, float]:
    if len(punches) == 1:
        return "?", 0
    span = punches[-1].when - punches[0].when
    if span >= timedelta(hours=4):
        clock = punches[0].when.time()
        dark = clock >= time(18) or clock < time(4) or day in night
        return ("夜" if dark else "√"), 1
    return ("半", 0.5) if span >= timedelta(hours=2) else ("?", 0)


moments = st.one_of(
    st.integers(0, 12 * 86400 - 1),
    # near the hours at which something changes
    st.builds(
        lambda d, h, s: d * 86400 + h * 3600 + s,
        st.integers(0, 11), st.sampled_from([2, 4, 6, 8, 10, 12, 18, 20, 22]),
        st.integers(-70, 70),
    ),
)
slow_punches = st.lists(
    st.builds(
        Slow,
        moments.map(lambda s: datetime(2026, 11, 1) + timedelta(seconds=s)),
        st.sampled_from(sorted(DIRECTIONS)), st.integers(0, 3),
        st.sampled_from(["biometric"] * 8 + sorted(VERDICTS)),
    ),
    max_size=60, unique_by=lambda one: (one.when, one.direction, one.terminal),
)
offsets = st.integers(0, 11).map(lambda n: FIRST + timedelta(days=n))
stays = st.one_of(
    st.just([(FIRST - timedelta(days=30), None)]),
    st.tuples(offsets, offsets).map(lambda two: [(min(two), max(two))]),
    st.tuples(offsets, offsets, offsets, offsets).map(sorted).map(
        lambda d: [(d[0], d[1]), (d[2], d[3])]
    ),
)
nights = st.sets(st.integers(-2, 14).map(lambda n: FIRST + timedelta(days=n)))


def packed(one: Slow) -> int:
    return rules.pack(
        local_seconds(one.when), DIRECTIONS[one.direction], one.terminal, VERDICTS[one.verdict]
    )


def fast_walk(
    punches: list[Slow], stay: list[tuple[date, date | None]], night: set[date]
) -> rules.Walk:
    spans = tuple((day_number(a), FAR_DAY if b is None else day_number(b)) for a, b in stay)
    return rules.walk(
        sorted(map(packed, punches)), spans, frozenset(map(day_number, night)), RULE
    )


@settings(max_examples=300, deadline=None)
@given(slow_punches, stays, nights)
def test_the_fast_walk_says_what_the_slow_one_says(
    punches: list[Slow], stay: list[tuple[date, date | None]], night: set[date]
) -> None:
    days, pairs, dropped = slow_walk(punches, stay, night)
    made = fast_walk(punches, stay, night)
    assert {d: [rules.plain(p) for p in b] for d, b in made.kept.items()} == {
        day_number(d): [packed(p) for p in some] for d, some in days.items()
    }
    assert [one.punch for one in made.dropped] == [packed(one) for one in dropped]
    blanks = ["○"] * 12
    number_of_nights = frozenset(map(day_number, night))
    cells = rules.row(made, day_number(FIRST), blanks, number_of_nights, RULE)
    for place in range(12):
        day = FIRST + timedelta(days=place)
        symbol, value = slow_cell(days[day], day, night) if days.get(day) else ("○", 0)
        assert (cells.symbols[place], cells.half_days[place] / 2) == (symbol, value)
        if days.get(day):
            closed = pairs.get(day) or [days[day][-1].when - days[day][0].when]
            present = sum(closed, timedelta()).total_seconds()
            bucket = made.kept[day_number(day)]
            assert rules.hours(rules.present_s(bucket)) == round(present / 3600, 2)
    assert rules.totals(cells, {}).punched == sum(cells.half_days)


@settings(max_examples=100, deadline=None)
@given(slow_punches, stays, nights, st.randoms(use_true_random=False))
def test_every_punch_stands_once_whatever_the_order_of_arrival(
    punches: list[Slow], stay: list[tuple[date, date | None]], night: set[date], chance: object
) -> None:
    made = fast_walk(punches, stay, night)
    kept = [rules.plain(p) for bucket in made.kept.values() for p in bucket]
    dropped = [one.punch for one in made.dropped]
    assert sorted(kept + dropped) == sorted(map(packed, punches))
    shuffled = list(punches)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    assert fast_walk(shuffled, stay, night) == made


@settings(max_examples=100, deadline=None)
@given(slow_punches, stays, nights)
def test_walking_the_kept_punches_again_keeps_them_all(
    punches: list[Slow], stay: list[tuple[date, date | None]], night: set[date]
) -> None:
    made = fast_walk(punches, stay, night)
    kept = sorted(rules.plain(p) for bucket in made.kept.values() for p in bucket)
    spans = tuple((day_number(a), FAR_DAY if b is None else day_number(b)) for a, b in stay)
    again = rules.walk(kept, spans, frozenset(map(day_number, night)), RULE)
    assert again.kept == made.kept
    assert again.dropped == []


@settings(max_examples=100, deadline=None)
@given(
    slow_punches, nights,
    st.dictionaries(st.integers(0, 11), st.sampled_from([0, 1, 2]), max_size=12),
)
def test_totals_are_the_sums_of_the_days(
    punches: list[Slow], night: set[date], explained: dict[int, int]
) -> None:
    made = fast_walk(punches, [(FIRST, LAST)], night)
    night_numbers = frozenset(map(day_number, night))
    cells = rules.row(made, day_number(FIRST), ["○"] * 12, night_numbers, RULE)
    sums = rules.totals(cells, explained)
    shown = rules.printed(cells.symbols, explained)
    values = {"√": 2, "夜": 2, "半": 1, "补": 2, "补半": 1, "×": 0, "?": 0, "○": 0}
    assert sums.confirmed == sum(values[symbol] for symbol in shown)
    assert sums.punched == sum(values[symbol] for symbol in cells.symbols)
    assert sums.explained == sum(explained.values())
    assert sums.nights == shown.count("夜")

"""Which backups stay, whatever the calendar and the computer's clock do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from desktop.clock import CHINA
from desktop.storage.thinning import (
    BEFORE_DAYS,
    BEFORE_LEAST,
    DAILY,
    FRESH,
    MONTHLY,
    WEEKLY,
    keep,
    keep_before,
)

NOW = datetime(2026, 11, 24, 8, tzinfo=UTC)
YEAR = timedelta(days=365)

instants = st.datetimes(
    datetime(2023, 1, 1), datetime(2029, 1, 1), timezones=st.just(UTC)
).map(lambda at: at.replace(microsecond=0))
shelves = st.lists(instants, max_size=60)


@given(shelves, instants)
def test_what_always_holds(times: list[datetime], now: datetime) -> None:
    stay = keep(times, now)
    past = [at for at in times if at <= now]
    assert stay <= set(times)
    assert {at for at in times if at > now} <= stay
    assert not times or max(times) in stay
    assert not past or max(past) in stay
    assert {at for at in past if now - at < FRESH} <= stay
    assert len([at for at in stay if at <= now - FRESH]) <= DAILY + WEEKLY + MONTHLY
    assert keep(stay, now) == stay
    assert keep(reversed(times), now) == stay


@given(shelves, instants)
def test_the_newest_of_each_day_week_and_month_stays(times: list[datetime], now: datetime) -> None:
    """Said once more in another way: by the last so-many buckets that hold anything."""
    stay = keep(times, now)
    local = sorted(at.astimezone(CHINA) for at in times if at <= now)
    for most, name in ((DAILY, "%Y-%m-%d"), (WEEKLY, "%G-%V"), (MONTHLY, "%Y-%m")):
        for bucket in sorted({at.strftime(name) for at in local})[-most:]:
            assert [at for at in local if at.strftime(name) == bucket][-1] in stay


def test_a_year_of_daily_backups_leaves_the_promised_ones() -> None:
    shelf: set[datetime] = set()
    for day in range(420):
        now = NOW + timedelta(days=day)
        shelf = keep(shelf | {now}, now)
    local = sorted(at.astimezone(CHINA).date() for at in shelf)
    last = local[-1]
    assert all(last - timedelta(days=back) in local for back in range(DAILY))
    assert len({day.isocalendar()[:2] for day in local}) >= WEEKLY
    assert len({(day.year, day.month) for day in local}) == MONTHLY
    assert len(shelf) <= DAILY + WEEKLY + MONTHLY - 2


@settings(max_examples=60)
@given(shelves, st.sampled_from([YEAR, -YEAR, 10 * YEAR, -10 * YEAR]))
def test_a_clock_that_jumps_takes_one_place_in_each_row(
    times: list[datetime], jump: timedelta
) -> None:
    shelf = keep([at for at in times if at <= NOW], NOW)
    wrong = NOW + jump
    after = keep(shelf | {wrong}, wrong)
    fresh = {at for at in shelf if timedelta() <= NOW - at < FRESH}
    assert len(shelf - after - fresh) <= 3
    # The clock set right again: nothing more goes for the wrong one, whatever its date.
    again = keep(after | {NOW}, NOW)
    assert len(shelf - again - fresh) <= 6
    assert again >= {at for at in after if at > NOW}


@given(shelves, instants)
def test_backups_before_bold_acts(times: list[datetime], now: datetime) -> None:
    stay = keep_before(times, now)
    assert stay <= set(times)
    past = sorted({at for at in times if at <= now})
    assert set(past[-BEFORE_LEAST:]) <= stay
    young = {at for at in times if at > now - timedelta(days=BEFORE_DAYS)}
    assert young <= stay and len(stay - young) <= BEFORE_LEAST
    assert keep_before(stay, now) == stay

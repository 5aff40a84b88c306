"""The quarantine: what cannot be a punch is kept, listed and never counted — also the next time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from desktop.access.desk import Desk
from desktop.punches.ledger import Counts, Origin
from desktop.punches.plausible import time_text
from desktop.punches.queries import quarantine
from devices.terminals.model import SourceFormat
from tests.punches.rig import keep, proven, punch, punches, rows, table, terminal, unusable

RECEIVED = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
LIMIT = datetime(2026, 11, 25, 16, 0)
"""Site time of reception + 24 h."""


@pytest.mark.parametrize(
    ("moment", "reason"),
    [
        (datetime(2014, 12, 31, 23, 59, 59), "before_2015"),
        (datetime(2015, 1, 1), ""),
        (LIMIT, ""),
        (LIMIT + timedelta(seconds=1), "future"),
        (datetime(2000, 1, 1), "before_2015"),
        (datetime(2063, 12, 31), "future"),
    ],
)
def test_the_borders(desk: Desk, moment: datetime, reason: str) -> None:
    gate = terminal(desk)
    counts = keep(desk, gate, [punch(at=moment)], received_at=RECEIVED)
    assert counts == (Counts(quarantined=1) if reason else Counts(new=1))
    assert rows(desk, "SELECT reason FROM punch_quarantine") == ([(reason,)] if reason else [])
    proven(desk)


def test_each_record_is_kept_once_and_counted_each_time(desk: Desk) -> None:
    gate = terminal(desk)
    aside = [unusable(), unusable(), unusable(b"no pin", "undecodable")]
    old = punch(at=datetime(2000, 1, 1))
    assert keep(desk, gate, [old, punch()], aside=aside) == Counts(new=1, quarantined=4)
    assert keep(desk, gate, [old, punch()], aside=aside) == Counts(duplicate=1, quarantined=4)
    verdict = proven(desk)
    assert (verdict.punches, verdict.quarantined) == (1, 3)
    with desk.book.read() as session:
        listed = quarantine(session, desk.project_id)
    assert [(one.reason, one.raw) for one in listed] == [
        ("before_2015", old.raw), ("undecodable", b"no pin"), ("impossible_date", b"broken"),
    ]


def test_what_came_from_the_future_is_not_believed_when_its_day_has_come(desk: Desk) -> None:
    gate = terminal(desk)
    early = punch(at=LIMIT + timedelta(days=3))
    keep(desk, gate, [early], received_at=RECEIVED)
    later = RECEIVED + timedelta(days=9)
    line = early._replace(source_format=int(SourceFormat.ATTLOG), raw=b"line")
    other = punch("100002", LIMIT + timedelta(days=3))
    counts = keep(desk, gate, [line, other], Origin.USB, received_at=later)
    assert counts == Counts(new=1, quarantined=1)
    assert table(desk, "punch") == 1
    proven(desk)


def test_sequences_stay_with_their_punches(desk: Desk) -> None:
    gate = terminal(desk)
    log = [punch("1", datetime(2000, 1, 1)), *punches(2), punch("2", datetime(2060, 1, 1))]
    assert keep(desk, gate, log, seqs=[10, 11, 12, 13]) == Counts(new=2, quarantined=2)
    assert rows(desk, "SELECT seq FROM punch ORDER BY id") == [(11,), (12,)]


def test_a_time_beyond_the_calendar_has_no_text() -> None:
    assert time_text(0) == "1970-01-01 00:00:00"
    assert time_text(1 << 60) == ""


def test_a_time_beyond_the_calendar_is_quarantined(desk: Desk) -> None:
    gate = terminal(desk)
    far = punch()._replace(t_local=1 << 60)
    assert keep(desk, gate, [far, punch()]) == Counts(new=1, quarantined=1)
    proven(desk)

"""The ledger: once, never changed, never lost — one batch at a time."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy.exc import DBAPIError

from desktop.access.desk import Desk
from desktop.errors import Cancelled
from desktop.jobs import CancelToken
from desktop.punches.ledger import Counts, Origin, Part, Source, Stored, store_parts
from devices.terminals.model import SourceFormat
from tests.punches.rig import (
    MORNING,
    keep,
    proven,
    punch,
    punches,
    rows,
    segments,
    table,
    terminal,
    unusable,
)


def test_new_punches_are_kept_as_they_were_said(desk: Desk) -> None:
    gate = terminal(desk)
    assert keep(desk, gate, [punch(method=4, state=1)]) == Counts(new=1)
    columns = "number, t_local, day, method_raw, state_raw, method_class, accepted, source_format"
    said = punch(method=4, state=1)
    assert rows(desk, f"SELECT {columns}, raw, seq, epoch FROM punch") == [
        (
            said.number, said.t_local, said.t_local // 86_400, 4, 1, 1, 1, int(SourceFormat.ZK40),
            said.raw, None, 0,
        )
    ]
    assert proven(desk).punches == 1


def test_the_same_way_again_writes_nothing(desk: Desk) -> None:
    gate = terminal(desk)
    log = punches(40)
    assert keep(desk, gate, log) == Counts(new=40)
    assert keep(desk, gate, log) == Counts(duplicate=40)
    assert keep(desk, gate, [*log, punch("9", MORNING)]) == Counts(new=1, duplicate=40)
    assert (segments(desk), table(desk, "punch"), table(desk, "punch_sighting")) == (2, 41, 0)
    proven(desk)


def test_another_way_is_a_sighting_once(desk: Desk) -> None:
    gate = terminal(desk)
    keep(desk, gate, punches(10))
    line = [one._replace(source_format=int(SourceFormat.ATTLOG), raw=b"line") for one in punches(12)]
    assert keep(desk, gate, line, Origin.USB) == Counts(new=2, duplicate=10, sighting=10)
    assert keep(desk, gate, line, Origin.USB) == Counts(duplicate=12)
    # The two that the stick brought are now confirmed by the network.
    assert keep(desk, gate, punches(12)) == Counts(duplicate=12, sighting=2)
    assert rows(desk, "SELECT origin, count(*) FROM punch_sighting GROUP BY origin") == [
        ("pull", 2), ("usb", 10),
    ]
    assert proven(desk).punches == 12


def test_a_duplicate_inside_one_batch_is_normal(desk: Desk) -> None:
    gate = terminal(desk)
    assert keep(desk, gate, [punch(), punch(), punch()]) == Counts(new=1, duplicate=2)
    assert table(desk, "punch_conflict") == 0
    proven(desk)


def test_other_bytes_under_an_equal_key_are_kept_beside(desk: Desk) -> None:
    gate = terminal(desk)
    odd = punch(raw=b"other index")
    assert keep(desk, gate, [punch(), odd]) == Counts(new=1, duplicate=1, conflict=1)
    assert keep(desk, gate, [punch(), odd, punch(raw=b"third")]) == Counts(duplicate=3, conflict=1)
    assert keep(desk, gate, [odd]) == Counts(duplicate=1)
    assert rows(desk, "SELECT punch_id, raw FROM punch_conflict ORDER BY id") == [
        (1, b"other index"), (1, b"third"),
    ]
    proven(desk)


def test_bytes_of_another_format_are_never_compared(desk: Desk) -> None:
    gate = terminal(desk)
    keep(desk, gate, [punch()])
    wide = punch(form=SourceFormat.ZK49, raw=b"wide")
    assert keep(desk, gate, [wide]) == Counts(duplicate=1)
    assert table(desk, "punch_conflict") == 0


@pytest.mark.parametrize(
    "other",
    [
        punch("100002"), punch(at=MORNING + timedelta(seconds=1)), punch(method=1), punch(state=1),
    ],
)
def test_each_part_of_the_key_makes_another_punch(desk: Desk, other: object) -> None:
    gate = terminal(desk)
    assert keep(desk, gate, [punch(), other]) == Counts(new=2)  # type: ignore[list-item]


def test_two_terminals_keep_their_own(desk: Desk) -> None:
    east, west = terminal(desk, "东门"), terminal(desk, "西门")
    assert keep(desk, east, [punch()]) == keep(desk, west, [punch()]) == Counts(new=1)


def test_with_a_sequence_the_sequence_is_the_key(desk: Desk) -> None:
    gate = terminal(desk)
    same_second = [punch(), punch(raw=b"b")]
    assert keep(desk, gate, same_second, seqs=[1, 2]) == Counts(new=2)
    assert keep(desk, gate, same_second, seqs=[2, 3]) == Counts(new=1, duplicate=1, conflict=1)
    with desk.book.write() as session:
        session.connection().exec_driver_sql("UPDATE terminal SET epoch = 1")
    assert keep(desk, gate, same_second, seqs=[1, 2]) == Counts(new=2)
    assert proven(desk).punches == 5


def test_a_batch_in_disorder_against_a_long_ledger(desk: Desk) -> None:
    """So far apart that single look-ups are cheaper than the range between them."""
    gate = terminal(desk)
    log = punches(3000)
    keep(desk, gate, log, seqs=None)
    ends = [log[-1], log[0], punch("777", MORNING + timedelta(seconds=500))]
    assert keep(desk, gate, ends, Origin.USB) == Counts(new=1, duplicate=2, sighting=2)
    numbered = terminal(desk, "北门")
    keep(desk, numbered, log, seqs=range(3000))
    assert keep(desk, numbered, ends, seqs=[2999, 0, 9000]) == Counts(new=1, duplicate=2)
    proven(desk)


def test_a_batch_is_one_segment_in_order_with_its_facts(desk: Desk) -> None:
    gate = terminal(desk)
    keep(desk, gate, [punch()], Origin.USB)
    late = punch("100002", MORNING + timedelta(hours=1))
    keep(desk, gate, [punch(raw=b"n"), punch(raw=b"m"), late], aside=[unusable()])
    header = (
        '{"conflicts":2,"download":"","epoch":0,"first":"2026-11-02 07:30:00",'
        '"last":"2026-11-02 07:30:00","origin":"pull","punches":1,"quarantined":1,"sightings":1,'
        f'"terminal":{gate}}}'
    )
    found = rows(
        desk,
        "SELECT count, header FROM segment WHERE kind = 'punches' ORDER BY sequence DESC LIMIT 1",
    )
    assert found == [(5, header)]
    verdict = proven(desk)
    assert (verdict.punches, verdict.quarantined) == (2, 1)


def test_nothing_new_is_no_segment(desk: Desk) -> None:
    gate = terminal(desk)
    assert keep(desk, gate, []) == Counts()
    assert segments(desk) == 0


def test_the_book_itself_refuses_to_change_a_punch(desk: Desk) -> None:
    gate = terminal(desk)
    keep(desk, gate, [punch()], aside=[unusable()])
    keep(desk, gate, [punch(raw=b"x")], Origin.USB)
    for name in ("punch", "punch_sighting", "punch_conflict", "punch_quarantine"):
        for act in (f"UPDATE {name} SET id = 99", f"DELETE FROM {name}"):
            with pytest.raises(DBAPIError), desk.book.write() as session:
                session.connection().exec_driver_sql(act)
    proven(desk)


def test_a_failing_batch_leaves_nothing(desk: Desk) -> None:
    gate = terminal(desk)

    def fail(*_: object) -> None:
        raise RuntimeError("power")

    source = Source(Origin.PULL, desk.clock.now(), "试")
    with pytest.raises(RuntimeError):
        store_parts(desk, gate, [Part(punches(5))], source, fail)
    assert (table(desk, "punch"), segments(desk)) == (0, 0)


def test_parts_are_transactions_and_cancelling_keeps_the_stored_ones(desk: Desk) -> None:
    gate = terminal(desk)
    cancel = CancelToken()
    log = punches(90)
    seen: list[Stored] = []

    def saved(_session: object, _terminal: object, stored: Stored) -> None:
        seen.append(stored)
        if stored.records == 60:
            cancel.set()

    parts = [Part(log[at : at + 30]) for at in range(0, 90, 30)]
    source = Source(Origin.PULL, desk.clock.now(), "试")
    with pytest.raises(Cancelled):
        store_parts(desk, gate, parts, source, saved, cancel=cancel)
    assert [(one.records, one.last) for one in seen] == [(30, False), (60, False)]
    assert (proven(desk).punches, segments(desk)) == (60, 2)
    steps: list[tuple[int, int]] = []
    counts = store_parts(
        desk, gate, parts, source, lambda *_: None,
        progress=lambda done, total, _: steps.append((done, total)), total=90,
    )
    assert counts == Counts(new=30, duplicate=60)
    assert steps == [(30, 90), (60, 90), (90, 90)]


def test_nothing_at_all_is_still_one_transaction_with_its_last_part(desk: Desk) -> None:
    gate = terminal(desk)
    seen: list[Stored] = []
    source = Source(Origin.PULL, desk.clock.now(), "试")
    store_parts(desk, gate, [], source, lambda *facts: seen.append(facts[2]))
    assert seen == [Stored(0, Counts(), last=True)]

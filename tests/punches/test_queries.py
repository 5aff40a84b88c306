"""Reads of the ledger: streaming by day, one person's day, the log of collections."""

from __future__ import annotations

from datetime import date, timedelta

from desktop.access.desk import Desk
from desktop.punches.ledger import Origin
from desktop.punches.matching import by_hand, confirm
from desktop.punches.queries import punch_counts, punches_between, punches_of
from devices.terminals.model import SourceFormat
from tests.punches.rig import MORNING, keep, punch, punches, rows, terminal, worker

DAY = timedelta(days=1)


def test_streaming_is_by_day_terminal_number_and_time(desk: Desk) -> None:
    west, east = terminal(desk, "西门"), terminal(desk, "东门")
    keep(desk, east, punches(2000, step_s=301))
    keep(desk, west, punches(500, people=3))
    with desk.book.read() as session:
        read = list(
            punches_between(
                session, desk.project_id, MORNING.date() + DAY, MORNING.date() + 2 * DAY
            )
        )
    days = [t // 86_400 for _, _, t, *_ in read]
    assert set(days) == {20_760, 20_761}
    assert read == sorted(read, key=lambda one: (one[2] // 86_400, *one[:3]))
    expected = rows(
        desk,
        "SELECT terminal_id, number, t_local, method_class, accepted, id FROM punch"
        " WHERE day IN (20760, 20761)",
    )
    assert sorted(read) == sorted(expected)
    with desk.book.read() as session:
        counts = punch_counts(session, desk.project_id, MORNING.date() + DAY)
    assert counts == {east: days.count(20_760)}


def test_streaming_leaves_other_projects_out(desk: Desk) -> None:
    gate = terminal(desk)
    keep(desk, gate, punches(5))
    with desk.book.read() as session:
        assert list(punches_between(session, 2, MORNING.date(), MORNING.date())) == []
        assert punch_counts(session, 2, MORNING.date()) == {}


def test_a_persons_day_with_everything_held_of_it(desk: Desk) -> None:
    mine = worker(desk, 100001, "张伟")
    worker(desk, 100002, "李娜")
    gate, other = terminal(desk, "东门"), terminal(desk, "西门", direction="out")
    with desk.book.read() as session:
        old = by_hand(session, "9", 100001)
    confirm(desk, "西门", [old], from_day=MORNING.date())
    keep(desk, gate, [punch(), punch("100002"), punch(at=MORNING + DAY), punch("9")])
    keep(desk, other, [punch("9", MORNING + timedelta(hours=5), method=4)], Origin.USB)
    keep(desk, gate, [punch(form=SourceFormat.ATTLOG, raw=b"x")], Origin.USB)
    keep(desk, gate, [punch(raw=b"other")])
    with desk.book.read() as session:
        found = punches_of(session, desk.project_id, mine, MORNING.date())
        assert punches_of(session, desk.project_id, 4711, MORNING.date()) == []
        assert punches_of(session, desk.project_id, mine, date(2026, 1, 1)) == []
    assert [(one.terminal, one.number, one.at, one.origins, one.conflicts) for one in found] == [
        ("东门", "100001", MORNING, ("pull", "usb"), 1),
        ("西门", "9", MORNING + timedelta(hours=5), ("usb",), 0),
    ]
    assert (found[1].direction, found[1].method_raw, found[1].accepted) == ("out", 4, True)

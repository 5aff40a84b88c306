"""对号: what is proposed, what never is by itself, and from which day a punch is whose."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from desktop.access.desk import Desk
from desktop.errors import Cancelled, Refused
from desktop.jobs import CancelToken
from desktop.people.rules import id_check_digit
from desktop.punches.collect import pull
from desktop.punches.matching import (
    Basis,
    Match,
    Standing,
    by_hand,
    confirm,
    end_match,
    propose,
    read_people,
)
from desktop.punches.queries import Resolver, resolver, unmatched
from devices.emulators.zk import Faults, StoredPunch, StoredUser
from tests.punches.rig import (
    MORNING,
    QUICK,
    emulator,
    keep,
    proven,
    punch,
    rows,
    table,
    terminal,
    worker,
)

GATE = "西门进"


def id_number(serial: int) -> str:
    body = f"41000019880808{serial:03d}"
    return body + id_check_digit(body)


def proposals(desk: Desk, name: str = GATE) -> dict[str, Match]:
    with desk.book.read() as session:
        return {
            one.number: one
            for one in propose(session, desk.book.sealer, desk.project_id, name)
        }


def owners(desk: Desk) -> Resolver:
    with desk.book.read() as session:
        return resolver(session, desk.project_id)


def people_on(desk: Desk, users: list[StoredUser], **options: Any) -> int:
    """A terminal whose people were read; returns its id."""
    with emulator(desk, users=users, **options) as unit:
        gate = terminal(desk, GATE, unit.address)
        read_people(desk, GATE, timing=QUICK)
    return gate


def hand(desk: Desk, number: str, worker_no: int) -> Match:
    with desk.book.read() as session:
        return by_hand(session, number, worker_no)


def test_people_are_read_and_replaced_whole(desk: Desk) -> None:
    users = [StoredUser("1", "张伟", card=77), StoredUser("2", "欧阳娜娜")]
    with emulator(desk, users=users, encoding="gbk") as unit:
        terminal(desk, GATE, unit.address)
        read = read_people(desk, GATE, timing=QUICK)
        assert (read.people, read.added, read.removed, read.encoding) == (2, 2, 0, "gbk")
        unit.unit.users = [StoredUser("2", "欧阳娜娜"), StoredUser("3", "李〇")]
        again = read_people(desk, GATE, timing=QUICK)
    assert (again.people, again.added, again.removed) == (2, 1, 1)
    assert rows(desk, "SELECT number, name FROM terminal_person ORDER BY number") == [
        ("2", "欧阳娜娜"), ("3", "李〇"),
    ]
    assert rows(desk, "SELECT serial, encoding FROM terminal") == [("CKJG264160001", "gbk")]
    proven(desk)


def test_a_failed_reading_keeps_the_earlier_one(desk: Desk) -> None:
    with emulator(desk, users=[StoredUser("1", "张伟")]) as unit:
        terminal(desk, GATE, unit.address)
        read_people(desk, GATE, timing=QUICK)
        unit.unit.faults = Faults(sessions=0, busy=True)
        with pytest.raises(Refused) as caught:
            read_people(desk, GATE, timing=QUICK)
        cancel = CancelToken()
        cancel.set()
        with pytest.raises(Cancelled):
            read_people(desk, GATE, timing=QUICK, cancel=cancel)
    assert caught.value.code == "device_busy"
    assert table(desk, "terminal_person") == 1


def test_proposals_in_their_order(desk: Desk) -> None:
    a = worker(desk, 100001, "张伟")
    b = worker(desk, 100002, "欧阳娜娜", id_number(2))
    c = worker(desk, 100003, "李娜")
    gate = people_on(
        desk,
        [
            StoredUser("100001", "张伟"), StoredUser(id_number(2), "别名"), StoredUser("3", "李 娜"),
            StoredUser("4", "无此人"),
        ],
    )
    keep(desk, gate, [punch("3"), punch("3", MORNING + timedelta(days=2)), punch("555")])
    found = proposals(desk)
    assert {number: (one.standing, one.basis, one.person_id) for number, one in found.items()} == {
        "100001": (Standing.BY_ITSELF, Basis.WORKER_NO, a),
        id_number(2): (Standing.PROPOSED, Basis.ID_NUMBER, b),
        "3": (Standing.PROPOSED, Basis.NAME, c),
        "4": (Standing.OPEN, Basis.NONE, None),
        "555": (Standing.OPEN, Basis.NONE, None),
    }
    third = found["3"]
    assert (third.punches, third.first_seen, third.last_seen) == (
        2, MORNING.date(), MORNING.date() + timedelta(days=2),
    )
    assert id_number(2) not in str(found[id_number(2)].as_json())
    assert list(found)[-1] == "100001"


def test_a_first_generation_number_and_one_with_a_small_x(desk: Desk) -> None:
    old = "410000880808021"
    whole = old[:6] + "19" + old[6:]
    number = whole + id_check_digit(whole)
    worker(desk, 1, "甲", number)
    people_on(desk, [StoredUser(old, ""), StoredUser("410000199001010000", "")])
    found = proposals(desk)
    assert found[old].basis is Basis.ID_NUMBER
    assert found["410000199001010000"].standing is Standing.OPEN


def test_namesakes_are_never_matched_by_themselves(desk: Desk) -> None:
    worker(desk, 1001, "王强")
    worker(desk, 1002, "王强")
    worker(desk, 1003, "李强")
    people_on(desk, [StoredUser("1", "王强"), StoredUser("2", "李强"), StoredUser("3", "李强")])
    found = proposals(desk)
    assert {one.standing for one in found.values()} == {Standing.DOUBTFUL}
    assert {one.person_id for one in found.values()} == {None}
    assert "花名册上有同名" in found["1"].note
    assert "考勤机上有同名" in found["2"].note
    assert confirm(desk, GATE, list(found.values())) == 0


def test_a_number_whose_name_speaks_against_it(desk: Desk) -> None:
    worker(desk, 7, "张伟")
    worker(desk, 8, "买买提·阿不都热合曼·吐尔逊")
    people_on(desk, [StoredUser("7", "赵六"), StoredUser("8", "买买提·阿不都热合曼·吐尔逊")])
    found = proposals(desk)
    assert found["7"].standing is Standing.DOUBTFUL
    assert "赵六" in found["7"].note
    # Cut by the terminal at 24 bytes, it still agrees.
    assert found["8"].standing is Standing.BY_ITSELF
    assert len(found["8"].terminal_name) < 13


def test_somebody_of_another_project_is_not_found_by_name(desk: Desk) -> None:
    worker(desk, 1001, "王强", here=False)
    people_on(desk, [StoredUser("1", "王强")])
    assert proposals(desk)["1"].standing is Standing.OPEN


def test_confirmed_numbers_count_for_earlier_punches_too(desk: Desk) -> None:
    person = worker(desk, 100003, "李娜")
    with emulator(desk, [StoredPunch("3", MORNING)], users=[StoredUser("3", "李娜")]) as unit:
        gate = terminal(desk, GATE, unit.address)
        pull(desk, timing=QUICK)
        read_people(desk, GATE, timing=QUICK)
    assert owners(desk).person(gate, "3", MORNING.date()) is None
    assert confirm(desk, GATE, list(proposals(desk).values())) == 1
    assert owners(desk).person(gate, "3", MORNING.date()) == person
    settled = proposals(desk)["3"]
    assert (settled.standing, settled.basis) == (Standing.CONFIRMED, Basis.NAME)
    assert confirm(desk, GATE, list(proposals(desk).values())) == 0
    proven(desk)


def test_from_and_to_days(desk: Desk) -> None:
    first, second = worker(desk, 1, "甲"), worker(desk, 2, "乙")
    gate = terminal(desk, GATE)
    confirm(desk, GATE, [hand(desk, "9", 1)], to_day=date(2026, 11, 10))
    confirm(desk, GATE, [hand(desk, "9", 2)], from_day=date(2026, 11, 11))
    whose = owners(desk)
    assert whose.person(gate, "9", date(2020, 1, 1)) == first
    assert whose.person(gate, "9", date(2026, 11, 10)) == first
    assert whose.person(gate, "9", date(2026, 11, 11)) == second
    assert whose.person(gate + 1, "9", date(2026, 11, 11)) is None
    assert (whose.knows(gate, "9"), whose.knows(gate, "1"), whose.knows(gate, "5")) == (
        True, True, False,
    )
    assert whose.numbers_of(first) == {"1", "9"}


def test_an_alias_overrules_a_worker_no_on_its_days_only(desk: Desk) -> None:
    own, other = worker(desk, 7, "甲"), worker(desk, 8, "乙")
    gate = terminal(desk, GATE)
    confirm(desk, GATE, [hand(desk, "7", 8)], to_day=date(2026, 11, 10))
    whose = owners(desk)
    assert whose.person(gate, "7", date(2026, 11, 10)) == other
    assert whose.person(gate, "7", date(2026, 11, 11)) == own
    spans = whose.spans(gate, "7")
    assert [span[2] for span in spans] == [other, own]
    assert spans[0][1] == (date(2026, 11, 10) - date(1970, 1, 1)).days
    assert whose.spans(gate, "8") == [(0, 1 << 22, other)]
    assert whose.spans(gate, "77") == []


@pytest.mark.parametrize(
    ("from_day", "to_day", "fits"),
    [
        (None, None, False),
        (date(2026, 11, 10), None, False),
        (None, date(2026, 11, 1), False),
        (date(2026, 11, 11), None, True),
        (None, date(2026, 10, 31), True),
        (date(2026, 11, 20), date(2026, 11, 12), False),
    ],
)
def test_overlapping_days_are_refused_as_a_whole(
    desk: Desk, from_day: date | None, to_day: date | None, fits: bool
) -> None:
    worker(desk, 1, "甲")
    worker(desk, 2, "乙")
    terminal(desk, GATE)
    held = hand(desk, "9", 1)
    confirm(desk, GATE, [held], from_day=date(2026, 11, 1), to_day=date(2026, 11, 10))
    both = [hand(desk, "5", 2), hand(desk, "9", 2)]
    if fits:
        assert confirm(desk, GATE, both, from_day=from_day, to_day=to_day) == 2
        return
    with pytest.raises(Refused):
        confirm(desk, GATE, both, from_day=from_day, to_day=to_day)
    assert table(desk, "alias") == 1


def test_ending_and_withdrawing(desk: Desk) -> None:
    person = worker(desk, 1, "甲")
    gate = terminal(desk, GATE)
    confirm(desk, GATE, [hand(desk, "9", 1)])
    assert end_match(desk, GATE, "9", date(2026, 11, 10)) == 1
    assert owners(desk).person(gate, "9", date(2026, 11, 10)) == person
    assert owners(desk).person(gate, "9", date(2026, 11, 11)) is None
    with pytest.raises(Refused) as later:
        end_match(desk, GATE, "9", date(2026, 11, 12))
    assert later.value.code == "no_match"
    assert end_match(desk, GATE, "9", None) == 1
    assert owners(desk).spans(gate, "9") == []
    assert proposals(desk) == {}
    # A withdrawn match stands in nobody's way.
    assert confirm(desk, GATE, [hand(desk, "9", 1)]) == 1
    assert table(desk, "alias") == 2
    proven(desk)


def test_a_worker_nobody_knows(desk: Desk) -> None:
    with pytest.raises(Refused) as caught:
        hand(desk, "9", 4711)
    assert caught.value.code == "unknown_worker"


def test_numbers_of_nobody_are_listed_with_what_is_known(desk: Desk) -> None:
    worker(desk, 100001, "张伟")
    worker(desk, 100002, "李娜")
    gate = people_on(desk, [StoredUser("42", "生人"), StoredUser("43", "李小娜")])
    other = terminal(desk, "东门")
    day = timedelta(days=1)
    document = id_number(5)
    keep(
        desk, gate,
        [
            punch("100001"), punch("42"), punch("42", MORNING + day), punch("42", MORNING + 40 * day),
            punch(document), punch("43"), punch("43", MORNING + 5 * day),
        ],
        received_at=datetime(2027, 1, 30, tzinfo=desk.clock.now().tzinfo),
    )
    keep(desk, other, [punch("42")])
    confirm(desk, GATE, [hand(desk, "43", 100002)], from_day=MORNING.date() + 3 * day)
    with desk.book.read() as session:
        found = unmatched(session, desk.project_id, date(2026, 11, 1), date(2026, 11, 30))
    assert [
        (one.terminal, one.shown, one.terminal_name, one.punches, one.first, one.last)
        for one in found
    ] == [
        (GATE, "42", "生人", 2, MORNING, MORNING + day),
        (GATE, f"{document[:4]}**********{document[-4:]}", "", 1, MORNING, MORNING),
        (GATE, "43", "李小娜", 1, MORNING, MORNING),
        ("东门", "42", "", 1, MORNING, MORNING),
    ]


@pytest.mark.parametrize(
    ("on_terminal", "roster", "agrees"),
    [
        ("?田明", "𠮷田明", True),
        ("张?", "张䶮", True),
        ("张", "张䶮", True),
        ("张?", "张三", False),
        ("李?", "张䶮", False),
        ("张䶮二", "张䶮", False),
    ],
)
def test_a_stand_in_for_a_rare_character_is_no_other_name(
    on_terminal: str, roster: str, agrees: bool
) -> None:
    from desktop.punches.match import _agrees

    assert _agrees(on_terminal, roster) is agrees

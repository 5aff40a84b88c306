"""A strange terminal misbehaves on a true socket; everything is stored once, nothing invented."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.outside_packets import Punch, User, packed, packed_at
from tests.acceptance.outside_program import (
    Person,
    Program,
    fresh_program,
    make_people,
    write_roster,
)
from tests.acceptance.outside_terminal import AUTH, CHINA, HARMLESS, OutsideTerminal

MONTH = "2026-10"
NOON = datetime(2026, 10, 1, 12)
KEY = "123456"


def shift(day: date, chance: random.Random) -> tuple[datetime, datetime]:
    """First and last punch of one day; some days are short."""
    first = datetime.combine(day, NOON.time()) - timedelta(seconds=chance.randrange(14400, 21600))
    hours = chance.choice((9, 9.5, 10, 10, 5, 3, 1))
    return first, first + timedelta(hours=hours, seconds=chance.randrange(1800))


def cell_of(times: list[datetime], day: date) -> tuple[str, float]:
    """The rule for a day team and a gate without direction, from its text."""
    if not times:
        return ("节", 0) if day in (date(2026, 10, 1), date(2026, 10, 2), date(2026, 10, 3)) else ("○", 0)
    span = max(times) - min(times)
    if len(times) < 2 or span < timedelta(hours=2):
        return "?", 0
    return ("√", 1) if span >= timedelta(hours=4) else ("半", 0.5)


def wrong_cells(shown: Any, people: list[Person], times: dict[tuple[str, date], list[datetime]]) -> list[Any]:
    """Cells of October that differ from the punches."""
    rows = {row["worker_no"]: row for row in shown["rows"]}
    assert set(rows) == {one.number for one in people}
    wrong = []
    for one in people:
        for n in range(1, 32):
            day = date(2026, 10, n)
            cell = rows[one.number]["days"][str(n)]
            expected = cell_of(times.get((str(one.number), day), []), day)
            if (cell["symbol"], cell["value"]) != expected:
                wrong.append((one.number, n, expected, cell))
    return wrong


def stick_line(punch: Punch, when: datetime | str) -> str:
    """One line of ``1_attlog.dat``."""
    stamp = when if isinstance(when, str) else f"{when:%Y-%m-%d %H:%M:%S}"
    return f"{punch.pin:>9}\t{stamp}\t1\t{punch.state}\t{punch.method}\t0\r\n"


def users_of(people: list[Person]) -> list[User]:
    """The people as they were keyed in at the terminal."""
    return [User(place, str(one.number), one.name) for place, one in enumerate(people, 1)]


def add_terminal(program: Program, name: str, terminal: OutsideTerminal) -> None:
    """By the command line, key in a file."""
    secret = program.folder / "key.txt"
    secret.write_text(KEY + "\n")
    program("terminal", "add", name, "--driver", "zk", "--address", terminal.address,
            "--direction", "both", "--password-file", str(secret))


def assert_only_read(terminal: OutsideTerminal) -> None:
    """Nothing was asked that changes a terminal; every packet was sound."""
    assert set(terminal.asked) <= HARMLESS, sorted(set(terminal.asked) - HARMLESS)
    assert terminal.unsound == 0


# ── the big one ─────────────────────────────────────────────────────────────────────────────────

BIG = 100_000


def test_a_hundred_thousand_punches_of_two_hundred_people(tmp_path: Path) -> None:
    """Once through a cut and a flipped bit, dates of every wrong kind, doubles; then its stick."""
    chance = random.Random(100_000)
    people = make_people(200)
    good: list[tuple[Punch, datetime]] = []
    times: dict[tuple[str, date], list[datetime]] = defaultdict(list)
    day = date(2026, 2, 18)
    while len(good) < BIG - 60:
        for place, one in enumerate(people, 1):
            for when in shift(day, chance):
                if len(good) < BIG - 60:
                    good.append((Punch(str(one.number), packed_at(when), index=place), when))
                    times[str(one.number), day].append(when)
        day += timedelta(days=1)
    assert day > date(2026, 10, 20)
    now = datetime.now(CHINA).replace(tzinfo=None)
    bad = [
        (Punch("7001", packed(2026, 2, 31, 7)), "2026-02-31 07:00:00"),
        (Punch("7002", packed(2026, 11, 31, 7)), "2026-11-31 07:00:00"),
        (Punch("7003", 0xFFFFFFFF), "2133-13-13 06:28:15"),
        (Punch("7004", 0), "2000-01-01 00:00:00"),
        (Punch("7005", packed(2014, 12, 31, 23, 59, 59)), "2014-12-31 23:59:59"),
        (Punch("7006", packed_at(now + timedelta(days=3))), f"{now + timedelta(days=3):%F %T}"),
        (Punch("7007", packed(2099, 1, 1)), "2099-01-01 00:00:00"),
    ]
    doubles = [good[chance.randrange(len(good))][0] for _ in range(53)]
    log = [punch for punch, _ in good]
    for n, (punch, _) in enumerate(bad):
        log.insert(1 + n * 13_000, punch)
    for n, punch in enumerate(doubles):
        log.insert(50_000 + n * 900, punch)
    assert len(log) == BIG

    program = fresh_program(tmp_path)
    report = program("roster", "import", str(write_roster(tmp_path / "r.xlsx", people)))
    assert report["created"] == 200 and not report["rejected"]
    with OutsideTerminal(
        "CKJG201560001", log, users_of(people), plan=["cut", "checksum"], payload=65472, ahead_s=95
    ) as terminal:
        add_terminal(program, "大门", terminal)
        (first,) = program("terminal", "pull", "大门")
        assert terminal.readings == 3
        expected = {
            "terminal": "大门", "serial": "CKJG201560001", "reported": BIG, "received": BIG,
            "new": len(good), "duplicate": len(doubles), "quarantined": len(bad), "complete": True,
            "error": None,
        }
        assert {key: first[key] for key in expected} == expected
        assert 90 <= first["clock_offset_s"] <= 100
        (second,) = program("terminal", "pull")
        assert (second["new"], second["complete"], second["received"]) == (0, True, BIG)
        known = program("terminal", "people", "大门")
        names = {row["number"]: row["terminal_name"] for row in known["numbers"]}
        assert names == {str(one.number): one.name for one in people}
        assert_only_read(terminal)

    stick = tmp_path / "1_attlog.dat"
    stick.write_text(
        "".join(stick_line(p, when) for p, when in good) + "".join(stick_line(p, w) for p, w in bad),
        newline="",
    )
    carried = program("punches", "import", str(stick), "--terminal", "大门")
    assert (carried["lines"], carried["new"]) == (BIG - 53, 0)
    assert carried["duplicate"] == len(good) and not carried["rejected"]
    verdict = program("ledger", "verify")
    assert verdict["ok"] and verdict["first_bad"] is None
    assert verdict["punches"] == len(good)
    assert verdict["quarantined"] in (len(bad), 2 * len(bad))  # the stick's are other raw bytes
    assert not wrong_cells(program("attendance", "show", MONTH), people, times)


# ── every fault ─────────────────────────────────────────────────────────────────────────────────

# Per terminal: faults of the first reading (each must be tried again), and how it talks.
SHAPES: dict[str, tuple[list[str], dict[str, Any]]] = {
    "一号": (["cut", "checksum"], {}),
    "二号": (["reset", "announce_2gb"], {}),
    "三号": (["announce_small", "head_lies"], {}),
    "四号": (["announce_ragged", "prepare_2gb"], {}),
    "五号": (["frame_2gb", "reboot"], {}),
    "六号": (["short_chunk"], {"pieces": "split", "payload": 1000}),
    "七号": (["cut"], {"pieces": "coalesced", "payload": 1000}),
    "八号": (["stall", "checksum"], {"buffered": False, "count_says": 0}),
}
PEOPLE = 48
PULL_LIMIT_S = 75
"""Three attempts, 2 + 4 s between, 15 s for the one silence, and a busy machine."""


class Yard:
    """Eight gates; every day's punches are made at one of them."""

    def __init__(self, people: list[Person]) -> None:
        self.people = people
        self.chance = random.Random(9)
        self.times: dict[tuple[str, date], list[datetime]] = defaultdict(list)
        self.terminals: dict[str, OutsideTerminal] = {}
        self.made: dict[str, set[Punch]] = defaultdict(set)

    def day(self, name: str, day: date) -> list[Punch]:
        """What one gate logs on one day, in the order of time."""
        punches = []
        for place, one in enumerate(self.people, 1):
            for when in shift(day, self.chance):
                self.times[str(one.number), day].append(when)
                punches.append(Punch(str(one.number), packed_at(when), index=place))
        punches.sort(key=lambda punch: punch.when)
        self.made[name].update(punches)
        return punches

    def days_of(self, place: int, first: date, last: date) -> Iterator[date]:
        """The days of the gate at ``place``."""
        day = first
        while day <= last:
            if day.toordinal() % len(SHAPES) == place:
                yield day
            day += timedelta(days=1)

    def passes(self, first: date, last: date) -> None:
        """Days go by."""
        for place, (name, terminal) in enumerate(self.terminals.items()):
            for day in self.days_of(place, first, last):
                terminal.punch(self.day(name, day))

    def plan(self, **faults: str) -> None:
        """The next reading's fault of some terminals; the others are sound."""
        for name, terminal in self.terminals.items():
            fault = faults.get(name, "")
            terminal.plan = [""] * terminal.readings + ([fault] if fault else [])

    def distinct(self) -> int:
        """Punches the terminals really hold, each once."""
        return sum(len(set(terminal.log)) for terminal in self.terminals.values())


@pytest.fixture
def yard() -> Iterator[Yard]:
    made = Yard(make_people(PEOPLE))
    with ExitStack() as stack:
        for n, (name, (plan, manners)) in enumerate(SHAPES.items()):
            terminal = OutsideTerminal(
                f"CKJG20156010{n}", [], users_of(made.people), plan=list(plan),
                **{"payload": 7000, **manners},
            )
            made.terminals[name] = stack.enter_context(terminal)
        made.passes(date(2026, 4, 1), date(2026, 10, 12))
        yield made


def by_name(results: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The list of a pull, by terminal."""
    names = [one["terminal"] for one in results]
    assert len(set(names)) == len(names)
    return {one["terminal"]: one for one in results}


def test_every_fault_of_a_terminal(tmp_path: Path, yard: Yard) -> None:
    """Takes about 17 s for one silence, and 6 s twice for the waits between attempts."""
    program = fresh_program(tmp_path)
    program("roster", "import", str(write_roster(tmp_path / "r.xlsx", yard.people)))
    for name, terminal in yard.terminals.items():
        add_terminal(program, name, terminal)

    # Every fault once or twice, then a sound reading.
    answer = program.run("terminal", "pull")
    assert answer.code == 0, answer.stderr
    assert answer.seconds < PULL_LIMIT_S
    results = by_name(answer.document)
    assert list(results) == list(SHAPES)
    for name, one in results.items():
        terminal, count = yard.terminals[name], len(yard.made[name])
        assert terminal.readings == len(SHAPES[name][0]) + 1, name
        assert (one["received"], one["new"], one["duplicate"], one["quarantined"]) == (count, count, 0, 0)
        assert one["complete"] is True and one["error"] is None
        assert one["reported"] in (count, 0 if name == "八号" else count)

    # Days later: growth, live events, an old part that reads differently once.
    yard.passes(date(2026, 10, 13), date(2026, 10, 22))
    yard.plan(一号="grow", 二号="grow_late", 三号="altered", 四号="dropped_old", 六号="events", 七号="events")
    before = {name: len(set(terminal.log)) for name, terminal in yard.terminals.items()}
    answer = program.run("terminal", "pull")
    assert answer.code == 0 and answer.seconds < PULL_LIMIT_S
    results = by_name(answer.document)
    for name, one in results.items():
        after = len(set(yard.terminals[name].log))
        assert before[name] <= one["received"] <= after, (name, one)
        assert one["complete"] is True
    assert yard.terminals["三号"].readings == len(SHAPES["三号"][0]) + 3  # read again, sound
    assert yard.terminals["四号"].readings == len(SHAPES["四号"][0]) + 3
    for name in ("六号", "七号"):
        terminal = yard.terminals[name]
        assert terminal.events_acknowledged == terminal.events_sent > 0

    # Some never get well, one stands among them and does.
    yard.plan()
    yard.passes(date(2026, 10, 23), date(2026, 10, 31))
    always = {"一号": "cut", "二号": "checksum", "三号": "announce_2gb", "五号": "announce_small"}
    for name, fault in always.items():
        yard.terminals[name].always = fault
    yard.terminals["六号"].key = 654321
    yard.terminals["七号"].serial = "OTHERUNIT0001"
    yard.terminals["八号"].count_says = len(yard.terminals["八号"].log) + 50
    readings = {name: terminal.readings for name, terminal in yard.terminals.items()}
    tried = yard.terminals["六号"].asked.count(AUTH)
    held = program("ledger", "verify")["punches"]
    answer = program.run("terminal", "pull")
    assert answer.code == 1 and answer.seconds < PULL_LIMIT_S
    results = by_name(answer.document)
    assert list(results) == list(SHAPES)
    sound = results.pop("四号")
    assert sound["complete"] is True and sound["error"] is None and sound["new"] > 0
    for name, one in results.items():
        assert one["complete"] is False and one["new"] == 0 and one["error"], (name, one)
        assert yard.terminals[name].readings - readings[name] <= 3
        assert name in answer.stderr
    assert yard.terminals["六号"].readings == readings["六号"]
    assert yard.terminals["六号"].asked.count(AUTH) == tried + 1  # a wrong key is not tried again
    assert program("ledger", "verify")["punches"] == held + sound["new"]

    # Well again: everything is there once; the next reading finds nothing.
    for name, terminal in yard.terminals.items():
        terminal.always, terminal.key = "", int(KEY)
        terminal.count_says = None
        terminal.serial = f"CKJG20156010{list(SHAPES).index(name)}"
    results = by_name(program("terminal", "pull"))
    assert all(one["complete"] and one["received"] == len(yard.terminals[name].log)
               for name, one in results.items())
    # One log is emptied at the terminal itself; people go on passing.
    emptied = yard.terminals["一号"]
    gone = set(emptied.log)
    emptied.clear()
    emptied.punch([Punch("7001", packed(2026, 11, 2, 7)), Punch("7001", packed(2026, 11, 2, 17))])
    results = by_name(program("terminal", "pull"))
    assert results.pop("一号")["new"] == 2
    assert [one["new"] for one in results.values()] == [0] * len(results)
    verdict = program("ledger", "verify")
    assert verdict["ok"] and verdict["quarantined"] == 0
    assert verdict["punches"] == yard.distinct() + len(gone)
    shown = program("attendance", "show", MONTH)
    assert not wrong_cells(shown, yard.people, yard.times)
    for terminal in yard.terminals.values():
        assert_only_read(terminal)

"""What happens on the invented site in one month: pure data, the same for the same seed.

Every oddity a labour officer meets is in it once: a gate that lost its evening to a power cut, a
few forgotten punches, a rainy stop-work day with somebody at the gate, numbers a terminal already
had, a stranger, a night team, a person who left and one who came.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from desktop.demo.people import InventedPerson, invent_people

FIRST_NUMBER = 100001
"""Numbers of the roster start here, so that a terminal's own small numbers are never the same."""

GENERAL, STEEL, CIVIL, OWNER, SUPERVISOR = (
    "91419000000000019Y", "91419000MA0000007T", "91419000000000027R", "91419000000000035L",
    "91419000000000043F",
)


@dataclass(frozen=True, slots=True)
class DemoTeam:
    """One team of the site."""

    name: str
    company: str
    trade: str
    night: bool = False


@dataclass(frozen=True, slots=True)
class Member:
    """One row of the roster."""

    person: InventedPerson
    worker_no: int
    company: str
    team: DemoTeam | None
    trade: str
    entered: date
    left: date | None = None


@dataclass(frozen=True, slots=True)
class DemoPunch:
    """One punch at one gate; ``number`` as that terminal knows it."""

    number: str
    at: datetime
    method: int = 15


@dataclass(slots=True)
class Scenario:
    """The month as it will be collected. ``gates`` maps terminal names to their punches."""

    first: date
    last: date
    teams: tuple[DemoTeam, ...]
    members: list[Member]
    gates: dict[str, list[DemoPunch]]
    own_numbers: dict[str, Member]
    """Numbers the west gate had before us, and whose they are."""
    outage_team: DemoTeam
    outage_day: date
    forgotten: list[tuple[Member, date]] = field(default_factory=list)
    stop_day: date = date.min


EAST_IN, EAST_OUT, WEST_IN, WEST_OUT = "东门进", "东门出", "西门进", "西门出"
DIRECTIONS = {EAST_IN: "in", EAST_OUT: "out", WEST_IN: "in", WEST_OUT: "out"}

TEAMS = (
    DemoTeam("钢筋一班", STEEL, "钢筋工"), DemoTeam("木工一班", STEEL, "木工"),
    DemoTeam("混凝土夜班", STEEL, "混凝土工", night=True), DemoTeam("瓦工一班", CIVIL, "砌筑工"),
    DemoTeam("架子班", STEEL, "架子工"), DemoTeam("塔吊班", GENERAL, "建筑起重机械安装拆卸工"),
    DemoTeam("钢筋二班", STEEL, "钢筋工"), DemoTeam("木工二班", STEEL, "木工"),
    DemoTeam("瓦工二班", CIVIL, "砌筑工"), DemoTeam("抹灰班", CIVIL, "装饰装修工"),
    DemoTeam("水电班", CIVIL, "建筑电工"), DemoTeam("防水班", CIVIL, "防水工"),
)
"""A small site has the first of them only, see :func:`teams_of`."""
_OUTAGE = 1
_PER_TEAM = 8
"""A site has a team for so many people: with fewer, whole teams would stay away by chance."""


def teams_of(workers: int) -> tuple[DemoTeam, ...]:
    """The teams of a site with ``workers`` people on the roster: three to twelve."""
    return TEAMS[: max(3, min(len(TEAMS), workers // _PER_TEAM))]


MANAGERS = (
    ("项目经理", GENERAL), ("项目技术负责人", GENERAL), ("施工员", GENERAL), ("安全员", GENERAL),
    ("质量员", GENERAL), ("材料员", GENERAL), ("资料员", GENERAL), ("劳务员", GENERAL),
    ("总监理工程师", SUPERVISOR), ("专业监理工程师", SUPERVISOR), ("监理员", SUPERVISOR),
    ("项目管理员", OWNER),
)


def month_of(month: str) -> tuple[date, date]:
    """First and last day of ``YYYY-MM``."""
    first = date.fromisoformat(f"{month}-01")
    return first, (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)


def invent_site(
    month: str, workers: int = 300, *, now: datetime | None = None, seed: int = 20261
) -> Scenario:
    """A whole month of the invented site with ``workers`` people on the roster.

    With ``now`` (local) in the month after, ordinary days go on until that moment.
    """
    chance = random.Random(seed)
    first, last = month_of(month)
    teams = teams_of(workers)
    members = _members(first, last, workers, teams, seed)
    own = {str(n + 1): m for n, m in enumerate(m for m in members[40:240:18] if m.team)}
    scenario = Scenario(
        first, last, teams, members, {name: [] for name in DIRECTIONS}, own,
        outage_team=teams[_OUTAGE], outage_day=first.replace(day=20), stop_day=first.replace(day=27),
    )
    by_own = {member.worker_no: number for number, member in own.items()}
    for member in members:
        for day in _days(member, first, last):
            if day == scenario.stop_day or _absent(member, day, chance):
                continue
            _work(scenario, member, day, by_own.get(member.worker_no), chance)
    _oddities(scenario, chance)
    if now is not None and timedelta(0) < now.date() - last <= timedelta(days=31):
        _go_on(scenario, by_own, now, chance)
    for punches in scenario.gates.values():
        punches.sort(key=lambda punch: punch.at)
    return scenario


def _go_on(
    scenario: Scenario, own: dict[int, str], now: datetime, chance: random.Random
) -> None:
    """The days between the closed month and the present moment."""
    for member in scenario.members:
        if member.left is not None:
            continue
        for n in range(1, (now.date() - scenario.last).days + 1):
            if chance.random() >= 0.1:
                day = scenario.last + timedelta(days=n)
                _work(scenario, member, day, own.get(member.worker_no), chance)
    for gate, punches in scenario.gates.items():
        scenario.gates[gate] = [punch for punch in punches if punch.at <= now]


def _members(
    first: date, last: date, workers: int, teams: Sequence[DemoTeam], seed: int
) -> list[Member]:
    people = invent_people(workers, seed=seed)
    members: list[Member] = []
    for place, person in enumerate(people):
        number = FIRST_NUMBER + place
        entered = first - timedelta(days=30 + place % 90)
        if place < len(MANAGERS) and workers > len(MANAGERS):
            post, company = MANAGERS[place]
            members.append(Member(person, number, company, None, post, entered))
            continue
        team = teams[place % len(teams)]
        left = None
        if place % 60 == 17:
            entered = first + timedelta(days=8)
        elif place % 60 == 29:
            left = last - timedelta(days=6)
        members.append(Member(person, number, team.company, team, team.trade, entered, left))
    return members


def _days(member: Member, first: date, last: date) -> Sequence[date]:
    start, end = max(first, member.entered), min(last, member.left or last)
    return [start + timedelta(days=n) for n in range((end - start).days + 1)]


def _absent(member: Member, day: date, chance: random.Random) -> bool:
    rare = 0.04 if member.team is None else 0.12
    return chance.random() < rare


def _work(
    scenario: Scenario, member: Member, day: date, own: str | None, chance: random.Random
) -> None:
    """One ordinary day of one person, at the gate of his side."""
    west = own is not None or member.worker_no % 3 == 0
    gate_in, gate_out = (WEST_IN, WEST_OUT) if west else (EAST_IN, EAST_OUT)
    number_in = own or str(member.worker_no)
    number_out = str(member.worker_no)

    def at(base: date, hour: int, minute: int, spread: int) -> datetime:
        return datetime.combine(base, time(hour, minute)) + timedelta(
            seconds=chance.randrange(spread * 60)
        )

    def punch(gate: str, moment: datetime) -> None:
        number = number_in if gate == WEST_IN else number_out
        scenario.gates[gate].append(DemoPunch(number, moment))

    if member.team is not None and member.team.night:
        punch(gate_in, at(day, 18, 40, 40))
        punch(gate_out, at(day + timedelta(days=1), 4, 40, 50))
        return
    punch(gate_in, at(day, 6, 20, 50))
    if chance.random() < 0.06:  # half a day
        punch(gate_out, at(day, 9, 5, 60))
        return
    if member.team is scenario.outage_team and day == scenario.outage_day:
        return  # the power cut: the gates out saw nobody of this team
    punch(gate_out, at(day, 11, 35, 25))
    punch(gate_in, at(day, 13, 5, 30))
    punch(gate_out, at(day, 17, 35, 70))


def _oddities(scenario: Scenario, chance: random.Random) -> None:
    """The few things that make findings; each stands once."""
    for member in scenario.members[50:250:45]:
        day = scenario.first.replace(day=11 + member.worker_no % 7)
        if member.team is None or member.team.night or member.team is scenario.outage_team:
            continue
        if member.entered > day or member.left is not None:
            continue
        _drop(scenario, member, day)
        gate = WEST_IN if member.worker_no % 3 == 0 else EAST_IN
        number = next(
            (n for n, m in scenario.own_numbers.items() if m is member and gate == WEST_IN),
            str(member.worker_no),
        )
        scenario.gates[gate].append(DemoPunch(number, datetime.combine(day, time(6, 41, 9))))
        scenario.forgotten.append((member, day))
    rain = datetime.combine(scenario.stop_day, time(8, 2, 40))
    guard = scenario.members[13]
    scenario.gates[EAST_IN].append(DemoPunch(str(guard.worker_no), rain))
    scenario.gates[EAST_OUT].append(DemoPunch(str(guard.worker_no), rain + timedelta(hours=5)))
    stranger = datetime.combine(scenario.first.replace(day=14), time(9, 12, 5))
    scenario.gates[EAST_IN].append(DemoPunch("990001", stranger))
    card = datetime.combine(scenario.first.replace(day=15), time(12, 30, 0))
    scenario.gates[EAST_OUT].append(DemoPunch(str(scenario.members[20].worker_no), card, method=4))
    twice = scenario.gates[EAST_IN][chance.randrange(len(scenario.gates[EAST_IN]) // 4)]
    scenario.gates[EAST_IN].append(DemoPunch(twice.number, twice.at + timedelta(seconds=20)))


def _drop(scenario: Scenario, member: Member, day: date) -> None:
    numbers = {str(member.worker_no)}
    numbers |= {n for n, m in scenario.own_numbers.items() if m is member}
    for gate, punches in scenario.gates.items():
        scenario.gates[gate] = [
            p for p in punches if not (p.number in numbers and p.at.date() == day)
        ]

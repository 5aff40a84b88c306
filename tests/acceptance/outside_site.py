"""A site written by somebody who has never seen the program: roster, sticks and expectations.

Everything here is made from the published texts alone (identity numbers, column heads, attlog
columns, the attendance rule); nothing of the product is imported.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path

import xlsxwriter

MONTH = "2026-10"
FIRST, LAST = date(2026, 10, 1), date(2026, 10, 31)
STATUTORY = {date(2026, 10, 1), date(2026, 10, 2), date(2026, 10, 3)}
STOP_DAYS = {date(2026, 10, 13), date(2026, 10, 14)}
GENERAL, LABOUR = "91419000000000019Y", "91419000MA0000007T"
TEAMS = ("钢筋班", "木工班", "瓦工班", "架子班", "夜间浇筑班")
NIGHT_TEAM = "夜间浇筑班"
GATES = {"北门进": "in", "北门出": "out", "料场": "both"}

PROJECT = f"""
[project]
name = "外部核对项目"
code = "WB01"
address = "某路1号"
permit_no = "X1"
started_on = 2026-01-05
planned_completion_on = 2027-12-31
enclosed = true
pay_day = 15

[[company]]
kind = "施工总承包单位"
name = "外部总包有限公司"
credit_code = "{GENERAL}"
contact = "甲"
phone = "13800000001"

[[company]]
kind = "劳务分包"
name = "外部劳务有限公司"
credit_code = "{LABOUR}"
contact = "乙"
phone = "13800000002"
""" + "".join(
    f"""
[[team]]
name = "{team}"
company = "{LABOUR}"
leader = ""
shift = "{'night' if team == NIGHT_TEAM else 'day'}"
""" for team in TEAMS
) + """
[attendance]
basis = "verification"
"""

HEADS = (
    "姓名", "身份证号码", "工种/岗位", "用人单位", "班组", "进场日期", "退场日期", "联系电话", "人员编号",
    "工资卡号", "性别",
)


def id_number(day: date, sequence: int) -> str:
    """An invented resident number with a valid check digit (GB 11643)."""
    body = f"410000{day:%Y%m%d}{sequence:03d}"
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return body + "10X98765432"[sum(int(d) * w for d, w in zip(body, weights, strict=True)) % 11]


@dataclass
class Worker:
    number: int
    name: str
    identity: str
    team: str
    entered: date
    left: date | None
    punches: list[tuple[str, datetime, int, int]] = field(default_factory=list)
    """gate, time, method, state"""

    def row(self) -> list[object]:
        return [
            self.name, self.identity, "钢筋工", "外部劳务有限公司", self.team,
            self.entered.isoformat(), self.left.isoformat() if self.left else "", "",
            str(self.number), "", "",
        ]


@dataclass
class Site:
    workers: list[Worker]
    rejected: list[tuple[int, str]]
    """(spreadsheet row, head of the column to mend)"""
    rows: int


SURNAMES = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华金魏"


def make_workers(chance: random.Random) -> list[Worker]:
    workers = []
    for place in range(120):
        entered = date(2026, 9, 1) if place % 10 else date(2026, 10, 6)
        left = date(2026, 10, 20) if place % 15 == 7 else None
        born = date(1970 + place % 30, 1 + place % 12, 1 + place % 28)
        workers.append(Worker(
            7001 + place, SURNAMES[place % len(SURNAMES)] + f"{'甲乙丙丁'[place % 4]}{'子丑寅卯辰'[place % 5]}",
            id_number(born, 100 + place), TEAMS[place % 5], entered, left,
        ))
    return workers


def bad_rows(good: list[Worker]) -> list[tuple[list[object], str]]:
    """One row of every error of the format, with the head that must be named."""
    base = ["坏行", id_number(date(1980, 5, 5), 901), "木工", "外部劳务有限公司", "木工班", "2026-09-01", "", "", "", "", ""]

    def changed(**values: object) -> list[object]:
        row = list(base)
        for place, value in values.items():
            row[int(place[1:])] = value
        return row

    return [
        (changed(_0=""), "姓名"),
        (changed(_1=""), "身份证号码"),
        (changed(_2=""), "工种/岗位"),
        (changed(_3=""), "用人单位"),
        (changed(_4=""), "班组"),
        (changed(_5=""), "进场日期"),
        (changed(_1="410000199003070011"), "身份证号码"),
        (changed(_1="410000199002300011"), "身份证号码"),
        (changed(_1="41000019900307001"), "身份证号码"),
        (changed(_1=410000199003070010), "身份证号码"),
        (changed(_1=id_number(date(2012, 3, 3), 902)), "身份证号码"),
        (changed(_0="改名者", _1=good[3].identity), "身份证号码"),
        (changed(_1=id_number(date(1981, 5, 5), 903), _5="2026-02-30"), "进场日期"),
        (changed(_1=id_number(date(1982, 5, 5), 904), _6="2026-08-01"), "退场日期"),
        (changed(_1=id_number(date(1983, 5, 5), 905), _8=str(good[5].number)), "人员编号"),
    ]


def write_roster(path: Path, workers: list[Worker]) -> Site:
    """The spreadsheet: a title row, the heads, good rows with bad ones between."""
    bad = bad_rows(workers)
    rejected = []
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet()
        sheet.write(0, 0, "建筑工人花名册")
        sheet.write_row(1, 0, HEADS)
        row = 2
        for place, worker in enumerate(workers):
            values = worker.row()
            if place == 0:  # full-width digits, blanks and a lower-case x are the same number
                values[1] = " " + str(values[1]).translate(
                    {ord(c): ord(c) + 0xFEE0 for c in "0123456789"}).replace("X", "x")
            for column, value in enumerate(values):
                sheet.write(row, column, value) if value != "" else None
            row += 1
        for values, head in bad:
            for column, value in enumerate(values):
                if value == "":
                    continue
                if isinstance(value, int):
                    sheet.write_number(row, column, value)
                else:
                    sheet.write_string(row, column, str(value))
            rejected.append((row + 1, head))
            row += 1
    return Site(workers, rejected, len(workers) + len(bad))


def make_punches(workers: list[Worker], chance: random.Random) -> None:
    """A month with every case of the rule, at random and by hand."""
    for worker in workers:
        day = date(2026, 9, 29)
        while day <= date(2026, 11, 1):
            _one_day(worker, day, chance)
            day += timedelta(days=1)


def _one_day(worker: Worker, day: date, chance: random.Random) -> None:
    def at(hour: float, spread_min: int = 30) -> datetime:
        return datetime.combine(day, datetime.min.time()) + timedelta(
            hours=hour, seconds=chance.randrange(spread_min * 60))

    def punch(gate: str, when: datetime, method: int = 15) -> None:
        worker.punches.append((gate, when, method, 0 if gate == "北门进" else 1))

    kind = chance.random()
    night = worker.team == NIGHT_TEAM
    start = 18.6 if night else 6.5
    if kind < 0.12:
        return
    if kind < 0.62:
        punch("北门进", at(start))
        punch("北门出", at(start + 9.5))
    elif kind < 0.70:
        punch("北门进", at(start))
        punch("北门出", at(start + 4.2))
        punch("北门进", at(start + 6))
        punch("北门出", at(start + 11))
    elif kind < 0.75:
        punch("北门进", at(start))
    elif kind < 0.80:
        punch("北门出", at(start + 9))
    elif kind < 0.85:
        punch("北门进", at(start))
        punch("北门出", at(start + 2.7, 60))
    elif kind < 0.88:
        punch("料场", at(start))
        punch("料场", at(start + 8))
    elif kind < 0.91:
        first = at(start)
        punch("北门进", first)
        punch("北门进", first + timedelta(seconds=chance.choice((1, 30, 59, 61, 90))))
        punch("北门出", at(start + 8))
    elif kind < 0.94:  # card or password: never counts
        punch("北门进", at(start), method=chance.choice((2, 3, 4)))
        punch("北门出", at(start + 9))
    elif kind < 0.97:  # out after midnight, around the cut
        punch("北门进", at(17.5))
        punch("北门出", datetime.combine(day, datetime.min.time()) + timedelta(
            hours=24 + chance.uniform(1, 6)))
    else:  # in without out, out more than 16 h later
        punch("北门进", at(5))
        punch("北门出", at(22.5, 80))


def write_sticks(folder: Path, workers: list[Worker]) -> dict[str, Path]:
    """One attlog.dat per gate, each in another variant of the format."""
    lines: dict[str, list[tuple[datetime, str, int, int]]] = {gate: [] for gate in GATES}
    for worker in workers:
        for gate, when, method, state in worker.punches:
            lines[gate].append((when, str(worker.number), method, state))
    paths = {}
    for n, (gate, rows) in enumerate(lines.items(), 1):
        rows.sort()
        body = []
        for when, number, method, state in rows:
            stamp = f"{when:%Y-%m-%d %H:%M:%S}"
            if n == 1:
                body.append(f"{number:>9}\t{stamp}\t{n}\t{state}\t{method}\t0\r\n")
            elif n == 2:
                body.append(f"{number}\t{stamp}\t{n}\t{state}\t{method}\t0\t0\t0\n")
            else:
                body.append(f"{number},{stamp},{n},{state},{method},0\r\n")
        text = "".join(body)
        if n == 1:  # bad lines between good ones, a duplicate, an impossible and an old date
            text += "   7001\t2026-13-05 07:00:00\t1\t0\t15\t0\r\n"
            text += "   7001\t2009-01-01 07:00:00\t1\t0\t15\t0\r\n"
            text += "   7001\t2099-01-01 07:00:00\t1\t0\t15\t0\r\n"
            text += body[0]
            text += " 990099\t2026-10-09 07:00:00\t1\t0\t15\t0\r\n"
        paths[gate] = folder / f"{n}_attlog.dat"
        paths[gate].write_bytes((b"\xef\xbb\xbf" if n == 2 else b"") + text.encode())
    return paths


# ── the rule, once more, from its text ──────────────────────────────────────────────────────────


def expected_cells(worker: Worker) -> dict[int, tuple[str, float]]:
    """Symbol and value of every day of the month for one worker."""
    night = worker.team == NIGHT_TEAM
    last_kept: dict[str, datetime] = {}
    opened: datetime | None = None
    days: dict[date, list[datetime]] = {}
    for gate, when, method, _state in sorted(set(worker.punches), key=lambda p: (p[1], p[0] != "北门进")):
        if method in (2, 3, 4):
            continue
        way = GATES[gate]
        before = last_kept.get(way)
        if before is not None and when - before <= timedelta(seconds=60):
            continue
        four = (when - timedelta(hours=4)).date()
        unpaired = (when - timedelta(hours=12)).date() if night else four
        closes = False
        if way == "in":
            day = four
        elif way == "out" and opened is not None and when - opened <= timedelta(hours=16):
            day, closes = (opened - timedelta(hours=4)).date(), True
        else:
            day = unpaired
        if day < worker.entered or (worker.left is not None and day > worker.left):
            continue
        last_kept[way] = when
        if way == "in":
            opened = when
        elif way == "out":
            opened = None
        del closes
        days.setdefault(day, []).append(when)
    cells = {}
    for n in range(1, 32):
        day = FIRST.replace(day=n)
        cells[n] = _cell(worker, day, days.get(day, []), night)
    return cells


def _cell(worker: Worker, day: date, punches: list[datetime], night: bool) -> tuple[str, float]:
    if not punches:
        if day in STOP_DAYS:
            return "停", 0
        if day in STATUTORY:
            return "节", 0
        if day < worker.entered or (worker.left is not None and day > worker.left):
            return "—", 0
        return "○", 0
    if len(punches) == 1:
        return "?", 0
    span = max(punches) - min(punches)
    if span >= timedelta(hours=4):
        first = min(punches)
        dark = night or first.hour >= 18 or first.hour < 4
        return ("夜" if dark else "√"), 1
    if span >= timedelta(hours=2):
        return "半", 0.5
    return "?", 0

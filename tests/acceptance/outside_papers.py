"""A month of a whole site, closed and printed by the command line, for those who read the papers.

Sixty workers in four teams, managers of three units, rare characters and a long minority name, one
who left and came back into another team, one who was moved, an explained day, a leaver's slip, a
board.
Nothing of the product is imported.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import xlsxwriter

from tests.acceptance.outside_packets import Punch, packed_at
from tests.acceptance.outside_program import TEAMS, Person, Program, make_people
from tests.acceptance.outside_site import GENERAL, LABOUR, id_number
from tests.acceptance.outside_terminal import OutsideTerminal

MONTH = "2026-10"
FIRST, LAST = date(2026, 10, 1), date(2026, 10, 31)
OWNER, SUPERVISION = "91410000MA0000001Q", "91410000MA00000055"
KEY = "739184"
SIZES = {"钢筋班": 25, "木工班": 19, "瓦工班": 12, "架子班": 4}
"""A sheet of two pages, one exactly full, a short one, a very short one."""
LONG_NAME = "买买提·阿不都热合曼·吐尔逊"
RARE_NAMES = ("𠮷建国", "王䶮华", "李𬭎生", LONG_NAME)
HEADS = (
    "姓名", "身份证号码", "工种/岗位", "用人单位", "班组", "进场日期", "退场日期", "联系电话", "人员编号",
    "工资卡银行", "工资卡号", "住址", "紧急联系人", "紧急联系电话",
)

STAFF = (
    ("建设单位项目负责人", "甄业明", "19900000101", OWNER),
    ("项目经理", "项经理", "19900000102", GENERAL),
    ("劳资专管员", "劳专员", "19900000103", GENERAL),
    ("总监理工程师", "宗监理", "19900000104", SUPERVISION),
)
COMPANIES = (
    ("建设单位", "外部置业有限公司", OWNER, "甄业主", "19900000011"),
    ("施工总承包单位", "外部总包有限公司", GENERAL, "宗总包", "19900000012"),
    ("监理单位", "外部监理有限公司", SUPERVISION, "簡監理", "19900000013"),
    ("劳务分包", "外部劳务有限公司", LABOUR, "老劳务", "19900000014"),
)
PROJECT = """
[project]
name = "外部核对三号项目"
code = "WB03"
address = "某路3号"
permit_no = "X3"
started_on = 2026-01-05
planned_completion_on = 2027-12-31
enclosed = true
pay_day = 15

[project.floor_wage]
monthly = "2100"
hourly = "20.6"
document = "豫政〔2023〕43号"
effective_from = 2024-01-01
""" + "".join(
    f'\n[[company]]\nkind = "{kind}"\nname = "{name}"\ncredit_code = "{code}"\ncontact = "{contact}"\n'
    f'phone = "{phone}"\n' for kind, name, code, contact, phone in COMPANIES
) + "".join(
    f'\n[[staff]]\npost = "{post}"\nname = "{name}"\nphone = "{phone}"\ncompany = "{company}"\n'
    for post, name, phone, company in STAFF
) + """
[board]
labour_inspection_phone = "0391-0000001"
housing_phone = "0391-0000002"
arbitration = "某地仲裁委员会，0391-0000003"
legal_aid = "某地法律援助中心，0391-0000004"
hotlines = ["12333", "12345", "12348"]
competent_department = "某地住房和城乡建设局"
project_dept_phone = "0391-0000005"
""" + "".join(
    f'\n[[team]]\nname = "{team}"\ncompany = "{LABOUR}"\nleader = ""\nshift = "day"\n' for team in TEAMS
) + '\n[attendance]\nbasis = "verification"\n'


@dataclass(frozen=True)
class PaperSite:
    """A closed month: rows of the roster, who stands on which sheet, what was written."""

    program: Program
    rows: list[Person]
    out: Path
    month_files: list[dict[str, Any]]
    slip_files: list[dict[str, Any]]
    board_files: list[dict[str, Any]]

    def on_sheet(self, name: str) -> list[int]:
        """Numbers of those on the sheet of a team, or of a company's managers."""
        return sorted(
            one.number for one in self.rows if (one.team or one.company) == name
        )

    def files(self, kind: str, ending: str) -> list[dict[str, Any]]:
        """Month files of one kind."""
        return [
            one for one in self.month_files if one["kind"] == kind and one["path"].endswith(ending)
        ]

    @property
    def secrets(self) -> list[str]:
        """Every name, identity number, phone, card and address that must lie nowhere in the open."""
        words = {word for _, name, phone, _ in STAFF for word in (name, phone)}
        words |= {word for *_, contact, phone in COMPANIES for word in (contact, phone)}
        for one in self.rows:
            words |= {one.name, one.identity, one.phone, one.card}
        words |= {self.address_of(one) for one in self.rows}
        words |= {self.friend_of(one) for one in self.rows}
        return sorted(words - {""})

    @staticmethod
    def address_of(one: Person) -> str:
        """An invented address."""
        return f"某省某市某区无名巷{one.number}号"

    @staticmethod
    def friend_of(one: Person) -> str:
        """The telephone of the person to call in need."""
        return f"1391111{one.number % 10000:04d}"


def people_of_the_site() -> list[Person]:
    """One row per membership: two people stand there twice, once per team."""
    workers = make_people(60, first=70010001)
    teams = [team for team, size in SIZES.items() for _ in range(size)]
    workers = [
        replace(one, team=team, card=f"62220000{place:011d}", phone=f"1370000{place:04d}")
        for place, (one, team) in enumerate(zip(workers, teams, strict=True))
    ]
    for place, name in zip((0, 3, 20, 50), RARE_NAMES, strict=True):
        workers[place] = replace(workers[place], name=name)
    leaver = 5
    workers[leaver] = replace(workers[leaver], left=date(2026, 10, 20))
    for place, other in ((7, "瓦工班"), (46, "钢筋班")):
        before = replace(workers[place], left=date(2026, 10, 15))
        workers[place] = before
        workers.append(replace(before, team=other, entered=date(2026, 10, 16), left=None))
    managers = [
        Person(70020001 + n, name, id_number(date(1975, 3, 1 + n), 801 + n), "",
               phone=f"1360000{n:04d}", trade=post, company=company)
        for n, (name, post, company) in enumerate((
            ("项经理", "项目经理", "外部总包有限公司"), ("安全来", "安全员", "外部总包有限公司"),
            ("宗监理", "总监理工程师", "外部监理有限公司"), ("施工长", "施工员", "外部劳务有限公司"),
        ))
    ]
    return workers + managers


MOVED = (70010047, "钢筋班", date(2026, 10, 16))
"""Whom a command moves to which team from when; the roster knows only the time before."""


def write_roster(path: Path, rows: list[Person]) -> Path:
    """The spreadsheet with personal data in every column that may hold some."""
    rows = [
        replace(one, left=None) if one.number == MOVED[0] else one
        for one in rows if (one.number, one.team) != MOVED[:2]
    ]
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, HEADS)
        for place, one in enumerate(rows, 1):
            sheet.write_row(place, 0, [
                one.name, one.identity, one.trade, one.company, one.team, one.entered.isoformat(),
                one.left.isoformat() if one.left else "", one.phone, str(one.number),
                "中国建设银行" if one.card else "", one.card, PaperSite.address_of(one), "亲友某",
                PaperSite.friend_of(one),
            ])
    return path


def make_log(rows: list[Person]) -> list[Punch]:
    """In at seven, out at five, every day of the month and of the stay; one person misses a day."""
    log = []
    day = FIRST
    while day <= LAST:
        for place, one in enumerate(rows):
            if not one.entered <= day <= (one.left or LAST):
                continue
            if place == 10 and day == date(2026, 10, 9):
                continue
            for hour in (7, 17):
                when = datetime(day.year, day.month, day.day, hour, place % 50, day.day)
                log.append(Punch(str(one.number), packed_at(when), index=place + 1))
        day += timedelta(days=1)
    log.sort(key=lambda punch: punch.when)
    return log


def closed_month(folder: Path) -> PaperSite:
    """The site made in ``folder``; its book is closed and must stay as it is."""
    program, rows = Program(folder), people_of_the_site()
    (folder / "project.toml").write_text(PROJECT, encoding="utf-8")
    (folder / "key.txt").write_text(KEY + "\n")
    program("init", "--project", str(folder / "project.toml"), "--recovery-out", str(folder / "r.txt"))
    report = program("roster", "import", str(write_roster(folder / "roster.xlsx", rows)))
    assert not report["rejected"], report["rejected"]
    number, team, day = MOVED
    program("team", "move", team, "--worker", str(number), "--from", day.isoformat())
    with OutsideTerminal("CKJG201569004", make_log(rows), key=int(KEY)) as terminal:
        program("terminal", "add", "大门", "--driver", "zk", "--address", terminal.address,
                "--password-file", str(folder / "key.txt"))
        assert program("terminal", "pull")[0]["complete"]
    stick = folder / "1_attlog.dat"
    stick.write_text("70010001\t2026-10-12 12:00:00\t1\t0\t15\t0\r\n", newline="")
    assert program("punches", "import", str(stick), "--terminal", "大门")["new"] == 1
    number = program(
        "explain", "add", "--worker", str(rows[10].number), "--day", "2026-10-09", "--value", "1",
        "--reason", "设备故障", "--text", "东门断电", "--evidence", "维修单",
    )["number"]
    program("explain", "approve", str(number))
    out = folder / "papers"
    slip = program("month", "export", MONTH, "--worker", str(rows[5].number), "--until", "2026-10-20",
                   "--out", str(out))
    program("month", "freeze", MONTH, "--accept-open", "外部核对")
    made = program("month", "export", MONTH, "--out", str(out))
    board = program("board", "export", "--size", "A3", "--out", str(out))
    program("roster", "export", str(out / "roster.xlsx"), "--reason", "外部核对")
    return PaperSite(program, rows, out, made["files"], slip["files"], board["files"])

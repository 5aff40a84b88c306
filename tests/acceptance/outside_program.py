"""The program as a stranger has it: a process, its exit code, its JSON, its folders.

Every process gets a home, a temporary folder and XDG folders of its own, so that all it leaves
anywhere can be looked at. Nothing of the product is imported.
"""

from __future__ import annotations

import atexit
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import xlsxwriter

from tests.acceptance.outside_site import GENERAL, HEADS, LABOUR, id_number

SECRET = "外部口令-0002"
TEAMS = ("钢筋班", "木工班", "瓦工班", "架子班")


@dataclass(frozen=True)
class Answer:
    """What one run of the program came to."""

    code: int
    document: Any
    stderr: str
    seconds: float
    worked_s: float
    """Processor time, which does not depend on what else the machine does."""


class Program:
    """The command line on one book; ``folder`` holds the book, the secret and the process's home."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.book = folder / "book"
        self.secret = folder / "pass.txt"
        self.secret.write_text(SECRET + "\n", encoding="utf-8")
        self.home = folder / "home"
        self.temporary = folder / "tmp"
        for path in (self.home, self.temporary):
            path.mkdir(exist_ok=True)

    @property
    def environment(self) -> dict[str, str]:
        """Of every process: nothing of this machine's user is in reach."""
        kept = {
            name: value for name, value in os.environ.items()
            if not name.startswith(("XDG_", "SITEMUSTER")) and name not in ("DBUS_SESSION_BUS_ADDRESS",)
        }
        homes = {
            f"XDG_{name}_HOME": str(self.home / name.lower())
            for name in ("DATA", "CONFIG", "STATE", "CACHE")
        }
        temporary = dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(self.temporary))
        return {
            **kept, **homes, **temporary, "HOME": str(self.home), "PYTHONIOENCODING": "utf-8",
            "QT_QPA_PLATFORM": "offscreen",
        }

    def line(self, *command: str) -> list[str]:
        """The whole command line."""
        return [
            sys.executable, "-m", "desktop", "--data-dir", str(self.book), "--json",
            "--passphrase-file", str(self.secret), *command,
        ]

    def start(self, *command: str) -> subprocess.Popen[bytes]:
        """A process of its own group, to be killed."""
        return subprocess.Popen(
            self.line(*command), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env=self.environment, start_new_session=True,
        )

    def run(self, *command: str) -> Answer:
        """Run to the end, whatever the exit code."""
        began, worked = time.monotonic(), os.times()
        made = subprocess.run(
            self.line(*command), capture_output=True, text=True, encoding="utf-8", timeout=240,
            env=self.environment,
        )
        try:
            document = json.loads(made.stdout)
        except ValueError:
            document = None
        now = os.times()
        return Answer(
            made.returncode, document, made.stderr, time.monotonic() - began,
            now.children_user + now.children_system - worked.children_user - worked.children_system,
        )

    def __call__(self, *command: str, code: int = 0) -> Any:
        """The JSON of a run that must end with ``code``."""
        answer = self.run(*command)
        assert answer.code == code, (command[:3], answer.code, answer.stderr[-3000:])
        assert answer.document is not None, (command[:3], answer.stderr[-3000:])
        return answer.document

    def copy(self, folder: Path) -> Program:
        """The same book somewhere else; it is closed while it is copied."""
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copytree(self.book, folder / "book")
        return Program(folder)


def project_text(teams: tuple[str, ...] = TEAMS, started: date = date(2026, 1, 5)) -> str:
    """A project file: two companies, day teams."""
    parts = [f"""
[project]
name = "外部核对二号项目"
code = "WB02"
address = "某路2号"
permit_no = "X2"
started_on = {started.isoformat()}
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
"""]
    parts += [
        f'\n[[team]]\nname = "{team}"\ncompany = "{LABOUR}"\nleader = ""\nshift = "day"\n'
        for team in teams
    ]
    parts.append('\n[attendance]\nbasis = "verification"\n')
    return "".join(parts)


@cache
def _template() -> Path:
    """A closed book with the project and nobody in it, once per test process."""
    folder = Path(tempfile.mkdtemp(prefix="outside-template-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    program = Program(folder)
    (folder / "project.toml").write_text(project_text(), encoding="utf-8")
    program("init", "--project", str(folder / "project.toml"), "--recovery-out", str(folder / "r.txt"))
    return folder


def fresh_program(folder: Path) -> Program:
    """A new book with the project of :func:`project_text`."""
    return Program(_template()).copy(folder)


@dataclass(frozen=True)
class Person:
    """One row of a roster."""

    number: int
    name: str
    identity: str
    team: str
    phone: str = ""
    card: str = ""
    entered: date = date(2026, 2, 1)
    left: date | None = None
    trade: str = "钢筋工"
    company: str = "外部劳务有限公司"


SURNAMES = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华金魏陶姜戚谢邹喻柏水窦章"
GIVEN = "建国红梅永强秀英卫东桂兰长河小龙大勇玉珍"


def make_people(count: int, first: int = 7001) -> list[Person]:
    """Invented people, all names different."""
    people = []
    for place in range(count):
        born = date(1968 + place % 35, 1 + place % 12, 1 + place % 28)
        name = (
            SURNAMES[place % len(SURNAMES)] + GIVEN[place // len(SURNAMES) % len(GIVEN)]
            + GIVEN[(place * 7 + 3) % len(GIVEN)]
        )
        people.append(Person(
            first + place, name, id_number(born, 100 + place % 900), TEAMS[place % len(TEAMS)],
            phone=f"1390000{place:04d}",
        ))
    return people


def write_roster(path: Path, people: list[Person]) -> Path:
    """The spreadsheet of ``people``, heads in the first row."""
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, HEADS)
        for row, one in enumerate(people, 1):
            sheet.write_row(row, 0, [
                one.name, one.identity, one.trade, one.company, one.team, one.entered.isoformat(),
                one.left.isoformat() if one.left else "", one.phone, str(one.number), one.card, "",
            ])
    return path


def traces(folders: list[Path], words: list[str]) -> list[tuple[str, str]]:
    """Where a word lies open in the bytes or the names of files: (file, first word found there).

    Looked for in UTF-8, both UTF-16 orders and GB 18030, in every file under ``folders``.
    """
    forms = {
        word.encode(code): word
        for word in words for code in ("utf-8", "utf-16-le", "utf-16-be", "gb18030")
    }
    found = []
    for path in (path for folder in folders for path in sorted(folder.rglob("*"))):
        content = path.read_bytes() if path.is_file() else b""
        for form, word in forms.items():
            if form in content or word in path.name:
                found.append((str(path), word))
                break
    return found

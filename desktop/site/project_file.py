"""project.toml: the settings file a book is made from (design §4).

Reads and checks, stores nothing. Unknown keys, wrong types and broken references are refused with
the table and the key; missing board items are allowed here and refused when the board is printed.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from desktop.errors import Refused
from desktop.paths import read_regular
from desktop.site import codes
from desktop.site.rules import RuleError, RulePack, check_credit_code, overridable, rule_pack
from desktop.site.settings_table import MAX_ENTRIES, SettingsTable, short_word
from desktop.site.tables import Shift

MAX_BYTES = 256 * 1024
"""A settings file of a site has a few kilobytes; anything larger is another file."""

BOARD_TEXTS = (
    "labour_inspection_phone", "housing_phone", "arbitration", "legal_aid",
    "competent_department", "project_dept_phone",
)


@dataclass(frozen=True, slots=True)
class CompanyEntry:
    """One ``[[company]]``; ``kind`` is a code of ``corp_type``."""

    kind: str
    name: str
    credit_code: str
    contact: str
    phone: str


@dataclass(frozen=True, slots=True)
class StaffEntry:
    """One ``[[staff]]``; ``company`` is a credit code of the file, or empty."""

    post: str
    name: str
    phone: str
    company: str


@dataclass(frozen=True, slots=True)
class TeamEntry:
    """One ``[[team]]``; ``company`` is a credit code of the file."""

    name: str
    company: str
    leader: str
    shift: Shift


@dataclass(frozen=True, slots=True)
class FloorWageEntry:
    """``[project.floor_wage]``; amounts in yuan, as printed."""

    monthly: str
    hourly: str
    document: str
    effective_from: date


@dataclass(frozen=True, slots=True)
class ProjectFile:
    """A checked settings file. ``board`` keeps the typed items by key, ``hotlines`` as a list."""

    name: str
    code: str
    address: str
    permit_no: str
    started_on: date | None
    planned_completion_on: date | None
    enclosed: bool
    pay_day: int | None
    floor_wage: FloorWageEntry | None
    companies: tuple[CompanyEntry, ...]
    staff: tuple[StaffEntry, ...]
    teams: tuple[TeamEntry, ...]
    board: Mapping[str, str | list[str]]
    rules: RulePack
    warnings: tuple[str, ...] = ()


def read_project_file(path: Path) -> ProjectFile:
    """Read and check ``path``. Raises :class:`Refused` naming the table and the key at fault."""
    try:
        content = read_regular(path, MAX_BYTES)
    except OSError as error:
        raise Refused(
            "project_file_unreadable", f"读不到设置文件「{path.name}」，未做任何改动。请检查路径与权限。"
        ) from error
    if len(content) > MAX_BYTES:
        raise Refused(
            "project_file_too_large",
            f"「{path.name}」超过{MAX_BYTES // 1024} KB，不像是项目设置文件，未做任何改动。请检查是否选错文件。",
        )
    return parse_project(_toml(content))


def _toml(content: bytes) -> dict[str, Any]:
    try:
        return tomllib.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise Refused(
            "project_file_encoding",
            f"设置文件第{line}行不是 UTF-8 文字，未做任何改动。请用记事本“另存为”，编码选 UTF-8。",
            line=line,
        ) from error
    except tomllib.TOMLDecodeError as error:
        line = _line_of(error, content)
        raise Refused(
            "project_file_syntax",
            f"设置文件第{line}行写法有误（TOML 语法），未做任何改动。请检查该行的引号、方括号和等号。",
            line=line,
        ) from error
    except (RecursionError, ValueError) as error:  # absurd nesting, impossible dates and numbers
        raise Refused(
            "project_file_syntax", "设置文件写法有误（TOML 语法），未做任何改动。请对照样例检查。"
        ) from error


def _line_of(error: tomllib.TOMLDecodeError, content: bytes) -> int:
    found = re.search(r"at line (\d+)", str(error))
    return int(found[1]) if found else content.count(b"\n") + 1


def parse_project(document: Mapping[str, Any]) -> ProjectFile:
    """Check a parsed document; see :func:`read_project_file`."""
    root = SettingsTable("", document)
    project = SettingsTable("project", root.take("project", {}))
    wage = _floor_wage(project.take("floor_wage"))
    companies, notes = _companies(root.take("company"))
    by_code = {company.credit_code: company for company in companies}
    result = ProjectFile(
        name=project.text("name", required=True),
        code=project.text("code"),
        address=project.text("address"),
        permit_no=project.text("permit_no"),
        started_on=project.day("started_on"),
        planned_completion_on=project.day("planned_completion_on"),
        enclosed=project.flag("enclosed", True),
        pay_day=project.number("pay_day", 1, 31),
        floor_wage=wage,
        companies=companies,
        staff=tuple(_staff(root.take("staff"), by_code)),
        teams=_teams(root.take("team"), by_code),
        board=_board(root.take("board", {})),
        rules=_rules(root.take("attendance", {})),
        warnings=notes,
    )
    project.end()
    root.end()
    start, finish = result.started_on, result.planned_completion_on
    if start is not None and finish is not None and finish < start:
        raise project.fail("project_file_value", "planned_completion_on", "早于开工日期 started_on")
    return result


def _entries(name: str, content: object) -> Iterator[SettingsTable]:
    if content is None:
        return
    if not isinstance(content, list):
        raise Refused(
            "project_file_type", f"设置文件里「{name}」应写成 [[{name}]]，未做任何改动。", table=name, key="",
        )
    if len(content) > MAX_ENTRIES:
        raise Refused(
            "project_file_value", f"设置文件里 [[{name}]] 超过{MAX_ENTRIES}项，未做任何改动。", table=name, key="",
        )
    for place, entry in enumerate(content, 1):
        yield SettingsTable(name, entry, place)


def _companies(content: object) -> tuple[tuple[CompanyEntry, ...], tuple[str, ...]]:
    found: list[CompanyEntry] = []
    notes: list[str] = []
    for table in _entries("company", content):
        kind_text = table.text("kind", required=True)
        kind = codes.corp_kind(kind_text)
        if kind is None:
            names = "、".join(codes.table("corp_type").values())
            raise table.fail(
                "project_file_value", "kind", f"「{short_word(kind_text)}」不是已知的参建单位类型（{names}）"
            )
        name = table.text("name", required=True)
        entry = CompanyEntry(
            kind, name, _credit_code(table, name, notes), table.text("contact"), table.text("phone")
        )
        table.end()
        for other in found:
            if other.credit_code == entry.credit_code:
                raise table.fail("project_file_duplicate", "credit_code", f"与「{other.name}」重复")
            if other.name == entry.name:
                raise table.fail("project_file_duplicate", "name", f"「{name}」出现两次")
        found.append(entry)
    return tuple(found), tuple(notes)


def _credit_code(table: SettingsTable, company: str, notes: list[str]) -> str:
    """A code of the right form; a wrong check digit is a note, so that it cannot stop a start."""
    check = check_credit_code(table.text("credit_code", required=True))
    meant = f"是否应为 {check.hint}" if check.hint else ""
    if check.problem == "length":
        raise table.fail("project_file_value", "credit_code", "应为18位统一社会信用代码")
    if check.problem == "symbol":
        raise table.fail(
            "project_file_value", "credit_code", f"含有不会出现的字符（字母I、O、S、V、Z等）{meant and '，' + meant}"
        )
    if check.problem:
        notes.append(f"「{company}」的统一社会信用代码校验位不符，{meant}？请核对营业执照。")
    return check.code


def _staff(content: object, companies: Mapping[str, CompanyEntry]) -> Iterator[StaffEntry]:
    for table in _entries("staff", content):
        yield StaffEntry(
            post=table.text("post", required=True),
            name=table.text("name", required=True),
            phone=table.text("phone"),
            company=_reference(table, companies, required=False),
        )
        table.end()


def _teams(content: object, companies: Mapping[str, CompanyEntry]) -> tuple[TeamEntry, ...]:
    found: dict[tuple[str, str], TeamEntry] = {}
    for table in _entries("team", content):
        name = table.text("name", required=True)
        company = _reference(table, companies, required=True)
        shift_text = table.text("shift") or Shift.DAY.value
        if shift_text not in {shift.value for shift in Shift}:
            raise table.fail("project_file_value", "shift", '只能是 "day"（白班）或 "night"（夜班）')
        if (name, company) in found:
            raise table.fail("project_file_duplicate", "name", f"「{short_word(name)}」在同一单位出现两次")
        found[name, company] = TeamEntry(name, company, table.text("leader"), Shift(shift_text))
        table.end()
    return tuple(found.values())


def _reference(table: SettingsTable, companies: Mapping[str, CompanyEntry], *, required: bool) -> str:
    text = table.text("company", required=required)
    code = "".join(text.split()).upper()
    if code and code not in companies:
        raise table.fail(
            "project_file_reference", "company", f"「{short_word(text)}」不是本文件 [[company]] 里的统一社会信用代码"
        )
    return code


def _floor_wage(content: object) -> FloorWageEntry | None:
    if content is None:
        return None
    table = SettingsTable("project.floor_wage", content)
    monthly, hourly = table.yuan("monthly"), table.yuan("hourly")
    document = table.text("document")
    since = table.day("effective_from")
    table.end()
    if since is None:
        if monthly or hourly or document:
            raise table.fail("project_file_missing", "effective_from", "没有填写")
        return None
    return FloorWageEntry(monthly, hourly, document, since)


def _board(content: object) -> dict[str, str | list[str]]:
    table = SettingsTable("board", content)
    items: dict[str, str | list[str]] = {}
    for key in BOARD_TEXTS:
        if text := table.text(key):
            items[key] = text
    if hotlines := table.texts("hotlines"):
        items["hotlines"] = hotlines
    table.end()
    return items


def _rules(content: object) -> RulePack:
    table = SettingsTable("attendance", content)
    chosen = {key: value for key in overridable() if (value := table.take(key)) is not None}
    table.end()
    try:
        return rule_pack(chosen)
    except RuleError as error:
        raise table.fail("project_file_rule", error.key, f"有误：{error.reason}") from error

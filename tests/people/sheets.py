"""Roster spreadsheets for tests, written by an outside library and converted by an office suite."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import xlsxwriter

from desktop.demo.people import InventedPerson, invent_people
from tests.sample_site import CONCRETE_LABOUR_NAME, GENERAL_CONTRACTOR_NAME, STEEL_LABOUR_NAME

HEADS = (
    "序号", "姓名", "性别", "民族", "身份证号码", "住址", "工种/岗位", "用人单位", "班组", "合同类型",
    "合同编号", "合同开始日期", "合同结束日期", "进场日期", "退场日期", "联系电话", "工资卡银行", "工资卡号",
    "人员编号",
)
TEAM_OF = (
    (STEEL_LABOUR_NAME, "钢筋班"), (STEEL_LABOUR_NAME, "木工班"),
    (CONCRETE_LABOUR_NAME, "架子班"), (CONCRETE_LABOUR_NAME, "混凝土夜班"),
)


def row_of(person: InventedPerson, place: int = 0, **changes: Any) -> dict[str, Any]:
    """A complete, correct row; ``changes`` by head."""
    company, team = TEAM_OF[place % len(TEAM_OF)]
    row: dict[str, Any] = {
        "序号": str(place + 1), "姓名": person.name, "性别": person.sex, "民族": person.nation,
        "身份证号码": person.id_number, "住址": person.address, "工种/岗位": person.trade,
        "用人单位": company, "班组": team, "合同类型": "劳动合同", "合同编号": f"HT-{place + 1:03d}",
        "合同开始日期": "2026-03-01", "合同结束日期": "2026-12-31", "进场日期": "2026-03-02",
        "联系电话": person.phone, "工资卡银行": "样例银行", "工资卡号": person.bank_card,
    }
    row.update(changes)
    return row


def manager_row(person: InventedPerson, post: str = "项目经理", **changes: Any) -> dict[str, Any]:
    """A manager of the general contractor, without a team."""
    base = row_of(person, 0, **{"工种/岗位": post, "用人单位": GENERAL_CONTRACTOR_NAME, "班组": ""})
    base.update(changes)
    return base


def rows_of(count: int, seed: int = 0) -> list[dict[str, Any]]:
    """``count`` correct rows over the four teams of the sample site."""
    return [row_of(person, place) for place, person in enumerate(invent_people(count, seed))]


def write_xlsx(
    path: Path, rows: Iterable[Mapping[str, Any]], heads: Sequence[str] = HEADS, *,
    title: bool = True,
) -> Path:
    """A spreadsheet with an optional title line above the heads; text stays text, dates dates."""
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet("花名册")
        day = book.add_format({"num_format": "yyyy/m/d"})
        if title:
            sheet.write_string(0, 0, "样例花园一期工程 实名制花名册")
        sheet.write_row(1 if title else 0, 0, heads)
        for line, row in enumerate(rows, 2 if title else 1):
            for column, head in enumerate(heads):
                value = row.get(head)
                if isinstance(value, str):
                    sheet.write_string(line, column, value)
                elif isinstance(value, date):
                    moment = datetime(value.year, value.month, value.day)
                    sheet.write_datetime(line, column, moment, day)
                elif value is not None:
                    sheet.write_number(line, column, value)
    return path


def to_xls(path: Path, profile: Path) -> Path:
    """The same workbook as BIFF8, by LibreOffice."""
    office = shutil.which("soffice")
    assert office is not None, "LibreOffice is part of the development set-up"
    subprocess.run(
        [
            office, f"-env:UserInstallation={profile.as_uri()}", "--headless", "--convert-to", "xls",
            "--outdir", str(path.parent), str(path),
        ],
        check=True, capture_output=True, timeout=120,
    )
    return path.with_suffix(".xls")

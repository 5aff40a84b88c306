"""From frozen facts to the inputs of the papers: words and numbers, no layout.

The signing copy and the managers' sheet carry page identities; the notice copy (公示件) carries
neither identity numbers nor phones nor thumb prints (P-2.4.1, regulation §9).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

from desktop.clock import CHINA
from desktop.months.frozen import (
    GENERAL_CONTRACTOR,
    OWNER,
    SUPERVISION,
    FrozenMonth,
    FrozenRow,
    FrozenSheet,
)
from desktop.months.tables import MonthVersion
from reports.sheet import (
    MANAGER_SIGNERS,
    TEAM_SIGNERS,
    PageCode,
    Shade,
    SheetDay,
    SheetInput,
    SheetKind,
    SheetPaper,
    SheetRow,
)

_UNIT_LABELS = {
    GENERAL_CONTRACTOR: "所属单位", SUPERVISION: "监理单位", OWNER: "建设单位",
}
_OWN_SIGNERS = {
    # The unit that the managers belong to confirms its own people; who reviews depends on it.
    GENERAL_CONTRACTOR: ("总包单位负责人（确认，章）", *MANAGER_SIGNERS[1:]),
    SUPERVISION: ("监理单位负责人（确认，章）", "劳资专管员（制表）", "监理公司（审核，章）"),
    OWNER: ("建设单位负责人（确认，章）", "劳资专管员（制表）"),
}


@dataclass(frozen=True, slots=True)
class Letterhead:
    """What is printed around the facts and is not part of any digest."""

    version: int
    made_on: date
    leaders: dict[int, str]
    """Team id → team leader, as known when printing."""

    @classmethod
    def of(cls, version: MonthVersion, leaders: dict[int, str]) -> Letterhead:
        """The sheet is dated with the freeze, so that a reprint equals the first print."""
        return cls(version.version, version.frozen_at.astimezone(CHINA).date(), leaders)


def chinese_date(day: date) -> str:
    """``2026年11月1日``."""
    return f"{day.year}年{day.month}月{day.day}日"


def sheet_number(month: str, project_code: str, sheet: int) -> str:
    """``KQ-JY01-202611-003`` (forms.md §0)."""
    return f"KQ-{project_code}-{month.replace('-', '')}-{sheet:03d}"


def signing_input(
    frozen: FrozenMonth, sheet: FrozenSheet, letter: Letterhead, paper: SheetPaper,
    page_code: Callable[[int], PageCode | None] | None,
) -> SheetInput:
    """F02 of a team, or the managers' sheet of a unit."""
    year, month = frozen.month.split("-")
    managers = sheet.head["kind"] == "managers"
    title = "管理人员考勤表" if managers else "建筑工人实名制考勤表"
    kind_code = sheet.head.get("kind_code", "")
    signers = _OWN_SIGNERS.get(kind_code, MANAGER_SIGNERS) if managers else TEAM_SIGNERS
    last = frozen.head["days"][-1][0]
    return SheetInput(
        kind=SheetKind.MANAGERS if managers else SheetKind.SIGNING,
        title=f"{year}年{int(month)}月{title}",
        project=frozen.head["project"],
        contractor=frozen.head["contractor"],
        unit=sheet.head["company"],
        unit_label=_UNIT_LABELS.get(kind_code, "用工单位（分包）"),
        team=sheet.head.get("team", ""),
        leader=letter.leaders.get(sheet.head.get("team_id", 0), ""),
        period=f"{int(month)}月1日—{int(month)}月{last}日",
        construction_days=f"{sheet.head['construction_days']}天",
        method="生物识别考勤机",
        made_on=chinese_date(letter.made_on),
        made_on_iso=letter.made_on.isoformat(),
        number=sheet_number(frozen.month, frozen.head["project_code"], sheet.number),
        version=f"第{letter.version}版" + (" 更正" if letter.version > 1 else ""),
        days=tuple(SheetDay(n, weekday, Shade(shade)) for n, weekday, shade in frozen.head["days"]),
        rows=tuple(sheet_row(row) for row in sheet.rows),
        legend=tuple((symbol, meaning) for symbol, meaning in frozen.head["legend"]),
        rule_label=frozen.head["rule_label"],
        paper=paper,
        signers=signers,
        notes=tuple(sheet.head.get("presence", ())),
        page_code=page_code,
    )


def notice_input(signing: SheetInput, posting_days: int) -> SheetInput:
    """F03 公示件: the same people and days, 签字情况 in place of the signature.

    A 预览 until signatures are recorded (P-2.4.1 wants the signed data on the wall).
    """
    return replace(
        signing,
        kind=SheetKind.NOTICE,
        rows=tuple(replace(row, signed=row.signed or "未签") for row in signing.rows),
        notes=(
            *signing.notes,
            f"公示期：自张贴次日起{posting_days}日　　公示地点：维权信息告示牌旁",
        ),
        marks=("公示件", "预览"),
        statement="",
        page_code=None,
    )


def sheet_row(row: FrozenRow) -> SheetRow:
    """One printed row; counts without any day stay numbers, overtime stays blank."""
    facts = row.facts
    signed, is_signed = "", False
    if facts.get("signed_on_leaving"):
        day = date.fromisoformat(facts["signed_on_leaving"])
        signed, is_signed = f"已退场，{day.day}日已签", True
    return SheetRow(
        worker_no=str(row.worker_no),
        name=row.name,
        trade=facts["trade"],
        cells=tuple((symbol, "") for symbol in facts["cells"]),
        punched_days=_days(facts["punched"]),
        explained_days=_days(facts["explained_days"]) if facts["explained"] else None,
        confirmed_days=_days(facts["confirmed"]),
        nights=Decimal(facts["nights"]) if facts["nights"] else None,
        entry=_month_day(facts["entry"]),
        exit=_month_day(facts["exit"]),
        remark=_remark(facts),
        signed=signed,
        is_signed=is_signed,
    )


def _remark(facts: dict[str, Any]) -> str:
    numbers = sorted(set(facts["explained"].values()))
    words = ["补" + "、".join(f"{number:02d}" for number in numbers)] if numbers else []
    if facts.get("part"):
        words.append("调班组")
    return " ".join(words)


def _days(half_days: int) -> Decimal:
    return Decimal(half_days) / 2


def _month_day(iso: str) -> str:
    return iso[5:]

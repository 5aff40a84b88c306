"""Invented sheets: every symbol, long and rare names, crowded remarks."""

from __future__ import annotations

import random
from decimal import Decimal
from typing import Any

from reports.sheet import (
    MANAGER_SIGNERS,
    PageCode,
    Shade,
    SheetDay,
    SheetInput,
    SheetKind,
    SheetPaper,
    SheetRow,
)

LEGEND = (
    ("√", "出勤一天"),
    ("半", "出勤半天"),
    ("×", "经核实未出勤"),
    ("○", "无打卡记录"),
    ("△", "事假"),
    ("☆", "病假"),
    ("夜", "夜班"),
    ("加n", "加班n小时"),
    ("停", "停工/天气/窝工"),
    ("伤", "工伤"),
    ("公", "公出/培训/法定社会活动"),
    ("节", "法定节假日休息"),
    ("补", "核实说明计一天"),
    ("补半", "核实说明计半天"),
    ("—", "未进场/已退场"),
    ("?", "仅单次打卡，待核"),
)
SYMBOLS = tuple(symbol for symbol, _ in LEGEND if symbol != "加n")
NAMES = (
    "张伟",
    "买买提·阿不都热合曼·吐尔逊",
    "李𠮷",
    "䶮建军",
    "刘𬭎",
    "欧阳修文",
    "古丽米热·艾合买提",
    "阿卜杜热西提·阿卜杜热合曼江·买买提明",
)
TRADES = ("钢筋工", "木工", "建筑起重机械司机（塔式）", "混凝土工", "建筑起重信号司索工", "电工")
REMARKS = ("", "补01、补02", "已退场，20日已签", "调入11-05，自木工班", "更03", "")
RULE = "核验口径：首末次打卡间隔≥4小时计1天，≥2小时计半天"


def row(k: int, days: int, *, notice: bool = False) -> SheetRow:
    """Person ``k``; equal arguments give equal rows."""
    chance = random.Random(k)
    cells = []
    for _ in range(days):
        symbol = chance.choice(("√",) * 9 + SYMBOLS)
        cells.append((symbol, chance.choice(("", "", "2", "10.5")) if symbol == "√" else ""))
    remark = REMARKS[k % len(REMARKS)]
    left = "退场" in remark
    return SheetRow(
        worker_no=str(k + 1) if k % 3 else str(410000000 + k),
        name=NAMES[k % len(NAMES)],
        trade=TRADES[k % len(TRADES)],
        cells=tuple(cells),
        punched_days=Decimal(chance.randrange(63)) / 2,
        explained_days=Decimal("1.5") if k % 4 == 1 else None,
        confirmed_days=Decimal(chance.randrange(63)) / 2,
        overtime=Decimal("12.5") if k % 5 == 2 else None,
        nights=Decimal(chance.randrange(31)) if k % 2 else None,
        entry=f"11-{1 + k % 28:02d}",
        exit="11-20" if left else "",
        remark=remark,
        signed=("已签" if k % 3 else "未签") if notice else (remark if left else ""),
        is_signed=bool(k % 3),
    )


def sheet(
    people: int,
    *,
    days: int = 30,
    kind: SheetKind = SheetKind.SIGNING,
    paper: SheetPaper = SheetPaper.A3,
    **changes: Any,
) -> SheetInput:
    """A sheet of so many people; anything can be changed by name."""
    notice = kind is SheetKind.NOTICE
    managers = kind is SheetKind.MANAGERS
    shades = {5: Shade.WEEKEND, 6: Shade.WEEKEND}
    values: dict[str, Any] = {
        "kind": kind,
        "title": "2026年11月管理人员考勤表" if managers else "2026年11月建筑工人实名制考勤表",
        "project": "济源市样例安置小区二期工程",
        "contractor": "河南样例建设集团有限公司",
        "unit": "济源样例建筑劳务有限公司",
        "unit_label": "监理单位" if managers else "用工单位（分包）",
        "team": "" if managers else "钢筋班",
        "leader": "" if managers else "张建国",
        "period": f"11月1日—11月{days}日",
        "construction_days": "28天",
        "method": "人脸",
        "made_on": "2026年12月01日",
        "made_on_iso": "2026-12-01",
        "number": "KQ-JY01-202611-003",
        "days": tuple(
            SheetDay(
                d + 1,
                "日一二三四五六"[d % 7],
                Shade.HOLIDAY if d == 2 else shades.get((d + 6) % 7, Shade.NONE),
            )
            for d in range(days)
        ),
        "rows": tuple(row(k, days, notice=notice) for k in range(people)),
        "legend": LEGEND,
        "rule_label": RULE,
        "paper": paper,
        "page_code": None if notice else page_code,
        "marks": ("公示件", "预览") if notice else (),
        "notes": notes(kind),
    }
    if managers:
        values["signers"] = MANAGER_SIGNERS
    return SheetInput(**{**values, **changes})


def notes(kind: SheetKind) -> tuple[str, ...]:
    """The line each kind carries above the statement."""
    if kind is SheetKind.MANAGERS:
        return ("项目经理：本月施工日28天，带班25天，占89.3%（要求不少于80%）",)
    if kind is SheetKind.NOTICE:
        return (
            "公示期：自张贴次日起5日，即12月4日至12月8日",
            "公示地点：维权信息告示牌旁",
            "异议电话：0391-0000000",
        )
    return ()


def page_code(page: int) -> PageCode:
    """An identity of the true length."""
    payload = f"SM1:ABCDEFGH:202611:003:{page + 1:03d}:01:ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
    return PageCode(payload, f"003-{page + 1:03d}-01 ABCD-EFGH")

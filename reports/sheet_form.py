"""The measures of the attendance sheets: columns, row heights, type sizes.

Source: forms.md F02 (A3 landscape, usable width 400 mm; A4 landscape as fallback), with the
worker's number (18 mm) in place of the masked ID number (34 mm). The 16 mm this frees go to the
name (+4), to 说明天数 (9) and to the remark (+3). All other widths are the form's. The thumb print
stands last.
"""

from __future__ import annotations

from dataclasses import dataclass

from reports.paper import A3_LANDSCAPE, A4_LANDSCAPE
from reports.sheet import SheetKind, SheetPaper

DAYS = 31

FIRST = ("index", "name", "number", "trade", "entry")
COUNTS = ("punched", "explained", "confirmed", "overtime", "nights")
LAST = ("remark", "signature", "thumb")

HEADS = {
    "index": "序号",
    "name": "姓名",
    "number": "人员编号",
    "trade": "工种/岗位",
    "entry": "进场日期\n退场日期",
    "punched": "打卡天数",
    "explained": "说明天数",
    "confirmed": "确认\n出勤\n天数",
    "overtime": "加班（时）",
    "nights": "夜班",
    "remark": "备注",
    "signature": "工人本人签字",
    "thumb": "按手印",
}
"""A line feed is a break the form wants; all other breaks are fitted."""


@dataclass(frozen=True, slots=True)
class SheetForm:
    """One form on one paper, in paper units; ``columns`` in printing order."""

    paper: tuple[int, int]
    margin: int
    columns: tuple[tuple[str, int], ...]
    row: int
    title: int
    fact: int
    day_head: int
    weekday_head: int
    legend: int
    rule: int
    note: int
    statement: int
    signers: int
    title_pt: float
    fact_pt: float
    head_pt: float
    body_pt: float
    symbol_pt: float
    small_pt: float

    @property
    def widths(self) -> tuple[int, ...]:
        return tuple(width for _, width in self.columns)


def _columns(widths: dict[str, int], day: int) -> tuple[tuple[str, int], ...]:
    first = [(name, widths[name]) for name in FIRST if name in widths]
    days = [(f"d{k}", day) for k in range(1, DAYS + 1)]
    rest = [(name, widths[name]) for name in (*COUNTS, *LAST) if name in widths]
    return (*first, *days, *rest)


_COUNTS_A3 = {"punched": 1100, "explained": 900, "confirmed": 1100, "overtime": 1100, "nights": 900}
_COUNTS_A4 = {"punched": 750, "explained": 700, "confirmed": 750, "overtime": 750, "nights": 650}

_WIDTHS: dict[tuple[SheetPaper, SheetKind], dict[str, int]] = {
    (SheetPaper.A3, SheetKind.SIGNING): {
        "index": 700,
        "name": 2100,
        "number": 1800,
        "trade": 1700,
        "entry": 1400,
        "remark": 1200,
        "signature": 2700,
        "thumb": 1600,
    },
    (SheetPaper.A3, SheetKind.MANAGERS): {
        "index": 700,
        "name": 2700,
        "number": 1800,
        "trade": 2400,
        "entry": 1400,
        "remark": 1500,
        "signature": 2700,
    },
    (SheetPaper.A3, SheetKind.NOTICE): {
        "index": 700,
        "name": 2900,
        "number": 1800,
        "trade": 2600,
        "entry": 1600,
        "remark": 1600,
        "signature": 2000,
    },
    (SheetPaper.A4, SheetKind.SIGNING): {
        "index": 650,
        "name": 2100,
        "trade": 1500,
        "remark": 860,
        "signature": 2600,
        "thumb": 1600,
    },
    (SheetPaper.A4, SheetKind.MANAGERS): {
        "index": 650,
        "name": 2600,
        "trade": 2360,
        "remark": 1100,
        "signature": 2600,
    },
    (SheetPaper.A4, SheetKind.NOTICE): {
        "index": 650,
        "name": 2800,
        "trade": 2460,
        "remark": 1400,
        "signature": 2000,
    },
}
"""On A4 the worker's number stands under the name."""

CODE_SIZE = 2150
"""Page identity: 33 modules on 17.3 mm, plus four modules of quiet zone on each side."""


def form_of(paper: SheetPaper, kind: SheetKind) -> SheetForm:
    """The measures of one form."""
    if paper is SheetPaper.A3:
        return SheetForm(
            paper=A3_LANDSCAPE,
            margin=1000,
            columns=_columns({**_WIDTHS[paper, kind], **_COUNTS_A3}, 700),
            row=950,
            title=1000,
            fact=600,
            day_head=550,
            weekday_head=450,
            legend=700,
            rule=500,
            note=500,
            statement=550,
            signers=2600,
            title_pt=18,
            fact_pt=9.5,
            head_pt=9,
            body_pt=9,
            symbol_pt=10,
            small_pt=8,
        )
    return SheetForm(
        paper=A4_LANDSCAPE,
        margin=800,
        columns=_columns({**_WIDTHS[paper, kind], **_COUNTS_A4}, 490),
        row=900,
        title=1000,
        fact=600,
        day_head=480,
        weekday_head=400,
        legend=660,
        rule=380,
        note=380,
        statement=430,
        signers=1400,
        title_pt=15,
        fact_pt=7.5,
        head_pt=7.5,
        body_pt=8,
        symbol_pt=8,
        small_pt=6.5,
    )

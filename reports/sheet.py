"""The monthly attendance sheets: input, page partition, document.

F02 (the signing copy), the managers' sheet, F03's 公示件 (the notice copy) and the slip of one
leaver come from one input. Every printed word arrives in it, apart from the form's own labels;
nothing here knows the date, a rule or a person. The partition into pages is a function of its own
(:func:`paginate`), because digests are kept per page before anything is painted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum

from reports.paper import Document, LazyPages, Meta


class SheetKind(Enum):
    """Which paper; ``SIGNING`` and ``MANAGERS`` differ in what the caller prints only."""

    SIGNING = "signing"
    """F02: signature and thumb print of every worker."""
    MANAGERS = "managers"
    """管理人员考勤表: signature, no thumb print."""
    NOTICE = "notice"
    """F03 公示件: 签字情况 instead of signature, never a thumb print, no page code needed."""
    SLIP = "slip"
    """One leaver up to a date, A4 portrait; only the first row is printed."""


class SheetPaper(Enum):
    """F02 is A3 landscape; A4 landscape is the fallback of small printers."""

    A3 = "A3"
    A4 = "A4"


class Shade(Enum):
    """How a day's column is tinted."""

    NONE = ""
    WEEKEND = "weekend"
    HOLIDAY = "holiday"


@dataclass(frozen=True, slots=True)
class SheetDay:
    """A day of the month: its number, ``一``…``日``, and its tint."""

    number: int
    weekday: str
    shade: Shade = Shade.NONE


@dataclass(frozen=True, slots=True)
class SheetRow:
    """One person (in one team).

    ``cells`` holds ``(symbol, overtime text)`` of day 1, 2, …, at least one per day of the sheet.
    Counts are ``None`` where the cell stays blank. ``entry`` and ``exit`` are ``MM-DD``.
    ``signed`` is what the signature cell says instead of a signature: ``已签``, ``未签``,
    ``已退场，12日已签``; ``is_signed`` counts towards 已签人数.
    """

    worker_no: str
    name: str
    trade: str
    cells: tuple[tuple[str, str], ...]
    punched_days: Decimal | None
    confirmed_days: Decimal | None
    explained_days: Decimal | None = None
    overtime: Decimal | None = None
    nights: Decimal | None = None
    entry: str = ""
    exit: str = ""
    remark: str = ""
    signed: str = ""
    is_signed: bool = False


@dataclass(frozen=True, slots=True)
class PageCode:
    """Page identity: the QR's payload and the same code in short readable text."""

    payload: str
    human: str


STATEMENT = "本人已核对以上本月出勤记录，确认无误；如有异议请在签字前向劳资专管员提出。"
"""F02, above the signatures."""
NOT_WORKING_TIME = "在场时长不等于工作时长"
NOT_ALTERED = "补 为核实说明，不改动考勤机原始数据"
TEAM_SIGNERS = (
    "班组长",
    "分包单位负责人（章）",
    "劳资专管员（制表）",
    "项目经理（审核，项目部章）",
)
MANAGER_SIGNERS = ("单位负责人（确认，章）", "劳资专管员（制表）", "总监理工程师/公司（审核，章）")


@dataclass(frozen=True, slots=True)
class SheetInput:
    """Everything one sheet prints.

    ``unit_label`` names the unit's part (``用工单位（分包）``, ``监理单位``…). ``team`` and
    ``leader`` are left out of the head when empty. ``notes`` are further lines above the
    statement (80 % sentence, 公示期). ``marks`` are red stamps (``公示件``, ``预览``).
    ``version`` is printed beside the number (``第2版 更正``). ``page_code`` is asked with the
    0-based page number. ``made_on_iso`` dates the files, ``made_on`` is what is printed.
    """

    kind: SheetKind
    title: str
    project: str
    contractor: str
    unit: str
    period: str
    construction_days: str
    method: str
    made_on: str
    number: str
    days: tuple[SheetDay, ...]
    rows: tuple[SheetRow, ...]
    legend: tuple[tuple[str, str], ...]
    rule_label: str
    team: str = ""
    leader: str = ""
    unit_label: str = "用工单位（分包）"
    paper: SheetPaper = SheetPaper.A3
    signers: tuple[str, ...] = TEAM_SIGNERS
    statement: str = STATEMENT
    notes: tuple[str, ...] = ()
    marks: tuple[str, ...] = ()
    version: str = ""
    page_code: Callable[[int], PageCode | None] | None = None
    made_on_iso: str = "2000-01-01"
    author: str = field(default="")


@dataclass(frozen=True, slots=True)
class PageRows:
    """``rows[first:stop]`` stand on page ``number`` (1-based) of ``total``."""

    number: int
    total: int
    first: int
    stop: int


CAPACITY = {SheetPaper.A3: 19, SheetPaper.A4: 13}
"""Persons per page beside the totals row (F02)."""
KEEP_TOGETHER = 3
"""At least so many persons stand above a last page's signatures."""


def paginate(sheet: SheetInput) -> list[PageRows]:
    """Which rows stand on which page. No rows: one page, ``rows[0:0]``.

    A page that would carry fewer than three people takes some from the page before.
    """
    if sheet.kind is SheetKind.SLIP:
        return [PageRows(1, 1, 0, min(1, len(sheet.rows)))]
    count, capacity = len(sheet.rows), CAPACITY[sheet.paper]
    stops = [*range(capacity, count, capacity), count]
    if len(stops) > 1 and stops[-1] - stops[-2] < KEEP_TOGETHER:
        stops[-2] = count - KEEP_TOGETHER
    firsts = [0, *stops[:-1]]
    return [
        PageRows(k + 1, len(stops), first, stop)
        for k, (first, stop) in enumerate(zip(firsts, stops, strict=True))
    ]


def sheet_document(sheet: SheetInput) -> Document:
    """The sheet as pages, made when they are looked at."""
    from reports.sheet_layout import SheetLayout
    from reports.slip_layout import slip_page

    meta = Meta(sheet.author, sheet.project, sheet.made_on_iso)
    if sheet.kind is SheetKind.SLIP:
        return Document(sheet.title, LazyPages(1, lambda _: slip_page(sheet)), meta)
    layout = SheetLayout(sheet, paginate(sheet))
    return Document(sheet.title, LazyPages(len(layout.pages), layout.page), meta)

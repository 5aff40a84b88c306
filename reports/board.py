"""F01, the rights board (维权信息告示牌): frozen input in, poster out.

The legal content is the union of Article 34 of 《保障农民工工资支付条例》 and section 二（五） of the
实施方案 (forms.md F01). Size and colour are an office custom, no official figure exists: blue band
(RGB 0, 82, 155) with a white title, white body, black text; running text at least 15 mm and phone
numbers 25 mm bold on 1200 × 900 mm, in proportion on smaller sizes.

The board is drawn once per proportion and enlarged: A2 and A1 by √2 and 2 from A3, 1200 × 900 mm
threefold from 400 × 300. One page holds one table, so the A3 page can also become a .docx.

Nothing here knows a date, a rule or whether something is missing by law: a required text that is
empty prints a ruled blank and 「待补充：…」.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from reports.paper import (
    A3_LANDSCAPE,
    Document,
    Item,
    LazyPages,
    Meta,
    Page,
    Rect,
    Window,
    mm,
)

if TYPE_CHECKING:
    from reports.board_layout import BoardLayout

TITLE = "维权信息告示牌"
BAND_BLUE = 0x00529B
"""RGB 0, 82, 155 (forms.md F01)."""

BLEED = mm(5)
"""What a print shop cuts off on every side."""

SIZES: dict[str, tuple[int, int]] = {
    "A3": A3_LANDSCAPE,
    "A2": (mm(594), mm(420)),
    "A1": (mm(841), mm(594)),
    "1200x900": (mm(1200), mm(900)),
}
"""Finished sizes, landscape, in paper units."""

SMALL = (mm(400), mm(300))
"""The model of 1200 × 900 mm at one third."""


@dataclass(frozen=True, slots=True)
class BoardContact:
    """Somebody to call: post as printed (may be empty), name, phone."""

    post: str
    name: str
    phone: str


@dataclass(frozen=True, slots=True)
class BoardParty:
    """A company with its contacts: ``label`` is 建设单位, 施工总承包单位, 监理单位…

    ``required`` posts print a blank to be filled in where name or phone is empty.
    """

    label: str
    name: str
    contacts: tuple[BoardContact, ...]
    required: bool = True


@dataclass(frozen=True, slots=True)
class BoardSubcontractor:
    """One line of 分包单位: name, what it does (专业分包, 劳务分包…), who answers for it."""

    name: str
    kind: str
    contact: str
    phone: str


@dataclass(frozen=True, slots=True)
class BoardHotline:
    """A short number and its name, e.g. 12348 公共法律服务热线."""

    number: str
    name: str


REMINDERS = (
    "依法维权：反映欠薪请带好劳动合同、考勤记录、工资清单等材料，通过以上渠道反映。",
    "捏造事实，或以讨薪为名堵门堵路、扰乱秩序的，依法承担责任。",
)
"""Section 六, own wording after 条例 Art. 52 and 实施方案 二（六）."""


@dataclass(frozen=True, slots=True)
class BoardInput:
    """Everything the board prints; empty optional texts leave their line out.

    Optional: ``project_address``, ``permit_no``, ``started_on``, ``supervisors``,
    ``project_dept_address``, ``subcontractor_officers``, ``wage_bank``, ``report_link`` (a QR
    with ``report_caption``), ``reminders``, further ``hotlines``. Everything else is required and
    prints a blank when empty. ``draft`` adds the mark 临时牌. ``version`` 0 prints no version.
    """

    project_name: str
    owners: tuple[BoardParty, ...]
    contractors: tuple[BoardParty, ...]
    project_dept_phone: str
    competent_department: str
    subcontractors: tuple[BoardSubcontractor, ...]
    labour_officers: tuple[BoardContact, ...]
    wage_monthly: str
    wage_hourly: str
    wage_document: str
    wage_effective_on: date | None
    pay_day: int | None
    labour_inspection_phone: str
    housing_phone: str
    hotlines: tuple[BoardHotline, ...]
    arbitration: str
    legal_aid: str
    made_on: date
    updated_on: date
    version: int = 0
    draft: bool = False
    project_address: str = ""
    permit_no: str = ""
    started_on: date | None = None
    supervisors: tuple[BoardParty, ...] = ()
    project_dept_address: str = ""
    subcontractor_officers: tuple[BoardContact, ...] = ()
    payment_method: str = "农民工工资专用账户银行代发至本人工资卡"
    wage_bank: str = ""
    report_link: str = ""
    report_caption: str = "全国根治欠薪线索反映平台"
    reminders: tuple[str, ...] = REMINDERS


def pay_day_sentence(pay_day: int | None) -> str:
    """The sentence of 条例 Art. 14 as it stands on the board.

    >>> pay_day_sentence(15)
    '工资支付日期：每月15日（遇法定节假日或休息日，提前支付）'
    """
    day = "__" if pay_day is None else str(pay_day)
    return f"工资支付日期：每月{day}日（遇法定节假日或休息日，提前支付）"


def chinese_date(day: date) -> str:
    """``2026年1月5日``."""
    return f"{day.year}年{day.month}月{day.day}日"


def board_document(board: BoardInput, size: str, *, bleed: bool = False) -> Document:
    """The board at its finished size (a key of :data:`SIZES`), one page or more.

    ``bleed`` adds 5 mm on every side and carries the blue band into it. Pages of A3 without bleed
    consist of tables and boxes only, as the .docx writer wants them.
    """
    width, height = SIZES[size]
    model = A3_LANDSCAPE if size != "1200x900" else SMALL
    layout = _layout(board, *model)
    margin = BLEED if bleed else 0
    return Document(
        _title(board),
        LazyPages(layout.pages, lambda k: _page(layout, k, (width, height), margin)),
        Meta(subject=board.project_name, made_on=board.made_on.isoformat()),
    )


def _layout(board: BoardInput, width: int, height: int) -> BoardLayout:
    from reports.board_layout import BoardLayout

    return BoardLayout(board, width, height)


def _title(board: BoardInput) -> str:
    return f"{TITLE}（临时牌）" if board.draft else TITLE


def _page(layout: BoardLayout, k: int, size: tuple[int, int], bleed: int) -> Page:
    """Page ``k`` enlarged to its finished size, the band carried to the edges of the paper."""
    width, height = size
    scale = width / layout.width
    paper_width, paper_height = width + 2 * bleed, height + 2 * bleed
    band = Rect(0, 0, paper_width, bleed + round(layout.band_bottom * scale), fill=BAND_BLUE)
    foot = Rect(
        0, bleed + round(layout.foot_top * scale), paper_width,
        paper_height - bleed - round(layout.foot_top * scale), fill=BAND_BLUE,
    )
    items: tuple[Item, ...]
    if (width, height) == (layout.width, layout.height) and not bleed:
        items = (band, foot, layout.table(k))
    else:
        model = Page(layout.width, layout.height, (layout.table(k),))
        items = (band, foot, Window(bleed, bleed, width, height, model, scale=scale))
    return Page(paper_width, paper_height, items)

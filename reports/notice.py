"""F03, the page that goes with the posted attendance: 关于____年__月实名制考勤信息的公示.

One page of A4: which project and month, how many people on how many sheets, from when to when it
hangs, where, and how to object (forms.md F03; posting days after 实施方案 二（四）). Days that are
not yet known stay ruled blanks, to be filled in by hand at the wall.

It carries no worker's name, number or phone; the person named is the project's own officer.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from reports.board import chinese_date
from reports.board_boxes import Box, Look, Placed, Sizes, table_of
from reports.one_page import Row, fitting, stacked
from reports.paper import (
    A4_PORTRAIT,
    BLACK,
    BOX,
    NO_BORDER,
    RED,
    Align,
    Document,
    Meta,
    Page,
    Role,
    mm,
)

LEFT, RIGHT, TOP = mm(24), mm(186), mm(22)
BOTTOM = mm(284)
LABEL_WIDTH = mm(46)
BLANK = "____"
_LABEL_FILL = 0xF0F5FA


@dataclass(frozen=True, slots=True)
class NoticeInput:
    """What the page prints.

    ``persons`` is everybody on the posted sheets, ``managers`` among them; ``sheets`` counts
    sheets of paper. ``posted_from`` and ``posted_to`` are the first and last full day (both or
    neither), ``dated`` the day beside the seal: ``None`` prints a blank. ``mark`` is a red stamp
    (``预览``), ``version`` says 更正 after a correction, ``number`` is the form's number.
    """

    year: int
    month: int
    project: str
    contractor: str
    period_first: date
    period_last: date
    persons: int
    managers: int
    sheets: int
    objection_name: str
    objection_phone: str
    labour_inspection_phone: str
    housing_phone: str
    hotlines: tuple[str, ...] = ()
    posting_days: int = 5
    posted_from: date | None = None
    posted_to: date | None = None
    place: str = "维权信息告示牌旁"
    dated: date | None = None
    mark: str = ""
    version: str = ""
    number: str = ""
    made_on_iso: str = "2000-01-01"


def notice_title(year: int, month: int) -> str:
    """The title of the page.

    >>> notice_title(2026, 11)
    '关于2026年11月实名制考勤信息的公示'
    """
    return f"关于{year}年{month}月实名制考勤信息的公示"


def posting_sentence(days: int, first: date | None, last: date | None) -> str:
    """The posting period as it stands on the page; the posting day itself is not counted.

    >>> posting_sentence(5, date(2026, 12, 5), date(2026, 12, 9))
    '公示期：自张贴次日起5日，即12月5日至12月9日'
    >>> posting_sentence(5, None, None)
    '公示期：自张贴次日起5日，即__月__日至__月__日'
    """
    start, end = (
        "__月__日" if day is None else f"{day.month}月{day.day}日" for day in (first, last)
    )
    return f"公示期：自张贴次日起{days}日，即{start}至{end}"


def notice_document(notice: NoticeInput) -> Document:
    """The page; one table, so that PDF and .docx carry the same text at the same place.

    Long names shrink all sizes together until everything stands on the one page.
    """
    cells = fitting(lambda scale: _Page(notice, scale).placed(), "notice_overflow")
    page = Page(*A4_PORTRAIT, (table_of(cells),))
    title = notice_title(notice.year, notice.month)
    return Document(title, (page,), Meta(subject=notice.project, made_on=notice.made_on_iso))


class _Page:
    """The rows of the page at one scale."""

    def __init__(self, notice: NoticeInput, scale: float) -> None:
        self._notice, self._scale = notice, scale
        self._sizes = Sizes(scale)

    def placed(self) -> list[Placed] | None:
        """Every cell at its place, ``None`` if they need more than the page."""
        upper = [*self._head(), *self._facts(), *self._objection()]
        lower = list(self._signature())
        # The seal goes over the lower right corner: its lines stand at the foot of the page.
        foot = BOTTOM - sum(row.whole for row in lower)
        if TOP + sum(row.whole for row in upper) + mm(4) > foot:
            return None
        return [*stacked(upper, LEFT, TOP), *stacked(lower, LEFT, foot)]

    def _head(self) -> Iterator[Row]:
        notice = self._notice
        mark = "　".join(filter(None, (notice.version, notice.mark)))
        yield self._row(self._text(mark, 18, "hei", "right", RED), 9, 2)
        title = notice_title(notice.year, notice.month)
        yield self._row(self._text(title, 22, "hei", "center", one_line=True), 14, 4)
        yield self._row(self._text("全体现场人员：", 16), 9)
        first, last = notice.period_first, notice.period_last
        words = (
            f"　　现将本项目{notice.year}年{notice.month}月（{first.month}月{first.day}日至"
            f"{last.month}月{last.day}日）实名制考勤信息予以公示，考勤表附后，"
            "请各位核对本人出勤情况。"
        )
        yield self._row(self._text(words, 16), 16, 3)

    def _facts(self) -> Iterator[Row]:
        notice = self._notice
        workers = notice.persons - notice.managers
        people = f"共{notice.persons}人（建筑工人{workers}人，管理人员{notice.managers}人）"
        period = f"{chinese_date(notice.period_first)}至{chinese_date(notice.period_last)}"
        yield self._fact("工程名称", notice.project)
        yield self._fact("施工总承包单位", notice.contractor)
        yield self._fact("考勤期间", period)
        yield self._fact("公示人数", people)
        yield self._fact("考勤表", f"共{notice.sheets}张")
        sentence = posting_sentence(notice.posting_days, notice.posted_from, notice.posted_to)
        yield self._row(self._text(sentence, 16, "hei", borders=BOX, one_line=True), 13)
        yield self._fact("公示地点", notice.place, after=4)

    def _objection(self) -> Iterator[Row]:
        notice = self._notice
        words = (
            "　　对考勤信息有异议的，请在公示期内向下列人员提出，项目部核实后答复；"
            f"确有差错的予以更正，更正后的考勤表重新公示{notice.posting_days}日。"
        )
        yield self._row(self._text(words, 16), 16, 3)
        yield self._fact("异议受理人", f"劳资专管员　{notice.objection_name or BLANK * 3}")
        for label, number in (
            ("项目部电话", notice.objection_phone),
            ("劳动保障监察\n投诉举报电话", notice.labour_inspection_phone),
            ("住建部门监督电话", notice.housing_phone),
        ):
            yield self._fact(label, number or BLANK * 4, "hei")
        if notice.hotlines:
            yield self._fact("服务热线", "　".join(notice.hotlines), "hei")

    def _signature(self) -> Iterator[Row]:
        notice = self._notice
        dated = f"{BLANK}年__月__日" if notice.dated is None else chinese_date(notice.dated)
        page = "第1页／共1页"
        number = f"编号：{notice.number}　{page}" if notice.number else page
        yield self._row(self._text(notice.contractor, 16, align="right"), 10)
        yield self._row(self._text("项目部（章）", 16, align="right"), 10)
        yield self._row(self._text(dated, 16, align="right"), 10, 6)
        yield self._row(self._text(number, 9, align="center"), 6)

    # ── rows ────────────────────────────────────────────────────────────────────────────────────

    def _row(self, box: Box, height: float, after: float = 0) -> Row:
        return Row((box,), round(mm(height) * self._scale), round(mm(after) * self._scale))

    def _fact(self, label: str, text: str, role: Role = "song", after: float = 0) -> Row:
        lines = tuple(label.split("\n")) if "\n" in label else ()
        name = Look(self._pt(14), "hei", "center", _LABEL_FILL)
        look = Look(self._pt(14), role)
        boxes = (
            Box(0, LABEL_WIDTH, label.replace("\n", ""), name, self._sizes, lines=lines),
            Box(LABEL_WIDTH, RIGHT - LEFT, text, look, self._sizes),
        )
        return Row(boxes, round(mm(10.5) * self._scale), round(mm(after) * self._scale))

    def _text(
        self,
        text: str,
        pt: float,
        role: Role = "song",
        align: Align = "left",
        colour: int = BLACK,
        *,
        borders: int = NO_BORDER,
        one_line: bool = False,
    ) -> Box:
        look = Look(
            self._pt(pt), role, align, colour=colour, borders=borders, one_line=one_line,
            prose=align == "left",
        )
        return Box(0, RIGHT - LEFT, text, look, self._sizes)

    def _pt(self, pt: float) -> float:
        return max(1.0, round(pt * self._scale * 2) / 2)

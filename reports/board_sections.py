"""The words of the board, section by section, as blocks that know their least height.

Labels and their order are forms.md F01. A phone number found alone in a free text (arbitration,
legal aid) is set large beside it, as every other number people are to call.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from reports.board import (
    BAND_BLUE,
    BoardContact,
    BoardInput,
    BoardParty,
    BoardSubcontractor,
    chinese_date,
    pay_day_sentence,
)
from reports.board_blocks import Block, Group, Heading, Line, Listing, Qr
from reports.board_boxes import Box, Look, Sizes
from reports.metrics import room
from reports.paper import WHITE, Align, Role, mm

LABEL_LINES = {
    "施工总承包单位": ("施工", "总承包单位"),
    "施工许可证号": ("施工", "许可证号"),
    "总包项目部": ("总包", "项目部"),
    "行业主管部门": ("行业", "主管部门"),
    "总包劳资专管员": ("总包", "劳资专管员"),
    "当地最低工资标准": ("当地最低", "工资标准"),
    "劳动争议调解仲裁": ("劳动争议", "调解仲裁"),
    "专用账户开户银行": ("专用账户", "开户银行"),
}
"""Labels that break where the words end; all others fit on one line or break anywhere."""

HEAD_FILL = 0xDCE8F3
LABEL_FILL = 0xF0F5FA
QR_SIDE = mm(30)

_PHONE = re.compile(
    r"[，,；;、。：:\s]*(?:联系|咨询|服务|投诉|举报)*(?:电话|热线)?[：:\s]*"
    r"((?<![\d-])(?:0\d{2,3}[-－ ]?\d{7,8}|1[3-9]\d{9}|12\d{3})(?!\d))"
)


class Sections:
    """Builds the blocks of one column width at one scale.

    ``compact`` sets the subcontractors' phones in running size; ``apart`` replaces their list by
    a pointer to the second board.
    """

    def __init__(
        self, board: BoardInput, width: int, sizes: Sizes, *, compact: bool = False,
        apart: bool = False,
    ) -> None:
        self._board, self._width, self.sizes = board, width, sizes
        self._compact, self._apart = compact, apart
        self._label = sizes.em(5)
        self._phone_from = width - self._phone_width(large=True)

    # ── the two columns ─────────────────────────────────────────────────────────────────────────

    def left(self) -> tuple[Block, ...]:
        """一、项目及参建单位."""
        board = self._board
        blocks: list[Block] = [self._heading("一、项目及参建单位")]
        blocks += self._project()
        blocks += [self._party(party) for party in board.owners]
        blocks += [self._party(party) for party in board.contractors]
        dept = board.project_dept_address or "值班电话"
        blocks.append(
            Group(
                (self._contact_line(dept, board.project_dept_phone, "总包项目部电话"),),
                label=self._label_box("总包项目部"),
            )
        )
        blocks += [self._party(party) for party in board.supervisors]
        blocks.append(self._line("行业主管部门", board.competent_department, required=True))
        blocks += self._subcontractors()
        return tuple(blocks)

    def right(self) -> tuple[Block, ...]:
        """二 to 六."""
        return (
            *self._officers(),
            *self._wages(),
            *self._complaints(),
            *self._channels(),
            *self._reminders(),
        )

    def apart_lists(self) -> tuple[Listing, ...]:
        """The lists of the second board."""
        board = self._board
        title = self._heading(f"分包单位名录（共{len(board.subcontractors)}家）")
        lists = [
            Listing(
                (title, self._list_head(large=True)), self._list_head(large=True),
                tuple(self._listed(entry, large=True) for entry in board.subcontractors),
            )
        ]
        if board.subcontractor_officers:
            title = self._heading("分包单位劳资员")
            rows = tuple(self._officer_line(c, large=True) for c in board.subcontractor_officers)
            lists.append(Listing((title,), title, rows))
        return tuple(lists)

    # ── sections ────────────────────────────────────────────────────────────────────────────────

    def _project(self) -> Iterator[Block]:
        board = self._board
        yield self._line("工程名称", board.project_name, required=True, role="hei")
        if board.project_address:
            yield self._line("工程地点", board.project_address)
        started = "" if board.started_on is None else chinese_date(board.started_on)
        if board.permit_no and started:
            day_from = self._width - self.sizes.text("2026年12月31日")
            label_from = day_from - self.sizes.em(4)
            yield Line(
                (
                    self._label_box("施工许可证号"),
                    self._box(self._label, label_from, board.permit_no),
                    self._label_box("开工日期", label_from, day_from),
                    self._box(day_from, self._width, started, align="center"),
                )
            )
        elif board.permit_no:
            yield self._line("施工许可证号", board.permit_no)
        elif started:
            yield self._line("开工日期", started)

    def _party(self, party: BoardParty) -> Block:
        blank = f"{party.label}名称" if party.required else ""
        name = self._box(self._label, self._width, party.name, role="hei", blank=blank)
        lines = [Line((name,))]
        for contact in party.contacts:
            who = "　".join(filter(None, (contact.post, contact.name)))
            if not contact.name and party.required:
                line = self._contact_line("", contact.phone, f"{contact.post}电话")
                first = replace(line.boxes[0], blank=f"{contact.post}姓名")
                lines.append(Line((first, line.boxes[1])))
            else:
                blank = f"{contact.post}电话" if party.required else ""
                lines.append(self._contact_line(who, contact.phone, blank))
        return Group(tuple(lines), label=self._label_box(party.label))

    def _subcontractors(self) -> Iterator[Block]:
        entries = self._board.subcontractors
        if not entries:
            yield self._line("分包单位", "暂无")
        elif self._apart:
            note = f"共{len(entries)}家，名称、负责人和电话见并列悬挂的续牌。"
            yield self._line("分包单位", note)
        else:
            yield self._list_head(large=not self._compact)
            for entry in entries:
                yield self._listed(entry, large=not self._compact)

    def _officers(self) -> Iterator[Block]:
        yield self._heading("二、劳资专管员")
        officers = self._board.labour_officers or (BoardContact("", "", ""),)
        lines = []
        for officer in officers:
            who = self._box(
                self._label, self._phone_from, officer.name, role="hei", align="center",
                blank="劳资专管员姓名",
            )
            large = replace(who, look=replace(who.look, pt=self.sizes.phone, least=self.sizes.body))
            lines.append(Line((large, self._phone(officer.phone, "劳资专管员电话"))))
        yield Group(tuple(lines), label=self._label_box("总包劳资专管员"))
        others = self._board.subcontractor_officers
        if others and not self._apart:
            for officer in others:
                yield self._officer_line(officer, large=False)

    def _wages(self) -> Iterator[Block]:
        board = self._board
        yield self._heading("三、工资")
        middle = (self._label + self._width) // 2
        amounts = Line(
            (
                self._amount(self._label, middle, board.wage_monthly, "元/月", "月最低工资标准"),
                self._amount(middle, self._width, board.wage_hourly, "元/小时", "小时最低工资标准"),
            )
        )
        known = board.wage_document and board.wage_effective_on is not None
        since = (
            f"{board.wage_document}，自{chinese_date(board.wage_effective_on)}起施行"
            if known and board.wage_effective_on
            else ""
        )
        basis = self._box(self._label, self._width, since, blank="最低工资标准文号、施行日期")
        yield Group((amounts, Line((basis,))), label=self._label_box("当地最低工资标准"))
        sentence = self._box(0, self._width, pay_day_sentence(board.pay_day), role="hei")
        one_line = replace(sentence, look=replace(sentence.look, one_line=True))
        yield Line((one_line,))
        if board.pay_day is None:
            yield Line((self._box(0, self._width, "", blank="工资支付日期（每月几日）"),))
        if board.payment_method:
            yield self._line("支付方式", board.payment_method)
        if board.wage_bank:
            yield self._line("专用账户开户银行", board.wage_bank)

    def _complaints(self) -> Iterator[Block]:
        board = self._board
        yield self._heading("四、投诉举报")
        right, code = self._width, None
        if board.report_link:
            side = round(QR_SIDE * self.sizes.scale)
            right = self._width - side - 2 * self.sizes.side
            caption = replace(
                self._box(right, self._width, board.report_caption, align="center"),
                look=Look(self.sizes.note, "hei", "center"),
            )
            code = Qr(right, self._width, board.report_link, caption, side)
        lines = [
            self._call("劳动保障监察投诉举报电话", board.labour_inspection_phone, right, required=True),
            self._call("住建部门监督电话", board.housing_phone, right, required=True),
        ]
        lines += [
            self._call(line.name or "服务热线", line.number, right)
            for line in board.hotlines
            if "12348" not in line.number
        ]
        yield Group(tuple(lines), code=code)

    def _channels(self) -> Iterator[Block]:
        board = self._board
        yield self._heading("五、其他渠道")
        yield self._channel("劳动争议调解仲裁", board.arbitration, "劳动争议调解仲裁申请渠道")
        yield self._channel("法律援助", board.legal_aid, "法律援助申请渠道")
        rights = [line for line in board.hotlines if "12348" in line.number]
        number = rights[0].number if rights else ""
        yield self._call("公共法律服务热线", number, self._width, required=True)

    def _reminders(self) -> Iterator[Block]:
        if self._board.reminders:
            yield self._heading("六、提示")
            for text in self._board.reminders:
                yield Line((self._box(0, self._width, text),))

    # ── lines ───────────────────────────────────────────────────────────────────────────────────

    def _heading(self, text: str) -> Heading:
        look = Look(self.sizes.body, "hei", fill=BAND_BLUE, colour=WHITE)
        return Heading((Box(0, self._width, text, look, self.sizes),))

    def _line(self, label: str, text: str, *, required: bool = False, role: Role = "song") -> Line:
        box = self._box(
            self._label, self._width, text, role=role, blank=label if required else ""
        )
        return Line((self._label_box(label), box))

    def _contact_line(self, who: str, phone: str, blank: str) -> Line:
        return Line((self._box(self._label, self._phone_from, who), self._phone(phone, blank)))

    def _call(self, label: str, number: str, right: int, *, required: bool = False) -> Line:
        """A number to call, label on the left."""
        start = right - self._phone_width(large=True)
        return Line(
            (
                self._box(0, start, label, role="hei", fill=LABEL_FILL),
                self._phone(number, label if required else "", start, right),
            )
        )

    def _channel(self, label: str, text: str, blank: str) -> Line:
        words, number = split_phone(text)
        if not number:
            box = self._box(self._label, self._width, text, blank=blank)
            return Line((self._label_box(label), box))
        words_box = self._box(self._label, self._phone_from, words)
        return Line((self._label_box(label), words_box, self._phone(number, "")))

    def _amount(self, left: int, right: int, amount: str, unit: str, blank: str) -> Box:
        look = Look(self.sizes.phone, "hei", "center", least=self.sizes.body)
        text = f"{amount}{unit}" if amount else ""
        return Box(left, right, text, look, self.sizes, blank=blank)

    def _stops(self, *, large: bool) -> tuple[int, int, int]:
        """Where kind, contact and phone of the list begin."""
        phone = self._width - self._phone_width(large=large)
        # A long name stands on two lines, an ordinary one on one.
        longest = max((len(e.contact) for e in self._board.subcontractors), default=0)
        contact = phone - self.sizes.em(min(5.2 if large else 7.5, max(3.2, longest / 2 + 0.7)))
        return contact - self.sizes.em(4), contact, phone

    def _list_head(self, *, large: bool) -> Heading:
        kind, contact, phone = self._stops(large=large)
        edges = (0, kind, contact, phone, self._width)
        look = Look(self.sizes.body, "hei", "center", HEAD_FILL)
        words = ("分包单位", "类别", "负责人", "电话")
        return Heading(
            tuple(
                Box(a, b, word, look, self.sizes)
                for a, b, word in zip(edges, edges[1:], words, strict=False)
            )
        )

    def _listed(self, entry: BoardSubcontractor, *, large: bool) -> Line:
        kind, contact, phone = self._stops(large=large)
        return Line(
            (
                self._box(0, kind, entry.name),
                self._box(kind, contact, entry.kind, align="center"),
                self._box(contact, phone, entry.contact, align="center", blank="负责人"),
                self._phone(entry.phone, "电话", phone, self._width, large=large),
            )
        )

    def _officer_line(self, officer: BoardContact, *, large: bool) -> Line:
        """分包劳资员: post names the company."""
        phone = self._width - self._phone_width(large=large)
        name = phone - self.sizes.em(4)
        return Line(
            (
                self._box(0, name, f"分包劳资员　{officer.post}" if not large else officer.post),
                self._box(name, phone, officer.name, align="center"),
                self._phone(officer.phone, "", phone, self._width, large=large),
            )
        )

    # ── boxes ───────────────────────────────────────────────────────────────────────────────────

    def _box(
        self, left: int, right: int, text: str, *, role: Role = "song", align: Align = "left",
        fill: int | None = None, blank: str = "",
    ) -> Box:
        look = Look(self.sizes.body, role, align, fill)
        return Box(left, right, text, look, self.sizes, blank=blank)

    def _label_box(self, text: str, left: int = 0, right: int = 0) -> Box:
        box = self._box(
            left, right or self._label, text, role="hei", align="center", fill=LABEL_FILL
        )
        return replace(box, lines=LABEL_LINES.get(text, ()))

    def _phone(
        self, number: str, blank: str, left: int = 0, right: int = 0, *, large: bool = True
    ) -> Box:
        size = self.sizes.phone if large else self.sizes.body
        look = Look(size, "hei", "center", least=self.sizes.body)
        return Box(
            left or self._phone_from, right or self._width, number, look, self.sizes, blank=blank
        )

    def _phone_width(self, *, large: bool) -> int:
        """Room for the longest number of the country: area code of four and eight digits."""
        size = self.sizes.phone if large else self.sizes.body
        return self.sizes.around(room("0000-00000000", size, "hei"))


def split_phone(text: str) -> tuple[str, str]:
    """A free text without its phone number, and the number; unchanged unless there is exactly one.

    >>> split_phone("市仲裁院，示范街2号，电话：0391-0000003（不收费）")
    ('市仲裁院，示范街2号（不收费）', '0391-0000003')
    >>> split_phone("市法律援助中心")
    ('市法律援助中心', '')
    """
    found = list(_PHONE.finditer(text))
    if len(found) != 1:
        return text, ""
    hit = found[0]
    words = text[: hit.start()] + text[hit.end() :]
    return (words, hit[1]) if words.strip() else (text, "")

"""What the rights board must say and what is missing: pure rules over its content.

The board serves two texts at once: Article 34 of 《保障农民工工资支付条例》 (国务院令第724号), which
lists units and channels, and section 二（五） of the 实施方案, which lists persons. Both ask for
more than the other; a board is complete when it holds the union.

This module knows no database, no paper and no clock.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any

OWNER, GENERAL_CONTRACTOR, SUPERVISOR = "008", "009", "007"
"""Codes of ``corp_type``."""

SUBCONTRACTOR_KINDS = frozenset({"001", "002", "003", "006"})
"""Every kind called …分包: 专业, 设备, 材料, 劳务."""

LISTED_KINDS = SUBCONTRACTOR_KINDS | {"005"}
"""特殊设备 (cranes, hoists) work on site like a subcontractor: listed, but never a reason to refuse."""

LONGEST = 500
"""Longest value of an item, as in project.toml."""

_UNITS = "条例第34条第（一）项"
_PAY = "条例第34条第（二）项、实施方案二（五）"
_CHANNELS = "条例第34条第（三）项、实施方案二（五）"
_PERSONS = "实施方案二（五）"
_OFFICER = "条例第34条第（一）项、实施方案二（五）"

EMPTY_WORDS = frozenset({"", "无", "暂无", "没有", "待定", "待补充", "未定", "空", "-", "--", "—", "/", "\\"})
"""What people type into a field they have nothing for."""


@dataclass(frozen=True, slots=True)
class Item:
    """An item typed by the user: key of ``[board]``, label as printed, whether the law asks it."""

    key: str
    label: str
    clause: str = ""
    hint: str = ""


ITEMS = {
    item.key: item
    for item in (
        Item("project_dept_phone", "总包项目部电话", _UNITS, "项目部值班电话，不用个人手机"),
        Item("competent_department", "行业主管部门", _UNITS, "如：××市住房和城乡建设局"),
        Item("labour_inspection_phone", "劳动保障监察投诉举报电话", _CHANNELS, "当地人社部门"),
        Item("housing_phone", "住建部门监督电话", _CHANNELS, "当地住建局或安监站"),
        Item("arbitration", "劳动争议调解仲裁申请渠道", _CHANNELS, "机构、地址、电话（不收费）"),
        Item("legal_aid", "法律援助申请渠道", _CHANNELS, "机构、地址、电话"),
        Item("hotlines", "服务热线", "条例第34条第（三）项", "须含 12348，用逗号或空格隔开"),
        Item("project_dept_address", "总包项目部地址"),
        Item("wage_account_bank", "专用账户开户银行", hint="只写银行，不写账号"),
        Item("report_link", "线索反映平台二维码内容", hint="平台网址；印成二维码"),
    )
}
"""Every key ``board set`` and project.toml ``[board]`` may carry; without a clause: optional."""

LIST_KEYS = frozenset({"hotlines"})
"""Items that hold several values; stored one per line."""

RIGHTS_HOTLINE = "12348"
NOT_FOR_WAGES = frozenset({"12329"})
"""住房公积金热线: people would call it in vain (regulation §11)."""


@dataclass(frozen=True, slots=True)
class BoardUnit:
    """A company taking part (参建单位); ``kind`` is a code of ``corp_type``, ``kind_name`` its name."""

    kind: str
    kind_name: str
    name: str
    contact: str
    phone: str


@dataclass(frozen=True, slots=True)
class BoardPerson:
    """A contact: post, name and phone, and the name and kind of his company (may be empty)."""

    post: str
    name: str
    phone: str
    company: str
    kind: str


@dataclass(frozen=True, slots=True)
class BoardWage:
    """当地最低工资标准 as printed, yuan."""

    monthly: str
    hourly: str
    document: str
    effective_from: date | None


@dataclass(frozen=True, slots=True)
class BoardContent:
    """Everything the board says on a given day. Equal content, equal board."""

    project_name: str
    project_address: str
    permit_no: str
    started_on: date | None
    pay_day: int | None
    units: tuple[BoardUnit, ...]
    persons: tuple[BoardPerson, ...]
    wage: BoardWage | None
    items: tuple[tuple[str, str], ...]
    """Typed items with a value, sorted by key."""
    coming_wage: date | None = field(default=None, compare=False)
    """First day of a floor wage entered for later; the board does not print it."""

    def item(self, key: str) -> str:
        """A typed item, or the empty text."""
        return next((value for name, value in self.items if name == key), "")

    @property
    def hotlines(self) -> tuple[str, ...]:
        """Numbers of the hotlines in their order, without those that do not serve wages."""
        return tuple(
            number
            for number in split_list(self.item("hotlines"))
            if not NOT_FOR_WAGES & set(re.findall(r"\d+", number))
        )

    def of_kind(self, kind: str) -> tuple[BoardUnit, ...]:
        """Units of one kind."""
        return tuple(unit for unit in self.units if unit.kind == kind)

    @property
    def subcontractors(self) -> tuple[BoardUnit, ...]:
        """Units of the list 分包单位, in the order of the project."""
        return tuple(unit for unit in self.units if unit.kind in LISTED_KINDS)

    @property
    def owner_leads(self) -> tuple[BoardPerson, ...]:
        """The owner's people, whoever leads first (F01: 项目负责人/管理人员)."""
        own = [p for p in self.persons if p.kind == OWNER or _owner_post(p)]
        return tuple(sorted(own, key=lambda p: not _leads(p.post)))

    @property
    def project_managers(self) -> tuple[BoardPerson, ...]:
        """项目经理 of the general contractor; never a deputy, never a subcontractor's."""
        return tuple(p for p in self._contractor_people() if _bare(p.post) == "项目经理")

    @property
    def labour_officers(self) -> tuple[BoardPerson, ...]:
        """劳资专管员 of the general contractor; a 劳务员 is another post."""
        return tuple(p for p in self._contractor_people() if _bare(p.post) == "劳资专管员")

    @property
    def chief_supervisors(self) -> tuple[BoardPerson, ...]:
        """总监理工程师 (optional on the board)."""
        posts = ("总监理工程师", "总监", "项目总监")
        return tuple(p for p in self.persons if p.post.strip() in posts)

    @property
    def subcontractor_officers(self) -> tuple[BoardPerson, ...]:
        """分包劳资员: who looks after pay and attendance at the subcontractors."""
        return tuple(
            p
            for p in self.persons
            if p.kind in LISTED_KINDS and _bare(p.post) in ("劳资专管员", "劳资员", "劳务员")
        )

    @property
    def printed_persons(self) -> tuple[BoardPerson, ...]:
        """Everybody the board names; changes of other contacts do not change the board."""
        named = (
            *self.owner_leads, *self.project_managers, *self.labour_officers,
            *self.chief_supervisors, *self.subcontractor_officers,
        )
        return tuple(dict.fromkeys(named))

    @property
    def printed_units(self) -> tuple[BoardUnit, ...]:
        """Every company the board names."""
        kinds = LISTED_KINDS | {OWNER, GENERAL_CONTRACTOR, SUPERVISOR}
        return tuple(unit for unit in self.units if unit.kind in kinds)

    @property
    def missing(self) -> tuple[Missing, ...]:
        """See :func:`missing_items`."""
        return missing_items(self)

    def _contractor_people(self) -> Iterator[BoardPerson]:
        return (p for p in self.persons if p.kind in (GENERAL_CONTRACTOR, ""))

    def as_json(self) -> dict[str, Any]:
        """Plain values, for the digest, the version row and the command line."""
        wage = self.wage
        return {
            "project": {
                "name": self.project_name,
                "address": self.project_address,
                "permit_no": self.permit_no,
                "started_on": _iso(self.started_on),
                "pay_day": self.pay_day,
            },
            "units": [
                {"kind": u.kind, "name": u.name, "contact": u.contact, "phone": u.phone}
                for u in self.printed_units
            ],
            "staff": [
                {"post": p.post, "name": p.name, "phone": p.phone, "company": p.company}
                for p in self.printed_persons
            ],
            "floor_wage": None
            if wage is None
            else {
                "monthly": wage.monthly,
                "hourly": wage.hourly,
                "document": wage.document,
                "effective_from": _iso(wage.effective_from),
            },
            "items": dict(self.items),
        }


@dataclass(frozen=True, slots=True)
class Missing:
    """A blocking item: stable key, label as printed, the clause that asks it, what to do next."""

    key: str
    label: str
    clause: str
    next_step: str

    @property
    def sentence(self) -> str:
        """One line for lists and refusals."""
        return f"{self.label}（{self.clause}）：{self.next_step}"


def missing_items(content: BoardContent) -> tuple[Missing, ...]:
    """The blocking items that are missing, in the order of the board; empty means complete."""
    return (
        *_missing_units(content),
        *_missing_people(content),
        *_missing_wage(content),
        *_missing_channels(content),
    )


def _missing_units(content: BoardContent) -> Iterator[Missing]:
    if blank(content.project_name):
        yield Missing("project_name", "工程名称", _UNITS, "请补填工程名称。")
    for kind, key, label in (
        (OWNER, "owner", "建设单位"),
        (GENERAL_CONTRACTOR, "general_contractor", "施工总承包单位"),
    ):
        units = content.of_kind(kind)
        if not units:
            yield Missing(key, label, _UNITS, f"请登记{label}及其联系人、电话。")
        for place, unit in enumerate(units, 1):
            yield from _missing_contact(unit, key if place == 1 else f"{key}_{place}", label)
    blocking = (u for u in content.subcontractors if u.kind in SUBCONTRACTOR_KINDS)
    for place, unit in enumerate(blocking, 1):
        yield from _missing_contact(unit, f"subcontractor_{place}", "分包单位")
    yield from _missing_typed(content, "project_dept_phone", "competent_department")


def _missing_contact(unit: BoardUnit, key: str, label: str) -> Iterator[Missing]:
    shown = f"{label}「{unit.name}」"
    if blank(unit.contact):
        step = f"请补填{unit.name}的联系人。"
        yield Missing(f"{key}.contact", f"{shown}联系人", _UNITS, step)
    if not is_phone(unit.phone):
        step = f"请补填{unit.name}的联系电话。"
        yield Missing(f"{key}.phone", f"{shown}电话", _UNITS, step)


def _missing_people(content: BoardContent) -> Iterator[Missing]:
    for key, label, clause, people in (
        ("owner_lead", "建设单位项目负责人", _PERSONS, content.owner_leads),
        ("project_manager", "项目经理", _PERSONS, content.project_managers),
        ("labour_officer", "劳资专管员", _OFFICER, content.labour_officers),
    ):
        if not any(not blank(p.name) for p in people):
            yield Missing(key, label, clause, _STEP_FOR_POST[key])
        elif not all(is_phone(p.phone) for p in people if not blank(p.name)):
            step = f"请补填{label}的联系电话。"
            yield Missing(f"{key}.phone", f"{label}电话", clause, step)


_STEP_FOR_POST = {
    "owner_lead": "请登记建设单位的项目负责人（姓名、电话、所属单位为建设单位）。",
    "project_manager": "请登记施工总承包单位的项目经理（姓名、电话）。",
    "labour_officer": "请登记施工总承包单位的劳资专管员（姓名、电话）；劳务员不能代替。",
}


def _missing_wage(content: BoardContent) -> Iterator[Missing]:
    wage = content.wage or BoardWage("", "", "", None)
    step = "请核对现行最低工资标准后，填写月标准、小时标准、文号和施行日期。"
    if content.wage is None and content.coming_wage is not None:
        step = f"已填写的标准尚未施行（自{content.coming_wage.isoformat()}起），{step}"
    for key, label, empty in (
        ("floor_wage.monthly", "当地最低工资标准（月）", blank(wage.monthly)),
        ("floor_wage.hourly", "当地最低工资标准（小时）", blank(wage.hourly)),
        ("floor_wage.document", "当地最低工资标准文号", blank(wage.document)),
        ("floor_wage.effective_from", "当地最低工资标准施行日期", wage.effective_from is None),
    ):
        if empty:
            yield Missing(key, label, _PAY, step)
    if content.pay_day is None:
        yield Missing("pay_day", "工资支付日期", _PAY, "请填写每月几日发工资。")


def _missing_channels(content: BoardContent) -> Iterator[Missing]:
    yield from _missing_typed(
        content, "labour_inspection_phone", "housing_phone", "arbitration", "legal_aid"
    )
    if not any(RIGHTS_HOTLINE in number for number in content.hotlines):
        item = ITEMS["hotlines"]
        yield Missing(
            "hotlines", "公共法律服务热线 12348", item.clause, "请把 12348 加入服务热线。"
        )


def _missing_typed(content: BoardContent, *keys: str) -> Iterator[Missing]:
    for key in keys:
        item, value = ITEMS[key], content.item(key)
        wanting = not is_phone(value) if key.endswith("_phone") else blank(value)
        if wanting:
            hint = f"（{item.hint}）" if item.hint else ""
            yield Missing(key, item.label, item.clause, f"请在告示牌资料中填写{item.label}{hint}。")


def blank(value: str) -> bool:
    """Whether a field says nothing: empty, or one of the words people put for nothing.

    >>> blank(" 待定 "), blank("＿＿"), blank("王建")
    (True, True, False)
    """
    bare = value.strip().strip("_＿ ")
    return bare in EMPTY_WORDS


def is_phone(value: str) -> bool:
    """Whether somebody can be called: at least three digits (110 is the shortest number).

    >>> is_phone("0391-0000001"), is_phone("待定"), is_phone("")
    (True, False, False)
    """
    return sum(char.isdigit() for char in value) >= 3


def split_list(value: str) -> tuple[str, ...]:
    """The entries of an item of :data:`LIST_KEYS`, however they were typed.

    Blanks part numbers from numbers; a number and its name stay together.

    >>> split_list("12333、12345, 12348")
    ('12333', '12345', '12348')
    >>> split_list("12348 公共法律服务热线\\n12333 12345")
    ('12348 公共法律服务热线', '12333', '12345')
    """
    entries: list[str] = []
    for part in re.split(r"[\n\r,，;；、]+", value):
        words = part.split()
        entries += words if all(word.isdigit() for word in words) else [" ".join(words)]
    return tuple(dict.fromkeys(entry for entry in entries if entry))


def tidy(key: str, value: str) -> str:
    """The stored form of an item: trimmed, one line (lists: one entry a line), no odd characters.

    Raises :class:`ValueError` with the Chinese reason when it cannot stand on a board.
    """
    text = "\n".join(split_list(value)) if key in LIST_KEYS else " ".join(value.split())
    if has_odd_characters(text.replace("\n", "")):
        raise ValueError("含有不可见字符")
    if len(text) > LONGEST:
        raise ValueError(f"超过{LONGEST}个字")
    return text


def has_odd_characters(text: str) -> bool:
    """Control characters and halves of characters (from a broken terminal): nothing to print."""
    return any(unicodedata.category(char) in ("Cc", "Cs") for char in text)


def _bare(post: str) -> str:
    """A post without the words that only say whose it is."""
    return re.sub(r"^(施工)?(总承包|总包)?(单位|项目部|分包)?", "", post.strip())


def _owner_post(person: BoardPerson) -> bool:
    return person.kind == "" and person.post.strip().startswith(("建设单位", "甲方", "业主"))


def _leads(post: str) -> bool:
    return any(word in post for word in ("负责人", "代表", "经理", "主任"))


def _iso(day: date | None) -> str | None:
    return None if day is None else day.isoformat()

"""Completeness of the board: exactly the items of the law, each named with its clause."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from desktop.board.rules import (
    ITEMS,
    BoardContent,
    BoardPerson,
    BoardUnit,
    BoardWage,
    blank,
    is_phone,
    missing_items,
    split_list,
    tidy,
)

OWNER = BoardUnit("008", "建设单位", "样例置业", "甄业主", "19900000001")
CONTRACTOR = BoardUnit("009", "总承包单位", "样例建设", "宗承包", "19900000002")
LABOUR = BoardUnit("006", "劳务分包", "样例劳务", "柳钢筋", "19900000003")
CRANE = BoardUnit("005", "特殊设备", "样例起重", "", "")
SUPERVISOR = BoardUnit("007", "监理单位", "样例监理", "", "")

LEAD = BoardPerson("项目负责人", "甄业主", "19900000001", "样例置业", "008")
MANAGER = BoardPerson(" 项目经理 ", "项经理", "19900000007", "样例建设", "009")
OFFICER = BoardPerson("劳资专管员", "劳小专", "19900000006", "样例建设", "009")
CLERK = BoardPerson("劳务员", "劳务某", "19900000008", "样例建设", "009")
CHIEF = BoardPerson("总监理工程师", "简督", "19900000009", "样例监理", "007")

ITEM_VALUES = {
    "arbitration": "样例区仲裁院，样例街2号",
    "competent_department": "样例区住房和城乡建设局",
    "hotlines": "12333\n12348",
    "housing_phone": "0371-00000001",
    "labour_inspection_phone": "12333",
    "legal_aid": "样例区法律援助中心",
    "project_dept_phone": "0371-00000004",
}

FULL = BoardContent(
    project_name="样例花园", project_address="", permit_no="", started_on=None, pay_day=15,
    units=(OWNER, CONTRACTOR, LABOUR, CRANE, SUPERVISOR),
    persons=(LEAD, MANAGER, OFFICER, CLERK, CHIEF),
    wage=BoardWage("2100", "20.6", "豫政〔2023〕43号", date(2024, 1, 1)),
    items=tuple(sorted(ITEM_VALUES.items())),
)


def keys(content: BoardContent) -> list[str]:
    return [item.key for item in missing_items(content)]


def without(key: str, value: str | None = None) -> BoardContent:
    items = dict(ITEM_VALUES)
    if value is None:
        del items[key]
    else:
        items[key] = value
    return replace(FULL, items=tuple(sorted(items.items())))


def test_a_full_board_misses_nothing_though_optional_things_are_empty() -> None:
    assert missing_items(FULL) == () and FULL.missing == ()


def test_an_empty_board_misses_exactly_the_blocking_items() -> None:
    empty = BoardContent("", "", "", None, None, (), (), None, ())
    assert keys(empty) == [
        "project_name", "owner", "general_contractor", "project_dept_phone",
        "competent_department", "owner_lead", "project_manager", "labour_officer",
        "floor_wage.monthly", "floor_wage.hourly", "floor_wage.document",
        "floor_wage.effective_from", "pay_day", "labour_inspection_phone", "housing_phone",
        "arbitration", "legal_aid", "hotlines",
    ]
    for item in missing_items(empty):
        assert "条例第34条" in item.clause or "实施方案二（五）" in item.clause
        assert item.label and item.next_step.endswith("。")
        assert item.sentence == f"{item.label}（{item.clause}）：{item.next_step}"


@pytest.mark.parametrize("key", sorted(ITEM_VALUES))
def test_each_typed_item_blocks_alone_when_absent_or_a_word_for_nothing(key: str) -> None:
    assert keys(without(key)) == [key]
    for nothing in ("待定", " 暂无 ", "____", "—"):
        assert keys(without(key, nothing)) == [key]


def test_a_phone_without_a_number_blocks() -> None:
    assert keys(without("housing_phone", "见公示栏")) == ["housing_phone"]


def test_hotlines_must_hold_12348() -> None:
    assert keys(without("hotlines", "12333\n12345")) == ["hotlines"]
    assert keys(without("hotlines", "公共法律服务热线 12348")) == []
    (item,) = missing_items(without("hotlines", "12333"))
    assert "12348" in item.label


def test_housing_fund_hotline_is_never_printed() -> None:
    content = without("hotlines", "12329\n12348\n12329 住房公积金热线")
    assert content.hotlines == ("12348",)


@pytest.mark.parametrize(
    ("unit", "key", "label"),
    [
        (OWNER, "owner", "建设单位"), (CONTRACTOR, "general_contractor", "施工总承包单位"),
        (LABOUR, "subcontractor_1", "分包单位"),
    ],
)
def test_every_unit_needs_contact_and_phone(unit: BoardUnit, key: str, label: str) -> None:
    units = tuple(replace(u, contact=" ", phone="待定") if u is unit else u for u in FULL.units)
    missing = missing_items(replace(FULL, units=units))
    assert [item.key for item in missing] == [f"{key}.contact", f"{key}.phone"]
    assert all(item.label.startswith(f"{label}「{unit.name}」") for item in missing)


@pytest.mark.parametrize("kind", ["001", "002", "003", "006"])
def test_every_kind_called_subcontractor_blocks(kind: str) -> None:
    bare = BoardUnit(kind, "", "另一家", "某人", "")
    content = replace(FULL, units=(*FULL.units, bare))
    assert keys(content) == ["subcontractor_2.phone"]


def test_crane_supervisor_and_designer_never_block() -> None:
    more = (BoardUnit("011", "设计单位", "样例设计", "", ""), BoardUnit("004", "后勤服务", "饭", "", ""))
    content = replace(FULL, units=(*FULL.units, *more))
    assert keys(content) == []
    assert [u.name for u in content.subcontractors] == ["样例劳务", "样例起重"]
    assert [u.name for u in content.printed_units] == [
        "样例置业", "样例建设", "样例劳务", "样例起重", "样例监理",
    ]


def test_several_owners_are_each_checked() -> None:
    second = BoardUnit("008", "建设单位", "另一业主", "", "19900000011")
    content = replace(FULL, units=(*FULL.units, second))
    assert keys(content) == ["owner_2.contact"]


@pytest.mark.parametrize(
    ("gone", "key"),
    [(LEAD, "owner_lead"), (MANAGER, "project_manager"), (OFFICER, "labour_officer")],
)
def test_each_person_blocks_without_entry_and_without_phone(gone: BoardPerson, key: str) -> None:
    others = tuple(p for p in FULL.persons if p is not gone)
    assert keys(replace(FULL, persons=others)) == [key]
    mute = tuple(replace(p, phone="") if p is gone else p for p in FULL.persons)
    assert keys(replace(FULL, persons=mute)) == [f"{key}.phone"]
    nameless = tuple(replace(p, name="待定") if p is gone else p for p in FULL.persons)
    assert keys(replace(FULL, persons=nameless)) == [key]


def test_a_labour_clerk_is_no_labour_officer() -> None:
    content = replace(FULL, persons=(LEAD, MANAGER, CLERK))
    (item,) = missing_items(content)
    assert item.key == "labour_officer" and "劳务员不能代替" in item.next_step


def test_posts_are_those_of_the_general_contractor() -> None:
    theirs = replace(MANAGER, company="样例劳务", kind="006")
    deputy = replace(MANAGER, post="项目副经理")
    officer = replace(OFFICER, company="样例劳务", kind="006")
    content = replace(FULL, persons=(LEAD, theirs, deputy, officer))
    assert keys(content) == ["project_manager", "labour_officer"]
    assert content.subcontractor_officers == (officer,)


def test_posts_may_say_whose_they_are_and_need_no_company() -> None:
    people = (
        BoardPerson("建设单位项目负责人", "甄业主", "19900000001", "", ""),
        BoardPerson("总包项目经理", "项经理", "19900000007", "", ""),
        BoardPerson("项目部劳资专管员", "劳小专", "19900000006", "样例建设", "009"),
    )
    assert keys(replace(FULL, persons=people)) == []


def test_the_owners_lead_comes_before_his_other_people() -> None:
    clerk = BoardPerson("资料员", "业资料", "19900000012", "样例置业", "008")
    content = replace(FULL, persons=(clerk, *FULL.persons))
    assert [p.name for p in content.owner_leads] == ["甄业主", "业资料"]


@pytest.mark.parametrize(
    ("field", "value"),
    [("monthly", ""), ("hourly", "待定"), ("document", " "), ("effective_from", None)],
)
def test_each_part_of_the_floor_wage_blocks(field: str, value: str | None) -> None:
    assert FULL.wage is not None
    content = replace(FULL, wage=replace(FULL.wage, **{field: value}))
    assert keys(content) == [f"floor_wage.{field}"]


def test_the_printed_words_alone_make_the_content() -> None:
    """A contact the board does not name changes nothing of it."""
    assert replace(FULL, persons=(*FULL.persons, CLERK)).as_json() == FULL.as_json()
    moved = replace(FULL, pay_day=20)
    assert moved.as_json() != FULL.as_json()
    assert replace(FULL, wage=None).as_json()["floor_wage"] is None


def test_lists_and_lines_are_tidied() -> None:
    assert tidy("hotlines", "12333，12345 12348") == "12333\n12345\n12348"
    assert tidy("hotlines", "12348 公共法律服务热线；12333") == "12348 公共法律服务热线\n12333"
    assert tidy("arbitration", "  仲裁院\t样例街 \n 2号 ") == "仲裁院 样例街 2号"
    assert split_list("") == ()
    with pytest.raises(ValueError, match="500"):
        tidy("legal_aid", "长" * 501)
    with pytest.raises(ValueError, match="不可见"):
        tidy("legal_aid", "a\x07b")
    with pytest.raises(ValueError, match="不可见"):
        tidy("hotlines", "12348\udc80")


def test_words_for_nothing_and_numbers() -> None:
    assert all(blank(word) for word in ("", "无", " 待补充 ", "＿＿＿", "/"))
    assert not blank("王建") and is_phone("110") and not is_phone("12")
    assert set(ITEMS) >= set(ITEM_VALUES)

"""What the board says, how it is edited, and whether the wall still says it."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from desktop.access.actor import Actor, Role
from desktop.access.desk import Desk
from desktop.access.tables import AuditAct
from desktop.board import site_facts
from desktop.board.content import board_content, content_digest, today
from desktop.board.edit import set_items, store_items
from desktop.board.export import export_board
from desktop.board.poster import preview
from desktop.board.queries import board_status, versions
from desktop.clock import FixedClock
from desktop.errors import NotPermitted, Refused
from desktop.site import queries as site
from reports.paper import Document, texts
from tests.board.conftest import ITEMS
from tests.sample_site import (
    CONCRETE_LABOUR_NAME,
    GENERAL_CONTRACTOR_NAME,
    OWNER_NAME,
    STEEL_LABOUR_NAME,
)


def words(document: Document) -> str:
    return "".join(text for page in document.pages for text in texts(page))


def acts(desk: Desk) -> list[tuple[str, str]]:
    with desk.book.read() as session:
        rows = session.execute(select(AuditAct.act, AuditAct.subject).order_by(AuditAct.id))
        return [(act, subject) for act, subject in rows if act != "book.created"]


# ── content ─────────────────────────────────────────────────────────────────────────────────────


def test_content_is_gathered_from_the_site_and_the_items(full_desk: Desk) -> None:
    content = today(full_desk)
    assert content.missing == ()
    assert content.project_name == "样例花园一期工程" and content.pay_day == 15
    assert [u.name for u in content.subcontractors] == [STEEL_LABOUR_NAME, CONCRETE_LABOUR_NAME]
    assert [p.name for p in content.owner_leads] == ["甄业主"]
    assert [p.name for p in content.labour_officers] == ["劳小专"]
    assert content.hotlines == ("12348", "12345")
    assert content.wage is not None and content.wage.document == "豫政〔2023〕43号"


def test_the_floor_wage_is_the_one_in_force_on_the_day(full_desk: Desk) -> None:
    site_facts.set_floor_wage(
        full_desk, monthly="2300", hourly="22.5", document="样例政〔2026〕1号",
        effective_from=date(2027, 1, 1),
    )
    with full_desk.book.read() as session:
        now = board_content(session, full_desk.project_id, date(2026, 12, 31))
        later = board_content(session, full_desk.project_id, date(2027, 1, 1))
        before = board_content(session, full_desk.project_id, date(2023, 12, 31))
    assert now.wage is not None and now.wage.monthly == "2100"
    assert later.wage is not None and later.wage.monthly == "2300"
    assert before.wage is None and len(before.missing) == 4
    assert all("尚未施行（自2024-01-01起）" in item.sentence for item in before.missing)
    assert content_digest(now) != content_digest(later)


def test_without_items_exactly_they_are_missing(desk: Desk) -> None:
    assert {item.key for item in today(desk).missing} == set(ITEMS)


# ── items ───────────────────────────────────────────────────────────────────────────────────────


def test_items_are_set_changed_removed_and_audited_without_their_words(desk: Desk) -> None:
    assert set_items(desk, {"arbitration": " 仲裁院  样例街2号 "}) == ("arbitration",)
    assert set_items(desk, {"arbitration": "仲裁院 样例街2号"}) == ()
    assert set_items(desk, {"arbitration": "", "hotlines": "12345、12348"}) == (
        "arbitration", "hotlines",
    )
    content = today(desk)
    assert content.item("arbitration") == "" and content.hotlines == ("12345", "12348")
    assert acts(desk) == [("board.changed", "board")] * 2
    with desk.book.read() as session:
        facts = session.scalars(select(AuditAct.facts).order_by(AuditAct.id.desc())).first()
    assert facts == {"keys": ["arbitration", "hotlines"]}


def test_unknown_keys_and_impossible_texts_change_nothing(desk: Desk) -> None:
    with pytest.raises(Refused) as unknown:
        set_items(desk, {"legal_aid": "样例", "colour": "红"})
    assert unknown.value.code == "board_unknown_key" and "colour" in unknown.value.message
    with pytest.raises(Refused) as long:
        set_items(desk, {"legal_aid": "长" * 501})
    assert long.value.facts == {"key": "legal_aid"}
    assert today(desk).items == () and acts(desk) == []


def test_a_settings_files_items_are_stored_with_the_project(desk: Desk) -> None:
    with desk.book.write() as session:
        store_items(session, desk.project_id, ITEMS)
    assert today(desk).missing == () and acts(desk) == []


def test_an_inspector_changes_nothing(desk: Desk, tmp_path: Path) -> None:
    guest = Desk(desk.book, desk.project_id, Actor("检查员", Role.INSPECTOR))
    for act in (
        lambda: set_items(guest, ITEMS),
        lambda: site_facts.set_pay_day(guest, 20),
        lambda: export_board(guest, "A3", tmp_path / "out", True),
    ):
        with pytest.raises(NotPermitted):
            act()
    assert not (tmp_path / "out").exists()


# ── facts of the site ───────────────────────────────────────────────────────────────────────────


def test_pay_day_wage_contacts_and_people_are_mended(full_desk: Desk) -> None:
    site_facts.set_pay_day(full_desk, 20)
    site_facts.set_floor_wage(
        full_desk, monthly=" 2200 ", hourly="21", document="样例政〔2024〕2号",
        effective_from=date(2024, 1, 1),
    )
    site_facts.set_company_contact(full_desk, STEEL_LABOUR_NAME, "新联系", "19900000031")
    site_facts.set_staff(full_desk, "项目经理", "新经理", "19900000032", GENERAL_CONTRACTOR_NAME)
    added = site_facts.set_staff(full_desk, "甲方代表", "新代表", "19900000033", OWNER_NAME)
    content = today(full_desk)
    assert content.pay_day == 20 and content.wage is not None and content.wage.monthly == "2200"
    assert content.subcontractors[0].contact == "新联系"
    assert [p.name for p in content.project_managers] == ["新经理"]
    assert [p.name for p in content.owner_leads] == ["甄业主", "新代表"]
    site_facts.remove_staff(full_desk, added)
    assert [p.name for p in today(full_desk).owner_leads] == ["甄业主"]
    assert acts(full_desk)[-6:] == [
        ("project.changed", "project:pay_day"), ("project.changed", "project:floor_wage"),
        *[(act, subject) for act, subject in acts(full_desk)[-4:]],
    ]


def test_a_subcontractor_joins_and_blocks_until_he_can_be_called(full_desk: Desk) -> None:
    site_facts.add_company(full_desk, "专业分包", "河南样例幕墙有限公司", "91419000000000019Y")
    assert [item.key for item in today(full_desk).missing] == [
        "subcontractor_3.contact", "subcontractor_3.phone",
    ]
    site_facts.set_company_contact(full_desk, "河南样例幕墙有限公司", "幕某", "19900000034")
    assert today(full_desk).missing == ()
    with full_desk.book.read() as session:
        kinds = [c.kind for c in site.companies(session, full_desk.project_id)]
    assert kinds[-1] == "001"


def test_impossible_facts_are_refused(full_desk: Desk) -> None:
    wrong_wage = {"monthly": "两千", "hourly": "20", "document": "某号"}
    refusals = {
        "pay_day": lambda: site_facts.set_pay_day(full_desk, 32),
        "floor_wage": lambda: site_facts.set_floor_wage(
            full_desk, **wrong_wage, effective_from=date(2026, 1, 1)
        ),
        "company_kind": lambda: site_facts.add_company(full_desk, "甲", "乙", "91419000000000019Y"),
        "credit_code": lambda: site_facts.add_company(full_desk, "006", "乙", "91419000000000019X"),
        "company_exists": lambda: site_facts.add_company(
            full_desk, "006", OWNER_NAME, "91410000MA0000001Q"
        ),
        "company_name": lambda: site_facts.add_company(
            full_desk, "006", OWNER_NAME, "91419000000000019Y"
        ),
        "unknown_company": lambda: site_facts.set_company_contact(full_desk, "没有这家", "甲", "1"),
        "empty_field": lambda: site_facts.set_staff(full_desk, "项目经理", " ", "1", OWNER_NAME),
        "too_long": lambda: site_facts.set_staff(full_desk, "长" * 101, "甲", "1", OWNER_NAME),
        "odd_characters": lambda: site_facts.set_staff(full_desk, "甲\x00", "甲", "1", OWNER_NAME),
        "unknown_staff": lambda: site_facts.remove_staff(full_desk, 999),
    }
    before = today(full_desk)
    for code, act in refusals.items():
        with pytest.raises(Refused) as refusal:
            act()
        assert refusal.value.code == code and "未做任何改动" in refusal.value.message
    with pytest.raises(Refused):
        site_facts.set_floor_wage(
            full_desk, monthly="2", hourly="1", document=" ", effective_from=date(2026, 1, 1)
        )
    assert today(full_desk) == before


# ── preview and reprint ─────────────────────────────────────────────────────────────────────────


def test_the_preview_shows_todays_words_and_leaves_no_trace(full_desk: Desk) -> None:
    said = words(preview(full_desk, "1200×900"))
    for expected in (
        "维权信息告示牌", OWNER_NAME, "甄业主", GENERAL_CONTRACTOR_NAME, "宗承包", STEEL_LABOUR_NAME, "简督",
        "公共法律服务热线", "0371-00000002", "版本：第1版", "制作日期：2026年11月24日",
    ):
        assert expected in said, expected
    assert "临时牌" not in said
    with full_desk.book.read() as session:
        assert versions(session, full_desk.project_id) == []


def test_the_preview_of_an_incomplete_board_shows_its_blanks(desk: Desk) -> None:
    said = words(preview(desk, draft=True))
    assert "临时牌" in said
    for name in ("总包项目部电话", "行业主管部门", "劳动保障监察投诉举报电话", "法律援助申请渠道"):
        assert f"待补充：{name}" in said


def test_one_person_in_two_parts_is_printed_once(full_desk: Desk) -> None:
    """The owner's contact is also his lead in the sample: one line, with his post."""
    said = words(preview(full_desk))
    assert said.count("甄业主") == 1 and "项目负责人　甄业主" in said


def test_hotlines_carry_the_name_typed_or_the_one_of_the_table(full_desk: Desk) -> None:
    set_items(full_desk, {"hotlines": ["12348", "12345 市民热线", "0371-00000009", "12329"]})
    said = words(preview(full_desk))
    assert "市民热线" in said and "0371-00000009" in said and "12329" not in said


def test_reprint_is_needed_before_the_first_board_and_after_each_change(
    full_desk: Desk, tmp_path: Path, clock: FixedClock
) -> None:
    def status():  # type: ignore[no-untyped-def]
        with full_desk.book.read() as session:
            return board_status(session, full_desk.project_id, full_desk.clock.today())

    assert status().version is None and status().reprint and "还没有输出过" in status().sentence
    export_board(full_desk, "A3", tmp_path / "a")
    assert status().version == 1 and not status().reprint and "一致" in status().sentence
    site_facts.set_staff(full_desk, "劳务员", "某", "19900000044", GENERAL_CONTRACTOR_NAME)
    assert not status().reprint
    site_facts.set_company_contact(full_desk, STEEL_LABOUR_NAME, "新联系", "19900000031")
    set_items(full_desk, {"housing_phone": "0371-00000077"})
    assert status().reprint and status().changed == ("units", "items")
    assert "参建单位、投诉举报渠道等内容有变动" in status().sentence
    export_board(full_desk, "A3", tmp_path / "b", True)
    assert status().reprint, "a draft is no final board"
    set_items(full_desk, {"housing_phone": ""})
    assert "还缺1项：住建部门监督电话" in status().sentence


def test_the_update_day_stays_while_the_words_stay(
    full_desk: Desk, tmp_path: Path, clock: FixedClock
) -> None:
    export_board(full_desk, "A3", tmp_path)
    clock.instant = datetime(2026, 12, 10, 1, 0, tzinfo=UTC)
    assert full_desk.clock.today() == date(2026, 12, 10)
    said = words(preview(full_desk))
    assert "制作日期：2026年12月10日" in said and "信息更新日期：2026年11月24日" in said
    set_items(full_desk, {"housing_phone": "0371-00000077"})
    assert "信息更新日期：2026年12月10日" in words(preview(full_desk))

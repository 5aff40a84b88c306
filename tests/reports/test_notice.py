"""F03's page: the sentence of the posting period, one page, the same words in PDF and .docx."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import docx
import pypdfium2
import pytest

from reports.errors import ReportError
from reports.grid import lay_out
from reports.metrics import text_height, text_width
from reports.notice import NoticeInput, notice_document, posting_sentence
from reports.painter import write_pdf
from reports.paper import A4_PORTRAIT, Document, texts
from reports.word import write_docx

NOTICE = NoticeInput(
    year=2026, month=11, project="样例花园一期工程", contractor="河南样例建设集团有限公司",
    period_first=date(2026, 11, 1), period_last=date(2026, 11, 30), persons=120, managers=8,
    sheets=9, objection_name="劳小专", objection_phone="0371-00000004",
    labour_inspection_phone="0371-00000005", housing_phone="0371-00000001",
    hotlines=("12333", "12345", "12348"), number="GS-YL01-202611-000",
)
LONG = replace(
    NOTICE, project="样例区样例大道与样例路交叉口西北角棚户区改造项目安置房一期工程（含地下车库及配套公建）" * 3,
    contractor="河南省样例建设集团第一工程有限责任公司样例分公司" * 2,
    objection_name="买买提·阿不都热合曼·吐尔逊", version="第2版 更正", mark="预览",
)


def words(document: Document) -> str:
    return "".join(text for page in document.pages for text in texts(page))


def lines(document: Document) -> list[str]:
    return [
        line
        for cell, *_ in lay_out(next(document.pages[0].tables())).boxes
        for part in cell.parts
        for line in part.lines
    ]


def test_the_page_says_what_forms_ask() -> None:
    document = notice_document(NOTICE)
    said = words(document)
    for expected in (
        "关于2026年11月实名制考勤信息的公示", "样例花园一期工程", "河南样例建设集团有限公司", "2026年11月1日至2026年11月30日",
        "共120人（建筑工人112人，管理人员8人）", "共9张", "维权信息告示牌旁", "劳小专", "0371-00000004", "0371-00000005",
        "0371-00000001", "12348", "项目部（章）", "____年__月__日", "GS-YL01-202611-000",
    ):
        assert expected in said, expected
    page = document.pages[0]
    assert (page.width, page.height) == A4_PORTRAIT and len(document.pages) == 1


def test_the_posting_period_is_exact_filled_or_blank() -> None:
    blank = "公示期：自张贴次日起5日，即__月__日至__月__日"
    assert blank in lines(notice_document(NOTICE))
    dated = replace(
        NOTICE, posted_from=date(2026, 12, 31), posted_to=date(2027, 1, 4), dated=date(2026, 12, 30)
    )
    made = lines(notice_document(dated))
    assert "公示期：自张贴次日起5日，即12月31日至1月4日" in made
    assert "2026年12月30日" in made
    assert posting_sentence(7, None, None).startswith("公示期：自张贴次日起7日，")


def test_missing_contacts_are_ruled_blanks() -> None:
    said = words(notice_document(replace(NOTICE, objection_name="", objection_phone="", hotlines=())))
    assert "____________" in said and "服务热线" not in said


@pytest.mark.parametrize("notice", [NOTICE, LONG], ids=["short", "long"])
def test_everything_stands_whole_on_one_page(notice: NoticeInput) -> None:
    document = notice_document(notice)
    table = next(document.pages[0].tables())
    assert table.x + table.w <= A4_PORTRAIT[0] and table.y + table.h <= A4_PORTRAIT[1] - 1000
    for cell, _, _, w, h in lay_out(table).boxes:
        assert sum(text_height(len(p.lines), p.pt) for p in cell.parts) <= h, cell.text
        for part in cell.parts:
            assert all(text_width(line, part.pt, part.role) <= w - cell.pad for line in part.lines)
    assert notice.project in words(document) and notice.contractor in words(document)


def test_absurd_texts_are_refused_not_cut() -> None:
    with pytest.raises(ReportError, match="notice_overflow"):
        notice_document(replace(NOTICE, project="长" * 20_000))


def test_pdf_and_docx_carry_the_same_words(tmp_path: Path) -> None:
    for name, notice in (("short", NOTICE), ("long", LONG)):
        document = notice_document(notice)
        write_pdf(document, tmp_path / f"{name}.pdf")
        write_docx(document, tmp_path / f"{name}.docx")
        pdf = pypdfium2.PdfDocument(tmp_path / f"{name}.pdf")
        in_pdf = pdf[0].get_textpage().get_text_range()
        assert len(pdf) == 1
        pdf.close()
        body = docx.Document(str(tmp_path / f"{name}.docx")).element.body
        in_word = "".join(node.text or "" for node in body.iter() if node.tag.endswith("}t"))
        assert sorted("".join(in_pdf.split())) == sorted("".join(in_word.split()))
        assert posting_sentence(5, None, None) in in_word
        assert posting_sentence(5, None, None) in in_pdf

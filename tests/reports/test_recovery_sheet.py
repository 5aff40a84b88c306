"""The recovery sheet: one page that can be typed from, and says where it belongs."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pypdfium2
import pytest

from reports.errors import ReportError
from reports.grid import lay_out
from reports.metrics import text_height, text_width
from reports.painter import write_pdf
from reports.paper import Page, Table, Text, texts
from reports.recovery_sheet import KEEPING, PURPOSE, RecoverySheetInput, recovery_sheet_document

GROUPS = ("010824", "234927", "296175", "403425", "642697", "686917", "074151", "643379")
SHEET = RecoverySheetInput(
    GROUPS, "3f2a9c1b-0000-4000-8000-123456789abc", date(2026, 11, 24), "样例花园一期工程"
)


def words(sheet: RecoverySheetInput) -> str:
    return "".join(text for page in recovery_sheet_document(sheet).pages for text in texts(page))


def test_it_says_what_opens_what_and_where_it_belongs() -> None:
    said = words(replace(SHEET, generation=2))
    for number, group in enumerate(GROUPS, 1):
        assert f"第{number}组{group}" in said
    for part in ("账本恢复码", "样例花园一期工程", "3f2a9c1b", "2026年11月24日", "第2把钥匙", PURPOSE):
        assert part in said
    assert "4000" not in said  # the book's whole number is nobody's business
    for line in KEEPING:
        assert line in said
    for line in ("打印人（签字）", "保管人（签字）", "存放地点", "日期"):
        assert line in said


@pytest.mark.parametrize("project", ["", "样例区样例大道与样例路交叉口西北角棚户区改造项目安置房一期工程" * 3])
def test_everything_stands_whole_on_one_page(project: str) -> None:
    document = recovery_sheet_document(replace(SHEET, project=project))
    (page,) = document.pages
    below = 0
    for item in page.items:
        assert isinstance(item, Text | Table)
        assert item.y >= below - 1, "items overlap"
        below = item.y + item.h
        for line, pt, role, room in lines(item):
            assert text_width(line, pt, role) <= room
    assert below <= page.height - 1500
    assert project in words(replace(SHEET, project=project))


def lines(item: Text | Table) -> list[tuple[str, float, str, int]]:
    if isinstance(item, Text):
        assert text_height(len(item.lines), item.pt) <= item.h
        return [(line, item.pt, item.role, item.w) for line in item.lines]
    return [
        (line, part.pt, part.role, width)
        for cell, _, _, width, _ in lay_out(item).boxes
        for part in cell.parts for line in part.lines
    ]


def test_the_pdf_carries_the_code_as_text(tmp_path: Path) -> None:
    write_pdf(recovery_sheet_document(SHEET), tmp_path / "a.pdf")
    pdf = pypdfium2.PdfDocument(tmp_path / "a.pdf")
    printed = pdf[0].get_textpage().get_text_range()
    pdf.close()
    assert all(group in printed for group in GROUPS)


@pytest.mark.parametrize("groups", [GROUPS[:7], (*GROUPS[:7], "12345"), (*GROUPS[:7], "12345x")])
def test_anything_but_a_code_is_refused(groups: tuple[str, ...]) -> None:
    with pytest.raises(ReportError):
        recovery_sheet_document(replace(SHEET, groups=groups))


def test_the_page_is_portrait() -> None:
    page: Page = recovery_sheet_document(SHEET).pages[0]
    assert (page.width, page.height) == (21000, 29700)

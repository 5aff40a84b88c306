"""The attendance sheets as data: who stands on which page, what every page carries, what fits."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.grid import lay_out
from reports.metrics import room, text_height, text_width
from reports.paper import BOX, Page, Table, describe, texts
from reports.sheet import (
    NOT_ALTERED,
    NOT_WORKING_TIME,
    STATEMENT,
    PageRows,
    SheetKind,
    SheetPaper,
    paginate,
    sheet_document,
)
from reports.sheet_cells import number_text
from reports.sheet_form import form_of
from tests.reports.sheet_samples import LEGEND, RULE, row, sheet

GOLDEN = Path(__file__).parent / "golden"
SHEETS = (SheetKind.SIGNING, SheetKind.MANAGERS, SheetKind.NOTICE)


def table_of(page: Page) -> Table:
    (table,) = page.tables()
    return table


def spans(pages: list[PageRows]) -> list[tuple[int, int]]:
    return [(at.first, at.stop) for at in pages]


# Pages


@pytest.mark.parametrize(
    ("people", "expected"),
    [
        (0, [(0, 0)]),
        (1, [(0, 1)]),
        (19, [(0, 19)]),
        (20, [(0, 17), (17, 20)]),
        (21, [(0, 18), (18, 21)]),
        (22, [(0, 19), (19, 22)]),
        (38, [(0, 19), (19, 38)]),
        (39, [(0, 19), (19, 36), (36, 39)]),
    ],
)
def test_a3_pages_hold_nineteen_and_never_end_with_one_or_two(
    people: int, expected: list[tuple[int, int]]
) -> None:
    assert spans(paginate(sheet(people))) == expected


def test_a4_pages_hold_thirteen() -> None:
    assert spans(paginate(sheet(14, paper=SheetPaper.A4))) == [(0, 11), (11, 14)]


@given(people=st.integers(0, 700), paper=st.sampled_from(SheetPaper))
def test_every_row_stands_on_exactly_one_page(people: int, paper: SheetPaper) -> None:
    one = row(0, 30)
    pages = paginate(sheet(0, paper=paper, rows=(one,) * people))
    assert [n for at in pages for n in range(at.first, at.stop)] == list(range(people))
    assert [at.number for at in pages] == list(range(1, len(pages) + 1))
    assert {at.total for at in pages} == {len(pages)}
    if people >= 3:
        assert min(at.stop - at.first for at in pages) >= 3


def test_the_slip_is_one_page() -> None:
    assert paginate(sheet(1, kind=SheetKind.SLIP)) == [PageRows(1, 1, 0, 1)]


@pytest.mark.parametrize("people", [0, 1, 19, 20, 600])
def test_each_person_appears_once_in_order(people: int) -> None:
    document = sheet_document(sheet(people))
    numbers = [r.cells[2].text for page in document.pages for r in table_of(page).rows if r.ruled]
    assert numbers == [row(k, 30).worker_no for k in range(people)]


# Measures


@pytest.mark.parametrize(("paper", "kind"), list(product(SheetPaper, SHEETS)))
def test_columns_fill_the_usable_width(paper: SheetPaper, kind: SheetKind) -> None:
    form = form_of(paper, kind)
    assert sum(form.widths) == form.paper[0] - 2 * form.margin
    assert sum(form.widths) == (40000 if paper is SheetPaper.A3 else 28100)
    assert [name for name, _ in form.columns][-1] == (
        "thumb" if kind is SheetKind.SIGNING else "signature"
    )


def test_a3_widths_are_the_forms() -> None:
    widths = dict(form_of(SheetPaper.A3, SheetKind.SIGNING).columns)
    expected = {
        "index": 700,
        "number": 1800,
        "trade": 1700,
        "entry": 1400,
        "punched": 1100,
        "confirmed": 1100,
        "overtime": 1100,
        "nights": 900,
        "signature": 2700,
        "thumb": 1600,
        **{f"d{k}": 700 for k in range(1, 32)},
    }
    assert {name: widths[name] for name in expected} == expected
    assert widths["name"] >= 1700
    assert widths["remark"] >= 900


@pytest.mark.parametrize("paper", list(SheetPaper))
def test_signature_and_thumb_cells_are_large_enough(paper: SheetPaper) -> None:
    form = form_of(paper, SheetKind.SIGNING)
    widths = dict(form.columns)
    assert widths["signature"] >= 2200
    assert widths["thumb"] >= 1600
    assert form.row >= 900


@pytest.mark.parametrize(("paper", "kind"), list(product(SheetPaper, SHEETS)))
@pytest.mark.parametrize(("days", "people"), [(28, 1), (31, 30), (30, 0)])
def test_nothing_leaves_its_cell_nor_the_page(
    paper: SheetPaper, kind: SheetKind, days: int, people: int
) -> None:
    document = sheet_document(sheet(people, days=days, kind=kind, paper=paper))
    for page in document.pages:
        assert_fits(page)


@pytest.mark.parametrize("days", [28, 31])
def test_the_slip_fits_on_its_page(days: int) -> None:
    for k in range(8):
        rows = (replace(row(k, days), remark="已退场，20日已签"),)
        document = sheet_document(sheet(1, days=days, kind=SheetKind.SLIP, rows=rows))
        assert_fits(document.pages[0])


def assert_fits(page: Page) -> None:
    """Spans fill the rows, ruled rows are ruled, texts are inside, 1.5 mm stay free below."""
    table = table_of(page)
    for r in table.rows:
        assert sum(c.span for c in r.cells) == len(table.columns)
        if r.ruled:
            assert all(
                (c.span, c.rows, c.borders, c.covered) == (1, 1, BOX, False) for c in r.cells
            )
    margin = table.y
    assert table.y + table.h <= page.height - margin - 150
    assert table.x + table.w <= page.width - margin
    for cell, _, _, w, h in lay_out(table).boxes:
        assert sum(text_height(len(p.lines), p.pt) for p in cell.parts) <= h
        for p in cell.parts:
            assert all(room(line, p.pt, p.role) <= w for line in p.lines), cell.text
            assert all(text_width(line, p.pt, p.role) <= w - 20 for line in p.lines)
            assert p.pt >= 4.5, cell.text
        if cell.code is not None:
            assert cell.code.size <= min(w, h)
            assert cell.code.size * 33 / 41 >= 1700


@pytest.mark.parametrize("paper", list(SheetPaper))
def test_absurd_input_shrinks_and_stays_complete(paper: SheetPaper) -> None:
    name = "阿不都" * 30
    rows = (
        replace(row(0, 30), name=name, trade="工" * 90, remark="补01、" * 30, worker_no="9" * 9),
    )
    page = sheet_document(sheet(1, paper=paper, rows=rows, project="工程" * 60)).pages[0]
    shown = list(texts(page))
    assert any(name in text for text in shown)
    assert "补01、" * 30 in shown
    assert any("工程" * 60 in text for text in shown)


# What every page carries


@pytest.mark.parametrize("paper", list(SheetPaper))
@pytest.mark.parametrize("kind", SHEETS)
def test_each_page_stands_alone(paper: SheetPaper, kind: SheetKind) -> None:
    given = sheet(45, paper=paper, kind=kind)
    document = sheet_document(given)
    count = len(document.pages)
    for number, page in enumerate(document.pages, 1):
        shown = list(texts(page))
        whole = "".join(shown)
        assert given.title in shown
        assert f"第 {number} 页 / 共 {count} 页" in whole
        for text in (
            f"工程名称：{given.project}",
            f"施工总承包单位：{given.contractor}",
            f"{given.unit_label}：{given.unit}",
            f"统计周期：{given.period}",
            f"本月施工日：{given.construction_days}",
            f"编号：{given.number}",
        ):
            assert text in shown
        assert "".join(LEGEND[0]) in whole.replace(" ", "")
        for sentence in (RULE, NOT_WORKING_TIME, NOT_ALTERED, STATEMENT, *given.notes):
            assert sentence in whole
        for signer in given.signers:
            assert signer in shown
        for head in ("打卡天数", "说明天数", "确认出勤天数", "加班（时）", "夜班", "备注"):
            assert head in shown
        assert [str(d) for d in range(1, 31)] == [t for t in day_heads(page) if t]


def day_heads(page: Page) -> list[str]:
    heads = [r for r in table_of(page).rows if r.head][3]
    names = [cell.text for cell in heads.cells]
    first = names.index("1")
    return names[first : first + 31]


def test_each_signature_page_carries_its_code_twice() -> None:
    document = sheet_document(sheet(45))
    for k, page in enumerate(document.pages, 1):
        codes = [c.code for r in table_of(page).rows for c in r.cells if c.code]
        assert [code.payload[19:26] for code in codes] == [f":003:{k:03d}"[:7]]
        assert f"003-{k:03d}-01 ABCD-EFGH" in "".join(texts(page))


def test_the_notice_copy_has_marks_but_no_thumb_no_code() -> None:
    for page in sheet_document(sheet(25, kind=SheetKind.NOTICE)).pages:
        shown = list(texts(page))
        assert "公示件预览" in shown
        assert "签字情况" in shown
        assert "已签" in shown
        assert not any("手印" in text for text in shown)
        assert "工人本人签字" not in shown
        assert not [c for r in table_of(page).rows for c in r.cells if c.code]


def test_the_managers_sheet_names_posts_and_has_no_team() -> None:
    shown = list(texts(sheet_document(sheet(3, kind=SheetKind.MANAGERS)).pages[0]))
    assert "岗位" in shown
    assert "本人签字" in shown
    assert not any(text.startswith(("班组：", "班组长：")) for text in shown)
    assert "项目经理：本月施工日28天，带班25天，占89.3%（要求不少于80%）" in shown


def test_a_version_is_printed_in_the_head() -> None:
    shown = list(texts(sheet_document(sheet(3, version="第2版 更正")).pages[0]))
    assert any("第2版 更正" in text for text in shown)


def test_a_sheet_of_nobody_says_so() -> None:
    shown = list(texts(sheet_document(sheet(0)).pages[0]))
    assert "本表无人员记录" in shown
    assert "共 0 人，应签 0 人，已签 ______ 人" in shown


# Totals


def test_page_totals_add_up_to_the_grand_total() -> None:
    given = sheet(45)
    document = sheet_document(given)
    counts = {"本页合计": Decimal(0), "全表合计": Decimal(0)}
    for page in document.pages:
        for r in table_of(page).rows:
            if r.cells[0].text in counts:
                value = Decimal(r.cells[2].text)
                if r.cells[0].text == "本页合计":
                    counts["本页合计"] += value
                else:
                    counts["全表合计"] = value
    punched = sum((r.punched_days or Decimal(0) for r in given.rows), Decimal(0))
    assert counts == {"本页合计": punched, "全表合计": punched}


def test_the_signing_copy_leaves_the_signed_count_to_the_pen() -> None:
    shown = list(texts(sheet_document(sheet(20)).pages[0]))
    assert "共 17 人，应签 17 人，已签 ______ 人" in shown
    assert "共 20 人，应签 20 人，已签 ______ 人" in shown


def test_the_notice_copy_counts_the_signed() -> None:
    given = sheet(20, kind=SheetKind.NOTICE)
    signed = sum(r.is_signed for r in given.rows)
    shown = list(texts(sheet_document(given).pages[0]))
    assert f"共 20 人，应签 20 人，已签 {signed} 人" in shown


def test_numbers_have_no_needless_zeros() -> None:
    values = [Decimal("21.50"), Decimal("100"), Decimal("0.0"), None]
    assert [number_text(v) for v in values] == ["21.5", "100", "0", ""]


# Cells


def test_symbol_over_overtime_and_hatched_days_outside_the_month() -> None:
    cells = (("√", "2.5"),) + (("夜", ""),) * 27
    page = sheet_document(sheet(1, days=28, rows=(replace(row(0, 28), cells=cells),))).pages[0]
    person = next(r for r in table_of(page).rows if r.ruled)
    first = person.cells[5]
    assert [(p.lines, p.pt) for p in first.parts] == [(("√",), 10), (("2.5",), 7)]
    assert [c.hatch for c in person.cells[5:36]] == [False] * 28 + [True] * 3


def test_weekends_and_holidays_are_tinted_down_the_page() -> None:
    given = sheet(4)
    page = sheet_document(given).pages[0]
    people = [r for r in table_of(page).rows if r.ruled]
    for k, day in enumerate(given.days):
        fills = {r.cells[5 + k].fill for r in people}
        assert len(fills) == 1
        assert (fills == {None}) == (day.shade.value == "")


def test_a_leaver_shows_both_dates() -> None:
    page = sheet_document(sheet(1, rows=(replace(row(0, 30), entry="11-01", exit="11-20"),))).pages[
        0
    ]
    person = next(r for r in table_of(page).rows if r.ruled)
    assert [p.lines for p in person.cells[4].parts] == [("11-01",), ("11-20",)]


def test_equal_input_gives_equal_pages() -> None:
    one, two = sheet_document(sheet(25)), sheet_document(sheet(25))
    for k in (1, 0, 1):
        assert list(describe(one.pages[k])) == list(describe(two.pages[k]))


# Golden pages


@pytest.mark.parametrize(
    ("name", "kind", "paper"),
    [
        ("signing_a3", SheetKind.SIGNING, SheetPaper.A3),
        ("signing_a4", SheetKind.SIGNING, SheetPaper.A4),
        ("notice_a3", SheetKind.NOTICE, SheetPaper.A3),
        ("slip", SheetKind.SLIP, SheetPaper.A4),
    ],
)
def test_the_page_is_the_golden_one(
    name: str, kind: SheetKind, paper: SheetPaper, tmp_path: Path
) -> None:
    """A page that differs is left in the temporary folder: look at it, then copy it over."""
    document = sheet_document(sheet(4, kind=kind, paper=paper))
    actual = "\n".join(line for page in document.pages for line in describe(page)) + "\n"
    (tmp_path / f"{name}.txt").write_text(actual, encoding="utf-8")
    assert actual == (GOLDEN / f"{name}.txt").read_text(encoding="utf-8"), tmp_path


def test_a_person_with_fewer_days_than_the_sheet_is_refused() -> None:
    given = sheet(2)
    short = replace(given, rows=(given.rows[0], replace(given.rows[1], cells=(("√", ""),) * 29)))
    with pytest.raises(ValueError, match="fewer days"):
        list(sheet_document(short).pages)

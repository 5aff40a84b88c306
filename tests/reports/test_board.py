"""F01 on paper: complete, legible, never cut, the same words in every form."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import docx
import pypdfium2
import pytest

from reports.board import (
    BAND_BLUE,
    SIZES,
    BoardContact,
    BoardHotline,
    BoardParty,
    BoardSubcontractor,
    board_document,
    pay_day_sentence,
)
from reports.board_boxes import Box, Look, Sizes, table_of
from reports.board_layout import BoardLayout
from reports.board_sections import split_phone
from reports.board_tiles import OVERLAP, tiles
from reports.errors import ReportError
from reports.grid import lay_out
from reports.metrics import text_height, text_width
from reports.painter import page_image, write_pdf
from reports.paper import (
    A3_LANDSCAPE,
    A3_PORTRAIT,
    Cell,
    Code,
    Document,
    Page,
    Part,
    Table,
    Window,
    mm,
    texts,
)
from reports.word import write_docx
from tests.reports.board_samples import board, empty_board, subcontractors

UNITS_PER_PT = 2540 / 72


def models(document: Document) -> Iterator[tuple[Table, float]]:
    """The table of each page and how much it is enlarged."""
    for page in document.pages:
        window = next((item for item in page.items if isinstance(item, Window)), None)
        inner, scale = (window.page, window.scale) if window else (page, 1.0)
        yield next(inner.tables()), scale


def parts(document: Document) -> Iterator[tuple[Part, float]]:
    """Every printed part with its size in millimetres on the finished board."""
    for table, scale in models(document):
        for cell, *_ in lay_out(table).boxes:
            for part in cell.parts:
                if part.lines:
                    yield part, part.pt * UNITS_PER_PT * scale / 100


def words(document: Document) -> str:
    return "".join(text for page in document.pages for text in texts(page))


def assert_nothing_cut(document: Document) -> None:
    for table, scale in models(document):
        page = document.pages[0]
        assert (table.x + table.w) * scale <= page.width and (table.y + table.h) * scale <= page.height
        for cell, _, _, w, h in lay_out(table).boxes:
            tall = sum(text_height(len(p.lines), p.pt) for p in cell.parts)
            assert tall <= h, cell.text
            for part in cell.parts:
                for line in part.lines:
                    assert text_width(line, part.pt, part.role) <= w - cell.pad, line


# ── sizes ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("size", "millimetres"),
    [("A3", (420, 297)), ("A2", (594, 420)), ("A1", (841, 594)), ("1200x900", (1200, 900))],
)
def test_pages_have_their_finished_size(size: str, millimetres: tuple[int, int]) -> None:
    page = board_document(board(), size).pages[0]
    assert (page.width, page.height) == (mm(millimetres[0]), mm(millimetres[1]))
    shop = board_document(board(), size, bleed=True).pages[0]
    assert (shop.width, shop.height) == (page.width + mm(10), page.height + mm(10))


@pytest.mark.parametrize("count", [0, 3, 9, 30])
def test_body_and_phones_are_large_enough_on_the_wall_board(count: int) -> None:
    """At 1200 × 900: running text at least 15 mm, the numbers to call 25 mm bold."""
    document = board_document(board(count), "1200x900")
    foot = {"制作日期", "依据《"}
    body = [
        (part, size) for part, size in parts(document)
        if not any("".join(part.lines).startswith(word) for word in foot)
    ]
    assert min(size for _, size in body) >= 15
    called = {"0371-00000005", "0371-00000001", "0371-00000002", "12333", "12348", "19900000096"}
    large = {"".join(p.lines): (p.role, size) for p, size in body if "".join(p.lines) in called}
    assert set(large) == called
    assert all(role == "hei" and size >= 25 for role, size in large.values())


def test_the_band_is_blue_with_a_white_title_and_runs_into_the_bleed() -> None:
    document = board_document(board(), "A3", bleed=True)
    image = page_image(document.pages[0], 50)
    assert image.pixelColor(2, 2).rgb() & 0xFFFFFF == BAND_BLUE
    assert image.pixelColor(image.width() - 3, 30).rgb() & 0xFFFFFF == BAND_BLUE
    title = next(
        cell for table, _ in models(document) for cell, *_ in lay_out(table).boxes
        if cell.text == "维权信息告示牌"
    )
    assert title.parts[0].colour == 0xFFFFFF and title.fill == BAND_BLUE


# ── words ───────────────────────────────────────────────────────────────────────────────────────


def test_the_board_holds_the_union_of_both_texts() -> None:
    said = words(board_document(board(), "A3"))
    for expected in (
        "维权信息告示牌", "工程名称", "样例花园一期工程", "样例路1号", "410100202603010001", "2026年3月1日",
        "建设单位", "郑州样例置业有限公司", "甄业主", "施工总承包单位", "项目经理", "项经理", "总包项目部",
        "监理单位", "总监理工程师", "行业主管部门", "样例区住房和城乡建设局", "分包单位", "总包劳资专管员", "劳小专",
        "当地最低工资标准", "2100元/月", "20.6元/小时", "豫政〔2023〕43号，自2024年1月1日起施行",
        "农民工工资专用账户银行代发", "劳动保障监察投诉举报电话", "住建部门监督电话", "12333", "12345",
        "劳动争议调解仲裁", "样例区劳动人事争议仲裁院", "法律援助", "公共法律服务热线", "12348",
        "制作日期：2026年11月24日", "信息更新日期：2026年11月20日", "版本：第3版",
    ):
        assert expected in said, expected
    assert "临时牌" not in said and "待补充" not in said


def test_the_pay_day_sentence_stands_whole_on_one_line() -> None:
    wanted = "工资支付日期：每月15日（遇法定节假日或休息日，提前支付）"
    assert pay_day_sentence(15) == wanted
    for size in SIZES:
        lines = [line for part, _ in parts(board_document(board(), size)) for line in part.lines]
        assert lines.count(wanted) == 1


def test_empty_optional_texts_leave_their_lines_out() -> None:
    said = words(
        board_document(
            board(0, project_address="", permit_no="", started_on=None, supervisors=(),
                  payment_method="", reminders=()), "A3")
    )
    for absent in ("工程地点", "施工许可证号", "开工日期", "监理单位", "支付方式", "六、提示", "待补充"):
        assert absent not in said
    assert "分包单位暂无" in said
    one = words(board_document(board(permit_no=""), "A3"))
    assert "开工日期2026年3月1日" in one
    other = words(board_document(board(started_on=None, wage_bank="样例银行"), "A3"))
    assert "施工许可证号410100202603010001" in other and "专用账户开户银行样例银行" in other


def test_a_qr_stands_beside_the_complaint_phones_when_given() -> None:
    document = board_document(board(report_link="https://example.org/report"), "1200x900")
    (table, scale) = next(models(document))
    codes = [cell.code for row in table.rows for cell in row.cells if cell.code]
    assert [code.payload for code in codes] == ["https://example.org/report"]
    assert isinstance(codes[0], Code) and codes[0].size * scale >= mm(80)
    assert "全国根治欠薪线索反映平台" in words(document)


def test_a_phone_alone_in_a_text_is_set_apart_and_no_word_is_lost() -> None:
    assert split_phone("某仲裁院，某街2号，联系电话：0371-00000002（不收费）") == (
        "某仲裁院，某街2号（不收费）", "0371-00000002",
    )
    two = "甲中心 0371-00000002，乙中心 0371-00000003"
    assert split_phone(two) == (two, "")
    assert split_phone("12348") == ("12348", "")
    assert split_phone("编号 1234567890123456") == ("编号 1234567890123456", "")


# ── the draft ───────────────────────────────────────────────────────────────────────────────────


def test_a_draft_names_each_missing_item_above_a_ruled_blank() -> None:
    document = board_document(empty_board(), "A3")
    said = words(document)
    assert "临时牌" in said and "每月__日" in said
    for name in (
        "工程名称", "建设单位名称", "项目负责人姓名", "项目负责人电话", "施工总承包单位名称", "项目经理姓名", "项目经理电话",
        "总包项目部电话", "行业主管部门", "负责人", "电话", "劳资专管员姓名", "劳资专管员电话", "月最低工资标准",
        "小时最低工资标准", "最低工资标准文号、施行日期", "工资支付日期（每月几日）", "劳动保障监察投诉举报电话",
        "住建部门监督电话", "劳动争议调解仲裁申请渠道", "法律援助申请渠道", "公共法律服务热线",
    ):
        assert f"待补充：{name}" in said, name
    blanks = re.findall("待补充：[^_]+_{3,}", said)
    assert len(blanks) == said.count("待补充：")
    assert_nothing_cut(document)


def test_the_mark_stands_on_every_size_and_on_complete_content() -> None:
    for size in SIZES:
        assert "临时牌" in words(board_document(board(draft=True), size))


# ── never cut ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("size", ["A3", "1200x900"])
def test_any_number_of_subcontractors_stands_whole_exactly_once(size: str) -> None:
    for count in range(31):
        document = board_document(board(count, officers=count // 4), size)
        assert_nothing_cut(document)
        said = words(document)
        for entry in subcontractors(count):
            assert said.count(entry.name) == 1 and said.count(entry.phone) == 1
        for k in range(count // 4):
            assert said.count(f"资员{k}") == 1
        assert said.count("维权信息告示牌") == len(document.pages)
        assert ("（续）" in said) == (len(document.pages) > 1)


def test_the_rule_for_many_is_enlarge_then_compact_then_a_second_board() -> None:
    few = BoardLayout(board(2), *A3_LANDSCAPE)
    many = BoardLayout(board(24), *A3_LANDSCAPE)
    assert few.scale > 1 and few.pages == 1
    assert many.scale >= 1 and many.pages == 2
    assert "共24家" in words(board_document(board(24), "A3"))
    compact = next(
        document for count in range(4, 30)
        if len((document := board_document(board(count), "A3")).pages) == 1
        and _phone_size(document, "19900000000") < _phone_size(document, "19900000093")
    )
    assert_nothing_cut(compact)


def _phone_size(document: Document, phone: str) -> float:
    return next(size for part, size in parts(document) if part.lines == (phone,))


def test_long_texts_shrink_everything_together_and_are_whole() -> None:
    long = "长" * 480
    crowded = board(
        12, project_name=long, project_address=long, project_dept_address=long, arbitration=long,
        legal_aid=long, competent_department=long, wage_bank=long, project_dept_phone="1" * 200,
        owners=(BoardParty("建设单位", long, (BoardContact("负责人", long, "2" * 100),)),),
    )
    document = board_document(crowded, "A3")
    assert_nothing_cut(document)
    assert words(document).count(long) == 9
    with pytest.raises(ReportError, match="board_overflow"):
        board_document(board(project_name="长" * 20_000), "A3")


def test_rare_characters_and_long_minority_names_are_whole() -> None:
    entry = BoardSubcontractor(
        "济源𠮷祥䶮𬭎建筑劳务有限公司", "劳务分包", "买买提·阿不都热合曼·吐尔逊", "0371-00000000 转 8801",
    )
    document = board_document(board(0, subcontractors=(entry,)), "A3")
    assert_nothing_cut(document)
    said = words(document)
    assert entry.name in said and entry.contact in said and entry.phone.replace(" ", "") in said.replace(" ", "")


def test_twelve_hotlines_fit() -> None:
    lines = tuple(BoardHotline(f"123{k:02d}", f"样例服务热线之{k}") for k in range(30, 42))
    document = board_document(board(hotlines=(*lines, BoardHotline("12348", ""))), "A3")
    assert_nothing_cut(document)
    assert all(line.number in words(document) for line in lines)


# ── tiles ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("size", "sheets", "paper"),
    [("A2", 4, A3_LANDSCAPE), ("A1", 6, A3_PORTRAIT), ("1200x900", 12, A3_LANDSCAPE)],
)
def test_tiles_cover_the_board_with_ten_millimetres_overlap(
    size: str, sheets: int, paper: tuple[int, int]
) -> None:
    whole = board_document(board(), size)
    made = tiles(whole)
    assert len(made.pages) == sheets
    windows = []
    for page in made.pages:
        assert (page.width, page.height) == paper
        window = page.items[0]
        assert isinstance(window, Window)
        assert window.x >= mm(5) and window.x + window.w <= page.width - mm(5)
        assert window.y >= mm(5) and window.y + window.h <= page.height - mm(12)
        windows.append(window)
    lefts = sorted({w.from_x for w in windows})
    tops = sorted({w.from_y for w in windows})
    assert len(lefts) * len(tops) == sheets
    for starts, extent, end in (
        (lefts, windows[0].w, whole.pages[0].width), (tops, windows[0].h, whole.pages[0].height),
    ):
        assert starts[0] == 0 and 0 <= starts[-1] + extent - end <= len(starts)
        assert all(b + OVERLAP == a + extent for a, b in pairwise(starts))
    columns = len(lefts)
    for k, page in enumerate(made.pages):
        said = "".join(texts(page))
        assert f"第{k // columns + 1}行 第{k % columns + 1}列" in said


def test_tiles_of_two_boards_name_the_board() -> None:
    made = tiles(board_document(board(24), "A2"))
    assert len(made.pages) == 8
    assert "第1块" in "".join(texts(made.pages[0])) and "第2块" in "".join(texts(made.pages[7]))


# ── files ───────────────────────────────────────────────────────────────────────────────────────


def test_pdf_and_docx_of_a3_carry_the_same_words(tmp_path: Path) -> None:
    for name, made in (("final", board(30, officers=3)), ("draft", empty_board())):
        document = board_document(made, "A3")
        write_pdf(document, tmp_path / f"{name}.pdf")
        write_docx(document, tmp_path / f"{name}.docx")
        in_pdf, in_word = _pdf_words(tmp_path / f"{name}.pdf"), _word_words(tmp_path / f"{name}.docx")
        assert sorted(in_pdf) == sorted(in_word)
        assert sorted(in_word) == sorted("".join(words(document).split()))


def test_pdf_pages_are_one_to_one_and_vector(tmp_path: Path) -> None:
    path = tmp_path / "board.pdf"
    write_pdf(board_document(board(report_link="https://example.org/r"), "1200x900"), path)
    pdf = pypdfium2.PdfDocument(path)
    width, height = pdf[0].get_size()
    assert abs(width / 72 * 25.4 - 1200) < 0.5 and abs(height / 72 * 25.4 - 900) < 0.5
    kinds = {item.type for item in pdf[0].get_objects()}
    assert pypdfium2.raw.FPDF_PAGEOBJ_IMAGE not in kinds
    assert "工资支付日期：每月15日（遇法定节假日或休息日，提前支付）" in pdf[0].get_textpage().get_text_range()
    pdf.close()


def test_the_docx_is_a3_landscape_with_chinese_fonts(tmp_path: Path) -> None:
    path = tmp_path / "board.docx"
    write_docx(board_document(board(), "A3"), path)
    document = docx.Document(str(path))
    section = document.sections[0]
    assert round(section.page_width.mm) == 420 and round(section.page_height.mm) == 297
    assert section.orientation == docx.enum.section.WD_ORIENT.LANDSCAPE
    fonts = re.findall(r'w:eastAsia="([^"]+)"', document.styles.element.xml)
    assert fonts and len(document.tables) == 1


def _pdf_words(path: Path) -> str:
    pdf = pypdfium2.PdfDocument(path)
    text = "".join(page.get_textpage().get_text_range() for page in pdf)
    pdf.close()
    return "".join(text.split())


def _word_words(path: Path) -> str:
    body = docx.Document(str(path)).element.body
    return "".join("".join(node.text or "" for node in body.iter() if node.tag.endswith("}t")).split())


# ── the boxes ───────────────────────────────────────────────────────────────────────────────────


def test_table_of_fills_holes_and_joins_near_edges() -> None:
    from reports.board_boxes import Placed

    box = Box(0, 1000, "甲", Look(10), Sizes())
    table = table_of(
        [
            Placed(0, 0, 1000, 1000, box.cell()), Placed(0, 1000, 1000, 2000, box.cell()),
            Placed(2000, 0, 3000, 1040, box.cell()), Placed(2000, 1040, 3000, 1500, box.cell()),
        ]
    )
    assert table.columns == (1000, 1000, 1000)
    assert [row.height for row in table.rows] == [1000, 500, 500]
    assert [sum(cell.span for cell in row.cells) for row in table.rows] == [3, 3, 3]
    assert isinstance(table.rows[0].cells[1], Cell) and not table.rows[0].cells[1].parts
    page = Page(3000, 2000, (table,))
    assert "".join(texts(page)).count("甲") == 4

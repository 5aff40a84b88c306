"""The .docx says what the PDF says, on the same pages, in XML Word accepts."""

from __future__ import annotations

import io
import shutil
import subprocess
import zipfile
from collections import Counter
from dataclasses import replace
from pathlib import Path

import docx
import pypdfium2 as pdfium
import pytest
from lxml import etree

from reports.boxes import cell, text_box
from reports.errors import ReportError
from reports.grid import lay_out
from reports.painter import write_pdf
from reports.paper import (
    A3_LANDSCAPE,
    A4_PORTRAIT,
    RED,
    Cell,
    Code,
    Document,
    LazyPages,
    Line,
    Meta,
    Page,
    Part,
    Row,
    Table,
    texts,
)
from reports.sheet import SheetInput, SheetKind, SheetPaper, sheet_document
from reports.word import write_docx
from reports.word_parts import OfficeFonts, office_fonts
from tests.reports.sheet_samples import sheet
from tests.reports.test_painter import char_boxes

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
WINDOWS = OfficeFonts()


def squeezed(text: str) -> str:
    return "".join(text.split())


def xml(path: Path, part: str = "word/document.xml") -> etree._Element:
    with zipfile.ZipFile(path) as package:
        return etree.fromstring(package.read(part))


def written(sheet_input: SheetInput, path: Path) -> etree._Element:
    write_docx(sheet_document(sheet_input), path, fonts=WINDOWS)
    return xml(path)


def one_page(*rows: Row, columns: tuple[int, ...] = (2000, 3000)) -> Document:
    return Document("样例", [Page(*A4_PORTRAIT, (Table(1000, 1000, columns, rows),))])


# Text


@pytest.mark.parametrize("people", [0, 1, 19, 20, 60])
@pytest.mark.parametrize("kind", [SheetKind.SIGNING, SheetKind.NOTICE])
def test_each_page_is_one_table_with_the_pages_texts(
    people: int, kind: SheetKind, tmp_path: Path
) -> None:
    given = sheet(people, kind=kind)
    body = written(given, tmp_path / "a.docx")
    tables = body.findall(f".//{W}tbl")
    pages = sheet_document(given).pages
    assert len(tables) == len(pages)
    for table, page in zip(tables, pages, strict=True):
        cells = [squeezed("".join(c.itertext())) for c in table.iter(f"{W}tc")]
        assert [text for text in cells if text] == [squeezed(text) for text in texts(page)]


def test_python_docx_reads_names_as_they_are(tmp_path: Path) -> None:
    given = sheet(8)
    write_docx(sheet_document(given), tmp_path / "a.docx", fonts=WINDOWS)
    (table,) = docx.Document(str(tmp_path / "a.docx")).tables
    names = [row.cells[1].text.replace("\n", "") for row in table.rows[5:13]]
    assert names == [row.name for row in given.rows]


def test_marks_of_xml_and_control_characters_are_harmless(tmp_path: Path) -> None:
    nasty = Cell((Part(("<甲&乙>\x00\x0b\ud800\uffff]]>",), 9),))
    write_docx(one_page(Row(900, (nasty, Cell()))), tmp_path / "a.docx", fonts=WINDOWS)
    assert "".join(xml(tmp_path / "a.docx").itertext()) == "<甲&乙>]]>"


def test_what_is_remembered_differs_by_every_mark_of_its_look(tmp_path: Path) -> None:
    plain = Part(("甲",), 9)
    parts = [replace(plain, pt=8), replace(plain, role="hei"), replace(plain, colour=RED)]
    base = Cell((plain,))
    cells = [base, *(replace(base, parts=(part,)) for part in parts)]
    for change in (
        {"align": "left"}, {"valign": "top"}, {"borders": 3}, {"fill": 0xE6E6E6}, {"hatch": True},
        {"pad": 100}, {"rows": 2}, {"covered": True}, {"parts": (plain, plain)},
    ):  # fmt: skip
        cells.append(replace(base, **change))
    rows = [Row(900, (cell, Cell())) for cell in cells]
    write_docx(one_page(*rows), tmp_path / "a.docx", fonts=WINDOWS)
    first = [row.find(f"{W}tc") for row in xml(tmp_path / "a.docx").iter(f"{W}tr")]
    assert len({etree.tostring(cell) for cell in first}) == len(cells)


def test_more_cells_than_are_remembered_all_arrive(tmp_path: Path) -> None:
    names = [f"人{k}&" for k in range(2500)]
    again = Cell((Part(("每行",), 9),))
    rows = [
        Row(900, (Cell((Part((name,), 9),)), again), ruled=k % 3 > 0)
        for k, name in enumerate(names)
    ]
    write_docx(one_page(*rows), tmp_path / "a.docx", fonts=WINDOWS)
    texts_there = ["".join(cell.itertext()) for cell in xml(tmp_path / "a.docx").iter(f"{W}tc")]
    assert texts_there == [text for name in names for text in (name, "每行")]


def test_a_ruled_row_with_missing_cells_is_refused(tmp_path: Path) -> None:
    document = one_page(Row(900, (Cell(),), ruled=True))
    with pytest.raises(ValueError, match="every column"):
        write_docx(document, tmp_path / "a.docx", fonts=WINDOWS)
    assert not list(tmp_path.iterdir())


# Structure


@pytest.mark.parametrize("paper", list(SheetPaper))
def test_widths_stand_in_grid_and_cells_and_agree(paper: SheetPaper, tmp_path: Path) -> None:
    body = written(sheet(3, paper=paper), tmp_path / "a.docx")
    grid = [int(c.get(f"{W}w")) for c in body.iter(f"{W}gridCol")]
    margins = body.find(f".//{W}pgMar")
    size = body.find(f".//{W}pgSz")
    assert margins is not None and size is not None
    left = int(margins.get(f"{W}left"))
    assert sum(grid) <= int(size.get(f"{W}w")) - 2 * left + 10
    for row in body.iter(f"{W}tr"):
        column = 0
        for box in row.findall(f"{W}tc"):
            span_of = box.find(f"{W}tcPr/{W}gridSpan")
            span = int(span_of.get(f"{W}val")) if span_of is not None else 1
            width = box.find(f"{W}tcPr/{W}tcW")
            assert width is not None
            assert int(width.get(f"{W}w")) == sum(grid[column : column + span])
            column += span
        assert column == len(grid)


ORDER = {
    "tcPr": [
        "tcW",
        "gridSpan",
        "vMerge",
        "tcBorders",
        "shd",
        "noWrap",
        "tcMar",
        "textDirection",
        "vAlign",
    ],
    "tblPr": [
        "tblStyle",
        "tblW",
        "jc",
        "tblInd",
        "tblBorders",
        "tblLayout",
        "tblCellMar",
        "tblLook",
    ],
    "trPr": ["cantSplit", "trHeight", "tblHeader"],
    "pPr": [
        "pStyle",
        "keepNext",
        "keepLines",
        "pageBreakBefore",
        "widowControl",
        "autoSpaceDE",
        "autoSpaceDN",
        "adjustRightInd",
        "snapToGrid",
        "spacing",
        "ind",
        "jc",
    ],
    "rPr": ["rFonts", "b", "bCs", "color", "sz", "szCs", "lang"],
    "sectPr": ["pgSz", "pgMar", "cols"],
    "style": ["name", "basedOn", "qFormat", "pPr", "rPr", "tblPr"],
}


@pytest.mark.parametrize("part", ["word/document.xml", "word/styles.xml"])
def test_children_stand_in_the_order_of_the_schema(part: str, tmp_path: Path) -> None:
    written(sheet(25, version="第2版 更正"), tmp_path / "a.docx")
    seen = set()
    for element in xml(tmp_path / "a.docx", part).iter():
        name = etree.QName(element).localname
        if name in ORDER:
            children = [ORDER[name].index(etree.QName(child).localname) for child in element]
            assert children == sorted(children), name
            seen.add(name)
    assert seen >= ({"tcPr", "tblPr", "trPr", "pPr", "sectPr"} if "doc" in part else {"rPr"})


def test_every_cell_ends_with_a_paragraph_and_rows_are_exact(tmp_path: Path) -> None:
    body = written(sheet(25), tmp_path / "a.docx")
    for box in body.iter(f"{W}tc"):
        assert etree.QName(box[-1]).localname == "p"
    for row in body.iter(f"{W}tr"):
        height = row.find(f"{W}trPr/{W}trHeight")
        assert row.find(f"{W}trPr/{W}cantSplit") is not None
        assert height is not None
        assert height.get(f"{W}hRule") == "exact"


def test_head_rows_repeat_from_the_first_on(tmp_path: Path) -> None:
    body = written(sheet(25), tmp_path / "a.docx")
    for table in body.iter(f"{W}tbl"):
        heads = [row.find(f"{W}trPr/{W}tblHeader") is not None for row in table.iter(f"{W}tr")]
        assert heads == sorted(heads, reverse=True)
        assert sum(heads) == 5


def test_pages_break_before_all_but_the_first_and_none_is_blank(tmp_path: Path) -> None:
    body = written(sheet(45), tmp_path / "a.docx")[0]
    kinds = [etree.QName(child).localname for child in body]
    assert kinds == ["p", "tbl"] * 3 + ["p", "sectPr"]
    breaks = [p.find(f"{W}pPr/{W}pageBreakBefore") is not None for p in body.findall(f"{W}p")]
    assert breaks == [False, True, True, False]


def test_landscape_is_said_and_measured(tmp_path: Path) -> None:
    size = written(sheet(1), tmp_path / "a.docx").find(f".//{W}pgSz")
    assert size is not None
    assert size.get(f"{W}orient") == "landscape"
    assert (int(size.get(f"{W}w")), int(size.get(f"{W}h"))) == (23811, 16838)


def test_chinese_fonts_are_named_on_every_style_and_nowhere_else(tmp_path: Path) -> None:
    body = written(sheet(25), tmp_path / "a.docx")
    assert body.find(f".//{W}rFonts") is None
    styles = xml(tmp_path / "a.docx", "word/styles.xml")
    fonts = {
        tuple(f.get(W + k) for k in ("ascii", "hAnsi", "cs", "eastAsia"))
        for f in styles.iter(f"{W}rFonts")
    }
    assert fonts == {("宋体",) * 4, ("黑体",) * 4}
    used = {p.get(f"{W}val") for p in body.iter(f"{W}pStyle")}
    assert used <= {s.get(f"{W}styleId") for s in styles.iter(f"{W}style")}


def test_the_office_fonts_of_this_machine_are_installed() -> None:
    fonts = office_fonts()
    listed = subprocess.run(
        ["fc-list", ":", "family"], capture_output=True, check=True, timeout=30
    ).stdout.decode()
    assert fonts.song in listed
    assert fonts.hei in listed


def test_each_signature_page_has_its_picture(tmp_path: Path) -> None:
    import zxingcpp
    from PIL import Image

    written(sheet(45), tmp_path / "a.docx")
    with zipfile.ZipFile(tmp_path / "a.docx") as package:
        pictures = sorted(n for n in package.namelist() if n.startswith("word/media/"))
        rels = package.read("word/_rels/document.xml.rels").decode()
        assert len(pictures) == 3
        for number, name in enumerate(pictures, 1):
            assert name.removeprefix("word/") in rels
            picture = Image.open(io.BytesIO(package.read(name))).convert("L")
            (code,) = zxingcpp.read_barcodes(picture)
            assert f":003:{number:03d}:01:" in code.text


def test_the_same_code_twice_is_one_picture_with_two_drawings(tmp_path: Path) -> None:
    code = Cell(code=Code(0, 0, 800, "HELLO"))
    row = Row(900, (code, code))
    write_docx(one_page(row, row), tmp_path / "a.docx", fonts=WINDOWS)
    body = xml(tmp_path / "a.docx")
    numbers = [e.get("id") for e in body.iter() if etree.QName(e).localname == "docPr"]
    assert len(set(numbers)) == len(numbers) == 4
    with zipfile.ZipFile(tmp_path / "a.docx") as package:
        assert sum(n.startswith("word/media/") for n in package.namelist()) == 1


# The file


def test_equal_documents_are_equal_files(tmp_path: Path) -> None:
    for name in ("a.docx", "b.docx"):
        write_docx(sheet_document(sheet(21)), tmp_path / name, fonts=WINDOWS)
    assert (tmp_path / "a.docx").read_bytes() == (tmp_path / "b.docx").read_bytes()


def test_what_the_file_says_about_itself(tmp_path: Path) -> None:
    document = Document("标题 <甲&乙>", one_page(Row(900, (Cell(), Cell()))).pages, Meta("作者"))
    write_docx(document, tmp_path / "a.docx", fonts=WINDOWS)
    facts = docx.Document(str(tmp_path / "a.docx")).core_properties
    assert (facts.title, facts.author) == ("标题 <甲&乙>", "作者")


class Stop:
    def raise_if_set(self) -> None:
        raise KeyboardInterrupt


def test_cancelling_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.docx"
    path.write_bytes(b"old")
    with pytest.raises(KeyboardInterrupt):
        write_docx(sheet_document(sheet(45)), path, cancel=Stop())
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_progress_names_every_page(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    write_docx(sheet_document(sheet(45)), tmp_path / "a.docx", lambda d, t, _: seen.append((d, t)))
    assert seen == [(1, 3), (2, 3), (3, 3)]


def refused(document: Document, path: Path) -> str:
    with pytest.raises(ReportError) as caught:
        write_docx(document, path)
    assert not path.exists()
    return caught.value.code


def test_what_word_cannot_hold_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.docx"
    table = Table(1000, 1000, (2000,), (Row(900, (cell("甲", 2000, 900, 9),)),))
    free = Page(*A4_PORTRAIT, (text_box("甲", 0, 0, 900, 900, 9),))
    small, large = Page(*A4_PORTRAIT, (table,)), Page(*A3_LANDSCAPE, (table,))
    assert refused(Document("a", [free]), path) == "not_a_table"
    assert refused(Document("a", [small, large]), path) == "page_sizes"
    assert refused(Document("a", [Page(59400, 42000, (table,))]), path) == "paper_too_large"
    assert refused(Document("a", LazyPages(1, lambda _: small)), tmp_path / "no" / "a") == (
        "write_failed"
    )


def test_lines_outside_tables_are_left_out_and_gaps_kept(tmp_path: Path) -> None:
    upper = Table(1000, 1000, (2000,), (Row(900, (cell("上", 2000, 900, 9),)),))
    lower = Table(1500, 3000, (2000,), (Row(900, (cell("下", 2000, 900, 9),)),))
    document = Document("a", [Page(*A4_PORTRAIT, (upper, Line(0, 0, 9, 9), lower))])
    write_docx(document, tmp_path / "a.docx", fonts=WINDOWS)
    body = xml(tmp_path / "a.docx")[0]
    gap = body[2].find(f"{W}pPr/{W}spacing")
    assert gap is not None
    assert int(gap.get(f"{W}line")) == round(1100 * 1440 / 2540)
    indents = [e.get(f"{W}w") for e in body.iter(f"{W}tblInd")]
    assert indents == ["0", str(round(500 * 1440 / 2540))]


# LibreOffice opens it


@pytest.mark.usefixtures("qapp")
def test_libreoffice_shows_the_same_people_on_the_same_pages(tmp_path: Path) -> None:
    """600 people, both papers, every kind; page by page the characters of both files are equal."""
    sheets = {
        "none": sheet(0),
        "one": sheet(1, days=28),
        "full": sheet(19, days=31),
        "more": sheet(20),
        "many": sheet(600),
        "small": sheet(40, paper=SheetPaper.A4, days=31),
        "managers": sheet(5, kind=SheetKind.MANAGERS, paper=SheetPaper.A4),
        "notice": sheet(25, kind=SheetKind.NOTICE),
        "slip": sheet(1, kind=SheetKind.SLIP),
    }
    for name, given in sheets.items():
        document = sheet_document(given)
        write_docx(document, tmp_path / f"{name}.docx")
        write_pdf(document, tmp_path / f"{name}.pdf")
    office = shutil.which("soffice")
    assert office, "LibreOffice is part of the test set-up"
    subprocess.run(
        [
            *(office, "--headless", f"-env:UserInstallation=file://{tmp_path / 'office'}"),
            *("--convert-to", "pdf", "--outdir", str(tmp_path / "out")),
            *(str(tmp_path / f"{name}.docx") for name in sheets),
        ],
        check=True,
        timeout=240,
        capture_output=True,
    )
    for name in sheets:
        ours, theirs = (page_characters(tmp_path / f / f"{name}.pdf") for f in (".", "out"))
        assert len(ours) == len(theirs), name
        for number, (mine, other) in enumerate(zip(ours, theirs, strict=True), 1):
            assert mine == other, (name, number)
        assert_inside(sheet_document(sheets[name]), tmp_path / "out" / f"{name}.pdf")


def assert_inside(document: Document, path: Path) -> None:
    """No line broke anew or left its cell: all ink is where the model put it, to 0.7 mm.

    (LibreOffice stands one point lower than the model, for the paragraph that breaks the page.)
    """
    with pdfium.PdfDocument(path) as pdf:
        for page, drawn in zip(document.pages, pdf, strict=True):
            (table,) = page.tables()
            boxes: dict[str, list[tuple[int, int, int, int]]] = {}
            for box, x, y, w, h in lay_out(table).boxes:
                for char in set(squeezed(box.text)):
                    boxes.setdefault(char, []).append((x - 70, y - 70, x + w + 70, y + h + 70))
            for char, left, top, right, bottom in char_boxes(drawn):
                assert any(
                    x <= left and y <= top and right <= x2 and bottom <= y2
                    for x, y, x2, y2 in boxes[char]
                ), (char, left, top)


def page_characters(path: Path) -> list[Counter[str]]:
    with pdfium.PdfDocument(path) as pdf:
        return [Counter(squeezed(page.get_textpage().get_text_range())) for page in pdf]

"""The month's papers as a reader has them: PDF, .docx, and the .docx opened by LibreOffice."""

from __future__ import annotations

import re
import subprocess
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pypdfium2 as pdfium
import pytest

from tests.acceptance.outside_papers import LONG_NAME, RARE_NAMES, PaperSite, closed_month

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
NUMBER = re.compile(r"(?<!\d)700[12]\d{4}(?!\d)")
HEADS = {
    "sheet": ("建筑工人实名制考勤表", "工程名称：外部核对三号项目", "人员编号", "工种/岗位", "按手印", "本页合计",
              "全表合计", "图例：", "在场时长不等于工作时长", "劳资专管员", "项目经理"),
    "managers": ("管理人员考勤表", "工程名称：外部核对三号项目", "人员编号", "岗位", "本人签字", "本页合计", "图例：",
                 "在场时长不等于工作时长", "（确认，章）"),
    "notice": ("建筑工人实名制考勤表|管理人员考勤表", "公示件", "预览", "人员编号", "图例：", "在场时长不等于工作时长"),
}


@pytest.fixture(scope="module")
def site(once: Callable[..., PaperSite]) -> PaperSite:
    return once("papers", closed_month)


def pdf_pages(path: str | Path) -> list[str]:
    """Text of every page, blanks removed."""
    with pdfium.PdfDocument(str(path)) as document:
        return [bare(page.get_textpage().get_text_range()) for page in document]


def poppler_pages(path: str | Path) -> list[str]:
    """The same by another reader."""
    text = subprocess.run(
        ["pdftotext", "-layout", str(path), "-"], capture_output=True, check=True, timeout=60
    ).stdout.decode("utf-8")
    return [bare(page) for page in text.split("\f")[:-1]]


def bare(text: str) -> str:
    """Without blanks of any kind."""
    return "".join(text.split()).replace("\ufffe", "").replace("\x00", "")


def docx_pages(path: str | Path) -> list[str]:
    """Text of every page: a new one begins where a paragraph says so."""
    with zipfile.ZipFile(path) as package:
        body = ElementTree.fromstring(package.read("word/document.xml"))[0]
    pages = [""]
    for element in body.iter():
        if element.tag in (f"{W}pageBreakBefore",) or (
            element.tag == f"{W}br" and element.get(f"{W}type") == "page"
        ):
            pages.append("")
        elif element.tag == f"{W}t":
            pages[-1] += element.text or ""
    return [bare(page) for page in pages]


def docx_rows(path: str | Path) -> list[str]:
    """Text of every table row that holds a person's number."""
    with zipfile.ZipFile(path) as package:
        body = ElementTree.fromstring(package.read("word/document.xml"))[0]
    rows = ["|".join(
        "".join(text.text or "" for text in cell.iter(f"{W}t")) for cell in row.iter(f"{W}tc")
    ) for row in body.iter(f"{W}tr")]
    return [row for row in rows if NUMBER.search(row)]


def numbers(pages: list[str]) -> list[list[int]]:
    """Which persons stand on which page, in order of the text."""
    return [[int(found) for found in NUMBER.findall(page)] for page in pages]


def pairs(site: PaperSite) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Every document as PDF and as .docx."""
    files = [*site.month_files, *site.slip_files, *site.board_files]
    by_path = {one["path"]: one for one in files}
    made = [
        (one, by_path[one["path"].removesuffix(".pdf") + ".docx"])
        for one in files if one["path"].endswith(".pdf")
    ]
    assert len(made) * 2 == len(files)
    return made


def test_every_row_once_per_membership_on_paper_and_in_word(site: PaperSite) -> None:
    by_number = {one.number: one for one in site.rows}
    names = {one.team or one.company for one in site.rows}
    for kinds in (("sheet", "managers"), ("notice",)):
        seen = []
        for kind in kinds:
            for file in site.files(kind, ".pdf"):
                seen.append(file["team"])
                expected = site.on_sheet(file["team"])
                paper = numbers(pdf_pages(file["path"]))
                assert sorted(one for page in paper for one in page) == expected, file
                word = file["path"].removesuffix(".pdf") + ".docx"
                assert numbers(docx_pages(word)) == paper
                rows = docx_rows(word)
                assert len(rows) == len(expected)
                for row in rows:
                    found = NUMBER.search(row)
                    assert found and by_number[int(found[0])].name in row
        assert sorted(seen) == sorted(names)


def test_days_of_a_person_who_changed_the_team(site: PaperSite) -> None:
    twice = [number for number, n in Counter(one.number for one in site.rows).items() if n == 2]
    assert len(twice) == 2
    for number in twice:
        marks = []
        for file in site.files("sheet", ".docx"):
            marks += [
                (row.split("|")[5:36], file["team"])
                for row in docx_rows(file["path"]) if str(number) in row
            ]
        assert len(marks) == 2 and len({team for _, team in marks}) == 2
        for one, other in zip(marks[0][0], marks[1][0], strict=True):
            assert sorted((one, other)) == ["—", "√"]


def test_pdf_and_word_carry_the_same_text(site: PaperSite) -> None:
    for paper, word in pairs(site):
        on_paper, in_word = pdf_pages(paper["path"]), docx_pages(word["path"])
        assert paper["pages"] == word["pages"] == len(on_paper) == len(in_word), paper["path"]
        for page, (one, other) in enumerate(zip(on_paper, in_word, strict=True), 1):
            missing, extra = Counter(other) - Counter(one), Counter(one) - Counter(other)
            assert not missing and not extra, (paper["path"], page, missing, extra)


def test_heads_legend_and_page_numbers_on_every_page(site: PaperSite) -> None:
    for kind, heads in HEADS.items():
        for ending, read in ((".pdf", poppler_pages), (".docx", docx_pages)):
            for file in site.files(kind, ending):
                pages = read(file["path"])
                for place, text in enumerate(pages, 1):
                    for head in heads:
                        assert any(word in text for word in head.split("|")), (file, place, head)
                    assert f"第{place}页/共{len(pages)}页" in text, (file, place)


def test_rare_characters_and_long_names_come_out_whole(site: PaperSite) -> None:
    """By two readers; in the PDF inside their own cell."""
    for kind in ("sheet", "notice"):
        text = "".join(
            page for file in site.files(kind, ".pdf")
            for page in [*poppler_pages(file["path"])]
        )
        for name in RARE_NAMES[:3]:
            assert name in text
        rows = "".join("".join(docx_rows(file["path"])) for file in site.files(kind, ".docx"))
        for name in RARE_NAMES:
            assert name in rows
    (file,) = [one for one in site.files("sheet", ".pdf") if one["team"] == "瓦工班"]
    name, number, above, below = boxes_of_the_long_name(file["path"], site)
    assert name[2] < number[0], "the name runs into the next column"
    assert below[3] < name[1] < name[3] < above[1], "the name leaves its row"


def boxes_of_the_long_name(path: str, site: PaperSite) -> tuple[tuple[float, ...], ...]:
    """Left, bottom, right, top of the name, its number, and the numbers of the rows around it."""
    person = next(one for one in site.rows if one.name == LONG_NAME)
    with pdfium.PdfDocument(path) as document:
        text = document[0].get_textpage()
        chars = [
            (text.get_text_range(place, 1), text.get_charbox(place))
            for place in range(text.count_chars())
        ]
    kept = [(char, box) for char, box in chars if char.strip()]
    plain = "".join(char[0] for char, _ in kept)

    def box(word: str) -> tuple[float, ...]:
        start = plain.index(word)
        parts = [box for _, box in kept[start : start + len(word)]]
        return (min(b[0] for b in parts), min(b[1] for b in parts),
                max(b[2] for b in parts), max(b[3] for b in parts))

    return (box(LONG_NAME), box(str(person.number)), box(str(person.number - 1)),
            box(str(person.number + 1)))


def test_fonts_are_embedded_and_their_text_can_be_read_back(site: PaperSite) -> None:
    for paper, _ in pairs(site):
        told = subprocess.run(
            ["pdffonts", paper["path"]], capture_output=True, text=True, check=True, timeout=60
        ).stdout.splitlines()[2:]
        assert told, paper["path"]
        for line in told:
            embedded, _subset, unicode = line.split()[-5:-2]
            assert (embedded, unicode) == ("yes", "yes"), (paper["path"], line)


def test_nothing_touches_the_edge_of_the_paper(site: PaperSite) -> None:
    """Rendered: the outer 4 mm are white, and there is ink near all four margins of a sheet."""
    for file in site.files("sheet", ".pdf") + site.files("notice", ".pdf"):
        with pdfium.PdfDocument(file["path"]) as document:
            for page in document:
                picture = page.render(scale=1, grayscale=True).to_pil().point(lambda v: v < 200 and 255)
                left, top, right, bottom = picture.getbbox()
                edge = 4 * 72 / 25.4
                assert min(left, top, picture.width - right, picture.height - bottom) > edge
                assert right - left > 0.9 * picture.width


def test_libreoffice_shows_the_same_people_on_the_same_pages(
    site: PaperSite, tmp_path: Path
) -> None:
    made = pairs(site)
    subprocess.run(
        ["soffice", f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}", "--headless",
         "--convert-to", "pdf", "--outdir", str(tmp_path), *(word["path"] for _, word in made)],
        capture_output=True, check=True, timeout=240,
    )
    for paper, word in made:
        shown = poppler_pages(tmp_path / (Path(word["path"]).stem + ".pdf"))
        printed = poppler_pages(paper["path"])
        assert len(shown) == len(printed) == paper["pages"], word["path"]
        for page, (one, other) in enumerate(zip(numbers(shown), numbers(printed), strict=True)):
            assert sorted(one) == sorted(other), (word["path"], page)

"""Mending a PDF: complete files only, and never a guess about a character."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pypdfium2 as pdfium
import pytest

from reports import pdf_text
from reports.boxes import text_box
from reports.errors import ReportError
from reports.painter import _write_pages, ensure_gui, write_pdf
from reports.paper import A4_PORTRAIT, Document, Page, Role

SONG = "SiteMusterSong"


RARE = {SONG: ["𠮷"], "SiteMusterHei": ["𬭎"]}


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """What Qt writes, one rare character in each face."""
    ensure_gui()
    path = tmp_path_factory.mktemp("raw") / "a.pdf"
    items = (
        text_box("甲𠮷乙 丙", 2000, 2000, 9000, 800, 9),
        text_box("丁𬭎戊", 2000, 4000, 9000, 800, 9, "hei"),
    )
    _write_pages(Document("样例", [Page(*A4_PORTRAIT, items)]), path, None, None)
    return path.read_bytes()


def mended(raw: bytes, path: Path, rare: dict[str, list[str]], pages: int = 1) -> str:
    path.write_bytes(raw)
    pdf_text.mend(path, rare, title="甲", made_on="2026-12-01", pages=pages)
    with pdfium.PdfDocument(path) as pdf:
        return pdf[0].get_textpage().get_text_range()


def refused(raw: bytes, path: Path, rare: dict[str, list[str]], pages: int = 1) -> str:
    with pytest.raises(ReportError) as caught:
        mended(raw, path, rare, pages)
    assert caught.value.code == "write_failed"
    return str(caught.value.facts["reason"])


def test_a_mended_file_has_no_holes_left(raw: bytes, tmp_path: Path) -> None:
    assert mended(raw, tmp_path / "a.pdf", RARE) == "甲𠮷乙 丙\r\n丁𬭎戊"


@pytest.mark.parametrize("chars", [[], ["𠮷", "𬭎"]])
def test_a_count_that_disagrees_is_refused(raw: bytes, tmp_path: Path, chars: list[str]) -> None:
    assert refused(raw, tmp_path / "a.pdf", {**RARE, SONG: chars}) == "glyphs"


def test_a_face_that_was_never_drawn_has_nothing_to_fill(raw: bytes, tmp_path: Path) -> None:
    assert mended(raw, tmp_path / "a.pdf", {**RARE, "Other": []})
    assert refused(raw, tmp_path / "a.pdf", {**RARE, "Other": ["𠮷"]}) == "glyphs"


def test_another_number_of_pages_is_refused(raw: bytes, tmp_path: Path) -> None:
    assert refused(raw, tmp_path / "a.pdf", RARE, pages=2) == "pages"


def test_a_cut_file_is_refused_wherever_it_is_cut(raw: bytes, tmp_path: Path) -> None:
    chance = random.Random(5)
    for end in [0, 1, 10, len(raw) - 3, *(chance.randrange(len(raw) - 8) for _ in range(60))]:
        assert refused(raw[:end], tmp_path / "a.pdf", RARE)


def test_a_damaged_table_of_objects_is_refused(raw: bytes, tmp_path: Path) -> None:
    at = raw.index(b"\n", raw.rindex(b"xref\n0") + 5) + 1 + 20
    for text in (b"0000000007", b"9999999999", b"xxxxxxxxxx"):
        assert refused(raw[:at] + text + raw[at + 10 :], tmp_path / "a.pdf", RARE)


def test_equal_pages_become_equal_files(raw: bytes, tmp_path: Path) -> None:
    for name in ("a.pdf", "b.pdf"):
        mended(raw, tmp_path / name, RARE)
    assert (tmp_path / "a.pdf").read_bytes() == (tmp_path / "b.pdf").read_bytes()


@pytest.mark.parametrize("roles", [("song", "hei"), ("hei", "song")])
def test_parts_of_the_faces_stand_in_the_order_of_first_drawing(
    tmp_path: Path, roles: tuple[Role, Role]
) -> None:
    # Qt has them in the order of a hash table: alike within a process, not between two.
    items = [
        text_box("字与字", 2000, 2000 + 2000 * place, 9000, 800, 9, role)
        for place, role in enumerate(roles)
    ]
    path = tmp_path / "a.pdf"
    write_pdf(Document("样例", [Page(*A4_PORTRAIT, tuple(items))]), path)
    content = path.read_bytes()
    names = re.findall(rb"/FontName /([A-Z]{6})\+SiteMuster(\w+)-", content)
    assert [face.lower().decode() for _, face in names] == list(roles)
    assert names == sorted(names)
    for tag, face in names:
        assert len(re.findall(rb"/BaseFont /" + tag + rb"\+SiteMuster" + face, content)) == 2
    with pdfium.PdfDocument(path) as pdf:
        assert pdf[0].get_textpage().get_text_range().count("字与字") == 2

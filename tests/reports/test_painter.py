"""PDF, preview and printer: exact paper, embedded faces, recoverable text, nothing clipped."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pypdfium2 as pdfium
import pytest
import zxingcpp
from pypdfium2.raw import FPDFText_GetUnicode
from PySide6.QtGui import QImage, QPageLayout, QPageSize, QPdfWriter
from PySide6.QtPrintSupport import QPrinter

from reports.boxes import text_box
from reports.errors import ReportError
from reports.grid import lay_out
from reports.painter import page_image, print_document, write_pdf
from reports.paper import (
    A4_LANDSCAPE,
    A4_PORTRAIT,
    RED,
    Code,
    Document,
    LazyPages,
    Line,
    Meta,
    Page,
    Rect,
    Text,
    Window,
    texts,
)
from reports.sheet import SheetKind, SheetPaper, sheet_document
from tests.reports.sheet_samples import sheet

pytestmark = pytest.mark.usefixtures("qapp")

MM = 72 / 25.4


def squeezed(text: str) -> str:
    return "".join(text.split())


def page_texts(path: Path) -> list[str]:
    """Each page's text in drawing order, white space removed."""
    with pdfium.PdfDocument(path) as pdf:
        return [squeezed(page.get_textpage().get_text_range()) for page in pdf]


def simple(*items: object, size: tuple[int, int] = A4_PORTRAIT) -> Document:
    return Document("样例", [Page(*size, items)])  # type: ignore[arg-type]


class StopAt:
    """A cancel that is set after so many looks."""

    def __init__(self, looks: int) -> None:
        self.left = looks

    def raise_if_set(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise KeyboardInterrupt


# Text layer


def test_every_text_is_recovered(tmp_path: Path) -> None:
    document = sheet_document(sheet(25))
    write_pdf(document, tmp_path / "a.pdf")
    for read, page in zip(page_texts(tmp_path / "a.pdf"), document.pages, strict=True):
        shown = [squeezed(text) for text in texts(page)]
        assert Counter(read) == Counter("".join(shown))
        # A text broken into lines may be interleaved with its neighbours' lines by the reader.
        names = [r.name for r in sheet(25).rows if r.name in shown]
        assert names
        assert all(text in read for text in names if len(text) < 6)


def test_rare_characters_in_both_faces(tmp_path: Path) -> None:
    line = "𬭎甲𠮷 䶮𬱖𠮷乙"
    document = simple(
        text_box(line, 2000, 2000, 9000, 800, 9),
        text_box("𠮷" + line, 2000, 4000, 9000, 800, 9, "hei"),
    )
    write_pdf(document, tmp_path / "a.pdf")
    assert page_texts(tmp_path / "a.pdf") == [squeezed(line + "𠮷" + line)]


def test_a_space_stays_a_space(tmp_path: Path) -> None:
    write_pdf(simple(text_box("第 1 页", 2000, 2000, 9000, 800, 9)), tmp_path / "a.pdf")
    with pdfium.PdfDocument(tmp_path / "a.pdf") as pdf:
        assert pdf[0].get_textpage().get_text_range() == "第 1 页"


def test_a_character_outside_the_faces_does_not_stop_the_paper(tmp_path: Path) -> None:
    write_pdf(simple(text_box("张𠀀𠮷", 2000, 2000, 9000, 800, 9)), tmp_path / "a.pdf")
    (read,) = page_texts(tmp_path / "a.pdf")
    assert read.startswith("张")
    assert "𠮷" in read


# The file


def test_the_two_faces_are_embedded_as_subsets(tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    write_pdf(sheet_document(sheet(3)), path)
    data = path.read_bytes()
    assert data.count(b"/FontFile2") == 2
    assert data.count(b"+SiteMusterSong-Regular") == 3
    assert data.count(b"+SiteMusterHei-Regular") == 3
    assert data.count(b"/Type /Font\n") == 4, "another face crept in"
    assert b"/Subtype /Image" not in data
    assert len(data) < 200_000


def test_pages_have_exactly_their_size(tmp_path: Path) -> None:
    sizes = [A4_PORTRAIT, A4_LANDSCAPE, (42000, 29700), (120000, 90000), (90000, 140000)]
    document = Document("尺寸", [Page(*size, (Line(0, 0, 100, 100),)) for size in sizes])
    write_pdf(document, tmp_path / "a.pdf")
    with pdfium.PdfDocument(tmp_path / "a.pdf") as pdf:
        for page, (w, h) in zip(pdf, sizes, strict=True):
            assert page.get_size() == pytest.approx((w / 100 * MM, h / 100 * MM), abs=1.0)


def test_equal_documents_are_equal_files(tmp_path: Path) -> None:
    for name in ("a.pdf", "b.pdf"):
        write_pdf(sheet_document(sheet(21)), tmp_path / name)
    assert (tmp_path / "a.pdf").read_bytes() == (tmp_path / "b.pdf").read_bytes()


def test_what_the_file_says_about_itself(tmp_path: Path) -> None:
    page = Page(*A4_PORTRAIT, (Line(0, 0, 10, 10),))
    document = Document("标题 <甲&乙>", [page], Meta("作者", "主题", "2026-12-01"))
    write_pdf(document, tmp_path / "a.pdf")
    with pdfium.PdfDocument(tmp_path / "a.pdf") as pdf:
        facts = pdf.get_metadata_dict()
    assert (facts["Title"], facts["Author"], facts["Subject"]) == ("标题 <甲&乙>", "作者", "主题")
    assert facts["CreationDate"].startswith("D:20261201")


def test_progress_names_every_page(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    write_pdf(sheet_document(sheet(45)), tmp_path / "a.pdf", lambda d, t, _: seen.append((d, t)))
    assert seen == [(1, 3), (2, 3), (3, 3)]


def test_cancelling_leaves_the_old_file_and_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(b"old")
    with pytest.raises(KeyboardInterrupt):
        write_pdf(sheet_document(sheet(45)), path, cancel=StopAt(2))
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_an_impossible_place_is_reported(tmp_path: Path) -> None:
    with pytest.raises(ReportError) as caught:
        write_pdf(sheet_document(sheet(1)), tmp_path / "no" / "a.pdf")
    assert caught.value.code == "write_failed"


def test_a_full_disk_is_reported_and_nothing_replaced(tmp_path: Path) -> None:
    """``/dev/full`` behind the temporary name: every write fails for want of room."""
    import os

    path = tmp_path / "a.pdf"
    path.write_bytes(b"old")
    (tmp_path / f".a.pdf.{os.getpid()}.part").symlink_to("/dev/full")
    with pytest.raises(ReportError) as caught:
        write_pdf(sheet_document(sheet(1)), path)
    assert caught.value.code == "write_failed"
    assert path.read_bytes() == b"old"


# Drawing


@pytest.mark.parametrize(
    ("kind", "paper", "days"),
    [
        (SheetKind.SIGNING, SheetPaper.A3, 31),
        (SheetKind.SIGNING, SheetPaper.A4, 31),
        (SheetKind.MANAGERS, SheetPaper.A4, 28),
        (SheetKind.NOTICE, SheetPaper.A3, 30),
        (SheetKind.SLIP, SheetPaper.A4, 30),
    ],
)
def test_no_glyph_is_drawn_outside_its_cell(
    kind: SheetKind, paper: SheetPaper, days: int, tmp_path: Path
) -> None:
    """Looks at the ink of every character in the finished PDF."""
    document = sheet_document(sheet(13, kind=kind, paper=paper, days=days))
    write_pdf(document, tmp_path / "a.pdf")
    with pdfium.PdfDocument(tmp_path / "a.pdf") as pdf:
        for page, drawn in zip(document.pages, pdf, strict=True):
            (table,) = page.tables()
            wanted: dict[str, list[tuple[int, int, int, int]]] = {}
            for cell, x, y, w, h in lay_out(table).boxes:
                for char in squeezed(cell.text):
                    wanted.setdefault(char, []).append((x, y - 5, x + w, y + h + 5))
            for char, left, top, right, bottom in char_boxes(drawn):
                inside = [
                    box
                    for box in wanted[char]
                    if box[0] <= left and box[1] <= top and right <= box[2] and bottom <= box[3]
                ]
                assert inside, (char, left, top, right, bottom)
                wanted[char].remove(inside[0])
            assert not any(wanted.values())


def char_boxes(page: pdfium.PdfPage) -> Iterator[tuple[str, float, float, float, float]]:
    """Every visible character with its ink in paper units, in drawing order."""
    text = page.get_textpage()
    height, high = page.get_height(), 0
    for k in range(text.count_chars()):
        unit = FPDFText_GetUnicode(text, k)
        if 0xD800 <= unit <= 0xDBFF:
            high = unit
            continue
        if high:
            unit, high = 0x10000 + ((high - 0xD800) << 10) + unit - 0xDC00, 0
        char = chr(unit)
        if not char.strip() or char == "\ufffe":
            continue
        left, low, right, top = text.get_charbox(k)
        scale = 100 / MM
        yield char, left * scale, (height - top) * scale, right * scale, (height - low) * scale


def test_the_page_code_is_read_from_the_rendered_page(tmp_path: Path) -> None:
    document = sheet_document(sheet(20))
    write_pdf(document, tmp_path / "a.pdf")
    with pdfium.PdfDocument(tmp_path / "a.pdf") as pdf:
        for number, page in enumerate(pdf, 1):
            picture = page.render(scale=150 / 72).to_pil().convert("L")
            (code,) = zxingcpp.read_barcodes(picture)
            assert code.text.startswith(f"SM1:ABCDEFGH:202611:003:{number:03d}:01:")


def dark(image: QImage, x: int, y: int, w: int, h: int) -> int:
    """Dark points inside a box given in paper units, at the image's own resolution."""
    scale = image.width() / A4_PORTRAIT[0]
    count = 0
    for row in range(int(y * scale), int((y + h) * scale)):
        for column in range(int(x * scale), int((x + w) * scale)):
            count += image.pixelColor(column, row).lightness() < 128
    return count


def test_the_preview_has_the_pages_shape_and_ink() -> None:
    page = sheet_document(sheet(2)).pages[0]
    image = page_image(page, 96)
    assert (image.width(), image.height()) == (1587, 1123)
    assert image.pixelColor(5, 5).lightness() == 255


def test_free_items_are_drawn_where_they_stand() -> None:
    items = (
        Rect(2000, 2000, 2000, 1000, fill=RED),
        Rect(6000, 2000, 2000, 1000, stroke=50),
        Rect(10000, 2000, 2000, 1000, hatch=True),
        Rect(14000, 2000, 2000, 1000, fill=0, radius=300),
        Line(2000, 5000, 10000, 5000, 100),
        Line(2000, 6000, 10000, 6000, 100, dash=True),
        Code(2000, 8000, 3000, "HELLO"),
        Text(8000, 8000, 3000, 3000, ("横",), 60, "hei", "center"),
        Text(12000, 8000, 3000, 3000, ("一",), 60, "hei", "center", angle=90),
    )
    image = page_image(Page(*A4_PORTRAIT, items), 60)
    assert image.pixelColor(70, 60).red() > 150 > image.pixelColor(70, 60).green()
    assert dark(image, 6300, 2300, 1400, 400) == 0
    assert dark(image, 5900, 1900, 2200, 1200) > 0
    assert dark(image, 14500, 2300, 1000, 400) > 100
    assert dark(image, 2000, 4900, 8000, 200) > dark(image, 2000, 5900, 8000, 200) > 0
    assert dark(image, 2000, 8000, 3000, 3000) > 300
    # The stroke of 一, turned: taller than wide.
    assert dark(image, 13300, 8300, 500, 2400) > 0
    assert dark(image, 12000, 9300, 900, 500) == 0


def test_a_window_scales_and_clips() -> None:
    inner = Page(*A4_PORTRAIT, (Rect(1000, 1000, 4000, 4000, fill=0),))
    shown = Page(*A4_PORTRAIT, (Window(5000, 5000, 2000, 2000, inner, 1000, 1000, 2.0),))
    image = page_image(shown, 60)
    assert dark(image, 5100, 5100, 1800, 1800) > 1500
    assert dark(image, 7200, 5000, 3000, 3000) == 0
    assert dark(image, 2000, 2000, 2800, 2800) == 0


# Printing


def test_printing_through_a_printer(tmp_path: Path) -> None:
    printer = QPrinter(QPrinter.PrinterMode.HighResolution)
    printer.setOutputFormat(QPrinter.OutputFormat.PdfFormat)
    printer.setOutputFileName(str(tmp_path / "printed.pdf"))
    document = sheet_document(sheet(45))
    print_document(document, printer, pages=[0, 2])
    read = page_texts(tmp_path / "printed.pdf")
    assert len(read) == 2
    assert "第1页/共3页" in read[0]
    assert "第3页/共3页" in read[1]
    with pdfium.PdfDocument(tmp_path / "printed.pdf") as pdf:
        assert pdf[0].get_size() == pytest.approx((420 * MM, 297 * MM), abs=1.5)


class StubbornDevice(QPdfWriter):
    """A driver that hands back A4 whatever it is told."""

    def setPageLayout(self, layout: QPageLayout) -> bool:
        super().setPageLayout(layout)
        return super().setPageSize(QPageSize(QPageSize.PageSizeId.A4))


def test_a_printer_insisting_on_other_paper_is_refused(tmp_path: Path) -> None:
    device = StubbornDevice(str(tmp_path / "a.pdf"))
    with pytest.raises(ReportError) as caught:
        print_document(sheet_document(sheet(1)), device)
    assert caught.value.code == "paper_size"
    assert caught.value.facts["wanted"] == "420x297"


def test_an_empty_document_makes_no_page(tmp_path: Path) -> None:
    with pytest.raises(ReportError):
        write_pdf(Document("空", LazyPages(0, lambda _: Page(1, 1, ()))), tmp_path / "a.pdf")
    assert not (tmp_path / "a.pdf").exists()

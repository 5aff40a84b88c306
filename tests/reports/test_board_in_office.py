"""LibreOffice opens the board's and the notice's .docx with the same words on the same pages."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pypdfium2
import pytest

from reports.board import board_document
from reports.notice import notice_document
from reports.paper import Document, texts
from reports.word import write_docx
from tests.reports.board_samples import board, empty_board
from tests.reports.test_notice import LONG, NOTICE

DOCUMENTS: dict[str, Callable[[], Document]] = {
    "board": lambda: board_document(board(report_link="https://example.org/r"), "A3"),
    "board-full": lambda: board_document(board(9), "A3"),
    "board-two": lambda: board_document(board(30, officers=6), "A3"),
    "draft": lambda: board_document(empty_board(), "A3"),
    "notice": lambda: notice_document(NOTICE),
    "notice-long": lambda: notice_document(LONG),
}


@pytest.fixture(scope="module")
def converted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One call for all files, with a profile of its own: LibreOffice can hang, and shares locks."""
    folder = tmp_path_factory.mktemp("office")
    for name, make in DOCUMENTS.items():
        write_docx(make(), folder / f"{name}.docx")
    office = shutil.which("soffice")
    assert office, "LibreOffice is part of the development set-up (installer/setup_dev.py)"
    subprocess.run(
        [office, f"-env:UserInstallation={(folder / 'profile').as_uri()}", "--headless",
         "--convert-to", "pdf", "--outdir", str(folder), *map(str, folder.glob("*.docx"))],
        check=True, capture_output=True, timeout=120,
    )
    return folder


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_office_shows_the_same_words_on_the_same_pages(converted: Path, name: str) -> None:
    document = DOCUMENTS[name]()
    pdf = pypdfium2.PdfDocument(converted / f"{name}.pdf")
    try:
        assert len(pdf) == len(document.pages)
        for page, shown in zip(document.pages, pdf, strict=True):
            width, height = shown.get_size()
            assert abs(width / 72 * 2540 - page.width) < 50
            assert abs(height / 72 * 2540 - page.height) < 50
            wanted = "".join("".join(texts(page)).split())
            seen = "".join(shown.get_textpage().get_text_range().split())
            assert sorted(seen) == sorted(wanted)
    finally:
        pdf.close()

"""Nobody's name, number or telephone lies in the open: not in the book, the logs, the temporary folder."""

from __future__ import annotations

import subprocess
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.acceptance.outside_papers import KEY, STAFF, PaperSite, closed_month
from tests.acceptance.outside_program import SECRET, Program, traces


@pytest.fixture(scope="module")
def site(once: Callable[..., PaperSite]) -> PaperSite:
    return once("papers", closed_month)


def test_the_search_itself_finds_what_lies_open(site: PaperSite, tmp_path: Path) -> None:
    one = site.rows[0]
    for place, text in enumerate((one.name, one.identity, one.phone)):
        for code in ("utf-8", "utf-16", "gbk"):
            if code != "gbk" or text.isascii():
                (tmp_path / f"{place}-{code}").write_bytes(b"\0\1" + f"x{text}x".encode(code))
    (tmp_path / "gbk").write_bytes(site.rows[1].name.encode("gbk"))
    assert len(traces([tmp_path], site.secrets)) == len(list(tmp_path.iterdir())) == 9


def window_shown(program: Program) -> None:
    """Open the window on the book, without a screen, let it draw, then end it without warning."""
    process = subprocess.Popen(
        [word for word in program.line() if word != "--json"], env=program.environment,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )
    try:
        until = time.monotonic() + 60
        while not (program.book / "book.db-shm").exists() and time.monotonic() < until:
            time.sleep(0.2)
        time.sleep(4)
        assert process.poll() is None
    finally:
        process.kill()
        process.wait(timeout=30)


def test_nothing_lies_open_beside_the_papers(site: PaperSite, tmp_path: Path) -> None:
    """After import, pull, stick, freeze and all exports; after failures; after the window."""
    program = site.program.copy(tmp_path / "copy")
    program("terminal", "pull", code=1)
    program("roster", "import", str(site.out / "roster.xlsx"))
    program("month", "export", "2026-10", "--out", str(program.book / "papers"), code=1)
    program("roster", "list", "--search", site.rows[0].name)
    window_shown(program)
    assert program.run("roster", "list").code == 0  # a log of the database was left, and is taken in
    assert list(program.home.rglob("*.log"))
    folders = [
        place for one in (program, site.program) for place in (one.book, one.home, one.temporary)
    ]
    words = [*site.secrets, SECRET, KEY]
    assert not traces(folders, words)
    assert not [path for folder in folders for path in folder.rglob("*") if path.suffix in
                (".xlsx", ".pdf", ".docx", ".dat")]


def test_names_of_files_tell_nobody(site: PaperSite) -> None:
    for path in (path for path in site.out.rglob("*") if path.name != "roster.xlsx"):
        for word in site.secrets:
            assert word not in path.name


def text_of(path: str) -> str:
    """All that a PDF or a .docx says, metadata too."""
    if path.endswith(".pdf"):
        said = [
            subprocess.run(command, capture_output=True, check=True, timeout=60).stdout.decode("utf-8")
            for command in (["pdftotext", "-layout", path, "-"], ["pdfinfo", path])
        ]
        return "".join("\n".join(said).split())
    with zipfile.ZipFile(path) as package:
        parts = [package.read(name).decode("utf-8") for name in package.namelist()
                 if name.endswith((".xml", ".rels"))]
    return "".join("\n".join(parts).split())


def test_papers_hold_no_identity_number_and_no_workers_phone(site: PaperSite) -> None:
    """Workers' and managers' alike; on the announcement stands whom to call, by design."""
    officers = {word for _, name, phone, _ in STAFF for word in (name, phone)}
    for file in [*site.month_files, *site.slip_files]:
        text = text_of(file["path"])
        for one in site.rows:
            hidden = {one.identity, one.phone, one.card, site.friend_of(one), site.address_of(one)}
            for word in hidden - {""} - officers:
                assert word not in text, (file["path"], one.number)
            assert one.identity[:6] + "********" not in text

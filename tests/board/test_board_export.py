"""Export of the board: refusals, files, version row, chain, and nothing half-done."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pypdfium2
import pytest
from sqlalchemy import select

from desktop.access import audit
from desktop.access.desk import Desk
from desktop.board import export as board_export
from desktop.board.edit import set_items
from desktop.board.export import export_board, issue_board
from desktop.board.queries import versions
from desktop.board.tables import BoardVersion
from desktop.errors import Cancelled, EnvironmentFault, Refused
from desktop.jobs import CancelToken, silent
from desktop.site.tables import Project
from desktop.storage import chain
from tests.board.conftest import ITEMS
from tests.storage.rig import database_key, forge

READERS = {"act": audit.leaves, "board": board_export.leaves}


def verdict(desk: Desk) -> chain.Verdict:
    with desk.book.read() as session:
        return chain.verify(session, desk.project_id, READERS, silent, None)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ("A3", ["维权信息告示牌-A3-v1.docx", "维权信息告示牌-A3-v1.pdf"]),
        ("A2", ["维权信息告示牌-A2-v1-A3拼版.pdf", "维权信息告示牌-A2-v1.pdf"]),
        ("a1", ["维权信息告示牌-A1-v1-A3拼版.pdf", "维权信息告示牌-A1-v1.pdf"]),
        ("1200×900", ["维权信息告示牌-1200x900-v1-A3拼版.pdf", "维权信息告示牌-1200x900-v1.pdf"]),
    ],
)
def test_each_size_writes_its_files(
    full_desk: Desk, tmp_path: Path, size: str, expected: list[str]
) -> None:
    made = export_board(full_desk, size, tmp_path / "out")
    assert names(tmp_path / "out") == expected
    assert made.version == 1 and not made.draft and made.missing == ()
    for file in made.files:
        assert file.path.is_absolute()
        assert hashlib.sha256(file.path.read_bytes()).hexdigest() == file.sha256
        if file.path.suffix == ".pdf":
            pdf = pypdfium2.PdfDocument(file.path)
            assert len(pdf) == file.pages
            pdf.close()
    kinds = [(file.kind, file.size) for file in made.files]
    chosen = made.files[0].size
    assert kinds == [("board", chosen), ("docx", "A3") if chosen == "A3" else ("tiled", "A3")]
    result = made.as_json()
    assert set(result) >= {"version", "files"}
    assert set(result["files"][0]) == {"kind", "size", "path", "pages", "sha256"}


def test_bleed_adds_a_file_for_the_print_shop(full_desk: Desk, tmp_path: Path) -> None:
    made = export_board(full_desk, "A1", tmp_path, bleed=True)
    assert [file.kind for file in made.files] == ["board", "tiled", "print_shop"]
    pdf = pypdfium2.PdfDocument(made.files[2].path)
    assert abs(pdf[0].get_width() / 72 * 25.4 - 851) < 0.5
    pdf.close()


def test_a_final_board_is_refused_naming_every_item_with_its_clause(
    desk: Desk, tmp_path: Path
) -> None:
    with pytest.raises(Refused) as refusal:
        export_board(desk, "A3", tmp_path / "out")
    assert refusal.value.code == "board_incomplete"
    missing = refusal.value.facts["missing"]
    assert {item["key"] for item in missing} == set(ITEMS)
    for item in missing:
        assert f"{item['label']}（{item['clause']}）" in refusal.value.message
    assert not (tmp_path / "out").exists()
    with desk.book.read() as session:
        assert versions(session, desk.project_id) == []


@pytest.mark.parametrize("key", sorted(ITEMS))
def test_one_missing_item_is_enough(full_desk: Desk, tmp_path: Path, key: str) -> None:
    set_items(full_desk, {key: ""})
    with pytest.raises(Refused) as refusal:
        export_board(full_desk, "A2", tmp_path)
    assert [item["key"] for item in refusal.value.facts["missing"]] == [key]
    assert names(tmp_path) == ["book-0"]


def test_a_draft_is_always_given_and_says_so(desk: Desk, tmp_path: Path) -> None:
    made = export_board(desk, "A3", tmp_path / "out", True)
    assert names(tmp_path / "out") == ["维权信息告示牌-临时-A3-v1.docx", "维权信息告示牌-临时-A3-v1.pdf"]
    assert {item.key for item in made.missing} == set(ITEMS)
    pdf = pypdfium2.PdfDocument(made.files[0].path)
    said = pdf[0].get_textpage().get_text_range()
    pdf.close()
    assert "临时牌" in said and "待补充：总包项目部电话" in said


def test_every_export_is_a_version_in_the_chain(full_desk: Desk, tmp_path: Path) -> None:
    export_board(full_desk, "A3", tmp_path)
    export_board(full_desk, "A3", tmp_path, draft=True)
    export_board(full_desk, "A2", tmp_path)
    with full_desk.book.read() as session:
        rows = versions(session, full_desk.project_id)
        stored = session.scalars(select(BoardVersion).order_by(BoardVersion.version)).all()
        assert [(r.version, r.draft, r.size) for r in rows] == [
            (3, False, "A2"), (2, True, "A3"), (1, False, "A3"),
        ]
        assert len({row.digest for row in rows}) == 1
        assert len({row.segment_id for row in stored}) == 3
        first = {file["sha256"] for file in stored[0].content["files"]}
    on_disk = {
        hashlib.sha256(path.read_bytes()).hexdigest()
        for path in tmp_path.glob("维权信息告示牌-A3-v1.*")
    }
    assert first == on_disk
    assert verdict(full_desk).ok


@pytest.mark.parametrize(
    "forgery",
    [
        "UPDATE board_version SET content = replace(content, '12333', '12334')",
        "UPDATE board_version SET draft = 1",
        "UPDATE board_version SET exported_at = exported_at + 1",
        "UPDATE board_version SET digest = x'00'",
        "DELETE FROM board_version",
    ],
)
def test_a_changed_version_is_found(full_desk: Desk, tmp_path: Path, forgery: str) -> None:
    export_board(full_desk, "A3", tmp_path)
    forge(full_desk.book.database_file, database_key(full_desk.book), forgery)
    found = verdict(full_desk)
    assert not found.ok and "告示牌" in str(found.first_bad)


def test_unknown_sizes_and_the_books_own_folder_are_refused(full_desk: Desk, tmp_path: Path) -> None:
    with pytest.raises(Refused) as size:
        export_board(full_desk, "A0", tmp_path)
    assert size.value.code == "board_size" and "1200x900" in size.value.message
    for inside in (full_desk.book.path, full_desk.book.path / "out"):
        before = names(full_desk.book.path)
        with pytest.raises(Refused) as folder:
            export_board(full_desk, "A3", inside)
        assert folder.value.code == "out_in_book" and names(full_desk.book.path) == before


def test_an_unwritable_folder_leaves_no_version(full_desk: Desk, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("x", encoding="utf-8")
    with pytest.raises(EnvironmentFault):
        export_board(full_desk, "A3", blocked / "out")
    with full_desk.book.read() as session:
        assert versions(session, full_desk.project_id) == []


def test_a_name_that_cannot_be_taken_rolls_everything_back(full_desk: Desk, tmp_path: Path) -> None:
    """The second file's name is a folder: the first file goes away again, no version is kept."""
    (tmp_path / "out" / "维权信息告示牌-A3-v1.docx").mkdir(parents=True)
    with pytest.raises(EnvironmentFault):
        export_board(full_desk, "A3", tmp_path / "out")
    assert names(tmp_path / "out") == ["维权信息告示牌-A3-v1.docx"]
    with full_desk.book.read() as session:
        assert versions(session, full_desk.project_id) == []
    assert verdict(full_desk).ok


def test_cancelling_leaves_neither_file_nor_version(full_desk: Desk, tmp_path: Path) -> None:
    token = CancelToken()
    seen: list[str] = []

    def progress(done: int, total: int, what: str) -> None:
        seen.append(what)
        if done == 1:
            token.set()

    with pytest.raises(Cancelled):
        export_board(full_desk, "A1", tmp_path / "out", progress=progress, cancel=token)
    assert len(seen) == 2 and names(tmp_path / "out") == []
    with full_desk.book.read() as session:
        assert versions(session, full_desk.project_id) == []


def test_words_without_end_are_refused_before_anything_is_kept(
    full_desk: Desk, tmp_path: Path
) -> None:
    with full_desk.book.write() as session:
        session.get_one(Project, full_desk.project_id).name = "长" * 12_000
    with pytest.raises(Refused) as refusal:
        export_board(full_desk, "A3", tmp_path / "out")
    assert refusal.value.code == "board_overflow"
    with full_desk.book.read() as session:
        assert versions(session, full_desk.project_id) == []


def test_what_a_printer_gets_is_a_version_too(full_desk: Desk) -> None:
    assert issue_board(full_desk, "A3").pages
    with full_desk.book.read() as session:
        (only,) = versions(session, full_desk.project_id)
        assert only.version == 1 and not only.draft
    assert verdict(full_desk).ok

"""Export of the board: files, one version row, one link of the chain, one audit row.

A final board is refused while an item of the law is missing; a draft (临时牌) is always given,
because an empty wall is punished too (条例 Art. 56).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Text, select, type_coerce
from sqlalchemy.orm import Session

from desktop import delivery
from desktop.access.actor import Act
from desktop.access.desk import Desk
from desktop.board import queries
from desktop.board.content import board_content, content_digest
from desktop.board.poster import board_input, checked_size, drawn
from desktop.board.rules import BoardContent, Missing
from desktop.board.tables import BoardVersion
from desktop.errors import Refused
from desktop.jobs import CancelToken, Progress, silent
from desktop.storage import chain, tombstones
from desktop.storage.encode import Layout, document
from desktop.storage.types import Big
from reports.board import TITLE, BoardInput
from reports.board_tiles import tiles
from reports.paper import Document

KIND = "board"
"""Kind of the segments this station writes."""

BOARD, TILED, PRINT_SHOP, WORD = "board", "tiled", "print_shop", "docx"
"""Kinds of files: 1:1, on sheets of A3, with bleed, for Word."""

_RECORD = Layout("BORD", 1, ints=4, texts=3)


@dataclass(frozen=True, slots=True)
class BoardFile:
    """One written file; ``pages`` are sheets of its own paper."""

    kind: str
    size: str
    path: Path
    pages: int
    sha256: str

    def as_json(self) -> dict[str, Any]:
        """An entry of ``board export``."""
        return {
            "kind": self.kind, "size": self.size, "path": str(self.path), "pages": self.pages,
            "sha256": self.sha256,
        }


@dataclass(frozen=True, slots=True)
class BoardExport:
    """What an export made."""

    version: int
    draft: bool
    files: tuple[BoardFile, ...]
    missing: tuple[Missing, ...]

    def as_json(self) -> dict[str, Any]:
        """The result of ``board export``."""
        return {
            "version": self.version,
            "draft": self.draft,
            "files": [file.as_json() for file in self.files],
            "missing": [missing_as_json(item) for item in self.missing],
        }


@dataclass(frozen=True, slots=True)
class _Output:
    """A document with the name of its file."""

    kind: str
    size: str
    name: str
    document: Document


def missing_as_json(item: Missing) -> dict[str, str]:
    """A missing item as facts of a refusal and in results."""
    return {
        "key": item.key, "label": item.label, "clause": item.clause, "next_step": item.next_step,
    }


def export_board(
    desk: Desk,
    size: str,
    out_dir: Path,
    draft: bool = False,
    *,
    bleed: bool = False,
    progress: Progress = silent,
    cancel: CancelToken | None = None,
) -> BoardExport:
    """Write the board into ``out_dir``: PDF 1:1; A3 also .docx, larger sizes also on A3 sheets.

    ``bleed`` adds a PDF with 5 mm on every side for the print shop. Files appear together, after
    the version is certain to be kept. Raises :class:`Refused` ``board_incomplete`` (facts:
    ``missing``), ``board_size``, ``out_in_book``; :class:`EnvironmentFault` for the disk.
    """
    desk.permit(Act.BOARD_EXPORTED)
    out = delivery.destination(out_dir, desk.book.path)
    issue = _issue(desk, size, draft=draft)
    outputs = _outputs(issue.made, issue.size, bleed=bleed)
    with delivery.working_folder(out) as folder:
        files = _write(outputs, folder, out, progress, cancel)
        with desk.book.write() as session:
            _store(session, desk, issue, files)
            delivery.hand_over(folder, out, [file.path.name for file in files])
    progress(len(outputs), len(outputs), "完成")
    return BoardExport(issue.made.version, draft, tuple(files), issue.content.missing)


def issue_board(desk: Desk, size: str, draft: bool = False) -> Document:
    """The board for a printer: the same refusals and the same version row, no file."""
    desk.permit(Act.BOARD_EXPORTED)
    issue = _issue(desk, size, draft=draft)
    with desk.book.write() as session:
        _store(session, desk, issue, ())
    return drawn(issue.made, issue.size)


@dataclass(frozen=True, slots=True)
class _Issue:
    """A board about to leave the house."""

    content: BoardContent
    digest: bytes
    made: BoardInput
    size: str


def _issue(desk: Desk, size: str, *, draft: bool) -> _Issue:
    chosen = checked_size(size)
    day = desk.clock.today()
    with desk.book.read() as session:
        content = board_content(session, desk.project_id, day)
        digest = content_digest(content)
        version = queries.next_version(session, desk.project_id)
        updated = queries.said_since(session, desk.project_id, digest) or day
    if content.missing and not draft:
        raise _incomplete(content.missing)
    made = board_input(content, made_on=day, updated_on=updated, version=version, draft=draft)
    return _Issue(content, digest, made, chosen)


def _incomplete(missing: Sequence[Missing]) -> Refused:
    listed = "；".join(f"{n}. {item.label}（{item.clause}）" for n, item in enumerate(missing, 1))
    return Refused(
        "board_incomplete",
        f"正式告示牌缺少{len(missing)}项法定内容，未输出任何文件：{listed}。"
        "请补齐后再输出；补齐之前请先输出临时牌（--draft）挂上。",
        missing=[missing_as_json(item) for item in missing],
    )


def _outputs(made: BoardInput, size: str, *, bleed: bool) -> list[_Output]:
    stem = f"{TITLE}{'-临时' if made.draft else ''}-{size}-v{made.version}"
    whole = drawn(made, size)
    outputs = [_Output(BOARD, size, f"{stem}.pdf", whole)]
    if size == "A3":
        outputs.append(_Output(WORD, size, f"{stem}.docx", whole))
    else:
        outputs.append(_Output(TILED, "A3", f"{stem}-A3拼版.pdf", tiles(whole)))
    if bleed:
        shop = drawn(made, size, bleed=True)
        outputs.append(_Output(PRINT_SHOP, size, f"{stem}-出血5mm.pdf", shop))
    return outputs


def _write(
    outputs: Sequence[_Output], folder: Path, out: Path, progress: Progress,
    cancel: CancelToken | None,
) -> list[BoardFile]:
    """All files whole in the working folder, described as they will stand in ``out``."""
    from reports.painter import write_pdf
    from reports.word import write_docx

    files = []
    for done, output in enumerate(outputs):
        progress(done, len(outputs), output.name)
        if cancel is not None:
            cancel.raise_if_set()
        path = folder / output.name
        write = write_docx if output.kind == WORD else write_pdf
        write(output.document, path, None, cancel)
        pages = len(output.document.pages)
        digest = delivery.sha256_of(path)
        files.append(BoardFile(output.kind, output.size, out / output.name, pages, digest))
    return files


def _store(
    session: Session, desk: Desk, issue: _Issue, files: Sequence[BoardFile]
) -> None:
    """Version row, its segment and the audit row."""
    made, size, digest = issue.made, issue.size, issue.digest
    if queries.next_version(session, desk.project_id) != made.version:
        raise Refused("board_busy", "同时有另一处在输出告示牌，本次未输出任何文件。请重试。")
    at = desk.clock.now()
    row = BoardVersion(
        project_id=desk.project_id, version=made.version, draft=made.draft,
        content={
            "said": issue.content.as_json(), "size": size,
            "files": [
                {"kind": file.kind, "pages": file.pages, "sha256": file.sha256} for file in files
            ],
        },
        digest=digest, exported_by=desk.actor.name, exported_at=at,
    )
    header = {"version": made.version, "draft": made.draft, "size": size}
    segment = chain.append(
        session, desk.project_id, KIND, [row_leaf(row)], header, at=at, operator=desk.actor.name
    )
    row.segment_id = segment.id
    session.add(row)
    session.flush()
    desk.audit(
        session, Act.BOARD_EXPORTED, f"board:{made.version}", size=size, draft=made.draft,
        files=len(files), digest=digest.hex(),
    )


def leaves(session: Session, project_id: int) -> Iterator[tuple[int, bytes]]:
    """The :data:`desktop.storage.chain.LeafReader` of kind :data:`KIND`."""
    rows = session.execute(
        select(
            BoardVersion.segment_id, BoardVersion.id, BoardVersion.project_id, BoardVersion.version,
            type_coerce(BoardVersion.draft, Big), type_coerce(BoardVersion.exported_at, Big),
            type_coerce(BoardVersion.content, Text), BoardVersion.digest,
            BoardVersion.exported_by,
        )
        .where(chain.own_or_orphan(BoardVersion.segment_id, project_id))
        .order_by(BoardVersion.segment_id, BoardVersion.id)
    )
    erased = tombstones.stones(session, BoardVersion.__tablename__)
    for segment_id, ident, owner, version, draft, at_s, content, digest, by in rows:
        own = _leaf(owner, version, draft, at_s, content, digest, by)
        yield segment_id, tombstones.leaf_of(own, erased.get(ident))


def row_leaf(row: BoardVersion) -> bytes:
    """Leaf of a version as it is, or will be, stored."""
    return _leaf(
        row.project_id, row.version, int(row.draft), int(row.exported_at.timestamp()),
        document(row.content).decode("utf-8"), row.digest, row.exported_by,
    )


def _leaf(
    project_id: int, version: int, draft: int, at_s: int, content: str, digest: bytes, by: str
) -> bytes:
    """Over the values as stored, nothing parsed."""
    texts = (content.encode("utf-8"), digest, by.encode("utf-8"))
    return chain.leaf(_RECORD.pack((project_id, version, draft, at_s), texts))

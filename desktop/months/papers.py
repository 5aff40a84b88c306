"""The papers of a frozen month: signing copies, managers' sheets, notice copies, announcement.

Each as PDF and .docx with equal content. Page rows go into the chain before a file appears under
its name.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from desktop import delivery
from desktop.access.actor import Act, View
from desktop.access.desk import Desk
from desktop.errors import Refused
from desktop.jobs import CancelToken, Progress, silent
from desktop.months import announcement, leaves, rules
from desktop.months.frozen import FrozenMonth, FrozenSheet, load_frozen
from desktop.months.queries import latest_version
from desktop.months.sheets import Letterhead, notice_input, signing_input
from desktop.months.tables import MonthPage, MonthVersion
from desktop.site import queries as site
from desktop.storage import chain
from reports.paper import Document
from reports.sheet import PageCode, PageRows, SheetInput, SheetPaper, paginate, sheet_document

SHEET, MANAGERS, NOTICE, ANNOUNCEMENT = "sheet", "managers", "notice", "announcement"


@dataclass(frozen=True, slots=True)
class Paper:
    """One document of the month before it is written. ``stem`` is the file name without ending."""

    kind: str
    team: str | None
    stem: str
    document: Document


@dataclass(frozen=True, slots=True)
class ExportedFile:
    """One written file."""

    kind: str
    team: str | None
    path: Path
    pages: int
    sha256: str

    def as_json(self) -> dict[str, Any]:
        """An entry of ``month export``."""
        return {
            "kind": self.kind, "team": self.team, "path": str(self.path), "pages": self.pages,
            "sha256": self.sha256,
        }


@dataclass(frozen=True, slots=True)
class _Partition:
    """One sheet on one kind of paper: its input and which rows stand on which page."""

    kind: str
    sheet: FrozenSheet
    input: SheetInput
    pages: list[PageRows]


def sheet_paper(name: str) -> SheetPaper:
    """``A3`` or ``A4``; anything else is :class:`Refused`."""
    try:
        return SheetPaper(name.upper())
    except ValueError:
        raise Refused("paper", f"签字表只有 A3 和 A4 两种纸，没有「{name[:10]}」。") from None


def export_month(
    desk: Desk,
    month: str,
    out: Path,
    *,
    paper: str = "A3",
    progress: Progress = silent,
    cancel: CancelToken | None = None,
) -> list[ExportedFile]:
    """Write all papers of the newest version of ``month`` into ``out``; returns the files.

    Raises :class:`Refused` for a month that is not frozen, :class:`EnvironmentFault` when the
    folder cannot be written.
    """
    desk.permit(Act.MONTH_EXPORTED)
    out = delivery.destination(out, desk.book.path)
    issue = _issue(desk, month, paper)
    return deliver(desk, issue.papers, out, lambda s: _keep(s, desk, issue), progress, cancel)


def issue_papers(desk: Desk, month: str, *, paper: str = "A3") -> list[Paper]:
    """The same documents for the printer: their pages are kept and the act audited."""
    desk.permit(Act.MONTH_EXPORTED)
    issue = _issue(desk, month, paper)
    with desk.book.write() as session:
        _keep(session, desk, issue)
    return issue.papers


def preview_papers(desk: Desk, month: str, *, paper: str = "A3") -> list[Paper]:
    """The same documents for the screen; nothing is stored and no file written."""
    desk.permit_view(View.MONTHS)
    return _issue(desk, month, paper).papers


@dataclass(frozen=True, slots=True)
class _Issue:
    """A version on one kind of paper, ready to be kept and written."""

    version: MonthVersion
    frozen: FrozenMonth
    parts: list[_Partition]
    paper: SheetPaper
    papers: list[Paper]


def _issue(desk: Desk, month: str, paper: str) -> _Issue:
    size = sheet_paper(paper)
    with desk.book.read() as session:
        version = _frozen_version(session, desk.project_id, month)
        frozen = load_frozen(session, version, desk.book.sealer)
        parts = partitions(session, desk.project_id, version, frozen, size)
        papers = _papers(session, desk, version, frozen, parts)
        return _Issue(version, frozen, parts, size, papers)


def _keep(session: Session, desk: Desk, issue: _Issue) -> None:
    store_pages(session, desk, issue.version, issue.frozen, issue.parts, issue.paper)
    desk.audit(
        session, Act.MONTH_EXPORTED, f"month:{issue.frozen.month}",
        version=issue.version.version, paper=issue.paper.value, documents=len(issue.papers),
    )


def _frozen_version(session: Session, project_id: int, month: str) -> MonthVersion:
    version = latest_version(session, project_id, month)
    if version is None:
        raise Refused("not_frozen", f"{month} 还没有冻结，没有可输出的月表。请先冻结（month freeze）。")
    return version


def partitions(
    session: Session, project_id: int, version: MonthVersion, frozen: FrozenMonth,
    paper: SheetPaper,
) -> list[_Partition]:
    """Signing copies and managers' sheets with their pages, then the notice copies."""
    leaders = {team.id: team.leader for team in site.teams(session, project_id)}
    letter = Letterhead.of(version, leaders)
    signing, notices = [], []
    for sheet in frozen.sheets:
        made = signing_input(frozen, sheet, letter, paper, None)
        kind = MANAGERS if sheet.head["kind"] == "managers" else SHEET
        signing.append(_Partition(kind, sheet, made, paginate(made)))
        posted = notice_input(made, frozen.head["posting_days"])
        notices.append(_Partition(NOTICE, sheet, posted, paginate(posted)))
    return [*signing, *notices]


def store_pages(
    session: Session, desk: Desk, version: MonthVersion, frozen: FrozenMonth,
    parts: Sequence[_Partition], paper: SheetPaper,
) -> None:
    """A row for every page that has none yet, all in one segment."""
    known = {
        (kind, sheet, page)
        for kind, sheet, page in session.execute(
            select(MonthPage.kind, MonthPage.sheet, MonthPage.page).where(
                MonthPage.month_version_id == version.id, MonthPage.paper == paper.value
            )
        )
    }
    pages = []
    for part in parts:
        for rows in part.pages:
            if (part.kind, part.sheet.number, rows.number) in known:
                continue
            digest = page_digest(frozen, part.sheet, rows)
            code = "" if part.kind == NOTICE else code_of(
                desk.book.book_id, version.version, frozen.month, part.sheet.number, rows, digest
            )
            pages.append(
                MonthPage(
                    month_version_id=version.id, kind=part.kind, sheet=part.sheet.number,
                    page=rows.number, first=rows.first + 1, last=rows.stop, paper=paper.value,
                    code=code, digest=digest,
                )
            )
    if not pages:
        return
    segment = chain.append(
        session, desk.project_id, leaves.PAGE,
        [
            leaves.page_leaf(
                p.sheet, p.page, p.first, p.last, p.month_version_id, p.kind, p.paper, p.code,
                p.digest,
            )
            for p in pages
        ],
        {"month": frozen.month, "version": version.version, "paper": paper.value},
        at=desk.clock.now(), operator=desk.actor.name,
    )
    for page in pages:
        page.segment_id = segment.id
    session.add_all(pages)


def page_digest(frozen: FrozenMonth, sheet: FrozenSheet, rows: PageRows) -> bytes:
    """Digest of exactly the rows on one page."""
    return frozen.page_digest(sheet.number, sheet.leaves[rows.first : rows.stop])


def code_of(
    book_id: str, version: int, month: str, sheet: int, rows: PageRows, digest: bytes
) -> str:
    """The identity of one page."""
    return rules.page_code(
        book_id=book_id, month=month, sheet=sheet, page=rows.number, version=version,
        digest=digest,
    )


def human_code(code: str) -> str:
    """The short readable form under the QR: book, sheet-page-version, first letters of the digest."""
    _, book, month, sheet, page, version, digest = code.split(":")
    return f"{book} {month}-{sheet}-{page}-{version} {digest[:8]}"


def _papers(
    session: Session, desk: Desk, version: MonthVersion, frozen: FrozenMonth,
    parts: Sequence[_Partition],
) -> list[Paper]:
    month = frozen.month.replace("-", "")
    words = {SHEET: "签字表", MANAGERS: "管理人员考勤表", NOTICE: "公示件"}
    papers = []
    for part in parts:
        made = part.input
        if part.kind != NOTICE:
            made = _with_codes(desk.book.book_id, version.version, frozen, part)
        stem = (
            f"{words[part.kind]}-{month}-{part.sheet.number:03d}"
            f"-v{version.version}-{made.paper.value}"
        )
        name = part.sheet.head.get("team") or part.sheet.head["company"]
        papers.append(Paper(part.kind, name, stem, sheet_document(made)))
    sheets = sum(len(part.pages) for part in parts if part.kind == NOTICE)
    document = announcement.document(session, desk.project_id, version, frozen, sheets)
    papers.append(
        Paper(ANNOUNCEMENT, None, f"公示通知-{month}-v{version.version}-A4", document)
    )
    return papers


def _with_codes(
    book_id: str, version: int, frozen: FrozenMonth, part: _Partition
) -> SheetInput:
    codes = [
        code_of(
            book_id, version, frozen.month, part.sheet.number, rows,
            page_digest(frozen, part.sheet, rows),
        )
        for rows in part.pages
    ]
    return replace(
        part.input, page_code=lambda page: PageCode(codes[page], human_code(codes[page]))
    )


def deliver(
    desk: Desk,
    papers: Sequence[Paper],
    out: Path,
    keep: Callable[[Session], None],
    progress: Progress = silent,
    cancel: CancelToken | None = None,
) -> list[ExportedFile]:
    """Each paper as PDF and .docx in ``out``; ``keep`` stores what the book must know of them.

    Files appear under their names only after that is certain to be kept, all or none.
    """
    desk.permit(Act.MONTH_EXPORTED)
    from reports.painter import write_pdf
    from reports.word import write_docx

    with delivery.working_folder(out) as folder:
        files = []
        for done, paper in enumerate(papers):
            progress(done, len(papers), paper.stem)
            if cancel is not None:
                cancel.raise_if_set()
            for ending, write in (("pdf", write_pdf), ("docx", write_docx)):
                name = f"{paper.stem}.{ending}"
                write(paper.document, folder / name, None, cancel)
                files.append(
                    ExportedFile(
                        paper.kind, paper.team, out / name, len(paper.document.pages),
                        delivery.sha256_of(folder / name),
                    )
                )
        with desk.book.write() as session:
            keep(session)
            delivery.hand_over(folder, out, [file.path.name for file in files])
    progress(len(papers), len(papers), "完成")
    return files

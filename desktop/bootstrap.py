"""The only place that wires settings, storage and services into one :class:`Office`.

The window and the command line both work through an office: a command and a button are two
handles of the same function. Stations are imported where they are wired: opening a book must not
wait for what only closing a month needs.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from desktop.access.actor import Act, Actor, Role
from desktop.access.desk import Desk
from desktop.clock import Clock, SystemClock
from desktop.errors import EnvironmentFault, Refused
from desktop.jobs import CancelToken, Progress, silent
from desktop.people.stays import refresh_states
from desktop.site.tables import Project
from desktop.storage.book import open_book

if TYPE_CHECKING:
    from desktop.punches.verification import LedgerVerdict
    from desktop.site.project_file import ProjectFile
    from desktop.storage.book import Book
    from desktop.storage.chain import LeafReader

ADMINISTRATOR = Actor("管理员", Role.ADMINISTRATOR)
"""The first book has one administrator; users and roles arrive with custody."""


@dataclass(slots=True)
class Office:
    """An open book with the project that is worked on; closed once, by whoever opened it."""

    book: Book
    desk: Desk

    @property
    def project_id(self) -> int:
        return self.desk.project_id

    def close(self) -> None:
        self.book.close()

    def verify_ledger(
        self, progress: Progress = silent, cancel: CancelToken | None = None
    ) -> LedgerVerdict:
        """Prove the whole chain and the pages of the file; see ``ledger verify``."""
        from desktop.punches.verification import verify_ledger

        return verify_ledger(self.book, self.project_id, leaf_readers(self.book), progress, cancel)


def leaf_readers(book: Book) -> dict[str, LeafReader]:
    """Who can recompute the leaves of which segment kind."""
    from desktop.access import audit
    from desktop.attendance import leaves as attendance_leaves
    from desktop.board import export as board_export
    from desktop.months import leaves as month_leaves
    from desktop.punches import ledger

    return {
        "act": audit.leaves,
        **ledger.verify_readers(),
        **attendance_leaves.verify_readers(),
        **month_leaves.verify_readers(book.sealer),
        "board": board_export.leaves,
    }


def open_office(
    folder: Path,
    *,
    passphrase: str | None = None,
    recovery_code: str | None = None,
    clock: Clock | None = None,
) -> Office:
    """Open the book in ``folder`` with its first project; a secret that is given is the only one
    tried."""
    book = open_book(
        folder, clock or SystemClock(), passphrase=passphrase, recovery_code=recovery_code
    )
    try:
        return _office(book)
    except BaseException:
        book.close()
        raise


def create_office(
    folder: Path,
    project: ProjectFile,
    *,
    passphrase: str | None = None,
    recovery_out: Path | None = None,
    clock: Clock | None = None,
    demo: bool = False,
) -> tuple[Office, str]:
    """Make a book with one project; returns the office and the recovery code.

    ``recovery_out`` is reserved before the book is made, so that no book exists without its code.
    """
    from desktop.board import edit as board_edit
    from desktop.site.setup import create_project
    from desktop.storage import creation

    if recovery_out is not None:
        _reserve(recovery_out)
    desk: Desk | None = None

    def fill(book: Book) -> None:
        nonlocal desk
        with book.write() as session:
            project_id = create_project(session, book.clock, project)
            board_edit.store_items(session, project_id, project.board)
            desk = Desk(book, project_id, ADMINISTRATOR)
            desk.audit(session, Act.BOOK_CREATED, f"project:{project_id}", demo=demo)

    try:
        book, code = creation.create_book(
            folder, clock or SystemClock(), passphrase=passphrase, demo=demo, fill=fill
        )
    except BaseException:
        if recovery_out is not None:
            recovery_out.unlink(missing_ok=True)
        raise
    assert desk is not None
    if recovery_out is not None:
        recovery_out.write_text(
            f"{code}\n实名台账本 {book.book_id} 恢复码，请打印后锁存。\n", encoding="utf-8"
        )
    return Office(book, Desk(book, desk.project_id, ADMINISTRATOR)), code


def _reserve(recovery_out: Path) -> None:
    """Make the file of the recovery code before the book exists, readable by its owner only."""
    try:
        recovery_out.touch(mode=0o600, exist_ok=False)
    except FileExistsError:
        raise Refused(
            "recovery_exists",
            f"恢复码文件「{recovery_out.name}」已存在，为避免覆盖旧恢复码，未建账本。请换一个文件名。",
        ) from None
    except OSError as error:
        raise EnvironmentFault(
            "recovery_unwritable", f"恢复码写不进「{recovery_out.name}」，未建账本。请换一个可写的位置。"
        ) from error


def _office(book: Book) -> Office:
    with book.read() as session:
        project_id = session.query(Project.id).order_by(Project.id).limit(1).scalar()
    if project_id is None:
        raise Refused("no_project", "账本里还没有项目。请用 init 重新建立账本。")
    with book.write() as session:  # entries and exits planned for a day since then come true
        refresh_states(session, project_id, book.clock.today())
    return Office(book, Desk(book, project_id, ADMINISTRATOR))

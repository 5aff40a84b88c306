"""The recovery code handed over: a file reserved before the change, the printed sheet.

The file is made before anything changes, and the code stands in it before the book knows it: there
is no moment in which only a code that nobody has opens the book. When the change fails the file
goes again.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from desktop.access.actor import Act
from desktop.delivery import destination
from desktop.errors import EnvironmentFault, Refused, SiteMusterError
from desktop.paths import sync_folder

if TYPE_CHECKING:
    from desktop.access.desk import Desk
    from reports.paper import Document


@dataclass(frozen=True, slots=True)
class Paper:
    """Where the code is to go: a text ``file``, a PDF ``sheet``, either or both or none.

    ``project`` is the name the sheet prints.
    """

    file: Path | None = None
    sheet: Path | None = None
    project: str = ""


@contextmanager
def handed_over(desk: Desk, code: str, paper: Paper, generation: int) -> Iterator[None]:
    """Inside the block the code lies where ``paper`` says, readable by its owner; it is gone again
    when the block raises, unless the code opens the book by then. ``generation`` is that of the
    data key the code is for.

    Raises :class:`Refused` ``recovery_exists`` or ``out_in_book``, :class:`EnvironmentFault`.
    """
    desk.permit_any(Act.RECOVERY_CODE_RENEWED, Act.BOOK_REKEYED)
    made: list[Path] = []
    try:
        if paper.file is not None:
            target = destination(paper.file, desk.book.path)
            _write(target, f"{code}\n实名台账本 {desk.book.book_id} 恢复码，请打印后锁存。\n")
            made.append(target)
        if paper.sheet is not None:
            target = destination(paper.sheet, desk.book.path)
            _print(target, desk, code, paper.project, generation)
            made.append(target)
        yield
    except BaseException:
        if made and not _opens(desk.book.path, code):
            for path in made:
                with suppress(OSError):
                    path.unlink()
        raise


def _opens(folder: Path, code: str) -> bool:
    """Whether the change came so far that this code counts: then nobody takes the paper away."""
    from desktop.storage import unlock
    from desktop.storage.card import BookCard

    try:
        unlock.data_key(folder, BookCard.peek(folder), recovery_code=code)
    except SiteMusterError:
        return False
    return True


def _write(out: Path, text: str) -> None:
    try:
        handle = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        sync_folder(out.parent)
    except FileExistsError:
        raise _exists(out) from None
    except OSError as error:
        raise EnvironmentFault(
            "recovery_unwritable", f"恢复码写不进「{out.name}」，没有更换。请换一个可写的位置。"
        ) from error


def _print(out: Path, desk: Desk, code: str, project: str, generation: int) -> None:
    from desktop.delivery import hand_over, working_folder
    from reports.painter import write_pdf

    if out.exists():
        raise _exists(out)
    page = sheet(code, desk.book.book_id, desk.clock.today(), project, generation)
    with working_folder(out.parent) as work:
        write_pdf(page, work / out.name)
        (work / out.name).chmod(0o600)
        hand_over(work, out.parent, [out.name])


def sheet(code: str, book_id: str, issued_on: date, project: str, generation: int) -> Document:
    """The page to print and lock away."""
    from reports.recovery_sheet import RecoverySheetInput, recovery_sheet_document

    groups = tuple(code.split("-"))
    return recovery_sheet_document(
        RecoverySheetInput(groups, book_id, issued_on, project, generation)
    )


def _exists(out: Path) -> Refused:
    return Refused(
        "recovery_exists",
        f"恢复码文件「{out.name}」已存在，为避免覆盖旧恢复码，没有更换。请换一个文件名。",
    )

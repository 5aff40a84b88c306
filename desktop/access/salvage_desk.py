"""Salvaging a damaged book as a person does it: beside, told in full, written down in the chain.

The salvaged book says what it is: a segment ``salvaged`` without records whose header is the
verdict over the damaged file, then whatever the raw downloads gave back, then an act with the
totals. Nothing is made to look whole: records that are lost stay missing from their segments, and
where the end of the chain may be lost the numbering leaves a gap, so ``ledger verify`` goes on
naming both.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from desktop.access import audit
from desktop.access.actor import Act, Actor, Role
from desktop.clock import Clock
from desktop.errors import Refused, SiteMusterError
from desktop.jobs import CancelToken, Progress, silent
from desktop.paths import disk_fault, refuse_unsafe_folder, sync_folder
from desktop.storage import backup_store, chain, faults, opening, salvage, swap
from desktop.storage.backup import megabytes
from desktop.storage.bundle import shelf
from desktop.storage.bundle_open import LeafReaders, Secret
from desktop.storage.card import DATABASE_FILE, BookCard
from desktop.storage.keys import SLOTS_FILE, DataKey
from desktop.storage.lock import FolderLock
from desktop.storage.opened import Book
from desktop.storage.salvage import Rescue
from desktop.storage.salvage_tables import TableReport

if TYPE_CHECKING:
    from desktop.storage.company_keys import CompanyPrivate

__all__ = ["SalvageReport", "salvage_book"]

KIND = "salvaged"
"""Kind of the segment that names the loss; it has no records of its own."""

SALVOR = Actor("抢救账本的人", Role.ADMINISTRATOR)
"""Whoever holds a secret of the book: its users may be among what is lost."""

_ROOM = 64 << 20
_MOST_NAMED = 200


class Reimport(Protocol):
    """What the raw downloads gave; see :class:`desktop.punches.reimport.Reimported`."""

    new: int

    def as_json(self) -> dict[str, Any]: ...


Reimporter = Callable[[Book, str, Progress, "CancelToken | None"], Reimport]
"""``reimporter(book, operator, progress, cancel)`` stores what kept files still have."""


@dataclass(frozen=True, slots=True)
class SalvageReport:
    """Exactly what is there and what is lost. ``flaws`` are what ``ledger verify`` says of the
    salvaged book, all of it; ``whole`` when nothing at all is lost."""

    folder: Path
    book_id: str
    pages: int
    bad_pages: tuple[int, ...]
    tables: tuple[TableReport, ...]
    filled_from: str
    directory_from: str
    reimported: dict[str, Any]
    ledger_ok: bool
    segments: int
    flaws: tuple[str, ...]
    notes: tuple[str, ...]
    seconds: float

    @property
    def whole(self) -> bool:
        return self.ledger_ok and not any(
            one.lost or one.standins or one.refused for one in self.tables
        )

    def as_json(self) -> dict[str, Any]:
        """The result of ``backup salvage``."""
        return {
            "folder": self.folder, "book": self.book_id, "pages": self.pages,
            "bad_pages": list(self.bad_pages), "tables": [one.as_json() for one in self.tables],
            "filled_from": self.filled_from, "directory_from": self.directory_from,
            "reimported": self.reimported, "ledger_ok": self.ledger_ok,
            "segments": self.segments, "flaws": list(self.flaws), "notes": list(self.notes),
            "whole": self.whole, "seconds": round(self.seconds, 2),
        }


def salvage_book(
    folder: Path,
    target: Path,
    *,
    readers: LeafReaders,
    reimporter: Reimporter,
    clock: Clock,
    passphrase: str | None = None,
    recovery_code: str | None = None,
    company: CompanyPrivate | None = None,
    use_backups: bool = True,
    progress: Progress = silent,
    cancel: CancelToken | None = None,
) -> SalvageReport:
    """Make a new book in ``target`` (absent or empty) of what ``folder`` still holds.

    Opens with the same secrets. ``folder`` is not changed by a single byte. Raises
    :class:`Refused` (a wrong secret, ``folder_occupied``, ``no_room``, ``book_in_use``,
    ``restore_on_server``), :class:`EnvironmentFault` (``beyond_salvage``, ``disk_full``) and
    ``Cancelled``; ``target`` is untouched then.
    """
    began = time.monotonic()
    folder, target = folder.absolute(), target.expanduser().absolute()
    _check_places(folder, target)
    secret = Secret(passphrase, recovery_code, company)
    lock = FolderLock(folder)
    try:
        card, key = _identity(folder, secret)
        _refuse_without_room(folder, target.parent)
        with _beside(target) as beside:
            with faults.translated(list):
                rescued = salvage.rescue(
                    folder, card, key, beside, use_backups=use_backups, progress=progress,
                    cancel=cancel,
                )
            with _opened(beside, card, key, clock) as book:
                report = _told(
                    book, rescued, target, readers, reimporter, progress, cancel, began
                )
            _put_in_place(beside, target)
        return report
    except OSError as error:
        raise disk_fault(error, target.parent) from error
    finally:
        lock.release()


# ── places and keys ─────────────────────────────────────────────────────────────────────────────


def _check_places(folder: Path, target: Path) -> None:
    refuse_unsafe_folder(target)
    swap.finish(folder)
    if not (folder / DATABASE_FILE).is_file():
        raise Refused(
            "no_book",
            f"「{folder.name}」里没有账本的数据库文件，没有可以抢救的，未做任何改动。请选择损坏的账本文件夹。",
        )
    if target == folder or folder in target.parents:
        raise Refused(
            "out_in_book", "抢救出的账本不能放在损坏的账本文件夹里面，未做任何改动。请换一个文件夹。"
        )
    try:
        occupied = target.exists() and (not target.is_dir() or any(target.iterdir()))
    except OSError as error:
        raise disk_fault(error, target) from error
    if occupied:
        raise Refused(
            "folder_occupied", f"「{target.name}」不是空文件夹，没有抢救，未做任何改动。请换一个空文件夹。"
        )


def _identity(folder: Path, secret: Secret) -> tuple[BookCard, DataKey]:
    """Card and key, by the folder's own files, else by those of a backup."""
    places = [folder, *(one.path for one in shelf(folder))]
    card = _first(places, lambda place: BookCard.peek(place))
    if card.server is not None:
        raise Refused(
            "restore_on_server",
            f"「{folder.name}」的账本在服务器上，数据库文件不在这里，未做任何改动。请由服务器管理员恢复数据库。",
        )
    slots = [place for place in places if (place / SLOTS_FILE).exists()]
    return card, _first(slots or [folder], lambda place: secret.key_of(place, card))


def _first(places: Sequence[Path], ask: Callable[[Path], Any]) -> Any:
    """The first answer; the first refusal where none gives one."""
    refusal: SiteMusterError | None = None
    for place in places:
        try:
            return ask(place)
        except SiteMusterError as error:
            refusal = refusal or error
    assert refusal is not None
    raise refusal


def _refuse_without_room(folder: Path, place: Path) -> None:
    size = (folder / DATABASE_FILE).stat().st_size
    need = 3 * size + sum(one.stat().st_size for one in backup_store.files_of(folder)) + _ROOM
    there = next(one for one in (place, *place.parents) if one.exists())
    free = shutil.disk_usage(there).free
    if free < need:
        raise Refused(
            "no_room",
            f"磁盘空间不够抢救：约需{megabytes(need)}，只剩{megabytes(free)}。没有抢救，未做任何改动。"
            "请换一块磁盘（--to）。",
            need=need,
            free=free,
        )


@contextmanager
def _beside(target: Path) -> Iterator[Path]:
    """A hidden folder beside the target; gone afterwards whatever happened, like one that a
    killed salvage left."""
    target.parent.mkdir(parents=True, exist_ok=True)
    beside = target.with_name(f".{target.name}.salvaging")
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir(mode=0o700)
    try:
        yield beside
    finally:
        shutil.rmtree(beside, ignore_errors=True)


@contextmanager
def _opened(folder: Path, card: BookCard, key: DataKey, clock: Clock) -> Iterator[Book]:
    lock = FolderLock(folder)
    try:
        book = opening.open_unlocked(folder, card, key, clock, lock)
    except BaseException:
        lock.release()
        raise
    with book:
        yield book


def _put_in_place(beside: Path, target: Path) -> None:
    with suppress(FileNotFoundError):
        target.rmdir()
    beside.rename(target)
    sync_folder(target.parent)


# ── what the chain is told ──────────────────────────────────────────────────────────────────────


def _told(
    book: Book,
    rescued: Rescue,
    target: Path,
    readers: LeafReaders,
    reimporter: Reimporter,
    progress: Progress,
    cancel: CancelToken | None,
    began: float,
) -> SalvageReport:
    projects = sorted(rescued.known_sequences)
    found = _verify(book, projects, readers, progress, cancel)
    with book.write() as session:
        for number, project in enumerate(projects):
            chain.append(
                session, project, KIND, (), _header(rescued, found[project]),
                at=book.clock.now(), operator=SALVOR.name,
                after=rescued.known_sequences[project], ident=rescued.next_segment + number,
            )
    filled = reimporter(book, SALVOR.name, progress, cancel)
    with book.write() as session:
        for project in projects:
            audit.record(
                session, project, SALVOR, Act.BOOK_SALVAGED, "book", at=book.clock.now(),
                facts={
                    "pages": rescued.pages, "bad_pages": len(rescued.bad_pages),
                    "filled_from": rescued.filled_from, "reimported": filled.new,
                    "lost": [one.name for one in rescued.tables if one.lost],
                    "flaws": len(found[project].flaws),
                },
            )
    last = _verify(book, projects, readers, progress, cancel)
    flaws = [flaw.text for verdict in last.values() for flaw in verdict.flaws]
    return SalvageReport(
        folder=target,
        book_id=book.book_id,
        pages=rescued.pages,
        bad_pages=tuple(rescued.bad_pages),
        tables=tuple(rescued.tables),
        filled_from=rescued.filled_from,
        directory_from=rescued.directory_from,
        reimported=filled.as_json(),
        ledger_ok=not flaws,
        segments=sum(verdict.segments for verdict in last.values()),
        flaws=tuple(flaws),
        notes=tuple(_notes(rescued, projects)),
        seconds=time.monotonic() - began,
    )


def _verify(
    book: Book,
    projects: Sequence[int],
    readers: LeafReaders,
    progress: Progress,
    cancel: CancelToken | None,
) -> dict[int, chain.Verdict]:
    with book.read() as session:
        return {
            project: chain.verify(session, project, readers(book), progress, cancel)
            for project in projects
        }


def _header(rescued: Rescue, verdict: chain.Verdict) -> dict[str, Any]:
    """The verdict, as far as it fits into a segment: numbers and names of tables, no person."""
    return {
        "pages": rescued.pages,
        "bad_pages": rescued.bad_pages[:_MOST_NAMED],
        "bad_page_count": len(rescued.bad_pages),
        "filled_from": rescued.filled_from,
        "lost": {
            one.name: [list(span) for span in one.lost[:_MOST_NAMED]]
            for one in rescued.tables if one.lost
        },
        "standins": {one.name: one.standins for one in rescued.tables if one.standins},
        "flaws": [
            {"code": flaw.code, "sequence": flaw.sequence} for flaw in verdict.flaws[:_MOST_NAMED]
        ],
        "flaw_count": len(verdict.flaws),
    }


def _notes(rescued: Rescue, projects: Sequence[int]) -> Iterator[str]:
    if not projects:
        yield "账本段首全部丢失，没有可以续写的账本。抢救出的内容只能作参考。"
    if rescued.filled_from:
        yield (
            f"丢失的部分里，备份「{rescued.filled_from}」有的已按备份补回。"
            "那之后改过的资料可能是旧的；那之后做过到期清除的，请重新执行清除。"
        )
    if rescued.directory_from == "program":
        yield "数据库的目录页损坏，已按本程序新建账本的目录页修复。"
    elif rescued.directory_from:
        yield f"数据库的目录页损坏，已按备份「{rescued.directory_from}」修复。"
    if rescued.guards_mended:
        yield "账本的防改保护不完整，已补上：损坏之外，账本可能还被其他程序改动过。"
    if rescued.unreadable_sectors:
        yield f"磁盘有{rescued.unreadable_sectors}处读不出来。请尽快更换这块磁盘。"


"""Backups as a person does them: who may, what the trail says, and the second place.

Every backup leaves an act with the heads it holds and its digest. That is what a later restore is
held against: an older backup put under a newer one's name, or one of another chain, is known as
such as long as the book, or a paper with a head on it, is there. Checking and restoring are in
:mod:`desktop.access.restore_desk`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from desktop.access.actor import Act, View
from desktop.access.desk import Desk
from desktop.access.tables import AuditAct
from desktop.errors import EnvironmentFault, Refused
from desktop.jobs import CancelToken, Progress, silent
from desktop.paths import disk_fault
from desktop.storage import backup, restore, schedule, second_place
from desktop.storage.backup_store import Unfaithful
from desktop.storage.bundle import (
    BackupInfo,
    Head,
    bundles_in,
    digest_of,
    manifest_of,
    shelf,
)
from desktop.storage.card import BACKUPS, BookCard
from desktop.storage.integrity import DATABASE_KEY
from desktop.storage.schedule import BackupSettings
from desktop.storage.snapshot import Taken
from desktop.storage.tables import Segment

if TYPE_CHECKING:
    from desktop.storage.book import Book

__all__ = [
    "BackupInfo", "BackupSettings", "BackupStatus", "backup_settings", "backup_status",
    "create_backup", "due", "export_backup", "list_backups", "set_backup_settings", "thin",
]

OWN_ACTS = frozenset({
    Act.BACKUP_CREATED, Act.BACKUP_COPIED, Act.BACKUP_THINNED, Act.BACKUP_VERIFIED,
    Act.RESTORE_DRILLED,
})
"""What backups write themselves: a book with nothing else since the last one did not change."""


def create_backup(
    desk: Desk,
    *,
    reason: str = "manual",
    progress: Progress = silent,
    cancel: CancelToken | None = None,
) -> BackupInfo:
    """One more verified backup, the older ones thinned, a copy at the second place if one is set.

    ``reason``: ``manual``, ``daily``, ``opening``, ``closing``; any other word (letters, digits,
    dashes) marks a backup made before something bold, which is kept by its own rule. A second
    place that is away is no error: ``second_ok`` and ``second`` of the result say it.

    Raises :class:`EnvironmentFault` and ``Cancelled`` with nothing half-done, see
    :func:`desktop.storage.backup.make`. A cancel while copying to the second place leaves the
    finished backup.
    """
    desk.permit(Act.BACKUP_CREATED)
    source = source_of(desk.book)
    info = backup.make(source, desk.clock, reason=reason, progress=progress, cancel=cancel)
    with desk.book.write() as session:
        desk.audit(
            session, Act.BACKUP_CREATED, f"backup:{info.name}", reason=reason, digest=info.digest,
            heads=[head.as_json() for head in info.heads], schema=info.schema, size=info.size,
        )
    info = replace(info, removed=tuple(_thin(desk, protect=info.name)))
    return _copied(desk, info, progress, cancel)


def source_of(book: Book) -> backup.Source:
    """What a backup of an open book copies."""
    card, key = BookCard.peek(book.path), book.subkey(DATABASE_KEY)
    if book.dialect == "sqlite":
        return backup.Source.of_file(book.path, card, key, book)

    def take(target: Path, progress: Progress, cancel: CancelToken | None) -> Taken:
        from desktop.storage import move_back  # psycopg only where there is a server

        return Taken(move_back.snapshot_of(book, target, progress, cancel))

    return backup.Source(book.path, card, key, take, book.ring.generation)


def thin(desk: Desk) -> list[str]:
    """Remove the backups that need not be kept; returns their names."""
    desk.permit(Act.BACKUP_CREATED)
    return _thin(desk)


def _thin(desk: Desk, *, protect: str = "") -> list[str]:
    removed = backup.thin(desk.book.path / BACKUPS, desk.clock.now(), protect=protect)
    if removed:
        with desk.book.write() as session:
            desk.audit(session, Act.BACKUP_THINNED, "backups", removed=removed)
    return removed


def _copied(
    desk: Desk, info: BackupInfo, progress: Progress, cancel: CancelToken | None
) -> BackupInfo:
    """With the copy at the second place, where the book names one."""
    with desk.book.read() as session:
        place, last = schedule.settings_of(session).second_place, schedule.copied_at(session)
    if place is None:
        return info
    now = desk.clock.now()
    copy = second_place.copy_there(info.path, Path(place), now, last, progress, cancel)
    if copy.ok:
        with desk.book.write() as session:
            schedule.put_value(session, schedule.COPIED_AT, now.isoformat())
            desk.audit(
                session, Act.BACKUP_COPIED, f"backup:{info.name}", digest=info.digest,
                removed=list(copy.removed),
            )
    return replace(info, second_ok=copy.ok, second=copy.sentence)


def export_backup(
    desk: Desk, bundle: Path, out: Path, progress: Progress = silent,
    cancel: CancelToken | None = None,
) -> Path:
    """A copy of one backup in the folder ``out`` that is whole by itself; returns its folder.

    Raises :class:`Refused` ``out_in_book`` or ``backup_exported`` (it is there already).
    """
    from desktop.delivery import destination

    desk.permit(Act.BACKUP_CREATED)
    manifest, target = manifest_of(bundle), destination(out, desk.book.path)
    if (target / bundle.name).exists():
        raise Refused(
            "backup_exported",
            f"「{target.name}」里已有备份「{bundle.name}」，没有再复制一次，未做任何改动。",
        )
    try:
        target.mkdir(parents=True, exist_ok=True)
        copied = second_place.copy_bundle(
            bundle, manifest, target, progress, cancel, alone=True
        )
    except Unfaithful as error:
        raise EnvironmentFault(
            "bundle_damaged",
            f"备份「{bundle.name}」复制后核对不通过，已丢弃那份复制，原来的备份没有改动。"
            "请先核验这份备份（backup verify），再检查目标磁盘。",
        ) from error
    except OSError as error:
        raise disk_fault(error, target) from error
    with desk.book.write() as session:
        desk.audit(
            session, Act.BACKUP_COPIED, f"backup:{bundle.name}", digest=digest_of(bundle),
            exported=True,
        )
    return copied


# ── looking ─────────────────────────────────────────────────────────────────────────────────────


def list_backups(folder: Path) -> list[BackupInfo]:
    """The backups in a book's folder, newest first; opens none of them."""
    return shelf(folder)


@dataclass(frozen=True, slots=True)
class BackupStatus:
    """How well the book is covered. ``last`` is the good backup that holds the most of its chain.

    ``second_copied_at`` when one last reached the second place, ``second`` the sentence for a place
    that is away now, else empty. ``sentence`` says the whole in one line.
    """

    last: BackupInfo | None
    due: bool
    changed: bool
    second_place: str | None
    second_copied_at: datetime | None
    second: str
    sentence: str


def backup_status(desk: Desk) -> BackupStatus:
    """For the page of backups and the day's agenda."""
    now, book = desk.clock.now(), desk.book
    infos = shelf(book.path)
    with desk.look(View.BACKUPS) as session:
        settings, copied = schedule.settings_of(session), schedule.copied_at(session)
        last = _covering(session, infos)
        changed = _changed(session, last)
    waiting = changed and schedule.is_due(_made(infos), now, settings.daily_at)
    second = ""
    if settings.second_place is not None:
        place = Path(settings.second_place)
        if not second_place.is_there(place, book.book_id):
            second = second_place.absence(place, now, copied)
    return BackupStatus(
        last, waiting, changed, settings.second_place, copied, second,
        _status_sentence(last, changed, now),
    )


def _status_sentence(last: BackupInfo | None, changed: bool, now: datetime) -> str:
    if last is None:
        return "还没有备份。请现在做一份。"
    days = backup.age_in_days(last.at, now)
    age = f"{days}天前" if days else "今天"
    return f"最后一份备份是{age}，之后账本{'有' if changed else '没有'}改动。"


def due(book: Book, now: datetime) -> bool:
    """Whether a backup should be made now: the book changed and a day has passed since the last
    good one. Asked at opening, at closing and from time to time."""
    infos = shelf(book.path)
    with book.read() as session:
        daily_at = schedule.settings_of(session).daily_at
        if not schedule.is_due(_made(infos), now, daily_at):
            return False
        return _changed(session, _covering(session, infos))


def _made(infos: Sequence[BackupInfo]) -> list[datetime]:
    return [one.at for one in infos if one.ok is not False]


def _covering(session: Session, infos: Sequence[BackupInfo]) -> BackupInfo | None:
    """The good backup that holds the most of *this* chain; after a restore the shelf may hold some
    that went further on the other branch."""
    good = [one for one in infos if one.ok is not False]
    for one in sorted(good, key=lambda info: (info.reach, info.at), reverse=True):
        if restore.relation(session, one.heads).kind in ("same", "older"):
            return one
    return None


def _changed(session: Session, last: BackupInfo | None) -> bool:
    """Is there more in the chains than that backup and the acts of backups themselves?"""
    if last is None:
        return True
    news = select(func.count()).select_from(Segment).outerjoin(
        AuditAct, AuditAct.segment_id == Segment.id
    ).where(
        _after(last.heads),
        or_(AuditAct.act.is_(None), AuditAct.act.not_in([act.value for act in OWN_ACTS])),
    )
    return bool(session.scalar(news))


def _after(heads: Sequence[Head]) -> ColumnElement[bool]:
    """Segments after the heads of a backup, and those of projects it does not know."""
    known = [head.project for head in heads]
    later = [
        and_(Segment.project_id == head.project, Segment.sequence > head.sequence)
        for head in heads
    ]
    return or_(Segment.project_id.not_in(known), *later)


def last_registered(session: Session) -> AuditAct | None:
    """The act of the last backup that the book knows of."""
    return session.scalars(
        select(AuditAct)
        .where(AuditAct.act == Act.BACKUP_CREATED.value)
        .order_by(AuditAct.id.desc())
        .limit(1)
    ).first()


def registered(session: Session, name: str) -> AuditAct | None:
    """The act of the backup of that name."""
    return session.scalars(
        select(AuditAct)
        .where(AuditAct.act == Act.BACKUP_CREATED.value, AuditAct.subject == f"backup:{name}")
        .order_by(AuditAct.id.desc())
        .limit(1)
    ).first()


# ── settings ────────────────────────────────────────────────────────────────────────────────────


def backup_settings(desk: Desk) -> BackupSettings:
    """What the book says about its backups."""
    with desk.look(View.BACKUPS) as session:
        return schedule.settings_of(session)


def set_backup_settings(desk: Desk, settings: BackupSettings) -> str | None:
    """Change them; returns a warning about the second place, None where there is nothing to say.

    A second place is prepared and marked: setting it again tells the program that another stick is
    meant. Raises :class:`Refused` ``second_place_missing``, ``second_place_in_book``,
    ``second_place_taken``; :class:`EnvironmentFault` where it cannot be written.
    """
    desk.permit(Act.BACKUP_SETTINGS_CHANGED)
    warning = None
    if settings.second_place is not None:
        place = Path(settings.second_place).expanduser().absolute()
        settings = replace(settings, second_place=str(place))
        warning = second_place.prepare(place, desk.book.path, desk.book.book_id)
    with desk.book.write() as session:
        before = schedule.settings_of(session)
        schedule.store_settings(session, settings)
        if before.second_place != settings.second_place:
            schedule.put_value(session, schedule.COPIED_AT, None)
        desk.audit(
            session, Act.BACKUP_SETTINGS_CHANGED, "backups",
            second_place=settings.second_place is not None, daily_at=settings.as_json()["daily_at"],
        )
    return warning


def second_place_backups(desk: Desk) -> list[BackupInfo]:
    """The backups at the second place; empty while it is away."""
    desk.permit_view(View.BACKUPS)
    place = backup_settings(desk).second_place
    return [] if place is None else bundles_in(
        second_place.folder_in(Path(place), desk.book.book_id)
    )

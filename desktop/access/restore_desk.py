"""Restoring as a person does it: who may, what the living book says of it, what the chain is told.

A restore writes an act into the restored chain that names the head it was restored to. Proving and
drilling are in :mod:`backup_check` and :mod:`drill`; their names are here too.
"""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from desktop.access import audit, login, users
from desktop.access.actor import Act, Actor, Role, permit
from desktop.access.backup_check import (
    NOT_COMPARED,
    BackupVerdict,
    Comparison,
    LedgerPart,
    held_against,
    ledger_of,
    named_backup,
    verify_backup,
)
from desktop.access.drill import DrillReport, drill
from desktop.clock import Clock
from desktop.errors import Refused, SiteMusterError
from desktop.jobs import CancelToken, Progress, silent
from desktop.storage import opening, os_keyring, restore
from desktop.storage.bundle import digest_of
from desktop.storage.bundle_open import LeafReaders, Opened, Secret
from desktop.storage.card import DATABASE_FILE, BookCard
from desktop.storage.integrity import DATABASE_KEY
from desktop.storage.keys import KeySlots, SlotName
from desktop.storage.opened import Book
from desktop.storage.restore import Relation, Restoring
from desktop.storage.tables import Segment

if TYPE_CHECKING:
    from desktop.storage.company_keys import CompanyPrivate

__all__ = [
    "HOLDER", "BackupVerdict", "DrillReport", "LedgerPart", "RestoreReport", "drill",
    "named_backup", "restore_backup", "verify_backup",
]

HOLDER = Actor("持恢复码或公司钥匙的人", Role.ADMINISTRATOR)
"""Who restores with the book's own last resort: he needs no account."""


@dataclass(frozen=True, slots=True)
class RestoreReport:
    """A finished restore. ``aside`` is where the replaced book is kept, None where none was.

    ``bind_offered``: this computer's keyring does not open the book (any more); binding it is the
    next step. ``missing`` are raw downloads the bundle should have held.
    """

    folder: Path
    bundle: str
    book_id: str
    ledger: LedgerPart
    relation: Relation
    aside: Path | None
    bind_offered: bool
    missing: tuple[str, ...]
    notes: tuple[str, ...]
    schema_before: str | None
    seconds: float

    def as_json(self) -> dict[str, Any]:
        """The result of ``backup restore``."""
        return {
            "folder": self.folder, "bundle": self.bundle, "book": self.book_id,
            "ledger": self.ledger, "relation": self.relation.kind,
            "behind": self.relation.behind, "replaced": self.aside,
            "bind_offered": self.bind_offered, "missing": list(self.missing),
            "notes": list(self.notes), "seconds": round(self.seconds, 2),
        }


def restore_backup(
    bundle: Path,
    folder: Path,
    *,
    readers: LeafReaders,
    clock: Clock,
    passphrase: str | None = None,
    recovery_code: str | None = None,
    company: CompanyPrivate | None = None,
    user: str | None = None,
    password: str | None = None,
    accept_older: bool = False,
    accept_flaws: bool = False,
    progress: Progress = silent,
    cancel: CancelToken | None = None,
) -> RestoreReport:
    """Make ``bundle`` the book in ``folder``: unpacked beside, proven, then exchanged.

    Whoever holds the recovery code or the company key restores by that alone; with a passphrase or
    the keyring a book with users asks for an administrator. Raises besides what
    :func:`desktop.storage.restore.restoring` raises: :class:`Refused` ``backup_older`` (it
    reaches less far than the last backup the living book registered, or stands in no part of its
    chain; ``accept_older``), ``backup_flawed`` (its ledger does not hold; ``accept_flaws``),
    ``login_needed``. The place is untouched then.
    """
    began = time.monotonic()
    secret = Secret(passphrase, recovery_code, company)
    admitted = _admitted(folder.absolute(), secret, user, password, clock)
    with restore.restoring(bundle, folder, secret, clock, progress, cancel) as job:
        held = _living(job)
        if held.doubts and not accept_older:
            raise _older(job, held)
        with job.book() as book:
            ledger = ledger_of(book, job.opened.manifest.contents.heads, readers, progress, cancel)
            if not ledger.ok and not accept_flaws:
                raise Refused(
                    "backup_flawed",
                    f"备份里的账本核对不通过：{ledger.first_bad}没有恢复，未做任何改动。请换另一份备份；"
                    "确认要恢复它时，请注明接受（命令行用 --accept-flaws）。",
                    first_bad=ledger.first_bad,
                )
            actor = admitted or _restorer(book, job.opened, user, password)
            _write_act(book, job.opened, actor, held.relation, clock)
        aside = job.put_in_place()
        notes = held.notes if job.note is None else (job.note, *held.notes)
        return RestoreReport(
            folder=job.folder,
            bundle=bundle.name,
            book_id=job.opened.card.book_id,
            ledger=ledger,
            relation=held.relation,
            aside=aside,
            bind_offered=_keyring_is_dead(job.folder),
            missing=tuple(one.path for one in job.missing),
            notes=notes,
            schema_before=job.opened.manifest.contents.schema,
            seconds=time.monotonic() - began,
        )


def _living(job: Restoring) -> Comparison:
    """What the book that is replaced says of the bundle, as far as it can still be read."""
    with job.living() as session:
        if session is None:
            return NOT_COMPARED
        try:
            held = held_against(session, job.opened)
            return replace(held, notes=(*held.notes, *_earlier_key(job)))
        except (SQLAlchemyError, SiteMusterError):
            note = "现有账本已损坏，读不出来，没有和备份比较新旧。"
            return Comparison(restore.UNKNOWN, (note,))


def _earlier_key(job: Restoring) -> list[str]:
    with suppress(SiteMusterError):
        if KeySlots.read(job.folder).generation > job.opened.key.generation:
            return [
                "这份备份是换钥匙之前做的：恢复后的账本又用回原来的钥匙、口令和恢复码。"
                "当初因泄露换的，请再换一次（key rekey）。"
            ]
    return []


def _older(job: Restoring, held: Comparison) -> Refused:
    """A backup that is not the latest the book knows of may be a swapped one: ask first."""
    return Refused(
        "backup_older",
        f"{''.join(held.doubts)}没有恢复「{job.opened.bundle.name}」，未做任何改动。"
        "请选最后一次的备份；确认就要这一份时，请注明接受（命令行用 --accept-older）。",
        relation=held.relation.kind,
        behind=held.relation.behind,
    )


def _admitted(
    folder: Path, secret: Secret, user: str | None, password: str | None, clock: Clock
) -> Actor | None:
    """Whom the living book lets restore; None where it has no say: no users, or unreadable."""
    if secret.recovery_code is not None or secret.company is not None:
        return HOLDER
    file = folder / DATABASE_FILE
    needed = False
    with suppress(SiteMusterError, SQLAlchemyError):
        key = secret.key_of(folder, BookCard.peek(folder)).subkey(DATABASE_KEY)
        with restore.looking(file, key) as session:
            needed = session is not None and login.login_needed(session)
    if not needed:
        return None
    name, typed = _given(user, password)
    with opening.open_book(folder, clock, passphrase=secret.passphrase) as book:
        with book.read() as session:
            project = session.scalars(select(Segment.project_id).limit(1)).one()
        actor = login.log_in(book, project, name, typed)
    permit(actor, Act.BOOK_RESTORED)
    return actor


def _restorer(book: Book, opened: Opened, user: str | None, password: str | None) -> Actor:
    """Whom the restored book lets in. Raises :class:`Refused` ``login_needed``, ``NotPermitted``."""
    with book.read() as session:
        needed = login.login_needed(session)
        first = users.first_administrator(session)
    if not needed:
        return first
    name, typed = _given(user, password)
    actor = login.log_in(book, opened.manifest.contents.heads[0].project, name, typed)
    permit(actor, Act.BOOK_RESTORED)
    return actor


def _given(user: str | None, password: str | None) -> tuple[str, str]:
    if user is None or password is None:
        raise Refused(
            "login_needed",
            "这个账本有多个用户，恢复备份要管理员登录，或用恢复码。没有恢复，未做任何改动。"
            "请加上 --user 和 --password-file，或 --recovery-file。",
        )
    return user, password


def _write_act(
    book: Book, opened: Opened, actor: Actor, relation: Relation, clock: Clock
) -> None:
    """One act per chain, naming the head it went back to."""
    with book.write() as session:
        for head in opened.manifest.contents.heads:
            audit.record(
                session, head.project, actor, Act.BOOK_RESTORED, f"backup:{opened.bundle.name}",
                at=clock.now(),
                facts={
                    "digest": digest_of(opened.bundle),
                    "made_at": opened.manifest.at.isoformat(),
                    "sequence": head.sequence,
                    "head": head.hash.hex(),
                    "relation": relation.kind,
                    "behind": relation.behind,
                },
            )


def _keyring_is_dead(folder: Path) -> bool:
    """Whether a keyring slot is there that this computer's keyring does not open."""
    slots = KeySlots.read(folder)
    slot = slots.slots.get(SlotName.KEYRING)
    if slot is None:
        return False
    try:
        kept = os_keyring.fetch(slots.book_id, slot.entry)
    except os_keyring.KeyringUnusable:
        return True
    return kept is None or slots.open(SlotName.KEYRING, kept) is None

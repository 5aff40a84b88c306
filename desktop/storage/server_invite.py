"""Invites another computer to a book on a server, and joins one.

The invitation is a file that may go by chat or stick: it names the server and the new login, and
holds the login's password and the data key sealed under a *join code* that is read out over another
way. Joining gives the login a new password and makes the computer's own ways to open the book, so
the file is worth nothing afterwards. The recovery code of the inviting computer opens this one too:
one sheet of paper for the whole book.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from psycopg import sql

from desktop.errors import Refused, SiteMusterError
from desktop.paths import disk_fault, read_regular, refuse_unsafe_folder, write_atomically
from desktop.storage import (
    os_keyring,
    recovery_code,
    server_connection,
    server_faults,
    server_login,
    server_opening,
)
from desktop.storage.card import BACKUPS, BookCard
from desktop.storage.creation import put_in_place, refuse_occupied
from desktop.storage.keys import (
    STANDARD_COST,
    Argon2Cost,
    DataKey,
    KeySlots,
    Slot,
    SlotName,
    passphrase_secret,
)
from desktop.storage.lock import LOCK_FILE
from desktop.storage.opened import Book
from desktop.storage.server_connection import Login

_FORMAT = 1
_MOST_BYTES = 64 << 10


@dataclass(frozen=True, slots=True)
class Joined:
    """A computer that joined: its folder and its login."""

    folder: Path
    login: str


def write_invitation(
    book: Book, login: Login, target: Path, *, cost: Argon2Cost = STANDARD_COST
) -> str:
    """Write the invitation of ``login`` to ``target`` (absent) and return the join code."""
    if target.exists():
        raise Refused(
            "file_exists", f"文件「{target.name}」已存在，没有覆盖，未做任何改动。请换一个文件名。"
        )
    code, key = recovery_code.new_code(), book.ring.newest
    present = KeySlots.read(book.path)
    slots = replace(
        present,
        slots={
            SlotName.RECOVERY: present.slots[SlotName.RECOVERY],
            SlotName.PASSPHRASE: book.slot(
                SlotName.PASSPHRASE, recovery_code.secret_of(code), cost
            ),
        },
    )
    user = login.address.user
    body = {
        "format": _FORMAT,
        "sitemuster_invitation": {
            "book_id": book.book_id,
            "demo": book.demo,
            "database": str(login.address),
            "password": server_login.seal(login.password, key, book.book_id, user).hex(),
        },
        "keyslots": slots.as_json(),
    }
    text = json.dumps(body, indent=2, ensure_ascii=False) + "\n"
    write_atomically(target, text.encode("utf-8"), private=True)
    return code


def join(
    invitation: Path,
    folder: Path,
    code: str,
    *,
    passphrase: str | None,
    cost: Argon2Cost = STANDARD_COST,
) -> Joined:
    """Make ``folder`` (absent or empty) this computer's way into the book of ``invitation``.

    Opens afterwards by ``passphrase``, without one by this computer's keyring. Raises
    :class:`Refused` and :class:`EnvironmentFault`; nothing is left then, and the invitation holds.
    """
    refuse_unsafe_folder(folder)
    refuse_occupied(folder)
    card, slots, sealed = _read(invitation)
    key = slots.open(SlotName.PASSPHRASE, recovery_code.secret_of(code))
    if key is None:
        raise Refused(
            "wrong_join_code", "加入码输入无误，但不是这份邀请的加入码，没有加入，未做任何改动。请向发邀请的人核对。"
        )
    assert card.server is not None
    password = server_login.open_sealed(sealed, key, card.book_id, card.server.user)
    if password is None:
        raise _damaged(invitation)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(prefix=f".{folder.name}.new-", dir=folder.parent))
    except OSError as error:
        raise disk_fault(error, folder.parent) from error
    entry: str | None = None
    try:
        entry = _own_slots(beside, card, slots, key, passphrase, cost)
        (beside / BACKUPS).mkdir()
        (beside / LOCK_FILE).touch(mode=0o600)
        card.write(beside)
        _renew_password(beside, card, key, password)
        put_in_place(beside, folder)
    except BaseException as error:
        if entry is not None:
            _forget(card.book_id, entry)
        shutil.rmtree(beside, ignore_errors=True)
        if isinstance(error, OSError):
            raise disk_fault(error, folder.parent) from error
        raise
    return Joined(folder, card.server.user)


def _read(invitation: Path) -> tuple[BookCard, KeySlots, bytes]:
    try:
        content = read_regular(invitation, _MOST_BYTES)
    except OSError as error:
        raise Refused(
            "invitation_unreadable",
            f"读不到邀请文件「{invitation.name}」，没有加入，未做任何改动。请检查路径。",
        ) from error
    try:
        if len(content) > _MOST_BYTES:
            raise ValueError("too long")
        body = json.loads(content)
        facts: Any = body["sitemuster_invitation"]
        if int(body["format"]) > _FORMAT:
            raise Refused("book_newer", "邀请来自更新版本的程序，没有加入，未做任何改动。请先升级程序。")
        card = BookCard(str(facts["book_id"]), bool(facts["demo"]), str(facts["database"]))
        slots = KeySlots.of_json(body["keyslots"])
        sealed = bytes.fromhex(facts["password"])
        if card.server is None or slots.book_id != card.book_id or not slots.intact:
            raise ValueError("parts do not fit")
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
        raise _damaged(invitation) from error
    return card, slots, sealed


def _damaged(invitation: Path) -> Refused:
    return Refused(
        "invitation_damaged",
        f"「{invitation.name}」不是完好的邀请文件，没有加入，未做任何改动。请让发邀请的人重新发一份。",
    )


def _own_slots(
    beside: Path, card: BookCard, invited: KeySlots, key: DataKey, passphrase: str | None,
    cost: Argon2Cost,
) -> str | None:
    """The slots of this computer, proven; the name of its keyring entry where it has one."""
    slots, entry, typed = invited.without(SlotName.PASSPHRASE), None, {}
    if passphrase is not None:
        typed[SlotName.PASSPHRASE] = passphrase_secret(passphrase)
        slot = Slot.seal(
            SlotName.PASSPHRASE, card.book_id, key, typed[SlotName.PASSPHRASE], cost
        )
    else:
        typed[SlotName.KEYRING] = os.urandom(32)
        slot = Slot.seal(SlotName.KEYRING, card.book_id, key, typed[SlotName.KEYRING], None)
        os_keyring.store(card.book_id, slot.entry, typed[SlotName.KEYRING])
        entry = slot.entry
    try:
        slots.having(slot).write(beside)
        KeySlots.read(beside).prove(typed)
    except BaseException:
        if entry is not None:
            _forget(card.book_id, entry)
        raise
    return entry


def _renew_password(beside: Path, card: BookCard, key: DataKey, invited: str) -> None:
    """Look at the book as every opening does, then leave a password nobody else has seen."""
    assert card.server is not None
    login = Login(card.server, invited)
    own = secrets.token_urlsafe(24)
    with (
        server_faults.translated(login.address.place),
        server_connection.open_connection(login, autocommit=True) as link,
    ):
        server_opening.look(link, login, card.book_id)
        server_login.write(beside, card, key, own)  # before it is in force: a kill loses no login
        hashed = link.pgconn.encrypt_password(
            own.encode(), login.address.user.encode(), b"scram-sha-256"
        ).decode()
        link.execute(sql.SQL("ALTER ROLE CURRENT_USER PASSWORD {}").format(sql.Literal(hashed)))


def _forget(book_id: str, entry: str) -> None:
    try:
        os_keyring.forget(book_id, entry)
    except SiteMusterError:
        return

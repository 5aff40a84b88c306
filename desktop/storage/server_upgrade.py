"""Brings the tables of a book on a server to the form this program works with.

Done once for all computers, by whoever administers the server: the others cannot take the owner's
role. A verified backup of the whole book comes first; the steps and the guards are one transaction.
"""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from desktop.clock import Clock
from desktop.errors import Refused
from desktop.jobs import CancelToken, Progress, silent
from desktop.paths import refuse_unsafe_folder
from desktop.storage import (
    backup,
    move,
    move_back,
    opening,
    server_faults,
    server_login,
    server_schema,
    unlock,
)
from desktop.storage.card import BookCard
from desktop.storage.integrity import DATABASE_KEY
from desktop.storage.lock import FolderLock
from desktop.storage.migrations import VERSIONS
from desktop.storage.server_address import ServerAddress
from desktop.storage.server_admin import Administrator
from desktop.storage.server_connection import Login
from desktop.storage.snapshot import Taken


def upgrade(
    folder: Path,
    card: BookCard,
    url: str,
    password: str | None,
    *,
    passphrase: str | None,
    recovery_code: str | None,
    clock: Clock,
    progress: Progress = silent,
) -> tuple[str, str]:
    """See ``access.server_desk.upgrade``. A failing step leaves the tables as they were."""
    refuse_unsafe_folder(folder)
    address, inside = ServerAddress.parse(url)
    own = card.server
    assert own is not None
    if (address.host, address.port, address.database) != (own.host, own.port, own.database):
        raise Refused(
            "other_server",
            f"管理员的地址不是这个账本所在的服务器（{own.place}，数据库 {own.database}），未做任何改动。请核对。",
        )
    lock = FolderLock(folder)
    try:
        key = unlock.data_key(
            folder, card, passphrase=passphrase, recovery_code=recovery_code
        )
        login = server_login.read(folder, card, key)
        with server_faults.translated(own.place), closing(move.open_whole(login)) as link:
            version = server_schema.version(link)
        opening.refuse_newer(version)
        if version is not None and version != VERSIONS[-1]:
            _secure(folder, card, key.subkey(DATABASE_KEY), login, version, clock, progress)
        Administrator(Login(address, password or inside or "")).build()
    finally:
        lock.release()
    return version or "", VERSIONS[-1]


def _secure(
    folder: Path, card: BookCard, key: bytes, login: Login, version: str, clock: Clock,
    progress: Progress,
) -> None:
    """The whole book as it stands, in the tables it has, as a bundle beside the folder's others."""

    def take(target: Path, progress: Progress, cancel: CancelToken | None) -> Taken:
        with server_faults.translated(login.address.place), closing(move.open_whole(login)) as link:
            contents, _ = move_back.into_file(
                link, target, key, progress, cancel, version=version
            )
            return Taken(contents)

    source = backup.Source(folder, card, key, take)
    backup.make(source, clock, reason=f"migration-{version}", progress=progress)

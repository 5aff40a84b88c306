"""The password of this computer's login on a server: ``server.sealed`` in the book's folder.

Sealed under a sub-key of the data key, so that whoever may open the book may reach the server,
with or without a keyring, and nobody else.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from desktop.errors import EnvironmentFault
from desktop.paths import disk_fault, write_atomically
from desktop.storage.card import BookCard
from desktop.storage.keys import DataKey

if TYPE_CHECKING:
    from desktop.storage.server_connection import Login

LOGIN_FILE = "server.sealed"
_VERSION, _NONCE = b"\x01", 12
_LABEL = "server login"


def seal(password: str, key: DataKey, book_id: str, login: str) -> bytes:
    """``version ‖ nonce ‖ ciphertext ‖ tag``, bound to book and login."""
    nonce = os.urandom(_NONCE)
    cipher = AESGCM(key.subkey(_LABEL))
    return _VERSION + nonce + cipher.encrypt(nonce, password.encode(), _bound(book_id, login))


def open_sealed(sealed: bytes, key: DataKey, book_id: str, login: str) -> str | None:
    """The password, None when it was not sealed for this key, book and login."""
    if sealed[:1] != _VERSION:
        return None
    nonce, body = sealed[1 : 1 + _NONCE], sealed[1 + _NONCE :]
    try:
        return AESGCM(key.subkey(_LABEL)).decrypt(nonce, body, _bound(book_id, login)).decode()
    except (InvalidTag, ValueError):
        return None


def write(folder: Path, card: BookCard, key: DataKey, password: str) -> None:
    """Keep the password of the card's login in ``folder``."""
    assert card.server is not None
    sealed = seal(password, key, card.book_id, card.server.user)
    write_atomically(folder / LOGIN_FILE, sealed, private=True)


def read(folder: Path, card: BookCard, key: DataKey) -> Login:
    """The way into the card's server; raises :class:`EnvironmentFault` ``server_login_missing``."""
    from desktop.storage.server_connection import Login

    assert card.server is not None
    try:
        sealed = (folder / LOGIN_FILE).read_bytes()
    except FileNotFoundError:
        sealed = b""
    except OSError as error:
        raise disk_fault(error, folder) from error
    password = open_sealed(sealed, key, card.book_id, card.server.user)
    if password is None:
        raise EnvironmentFault(
            "server_login_missing",
            f"账本里登录服务器的密码文件 {LOGIN_FILE} 缺失或打不开，账本没有打开，未做任何改动。"
            "请从备份里把它复制回来，或请管理员重新发一份邀请（book member add）再加入。",
        )
    return Login(card.server, password)


def _bound(book_id: str, login: str) -> bytes:
    return f"{book_id}/{login}".encode()

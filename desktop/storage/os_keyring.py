"""The operating system's keyring as a place for one wrapping key per book.

Traps met (storage-notes §6): no bus, locked, no display, a back end that accepts and stores
nothing, one that stores clear text, and prompts that block. Each becomes a state with a Chinese
sentence; nothing falls back to clear text. May block on a prompt: never call it on a GUI thread.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import Any

from desktop.errors import EnvironmentFault

_SERVICE = "SiteMuster book {}"
_WAIT_S = 90
_REFUSED_BACKENDS = ("null", "fail", "plaintext", "chainer", "PlaintextKeyring", "EncryptedKeyring")


class KeyringUnusable(EnvironmentFault):
    """This computer has no keyring that keeps a secret; ``reason`` is a Chinese clause."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            "keyring_unusable",
            f"系统密钥环不可用：{reason}。未做任何改动。请改用口令（--passphrase-file），或解锁密钥环后重试。",
            reason=reason,
        )
        self.reason = reason


def store(book_id: str, entry: str, secret: bytes) -> None:
    """Keep ``secret`` (32 bytes, as 64 hex characters) and prove it by reading it back.

    ``entry`` tells one secret of a book from the next, so that none is ever overwritten.
    """
    text = secret.hex()
    _ask(lambda backend: backend.set_password(_SERVICE.format(book_id), entry, text))
    if fetch(book_id, entry) != secret:
        raise KeyringUnusable("写入后读不回来")


def fetch(book_id: str, entry: str) -> bytes | None:
    """The stored secret, or None if the keyring holds no such entry for this book."""
    text = _ask(lambda backend: backend.get_password(_SERVICE.format(book_id), entry))
    if text is None:
        return None
    try:
        return bytes.fromhex(text)
    except ValueError:
        return None


def forget(book_id: str, entry: str) -> None:
    """Remove an entry of a book; silent if there is none."""
    from keyring.errors import PasswordDeleteError

    def delete(backend: Any) -> None:
        try:
            backend.delete_password(_SERVICE.format(book_id), entry)
        except PasswordDeleteError:
            return

    _ask(delete)


def _ask(question: Callable[[Any], Any]) -> Any:
    """Run one keyring call in a thread of its own, so that a prompt nobody sees ends the wait."""
    answers: queue.SimpleQueue[tuple[bool, Any]] = queue.SimpleQueue()

    def work() -> None:
        try:
            answers.put((True, question(_backend())))
        except BaseException as error:  # noqa: BLE001 (handed over to the asking thread)
            answers.put((False, error))

    threading.Thread(target=work, name="keyring", daemon=True).start()
    try:
        good, answer = answers.get(timeout=_WAIT_S)
    except queue.Empty:
        raise KeyringUnusable(f"{_WAIT_S}秒内没有应答，可能有未处理的解锁提示") from None
    if good:
        return answer
    raise _as_unusable(answer) from answer


def _backend() -> Any:
    import keyring
    from keyring.backends import chainer

    chosen = keyring.get_keyring()
    candidates = chosen.backends if isinstance(chosen, chainer.ChainerBackend) else [chosen]
    for backend in candidates:
        names = (type(backend).__module__.rpartition(".")[2], type(backend).__name__)
        if not any(name in _REFUSED_BACKENDS for name in names):
            return backend
    raise KeyringUnusable("这台电脑没有能安全保存密钥的密钥环")


def _as_unusable(error: BaseException) -> BaseException:
    from keyring.errors import InitError, KeyringError, KeyringLocked, NoKeyringError

    if isinstance(error, KeyringUnusable):
        return error
    if isinstance(error, NoKeyringError):
        return KeyringUnusable("这台电脑没有能安全保存密钥的密钥环")
    if isinstance(error, InitError | KeyringLocked):
        return KeyringUnusable("密钥环被锁定，或没有桌面可供解锁")
    if isinstance(error, KeyringError | OSError | RuntimeError | ValueError):
        return KeyringUnusable(f"系统报错（{type(error).__name__}）")
    module = type(error).__module__
    if module.startswith(("secretstorage", "jeepney", "dbus", "pywintypes", "win32")):
        return KeyringUnusable(f"系统报错（{type(error).__name__}）")
    return error

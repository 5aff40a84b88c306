"""Sealing of single fields (ID number, phone, bank card) and their keyed blind index.

The database file is encrypted as a whole; fields are sealed once more because a database server
holds no encryption at rest, and because a screen or an export should need a deliberate act to see
them. It knows nothing of persons: text in, bytes out. 6 µs per value.

What was sealed under an earlier data key opens for ever; new seals and indexes take the newest.
"""

from __future__ import annotations

import hmac
import os
from collections.abc import Callable
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from desktop.errors import EnvironmentFault
from desktop.storage.key_ring import KeyRing

_FIRST, _NUMBERED = b"\x01", b"\x02"
_NONCE = 12
_ASSOCIATED = b"sitemuster field v1"
_SEAL, _INDEX = "field seal", "field index"


@dataclass(frozen=True, slots=True)
class SealedField:
    """A sealed column of a table that may be updated; sealed anew when the data key changes.

    ``index_column`` is the one of its blind index and ``label`` the label it is computed under;
    empty where the field has none. ``key`` names the table's primary key.
    """

    table: str
    column: str
    index_column: str = ""
    label: str = ""
    key: str = "id"


class Sealer:
    """AES-256-GCM with a random nonce, and HMAC-SHA256 indexes; usable from any thread."""

    __slots__ = ("_ciphers", "_index_key", "_newest", "_subkey")

    def __init__(self, subkey: Callable[[str], bytes]) -> None:
        """``subkey(label)`` gives 32 bytes derived from the book's one data key."""
        self._subkey: Callable[[str, int], bytes] = lambda label, _: subkey(label)
        self._ciphers: dict[int, AESGCM] = {}
        self._take(1)

    @classmethod
    def of(cls, ring: KeyRing) -> Sealer:
        """The sealer of a book whose data key may have forerunners."""
        sealer = cls(ring.subkey)
        sealer.renew(ring)
        return sealer

    def renew(self, ring: KeyRing) -> None:
        """Go on with another ring; whoever holds this object seals with the new key from now."""
        self._subkey = ring.subkey
        self._take(ring.generation)

    def _take(self, generation: int) -> None:
        self._index_key = self._subkey(_INDEX, generation)
        self._newest = generation

    @property
    def generation(self) -> int:
        """The generation of the data key new seals are made with."""
        return self._newest

    def seal(self, text: str) -> bytes:
        """``version ‖ nonce ‖ ciphertext ‖ tag``; two seals of one text differ."""
        generation = self._newest
        nonce, head = os.urandom(_NONCE), _head(generation)
        sealed = self._cipher(generation).encrypt(nonce, text.encode("utf-8"), _bound(head))
        return head + nonce + sealed

    def open(self, sealed: bytes) -> str:
        """The sealed text. Raises :class:`EnvironmentFault` if it is not of this book
        (``sealed_damaged``) or was sealed by a later key (``sealed_newer``)."""
        generation = generation_of(sealed)
        if generation > self._newest:
            raise EnvironmentFault(
                "sealed_newer",
                "一项加密的资料无法解开：它是用更新的钥匙密封的，账本可能刚在另一台电脑上换过钥匙，或这项资料已损坏。"
                "请关闭账本重新打开；打不开时请管理员重新发一份邀请（book member add）。",
            )
        start = len(_head(generation))
        nonce, body = sealed[start : start + _NONCE], sealed[start + _NONCE :]
        try:
            cipher = self._cipher(generation)
            return cipher.decrypt(nonce, body, _bound(sealed[:start])).decode("utf-8")
        except (InvalidTag, ValueError, KeyError) as error:
            raise _damaged() from error

    def _cipher(self, generation: int) -> AESGCM:
        known = self._ciphers.get(generation)
        if known is None:
            known = AESGCM(self._subkey(_SEAL, generation))
            self._ciphers[generation] = known
        return known

    def index(self, label: str, text: str) -> bytes:
        """16 bytes that find equal texts under the same ``label``; useless without the key.

        The caller normalises the text first: only equal strings have equal indexes.
        """
        name = label.encode("utf-8")
        message = len(name).to_bytes(2, "big") + name + text.encode("utf-8")
        return hmac.digest(self._index_key, message, "sha256")[:16]


def generation_of(sealed: bytes) -> int:
    """Which generation of the data key sealed this; raises ``sealed_damaged``."""
    if sealed[:1] == _FIRST:
        return 1
    if sealed[:1] != _NUMBERED or len(sealed) < 3:
        raise _damaged()
    return int.from_bytes(sealed[1:3], "big")


def _head(generation: int) -> bytes:
    return _FIRST if generation == 1 else _NUMBERED + generation.to_bytes(2, "big")


def _bound(head: bytes) -> bytes:
    """The first generation as the first release wrote it."""
    return _ASSOCIATED if head == _FIRST else _ASSOCIATED + head


def _damaged() -> EnvironmentFault:
    return EnvironmentFault(
        "sealed_damaged", "一项加密的资料无法解开：它已损坏，或不是本账本的资料。请从备份恢复，其余资料不受影响。"
    )

"""The book's data key, its sub-keys, and the slots that seal it (storage-notes §6).

One random key of 32 bytes encrypts everything; it is never stored in clear. ``keyslots.json``
beside the database holds it sealed once per way of opening: the OS keyring, the printed recovery
code (always), a passphrase. Changing a secret rewrites a slot, never the database.
"""

from __future__ import annotations

import hashlib
import json
import os
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from desktop.errors import EnvironmentFault, Refused
from desktop.paths import disk_fault, write_atomically
from desktop.storage.encode import document

SLOTS_FILE = "keyslots.json"
_FORMAT = 1
_KEY_BYTES = 32
_NONCE = 12
_MOST_MEMORY_KIB = 4 << 20


class SlotName(StrEnum):
    """The ways to open a book."""

    KEYRING = "keyring"
    RECOVERY = "recovery"
    PASSPHRASE = "passphrase"


@dataclass(frozen=True, slots=True)
class Argon2Cost:
    """Work of one guess at a secret that a human typed; stored in the slot it was used for."""

    memory_kib: int = 256 * 1024
    iterations: int = 3
    lanes: int = 4


STANDARD_COST = Argon2Cost()


class DataKey:
    """The secret everything else is derived from. Its ``repr`` and ``str`` show nothing."""

    __slots__ = ("_book_id", "_bytes")

    def __init__(self, book_id: str, key: bytes) -> None:
        if len(key) != _KEY_BYTES:
            raise ValueError("a data key has 32 bytes")
        self._book_id = book_id
        self._bytes = key

    @classmethod
    def new(cls, book_id: str) -> Self:
        """A fresh random key for a new book."""
        return cls(book_id, os.urandom(_KEY_BYTES))

    def subkey(self, label: str) -> bytes:
        """32 bytes by HKDF-SHA256; other labels and other books give unrelated keys."""
        info = b"sitemuster " + label.encode("utf-8")
        salt = self._book_id.encode("utf-8")
        return HKDF(SHA256(), _KEY_BYTES, salt=salt, info=info).derive(self._bytes)

    def _sealed_with(self, wrapping: bytes, nonce: bytes, associated: bytes) -> bytes:
        return AESGCM(wrapping).encrypt(nonce, self._bytes, associated)

    def __repr__(self) -> str:
        return "DataKey(…)"


@dataclass(frozen=True, slots=True)
class Slot:
    """The data key sealed under one secret; ``cost`` and ``salt`` only for typed secrets."""

    name: SlotName
    nonce: bytes
    sealed: bytes
    cost: Argon2Cost | None = None
    salt: bytes = b""

    @classmethod
    def seal(
        cls, name: SlotName, book_id: str, key: DataKey, secret: bytes, cost: Argon2Cost | None
    ) -> Self:
        """A new slot. ``secret`` is a 32-byte key when ``cost`` is None, else stretched first."""
        nonce, salt = os.urandom(_NONCE), b"" if cost is None else os.urandom(16)
        wrapping = _wrapping(secret, salt, cost)
        sealed = key._sealed_with(wrapping, nonce, _associated(book_id, name))
        return cls(name, nonce, sealed, cost, salt)

    @property
    def entry(self) -> str:
        """Name of the keyring entry that belongs to this very slot."""
        return self.nonce.hex()

    def open(self, book_id: str, secret: bytes) -> DataKey | None:
        """The data key, or None when ``secret`` does not fit."""
        wrapping = _wrapping(secret, self.salt, self.cost)
        try:
            key = AESGCM(wrapping).decrypt(
                self.nonce, self.sealed, _associated(book_id, self.name)
            )
        except (InvalidTag, ValueError):
            return None
        return DataKey(book_id, key)

    def as_json(self) -> dict[str, Any]:
        """The slot in ``keyslots.json``."""
        body: dict[str, Any] = {"nonce": self.nonce.hex(), "sealed": self.sealed.hex()}
        if self.cost is not None:
            body["kdf"] = {
                "name": "argon2id",
                "memory_kib": self.cost.memory_kib,
                "iterations": self.cost.iterations,
                "lanes": self.cost.lanes,
                "salt": self.salt.hex(),
            }
        return body

    @classmethod
    def of_json(cls, name: str, body: Mapping[str, Any]) -> Self:
        """The inverse of :meth:`as_json`; raises ValueError, KeyError or TypeError."""
        cost, salt = None, b""
        if "kdf" in body:
            kdf = body["kdf"]
            cost = Argon2Cost(int(kdf["memory_kib"]), int(kdf["iterations"]), int(kdf["lanes"]))
            salt = bytes.fromhex(kdf["salt"])
            reasonable = (
                8 * cost.lanes <= cost.memory_kib <= _MOST_MEMORY_KIB
                and 1 <= cost.iterations <= 100
                and 1 <= cost.lanes <= 64
                and 8 <= len(salt) <= 64
            )
            if kdf["name"] != "argon2id" or not reasonable:
                raise ValueError("key derivation out of range")
        nonce, sealed = bytes.fromhex(body["nonce"]), bytes.fromhex(body["sealed"])
        if len(nonce) != _NONCE:
            raise ValueError("nonce")
        return cls(SlotName(name), nonce, sealed, cost, salt)


@dataclass(frozen=True, slots=True)
class KeySlots:
    """All slots of a book. ``intact`` is False when the file's own digest does not fit."""

    book_id: str
    slots: Mapping[SlotName, Slot]
    intact: bool = True

    def having(self, slot: Slot) -> KeySlots:
        """The same with ``slot`` added or replaced."""
        return replace(self, slots={**self.slots, slot.name: slot})

    def without(self, name: SlotName) -> KeySlots:
        """The same without one slot; the recovery slot cannot be removed."""
        if name is SlotName.RECOVERY:
            raise ValueError("the recovery slot is required")
        return replace(self, slots={key: slot for key, slot in self.slots.items() if key != name})

    def write(self, folder: Path) -> None:
        """Replace ``keyslots.json`` of ``folder``."""
        body = {
            "format": _FORMAT,
            "book_id": self.book_id,
            "slots": {name.value: slot.as_json() for name, slot in self.slots.items()},
        }
        body["sha256"] = _digest(body)
        text = json.dumps(body, indent=2, ensure_ascii=False) + "\n"
        write_atomically(folder / SLOTS_FILE, text.encode("utf-8"), private=True)

    @classmethod
    def read(cls, folder: Path) -> KeySlots:
        """The slots of a book folder; raises :class:`EnvironmentFault` if missing or unreadable."""
        try:
            text = (folder / SLOTS_FILE).read_bytes()
        except FileNotFoundError as error:
            raise EnvironmentFault(
                "key_slots_missing",
                f"账本里缺少密钥文件 {SLOTS_FILE}，无法打开，未做任何改动。"
                "请从备份里把这个文件复制回来；没有它，口令和恢复码都打不开账本。",
            ) from error
        except OSError as error:
            raise disk_fault(error, folder) from error
        try:
            body = json.loads(text)
            if int(body["format"]) > _FORMAT:
                raise Refused(
                    "book_newer",
                    f"密钥文件的格式（{body['format']}）比本程序认识的（{_FORMAT}）新，未做任何改动。请先升级程序。",
                    book=body["format"], program=_FORMAT,
                )
            slots = [Slot.of_json(name, slot) for name, slot in body["slots"].items()]
            intact = body.get("sha256") == _digest(body)
            return cls(str(body["book_id"]), {slot.name: slot for slot in slots}, intact)
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
            raise slots_damaged() from error


def slots_damaged() -> EnvironmentFault:
    """``keyslots.json`` is not what was written."""
    return EnvironmentFault(
        "key_slots_damaged",
        f"账本的密钥文件 {SLOTS_FILE} 已损坏，无法打开，未做任何改动。请从备份里把这个文件复制回来。",
    )


def passphrase_secret(passphrase: str) -> bytes:
    """Bytes of a typed passphrase; full-width and composed forms of the same text are equal."""
    return unicodedata.normalize("NFKC", passphrase).encode("utf-8")


def _associated(book_id: str, name: SlotName) -> bytes:
    return f"{book_id}/{name.value}".encode()


def _wrapping(secret: bytes, salt: bytes, cost: Argon2Cost | None) -> bytes:
    if cost is None:
        return secret
    from argon2.low_level import Type, hash_secret_raw

    return hash_secret_raw(
        secret, salt,
        time_cost=cost.iterations, memory_cost=cost.memory_kib, parallelism=cost.lanes,
        hash_len=_KEY_BYTES, type=Type.ID,
    )


def _digest(body: Mapping[str, Any]) -> str:
    return hashlib.sha256(
        document({key: value for key, value in body.items() if key != "sha256"})
    ).hexdigest()

"""The book's data key, its sub-keys, and the slots that seal it (storage-notes §6).

One random key of 32 bytes encrypts everything; it is never stored in clear. ``keyslots.json``
beside the database holds it sealed once per way of opening: the OS keyring, the printed recovery
code (always), a passphrase, head office's public key. Changing a secret rewrites a slot, never
the database; a new data key after a leak is a new *generation* (:mod:`desktop.storage.rekey`).
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, Self, TypeVar

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from desktop.errors import EnvironmentFault, Refused
from desktop.paths import disk_fault, write_atomically
from desktop.storage.encode import document

SLOTS_FILE = "keyslots.json"
OLD_SLOTS_FILE = f"{SLOTS_FILE}.old"
"""The slots before the last change, kept until the change is confirmed."""

_FORMAT = 2
_FIRST_FORMAT = 1
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
MOST_GENERATIONS = 1 << 16

Kept = TypeVar("Kept")


class DataKey:
    """The secret everything else is derived from. Its ``repr`` and ``str`` show nothing."""

    __slots__ = ("_book_id", "_bytes", "generation")

    def __init__(self, book_id: str, key: bytes, generation: int = 1) -> None:
        if len(key) != _KEY_BYTES or not 1 <= generation < MOST_GENERATIONS:
            raise ValueError("a data key has 32 bytes and a generation")
        self._book_id = book_id
        self._bytes = key
        self.generation = generation

    @classmethod
    def new(cls, book_id: str, generation: int = 1) -> Self:
        """A fresh random key for a new book, or for the next generation of one."""
        return cls(book_id, os.urandom(_KEY_BYTES), generation)

    def subkey(self, label: str) -> bytes:
        """32 bytes by HKDF-SHA256; other labels and other books give unrelated keys."""
        info = b"sitemuster " + label.encode("utf-8")
        salt = self._book_id.encode("utf-8")
        return HKDF(SHA256(), _KEY_BYTES, salt=salt, info=info).derive(self._bytes)

    def handed_to(self, seal: Callable[[bytes], Kept]) -> Kept:
        """What ``seal`` makes of the raw key: the only way it leaves this object."""
        return seal(self._bytes)

    def same_as(self, other: DataKey) -> bool:
        """Whether both are one key of one book."""
        equal = hmac.compare_digest(self._bytes, other._bytes)
        return equal and (self._book_id, self.generation) == (other._book_id, other.generation)

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
        cipher = AESGCM(_wrapping(secret, salt, cost))
        bound = associated(book_id, name, key.generation)
        sealed = key.handed_to(lambda raw: cipher.encrypt(nonce, raw, bound))
        return cls(name, nonce, sealed, cost, salt)

    @property
    def entry(self) -> str:
        """Name of the keyring entry that belongs to this very slot."""
        return self.nonce.hex()

    def open(self, book_id: str, secret: bytes, generation: int = 1) -> DataKey | None:
        """The data key, or None when ``secret`` does not fit."""
        wrapping = _wrapping(secret, self.salt, self.cost)
        bound = associated(book_id, self.name, generation)
        try:
            key = AESGCM(wrapping).decrypt(self.nonce, self.sealed, bound)
            return DataKey(book_id, key, generation)
        except (InvalidTag, ValueError):
            return None

    def as_json(self) -> dict[str, Any]:
        """The slot in ``keyslots.json``."""
        body: dict[str, Any] = {"nonce": self.nonce.hex(), "sealed": self.sealed.hex()}
        if self.cost is not None:
            body["kdf"] = _kdf_json(self.cost, self.salt)
        return body

    @classmethod
    def of_json(cls, name: str, body: Mapping[str, Any]) -> Self:
        """The inverse of :meth:`as_json`; raises ValueError, KeyError or TypeError."""
        cost, salt = None, b""
        if "kdf" in body:
            cost, salt = _kdf_of(body["kdf"])
        nonce, sealed = bytes.fromhex(body["nonce"]), bytes.fromhex(body["sealed"])
        if len(nonce) != _NONCE:
            raise ValueError("nonce")
        return cls(SlotName(name), nonce, sealed, cost, salt)


@dataclass(frozen=True, slots=True)
class KeySlots:
    """All slots of a book. ``intact`` is False when the file's own digest does not fit.

    ``company`` is the slot of head office as it stands in the file, see
    :mod:`desktop.storage.company_slot`.
    """

    book_id: str
    slots: Mapping[SlotName, Slot]
    intact: bool = True
    generation: int = 1
    company: Mapping[str, Any] | None = None

    def having(self, slot: Slot) -> KeySlots:
        """The same with ``slot`` added or replaced."""
        return replace(self, slots={**self.slots, slot.name: slot})

    def without(self, name: SlotName) -> KeySlots:
        """The same without one slot; the recovery slot cannot be removed."""
        if name is SlotName.RECOVERY:
            raise ValueError("the recovery slot is required")
        return replace(self, slots={key: slot for key, slot in self.slots.items() if key != name})

    def open(self, name: SlotName, secret: bytes) -> DataKey | None:
        """The data key behind one slot, or None when the slot is missing or does not fit."""
        slot = self.slots.get(name)
        return None if slot is None else slot.open(self.book_id, secret, self.generation)

    def prove(self, secrets_by_slot: Mapping[SlotName, bytes]) -> None:
        """Open each slot with its secret, as written; raises if one would lock the owner out."""
        for name, secret in secrets_by_slot.items():
            if self.open(name, secret) is None:
                raise EnvironmentFault(
                    "key_slots_damaged",
                    "密钥文件写入后核对不通过，这一步已撤销。请检查磁盘和内存后重试。",
                )

    def as_json(self) -> dict[str, Any]:
        """The document of the file. Nothing newer than needed: old programs read old books."""
        newer = self.generation > 1 or self.company is not None
        body: dict[str, Any] = {
            "format": _FORMAT if newer else _FIRST_FORMAT,
            "book_id": self.book_id,
            "slots": {name.value: slot.as_json() for name, slot in self.slots.items()},
        }
        if self.generation > 1:
            body["generation"] = self.generation
        if self.company is not None:
            body["company"] = dict(self.company)
        return {**body, "sha256": _digest(body)}

    @classmethod
    def of_json(cls, body: Mapping[str, Any]) -> KeySlots:
        """The inverse of :meth:`as_json`; raises ValueError, KeyError or TypeError."""
        slots = [Slot.of_json(name, slot) for name, slot in body["slots"].items()]
        company, generation = body.get("company"), int(body.get("generation", 1))
        if not 1 <= generation < MOST_GENERATIONS:
            raise ValueError("generation")
        return cls(
            str(body["book_id"]),
            {slot.name: slot for slot in slots},
            body.get("sha256") == _digest(body),
            generation,
            None if company is None else dict(company),
        )

    def write(self, folder: Path, name: str = SLOTS_FILE) -> None:
        """Replace ``keyslots.json`` of ``folder``."""
        text = json.dumps(self.as_json(), indent=2, ensure_ascii=False) + "\n"
        write_atomically(folder / name, text.encode("utf-8"), private=True)

    @classmethod
    def read(cls, folder: Path, name: str = SLOTS_FILE) -> KeySlots:
        """The slots of a book folder; raises :class:`EnvironmentFault` if missing or unreadable."""
        try:
            text = (folder / name).read_bytes()
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
            return cls.of_json(body)
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


def associated(book_id: str, name: str, generation: int) -> bytes:
    """What a slot is bound to; the first generation as the first release wrote it."""
    suffix = "" if generation == 1 else f"/{generation}"
    return f"{book_id}/{name}{suffix}".encode()


def wrap(raw: bytes, secret: bytes, cost: Argon2Cost, bound: bytes) -> dict[str, Any]:
    """``raw`` sealed under a typed secret, as the JSON fields ``kdf``, ``nonce``, ``sealed``."""
    nonce, salt = os.urandom(_NONCE), os.urandom(16)
    sealed = AESGCM(_wrapping(secret, salt, cost)).encrypt(nonce, raw, bound)
    return {"kdf": _kdf_json(cost, salt), "nonce": nonce.hex(), "sealed": sealed.hex()}


def unwrap(body: Mapping[str, Any], secret: bytes, bound: bytes) -> bytes | None:
    """The inverse of :func:`wrap`, None when ``secret`` does not fit.

    Raises ValueError, KeyError or TypeError for fields that cannot be.
    """
    cost, salt = _kdf_of(body["kdf"])
    nonce, sealed = bytes.fromhex(body["nonce"]), bytes.fromhex(body["sealed"])
    if len(nonce) != _NONCE:
        raise ValueError("nonce")
    try:
        return AESGCM(_wrapping(secret, salt, cost)).decrypt(nonce, sealed, bound)
    except InvalidTag:
        return None


def _kdf_json(cost: Argon2Cost, salt: bytes) -> dict[str, Any]:
    return {
        "name": "argon2id",
        "memory_kib": cost.memory_kib,
        "iterations": cost.iterations,
        "lanes": cost.lanes,
        "salt": salt.hex(),
    }


def _kdf_of(kdf: Mapping[str, Any]) -> tuple[Argon2Cost, bytes]:
    """Work and salt; absurd work is not tried."""
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
    return cost, salt


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

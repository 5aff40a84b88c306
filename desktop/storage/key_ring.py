"""All generations of a book's data key: the newest from the slots, the earlier ones from the book.

After a leak the book goes on under a new data key (decision 0022). What the ledgers sealed before
cannot be sealed again, so the earlier keys stay in the book, in ``book_info``, sealed under the
newest. Whoever holds only an earlier key can open neither the file nor this entry.

Salts of month rows go by the month: a month that had begun before the change keeps the generation
it began under, so that freezing it again gives the same digests.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Any, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import select
from sqlalchemy.orm import Session

from desktop.errors import EnvironmentFault, Refused
from desktop.storage.keys import DataKey, associated
from desktop.storage.tables import BookInfo
from desktop.storage.types import day_number

if TYPE_CHECKING:
    from desktop.storage.opened import Store

ENTRY = "key_ring"
"""Name of the row of ``book_info`` that holds the earlier keys."""

_LABEL = "key ring"
_NONCE = 12


class KeyRing:
    """The newest key and its forerunners. Its ``repr`` shows nothing. Usable from any thread."""

    __slots__ = ("_from_days", "_keys", "book_id")

    def __init__(
        self, book_id: str, keys: Mapping[int, DataKey], from_days: Mapping[int, int]
    ) -> None:
        """``keys`` by generation, without gaps; ``from_days`` where salts change over."""
        if sorted(keys) != list(range(1, len(keys) + 1)):
            raise ValueError("generations have gaps")
        self.book_id = book_id
        self._keys = dict(keys)
        self._from_days = dict(from_days)

    @classmethod
    def of(cls, newest: DataKey, book_id: str, stored: str | None) -> Self:
        """The ring of a book; ``stored`` is the value of :data:`ENTRY`, None where there is none.

        Raises :class:`EnvironmentFault` ``key_ring_damaged``.
        """
        if newest.generation == 1 and stored is None:
            return cls(book_id, {1: newest}, {})
        try:
            body = json.loads(stored or "")
            if int(body["generation"]) > newest.generation:
                raise renewed_elsewhere()
            sealed = bytes.fromhex(body["sealed"])
            bound = associated(book_id, _LABEL, newest.generation)
            plain = AESGCM(newest.subkey(_LABEL)).decrypt(sealed[:_NONCE], sealed[_NONCE:], bound)
            keys, from_days = {newest.generation: newest}, {}
            for entry in json.loads(plain):
                number = int(entry["generation"])
                if number != newest.generation:
                    keys[number] = DataKey(book_id, bytes.fromhex(entry["key"]), number)
                if entry["from_day"] is not None:
                    from_days[number] = int(entry["from_day"])
            return cls(book_id, keys, from_days)
        except (InvalidTag, ValueError, KeyError, TypeError) as error:
            raise EnvironmentFault(
                "key_ring_damaged",
                "账本里保存的历次钥匙读不出来，账本没有打开，未做任何改动。请从 backups 里的备份恢复。",
            ) from error

    @property
    def newest(self) -> DataKey:
        """The key the file is encrypted with and the slots seal."""
        return self._keys[len(self._keys)]

    @property
    def generation(self) -> int:
        """Number of the newest key, from 1."""
        return len(self._keys)

    def succeeded_by(self, key: DataKey, salts_from: date) -> KeyRing:
        """The ring with ``key`` as its newest; months that begin on or after ``salts_from`` take
        their salts from it."""
        return KeyRing(
            self.book_id,
            {**self._keys, key.generation: key},
            {**self._from_days, key.generation: day_number(salts_from)},
        )

    def entry(self) -> str:
        """The value of :data:`ENTRY`: everything but the newest key, sealed under the newest."""
        newest, listed = self.newest, []
        for number, key in self._keys.items():
            known: dict[str, Any] = {
                "generation": number,
                "from_day": self._from_days.get(number),
            }
            if key is not newest:
                known["key"] = key.handed_to(bytes.hex)
            listed.append(known)
        nonce, bound = os.urandom(_NONCE), associated(self.book_id, _LABEL, newest.generation)
        plain = json.dumps(listed, sort_keys=True).encode("ascii")
        sealed = nonce + AESGCM(newest.subkey(_LABEL)).encrypt(nonce, plain, bound)
        return json.dumps({"generation": newest.generation, "sealed": sealed.hex()})

    def subkey(self, label: str, generation: int | None = None) -> bytes:
        """32 bytes for one purpose, by the newest key unless a ``generation`` is named.

        Raises :class:`KeyError` for a generation this book never had.
        """
        return self._keys[self.generation if generation is None else generation].subkey(label)

    def subkey_on(self, label: str, day: date) -> bytes:
        """The same by the generation whose salts are in force on ``day``."""
        number = day_number(day)
        begun = [at for at, first in self._from_days.items() if first <= number]
        return self._keys[max(begun, default=1)].subkey(label)

    def __repr__(self) -> str:
        return f"KeyRing(generation={self.generation})"


def stored(store: Store, generation: int) -> str | None:
    """The value of :data:`ENTRY`. A file of the first generation has none and is not asked."""
    if generation == 1 and store.dialect == "sqlite":
        return None
    with store.translated(reading=True), store.reader.connect() as link:
        text = select(BookInfo.value).where(BookInfo.name == ENTRY)
        return link.execute(text).scalar_one_or_none()


def refuse_renewed(session: Session, ring: KeyRing) -> None:
    """Another computer may have changed the key since this one opened the book: what this one
    would seal now, nobody should be able to read. Raises ``key_renewed_elsewhere``."""
    value = session.execute(select(BookInfo.value).where(BookInfo.name == ENTRY)).scalar()
    if generation_of(value) != ring.generation:
        raise renewed_elsewhere()


def generation_of(entry: str | None) -> int:
    """The generation an entry of the ring is for; 0 for one that cannot be read."""
    try:
        return 1 if entry is None else int(json.loads(entry)["generation"])
    except (ValueError, KeyError, TypeError):
        return 0


def renewed_elsewhere() -> Refused:
    """This computer's key is an earlier one."""
    return Refused(
        "key_renewed_elsewhere",
        "这个账本已在另一台电脑上换过钥匙，这台电脑上的钥匙已作废。账本没有打开，未做任何改动。"
        "请管理员重新发一份邀请（book member add），在这台电脑上重新加入。",
    )

"""The slot of head office: the data key sealed to its public key, so that a lost PC with a lost
paper is not lost evidence.

Adding it needs only the public file; opening needs the private file and its passphrase, which
never come to the site. Whoever holds those two and a copy of the folder reads the book: the manual
says so, and who added the slot stands in the audit trail.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from desktop.errors import Refused
from desktop.storage.keys import DataKey, KeySlots, associated, slots_damaged

if TYPE_CHECKING:  # most books have no such slot: opening one must not wait for its tools
    from desktop.storage.company_keys import CompanyPrivate, CompanyPublic

NAME = "company"
"""Name of the slot, beside those of :class:`desktop.storage.keys.SlotName`."""


def sealed_to(public: CompanyPublic, book_id: str, key: DataKey) -> dict[str, Any]:
    """The slot as it stands in ``keyslots.json``; bound to book, slot and generation."""
    from desktop.storage.envelope import seal_key

    bound = associated(book_id, NAME, key.generation)
    sealed = key.handed_to(lambda raw: seal_key(public, raw, bound))
    labels = {"name": public.name, "made_on": public.made_on, "x25519": public.raw.hex()}
    return {"key": labels, "sealed": sealed.hex()}


def public_of(slots: KeySlots) -> CompanyPublic | None:
    """The key the slot is sealed to, None without a slot. Raises ``key_slots_damaged``."""
    if slots.company is None:
        return None
    from desktop.storage.company_keys import CompanyPublic

    try:
        labels: Mapping[str, Any] = slots.company["key"]
        raw = bytes.fromhex(labels["x25519"])
        return CompanyPublic(str(labels["name"]), str(labels["made_on"]), raw)
    except (KeyError, TypeError, ValueError) as error:
        raise slots_damaged() from error


def opened_with(slots: KeySlots, private: CompanyPrivate) -> DataKey | None:
    """The data key, or None when the slot is missing or for another key."""
    if slots.company is None:
        return None
    from desktop.storage.envelope import open_key

    bound = associated(slots.book_id, NAME, slots.generation)
    try:
        raw = open_key(private, bytes.fromhex(slots.company["sealed"]), bound)
        return None if raw is None else DataKey(slots.book_id, raw, slots.generation)
    except (KeyError, TypeError, ValueError) as error:
        raise slots_damaged() from error


def refusal(slots: KeySlots) -> Refused:
    """Why a company key did not open, naming the key that would."""
    public = public_of(slots)
    if public is None:
        return Refused(
            "no_company_slot",
            "这个账本没有设公司钥匙，公司私钥打不开它，未做任何改动。请用打印的恢复码打开。",
        )
    return Refused(
        "wrong_company_key",
        f"这把公司私钥打不开这个账本，未做任何改动。账本设的是「{public.name or '未命名'}」的公钥，"
        f"指纹 {public.fingerprint}。请换用与它对应的私钥文件。",
        fingerprint=public.fingerprint,
    )

"""Finds the data key of an existing book through one of its ways; never makes or changes one.

Besides ``keyslots.json`` it knows what a killed program may have left: ``keyslots.json.old`` of a
change that was not confirmed, and the slots of a new data key (:mod:`desktop.storage.rekey`). A
secret is tried on each, and of several keys the one counts that opens the database.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from sqlcipher3 import dbapi2 as cipher

from desktop.errors import EnvironmentFault, Refused, SiteMusterError
from desktop.storage import company_slot, os_keyring, recovery_code, reseal
from desktop.storage.card import DATABASE_FILE, DEMO_PASSPHRASE_FILE, BookCard
from desktop.storage.engine import connect
from desktop.storage.integrity import DATABASE_KEY
from desktop.storage.keys import (
    OLD_SLOTS_FILE,
    SLOTS_FILE,
    DataKey,
    KeySlots,
    SlotName,
    passphrase_secret,
    slots_damaged,
)

if TYPE_CHECKING:
    from desktop.storage.company_keys import CompanyPrivate

REKEY_FOLDER = ".rekey"
"""Holds the slots of a new data key until they are in place, see :mod:`desktop.storage.rekey`."""

_RECOVER = "请用打印的恢复码打开（命令行用 key recover；恢复码在新建账本或更换恢复码时交给了您）。"


@dataclass(frozen=True, slots=True)
class Unlocked:
    """The data key, the way that gave it, and whether that was a way of ``keyslots.json``.

    ``sure`` is False when two generations of the key are known and none opens the database.
    """

    key: DataKey
    way: str
    present: bool
    sure: bool = True


def data_key(
    folder: Path,
    card: BookCard,
    *,
    passphrase: str | None = None,
    recovery_code: str | None = None,
    company: CompanyPrivate | None = None,
) -> DataKey:
    """The key of the book in ``folder``.

    Raises :class:`Refused` with the way on when no slot fits, :class:`EnvironmentFault` when the
    slots or the keyring are the trouble.
    """
    return unlocked(
        folder, card, passphrase=passphrase, recovery_code=recovery_code, company=company
    ).key


def unlocked(
    folder: Path,
    card: BookCard,
    *,
    passphrase: str | None = None,
    recovery_code: str | None = None,
    company: CompanyPrivate | None = None,
    fits: Callable[[DataKey], bool] | None = None,
) -> Unlocked:
    """The same, with the way. The first secret that is given is the only one tried: company key,
    recovery code, passphrase; without any the demo's own passphrase or the keyring.

    ``fits`` decides between keys of two generations; without it the first page of the file does.
    """
    way: _Way
    if company is not None:
        name, way = company_slot.NAME, _by_company(company)
    elif recovery_code is not None:
        name, way = SlotName.RECOVERY, _by_recovery_code(recovery_code)
    else:
        if passphrase is None and card.demo:
            passphrase = demo_passphrase(folder)
        if passphrase is not None:
            name, way = SlotName.PASSPHRASE, _by_passphrase(passphrase)
        else:
            name, way = SlotName.KEYRING, _by_keyring
    file = folder / DATABASE_FILE
    return _first(
        _candidates(folder, card), name, way, fits or (lambda key: _opens(file, key))
    )


@dataclass(frozen=True, slots=True)
class _Candidate:
    """One file of slots; the first one of a list words the refusal."""

    slots: KeySlots
    present: bool


def _candidates(folder: Path, card: BookCard) -> list[_Candidate]:
    """The slots that could open the book, the likeliest first.

    A new data key's slots without their database beside them belong to the database in place.
    """
    renewed = folder / REKEY_FOLDER
    found: list[_Candidate] = []
    if (renewed / SLOTS_FILE).exists():
        found.append(_Candidate(KeySlots.read(renewed), False))
    old = _old_slots(folder)
    try:
        place = 0 if (renewed / DATABASE_FILE).exists() else len(found)
        found.insert(place, _Candidate(KeySlots.read(folder), True))
    except EnvironmentFault:
        if not found and old is None:
            raise
    if old is not None:
        found.append(_Candidate(old, False))
    fitting = [one for one in found if one.slots.book_id == card.book_id]
    if not fitting:
        raise slots_damaged()
    if max(one.slots.generation for one in fitting) < reseal.marked(folder):
        raise EnvironmentFault(
            "key_slots_old",
            f"密钥文件 {SLOTS_FILE} 是换钥匙之前的，打不开现在的账本，未做任何改动；账本本身没有损坏。"
            "请从换钥匙之后的备份里把这个文件复制回来。",
        )
    return fitting


def _old_slots(folder: Path) -> KeySlots | None:
    if not (folder / OLD_SLOTS_FILE).exists():
        return None
    try:
        return KeySlots.read(folder, OLD_SLOTS_FILE)
    except SiteMusterError:
        return None


_Way = Callable[[KeySlots], DataKey]


def _first(
    candidates: list[_Candidate], name: str, way: _Way, fits: Callable[[DataKey], bool]
) -> Unlocked:
    """What the first fitting candidate gives; else the refusal of the very first one."""
    refusal: SiteMusterError | None = None
    generations = {candidate.slots.generation for candidate in candidates}
    opened: list[Unlocked] = []
    for candidate in candidates:
        try:
            found = Unlocked(way(candidate.slots), name, candidate.present)
        except SiteMusterError as error:
            refusal = refusal or error
            continue
        if len(generations) == 1 or fits(found.key):
            return found
        opened.append(found)
    if {one.key.generation for one in opened} == generations:
        # No key is missing, so it is the database: the opening finds the words for it.
        return replace(opened[0], sure=False)
    raise _key_renewed() if opened else refusal or slots_damaged()


def _opens(file: Path, key: DataKey) -> bool:
    try:
        connect(file, key.subkey(DATABASE_KEY), setup=(), frozen=True).close()
    except cipher.DatabaseError:
        return False
    return True


def _key_renewed() -> Refused:
    """A secret of the earlier data key only: for example the paper of before."""
    return Refused(
        "key_renewed",
        "账本已换过钥匙，这里输入的是换之前的口令或恢复码，打不开了，未做任何改动。请用换钥匙时新给出的恢复码或口令。",
    )


def _by_company(private: CompanyPrivate) -> _Way:
    def way(slots: KeySlots) -> DataKey:
        key = company_slot.opened_with(slots, private)
        if key is None:
            raise company_slot.refusal(slots) if slots.intact else slots_damaged()
        return key

    return way


def _by_passphrase(passphrase: str) -> _Way:
    def way(slots: KeySlots) -> DataKey:
        if SlotName.PASSPHRASE not in slots.slots:
            raise _no_slot(
                slots,
                "no_passphrase_slot",
                "这个账本没有设口令，未做任何改动。请不带口令打开（由系统密钥环解锁）；密钥环里没有时，" + _RECOVER,
            )
        wrong = "口令不对，账本没有打开，未做任何改动。请重新输入；忘记口令时，"
        refusal = Refused("wrong_passphrase", wrong + _RECOVER)
        return _opened(slots, SlotName.PASSPHRASE, passphrase_secret(passphrase), refusal)

    return way


def _by_recovery_code(typed: str) -> _Way:
    secret = recovery_code.secret_of(typed)

    def way(slots: KeySlots) -> DataKey:
        if SlotName.RECOVERY not in slots.slots:
            raise slots_damaged()
        refusal = Refused(
            "wrong_recovery_code",
            "恢复码输入无误，但不是这个账本现在的恢复码（更换过恢复码的，旧纸作废）。未做任何改动。"
            "请核对纸上的账本编号和日期，找到对应的恢复码。",
        )
        return _opened(slots, SlotName.RECOVERY, secret, refusal)

    return way


def _by_keyring(slots: KeySlots) -> DataKey:
    if SlotName.KEYRING not in slots.slots:
        raise _no_slot(
            slots,
            "passphrase_needed",
            "这个账本要用口令打开，未做任何改动。请输入口令（命令行用 --passphrase-file）；忘记口令时，" + _RECOVER,
        )
    other = "" if SlotName.PASSPHRASE not in slots.slots else "请用口令打开，忘记口令时，"
    try:
        secret = os_keyring.fetch(slots.book_id, slots.slots[SlotName.KEYRING].entry)
    except os_keyring.KeyringUnusable as error:
        raise EnvironmentFault(
            "keyring_unusable",
            f"系统密钥环不可用：{error.reason}。账本没有打开，未做任何改动。"
            f"请先解锁密钥环再试；解锁不了时，{other}{_RECOVER}",
            reason=error.reason,
        ) from error
    missing = Refused(
        "keyring_entry_missing",
        "系统密钥环里没有（或不再是）这个账本的密钥：可能换了电脑或用户，或密钥环被重置。"
        f"账本没有打开，未做任何改动。{other}{_RECOVER}",
    )
    if secret is None:
        raise missing
    return _opened(slots, SlotName.KEYRING, secret, missing)


def _opened(slots: KeySlots, name: SlotName, secret: bytes, refusal: Refused) -> DataKey:
    """The key behind a slot. A damaged slots file is told apart from a wrong secret."""
    key = slots.open(name, secret)
    if key is None:
        raise refusal if slots.intact else slots_damaged()
    return key


def _no_slot(slots: KeySlots, code: str, sentence: str) -> Exception:
    return Refused(code, sentence) if slots.intact else slots_damaged()


def demo_passphrase(folder: Path) -> str:
    """What a demo book carries beside itself; raises ``demo_passphrase_missing``."""
    try:
        return (folder / DEMO_PASSPHRASE_FILE).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise EnvironmentFault(
            "demo_passphrase_missing",
            f"演示账本缺少口令文件 {DEMO_PASSPHRASE_FILE}，打不开，未做任何改动。请重新生成演示账本。",
        ) from error

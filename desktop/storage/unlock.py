"""Finds the data key of an existing book through one of its slots; never makes or changes one."""

from __future__ import annotations

from pathlib import Path

from desktop.errors import EnvironmentFault, Refused
from desktop.storage import os_keyring, recovery_code
from desktop.storage.card import DEMO_PASSPHRASE_FILE, BookCard
from desktop.storage.keys import DataKey, KeySlots, SlotName, passphrase_secret, slots_damaged

_RECOVER = "请用打印的恢复码打开（恢复码在新建账本时交给了您）。"


def data_key(
    folder: Path, card: BookCard, *, passphrase: str | None, recovery_code: str | None
) -> DataKey:
    """The key of the book in ``folder``.

    Raises :class:`Refused` with the way on when no slot fits, :class:`EnvironmentFault` when the
    slots or the keyring are the trouble.
    """
    slots = KeySlots.read(folder)
    if slots.book_id != card.book_id:
        raise slots_damaged()
    if recovery_code is not None:
        return _by_recovery_code(slots, recovery_code)
    if passphrase is None and card.demo:
        passphrase = _demo_passphrase(folder)
    if passphrase is not None:
        return _by_passphrase(slots, passphrase)
    return _by_keyring(slots)


def _by_passphrase(slots: KeySlots, passphrase: str) -> DataKey:
    if SlotName.PASSPHRASE not in slots.slots:
        raise _no_slot(
            slots,
            "no_passphrase_slot",
            "这个账本没有设口令，未做任何改动。请不带口令打开（由系统密钥环解锁）；密钥环里没有时，" + _RECOVER,
        )
    return _opened(
        slots,
        SlotName.PASSPHRASE,
        passphrase_secret(passphrase),
        Refused("wrong_passphrase", "口令不对，账本没有打开，未做任何改动。请重新输入；忘记口令时，" + _RECOVER),
    )


def _by_recovery_code(slots: KeySlots, typed: str) -> DataKey:
    secret = recovery_code.secret_of(typed)
    if SlotName.RECOVERY not in slots.slots:
        raise slots_damaged()
    return _opened(
        slots,
        SlotName.RECOVERY,
        secret,
        Refused(
            "wrong_recovery_code",
            "恢复码输入无误，但不是这个账本的恢复码。未做任何改动。请核对纸上的账本名称和日期，找到对应的恢复码。",
        ),
    )


def _by_keyring(slots: KeySlots) -> DataKey:
    if SlotName.KEYRING not in slots.slots:
        raise _no_slot(
            slots,
            "passphrase_needed",
            "这个账本要用口令打开，未做任何改动。请输入口令（命令行用 --passphrase-file）；忘记口令时，" + _RECOVER,
        )
    try:
        secret = os_keyring.fetch(slots.book_id, slots.slots[SlotName.KEYRING].entry)
    except os_keyring.KeyringUnusable as error:
        raise EnvironmentFault(
            "keyring_unusable",
            f"系统密钥环不可用：{error.reason}。账本没有打开，未做任何改动。"
            "请先解锁密钥环再试；解锁不了时，" + _RECOVER,
            reason=error.reason,
        ) from error
    if secret is None:
        raise _missing_entry()
    return _opened(slots, SlotName.KEYRING, secret, _missing_entry())


def _missing_entry() -> Refused:
    return Refused(
        "keyring_entry_missing",
        "系统密钥环里没有（或不再是）这个账本的密钥：可能换了电脑或用户，或密钥环被重置。"
        "账本没有打开，未做任何改动。" + _RECOVER,
    )


def _opened(slots: KeySlots, name: SlotName, secret: bytes, refusal: Refused) -> DataKey:
    """The key behind a slot. A damaged slots file is told apart from a wrong secret."""
    key = slots.slots[name].open(slots.book_id, secret)
    if key is None:
        raise refusal if slots.intact else slots_damaged()
    return key


def _no_slot(slots: KeySlots, code: str, sentence: str) -> Exception:
    return Refused(code, sentence) if slots.intact else slots_damaged()


def _demo_passphrase(folder: Path) -> str:
    try:
        return (folder / DEMO_PASSPHRASE_FILE).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise EnvironmentFault(
            "demo_passphrase_missing",
            f"演示账本缺少口令文件 {DEMO_PASSPHRASE_FILE}，打不开，未做任何改动。请重新生成演示账本。",
        ) from error

"""Changing how a book is opened: a new passphrase, the keyring of this computer, a new code.

Rewrites ``keyslots.json``, never the database. The order is that of storage-notes §6: the keyring
first and read back, then the file (beside, sync, rename) with the earlier slots kept in
``keyslots.json.old``, then each new slot opened from what the disk holds, then the old ones
dropped. A program killed in between leaves two ways of one kind, and both open
(:mod:`desktop.storage.unlock`); :func:`unfinished` names them.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from desktop.errors import Refused, SiteMusterError
from desktop.storage import company_slot, os_keyring, recovery_code
from desktop.storage.keys import (
    OLD_SLOTS_FILE,
    STANDARD_COST,
    Argon2Cost,
    KeySlots,
    SlotName,
    passphrase_secret,
)
from desktop.storage.opened import Book

if TYPE_CHECKING:
    from desktop.storage.company_keys import CompanyPublic

__all__ = [
    "OLD_SLOTS_FILE", "SlotChange", "bind_keyring", "new_company", "new_keyring",
    "new_passphrase", "new_recovery_code", "remove_company", "remove_keyring",
    "remove_passphrase", "renew_recovery_code", "set_passphrase", "settle", "unfinished",
]


@dataclass(slots=True)
class SlotChange:
    """A change that stands on the disk and was proven: :meth:`confirm` it or :meth:`undo` it."""

    folder: Path
    before: KeySlots
    after: KeySlots
    earlier: KeySlots | None
    """What ``keyslots.json.old`` held: changes before this one that were never confirmed."""
    on_confirm: Callable[[], None] = field(default=lambda: None)
    on_undo: Callable[[], None] = field(default=lambda: None)

    def confirm(self) -> None:
        """Drop the slots this change replaced; what waited before goes on waiting."""
        changed = _differing(self.before, self.after) | _differing(self.after, self.before)
        if self.earlier is not None:
            left = _differing(self.earlier, self.before) - changed
            _keep(self.folder, _only(self.earlier, self.after, left), left)
        else:
            (self.folder / OLD_SLOTS_FILE).unlink(missing_ok=True)
        self.on_confirm()

    def undo(self) -> None:
        """Go back to the slots from before."""
        if KeySlots.read(self.folder) != self.before:
            self.before.write(self.folder)
        if self.earlier is not None:
            self.earlier.write(self.folder, OLD_SLOTS_FILE)
        else:
            (self.folder / OLD_SLOTS_FILE).unlink(missing_ok=True)
        self.on_undo()


def begin(
    book: Book,
    after: KeySlots,
    secrets: Mapping[SlotName, bytes],
    *,
    on_confirm: Callable[[], None] = lambda: None,
    on_undo: Callable[[], None] = lambda: None,
) -> SlotChange:
    """Put ``after`` in place of the slots of ``book`` and open each of ``secrets`` from the disk.

    On any failure everything is as before. Raises :class:`EnvironmentFault`.
    """
    folder = book.path
    before, earlier = KeySlots.read(folder), _earlier(folder)
    change = SlotChange(folder, before, after, earlier, on_confirm, on_undo)
    waiting = set() if earlier is None else _differing(earlier, before)
    try:
        kept = before if earlier is None else _only(earlier, before, waiting)
        kept.write(folder, OLD_SLOTS_FILE)
        after.write(folder)
        KeySlots.read(folder).prove(secrets)
    except BaseException:
        change.undo()
        raise
    return change


# ── single changes ──────────────────────────────────────────────────────────────────────────────


def new_passphrase(book: Book, passphrase: str, cost: Argon2Cost = STANDARD_COST) -> SlotChange:
    """A passphrase in place of the earlier one, or besides the other ways."""
    if not passphrase:
        raise Refused("passphrase_empty", "口令不能为空，原来的打开方式不变。请输入新口令。")
    secret = passphrase_secret(passphrase)
    slot = book.slot(SlotName.PASSPHRASE, secret, cost)
    return begin(book, KeySlots.read(book.path).having(slot), {slot.name: secret})


def new_recovery_code(book: Book, code: str, cost: Argon2Cost = STANDARD_COST) -> SlotChange:
    """A new paper (:func:`recovery_code.new_code`) in place of the earlier one."""
    secret = recovery_code.secret_of(code)
    slot = book.slot(SlotName.RECOVERY, secret, cost)
    return begin(book, KeySlots.read(book.path).having(slot), {slot.name: secret})


def new_keyring(book: Book) -> SlotChange:
    """This computer's keyring (a new entry, read back first).

    Raises :class:`os_keyring.KeyringUnusable`; the earlier ways still fit then.
    """
    slots = KeySlots.read(book.path)
    secret = os.urandom(32)
    slot = book.slot(SlotName.KEYRING, secret, None)
    after = slots.having(slot)
    os_keyring.store(book.book_id, slot.entry, secret)
    return begin(
        book, after, {slot.name: secret},
        on_confirm=_forget_entry(slots), on_undo=_forget_entry(after),
    )


def remove_passphrase(book: Book) -> SlotChange:
    """Without passphrase from now on; refused where no keyring entry opens the book instead."""
    slots = KeySlots.read(book.path)
    if SlotName.PASSPHRASE not in slots.slots:
        raise Refused("no_passphrase_slot", "这个账本没有设口令，无需取消，未做任何改动。")
    if not keyring_fits(slots):
        raise Refused(
            "last_way",
            "这台电脑的系统密钥环现在打不开这个账本，取消口令后就只剩恢复码了，所以没有取消。"
            "请先绑定密钥环（key keyring），再取消口令。",
        )
    return begin(book, slots.without(SlotName.PASSPHRASE), {})


def remove_keyring(book: Book) -> SlotChange:
    """Not by keyring from now on; refused without a passphrase."""
    slots = KeySlots.read(book.path)
    if SlotName.KEYRING not in slots.slots:
        raise Refused("no_keyring_slot", "这个账本没有绑定系统密钥环，无需取消，未做任何改动。")
    if SlotName.PASSPHRASE not in slots.slots:
        raise Refused(
            "last_way",
            "这个账本没有口令，取消密钥环后就只剩恢复码了，所以没有取消。请先设置口令（key passphrase）。",
        )
    return begin(book, slots.without(SlotName.KEYRING), {}, on_confirm=_forget_entry(slots))


def new_company(book: Book, public: CompanyPublic) -> SlotChange:
    """Head office's key, in place of an earlier one."""
    slots = KeySlots.read(book.path)
    sealed = company_slot.sealed_to(public, book.book_id, book.ring.newest)
    return begin(book, replace(slots, company=sealed), {})


def remove_company(book: Book) -> SlotChange:
    """Without head office's key from now on."""
    slots = KeySlots.read(book.path)
    if slots.company is None:
        raise Refused("no_company_slot", "这个账本没有设公司钥匙，无需取消，未做任何改动。")
    return begin(book, replace(slots, company=None), {})


def set_passphrase(book: Book, passphrase: str, *, cost: Argon2Cost = STANDARD_COST) -> None:
    """From now on the book opens with ``passphrase``; the earlier one no longer fits."""
    new_passphrase(book, passphrase, cost).confirm()


def bind_keyring(book: Book) -> None:
    """From now on the book opens by this computer's keyring."""
    new_keyring(book).confirm()


def renew_recovery_code(book: Book, *, cost: Argon2Cost = STANDARD_COST) -> str:
    """A new printed code; the earlier paper no longer fits."""
    code = recovery_code.new_code()
    new_recovery_code(book, code, cost).confirm()
    return code


# ── what a killed program left ──────────────────────────────────────────────────────────────────


def unfinished(folder: Path) -> list[str]:
    """Kinds of ways of which an earlier one still opens, because a change was not confirmed."""
    earlier = _earlier(folder)
    return [] if earlier is None else sorted(_differing(earlier, KeySlots.read(folder)))


def settle(folder: Path, used: str) -> list[str]:
    """After opening by the present slot ``used``: its earlier one is dropped, the new one is
    proven by use. Returns what is still :func:`unfinished`."""
    earlier = _earlier(folder)
    if earlier is None:
        (folder / OLD_SLOTS_FILE).unlink(missing_ok=True)
        return []
    now = KeySlots.read(folder)
    waiting = _differing(earlier, now)
    left = waiting - {used}
    _keep(folder, _only(earlier, now, left), left)
    if used == SlotName.KEYRING and used in waiting:
        _forget_entry(earlier)()
    return sorted(left)


def keyring_fits(slots: KeySlots) -> bool:
    """Whether this computer's keyring opens the book now. May block on a prompt."""
    slot = slots.slots.get(SlotName.KEYRING)
    if slot is None:
        return False
    try:
        secret = os_keyring.fetch(slots.book_id, slot.entry)
    except os_keyring.KeyringUnusable:
        return False
    return secret is not None and slots.open(SlotName.KEYRING, secret) is not None


def _earlier(folder: Path) -> KeySlots | None:
    """The slots of ``keyslots.json.old``; None if missing, unreadable or of an earlier key."""
    if not (folder / OLD_SLOTS_FILE).exists():
        return None
    try:
        earlier, now = KeySlots.read(folder, OLD_SLOTS_FILE), KeySlots.read(folder)
    except SiteMusterError:
        return None
    same = (earlier.book_id, earlier.generation) == (now.book_id, now.generation)
    return earlier if same and earlier.intact else None


def _differing(earlier: KeySlots, now: KeySlots) -> set[str]:
    """Ways that ``earlier`` knows and ``now`` has not, or not the same."""
    names = {
        name.value for name, slot in earlier.slots.items() if now.slots.get(name) != slot
    }
    if earlier.company is not None and earlier.company != now.company:
        names.add(company_slot.NAME)
    return names


def _only(earlier: KeySlots, now: KeySlots, names: set[str]) -> KeySlots:
    """``now`` with the slots ``names`` as they were earlier."""
    slots = {**now.slots, **{n: s for n, s in earlier.slots.items() if n.value in names}}
    company = earlier.company if company_slot.NAME in names else now.company
    return replace(now, slots=slots, company=company)


def _keep(folder: Path, waiting: KeySlots, names: set[str]) -> None:
    """``keyslots.json.old`` holds the slots ``names`` that still wait, or is gone."""
    if names:
        waiting.write(folder, OLD_SLOTS_FILE)
    else:
        (folder / OLD_SLOTS_FILE).unlink(missing_ok=True)


def _forget_entry(slots: KeySlots) -> Callable[[], None]:
    """Removes the keyring entry of ``slots``; one that cannot be removed opens nothing any more."""
    slot = slots.slots.get(SlotName.KEYRING)

    def forget() -> None:
        if slot is None:
            return
        with suppress(os_keyring.KeyringUnusable):
            os_keyring.forget(slots.book_id, slot.entry)

    return forget

"""Keys as a person changes them: who may, what the trail says, what must never be lost.

The slots' file is changed inside the transaction of the audit row and confirmed after its commit:
of a change that was cut off both the old and the new way open, and a sentence says so. A new
recovery code is made and handed over (:func:`desktop.storage.recovery_code.new_code`, printed,
part of it typed back) *before* it is given here, so that no book ever waits for a paper that
nobody has.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from desktop.access.actor import Act, View
from desktop.access.desk import Desk
from desktop.errors import EnvironmentFault, NotPermitted, Refused
from desktop.jobs import CancelToken, Progress, silent
from desktop.paths import read_regular
from desktop.storage import company_slot, leftovers, os_keyring, slot_change
from desktop.storage.company_keys import MOST_BYTES, CompanyPublic, public_key
from desktop.storage.keys import STANDARD_COST, Argon2Cost, KeySlots, SlotName
from desktop.storage.slot_change import SlotChange

if TYPE_CHECKING:
    from desktop.storage.book import Book
    from desktop.storage.rekey import NewWays, RekeyReport, Sealings

_SLOTS = "keyslots"
"""Subject of the audit rows."""

_BY_SECRET = frozenset({SlotName.RECOVERY.value, company_slot.NAME})


@dataclass(frozen=True, slots=True)
class KeyStatus:
    """How a book opens. ``keyring`` is ``none``, ``fits``, ``missing`` (bound, but this computer's
    keyring has no fitting entry) or ``unusable`` with the clause in ``keyring_trouble``;
    ``unfinished`` names the ways of which an earlier one still opens."""

    generation: int
    passphrase: bool
    keyring: str
    keyring_trouble: str
    company: CompanyPublic | None
    unfinished: tuple[str, ...]
    notices: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """The result of ``key status``."""
        return {
            "generation": self.generation, "recovery": True, "passphrase": self.passphrase,
            "keyring": self.keyring, "keyring_trouble": self.keyring_trouble,
            "company": None if self.company is None else company_json(self.company),
            "unfinished": list(self.unfinished), "notices": list(self.notices),
        }

    def as_text(self) -> str:
        """For people."""
        keyring = {
            "none": "没有绑定", "fits": "已绑定这台电脑，可以打开",
            "missing": "绑定过，但这台电脑的密钥环里没有对应的条目",
            "unusable": f"绑定过，但密钥环现在不可用：{self.keyring_trouble}",
        }[self.keyring]
        lines = [
            f"第{self.generation}把钥匙", "恢复码：有（打印在纸上）",
            f"口令：{'有' if self.passphrase else '没有'}", f"系统密钥环：{keyring}",
        ]
        if self.company is None:
            lines.append("公司钥匙：没有")
        else:
            lines.append(f"公司钥匙：{self.company.name or '未命名'}，指纹 {self.company.fingerprint}")
        return "\n".join([*lines, *self.notices])


def company_json(public: CompanyPublic) -> dict[str, Any]:
    """A public key in results; the fingerprint in groups, to be read aloud."""
    return {
        "name": public.name, "made_on": public.made_on, "id": public.id,
        "fingerprint": public.fingerprint,
    }


def key_status(desk: Desk) -> KeyStatus:
    """How the book opens. Asks this computer's keyring, so it may wait for a prompt."""
    desk.permit_view(View.KEYS)
    slots = KeySlots.read(desk.book.path)
    keyring, trouble = _keyring_state(slots)
    waiting = slot_change.unfinished(desk.book.path)
    said = dict.fromkeys([*desk.book.notices, *map(leftovers.two_ways, waiting)])
    return KeyStatus(
        desk.book.ring.generation, SlotName.PASSPHRASE in slots.slots, keyring, trouble,
        company_slot.public_of(slots), tuple(waiting), tuple(said),
    )


def _keyring_state(slots: KeySlots) -> tuple[str, str]:
    slot = slots.slots.get(SlotName.KEYRING)
    if slot is None:
        return "none", ""
    try:
        secret = os_keyring.fetch(slots.book_id, slot.entry)
    except os_keyring.KeyringUnusable as fault:
        return "unusable", fault.reason
    fits = secret is not None and slots.open(SlotName.KEYRING, secret) is not None
    return ("fits" if fits else "missing"), ""


# ── single ways ─────────────────────────────────────────────────────────────────────────────────


def change_passphrase(desk: Desk, new: str, *, cost: Argon2Cost = STANDARD_COST) -> None:
    """The book opens with ``new``; an earlier passphrase no longer fits."""
    desk.permit(Act.PASSPHRASE_CHANGED)
    _carry_out(
        desk, Act.PASSPHRASE_CHANGED, lambda: slot_change.new_passphrase(desk.book, new, cost)
    )


def remove_passphrase(desk: Desk) -> None:
    """Without passphrase; :class:`Refused` ``last_way`` where the keyring does not open instead."""
    desk.permit(Act.PASSPHRASE_CHANGED)
    _carry_out(
        desk, Act.PASSPHRASE_CHANGED, lambda: slot_change.remove_passphrase(desk.book),
        removed=True,
    )


def bind_to_this_computer(desk: Desk) -> None:
    """The book opens by this computer's keyring, without typing.

    Raises :class:`os_keyring.KeyringUnusable`; the other ways stay as they are.
    """
    desk.permit(Act.COMPUTER_BOUND)
    _carry_out(desk, Act.COMPUTER_BOUND, lambda: slot_change.new_keyring(desk.book))


def unbind_from_this_computer(desk: Desk) -> None:
    """Not by the keyring any more; :class:`Refused` ``last_way`` without a passphrase."""
    desk.permit(Act.COMPUTER_BOUND)
    _carry_out(
        desk, Act.COMPUTER_BOUND, lambda: slot_change.remove_keyring(desk.book), removed=True
    )


def renew_recovery_code(
    desk: Desk, code: str | None = None, *, cost: Argon2Cost = STANDARD_COST
) -> str:
    """A new recovery code: the paper of before no longer fits. ``code`` is one that was handed
    over already; without it one is made and returned, to be shown at once."""
    desk.permit(Act.RECOVERY_CODE_RENEWED)
    from desktop.storage import recovery_code

    given = recovery_code.new_code() if code is None else code
    _carry_out(
        desk, Act.RECOVERY_CODE_RENEWED,
        lambda: slot_change.new_recovery_code(desk.book, given, cost),
    )
    return given


def rotate(
    desk: Desk, code: str, passphrase: str | None, *, cost: Argon2Cost = STANDARD_COST
) -> list[str]:
    """New secrets for every way: the recovery code, the keyring entry where one is bound, the
    passphrase where a new one is given. Returns the ways that were renewed; the data key stays.

    A bound keyring that cannot be written keeps its entry and is not in the result.
    """
    desk.permit(Act.RECOVERY_CODE_RENEWED)
    desk.permit(Act.COMPUTER_BOUND)
    renew_recovery_code(desk, code, cost=cost)
    renewed = [SlotName.RECOVERY.value]
    if passphrase is not None:
        change_passphrase(desk, passphrase, cost=cost)
        renewed.append(SlotName.PASSPHRASE.value)
    if SlotName.KEYRING in KeySlots.read(desk.book.path).slots:
        try:
            bind_to_this_computer(desk)
            renewed.append(SlotName.KEYRING.value)
        except os_keyring.KeyringUnusable:
            pass
    return renewed


def recover_access(
    desk: Desk,
    passphrase: str | None = None,
    *,
    cost: Argon2Cost = STANDARD_COST,
) -> str:
    """After opening by paper or by head office: make a way for every day, and return it.

    A ``passphrase``, else this computer's keyring. A keyring slot that does not open here (another
    computer's, a lost one) is dropped with a new passphrase. Asks no role: whoever opened the book
    so holds its key. Raises :class:`NotPermitted` when it was opened otherwise.
    """
    desk.permit(Act.BOOK_RECOVERED)
    if desk.book.opened_by not in _BY_SECRET:
        raise NotPermitted(
            "not_recovered",
            "账本不是用恢复码或公司钥匙打开的，没有重设打开方式。请用 key recover，或由管理员更换口令。",
        )
    if passphrase is None:
        _carry_out(
            desk, Act.BOOK_RECOVERED, lambda: slot_change.new_keyring(desk.book),
            way=desk.book.opened_by, made=SlotName.KEYRING.value,
        )
        return SlotName.KEYRING.value
    _carry_out(
        desk, Act.BOOK_RECOVERED,
        lambda: slot_change.new_passphrase(desk.book, passphrase, cost),
        way=desk.book.opened_by, made=SlotName.PASSPHRASE.value,
    )
    slots = KeySlots.read(desk.book.path)
    if SlotName.KEYRING in slots.slots and not slot_change.keyring_fits(slots):
        _carry_out(
            desk, Act.BOOK_RECOVERED, lambda: slot_change.remove_keyring(desk.book),
            way=desk.book.opened_by, removed=SlotName.KEYRING.value,
        )
    return SlotName.PASSPHRASE.value


# ── head office ─────────────────────────────────────────────────────────────────────────────────


def company_public(file: Path) -> CompanyPublic:
    """The key of a ``*.sitemuster-pub`` file; raises :class:`Refused`."""
    try:
        data = read_regular(file, MOST_BYTES)
    except OSError as error:
        raise EnvironmentFault(
            "company_key_unreadable",
            f"读不到公司公钥文件「{file.name}」，未做任何改动。请检查路径与权限。",
        ) from error
    return public_key(data)


def add_company_slot(
    desk: Desk, public: CompanyPublic, *, fingerprint: str | None = None
) -> CompanyPublic:
    """Head office can open the book (and its backups from now on) with its private key.

    ``fingerprint`` is what head office read aloud; a differing one is refused. Raises
    :class:`Refused` ``fingerprint_differs``.
    """
    desk.permit(Act.COMPANY_SLOT_ADDED)
    if fingerprint is not None and _digits(fingerprint) != _digits(public.fingerprint):
        raise Refused(
            "fingerprint_differs",
            f"公钥文件的指纹是 {public.fingerprint}，与报来的不一致，没有添加。请与公司电话核对，或请公司重新发公钥文件。",
            fingerprint=public.fingerprint,
        )
    _carry_out(
        desk, Act.COMPANY_SLOT_ADDED, lambda: slot_change.new_company(desk.book, public),
        company=public.id, fingerprint=public.fingerprint, compared=fingerprint is not None,
    )
    return public


def remove_company_slot(desk: Desk) -> None:
    """Head office can open what was copied before, nothing from now on."""
    desk.permit(Act.COMPANY_SLOT_REMOVED)
    _carry_out(desk, Act.COMPANY_SLOT_REMOVED, lambda: slot_change.remove_company(desk.book))


def _digits(text: str) -> str:
    return "".join(sign for sign in text if sign.isdigit())


# ── a new data key ──────────────────────────────────────────────────────────────────────────────


def ways_after(desk: Desk, code: str, passphrase: str | None) -> NewWays:
    """What shall open the book after :func:`rekey_book`: the ways it has now, with ``code`` as the
    new paper. ``passphrase`` is typed anew, because no book remembers it.

    Raises :class:`Refused` ``passphrase_needed`` where one is set and none is given.
    """
    desk.permit(Act.BOOK_REKEYED)
    from desktop.storage.rekey import NewWays

    slots = KeySlots.read(desk.book.path).slots
    if SlotName.PASSPHRASE in slots and passphrase is None:
        raise Refused(
            "passphrase_needed",
            "这个账本设有口令，换钥匙时要一并给出（可以是新的），没有换，未做任何改动。请用 --new-passphrase-file 给出。",
        )
    return NewWays(code, passphrase, keyring=SlotName.KEYRING in slots)


def rekey_book(
    desk: Desk,
    ways: NewWays,
    sealings: Sealings,
    check: Callable[[Book], None],
    *,
    progress: Progress = silent,
    cancel: CancelToken | None = None,
    cost: Argon2Cost = STANDARD_COST,
) -> RekeyReport:
    """A new data key after a leak, see :mod:`desktop.storage.rekey`; a verified backup first.

    Where a keyring slot cannot be made here but a passphrase is given, the book goes on without
    one. Raises :class:`Refused`, :class:`EnvironmentFault`, ``Cancelled`` with the book as it was.
    """
    desk.permit(Act.BOOK_REKEYED)
    from desktop.access import backup_desk
    from desktop.storage import rekey

    if ways.keyring and ways.passphrase is not None and not _keyring_works(desk.book.book_id):
        ways = replace(ways, keyring=False)

    def secure() -> None:
        backup_desk.create_backup(desk, reason="rekey", progress=progress, cancel=cancel)

    def witness(session: Any, values: int) -> None:
        desk.audit(
            session, Act.BOOK_REKEYED, _SLOTS, generation=desk.book.ring.generation + 1,
            values=values,
        )

    return rekey.rekey(
        desk.book, ways, sealings, secure, witness, check,
        progress=progress, cancel=cancel, cost=cost,
    )


def _keyring_works(book_id: str) -> bool:
    try:
        os_keyring.store(book_id, "probe", bytes(32))
        os_keyring.forget(book_id, "probe")
    except os_keyring.KeyringUnusable:
        return False
    return True


def _carry_out(desk: Desk, act: Act, begin: Callable[[], SlotChange], **facts: Any) -> None:
    """Change the slots in the transaction of the audit row; drop the old ones after its commit."""
    change: SlotChange | None = None
    try:
        with desk.book.write() as session:
            desk.audit(session, act, _SLOTS, **facts)
            change = begin()
    except BaseException:
        if change is not None:
            change.undo()
        raise
    change.confirm()

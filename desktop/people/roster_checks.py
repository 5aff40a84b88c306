"""The checks of a roster row against the file and the book, after those of its own cells.

Identity → dates → 人员编号 taken, in this order (design §4); shared phones and cards only warn.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from desktop.people.roster_book import KnownPerson, KnownStay
from desktop.people.roster_row import RosterEntry
from desktop.people.roster_sheet import Head
from desktop.people.rules import name_key

Holders = dict[bytes, list[tuple[int, int]]]


@dataclass(slots=True)
class FileFacts:
    """What the rows of the file said; of several names of one ID the first row's holds."""

    names: dict[tuple[str, str], tuple[str, int]] = field(default_factory=dict)
    numbers: dict[int, tuple[str, str]] = field(default_factory=dict)
    phones: dict[str, tuple[tuple[str, str], int]] = field(default_factory=dict)
    cards: dict[str, tuple[tuple[str, str], int]] = field(default_factory=dict)


def check_identity_used(entry: RosterEntry, person: KnownPerson | None, facts: FileFacts) -> None:
    """Check 5: one ID, one name, in the book or else in the file."""
    wanted = name_key(entry.name)
    if person is not None and person.id is not None:
        if name_key(person.values["name"]) != wanted:
            raise entry.reject(
                Head.ID_NUMBER, "id_other_name",
                f"该证件号码在花名册里是另一个姓名（人员编号{person.values['worker_no']}），请核对证件",
            )
        return
    name, row = facts.names[entry.key]
    if name != wanted:
        raise entry.reject(
            Head.ID_NUMBER, "id_other_name", f"该证件号码在第{row}行是另一个姓名，请核对证件"
        )


def check_dates(
    entry: RosterEntry, person: KnownPerson | None
) -> tuple[date, KnownStay | None]:
    """Check 6: dates that never were, exit before entry, days of another stay.

    Returns the entry date, and the stay of the book or the file that the row speaks of (None for
    a new one).
    """
    if entry.impossible is not None or entry.entry is None:
        head = entry.impossible or Head.ENTRY
        raise entry.reject(head, "impossible_date", f"「{head}」的日期不存在，请核对")
    if entry.exit is not None and entry.exit < entry.entry:
        raise entry.reject(Head.EXIT, "exit_before_entry", "退场日期早于进场日期，请核对")
    if entry.contract_from and entry.contract_to and entry.contract_to < entry.contract_from:
        raise entry.reject(Head.CONTRACT_TO, "contract_dates", "合同结束日期早于开始日期，请核对")
    return entry.entry, None if person is None else _stay_of(entry, entry.entry, person)


def _stay_of(entry: RosterEntry, first: date, person: KnownPerson) -> KnownStay | None:
    same = next((stay for stay in person.stays if stay.from_day == first), None)
    last = entry.exit
    if same is not None and last is None:
        last = same.to_day
    others = [stay for stay in person.stays if stay is not same and stay.overlaps(first, last)]
    if same is None and len(others) == 1 and _moved_earlier(entry, first, others[0]):
        entry.warn(
            Head.ENTRY, "entry_moved",
            f"进场日期由{others[0].from_day.isoformat()}改为{first.isoformat()}",
        )
        same, others = others[0], []
    if others:
        raise entry.reject(Head.ENTRY, "stay_overlap", _overlap_text(others[0]))
    if same is not None and same.claimed is not None and same.claimed != entry:
        raise entry.reject(
            Head.ENTRY, "stay_twice", f"与第{same.claimed.row}行是同一人同一次进场，内容不同，请只留一行"
        )
    return same


def _moved_earlier(entry: RosterEntry, first: date, stay: KnownStay) -> bool:
    """The present stay of the book, now with an earlier entry: days are added, none is lost."""
    return stay.claimed is None and stay.id is not None and first < stay.from_day and (
        entry.exit is None or entry.exit == stay.to_day or stay.to_day is None
    )


def _overlap_text(stay: KnownStay) -> str:
    where = f"第{stay.claimed.row}行" if stay.claimed is not None else "花名册里"
    if stay.to_day is None:
        return (
            f"该人{where}自{stay.from_day.isoformat()}在场，尚未退场。如是再次进场，请先填前一段的退场日期"
        )
    return (
        f"该人{where}{stay.from_day.isoformat()}至{stay.to_day.isoformat()}在场，"
        "与本行重叠。再次进场须晚于前一段的退场日期"
    )


def check_worker_no(
    entry: RosterEntry, person: KnownPerson | None, facts: FileFacts,
    taken: dict[int, list[tuple[int, int]]],
) -> None:
    """Check 7: a number belongs to one person for ever."""
    number = entry.worker_no
    if number is None:
        return
    holder = facts.numbers.get(number)
    in_book = [one for one, _ in taken.get(number, []) if person is None or one != person.id]
    if in_book or (holder is not None and holder != entry.key):
        raise entry.reject(
            Head.WORKER_NO, "worker_no_taken", f"人员编号{number}已属于另一人，请换一个或留空由程序编号"
        )
    if person is not None and person.values["worker_no"] != number:
        entry.warn(
            Head.WORKER_NO, "worker_no_kept",
            f"该人已有人员编号{person.values['worker_no']}，编号终身不变，未改为{number}",
        )


def warn_shared(
    entry: RosterEntry, person: KnownPerson | None, facts: FileFacts, phones: Holders,
    cards: Holders, phone_index: bytes | None, card_index: bytes | None,
) -> None:
    """Warn when a phone or card is also another person's, in the file or in the book."""
    own = None if person is None else person.id
    for head, code, text, seen, held, index in (
        (Head.PHONE, "shared_phone", entry.phone, facts.phones, phones, phone_index),
        (Head.BANK_CARD, "shared_card", entry.bank_card, facts.cards, cards, card_index),
    ):
        if not text or index is None:
            continue
        key, row = seen.setdefault(text, (entry.key, entry.row))
        others = [number for one, number in held.get(index, []) if one != own]
        if key != entry.key:
            entry.warn(head, code, f"「{head}」与第{row}行另一人相同，请核对")
        elif others:
            entry.warn(head, code, f"「{head}」与人员编号{others[0]}相同，请核对")

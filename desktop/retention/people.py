"""Erasing persons: what of them stands outside the chain, and the free texts that name them.

Numbers stay (人员编号, stays, days, trades, punches): the ledger remains whole and countable, and
leads to nobody. What is erased where is listed in :mod:`desktop.retention.places`.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Collection, Iterable
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from desktop.attendance.tables import FindingAnswer, Leave, OutageNote, StopWork
from desktop.board.tables import BoardItem
from desktop.people.pinyin import reading
from desktop.people.roster_book import chunks
from desktop.people.rules import RESIDENT_ID
from desktop.people.tables import Contract, Person, Stay
from desktop.punches.tables import Alias, Terminal, TerminalPerson
from desktop.retention.ledger_rows import Numbers
from desktop.retention.needles import Identity, Needles, erased_name
from desktop.retention.tables import BiometricRemoval, LegalHold, RetentionDates, RetentionPolicy
from desktop.site.tables import Participation, Staff, Team
from desktop.storage.erasing import MARK
from desktop.storage.sealed import Sealer
from desktop.storage.tables import Tombstone
from desktop.storage.tombstones import Erasure

_FREE_TEXTS: tuple[tuple[Any, tuple[str, ...]], ...] = (
    (StopWork, ("reason", "document")),
    (OutageNote, ("reason", "document")),
    (FindingAnswer, ("text",)),
    (Terminal, ("biometric_only_evidence",)),
    (LegalHold, ("reason", "document", "lifted_why")),
    (RetentionDates, ("completed_document", "settled_document")),
    (RetentionPolicy, ("assessment",)),
    (BiometricRemoval, ("note",)),
    (BoardItem, ("value",)),
)
"""Sentences people typed, outside the chain; erased where they name somebody."""


def erased_persons(session: Session) -> set[int]:
    """Persons whose identity is gone already."""
    return set(
        session.scalars(
            select(Tombstone.row_id).where(Tombstone.subject == Person.__tablename__)
        )
    )


def everybody(session: Session) -> set[int]:
    """Everybody who still has a name."""
    return set(session.scalars(select(Person.id))) - erased_persons(session)


def ids_of(session: Session, workers: Collection[int]) -> list[int]:
    """Persons of these numbers."""
    return list(session.scalars(select(Person.id).where(Person.worker_no.in_(list(workers)))))


def needles_for(session: Session, sealer: Sealer, person_ids: Collection[int]) -> Needles:
    """What is looked for: names and numbers that nobody else in the book has."""
    gone_before = erased_persons(session)
    leaving, staying = [], []
    for person in session.scalars(select(Person)):
        if person.id in person_ids:
            leaving.append(_identity(person, sealer))
        elif person.id not in gone_before:
            staying.append(_identity(person, sealer))
    return Needles.of(leaving, staying)


def _identity(person: Person, sealer: Sealer) -> Identity:
    sealed = (
        person.id_sealed, person.phone_sealed, person.bank_card_sealed,
        person.emergency_phone_sealed,
    )
    codes = [sealer.open(one) for one in sealed if one is not None]
    if person.id_kind == RESIDENT_ID and len(codes[0]) == 18:
        codes.append(codes[0][:6] + codes[0][8:17])  # as first-generation cards and old terminals
    return Identity(person.name, tuple(codes))


def stand_ins(
    session: Session, numbers: Iterable[tuple[int, str]]
) -> Numbers:
    """What stands for a number that was itself personal: the same in punches and in 对号."""
    owners = {
        (terminal_id, number): worker_no
        for terminal_id, number, worker_no in session.execute(
            select(Alias.terminal_id, Alias.number, Person.worker_no)
            .join(Person, Person.id == Alias.person_id)
            .order_by(Alias.id)
        )
    }
    made: Numbers = {}
    taken: Counter[tuple[int, str]] = Counter()
    for terminal_id, number in sorted(numbers):
        worker_no = owners.get((terminal_id, number))
        name = MARK if worker_no is None else erased_name(worker_no)
        taken[terminal_id, name] += 1
        nth = taken[terminal_id, name]
        made[terminal_id, number] = f"{name}-{nth}"
    return made


# ── the persons themselves ──────────────────────────────────────────────────────────────────────


def erase_persons(session: Session, sealer: Sealer, person_ids: Collection[int]) -> list[Erasure]:
    """Everything but numbers; returns the tombstones to be written for them."""
    done = []
    for ids in chunks(sorted(person_ids)):
        for person in session.scalars(select(Person).where(Person.id.in_(ids))).all():
            name = erased_name(person.worker_no)
            spelt = reading(MARK)
            person.name, person.pinyin, person.initials = name, spelt.pinyin, spelt.initials
            person.sex = person.nation = person.education = person.emergency_contact = ""
            person.bank_name, person.birth_day = "", None
            # Not the index of any number: whoever tries numbers against it finds none.
            person.id_sealed, person.id_index = sealer.seal(""), os.urandom(16)
            person.address_sealed = person.phone_sealed = person.phone_index = None
            person.bank_card_sealed = person.bank_card_index = None
            person.emergency_phone_sealed = None
            done.append(Erasure(Person.__tablename__, person.id, replacement=name))
    session.flush()
    return done


def erase_contracts(session: Session, person_ids: Collection[int]) -> int:
    """Numbers of contracts lead to papers with names; kind and term stay. Returns how many."""
    erased = 0
    for ids in chunks(sorted(person_ids)):
        stays = select(Stay.id).where(Stay.person_id.in_(ids))
        found = session.scalars(
            select(Contract).where(Contract.stay_id.in_(stays), Contract.number.not_in(["", MARK]))
        ).all()
        for contract in found:
            contract.number = MARK
        erased += len(found)
    session.flush()
    return erased


# ── terminals ───────────────────────────────────────────────────────────────────────────────────


def erase_at_terminals(
    session: Session, projects: Collection[int], needles: Needles, numbers: Numbers,
    person_ids: Collection[int],
) -> int:
    """What terminals said of the persons, and their numbers in 对号 and removal tasks."""
    here = select(Terminal.id).where(Terminal.project_id.in_(projects))
    own = {
        (terminal_id, number)
        for terminal_id, number in session.execute(
            select(Alias.terminal_id, Alias.number).where(Alias.person_id.in_(list(person_ids)))
        )
    }
    names = {
        str(number)
        for number in session.scalars(
            select(Person.worker_no).where(Person.id.in_(list(person_ids)))
        )
    }
    gone = [
        row.id
        for row in session.scalars(
            select(TerminalPerson).where(TerminalPerson.terminal_id.in_(here))
        )
        if (row.terminal_id, row.number) in own or row.number in names
        or needles.in_text(row.number) or needles.in_text(row.name)
    ]
    for ids in chunks(gone):
        session.execute(delete(TerminalPerson).where(TerminalPerson.id.in_(ids)))
    for (terminal_id, number), stand_in in numbers.items():
        for table in (Alias, BiometricRemoval):
            session.execute(
                update(table)
                .where(table.terminal_id == terminal_id, table.number == number)
                .values(number=stand_in)
            )
    return len(gone)


# ── texts and contacts ──────────────────────────────────────────────────────────────────────────


def erase_texts(
    session: Session, projects: Collection[int], needles: Needles, person_ids: Collection[int],
    *, whole: bool,
) -> int:
    """Free texts that name somebody, and every reason of a person's own leave. Returns how many.

    ``whole``: the project as such has outlived its term, so all reasons of leave go (they speak of
    illness and families).
    """
    erased = 0
    for table, names in _FREE_TEXTS:
        column = Terminal.project_id if table is Terminal else table.project_id
        for row in session.scalars(select(table).where(column.in_(projects))).all():
            for name in names:
                if needles.in_text(getattr(row, name)):
                    setattr(row, name, MARK)
                    erased += 1
    for leave in session.scalars(select(Leave).where(Leave.project_id.in_(projects))).all():
        own = whole or leave.person_id in person_ids
        for name in ("reason", "document"):
            text = getattr(leave, name)
            if text not in ("", MARK) and (own or needles.in_text(text)):
                setattr(leave, name, MARK)
                erased += 1
    session.flush()
    return erased


def erase_contacts(
    session: Session, projects: Collection[int], needles: Needles, *, whole: bool
) -> int:
    """Contacts of posts, companies and teams. ``whole``: of everybody, as the board is over."""
    erased = 0
    contacts: tuple[tuple[Any, str, str], ...] = (
        (Staff, "name", "phone"), (Participation, "contact", "phone"), (Team, "leader", ""),
    )
    for table, name, phone in contacts:
        for row in session.scalars(select(table).where(table.project_id.in_(projects))).all():
            held = getattr(row, name)
            if held not in ("", MARK) and (whole or needles.name_in(held)):
                setattr(row, name, MARK)
                erased += 1
            number = getattr(row, phone) if phone else ""
            if number and (whole or held != getattr(row, name) or needles.code_in(number)):
                setattr(row, phone, "")
                erased += 1
    session.flush()
    return erased

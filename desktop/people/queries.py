"""Reads of people for screens, exports and other stations. Numbers are masked.

Whoever needs them in clear goes through ``reveal``, which leaves a trace.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session

from desktop.people import seals
from desktop.people.roster_book import chunks
from desktop.people.roster_search import RosterQuery, roster_count, roster_ids
from desktop.people.rules import (
    STATE_WORDS,
    Evidence,
    IdentityError,
    MissingStep,
    PersonState,
    check_identity,
    mask_card,
    mask_id,
    mask_phone,
    missing_steps,
)
from desktop.people.tables import Contract, Person, Stay, StayTeam
from desktop.site.tables import Company, Team
from desktop.storage.sealed import Sealer

__all__ = [
    "GateFinding", "RosterQuery", "RosterRow", "gate_findings", "person_by_id_number",
    "person_by_worker_no", "present_on", "roster_count", "roster_ids", "roster_rows", "stays_of_person",
]


@dataclass(frozen=True, slots=True)
class RosterRow:
    """One stay as lists show it; numbers are masked."""

    stay_id: int
    person_id: int
    worker_no: int
    name: str
    sex: str
    nation: str
    birth_day: date | None
    id_kind: str
    id_number: str
    phone: str
    bank_name: str
    bank_card: str
    trade: str
    is_manager: bool
    company_id: int
    company: str
    team_id: int | None
    team: str
    state: PersonState
    state_word: str
    from_day: date
    to_day: date | None
    taken_over_on: date | None
    contract_number: str
    missing: tuple[MissingStep, ...]


def roster_rows(session: Session, sealer: Sealer, ids: Sequence[int]) -> list[RosterRow]:
    """Rows of stays, in the order of ``ids``; unknown ids are passed over."""
    found: dict[int, RosterRow] = {}
    for chunk in chunks(ids):
        contracts = _contracts(session, chunk)
        for stay, person, company, team_id, team in session.execute(_wide().where(Stay.id.in_(chunk))):
            found[stay.id] = _row(sealer, stay, person, company, team_id, team, contracts)
    return [found[stay_id] for stay_id in ids if stay_id in found]


def stays_of_person(
    session: Session, sealer: Sealer, project_id: int, person_id: int
) -> list[RosterRow]:
    """All stays of a person on the project, the latest first."""
    ids = session.scalars(
        select(Stay.id)
        .where(Stay.project_id == project_id, Stay.person_id == person_id)
        .order_by(Stay.from_day.desc())
    )
    return roster_rows(session, sealer, list(ids))


def _wide() -> Select[Stay, Person, str, int, str]:
    last = Stay.to_day.is_not_distinct_from(StayTeam.to_day)
    return (
        select(Stay, Person, Company.name, Team.id, Team.name)
        .join(Person, Person.id == Stay.person_id)
        .join(Company, Company.id == Stay.company_id)
        .outerjoin(StayTeam, (StayTeam.stay_id == Stay.id) & last)
        .outerjoin(Team, Team.id == StayTeam.team_id)
    )


def _contracts(session: Session, stay_ids: Iterable[int]) -> dict[int, list[Contract]]:
    found: dict[int, list[Contract]] = {}
    for contract in session.scalars(
        select(Contract).where(Contract.stay_id.in_(list(stay_ids))).order_by(Contract.id)
    ):
        found.setdefault(contract.stay_id, []).append(contract)
    return found


def _row(
    sealer: Sealer, stay: Stay, person: Person, company: str, team_id: int | None,
    team: str | None, contracts: dict[int, list[Contract]],
) -> RosterRow:
    held = contracts.get(stay.id, [])
    state = PersonState(stay.state)
    phone = "" if person.phone_sealed is None else sealer.open(person.phone_sealed)
    card = "" if person.bank_card_sealed is None else sealer.open(person.bank_card_sealed)
    return RosterRow(
        stay_id=stay.id, person_id=person.id, worker_no=person.worker_no, name=person.name,
        sex=person.sex, nation=person.nation, birth_day=person.birth_day, id_kind=person.id_kind,
        id_number=mask_id(sealer.open(person.id_sealed)), phone=mask_phone(phone),
        bank_name=person.bank_name, bank_card=mask_card(card), trade=stay.trade,
        is_manager=stay.is_manager, company_id=stay.company_id, company=company, team_id=team_id,
        team=team or "", state=state, state_word=STATE_WORDS[state], from_day=stay.from_day,
        to_day=stay.to_day, taken_over_on=stay.taken_over_on,
        contract_number=held[-1].number if held else "",
        missing=tuple(missing_steps(evidence_of(stay, held))),
    )


def evidence_of(stay: Stay, contracts: Sequence[Contract]) -> Evidence:
    """What the rules of the gate look at."""
    starts = [contract.from_day for contract in contracts if contract.from_day is not None]
    return Evidence(
        is_manager=stay.is_manager, entered_on=stay.from_day, left_on=stay.to_day,
        has_contract=bool(contracts), contract_from=min(starts, default=None),
        housing_registered_on=stay.housing_registered_on,
        labour_registered_on=stay.labour_registered_on, trained_on=stay.trained_on,
        taken_over_on=stay.taken_over_on,
    )


@dataclass(frozen=True, slots=True)
class GateFinding:
    """A stay whose papers are not complete: 未签先进, 未登记先进, 未教育先上岗."""

    stay_id: int
    person_id: int
    worker_no: int
    name: str
    team_id: int | None
    steps: tuple[MissingStep, ...]


def gate_findings(session: Session, project_id: int, day: date) -> list[GateFinding]:
    """Everybody on site on ``day`` with a missing step, by number."""
    stays = session.execute(
        select(Stay, Person.worker_no, Person.name, StayTeam.team_id)
        .join(Person, Person.id == Stay.person_id)
        .outerjoin(
            StayTeam,
            (StayTeam.stay_id == Stay.id) & Stay.to_day.is_not_distinct_from(StayTeam.to_day),
        )
        .where(*_present(project_id, day))
        .order_by(Person.worker_no)
    ).all()
    contracts: dict[int, list[Contract]] = {}
    for chunk in chunks(stay.id for stay, *_ in stays):
        contracts |= _contracts(session, chunk)
    findings: list[GateFinding] = []
    for stay, number, name, team_id in stays:
        steps = missing_steps(evidence_of(stay, contracts.get(stay.id, [])))
        if steps:
            findings.append(
                GateFinding(stay.id, stay.person_id, number, name, team_id, tuple(steps))
            )
    return findings


def _present(project_id: int, day: date) -> list[Any]:
    return [
        Stay.project_id == project_id, Stay.from_day <= day,
        or_(Stay.to_day.is_(None), Stay.to_day >= day),
    ]


def present_on(session: Session, project_id: int, day: date) -> dict[bool, int]:
    """How many people are on the roster on ``day``: ``{True: managers, False: workers}``."""
    counted = {True: 0, False: 0}
    for is_manager, count in session.execute(
        select(Stay.is_manager, func.count()).where(*_present(project_id, day)).group_by(Stay.is_manager)
    ):
        counted[bool(is_manager)] = count
    return counted


def person_by_worker_no(session: Session, worker_no: int) -> int | None:
    """Id of the person with that number."""
    return session.scalar(select(Person.id).where(Person.worker_no == worker_no))


def person_by_id_number(session: Session, sealer: Sealer, number: str) -> int | None:
    """Id of the person with that ID number, written in any form the roster accepts."""
    try:
        identity = check_identity(number)
    except IdentityError:
        return None
    index = sealer.index(seals.ID_NUMBER, identity.number)
    return session.scalar(select(Person.id).where(Person.id_index == index))

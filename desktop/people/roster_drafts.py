"""What an accepted roster row changes: person, stay, team, contract. Works on drafts only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from desktop.people import seals
from desktop.people.pinyin import reading
from desktop.people.roster_book import Draft, KnownPerson, KnownStay
from desktop.people.roster_row import RosterEntry
from desktop.people.roster_sheet import Head
from desktop.people.rules import person_state
from desktop.storage.sealed import Sealer


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What is the same for every row of one import."""

    sealer: Sealer
    today: date
    takeover: date | None


_PERSON_TEXTS = (
    "sex", "nation", "education", "birth_day", "address", "bank_name", "emergency_contact",
    "emergency_phone",
)
_STAY_DATES = ("housing_registered_on", "labour_registered_on", "trained_on")


def new_person(entry: RosterEntry, worker_no: int) -> KnownPerson:
    """The draft of somebody the book does not know."""
    spelled = reading(entry.name)
    return KnownPerson(
        None,
        {
            "worker_no": worker_no, "name": entry.name, "pinyin": spelled.pinyin,
            "initials": spelled.initials, "id_kind": entry.identity.kind,
            "id_number": entry.identity.number, "sex": "", "nation": "", "education": "",
            "birth_day": None, "address": "", "bank_name": "", "emergency_contact": "",
            "emergency_phone": "", "phone_index": None, "bank_card_index": None,
        },
        row=entry.row,
    )


def fill_person(person: KnownPerson, entry: RosterEntry, at: Circumstances) -> bool:
    """Take over what the row says of the person; empty cells say nothing."""
    changed = [person.fill(column, getattr(entry, column)) for column in _PERSON_TEXTS]
    for column, label, text in (
        ("phone", seals.PHONE, entry.phone), ("bank_card", seals.BANK_CARD, entry.bank_card),
    ):
        if text and person.set(f"{column}_index", at.sealer.index(label, text)):
            person.set(column, text)
            changed.append(True)
    return any(changed)


def new_stay(entry: RosterEntry, first: date, team_id: int | None) -> KnownStay:
    """The draft of a stay, with its first membership."""
    stay = KnownStay(
        None,
        {
            "company_id": entry.company_id, "from_day": first, "to_day": entry.exit,
            "is_manager": entry.is_manager, "trade": entry.trade, "state": "",
            **dict.fromkeys(_STAY_DATES), "taken_over_on": None,
        },
    )
    if team_id is not None:
        stay.teams.append(Draft(None, _membership(team_id, first, entry.exit)))
    return stay


def fill_stay(
    stay: KnownStay, entry: RosterEntry, first: date, team_id: int | None, at: Circumstances
) -> bool:
    """Take over what the row says of the stay; returns whether anything changed."""
    changed = [
        stay.fill("company_id", entry.company_id), stay.fill("trade", entry.trade),
        stay.set("is_manager", entry.is_manager),
        *(stay.fill(column, getattr(entry, column)) for column in _STAY_DATES),
        _move_entry(stay, first), _close(stay, entry.exit),
        _change_team(stay, entry, team_id, at.today), _contract(stay, entry),
    ]
    if at.takeover is not None and first <= at.takeover and stay.values["taken_over_on"] is None:
        changed.append(stay.set("taken_over_on", at.takeover))
    stay.set("state", person_state(stay.evidence(), at.today).value)
    return any(changed)


def _membership(team_id: int, first: date, last: date | None) -> dict[str, Any]:
    return {"team_id": team_id, "from_day": first, "to_day": last}


def _move_entry(stay: KnownStay, first: date) -> bool:
    before = stay.from_day
    if not stay.set("from_day", first):
        return False
    if stay.teams and stay.teams[0].values["from_day"] == before:
        stay.teams[0].set("from_day", first)
    return True


def _close(stay: KnownStay, last: date | None) -> bool:
    """The exit of the roster; memberships end with the stay."""
    if last is None or not stay.set("to_day", last):
        return False
    kept = [draft for draft in stay.teams if draft.values["from_day"] <= last]
    for draft in stay.teams:
        if draft not in kept:
            draft.values["gone"] = True
    if kept:
        kept[-1].set("to_day", last)
    return True


def _change_team(
    stay: KnownStay, entry: RosterEntry, team_id: int | None, today: date
) -> bool:
    """Another team than the book's is a change from today on; in the past it is a correction."""
    current = [draft for draft in stay.teams if "gone" not in draft.values]
    if team_id is None or (current and current[-1].values["team_id"] == team_id):
        return False
    open_still = stay.to_day is None or stay.to_day >= today
    if not current:
        start = max(stay.from_day, today) if stay.id is not None and open_still else stay.from_day
        stay.teams.append(Draft(None, _membership(team_id, start, stay.to_day)))
        return True
    last = current[-1]
    if open_still and last.values["from_day"] < today:
        last.set("to_day", today - timedelta(days=1))
        stay.teams.append(Draft(None, _membership(team_id, today, stay.to_day)))
        entry.warn(Head.TEAM, "team_changed", f"班组自{today.isoformat()}起变更，此前的考勤留在原班组")
        return True
    last.set("team_id", team_id)
    entry.warn(
        Head.TEAM, "team_corrected",
        f"自{last.values['from_day'].isoformat()}起的班组已更正",
    )
    return True


def _contract(stay: KnownStay, entry: RosterEntry) -> bool:
    """The contract columns: the same number is the same contract, another one a renewal."""
    if not entry.has_contract:
        return False
    number = entry.contract_number
    same = next((c for c in stay.contracts if c.values["number"] == number), None)
    if same is None and stay.contracts and not (number and stay.contracts[-1].values["number"]):
        same = stay.contracts[-1]
    if same is None:
        stay.contracts.append(
            Draft(
                None,
                {
                    "kind": entry.contract_kind, "number": number,
                    "from_day": entry.contract_from, "to_day": entry.contract_to,
                },
            )
        )
        return True
    return any([
        same.fill("kind", entry.contract_kind), same.fill("number", number),
        same.fill("from_day", entry.contract_from), same.fill("to_day", entry.contract_to),
    ])

"""Writing the drafts of an import in bulk: one statement per kind of row, inside one transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Table, bindparam, delete, insert, select, update
from sqlalchemy.orm import Session

from desktop.people import seals
from desktop.people.roster_book import Draft, KnownPerson, KnownStay, chunks
from desktop.people.tables import Contract, Person, Stay, StayTeam
from desktop.storage.sealed import Sealer

_SEALED = {
    "id_number": "id_sealed", "address": "address_sealed", "phone": "phone_sealed",
    "bank_card": "bank_card_sealed", "emergency_phone": "emergency_phone_sealed",
}
"""Plain value of a draft → sealed column."""
_SEALED_COLUMNS = tuple(_SEALED.values())


class RosterStore:
    """Stores drafts; afterwards every draft that was written has its ``id``."""

    def __init__(self, session: Session, sealer: Sealer, project_id: int, now: datetime) -> None:
        self._session = session
        self._sealer = sealer
        self._project_id = project_id
        self._now = now

    def store(self, drafts: list[KnownPerson]) -> None:
        """Write what is new or changed; call it with some thousands at a time."""
        self._store_people(drafts)
        stays = [(person, stay) for person in drafts for stay in person.stays]
        self._store_stays(stays)
        self._store_teams([stay for _, stay in stays])
        self._store_contracts([stay for _, stay in stays])

    def _store_people(self, people: list[KnownPerson]) -> None:
        new = [person for person in people if person.id is None]
        self._insert(Person, [self._person_row(person) for person in new])
        numbers = {person.values["worker_no"]: person for person in new}
        for chunk in chunks(numbers):
            found = select(Person.worker_no, Person.id).where(Person.worker_no.in_(chunk))
            for number, person_id in self._session.execute(found):
                numbers[number].id = person_id
        self._update(Person, people, self._person_columns)

    def _person_row(self, person: KnownPerson) -> dict[str, Any]:
        values = {**dict.fromkeys(_SEALED_COLUMNS), **self._sealed(person.values)}
        values["id_index"] = self._sealer.index(seals.ID_NUMBER, person.values["id_number"])
        values["updated_at"] = self._now
        return values

    def _person_columns(self, draft: Draft) -> dict[str, Any]:
        changed = {column: draft.values[column] for column in draft.changed}
        return {**self._sealed(changed), "updated_at": self._now}

    def _sealed(self, values: Mapping[str, Any]) -> dict[str, Any]:
        stored: dict[str, Any] = {}
        for column, value in values.items():
            if column in _SEALED:
                stored[_SEALED[column]] = self._sealer.seal(value) if value else None
            else:
                stored[column] = value
        return stored

    def _store_stays(self, stays: list[tuple[KnownPerson, KnownStay]]) -> None:
        new = {(person.id, stay.from_day): stay for person, stay in stays if stay.id is None}
        rows = [
            {**stay.values, "project_id": self._project_id, "person_id": person_id}
            for (person_id, _), stay in new.items()
        ]
        self._insert(Stay, rows)
        for chunk in chunks(dict.fromkeys(person_id for person_id, _ in new)):
            found = select(Stay.id, Stay.person_id, Stay.from_day).where(
                Stay.project_id == self._project_id, Stay.person_id.in_(chunk)
            )
            for stay_id, person_id, from_day in self._session.execute(found):
                if (person_id, from_day) in new:
                    new[person_id, from_day].id = stay_id
        self._update(Stay, [stay for _, stay in stays], _changed)

    def _store_teams(self, stays: list[KnownStay]) -> None:
        new: list[dict[str, Any]] = []
        gone: list[int] = []
        kept: list[Draft] = []
        for stay in stays:
            for draft in stay.teams:
                if "gone" in draft.values:
                    gone += [draft.id] if draft.id is not None else []
                elif draft.id is None:
                    new.append({**draft.values, "stay_id": stay.id})
                else:
                    kept.append(draft)
        for chunk in chunks(gone):
            self._session.execute(delete(StayTeam).where(StayTeam.id.in_(chunk)))
        self._update(StayTeam, kept, _changed)
        self._insert(StayTeam, new)

    def _store_contracts(self, stays: list[KnownStay]) -> None:
        new = [
            {**draft.values, "project_id": self._project_id, "stay_id": stay.id}
            for stay in stays
            for draft in stay.contracts
            if draft.id is None
        ]
        self._insert(Contract, new)
        self._update(Contract, [draft for stay in stays for draft in stay.contracts], _changed)

    def _insert(self, mapped: type[Any], rows: list[dict[str, Any]]) -> None:
        if rows:
            self._session.connection().execute(insert(cast(Table, mapped.__table__)), rows)

    def _update(
        self, mapped: type[Any], drafts: Iterable[Draft],
        columns: Callable[[Draft], dict[str, Any]],
    ) -> None:
        """Update the changed columns; rows with the same set of columns share a statement."""
        table = cast(Table, mapped.__table__)
        batches: dict[tuple[str, ...], list[dict[str, Any]]] = {}
        for draft in drafts:
            if draft.id is not None and draft.changed:
                values = columns(draft)
                batches.setdefault(tuple(sorted(values)), []).append({**values, "row_id": draft.id})
        for rows in batches.values():
            statement = update(table).where(table.c.id == bindparam("row_id"))
            self._session.connection().execute(statement, rows)


def _changed(draft: Draft) -> dict[str, Any]:
    return {column: draft.values[column] for column in draft.changed}

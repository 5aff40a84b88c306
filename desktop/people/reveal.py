"""Showing numbers in clear, for a reason that is written down (invariant 9)."""

from __future__ import annotations

from dataclasses import dataclass

from desktop.access.actor import Act
from desktop.access.desk import Desk
from desktop.errors import Refused
from desktop.people.tables import Person


@dataclass(frozen=True, slots=True)
class Revealed:
    """What lists never show whole; empty where the book has nothing."""

    id_kind: str
    id_number: str
    phone: str
    bank_card: str
    address: str
    emergency_phone: str


def reveal(desk: Desk, person_id: int, why: str) -> Revealed:
    """The person's numbers in clear; the act and its reason are audited in the same transaction."""
    desk.permit(Act.PERSONAL_DATA_SHOWN)
    reason = why.strip()
    if not reason:
        raise Refused("reason_missing", "查看完整证件号码须写明事由，未显示。请填写事由。")
    opened = desk.book.sealer.open
    with desk.book.write() as session:
        person = session.get(Person, person_id)
        if person is None:
            raise Refused("unknown_person", "花名册里没有这个人，未显示。请刷新后再试。")

        def shown(sealed: bytes | None) -> str:
            return "" if sealed is None else opened(sealed)

        found = Revealed(
            person.id_kind, shown(person.id_sealed), shown(person.phone_sealed),
            shown(person.bank_card_sealed), shown(person.address_sealed),
            shown(person.emergency_phone_sealed),
        )
        desk.audit(session, Act.PERSONAL_DATA_SHOWN, f"person:{person_id}", why=reason)
    return found

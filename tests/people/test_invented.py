"""The invented people are nobody, differ from each other, and are always the same."""

from __future__ import annotations

from desktop.demo.people import invent_people
from desktop.people.rules import check_identity, is_mobile, luhn_ok, plausible_name


def test_everything_about_them_is_well_formed() -> None:
    people = invent_people(3_000, seed=7)
    for person in people:
        identity = check_identity(person.id_number)
        assert person.id_number.startswith(("410000", "419000"))
        assert identity.sex == person.sex
        assert is_mobile(person.phone) and luhn_ok(person.bank_card) and plausible_name(person.name)
    for attribute in ("id_number", "phone", "bank_card"):
        assert len({getattr(person, attribute) for person in people}) == len(people)


def test_a_small_sample_holds_the_difficult_names() -> None:
    names = {person.name for person in invent_people(50)}
    assert {"𠮷田明", "张䶮", "王𬭎", "买买提·阿不都热合曼·吐尔逊", "李〇"} <= names
    assert len({person.nation for person in invent_people(300)}) > 5


def test_the_same_seed_gives_the_same_people() -> None:
    assert invent_people(40, seed=3) == invent_people(90, seed=3)[:40]
    assert invent_people(10, seed=3) != invent_people(10, seed=4)
    assert invent_people(0) == []

"""What counts as a mention: names in any spelling, numbers in any grouping and encoding."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.demo.people import invent_people
from desktop.retention.needles import Identity, Needles

LONG = "买买提·阿不都热合曼·吐尔逊"
ID, PHONE, CARD = "41900019880808005X", "19900001234", "6200000000123456784"
NEEDLES = Needles.of(
    [Identity("王强", (ID, PHONE, CARD, "")), Identity(LONG, ("E1234567", "AB12C345"))],
    [Identity("王强生", ("19900009999",)), Identity("李〇", ())],
)


@pytest.mark.parametrize(
    "text",
    [
        "王强", "王 强漏打", "王　强", "找王强和王强生", f"见{LONG}证明", "买买提•阿不都热合曼•吐尔逊",
        ID, ID.lower(), f"证件{ID}。", "４１９０００１９８８０８０８００５Ｘ", "419000 1988 0808 005x",
        "电话199-0000-1234", "电话199 0000 1234", f"+86{PHONE}", f"卡{CARD}", "护照e1234567",
        "证AB12C345",
    ],
)
def test_mentions_are_found(text: str) -> None:
    assert NEEDLES.in_text(text)
    assert NEEDLES.in_bytes(text.encode("utf-8"))
    assert NEEDLES.in_bytes(b"\x01\x02" + text.replace("•", "·").encode("gb18030"))


@pytest.mark.parametrize(
    "text",
    ["", "王强生漏打", "强王", "王刚", "李〇", "19900009999", "2026-11-03 07:30:00", "419000198808080"],
)
def test_others_are_not(text: str) -> None:
    assert not NEEDLES.in_text(text)
    assert not NEEDLES.in_bytes(text.encode("utf-8"))


def test_what_is_somebody_elses_too_is_left_out_and_counted() -> None:
    needles = Needles.of(
        [Identity("王强", (PHONE, ID))], [Identity("王 强", ()), Identity("赵五", (PHONE,))]
    )
    assert needles.doubtful == 2
    assert needles.names == frozenset() and needles.codes == {ID}
    assert not needles.in_text(f"王强 {PHONE}") and needles.in_text(ID)


def test_whole_names_only() -> None:
    assert NEEDLES.is_name("王　强") and not NEEDLES.is_name("王强生")


PEOPLE = invent_people(40, seed=3)


@given(st.sampled_from(PEOPLE), st.text("，。0123456789 班组说明", max_size=12), st.data())
def test_whoever_is_looked_for_is_found_wherever_he_stands(
    who: object, around: str, data: st.DataObject
) -> None:
    person = next(one for one in PEOPLE if one is who)
    needles = Needles.of([Identity(person.name, (person.id_number, person.phone))], [])
    needle = data.draw(st.sampled_from([person.name, person.id_number, person.phone]))
    assert needles.in_text(f"说明，{around}，{needle}，{around}")
    text = f"，{around}，{needle}，".encode("gb18030")
    assert needles.in_bytes(text)

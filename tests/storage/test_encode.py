"""Two different records never have the same bytes."""

from __future__ import annotations

import json
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.storage.encode import ABSENT, Layout, absent, document
from desktop.storage.types import Json

LAYOUT = Layout("TEST", 1, ints=2, texts=2)
INTS = st.tuples(*[st.integers(ABSENT, 2**63 - 1)] * 2)
TEXTS = st.tuples(*[st.binary(max_size=4)] * 2)


@given(INTS, TEXTS, INTS, TEXTS)
def test_packing_is_one_to_one(
    ints: tuple[int, int],
    texts: tuple[bytes, bytes],
    other_ints: tuple[int, int],
    other_texts: tuple[bytes, bytes],
) -> None:
    same = (ints, texts) == (other_ints, other_texts)
    assert (LAYOUT.pack(ints, texts) == LAYOUT.pack(other_ints, other_texts)) == same


def test_the_bytes_are_fixed_for_ever() -> None:
    assert LAYOUT.pack((1, ABSENT), (b"a", "工".encode())).hex() == (
        "5445535401" "0000000000000001" "8000000000000000" "00000001" "00000003" "61" "e5b7a5"
    )  # fmt: skip


def test_kinds_and_versions_are_told_apart() -> None:
    layouts = [LAYOUT, Layout("TEST", 2, ints=2, texts=2), Layout("OTHR", 1, ints=2, texts=2)]
    assert len({layout.pack((1, 2), (b"", b"")) for layout in layouts}) == 3


def test_what_does_not_fit_is_an_error() -> None:
    for ints, texts in (((1,), (b"", b"")), ((1, 2), (b"",)), ((1, 2**63), (b"", b""))):
        with pytest.raises(struct.error):
            LAYOUT.pack(ints, texts)
    for tag, version in (("LONG!", 1), ("OKAY", 0), ("OKAY", 256)):
        with pytest.raises(ValueError, match="tag"):
            Layout(tag, version, ints=1, texts=0)


def test_null_is_a_number_of_its_own() -> None:
    assert absent(None) == ABSENT and absent(0) == 0


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(VALUES.filter(lambda value: value is not None))
def test_documents_are_what_the_database_stores(value: object) -> None:
    stored = Json().process_bind_param(value, None)  # type: ignore[arg-type]
    assert document(value).decode("utf-8") == stored
    assert json.loads(document(value)) == value


def test_a_document_is_plain_json() -> None:
    with pytest.raises(ValueError, match="JSON"):
        document(float("nan"))
    with pytest.raises(TypeError):
        document(b"bytes")

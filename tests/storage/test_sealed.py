"""Sealed fields open with their book's key only; blind indexes find equal texts only."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.errors import EnvironmentFault
from desktop.storage.keys import DataKey
from desktop.storage.sealed import Sealer

SEALER = Sealer(DataKey("one", bytes(32)).subkey)
OTHER = Sealer(DataKey("other", bytes(32)).subkey)


@given(st.text())
def test_what_is_sealed_comes_back(text: str) -> None:
    sealed = SEALER.seal(text)
    assert SEALER.open(sealed) == text
    assert len(sealed) == len(text.encode()) + 29
    assert sealed != SEALER.seal(text)


@pytest.mark.parametrize("at", [0, 1, 12, 13, 20, -1])
def test_a_changed_byte_is_refused_without_its_text(at: int) -> None:
    sealed = bytearray(SEALER.seal("41000019900101001X"))
    sealed[at] ^= 1
    with pytest.raises(EnvironmentFault) as caught:
        SEALER.open(bytes(sealed))
    assert "4100" not in str(caught.value)


@pytest.mark.parametrize("sealed", [b"", b"\x01", b"\x01" * 12, b"\x02" * 40, bytes(40)])
def test_what_was_never_sealed_is_refused(sealed: bytes) -> None:
    with pytest.raises(EnvironmentFault):
        SEALER.open(sealed)


def test_another_book_cannot_open_it() -> None:
    with pytest.raises(EnvironmentFault):
        OTHER.open(SEALER.seal("x"))


def test_an_index_finds_equal_texts_under_one_label_in_one_book() -> None:
    index = SEALER.index("phone", "19900000001")
    assert len(index) == 16 and index == SEALER.index("phone", "19900000001")
    others = {
        SEALER.index("phone", "19900000002"),
        SEALER.index("card", "19900000001"),
        SEALER.index("phone1", "9900000001"),
        OTHER.index("phone", "19900000001"),
    }
    assert len(others) == 4 and index not in others

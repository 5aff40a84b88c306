"""Commitments of a month: what moves them, what does not, and the page identity."""

from __future__ import annotations

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from desktop.months import rules
from desktop.storage.chain import leaf
from desktop.storage.encode import document

KEY = bytes(range(32))


def test_a_row_leaf_is_what_the_design_says() -> None:
    facts, personal = {"worker_no": 7, "cells": ["√"]}, b'{"name":"x"}'
    salt = rules.row_salt(KEY, "2026-11", 7, personal)
    commitment = hashlib.sha256(salt + personal).digest()
    by_hand = hashlib.sha256(b"\x00" + b"\x01" + document(facts) + commitment).digest()
    assert rules.row_leaf(facts, rules.personal_commitment(salt, personal)) == by_hand


def test_the_salt_depends_on_key_month_number_and_fields() -> None:
    base = rules.row_salt(KEY, "2026-11", 7, b"a")
    assert len(base) == 16
    others = {
        rules.row_salt(bytes(32), "2026-11", 7, b"a"), rules.row_salt(KEY, "2026-10", 7, b"a"),
        rules.row_salt(KEY, "2026-11", 8, b"a"), rules.row_salt(KEY, "2026-11", 7, b"b"),
    }
    assert len(others) == 4 and base not in others
    assert base == rules.row_salt(KEY, "2026-11", 7, b"a")


@given(st.lists(st.binary(min_size=32, max_size=32), min_size=1, max_size=40), st.data())
def test_a_page_digest_notices_every_change(leaves: list[bytes], data: st.DataObject) -> None:
    digest = rules.page_digest({"sheet": 1}, leaves)
    place = data.draw(st.integers(0, len(leaves) - 1))
    changed = [*leaves[:place], leaf(leaves[place]), *leaves[place + 1 :]]
    assert rules.page_digest({"sheet": 1}, changed) != digest
    assert rules.page_digest({"sheet": 2}, leaves) != digest
    assert rules.page_digest({"sheet": 1}, leaves[:-1]) != digest


def test_the_page_code_is_63_characters_of_the_qr_alphabet() -> None:
    code = rules.page_code(
        book_id="0f3a9c12-77aa-4b1e-9a55-000000000000", month="2026-11", sheet=12, page=3,
        version=1, digest=hashlib.sha256(b"x").digest(),
    )
    assert len(code) == 63
    assert set(code) <= set("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:")
    assert code.startswith("SM1:0F3A9C12:202611:012:003:01:")

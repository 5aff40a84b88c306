"""Envelopes to head office: what comes out is what went in, and nothing that was touched opens."""

from __future__ import annotations

import io
import json
import os
import struct
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from desktop.errors import Cancelled, Refused
from desktop.jobs import CancelToken
from desktop.storage import envelope
from desktop.storage.envelope import (
    CompanyPrivate,
    CompanyPublic,
    SigningKey,
    fingerprint,
    new_company_keys,
    open_key,
    open_stream,
    private_key,
    public_key,
    seal_key,
    seal_stream,
    signature_holds,
    verify_stream,
)
from tests.conftest import CHEAP

PASSPHRASE = "公司钥匙口令 company"
PRIVATE_FILE, PUBLIC_FILE = new_company_keys(
    PASSPHRASE, name="样例建工集团", made_on="2026-11-24", cost=CHEAP
)
PRIVATE = private_key(PRIVATE_FILE, PASSPHRASE)
PUBLIC = public_key(PUBLIC_FILE)
SITE = SigningKey(bytes(range(32)))
KIND = "rollup"


def sealed(content: bytes, *, signer: SigningKey | None = SITE, public: CompanyPublic = PUBLIC) -> bytes:
    target = io.BytesIO()
    seal_stream(public, io.BytesIO(content), target, kind=KIND, facts={"book": "b"}, signer=signer)
    return target.getvalue()


def opened(data: bytes, private: CompanyPrivate = PRIVATE, **how: object) -> bytes:
    target = io.BytesIO()
    open_stream(private, io.BytesIO(data), target, kind=KIND, **how)  # type: ignore[arg-type]
    return target.getvalue()


def refusal(act: Callable[[], object]) -> str:
    with pytest.raises(Refused) as caught:
        act()
    message = caught.value.message
    assert message.endswith("。") and "未" in message and "请" in message
    return caught.value.code


@pytest.mark.parametrize("size", [0, 1, (1 << 18) - 1, 1 << 18, (1 << 18) + 1, 3 << 18, 1_000_003])
@pytest.mark.parametrize("signer", [None, SITE])
def test_what_comes_out_is_what_went_in(size: int, signer: SigningKey | None) -> None:
    content = os.urandom(size)
    data = sealed(content, signer=signer)
    assert opened(data) == content
    header = envelope.look(io.BytesIO(data))
    assert (header.kind, header.recipient, dict(header.facts)) == (KIND, PUBLIC.id, {"book": "b"})
    assert header.signer == (None if signer is None else signer.public)
    assert content[:64] not in data or size < 20


def test_two_envelopes_of_one_content_share_nothing() -> None:
    first, second = sealed(b"same" * 100), sealed(b"same" * 100)
    assert first[-200:] != second[-200:] and len(first) == len(second)


def test_a_stream_that_gives_little_at_a_time() -> None:
    content = os.urandom(700_000)

    class Slow(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            return super().read(min(size or 0, 1000))

    data = io.BytesIO()
    seal_stream(PUBLIC, Slow(content), data, kind=KIND)
    target = io.BytesIO()
    open_stream(PRIVATE, Slow(data.getvalue()), target, kind=KIND)
    assert target.getvalue() == content


DATA = sealed(os.urandom(600_000))


@settings(max_examples=120, deadline=None)
@given(st.integers(0, len(DATA) - 1), st.integers(1, 255))
def test_one_changed_byte_anywhere_is_refused(place: int, by: int) -> None:
    changed = bytearray(DATA)
    changed[place] ^= by
    assert refusal(lambda: opened(bytes(changed))).startswith("envelope_")
    assert refusal(lambda: verify_stream(io.BytesIO(bytes(changed)), kind=KIND)).startswith("envelope_")


@settings(max_examples=60, deadline=None)
@given(st.integers(0, len(DATA) - 1))
def test_a_cut_file_is_refused(length: int) -> None:
    assert refusal(lambda: opened(DATA[:length])) in (
        "envelope_cut", "envelope_altered", "envelope_unknown",
    )  # fmt: skip


def frames(data: bytes) -> tuple[bytes, list[bytes], bytes]:
    """Head, frames and signature of an envelope."""
    at = 12 + int.from_bytes(data[8:12], "big")
    head, found = data[:at], []
    while True:
        word = int.from_bytes(data[at : at + 4], "big")
        size = 4 + (word & 0x7FFFFFFF)
        found.append(data[at : at + size])
        at += size
        if word >> 31:
            return head, found, data[at:]


@pytest.mark.parametrize("signer", [None, SITE])
def test_frames_cannot_be_moved_dropped_repeated_or_appended(signer: SigningKey | None) -> None:
    head, parts, end = frames(sealed(os.urandom(1_000_000), signer=signer))
    first, second, *rest = parts
    forged = [
        [second, first, *rest],
        [second, *rest],
        [first, first, second, *rest],
        [first, struct.pack(">I", (len(second) - 4) | 1 << 31) + second[4:]],
        [first, second, *rest, rest[-1]],
    ]
    for one in forged:
        assert refusal(lambda one=one: opened(head + b"".join(one) + end)).startswith("envelope_")
    other_head, _, _ = frames(sealed(b"x", signer=signer))
    assert refusal(lambda: opened(other_head + b"".join(parts) + end)) == "envelope_altered"
    assert refusal(lambda: opened(head + b"".join(parts) + end + b"\0")) == "envelope_altered"


def test_a_signature_cannot_be_taken_off_or_replaced() -> None:
    head, parts, end = frames(sealed(b"content"))
    body = json.loads(head[12:])
    for signer in (None, SigningKey(bytes(32)).public.hex()):
        text = json.dumps(body | {"signer": signer}).encode()
        forged = head[:8] + struct.pack(">I", len(text)) + text + b"".join(parts)
        for tail in (b"", end):
            assert refusal(lambda forged=forged, tail=tail: opened(forged + tail)).startswith("envelope_")
    other = sealed(b"content", signer=SigningKey(bytes(32)))
    assert refusal(lambda: opened(other, signer=SITE.public)) == "envelope_signer"
    assert opened(other, signer=SigningKey(bytes(32)).public) == b"content"
    assert refusal(lambda: opened(sealed(b"x", signer=None), signer=SITE.public)) == "envelope_signer"


def test_a_signed_envelope_is_proven_without_the_private_key() -> None:
    data = sealed(os.urandom(400_000))
    assert verify_stream(io.BytesIO(data), kind=KIND).signer == SITE.public
    assert refusal(lambda: verify_stream(io.BytesIO(sealed(b"", signer=None)), kind=KIND)) == (
        "envelope_unsigned"
    )


def test_another_key_another_kind_and_other_files_are_refused() -> None:
    private, _ = new_company_keys(PASSPHRASE, cost=CHEAP)
    other = private_key(private, PASSPHRASE)
    assert refusal(lambda: opened(sealed(b"x"), other)) == "envelope_other_key"
    data = sealed(b"x")
    stream = io.BytesIO(data)
    assert refusal(lambda: open_stream(PRIVATE, stream, io.BytesIO(), kind="backup")) == "envelope_kind"
    for junk in (b"", b"SQLite format 3\x00" * 9, b"SMENV\x00\x01\n", data[:8] + b"\xff" * 40):
        assert refusal(lambda junk=junk: opened(junk)).startswith("envelope_")
    newer = json.dumps({"format": 9}).encode()
    assert refusal(lambda: opened(data[:8] + struct.pack(">I", len(newer)) + newer)) == "envelope_newer"


@pytest.mark.parametrize("body", [b"[" * 60_000, b"{}", b"null", b'{"format":1}', b"\xff" * 10])
def test_hostile_headers_are_refused(body: bytes) -> None:
    data = DATA[:8] + struct.pack(">I", len(body)) + body
    assert refusal(lambda: opened(data)) == "envelope_altered"


def test_hostile_sizes_are_refused_before_memory_is_taken() -> None:
    head, _, _ = frames(DATA)
    assert refusal(lambda: opened(head + struct.pack(">I", 0x7FFFFFFF))) == "envelope_altered"
    assert refusal(lambda: opened(head + struct.pack(">I", 16) + bytes(16))) == "envelope_altered"
    assert refusal(lambda: opened(DATA, limit=500_000)) == "envelope_too_large"


def test_a_recipient_key_that_gives_nothing_away_is_not_sealed_to() -> None:
    with pytest.raises(ValueError, match="shared"):
        sealed(b"x", public=CompanyPublic("", "", bytes(32)))
    forged = bytearray(DATA)
    place = DATA.index(b'"ephemeral":"') + 13
    forged[place : place + 64] = b"0" * 64
    assert refusal(lambda: opened(bytes(forged))) == "envelope_altered"


def test_sealing_can_be_cancelled() -> None:
    token = CancelToken()
    token.set()
    with pytest.raises(Cancelled):
        seal_stream(PUBLIC, io.BytesIO(b"x"), io.BytesIO(), kind=KIND, cancel=token)
    with pytest.raises(Cancelled):
        open_stream(PRIVATE, io.BytesIO(DATA), io.BytesIO(), kind=KIND, cancel=token)


def test_facts_that_do_not_fit_the_header_are_a_defect_of_the_caller() -> None:
    with pytest.raises(ValueError, match="too long"):
        seal_stream(PUBLIC, io.BytesIO(), io.BytesIO(), kind=KIND, facts={"x": "y" * 70_000})


def test_a_sealed_key_opens_for_its_purpose_only() -> None:
    secret = os.urandom(32)
    wrapped = seal_key(PUBLIC, secret, b"book/company/1")
    assert open_key(PRIVATE, wrapped, b"book/company/1") == secret
    assert open_key(PRIVATE, wrapped, b"book/company/2") is None
    assert open_key(PRIVATE, wrapped[:-1], b"book/company/1") is None
    assert open_key(PRIVATE, b"", b"book/company/1") is None
    assert open_key(PRIVATE, bytes(80), b"book/company/1") is None


def test_signatures_hold_for_one_message_and_one_key() -> None:
    signature = SITE.sign(b"m")
    assert signature_holds(SITE.public, b"m", signature)
    assert not signature_holds(SITE.public, b"n", signature)
    assert not signature_holds(SigningKey(bytes(32)).public, b"m", signature)
    assert not signature_holds(b"", b"m", b"")


def test_a_fingerprint_tells_key_and_name_apart() -> None:
    groups = PUBLIC.fingerprint.split(" ")
    assert len(groups) == 8 and all(len(one) == 5 and one.isdigit() for one in groups)
    assert fingerprint(PUBLIC.raw, "别的公司") != PUBLIC.fingerprint
    assert fingerprint(bytes(32), PUBLIC.name) != PUBLIC.fingerprint


def test_key_files_hold_no_secret_and_refuse_what_they_are_not() -> None:
    assert PRIVATE.public == PUBLIC and public_key(PUBLIC.as_file()) == PUBLIC
    assert PASSPHRASE.encode() not in PRIVATE_FILE and "CompanyPrivate(…)" in repr(PRIVATE)
    assert refusal(lambda: private_key(PRIVATE_FILE, "错的口令")) == "company_passphrase"
    assert refusal(lambda: private_key(PUBLIC_FILE, PASSPHRASE)) == "company_key_file"
    assert refusal(lambda: public_key(PRIVATE_FILE)) == "company_key_file"
    renamed = json.loads(PRIVATE_FILE) | {"name": "别的公司"}
    assert refusal(lambda: private_key(json.dumps(renamed).encode(), PASSPHRASE)) == "company_passphrase"
    for junk in (b"", b"[]", b"{}", b"\xff", b"[" * 50_000, b"{" + b" " * (1 << 17) + b"}", b"null"):
        assert refusal(lambda junk=junk: public_key(junk)) == "company_key_file"
    body = json.loads(PUBLIC_FILE)
    for wrong in ({"x25519": "00"}, {"x25519": "00" * 32}, {"x25519": 5}, {"name": 7}, {"name": "长" * 300}, {"made_on": "x" * 11}):
        assert refusal(lambda wrong=wrong: public_key(json.dumps(body | wrong).encode())) == "company_key_file"
    assert refusal(lambda: public_key(json.dumps(body | {"format": 9}).encode())) == "company_key_newer"


def test_a_short_passphrase_and_a_long_name_make_no_keys() -> None:
    assert refusal_of_new("short") == "passphrase_short"
    assert refusal_of_new(PASSPHRASE, "长" * 201) == "company_name"


def refusal_of_new(passphrase: str, name: str = "") -> str:
    with pytest.raises(Refused) as caught:
        new_company_keys(passphrase, name=name, cost=CHEAP)
    return caught.value.code

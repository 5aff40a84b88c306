"""Commitments of a frozen month (design §5): pure functions from printed facts to digests.

Leaf of a row = SHA-256(00 ‖ format ‖ facts ‖ SHA-256(salt ‖ printed personal fields)), so that
salt and fields can be erased later while the leaf keeps its meaning. Page, sheet and month digests
are Merkle roots over header facts and leaves in print order. Excluded on purpose: database ids,
time and operator of freezing, paths, version number: the same book restored anywhere gives the
same digests.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from desktop.storage.chain import leaf, merkle_root
from desktop.storage.encode import document

ROW_FORMAT = 1
"""Raised when the encoding of a row changes; old leaves stay verifiable."""

MANAGERS_SHEET = 900
"""Managers' sheets are numbered 901, 902, … in the order of their units."""


def row_salt(key: bytes, month: str, worker_no: int, personal: bytes) -> bytes:
    """The salt of one row: 16 bytes, the same in every copy of the same book.

    ``key`` is the book's sub-key for month rows; ``personal`` the canonical personal fields.
    """
    info = b"|".join(
        (month.encode(), str(worker_no).encode(), hashlib.sha256(personal).digest())
    )
    return HKDF(algorithm=hashes.SHA256(), length=16, salt=None, info=info).derive(key)


def row_leaf(facts: Any, personal_commitment: bytes) -> bytes:
    """Leaf of one printed row, see the module's docstring."""
    return encoded_row_leaf(document(facts), personal_commitment)


def encoded_row_leaf(facts: bytes, personal_commitment: bytes) -> bytes:
    """The same over facts as they are stored: verification parses nothing."""
    return leaf(bytes([ROW_FORMAT]) + facts + personal_commitment)


def personal_commitment(salt: bytes, personal: bytes) -> bytes:
    """What stays of the personal fields after erasure."""
    return hashlib.sha256(salt + personal).digest()


def page_digest(header: Any, leaves: Sequence[bytes]) -> bytes:
    """Digest of the rows on one page, or of a whole sheet: header facts first."""
    return merkle_root([leaf(document(header)), *leaves])


def month_digest(header: Any, sheets: Sequence[bytes]) -> bytes:
    """Digest of a month over its sheets in print order."""
    return merkle_root([leaf(document(header)), *(leaf(sheet) for sheet in sheets)])


def page_code(
    *, book_id: str, month: str, sheet: int, page: int, version: int, digest: bytes
) -> str:
    """Page identity: 63 characters of the QR alphanumeric set.

    ``SM1:<book 8>:<yyyymm>:<team 3>:<page 3>:<version 2>:<160 bits of the digest, base32>``

    >>> page_code(book_id="a1b2c3d4e5", month="2026-11", sheet=3, page=1, version=1,
    ...           digest=bytes(32))
    'SM1:A1B2C3D4:202611:003:001:01:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'
    """
    short = base64.b32encode(digest[:20]).decode()
    book = book_id.replace("-", "")[:8].upper()
    return f"SM1:{book}:{month.replace('-', '')}:{sheet:03d}:{page:03d}:{version:02d}:{short}"

"""Canonical bytes of the four kinds of ledger records, and their digests (design §5).

Every column of a row goes in except the segment it belongs to; the values are taken as they stand
in the database, text as bytes, so that a forged row gives a digest and never an error. The layout
is that of :class:`desktop.storage.encode.Layout`; the loop for punches writes it out because there
are a million of them.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from hashlib import sha256
from typing import Any

from desktop.storage.chain import leaf
from desktop.storage.encode import ABSENT, Layout

PUNCH = Layout("PNCH", 1, ints=12, texts=2)
"""id, terminal, epoch, seq, t_local, day, method_raw, state_raw, method_class, accepted,
source_format, received_at; number, raw."""

SIGHTING = Layout("SIGH", 1, ints=2, texts=1)
"""id, punch; origin."""

CONFLICT = Layout("CONF", 1, ints=3, texts=1)
"""id, punch, source_format; raw."""

QUARANTINE = Layout("QUAR", 1, ints=4, texts=4)
"""id, terminal, source_format, received_at; reason, number, time text, raw."""

_PUNCH_HEAD = struct.Struct(f">6s{PUNCH.ints}q{PUNCH.texts}I").pack
_PUNCH_MARK = b"\x00PNCH\x01"
"""The mark of a leaf, then the prefix of :data:`PUNCH`."""

PunchRow = tuple[int, int, int, "int | None", bytes, int, int, int, int, int, int, int, int, bytes, Any]
"""id, terminal, epoch, seq, number, t_local, day, method_raw, state_raw, method_class, accepted,
source_format, received_at, raw, and the segment, which is not part of the digest."""

IMPOSSIBLE = bytes(32)
"""Stands for a row whose values no writer of ours could have written; equals no digest."""


def punch_leaves(rows: Iterable[PunchRow]) -> Iterator[bytes]:
    """Digest of each punch row; ``number`` as UTF-8 bytes."""
    pack, mark, digest, none = _PUNCH_HEAD, _PUNCH_MARK, sha256, ABSENT
    for ident, terminal, epoch, seq, number, t_local, day, method, state, kind, ok, form, at, raw, _ in rows:
        try:
            yield digest(
                pack(
                    mark, ident, terminal, epoch, none if seq is None else seq, t_local, day,
                    method, state, kind, ok, form, at, len(number), len(raw),
                )
                + number
                + raw
            ).digest()
        except (struct.error, TypeError):
            yield IMPOSSIBLE


def sighting_leaf(ident: int, punch_id: int, origin: bytes) -> bytes:
    """Digest of a row of ``punch_sighting``."""
    return _leaf(SIGHTING, (ident, punch_id), (origin,))


def conflict_leaf(ident: int, punch_id: int, source_format: int, raw: bytes) -> bytes:
    """Digest of a row of ``punch_conflict``."""
    return _leaf(CONFLICT, (ident, punch_id, source_format), (raw,))


def quarantine_leaf(
    ident: int, terminal_id: int, source_format: int, received_at: int,
    reason: bytes, number: bytes, time_text: bytes, raw: bytes,
) -> bytes:
    """Digest of a row of ``punch_quarantine``."""
    return _leaf(
        QUARANTINE, (ident, terminal_id, source_format, received_at),
        (reason, number, time_text, raw),
    )


def _leaf(layout: Layout, ints: tuple[Any, ...], texts: tuple[Any, ...]) -> bytes:
    try:
        return leaf(layout.pack(ints, texts))
    except (struct.error, TypeError):
        return IMPOSSIBLE

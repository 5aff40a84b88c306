"""What the stations of punches keep sealed under the book's data key, for a change of that key."""

from __future__ import annotations

from desktop.punches import known, originals, spool
from desktop.storage.sealed import SealedField

FIELDS = (SealedField("terminal", "password_sealed"),)
FILES = (originals.SEALED, spool.SEALED, known.SEALED)

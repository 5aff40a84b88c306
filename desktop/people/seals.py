"""Labels of the blind indexes of people: one place, so that every search finds what was stored.

The text under a label is always normalised first (``rules.normal_code`` or ``normal_number``).
"""

from __future__ import annotations

ID_NUMBER = "id_number"
PHONE = "phone"
BANK_CARD = "bank_card"

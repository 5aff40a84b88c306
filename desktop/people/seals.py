"""Labels of the blind indexes of people: one place, so that every search finds what was stored.

The text under a label is always normalised first (``rules.normal_code`` or ``normal_number``).
"""

from __future__ import annotations

from desktop.storage.sealed import SealedField

ID_NUMBER = "id_number"
PHONE = "phone"
BANK_CARD = "bank_card"

FIELDS = (
    SealedField("person", "id_sealed", "id_index", ID_NUMBER),
    SealedField("person", "phone_sealed", "phone_index", PHONE),
    SealedField("person", "bank_card_sealed", "bank_card_index", BANK_CARD),
    SealedField("person", "address_sealed"),
    SealedField("person", "emergency_phone_sealed"),
)
"""What a change of the data key seals anew."""

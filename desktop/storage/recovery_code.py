"""The printed recovery code: 128 bits as eight groups of six digits.

Each group is a 16-bit number times eleven, so a mistyped digit or two swapped neighbours are
found in their group, and an office can type it on the number pad. The code opens one key slot;
it is no key itself (:mod:`desktop.storage.keys` stretches it).
"""

from __future__ import annotations

import os
import unicodedata

from desktop.errors import Refused

GROUPS = 8
_DIGITS = 6
_LIMIT = 1 << 16


def new_code() -> str:
    """A fresh code as printed: ``123456-…``, 48 digits."""
    return printed(os.urandom(2 * GROUPS))


def printed(secret: bytes) -> str:
    """The printed form of 16 bytes.

    >>> printed(bytes(15) + b"\\x01")
    '000000-000000-000000-000000-000000-000000-000000-000011'
    """
    words = (int.from_bytes(secret[at : at + 2], "big") for at in range(0, 2 * GROUPS, 2))
    return "-".join(f"{word * 11:0{_DIGITS}d}" for word in words)


def secret_of(typed: str) -> bytes:
    """The 16 bytes of a typed code; blanks, dashes and full-width digits do not matter.

    Raises :class:`Refused` ``recovery_code_mistyped`` naming the length or the wrong group.
    """
    plain = unicodedata.normalize("NFKC", typed)
    digits = "".join(sign for sign in plain if sign.isascii() and sign.isdigit())
    others = [sign for sign in plain if sign.isalpha()]
    if others or len(digits) != GROUPS * _DIGITS:
        raise Refused(
            "recovery_code_mistyped",
            f"恢复码应为{GROUPS}组、每组{_DIGITS}位数字，现在输入了{len(digits)}位。未做任何改动。请对照纸面重新输入。",
            digits=len(digits),
        )
    secret = bytearray()
    for group in range(GROUPS):
        word, rest = divmod(int(digits[group * _DIGITS : (group + 1) * _DIGITS]), 11)
        if rest or word >= _LIMIT:
            raise Refused(
                "recovery_code_mistyped",
                f"恢复码第{group + 1}组输入有误。未做任何改动。请对照纸面重新输入这一组。",
                group=group + 1,
            )
        secret += word.to_bytes(2, "big")
    return bytes(secret)

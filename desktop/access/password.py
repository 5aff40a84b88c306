"""Log-in passwords: which are good enough, how they are kept, whether one fits.

Argon2id with 64 MiB, three passes, one lane (storage-notes §7): about 0.15 s for a guess here.
Imported late: opening a book must not wait for it.
"""

from __future__ import annotations

import hashlib
import unicodedata
from itertools import pairwise

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from desktop.errors import Refused

LEAST = 8
_MOST = 256
_MOST_TYPED = 4 * _MOST
_HASHER = PasswordHasher(time_cost=3, memory_cost=64 * 1024, parallelism=1)
_NOBODY = (
    "$argon2id$v=19$m=65536,t=3,p=1$E9pqZG1wHPMgGW1V66TXEw"
    "$ku468III03xEHc7C35W6lqY6pwxKfAWtnLC+PbOy9w0"
)
"""Of random bytes nobody kept: what an unknown user's password is compared with."""


def normal(typed: str) -> str:
    """Full-width, half-width and composed forms of the same text become equal (NFKC)."""
    return unicodedata.normalize("NFKC", typed)


def hashed(typed: str, name: str) -> str:
    """The stored form of a new password; :class:`Refused` ``password_weak`` for a poor one."""
    text = normal(typed)
    fault = _fault(text, name)
    if fault:
        raise Refused(
            "password_weak",
            f"登录密码{fault}，未做任何改动。请用{LEAST}个以上的字符，"
            "例如几个不相干的词连起来，不要用姓名、连号或重复的字符。",
            least=LEAST,
        )
    return _HASHER.hash(text)


def fits(stored: str | None, typed: str) -> bool:
    """Whether ``typed`` is the password. Without a stored one the same work is done in vain, so
    that the time does not tell who exists."""
    try:
        _HASHER.verify(_NOBODY if stored is None else stored, normal(typed[:_MOST_TYPED]))
    except (VerificationError, InvalidHashError):
        return False
    return stored is not None


def worn(stored: str) -> bool:
    """Whether the hash was made with other costs than today's and should be made anew."""
    return _HASHER.check_needs_rehash(stored)


def renewed(typed: str) -> str:
    """A fresh hash of a password that was found to fit."""
    return _HASHER.hash(normal(typed))


def fingerprint(stored: str | None) -> str:
    """What the audit trail keeps of a stored hash: enough to see it exchanged."""
    return "" if stored is None else hashlib.sha256(stored.encode()).hexdigest()[:16]


def _fault(text: str, name: str) -> str:
    if len(text) < LEAST:
        return f"只有{len(text)}个字符，太短"
    if len(text) > _MOST:
        return f"超过{_MOST}个字符"
    low = text.casefold()
    if name and low in (name.casefold() * 2, name.casefold()):
        return "与用户名相同"
    steps = {ord(after) - ord(before) for before, after in pairwise(low)}
    if len(set(low)) < 4 or (len(steps) == 1 and steps <= {-1, 0, 1}):
        return "是连号或重复的字符"
    if low in _KNOWN:
        return "是人人都会先试的"
    return ""


_KNOWN = frozenset({
    "password", "passw0rd", "password1", "password123", "qwertyui", "qwertyuiop", "1qaz2wsx",
    "qwer1234", "asdf1234", "abcd1234", "abc12345", "admin123", "admin888", "administrator",
    "woaini1314", "woaini520", "a1234567", "12345678a", "123456789a", "iloveyou", "11223344",
    "1234qwer", "12341234", "147258369", "88888888", "12345679", "sitemuster",
})

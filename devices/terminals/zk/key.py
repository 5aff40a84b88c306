"""The answer to a terminal that wants its communication key (§3).

No encryption: whoever listens can undo it. It only keeps strangers' software out.
"""

from __future__ import annotations

from devices.errors import AccessDenied

TICK = 50
LARGEST = 0xFFFFFFFF


def parse(password: str) -> int:
    """The key from its digits, 0 for an empty string. ``AccessDenied`` when it is no number:
    no terminal accepts it, and sending something else would count as a wrong try."""
    text = password.strip()
    if not text:
        return 0
    if not (text.isascii() and text.isdigit()) or int(text) > LARGEST:
        raise AccessDenied("key_wrong")
    return int(text)


def scramble(key: int, session: int, tick: int = TICK) -> bytes:
    """The four AUTH bytes.

    >>> scramble(123456, 0x5B2F).hex(" ")
    '26 7f 32 a2'
    """
    reversed_bits = int(f"{key & LARGEST:032b}"[::-1], 2)
    mixed = ((reversed_bits + session) & LARGEST).to_bytes(4, "little")
    _, second, third, fourth = (a ^ b for a, b in zip(mixed, b"ZKSO", strict=True))
    # The two 16-bit halves change places, then the tick goes over three bytes and into the fourth.
    return bytes((third ^ tick, fourth ^ tick, tick, second ^ tick))

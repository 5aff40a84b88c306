"""Every code this program sends or understands (§2, §8, §10).

``Request`` is the whole vocabulary towards a terminal. Nothing that clears a log, deletes or
writes a user, sets an option or the clock, restarts the unit or opens a door has a name here, and
a test compares this set with the allowed one.
"""

from __future__ import annotations

from enum import IntEnum

from devices.terminals.model import MethodClass


class Request(IntEnum):
    """What is sent."""

    READ_USERS = 9
    READ_OPTION = 11
    READ_PUNCHES = 13
    READ_COUNTS = 50
    READ_TIME = 201
    CONNECT = 1000
    EXIT = 1001
    READ_VERSION = 1100
    AUTH = 1102
    FREE_DATA = 1502
    PREPARE_READ = 1503
    READ_CHUNK = 1504
    ACK_EVENT = 2000


class Reply(IntEnum):
    """What comes back."""

    EVENT = 500
    PREPARE_DATA = 1500
    DATA = 1501
    OK = 2000
    ERROR = 2001
    OK_DATA = 2002
    RETRY = 2003
    REPEAT = 2004
    UNAUTHORISED = 2005
    BAD_DATA = 65531
    NOT_INITIALISED = 65532
    BAD_COMMAND = 65533
    UNKNOWN_COMMAND = 65535


REFUSALS = frozenset({Reply.ERROR, Reply.BAD_DATA, Reply.BAD_COMMAND, Reply.UNKNOWN_COMMAND})
"""Answers that mean "this unit cannot do that", as against a broken session."""

EVENT_KINDS = {
    1: "punch",
    2: "finger",
    4: "user_enrolled",
    8: "finger_enrolled",
    16: "key",
    32: "unlock",
    128: "verify",
    256: "score",
    512: "alarm",
}
"""Flag in the session field of an event packet (§8)."""

_BIOMETRIC = {1, 8, 9, 10, 12, 13, 14, *range(15, 30)}
_NOT_BIOMETRIC = {2, 3, 4, 7, 11}

METHOD_CLASSES = bytes(
    MethodClass.BIOMETRIC
    if code in _BIOMETRIC
    else MethodClass.NOT_BIOMETRIC
    if code in _NOT_BIOMETRIC
    else MethodClass.UNPROVEN
    for code in range(256)
)
"""Class of each method code (§10) as a table for ``bytes.translate``; unknown = not proven."""


def method_class(code: int) -> int:
    """The :class:`MethodClass` of a method code; anything outside the table is not proven."""
    return METHOD_CLASSES[code] if 0 <= code < 256 else int(MethodClass.UNPROVEN)

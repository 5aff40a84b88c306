"""The error tree of devices: codes and facts only.

No sentence for users is written here; the program above turns ``code`` and the attributes into
Chinese. No error carries a key, a password, a name or a person's number.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from devices.terminals.model import Certain


class DeviceError(Exception):
    """Something about a device or its file. ``code`` is stable and snake_case.

    ``certain`` is set by ``Driver.pull``: what is known although no punch may be used.
    """

    code = "device_error"

    def __init__(self, *facts: object) -> None:
        super().__init__(self.code, *facts)
        self.certain: Certain | None = None


class DeviceNotFound(DeviceError):
    """Nobody is at the address. ``reason``: ``refused``, ``unreachable``, ``no_answer``, ``name``
    (host name unknown) or ``address`` (cannot be read as HOST:PORT)."""

    code = "device_not_found"

    def __init__(self, address: str, reason: str) -> None:
        super().__init__(address, reason)
        self.address = address
        self.reason = reason


class DeviceBusy(DeviceError):
    """Another program holds the terminal: it took the connection but refused the session."""

    code = "device_busy"

    def __init__(self, address: str) -> None:
        super().__init__(address)
        self.address = address


class AccessDenied(DeviceError):
    """The terminal wants a key. ``remedy_id``: ``key_missing`` or ``key_wrong``. Never retried."""

    code = "access_denied"

    def __init__(self, remedy_id: str) -> None:
        super().__init__(remedy_id)
        self.remedy_id = remedy_id


class DeviceTimeout(DeviceError):
    """No (complete, valid) answer in time. ``step`` names what was waited for.

    ``given_up`` is true when the whole operation was without a valid packet for its limit
    (60 s): no further attempt was made.
    """

    code = "device_timeout"

    def __init__(self, step: str, timeout_s: float, *, given_up: bool = False) -> None:
        super().__init__(step, timeout_s, given_up)
        self.step = step
        self.timeout_s = timeout_s
        self.given_up = given_up


class ConnectionCut(DeviceError):
    """The terminal closed the connection in the middle (cable, reboot, another client)."""

    code = "connection_cut"

    def __init__(self, step: str) -> None:
        super().__init__(step)
        self.step = step


class BadResponse(DeviceError):
    """An answer that cannot be believed.

    ``what`` is one of ``magic``, ``frame_length``, ``checksum``, ``reply`` (unexpected code),
    ``reply_number``, ``size`` (announced size out of bounds or disagreeing), ``transfer``
    (fewer or more bytes than announced), ``count`` (records disagree with the terminal's own
    count), ``layout`` (record width unknown), ``unsteady_log`` (two reads of the same older part
    differ), ``fields`` (too short to hold its fields). ``expected`` / ``got`` are numbers or words.
    """

    code = "bad_response"

    def __init__(self, what: str, *, expected: object = None, got: object = None) -> None:
        super().__init__(what, expected, got)
        self.what = what
        self.expected = expected
        self.got = got
        self.raw = b""
        """For ``layout`` and ``count``: the log as received, so that it can be kept apart."""


class NotSupported(DeviceError):
    """This terminal or driver cannot do it; ``what`` names the act."""

    code = "not_supported"

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what


class Cancelled(DeviceError):
    """The caller's cancel was set; nothing was returned."""

    code = "cancelled"


class FileRefused(DeviceError):
    """A file that is not taken at all; nothing read from it before may be used either.

    ``reason``: ``too_large``, ``spreadsheet`` (or another zip or OLE file), ``encrypted``,
    ``not_text``, ``not_attlog`` (no line of it reads as a punch), ``mixed_order`` (number-first and time-first lines), ``mixed_device`` (more than one
    device number), ``empty``, ``unreadable``, ``not_users``. ``line`` is 1-based, 0 = the file.
    """

    code = "file_refused"

    def __init__(self, reason: str, *, line: int = 0, facts: tuple[object, ...] = ()) -> None:
        super().__init__(reason, line, *facts)
        self.reason = reason
        self.line = line
        self.facts = facts

"""The program's error tree: what the user must know, who is at fault, what was left untouched.

Three audiences are kept apart: :class:`Refused` is the user's situation and is shown as it is;
:class:`EnvironmentFault` is the machine's (disk, medium, damaged file); :class:`Cancelled` is
silence. Everything else that escapes is our bug.
"""

from __future__ import annotations

from typing import Any


class SiteMusterError(Exception):
    """An error with a stable ``code``, one Chinese sentence with the next step, and facts.

    ``facts`` never hold personal data in clear: they end in ``--json`` output and in logs.
    """

    def __init__(self, code: str, message: str, **facts: Any) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.facts = facts


class Refused(SiteMusterError):
    """The request cannot be carried out as it stands; nothing was changed."""


class Conflict(Refused):
    """Somebody else changed it since the caller looked; the sentence says who, what and when."""


class NotPermitted(Refused):
    """The actor may not do this act."""


class EnvironmentFault(SiteMusterError):
    """Disk full, read-only medium, damaged file, lost key: not the user's fault, nor ours."""


class Cancelled(SiteMusterError):
    """The user stopped a job; what was done before the last safe point is kept."""

    def __init__(self) -> None:
        super().__init__("cancelled", "已取消。")

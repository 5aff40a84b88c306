"""Trying again, by the rule of the house: at most three times, each from a fresh session."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from devices.errors import AccessDenied, Cancelled, DeviceError, DeviceTimeout, NotSupported
from devices.terminals.driver import Progress
from devices.terminals.zk.transport import Watch

T = TypeVar("T")


def repeated(run: Callable[[int], T], watch: Watch, progress: Progress, failures: list[str]) -> T:
    """``run(attempt)`` until it returns; the last error when the attempts are used up.

    A refused key is never tried twice (lock-out), nor is anything after the limit of silence.
    ``failures`` collects the code of each failed attempt.
    """
    waits = watch.timing.waits_s
    for attempt in range(1, len(waits) + 2):
        try:
            watch.check("connect")
            return run(attempt)
        except (AccessDenied, Cancelled, NotSupported) as error:
            failures.append(error.code)
            raise
        except DeviceError as error:
            failures.append(error.code)
            given_up = isinstance(error, DeviceTimeout) and error.given_up
            if given_up or attempt > len(waits):
                raise
            progress(0, 0, "wait")
            watch.pause(waits[attempt - 1], "wait")
    raise AssertionError("unreachable")

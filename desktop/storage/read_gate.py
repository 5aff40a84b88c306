"""Readers pass freely, unless a file is about to be exchanged under them.

Readers of a book never wait for its writer. Only a new data key puts another file in place
(:mod:`desktop.storage.rekey`); for that instant nobody may be inside.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from desktop.storage import faults

_WAIT_S = 60


class ReadGate:
    """Counts who is inside. A read inside a read of the same thread always passes."""

    def __init__(self) -> None:
        self._change = threading.Condition()
        self._inside = 0
        self._shut = False
        self._depth = threading.local()

    @contextmanager
    def passing(self) -> Iterator[None]:
        """Be inside. Raises ``book_busy`` when the gate stays shut for a minute."""
        depth: int = getattr(self._depth, "value", 0)
        with self._change:
            if not depth and not self._change.wait_for(lambda: not self._shut, _WAIT_S):
                raise faults.busy()
            self._inside += 1
        self._depth.value = depth + 1
        try:
            yield
        finally:
            self._depth.value = depth
            with self._change:
                self._inside -= 1
                self._change.notify_all()

    @contextmanager
    def shut(self) -> Iterator[None]:
        """Let nobody in, wait until the last one is out. Raises ``book_busy`` after a minute."""
        with self._change:
            self._shut = True
            if not self._change.wait_for(lambda: not self._inside, _WAIT_S):
                self._shut = False
                self._change.notify_all()
                raise faults.busy()
        try:
            yield
        finally:
            with self._change:
                self._shut = False
                self._change.notify_all()

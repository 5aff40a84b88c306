"""Progress and cancelling as plain parameters, so that every long act runs without Qt."""

from __future__ import annotations

import threading
from collections.abc import Callable

from desktop.errors import Cancelled

Progress = Callable[[int, int, str], None]
"""``progress(done, total, text)``; ``total`` 0 means not known yet; ``text`` is shown as it is."""


def silent(done: int, total: int, text: str) -> None:
    """The progress of nobody."""


class CancelToken:
    """Set from any thread; looked at by the worker at safe points only."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def set(self) -> None:
        self._event.set()

    def is_set(self) -> bool:
        return self._event.is_set()

    def raise_if_set(self) -> None:
        """Raise :class:`Cancelled` once the user asked to stop."""
        if self._event.is_set():
            raise Cancelled()

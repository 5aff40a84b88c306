"""One side of a measurement in a process of its own: ``python -m benchmarks.child RESULT CALL``.

Standard library only, because some sides run under another interpreter. ``CALL`` is JSON:
``{"function": "module:name", "born": monotonic seconds, "given": {…}}``. The function gets a
:class:`Meter` and the given values; what it returns is handed back as facts.
"""

from __future__ import annotations

import gc
import importlib
import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

try:
    import resource
except ImportError:  # Windows: memory is told as 0 there
    resource = None  # type: ignore[assignment]

_KIB = 1024 if sys.platform != "darwin" else 1
"""``ru_maxrss`` counts KiB, on macOS bytes."""


class Meter:
    """What one side costs. Wall and CPU seconds count inside :meth:`measuring` only."""

    def __init__(self, born: float) -> None:
        self.wall_s = 0.0
        self.cpu_s = 0.0
        self.idle_mb = 0.0
        self._born = born

    @contextmanager
    def measuring(self) -> Iterator[None]:
        """Count what happens in here; several times add up."""
        wall, cpu = time.perf_counter(), time.process_time()
        try:
            yield
        finally:
            self.wall_s += time.perf_counter() - wall
            self.cpu_s += time.process_time() - cpu

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Inside of :meth:`measuring`: do not count this (making the input, for instance)."""
        wall, cpu = time.perf_counter(), time.process_time()
        try:
            yield
        finally:
            self.wall_s -= time.perf_counter() - wall
            self.cpu_s -= time.process_time() - cpu

    def seconds_since_birth(self) -> float:
        """Since just before the process was started."""
        return time.monotonic() - self._born

    def since_birth(self) -> None:
        """Count from before the process was started until now: start-up is what is measured."""
        self.wall_s = self.seconds_since_birth()
        self.cpu_s = time.process_time()

    def idle(self) -> None:
        """The memory of this process now counts as idle; peaks are told above it too."""
        gc.collect()
        self.idle_mb = resident_mb()


def resident_mb() -> float:
    """Resident memory of this process now, 0 where the system does not say."""
    if resource is None:
        return 0.0
    try:
        pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return 0.0
    return pages * resource.getpagesize() / 2**20


def peak_mb() -> float:
    """The most this process ever held.

    On Linux a child begins with its parent's peak; the parent therefore stays small.
    """
    if resource is None:
        return 0.0
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _KIB / 2**20


def main(result: str, call: str) -> None:
    """Run the side and write what it cost to the file ``result``."""
    order = json.loads(call)
    module, _, name = order["function"].partition(":")
    meter = Meter(order["born"])
    facts: dict[str, Any] = getattr(importlib.import_module(module), name)(meter, **order["given"])
    cost = {
        "wall_s": meter.wall_s,
        "cpu_s": meter.cpu_s,
        "peak_mb": peak_mb(),
        "idle_mb": meter.idle_mb,
        "facts": facts or {},
    }
    Path(result).write_text(json.dumps(cost), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])

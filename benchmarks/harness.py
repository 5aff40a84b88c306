"""Runs sides in turn, each in a fresh process, and tells ratios. Knows no measurement.

Sides alternate, so that a machine which slows down slows both; what counts is the median of the
ratios of neighbours. This process stays small on purpose (see :func:`benchmarks.child.peak_mb`).
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
_LONGEST_S = 1800


@dataclass(frozen=True, slots=True)
class Scale:
    """How much of the full size is measured, and how often."""

    share: float = 1.0
    repeats: int = 3

    def of(self, full: int, least: int = 1) -> int:
        """The size to use in place of ``full``."""
        return max(least, round(full * self.share))


@dataclass(frozen=True, slots=True)
class Side:
    """``function`` is ``module:name``; ``python`` another interpreter than ours, if need be."""

    function: str
    given: Mapping[str, Any] = field(default_factory=dict)
    python: str = sys.executable


@dataclass(frozen=True, slots=True)
class Run:
    """What one run of a side cost."""

    wall_s: float
    cpu_s: float
    peak_mb: float
    idle_mb: float
    facts: dict[str, Any]

    @property
    def above_idle_mb(self) -> float:
        return self.peak_mb - self.idle_mb


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table. ``value`` is compared with ``limit``: at least or at most.

    ``limit`` None: told for information. ``ours`` and ``theirs`` are ready texts.
    """

    letter: str
    what: str
    ours: str
    theirs: str
    value: float
    unit: str
    limit: float | None = None
    at_least: bool = False

    @property
    def kept(self) -> bool | None:
        """Whether the target is met, None without one."""
        if self.limit is None:
            return None
        return self.value >= self.limit if self.at_least else self.value <= self.limit

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "kept": self.kept}


class SideFailed(Exception):
    """A side ended badly; the text holds the end of what it said."""


def run(side: Side) -> Run:
    """One run of a side in a fresh process. Raises :class:`SideFailed`."""
    with tempfile.TemporaryDirectory(prefix="sitemuster-bench-") as folder:
        result = Path(folder) / "cost.json"
        call = {"function": side.function, "born": time.monotonic(), "given": dict(side.given)}
        done = subprocess.run(
            [side.python, "-m", "benchmarks.child", str(result), json.dumps(call)],
            cwd=ROOT, capture_output=True, text=True, errors="replace", timeout=_LONGEST_S,
        )
        if done.returncode or not result.exists():
            tail = "\n".join((done.stdout + done.stderr).splitlines()[-12:])
            raise SideFailed(f"{side.function} ended with {done.returncode}\n{tail}")
        return Run(**json.loads(result.read_text("utf-8")))


def prepare(function: str, **given: Any) -> dict[str, Any]:
    """Make what the sides need, in a process of its own too; returns its facts."""
    return run(Side(function, given)).facts


def alternate(repeats: int, sides: Iterable[Side]) -> list[list[Run]]:
    """Each side's runs; the sides take turns, an untimed round of one side never happens."""
    chosen = list(sides)
    runs: list[list[Run]] = [[] for _ in chosen]
    for _ in range(repeats):
        for place, side in enumerate(chosen):
            runs[place].append(run(side))
    return runs


def ratio(upper: Sequence[Run], lower: Sequence[Run]) -> float:
    """Median of the ratios of wall times of neighbouring runs."""
    return median(
        one.wall_s / max(other.wall_s, 1e-9) for one, other in zip(upper, lower, strict=True)
    )


def seconds(runs: Sequence[Run]) -> str:
    """``0.482 s (CPU 0.470, 61 MB)``: medians."""
    wall, cpu = median(one.wall_s for one in runs), median(one.cpu_s for one in runs)
    return f"{short(wall)} s (CPU {short(cpu)}, {most_mb(runs):.0f} MB)"


def most_mb(runs: Sequence[Run]) -> float:
    """The highest peak."""
    return max(one.peak_mb for one in runs)


def most_above_idle_mb(runs: Sequence[Run]) -> float:
    """The highest peak above the idle memory of the same process."""
    return max(one.above_idle_mb for one in runs)


def short(value: float) -> str:
    """Three figures that matter."""
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


@contextmanager
def serving(function: str, **given: Any) -> Iterator[str]:
    """A process beside ours that prints one line once it is ready, and ends with our pipe.

    ``function`` is run by :mod:`benchmarks.beside`; yields the line.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.beside", function, json.dumps(given)],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )
    assert process.stdin is not None and process.stdout is not None
    try:
        line = process.stdout.readline().strip()
        if not line:
            raise SideFailed(f"{function} did not begin")
        yield line
    finally:
        process.stdin.close()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()

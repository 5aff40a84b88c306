"""The measurements run and tell a ratio, at sizes that say nothing about speed."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from benchmarks.__main__ import MEASUREMENTS, as_json, measurement, table
from benchmarks.harness import Figure, Scale, Side, SideFailed, run

TINY = Scale(0.002, 1)


@pytest.mark.parametrize("letter", MEASUREMENTS)
def test_measurement_tells_ratios(letter: str, tmp_path: Path) -> None:
    figures = measurement(letter).measure(tmp_path, TINY)

    assert figures
    for figure in figures:
        assert figure.letter == letter
        assert math.isfinite(figure.value) and figure.value > 0
    assert any(figure.limit is not None for figure in figures)
    assert all(figure.what in table(figures) for figure in figures)
    assert "figures" in as_json(figures, [], TINY)


def test_verdict_follows_the_direction_of_the_limit() -> None:
    slow = Figure("x", "what", "", "", 3.0, "×", 2.5)
    fast = Figure("x", "what", "", "", 3.0, "× faster", 2, at_least=True)
    told = Figure("x", "what", "", "", 3.0, "×")

    assert (slow.kept, fast.kept, told.kept) == (False, True, None)


def test_failing_side_says_what_it_said() -> None:
    with pytest.raises(SideFailed, match="no_such_side"):
        run(Side("benchmarks.roster:no_such_side"))

"""The demo site builds at every size it allows, through real terminals, and proves itself."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from desktop.clock import CHINA, FixedClock
from desktop.demo import scenario
from desktop.demo.build import BOOK_FOLDER, build_demo, open_demo
from desktop.errors import Refused

CLOCK = FixedClock(datetime(2026, 11, 3, 16, 20, tzinfo=CHINA))


def test_a_small_demo_twice_in_the_same_folder(tmp_path: Path) -> None:
    first = build_demo(tmp_path, CLOCK, workers=31)
    again = build_demo(tmp_path, CLOCK, workers=31)
    assert (again.people, again.month, again.frozen.version) == (31, "2026-10", 1)
    assert first.punches == again.punches
    kinds = {file.kind for file in again.files}
    assert kinds == {"sheet", "managers", "notice", "announcement"}
    codes = {finding.code for finding in again.frozen.warnings}
    assert {"unmatched_number", "stop_day_punched"} <= codes
    office = open_demo(tmp_path, CLOCK)
    try:
        assert office.book.demo
        assert office.verify_ledger().ok
    finally:
        office.close()


def test_something_else_of_that_name_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / BOOK_FOLDER).mkdir()
    (tmp_path / BOOK_FOLDER / "keep.txt").write_text("x")
    with pytest.raises(Refused):
        build_demo(tmp_path, CLOCK, workers=30)
    assert (tmp_path / BOOK_FOLDER / "keep.txt").exists()


@pytest.mark.parametrize("workers", [30, 31, 36, 50, 120, 300, 2000])
def test_every_size_has_its_oddities(workers: int) -> None:
    site = scenario.invent_site("2026-10", workers)
    assert len(site.members) == workers
    assert any(team.night for team in site.teams)
    assert {len([m for m in site.members if m.team is team]) > 3 for team in site.teams} == {True}
    assert site.outage_team in site.teams
    assert all(site.gates.values())


def test_sizes_out_of_range_are_refused(tmp_path: Path) -> None:
    for workers in (29, 2001):
        with pytest.raises(Refused):
            build_demo(tmp_path, CLOCK, workers=workers)

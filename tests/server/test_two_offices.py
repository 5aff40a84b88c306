"""The short form of the campaign of two offices; the long one is run by ``dev.py campaign``."""

from __future__ import annotations

import json

import pytest

from tests.server.office_acts import NAMES, lines
from tests.server.two_offices import Campaign, campaign


def test_two_offices_on_one_book() -> None:
    with campaign(seed=3) as offices:
        tally = offices.run(8)
        found = tally.findings
        assert len(tally.disturbances) == 5, tally
        for name in NAMES:
            done = sum(found.acts[kind, name] for kind in ("explain", "approve", "board", "stop"))
            assert done >= 1, tally
        assert found.figures["punches"] > 300
        the_comparison_would_have_seen(offices)


def the_comparison_would_have_seen(offices: Campaign) -> None:
    """A loss, and a keeping that was denied: journals that say otherwise than they were told."""
    journals = [offices.room / f"{name}.journal" for name in NAMES]
    honest = {path: path.read_text(encoding="utf-8") for path in journals}
    begun = {"n": 99_001, "do": "explain", "tag": "lost", "facts": {"person": 1, "day": "2026-03-09"}}
    told = {"n": 99_001, "out": "ok", "told": 12345}
    with journals[0].open("a", encoding="utf-8") as file:
        file.writelines(f"{json.dumps(line)}\n" for line in (begun, told))
    seen(offices, "lost")
    journals[0].write_text(honest[journals[0]], encoding="utf-8")
    path, line = next(
        (path, line) for path in journals for line in lines(path)
        if line.get("out") == "ok" and isinstance(line["told"], int)
    )
    true, false = (
        json.dumps(one, ensure_ascii=False)
        for one in (line, {**line, "out": "away", "told": "server_away"})
    )
    path.write_text(honest[path].replace(true, false), encoding="utf-8")
    seen(offices, "away")


def seen(offices: Campaign, what: str) -> None:
    with pytest.raises(AssertionError, match=what):
        offices.compare()

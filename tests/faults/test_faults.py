"""The short form of the campaign: every case once, every deed killed once, by real processes.

The long one is ``python3 dev.py campaign``; its table is in docs/security.md.
"""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest

from tests.faults import campaign, deeds
from tests.faults.cases import CASES, Case
from tests.faults.killing import Deed, Killer

pytestmark = pytest.mark.file_only


@pytest.mark.parametrize("case", [one for one in CASES if one.short], ids=lambda case: case.name)
def test_a_fault(case: Case, tmp_path: Path) -> None:
    assert case.run(tmp_path, True)


@pytest.mark.parametrize("deed", deeds.DEEDS, ids=lambda deed: deed.name)
def test_a_kill(deed: Deed, tmp_path: Path) -> None:
    tally = Killer(deed, tmp_path / "deed", random.Random(5), short=True).run(1)
    assert tally.kills == 1


def test_the_campaign_kills_two_hundred_times_and_knows_every_deed() -> None:
    wanted = campaign.jobs(200, 1, "")
    assert sum(job.kills for job in wanted if job.name in campaign.SHARES) == 200
    known = {deed.name for deed in deeds.DEEDS} | {"collecting"}
    assert set(campaign.SHARES) <= known
    named = {job.name for job in wanted}
    assert named == known | {case.name for case in CASES} | set(deeds.TOGETHER)


def test_the_table_goes_between_the_marks(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("a\n<!-- campaign:begin -->\nold\n<!-- campaign:end -->\nb\n", encoding="utf-8")
    result = campaign.Result("disk", "full", 0, "seen", 1.0)
    campaign.into_page(campaign.table([result], 1, 60), page)
    text = page.read_text(encoding="utf-8")
    assert "| disk: full | 1 | seen |" in text and "old" not in text and text.endswith("b\n")


def test_the_page_holds_a_whole_campaign() -> None:
    """Two hundred kills of the kinds that were asked for, and every case, as the last run saw it."""
    text = campaign.PAGE.read_text(encoding="utf-8")
    part = text.split("<!-- campaign:begin -->")[1].split("<!-- campaign:end -->")[0]
    rows = dict(re.findall(r"^\| ([^|]+: [^|]+) \| (\d+)(?: kills)? \|", part, re.MULTILINE))
    assert set(rows) == {f"{job.group}: {job.name}" for job in campaign.jobs(200, 1, "")}
    assert sum(int(rows[f"killed: {name}"]) for name in campaign.SHARES) >= 200

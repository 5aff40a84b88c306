"""``python3 dev.py campaign [--kills 200] [--seed N] [--only WORD]``: the long fault campaign.

Real processes only. Two jobs run at a time. What was seen goes to ``out/campaign.json``; a whole
campaign without a flaw also replaces the table in docs/security.md. The first flaw of a job ends
that job, is told, and makes the campaign fail.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import re
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from datetime import date
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from tests.acceptance.kill_campaign import run_campaign
from tests.faults import cases, deeds
from tests.faults.killing import Killer

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "security.md"
RESULT = ROOT / "out" / "campaign.json"
LIMIT_S = 30 * 60

SHARES = {
    "collecting": 40, "month freeze": 24, "migration of an old book": 24, "backup create": 24,
    "restore": 26, "rekey": 26, "move to a server": 18, "move back to a file": 18,
}
"""Kills of each kind in a campaign of 200; others get :data:`MORE` on top."""

MORE = 8


@dataclass(frozen=True)
class Job:
    """One piece of the campaign, run in a process of its own."""

    group: str
    name: str
    kills: int
    seed: int


@dataclass(frozen=True)
class Result:
    """A row of the table. ``flaw`` is empty when nothing was wrong."""

    group: str
    name: str
    kills: int
    seen: str
    seconds: float
    flaw: str = ""

    @property
    def row(self) -> str:
        runs = f"{self.kills} kills" if self.kills else "1"
        return f"| {self.group}: {self.name} | {runs} | {self.flaw or self.seen} |"


def jobs(kills: int, seed: int, only: str) -> list[Job]:
    """The longest first, so that the two lanes end together."""
    scale = kills / sum(SHARES.values())
    made = [Job("killed", name, max(1, round(n * scale)), seed) for name, n in SHARES.items()]
    made += [
        Job("killed", deed.name, max(1, round(MORE * scale)), seed)
        for deed in deeds.DEEDS if deed.name not in SHARES
    ]
    made += [Job(case.group, case.name, 0, seed) for case in cases.CASES]
    made.sort(key=lambda job: -job.kills)
    long = [Job("several PCs", name, 0, seed) for name in deeds.TOGETHER]
    return [job for job in (*long, *made) if only in f"{job.group}: {job.name}"]


def work(job: Job) -> Result:
    """Run one job in a folder of its own."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="fault-campaign-") as folder:
        try:
            seen = _seen(job, Path(folder))
            flaw = ""
        except Exception:  # noqa: BLE001 (told in the table; the other jobs go on)
            seen, flaw = "", traceback.format_exc(limit=-3)
    return Result(job.group, job.name, job.kills, seen, time.monotonic() - began, flaw)


def _seen(job: Job, folder: Path) -> str:
    if job.name in deeds.TOGETHER:
        return deeds.TOGETHER[job.name](folder)
    if job.name == "collecting":
        tally = run_campaign(job.kills, folder, job.seed)
        kinds = {"roster": "roster import", "terminal": "pull", "punches": "stick import"}
        by = ", ".join(f"{n} {kinds[name]}" for name, n in tally.by_command.items())
        return f"{by}; {tally.partly} left some punches behind; each exactly once in the end"
    for deed in deeds.DEEDS:
        if deed.name == job.name:
            chance = random.Random(f"{job.seed} {job.name}")
            return _told(Killer(deed, folder / "deed", chance).run(job.kills))
    for case in cases.CASES:
        if case.name == job.name:
            return case.run(folder, False)
    raise LookupError(job.name)


def _told(tally: Any) -> str:
    opened = tally.kills + tally.late - sum(tally.said.values())
    said = "".join(f", {n} by the step its sentence names (`{code}`)" for code, n in tally.said.items())
    return (
        f"opened at once {opened}{said}; head from before in the chain; done again to the end; "
        "nothing half-done left"
    )


def run(kills: int, seed: int, only: str, tell: Callable[[str], Any]) -> list[Result]:
    """All jobs, two at a time."""
    wanted, results = jobs(kills, seed, only), []
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as lanes:
        for ready in as_completed([lanes.submit(work, job) for job in wanted]):
            result = ready.result()
            results.append(result)
            tell(f"{result.seconds:6.0f} s  {result.row}")
    order = {(job.group, job.name): place for place, job in enumerate(wanted)}
    return sorted(results, key=lambda one: (one.group != "killed", order[one.group, one.name]))


def table(results: list[Result], seed: int, seconds: float) -> str:
    """The part of docs/security.md between the marks. The load says what else the machine did."""
    total = sum(one.kills for one in results)
    head = (
        f"Last whole campaign: {date.today()}, {total} kills, seed {seed}, {seconds / 60:.0f} minutes, "
        f"{platform.system()}, Python {platform.python_version()}, {os.cpu_count()} cores, load at the "
        f"end {os.getloadavg()[0]:.0f}. No flaw."
    )
    rows = [one.row for one in results]
    return "\n".join([head, "", "| Case | Runs | What was seen |", "| --- | --- | --- |", *rows])


def into_page(text: str, page: Path = PAGE) -> None:
    """Replace what stands between the marks."""
    marks = r"(<!-- campaign:begin -->\n).*?(<!-- campaign:end -->)"
    old = page.read_text(encoding="utf-8")
    new, found = re.subn(marks, lambda m: f"{m[1]}{text}\n{m[2]}", old, flags=re.DOTALL)
    assert found == 1, "the marks of the campaign's table are missing"
    page.write_text(new, encoding="utf-8")


def main() -> int:
    """The long campaign, by hand."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=sum(SHARES.values()))
    parser.add_argument("--seed", type=int, default=date.today().toordinal())
    parser.add_argument("--only", default="", help="jobs whose name holds this word")
    chosen = parser.parse_args()
    began = time.monotonic()
    results = run(chosen.kills, chosen.seed, chosen.only, lambda line: print(line, flush=True))
    seconds = time.monotonic() - began
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(
        json.dumps([vars(one) for one in results], ensure_ascii=False, indent=1), encoding="utf-8"
    )
    flaws = [one for one in results if one.flaw]
    print(f"{len(results)} jobs, {sum(one.kills for one in results)} kills, {len(flaws)} with a flaw, "
          f"{seconds / 60:.1f} minutes")
    if flaws:
        return 1
    if not chosen.only and chosen.kills >= sum(SHARES.values()):
        into_page(table(results, chosen.seed, seconds))
    if seconds > LIMIT_S:
        print("longer than half an hour: what else does this machine do?")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""An outside script's site goes in by the command line; every cell comes out as computed apart."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance import outside_site as outside


class Program:
    """The program as a script sees it: a process, exit codes, JSON."""

    def __init__(self, folder: Path) -> None:
        self.book = folder / "book"
        self.secret = folder / "pass.txt"
        self.secret.write_text("外部口令-0001\n", encoding="utf-8")

    def __call__(self, *command: str, code: int = 0) -> Any:
        made = subprocess.run(
            [sys.executable, "-m", "desktop", "--data-dir", str(self.book), "--json",
             "--passphrase-file", str(self.secret), *command],
            capture_output=True, text=True, encoding="utf-8", timeout=120,
            env={**os.environ, "PYTHONIOENCODING": "utf-8"},
        )
        assert made.returncode == code, (command[:2], made.returncode, made.stderr[-2000:])
        return json.loads(made.stdout)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> tuple[Program, Path, outside.Site]:
    folder = tmp_path_factory.mktemp("outside")
    chance = random.Random(20261001)
    workers = outside.make_workers(chance)
    outside.make_punches(workers, chance)
    (folder / "project.toml").write_text(outside.PROJECT, encoding="utf-8")
    made = outside.write_roster(folder / "roster.xlsx", workers)
    program = Program(folder)
    program("init", "--project", str(folder / "project.toml"), "--recovery-out", str(folder / "r.txt"))
    return program, folder, made


def test_the_month_of_an_outside_site(site: tuple[Program, Path, outside.Site]) -> None:
    program, folder, made = site
    report = program("roster", "import", str(folder / "roster.xlsx"))
    assert (report["rows"], report["created"]) == (made.rows, 120)
    assert [(r["row"], r["field"]) for r in report["rejected"]] == made.rejected
    again = program("roster", "import", str(folder / "roster.xlsx"))
    assert (again["created"], again["updated"], again["unchanged"]) == (0, 0, 120)

    for gate, direction in outside.GATES.items():
        program("terminal", "add", gate, "--driver", "zk", "--address", "127.0.0.1:1",
                "--direction", direction)
    sticks = outside.write_sticks(folder, made.workers)
    total = 0
    for gate, path in sticks.items():
        first = program("punches", "import", str(path), "--terminal", gate)
        second = program("punches", "import", str(path), "--terminal", gate)
        assert first["new"] > 0 and second["new"] == 0
        total += first["new"]
        if gate == "北门进":
            assert first["quarantined"] == 3
    distinct = {(g, w.number, t, m, s) for w in made.workers for g, t, m, s in w.punches}
    assert total == len(distinct) + 1  # and the stranger

    for day in sorted(outside.STOP_DAYS):
        program("calendar", "stop", "add", "--from", str(day), "--to", str(day),
                "--reason", "暴雨", "--document", "通知1")
    shown = program("attendance", "show", outside.MONTH)
    assert len(shown["rows"]) == 120
    by_number = {row["worker_no"]: row for row in shown["rows"]}
    wrong = []
    for worker in made.workers:
        row = by_number[worker.number]
        for day, (symbol, value) in outside.expected_cells(worker).items():
            cell = row["days"][str(day)]
            if (cell["symbol"], cell["value"]) != (symbol, value):
                wrong.append((worker.number, worker.team, day, symbol, cell))
            assert cell["reasons"]
    assert not wrong, wrong[:5]
    verdict = program("ledger", "verify")
    assert verdict["ok"] and verdict["punches"] == total and verdict["quarantined"] == 3

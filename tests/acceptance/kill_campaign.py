"""Kill -9 at random instants: ``python -m tests.acceptance.kill_campaign 50 [SEED]``.

Rounds on fresh books: a roster import, a pull and a stick import are each killed at some instant
(half of them spread over the whole run, half right after the book's write-ahead log moves), then
done again to the end. After every kill the book must open and its ledger hold; at the end
everything the terminal and the stick held is there exactly once.
"""

from __future__ import annotations

import os
import random
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path

from tests.acceptance.outside_packets import Punch, packed_at
from tests.acceptance.outside_program import (
    Person,
    Program,
    fresh_program,
    make_people,
    traces,
    write_roster,
)
from tests.acceptance.outside_terminal import OutsideTerminal

PEOPLE = 300
PUNCHES = 54_000
"""Of the terminal and of the stick each: more than one transaction."""


@dataclass
class Tally:
    """What the campaign came to; ``kills`` counts runs that were really cut off."""

    kills: int = 0
    late: int = 0
    rounds: int = 0
    by_command: dict[str, int] = field(default_factory=dict)
    partly: int = 0
    """Kills of a pull or a stick that left some but not all of its punches behind."""


class Site:
    """The outside of one campaign: people, a terminal's log, a stick, a book to copy."""

    def __init__(self, folder: Path) -> None:
        self.people: list[Person] = make_people(PEOPLE)
        self.start_s = 1.5
        """Work of a command that does next to nothing: most of each run is unlocking."""
        moments = [
            datetime(2026, 10, 1, 6) + timedelta(seconds=97 * n) for n in range(PUNCHES // 20)
        ]
        numbers = [str(one.number) for one in self.people]
        self.log = [
            Punch(numbers[(n * 20 + k) % PEOPLE], packed_at(when))
            for n, when in enumerate(moments) for k in range(20)
        ]
        self.roster = write_roster(folder / "roster.xlsx", self.people)
        self.stick = folder / "2_attlog.dat"
        self.stick.write_text("".join(
            f"{numbers[(n * 20 + k) % PEOPLE]:>9}\t{when:%Y-%m-%d %H:%M:%S}\t2\t0\t15\t0\r\n"
            for n, when in enumerate(moments) for k in range(20)
        ), newline="")

    def book(self, folder: Path, address: str) -> Program:
        """A book with two terminals and nobody in it."""
        program = fresh_program(folder)
        program("terminal", "add", "大门", "--driver", "zk", "--address", address)
        answer = program.run("terminal", "add", "后门", "--driver", "zk", "--address", "")
        self.start_s = answer.worked_s
        return program


def size_of(path: Path) -> int:
    """Bytes of a file that may come and go."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def worked(pid: int, began: float) -> float:
    """Processor seconds a process has used; elapsed seconds where nobody can say."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError):
        return time.monotonic() - began


def killed(program: Program, command: tuple[str, ...], delay: Callable[[], float | None]) -> bool:
    """Start ``command``, kill it when ``delay`` says; was it really cut off?"""
    wal = program.book / "book.db-wal"
    before = size_of(wal)
    seconds = delay()
    process = program.start(*command)
    began = time.monotonic()
    if seconds is None:  # as soon as the book is written to, and a moment of chance
        while process.poll() is None and size_of(wal) <= before:
            time.sleep(0.001)
        time.sleep(random.Random(began).uniform(0, 0.15))
    else:
        while process.poll() is None and worked(process.pid, began) < seconds:
            time.sleep(0.002)
    process.kill()
    return process.wait() == -9


def run_campaign(n: int, folder: Path, seed: int = 1, tell: Callable[[str], None] = str) -> Tally:
    """Go on until ``n`` runs were cut off; AssertionError at the first fault of the book."""
    chance, tally, site = random.Random(seed), Tally(), Site(folder)
    first = folder / "first"
    with OutsideTerminal("CKJG201569001", site.log, key=0, payload=65472) as terminal:
        template = site.book(first, terminal.address)
        while tally.kills < n:
            tally.rounds += 1
            place = folder / f"round{tally.rounds}"
            _round(template.copy(place), site, chance, tally, n)
            tell(f"{tally}")
    return tally


def _round(program: Program, site: Site, chance: random.Random, tally: Tally, n: int) -> None:
    """One book: three commands, each killed once or twice, then done."""
    spent = {"roster": 1.15, "terminal": 1.15, "punches": 1.25}
    held = 0
    for command, times in (
        (("roster", "import", str(site.roster)), 1),
        (("terminal", "pull", "大门"), 2),
        (("punches", "import", str(site.stick), "--terminal", "后门"), 1),
    ):
        for _ in range(times):
            if tally.kills >= n:
                break
            limit = spent[command[0]] * site.start_s
            at = chance.choice((None, chance.uniform(limit / 2, limit)))
            if killed(program, command, lambda at=at: at):  # type: ignore[misc]
                tally.kills += 1
                tally.by_command[command[0]] = tally.by_command.get(command[0], 0) + 1
            else:
                tally.late += 1
            answer = program.run("ledger", "verify")
            assert answer.code == 0, answer
            site.start_s, verdict = answer.worked_s, answer.document
            assert verdict["ok"] and verdict["first_bad"] is None, verdict
            assert held <= verdict["punches"] <= 2 * PUNCHES, (held, verdict)
            if command[0] != "roster" and verdict["punches"] % PUNCHES:
                tally.partly += 1
            held = verdict["punches"]
        held = _done(program, command, site, held)
    (again,) = program("terminal", "pull", "大门")
    assert (again["new"], again["complete"], again["received"]) == (0, True, PUNCHES)
    verdict = program("ledger", "verify")
    assert verdict["ok"] and verdict["punches"] == 2 * PUNCHES, verdict
    secrets = [one.identity for one in site.people[:40]]
    assert not traces([program.book, program.home, program.temporary], secrets)


def _done(program: Program, command: tuple[str, ...], site: Site, held: int) -> int:
    """The command once more, to its end; the punches then held."""
    result = program(*command)
    if command[0] == "roster":
        assert (result["created"], result["unchanged"]) in ((PEOPLE, 0), (0, PEOPLE)), result
        return held
    if command[0] == "terminal":
        (one,) = result
        assert one["complete"] and one["received"] == PUNCHES, one
        assert one["new"] + held == PUNCHES and one["duplicate"] == held, (one, held)
        return PUNCHES
    assert result["lines"] == PUNCHES and not result["rejected"]
    fresh = 2 * PUNCHES - held
    # A stick that was already taken in whole is recognised by its content.
    assert (result["new"], result["duplicate"]) == (fresh, PUNCHES - fresh), (result, held)
    return 2 * PUNCHES


def main() -> None:
    """The long campaign, by hand."""
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 50
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else int(date.today().toordinal())
    with tempfile.TemporaryDirectory(prefix="kill-campaign-") as folder:
        print(run_campaign(n, Path(folder), seed, tell=print))


if __name__ == "__main__":
    main()

"""Kill -9 at any instant of one deed, and what must be true afterwards.

A *deed* is one command of the program on one book. It is started as a process of its own, killed at
a chosen instant, and then: the book opens, or the sentence that is said leads to a next step and
that step opens it; the ledger holds and contains the head from before the deed; the deed done again
comes to its end; nothing half-done lies about.
"""

from __future__ import annotations

import random
import re
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.acceptance.kill_campaign import worked
from tests.acceptance.outside_program import Answer, Program

HALF_DONE = re.compile(r"(^\.(?!lock)|\.new$|\.new-|\.part$|\.tmp$|-journal$|\.old$|incoming)")
"""Names under which something of ours is unfinished, or waits to be confirmed."""

Verdict = dict[str, Any]
"""The JSON of ``ledger verify``."""

SENTENCE = re.compile(r"。\s*$")


def nothing(program: Program) -> None:
    """Nothing lies outside of the copied folder."""


@dataclass
class Deed:
    """One act that is killed.

    ``make`` fills a folder and returns the program on it, its book closed. ``again`` is what is
    done after a kill when that is not the same command; ``finish`` asserts what the finished act
    has left; ``next_step`` does what the sentence of a book says that did not open. ``reset``
    brings what lies outside the copied folder (a server) back to the beginning.
    """

    name: str
    make: Callable[[Path], Program]
    command: Callable[[Program], tuple[str, ...]]
    finish: Callable[[Program, Verdict], None] = lambda program, verdict: None
    again: Callable[[Program], Answer] | None = None
    done: Callable[[Program], None] = nothing
    """After the act came to its end: where the book is now, if it moved."""
    next_step: Callable[[Program, Answer], None] | None = None
    reset: Callable[[Program], None] = nothing
    head: Callable[[Program, Verdict], str] = lambda program, verdict: str(verdict["checkpoint"])
    """What must be in the chain whatever happens; given the verdict over the book before."""
    places: Callable[[Program], Iterable[Path]] = lambda program: (program.book,)
    allowed: frozenset[str] = frozenset()
    """Names that match :data:`HALF_DONE` and may stay."""
    migrates: bool = False
    """Merely opening the book is the deed."""


@dataclass
class Tally:
    """What came of one deed; ``said`` counts sentences of books that did not open at once."""

    name: str
    kills: int = 0
    late: int = 0
    said: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0


def copied(program: Program, folder: Path) -> Program:
    """The same folder somewhere else: book, keys, what lies beside it."""
    shutil.copytree(program.folder, folder, symlinks=True)
    return type(program)(folder)


@contextmanager
def _with_log(program: Program) -> Iterator[None]:
    """What the program noted goes along with a failure: the folder is gone soon."""
    try:
        yield
    except AssertionError as error:
        logs = [path.read_text(encoding="utf-8") for path in program.home.rglob("*.log")]
        raise AssertionError(f"{error}\n{''.join(logs)[-4000:]}") from error


class Killer:
    """Kills one deed again and again, each time on a fresh copy."""

    def __init__(
        self, deed: Deed, folder: Path, chance: random.Random, tell: Callable[[str], Any] = str,
        *, short: bool = False,
    ) -> None:
        """Make the book, and see once how the deed goes when nobody disturbs it.

        ``short`` leaves that out: then every kill comes right after the first change.
        """
        self.deed, self.folder, self._chance, self._tell = deed, folder, chance, tell
        self.tally = Tally(deed.name)
        folder.mkdir(parents=True, exist_ok=True)
        self.template = deed.make(folder / "template")
        look = copied(self.template, folder / "look")
        self.head = deed.head(look, _verified(look, None))
        with _with_log(look):
            self.cost_s = 0.0 if short else self._undisturbed(look)
        shutil.rmtree(look.folder)

    def _undisturbed(self, program: Program) -> float:
        """Processor seconds of the whole deed."""
        deed = self.deed
        if deed.migrates:  # looking at it has done the deed
            shutil.rmtree(program.folder)
            program = copied(self.template, program.folder)
        deed.reset(program)
        answer = program.run(*deed.command(program))
        assert answer.code == 0, (deed.name, answer)
        deed.done(program)
        deed.finish(program, _verified(program, self.head))
        self._nothing_half_done(program)
        return answer.worked_s

    def run(self, kills: int, *, tries: int = 0) -> Tally:
        """Go on until ``kills`` runs were cut off; AssertionError at the first fault."""
        began, number = time.monotonic(), 0
        tries = tries or kills * 4 + 6
        while self.tally.kills < kills:
            number += 1
            assert number <= tries, f"{self.deed.name}: only {self.tally.kills} kills hit"
            program = copied(self.template, self.folder / f"round-{number}")
            self.deed.reset(program)
            with _with_log(program):
                self._round(program)
            shutil.rmtree(program.folder)
            self._tell(f"{self.deed.name} {self.tally.kills}/{kills}")
        self.tally.seconds = time.monotonic() - began
        return self.tally

    def _round(self, program: Program) -> None:
        deed = self.deed
        if self._killed(program):
            self.tally.kills += 1
        else:
            self.tally.late += 1
        answer = program.run("ledger", "verify", "--checkpoint", self.head)
        if answer.code:
            assert SENTENCE.search(answer.stderr), (deed.name, "no sentence", answer)
            assert answer.document and "error" in answer.document, answer
            code = answer.document["error"]["code"]
            assert code != "internal" and deed.next_step is not None, (deed.name, answer)
            self.tally.said[code] = self.tally.said.get(code, 0) + 1
            deed.next_step(program, answer)
            _verified(program, self.head)
        again = deed.again(program) if deed.again else program.run(*deed.command(program))
        assert again.code == 0, (deed.name, "not done again", again)
        deed.done(program)
        deed.finish(program, _verified(program, self.head))
        self._nothing_half_done(program)

    def _killed(self, program: Program) -> bool:
        """Start the deed and kill it: at a spot of its work, or right after the first change."""
        on_change = not self.cost_s or self._chance.random() < 0.5
        seconds = self._chance.uniform(0.3, 1.0) * self.cost_s
        pause = self._chance.uniform(0, 0.35) ** 2
        before = self._look(program)
        process = program.start(*self.deed.command(program))
        began = time.monotonic()
        while process.poll() is None:
            if on_change and self._look(program) != before:
                time.sleep(pause)
                break
            if not on_change and worked(process.pid, began) >= seconds:
                break
            time.sleep(0.002)
        process.kill()
        return process.wait() == -9

    def _look(self, program: Program) -> list[tuple[str, int, int]]:
        """Names, sizes and times of everything there; files may come and go meanwhile."""
        seen = []
        for place in self.deed.places(program):
            for path in sorted(place.rglob("*")) if place.is_dir() else ():
                try:
                    state = path.stat()
                except OSError:
                    continue
                # The lock file and the index of the WAL change when a book is merely opened.
                if not path.name.endswith((".lock", "-shm")):
                    seen.append((path.name, state.st_size, state.st_mtime_ns))
        return seen

    def _nothing_half_done(self, program: Program) -> None:
        left = [
            path.name for place in self.deed.places(program) if place.is_dir()
            for path in (place, *place.rglob("*"))
            if HALF_DONE.search(path.name) and path.name not in self.deed.allowed
        ]
        assert left == [], (self.deed.name, left)


def _verified(program: Program, head: str | None) -> Verdict:
    """The ledger holds, and contains ``head``."""
    kept = () if head is None else ("--checkpoint", head)
    verdict: Verdict = program("ledger", "verify", *kept)
    assert verdict["ok"] is True, verdict
    return verdict

"""Kill -9 at every step of an act: a program that forks, and dies before its n-th step.

A step is a file made, renamed or removed inside the book's folder but not in its backups (seen by
the interpreter's own audit events), or the first report of a stage of the work; nothing of the
product is replaced. Run as
``python -m tests.storage.killing ACT TEMPLATE ROOM STEP``: it prints one line per kill (number,
step) after leaving the killed book in ``ROOM/<number>``.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from desktop.access import key_desk
from desktop.access.actor import Actor, Role
from desktop.access.desk import Desk
from desktop.bootstrap import leaf_readers, sealings
from desktop.clock import FixedClock
from desktop.jobs import Progress
from desktop.punches.verification import verify_ledger
from desktop.storage import recovery_code, rekey
from desktop.storage.book import Book, open_book
from tests.conftest import CHEAP, NOW, PASSPHRASE

CODE = recovery_code.printed(bytes(range(16)))
"""The code every act hands over."""

NEW_PASSPHRASE = "换过的口令 renewed"


def prove(copy: Book) -> None:
    verdict = verify_ledger(copy, 1, leaf_readers(copy))
    assert verdict.ok, verdict.first_bad


def rekey_act(desk: Desk, progress: Progress) -> None:
    """A new data key, with everything around it."""
    ways = rekey.NewWays(CODE, NEW_PASSPHRASE, keyring=False)
    key_desk.rekey_book(
        desk, ways, sealings(desk.book), prove, progress=progress, cost=CHEAP
    )


def passphrase_act(desk: Desk, progress: Progress) -> None:
    """Another passphrase."""
    key_desk.change_passphrase(desk, NEW_PASSPHRASE, cost=CHEAP)


def recovery_act(desk: Desk, progress: Progress) -> None:
    """Another paper."""
    key_desk.renew_recovery_code(desk, CODE, cost=CHEAP)


ACTS: dict[str, Callable[[Desk, Progress], None]] = {
    "rekey": rekey_act, "passphrase": passphrase_act, "recovery": recovery_act,
    "keyring": lambda desk, progress: key_desk.bind_to_this_computer(desk),
}
_EVENTS = {"os.rename", "os.remove", "os.rmdir", "os.mkdir"}
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT


class Steps:
    """Counts the steps inside one folder; dies before ``last``, a number or a step's name."""

    def __init__(self, folder: Path, last: int | str | None) -> None:
        self._folder, self._last = str(folder), last
        self.seen: list[str] = []

    def watch(self) -> None:
        sys.addaudithook(self._hear)

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event in _EVENTS:
            self._step(event, arguments[0])
        elif event == "open" and isinstance(arguments[2], int) and arguments[2] & _WRITING:
            self._step("write", arguments[0])

    def _step(self, event: str, path: Any) -> None:
        if isinstance(path, str | os.PathLike) and os.fspath(path).startswith(self._folder):
            inside = os.path.relpath(os.fspath(path), self._folder)
            if not inside.startswith("backups"):
                self._count(f"{event} {inside}")

    def progress(self, done: int, total: int, text: str) -> None:
        if f"progress {text}" not in self.seen:
            self._count(f"progress {text}")

    def _count(self, step: str) -> None:
        self.seen.append(step)
        if self._last in (len(self.seen), step):
            os.kill(os.getpid(), signal.SIGKILL)


def carry_out(act: str, folder: Path, last: int | str | None) -> list[str]:
    """Run ``act`` on a book in this process; returns its steps."""
    with open_book(folder, FixedClock(NOW), passphrase=PASSPHRASE) as book:
        desk = Desk(book, 1, Actor("管理员", Role.ADMINISTRATOR))
        steps = Steps(folder, last)
        steps.watch()
        ACTS[act](desk, steps.progress)
    return steps.seen


def forked(act: str, template: Path, folder: Path, last: int | None) -> list[str]:
    """The same in a child on a copy of ``template``; what it said when it was not killed."""
    shutil.copytree(template, folder)
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.close(reading)
        said = "\n".join(carry_out(act, folder, last))
        os.write(writing, said.encode()[-60_000:])
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        said = pipe.read().decode(errors="replace")
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) == (last is not None), (last, status)
    return said.split("\n")


def main(act: str, template: Path, room: Path, dense: str) -> None:
    """Before the first step named ``dense`` every third step will do, from there on each."""
    steps = forked(act, template, room / "whole", None)
    first = steps.index(dense) + 1
    for number in [*range(1, first, 3), *range(first, len(steps) + 1)]:
        forked(act, template, room / str(number), number)
        print(number, steps[number - 1], flush=True)




if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), sys.argv[4])

"""Dies by kill -9 before its n-th step on the disk: ``python -m tests.storage.dying JOBS``.

``JOBS`` is a JSON list of ``{"act", "place", "steps", …}``. Each job is a process of its own, forked
from this one so that the program is loaded once. Prints one line per job: ``done`` or ``killed``.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from desktop.access.actor import Actor, Role
from desktop.access.backup_desk import create_backup
from desktop.access.desk import Desk
from desktop.access.restore_desk import restore_backup
from desktop.bootstrap import leaf_readers
from desktop.clock import FixedClock
from desktop.storage.book import open_book
from tests.conftest import NOW, PASSPHRASE

ROOT = Path(__file__).parents[2]
CLOCK = FixedClock(NOW)


def create(place: str) -> None:
    with open_book(Path(place), CLOCK, passphrase=PASSPHRASE) as book:
        create_backup(Desk(book, 1, Actor("管理员", Role.ADMINISTRATOR)))


def restore(place: str, bundle: str) -> None:
    restore_backup(
        Path(bundle), Path(place), passphrase=PASSPHRASE, readers=leaf_readers, clock=CLOCK,
        accept_older=True,
    )


ACTS: dict[str, Callable[..., None]] = {"create": create, "restore": restore}
STEPS = {
    "create": ("rename", "replace", "link", "fsync", "unlink"),
    "restore": ("rename",),
}


def die_before(steps: int, names: Sequence[str]) -> None:
    """From now on the process kills itself instead of its n-th call of one of ``os.names``."""
    left = [steps]

    def dying(real: Callable[..., Any]) -> Callable[..., Any]:
        def act(*given: Any, **more: Any) -> Any:
            left[0] -= 1
            if left[0] < 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return real(*given, **more)

        return act

    for name in names:
        setattr(os, name, dying(getattr(os, name)))


def main(jobs: list[dict[str, Any]]) -> None:
    for job in jobs:
        act, steps = job.pop("act"), job.pop("steps")
        child = os.fork()
        if child == 0:
            die_before(steps, STEPS[act])
            ACTS[act](**job)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
        print("killed" if killed else "done" if status == 0 else f"failed {status}", flush=True)


def run(jobs: list[dict[str, Any]]) -> list[str]:
    """What became of each job; run by the tests."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.storage.dying", json.dumps(jobs)],
        cwd=ROOT, capture_output=True, text=True, timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))

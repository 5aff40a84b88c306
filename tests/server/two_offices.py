"""Two offices at work on one book while its server is restarted, crashed and cut off.

``python -m tests.server.two_offices [SECONDS [SEED]]`` — ten minutes by default. Two processes
(:mod:`tests.server.office_acts`) do scripted acts, each with a journal of its own, safe on the disk.
Meanwhile the server is stopped, crashed and started again, connections are cut, and the offices
themselves are killed. At the end the book is compared with the journals:

* what was acknowledged is there, exactly once;
* what was answered with *the server is away* and not tried again is not there;
* nothing is there twice, whatever was answered;
* no edit wiped out another one unseen; nothing still waits; the whole chain holds.
"""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

from desktop import bootstrap
from desktop.access import users
from desktop.access.actor import Role
from desktop.access.desk import Desk
from desktop.storage import server_login, workstation
from desktop.storage.book import create_book, open_book
from desktop.storage.card import BookCard
from desktop.storage.server_creation import NewServerBook
from devices.emulators.zk import StoredPunch, ZkEmulator
from tests.conftest import CHEAP, PASSPHRASE
from tests.punches.rig import terminal, worker
from tests.sample_site import insert_project
from tests.server.office_acts import (
    CREW,
    GATES,
    NAMES,
    PASSWORD,
    RunningClock,
    first_number,
    lines,
)
from tests.server.rig import Server
from tests.server.two_offices_check import Findings, check

ROOT = Path(__file__).parents[2]
DATABASE = "two_offices"
_KINDS = {"断线": 6, "崩溃": 3, "杀程序": 2, "停机": 2, "重启": 3}
"""What befalls them, and how often in comparison."""
_LEAST_ACTS, _MOST_EXTRA_S = 6, 30


@dataclass
class Tally:
    """What the campaign came to."""

    seconds: float = 0
    disturbances: Counter[str] = field(default_factory=Counter)
    findings: Findings = field(default_factory=Findings)

    def __str__(self) -> str:
        disturbed = "，".join(f"{name} {count}" for name, count in sorted(self.disturbances.items()))
        return f"{self.seconds:.0f} s; {disturbed}\n{self.findings}"


# ── the site ────────────────────────────────────────────────────────────────────────────────────


def make_site(server: Server, room: Path, clock: RunningClock) -> Path:
    """The first office's folder, closed: users, crews, terminals."""
    place = room / NAMES[0]
    where = NewServerBook(server.url(database=DATABASE))
    book, _ = create_book(place, clock, passphrase=PASSPHRASE, cost=CHEAP, server=where)
    with book:
        with book.write() as session:
            insert_project(session, clock, room)
        desk = Desk(book, 1, bootstrap.ADMINISTRATOR)
        users.set_password(desk, desk.actor.name, PASSWORD)
        for name in NAMES:
            users.add_user(desk, name, Role.LABOUR_OFFICER, PASSWORD)
            for number in range(CREW):
                worker(desk, first_number(name) + number, f"{name[0]}工")
            terminal(desk, f"U盘{name[0]}")
    workstation.rename(place, NAMES[0])
    return place


def join(server: Server, first: Path, room: Path, clock: RunningClock) -> None:
    """The second office: a folder of its own, a login of its own."""
    place = room / NAMES[1]
    shutil.copytree(first, place)
    card = BookCard.read(place)
    admin = NewServerBook(server.url(database=DATABASE)).administrator
    login = admin.add_member(f"{DATABASE}_second", (1,), everywhere=True)
    with open_book(first, clock, passphrase=PASSPHRASE) as book:
        card = replace(card, database=str(login.address))
        card.write(place)
        server_login.write(place, card, book.ring.newest, login.password)
    workstation.rename(place, NAMES[1])


def grown(place: int, count: int) -> list[StoredPunch]:
    """The next punches of a gate; both crews pass, no two punches are alike."""
    start = datetime(2026, 8, 1, 6) + timedelta(seconds=7 * place)
    return [
        StoredPunch(
            str(first_number(NAMES[(place + k) % 2]) + (place + k) // 2 % CREW),
            start + timedelta(seconds=7 * k),
        )
        for k in range(count)
    ]


# ── the campaign ────────────────────────────────────────────────────────────────────────────────


class Campaign:
    """Offices, gates and what befalls them. The main thread only: it starts the server."""

    def __init__(self, server: Server, room: Path, seed: int) -> None:
        self.server, self.room = server, room
        self.chance = random.Random(seed)
        self.began = time.monotonic()
        self.clock = RunningClock(self.began)
        self.tally = Tally()
        self.offices: dict[str, subprocess.Popen[bytes]] = {}
        self.gates: dict[str, ZkEmulator] = {}
        self._starts = 0

    def run(self, seconds: float) -> Tally:
        first = make_site(self.server, self.room, self.clock)
        join(self.server, first, self.room, self.clock)
        with ExitStack() as stack:
            self._set_gates(first, stack)
            stack.enter_context(self._at_work())
            until = time.monotonic() + seconds
            self.tally.seconds = seconds
            while time.monotonic() < until or not self._enough():
                self._let_pass(self.chance.uniform(1, 4))
                self._disturb()
            self._let_pass(2)  # what is left undone by then was given up, not forgotten
            (self.room / "stop").touch()
            for name, office in self.offices.items():
                assert office.wait(60) == 0, self._broken(name)
            self.tally.findings = self.compare()
        return self.tally

    def compare(self) -> Findings:
        """The book against the journals; AssertionError at what does not fit."""
        return check(self.room, self.clock, {
            name: [(one.number, one.when) for one in gate.unit.punches]
            for name, gate in self.gates.items()
        })

    def _enough(self) -> bool:
        """Whether everything befell them and each office got something done: a slow machine is
        given more time, but not for ever."""
        answered = []
        for name in NAMES:
            journal = lines(self.room / f"{name}.journal")
            kinds = {line["n"]: line["do"] for line in journal if "do" in line}
            done = [kinds[line["n"]] for line in journal if line.get("out") == "ok"]
            answered.append(sum(kind not in ("pull", "stick") for kind in done))
        late = time.monotonic() > self.began + self.tally.seconds + _MOST_EXTRA_S
        return late or (min(answered) >= _LEAST_ACTS and len(self.tally.disturbances) == len(_KINDS))

    def _set_gates(self, first: Path, stack: ExitStack) -> None:
        with open_book(first, self.clock, passphrase=PASSPHRASE) as book:
            desk = Desk(book, 1, bootstrap.ADMINISTRATOR)
            for at, name in enumerate(GATES):
                gate = ZkEmulator(
                    punches=grown(10_000 * at, 200), serial=f"CKJG26999000{at}",
                    now=self.clock.local,
                )
                self.gates[name] = stack.enter_context(gate)
                terminal(desk, name, gate.address)

    @contextmanager
    def _at_work(self) -> Iterator[None]:
        try:
            for name in NAMES:
                self._start(name)
            yield
        finally:
            for office in self.offices.values():
                if office.poll() is None:
                    office.kill()
                office.wait()

    def _start(self, name: str) -> None:
        self._starts += 1
        self.offices[name] = subprocess.Popen(
            [
                sys.executable, "-m", "tests.server.office_acts", str(self.room), name,
                str(self._starts), str(self.began),
            ],
            cwd=ROOT, stderr=subprocess.DEVNULL,
        )

    def _let_pass(self, seconds: float) -> None:
        """Life goes on at the gates."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            time.sleep(0.25)
            for at, gate in enumerate(self.gates.values()):
                held = len(gate.unit.punches)
                if held < 9_000:
                    gate.add(grown(10_000 * at + held, self.chance.randrange(0, 6)))
            for name, office in self.offices.items():
                assert office.poll() is None, self._broken(name)

    def _disturb(self) -> None:
        (kind,) = self.chance.choices(list(_KINDS), list(_KINDS.values()))
        done = self.tally.disturbances
        if len(done) < len(_KINDS):  # each of them once, however short the campaign is
            kind = next(one for one in _KINDS if one not in done)
        done[kind] += 1
        if kind == "重启":
            self.server.restart("fast")
        elif kind == "崩溃":
            self.server.restart("immediate")
        elif kind == "停机":
            self.server.stop(self.chance.choice(("fast", "immediate")))
            self._let_pass(self.chance.uniform(0.5, 4))
            self.server.start()
        elif kind == "断线":
            self._cut()
        else:
            name = self.chance.choice(NAMES)
            self.offices[name].kill()
            self.offices[name].wait()
            self._start(name)

    def _cut(self) -> None:
        """Some of the connections of the offices, at once."""
        with self.server.superuser() as link:
            link.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = %s AND random() < 0.6",
                (DATABASE,),
            )

    def _broken(self, name: str) -> str:
        said = [line["broken"] for line in lines(self.room / f"{name}.journal") if "broken" in line]
        return f"{name}: {said[-1] if said else 'ended without a word'}"


@contextmanager
def campaign(seed: int = 1) -> Iterator[Campaign]:
    """A campaign on a server of its own, which outlives the run for those who look closer."""
    with (
        tempfile.TemporaryDirectory(prefix="two-offices-") as room, Server(durable=True) as server,
    ):
        yield Campaign(server, Path(room), seed)


def run_campaign(seconds: float, seed: int = 1) -> Tally:
    """The whole of it; AssertionError at the first fault."""
    with campaign(seed) as offices:
        return offices.run(seconds)


def main() -> None:
    """The long campaign, by hand."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 600
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    print(run_campaign(seconds, seed))


if __name__ == "__main__":
    main()

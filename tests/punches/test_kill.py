"""Kill -9 at any instant of a collection: no acknowledged punch is lost, none is doubled."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

from desktop.access.actor import Actor, Role
from desktop.access.desk import Desk
from desktop.clock import FixedClock
from desktop.punches import originals
from desktop.punches.collect import pull
from desktop.punches.stick import import_stick
from desktop.punches.tables import Terminal
from desktop.storage.book import open_book
from tests.conftest import NOW, PASSPHRASE
from tests.punches.rig import MORNING, QUICK, emulator, proven, stored, table, terminal

ROOT = Path(__file__).parents[2]
GATE = "东门进"
KILLS = 10
EACH = 2500

COLLECTOR = """
import sys
from pathlib import Path
from desktop.access.actor import Actor, Role
from desktop.access.desk import Desk
from desktop.clock import FixedClock
from desktop.punches import collect, received, stick
from desktop.storage.book import open_book
from tests.conftest import NOW
received.CHUNK = stick.CHUNK = 600
book = open_book(Path(sys.argv[1]), FixedClock(NOW), passphrase=sys.argv[2])
desk = Desk(book, 1, Actor("管理员", Role.ADMINISTRATOR))
def acknowledge(done, total, text):
    if text == "保存打卡记录":
        print(done, flush=True)
print("ready", flush=True)
(result,) = collect.pull(desk, ["东门进"], progress=acknowledge)
print("pulled", result.new, flush=True)
stick.import_stick(desk, Path(sys.argv[3]), "东门进", progress=acknowledge)
print("end", flush=True)
"""


def killed_after(seconds: float, folder: Path, stick: Path) -> int:
    """Runs a collection and kills it; returns how many punches of the pull were acknowledged."""
    process = subprocess.Popen(
        [sys.executable, "-c", COLLECTOR, str(folder), PASSPHRASE, str(stick)],
        stdout=subprocess.PIPE, text=True, cwd=ROOT,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    time.sleep(seconds)
    process.kill()
    said = process.stdout.read().splitlines()
    process.wait()
    process.stdout.close()
    acknowledged = 0
    for line in said:
        if not line.isdigit():
            break
        acknowledged = int(line)
    return acknowledged


def test_killed_at_random_instants(desk: Desk, tmp_path: Path) -> None:
    chance = random.Random()
    folder, stick = desk.book.path, tmp_path / "1_attlog.dat"
    memory = stored(EACH, people=50)
    with emulator(desk, memory) as unit:
        terminal(desk, GATE, unit.address)
        for turn in range(1, KILLS + 1):
            stick.write_bytes(unit.stick())
            before = table(desk, "punch")
            desk.book.close()
            seconds = chance.random() * 0.7
            acknowledged = killed_after(seconds, folder, stick)
            book = open_book(folder, FixedClock(NOW), passphrase=PASSPHRASE)
            desk = Desk(book, 1, Actor("管理员", Role.ADMINISTRATOR))
            try:
                held = proven(desk).punches
                # Everything acknowledged is there, and the cursor speaks of no more than that.
                assert held >= before + acknowledged, (turn, seconds)
                assert held <= EACH * turn
                with book.read() as session:
                    gate = session.get_one(Terminal, 1)
                    assert int((gate.cursor or {}).get("held", 0)) <= held
                unit.add(stored(EACH, people=50, start=MORNING + timedelta(hours=turn, seconds=7)))
            except BaseException:
                book.close()
                raise
        stick.write_bytes(unit.stick())
        (result,) = pull(desk, timing=QUICK)
        assert (result.error, result.received) == (None, EACH * (KILLS + 1))
        line = import_stick(desk, stick, GATE)
        assert (line.new, line.duplicate) == (0, EACH * (KILLS + 1))
    distinct = len({(one.number, one.when) for one in unit.unit.punches})
    verdict = proven(desk)
    assert (verdict.punches, table(desk, "punch_conflict")) == (distinct, 0)
    assert table(desk, "punch_sighting") == distinct
    assert not list((folder / originals.FOLDER).glob("*.new"))
    desk.book.close()

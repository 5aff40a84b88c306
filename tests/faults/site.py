"""The book most deeds and cases begin with: people and a whole month, not frozen."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

from desktop.bootstrap import create_office
from desktop.people.roster_import import import_roster
from desktop.punches.stick import import_stick
from desktop.punches.terminal_book import add_terminal
from desktop.site.project_file import read_project_file
from desktop.storage import slot_change
from desktop.storage.keys import Argon2Cost
from tests.acceptance.outside_program import (
    SECRET,
    Program,
    make_people,
    project_text,
    write_roster,
)

CHEAP = Argon2Cost(64, 1, 1)
PEOPLE = 60


@cache
def _site() -> Path:
    """People and a whole month from a stick; not frozen; opening costs next to nothing, so that
    what is killed is the deed and not the stretching of a secret. Made once per process."""
    folder = Path(tempfile.mkdtemp(prefix="fault-site-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    (folder / "project.toml").write_text(project_text(), encoding="utf-8")
    office, _ = create_office(
        folder / "book", read_project_file(folder / "project.toml"), passphrase=SECRET,
        recovery_out=folder / "recovery.txt",
    )
    try:
        slot_change.set_passphrase(office.book, SECRET, cost=CHEAP)
        people, stick = make_people(PEOPLE), folder / "1_attlog.dat"
        report = import_roster(office.desk, write_roster(folder / "r.xlsx", people))
        assert report.created == PEOPLE, report
        add_terminal(office.desk, "大门", driver="zk", address="", direction="both")
        stick.write_text("".join(
            f"{one.number:>9}\t{when + timedelta(seconds=7 * place):%Y-%m-%d %H:%M:%S}\t1\t0\t15\t0\r\n"
            for day in range(31) for hour in (7, 17)
            for place, one in enumerate(people)
            for when in [datetime(2026, 10, 1, hour, 5) + timedelta(days=day)]
        ), newline="")
        taken = import_stick(office.desk, stick, "大门")
        assert taken.new == 62 * PEOPLE, taken
    finally:
        office.close()
    return folder


def site_with_a_month(folder: Path) -> Program:
    """A copy of it."""
    shutil.copytree(_site(), folder)
    return Program(folder)

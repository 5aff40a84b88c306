"""One office of the two-offices campaign: a process that works on the shared book and writes down,
safe on its disk, what it is about to do and what it was told.

``python -m tests.server.office_acts ROOM NAME SEED BEGAN`` works until ``ROOM/stop`` exists. It
may be killed at any instant and started again: it goes on from its own journal. A person at a
screen would do the same: read, act, read the answer, sometimes try again what was refused for want
of a server.
"""

from __future__ import annotations

import json
import os
import random
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select

from desktop import bootstrap
from desktop.access import editing
from desktop.access.desk import Desk
from desktop.attendance import calendar, explain
from desktop.attendance.tables import Explanation, Leave, StopWork
from desktop.board import edit as board
from desktop.clock import SystemClock
from desktop.demo.people import InventedPerson, invent_people
from desktop.errors import Conflict, EnvironmentFault, Refused, SiteMusterError
from desktop.months.freeze import freeze_month
from desktop.people.roster_import import import_roster
from desktop.punches.collect import pull
from desktop.punches.spool import AWAY
from desktop.punches.stick import import_stick
from desktop.storage.watch import Area, Watch
from tests.conftest import NOW, PASSPHRASE
from tests.people.sheets import row_of, write_xlsx
from tests.punches.rig import QUICK

NAMES = ("甲办公室", "乙办公室")
GATES = ("东门", "西门")
PASSWORD = "campaign-口令-2026"
CREW = 30
"""Workers of each office from the beginning; their numbers follow :func:`first_number`."""
MONTH = "2026-10"
FIRST_DAY, DAYS = date(2026, 3, 3), 260
STICK_LINES = 40
PEOPLE = 4_000
_TEXT_OF = {
    "stop": (StopWork, "reason", "id"), "leave": (Leave, "reason", "id"),
    "explain": (Explanation, "text", "number"),
}
"""Where an entry carries its tag, and how it is numbered."""


def first_number(name: str) -> int:
    """The first worker number of an office's crew."""
    return 300_001 if name == NAMES[0] else 400_001


def people() -> list[InventedPerson]:
    """Whom the offices bring in; each takes every second one."""
    return invent_people(PEOPLE, 77)


class RunningClock(SystemClock):
    """The tests' instant, moving on; equal in all processes of a campaign."""

    def __init__(self, began: float) -> None:
        self._began = began

    def now(self) -> datetime:
        passed = int(time.monotonic() - self._began)
        return NOW + timedelta(seconds=passed)


@dataclass
class Task:
    """One act: what, under which tag it can be found again, with which values."""

    kind: str
    tag: str
    facts: dict[str, Any] = field(default_factory=dict)
    again: bool = False


class Journal:
    """Lines of JSON, each on the disk before the next step is taken."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def write(self, **line: Any) -> None:
        os.write(self._handle, (json.dumps(line, ensure_ascii=False) + "\n").encode())
        os.fsync(self._handle)


def lines(path: Path) -> list[dict[str, Any]]:
    """What a journal holds; a last line cut off by a kill was never finished."""
    found = []
    for text in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
        try:
            found.append(json.loads(text))
        except ValueError:
            continue
    return found


class Office:
    """The work of one process."""

    def __init__(self, room: Path, name: str, seed: int, began: float) -> None:
        self.room, self.name = room, name
        self.mine = NAMES.index(name)
        self.clock = RunningClock(began)
        self.chance = random.Random(seed)
        before = lines(room / f"{name}.journal")
        self.journal = Journal(room / f"{name}.journal")
        self.count = sum("do" in line for line in before)
        self.made = Counter(
            line["do"] for line in before if "do" in line
        )
        self.waiting: list[Task] = self._unanswered(before)
        self.heard: set[Area] = set()
        self._people = people()

    @staticmethod
    def _unanswered(before: list[dict[str, Any]]) -> list[Task]:
        """Acts that a kill left without an answer are tried again, as a person would."""
        told = {line["n"]: line["out"] for line in before if "out" in line}
        last = {line["tag"]: line for line in before if "do" in line}
        return [
            Task(line["do"], line["tag"], line["facts"], again=True)
            for line in last.values() if line["n"] not in told
        ]

    # ── opening ─────────────────────────────────────────────────────────────────────────────────

    def run(self) -> None:
        while not (self.room / "stop").exists():
            office = self._open()
            try:
                if office.away:
                    for _ in range(3):
                        self._try(office.desk, self._collecting())
                else:
                    self._work(office)
            finally:
                office.close()

    def _open(self) -> bootstrap.Office:
        place = self.room / self.name
        while True:
            try:
                try:
                    return bootstrap.open_office(
                        place, passphrase=PASSPHRASE, user=self.name, password=PASSWORD,
                        clock=self.clock,
                    )
                except EnvironmentFault as fault:
                    if fault.code not in AWAY:
                        raise
                    return bootstrap.open_away(
                        place, fault, passphrase=PASSPHRASE, clock=self.clock
                    )
            except EnvironmentFault as fault:
                if fault.code not in {*AWAY, "book_busy"}:
                    raise
                time.sleep(0.2)

    def _work(self, office: bootstrap.Office) -> None:
        """Until the end, or for a while: then the program is closed and opened again."""
        watching = Watch(office.book, self.heard.update, poll_s=2)
        watching.start()
        try:
            for _ in range(self.chance.randrange(60, 200)):
                if (self.room / "stop").exists():
                    break
                self._try(office.desk, self._next(office.desk))
        finally:
            watching.stop()
            self.journal.write(heard=sorted(area.value for area in self.heard))

    # ── choosing ────────────────────────────────────────────────────────────────────────────────

    def _next(self, desk: Desk) -> Task | None:
        if self.waiting and self.chance.random() < 0.5:
            return self.waiting.pop(0)
        kinds = {
            "stop": 3, "leave": 3, "explain": 8, "approve": 6, "withdraw": 2, "board": 6,
            "roster": 2, "stick": 3, "pull": 4, "freeze": 0.4,
        }
        (kind,) = self.chance.choices(list(kinds), list(kinds.values()))
        try:
            if kind in ("approve", "withdraw"):
                return self._on_explanation(desk, kind)
            if kind == "board":
                return self._on_board(desk)
        except EnvironmentFault as fault:
            if fault.code != "server_away":
                raise
            kind = "pull"  # nothing can be read: what can be done is collecting
        return self._new(kind)

    def _collecting(self) -> Task | None:
        return self._new(self.chance.choice(("stick", "pull")))

    def _new(self, kind: str) -> Task | None:
        """The next of its kind; None when this office has no more of them."""
        number = self.made[kind]
        most = {"stop": 2 * DAYS, "leave": CREW * DAYS, "explain": CREW * DAYS, "roster": PEOPLE // 4}
        if number >= most.get(kind, number + 1):
            return None
        day = FIRST_DAY + timedelta(days=number % DAYS)
        person = 1 + self.mine * CREW + number // DAYS % CREW
        facts: dict[str, Any] = {}
        if kind == "stop":
            facts = {"day": day.isoformat(), "team": 1 + 2 * self.mine + number // DAYS % 2}
        elif kind in ("leave", "explain"):
            facts = {"day": day.isoformat(), "person": person}
        elif kind == "roster":
            facts = {"places": [(number * 2 + k) * 2 + self.mine for k in range(2)]}
        elif kind == "stick":
            facts = {"start": number * STICK_LINES}
        return Task(kind, f"{self.name}-{self.count}", facts)

    def _on_explanation(self, desk: Desk, kind: str) -> Task | None:
        """Any that waits, of either office: both may want the same one."""
        with desk.book.read() as session:
            seen = editing.versions(session, 1, "explanation")
            numbers = session.scalars(
                select(Explanation.number)
                .where(
                    Explanation.approval_segment_id.is_(None),
                    Explanation.withdrawal_segment_id.is_(None),
                )
                .order_by(Explanation.number.desc()).limit(5)
            ).all()
        if not numbers:
            return None
        number = self.chance.choice(numbers)
        return Task(kind, f"{self.name}-{self.count}", {"number": number, "seen": seen.get(number, 0)})

    def _on_board(self, desk: Desk) -> Task:
        with desk.book.read() as session:
            seen = editing.version(session, 1, board.SUBJECT)
        return Task("board", f"{self.name}-{self.count}", {"seen": seen})

    # ── acting ──────────────────────────────────────────────────────────────────────────────────

    def _try(self, desk: Desk, task: Task | None) -> None:
        """Write down, act, write down what was answered."""
        if task is None:
            return
        number, self.count = self.count, self.count + 1
        self.made[task.kind] += 1
        self.journal.write(n=number, do=task.kind, tag=task.tag, facts=task.facts)
        out, told = self._answer(desk, task)
        self.journal.write(n=number, out=out, told=told)
        if out in ("away", "unknown") and self.chance.random() < 0.6:
            self.waiting.append(Task(**{**asdict(task), "again": True}))

    def _answer(self, desk: Desk, task: Task) -> tuple[str, Any]:
        act: Callable[[Desk, Task], Any] = getattr(self, f"_do_{task.kind}")
        try:
            if task.again and task.kind in _TEXT_OF:
                arrived = self._looked_for(desk, task)
                if arrived is not None:
                    return "ok", arrived
            return "ok", act(desk, task)
        except Conflict as conflict:
            return "refused", conflict.message
        except Refused as refusal:
            if refusal.code in ("already_approved", "withdrawn"):
                return "refused", refusal.message
            raise
        except EnvironmentFault as fault:
            outs = {"server_away": "away", "server_outcome_unknown": "unknown", "book_busy": "away"}
            if fault.code not in outs:
                raise
            return outs[fault.code], fault.code

    def _looked_for(self, desk: Desk, task: Task) -> int | None:
        """Before trying again a person looks whether the first try arrived, as he was told to:
        what he entered may even have been taken back since."""
        kind, text, number = _TEXT_OF[task.kind]
        with desk.book.read() as session:
            return session.scalar(select(getattr(kind, number)).where(getattr(kind, text) == task.tag))

    def _do_stop(self, desk: Desk, task: Task) -> int:
        day = date.fromisoformat(task.facts["day"])
        return calendar.add_stop(desk, day, day, reason=task.tag, team_id=task.facts["team"])

    def _do_leave(self, desk: Desk, task: Task) -> int:
        day = date.fromisoformat(task.facts["day"])
        return calendar.add_leave(desk, task.facts["person"], "事假", day, day, reason=task.tag)

    def _do_explain(self, desk: Desk, task: Task) -> int:
        cell = (task.facts["person"], date.fromisoformat(task.facts["day"]))
        return explain.add_explanation(
            desk, [cell], half_days=2, reason=explain.Reason.DEVICE_FAILURE, text=task.tag
        ).number

    def _do_approve(self, desk: Desk, task: Task) -> None:
        explain.approve_explanation(desk, task.facts["number"], seen=task.facts["seen"])

    def _do_withdraw(self, desk: Desk, task: Task) -> None:
        explain.withdraw_explanation(desk, task.facts["number"], task.tag, seen=task.facts["seen"])

    def _do_board(self, desk: Desk, task: Task) -> None:
        assert board.set_items(desk, {"legal_aid": task.tag}, seen=task.facts["seen"])

    def _do_roster(self, desk: Desk, task: Task) -> list[str]:
        rows = [row_of(self._people[place], place) for place in task.facts["places"]]
        report = import_roster(desk, write_xlsx(self.room / f"{self.name}.xlsx", rows))
        assert not report.rejected, report
        return [row["身份证号码"] for row in rows]

    def _do_stick(self, desk: Desk, task: Task) -> dict[str, int]:
        stick = self.room / f"{self.name}.dat"
        stick.write_text("".join(
            f"{number:>9}\t{moment:%Y-%m-%d %H:%M:%S}\t1\t0\t15\t0\r\n"
            for number, moment in stick_lines(self.name, task.facts["start"])
        ))
        result = import_stick(desk, stick, f"U盘{self.name[0]}")
        return {"new": result.new, "waiting": result.waiting, "duplicate": result.duplicate}

    def _do_pull(self, desk: Desk, task: Task) -> dict[str, int]:
        """Records of each terminal's log that are in the book or wait here, as it was told."""
        told = {}
        for one in pull(desk, GATES, timing=QUICK):
            kept = one.complete or (one.error is not None and one.error.code == "server_away")
            if kept and one.received:
                told[one.terminal] = one.received
        return told

    def _do_freeze(self, desk: Desk, task: Task) -> dict[str, Any]:
        frozen = freeze_month(desk, MONTH, task.tag)
        return {
            "version": frozen.version, "digest": frozen.digest.hex(), "same": frozen.unchanged
        }


def stick_lines(name: str, start: int) -> list[tuple[int, datetime]]:
    """Lines of one stick; no two sticks share one."""
    first = first_number(name)
    return [
        (first + at % CREW, datetime(2026, 4, 1) + timedelta(seconds=61 * at))
        for at in range(start, start + STICK_LINES)
    ]


def main() -> None:
    room, name, seed, began = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), float(sys.argv[4])
    office = Office(room, name, seed, began)
    try:
        office.run()
    except (SiteMusterError, Exception):
        office.journal.write(broken=traceback.format_exc())
        raise


if __name__ == "__main__":
    main()

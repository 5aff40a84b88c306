"""Build the invented site the way an office would: files, terminals, collecting, closing, printing.

Nothing is written into tables by hand. The terminals are emulators on the loopback interface that
speak the true protocol; the services are those of the window and the command line.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from desktop.attendance.calendar import add_stop
from desktop.attendance.explain import Reason, add_explanation, approve_explanation
from desktop.attendance.findings import month_findings
from desktop.attendance.month import MonthAttendance, compute_month
from desktop.board.export import BoardFile, export_board
from desktop.bootstrap import Office, create_office, open_office
from desktop.clock import Clock
from desktop.demo import files, scenario
from desktop.demo.scenario import DIRECTIONS, WEST_IN, WEST_OUT, Scenario
from desktop.errors import Refused
from desktop.jobs import Progress, silent
from desktop.months.freeze import FreezeResult, freeze_month
from desktop.months.papers import ExportedFile, export_month
from desktop.people.roster_import import import_roster
from desktop.punches.collect import pull
from desktop.punches.match import Standing
from desktop.punches.matching import confirm, propose, read_people
from desktop.punches.stick import import_stick
from desktop.punches.terminal_book import add_terminal
from desktop.site.project_file import read_project_file
from desktop.storage.card import BookCard
from devices.emulators.zk import StoredPunch, StoredUser, ZkEmulator

BOOK_FOLDER = "demo-book"
KEY = 123456
"""Communication key of the west gate."""


@dataclass(slots=True)
class DemoResult:
    """What was built."""

    book: Path
    month: str
    people: int
    punches: int
    frozen: FreezeResult
    files: list[ExportedFile] = field(default_factory=list)
    board: Sequence[BoardFile] = ()

    def as_json(self) -> dict[str, Any]:
        """The result of ``demo``."""
        return {
            "book": str(self.book), "month": self.month, "people": self.people,
            "punches": self.punches, "version": self.frozen.version,
            "digest": self.frozen.digest.hex(), "warnings": len(self.frozen.warnings),
            "files": [*self.files, *self.board],
        }


def last_month(today: date) -> str:
    """The month before ``today``: the one an office is closing."""
    return f"{today.replace(day=1) - timedelta(days=1):%Y-%m}"


def build_demo(
    out: Path, clock: Clock, *, month: str | None = None, workers: int = 300,
    progress: Progress = silent,
) -> DemoResult:
    """A complete demo site in ``out``: book, month and papers.

    An older demo book in ``out`` is replaced; anything else of that name is refused.
    """
    if not 30 <= workers <= 2000:
        raise Refused("demo_size", "演示工地的人数应在 30 到 2000 之间，未做任何改动。")
    chosen = month or last_month(clock.today())
    site = scenario.invent_site(chosen, workers, now=clock.local())
    folder = out.absolute() / BOOK_FOLDER
    _clear(folder)
    with tempfile.TemporaryDirectory(prefix="sitemuster-demo-") as scratch:
        work = Path(scratch)
        progress(1, 7, "新建账本")
        (work / "project.toml").write_text(files.project_toml(site), encoding="utf-8")
        office, _ = create_office(
            folder, read_project_file(work / "project.toml"), clock=clock, demo=True
        )
        try:
            return _run_month(office, site, chosen, out, work, progress)
        finally:
            office.close()


def open_demo(out: Path, clock: Clock | None = None) -> Office:
    """The demo book that :func:`build_demo` left in ``out``."""
    return open_office(out.absolute() / BOOK_FOLDER, clock=clock)


def _clear(folder: Path) -> None:
    if not folder.exists():
        return
    if not BookCard.read(folder).demo:
        raise Refused("not_a_demo", f"「{folder}」不是演示账本，未做任何改动。请换一个输出文件夹。")
    shutil.rmtree(folder)


def _run_month(
    office: Office, site: Scenario, month: str, out: Path, work: Path, progress: Progress
) -> DemoResult:
    desk = office.desk
    progress(2, 7, "导入花名册")
    files.write_roster(site, work / "roster.xlsx")
    roster = import_roster(desk, work / "roster.xlsx", dry_run=False, takeover=None)
    progress(3, 7, "采集考勤机")
    _collect(office, site, work)
    progress(4, 7, "核对异常")
    add_stop(desk, site.stop_day, site.stop_day, reason="暴雨停工", document="停工通知 01 号")
    _explain(office, site, month)
    progress(5, 7, "冻结")
    frozen = freeze_month(desk, month)
    progress(6, 7, "打印")
    papers = export_month(desk, month, out)
    board = export_board(desk, "A3", out)
    progress(7, 7, "完成")
    with desk.book.read() as session:
        read = compute_month(session, desk.project_id, month).punches_read
    return DemoResult(
        office.book.path, month, roster.created, read, frozen, papers, board.files
    )


def _collect(office: Office, site: Scenario, work: Path) -> None:
    """Three terminals over the network, the west exit by stick; then 对号 for the west gate."""
    desk = office.desk
    with terminals(site, desk.clock) as running:
        for name, emulator in running.items():
            west = name == WEST_IN
            add_terminal(
                desk, name, driver="zk", address=emulator.address, direction=DIRECTIONS[name],
                transport="udp" if west else "tcp", password=str(KEY) if west else None,
            )
        for result in pull(desk, list(running)):
            if not result.complete:
                raise Refused("demo_pull", f"演示考勤机「{result.terminal}」没有读全，请重试。")
        read_people(desk, WEST_IN)
    add_terminal(desk, WEST_OUT, driver="zk", address="", direction=DIRECTIONS[WEST_OUT])
    stick = work / "4_attlog.dat"
    files.write_attlog(site.gates[WEST_OUT], stick)
    import_stick(desk, stick, WEST_OUT, taken_at=desk.clock.local())
    with desk.book.read() as session:
        matches = [
            match
            for match in propose(session, desk.book.sealer, desk.project_id, WEST_IN)
            if match.standing is Standing.PROPOSED
        ]
    confirm(desk, WEST_IN, matches)


@contextmanager
def terminals(site: Scenario, clock: Clock) -> Iterator[dict[str, ZkEmulator]]:
    """The three networked terminals of the site, running on loopback."""
    own = {member.worker_no: number for number, member in site.own_numbers.items()}
    with ExitStack() as stack:
        running: dict[str, ZkEmulator] = {}
        for name, punches in site.gates.items():
            if name == WEST_OUT:
                continue
            numbers = {
                m.worker_no: own[m.worker_no] if name == WEST_IN and m.worker_no in own
                else str(m.worker_no)
                for m in site.members
            }
            users = [StoredUser(numbers[m.worker_no], _on_terminal(m.person.name)) for m in site.members]
            stored = [StoredPunch(p.number, p.at, p.method, 0) for p in punches]
            running[name] = stack.enter_context(
                ZkEmulator(
                    users, stored, key=KEY if name == WEST_IN else 0, encoding="gbk",
                    serial=f"SMDEMO{len(running) + 1:07d}", now=clock.local,
                )
            )
        yield running


def _on_terminal(name: str) -> bytes:
    """A name as such a terminal keeps it: GBK, with a mark for what GBK does not have."""
    return name.encode("gbk", "replace")


def _explain(office: Office, site: Scenario, month: str) -> None:
    """Two explanations that settle every ``?``: the power cut, and the forgotten punches."""
    desk = office.desk
    with desk.book.read() as session:
        computed = compute_month(session, desk.project_id, month)
        open_cells = [
            (finding.person_id, finding.day, finding.team_id)
            for finding in month_findings(session, computed, desk.clock.local())
            if finding.code == "unresolved" and finding.person_id and finding.day
        ]
    outage_team = _team_id(computed, site.outage_team.name)
    outage = [(p, d) for p, d, team in open_cells
              if d == site.outage_day and team == outage_team]
    others = [(p, d) for p, d, _ in open_cells if (p, d) not in set(outage)]
    for cells, reason, text, evidence in (
        (outage, Reason.DEVICE_FAILURE, "东、西门出口考勤机当日下午停电，班组长证明均正常下班。", "停电通知照片"),
        (others, Reason.FORGOTTEN, "下班漏打卡，班组长和工友证明全天在岗。", "班组长说明"),
    ):
        if cells:
            added = add_explanation(
                desk, cells, half_days=2, reason=reason, text=text, evidence=evidence
            )
            approve_explanation(desk, added.number)


def _team_id(computed: MonthAttendance, name: str) -> int:
    return next(team.id for team in computed.frame.teams.values() if team.name == name)



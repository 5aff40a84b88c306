"""A small book in which every ledger has rows, all written by the services themselves."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path

from desktop.access import book_check
from desktop.access.actor import Act
from desktop.access.desk import Desk
from desktop.access.users import add_user, set_password
from desktop.attendance.explain import Reason, add_explanation, approve_explanation
from desktop.board.export import issue_board
from desktop.clock import FixedClock
from desktop.demo.people import invent_people
from desktop.months.freeze import freeze_month
from desktop.months.papers import issue_papers
from desktop.months.slip import export_slip
from desktop.punches import ledger
from desktop.punches.tables import Terminal
from desktop.retention.rules import RecordClass
from desktop.storage.types import local_seconds
from devices.terminals.model import Punch, SourceFormat, Unusable
from tests.attendance.crew import MONTH, RECEIVED, Member, gates, hire, punched, whole_days
from tests.retention.site_over import ADMINISTRATOR, MANAGER, OFFICER, PASSWORD, Site, over, purged

(_NOBODY,) = invent_people(1, seed=3)


def fill(desk: Desk, clock: FixedClock, scratch: Path) -> None:
    """People, a month of punches by two ways, an explanation, a freeze, pages, a slip, a board;
    three years later one who left is erased. The clock stands at the end of it."""
    set_password(desk, ADMINISTRATOR.name, PASSWORD)
    with desk.book.write() as session:
        desk.audit(
            session, Act.BOOK_CREATED, "project:1", demo=False, **book_check.told(session)
        )
    for actor in (OFFICER, MANAGER):
        add_user(desk, actor.name, actor.role, PASSWORD)
    places = gates(desk)
    members = [hire(desk, 1001, "钢筋班"), hire(desk, 1002, "钢筋班"), hire(desk, 1003, "木工班")]
    leaver = hire(desk, 1004, "木工班", left=date(2026, 11, 12))
    for member in members:
        whole_days(desk, places, member, *range(1, 30))
    whole_days(desk, places, leaver, 9, 10)
    punched(desk, places["进"], members[0], "11-30 07:00")
    _again_and_otherwise(desk, places["进"], members[0])
    cells = [(members[0].person_id, date(2026, 11, 30))]
    added = add_explanation(
        desk, cells, half_days=2, reason=Reason.FORGOTTEN, text="下班漏打", evidence="班组长证明"
    )
    approve_explanation(desk, added.number)
    export_slip(desk, MONTH, 1004, date(2026, 11, 12), scratch / "slip")
    freeze_month(desk, MONTH, accept_open="样例")
    issue_papers(desk, MONTH)
    issue_board(desk, "A3", draft=True)
    over(Site(desk, clock, leaver, _NOBODY, members[0], places))
    purged(Site(desk, clock, leaver, _NOBODY, members[0], places), RecordClass.LEDGER, workers=[1004])


def _again_and_otherwise(desk: Desk, terminal_id: int, member: Member) -> None:
    """The first punch by stick too (a sighting), with other bytes (a conflict), and a bad record."""
    number = str(member.worker_no)
    moment = datetime(2026, 11, 1, 7)
    seen = [
        Punch(number, local_seconds(moment), 15, 0, 1, 1, SourceFormat.ATTLOG, b"a line"),
        Punch(
            number, local_seconds(moment + timedelta(minutes=1)), 15, 0, 1, 1, SourceFormat.ATTLOG,
            b"another line",
        ),
    ]
    other = [seen[1]._replace(raw=b"the same, other bytes")]
    bad = [
        Unusable(3, "impossible_date", "7001", "2026-02-30 08:00:00", int(SourceFormat.ATTLOG), b"bad")
    ]
    source = ledger.Source(ledger.Origin.USB, RECEIVED, desk.actor.name)
    with desk.book.write() as session:
        terminal = session.get(Terminal, terminal_id)
        assert terminal is not None
        ledger.store(session, terminal, ledger.Part(seen), source)
        ledger.store(session, terminal, ledger.Part(other, bad), source)

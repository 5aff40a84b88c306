"""A site whose building is done: one person's traces in every corner of the book, one colleague's
beside them, and the three people of the office.

Everything goes in through the services where there is one. All people are invented.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from sqlalchemy import select

from desktop.access.actor import Actor, Role
from desktop.access.desk import Desk
from desktop.access.users import add_user, set_password
from desktop.attendance.answers import add_outage
from desktop.attendance.calendar import add_leave
from desktop.attendance.explain import Reason, add_explanation, approve_explanation
from desktop.board.export import export_board
from desktop.board.site_facts import set_staff
from desktop.clock import FixedClock
from desktop.demo.people import InventedPerson, invent_people
from desktop.months.freeze import freeze_month
from desktop.months.papers import export_month
from desktop.people import seals
from desktop.people.pinyin import reading
from desktop.people.reveal import reveal
from desktop.people.tables import Contract, Person, Stay
from desktop.punches import originals
from desktop.punches.match import Basis, Match, Standing
from desktop.punches.matching import confirm
from desktop.punches.stick import import_stick
from desktop.punches.tables import Download, Terminal, TerminalPerson
from desktop.punches.terminal_book import retire_terminal
from desktop.retention.biometric import confirm_removal, refresh_removals, removal_tasks
from desktop.retention.dates import Dated, set_dates
from desktop.retention.purge import approve_purge, propose_purge, run_purge
from desktop.retention.result import PurgeResult
from desktop.retention.rules import RecordClass
from desktop.site.tables import Team
from desktop.storage.integrity import DATABASE_KEY
from tests.attendance.crew import MONTH, Member, gates, hire, punched
from tests.sample_site import GENERAL_CONTRACTOR_NAME

LEFT = date(2026, 11, 28)
COMPLETED, SETTLED = date(2027, 3, 10), date(2027, 6, 30)
DUE = date(2030, 6, 30)
"""max(completed + 2, settled + 3) and max(completed, settled) + 3: the same day here."""

OFFICER = Actor("劳小专", Role.LABOUR_OFFICER, 2)
MANAGER = Actor("项经理", Role.PROJECT_MANAGER, 3)
ADMINISTRATOR = Actor("管理员", Role.ADMINISTRATOR, 1)
PASSWORD = "四面 围墙 三台机"


def at(desk: Desk, actor: Actor) -> Desk:
    """The same desk in other hands."""
    return Desk(desk.book, desk.project_id, actor)


def set_day(clock: FixedClock, day: date) -> None:
    """Nine in the morning on site."""
    clock.instant = datetime(day.year, day.month, day.day, 1, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Site:
    """The desk of an administrator, the person to be erased and a colleague who is not."""

    desk: Desk
    clock: FixedClock
    gone: Member
    identity: InventedPerson
    colleague: Member
    terminals: dict[str, int]

    def on(self, year: int, month: int, day: int) -> Site:
        """The same site; its clock is set to that day."""
        set_day(self.clock, date(year, month, day))
        return self

    @property
    def needles(self) -> list[str]:
        """What must not be found afterwards."""
        who = self.identity
        return [
            who.name, who.id_number, who.phone, who.bank_card, who.address,
            f"家属{who.name[0]}某", "19900001001",
            who.phone[:3] + " " + who.phone[3:7] + " " + who.phone[7:],
        ]


def identify(desk: Desk, person_id: int, who: InventedPerson) -> None:
    """Give a hired person a true identity, as the roster would."""
    sealer = desk.book.sealer
    with desk.book.write() as session:
        person = session.get_one(Person, person_id)
        spelt = reading(who.name)
        person.name, person.pinyin, person.initials = who.name, spelt.pinyin, spelt.initials
        person.sex, person.nation, person.birth_day = who.sex, "回族", date(1980, 1, 2)
        person.id_sealed = sealer.seal(who.id_number)
        person.id_index = sealer.index(seals.ID_NUMBER, who.id_number)
        person.phone_sealed = sealer.seal(who.phone)
        person.phone_index = sealer.index(seals.PHONE, who.phone)
        person.bank_card_sealed = sealer.seal(who.bank_card)
        person.bank_card_index = sealer.index(seals.BANK_CARD, who.bank_card)
        person.address_sealed = sealer.seal(who.address)
        person.emergency_contact = f"家属{who.name[0]}某"
        person.emergency_phone_sealed = sealer.seal(f"1990000{person.worker_no}")
        person.updated_at = desk.clock.now()
        stay = session.scalars(select(Stay).where(Stay.person_id == person_id)).one()
        session.add(
            Contract(
                project_id=desk.project_id, stay_id=stay.id, kind="劳动合同",
                number=f"HT-{who.phone}", from_day=date(2026, 10, 1), to_day=date(2026, 12, 31),
            )
        )


def built(desk: Desk, clock: FixedClock) -> Site:
    """The handle of a site that was built before: what :func:`build` made has these numbers."""
    who, _ = invent_people(2, seed=18)
    with desk.book.read() as session:
        people = {
            person.worker_no: Member(person.id, person.worker_no, person.name)
            for person in session.scalars(select(Person))
        }
        terminals = {one.name: one.id for one in session.scalars(select(Terminal))}
    return Site(desk, clock, people[1001], who, people[1002], terminals)


def build(desk: Desk, clock: FixedClock, folder: Path) -> None:
    """The site at the end of November 2026, everybody gone, one month frozen and printed."""
    set_day(clock, date(2026, 12, 2))
    set_password(desk, ADMINISTRATOR.name, PASSWORD)
    for actor in (OFFICER, MANAGER):
        assert add_user(desk, actor.name, actor.role, PASSWORD) == actor.user_id
    who, other = invent_people(2, seed=18)
    places = gates(desk)
    gone = hire(desk, 1001, "钢筋班", left=LEFT)
    colleague = hire(desk, 1002, "钢筋班", left=LEFT)
    identify(desk, gone.person_id, who)
    identify(desk, colleague.person_id, other)
    _terminals(desk, places, gone, who, colleague, folder)
    _texts(desk, gone, who)
    for terminal_id in places.values():
        add_outage(
            desk, terminal_id, datetime(2026, 11, 30, 0), datetime(2026, 12, 1, 23),
            reason=f"断电，{who.name}证明", document="情况说明1",
        )
    freeze_month(desk, MONTH, accept_open=f"{who.name}住院，另行补签")
    export_month(desk, MONTH, folder / "month")
    export_board(desk, "A3", folder / "board", draft=True)


def _terminals(
    desk: Desk, places: dict[str, int], gone: Member, who: InventedPerson, colleague: Member,
    folder: Path,
) -> None:
    """One gate knows 人员编号, the other one the ID number itself."""
    with desk.book.write() as session:
        for number, name in ((who.id_number, who.name), ("1002", "同事")):
            session.add(
                TerminalPerson(
                    terminal_id=places["出"], number=number, name=name, card=0,
                    read_at=desk.clock.now(),
                )
            )
    match = Match(
        who.id_number, "", who.name, Standing.PROPOSED, Basis.ID_NUMBER, gone.person_id, 1001
    )
    confirm(desk, "出", [match])
    for member in (gone, colleague):
        punched(desk, places["进"], member, *(f"11-{day:02d} 07:00" for day in range(2, 9)))
    punched(desk, places["出"], colleague, *(f"11-{day:02d} 17:30" for day in range(2, 9)))
    punched(desk, places["出"], who.id_number, *(f"11-{day:02d} 17:30" for day in range(2, 9)))
    lines = [f"{who.id_number}\t2026-11-{day:02d} 17:40:00\t1\t0\t15\t0" for day in range(9, 13)]
    lines.append(f"{who.id_number}\t2031-11-20 17:40:00\t1\t0\t15\t0")
    stick = folder / "1_attlog.dat"
    stick.write_bytes(("\r\n".join(lines) + "\r\n").encode("ascii"))
    import_stick(desk, stick, "出", taken_at=datetime(2026, 12, 1, 8))
    # A list of people that some terminals write beside it: names in GBK.
    copy = originals.copy(desk.book, io.BytesIO(f"{who.id_number}\t{who.name}".encode("gb18030")))
    copy.keep()
    with desk.book.write() as session:
        session.add(
            Download(
                project_id=desk.project_id, terminal_id=places["出"], at=desk.clock.now(),
                origin="usb", complete=False, sha256=copy.sha256, counts={}, error="",
            )
        )


def _texts(desk: Desk, gone: Member, who: InventedPerson) -> None:
    """Sentences people typed, with names in them, although they should not."""
    add_leave(
        desk, gone.person_id, "病假", date(2026, 11, 20), date(2026, 11, 22),
        reason="腰伤复查", document="门诊病历",
    )
    spaced = who.phone[:3] + " " + who.phone[3:7] + " " + who.phone[7:]
    added = add_explanation(
        desk, [(gone.person_id, date(2026, 11, 25))], half_days=2, reason=Reason.FORGOTTEN,
        text=f"{who.name[0]} {who.name[1:]}下班漏打", evidence=f"电话{spaced}核实",
    )
    approve_explanation(desk, added.number)
    reveal(desk, gone.person_id, f"{who.name}本人申请查看")
    set_staff(desk, "项目经理", who.name, who.phone, GENERAL_CONTRACTOR_NAME)
    with desk.book.write() as session:
        team = session.scalars(select(Team).where(Team.name == "钢筋班")).one()
        team.leader = who.name


def over(site: Site) -> None:
    """The day everything falls due: dates set, terminals retired, templates confirmed as gone."""
    set_day(site.clock, date(2027, 7, 1))
    set_dates(
        site.desk, completed=Dated(COMPLETED, "竣工验收报告 2027-3"),
        settled=Dated(SETTLED, "工资结清公示 2027-6"),
    )
    with site.desk.book.read() as session:
        names = list(session.scalars(select(Terminal.name)))
    for name in names:
        retire_terminal(site.desk, name, date(2027, 7, 1))
    refresh_removals(site.desk)
    with site.desk.book.read() as session:
        tasks = removal_tasks(session, 1, site.clock.today())
    for task in tasks:
        assert task.id is not None
        confirm_removal(site.desk, task.id, "设备已恢复出厂设置")
    set_day(site.clock, DUE)


def purged(
    site: Site, record_class: RecordClass, *, workers: Sequence[int] | None = None
) -> PurgeResult:
    """The whole way of a purge: proposed, approved by another, waited for, run by a third."""
    number = propose_purge(at(site.desk, OFFICER), record_class, "保存期满", workers=workers)
    first = approve_purge(at(site.desk, MANAGER), number)
    set_day(site.clock, first)
    return run_purge(site.desk, number)


def decrypted_pages(desk: Desk) -> bytes:
    """Every page in clear, of the main file (free ones too) and of its log.

    AES-256-CBC, 80 bytes reserved at the end, which begin with the page's own vector.
    """
    key = desk.book.subkey(DATABASE_KEY)
    data = desk.book.database_file.read_bytes()
    pages = [data[16:4096], *(data[at : at + 4096] for at in range(4096, len(data), 4096))]
    log = desk.book.database_file.with_name(f"{desk.book.database_file.name}-wal")
    if log.exists():
        frames = log.read_bytes()
        for start in range(32, len(frames), 24 + 4096):
            first = frames[start : start + 4] == b"\0\0\0\1"
            pages.append(frames[start + 24 + (16 if first else 0) : start + 24 + 4096])
    clear = []
    for page in pages:
        vector = page[len(page) - 80 : len(page) - 64]
        cipher = Cipher(algorithms.AES(key), modes.CBC(vector)).decryptor()
        clear.append(cipher.update(page[:-80]) + cipher.finalize())
    return b"".join(clear)


def dumped(connection: Any) -> str:
    """Every value of every table, texts and bytes in the encodings of the trade."""
    parts = []
    tables = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall()
    for (table,) in tables:
        for row in connection.execute(f'SELECT * FROM "{table}"'):
            for value in row:
                if isinstance(value, bytes):
                    parts += [value.decode("utf-8", "ignore"), value.decode("gb18030", "ignore")]
                else:
                    parts.append(str(value))
    return "\n".join(parts)

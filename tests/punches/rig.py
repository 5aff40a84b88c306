"""What the punch tests share: records by hand, terminals in the book, and the proof of the chain."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import select

from desktop.access import audit
from desktop.access.desk import Desk
from desktop.clock import CHINA
from desktop.people import seals
from desktop.people.rules import RESIDENT_ID
from desktop.people.tables import Person, Stay
from desktop.punches.ledger import Counts, Origin, Part, Source, store, verify_readers
from desktop.punches.tables import Terminal
from desktop.punches.terminal_book import add_terminal
from desktop.punches.verification import LedgerVerdict, verify_ledger
from desktop.site.tables import Company
from desktop.storage.rows import native
from desktop.storage.types import local_seconds
from devices.emulators.zk import StoredPunch, ZkEmulator
from devices.terminals.driver import Timing
from devices.terminals.model import Punch, SourceFormat, Unusable

QUICK = Timing(
    connect_s=2.0, reply_s=0.7, bulk_s=0.7, datagram_s=0.2, silence_s=5.0, waits_s=(0.02, 0.04)
)
"""The house's rule with shorter waits."""

MORNING = datetime(2026, 11, 2, 6, 30)
"""A Monday in the month the still clock of the tests lives in."""

READERS = {"act": audit.leaves, **verify_readers()}


def punch(
    number: str = "100001",
    at: datetime = MORNING,
    *,
    method: int = 15,
    state: int = 0,
    form: SourceFormat = SourceFormat.ZK40,
    raw: bytes | None = None,
) -> Punch:
    """One accepted face punch, as a driver hands it out."""
    seconds = local_seconds(at)
    content = b"%s|%d|%d|%d" % (number.encode(), seconds, method, state)
    return Punch(
        number, seconds, method, state, 1, 1, int(form), content if raw is None else raw
    )


def unusable(raw: bytes = b"broken", reason: str = "impossible_date") -> Unusable:
    return Unusable(0, reason, "100001", "2026-02-31 07:58:11", int(SourceFormat.ZK40), raw)


def punches(count: int, *, people: int = 7, step_s: int = 97, first: int = 100001) -> list[Punch]:
    """A log in time order."""
    return [
        punch(str(first + at % people), MORNING + timedelta(seconds=step_s * at))
        for at in range(count)
    ]


def terminal(desk: Desk, name: str = "东门进", address: str = "", **more: Any) -> int:
    """A terminal in the book; returns its id."""
    options = {"driver": "zk", "direction": "in", **more}
    return add_terminal(desk, name, address=address, **options).terminal_id


def keep(
    desk: Desk,
    terminal_id: int,
    records: Sequence[Punch],
    origin: Origin = Origin.PULL,
    *,
    aside: Iterable[Unusable] = (),
    seqs: Sequence[int] | None = None,
    received_at: datetime | None = None,
) -> Counts:
    """Store one batch in a transaction of its own."""
    source = Source(origin, received_at or desk.clock.now(), "试")
    with desk.book.write() as session:
        held = session.get_one(Terminal, terminal_id)
        return store(session, held, Part(records, list(aside), seqs), source)


def proof(desk: Desk) -> LedgerVerdict:
    """The whole verdict, as ``ledger verify`` gives it."""
    return verify_ledger(desk.book, desk.project_id, READERS)


def proven(desk: Desk) -> LedgerVerdict:
    """The verdict, which must be good."""
    verdict = proof(desk)
    assert verdict.ok, verdict.first_bad
    return verdict


def table(desk: Desk, name: str) -> int:
    """Rows of a table."""
    with desk.book.read() as session:
        count = session.connection().exec_driver_sql(f"SELECT count(*) FROM {name}").scalar_one()
        return int(count)


def rows(desk: Desk, statement: str, *values: Any) -> list[tuple[Any, ...]]:
    """Rows of a statement."""
    with desk.book.read() as session:
        lane = session.connection()
        found = lane.exec_driver_sql(native(lane, statement), tuple(values))
        return [tuple(row) for row in found]


def segments(desk: Desk) -> int:
    """Segments of punches; acts have their own."""
    return int(rows(desk, "SELECT count(*) FROM segment WHERE kind = 'punches'")[0][0])


def stored(
    count: int, *, people: int = 7, step_s: int = 97, start: datetime = MORNING, first: int = 100001
) -> list[StoredPunch]:
    """What an emulated terminal has in its memory."""
    return [
        StoredPunch(str(first + at % people), start + timedelta(seconds=step_s * at))
        for at in range(count)
    ]


@contextmanager
def emulator(
    desk: Desk, memory: Sequence[StoredPunch] = (), **options: Any
) -> Iterator[ZkEmulator]:
    """A terminal on loopback whose clock agrees with the desk's."""
    options.setdefault("now", lambda: desk.clock.local())
    with ZkEmulator(punches=memory, **options) as unit:
        yield unit


def site_time(moment: datetime) -> datetime:
    """A naive site time as an instant."""
    return moment.replace(tzinfo=CHINA).astimezone(UTC)


def worker(desk: Desk, worker_no: int, name: str, id_number: str = "", *, here: bool = True) -> int:
    """Somebody on the roster; ``here``: with a stay on this project. Returns the person's id."""
    sealer = desk.book.sealer
    number = id_number or f"P{worker_no:08d}"
    with desk.book.write() as session:
        person = Person(
            worker_no=worker_no, name=name, pinyin="x", initials="x", sex="男", nation="汉族",
            education="", birth_day=None, id_kind=RESIDENT_ID, id_sealed=sealer.seal(number),
            id_index=sealer.index(seals.ID_NUMBER, number), address_sealed=None,
            phone_sealed=None, phone_index=None, bank_name="", bank_card_sealed=None,
            bank_card_index=None, emergency_contact="", emergency_phone_sealed=None,
            updated_at=desk.clock.now(),
        )
        session.add(person)
        session.flush()
        if here:
            company = session.scalars(select(Company.id).order_by(Company.id).limit(1)).one()
            session.add(
                Stay(
                    project_id=desk.project_id, person_id=person.id, company_id=company,
                    from_day=date(2026, 3, 1), to_day=None, is_manager=False, trade="钢筋工",
                    state="on_site", housing_registered_on=None, labour_registered_on=None,
                    trained_on=None, taken_over_on=None,
                )
            )
        return person.id

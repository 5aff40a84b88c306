"""对号: whose number is it? A terminal in use already has numbers of its own.

Its people are read, matches are proposed (人员编号, ID number, then unique exact name), the user
confirms them in bulk with from/to days; earlier punches then count. Namesakes, on either side, are
never matched by themselves. A name read from a terminal is never written into the roster.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from desktop.access.actor import Act
from desktop.access.desk import Desk
from desktop.errors import Cancelled, Refused
from desktop.jobs import CancelToken, Progress, silent
from desktop.people.tables import Person
from desktop.punches import words
from desktop.punches.lease import Leases
from desktop.punches.match import Basis, Finder, Match, Standing, span_of
from desktop.punches.queries import shown_number
from desktop.punches.reach import Opener, reach_of
from desktop.punches.tables import Alias, Terminal, TerminalPerson
from desktop.punches.terminal_book import bind_serial, terminal_named
from desktop.storage import rows as rows_of
from desktop.storage.sealed import Sealer
from desktop.storage.types import day_number, day_of
from devices import errors as device_errors
from devices.terminals.driver import Surroundings, Timing
from devices.terminals.registry import open_driver

__all__ = [
    "Basis", "Match", "PeopleRead", "Standing", "by_hand", "confirm", "end_match", "propose",
    "read_people",
]


@dataclass(frozen=True, slots=True)
class PeopleRead:
    """What the last reading of a terminal's people brought."""

    terminal: str
    serial: str
    people: int
    added: int
    removed: int
    encoding: str
    warnings: tuple[str, ...] = ()


def read_people(
    desk: Desk,
    name: str,
    *,
    progress: Progress = silent,
    cancel: CancelToken | None = None,
    opener: Opener = open_driver,
    timing: Timing = Timing(),
) -> PeopleRead:
    """Read the people of a terminal; what is held of them is replaced whole.

    Raises :class:`Refused` with what went wrong; then the earlier reading stays.
    """
    desk.permit(Act.NUMBERS_MATCHED)
    with desk.book.read() as session:
        reach = reach_of(desk, terminal_named(session, desk.project_id, name))

    def note(done: int, total: int, _: str) -> None:
        progress(done, total, f"正在读取「{reach.name}」的人员")

    around = Surroundings(now=desk.clock.now, timing=timing)
    leases = Leases(desk)
    leases.take([reach])
    if leases.refused:
        raise leases.refused[reach.terminal_id]
    try:
        read = opener(reach.driver, reach.connection, around).people(progress=note, cancel=cancel)
    except device_errors.Cancelled as error:
        raise Cancelled from error
    except device_errors.DeviceError as error:
        raise Refused(error.code, words.of_terminal(error, reach.name), terminal=name) from error
    finally:
        leases.release()
    now = desk.clock.now()
    found = {one.number: (one.name, one.card) for one in read.persons if one.number}
    with desk.book.write() as session:
        terminal = session.get_one(Terminal, reach.terminal_id)
        warnings = bind_serial(session, terminal, read.serial)
        held = set(
            session.scalars(
                select(TerminalPerson.number).where(TerminalPerson.terminal_id == terminal.id)
            )
        )
        session.execute(delete(TerminalPerson).where(TerminalPerson.terminal_id == terminal.id))
        session.add_all(
            TerminalPerson(terminal_id=terminal.id, number=number, name=text, card=card, read_at=now)
            for number, (text, card) in found.items()
        )
        terminal.last_contact_at = now
        if read.encoding:
            terminal.encoding = read.encoding
        desk.audit(
            session, Act.NUMBERS_MATCHED, f"terminal:{terminal.id}", did="people_read",
            people=len(found),
        )
    return PeopleRead(
        reach.name, read.serial, len(found), len(found.keys() - held), len(held - found.keys()),
        read.encoding, warnings,
    )


# ── proposing ───────────────────────────────────────────────────────────────────────────────────


def propose(session: Session, sealer: Sealer, project_id: int, terminal_name: str) -> list[Match]:
    """Every number of the terminal — of its people and of its punches — and whose it may be.

    Open and doubtful ones first, then proposals, then what is settled; each by punches.
    """
    terminal = terminal_named(session, project_id, terminal_name)
    names = {
        number: name
        for number, name in session.execute(
            select(TerminalPerson.number, TerminalPerson.name).where(
                TerminalPerson.terminal_id == terminal.id
            )
        )
    }
    seen = _seen(session, terminal.id)
    finder = Finder(session, sealer, project_id, terminal.id, names.values())
    matches = []
    for number in sorted(names.keys() | seen.keys()):
        punches, first, last = seen.get(number, (0, None, None))
        found = finder.match(number, names.get(number, ""))
        matches.append(replace(found, punches=punches, first_seen=first, last_seen=last))
    order = list(Standing)[::-1]
    return sorted(matches, key=lambda one: (order.index(one.standing), -one.punches))


def _seen(session: Session, terminal_id: int) -> dict[str, tuple[int, date | None, date | None]]:
    """Punches, first and last day of each number; in two halves, because each has its own index."""
    half = "SELECT number, t_local FROM punch WHERE terminal_id = ? AND seq IS {} NULL"
    lane = session.connection()
    both = (
        "SELECT number, count(*), min(t_local), max(t_local)"
        f" FROM ({half.format('')} UNION ALL {half.format('NOT')}) AS punched GROUP BY number"
    )
    rows = lane.exec_driver_sql(rows_of.native(lane, both), (terminal_id, terminal_id))
    return {
        number: (n, day_of(first // 86_400), day_of(last // 86_400))
        for number, n, first, last in rows
    }


def by_hand(session: Session, number: str, worker_no: int) -> Match:
    """The user says: this number is that worker's. Raises :class:`Refused` for no such worker."""
    number = number.strip()
    person = session.execute(
        select(Person.id, Person.name).where(Person.worker_no == worker_no)
    ).one_or_none()
    if person is None or not number:
        raise Refused(
            "unknown_worker",
            f"花名册上没有人员编号{worker_no}，没有对号。请先导入花名册，或核对编号。",
            worker_no=worker_no,
        )
    return Match(
        number, shown_number(number), "", Standing.PROPOSED, Basis.HAND, person.id, worker_no,
        person.name,
    )


# ── confirming ──────────────────────────────────────────────────────────────────────────────────


def confirm(
    desk: Desk,
    name: str,
    matches: Sequence[Match],
    *,
    from_day: date | None = None,
    to_day: date | None = None,
) -> int:
    """Store matches of one terminal; returns how many. What is settled already is passed over.

    ``from_day`` / ``to_day`` hold where a match has no days of its own; None = open, so earlier
    punches count. All or nothing: an overlap with an earlier match is :class:`Refused`.
    """
    desk.permit(Act.NUMBERS_MATCHED)
    chosen = [
        replace(
            match,
            from_day=match.from_day if match.from_day is not None else from_day,
            to_day=match.to_day if match.to_day is not None else to_day,
        )
        for match in matches
        if match.person_id is not None
        and match.standing not in (Standing.BY_ITSELF, Standing.CONFIRMED)
    ]
    with desk.book.write() as session:
        terminal = terminal_named(session, desk.project_id, name)
        for match in chosen:
            _refuse_overlap(session, terminal, match)
            session.add(
                Alias(
                    project_id=desk.project_id,
                    terminal_id=terminal.id,
                    number=match.number,
                    person_id=match.person_id,
                    from_day=match.from_day,
                    to_day=match.to_day,
                    basis=match.basis.value,
                    confirmed_by=desk.actor.name,
                    confirmed_at=desk.clock.now(),
                )
            )
            session.flush()
        if chosen:
            desk.audit(
                session, Act.NUMBERS_MATCHED, f"terminal:{terminal.id}", did="confirmed",
                count=len(chosen), persons=sorted({match.person_id or 0 for match in chosen}),
                since=None if from_day is None else from_day.isoformat(),
                until=None if to_day is None else to_day.isoformat(),
            )
    return len(chosen)


def end_match(desk: Desk, name: str, number: str, last_day: date | None) -> int:
    """End a match after ``last_day``; None withdraws it for all days. Returns how many ended.

    The row stays as it was confirmed, so the trace of what once counted is kept.
    """
    desk.permit(Act.NUMBERS_MATCHED)
    with desk.book.write() as session:
        terminal = terminal_named(session, desk.project_id, name)
        ended = 0
        for alias in session.scalars(
            select(Alias).where(Alias.terminal_id == terminal.id, Alias.number == number.strip())
        ):
            first, last = span_of(alias.from_day, alias.to_day)
            end = first - 1 if last_day is None else day_number(last_day)
            if first > last or end >= last:
                continue
            alias.to_day = day_of(max(end, first - 1))
            ended += 1
        if not ended:
            raise Refused(
                "no_match",
                f"「{terminal.name}」上这个编号没有可结束的对号，未做任何改动。请核对编号和日期。",
            )
        desk.audit(
            session, Act.NUMBERS_MATCHED, f"terminal:{terminal.id}", did="ended", count=ended,
            until=None if last_day is None else last_day.isoformat(),
        )
        return ended


def _refuse_overlap(session: Session, terminal: Terminal, match: Match) -> None:
    first, last = span_of(match.from_day, match.to_day)
    if first > last:
        raise Refused(
            "match_days", "对号的开始日期晚于结束日期，未做任何改动。请改正日期。"
        )
    for alias in session.scalars(
        select(Alias).where(Alias.terminal_id == terminal.id, Alias.number == match.number)
    ):
        begin, end = span_of(alias.from_day, alias.to_day)
        if begin <= end and begin <= last and first <= end:
            raise Refused(
                "match_overlap",
                f"「{terminal.name}」上的编号{match.shown}在这段时间已对应到一名工人，本次全部没有保存。"
                "请先结束原来的对号，或改正日期。",
                number=match.shown,
            )

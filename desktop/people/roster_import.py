"""``roster import``: one spreadsheet, one transaction, one report with a line per rejected row.

Importing the same file twice changes nothing. Rejected rows never stop the others. The entry date
of a row always creates the stay; what the gate order misses is listed (design, invariant 3).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from desktop.access.actor import Act
from desktop.access.desk import Desk
from desktop.errors import Refused
from desktop.jobs import CancelToken, Progress, silent
from desktop.people import hidden, roster_checks, seals
from desktop.people.roster_book import KnownPerson, KnownStay, holders, load_people, next_worker_no
from desktop.people.roster_cells import fold
from desktop.people.roster_drafts import (
    Circumstances,
    fill_person,
    fill_stay,
    new_person,
    new_stay,
)
from desktop.people.roster_row import (
    RosterEntry,
    RowNote,
    RowRejected,
    SiteNames,
    looks_like_head,
    read_entry,
)
from desktop.people.roster_sheet import Head, RosterSheet, read_roster
from desktop.people.roster_store import RosterStore
from desktop.people.rules import MissingStep, missing_steps, name_key
from desktop.people.stays import refresh_states
from desktop.people.tables import Person, RosterImport
from desktop.site.queries import companies, rule_for, teams
from desktop.site.teams import create_team

INVENTED_AREAS = ("410000", "419000")
"""ID numbers of nobody begin so; a demo book takes no others."""
_STEP = 500
_BATCH = 2_000


@dataclass(frozen=True, slots=True)
class MissingOfPerson:
    """What the gate order misses of one imported row, each with clause and next act."""

    row: int
    worker_no: int
    name: str
    missing: list[dict[str, str]]


@dataclass(slots=True)
class RosterReport:
    """What an import did; ``rows`` = created + updated + unchanged + rejected."""

    rows: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: list[RowNote] = field(default_factory=list)
    warnings: list[RowNote] = field(default_factory=list)
    missing: list[MissingOfPerson] = field(default_factory=list)
    ignored_heads: list[str] = field(default_factory=list)
    new_teams: list[str] = field(default_factory=list)
    dry_run: bool = False
    takeover: date | None = None

    def as_json(self) -> dict[str, Any]:
        """Plain document of ``roster import --json``."""
        return asdict(self)


def import_roster(
    desk: Desk,
    path: Path,
    *,
    dry_run: bool = False,
    takeover: date | None = None,
    progress: Progress = silent,
    cancel: CancelToken | None = None,
) -> RosterReport:
    """Import the spreadsheet at ``path``; see the module.

    ``dry_run`` gives the whole report and keeps nothing. ``takeover`` is the day a running project
    was taken over: stays that began before are marked, their earlier dates count as 补录.
    """
    desk.permit(Act.ROSTER_IMPORTED)
    if takeover is not None and takeover > desk.clock.today():
        raise Refused("takeover_future", "接管日期在今天之后，未做任何改动。请填写实际接管的日期。")
    progress(0, 0, "读取表格")
    sheet = read_roster(
        path, cancel=cancel, counted=lambda rows: progress(rows, 0, f"读取表格：{rows}行")
    )
    with _session(desk, dry_run) as session:
        run = _Import(desk, session, sheet, takeover, dry_run, progress, cancel)
        report = run.run()
        if not dry_run:
            run.store()
    return report


@contextmanager
def _session(desk: Desk, dry_run: bool) -> Iterator[Session]:
    """A dry run only reads; an import owns the writer from its first question on."""
    with (desk.book.read() if dry_run else desk.book.write()) as session:
        yield session


class _Import:
    """One import while it runs: checks rows in order and collects drafts."""

    def __init__(
        self, desk: Desk, session: Session, sheet: RosterSheet, takeover: date | None,
        dry_run: bool, progress: Progress, cancel: CancelToken | None,
    ) -> None:
        self._desk, self._session, self._sheet = desk, session, sheet
        self._dry_run, self._progress, self._cancel = dry_run, progress, cancel
        self._at = Circumstances(desk.book.sealer, desk.clock.today(), takeover)
        self._report = RosterReport(
            ignored_heads=sheet.ignored, dry_run=dry_run, takeover=takeover
        )
        named = companies(session, desk.project_id)
        self._company_names = {company.id: company.name for company in named}
        self._site = SiteNames({fold(company.name): company.id for company in named})
        self._teams = {
            (team.company_id, fold(team.name)): team.id
            for team in teams(session, desk.project_id)
        }
        self._facts = roster_checks.FileFacts()
        self._people: dict[tuple[str, str], KnownPerson] = {}
        self._stays: dict[int, tuple[KnownPerson, KnownStay, str]] = {}

    def run(self) -> RosterReport:
        """All checks, in order; the drafts are ready afterwards."""
        if not self._dry_run:
            refresh_states(self._session, self._desk.project_id, self._at.today)
        entries = self._read_entries()
        if self._desk.book.demo:
            _refuse_real_people(entries)
        self._load(entries)
        for entry in entries:
            self._facts.names.setdefault(entry.key, (name_key(entry.name), entry.row))
        for done, entry in enumerate(_in_order(entries)):
            self._step(done, len(entries), "核对")
            try:
                self._accept(entry)
            except RowRejected as rejected:
                self._report.rejected.append(rejected.note)
            else:
                self._report.warnings += entry.warnings
        self._finish()
        return self._report

    def store(self) -> None:
        """Write the drafts, the trace of the file and the audit row."""
        desk, report = self._desk, self._report
        store = RosterStore(
            self._session, desk.book.sealer, desk.project_id, desk.clock.now()
        )
        people = list(self._people.values())
        for done in range(0, len(people), _BATCH):
            self._step(done, len(people), "写入账本")
            store.store(people[done : done + _BATCH])
        counts = {
            "rows": report.rows, "created": report.created, "updated": report.updated,
            "unchanged": report.unchanged, "rejected": len(report.rejected),
        }
        trace = RosterImport(
            project_id=desk.project_id, at=desk.clock.now(), sha256=self._sheet.sha256,
            counts=counts, taken_over_on=report.takeover,
        )
        self._session.add(trace)
        self._session.flush()
        why = ""
        if report.takeover is not None:
            why = f"接管在建项目：{report.takeover.isoformat()}及以前的登记、教育、合同日期按补录记入"
        desk.audit(
            self._session, Act.ROSTER_IMPORTED, f"roster_import:{trace.id}", why=why,
            sha256=self._sheet.sha256.hex(), **counts,
            **({"takeover": report.takeover.isoformat()} if report.takeover else {}),
        )

    def _step(self, done: int, total: int, text: str) -> None:
        if done % _STEP == 0:
            if self._cancel is not None:
                self._cancel.raise_if_set()
            self._progress(done, total, text)

    def _read_entries(self) -> list[RosterEntry]:
        """Checks 1 to 4 of every row."""
        rules = rule_for(self._session, self._desk.project_id, self._at.today)
        rows, total = self._sheet.rows, len(self._sheet.rows)
        rows.reverse()
        entries: list[RosterEntry] = []
        for done in range(total):
            self._step(done, total, "检查各行")
            row = rows.pop()  # read once; a long sheet is not kept beside its entries
            if looks_like_head(row):
                continue
            self._report.rows += 1
            try:
                entries.append(read_entry(row, self._site, rules))
            except RowRejected as rejected:
                self._report.rejected.append(rejected.note)
        return entries

    def _load(self, entries: list[RosterEntry]) -> None:
        """What the book holds of the people, numbers, phones and cards of the file."""
        session, sealer = self._session, self._at.sealer
        self._people = load_people(
            session, sealer, self._desk.project_id, {entry.key for entry in entries}
        )
        typed = {entry.worker_no for entry in entries if entry.worker_no is not None}
        self._taken = holders(session, Person.worker_no, typed)
        for number in hidden.taken_numbers(session, typed):
            self._taken.setdefault(number, [(hidden.NOBODY_SEEN, number)])
        self._next_no = next_worker_no(session, typed)
        self._phone_index = {
            e.phone: sealer.index(seals.PHONE, e.phone) for e in entries if e.phone
        }
        self._card_index = {
            e.bank_card: sealer.index(seals.BANK_CARD, e.bank_card) for e in entries if e.bank_card
        }
        self._phones = holders(session, Person.phone_index, self._phone_index.values())
        self._cards = holders(session, Person.bank_card_index, self._card_index.values())

    def _accept(self, entry: RosterEntry) -> None:
        """Checks 5 to 7 of one row, then its drafts. Raises :class:`RowRejected`."""
        person = self._people.get(entry.key)
        roster_checks.check_identity_used(entry, person, self._facts)
        first, stay = roster_checks.check_dates(entry, person)
        roster_checks.check_worker_no(entry, person, self._facts, self._taken)
        roster_checks.warn_shared(
            entry, person, self._facts, self._phones, self._cards,
            self._phone_index.get(entry.phone), self._card_index.get(entry.bank_card),
        )
        if person is None:
            person = self._people[entry.key] = new_person(entry, self._number_for(entry))
        self._facts.numbers.setdefault(person.values["worker_no"], entry.key)
        changed = fill_person(person, entry, self._at)
        team_id = self._team(entry)
        created = stay is None
        if stay is None:
            stay = new_stay(entry, first, team_id)
            person.stays.append(stay)
        changed = fill_stay(stay, entry, first, team_id, self._at) or changed
        stay.claimed = stay.claimed or entry
        self._stays[id(stay)] = (person, stay, entry.name)
        if created:
            self._report.created += 1
        elif changed:
            self._report.updated += 1
        else:
            self._report.unchanged += 1

    def _number_for(self, entry: RosterEntry) -> int:
        if entry.worker_no is not None:
            return entry.worker_no
        if self._next_no > 999_999_999:
            raise entry.reject(Head.WORKER_NO, "numbers_used_up", "人员编号已用完，请在表中填写编号")
        number, self._next_no = self._next_no, self._next_no + 1
        return number

    def _team(self, entry: RosterEntry) -> int | None:
        """The team of the row; a name the company has not yet becomes a new team, with a warning."""
        if not entry.team:
            return None
        key = (entry.company_id, fold(entry.team))
        if key not in self._teams:
            if self._dry_run:
                self._teams[key] = -len(self._teams) - 1
            else:
                self._teams[key] = create_team(
                    self._session, self._desk.project_id, entry.company_id, entry.team
                ).id
            company = self._company_names[entry.company_id]
            self._report.new_teams.append(entry.team)
            entry.warn(Head.TEAM, "new_team", f"{company}原没有班组「{entry.team}」，已新建（白班）")
        return self._teams[key]

    def _finish(self) -> None:
        report = self._report
        report.rejected.sort(key=lambda note: note.row)
        report.warnings.sort(key=lambda note: note.row)
        for person, stay, name in self._stays.values():
            steps = missing_steps(stay.evidence())
            if steps and stay.claimed is not None:
                report.missing.append(
                    MissingOfPerson(
                        stay.claimed.row, person.values["worker_no"], name, [_told(s) for s in steps]
                    )
                )
        report.missing.sort(key=lambda missing: missing.row)


@cache
def _told(step: MissingStep) -> dict[str, str]:
    return {
        "code": step.code, "finding": step.finding, "clause": step.clause, "next": step.next_act,
    }


def _in_order(entries: list[RosterEntry]) -> list[RosterEntry]:
    """Rows as they stand, but the stays of one person by their entry date."""
    first_row: dict[tuple[str, str], int] = {}
    for entry in entries:
        first_row.setdefault(entry.key, entry.row)

    def place(entry: RosterEntry) -> tuple[int, date, int]:
        return first_row[entry.key], entry.entry or date.max, entry.row

    return sorted(entries, key=place)


def _refuse_real_people(entries: list[RosterEntry]) -> None:
    real = sum(not entry.identity.number.startswith(INVENTED_AREAS) for entry in entries)
    if real:
        raise Refused(
            "demo_book",
            f"这是演示账本，表中有{real}人不是虚构人员，未导入任何一行。请新建正式账本后再导入。", people=real,
        )

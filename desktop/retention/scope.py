"""Who and what a purge may take today: the terms of every project, holds, what has to come first.

Asked when a purge is proposed and again when it is run: in between a hold may have been placed, a
date corrected, somebody may have come back.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from types import MappingProxyType

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from desktop.errors import Refused
from desktop.people.tables import Contract, Person, Stay
from desktop.punches import originals
from desktop.punches.tables import Download, Terminal
from desktop.retention.dates import dates_of
from desktop.retention.holds import holds
from desktop.retention.people import erased_persons
from desktop.retention.rules import Decision, Facts, RecordClass, contract_ended_on, decide
from desktop.storage.tables import Tombstone

SKIPPED_WORDS: Mapping[str, str] = MappingProxyType({
    "on_site": "仍在场或未登记退场",
    "held": "有留存冻结",
    "not_due": "保存期未满（含在其他项目的记录）",
    "contract": "劳动合同保存期未满",
    "erased": "已清除过",
})


@dataclass(frozen=True, slots=True)
class Persons:
    """Whose records may go: number by person, their projects, and who was passed over and why."""

    numbers: Mapping[int, int]
    """Person id → 人员编号."""
    projects: frozenset[int]
    due_on: date | None
    skipped: Mapping[str, int]

    @property
    def skipped_sentence(self) -> str:
        """Empty when nobody was passed over."""
        parts = [f"{SKIPPED_WORDS[why]}{count}人" for why, count in self.skipped.items() if count]
        return "、".join(parts)


def persons_due(
    session: Session, project_id: int, today: date, workers: Sequence[int] | None = None
) -> Persons:
    """The persons of a project whose every term is over; ``workers`` limits to those numbers.

    Somebody with a stay on another project waits for that one too: there is one identity.
    """
    stays = _stays(session, project_id, workers)
    facts = {
        project: dates_of(session, project).facts
        for project in {stay.project_id for mine in stays.values() for stay in mine}
    }
    held_projects, held_persons = _held(session, facts)
    gone = erased_persons(session)
    contracts = _contracts(session, stays)
    numbers: dict[int, int] = {}
    projects: set[int] = set()
    skipped: Counter[str] = Counter()
    latest: date | None = None
    names = _numbers(session, stays)
    for person_id, mine in stays.items():
        here = {stay.project_id for stay in mine}
        days = _days(mine, contracts, facts)
        if person_id in gone:
            skipped["erased"] += 1
        elif any(stay.to_day is None or stay.to_day >= today for stay in mine):
            skipped["on_site"] += 1
        elif person_id in held_persons or here & held_projects:
            skipped["held"] += 1
        elif days["ledger"] is None or days["ledger"] > today:
            skipped["not_due"] += 1
        elif days["contract"] is None or days["contract"] > today:
            skipped["contract"] += 1
        else:
            numbers[person_id] = names[person_id]
            projects |= here
            latest = max(filter(None, (latest, days["ledger"], days["contract"])))
    return Persons(numbers, frozenset(projects), latest, dict(skipped))


def _stays(
    session: Session, project_id: int, workers: Sequence[int] | None
) -> dict[int, list[Stay]]:
    """Every stay, on whatever project, of those who have one on this."""
    here = select(Stay.person_id).where(Stay.project_id == project_id)
    query = select(Stay).where(Stay.person_id.in_(here)).order_by(Stay.person_id, Stay.from_day)
    if workers is not None:
        wanted = select(Person.id).where(Person.worker_no.in_(list(workers)))
        query = query.where(Stay.person_id.in_(wanted))
    found: dict[int, list[Stay]] = defaultdict(list)
    for stay in session.scalars(query):
        found[stay.person_id].append(stay)
    return found


def _numbers(session: Session, people: Iterable[int]) -> dict[int, int]:
    wanted = set(people)
    rows = session.execute(select(Person.id, Person.worker_no))
    return {person_id: number for person_id, number in rows if person_id in wanted}


def _held(session: Session, projects: Iterable[int]) -> tuple[set[int], set[int]]:
    """Projects and persons under a hold in force."""
    held_projects: set[int] = set()
    held_persons: set[int] = set()
    for project in projects:
        for hold in holds(session, project, active=True):
            if hold.person_id is None:
                held_projects.add(project)
            else:
                held_persons.add(hold.person_id)
    return held_projects, held_persons


def _contracts(
    session: Session, stays: Mapping[int, list[Stay]]
) -> dict[int, list[date | None]]:
    """Last day of every contract, by stay."""
    known = {stay.id for mine in stays.values() for stay in mine}
    found: dict[int, list[date | None]] = defaultdict(list)
    for stay_id, to_day in session.execute(select(Contract.stay_id, Contract.to_day)):
        if stay_id in known:
            found[stay_id].append(to_day)
    return found


def _days(
    stays: Sequence[Stay], contracts: Mapping[int, list[date | None]], facts: Mapping[int, Facts]
) -> dict[str, date | None]:
    """The latest day of the person's ledger and contracts over all his projects; None: unknown."""
    ledger = [decide(RecordClass.LEDGER, facts[stay.project_id]).earliest for stay in stays]
    ended = []
    for stay in stays:
        of_project = facts[stay.project_id]
        for to_day in contracts.get(stay.id, []):
            over = contract_ended_on(to_day, stay.to_day, of_project.completed_on)
            term = Facts(
                of_project.completed_on, of_project.settled_on, contract_ended_on=over
            )
            ended.append(decide(RecordClass.CONTRACT, term).earliest)
    return {"ledger": _latest(ledger), "contract": _latest(ended or ledger)}


def _latest(days: Sequence[date | None]) -> date | None:
    known = [day for day in days if day is not None]
    return max(known) if known and len(known) == len(days) else None


# ── originals ───────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Original:
    """A kept raw download: rows that name it, its digest, its size on this disk."""

    download_id: int
    sha256: bytes
    size: int
    at: date


def originals_of(session: Session, folder: Path, project_id: int) -> list[Original]:
    """Raw downloads of a project whose file is still there; not those already purged."""
    gone = set(
        session.scalars(
            select(Tombstone.row_id).where(Tombstone.subject == Download.__tablename__)
        )
    )
    found = []
    for row in session.scalars(
        select(Download)
        .where(Download.project_id == project_id, Download.sha256.is_not(None))
        .order_by(Download.id)
    ):
        assert row.sha256 is not None
        file = folder / originals.FOLDER / row.sha256.hex()
        if row.id not in gone and file.exists():
            found.append(Original(row.id, row.sha256, file.stat().st_size, row.at.date()))
    return found


def digests(session: Session, download_ids: Collection[int]) -> tuple[set[bytes], set[bytes]]:
    """Digests of these downloads, and those some other download still keeps."""
    gone = set(
        session.scalars(
            select(Tombstone.row_id).where(Tombstone.subject == Download.__tablename__)
        )
    )
    mine: set[bytes] = set()
    kept: set[bytes] = set()
    for row_id, sha256 in session.execute(
        select(Download.id, Download.sha256).where(Download.sha256.is_not(None))
    ):
        if sha256 is not None and row_id in download_ids:
            mine.add(sha256)
        elif sha256 is not None and row_id not in gone:
            kept.add(sha256)
    return mine, kept


def refuse_originals(session: Session, folder: Path, projects: Iterable[int]) -> None:
    """Names may stand in raw downloads, so they go first. Raises ``originals_first``."""
    left = sum(len(originals_of(session, folder, project)) for project in projects)
    if left:
        raise Refused(
            "originals_first",
            f"还有{left}份原始下载没有清除，里面可能有姓名和证件号，台账没有清除。"
            "请先办理考勤原始数据（attendance）的清除。",
            originals=left,
        )


def refuse_in_use(session: Session, terminals: Iterable[int]) -> None:
    """A terminal that is still read would bring its numbers again. Raises ``terminals_in_use``."""
    names = session.scalars(
        select(Terminal.name).where(
            Terminal.id.in_(sorted(set(terminals))), Terminal.retired_on.is_(None)
        )
    ).all()
    if names:
        listed = "、".join(f"「{name}」" for name in names)
        raise Refused(
            "terminals_in_use",
            f"考勤机{listed}用证件号或电话作编号且仍在使用，再次采集会把它们重新收进来，没有清除。"
            "请先停用这些考勤机。",
        )


def refuse_half_sight(session: Session, dialect: str) -> None:
    """On a server whoever erases persons must see all of their projects.

    Raises :class:`Refused` ``every_project_needed``.
    """
    if dialect != "postgresql":
        return
    everywhere = session.scalar(
        text("SELECT 1 FROM project_member WHERE role_name = CURRENT_USER AND project_id = 0")
    )
    if everywhere is None:
        raise Refused(
            "every_project_needed",
            "清除人员须由能看到账本全部项目的账号办理，否则可能误清其他项目仍须保存的资料。没有清除任何内容。"
            "请由公司的管理账号办理。",
        )


def refuse_not_due(decision: Decision, today: date) -> None:
    """Raise :class:`Refused` ``dates_missing`` or ``not_due`` before the term is over."""
    if decision.earliest is None:
        raise Refused(
            "dates_missing", f"{decision.explanation}请先登记竣工日期和工资结清日期（retention dates）。",
            missing=list(decision.missing),
        )
    if decision.earliest > today:
        raise Refused(
            "not_due", f"保存期未满，没有清除任何内容。{decision.explanation}",
            earliest=decision.earliest.isoformat(),
        )

"""``roster export``: the whole roster as a spreadsheet that can be imported again unchanged.

Full ID, phone and card numbers leave the book here (for the authority, M-11), so the act needs a
reason and is audited. All cells are text: nothing is rounded, nothing is a formula.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from desktop.access.actor import Act
from desktop.access.desk import Desk
from desktop.delivery import destination
from desktop.errors import EnvironmentFault, Refused
from desktop.jobs import CancelToken, Progress, silent
from desktop.people.roster_book import chunks
from desktop.people.roster_search import RosterQuery, roster_ids
from desktop.people.roster_sheet import Head
from desktop.people.tables import Contract, Person, Stay, StayTeam
from desktop.site import codes
from desktop.site.queries import project_view
from desktop.site.tables import Company, Team
from desktop.storage.sealed import Sealer

HEADS = tuple(head for head in Head if head is not Head.POST)
_WIDTHS = {
    Head.ID_NUMBER: 21, Head.OTHER_ID_NUMBER: 21, Head.ADDRESS: 36, Head.COMPANY: 28,
    Head.BANK_CARD: 23, Head.NAME: 14, Head.NUMBER: 6, Head.SEX: 6,
}
_WIDTH = 14
_STEP = 500


def export_roster(
    desk: Desk,
    path: Path,
    *,
    reason: str,
    query: RosterQuery | None = None,
    progress: Progress = silent,
    cancel: CancelToken | None = None,
) -> int:
    """Write the stays of ``query`` (all of them by default) to ``path``; returns how many.

    The file appears whole or not at all. Raises :class:`Refused` without a reason or
    into the book, and :class:`EnvironmentFault` when the place cannot be written.
    """
    desk.permit(Act.ROSTER_EXPORTED)
    if not reason.strip():
        raise Refused("reason_missing", "导出含完整证件号码，须写明事由，未导出。请填写事由。")
    path = destination(path, desk.book.path)
    wanted = query or RosterQuery()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _beside(path) as draft, desk.book.write() as session:
            count = _write(desk, session, wanted, draft, progress, cancel)
            desk.audit(
                session, Act.ROSTER_EXPORTED, f"project:{desk.project_id}", why=reason.strip(),
                stays=count,
            )
            os.replace(draft, path)
    except OSError as error:
        raise EnvironmentFault(
            "export_unwritable", f"花名册写不进「{path.name}」，未导出。请检查文件夹权限、磁盘空间，或先关闭打开它的程序。"
        ) from error
    return count


@contextlib.contextmanager
def _beside(path: Path) -> Iterator[Path]:
    """A file of our own in the same folder, gone at the end unless it took the wanted name."""
    number, name = tempfile.mkstemp(prefix=".", suffix=".xlsx", dir=path.parent)
    os.close(number)
    draft = Path(name)
    try:
        yield draft
    finally:
        draft.unlink(missing_ok=True)


def _write(
    desk: Desk, session: Session, query: RosterQuery, path: Path, progress: Progress,
    cancel: CancelToken | None,
) -> int:
    import xlsxwriter

    title = project_view(session, desk.project_id).name
    ids = roster_ids(session, desk.project_id, query, desk.book.sealer)
    options = {"constant_memory": True, "strings_to_formulas": False, "tmpdir": str(path.parent)}
    with xlsxwriter.Workbook(str(path), options) as book:
        text = book.add_format({"num_format": "@", "border": 1})
        bold = book.add_format({"num_format": "@", "border": 1, "bold": True, "text_wrap": True})
        sheet = book.add_worksheet("花名册")
        sheet.set_landscape()
        sheet.set_paper(8)  # A3
        sheet.repeat_rows(0, 1)
        sheet.freeze_panes(2, 2)
        for column, head in enumerate(HEADS):
            sheet.set_column(column, column, _WIDTHS.get(head, _WIDTH), text)
        sheet.write_string(0, 0, f"{title} 建筑工人实名制花名册")
        for column, head in enumerate(HEADS):
            sheet.write_string(1, column, str(head), bold)
        for place, row in enumerate(_rows(session, desk.book.sealer, ids)):
            if place % _STEP == 0:
                if cancel is not None:
                    cancel.raise_if_set()
                progress(place, len(ids), "写花名册")
            row[Head.NUMBER] = str(place + 1)
            for column, head in enumerate(HEADS):
                sheet.write_string(place + 2, column, row.get(head, ""), text)
    return len(ids)


def _rows(session: Session, sealer: Sealer, ids: list[int]) -> Iterator[dict[Head, str]]:
    """The cells of each stay, in the order of ``ids``."""
    for chunk in chunks(ids):
        contracts: dict[int, Contract] = {}
        for contract in session.scalars(
            select(Contract).where(Contract.stay_id.in_(chunk)).order_by(Contract.id)
        ):
            contracts[contract.stay_id] = contract
        last = Stay.to_day.is_not_distinct_from(StayTeam.to_day)
        found = session.execute(
            select(Stay, Person, Company.name, Team.name)
            .join(Person, Person.id == Stay.person_id)
            .join(Company, Company.id == Stay.company_id)
            .outerjoin(StayTeam, (StayTeam.stay_id == Stay.id) & last)
            .outerjoin(Team, Team.id == StayTeam.team_id)
            .where(Stay.id.in_(chunk))
        )
        rows = {
            stay.id: {
                **_person_cells(sealer, person),
                **_stay_cells(stay, company, team or ""),
                **_contract_cells(contracts.get(stay.id)),
            }
            for stay, person, company, team in found
        }
        for stay_id in chunk:
            yield rows[stay_id]
        session.expire_all()


def _person_cells(sealer: Sealer, person: Person) -> dict[Head, str]:
    def shown(sealed: bytes | None) -> str:
        return "" if sealed is None else sealer.open(sealed)

    resident = person.id_kind == codes.RESIDENT_ID
    number = shown(person.id_sealed)
    told = resident or len(number) == 18
    return {
        Head.NAME: person.name, Head.SEX: person.sex, Head.NATION: person.nation,
        Head.ID_NUMBER: number if resident else "",
        Head.ID_KIND: codes.table("id_card_type").get(person.id_kind, person.id_kind),
        Head.OTHER_ID_NUMBER: "" if resident else number,
        Head.BIRTH_DAY: "" if told else _day(person.birth_day),
        Head.ADDRESS: shown(person.address_sealed), Head.EDUCATION: person.education,
        Head.PHONE: shown(person.phone_sealed),
        Head.EMERGENCY_CONTACT: person.emergency_contact,
        Head.EMERGENCY_PHONE: shown(person.emergency_phone_sealed),
        Head.BANK_NAME: person.bank_name, Head.BANK_CARD: shown(person.bank_card_sealed),
        Head.WORKER_NO: str(person.worker_no),
    }


def _stay_cells(stay: Stay, company: str, team: str) -> dict[Head, str]:
    return {
        Head.TRADE: stay.trade, Head.COMPANY: company, Head.TEAM: team,
        Head.ENTRY: _day(stay.from_day), Head.EXIT: _day(stay.to_day),
        Head.HOUSING_REGISTERED: _day(stay.housing_registered_on),
        Head.LABOUR_REGISTERED: _day(stay.labour_registered_on),
        Head.TRAINED: _day(stay.trained_on),
    }


def _contract_cells(contract: Contract | None) -> dict[Head, str]:
    if contract is None:
        return {}
    return {
        Head.CONTRACT_KIND: codes.table("contract_kind").get(contract.kind, ""),
        Head.CONTRACT_NUMBER: contract.number, Head.CONTRACT_FROM: _day(contract.from_day),
        Head.CONTRACT_TO: _day(contract.to_day),
    }


def _day(day: date | None) -> str:
    return "" if day is None else day.isoformat()

"""退场单: the sheet of one leaver, signed before the month ends (workflow §5, P-2.4.2a).

It shows the month up to the last day and has its own page identity; afterwards the month's sheet
says 已退场，__日已签 in the signature cell of that person.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

from sqlalchemy.orm import Session

from desktop import delivery
from desktop.access.actor import Act
from desktop.access.desk import Desk
from desktop.attendance import rules as attendance
from desktop.attendance.frame import month_bounds
from desktop.attendance.month import PersonMonth, compute_month
from desktop.errors import Refused
from desktop.months import leaves
from desktop.months.frozen import FrozenMonth, FrozenSheet, frozen_month
from desktop.months.papers import (
    ExportedFile,
    Paper,
    code_of,
    deliver,
    human_code,
    page_digest,
)
from desktop.months.sheets import Letterhead, signing_input
from desktop.months.tables import LeaverSlip
from desktop.site import queries as site
from desktop.storage import chain
from desktop.storage.types import day_number
from reports.sheet import PageCode, PageRows, SheetKind, SheetPaper, sheet_document

SLIP = "slip"
DRAFT_VERSION = 0
"""A slip is signed before the month is frozen: its identity carries version 00."""


def export_slip(
    desk: Desk, month: str, worker_no: int, until: date, out: Path
) -> list[ExportedFile]:
    """Write the slip of ``worker_no`` for ``month`` up to ``until`` (included).

    Raises :class:`Refused` when the person has no stay in the month, or ``until`` is not a day of
    the month, or days up to it still need an explanation.
    """
    desk.permit(Act.MONTH_EXPORTED)
    first, last = month_bounds(month)
    if not first <= until <= last:
        raise Refused("slip_day", f"离场日期 {until} 不在 {month} 内，未输出。")
    out = delivery.destination(out, desk.book.path)
    with desk.book.read() as session:
        frozen = _person_only(session, desk, month, worker_no, until)
        leaders = {team.id: team.leader for team in site.teams(session, desk.project_id)}
    letter = Letterhead(DRAFT_VERSION, desk.clock.today(), leaders)
    slips = [_Slip(desk, frozen, sheet) for sheet in frozen.sheets]

    def keep(session: Session) -> None:
        for slip in slips:
            slip.store(session, desk, until)
        desk.audit(
            session, Act.MONTH_EXPORTED, f"slip:{month}:{worker_no}", until=until.isoformat()
        )

    papers = [slip.paper(letter, until, worker_no) for slip in slips]
    return deliver(desk, papers, out, keep)


def _person_only(
    session: Session, desk: Desk, month: str, worker_no: int, until: date
) -> FrozenMonth:
    computed = compute_month(session, desk.project_id, month)
    computed.rows = [row for row in computed.rows if row.worker.worker_no == worker_no]
    if not computed.rows:
        raise Refused(
            "no_stay", f"人员编号 {worker_no} 在 {month} 没有在场记录，未输出。请核对编号和月份。"
        )
    for row in computed.rows:
        _clip(row, (until - computed.frame.first).days + 1)
    open_days = sorted(
        {
            day for row in computed.rows
            for day, symbol in enumerate(row.symbols, 1) if symbol == attendance.UNRESOLVED
        }
    )
    if open_days:
        listed = "、".join(map(str, open_days))
        raise Refused(
            "slip_open", f"{month} 的 {listed} 日还是「?」，未输出。请先补情况说明，再出退场单。"
        )
    return frozen_month(session, computed, desk.book.ring.subkey_on, until=until)


def _clip(row: PersonMonth, days: int) -> None:
    """Leave the first ``days`` days of a row; the person is gone afterwards."""
    gone = len(row.cells.symbols) - days
    row.cells = attendance.Row(
        [*row.cells.symbols[:days], *[attendance.AWAY] * gone],
        [*row.cells.half_days[:days], *[0] * gone],
    )
    row.explained = {place: item for place, item in row.explained.items() if place < days}
    values = {place: item.half_days for place, item in row.explained.items()}
    row.symbols = attendance.printed(row.cells.symbols, values)
    row.totals = attendance.totals(row.cells, values)


class _Slip:
    """One slip: a person's part of the month in one sheet, with its page identity."""

    def __init__(self, desk: Desk, frozen: FrozenMonth, sheet: FrozenSheet) -> None:
        self._frozen, self._sheet = frozen, sheet
        rows = PageRows(1, 1, 0, 1)
        self._digest = page_digest(frozen, sheet, rows)
        self._code = code_of(
            desk.book.book_id, DRAFT_VERSION, frozen.month, sheet.number, rows, self._digest
        )

    def store(self, session: Session, desk: Desk, until: date) -> None:
        """The row of the slip and its link of the chain."""
        now = desk.clock.now()
        person_id = self._sheet.rows[0].person_id
        leaf = leaves.slip_leaf(
            desk.project_id, person_id, day_number(until), int(now.timestamp()),
            self._frozen.month, self._digest,
        )
        segment = chain.append(
            session, desk.project_id, leaves.SLIP, [leaf],
            {"month": self._frozen.month, "until": until.isoformat(), "code": self._code},
            at=now, operator=desk.actor.name,
        )
        session.add(
            LeaverSlip(
                project_id=desk.project_id, segment_id=segment.id, person_id=person_id,
                month=self._frozen.month, until_day=until, digest=self._digest, printed_at=now,
            )
        )

    def paper(self, letter: Letterhead, until: date, worker_no: int) -> Paper:
        """The slip as a document, A4 portrait."""
        sheet, code = self._sheet, self._code
        made = signing_input(
            self._frozen, sheet, letter, SheetPaper.A4,
            lambda _: PageCode(code, human_code(code)),
        )
        year, month = self._frozen.month.split("-")
        made = replace(
            made, kind=SheetKind.SLIP, version="",
            title=f"{year}年{int(month)}月考勤确认单（退场）",
            period=f"{int(month)}月1日—{int(month)}月{until.day}日",
        )
        stem = f"退场考勤确认单-{year}{month}-{sheet.number:03d}-{worker_no}"
        name = sheet.head.get("team") or sheet.head["company"]
        return Paper(SLIP, name, stem, sheet_document(made))

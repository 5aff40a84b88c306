"""A month as facts: what a freeze commits to and what every later print reads back.

Built once from computed attendance, stored, and loaded again; the papers know only this form, so
a reprint after years shows what was frozen, whatever the roster says by then.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from desktop.attendance.month import MonthAttendance, Part
from desktop.errors import EnvironmentFault
from desktop.months import rules
from desktop.months.tables import LeaverSlip, MonthRow, MonthVersion
from desktop.site import codes
from desktop.site import queries as site
from desktop.site.rules import PRESENCE_NOTE
from desktop.storage.encode import document
from desktop.storage.sealed import Sealer
from desktop.storage.types import day_of

GENERAL_CONTRACTOR, SUPERVISION, OWNER = "009", "007", "008"
"""Codes of ``corp_type`` whose managers' sheets have their own label."""
ERASED = "（已清除）"
"""Printed for a name whose term is over."""
_WEEKDAYS = "一二三四五六日"


@dataclass(frozen=True, slots=True)
class FrozenRow:
    """One printed row. ``facts`` are committed in clear, ``name`` under the salt."""

    person_id: int
    name: str
    facts: dict[str, Any]
    salt: bytes
    leaf: bytes

    @property
    def worker_no(self) -> int:
        number: int = self.facts["worker_no"]
        return number

    @property
    def erased(self) -> bool:
        """Its name is gone (term over); the facts and the commitment stay."""
        return not self.salt

    @property
    def personal(self) -> str:
        """The printed personal fields as they are committed and sealed."""
        return personal_fields(self.name)


@dataclass(frozen=True, slots=True)
class FrozenSheet:
    """The rows of one team, or of the managers of one unit, in print order."""

    number: int
    head: dict[str, Any]
    """``kind`` team or managers, ``team``, ``team_id``, ``company``, ``company_kind``…"""
    rows: tuple[FrozenRow, ...]

    @property
    def leaves(self) -> list[bytes]:
        return [row.leaf for row in self.rows]


@dataclass(frozen=True, slots=True)
class FrozenMonth:
    """A month ready for digest and paper. ``head`` holds what all sheets share."""

    month: str
    rule: str
    rule_version: int
    head: dict[str, Any]
    sheets: tuple[FrozenSheet, ...]

    def page_digest(self, sheet: int, leaves: list[bytes]) -> bytes:
        """Digest of the rows on one page of a sheet, or of the whole sheet."""
        return rules.page_digest({**self._header(), "sheet": sheet}, leaves)

    @property
    def digest(self) -> bytes:
        """Digest of the month over its sheets in print order."""
        sheets = [self.page_digest(sheet.number, sheet.leaves) for sheet in self.sheets]
        return rules.month_digest(self._header(), sheets)

    @property
    def rows(self) -> int:
        return sum(len(sheet.rows) for sheet in self.sheets)

    def _header(self) -> dict[str, Any]:
        return {
            "month": self.month, "rule": self.rule, "rule_version": self.rule_version,
            "legend": self.head["legend"], "rule_label": self.head["rule_label"],
        }


def personal_fields(name: str) -> str:
    """Canonical printed personal fields of a row."""
    return document({"name": name}).decode()


def frozen_month(
    session: Session,
    computed: MonthAttendance,
    subkey_on: Callable[[str, date], bytes],
    *,
    until: date | None = None,
) -> FrozenMonth:
    """The facts of a computed month; ``subkey_on`` derives the book's key for salts, by the first
    day of the month: after a change of the data key a month that had begun keeps its digests.

    ``until`` marks the rows of a leaver's slip: it is part of what they commit to.
    """
    frame = computed.frame
    slips = _slips(session, frame.project_id, computed.month)
    by_sheet: dict[tuple[str, int], list[Part]] = {}
    for part in computed.parts():
        by_sheet.setdefault(part.sheet, []).append(part)
    key = subkey_on("month rows", computed.frame.first)
    companies = list(frame.companies)
    sheets = []
    for (kind, ident), parts in by_sheet.items():
        if kind == "team":
            team = frame.teams[ident]
            number = team.number
            head = {
                "kind": kind, "team": team.name, "team_id": team.id, "company": team.company,
                "company_kind": frame.companies[team.company_id].kind_name,
                "construction_days": len(frame.construction_days(team.id)),
            }
        else:
            company = frame.companies[ident]
            number = rules.MANAGERS_SHEET + 1 + companies.index(ident)
            head = {
                "kind": kind, "company": company.name, "company_kind": company.kind_name,
                "kind_code": company.kind, "construction_days": len(frame.construction_days()),
                "presence": _presence_lines(computed, ident),
            }
        rows = tuple(_row(part, computed.month, key, slips, until) for part in parts)
        sheets.append(FrozenSheet(number, head, rows))
    sheets.sort(key=lambda sheet: sheet.number)
    return FrozenMonth(
        computed.month, computed.rule.name, computed.rule.version,
        _head(session, computed), tuple(sheets),
    )


def next_salts_from(session: Session, today: date) -> date:
    """First day of the month after the last one that has begun or was frozen: from there on a new
    data key may give the salts without changing any digest that exists."""
    known = [
        session.scalar(select(func.max(column))) for column in (MonthVersion.month, LeaverSlip.month)
    ]
    last = max([f"{today:%Y-%m}", *filter(None, known)])
    year, month = int(last[:4]), int(last[5:])
    return date(year + month // 12, month % 12 + 1, 1)


def _head(session: Session, computed: MonthAttendance) -> dict[str, Any]:
    frame = computed.frame
    project = site.project_view(session, frame.project_id)
    contractors = [c.name for c in frame.companies.values() if c.kind == GENERAL_CONTRACTOR]
    holidays = site.holidays(session, frame.first, frame.last)
    days = []
    for number in frame.days:
        day = day_of(number)
        known = holidays.get(day)
        resting = day.weekday() >= 5 if known is None else known.day_type == "off"
        shade = "holiday" if known is not None and known.statutory else "weekend" if resting else ""
        days.append([day.day, _WEEKDAYS[day.weekday()], shade])
    return {
        "project": project.name, "project_code": project.code,
        "contractor": "、".join(contractors), "days": days,
        "construction_days": len(frame.construction_days()),
        "rule_label": computed.rule.label, "presence_note": PRESENCE_NOTE,
        "posting_days": computed.rule.posting_days, "legend": legend(),
    }


def legend() -> list[list[str]]:
    """Symbol and meaning as every sheet prints them."""
    return [[row["symbol"], row["meaning"]] for row in codes.rows("attendance_symbol")]


def _presence_lines(computed: MonthAttendance, company_id: int) -> list[str]:
    lines = []
    for row, presence in computed.project_managers():
        if row.current.company_id == company_id:
            lines.append(presence.sentence)
            if presence.beside:
                lines.append(presence.beside)
    return lines


def _row(
    part: Part, month: str, key: bytes, slips: dict[int, date], until: date | None
) -> FrozenRow:
    worker, mine = part.row.worker, part.assignment
    totals = part.totals
    facts: dict[str, Any] = {
        "worker_no": worker.worker_no, "trade": mine.trade,
        "entry": mine.entered_on.isoformat(),
        "exit": "" if mine.left_on is None else mine.left_on.isoformat(),
        "cells": part.symbols,
        "explained": {
            str(place + 1): item.number for place, item in sorted(part.explained.items())
        },
        "punched": totals.punched, "explained_days": totals.explained,
        "confirmed": totals.confirmed, "nights": totals.nights,
    }
    if len({one.sheet for one in part.row.assignments}) > 1:
        facts["part"] = True
    if until is not None:
        facts["until"] = until.isoformat()
    elif (slip := slips.get(worker.person_id)) is not None:
        facts["signed_on_leaving"] = slip.isoformat()
    personal = personal_fields(worker.name).encode()
    salt = rules.row_salt(key, month, worker.worker_no, personal)
    leaf = rules.row_leaf(facts, rules.personal_commitment(salt, personal))
    return FrozenRow(worker.person_id, worker.name, facts, salt, leaf)


def _slips(session: Session, project_id: int, month: str) -> dict[int, date]:
    rows = session.execute(
        select(LeaverSlip.person_id, LeaverSlip.until_day)
        .where(LeaverSlip.project_id == project_id, LeaverSlip.month == month)
        .order_by(LeaverSlip.id)
    )
    return {person_id: day for person_id, day in rows}


def load_frozen(session: Session, version: MonthVersion, sealer: Sealer) -> FrozenMonth:
    """What a version froze. Raises :class:`EnvironmentFault` when a row cannot be opened."""
    heads: list[dict[str, Any]] = version.head["sheets"]
    rows: dict[int, list[FrozenRow]] = {head["number"]: [] for head in heads}
    for row in _stored_rows(session, version):
        if row.personal_sealed is None or row.salt is None:
            name = ERASED
        else:
            name = json.loads(sealer.open(row.personal_sealed))["name"]
        if row.sheet not in rows:
            raise EnvironmentFault(
                "month_damaged", "冻结的月表与其表头对不上，未输出。请运行 ledger verify 查明。"
            )
        rows[row.sheet].append(
            FrozenRow(row.person_id, name, row.facts, row.salt or b"", row.leaf)
        )
    sheets = tuple(FrozenSheet(head["number"], head, tuple(rows[head["number"]])) for head in heads)
    return FrozenMonth(version.month, version.rule, version.rule_version, version.head, sheets)


def _stored_rows(session: Session, version: MonthVersion) -> Iterable[MonthRow]:
    return session.scalars(
        select(MonthRow)
        .where(MonthRow.month_version_id == version.id)
        .order_by(MonthRow.sheet, MonthRow.position)
    )

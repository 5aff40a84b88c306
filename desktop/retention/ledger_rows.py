"""Chained rows that hold personal text of somebody who is erased, and what is left of each.

Finds and computes; nothing is changed here. Every finding carries its tombstone (what verification
needs of the old record, and the leaf of the new one) and the values the row gets instead; only
those columns may change that :data:`desktop.storage.erasing.ERASABLE` names.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Text, select, type_coerce
from sqlalchemy.orm import Session

from desktop.access.audit import row_leaf as act_leaf
from desktop.access.tables import AuditAct
from desktop.attendance.leaves import proposal_leaf
from desktop.attendance.tables import Explanation, ExplanationCell
from desktop.board.export import row_leaf as board_leaf
from desktop.board.tables import BoardVersion
from desktop.months import rules as months
from desktop.months.leaves import version_leaf
from desktop.months.tables import MonthRow, MonthVersion
from desktop.people.roster_book import chunks
from desktop.punches import record
from desktop.punches.tables import Punch, PunchConflict, PunchQuarantine, Terminal
from desktop.retention.needles import Needles
from desktop.storage.encode import document
from desktop.storage.erasing import ERASED_DOCUMENT, MARK
from desktop.storage.sealed import Sealer
from desktop.storage.tables import Base
from desktop.storage.tombstones import Erasure
from desktop.storage.types import day_number

LINE_OF_A_STICK = 5
"""``SourceFormat.ATTLOG`` of the devices: the only raw bytes that are a line of text."""

_ERASED_BOARD = json.loads(ERASED_DOCUMENT)


@dataclass(frozen=True, slots=True)
class Redaction:
    """One row to be erased: its tombstone, in which project's chain, and its new values."""

    project_id: int
    table: type[Base]
    erasure: Erasure
    values: dict[str, Any]


Numbers = dict[tuple[int, str], str]
"""(terminal, number) → what stands for it since: one and the same wherever it is held."""


def month_rows(
    session: Session, sealer: Sealer, person_ids: Collection[int]
) -> Iterator[Redaction]:
    """Printed rows: fields and salt go, the commitment over them stays."""
    for ids in chunks(sorted(person_ids)):
        rows = session.execute(
            select(
                MonthVersion.project_id, MonthRow.id, MonthRow.personal_sealed, MonthRow.salt
            )
            .join(MonthVersion, MonthVersion.id == MonthRow.month_version_id)
            .where(MonthRow.person_id.in_(ids), MonthRow.personal_sealed.is_not(None))
        )
        for project_id, row_id, personal, salt in rows.all():
            assert personal is not None and salt is not None  # both or neither, by the trigger
            kept = months.personal_commitment(salt, sealer.open(personal).encode())
            yield Redaction(
                project_id, MonthRow, Erasure(MonthRow.__tablename__, row_id, kept),
                {"personal_sealed": None, "salt": None},
            )


def freeze_reasons(
    session: Session, projects: Collection[int], needles: Needles
) -> Iterator[Redaction]:
    """Reasons of a freeze with open findings that name somebody."""
    found = session.scalars(select(MonthVersion).where(MonthVersion.project_id.in_(projects)))
    for row in found.all():
        if needles.in_text(row.accepted_open):
            yield _rewritten(session, row, version_leaf, accepted_open=MARK)


def act_reasons(
    session: Session, projects: Collection[int], needles: Needles
) -> Iterator[Redaction]:
    """Reasons in the audit trail that name somebody."""
    reasons = session.execute(
        select(AuditAct.id, AuditAct.why)
        .where(AuditAct.project_id.in_(projects), AuditAct.why != "")
        .execution_options(yield_per=1000)
    )
    for row_id in [row_id for row_id, why in reasons if needles.in_text(why)]:
        yield _rewritten(session, session.get_one(AuditAct, row_id), act_leaf, why=MARK)


def boards(
    session: Session, projects: Collection[int], needles: Needles, *, whole: bool
) -> Iterator[Redaction]:
    """Exported boards: what they said goes, their digest stays. ``whole``: all of them."""
    rows = session.execute(
        select(BoardVersion.id, type_coerce(BoardVersion.content, Text)).where(
            BoardVersion.project_id.in_(projects)
        )
    )
    for row_id, content in rows.all():
        if content != ERASED_DOCUMENT and (whole or needles.in_text(content)):
            row = session.get_one(BoardVersion, row_id)
            yield _rewritten(session, row, board_leaf, content=_ERASED_BOARD)


def explanations(
    session: Session, projects: Collection[int], needles: Needles, *, whole: bool
) -> Iterator[Redaction]:
    """F20: text and evidence. The row itself may change, its proposal is chained."""
    found = session.scalars(
        select(Explanation).where(Explanation.project_id.in_(projects)).order_by(Explanation.id)
    )
    for row in found.all():
        held = [text for text in (row.text, row.evidence) if text not in ("", MARK)]
        if not held or not (whole or any(needles.in_text(text) for text in held)):
            continue
        cells = [
            (person, day_number(day))
            for person, day in session.execute(
                select(ExplanationCell.person_id, ExplanationCell.day).where(
                    ExplanationCell.explanation_id == row.id
                )
            )
        ]

        def leaf(one: Explanation, cells: list[tuple[int, int]] = cells) -> bytes:
            return proposal_leaf(
                one.project_id, one.number, one.value_half_days, int(one.proposed_at.timestamp()),
                one.reason_code, one.text, one.evidence, one.proposed_by, cells,
            )

        evidence = MARK if row.evidence else ""
        yield _rewritten(session, row, leaf, text=MARK, evidence=evidence)


def _rewritten(session: Session, row: Any, leaf: Any, **values: Any) -> Redaction:
    """The tombstone of a row that gets ``values``; the first of them is the stand-in.

    The object leaves the session first: it is changed here to be digested, never to be flushed.
    """
    session.expunge(row)
    kept = leaf(row)
    for name, value in values.items():
        setattr(row, name, value)
    stand_in = next(iter(values.values()))
    text = stand_in if isinstance(stand_in, str) else document(stand_in).decode()
    table = type(row)
    return Redaction(
        row.project_id, table, Erasure(table.__tablename__, row.id, kept, leaf(row), text), values
    )


# ── punches: numbers that were themselves personal ──────────────────────────────────────────────


def personal_numbers(
    session: Session, projects: Collection[int], needles: Needles
) -> set[tuple[int, str]]:
    """Numbers of terminals that are an ID number or a telephone of somebody who is erased."""
    terminals = _terminals(projects)
    found: set[tuple[int, str]] = set()
    for table in (Punch, PunchQuarantine):
        held = session.execute(
            select(table.terminal_id, table.number)
            .where(table.terminal_id.in_(terminals))
            .distinct()
        )
        found |= {
            (terminal_id, number) for terminal_id, number in held if needles.in_text(number)
        }
    return found


def punches(
    session: Session, projects: Collection[int], needles: Needles, numbers: Numbers
) -> Iterator[Redaction]:
    """Punches under such a number, and lines of a stick that name somebody."""
    columns = (
        Punch.id, Punch.terminal_id, Punch.epoch, Punch.seq, Punch.number, Punch.t_local,
        Punch.day, Punch.method_raw, Punch.state_raw, Punch.method_class, Punch.accepted,
        Punch.source_format, Punch.received_at, Punch.raw,
    )
    owners = _owners(session, projects)
    for terminal_id in owners:
        mine = [number for terminal, number in numbers if terminal == terminal_id]
        wanted = select(*columns).where(Punch.terminal_id == terminal_id)
        lines = wanted.where(Punch.source_format == LINE_OF_A_STICK)
        named = [
            tuple(row) for row in session.execute(lines.execution_options(yield_per=5000))
            if row.number not in mine and needles.in_bytes(row.raw)
        ]
        for some in chunks(mine):
            named += map(tuple, session.execute(wanted.where(Punch.number.in_(some))))
        for row in named:
            yield _punch(owners[terminal_id], row, numbers)


def _punch(project_id: int, row: Any, numbers: Numbers) -> Redaction:
    ident, terminal_id, epoch, seq, number, *middle, raw = row
    (kept,) = record.punch_leaves(
        [(ident, terminal_id, epoch, seq, number.encode(), *middle, raw, None)]
    )
    stand_in = numbers.get((terminal_id, number), number)
    (rest,) = record.punch_leaves(
        [(ident, terminal_id, epoch, seq, stand_in.encode(), *middle, kept, None)]
    )
    return Redaction(
        project_id, Punch, Erasure(Punch.__tablename__, ident, kept, rest, stand_in),
        {"number": stand_in, "raw": kept},
    )


def conflicts(
    session: Session, projects: Collection[int], needles: Needles, numbers: Numbers
) -> Iterator[Redaction]:
    """Other raw bytes of such a punch."""
    owners = _owners(session, projects)
    rows = session.execute(
        select(
            PunchConflict.id, PunchConflict.punch_id, PunchConflict.source_format,
            PunchConflict.raw, Punch.terminal_id, Punch.number,
        )
        .join(Punch, Punch.id == PunchConflict.punch_id)
        .where(Punch.terminal_id.in_(_terminals(projects)))
    )
    for ident, punch_id, form, raw, terminal_id, number in rows.all():
        if (terminal_id, number) in numbers or needles.in_bytes(raw):
            kept = record.conflict_leaf(ident, punch_id, form, raw)
            rest = record.conflict_leaf(ident, punch_id, form, kept)
            yield Redaction(
                owners[terminal_id], PunchConflict,
                Erasure(PunchConflict.__tablename__, ident, kept, rest), {"raw": kept},
            )


def quarantined(
    session: Session, projects: Collection[int], needles: Needles, numbers: Numbers
) -> Iterator[Redaction]:
    """Records that cannot be punches, kept raw."""
    owners = _owners(session, projects)
    rows = session.scalars(
        select(PunchQuarantine).where(PunchQuarantine.terminal_id.in_(_terminals(projects)))
    )
    for row in rows.all():
        stand_in = numbers.get((row.terminal_id, row.number), row.number)
        if stand_in == row.number and not needles.in_bytes(row.raw):
            continue

        def leaf(number: str, raw: bytes, row: PunchQuarantine = row) -> bytes:
            return record.quarantine_leaf(
                row.id, row.terminal_id, row.source_format, row.received_at, row.reason.encode(),
                number.encode(), row.time_text.encode(), raw,
            )

        kept = leaf(row.number, row.raw)
        yield Redaction(
            owners[row.terminal_id], PunchQuarantine,
            Erasure(
                PunchQuarantine.__tablename__, row.id, kept, leaf(stand_in, kept), stand_in
            ),
            {"number": stand_in, "raw": kept},
        )


def _terminals(projects: Collection[int]) -> Any:
    return select(Terminal.id).where(Terminal.project_id.in_(projects))


def _owners(session: Session, projects: Collection[int]) -> dict[int, int]:
    """Terminal → project."""
    rows = session.execute(
        select(Terminal.id, Terminal.project_id).where(Terminal.project_id.in_(projects))
    )
    return {terminal_id: project_id for terminal_id, project_id in rows}

"""F20 补卡/更正审批单: propose, approve and withdraw explanations of cells (P-2.2.3b).

An explanation never touches a punch. It may speak of many people and days at once, carries one
number of the project, and counts from its approval until its withdrawal; both, like the proposal
itself, are committed to the project's chain (see ``leaves``). Failures of a
terminal are outside the monthly limit of a person: nobody can be blamed for them.
"""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from desktop.access import editing
from desktop.access.actor import Act
from desktop.access.desk import Desk
from desktop.attendance.leaves import approval_leaf, commit, proposal_leaf, withdrawal_leaf
from desktop.attendance.outside import outside_warnings
from desktop.attendance.tables import Explanation, ExplanationCell
from desktop.errors import Refused
from desktop.people.tables import Person, Stay
from desktop.site import queries as site
from desktop.storage.types import day_number

MAX_CELLS = 200_000
"""A whole site for three weeks; more is a mistake of the hand."""


class Reason(enum.StrEnum):
    """Reason codes of F20."""

    DEVICE_FAILURE = "device_failure"
    NETWORK_DOWN = "network_down"
    FACE_BLOCKED = "face_blocked"
    FIELD_WORK = "field_work"
    FORGOTTEN = "forgotten"
    WRONG_SYSTEM = "wrong_system"

    @property
    def word(self) -> str:
        """The printed word."""
        return REASON_WORDS[self]


REASON_WORDS = {
    Reason.DEVICE_FAILURE: "设备故障",
    Reason.NETWORK_DOWN: "断网",
    Reason.FACE_BLOCKED: "面部遮挡或受伤",
    Reason.FIELD_WORK: "外勤",
    Reason.FORGOTTEN: "漏打",
    Reason.WRONG_SYSTEM: "系统归属错误",
}

TERMINAL_FAILURES = frozenset({Reason.DEVICE_FAILURE, Reason.NETWORK_DOWN})


def reason_of(text: str) -> Reason:
    """The reason of a code or of its Chinese word; raises :class:`Refused` for anything else."""
    wanted = text.strip()
    for reason, word in REASON_WORDS.items():
        if wanted in (reason.value, word):
            return reason
    words = "、".join(REASON_WORDS.values())
    raise Refused("reason_code", f"没有这种说明原因，未做任何改动。可选：{words}。")


@dataclass(frozen=True, slots=True)
class Added:
    """A proposed explanation: its number of the project and how many cells it speaks of.

    ``warnings``: sentences about what was accepted and may be a slip of the hand.
    """

    number: int
    cells: int
    warnings: tuple[str, ...] = ()


def add_explanation(
    desk: Desk,
    cells: Iterable[tuple[int, date]],
    *,
    half_days: int,
    reason: Reason,
    text: str,
    evidence: str = "",
) -> Added:
    """Propose a value for ``(person_id, day)`` cells; counts only once approved.

    ``half_days``: 2 补, 1 补半, 0 × 经核实未出勤. Refused as a whole when one cell cannot be
    explained: somebody without a stay on the project, a day to come, a cell that already has an
    explanation in force, or a person beyond the monthly limit.
    """
    desk.permit(Act.EXPLANATION_ADDED)
    wanted = sorted(set(cells))
    _check_form(wanted, half_days, text, desk.clock.today())
    with desk.book.write() as session:
        numbers = _worker_numbers(session, desk.project_id, {person for person, _ in wanted})
        _check_free(session, desk.project_id, wanted, numbers)
        if reason not in TERMINAL_FAILURES:
            _check_limit(session, desk.project_id, wanted, numbers)
        last = session.scalar(
            select(func.max(Explanation.number)).where(Explanation.project_id == desk.project_id)
        )
        row = Explanation(
            project_id=desk.project_id, number=(last or 0) + 1, reason_code=reason.value,
            text=text.strip(), evidence=evidence.strip(), value_half_days=half_days,
            proposed_by=desk.actor.name, proposed_at=desk.clock.now(),
        )
        row.segment_id = commit(desk, session, proposal_leaf(
            row.project_id, row.number, half_days, int(row.proposed_at.timestamp()),
            row.reason_code, row.text, row.evidence, row.proposed_by,
            [(person, day_number(day)) for person, day in wanted],
        ))
        session.add(row)
        session.flush()
        session.execute(
            insert(ExplanationCell),
            [{"explanation_id": row.id, "person_id": p, "day": d} for p, d in wanted],
        )
        desk.audit(
            session, Act.EXPLANATION_ADDED, f"explanation:{row.number}",
            reason=reason.value, half_days=half_days, cells=len(wanted),
        )
        return Added(row.number, len(wanted), outside_warnings(session, desk.project_id, wanted))


def approve_explanation(desk: Desk, number: int, *, seen: int | None = None) -> None:
    """Let a proposed explanation count. Raises :class:`Refused` when it is not waiting, and
    :class:`desktop.errors.Conflict` when somebody dealt with it after the version ``seen`` of
    ``explanation:<number>``."""
    desk.permit(Act.EXPLANATION_APPROVED)
    with desk.book.write() as session:
        _check_seen(desk, session, number, seen)
        row = _waiting_or_in_force(session, desk.project_id, number)
        if row.approval_segment_id is not None:
            raise Refused("already_approved", f"说明{number}号已经批准过，未做任何改动。", number=number)
        row.approved_by, row.approved_at = desk.actor.name, desk.clock.now()
        row.approval_segment_id = commit(desk, session, approval_leaf(
            row.project_id, number, int(row.approved_at.timestamp()), row.approved_by
        ))
        editing.touch(desk, session, f"explanation:{number}")
        desk.audit(session, Act.EXPLANATION_APPROVED, f"explanation:{number}")


def withdraw_explanation(
    desk: Desk, number: int, why: str = "", *, seen: int | None = None
) -> None:
    """Take an explanation back, proposed or approved; it stays on file and frees its cells.
    ``seen`` as in :func:`approve_explanation`."""
    desk.permit(Act.EXPLANATION_WITHDRAWN)
    with desk.book.write() as session:
        _check_seen(desk, session, number, seen)
        row = _waiting_or_in_force(session, desk.project_id, number)
        row.withdrawn_by, row.withdrawn_at = desk.actor.name, desk.clock.now()
        row.withdrawal_segment_id = commit(desk, session, withdrawal_leaf(
            row.project_id, number, int(row.withdrawn_at.timestamp()), row.withdrawn_by
        ))
        editing.touch(desk, session, f"explanation:{number}")
        desk.audit(session, Act.EXPLANATION_WITHDRAWN, f"explanation:{number}", why=why)


# ── checks ──────────────────────────────────────────────────────────────────────────────────────


def _check_form(
    cells: list[tuple[int, date]], half_days: int, text: str, today: date
) -> None:
    if not cells:
        raise Refused("no_cells", "没有选中任何人和日期，未做任何改动。请先选中要说明的单元格。")
    if len(cells) > MAX_CELLS:
        raise Refused("too_many_cells", "一次说明的单元格过多，未做任何改动。请分几次办理。")
    if half_days not in (0, 1, 2):
        raise Refused("value", "核实结果只能是1天、半天或0天，未做任何改动。")
    if not text.strip():
        raise Refused("no_text", "说明文字是空的，未做任何改动。请写明经过。")
    future = sorted({day for _, day in cells if day > today})
    if future:
        raise Refused(
            "future_day", f"{future[0].isoformat()}还没有到，不能说明，未做任何改动。",
            day=future[0].isoformat(),
        )


def _worker_numbers(
    session: Session, project_id: int, persons: Collection[int]
) -> dict[int, int]:
    """Person → worker number; refuses persons who never stayed on the project."""
    ordered = sorted(persons)
    numbers: dict[int, int] = {}
    for start in range(0, len(ordered), 500):
        some = ordered[start : start + 500]
        stayed = select(Stay.id).where(
            Stay.project_id == project_id, Stay.person_id == Person.id
        )
        numbers |= {
            person_id: worker_no
            for person_id, worker_no in session.execute(
                select(Person.id, Person.worker_no)
                .where(Person.id.in_(some), stayed.exists())
            )
        }
    if len(numbers) != len(ordered):
        raise Refused(
            "unknown_person", "选中的人里有人从未在本项目进场，未做任何改动。请刷新后再选。",
            missing=len(ordered) - len(numbers),
        )
    return numbers


def _check_free(
    session: Session, project_id: int, cells: list[tuple[int, date]], numbers: dict[int, int]
) -> None:
    wanted = set(cells)
    days = {day for _, day in cells}
    taken = [
        (number, person, day)
        for number, person, day in session.execute(
            select(Explanation.number, ExplanationCell.person_id, ExplanationCell.day)
            .join(ExplanationCell, ExplanationCell.explanation_id == Explanation.id)
            .where(
                Explanation.project_id == project_id,
                Explanation.withdrawal_segment_id.is_(None),
                ExplanationCell.day.between(min(days), max(days)),
            )
        )
        if (person, day) in wanted
    ]
    if taken:
        number, person, day = min(taken)
        raise Refused(
            "already_explained",
            f"人员编号{numbers[person]}在{day.isoformat()}已有说明{number}号，未做任何改动。"
            "请先撤回原说明，或去掉这一格。",
            cells=[
                {"worker_no": numbers[p], "day": d.isoformat(), "number": n}
                for n, p, d in sorted(taken)[:50]
            ],
        )


def _check_limit(
    session: Session, project_id: int, cells: list[tuple[int, date]], numbers: dict[int, int]
) -> None:
    asked = Counter((person, day.replace(day=1)) for person, day in cells)
    for first in sorted({month for _, month in asked}):
        limit = site.rule_for(session, project_id, first).explanations_per_month
        if not limit:
            continue
        held = _limited_days(session, project_id, first)
        over = sorted(
            numbers[person]
            for (person, month), count in asked.items()
            if month == first and held[person] + count > limit
        )
        if over:
            raise Refused(
                "monthly_limit",
                f"每人每月最多说明{limit}天，{first:%Y-%m}超出的人员编号："
                f"{'、'.join(map(str, over[:10]))}，未做任何改动。"
                "设备故障、断网不受此限；请核对原因或去掉这些人。",
                month=f"{first:%Y-%m}", limit=limit, workers=over[:200],
            )


def _limited_days(session: Session, project_id: int, first: date) -> Counter[int]:
    """Person → explained days of a month that count against the limit."""
    last = date(first.year + first.month // 12, first.month % 12 + 1, 1).toordinal() - 1
    rows = session.execute(
        select(ExplanationCell.person_id, func.count())
        .join(Explanation, Explanation.id == ExplanationCell.explanation_id)
        .where(
            Explanation.project_id == project_id,
            Explanation.withdrawal_segment_id.is_(None),
            Explanation.reason_code.not_in([reason.value for reason in TERMINAL_FAILURES]),
            ExplanationCell.day.between(first, date.fromordinal(last)),
        )
        .group_by(ExplanationCell.person_id)
    )
    return Counter({person: count for person, count in rows})


def _check_seen(desk: Desk, session: Session, number: int, seen: int | None) -> None:
    """Somebody else approved it or took it back since."""
    row = session.scalar(
        select(Explanation).where(
            Explanation.project_id == desk.project_id, Explanation.number == number
        )
    )
    done = "撤回" if row is not None and row.withdrawal_segment_id is not None else "批准"
    editing.check(
        desk, session, f"explanation:{number}", seen, f"说明{number}号",
        {editing.WHOLE: (done, None)},
    )


def _waiting_or_in_force(session: Session, project_id: int, number: int) -> Explanation:
    row = session.scalar(
        select(Explanation).where(
            Explanation.project_id == project_id, Explanation.number == number
        )
    )
    if row is None:
        raise Refused("unknown_explanation", f"没有说明{number}号，未做任何改动。", number=number)
    if row.withdrawal_segment_id is not None:
        raise Refused("withdrawn", f"说明{number}号已经撤回，未做任何改动。", number=number)
    return row

"""Gathers what the labour officer has to look at today, ordered by deadline.

Deadlines come from the services (months, rule pack); this file only asks and puts into order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from desktop.access.actor import View
from desktop.people.queries import GateFinding, gate_findings, present_on
from desktop.people.tables import Contract, Person, Stay
from desktop.punches.queries import punch_counts
from desktop.punches.terminal_book import TerminalView, list_terminals
from desktop.ui.actions import PageName
from desktop.ui.i18n import tr
from desktop.ui.pages.terminals.columns import terminal_state
from desktop.ui.theme import Tone
from desktop.ui.widgets.basics import State, bad, info, warn

Sight = Callable[[View], bool]
"""What who is logged in may look at."""
CONTRACT_DAYS = 30
"""Contracts that end this soon are named; a custom of offices, not a rule of law."""


@dataclass(frozen=True, slots=True)
class Task:
    """One matter. ``due`` None: as soon as possible, without a day of its own."""

    due: date | None
    state: State
    text: str
    note: str
    act: str
    page: PageName
    target: dict[str, Any] = field(default_factory=dict)
    month: str = ""
    """The month the header must show first, or empty."""
    people: tuple[tuple[int, str], ...] = ()
    """(stay id, words) for a list in the panel instead of a page."""


@dataclass(frozen=True, slots=True)
class Agenda:
    """The page's content."""

    tasks: list[Task]
    workers: int
    managers: int
    punches: int
    construction_days: int | None
    """None until the months are known."""
    empty: bool
    """Nobody on the roster and no terminal: a book that was just made."""
    complete: bool
    """The months are in it."""


def read_agenda(
    session: Session, project_id: int, now: datetime, local: datetime, sees: Sight
) -> Agenda:
    """What is known at once: terminals, missing steps, contracts, as far as the reader ``sees``.

    ``now`` and ``local`` (site time) are the same instant. The months follow with
    :func:`with_months`: on a large site they take longer than a first look may.
    """
    today = local.date()
    terminals = list_terminals(session, project_id) if sees(View.TERMINALS) else []
    present = present_on(session, project_id, today)
    tasks = [*_terminals(terminals, now, today)]
    if sees(View.PEOPLE):
        tasks += _gate(gate_findings(session, project_id, today))
        tasks += _contracts(session, project_id, today)
    return Agenda(
        in_order(tasks, today), present[False], present[True],
        sum(punch_counts(session, project_id, today).values()), None,
        not any(present.values()) and not terminals, complete=False,
    )


def in_order(tasks: Iterable[Task], today: date) -> list[Task]:
    """By deadline; of one day the most urgent first, what has no day last."""
    return sorted(
        tasks, key=lambda task: (task.due is None, task.due or today, _weight(task.state))
    )


def _weight(state: State) -> int:
    return {Tone.BAD: 0, Tone.WARN: 1, Tone.ACCENT: 2}.get(state.tone, 3)


def urgency(due: date, today: date, word: str) -> State:
    """Late is red, within three days amber, else only told."""
    left = (due - today).days
    if left < 0:
        return bad(tr("已过 {n} 天", n=-left), "clock")
    if left <= 3:
        return warn(tr("今天到期") if left == 0 else tr("还剩 {n} 天", n=left), "clock")
    return info(word, "clock")


def _terminals(terminals: list[TerminalView], now: datetime, today: date) -> Iterator[Task]:
    for terminal in terminals:
        state = terminal_state(terminal, now)
        if state.tone in (Tone.WARN, Tone.BAD):
            way = tr("联网采集一次。") if terminal.address else tr("用U盘拷出打卡文件导入。")
            yield Task(
                today, state, tr("考勤机「{name}」需要采集", name=terminal.name), way, tr("去设备"),
                PageName.TERMINALS, {"terminal_id": terminal.id},
            )


def _gate(findings: list[GateFinding]) -> Iterator[Task]:
    """Missing steps, one matter per step, with the people behind it."""
    by_step: dict[str, list[GateFinding]] = {}
    first: dict[str, Any] = {}
    for finding in findings:
        for step in finding.steps:
            by_step.setdefault(step.finding, []).append(finding)
            first.setdefault(step.finding, step)
    for name, people in sorted(by_step.items(), key=lambda item: -len(item[1])):
        step = first[name]
        yield Task(
            None, warn(tr("{n} 人", n=len(people)), "person"), name,
            tr("{act}（{clause}）", act=step.next_act, clause=step.clause), tr("看名单"), PageName.ROSTER,
            people=tuple((p.stay_id, f"{p.worker_no}　{p.name}") for p in people),
        )


def _contracts(session: Session, project_id: int, today: date) -> Iterator[Task]:
    """Stays that go on although their last contract ends soon, or has ended."""
    ends = (
        select(Contract.stay_id, func.max(Contract.to_day).label("ends"))
        .where(Contract.project_id == project_id)
        .group_by(Contract.stay_id)
        .subquery()
    )
    rows = session.execute(
        select(Stay.id, Person.worker_no, Person.name, ends.c.ends)
        .join(Person, Person.id == Stay.person_id)
        .join(ends, ends.c.stay_id == Stay.id)
        .where(
            Stay.project_id == project_id, Stay.from_day <= today,
            (Stay.to_day.is_(None)) | (Stay.to_day > today),
            ends.c.ends <= today + timedelta(days=CONTRACT_DAYS),
        )
        .order_by(ends.c.ends, Person.worker_no)
    ).all()
    if rows:
        soonest: date = rows[0].ends
        yield Task(
            soonest, urgency(soonest, today, tr("快到期")),
            tr("{n} 人的合同到期或 {d} 天内到期", n=len(rows), d=CONTRACT_DAYS),
            tr("续签后在花名册里补填新的合同日期，再导入。"), tr("看名单"), PageName.ROSTER,
            people=tuple((row.id, f"{row.worker_no}　{row.name}　{row.ends}") for row in rows),
        )

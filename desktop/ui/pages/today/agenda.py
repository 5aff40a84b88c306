"""Gathers what the labour officer has to look at today, ordered by deadline.

Deadlines come from the services (months, rule pack); this file only asks and puts into order.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from desktop.attendance.finding import Finding
from desktop.attendance.findings import month_findings
from desktop.attendance.month import MonthAttendance, compute_month
from desktop.board.queries import BoardStatus, board_status
from desktop.months.queries import MonthStatus, month_status
from desktop.people.queries import GateFinding, gate_findings, present_on
from desktop.people.tables import Contract, Person, Stay
from desktop.punches.queries import punch_counts
from desktop.punches.terminal_book import TerminalView, list_terminals
from desktop.site.queries import rule_for
from desktop.ui.actions import PageName
from desktop.ui.i18n import day_words, month_text, shifted_month, tr
from desktop.ui.pages.terminals.columns import terminal_state
from desktop.ui.theme import Tone
from desktop.ui.widgets.basics import State, bad, info, warn

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
    construction_days: int
    empty: bool
    """Nobody on the roster and no terminal: a book that was just made."""


def read_agenda(session: Session, project_id: int, now: datetime, local: datetime) -> Agenda:
    """Everything due on the day of ``local`` (site time); ``now`` is the same instant in UTC."""
    today = local.date()
    month = f"{today:%Y-%m}"
    terminals = list_terminals(session, project_id)
    present = present_on(session, project_id, today)
    attendance = compute_month(session, project_id, month)
    tasks: list[Task] = []
    tasks += _closing(session, project_id, shifted_month(month, -1), today, local)
    tasks += _running(attendance, month_findings(session, attendance, local), month, today)
    tasks += _terminals(terminals, now, today)
    tasks += _gate(gate_findings(session, project_id, today))
    tasks += _contracts(session, project_id, today)
    tasks += _board(board_status(session, project_id, today))
    tasks.sort(key=lambda task: (task.due is None, task.due or today, _weight(task.state)))
    return Agenda(
        tasks, present[False], present[True], sum(punch_counts(session, project_id, today).values()),
        len(attendance.frame.construction_days()), not any(present.values()) and not terminals,
    )


def _weight(state: State) -> int:
    return {Tone.BAD: 0, Tone.WARN: 1, Tone.ACCENT: 2}.get(state.tone, 3)


def _urgency(due: date, today: date, word: str) -> State:
    """Late is red, within three days amber, else only told."""
    left = (due - today).days
    if left < 0:
        return bad(tr("已过 {n} 天", n=-left), "clock")
    if left <= 3:
        return warn(tr("今天到期") if left == 0 else tr("还剩 {n} 天", n=left), "clock")
    return info(word, "clock")


def _closing(
    session: Session, project_id: int, month: str, today: date, local: datetime
) -> Iterator[Task]:
    """Last month: frozen and printed by the 4th, posted by the 5th, on the wall for five days."""
    status = month_status(session, project_id, month, today)
    if status.version is None:
        attendance = compute_month(session, project_id, month)
        if not attendance.rows or not attendance.punches_read:
            return
        blocking = sum(f.blocking for f in month_findings(session, attendance, local))
        note = tr("公示须在 {due} 前上墙。", due=day_words(status.due))
        if blocking:
            note = tr("还有 {n} 项须处理。", n=blocking) + note
        yield Task(
            status.target, _urgency(status.target, today, tr("待冻结")),
            tr("{month}考勤冻结、打印、签字", month=month_text(month)), note, tr("去月结"),
            PageName.MONTH, {}, month,
        )
        return
    days = rule_for(session, project_id, today).posting_days
    last = status.due + timedelta(days=days)
    if not status.pages:
        yield Task(
            status.target, _urgency(status.target, today, tr("待打印")),
            tr("{month}签字表打印、传签", month=month_text(month)),
            tr("已冻结第 {v} 版，还没有打印或导出。", v=status.version), tr("去打印"),
            PageName.MONTH, {"tab": "papers"}, month,
        )
    if today <= last:
        yield Task(
            status.due, _urgency(status.due, today, tr("待公示")) if today <= status.due
            else info(tr("公示期内"), "clock"),
            tr("{month}考勤公示：{due}前上墙，自张贴次日起 {n} 日", month=month_text(month), due=day_words(status.due), n=days),
            tr("贴在维权信息告示牌旁；每天拍一张带日期的照片，第 {k} 日后取下。", k=days),
            tr("看公示件"), PageName.MONTH, {"tab": "papers"}, month,
        )
    yield from _late(status)


def _late(status: MonthStatus) -> Iterator[Task]:
    if status.accepted_open:
        yield Task(
            None, warn(tr("带项冻结")), tr("{month}是带着未处理事项冻结的", month=month_text(status.month)),
            tr("理由：{why}", why=status.accepted_open), tr("去月结"), PageName.MONTH, {}, status.month,
        )


def _running(
    attendance: MonthAttendance, findings: list[Finding], month: str, today: date
) -> Iterator[Task]:
    """This month so far: cells that need explaining, silent teams and terminals, numbers of nobody."""
    last = attendance.frame.last
    codes = Counter(f.code for f in findings if f.blocking and (f.day is None or f.day < today))
    unresolved = codes.pop("unresolved", 0)
    codes.pop("terminal_incomplete", 0)
    if unresolved:
        yield Task(
            last, warn(tr("待核 {n} 格", n=unresolved), "question"),
            tr("{month}有 {n} 格打卡不全", month=month_text(month), n=unresolved),
            tr("趁人都记得，问班组长后写情况说明；打卡数据不变。"), tr("去核实"), PageName.ATTENDANCE,
            {"kind": "unresolved"}, month,
        )
    silent = sum(codes.values())
    if silent:
        yield Task(
            last, warn(tr("待答复 {n} 项", n=silent), "question"),
            tr("有班组或考勤机整天没有记录"), tr("停工的登记停工，停电的登记停用说明，其余写明原因。"),
            tr("去答复"), PageName.ATTENDANCE, {"blocking": True}, month,
        )
    nobody = sum(f.code == "unmatched_number" for f in findings)
    if nobody:
        yield Task(
            last, warn(tr("未对号 {n} 个", n=nobody), "link"), tr("考勤机上有 {n} 个编号不知道是谁", n=nobody),
            tr("对上号以后，以前的打卡也计入。"), tr("去对号"), PageName.TERMINALS,
            {"tab": "unmatched"}, month,
        )
    waiting = next((f for f in findings if f.code == "explanation_waiting"), None)
    if waiting is not None:
        yield Task(
            last, info(tr("待批准"), "note"), waiting.text, waiting.next_step, tr("去批准"),
            PageName.ATTENDANCE, {"tab": "explanations"}, month,
        )
    below = next((f for f in findings if f.code == "manager_below"), None)
    if below is not None:
        yield Task(
            last, warn(tr("带班不足")), below.text, below.next_step, tr("去看"),
            PageName.ATTENDANCE, {"finding_key": below.key}, month,
        )


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
            soonest, _urgency(soonest, today, tr("快到期")),
            tr("{n} 人的合同到期或 {d} 天内到期", n=len(rows), d=CONTRACT_DAYS),
            tr("续签后在花名册里补填新的合同日期，再导入。"), tr("看名单"), PageName.ROSTER,
            people=tuple((row.id, f"{row.worker_no}　{row.name}　{row.ends}") for row in rows),
        )


def _board(status: BoardStatus) -> Iterator[Task]:
    if status.missing:
        yield Task(
            None, bad(tr("缺 {n} 项", n=len(status.missing)), "board"), tr("维权信息告示牌内容不全"),
            status.sentence, tr("去补齐"), PageName.BOARD,
        )
    elif status.reprint:
        yield Task(
            None, warn(tr("待张挂"), "board"), tr("维权信息告示牌要重新输出"), status.sentence,
            tr("去导出"), PageName.BOARD,
        )



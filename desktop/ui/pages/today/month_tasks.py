"""The part of today's matters that months are computed for: closing, findings, the board.

It comes after the first list is on the screen; its modules are imported only then.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta

from sqlalchemy.orm import Session

from desktop.attendance.finding import Finding
from desktop.attendance.findings import month_findings
from desktop.attendance.month import MonthAttendance, compute_month
from desktop.board.queries import BoardStatus, board_status
from desktop.months.queries import MonthStatus, month_status
from desktop.site.queries import rule_for
from desktop.ui.actions import PageName
from desktop.ui.i18n import day_words, month_text, shifted_month, tr
from desktop.ui.pages.today.agenda import Agenda, Task, in_order, urgency
from desktop.ui.widgets.basics import bad, info, warn


def with_months(session: Session, project_id: int, agenda: Agenda, local: datetime) -> Agenda:
    """The agenda with what the running and the last month ask for; ``local`` is site time."""
    today = local.date()
    month = f"{today:%Y-%m}"
    attendance = compute_month(session, project_id, month)
    tasks = [
        *agenda.tasks,
        *_closing(session, project_id, shifted_month(month, -1), today, local),
        *_running(attendance, month_findings(session, attendance, local), month, today),
        *_board(board_status(session, project_id, today)),
    ]
    return replace(
        agenda, tasks=in_order(tasks, today), complete=True,
        construction_days=len(attendance.frame.construction_days()),
    )


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
            status.target, urgency(status.target, today, tr("待冻结")),
            tr("{month}考勤冻结、打印、签字", month=month_text(month)), note, tr("去月结"),
            PageName.MONTH, {}, month,
        )
        return
    days = rule_for(session, project_id, today).posting_days
    last = status.due + timedelta(days=days)
    if not status.pages:
        yield Task(
            status.target, urgency(status.target, today, tr("待打印")),
            tr("{month}签字表打印、传签", month=month_text(month)),
            tr("已冻结第 {v} 版，还没有打印或导出。", v=status.version), tr("去打印"),
            PageName.MONTH, {"tab": "papers"}, month,
        )
    if today <= last:
        yield Task(
            status.due, urgency(status.due, today, tr("待公示")) if today <= status.due
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



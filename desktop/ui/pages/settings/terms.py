"""What the retention part reads at one time, and the columns of its four lists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from desktop.access.actor import View
from desktop.access.desk import Desk
from desktop.retention.biometric import RemovalTask, removal_tasks
from desktop.retention.dates import Policy, ProjectDates, dates_of, policy_of
from desktop.retention.holds import HOLD_WORDS, HoldView, holds
from desktop.retention.queries import DiskForecast, TermRow, disk_forecast, forecast
from desktop.retention.rules import CLASS_WORDS
from desktop.retention.steps import PurgeView, purges
from desktop.ui.i18n import day_text, moment_text, tr
from desktop.ui.pages.settings.backup_list import size_text
from desktop.ui.tables.columns import RIGHT, Column
from desktop.ui.widgets.basics import State, bad, good, info, neutral, warn


@dataclass(frozen=True, slots=True)
class Terms:
    """Everything the part shows."""

    dates: ProjectDates
    policy: Policy
    rows: Sequence[TermRow]
    disk: DiskForecast
    holds: Sequence[HoldView]
    purges: Sequence[PurgeView]
    tasks: Sequence[RemovalTask]
    today: date


def read_terms(desk: Desk) -> Terms:
    """One look; the sizes of raw downloads come from the book's folder."""
    today, project_id, folder = desk.clock.today(), desk.project_id, desk.book.path
    with desk.look(View.RETENTION) as session:
        return Terms(
            dates_of(session, project_id), policy_of(session, project_id, today),
            forecast(session, project_id, today, folder=folder),
            disk_forecast(session, project_id, today, folder),
            holds(session, project_id), purges(session, project_id),
            removal_tasks(session, project_id, today), today,
        )


def term_state(row: TermRow) -> State:
    """Whether a class of records may go, as word, icon and colour."""
    states: Mapping[str, State] = {
        "none": neutral(tr("没有")), "locked": warn(tr("缺日期"), "lock"), "kept": good(tr("保存中")),
        "held": warn(tr("留存冻结"), "freeze"), "due": info(tr("可清除"), "hourglass"),
        "task": bad(tr("待删除"), "terminals"),
    }
    return states[row.state]


def hold_state(row: HoldView) -> State:
    """In force or lifted."""
    return warn(tr("冻结中"), "freeze") if row.lifted_at is None else neutral(tr("已解除"), "undo")


def purge_state(row: PurgeView) -> State:
    """How far a purge has come."""
    states: Mapping[str, State] = {
        "proposed": warn(tr("待批准"), "clock"), "approved": info(tr("已批准"), "clock"),
        "withdrawn": neutral(tr("已撤回"), "undo"), "run": warn(tr("待收尾")),
        "finished": good(tr("已清除")),
    }
    return states[row.state]


def task_state(row: RemovalTask, today: date) -> State:
    """How late a removal is."""
    late = (today - row.due_on).days
    return bad(tr("晚 {n} 天", n=late), "clock") if late > 0 else warn(tr("今天删"), "clock")


TERMS: tuple[Column[TermRow], ...] = (
    Column("类别", 12, lambda r: tr(r.word), stretch=True),
    Column("条数", 3.5, lambda r: f"{r.records:,}" if r.records else "—", align=RIGHT, order=lambda r: r.records),
    Column("大小", 5, lambda r: size_text(r.bytes) if r.bytes else "—", align=RIGHT, order=lambda r: r.bytes),
    Column("最早可清除", 5.5, lambda r: day_text(r.earliest), order=lambda r: day_text(r.earliest)),
    Column("状态", 6.5, lambda r: "", state=term_state, order=lambda r: r.state),
)

HOLDS: tuple[Column[HoldView], ...] = (
    Column("编号", 3, lambda r: str(r.id), align=RIGHT, order=lambda r: r.id),
    Column("状态", 5.5, lambda r: "", state=hold_state, order=lambda r: r.lifted_at is not None),
    Column("范围", 8, lambda r: r.scope),
    Column("种类", 9, lambda r: tr(HOLD_WORDS[r.kind])),
    Column("事由", 16, lambda r: r.reason, stretch=True),
    Column("登记", 10, lambda r: f"{r.placed_by} {moment_text(r.placed_at)}"),
)

PURGES: tuple[Column[PurgeView], ...] = (
    Column("编号", 3, lambda r: str(r.number), align=RIGHT, order=lambda r: r.number),
    Column("状态", 5.5, lambda r: "", state=purge_state, order=lambda r: r.state),
    Column("类别", 14, lambda r: tr(CLASS_WORDS[r.record_class])),
    Column("理由", 14, lambda r: r.why, stretch=True),
    Column("提出", 10, lambda r: f"{r.proposed.name} {moment_text(r.proposed_at)}"),
    Column("可执行日", 5.5, lambda r: day_text(r.may_run_on)),
)


def task_columns(today: date) -> tuple[Column[RemovalTask], ...]:
    """Columns of the removal tasks; lateness is told against ``today``."""
    return (
        Column("状态", 6, lambda r: "", state=lambda r: task_state(r, today), order=lambda r: r.due_on),
        Column("退场", 5.5, lambda r: day_text(r.due_on), order=lambda r: r.due_on),
        Column("考勤机", 8, lambda r: r.terminal),
        Column("机上编号", 6, lambda r: r.number, align=RIGHT),
        Column("人员", 10, lambda r: f"{r.worker_no} {r.name}", stretch=True),
    )

"""``retention``: terms and dates, holds, purges in two persons, certificates, removal tasks."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from desktop.cli.session import emit, office, progress
from desktop.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Sequence

    from desktop.retention.biometric import RemovalTask
    from desktop.retention.dates import Dated
    from desktop.retention.queries import DiskForecast, TermRow
    from desktop.retention.steps import PurgeView

app = typer.Typer(
    help="保存期限：竣工与结清日期、留存冻结、到期清除、清除证明、人脸指纹删除任务",
    no_args_is_help=True,
)
hold_app = typer.Typer(help="留存冻结：争议、检查期间暂停清除", no_args_is_help=True)
app.add_typer(hold_app, name="hold")

_DAY = ["%Y-%m-%d"]
Number = Annotated[int, typer.Argument(help="清除申请编号")]
Why = Annotated[str, typer.Option("--why", help="理由（不写姓名、证件号、电话）")]
_STATES = {
    "none": "无", "locked": "缺日期", "kept": "保存中", "held": "留存冻结", "due": "可清除",
    "task": "待删除",
}
_STEPS = {
    "proposed": "待批准", "approved": "已批准", "withdrawn": "已撤回", "run": "已执行，待收尾",
    "finished": "已清除",
}


@app.command()
def status(ctx: typer.Context) -> None:
    """各类记录何时可清除、依据哪一条，以及磁盘占用预测。"""
    from desktop.access.actor import View
    from desktop.retention.queries import disk_forecast, forecast

    with office(ctx) as opened, opened.desk.look(View.RETENTION) as session:
        today, folder = opened.desk.clock.today(), opened.book.path
        rows = forecast(session, opened.project_id, today, folder=folder)
        disk = disk_forecast(session, opened.project_id, today, folder)
    emit(
        ctx, {"today": today, "classes": rows, "disk": disk}, lambda: _status_text(rows, disk)
    )


def _status_text(rows: Sequence[TermRow], disk: DiskForecast) -> str:
    lines = [f"{_STATES[row.state]}　{row.word}：{row.records}项。{row.sentence}" for row in rows]
    return "\n".join([*lines, disk.sentence])


@app.command()
def dates(
    ctx: typer.Context,
    completed: Annotated[
        datetime | None, typer.Option("--completed", formats=_DAY, help="竣工日期 YYYY-MM-DD")
    ] = None,
    completed_document: Annotated[
        str, typer.Option("--completed-document", help="竣工证明文件（名称或文号）")
    ] = "",
    settled: Annotated[
        datetime | None, typer.Option("--settled", formats=_DAY, help="工资全部结清日期 YYYY-MM-DD")
    ] = None,
    settled_document: Annotated[
        str, typer.Option("--settled-document", help="结清证明文件（名称或文号）")
    ] = "",
    why: Why = "",
) -> None:
    """登记或查看竣工日期和工资结清日期：两者齐全才起算保存期限。"""
    from desktop.access.actor import View
    from desktop.retention.dates import ProjectDates, dates_of, set_dates

    with office(ctx) as opened:
        if completed is None and settled is None:
            with opened.desk.look(View.RETENTION) as session:
                held = dates_of(session, opened.project_id)
        else:
            held = set_dates(
                opened.desk, why=why,
                completed=_dated(completed, completed_document),
                settled=_dated(settled, settled_document),
            )

    def human(both: ProjectDates = held) -> str:
        return "\n".join(
            f"{word}：{'未登记' if one is None else f'{one.day}（{one.document}）'}"
            for word, one in (("竣工日期", both.completed), ("工资结清日期", both.settled))
        )

    emit(
        ctx,
        {
            "completed_on": None if held.completed is None else held.completed.day,
            "completed_document": "" if held.completed is None else held.completed.document,
            "wages_settled_on": None if held.settled is None else held.settled.day,
            "settled_document": "" if held.settled is None else held.settled.document,
        },
        human,
    )


def _dated(day: datetime | None, document: str) -> Dated | None:
    from desktop.retention.dates import Dated

    return None if day is None else Dated(day.date(), document)


@app.command()
def policy(
    ctx: typer.Context,
    waiting: Annotated[
        int | None, typer.Option("--waiting", help="批准到执行的等待天数")
    ] = None,
    snapshots: Annotated[
        str | None, typer.Option("--snapshots", help="抓拍照片：none、abnormal 或 all")
    ] = None,
    snapshot_kb: Annotated[
        int | None, typer.Option("--snapshot-kb", help="单张照片大小（KB），用于预测")
    ] = None,
    assessed: Annotated[
        datetime | None, typer.Option("--assessed", formats=_DAY, help="影响评估报告日期")
    ] = None,
    assessment: Annotated[
        str | None, typer.Option("--assessment", help="影响评估报告名称或编号")
    ] = None,
) -> None:
    """登记或查看保存策略：等待期、抓拍照片、影响评估。人脸模板一律不进账本。"""
    from dataclasses import asdict, replace

    from desktop.access.actor import View
    from desktop.retention.dates import policy_of, set_policy
    from desktop.retention.rules import SNAPSHOT_WORDS, Snapshots

    given: dict[str, Any] = {
        "waiting_days": waiting, "snapshot_kb": snapshot_kb, "assessment": assessment,
        "assessed_on": None if assessed is None else assessed.date(),
        "snapshots": None if snapshots is None else _snapshots(snapshots),
    }
    given = {name: value for name, value in given.items() if value is not None}
    with office(ctx) as opened:
        today = opened.desk.clock.today()
        with opened.desk.look(View.RETENTION) as session:
            held = policy_of(session, opened.project_id, today)
        if given:
            held = replace(held, **given, effective_from=today)
            set_policy(opened.desk, held)
    emit(
        ctx, {**asdict(held), "snapshots": held.snapshots.value},
        lambda: f"批准到执行等待{held.waiting_days}天；{SNAPSHOT_WORDS[Snapshots(held.snapshots)]}；"
        f"影响评估：{held.assessed_on or '未登记'} {held.assessment}".rstrip(),
    )


def _snapshots(text: str) -> Any:
    from desktop.retention.rules import Snapshots

    try:
        return Snapshots(text)
    except ValueError:
        raise Refused(
            "policy_snapshots", "抓拍照片策略只有 none、abnormal、all 三种，未做任何改动。"
        ) from None


# ── holds ───────────────────────────────────────────────────────────────────────────────────────


@hold_app.command("add")
def add_hold(
    ctx: typer.Context,
    reason: Annotated[str, typer.Option("--reason", help="事由")],
    kind: Annotated[
        str, typer.Option("--kind", help="dispute 争议、inspection 检查或 other 其他")
    ] = "dispute",
    worker: Annotated[
        int | None, typer.Option("--worker", help="人员编号；不写为全项目")
    ] = None,
    document: Annotated[str, typer.Option("--document", help="文件名称或文号")] = "",
) -> None:
    """加留存冻结：暂停清除。"""
    from desktop.access.actor import View
    from desktop.attendance.calendar import person_of
    from desktop.retention import holds

    try:
        chosen = holds.HoldKind(kind)
    except ValueError:
        raise Refused(
            "hold_kind", "留存冻结的种类只有 dispute、inspection、other 三种，未做任何改动。"
        ) from None
    with office(ctx) as opened:
        person_id = None
        if worker is not None:
            with opened.desk.look(View.PEOPLE) as session:
                person_id = person_of(session, worker)
        number = holds.add_hold(
            opened.desk, chosen, reason, person_id=person_id, document=document
        )
    emit(ctx, {"hold": number}, lambda: f"留存冻结{number}号已登记，期间不清除。")


@hold_app.command("lift")
def lift_hold(
    ctx: typer.Context,
    number: Annotated[int, typer.Argument(help="留存冻结编号")],
    why: Annotated[str, typer.Option("--why", help="解除事由")],
) -> None:
    """解除留存冻结。"""
    from desktop.retention import holds

    with office(ctx) as opened:
        holds.lift_hold(opened.desk, number, why)
    emit(ctx, {"hold": number, "lifted": True}, lambda: f"留存冻结{number}号已解除。")


@hold_app.command("list")
def list_holds(ctx: typer.Context) -> None:
    """列出留存冻结。"""
    from desktop.access.actor import View
    from desktop.retention.holds import HOLD_WORDS, holds

    with office(ctx) as opened, opened.desk.look(View.RETENTION) as session:
        rows = holds(session, opened.project_id)
    emit(
        ctx, {"holds": rows},
        lambda: "\n".join(
            f"{row.id}号 {row.scope} {HOLD_WORDS[row.kind]} {row.reason} {row.placed_by}"
            f"{f' 已由{row.lifted_by}解除' if row.lifted_by else ''}" for row in rows
        ) or "没有留存冻结。",
    )


# ── purges ──────────────────────────────────────────────────────────────────────────────────────


@app.command("list")
def list_purges(ctx: typer.Context) -> None:
    """列出清除申请及其进度。"""
    from desktop.access.actor import View
    from desktop.retention.steps import purges

    with office(ctx) as opened, opened.desk.look(View.RETENTION) as session:
        rows = purges(session, opened.project_id)
    emit(
        ctx, {"purges": rows},
        lambda: "\n".join(map(_purge_line, rows)) or "没有清除申请。",
    )


def _purge_line(purge: PurgeView) -> str:
    from desktop.retention.rules import CLASS_WORDS

    when = ""
    if purge.state == "approved":
        when = f"，{purge.may_run_on}起可执行"
    return (
        f"{purge.number}号 {_STEPS[purge.state]}{when} {CLASS_WORDS[purge.record_class]}"
        f" {purge.proposed.name}提出：{purge.why}"
    )


@app.command()
def propose(
    ctx: typer.Context,
    record_class: Annotated[
        str, typer.Argument(metavar="CLASS", help="attendance 原始数据，或 ledger 台账（人员）")
    ],
    why: Why,
    worker: Annotated[
        list[int] | None, typer.Option("--worker", help="只清除这些人员编号（台账）")
    ] = None,
) -> None:
    """提出清除到期的记录（第一人）。"""
    from desktop.retention.purge import propose_purge
    from desktop.retention.rules import RecordClass

    try:
        chosen = RecordClass(record_class)
    except ValueError:
        words = "、".join(one.value for one in RecordClass)
        raise Refused(
            "record_class", f"没有这一类记录，未做任何改动。可选：{words}。"
        ) from None
    with office(ctx) as opened:
        number = propose_purge(opened.desk, chosen, why, workers=worker or None)
    emit(
        ctx, {"purge": number},
        lambda: f"清除申请{number}号已提出，请另一名用户批准（retention approve {number}）。",
    )


@app.command()
def approve(ctx: typer.Context, number: Number, why: Why = "同意清除") -> None:
    """批准清除（第二人，须不同于提出人）。"""
    from desktop.retention.purge import approve_purge

    with office(ctx) as opened:
        first = approve_purge(opened.desk, number, why=why)
    emit(
        ctx, {"purge": number, "may_run_on": first},
        lambda: f"清除申请{number}号已批准，{first}起可执行。",
    )


@app.command()
def withdraw(ctx: typer.Context, number: Number, why: Why) -> None:
    """撤回或否决清除申请。"""
    from desktop.retention.purge import withdraw_purge

    with office(ctx) as opened:
        withdraw_purge(opened.desk, number, why)
    emit(ctx, {"purge": number, "withdrawn": True}, lambda: f"清除申请{number}号已撤回。")


@app.command()
def run(ctx: typer.Context, number: Number) -> None:
    """执行已批准且等待期满的清除。"""
    from desktop.retention.purge import run_purge

    with office(ctx) as opened, progress(ctx) as bar:
        result = run_purge(opened.desk, number, progress=bar)
    emit(ctx, result, lambda: result.sentence)


@app.command()
def certificate(
    ctx: typer.Context,
    number: Number,
    out: Annotated[Path, typer.Option("--out", help="输出文件夹")] = Path(),
) -> None:
    """出具清除证明（PDF 和 JSON，不含个人信息）。"""
    from desktop.retention.certificate import certificate as write_certificate

    with office(ctx) as opened:
        files = write_certificate(opened.desk, number, out)
    emit(ctx, files, lambda: f"清除证明已写入：{files.pdf}\n{files.document}")


# ── removal tasks ───────────────────────────────────────────────────────────────────────────────


@app.command()
def tasks(
    ctx: typer.Context,
    confirm: Annotated[
        int | None, typer.Option("--confirm", help="确认这一项已在考勤机上删除")
    ] = None,
    note: Annotated[str, typer.Option("--note", help="怎样核实的")] = "",
    everything: Annotated[bool, typer.Option("--all", help="已办结的也列出")] = False,
) -> None:
    """退场人员的人脸、指纹在考勤机上的删除任务。"""
    from desktop.access.actor import Act, View, may
    from desktop.retention import biometric

    with office(ctx) as opened:
        desk = opened.desk
        if may(desk.actor, Act.BIOMETRICS_REMOVED):
            biometric.refresh_removals(desk)
        if confirm is not None:
            biometric.confirm_removal(desk, confirm, note)
        with desk.look(View.RETENTION) as session:
            rows = biometric.removal_tasks(
                session, opened.project_id, desk.clock.today(), everything=everything
            )
    emit(
        ctx, {"tasks": rows}, lambda: "\n".join(map(_task_line, rows)) or "没有待办的删除任务。"
    )


def _task_line(task: RemovalTask) -> str:
    ended = "" if task.open else "　已办结"
    number = "待登记" if task.id is None else f"{task.id}号"
    return (
        f"{number} {task.due_on} {task.terminal} 编号{task.number}"
        f"（{task.worker_no} {task.name}）{ended}"
    )

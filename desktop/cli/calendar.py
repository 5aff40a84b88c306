"""``calendar``: stop-work days, leave, holidays, outage notes, answers to findings."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from desktop.access.actor import View
from desktop.cli.session import emit, office

if TYPE_CHECKING:
    from desktop.attendance.queries import LeaveRow, OutageRow, StopRow

app = typer.Typer(help="施工日历：停工、请假、节假日、停用说明", no_args_is_help=True)
stop_app = typer.Typer(help="停工日（天气、窝工、停工令）", no_args_is_help=True)
leave_app = typer.Typer(help="请假：事假、病假、工伤、公出", no_args_is_help=True)
outage_app = typer.Typer(help="考勤机停用说明", no_args_is_help=True)
app.add_typer(stop_app, name="stop")
app.add_typer(leave_app, name="leave")
app.add_typer(outage_app, name="outage")

_DAY, _MINUTE = ["%Y-%m-%d"], ["%Y-%m-%d %H:%M"]
First = Annotated[datetime, typer.Option("--from", formats=_DAY, help="第一天 YYYY-MM-DD")]
Last = Annotated[datetime, typer.Option("--to", formats=_DAY, help="最后一天（含）YYYY-MM-DD")]
Reason = Annotated[str, typer.Option("--reason", help="原因")]
Document = Annotated[str, typer.Option("--document", help="文件、通知的名称或文号")]
Number = Annotated[int, typer.Argument(help="记录编号")]
Why = Annotated[str, typer.Option("--why", help="撤回原因")]


@stop_app.command("add")
def add_stop(
    ctx: typer.Context,
    first: First,
    last: Last,
    reason: Reason,
    document: Document = "",
    team: Annotated[
        str | None, typer.Option("--team", help="只停一个班组（名称或三位编号）；不写为全项目")
    ] = None,
) -> None:
    """登记停工日：不计入施工日。"""
    from desktop.attendance import calendar
    from desktop.site.queries import team_of

    with office(ctx) as opened:
        team_id = None
        if team is not None:
            with opened.desk.look(View.PROJECT) as session:
                team_id = team_of(session, opened.project_id, team)
        number = calendar.add_stop(
            opened.desk, first.date(), last.date(), reason=reason, document=document,
            team_id=team_id,
        )
    emit(ctx, {"stop": number}, lambda: f"停工记录{number}号已登记。")


@stop_app.command("list")
def list_stops(ctx: typer.Context) -> None:
    """列出停工记录。"""
    from desktop.attendance.queries import stop_rows

    with office(ctx) as opened, opened.desk.look(View.ATTENDANCE) as session:
        rows = stop_rows(session, opened.project_id)
    emit(
        ctx, {"stops": [_stop_document(row) for row in rows]},
        lambda: "\n".join(
            f"{row.id}号 {row.first}至{row.last} {row.team or '全项目'} {row.reason}"
            f" {row.document}{' 已撤回' if row.withdrawn else ''}" for row in rows
        ) or "没有停工记录。",
    )


def _stop_document(row: StopRow) -> dict[str, Any]:
    return {
        "stop": row.id, "from": row.first, "to": row.last, "team": row.team or None,
        "reason": row.reason, "document": row.document, "withdrawn": row.withdrawn,
    }


@stop_app.command("withdraw")
def withdraw_stop(ctx: typer.Context, number: Number, why: Why = "") -> None:
    """撤回停工记录。"""
    from desktop.attendance import calendar

    with office(ctx) as opened:
        calendar.withdraw_stop(opened.desk, number, why)
    emit(ctx, {"stop": number, "withdrawn": True}, lambda: f"停工记录{number}号已撤回。")


@leave_app.command("add")
def add_leave(
    ctx: typer.Context,
    worker: Annotated[int, typer.Option("--worker", help="人员编号")],
    kind: Annotated[str, typer.Option("--kind", help="事假、病假、工伤或公出")],
    first: First,
    last: Last,
    reason: Reason = "",
    document: Document = "",
    owner_approved: Annotated[
        bool, typer.Option("--owner-approved", help="建设单位已书面同意（项目经理）")
    ] = False,
) -> None:
    """登记请假。"""
    from desktop.attendance import calendar
    from desktop.attendance.outside import outside_warnings, span_of

    with office(ctx) as opened:
        with opened.desk.look(View.PEOPLE) as session:
            person_id = calendar.person_of(session, worker)
        number = calendar.add_leave(
            opened.desk, person_id, kind, first.date(), last.date(), reason=reason,
            document=document, owner_approved=owner_approved,
        )
        with opened.desk.look(View.PEOPLE) as session:
            warnings = outside_warnings(
                session, opened.project_id, span_of(person_id, first.date(), last.date())
            )
    for sentence in warnings:
        print(sentence, file=sys.stderr)
    emit(ctx, {"leave": number, "warnings": warnings}, lambda: f"请假记录{number}号已登记。")


@leave_app.command("list")
def list_leave(ctx: typer.Context) -> None:
    """列出请假记录。"""
    from desktop.attendance.queries import leave_rows

    with office(ctx) as opened, opened.desk.look(View.ATTENDANCE) as session:
        rows = leave_rows(session, opened.project_id)
    emit(
        ctx, {"leave": [_leave_document(row) for row in rows]},
        lambda: "\n".join(
            f"{row.id}号 {row.worker_no} {row.name} {row.kind} {row.first}至{row.last}"
            f" {row.reason}{' 已撤回' if row.withdrawn else ''}" for row in rows
        ) or "没有请假记录。",
    )


def _leave_document(row: LeaveRow) -> dict[str, Any]:
    return {
        "leave": row.id, "worker_no": row.worker_no, "name": row.name, "kind": row.kind,
        "from": row.first, "to": row.last, "reason": row.reason, "document": row.document,
        "owner_approved": row.owner_approved, "withdrawn": row.withdrawn,
    }


@leave_app.command("withdraw")
def withdraw_leave(ctx: typer.Context, number: Number, why: Why = "") -> None:
    """撤回请假记录。"""
    from desktop.attendance import calendar

    with office(ctx) as opened:
        calendar.withdraw_leave(opened.desk, number, why)
    emit(ctx, {"leave": number, "withdrawn": True}, lambda: f"请假记录{number}号已撤回。")


@outage_app.command("add")
def add_outage(
    ctx: typer.Context,
    terminal: Annotated[str, typer.Option("--terminal", help="考勤机名称")],
    begin: Annotated[datetime, typer.Option("--from", formats=_MINUTE, help="YYYY-MM-DD HH:MM")],
    end: Annotated[datetime, typer.Option("--to", formats=_MINUTE, help="YYYY-MM-DD HH:MM")],
    reason: Reason,
    document: Document = "",
) -> None:
    """登记考勤机停用说明。"""
    from desktop.attendance.answers import add_outage as note_outage
    from desktop.punches.terminal_book import terminal_named

    with office(ctx) as opened:
        with opened.desk.look(View.TERMINALS) as session:
            terminal_id = terminal_named(session, opened.project_id, terminal).id
        number = note_outage(
            opened.desk, terminal_id, begin, end, reason=reason, document=document
        )
    emit(ctx, {"outage": number}, lambda: f"停用说明{number}号已登记。")


@outage_app.command("list")
def list_outages(ctx: typer.Context) -> None:
    """列出考勤机停用说明。"""
    from desktop.attendance.queries import outage_rows

    with office(ctx) as opened, opened.desk.look(View.TERMINALS) as session:
        rows = outage_rows(session, opened.project_id)
    emit(
        ctx, {"outages": [_outage_document(row) for row in rows]},
        lambda: "\n".join(
            f"{row.id}号 {row.terminal} {row.from_time:%Y-%m-%d %H:%M}至"
            f"{row.to_time:%Y-%m-%d %H:%M} {row.reason} {row.document}" for row in rows
        ) or "没有停用说明。",
    )


def _outage_document(row: OutageRow) -> dict[str, Any]:
    return {
        "outage": row.id, "terminal": row.terminal, "from": row.from_time, "to": row.to_time,
        "reason": row.reason, "document": row.document,
    }


@app.command()
def answer(
    ctx: typer.Context,
    keys: Annotated[list[str], typer.Argument(help="事项编号（attendance show 的 findings 里的 key）")],
    text: Annotated[str, typer.Option("--text", help="答复")],
) -> None:
    """答复“全天无打卡”的询问。"""
    from desktop.attendance.answers import answer_findings

    with office(ctx) as opened:
        count = answer_findings(opened.desk, keys, text)
    emit(ctx, {"answered": count}, lambda: f"已答复{count}项。")


@app.command()
def holidays(
    ctx: typer.Context, file: Annotated[Path, typer.Argument(help="节假日 csv 文件")]
) -> None:
    """导入某一年的节假日（国务院办公厅通知）。"""
    from desktop.site.holidays import import_holidays

    with office(ctx) as opened:
        years = import_holidays(opened.desk, file)
    emit(
        ctx, {"years": years}, lambda: f"{'、'.join(map(str, years))}年节假日已导入。"
    )

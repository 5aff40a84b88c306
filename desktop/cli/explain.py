"""``explain``: propose, approve, withdraw and list explanations of cells (F20)."""

from __future__ import annotations

import sys
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from desktop.access.actor import View
from desktop.cli.session import emit, office
from desktop.errors import Refused

if TYPE_CHECKING:
    from desktop.attendance.queries import ExplanationRow

app = typer.Typer(help="考勤说明：补卡、更正的审批单（不改动打卡数据）", no_args_is_help=True)

_HALF_DAYS = {"1": 2, "1.0": 2, "0.5": 1, "0": 0, "0.0": 0}


@app.command()
def add(
    ctx: typer.Context,
    worker: Annotated[list[int], typer.Option("--worker", help="人员编号，可写多次")],
    day: Annotated[
        list[datetime], typer.Option("--day", formats=["%Y-%m-%d"], help="日期，可写多次")
    ],
    value: Annotated[str, typer.Option("--value", help="核实结果：1、0.5 或 0 天")],
    reason: Annotated[
        str, typer.Option("--reason", help="设备故障、断网、面部遮挡或受伤、外勤、漏打、系统归属错误")
    ],
    text: Annotated[str, typer.Option("--text", help="经过")],
    evidence: Annotated[str, typer.Option("--evidence", help="证据：照片、记录、证人等")] = "",
) -> None:
    """登记说明：每个人员编号的每个日期各一格，批准后才计入。"""
    from desktop.attendance.calendar import person_of
    from desktop.attendance.explain import add_explanation, reason_of

    if value not in _HALF_DAYS:
        raise Refused("value", "核实结果只能是 1、0.5 或 0，未做任何改动。")
    with office(ctx) as opened:
        with opened.desk.look(View.PEOPLE) as session:
            persons = [person_of(session, number) for number in worker]
        added = add_explanation(
            opened.desk, [(person, one.date()) for person in persons for one in day],
            half_days=_HALF_DAYS[value], reason=reason_of(reason), text=text, evidence=evidence,
        )
    for sentence in added.warnings:
        print(sentence, file=sys.stderr)
    emit(
        ctx, {"number": added.number, "cells": added.cells, "warnings": added.warnings},
        lambda: f"说明{added.number}号已登记，共{added.cells}格，待批准。",
    )


@app.command()
def approve(
    ctx: typer.Context, number: Annotated[int, typer.Argument(help="说明编号")]
) -> None:
    """批准说明，从此计入说明天数和确认天数。"""
    from desktop.attendance.explain import approve_explanation

    with office(ctx) as opened:
        approve_explanation(opened.desk, number)
    emit(ctx, {"number": number, "state": "approved"}, lambda: f"说明{number}号已批准。")


@app.command()
def withdraw(
    ctx: typer.Context,
    number: Annotated[int, typer.Argument(help="说明编号")],
    why: Annotated[str, typer.Option("--why", help="撤回原因")] = "",
) -> None:
    """撤回说明；原单留存，单元格恢复按打卡计。"""
    from desktop.attendance.explain import withdraw_explanation

    with office(ctx) as opened:
        withdraw_explanation(opened.desk, number, why)
    emit(ctx, {"number": number, "state": "withdrawn"}, lambda: f"说明{number}号已撤回。")


@app.command("list")
def list_explanations(
    ctx: typer.Context,
    month: Annotated[str | None, typer.Argument(help="月份 YYYY-MM；不写为全部")] = None,
) -> None:
    """列出说明。"""
    from desktop.attendance.frame import month_bounds
    from desktop.attendance.queries import explanation_rows

    bounds: tuple[date, date] | tuple[()] = () if month is None else month_bounds(month)
    with office(ctx) as opened, opened.desk.look(View.ATTENDANCE) as session:
        rows = explanation_rows(session, opened.project_id, *bounds)
    emit(
        ctx, {"explanations": [_document(row) for row in rows]},
        lambda: "\n".join(map(_line, rows)) or "没有考勤说明。",
    )


def _document(row: ExplanationRow) -> dict[str, Any]:
    return {
        "number": row.number, "state": row.state, "reason_code": row.reason_code,
        "reason": row.reason, "text": row.text, "evidence": row.evidence,
        "value": row.half_days / 2, "proposed_by": row.proposed_by,
        "proposed_at": row.proposed_at, "approved_by": row.approved_by or None,
        "cells": [{"worker_no": no, "name": name, "day": day} for no, name, day in row.cells],
    }


def _line(row: ExplanationRow) -> str:
    people = len({number for number, _, _ in row.cells})
    days = len({day for _, _, day in row.cells})
    return (
        f"{row.number}号 {row.state_word} {row.reason} {row.half_days / 2:g}天"
        f" {people}人{days}日共{len(row.cells)}格 {row.text}"
    )

"""``punches``: files from USB sticks, and what is kept without being counted."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from desktop.access.actor import View
from desktop.cli.session import collecting_office, emit, office, progress

if TYPE_CHECKING:
    from desktop.punches.spool import Summary
    from desktop.punches.stick import StickResult

app = typer.Typer(help="打卡记录：U盘导入、隔离记录", no_args_is_help=True)
quarantine_app = typer.Typer(help="隔离记录：保留原样，不计考勤", no_args_is_help=True)
app.add_typer(quarantine_app, name="quarantine")


@app.command("import")
def import_file(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="U盘上的 attlog.dat")],
    terminal: Annotated[str, typer.Option("--terminal", help="文件来自哪台考勤机")],
    taken_at: Annotated[
        datetime | None,
        typer.Option(
            "--taken-at", formats=["%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M"],
            help="从考勤机导出的时间；不写则按文件时间",
        ),
    ] = None,
) -> None:
    """导入U盘导出的打卡文件。"""
    from desktop.punches.stick import import_stick

    with collecting_office(ctx) as opened, progress(ctx) as bar:
        result = import_stick(opened.desk, file, terminal, taken_at=taken_at, progress=bar)
    emit(ctx, result, lambda: _imported(result))
    for sentence in result.warnings:
        print(sentence, file=sys.stderr)


@app.command()
def waiting(
    ctx: typer.Context,
    drop: Annotated[
        str | None, typer.Option("--drop", help="放弃一批不能入账的记录（编号）")
    ] = None,
    reason: Annotated[str, typer.Option("--reason", help="放弃的原因")] = "",
) -> None:
    """服务器断开期间存在本机、等待入账的记录；连得上时先入账再列出。"""
    from desktop.punches import late, spool

    with collecting_office(ctx) as opened:
        if drop is not None:
            given_up = late.drop(opened.desk, drop, reason)
            print(f"已放弃「{given_up.terminal}」的{given_up.records}条记录。", file=sys.stderr)
        reasons: dict[str, str] = {}
        if not opened.away:
            for sentence in opened.book.notices:
                print(sentence, file=sys.stderr)
            report = late.store_waiting(opened.book, opened.project_id)
            reasons = {one.batch.id: one.reason for one in report.left}
        summary = spool.waiting(opened.book)
    result = {
        "away": bool(opened.away), "records": summary.records, "bytes": summary.size,
        "since": summary.since, "damaged": len(summary.damaged),
        "batches": [
            {
                "id": one.id, "terminal": one.terminal, "kind": one.kind,
                "records": one.records, "received_at": one.received_at, "bytes": one.size,
                "reason": reasons.get(one.id, ""),
            }
            for one in summary.batches
        ],
    }
    emit(ctx, result, lambda: "\n".join([summary.sentence(), *_waiting(summary, reasons)]))


@quarantine_app.command("list")
def quarantine_list(
    ctx: typer.Context,
    terminal: Annotated[str | None, typer.Option("--terminal", help="只看这台考勤机")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="最多列出多少条")] = 1000,
) -> None:
    """列出隔离的记录及原因。"""
    from desktop.punches.queries import REASON_WORDS, quarantine
    from desktop.punches.terminal_book import terminal_named

    with office(ctx) as opened, opened.desk.look(View.TERMINALS) as session:
        project_id = opened.project_id
        terminal_id = None
        if terminal is not None:
            terminal_id = terminal_named(session, project_id, terminal).id
        rows = quarantine(session, project_id, terminal_id=terminal_id, limit=limit)
    result = [
        {
            "id": row.id, "terminal": row.terminal, "reason": row.reason, "number": row.number,
            "time": row.time_text, "raw": row.raw,
        }
        for row in rows
    ]
    emit(
        ctx, result,
        lambda: "\n".join(
            f"{row.terminal}\t{row.number or '—'}\t{row.time_text or '—'}\t"
            f"{REASON_WORDS.get(row.reason, row.reason)}"
            for row in rows
        )
        or "没有隔离记录。",
    )


def _waiting(summary: Summary, reasons: dict[str, str]) -> list[str]:
    from desktop.clock import CHINA

    words = {"pull": "联网采集", "usb": "U盘导入"}
    return [
        f"  {one.id[:8]}\t{one.terminal}\t{words.get(one.kind, one.kind)}\t{one.records}条\t"
        f"{one.received_at.astimezone(CHINA):%Y-%m-%d %H:%M}\t{reasons.get(one.id, '')}"
        for one in summary.batches
    ]


def _imported(result: StickResult) -> str:
    if result.waiting:
        return f"{result.terminal}：{result.lines}行，{result.waiting}条存在本机，等待入账。"
    lines = [
        f"{result.terminal}：{result.lines}行，新增{result.new}条，已有{result.duplicate}条，"
        f"隔离{result.quarantined}条，不能识别{len(result.rejected)}行。"
    ]
    lines += [f"  第{one.line}行：{one.code}" for one in result.rejected[:20]]
    if len(result.rejected) > 20:
        lines.append(f"  ……共{len(result.rejected)}行")
    return "\n".join(lines)

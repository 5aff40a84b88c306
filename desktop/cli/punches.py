"""``punches``: files from USB sticks, and what is kept without being counted."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from desktop.cli.session import emit, office, progress

if TYPE_CHECKING:
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

    with office(ctx) as opened, progress(ctx) as bar:
        result = import_stick(opened.desk, file, terminal, taken_at=taken_at, progress=bar)
    emit(ctx, result, lambda: _imported(result))
    for sentence in result.warnings:
        print(sentence, file=sys.stderr)


@quarantine_app.command("list")
def quarantine_list(
    ctx: typer.Context,
    terminal: Annotated[str | None, typer.Option("--terminal", help="只看这台考勤机")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="最多列出多少条")] = 1000,
) -> None:
    """列出隔离的记录及原因。"""
    from desktop.punches.queries import REASON_WORDS, quarantine
    from desktop.punches.terminal_book import terminal_named

    with office(ctx) as opened, opened.book.read() as session:
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


def _imported(result: StickResult) -> str:
    lines = [
        f"{result.terminal}：{result.lines}行，新增{result.new}条，已有{result.duplicate}条，"
        f"隔离{result.quarantined}条，不能识别{len(result.rejected)}行。"
    ]
    lines += [f"  第{one.line}行：{one.code}" for one in result.rejected[:20]]
    if len(result.rejected) > 20:
        lines.append(f"  ……共{len(result.rejected)}行")
    return "\n".join(lines)

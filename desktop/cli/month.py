"""``month``: freeze, export and look at the state of a month."""

from __future__ import annotations

import json
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from desktop.cli.session import Common, emit, office, plain, progress
from desktop.errors import Refused

if TYPE_CHECKING:
    from desktop.months.freeze import BlockingFindings

app = typer.Typer(help="月结：冻结、打印、状态", no_args_is_help=True)


@app.command()
def freeze(
    ctx: typer.Context,
    month: Annotated[str, typer.Argument(help="月份 YYYY-MM")],
    accept_open: Annotated[
        str | None, typer.Option("--accept-open", help="带着未处理事项冻结的理由（留痕）")
    ] = None,
) -> None:
    """冻结一个月：行、规则与摘要入链。"""
    from desktop.months.freeze import BlockingFindings, freeze_month

    with office(ctx) as opened, progress(ctx) as bar:
        try:
            frozen = freeze_month(opened.desk, month, accept_open=accept_open, progress=bar)
        except BlockingFindings as refusal:
            _report_blocking(ctx, month, refusal)
            raise typer.Exit(1) from refusal
    emit(ctx, frozen, lambda: frozen.sentence)


def _report_blocking(ctx: typer.Context, month: str, refusal: BlockingFindings) -> None:
    """The refusal in the shape of the result, so that a script reads one document."""
    common: Common = ctx.obj
    print(refusal.message, file=sys.stderr)
    if common.as_json:
        document = {
            "month": month, "version": None, "digest": None, "rows": 0,
            "blocking": refusal.blocking, "warnings": refusal.warnings,
            "error": {"code": refusal.code, "message": refusal.message, "facts": refusal.facts},
        }
        print(json.dumps(plain(document), ensure_ascii=False))
        return
    for finding in refusal.blocking:
        print(f"  · {finding.text} → {finding.next_step}", file=sys.stderr)


@app.command()
def export(
    ctx: typer.Context,
    month: Annotated[str, typer.Argument(help="月份 YYYY-MM")],
    out: Annotated[Path, typer.Option("--out", help="输出文件夹")],
    paper: Annotated[str, typer.Option("--paper", help="A3 或 A4")] = "A3",
    worker: Annotated[
        int | None, typer.Option("--worker", help="只出一名离场人员的当月表（人员编号）")
    ] = None,
    until: Annotated[
        datetime | None, typer.Option("--until", formats=["%Y-%m-%d"], help="离场日期")
    ] = None,
) -> None:
    """输出签字表、管理人员表、公示件和公示通知（PDF 与 Word）。"""
    from desktop.months.papers import export_month
    from desktop.months.slip import export_slip

    if (worker is None) != (until is None):
        raise Refused("slip_options", "退场单要同时给出 --worker 和 --until，未输出任何文件。")
    with office(ctx) as opened, progress(ctx) as bar:
        if worker is not None and until is not None:
            files = export_slip(opened.desk, month, worker, until.date(), out)
        else:
            files = export_month(opened.desk, month, out, paper=paper, progress=bar)
    emit(
        ctx, {"files": files},
        lambda: "\n".join(f"{item.path}（{item.pages} 页）" for item in files),
    )


@app.command()
def status(
    ctx: typer.Context, month: Annotated[str, typer.Argument(help="月份 YYYY-MM")]
) -> None:
    """这个月走到哪一步、还差什么。"""
    from desktop.months.outlook import month_outlook

    with office(ctx) as opened:
        state = month_outlook(opened.desk, month)
    emit(ctx, state, lambda: state.sentence)

"""``ledger``: prove that the book is what was written."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from desktop.cli.session import emit, office, progress
from desktop.errors import EnvironmentFault

app = typer.Typer(help="账本核对", no_args_is_help=True)


@app.callback()
def group() -> None:
    """账本核对。"""


@app.command()
def verify(
    ctx: typer.Context,
    checkpoint: Annotated[
        list[str] | None,
        typer.Option("--checkpoint", help="另外留存的校验点「段号:校验值」，可多次给出"),
    ] = None,
    against: Annotated[
        list[Path] | None,
        typer.Option("--against", help="留存的备份（文件夹或 manifest.json）或汇总、核对的 JSON 结果"),
    ] = None,
    page: Annotated[
        list[str] | None, typer.Option("--page", help="印出的页上二维码的内容（SM1:…），可多次给出")
    ] = None,
) -> None:
    """核对整条账本：每页、每段、每条记录；可再与账本之外留存的校验点、备份、印出的页核对。"""
    from desktop.months import proofs
    from desktop.punches.verification import damaged_verdict

    kept = [proofs.checkpoint(text) for text in checkpoint or ()]
    try:
        with office(ctx) as opened, progress(ctx) as bar:
            for path in against or ():
                kept += proofs.checkpoints_of(path, opened.book.book_id, opened.project_id)
            verdict = opened.verify_ledger(bar, checkpoints=kept, pages=page or ())
    except EnvironmentFault as fault:
        # Too damaged to open is the clearest verdict of all.
        if fault.code != "book_damaged":
            raise
        verdict = damaged_verdict(fault.message, tuple(fault.facts.get("pages", ())))
    emit(
        ctx, verdict,
        lambda: (
            f"账本完好：打卡{verdict.punches}条，隔离{verdict.quarantined}条，共{verdict.segments}段。\n"
            f"{_erased(verdict.erased)}"
            f"校验点（请抄下或打印，存到别处）：{verdict.as_json()['checkpoint'] or '（尚无记录）'}"
        )
        if verdict.ok
        else "账本核对不通过：\n" + "\n".join(f"  {text}" for text in verdict.flaws),
    )
    if not verdict.ok:
        print(verdict.first_bad, file=sys.stderr)
        raise typer.Exit(1)


def _erased(records: int) -> str:
    """What may no longer be read, and is proven all the same."""
    if not records:
        return ""
    return f"其中{records}条记录的个人信息已按保存期限清除，只核对其留存的校验值。\n"

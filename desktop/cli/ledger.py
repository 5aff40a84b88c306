"""``ledger``: prove that the book is what was written."""

from __future__ import annotations

import sys

import typer

from desktop.cli.session import emit, office, progress
from desktop.errors import EnvironmentFault

app = typer.Typer(help="账本核对", no_args_is_help=True)


@app.callback()
def group() -> None:
    """账本核对。"""


@app.command()
def verify(ctx: typer.Context) -> None:
    """核对整条账本：每页、每段、每条记录。"""
    from desktop.punches.verification import damaged_verdict

    try:
        with office(ctx) as opened, progress(ctx) as bar:
            verdict = opened.verify_ledger(bar)
    except EnvironmentFault as fault:
        # Too damaged to open is the clearest verdict of all.
        if fault.code != "book_damaged":
            raise
        verdict = damaged_verdict(fault.message, tuple(fault.facts.get("pages", ())))
    emit(
        ctx, verdict,
        lambda: (
            f"账本完好：打卡{verdict.punches}条，隔离{verdict.quarantined}条，共{verdict.segments}段。\n"
            f"最后一段校验值：{verdict.head or '（尚无记录）'}"
        )
        if verdict.ok
        else "账本核对不通过：\n" + "\n".join(f"  {text}" for text in verdict.flaws),
    )
    if not verdict.ok:
        print(verdict.first_bad, file=sys.stderr)
        raise typer.Exit(1)

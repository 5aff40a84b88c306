"""``demo``: the invented site, through real emulated terminals."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from desktop.cli.session import Common, emit, progress


def demo(
    ctx: typer.Context,
    workers: Annotated[int, typer.Option("--workers", help="人数")] = 300,
    month: Annotated[str | None, typer.Option("--month", help="月份 YYYY-MM，默认上个月")] = None,
    out: Annotated[Path, typer.Option("--out", help="输出文件夹")] = Path("out"),
    window: Annotated[
        bool, typer.Option("--window/--no-window", help="有显示器时打开窗口")
    ] = True,
) -> None:
    """建一个完整的演示工地并打印当月全部表格。"""
    from desktop.clock import SystemClock
    from desktop.demo.build import build_demo

    with progress(ctx) as bar:
        built = build_demo(out, SystemClock(), month=month, workers=workers, progress=bar)
    emit(
        ctx, built,
        lambda: f"演示工地已建好：{built.people} 人，{built.punches} 条打卡，"
        f"{built.month} 已冻结第 {built.frozen.version} 版。\n"
        f"表格在 {out.absolute()}，账本在 {built.book}。",
    )
    common: Common = ctx.obj
    if window and not common.as_json and _has_display():
        # A process of its own: this one has drawn the papers on an application without a screen.
        raise typer.Exit(subprocess.call([*_program(), "--data-dir", str(built.book)]))


def _program() -> list[str]:
    """How to start this program once more, installed or frozen."""
    return [sys.executable] if getattr(sys, "frozen", False) else [sys.executable, "-m", "desktop"]


def _has_display() -> bool:
    if os.name == "nt" or sys.platform == "darwin":
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))

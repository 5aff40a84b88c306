"""``init``: a new book with one project from a settings file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from desktop.cli.session import Common, emit


def init(
    ctx: typer.Context,
    project: Annotated[Path, typer.Option("--project", help="项目设置文件 project.toml")],
    recovery_out: Annotated[
        Path | None, typer.Option("--recovery-out", help="恢复码写入的文件（请打印后删除）")
    ] = None,
) -> None:
    """新建账本和项目。"""
    from desktop.bootstrap import create_office
    from desktop.site.project_file import read_project_file

    common: Common = ctx.obj
    settings = read_project_file(project)
    office, code = create_office(
        common.data_dir, settings, passphrase=common.passphrase, recovery_out=recovery_out
    )
    try:
        result = {
            "book": office.book.book_id,
            "path": office.book.path,
            "project_id": office.project_id,
            "warnings": list(settings.warnings),
        }
        # The code is shown once: in the file that was asked for, else here.
        if recovery_out is None:
            result["recovery_code"] = code
        else:
            result["recovery_file"] = recovery_out.absolute()
    finally:
        office.close()
    where = f"恢复码：{code}" if recovery_out is None else f"恢复码写在：{recovery_out}"
    hints = "".join(f"\n提醒：{warning}" for warning in settings.warnings)
    emit(
        ctx, result,
        lambda: f"账本已建立：{common.data_dir}\n{where}\n"
        f"请打印或抄写后锁存：换电脑或丢失密钥时，只有它能打开账本。{hints}",
    )

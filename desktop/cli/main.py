"""The command line: common options, command groups, and the border where errors become words.

Exit codes (design §3): 0 done; 1 refused or failed, reason on stderr; 2 usage.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from desktop import paths
from desktop.cli import (
    attendance,
    audit,
    backup,
    board,
    book,
    calendar,
    demo,
    explain,
    key,
    ledger,
    month,
    punches,
    retention,
    rollup,
    roster,
    team,
    terminal,
    user,
)
from desktop.cli.session import Common, report_error
from desktop.errors import SiteMusterError
from desktop.log import command_log

app = typer.Typer(
    name="sitemuster",
    help="实名台：建筑工人实名制管理。不带命令时打开窗口。",
    invoke_without_command=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.command("init")(book.init)
app.command("demo")(demo.demo)
for name, group in (
    ("roster", roster), ("team", team), ("terminal", terminal), ("punches", punches),
    ("attendance", attendance),
    ("calendar", calendar), ("explain", explain), ("month", month), ("board", board),
    ("ledger", ledger), ("user", user), ("audit", audit), ("key", key), ("backup", backup),
    ("retention", retention), ("rollup", rollup), ("book", book),
):
    app.add_typer(group.app, name=name)


@app.callback()
def common_options(
    ctx: typer.Context,
    data_dir: Annotated[
        Path | None,
        typer.Option("--data-dir", envvar="SITEMUSTER_DATA_DIR", help="账本文件夹"),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="标准输出为一个 JSON 文档")] = False,
    passphrase_file: Annotated[
        Path | None, typer.Option("--passphrase-file", help="口令文件（第一行）")
    ] = None,
    user_name: Annotated[
        str | None, typer.Option("--user", help="以哪个用户的名义操作（有多个用户时必填）")
    ] = None,
    password_file: Annotated[
        Path | None, typer.Option("--password-file", help="该用户的登录密码文件（第一行）")
    ] = None,
    version: Annotated[bool, typer.Option("--version", help="显示版本号")] = False,
) -> None:
    """Options before the command."""
    if version:
        from desktop import __version__

        print(__version__)
        raise typer.Exit
    chosen = data_dir or paths.default_book_folder()
    folder = chosen.expanduser().absolute()
    ctx.obj = Common(folder, as_json, passphrase_file, user_name, password_file)
    if ctx.invoked_subcommand is None:
        from desktop.ui.app import run_window

        raise typer.Exit(run_window(data_dir, ctx.obj.passphrase))


def run(arguments: Sequence[str]) -> int:
    """Run one command line; returns the exit code. Notes of the program go to its log only."""
    with command_log(paths.log_folder()) as log_file:
        return _run(arguments, log_file)


def _run(arguments: Sequence[str], log_file: Path) -> int:
    as_json = "--json" in arguments
    try:
        typer.main.get_command(app).main(list(arguments), prog_name="sitemuster")
    except SystemExit as end:  # usage errors are printed by the parser itself, code 2
        return end.code if isinstance(end.code, int) else 0
    except SiteMusterError as error:
        report_error(error, as_json=as_json)
        return 1
    except Exception as error:
        logging.getLogger(__name__).critical("a command failed", exc_info=error)
        report_error(_internal(log_file), as_json=as_json)
        return 1
    return 0


def _internal(log_file: Path) -> SiteMusterError:
    """What the user is told of a bug: no trace, where it is noted, what to do."""
    noted = f"经过已记入日志「{log_file}」，" if log_file.is_file() else ""
    return SiteMusterError(
        "internal",
        f"程序内部出错，这一步没有完成，账本里已保存的内容不受影响。请重试；再次出现时，{noted}"
        f"请{'把它' if noted else '把所用的命令'}交给软件维护人员。",
    )

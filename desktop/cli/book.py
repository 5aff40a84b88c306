"""``init`` and the group ``book``: a new book, moving it to a server and back, other computers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from desktop.cli.session import Common, emit, office, progress, secret_from
from desktop.errors import Refused

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from desktop.storage.server_admin import Member

app = typer.Typer(help="账本：搬到服务器或搬回本机，多台电脑共用。", no_args_is_help=True)
member_app = typer.Typer(help="共用账本的电脑：邀请、列出、移除。", no_args_is_help=True)
app.add_typer(member_app, name="member")

AdminUrl = Annotated[
    str,
    typer.Option(
        "--database", help="服务器管理员的地址 postgresql://登录名@服务器:5432/数据库名（登录名要能建登录）"
    ),
]
AdminPassword = Annotated[
    Path | None, typer.Option("--database-password-file", help="该登录名的密码文件（第一行），用完不保存")
]


def _password(file: Path | None) -> str | None:
    return None if file is None else secret_from(file)


def init(
    ctx: typer.Context,
    project: Annotated[Path, typer.Option("--project", help="项目设置文件 project.toml")],
    recovery_out: Annotated[
        Path | None, typer.Option("--recovery-out", help="恢复码写入的文件（请打印后删除）")
    ] = None,
    database: Annotated[
        str | None,
        typer.Option(
            "--database",
            help="数据表建在服务器上：管理员的地址 postgresql://登录名@服务器:5432/数据库名",
        ),
    ] = None,
    database_password_file: AdminPassword = None,
) -> None:
    """新建账本和项目。"""
    from desktop.bootstrap import create_office
    from desktop.site.project_file import read_project_file

    common: Common = ctx.obj
    settings = read_project_file(project)
    office, code = create_office(
        common.data_dir, settings, passphrase=common.passphrase, recovery_out=recovery_out,
        database=database, database_password=_password(database_password_file),
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


# ── to a server and back ────────────────────────────────────────────────────────────────────────


@app.command("move")
def move(
    ctx: typer.Context,
    to: Annotated[
        str | None,
        typer.Option("--to", help="搬到服务器：管理员的地址 postgresql://登录名@服务器:5432/数据库名"),
    ] = None,
    to_file: Annotated[
        Path | None, typer.Option("--to-file", help="搬回本机：一个新的空文件夹")
    ] = None,
    database_password_file: AdminPassword = None,
) -> None:
    """把整个账本搬到服务器，或从服务器搬回本机文件；逐行核对无误才生效。"""
    if (to is None) == (to_file is None):
        raise typer.BadParameter("--to 和 --to-file 要给出其中一个")
    with office(ctx) as opened, progress(ctx) as bar:
        if to is not None:
            report = opened.move_to_server(to, _password(database_password_file), bar)
        else:
            assert to_file is not None
            report = opened.move_to_file(to_file, bar)
    hint = "其他电脑用 book member add 邀请。" if to is not None else f"今后用 --data-dir {to_file} 打开。"
    emit(
        ctx, report,
        lambda: f"账本已搬到 {report.place}：{report.tables}张表、{report.rows}行，逐行核对一致，"
        f"账本校验值与原来相同。{hint}",
    )


@app.command("upgrade")
def upgrade(
    ctx: typer.Context, database: AdminUrl, database_password_file: AdminPassword = None
) -> None:
    """升级服务器上的数据表（先做备份），或修复它的防改保护。"""
    from desktop.access.server_desk import upgrade as upgrade_tables
    from desktop.clock import SystemClock

    common: Common = ctx.obj
    with progress(ctx) as bar:
        before, after = upgrade_tables(
            common.data_dir, database, _password(database_password_file),
            passphrase=common.passphrase, clock=SystemClock(), progress=bar,
        )
    emit(
        ctx, {"before": before, "after": after},
        lambda: f"数据表已从{before}升级到{after}，备份在 backups 里。"
        if before != after else "数据表已是最新，防改保护已重新建立。",
    )


# ── other computers ─────────────────────────────────────────────────────────────────────────────


@member_app.command("add")
def member_add(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="那台电脑的登录名，小写字母、数字和下划线")],
    database: AdminUrl,
    out: Annotated[Path, typer.Option("--out", help="邀请文件写在哪里")],
    project: Annotated[
        list[str] | None, typer.Option("--project", help="可以看到的项目的代码，可重复；默认是第一个项目")
    ] = None,
    everywhere: Annotated[bool, typer.Option("--all", help="可以看到全部项目，包括以后新建的")] = False,
    database_password_file: AdminPassword = None,
) -> None:
    """邀请一台电脑：建登录名，写邀请文件，给出加入码。"""
    from desktop.access.actor import View
    from desktop.access.server_desk import add_member

    with office(ctx) as opened:
        with opened.desk.look(View.PROJECT) as session:
            projects = _project_ids(session, project or [])
        login, code = add_member(
            opened.desk, database, _password(database_password_file), name, projects, out,
            everywhere=everywhere,
        )
    emit(
        ctx, {"login": login, "invitation": out.absolute(), "join_code": code},
        lambda: f"邀请文件：{out}\n加入码：{code}\n"
        "请把文件发给那台电脑，加入码用另一种方式（电话、当面）告诉对方；用过一次即作废。",
    )


def _project_ids(session: Session, codes: list[str]) -> list[int]:
    from sqlalchemy import select

    from desktop.site.tables import Project

    known = {code: ident for ident, code in session.execute(select(Project.id, Project.code))}
    unknown = [code for code in codes if code not in known]
    if unknown:
        raise Refused(
            "unknown_project",
            f"账本里没有代码为「{unknown[0]}」的项目，未做任何改动。现有：{'、'.join(known)}。",
            project=unknown[0],
        )
    return [known[code] for code in codes]


@member_app.command("list")
def member_list(
    ctx: typer.Context, database: AdminUrl, database_password_file: AdminPassword = None
) -> None:
    """列出可以登录服务器上这个账本的电脑。"""
    from desktop.access.server_desk import members

    with office(ctx) as opened:
        found = members(opened.desk, database, _password(database_password_file))
    emit(
        ctx,
        [
            {"login": one.login, "projects": list(one.projects), "everywhere": one.everywhere}
            for one in found
        ],
        lambda: "\n".join(map(_line, found)),
    )


def _line(member: Member) -> str:
    shown = "全部项目" if member.everywhere else f"项目编号 {'、'.join(map(str, member.projects))}"
    return f"{member.login}  {shown if member.everywhere or member.projects else '没有项目'}"


@member_app.command("remove")
def member_remove(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="登录名")],
    database: AdminUrl,
    database_password_file: AdminPassword = None,
) -> None:
    """移除一台电脑的登录名，立即断开。"""
    from desktop.access.server_desk import remove_member

    with office(ctx) as opened:
        login = remove_member(opened.desk, database, _password(database_password_file), name)
    emit(
        ctx, {"login": login},
        lambda: f"登录名 {login} 已移除。那台电脑丢失或被盗时，请再换钥匙（key rekey）。",
    )


@app.command("join")
def join(
    ctx: typer.Context,
    invitation: Annotated[Path, typer.Argument(help="邀请文件")],
    code_file: Annotated[Path, typer.Option("--code-file", help="加入码文件（第一行）")],
) -> None:
    """用邀请文件和加入码，让这台电脑加入服务器上的账本。"""
    from desktop.storage.server_invite import join as join_book

    common: Common = ctx.obj
    joined = join_book(
        invitation, common.data_dir, secret_from(code_file), passphrase=common.passphrase
    )
    emit(
        ctx, {"path": joined.folder, "login": joined.login},
        lambda: f"已加入，账本文件夹：{joined.folder}。邀请文件和加入码已作废，可以删除。",
    )

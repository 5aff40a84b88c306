"""``user``: who may work with the book, in which role, with which password.

Passwords come from files only: first line, line end stripped.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from desktop.cli.session import emit, locked_office, office, secret_from
from desktop.errors import Refused

if TYPE_CHECKING:
    from desktop.access.actor import Role
    from desktop.access.matrix import MatrixRow
    from desktop.access.queries import UserRow

app = typer.Typer(help="用户：账号、角色、密码", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="用户名")]
RoleName = Annotated[
    str,
    typer.Option(
        "--role",
        help="administrator 管理员、labour_officer 劳资专管员、project_manager 项目经理、"
        "inspector 检查人员、technician 技术员，也可写中文",
    ),
]
NewPassword = Annotated[
    Path, typer.Option("--new-password-file", help="新登录密码的文件（第一行）")
]


@app.command("list")
def list_users(ctx: typer.Context) -> None:
    """列出用户。"""
    from desktop.access.actor import View
    from desktop.access.queries import users

    with office(ctx) as opened, opened.desk.look(View.USERS) as session:
        rows = users(session, opened.desk.clock)
    emit(ctx, {"users": rows}, lambda: "\n".join(map(_line, rows)))


@app.command()
def add(ctx: typer.Context, name: Name, role: RoleName, new_password_file: NewPassword) -> None:
    """添加用户。有第二个用户以后，人人都要登录。"""
    from desktop.access.users import add_user

    wanted = _role(role)
    with office(ctx) as opened:
        number = add_user(opened.desk, name, wanted, secret_from(new_password_file))
    emit(
        ctx, {"user_id": number, "name": name, "role": wanted.value},
        lambda: f"已添加用户「{name}」。以后的命令要加 --user 和 --password-file。",
    )


@app.command("role")
def change_role(ctx: typer.Context, name: Name, role: RoleName) -> None:
    """更改用户的角色。"""
    from desktop.access.matrix import ROLE_NAMES
    from desktop.access.users import set_role

    wanted = _role(role)
    with office(ctx) as opened:
        set_role(opened.desk, name, wanted)
    emit(
        ctx, {"name": name, "role": wanted.value},
        lambda: f"「{name}」的角色是{ROLE_NAMES[wanted]}。",
    )


@app.command()
def password(
    ctx: typer.Context,
    new_password_file: NewPassword,
    name: Annotated[str | None, typer.Argument(help="给谁设；不写为自己改")] = None,
) -> None:
    """给用户设登录密码（管理员），或改自己的（原密码用 --password-file 给出）。"""
    from desktop.access.users import change_own_password, set_password
    from desktop.cli.session import Common

    common: Common = ctx.obj
    new = secret_from(new_password_file)
    with office(ctx) as opened:
        whose = name or opened.desk.actor.name
        if name is not None:
            set_password(opened.desk, name, new)
        elif common.password is None:
            raise Refused(
                "password_needed",
                "改自己的密码要先给出原密码，未做任何改动。请加上 --user 和 --password-file。",
            )
        else:
            change_own_password(opened.desk, common.password, new)
    emit(ctx, {"name": whose}, lambda: f"「{whose}」的登录密码已设好。")


@app.command()
def deactivate(ctx: typer.Context, name: Name) -> None:
    """停用用户：不能再登录，以前的操作记录保留。"""
    _switch(ctx, name, active=False)


@app.command()
def activate(ctx: typer.Context, name: Name) -> None:
    """重新启用用户。"""
    _switch(ctx, name, active=True)


@app.command()
def bind(ctx: typer.Context, name: Name) -> None:
    """绑定这台电脑的当前账户：该用户在这里不用密码登录。"""
    from desktop.access.users import bind_os_account

    with office(ctx) as opened:
        account = bind_os_account(opened.desk, name)
    emit(
        ctx, {"name": name, "account": account},
        lambda: f"「{name}」在这台电脑的账户「{account}」下不用密码登录。",
    )


@app.command()
def unbind(ctx: typer.Context, name: Name) -> None:
    """解除电脑账户的绑定。"""
    from desktop.access.users import unbind_os_account

    with office(ctx) as opened:
        unbind_os_account(opened.desk, name)
    emit(ctx, {"name": name, "account": None}, lambda: f"「{name}」以后都要用密码登录。")


@app.command()
def reset(
    ctx: typer.Context,
    name: Name,
    recovery_code_file: Annotated[
        Path, typer.Option("--recovery-code-file", help="恢复码文件（第一行）")
    ],
    new_password_file: NewPassword,
) -> None:
    """忘记密码时，用打印的恢复码重设；不用登录。"""
    code, new = secret_from(recovery_code_file), secret_from(new_password_file)
    with locked_office(ctx) as opened:
        opened.reset_password(name, new, code)
    emit(ctx, {"name": name}, lambda: f"「{name}」的登录密码已重设。")


@app.command()
def matrix(ctx: typer.Context) -> None:
    """谁能看什么、做什么。"""
    from desktop.access.queries import permission_matrix

    rows = permission_matrix()
    emit(ctx, {"matrix": [_document(row) for row in rows]}, lambda: _table(rows))


def _switch(ctx: typer.Context, name: str, *, active: bool) -> None:
    from desktop.access.users import set_active

    with office(ctx) as opened:
        set_active(opened.desk, name, active)
    emit(
        ctx, {"name": name, "active": active},
        lambda: f"用户「{name}」已{'启用' if active else '停用'}。",
    )


def _role(text: str) -> Role:
    from desktop.access.actor import Role
    from desktop.access.matrix import ROLE_NAMES

    for role, name in ROLE_NAMES.items():
        if text.strip() in (role.value, name, name.partition("（")[0]):
            return role
    raise Refused(
        "unknown_role",
        f"没有角色「{text[:20]}」，未做任何改动。可用：{'、'.join(ROLE_NAMES.values())}。",
        roles=[role.value for role in Role],
    )


def _line(row: UserRow) -> str:
    state = "" if row.active else "　已停用"
    secret = "" if row.has_password else "　没有登录密码"
    account = f"　绑定账户{row.account}" if row.account else ""
    wait = f"　还要等{row.wait_s}秒" if row.wait_s else ""
    return f"{row.name}　{row.role_name}{state}{secret}{account}{wait}"


def _document(row: MatrixRow) -> dict[str, Any]:
    from desktop.access.actor import Role

    return {
        "kind": row.kind, "code": row.code, "name": row.name,
        "roles": [role.value for role in Role if role in row.roles],
    }


def _table(rows: list[MatrixRow]) -> str:
    from desktop.access.actor import Role
    from desktop.access.matrix import ROLE_NAMES

    lines = ["　".join(ROLE_NAMES[role] for role in Role)]
    for row in rows:
        marks = "　".join("√" if role in row.roles else "－" for role in Role)
        lines.append(f"{marks}　{'查看' if row.kind == 'view' else ''}{row.name}")
    return "\n".join(lines)

"""``board``: the rights board — what it says, what is missing, and its export."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from desktop.access.actor import View
from desktop.cli.session import emit, office, progress
from desktop.errors import Refused

if TYPE_CHECKING:
    from desktop.board.content import BoardContent
    from desktop.board.export import BoardExport
    from desktop.board.queries import BoardStatus

app = typer.Typer(help="维权信息告示牌：内容、输出", no_args_is_help=True)


@app.command()
def show(ctx: typer.Context) -> None:
    """告示牌现在的内容、缺少的法定项和是否需要重印。"""
    from desktop.board.content import board_content
    from desktop.board.export import missing_as_json
    from desktop.board.queries import board_status

    with office(ctx) as opened, opened.desk.look(View.BOARD) as session:
        day = opened.desk.clock.today()
        content = board_content(session, opened.project_id, day)
        status = board_status(session, opened.project_id, day)
    result = {
        "version": status.version,
        "reprint": status.reprint,
        "changed": status.changed,
        "content": content.as_json(),
        "missing": [missing_as_json(item) for item in status.missing],
    }
    emit(ctx, result, lambda: _shown(content, status))


@app.command()
def export(
    ctx: typer.Context,
    size: Annotated[str, typer.Option("--size", help="A3、A2、A1 或 1200x900（毫米）")],
    out: Annotated[Path, typer.Option("--out", help="输出文件夹")],
    draft: Annotated[bool, typer.Option("--draft", help="临时牌：缺项留空待补充")] = False,
    bleed: Annotated[bool, typer.Option("--bleed", help="另出一份带5毫米出血的 PDF")] = False,
) -> None:
    """输出告示牌：1:1 PDF，A3 另出 Word，大尺寸另出 A3 拼版。"""
    from desktop.board.export import export_board

    with office(ctx) as opened, progress(ctx) as bar:
        made = export_board(opened.desk, size, out, draft, bleed=bleed, progress=bar)
    emit(ctx, made, lambda: _exported(made))


@app.command("set")
def set_item(
    ctx: typer.Context,
    key: Annotated[str, typer.Argument(help="project.toml [board] 的项，或 pay_day")],
    value: Annotated[str, typer.Argument(help="内容；空文字表示清除")],
) -> None:
    """填写告示牌的一项。"""
    from desktop.board.edit import set_items
    from desktop.board.site_facts import set_pay_day

    with office(ctx) as opened:
        if key == "pay_day":
            text = value.strip()
            if text and not text.isdecimal():
                raise Refused("pay_day", "工资支付日期应为每月1日到31日，未做任何改动。")
            new = set_pay_day(opened.desk, int(text) if text else None)
            changed: tuple[str, ...] = ("pay_day",) if new else ()
        else:
            changed = set_items(opened.desk, {key: value})
    emit(ctx, {"changed": changed}, lambda: "已保存。" if changed else "内容没有变化。")


@app.command()
def wage(
    ctx: typer.Context,
    monthly: Annotated[str, typer.Option("--monthly", help="月标准，元")],
    hourly: Annotated[str, typer.Option("--hourly", help="小时标准，元")],
    document: Annotated[str, typer.Option("--document", help="文号")],
    since: Annotated[
        datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="施行日期 YYYY-MM-DD")
    ],
) -> None:
    """填写当地最低工资标准。"""
    from desktop.board.site_facts import set_floor_wage

    with office(ctx) as opened:
        set_floor_wage(
            opened.desk, monthly=monthly, hourly=hourly, document=document,
            effective_from=since.date(),
        )
    emit(ctx, {"changed": ("floor_wage",)}, lambda: "已保存。")


@app.command()
def company(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="单位全称")],
    contact: Annotated[str, typer.Option("--contact", help="联系人")],
    phone: Annotated[str, typer.Option("--phone", help="电话")],
    kind: Annotated[str, typer.Option("--kind", help="新单位的类型，如 劳务分包")] = "",
    credit_code: Annotated[str, typer.Option("--credit-code", help="新单位的代码")] = "",
) -> None:
    """填写参建单位的联系人和电话；给出类型和信用代码时登记新单位。"""
    from desktop.board.site_facts import add_company, set_company_contact

    with office(ctx) as opened:
        if kind or credit_code:
            add_company(opened.desk, kind, name, credit_code, contact=contact, phone=phone)
        else:
            set_company_contact(opened.desk, name, contact, phone)
    emit(ctx, {"changed": ("company",)}, lambda: "已保存。")


@app.command()
def staff(
    ctx: typer.Context,
    post: Annotated[str, typer.Argument(help="岗位，如 项目经理、劳资专管员、项目负责人")],
    name: Annotated[str, typer.Argument(help="姓名")],
    phone: Annotated[str, typer.Argument(help="电话")],
    at: Annotated[str, typer.Option("--company", help="所属参建单位全称")],
) -> None:
    """填写牌上的联系人；同单位同岗位的旧人被替换。"""
    from desktop.board.site_facts import set_staff

    with office(ctx) as opened:
        set_staff(opened.desk, post, name, phone, at)
    emit(ctx, {"changed": ("staff",)}, lambda: "已保存。")


def _shown(content: BoardContent, status: BoardStatus) -> str:
    from desktop.board.rules import ITEMS

    lines = [status.sentence, "", f"工程名称：{content.project_name}"]
    lines += [f"{u.kind_name}：{u.name}，{u.contact} {u.phone}" for u in content.printed_units]
    lines += [f"{p.post}：{p.name} {p.phone}（{p.company}）" for p in content.printed_persons]
    if content.wage is not None:
        lines.append(
            f"当地最低工资标准：每月{content.wage.monthly}元，每小时{content.wage.hourly}元，"
            f"{content.wage.document}，{content.wage.effective_from}起"
        )
    if content.pay_day is not None:
        lines.append(f"工资支付日期：每月{content.pay_day}日")
    lines += [
        f"{ITEMS[key].label if key in ITEMS else key}：{'、'.join(value.splitlines())}"
        for key, value in content.items
    ]
    if status.missing:
        lines += ["", "缺少："]
        lines += [f"  · {item.sentence}" for item in status.missing]
    return "\n".join(lines)


def _exported(made: BoardExport) -> str:
    lines = [f"{file.path}（{file.pages} 页）" for file in made.files]
    if made.missing:
        names = "、".join(item.label for item in made.missing)
        lines.append(f"临时牌，待补充{len(made.missing)}项：{names}。")
    return "\n".join(lines)

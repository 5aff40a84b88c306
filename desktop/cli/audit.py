"""``audit``: the trail of acts, shown and exported."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from desktop.cli.session import emit, office, progress
from desktop.errors import Refused

if TYPE_CHECKING:
    from desktop.access.queries import AuditQuery

app = typer.Typer(help="操作记录：谁在什么时候做了什么", no_args_is_help=True)

_DAY = ["%Y-%m-%d"]
ActName = Annotated[
    str | None, typer.Option("--act", help="只看一种操作：代码，如 month.frozen，或中文名")
]
ActorName = Annotated[str | None, typer.Option("--actor", help="只看一个操作人")]
First = Annotated[datetime | None, typer.Option("--from", formats=_DAY, help="第一天 YYYY-MM-DD")]
Last = Annotated[
    datetime | None, typer.Option("--to", formats=_DAY, help="最后一天（含）YYYY-MM-DD")
]
Words = Annotated[str, typer.Option("--text", help="含有的字词，空格隔开")]


@app.command("list")
def list_acts(
    ctx: typer.Context,
    act: ActName = None,
    actor: ActorName = None,
    first: First = None,
    last: Last = None,
    text: Words = "",
    limit: Annotated[int, typer.Option("--limit", min=1, help="最多几条")] = 50,
    offset: Annotated[int, typer.Option("--offset", min=0, help="跳过几条")] = 0,
) -> None:
    """列出操作记录，新的在前。"""
    from desktop.access.actor import View
    from desktop.access.queries import audit_count, audit_rows

    query = _query(act, actor, first, last, text)
    with office(ctx) as opened, opened.desk.look(View.AUDIT) as session:
        total = audit_count(session, opened.project_id, query)
        rows = audit_rows(session, opened.project_id, query, limit, offset)
    emit(
        ctx, {"total": total, "rows": rows},
        lambda: "\n".join([
            *(
                f"{row.local:%Y-%m-%d %H:%M}　{row.actor}　{row.act_name}　{row.subject_name}"
                + (f"　{row.why}" if row.why else "")
                for row in rows
            ),
            f"共{total}条，列出{len(rows)}条。",
        ]),
    )


@app.command()
def export(
    ctx: typer.Context,
    path: Annotated[Path, typer.Argument(help="文件，.xlsx 或 .csv")],
    act: ActName = None,
    actor: ActorName = None,
    first: First = None,
    last: Last = None,
    text: Words = "",
) -> None:
    """导出操作记录；导出本身也留痕。"""
    from desktop.access.export import export_audit

    query = _query(act, actor, first, last, text)
    with office(ctx) as opened, progress(ctx) as bar:
        count = export_audit(opened.desk, path, query, progress=bar)
    emit(
        ctx, {"rows": count, "path": path.absolute()},
        lambda: f"已导出{count}条操作记录到「{path.name}」。",
    )


def _query(
    act: str | None, actor: str | None, first: datetime | None, last: datetime | None, text: str
) -> AuditQuery:
    from desktop.access.actor import Act
    from desktop.access.matrix import ACT_NAMES
    from desktop.access.queries import AuditQuery

    chosen: Act | None = None
    if act is not None:
        chosen = next(
            (one for one, name in ACT_NAMES.items() if act.strip() in (one.value, name)), None
        )
        if chosen is None:
            raise Refused(
                "unknown_act", f"没有「{act[:30]}」这种操作。请用 user matrix 或 audit list 查看名称。"
            )
    return AuditQuery(
        chosen, actor, None if first is None else first.date(),
        None if last is None else last.date(), text,
    )

"""``roster``: people, stays and contracts from and to the spreadsheet (form F06)."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from desktop.access.actor import View
from desktop.cli.session import emit, office, progress

if TYPE_CHECKING:
    from desktop.people.queries import RosterRow
    from desktop.people.roster_import import RosterReport

app = typer.Typer(help="花名册：导入、查询、导出。", no_args_is_help=True)

_SHOWN = 50
"""Lines of a report shown to a person; ``--json`` has them all."""


@app.command("import")
def import_file(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="花名册表格（.xlsx、.xls 或 WPS）")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="只核对，不写入")] = False,
    takeover: Annotated[
        datetime | None,
        typer.Option("--takeover", formats=["%Y-%m-%d"], help="接管在建项目的日期：此前的日期按补录"),
    ] = None,
) -> None:
    """导入花名册，逐行报告。有不合格的行时其余各行照常导入。"""
    from desktop.people.roster_import import import_roster

    with office(ctx) as opened, progress(ctx) as shown:
        report = import_roster(
            opened.desk, file, dry_run=dry_run,
            takeover=None if takeover is None else takeover.date(), progress=shown,
        )
    emit(ctx, report, lambda: _told(report))


def _told(report: RosterReport) -> str:
    title = "核对（未写入）" if report.dry_run else "导入"
    lines = [
        f"{title}：共{report.rows}行，新增{report.created}，更新{report.updated}，"
        f"无变化{report.unchanged}，不合格{len(report.rejected)}。"
    ]
    for name, notes in (("不合格", report.rejected), ("提醒", report.warnings)):
        lines += [f"{name}  第{note.row}行〔{note.field}〕{note.message}" for note in notes[:_SHOWN]]
        if len(notes) > _SHOWN:
            lines.append(f"{name}还有{len(notes) - _SHOWN}条，用 --json 查看全部。")
    if report.ignored_heads:
        lines.append(f"未使用的列：{'、'.join(report.ignored_heads)}")
    if report.missing:
        lines.append(f"{len(report.missing)}人手续不全（不影响考勤和工资），须补办：")
        lines += [
            f"  {one.worker_no} {one.name}：" + "；".join(step["finding"] for step in one.missing)
            for one in report.missing[:_SHOWN]
        ]
    return "\n".join(lines)


@app.command("list")
def list_people(
    ctx: typer.Context,
    search: Annotated[str, typer.Option("--search", help="姓名、拼音、首字母、编号或班组")] = "",
    team: Annotated[str, typer.Option("--team", help="班组名称")] = "",
    state: Annotated[str, typer.Option("--state", help="状态，如 on_site、exited")] = "",
    sort: Annotated[str, typer.Option("--sort", help="排序列，如 worker_no、name、team")] = "worker_no",
) -> None:
    """列出花名册（证件号码、电话、卡号已脱敏）。"""
    from desktop.people.queries import roster_ids, roster_rows

    with office(ctx) as opened, opened.desk.look(View.PEOPLE) as session:
        query = _query(session, opened.project_id, search, team, state, sort)
        ids = roster_ids(session, opened.project_id, query, opened.book.sealer)
        rows = roster_rows(session, opened.book.sealer, ids)
    emit(ctx, [_row(row) for row in rows], lambda: "\n".join(map(_line, rows)) or "没有符合条件的人员。")


def _query(session: Any, project_id: int, search: str, team: str, state: str, sort: str) -> Any:
    from desktop.people.queries import RosterQuery
    from desktop.people.roster_search import SORTS
    from desktop.people.rules import PersonState
    from desktop.site.queries import teams

    team_id: int | None = None
    if team:
        named = [one.id for one in teams(session, project_id) if one.name == team]
        if len(named) != 1:
            raise typer.BadParameter(f"没有或不止一个班组叫「{team}」", param_hint="--team")
        team_id = named[0]
    if state and state not in set(PersonState):
        raise typer.BadParameter(f"状态只能是 {'、'.join(PersonState)}", param_hint="--state")
    if sort not in SORTS:
        raise typer.BadParameter(f"排序列只能是 {'、'.join(SORTS)}", param_hint="--sort")
    return RosterQuery(
        text=search, team_id=team_id, state=PersonState(state) if state else None, sort=sort
    )


def _row(row: RosterRow) -> dict[str, Any]:
    return {
        "worker_no": row.worker_no, "name": row.name, "sex": row.sex, "nation": row.nation,
        "id_number": row.id_number, "phone": row.phone, "bank_card": row.bank_card,
        "trade": row.trade, "is_manager": row.is_manager, "company": row.company,
        "team": row.team, "state": row.state.value, "entered_on": row.from_day,
        "left_on": row.to_day, "taken_over_on": row.taken_over_on,
        "contract_number": row.contract_number, "missing": [step.code for step in row.missing],
    }


def _line(row: RosterRow) -> str:
    left = f"  {row.to_day.isoformat()}退场" if isinstance(row.to_day, date) else ""
    return (
        f"{row.worker_no:>9}  {row.name}  {row.id_number}  {row.trade}  {row.company}  "
        f"{row.team or '—'}  {row.state_word}  {row.from_day.isoformat()}进场{left}"
    )


@app.command("export")
def export_file(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="写到哪个 .xlsx 文件")],
    reason: Annotated[
        str, typer.Option("--reason", help="导出事由（记入审计）")
    ] = "命令行导出，未写明事由",
) -> None:
    """导出完整花名册（含完整证件号码，记入审计）。"""
    from desktop.people.roster_export import export_roster

    with office(ctx) as opened, progress(ctx) as shown:
        count = export_roster(opened.desk, file, reason=reason, progress=shown)
    emit(
        ctx, {"path": file.absolute(), "rows": count},
        lambda: f"已导出{count}行：{file.absolute()}\n文件含完整证件号码，请妥善保管，用完删除。",
    )

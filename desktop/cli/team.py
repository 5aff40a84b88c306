"""``team``: the teams of the project and their dated shifts."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from desktop.access.actor import View
from desktop.cli.session import emit, office
from desktop.errors import Refused

app = typer.Typer(help="班组：列出、新增、改班次", no_args_is_help=True)

_SHIFT_WORDS = {"day": "白班", "night": "夜班"}


@app.command("list")
def list_teams(ctx: typer.Context) -> None:
    """列出班组和今天的班次。"""
    from desktop.site.queries import teams

    with office(ctx) as opened, opened.desk.look(View.PEOPLE) as session:
        found = teams(session, opened.project_id, opened.desk.clock.today())
    rows = [
        {
            "number": f"{team.number:03d}", "name": team.name, "company": team.company,
            "leader": team.leader, "shift": team.shift.value,
        }
        for team in found
    ]
    emit(
        ctx, rows,
        lambda: "\n".join(
            f"{row['number']}　{row['name']}　{row['company']}　{_SHIFT_WORDS[row['shift']]}"
            for row in rows
        ) or "还没有班组。",
    )


@app.command("add")
def add(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="班组名称")],
    company: Annotated[str, typer.Option("--company", help="用人单位（参建单位全称）")],
    leader: Annotated[str, typer.Option("--leader", help="班组长")] = "",
    shift: Annotated[str, typer.Option("--shift", help="day 白班或 night 夜班")] = "day",
) -> None:
    """新增一个班组。"""
    from desktop.site.queries import companies
    from desktop.site.tables import Shift
    from desktop.site.teams import add_team

    with office(ctx) as opened:
        with opened.desk.look(View.PROJECT) as session:
            named = {one.name: one.id for one in companies(session, opened.project_id)}
        if company not in named:
            raise Refused("unknown_company", f"参建单位里没有「{company[:40]}」，未做任何改动。请写全称。")
        team_id = add_team(
            opened.desk, name, named[company], leader=leader, shift=Shift(_checked(shift))
        )
    emit(ctx, {"team_id": team_id, "name": name}, lambda: f"已新增班组「{name}」。")


@app.command("shift")
def change_shift(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="班组名称或三位编号")],
    from_day: Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="从哪天起")],
    shift: Annotated[str, typer.Option("--shift", help="day 白班或 night 夜班")],
) -> None:
    """从某一天起改班次；以前的考勤仍按原班次计算。"""
    from desktop.site.queries import team_of
    from desktop.site.tables import Shift
    from desktop.site.teams import set_team_shift

    wanted = _checked(shift)
    day = from_day.date()
    with office(ctx) as opened:
        with opened.desk.look(View.PROJECT) as session:
            team_id = team_of(session, opened.project_id, name)
        set_team_shift(opened.desk, team_id, day, Shift(wanted))
    emit(
        ctx, {"team_id": team_id, "from": day, "shift": wanted},
        lambda: f"「{name}」自 {day} 起为{_SHIFT_WORDS[wanted]}。",
    )


@app.command("move")
def move(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="目标班组名称或三位编号")],
    worker: Annotated[int, typer.Option("--worker", help="人员编号")],
    from_day: Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="从哪天起")],
) -> None:
    """从某一天起把一名工人调到另一个班组。"""
    from desktop.people.team_move import move_to_team
    from desktop.site.queries import team_of

    day = from_day.date()
    with office(ctx) as opened:
        with opened.desk.look(View.PROJECT) as session:
            team_id = team_of(session, opened.project_id, name)
        move_to_team(opened.desk, worker, team_id, day)
    emit(
        ctx, {"worker_no": worker, "team_id": team_id, "from": day},
        lambda: f"人员编号 {worker} 自 {day} 起调到「{name}」。",
    )


def _checked(shift: str) -> str:
    if shift not in _SHIFT_WORDS:
        raise Refused("shift", f"班次只有 day（白班）和 night（夜班），没有「{shift[:10]}」，未做任何改动。")
    return shift

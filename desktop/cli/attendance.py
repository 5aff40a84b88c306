"""``attendance``: the month day by day, with the reason of every cell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from desktop.access.actor import View
from desktop.cli.session import emit, office, progress

if TYPE_CHECKING:
    from desktop.attendance.finding import Finding

app = typer.Typer(help="考勤：按日查看与说明依据", no_args_is_help=True)


@app.callback()
def group() -> None:
    """考勤：按日查看与说明依据。"""


@app.command()
def show(
    ctx: typer.Context,
    month: Annotated[str, typer.Argument(help="月份 YYYY-MM")],
    worker: Annotated[int | None, typer.Option("--worker", help="只看一人（人员编号）")] = None,
) -> None:
    """逐日考勤，每一格都有依据。"""
    from desktop.attendance.findings import month_findings
    from desktop.attendance.month import compute_month
    from desktop.attendance.queries import attendance_document

    with (
        office(ctx) as opened, progress(ctx) as bar, opened.desk.look(View.ATTENDANCE) as session
    ):
        attendance = compute_month(session, opened.project_id, month, progress=bar)
        document = attendance_document(attendance, worker)
        found = month_findings(session, attendance, opened.desk.clock.local())
    persons = {row.worker.person_id: row.worker.worker_no for row in attendance.rows}
    if worker is not None:
        found = [one for one in found if persons.get(one.person_id or 0) == worker]
    document["findings"] = found
    emit(ctx, document, lambda: _text(document, found, detailed=worker is not None))


def _text(document: dict[str, Any], found: list[Finding], *, detailed: bool) -> str:
    lines = [f"{document['month']} 施工日{document['construction_days']}天", document["rule"]]
    for row in document["rows"]:
        lines.append(
            f"{row['worker_no']} {row['name']} {row['team'] or '管理人员'} {row['trade']}"
            f" 打卡{row['punched_days']:g} 说明{row['explained_days']:g}"
            f" 确认{row['confirmed_days']:g}"
        )
        if detailed:
            lines += (
                f"  {day:>2} {cell['symbol']} {' '.join(cell['reasons'])}"
                for day, cell in row["days"].items()
            )
        else:
            lines.append("  " + " ".join(cell["symbol"] for cell in row["days"].values()))
    blocking = [one for one in found if one.blocking]
    if found:
        lines.append(f"待处理{len(found)}项，其中冻结前必须处理{len(blocking)}项：")
        lines += (f"  {'●' if one.blocking else '·'} {one.text} → {one.next_step}" for one in found)
    return "\n".join(lines)

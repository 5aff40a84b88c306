"""Command group ``backup``: make, list, verify, restore, drill, settings, export, salvage."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from desktop.cli.key import CompanyPassphrase, company_private
from desktop.cli.session import Common, emit, office, progress, secret_from
from desktop.errors import NotPermitted, Refused, SiteMusterError

if TYPE_CHECKING:
    from desktop.access.desk import Desk
    from desktop.access.restore_desk import BackupVerdict, DrillReport, RestoreReport
    from desktop.access.salvage_desk import SalvageReport
    from desktop.storage.bundle import BackupInfo

app = typer.Typer(help="备份：建立、核对、恢复、演练、抢救。", no_args_is_help=True)

Bundle = Annotated[str, typer.Argument(help="备份的名称（backup list 里的），或备份文件夹的路径")]
RecoveryFile = Annotated[
    Path | None, typer.Option("--recovery-file", help="恢复码文件（第一行）")
]
CompanyKey = Annotated[
    Path | None, typer.Option("--company-key", help="公司私钥文件 .sitemuster-key")
]

_MOST_SHOWN = 20
_ENTRANCE = frozenset({"login_needed", "login_failed", "login_held", "password_needed"})
"""Refusals of a log-in: never a reason to go on without the living book."""


def _secrets(
    ctx: typer.Context, recovery_file: Path | None, company_key: Path | None,
    company_passphrase_file: Path | None,
) -> dict[str, Any]:
    """What opens a bundle: recovery code, company key, or the passphrase before the command."""
    common: Common = ctx.obj
    if recovery_file is not None:
        return {"recovery_code": secret_from(recovery_file)}
    if company_key is not None:
        return {"company": company_private(company_key, company_passphrase_file)}
    return {"passphrase": common.passphrase}


@contextmanager
def _desk_if_open(ctx: typer.Context) -> Iterator[Desk | None]:
    """The living book's desk where it can be opened; a sentence on stderr where it cannot."""
    try:
        entered = office(ctx)
        opened = entered.__enter__()
    except SiteMusterError as error:
        if isinstance(error, NotPermitted) or error.code in _ENTRANCE:
            raise
        print(f"没有和现有账本比较，也没有记入操作记录：{error.message}", file=sys.stderr)
        yield None
        return
    try:
        yield opened.desk
    finally:
        entered.__exit__(None, None, None)


# ── making and looking ──────────────────────────────────────────────────────────────────────────


@app.command("create")
def create(ctx: typer.Context) -> None:
    """做一份备份，核对后清理过期的，并复制到第二处。"""
    from desktop.access.backup_desk import create_backup

    with office(ctx) as opened, progress(ctx) as bar:
        info = create_backup(opened.desk, progress=bar)
    emit(ctx, info, lambda: _made(info))
    if info.second_ok is False:
        print(info.second, file=sys.stderr)


def _made(info: BackupInfo) -> str:
    thinned = f"\n按7天、5周、12个月清理了{len(info.removed)}份旧备份。" if info.removed else ""
    second = f"\n{info.second}" if info.second_ok else ""
    return f"备份已做好并核对：{info.path}{thinned}{second}"


@app.command("list")
def list_(ctx: typer.Context) -> None:
    """列出备份，不打开账本。"""
    from desktop.access.backup_desk import list_backups
    from desktop.clock import CHINA
    from desktop.storage.backup import megabytes

    common: Common = ctx.obj
    found = list_backups(common.data_dir)

    def lines() -> str:
        rows = [
            f"{one.at.astimezone(CHINA):%Y-%m-%d %H:%M}  {megabytes(one.size):>8}  {one.name}"
            + (f"  （损坏：{one.trouble}）" if one.ok is False else "")
            for one in found
        ]
        return "\n".join(rows) or "还没有备份。请用 backup create 做一份。"

    emit(ctx, found, lines)


@app.command("export")
def export(
    ctx: typer.Context,
    bundle: Bundle,
    to: Annotated[Path, typer.Option("--to", help="复制到的文件夹（U盘等）")],
) -> None:
    """把一份备份完整复制到别处；那个文件夹单独就能恢复。"""
    from desktop.access.backup_desk import export_backup
    from desktop.access.restore_desk import named_backup

    with office(ctx) as opened, progress(ctx) as bar:
        found = named_backup(opened.book.path, bundle)
        place = export_backup(opened.desk, found.path, to, bar)
    emit(ctx, {"path": place}, lambda: f"备份已复制并核对：{place}")


@app.command("settings")
def settings(
    ctx: typer.Context,
    second_place: Annotated[
        Path | None, typer.Option("--second-place", help="第二处备份的文件夹（U盘、共享文件夹）")
    ] = None,
    no_second_place: Annotated[
        bool, typer.Option("--no-second-place", help="不再复制到第二处")
    ] = False,
    daily_at: Annotated[
        str | None, typer.Option("--daily-at", help="每天几点起该做备份，例如 18:00；any 表示不限")
    ] = None,
) -> None:
    """查看或修改备份设置。"""
    from dataclasses import replace

    from desktop.access.backup_desk import (
        backup_settings,
        backup_status,
        set_backup_settings,
    )
    from desktop.storage.schedule import time_of_day

    if second_place is not None and no_second_place:
        raise Refused(
            "second_place_twice", "--second-place 和 --no-second-place 只能给一个，备份设置没有改动。"
        )
    warning = None
    with office(ctx) as opened:
        now = wanted = backup_settings(opened.desk)
        if second_place is not None:
            wanted = replace(wanted, second_place=str(second_place))
        if no_second_place:
            wanted = replace(wanted, second_place=None)
        if daily_at is not None:
            wanted = replace(wanted, daily_at=None if daily_at == "any" else time_of_day(daily_at))
        if wanted != now or second_place is not None:
            warning = set_backup_settings(opened.desk, wanted)
            now = backup_settings(opened.desk)
        status = backup_status(opened.desk)
    if warning is not None:
        print(warning, file=sys.stderr)
    result = {
        **now.as_json(), "due": status.due, "second_copied_at": status.second_copied_at,
        "second": status.second, "status": status.sentence, "warning": warning,
    }
    place = now.second_place or "未设置（电脑坏了会连备份一起丢，请设一个U盘或共享文件夹）"
    at = "不限" if now.daily_at is None else f"{now.daily_at:%H:%M} 起"
    emit(
        ctx, result,
        lambda: "\n".join(
            line for line in (f"第二处：{place}", f"每天：{at}", status.sentence, status.second)
            if line
        ),
    )


# ── proving ─────────────────────────────────────────────────────────────────────────────────────


@app.command("verify")
def verify(
    ctx: typer.Context,
    bundle: Bundle,
    recovery_file: RecoveryFile = None,
    company_key: CompanyKey = None,
    company_passphrase_file: CompanyPassphrase = None,
) -> None:
    """用备份自带的钥匙打开，核对每一页、每个文件和整条账本。"""
    from desktop.access.restore_desk import named_backup, verify_backup
    from desktop.bootstrap import leaf_readers
    from desktop.clock import SystemClock

    common: Common = ctx.obj
    secrets = _secrets(ctx, recovery_file, company_key, company_passphrase_file)
    found = named_backup(common.data_dir, bundle)
    with _desk_if_open(ctx) as desk, progress(ctx) as bar:
        verdict = verify_backup(
            found.path, readers=leaf_readers, clock=SystemClock(), desk=desk, progress=bar,
            **secrets,
        )
    emit(ctx, verdict, lambda: _verdict(verdict))
    if not verdict.ok:
        print(f"备份「{verdict.name}」核对不通过，请换另一份。", file=sys.stderr)
        raise typer.Exit(1)


def _verdict(verdict: BackupVerdict) -> str:
    lines = []
    if verdict.ok and verdict.ledger is not None:
        lines.append(f"备份完好：账本{verdict.ledger.segments}段、{verdict.ledger.records}条记录全部核对通过。")
        lines.append(f"最后一段校验值：{verdict.ledger.head or '（尚无记录）'}")
    lines += [f"  {flaw}" for flaw in verdict.flaws]
    if verdict.missing:
        lines.append(f"  缺少或损坏的原始文件{len(verdict.missing)}个（账本本身不受影响）")
    if verdict.relation.kind == "older":
        lines.append(f"现有账本在这份备份之后又写了{verdict.relation.behind}段。")
    rest = [note for note in verdict.notes if note not in verdict.flaws]
    return "\n".join([*lines, *rest])


@app.command("drill")
def drill_(
    ctx: typer.Context,
    bundle: Annotated[str | None, typer.Argument(help="备份的名称或路径；不给则用最后一份")] = None,
    recovery_file: RecoveryFile = None,
    company_key: CompanyKey = None,
    company_passphrase_file: CompanyPassphrase = None,
    work: Annotated[
        Path | None, typer.Option("--work", help="演练用的临时文件夹所在位置")
    ] = None,
) -> None:
    """恢复演练：恢复到临时文件夹，打开、核对、清点，再删除临时文件夹。"""
    from desktop.access.restore_desk import drill, named_backup
    from desktop.bootstrap import leaf_readers
    from desktop.clock import SystemClock
    from desktop.storage.bundle import furthest, shelf

    common: Common = ctx.obj
    secrets = _secrets(ctx, recovery_file, company_key, company_passphrase_file)
    last = furthest(shelf(common.data_dir))
    if bundle is None and last is None:
        raise Refused("no_backup", "还没有备份可以演练，未做任何改动。请先用 backup create 做一份。")
    found = last if bundle is None else named_backup(common.data_dir, bundle)
    assert found is not None
    with _desk_if_open(ctx) as desk, progress(ctx) as bar:
        report = drill(
            found.path, readers=leaf_readers, clock=SystemClock(), work=work, desk=desk,
            progress=bar, **secrets,
        )
    emit(ctx, report, lambda: _drilled(report))
    if not report.ok:
        print(f"恢复演练不通过：{report.ledger.first_bad or '内容与清单不符'}", file=sys.stderr)
        raise typer.Exit(1)


def _drilled(report: DrillReport) -> str:
    spent = report.times
    verdict = "通过" if report.ok else "不通过"
    return (
        f"恢复演练{verdict}：「{report.name}」恢复出完整的账本，{report.rows}行，"
        f"账本{report.ledger.segments}段{'核对无误' if report.ledger.ok else '核对不通过'}。\n"
        f"用时：解锁{spent['unlock']:.1f}秒，复制{spent['copy']:.1f}秒，打开{spent['open']:.1f}秒，"
        f"核对账本{spent['ledger']:.1f}秒，共{spent['total']:.1f}秒。临时文件夹已删除。"
        + ("\n已记入操作记录。" if report.audited else "")
    )


# ── restoring and salvaging ─────────────────────────────────────────────────────────────────────


@app.command("restore")
def restore(
    ctx: typer.Context,
    bundle: Bundle,
    recovery_file: RecoveryFile = None,
    company_key: CompanyKey = None,
    company_passphrase_file: CompanyPassphrase = None,
    accept_older: Annotated[
        bool, typer.Option("--accept-older", help="明知不是最后一次的备份也恢复")
    ] = False,
    accept_flaws: Annotated[
        bool, typer.Option("--accept-flaws", help="明知备份里的账本核对不通过也恢复")
    ] = False,
) -> None:
    """把备份恢复成 --data-dir 的账本；原来的账本改名保留，不删除。"""
    from desktop.access.restore_desk import named_backup, restore_backup
    from desktop.bootstrap import leaf_readers
    from desktop.clock import SystemClock

    common: Common = ctx.obj
    secrets = _secrets(ctx, recovery_file, company_key, company_passphrase_file)
    found = named_backup(common.data_dir, bundle)
    with progress(ctx) as bar:
        report = restore_backup(
            found.path, common.data_dir, readers=leaf_readers, clock=SystemClock(),
            user=common.user, password=common.password, accept_older=accept_older,
            accept_flaws=accept_flaws, progress=bar, **secrets,
        )
    emit(ctx, report, lambda: _restored(report))


def _restored(report: RestoreReport) -> str:
    lines = [f"已恢复：{report.folder}（来自备份「{report.bundle}」）"]
    if report.ledger.ok:
        lines.append(f"账本{report.ledger.segments}段核对无误，最后一段校验值：{report.ledger.head}")
    else:
        lines.append(f"账本核对不通过：{report.ledger.first_bad}")
    if report.relation.behind:
        lines.append(f"原来的账本比备份多{report.relation.behind}段，不在恢复后的账本里。")
    if report.aside is not None:
        lines.append(f"原来的账本保存在：{report.aside}")
    if report.missing:
        lines.append(f"备份里缺少{len(report.missing)}个原始文件，账本本身不受影响。")
    if report.bind_offered:
        lines.append("这台电脑的系统密钥环打不开它。请运行 key keyring 绑定，或继续用口令、恢复码打开。")
    return "\n".join([*lines, *report.notes])


@app.command("salvage")
def salvage(
    ctx: typer.Context,
    to: Annotated[Path, typer.Option("--to", help="抢救出的账本放在哪个空文件夹")],
    recovery_file: RecoveryFile = None,
    company_key: CompanyKey = None,
    company_passphrase_file: CompanyPassphrase = None,
    without_backups: Annotated[
        bool, typer.Option("--without-backups", help="不用备份补丢失的部分")
    ] = False,
) -> None:
    """从损坏的账本里抢救还能读的，写成新账本；损坏的账本一个字节也不动。"""
    from desktop.access.salvage_desk import salvage_book
    from desktop.bootstrap import leaf_readers
    from desktop.clock import SystemClock
    from desktop.punches.reimport import reimport

    common: Common = ctx.obj
    secrets = _secrets(ctx, recovery_file, company_key, company_passphrase_file)
    with progress(ctx) as bar:
        report = salvage_book(
            common.data_dir, to, readers=leaf_readers, reimporter=reimport, clock=SystemClock(),
            use_backups=not without_backups, progress=bar, **secrets,
        )
    emit(ctx, report, lambda: _salvaged(report))


def _salvaged(report: SalvageReport) -> str:
    lines = [
        f"抢救完成：{report.folder}",
        f"数据库共{report.pages}页，损坏{len(report.bad_pages)}页。",
    ]
    for one in report.tables:
        if one.lost or one.filled or one.standins or one.refused:
            lost = "、".join(_span(span) for span in one.lost[:5])
            lines.append(
                f"  {one.shown}：读出{one.saved}行"
                + (f"，按备份补回{one.filled}行" if one.filled else "")
                + (f"，占位{one.standins}行" if one.standins else "")
                + (f"，放不进去{one.refused}行" if one.refused else "")
                + (f"，丢失行号{lost}{'等' if len(one.lost) > 5 else ''}" if one.lost else "")
            )
    filled = report.reimported
    lines.append(f"原始文件{filled['files']}个，从中补回打卡{filled['new']}条。")
    if report.whole:
        lines.append("没有丢失任何内容，账本核对通过。")
    elif report.ledger_ok:
        lines.append("账本核对通过；上面列出的其他资料有丢失。")
    else:
        lines.append(f"账本仍有{len(report.flaws)}处缺失，核对时会一直指出：")
        lines += [f"  {flaw}" for flaw in report.flaws[:_MOST_SHOWN]]
    return "\n".join([*lines, *report.notes])


def _span(span: tuple[int, int | None]) -> str:
    low, high = span
    if high is None:
        return f"{low}以后"
    return str(low) if low == high else f"{low}–{high}"

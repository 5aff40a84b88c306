"""``terminal``: the terminal book, collecting over the network, and 对号."""

from __future__ import annotations

import sys
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from desktop.access.actor import View
from desktop.cli.session import collecting_office, emit, office, progress, secret_from
from desktop.errors import Refused

if TYPE_CHECKING:
    from desktop.bootstrap import Office
    from desktop.punches.collect import PullResult
    from desktop.punches.matching import Match
    from desktop.punches.terminal_book import TerminalChange, TerminalView

app = typer.Typer(help="考勤机：登记、采集、对号", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="考勤机名称")]
_DAY = ["%Y-%m-%d"]


@app.command()
def add(
    ctx: typer.Context,
    name: Name,
    driver: Annotated[str, typer.Option("--driver", help="驱动，例如 zk")],
    address: Annotated[str, typer.Option("--address", help="IP:端口；只用U盘的留空")] = "",
    direction: Annotated[str, typer.Option("--direction", help="in 进、out 出、both 进出")] = "both",
    udp: Annotated[bool, typer.Option("--udp", help="用 UDP 通讯")] = False,
    password_file: Annotated[
        Path | None, typer.Option("--password-file", help="通讯密码文件（第一行）")
    ] = None,
    in_use_from: Annotated[
        datetime | None, typer.Option("--in-use-from", formats=_DAY, help="启用日期")
    ] = None,
) -> None:
    """登记一台考勤机；登记时不必开机。"""
    from desktop.punches.terminal_book import add_terminal

    password = None if password_file is None else secret_from(password_file)
    with office(ctx) as opened:
        change = add_terminal(
            opened.desk, name, driver=driver, address=address, direction=direction,
            transport="udp" if udp else "tcp", password=password, in_use_from=_day(in_use_from),
        )
    _changed(ctx, change, f"已登记考勤机「{change.name}」。")


@app.command("list")
def list_all(ctx: typer.Context) -> None:
    """列出所有考勤机及最近一次采集。"""
    from desktop.punches.terminal_book import list_terminals

    with office(ctx) as opened, opened.desk.look(View.TERMINALS) as session:
        views = list_terminals(session, opened.project_id)
    emit(ctx, [_listed(one) for one in views], lambda: _table(views))


@app.command()
def edit(
    ctx: typer.Context,
    name: Name,
    new_name: Annotated[str | None, typer.Option("--name", help="新名称")] = None,
    address: Annotated[str | None, typer.Option("--address", help="新地址")] = None,
    direction: Annotated[str | None, typer.Option("--direction", help="新方向")] = None,
    transport: Annotated[str | None, typer.Option("--transport", help="tcp 或 udp")] = None,
    password_file: Annotated[
        Path | None, typer.Option("--password-file", help="通讯密码文件（第一行）")
    ] = None,
    in_use_from: Annotated[
        datetime | None, typer.Option("--in-use-from", formats=_DAY, help="启用日期")
    ] = None,
    reason: Annotated[str, typer.Option("--reason", help="改变方向的原因")] = "",
) -> None:
    """修改一台考勤机的登记。"""
    from desktop.punches.terminal_book import Edit, edit_terminal

    change_to = Edit(
        name=new_name, address=address, direction=direction, transport=transport,
        password=None if password_file is None else secret_from(password_file),
        in_use_from=_day(in_use_from),
    )
    with office(ctx) as opened:
        change = edit_terminal(opened.desk, name, change_to, why=reason)
    _changed(ctx, change, f"已修改考勤机「{change.name}」。")


@app.command()
def retire(
    ctx: typer.Context,
    name: Name,
    on: Annotated[datetime, typer.Option("--on", formats=_DAY, help="最后使用日期")],
) -> None:
    """停用一台考勤机；它的打卡记录保留。"""
    from desktop.punches.terminal_book import retire_terminal

    with office(ctx) as opened:
        change = retire_terminal(opened.desk, name, on.date())
    _changed(ctx, change, f"「{change.name}」自{on:%Y-%m-%d}后停用，已有记录保留。")


@app.command()
def rebind(
    ctx: typer.Context,
    name: Name,
    reason: Annotated[str, typer.Option("--reason", help="换机原因")],
) -> None:
    """同一位置换了机器：下次采集时绑定新的序列号。"""
    from desktop.punches.terminal_book import rebind_terminal

    with office(ctx) as opened:
        change = rebind_terminal(opened.desk, name, reason)
    _changed(ctx, change, f"「{change.name}」将在下次采集时绑定新机。")


@app.command("declare-biometric")
def declare_biometric(
    ctx: typer.Context,
    name: Name,
    since: Annotated[datetime, typer.Option("--from", formats=_DAY, help="自哪天起")],
    evidence: Annotated[str, typer.Option("--evidence", help="依据")],
) -> None:
    """声明一台考勤机仅生物识别（须有依据）。"""
    from desktop.punches.terminal_book import declare_biometric_only

    with office(ctx) as opened:
        change = declare_biometric_only(opened.desk, name, since.date(), evidence)
    _changed(ctx, change, f"「{change.name}」自{since:%Y-%m-%d}起按仅生物识别计。")


@app.command()
def pull(
    ctx: typer.Context,
    names: Annotated[list[str] | None, typer.Argument(help="考勤机名称；不写则全部")] = None,
) -> None:
    """联网采集打卡记录。"""
    from desktop.punches.collect import pull as collect

    with collecting_office(ctx) as opened, progress(ctx) as bar:
        try:
            results = collect(opened.desk, names, progress=bar)
        except Refused as refusal:
            if refusal.code != "no_terminal":
                raise
            print(refusal.message, file=sys.stderr)
            results = []
    emit(ctx, results, lambda: "\n".join(_pulled(one) for one in results))
    for one in results:
        for sentence in (*one.warnings, *(() if one.error is None else (one.error.message,))):
            print(sentence, file=sys.stderr)
    if not results or not all(one.complete for one in results):
        raise typer.Exit(1)


@app.command()
def people(
    ctx: typer.Context,
    name: Name,
    held: Annotated[bool, typer.Option("--held", help="不联网，用上次读到的")] = False,
) -> None:
    """读出考勤机上的人员，与花名册对照。"""
    from desktop.punches.matching import read_people

    with office(ctx) as opened, progress(ctx) as bar:
        if not held:
            read = read_people(opened.desk, name, progress=bar)
            for sentence in read.warnings:
                print(sentence, file=sys.stderr)
        matches = _proposed(opened, name)
    _emit_matches(ctx, name, matches, 0)


@app.command()
def match(
    ctx: typer.Context,
    name: Name,
    accept_proposed: Annotated[
        bool, typer.Option("--accept-proposed", help="确认全部建议的对号")
    ] = False,
    pair: Annotated[
        list[str] | None, typer.Option("--pair", help="机上编号=人员编号，可多次")
    ] = None,
    end: Annotated[
        list[str] | None, typer.Option("--end", help="结束某个机上编号的对号，可多次；--to 为最后一天")
    ] = None,
    since: Annotated[
        datetime | None, typer.Option("--from", formats=_DAY, help="自哪天起（含）")
    ] = None,
    until: Annotated[
        datetime | None, typer.Option("--to", formats=_DAY, help="到哪天止（含）")
    ] = None,
) -> None:
    """对号：列出、确认或结束机上编号与人员的对应。"""
    from desktop.punches.matching import Standing, by_hand, confirm, end_match

    with office(ctx) as opened:
        for number in end or ():
            end_match(opened.desk, name, number, _day(until))
        chosen: list[Match] = []
        if accept_proposed:
            chosen += [
                one for one in _proposed(opened, name) if one.standing is Standing.PROPOSED
            ]
        with opened.desk.look(View.PEOPLE) as session:
            by_user = [by_hand(session, *_pair(text)) for text in pair or ()]
        paired = {one.number for one in by_user}
        chosen = [one for one in chosen if one.number not in paired] + by_user
        confirmed = 0
        if chosen:
            confirmed = confirm(
                opened.desk, name, chosen, from_day=_day(since), to_day=_day(until)
            )
        matches = _proposed(opened, name)
    _emit_matches(ctx, name, matches, confirmed)


def _proposed(opened: Office, name: str) -> list[Match]:
    from desktop.punches.matching import propose

    with opened.desk.look(View.PEOPLE) as session:
        return propose(session, opened.book.sealer, opened.project_id, name)


def _pair(text: str) -> tuple[str, int]:
    number, equals, worker_no = text.rpartition("=")
    if not equals or not number.strip() or not worker_no.strip().isascii() or (
        not worker_no.strip().isdigit()
    ):
        raise Refused(
            "pair", "--pair 应写成 机上编号=人员编号，例如 --pair 12=100034。未做任何改动。"
        )
    return number.strip(), int(worker_no)


def _emit_matches(ctx: typer.Context, name: str, matches: list[Match], confirmed: int) -> None:
    counts: dict[str, int] = {}
    for one in matches:
        counts[one.standing.value] = counts.get(one.standing.value, 0) + 1
    result = {"terminal": name, "confirmed": confirmed, "counts": counts, "numbers": matches}
    emit(ctx, result, lambda: "\n".join([_summary(counts, confirmed), *map(_matched, matches)]))


_STANDINGS = {
    "by_itself": "即人员编号", "confirmed": "已对号", "proposed": "建议", "doubtful": "待核对",
    "open": "未对应",
}


def _summary(counts: dict[str, int], confirmed: int) -> str:
    parts = "，".join(f"{word}{counts.get(code, 0)}个" for code, word in _STANDINGS.items())
    return f"本次确认{confirmed}个。{parts}。"


def _matched(one: Match) -> str:
    who = f" → {one.worker_no} {one.person_name}" if one.worker_no is not None else ""
    note = f"（{one.note}）" if one.note else ""
    return (
        f"  {one.shown}\t{one.terminal_name or '—'}\t{_STANDINGS[one.standing.value]}{who}"
        f"\t{one.punches}次打卡{note}"
    )


def _day(moment: datetime | None) -> date | None:
    return None if moment is None else moment.date()


def _changed(ctx: typer.Context, change: TerminalChange, sentence: str) -> None:
    for warning in change.warnings:
        print(warning, file=sys.stderr)
    result = {
        "terminal": change.name, "terminal_id": change.terminal_id,
        "warnings": list(change.warnings),
    }
    emit(ctx, result, lambda: sentence)


def _listed(one: TerminalView) -> dict[str, object]:
    return {
        "terminal": one.name,
        "driver": one.driver,
        "address": one.address,
        "transport": one.transport,
        "direction": one.direction,
        "serial": one.serial,
        "has_password": one.has_password,
        "biometric_only_from": one.biometric_only_from,
        "in_use_from": one.in_use_from,
        "retired_on": one.retired_on,
        "epoch": one.epoch,
        "held": one.held,
        "complete_until": one.complete_until,
        "last_contact_at": one.last_contact_at,
        "clock_offset_s": one.clock_offset_s,
        "last_error": one.last_error,
    }


def _table(views: list[TerminalView]) -> str:
    from desktop.clock import CHINA
    from desktop.punches.terminal_book import DIRECTIONS

    if not views:
        return "还没有登记考勤机。用 terminal add 名称 --driver zk --address IP:端口 登记。"
    lines = []
    for one in views:
        until = one.complete_until
        held = "未完整采集过" if until is None else f"完整采集到{until.astimezone(CHINA):%Y-%m-%d %H:%M}"
        state = f"，{one.retired_on:%Y-%m-%d}停用" if one.retired_on else ""
        failed = f"，最近一次失败（{one.last_error}）" if one.last_error else ""
        where = f"{one.address or '只用U盘'}"
        lines.append(
            f"{one.name}\t{DIRECTIONS[one.direction]}\t{one.driver}\t{where}\t{held}{state}{failed}"
        )
    return "\n".join(lines)


def _pulled(one: PullResult) -> str:
    if one.waiting:
        return f"{one.terminal}：{one.waiting}条存在本机，等待入账。"
    if not one.complete:
        return f"{one.terminal}：未完成，新增{one.new}条。"
    offset = ""
    if one.clock_offset_s is not None and abs(one.clock_offset_s) > 60:
        fast = "快" if one.clock_offset_s > 0 else "慢"
        offset = f"，机内时钟{fast}{abs(one.clock_offset_s)}秒，请校准"
    aside = f"，隔离{one.quarantined}条" if one.quarantined else ""
    return f"{one.terminal}：共{one.received}条，新增{one.new}条，已有{one.duplicate}条{aside}{offset}。"

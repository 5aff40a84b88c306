"""``rollup``: report a book to head office by file, and look at what sites reported."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from desktop.cli.session import Common, emit, office, progress, secret_from

if TYPE_CHECKING:
    from desktop.rollup.intake import ImportedRollup
    from desktop.rollup.shelf import Entry, Site
    from desktop.storage.envelope import CompanyPrivate, CompanyPublic

app = typer.Typer(help="公司汇总：向公司导出、导入查看。", no_args_is_help=True)

Folder = Annotated[Path, typer.Option("--in", "--into", help="公司放各项目汇总的文件夹")]
Private = Annotated[Path, typer.Option("--company-key", help="公司私钥文件（.sitemuster-key）")]
Secret = Annotated[
    Path | None, typer.Option("--company-passphrase-file", help="公司私钥的口令文件（第一行）")
]


@app.command()
def keys(ctx: typer.Context) -> None:
    """显示本账本的签名指纹（公司第一次导入时电话核对）。"""
    from desktop.access.actor import View
    from desktop.rollup.export import signing_key
    from desktop.storage.envelope import fingerprint

    with office(ctx) as opened, opened.desk.look(View.ROLLUP):
        public = signing_key(opened.book).public
        result = {"book_id": opened.book.book_id, "fingerprint": fingerprint(public)}
    emit(
        ctx, result,
        lambda: f"账本 {result['book_id']}\n签名指纹：{result['fingerprint']}\n公司打电话来核对时，请照此念一遍。",
    )


@app.command()
def export(
    ctx: typer.Context,
    to: Annotated[Path, typer.Option("--to", help="写到哪个文件（U盘、聊天软件均可传送）")],
    company: Annotated[Path, typer.Option("--company", help="公司公钥文件（.sitemuster-pub）")],
    with_personal: Annotated[
        bool, typer.Option("--with-personal", help="带证件号码、电话、住址、银行卡（默认不带）")
    ] = False,
    why: Annotated[str, typer.Option("--why", help="带个人资料的事由（记入操作记录）")] = "",
) -> None:
    """导出签名并加密的汇总，只有公司能打开。"""
    from desktop.bootstrap import leaf_readers
    from desktop.rollup.export import export_rollup

    public = _public(company)
    with office(ctx) as opened, progress(ctx) as bar:
        made = export_rollup(
            opened.desk, to, public, leaf_readers, with_personal=with_personal, why=why,
            progress=bar,
        )
    emit(
        ctx, made,
        lambda: f"已导出汇总：{made.path}\n"
        f"{'含' if with_personal else '不含'}证件号码、电话、住址和银行卡。"
        f"只有公司钥匙（指纹 {made.company}）能打开。\n本账本签名指纹：{made.manifest.fingerprint}",
    )


@app.command("import")
def import_file(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="项目部发来的汇总文件")],
    folder: Folder,
    company_key: Private,
    company_passphrase_file: Secret = None,
) -> None:
    """公司：导入一份汇总，核对签名、账本和衔接。"""
    from desktop.bootstrap import leaf_readers
    from desktop.clock import SystemClock
    from desktop.rollup.intake import import_rollup
    from desktop.rollup.shelf import Shelf

    private = _private(ctx, company_key, company_passphrase_file)
    with progress(ctx) as bar:
        taken = import_rollup(
            file, Shelf(folder), private, leaf_readers, SystemClock(), progress=bar
        )
    _told(ctx, taken)


@app.command("list")
def list_sites(ctx: typer.Context, folder: Folder) -> None:
    """公司：列出各项目最近一次汇总。"""
    from desktop.rollup.shelf import Shelf

    sites = Shelf(folder).sites()
    emit(ctx, [_site(one) for one in sites], lambda: "\n".join(map(_line, sites)) or "还没有导入过汇总。")


@app.command()
def show(
    ctx: typer.Context,
    site: Annotated[str, typer.Argument(help="项目编号、名称或账本编号的开头")],
    folder: Folder,
    company_key: Private,
    company_passphrase_file: Secret = None,
    month: Annotated[str, typer.Option("--month", help="再列出这个月的逐日考勤 YYYY-MM")] = "",
    verify: Annotated[bool, typer.Option("--verify", help="重新核对整条账本")] = False,
) -> None:
    """公司：查看一个项目的汇总（只读）。"""
    from desktop.clock import SystemClock
    from desktop.errors import Refused
    from desktop.rollup.intake import opened_entry
    from desktop.rollup.shelf import Shelf

    shelf = Shelf(folder)
    found, private = shelf.find(site), _private(ctx, company_key, company_passphrase_file)
    if found.current is None:
        raise Refused("no_current", "这个项目还没有可采用的汇总，只有待处理的冲突。请用「rollup conflicts」查看。")
    with opened_entry(shelf, found, found.current, private, SystemClock()) as book:
        result = _shown(book, found, month=month, verify=verify)
    emit(ctx, result, lambda: _page(found, result))
    if not result.get("ok", True):
        print(result["first_bad"], file=sys.stderr)
        raise typer.Exit(1)


@app.command()
def conflicts(ctx: typer.Context, folder: Folder) -> None:
    """公司：列出待处理的冲突。"""
    from desktop.rollup.shelf import Shelf

    found = [(site, entry) for site in Shelf(folder).sites() for entry in site.conflicts]
    emit(
        ctx,
        [{"book_id": site.book_id, "site": site.label(), **entry.as_json()} for site, entry in found],
        lambda: "\n".join(
            f"〔{site.book_id[:8]} {entry.name}〕{entry.sentence}" for site, entry in found
        ) or "没有待处理的冲突。",
    )


@app.command()
def accept(
    ctx: typer.Context,
    site: Annotated[str, typer.Argument(help="项目编号、名称或账本编号的开头")],
    name: Annotated[str, typer.Argument(help="冲突编号，如 0002")],
    folder: Folder,
    why: Annotated[str, typer.Option("--why", help="采用的理由")],
    fingerprint: Annotated[
        str, typer.Option("--fingerprint", help="电话核对过的新签名指纹（签名钥匙变了才要）")
    ] = "",
) -> None:
    """公司：查明以后采用一份有冲突的汇总，原来的一份放在一边。"""
    from desktop.clock import SystemClock
    from desktop.rollup.intake import accept_conflict
    from desktop.rollup.shelf import Shelf

    shelf = Shelf(folder)
    _told(ctx, accept_conflict(
        shelf, shelf.find(site), name, SystemClock(), why=why, fingerprint=fingerprint
    ))


def _told(ctx: typer.Context, taken: ImportedRollup) -> None:
    emit(ctx, taken, lambda: taken.sentence if taken.outcome != "conflict" else "")
    if taken.outcome == "conflict":
        print(taken.sentence, file=sys.stderr)
        raise typer.Exit(1)


def _site(site: Site) -> dict[str, Any]:
    current = site.current
    return {
        "book_id": site.book_id, "demo": site.demo,
        "current": None if current is None else current.as_json(),
        "conflicts": len(site.conflicts), "imports": len(site.entries),
    }


def _line(site: Site) -> str:
    current: Entry | None = site.current
    conflicts = f"，待处理冲突{len(site.conflicts)}份" if site.conflicts else ""
    if current is None:
        return f"{site.book_id[:8]} {site.label()}：还没有可采用的汇总{conflicts}"
    counts = "；".join(
        f"{one.name}在场{one.counts.get('on_site', 0)}人，打卡{one.counts.get('punches', 0)}条，"
        f"第{one.sequence}段" for one in current.projects
    )
    return f"{site.book_id[:8]} {counts}，{_when(current.exported_at)}导出{conflicts}"


def _when(iso: str) -> str:
    from desktop.rollup.continuity import when

    return when(iso)


def _shown(book: Any, site: Site, *, month: str, verify: bool) -> dict[str, Any]:
    from datetime import datetime

    from desktop.attendance.month import compute_month
    from desktop.attendance.queries import attendance_document
    from desktop.bootstrap import leaf_readers
    from desktop.clock import CHINA
    from desktop.punches.verification import verify_ledger
    from desktop.rollup.queries import project_pages

    assert site.current is not None
    day = datetime.fromisoformat(site.current.exported_at).astimezone(CHINA).date()
    result: dict[str, Any] = {"book_id": site.book_id, "current": site.current.as_json()}
    with book.read() as session:
        pages = project_pages(session, day)
        result["projects"] = [page.as_json() for page in pages]
        if month:
            result["attendance"] = [
                attendance_document(compute_month(session, page.project_id, month), None)
                for page in pages
            ]
    if verify:
        verdicts = [verify_ledger(book, one.project_id, leaf_readers(book)) for one in pages]
        result["ok"] = all(one.ok for one in verdicts)
        result["first_bad"] = next((one.first_bad for one in verdicts if not one.ok), None)
    result["checkpoints"] = [
        {"exported_at": entry.exported_at, "state": entry.state.value, "project": one.code,
         "checkpoint": f"{one.sequence}:{one.hash}"}
        for entry in site.entries for one in entry.projects
    ]
    return result


def _page(site: Site, result: dict[str, Any]) -> str:
    lines = [_line(site)]
    for project in result["projects"]:
        lines.append(f"{project['name']}（{project['code']}）{project['on_day']}在场：")
        lines += [
            f"  {team['company']} {team['team'] or '管理人员'} {team['people']}人"
            for team in project["teams"]
        ]
        lines += [
            f"  {one['month']} 已冻结第{one['version']}版，摘要{one['digest'][:16]}…"
            for one in project["months"]
        ]
    for document in result.get("attendance", ()):
        lines.append(f"{document['month']} {document['rule']}")
        lines += [
            f"  {row['worker_no']} {row['name']} {row['team'] or '管理人员'}"
            f" 打卡{row['punched_days']:g} 说明{row['explained_days']:g} 确认{row['confirmed_days']:g}"
            for row in document["rows"]
        ]
    lines.append("历次上报的校验点（可交项目部用 ledger verify --checkpoint 核对）：")
    lines += [f"  {_when(one['exported_at'])}  {one['checkpoint']}" for one in result["checkpoints"]]
    if "ok" in result:
        lines.append("账本核对通过。" if result["ok"] else "账本核对不通过。")
    return "\n".join(lines)


def _public(path: Path) -> CompanyPublic:
    from desktop.storage.company_keys import MOST_BYTES
    from desktop.storage.envelope import public_key

    return public_key(_bytes(path, MOST_BYTES))


def _private(ctx: typer.Context, path: Path, passphrase_file: Path | None) -> CompanyPrivate:
    """The company's key; its passphrase from its own file, else from ``--passphrase-file``."""
    from desktop.errors import Refused
    from desktop.storage.company_keys import MOST_BYTES
    from desktop.storage.envelope import private_key

    common: Common = ctx.obj
    chosen = passphrase_file or common.passphrase_file
    if chosen is None:
        raise Refused(
            "company_passphrase_needed",
            "打开公司私钥要口令，未做任何改动。请用 --company-passphrase-file 给出口令文件。",
        )
    return private_key(_bytes(path, MOST_BYTES), secret_from(chosen))


def _bytes(path: Path, most: int) -> bytes:
    from desktop.errors import Refused
    from desktop.paths import read_regular

    try:
        return read_regular(path, most)
    except OSError as error:
        raise Refused(
            "company_key_unreadable", f"读不到公司钥匙文件「{path.name}」，未做任何改动。请检查路径与权限。"
        ) from error

"""Command group ``key``: how a book is opened, a new data key after a leak, head office's key."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from desktop.cli.session import Common, emit, office, progress, secret_from
from desktop.errors import EnvironmentFault, Refused

if TYPE_CHECKING:
    from desktop.access.desk import Desk
    from desktop.access.recovery_paper import Paper
    from desktop.storage.company_keys import CompanyPrivate

app = typer.Typer(help="钥匙：恢复码、口令、密钥环、换钥、公司钥匙。", no_args_is_help=True)
company = typer.Typer(help="公司钥匙：总部凭私钥也能打开账本。", no_args_is_help=True)
app.add_typer(company, name="company")

NewPassphrase = Annotated[
    Path | None, typer.Option("--new-passphrase-file", help="新口令文件（第一行）")
]
CompanyPassphrase = Annotated[
    Path | None, typer.Option("--company-passphrase-file", help="公司私钥的口令文件（第一行）")
]


@app.command("status")
def status(ctx: typer.Context) -> None:
    """账本现在有哪些打开方式。"""
    from desktop.access.key_desk import key_status

    with office(ctx) as opened:
        found = key_status(opened.desk)
    emit(ctx, found, found.as_text)


@app.command("recover")
def recover(
    ctx: typer.Context,
    recovery_file: Annotated[
        Path | None, typer.Option("--recovery-file", help="恢复码文件（第一行）")
    ] = None,
    company_key: Annotated[
        Path | None, typer.Option("--company-key", help="公司私钥文件 .sitemuster-key")
    ] = None,
    company_passphrase_file: CompanyPassphrase = None,
    new_passphrase_file: NewPassphrase = None,
    keyring: Annotated[
        bool, typer.Option("--keyring", help="以后由这台电脑的系统密钥环打开（不设口令时默认）")
    ] = False,
) -> None:
    """用恢复码或公司私钥打开账本，并重设平常的打开方式。"""
    from desktop.access.desk import Desk
    from desktop.access.key_desk import recover_access
    from desktop.access.login import NOBODY
    from desktop.bootstrap import open_locked
    from desktop.storage.os_keyring import KeyringUnusable

    common: Common = ctx.obj
    if (recovery_file is None) == (company_key is None):
        raise Refused(
            "recovery_secret", "请给出恢复码文件（--recovery-file）或公司私钥（--company-key）中的一种，未做任何改动。"
        )
    if keyring and new_passphrase_file is not None:
        raise Refused(
            "recovery_way", "--keyring 和 --new-passphrase-file 只能给一个，未做任何改动。请选一种打开方式。"
        )
    code = None if recovery_file is None else secret_from(recovery_file)
    private = None if company_key is None else company_private(company_key, company_passphrase_file)
    new = None if new_passphrase_file is None else secret_from(new_passphrase_file)
    opened = open_locked(common.data_dir, recovery_code=code, company=private)
    try:
        desk = Desk(opened.book, opened.project_id, NOBODY)
        made = recover_access(desk, new)
        result = {
            "opened_by": opened.book.opened_by, "way": made, "book": opened.book.book_id,
            "notices": opened.book.notices,
        }
    except KeyringUnusable as fault:
        raise EnvironmentFault(
            "keyring_unusable",
            f"账本可以打开，但这台电脑的系统密钥环不可用：{fault.reason}。打开方式没有改动。"
            "请用 --new-passphrase-file 设一个新口令。",
            reason=fault.reason,
        ) from fault
    finally:
        opened.close()
    names = {"passphrase": "新口令", "keyring": "这台电脑的系统密钥环"}
    emit(ctx, result, lambda: f"账本已打开，以后用{names[made]}打开。恢复码仍然有效，请收好。")


@app.command("rotate")
def rotate(
    ctx: typer.Context,
    recovery_out: Annotated[
        Path | None, typer.Option("--recovery-out", help="新恢复码写入的文件（请打印后删除）")
    ] = None,
    recovery_sheet: Annotated[
        Path | None, typer.Option("--recovery-sheet", help="恢复码打印页（PDF）")
    ] = None,
    new_passphrase_file: NewPassphrase = None,
) -> None:
    """换恢复码（旧纸作废）和密钥环条目；给出新口令时一并更换口令。"""
    from desktop.access import key_desk
    from desktop.access.recovery_paper import Paper, handed_over
    from desktop.storage.leftovers import WAY_NAMES
    from desktop.storage.recovery_code import new_code

    new = None if new_passphrase_file is None else secret_from(new_passphrase_file)
    code = new_code()
    with office(ctx) as opened:
        desk = opened.desk
        paper = Paper(recovery_out, recovery_sheet, _project(desk))
        with handed_over(desk, code, paper, desk.book.ring.generation):
            renewed = key_desk.rotate(desk, code, new)
        result = {"renewed": renewed, **_where(code, paper)}
    emit(
        ctx, result,
        lambda: f"已更换：{'、'.join(WAY_NAMES[way] for way in renewed)}。\n{_told(code, recovery_out)}\n"
        "旧恢复码从现在起打不开账本；更换之前做的备份仍要用旧恢复码打开。",
    )


@app.command("passphrase")
def passphrase(
    ctx: typer.Context,
    new_passphrase_file: NewPassphrase = None,
    remove: Annotated[bool, typer.Option("--remove", help="取消口令（须已绑定密钥环）")] = False,
) -> None:
    """设、换或取消口令。"""
    from desktop.access import key_desk

    if remove == (new_passphrase_file is not None):
        raise Refused(
            "passphrase_how", "请用 --new-passphrase-file 给出新口令，或用 --remove 取消口令，未做任何改动。"
        )
    new = None if new_passphrase_file is None else secret_from(new_passphrase_file)
    with office(ctx) as opened:
        if new is None:
            key_desk.remove_passphrase(opened.desk)
        else:
            key_desk.change_passphrase(opened.desk, new)
    emit(ctx, {"passphrase": not remove}, lambda: "口令已取消。" if remove else "口令已更换，旧口令作废。")


@app.command("keyring")
def keyring(
    ctx: typer.Context,
    remove: Annotated[bool, typer.Option("--remove", help="取消绑定（须已设口令）")] = False,
) -> None:
    """把打开账本的钥匙存进这台电脑的系统密钥环，或取消。"""
    from desktop.access import key_desk

    with office(ctx) as opened:
        if remove:
            key_desk.unbind_from_this_computer(opened.desk)
        else:
            key_desk.bind_to_this_computer(opened.desk)
    emit(
        ctx, {"keyring": not remove},
        lambda: "已取消绑定，以后用口令打开。" if remove else "已绑定：在这台电脑上打开不用输口令。",
    )


@app.command("rekey")
def rekey(
    ctx: typer.Context,
    recovery_out: Annotated[
        Path, typer.Option("--recovery-out", help="新恢复码写入的文件（请打印后删除）")
    ],
    recovery_sheet: Annotated[
        Path | None, typer.Option("--recovery-sheet", help="恢复码打印页（PDF）")
    ] = None,
    new_passphrase_file: NewPassphrase = None,
) -> None:
    """钥匙泄露后：换掉账本的数据钥匙，整本重新加密；先做一份核验过的备份。"""
    from desktop.access import key_desk
    from desktop.access.recovery_paper import Paper, handed_over
    from desktop.storage.recovery_code import new_code
    from desktop.storage.unlock import demo_passphrase

    common: Common = ctx.obj
    given = common.passphrase if new_passphrase_file is None else secret_from(new_passphrase_file)
    code = new_code()
    with office(ctx) as opened, progress(ctx) as report:
        desk = opened.desk
        if given is None and desk.book.demo:
            given = demo_passphrase(desk.book.path)
        ways = key_desk.ways_after(desk, code, given)
        paper = Paper(recovery_out, recovery_sheet, _project(desk))
        with handed_over(desk, code, paper, desk.book.ring.generation + 1):
            done = opened.rekey(ways, report)
        result = {
            "generation": done.generation, "values": done.values, "files": done.files,
            "files_wait": done.files_wait,
            **_where(code, paper),
        }
    emit(
        ctx, result,
        lambda: f"账本已换成第{done.generation}把钥匙，重新密封了{done.values}项资料、{done.files}个文件。\n"
        f"{_told(code, recovery_out)}\n"
        "知道旧钥匙的人仍能打开换钥匙之前做的备份和复制件，请收回或销毁；旧恢复码只能打开那些备份。"
        + (f"\n部分原始文件还没有重新密封，下次打开账本时继续：{done.files_wait}" if done.files_wait else ""),
    )


@app.command("company-new")
def company_new(
    ctx: typer.Context,
    out: Annotated[Path, typer.Option("--out", help="写入两个钥匙文件的文件夹")],
    company_passphrase_file: Annotated[
        Path, typer.Option("--company-passphrase-file", help="公司私钥的口令文件（第一行，至少10个字符）")
    ],
    name: Annotated[str, typer.Option("--name", help="公司名称")] = "",
) -> None:
    """总部生成一对公司钥匙：公钥发给项目部，私钥锁存。"""
    from desktop.clock import SystemClock
    from desktop.delivery import hand_over, working_folder
    from desktop.paths import write_atomically
    from desktop.storage.company_keys import (
        PRIVATE_SUFFIX,
        PUBLIC_SUFFIX,
        new_company_keys,
        public_key,
    )

    made_on = f"{SystemClock().today():%Y-%m-%d}"
    private, public = new_company_keys(
        secret_from(company_passphrase_file), name=name, made_on=made_on
    )
    stem = "".join(sign if sign.isalnum() else "_" for sign in name) or "company"
    names = [f"{stem}{PRIVATE_SUFFIX}", f"{stem}{PUBLIC_SUFFIX}"]
    taken = [one for one in names if (out / one).exists()]
    if taken:
        raise Refused(
            "file_exists", f"「{taken[0]}」已经存在，没有生成，原文件未动。请换一个文件夹。", files=taken
        )
    with working_folder(out) as work:
        for one, content in zip(names, (private, public), strict=True):
            write_atomically(work / one, content, private=True)
        hand_over(work, out, names)
    key = public_key(public)
    result = {
        "private": out.absolute() / names[0], "public": out.absolute() / names[1],
        "name": key.name, "id": key.id, "fingerprint": key.fingerprint,
    }
    emit(
        ctx, result,
        lambda: f"公钥：{result['public']}\n私钥：{result['private']}（请锁存，不要发出去）\n"
        f"指纹：{key.fingerprint}\n项目部添加公钥时，请在电话里核对指纹。",
    )


@company.command("add")
def company_add(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="公司公钥文件 .sitemuster-pub")],
    fingerprint: Annotated[
        str | None, typer.Option("--fingerprint", help="公司在电话里报的指纹；不一致则不添加")
    ] = None,
) -> None:
    """让总部凭私钥也能打开这个账本。"""
    from desktop.access.key_desk import add_company_slot, company_json, company_public

    public = company_public(file)
    with office(ctx) as opened:
        add_company_slot(opened.desk, public, fingerprint=fingerprint)
    emit(
        ctx, company_json(public),
        lambda: f"已添加公司钥匙：{public.name or '未命名'}\n指纹：{public.fingerprint}\n请与公司电话核对指纹。",
    )


@company.command("remove")
def company_remove(ctx: typer.Context) -> None:
    """取消公司钥匙。"""
    from desktop.access.key_desk import remove_company_slot

    with office(ctx) as opened:
        remove_company_slot(opened.desk)
    emit(
        ctx, {"company": None},
        lambda: "公司钥匙已取消；取消之前做的备份和复制件，公司仍能打开。",
    )


@company.command("status")
def company_status(ctx: typer.Context) -> None:
    """账本设了哪把公司钥匙。"""
    from desktop.access.key_desk import company_json, key_status

    with office(ctx) as opened:
        public = key_status(opened.desk).company
    if public is None:
        emit(ctx, {"company": None}, lambda: "没有设公司钥匙。")
        return
    emit(
        ctx, {"company": company_json(public)},
        lambda: f"{public.name or '未命名'}（{public.made_on}）\n指纹：{public.fingerprint}",
    )


@company.command("show")
def company_show(
    ctx: typer.Context, file: Annotated[Path, typer.Argument(help="公司公钥文件 .sitemuster-pub")]
) -> None:
    """显示公钥文件的指纹，不改动任何东西。"""
    from desktop.access.key_desk import company_json, company_public

    public = company_public(file)
    emit(ctx, company_json(public), lambda: f"{public.name or '未命名'}\n指纹：{public.fingerprint}")


def company_private(file: Path, passphrase_file: Path | None) -> CompanyPrivate:
    """Head office's private key from its file. Raises :class:`Refused`, :class:`EnvironmentFault`."""
    from desktop.paths import read_regular
    from desktop.storage.company_keys import MOST_BYTES, private_key

    if passphrase_file is None:
        raise Refused(
            "company_passphrase_needed", "公司私钥要口令，未做任何改动。请用 --company-passphrase-file 给出。"
        )
    secret = secret_from(passphrase_file)
    try:
        data = read_regular(file, MOST_BYTES)
    except OSError as error:
        raise EnvironmentFault(
            "company_key_unreadable",
            f"读不到公司私钥文件「{file.name}」，未做任何改动。请检查路径与权限。",
        ) from error
    return private_key(data, secret)


def _project(desk: Desk) -> str:
    from desktop.access.actor import View
    from desktop.site.queries import project_view

    with desk.look(View.PROJECT) as session:
        return project_view(session, desk.project_id).name


def _where(code: str, paper: Paper) -> dict[str, Any]:
    """The code is shown once: in the file that was asked for, else here."""
    shown: dict[str, Any] = {}
    if paper.file is None:
        shown["recovery_code"] = code
    else:
        shown["recovery_file"] = paper.file.expanduser().absolute()
    if paper.sheet is not None:
        shown["recovery_sheet"] = paper.sheet.expanduser().absolute()
    return shown


def _told(code: str, out: Path | None) -> str:
    where = f"新恢复码：{code}" if out is None else f"新恢复码写在：{out}"
    return f"{where}\n请打印或抄写后锁存，再删除文件。"

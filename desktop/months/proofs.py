"""What was kept outside the book and is held against it: heads, manifests, printed pages.

The holder of the data key can rewrite the whole chain so that it is whole in itself. These are the
ways to find that: a head somebody wrote down, the manifest of a backup or of what head office was
sent, the code on a page that hangs on the wall.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from desktop.errors import EnvironmentFault, Refused
from desktop.months.frozen import load_frozen
from desktop.months.tables import MonthPage, MonthVersion
from desktop.paths import read_regular
from desktop.storage.chain import Checkpoint
from desktop.storage.sealed import Sealer

_CHECKPOINT = re.compile(r"(\d{1,18}):([0-9a-fA-F]{64})")
_PAGE = re.compile(r"SM1:[0-9A-F]{8}:\d{6}:\d{3}:\d{3}:\d{2}:[A-Z2-7]{32}")
_MANIFEST = "manifest.json"
_MOST = 64 << 20


def checkpoint(text: str) -> Checkpoint:
    """``SEQUENCE:HASH`` as ``ledger verify`` prints it. Raises :class:`Refused`."""
    found = _CHECKPOINT.fullmatch(text.strip())
    if not found:
        raise Refused(
            "checkpoint_malformed",
            "校验点的写法不对，没有核对。应为「段号:64位校验值」，例如 ledger verify 印出的那一行，请照原样输入。",
        )
    return Checkpoint(int(found[1]), bytes.fromhex(found[2]))


def checkpoints_of(path: Path, book_id: str, project_id: int) -> list[Checkpoint]:
    """Heads in a file that was kept: a backup (its folder or ``manifest.json``), or the ``--json``
    output of ``ledger verify``, ``rollup export`` or ``rollup show``.

    Raises :class:`Refused` when it is none of these, or of another book.
    """
    file = path / _MANIFEST if path.is_dir() else path
    try:
        data = read_regular(file, _MOST)
        body = json.loads(data.decode("utf-8"))
        if not isinstance(body, dict):
            raise ValueError("no object")
        other = body.get("book_id", book_id) != book_id
        found = list(_heads(body, project_id))
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise Refused(
            "proof_unreadable",
            f"「{file.name}」不是备份清单、汇总或核对结果（JSON），没有核对。请换一个文件。",
        ) from error
    if other:
        raise Refused("proof_other_book", f"「{file.name}」是另一个账本的，没有核对。请换成这个账本的文件。")
    if not found:
        raise Refused("proof_empty", f"「{file.name}」里没有这个项目的校验点，没有核对。请换一个文件。")
    return found


def _heads(body: dict[str, Any], project_id: int) -> list[Checkpoint]:
    found = [
        Checkpoint(int(one["sequence"]), bytes.fromhex(one["hash"]))
        for one in body.get("heads", ()) if one["project"] == project_id
    ]
    if isinstance(body.get("checkpoint"), str):  # ledger verify
        found.append(checkpoint(body["checkpoint"]))
    for one in body.get("checkpoints", ()):  # rollup show
        found.append(checkpoint(one["checkpoint"]))
    if "with_personal" in body:  # rollup export: one book, mostly one project
        found += [
            Checkpoint(one["sequence"], bytes.fromhex(one["head"])) for one in body["projects"]
            if one.get("project_id", project_id) == project_id and one["sequence"]
        ]
    return found


def printed_pages(
    codes: Sequence[str], book_id: str, sealer: Sealer
) -> Callable[[Session], list[str]]:
    """A check that each code of a printed page is that of the rows which are frozen now.

    Raises :class:`Refused` for what is no code, or of another book.
    """
    wanted = [code.strip().upper() for code in codes]
    mine = book_id.replace("-", "")[:8].upper()
    for code in wanted:
        if not _PAGE.fullmatch(code):
            raise Refused(
                "page_code_malformed", "页码标识的写法不对，没有核对。应为二维码扫出的63个字符，以 SM1: 开头，请重新扫描。"
            )
        if code.split(":")[1] != mine:
            raise Refused("page_other_book", "这一页是另一个账本印出的，没有核对。请换成印出它的账本。")

    def check(session: Session) -> list[str]:
        return [
            f"印出的页（{code.split(':', 2)[2]}）在账本里找不到或内容不同：打印以后账本被改写过，或这页是伪造的。"
            for code in wanted if not _stands(session, code, sealer)
        ]

    return check


def _stands(session: Session, code: str, sealer: Sealer) -> bool:
    """Does a page of that code exist, and do today's frozen rows still give its digest?"""
    short = code.rsplit(":", 1)[1]
    for page in session.scalars(select(MonthPage).where(MonthPage.code == code)):
        version = session.get(MonthVersion, page.month_version_id)
        if version is None:
            continue
        try:
            frozen = load_frozen(session, version, sealer)
        except (EnvironmentFault, KeyError, TypeError):  # changed beyond reading
            continue
        leaves = next((one.leaves for one in frozen.sheets if one.number == page.sheet), [])
        digest = frozen.page_digest(page.sheet, leaves[page.first - 1 : page.last])
        if base64.b32encode(digest[:20]).decode() == short:
            return True
    return False

"""Whether a roll-up continues the one before it, and the words when it does not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import select

from desktop.clock import CHINA
from desktop.errors import SiteMusterError
from desktop.punches.verification import LedgerVerdict
from desktop.rollup.imported import ImportedBook
from desktop.rollup.manifest import Manifest, ProjectHead
from desktop.rollup.shelf import Entry, Site
from desktop.storage.tables import Segment

SIGNER_CHANGED = "signer_changed"
LEDGER_BROKEN = "ledger_broken"
FORK = "fork"
OLDER = "older"

_BESIDE = "这份汇总放在一边，没有采用，原来的汇总没有改动。"


def when(iso: str) -> str:
    """A UTC instant as site time, to the minute."""
    return datetime.fromisoformat(iso).astimezone(CHINA).strftime("%Y-%m-%d %H:%M")


def signer_changed(site: Site, manifest: Manifest) -> tuple[str, str]:
    """Another key than the one trusted since the first import."""
    return SIGNER_CHANGED, (
        f"「{_names(manifest)}」{when(manifest.exported_at)}导出的汇总换了签名钥匙（新指纹 "
        f"{manifest.fingerprint}），可能是账本换过钥匙，也可能不是项目部发的。{_BESIDE}"
        "请给项目部打电话核对指纹，核对无误后用「rollup accept」采用。"
    )


def ledger_broken(
    site: Site, manifest: Manifest, project: ProjectHead, verdict: LedgerVerdict
) -> tuple[str, str]:
    """Signed, and yet the chain inside does not hold."""
    found = verdict.first_bad or "最后一段与清单写的不符。"
    return LEDGER_BROKEN, (
        f"「{project.name}」{when(manifest.exported_at)}导出的汇总签名有效，但账本核对不通过：{found}"
        f"{_BESIDE}请保存这份文件，向项目部查明。"
    )


def compared(
    before: Entry, reopen: Callable[[], ImportedBook], manifest: Manifest, book: ImportedBook
) -> tuple[str, str]:
    """Kind and sentence of the first project that does not continue; empty when all do.

    ``reopen`` opens the copy that counted until now; asked only when something does not continue.
    """
    fresh = {one.project_id: one for one in manifest.projects}
    for known in before.projects:
        now = fresh.get(known.project_id)
        if now is None:
            return FORK, (
                f"新汇总里没有了「{known.name}」，上一份里有。{_BESIDE}请向项目部查明后再决定。"
            )
        if _hash(book, known.project_id, known.sequence) == known.hash:
            continue
        parting = _parting(reopen, book, now)
        if parting is None:
            return OLDER, (
                f"「{now.name}」的这份汇总（{when(manifest.exported_at)}导出，第{now.sequence}段）比已导入的"
                f"（{when(before.exported_at)}导出，第{known.sequence}段）旧。{_BESIDE}"
                "若项目部用旧备份恢复过账本，请查明恢复后补了哪些记录，再决定是否采用。"
            )
        return FORK, (
            f"「{now.name}」的这份汇总（{when(manifest.exported_at)}导出）与已导入的（{when(before.exported_at)}"
            f"导出）在第{parting}段起分了岔：同一段的内容不同。{_BESIDE}"
            "账本可能用旧备份恢复过，或被整条重写过。请向项目部查明后再决定是否采用。"
        )
    return "", ""


def _hash(book: ImportedBook, project_id: int, sequence: int) -> str:
    """Hash of one segment, empty for the beginning, None-like ``-`` when there is none."""
    if sequence == 0:
        return ""
    with book.read() as session:
        digest = session.scalar(
            select(Segment.hash)
            .where(Segment.project_id == project_id, Segment.sequence == sequence)
        )
    return "-" if digest is None else bytes(digest).hex()


def _parting(
    reopen: Callable[[], ImportedBook], book: ImportedBook, now: ProjectHead
) -> int | None:
    """The first segment that differs, None when the older copy contains the newer one's head.

    Both chains hold, so everything before it is equal. A copy that cannot be read any more says
    nothing: then it is a fork from the first segment on.
    """
    try:
        with reopen() as held:
            ours = _hashes(held, now.project_id)
    except SiteMusterError:
        return 1
    theirs = _hashes(book, now.project_id)
    pairs = zip(ours, theirs, strict=False)
    differs = next((place for place, (left, right) in enumerate(pairs, 1) if left != right), None)
    if differs is None and len(theirs) > len(ours):
        return len(ours) + 1
    return differs


def _hashes(book: ImportedBook, project_id: int) -> list[bytes]:
    with book.read() as session:
        return list(session.scalars(
            select(Segment.hash)
            .where(Segment.project_id == project_id).order_by(Segment.sequence)
        ))


def _names(manifest: Manifest) -> str:
    return "、".join(one.name for one in manifest.projects)

"""A second place for backups: a folder on another medium, which may be away.

The place holds bundles and a store of its own, so it restores without the first. Every file copied
there is read back and its digest compared. A marker says that the folder is the one that was
chosen: a drive that is not plugged in leaves an empty mount point, and another stick is another
place. Nothing here raises for a place that is away; it says so in a sentence.
"""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from desktop.errors import EnvironmentFault, Refused
from desktop.jobs import CancelToken, Progress, silent
from desktop.paths import disk_fault, sync_folder, write_atomically
from desktop.storage import backup, backup_store
from desktop.storage.backup_store import UNFINISHED, Unfaithful
from desktop.storage.bundle import (
    MANIFEST_FILE,
    OPTIONAL_PARTS,
    PARTS,
    KeptFile,
    Manifest,
    manifest_of,
    place_of,
)
from desktop.storage.card import DATABASE_FILE

MARKER = "place.json"
HINT = "恢复说明.txt"
_HINT_TEXT = """\
这个文件夹是「实名台」账本的备份（第二处）。每个日期开头的子文件夹是一份备份，store 里是各份备份共用的原始文件。
电脑损坏或丢失时：在新电脑上安装实名台，用打印的恢复码恢复，例如
  sitemuster --data-dir 新账本文件夹 backup restore 本文件夹/某一份备份 --recovery-file 恢复码文件
请不要改动或删除这里的文件。内容已加密，没有口令、恢复码或公司钥匙打不开。
"""


@dataclass(frozen=True, slots=True)
class SecondCopy:
    """What became of the copy at the second place; ``sentence`` says it in full, with the age of
    the last success where it failed."""

    ok: bool
    sentence: str
    removed: tuple[str, ...] = ()


def folder_in(place: Path, book_id: str) -> Path:
    """The folder of one book in a second place that several books may share."""
    return place / f"sitemuster-{book_id[:8]}"


def prepare(place: Path, book: Path, book_id: str) -> str | None:
    """Make the folder of the book in ``place`` and mark it; returns a warning or None.

    Raises :class:`Refused` for a place inside the book's folder or one that belongs to another
    book, :class:`EnvironmentFault` for one that cannot be written.
    """
    real, own = Path(os.path.realpath(place)), Path(os.path.realpath(book))
    if real == own or own in real.parents:
        raise Refused(
            "second_place_in_book",
            "第二处备份不能放在账本文件夹里面：电脑坏了会一起丢。设置没有改动。请选U盘、移动硬盘或另一台电脑的共享文件夹。",
        )
    if not place.is_dir():
        raise Refused(
            "second_place_missing",
            f"找不到文件夹「{place}」，设置没有改动。请插好U盘或连上共享文件夹，选一个已有的文件夹。",
        )
    target = folder_in(place, book_id)
    try:
        target.mkdir(exist_ok=True)
        if not _marked(target, book_id):
            if (target / MARKER).exists():
                raise Refused(
                    "second_place_taken",
                    f"「{target}」里是另一个账本的备份，设置没有改动。请换一个文件夹。",
                )
            write_atomically(target / MARKER, json.dumps({"book_id": book_id}).encode("ascii"))
        write_atomically(target / HINT, _HINT_TEXT.encode("utf-8"))
        same_disk = target.stat().st_dev == book.stat().st_dev
    except OSError as error:
        raise disk_fault(error, place) from error
    if same_disk:
        return "第二处备份和账本在同一块磁盘上：磁盘损坏时会一起丢。建议换成U盘、移动硬盘或另一台电脑。"
    return None


def _marked(target: Path, book_id: str) -> bool:
    try:
        with (target / MARKER).open("rb") as source:
            return bool(json.loads(source.read(4096))["book_id"] == book_id)
    except (OSError, ValueError, KeyError, TypeError):
        return False


def is_there(place: Path, book_id: str) -> bool:
    """Whether the second place that was chosen is plugged in and reachable."""
    return _marked(folder_in(place, book_id), book_id)


def copy_there(
    bundle: Path,
    place: Path,
    now: datetime,
    last_success: datetime | None,
    progress: Progress = silent,
    cancel: CancelToken | None = None,
) -> SecondCopy:
    """Bring a bundle to the second place and thin there; only ``Cancelled`` is raised."""
    manifest = manifest_of(bundle)
    target = folder_in(place, manifest.book_id)
    if not is_there(place, manifest.book_id):
        return SecondCopy(False, absence(place, now, last_success))
    try:
        backup.clear_unfinished(target)
        copy_bundle(bundle, manifest, target, progress, cancel)
        removed = backup.thin(target, now, protect=bundle.name)
    except Unfaithful:
        return SecondCopy(
            False, f"备份复制到第二处「{place}」后核对不通过，已丢弃那份复制。{_age(now, last_success)}"
            "本机的备份完好。请检查U盘或磁盘，必要时换一个。",
        )
    except (OSError, EnvironmentFault) as error:
        fault = error if isinstance(error, EnvironmentFault) else disk_fault(error, target)
        return SecondCopy(
            False, f"备份没有复制到第二处「{place}」：{_reason(fault)}。{_age(now, last_success)}"
            "本机的备份完好。请处理后再做一次备份。",
        )
    return SecondCopy(True, f"备份已复制到第二处「{place}」并核对。", tuple(removed))


def copy_bundle(
    bundle: Path,
    manifest: Manifest,
    target: Path,
    progress: Progress = silent,
    cancel: CancelToken | None = None,
    *,
    alone: bool = False,
) -> Path:
    """Copy a bundle into the folder ``target``, every file read back; returns the new bundle.

    Kept files go into the store of ``target`` once, or with ``alone`` into the bundle itself. One
    that is there already under its name stays. Raises :class:`OSError`, ``Cancelled``.
    """
    finished = target / bundle.name
    if finished.exists():
        return finished
    beside = target / f".{bundle.name}{UNFINISHED}"
    try:
        beside.mkdir(mode=0o700)
        backup_store.copy_file(
            bundle / DATABASE_FILE, beside / DATABASE_FILE, expected=manifest.sha256,
            progress=progress, text="复制备份", cancel=cancel,
        )
        for name in (*PARTS, *OPTIONAL_PARTS):
            if (bundle / name).is_file():
                expected = manifest.parts.get(name, "")
                backup_store.copy_file(bundle / name, beside / name, expected=expected)
        backup_store.copy_file(bundle / MANIFEST_FILE, beside / MANIFEST_FILE)
        for done, kept in enumerate(manifest.files):
            progress(done, len(manifest.files), "复制原始文件")
            _copy_kept(bundle, kept, beside if alone else target, alone, cancel)
        if not alone:
            backup_store.link_into(beside, target, manifest.files)
        os.rename(beside, finished)
        sync_folder(target)
    except BaseException:
        shutil.rmtree(beside, ignore_errors=True)
        raise
    return finished


def _copy_kept(
    bundle: Path, kept: KeptFile, target: Path, alone: bool, cancel: CancelToken | None
) -> None:
    source = place_of(bundle, kept)
    if source is None:
        raise Unfaithful(kept.path)
    if alone:
        place = target / kept.path
        place.parent.mkdir(parents=True, exist_ok=True)
        backup_store.copy_file(source, place, expected=kept.sha256, cancel=cancel)
    elif not backup_store.holds(target, kept):
        backup_store.put(source, target, expected=kept.sha256, cancel=cancel)


def absence(place: Path, now: datetime, last_success: datetime | None) -> str:
    """The sentence for a second place that is away."""
    return (
        f"第二处备份「{place}」不在（U盘没有插上，或换了一个，或共享文件夹连不上）。{_age(now, last_success)}"
        "请插好后再做一次备份；换了U盘的，请重新设置第二处。"
    )


def _age(now: datetime, last_success: datetime | None) -> str:
    if last_success is None:
        return "还没有成功复制过。"
    days = backup.age_in_days(last_success, now)
    return f"上次成功是{days}天前。" if days else "上次成功是今天。"


def _reason(fault: EnvironmentFault) -> str:
    return {"disk_full": "空间已满", "read_only": "不可写"}.get(fault.code, "读写时出错")

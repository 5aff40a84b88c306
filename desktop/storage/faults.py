"""Turns what the database driver says into our words (errors.EnvironmentFault).

Only the environment's faults are translated; a broken constraint or a refused statement is a
defect of ours and passes through. Nothing of the statement's values enters a message.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlcipher3 import dbapi2 as cipher

from desktop.errors import EnvironmentFault

_DAMAGED = {cipher.SQLITE_CORRUPT, cipher.SQLITE_NOTADB}


def damaged(pages: Sequence[int]) -> EnvironmentFault:
    """The file cannot be what was written; ``pages`` are those whose seal does not hold."""
    return EnvironmentFault("book_damaged", damage_sentence(pages), pages=list(pages))


def damage_sentence(pages: Sequence[int]) -> str:
    """What is damaged, what was not changed, what to do."""
    if not pages:
        where = ""
    elif len(pages) > 5:
        where = f"（第{'、'.join(map(str, pages[:5]))}等共{len(pages)}页）"
    else:
        where = f"（第{'、'.join(map(str, pages))}页）"
    return (
        f"账本的数据库文件已损坏{where}，校验不通过，程序没有改动它。"
        "请先把整个账本文件夹复制一份留存，再从 backups 里的备份恢复。"
    )


def is_damage(error: BaseException) -> bool:
    """Whether a driver error (or its SQLAlchemy wrapper) speaks of a damaged file."""
    return _primary(error) in _DAMAGED


def is_unreadable(error: BaseException) -> bool:
    """Whether a text column holds bytes that are no text: no program of ours wrote them."""
    original = error.orig if isinstance(error, DBAPIError) else error
    return _primary(error) is None and str(original).startswith("Could not decode to UTF-8")


def _primary(error: BaseException) -> int | None:
    original = error.orig if isinstance(error, DBAPIError) else error
    code = getattr(original, "sqlite_errorcode", None)
    return None if code is None else int(code) & 0xFF


@contextmanager
def translated(
    damaged_pages: Callable[[], Sequence[int]], *, reading: bool = False
) -> Iterator[None]:
    """Raise :class:`EnvironmentFault` for the environment's faults met inside the block.

    ``damaged_pages`` is asked only when the file turns out to be damaged. A write refused on a
    connection that is for ``reading`` is a defect of ours and passes through.
    """
    try:
        yield
    except (DBAPIError, cipher.Error) as error:
        if is_unreadable(error):
            raise _unreadable() from None  # the driver's words quote the column
        fault = _fault(error, damaged_pages)
        if fault is None or (reading and fault.code == "read_only"):
            raise
        raise fault from error
    except PoolTimeout as error:
        raise busy() from error


def _fault(error: Any, damaged_pages: Callable[[], Sequence[int]]) -> EnvironmentFault | None:
    code = _primary(error)
    if code in _DAMAGED:
        return damaged(damaged_pages())
    if code == cipher.SQLITE_FULL:
        return EnvironmentFault(
            "disk_full", "磁盘空间已满，这一步没有完成，已撤销；原有数据完好。请清理磁盘后重试。"
        )
    if code == cipher.SQLITE_READONLY:
        return EnvironmentFault(
            "read_only", "账本所在的磁盘不可写（只读或没有权限），这一步没有完成；原有数据完好。请检查磁盘后重试。"
        )
    if code in (cipher.SQLITE_IOERR, cipher.SQLITE_CANTOPEN):
        return EnvironmentFault(
            "disk_error", "读写账本文件时磁盘报错，这一步没有完成，已撤销。请检查磁盘和连接后重新打开账本。"
        )
    if code in (cipher.SQLITE_BUSY, cipher.SQLITE_LOCKED):
        return busy()
    return None


def _unreadable() -> EnvironmentFault:
    return EnvironmentFault(
        "text_unreadable",
        "账本里有文字读不出来，可能被其他程序改动过；这一步没有完成。请核对账本（ledger verify），再从备份恢复。",
    )


def busy() -> EnvironmentFault:
    """Another job holds what this one needs for longer than it may."""
    return EnvironmentFault(
        "book_busy", "账本正忙（另一项任务还在写入），这一步没有执行。请等它完成后重试。"
    )

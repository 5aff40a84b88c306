"""Turns what the server or the network says into our words (errors.EnvironmentFault).

A refused statement is a defect of ours and passes through, but never with PostgreSQL's *detail*:
it quotes whole rows, and exceptions end in logs.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from desktop.errors import EnvironmentFault, Refused, SiteMusterError
from desktop.storage import faults

_GONE = {"57P01", "57P02", "57P03", "57P05", "25P03"}
"""Shut down, crashed, starting up, idle for too long."""
_FULL = {"53100", "53200"}
_BUSY = {"55P03", "40001", "40P01", "53300"}
"""Waited too long for a lock, collided, too many connections."""
_LOGIN = {"28000", "28P01"}


def server_away(place: str) -> EnvironmentFault:
    """The server cannot be reached; the step was certainly not kept."""
    return EnvironmentFault(
        "server_away",
        f"账本所在的服务器（{place}）现在连不上，这一步没有保存；账本里原有的数据完好。"
        "请检查网络和服务器，连上后再做一次。",
        server=place,
    )


def outcome_unknown(place: str, receipt: str) -> EnvironmentFault:
    """The connection broke while committing and the server has not been reached since."""
    return EnvironmentFault(
        "server_outcome_unknown",
        f"保存的那一刻与服务器（{place}）断开了，还不知道最后一步是否已经保存；其余数据完好。"
        "请等服务器恢复后重新打开账本，先看最后一步在不在，再决定是否重做。",
        server=place, receipt=receipt,
    )


def is_lost(error: BaseException) -> bool:
    """Whether a driver error (or its SQLAlchemy wrapper) means that the connection is gone."""
    original = error.orig if isinstance(error, DBAPIError) else error
    if original is None or not _of_driver(original):
        return False
    state = getattr(original, "sqlstate", None)
    if state is None and not _is_turned_away(original):
        return type(original).__name__ in ("OperationalError", "InterfaceError", "ConnectionTimeout")
    return state is not None and (state in _GONE or state[:2] == "08")


def _is_turned_away(original: Any) -> bool:
    """The server was reached and asked for the password, and then refused. There is no code for
    it while connecting, and the text is in the server's language."""
    attempt = getattr(original, "pgconn", None)
    return attempt is not None and bool(attempt.used_password)


def _of_driver(error: BaseException) -> bool:
    return type(error).__module__.startswith("psycopg")


@contextmanager
def translated(place: str, *, reading: bool = False) -> Iterator[None]:
    """Raise our words for the environment's faults met inside the block. A write refused on a
    connection that is for ``reading`` is a defect of ours and passes through."""
    try:
        yield
    except PoolTimeout as error:
        raise faults.busy() from error
    except SiteMusterError:
        raise
    except Exception as error:
        original = error.orig if isinstance(error, DBAPIError) else error
        if original is None or not _of_driver(original):
            raise
        _silence(error, original)
        fault = _fault(original, place)
        if fault is None or (reading and fault.code == "server_read_only"):
            raise
        raise fault from error


def _silence(error: Any, original: Any) -> None:
    """Keep the first line of what the server said: detail and context quote the row."""
    diagnosis = getattr(original, "diag", None)
    said = (diagnosis.message_primary if diagnosis is not None else None) or str(original)
    said = said.splitlines()[0] if said else type(original).__name__
    original.args = (said,)
    if error is not original:
        error.args = (f"({type(original).__module__}.{type(original).__name__}) {said}",)


def _fault(original: Any, place: str) -> SiteMusterError | None:
    state = getattr(original, "sqlstate", None)
    if is_lost(original):
        return server_away(place)
    if state in _LOGIN or (state is None and _is_turned_away(original)):
        return login_refused(place)
    if state in _FULL:
        return EnvironmentFault(
            "server_full",
            f"服务器（{place}）的磁盘或内存已满，这一步没有完成，已撤销；原有数据完好。请通知服务器管理员清理。",
            server=place,
        )
    if state == "25006":
        return EnvironmentFault(
            "server_read_only",
            f"服务器（{place}）现在只能读（备用机或维护中），这一步没有保存；原有数据完好。请联系服务器管理员。",
            server=place,
        )
    return faults.busy() if state in _BUSY else None


def login_refused(place: str) -> Refused:
    """The server does not let this login in."""
    return Refused(
        "server_login",
        f"服务器（{place}）拒绝了登录：密码已更换、登录名已停用，或数据库不在了。未做任何改动。"
        "请核对；成员请管理员用 book member add 重新发一份邀请。",
        server=place,
    )

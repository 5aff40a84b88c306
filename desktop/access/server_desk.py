"""A book on a server as a person handles it: moving it there and back, members, repairs.

Who may, and what the trail says; how it is done is in ``desktop.storage.move`` and
``server_admin``. An administrator's password for the server is used for the moment and kept
nowhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from desktop.access import backup_desk
from desktop.access.actor import Act, View
from desktop.access.desk import Desk
from desktop.errors import Refused, SiteMusterError
from desktop.jobs import CancelToken, Progress, silent
from desktop.storage.card import BookCard
from desktop.storage.server_address import ServerAddress

if TYPE_CHECKING:
    from desktop.storage.move import MoveReport, Prove
    from desktop.storage.server_admin import Administrator, Member

_BOOK = "book"


def move_to_server(
    desk: Desk,
    url: str,
    password: str | None,
    prove: Prove,
    progress: Progress = silent,
    cancel: CancelToken | None = None,
) -> MoveReport:
    """Move the book to a server, a verified backup first. The office goes on there.

    Raises what ``move.to_server`` raises; the book is as before then, but for the audit rows.
    """
    desk.permit(Act.BOOK_MOVED)
    from desktop.storage import move

    address, _ = ServerAddress.parse(url)
    if desk.book.dialect == "sqlite":
        backup_desk.create_backup(desk, reason="move", progress=progress, cancel=cancel)
    with _told(desk, to="server", place=address.place, database=address.database):
        return move.to_server(desk.book, url, password, prove, progress, cancel)


def move_to_file(
    desk: Desk,
    folder: Path,
    prove: Prove,
    progress: Progress = silent,
    cancel: CancelToken | None = None,
) -> MoveReport:
    """Move the book from its server into a new folder; close the office afterwards.

    Raises what ``move_back.to_file`` raises; the server is the book then.
    """
    desk.permit(Act.BOOK_MOVED)
    from desktop.storage import move_back

    with _told(desk, to="file", folder=folder.name):
        return move_back.to_file(desk.book, folder, prove, progress, cancel)


@contextmanager
def _told(desk: Desk, **facts: Any) -> Iterator[None]:
    """The act is written down before it begins, so that both sides have it, and once more when it
    was given up."""
    with desk.book.write() as session:
        desk.audit(session, Act.BOOK_MOVED, _BOOK, **facts)
    try:
        yield
    except BaseException as error:
        code = error.code if isinstance(error, SiteMusterError) else type(error).__name__
        with suppress(SiteMusterError), desk.book.write() as session:
            desk.audit(session, Act.BOOK_MOVED, _BOOK, given_up=code, **facts)
        raise


# ── members ─────────────────────────────────────────────────────────────────────────────────────


def add_member(
    desk: Desk,
    url: str,
    password: str | None,
    name: str,
    projects: Sequence[int],
    out: Path,
    *,
    everywhere: bool = False,
) -> tuple[str, str]:
    """Make a login for another computer and write its invitation to ``out``; login and join code.

    A login that exists gets a new password and further projects. ``projects`` may be left out for
    the project of the desk.
    """
    desk.permit(Act.MEMBERS_CHANGED)
    from desktop.storage import server_invite
    from desktop.storage.server_creation import member_login

    admin = _administrator(desk, url, password)
    assert desk.book.server is not None
    chosen = tuple(projects) or (() if everywhere else (desk.project_id,))
    login = admin.add_member(member_login(admin.address, name), chosen, everywhere=everywhere)
    code = server_invite.write_invitation(desk.book, login, out)
    with desk.book.write() as session:
        desk.audit(
            session, Act.MEMBERS_CHANGED, f"login:{login.address.user}", did="invited",
            projects=list(chosen), everywhere=everywhere,
        )
    return login.address.user, code


def members(desk: Desk, url: str, password: str | None) -> list[Member]:
    """All logins of the book."""
    desk.permit_view(View.SHARING)
    return _administrator(desk, url, password).members()


def remove_member(desk: Desk, url: str, password: str | None, name: str) -> str:
    """Lock a login out for good; returns it.

    What that computer knows (the data key) it keeps: after a theft renew the key as well.
    """
    desk.permit(Act.MEMBERS_CHANGED)
    from desktop.storage.server_creation import member_login

    admin = _administrator(desk, url, password)
    assert desk.book.server is not None
    login = member_login(admin.address, name)
    if login == desk.book.server.login.address.user:
        raise Refused(
            "own_login", "这是本机自己的登录名，没有移除，未做任何改动。请在另一台电脑上移除它。", login=login
        )
    admin.remove_member(login)
    with desk.book.write() as session:
        desk.audit(session, Act.MEMBERS_CHANGED, f"login:{login}", did="removed")
    return login


def _administrator(desk: Desk, url: str, password: str | None) -> Administrator:
    """The administrator of the book's own database and of no other one."""
    server = desk.book.server
    if server is None:
        raise Refused(
            "not_on_server", "这个账本在本机文件里，没有成员可管理，未做任何改动。要多台电脑共用，请先用 book move 搬到服务器。"
        )
    from desktop.storage.server_admin import Administrator
    from desktop.storage.server_connection import Login

    address, inside = ServerAddress.parse(url)
    own = server.login.address
    if (address.host, address.port, address.database) != (own.host, own.port, own.database):
        raise Refused(
            "other_server",
            f"管理员的地址不是这个账本所在的服务器（{own.place}，数据库 {own.database}），未做任何改动。请核对。",
        )
    return Administrator(Login(address, password or inside or ""))


# ── older tables ────────────────────────────────────────────────────────────────────────────────


def upgrade(
    folder: Path,
    url: str,
    password: str | None,
    *,
    passphrase: str | None,
    recovery_code: str | None = None,
    clock: Any,
    progress: Progress = silent,
) -> tuple[str, str]:
    """Bring the tables of a book that cannot be opened yet up to date (verified backup first), or
    repair their guards; returns the revisions before and after.

    Whoever may change the server's tables and opens the folder may do this: nobody can log in yet.
    """
    from desktop.storage import server_upgrade

    card = BookCard.read(folder)
    if card.server is None:
        raise Refused(
            "not_on_server", "这个账本在本机文件里，打开时会自动升级，不用这个命令。未做任何改动。"
        )
    return server_upgrade.upgrade(
        folder, card, url, password, passphrase=passphrase, recovery_code=recovery_code,
        clock=clock, progress=progress,
    )

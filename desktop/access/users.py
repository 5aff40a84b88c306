"""Users of a book: adding, roles, passwords, accounts of the computer. The administrator's desk.

A book begins without rows: its first administrator needs no more than the book's own key. He gets
a row with the first act of this module, and a password before a second person is let in. Rows are
never removed; every act is audited in its own transaction.
"""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from desktop.access import os_account as accounts
from desktop.access.actor import Act, Actor, Role
from desktop.access.desk import Desk
from desktop.access.tables import AppUser, LoginGuard
from desktop.errors import Refused

if TYPE_CHECKING:
    from desktop.access.os_account import OsAccount

FIRST_ADMINISTRATOR = Actor("管理员", Role.ADMINISTRATOR)
"""Who acts in a book without users."""

_LONGEST_NAME = 40


def login_needed(session: Session) -> bool:
    """Whether somebody besides the first administrator was ever given an account."""
    return (session.scalar(select(func.count()).select_from(AppUser)) or 0) > 1


def first_administrator(session: Session) -> Actor:
    """The one who acts where no log-in is needed."""
    row = session.scalars(select(AppUser).order_by(AppUser.id).limit(1)).first()
    return FIRST_ADMINISTRATOR if row is None else Actor(row.name, Role(row.role), row.id)


def find(session: Session, name: str) -> AppUser | None:
    """The user of that name; width and case of the letters do not matter."""
    rows = session.scalars(select(AppUser)).all()
    return next((row for row in rows if same_name(row.name, name)), None)


def same_name(one: str, other: str) -> bool:
    """Whether two user names are one: width, case and blanks do not tell them apart."""
    return _key(one) == _key(other)


def add_user(
    desk: Desk, name: str, role: Role, password: str, *, os_account: OsAccount | None = None
) -> int:
    """Let somebody in; returns the user's number.

    Raises :class:`Refused` ``user_name``, ``user_exists``, ``password_weak``,
    ``administrator_password`` (the administrator has none himself yet) or ``account_bound``.
    """
    desk.permit(Act.USER_ADDED)
    from desktop.access import password as passwords

    shown = _checked_name(name)
    stored = passwords.hashed(password, shown)
    with desk.book.write() as session:
        _ensure_first(session)
        if find(session, shown) is not None:
            raise Refused("user_exists", f"已有用户「{shown}」，未添加。请换一个用户名。")
        if not _administrators(session):
            raise Refused(
                "administrator_password",
                "管理员自己还没有登录密码，未添加用户。有两个以上用户时人人都要登录，请先给管理员设登录密码。",
            )
        if os_account is not None:
            _refuse_taken(session, os_account)
        row = AppUser(
            name=shown, role=role.value, password_hash=stored, active=True,
            os_account=None if os_account is None else os_account.stored,
        )
        session.add(row)
        session.flush()
        desk.audit(
            session, Act.USER_ADDED, f"user:{row.id}", role=role.value,
            password=passwords.fingerprint(stored), account=account_mark(row.os_account),
        )
        return row.id


def set_role(desk: Desk, name: str, role: Role) -> None:
    """Give the user another role; the last administrator keeps his."""
    desk.permit(Act.USER_ROLE_SET)
    with desk.book.write() as session:
        user = _known(session, name)
        if user.role == role.value:
            return
        if role is not Role.ADMINISTRATOR:
            _refuse_last(session, user, "改角色")
        desk.audit(
            session, Act.USER_ROLE_SET, f"user:{user.id}", role=role.value, earlier=user.role
        )
        user.role = role.value


def set_active(desk: Desk, name: str, active: bool) -> None:
    """Shut the user out, or let him in again; the last administrator cannot be shut out."""
    desk.permit(Act.USER_ACTIVATED if active else Act.USER_DEACTIVATED)
    with desk.book.write() as session:
        user = _known(session, name)
        if user.active == active:
            return
        if not active:
            _refuse_last(session, user, "停用")
        act = Act.USER_ACTIVATED if active else Act.USER_DEACTIVATED
        desk.audit(session, act, f"user:{user.id}")
        user.active = active


def set_password(desk: Desk, name: str, new: str) -> None:
    """The administrator gives a user a new password; failed log-ins are forgotten."""
    desk.permit(Act.PASSWORD_SET)
    _store_password(desk, name, new, Act.PASSWORD_SET)


def change_own_password(desk: Desk, old: str, new: str) -> None:
    """The user changes his password, knowing the present one (a wrong one counts like a failed
    log-in)."""
    desk.permit(Act.PASSWORD_CHANGED)
    from desktop.access.login import check_password

    check_password(desk, old, Act.OLD_PASSWORD_GIVEN)
    _store_password(desk, desk.actor.name, new, Act.PASSWORD_CHANGED)


def reset_password(desk: Desk, name: str, new: str, recovery_code: str) -> None:
    """Whoever holds the printed recovery code gives a user a new password.

    Raises what opening with a wrong code raises; a user who was shut out stays so.
    """
    desk.permit(Act.PASSWORD_RESET)
    from desktop.storage import unlock
    from desktop.storage.card import BookCard

    folder = desk.book.path
    try:
        unlock.data_key(
            folder, BookCard.read(folder), passphrase=None, recovery_code=recovery_code
        )
    except Refused as refusal:
        with desk.book.write() as session:
            desk.audit(
                session, Act.LOGIN_FAILED, "user:0", asked=Act.PASSWORD_RESET.value,
                code=refusal.code,
            )
        raise
    _store_password(desk, name, new, Act.PASSWORD_RESET)


def bind_os_account(desk: Desk, name: str, account: OsAccount | None = None) -> str:
    """The user is let in without password where this computer's account is ``account`` (the
    present one by default); returns the account's name."""
    desk.permit(Act.ACCOUNT_BOUND)
    wanted = account or accounts.current()
    if wanted is None:
        raise Refused(
            "account_unknown", "问不到这台电脑的账户，没有绑定。请改用登录密码登录。"
        )
    with desk.book.write() as session:
        user = _known(session, name)
        _refuse_taken(session, wanted, user.id)
        mark = account_mark(wanted.stored)
        desk.audit(session, Act.ACCOUNT_BOUND, f"user:{user.id}", account=mark)
        user.os_account = wanted.stored
    return wanted.name


def unbind_os_account(desk: Desk, name: str) -> None:
    """From now on the user needs his password on every computer."""
    desk.permit(Act.ACCOUNT_UNBOUND)
    with desk.book.write() as session:
        user = _known(session, name)
        if user.os_account is None:
            return
        desk.audit(session, Act.ACCOUNT_UNBOUND, f"user:{user.id}")
        user.os_account = None


def _store_password(desk: Desk, name: str, new: str, act: Act) -> None:
    """The common end of all ways to a new password; ``act`` was permitted by the caller."""
    desk.permit(act)
    from desktop.access import password as passwords

    with desk.book.read() as session:
        before = find(session, name)
    shown = before.name if before else name
    stored = passwords.hashed(new, shown)
    with desk.book.write() as session:
        user = _known(session, name)
        if not user.active:
            raise Refused(
                "user_inactive", f"用户「{user.name}」已停用，密码没有改。请管理员先启用。"
            )
        desk.audit(
            session, act, f"user:{user.id}", password=passwords.fingerprint(stored)
        )
        user.password_hash = stored
        guard = session.get(LoginGuard, user.id)
        if guard is not None:
            session.delete(guard)


def _known(session: Session, name: str) -> AppUser:
    _ensure_first(session)
    user = find(session, name)
    if user is None:
        raise Refused("unknown_user", f"没有用户「{name[:_LONGEST_NAME]}」，未做任何改动。请核对用户名。")
    return user


def _ensure_first(session: Session) -> None:
    """The row of the first administrator, with the first act that concerns users."""
    if session.scalars(select(AppUser.id).limit(1)).first() is None:
        session.add(AppUser(
            name=FIRST_ADMINISTRATOR.name, role=FIRST_ADMINISTRATOR.role.value,
            password_hash=None, os_account=None, active=True,
        ))
        session.flush()


def _administrators(session: Session) -> set[int]:
    """Who could still administrate the book: active, and able to log in."""
    return set(session.scalars(
        select(AppUser.id).where(
            AppUser.role == Role.ADMINISTRATOR.value, AppUser.active.is_(True),
            AppUser.password_hash.is_not(None),
        )
    ))


def _refuse_last(session: Session, user: AppUser, doing: str) -> None:
    if user.role == Role.ADMINISTRATOR.value and not _administrators(session) - {user.id}:
        raise Refused(
            "last_administrator",
            f"「{user.name}」是最后一个能登录的管理员，不能{doing}，未做任何改动。请先让另一个用户当管理员。",
        )


def _refuse_taken(session: Session, account: OsAccount, user_id: int = 0) -> None:
    for row in session.scalars(select(AppUser).where(AppUser.os_account.is_not(None))):
        if row.id != user_id and accounts.identity(row.os_account or "") == account.identity:
            raise Refused(
                "account_bound",
                f"这台电脑的账户「{account.name}」已绑定用户「{row.name}」，未做任何改动。请先解除那个绑定。",
            )


def _checked_name(name: str) -> str:
    shown = " ".join(unicodedata.normalize("NFKC", name).split())
    if not shown or len(shown) > _LONGEST_NAME or not shown.isprintable():
        raise Refused(
            "user_name",
            f"用户名应为1到{_LONGEST_NAME}个可见的字，未添加。请用本人姓名，或姓名加岗位。",
        )
    return shown


def _key(name: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", name).split()).casefold()


def account_mark(stored: str | None) -> str:
    """What the audit trail keeps of an account: enough to tell two apart, not whose it is."""
    if stored is None:
        return ""
    import hashlib

    return hashlib.sha256(stored.encode()).hexdigest()[:16]

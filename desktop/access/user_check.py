"""Holds the users table against the audit trail: what was written beside us shows.

The table is not a ledger (roles and passwords change), its history is: every change is an act in
the chain. Whoever made himself administrator, or exchanged a password hash, with another program
and the data key has no act to show for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from desktop.access.actor import Act, Role
from desktop.access.password import fingerprint
from desktop.access.tables import AppUser, AuditAct
from desktop.access.users import FIRST_ADMINISTRATOR, account_mark
from desktop.errors import Refused

_FLAW = "用户表里「{name}」的{what}与操作记录不符：被其他程序改动过。"


@dataclass(slots=True)
class _Told:
    """A user as the trail tells it."""

    role: str
    active: bool
    password: str
    account: str


def flaws(session: Session) -> list[str]:
    """One sentence for each user who is not what the trail made of him.

    Acts on users stand in the chain of the project they were done in: a login of a server that
    sees only some projects cannot tell, and says nothing.
    """
    if not _sees_the_whole_trail(session):
        return []
    told = _from_the_trail(session)
    found = []
    known = set()
    for row in session.scalars(select(AppUser).order_by(AppUser.id)):
        known.add(row.id)
        expected = told.get(row.id)
        if expected is None and row.id == _first(session):
            expected = _Told(FIRST_ADMINISTRATOR.role.value, True, "", "")
        if expected is None:
            found.append(_FLAW.format(name=row.name, what="来历"))
            continue
        found += (_FLAW.format(name=row.name, what=what) for what in _differing(row, expected))
    if lost := set(told) - known:
        found.append(f"用户表里少了{len(lost)}个用户：被其他程序删除。")
    return found


def _sees_the_whole_trail(session: Session) -> bool:
    if session.get_bind().dialect.name != "postgresql":
        return True
    from desktop.storage.server_keys import refuse_unless_whole

    try:
        refuse_unless_whole(session)
    except Refused:
        return False
    return True


def _differing(row: AppUser, told: _Told) -> Iterator[str]:
    if row.role != told.role:
        yield "角色"
    if bool(row.active) != told.active:
        yield "启用状态"
    if fingerprint(row.password_hash) != told.password:
        yield "登录密码"
    if account_mark(row.os_account) != told.account:
        yield "电脑账户绑定"


def _first(session: Session) -> int | None:
    return session.scalars(select(AppUser.id).order_by(AppUser.id).limit(1)).first()


def _from_the_trail(session: Session) -> dict[int, _Told]:
    """Every user by number, after all acts in the order they were done."""
    acts = [act.value for act in _STEPS] + [Act.USER_ADDED.value]
    told: dict[int, _Told] = {}
    for act, subject, facts in session.execute(
        select(AuditAct.act, AuditAct.subject, AuditAct.facts)
        .where(AuditAct.act.in_(acts), AuditAct.subject.like("user:%"))
        .order_by(AuditAct.id)
    ):
        number = subject.removeprefix("user:")
        if not number.isdecimal() or not isinstance(facts, dict):
            continue
        _take(told, act, int(number), facts)
    return told


def _take(told: dict[int, _Told], act: str, number: int, facts: dict[str, Any]) -> None:
    if act == Act.USER_ADDED.value:
        told[number] = _Told(
            str(facts.get("role")), True, str(facts.get("password", "")),
            str(facts.get("account", "")),
        )
        return
    if act == Act.LOGGED_IN.value and number not in told:
        return
    user = told.setdefault(number, _Told(Role.ADMINISTRATOR.value, True, "", ""))
    if act == Act.USER_ROLE_SET.value:
        user.role = str(facts.get("role"))
    elif act in (Act.USER_ACTIVATED.value, Act.USER_DEACTIVATED.value):
        user.active = act == Act.USER_ACTIVATED.value
    elif act in (Act.ACCOUNT_BOUND.value, Act.ACCOUNT_UNBOUND.value):
        user.account = str(facts.get("account", ""))
    elif "password" in facts:
        user.password = str(facts["password"])


_STEPS = (
    Act.USER_ROLE_SET, Act.USER_ACTIVATED, Act.USER_DEACTIVATED, Act.ACCOUNT_BOUND,
    Act.ACCOUNT_UNBOUND, Act.PASSWORD_SET, Act.PASSWORD_CHANGED, Act.PASSWORD_RESET,
    Act.LOGGED_IN, Act.SCREEN_UNLOCKED, Act.OLD_PASSWORD_GIVEN,
)
"""Acts that say what a user became; log-ins because an old hash may be renewed at one."""

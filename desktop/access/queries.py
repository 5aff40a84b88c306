"""Reads of users and of the audit trail, for pages and commands. Ask for the view first.

Names of people never stand in the trail; a subject is told by its kind and number, a user by name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, cast, func, literal, or_, select, type_coerce
from sqlalchemy.orm import Session
from sqlalchemy.types import Text

from desktop.access import os_account
from desktop.access.actor import Act, Role
from desktop.access.matrix import ACT_NAMES, ROLE_NAMES, MatrixRow, permission_matrix
from desktop.access.tables import AppUser, AuditAct, LoginGuard
from desktop.access.users import FIRST_ADMINISTRATOR
from desktop.clock import CHINA
from desktop.storage.tables import Segment

if TYPE_CHECKING:
    from desktop.clock import Clock

__all__ = [
    "AuditQuery", "AuditRow", "MatrixRow", "UserRow", "audit_actors", "audit_count", "audit_rows",
    "permission_matrix", "users",
]


@dataclass(frozen=True, slots=True)
class UserRow:
    """One user as lists show him. ``id`` 0: the first administrator before he has a row.

    ``wait_s`` is what is left of the wait after failed log-ins, when a clock was given.
    """

    id: int
    name: str
    role: Role
    active: bool
    has_password: bool
    account: str
    last_login_at: datetime | None
    failures: int = 0
    wait_s: int = 0

    @property
    def role_name(self) -> str:
        return ROLE_NAMES[self.role]

    def as_json(self) -> dict[str, Any]:
        """An entry of ``user list``."""
        return {
            "user_id": self.id, "name": self.name, "role": self.role.value,
            "role_name": self.role_name, "active": self.active,
            "has_password": self.has_password, "account": self.account or None,
            "last_login_at": self.last_login_at, "failures": self.failures, "wait_s": self.wait_s,
        }


def users(session: Session, clock: Clock | None = None) -> list[UserRow]:
    """All users in the order they were added; never empty."""
    from desktop.access.login import wait_left

    rows = session.scalars(select(AppUser).order_by(AppUser.id)).all()
    if not rows:
        first = FIRST_ADMINISTRATOR
        return [UserRow(0, first.name, first.role, True, False, "", None)]
    seen: dict[str, datetime] = {
        subject: at for subject, at in session.execute(
            select(AuditAct.subject, func.max(AuditAct.at))
            .where(AuditAct.act == Act.LOGGED_IN.value)
            .group_by(AuditAct.subject)
        )
    }
    failures = {guard.user_id: guard.failures for guard in session.scalars(select(LoginGuard))}
    return [
        UserRow(
            row.id, row.name, Role(row.role), row.active, row.password_hash is not None,
            "" if row.os_account is None else os_account.named(row.os_account),
            seen.get(f"user:{row.id}"), failures.get(row.id, 0),
            0 if clock is None else wait_left(session, clock, row.id),
        )
        for row in rows
    ]


@dataclass(frozen=True, slots=True)
class AuditQuery:
    """What to show of the trail: an act, an actor's name, days on site (both included), and words
    that must stand somewhere in the row."""

    act: Act | None = None
    actor: str | None = None
    first: date | None = None
    last: date | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One act. ``sequence`` is its segment in the chain; ``at`` is aware, UTC."""

    id: int
    sequence: int
    at: datetime
    actor: str
    act: str
    act_name: str
    subject: str
    subject_name: str
    why: str
    facts: Mapping[str, Any]

    @property
    def local(self) -> datetime:
        """When, on site."""
        return self.at.astimezone(CHINA).replace(tzinfo=None)

    def as_json(self) -> dict[str, Any]:
        """An entry of ``audit list``."""
        return {
            "id": self.id, "sequence": self.sequence, "at": self.at, "actor": self.actor,
            "act": self.act, "act_name": self.act_name, "subject": self.subject,
            "subject_name": self.subject_name, "why": self.why, "facts": dict(self.facts),
        }


def audit_rows(
    session: Session, project_id: int, query: AuditQuery = AuditQuery(),
    limit: int = 200, offset: int = 0,
) -> list[AuditRow]:
    """The newest first."""
    both = select(AuditAct, Segment.sequence).join(Segment, Segment.id == AuditAct.segment_id)
    wanted = both.where(*_conditions(project_id, query)).order_by(AuditAct.id.desc())
    found = session.execute(wanted.limit(limit).offset(offset)).all()
    named = {number: name for number, name in session.execute(select(AppUser.id, AppUser.name))}
    return [
        AuditRow(
            row.id, sequence, row.at, row.actor, row.act, _act_name(row.act), row.subject,
            subject_name(row.subject, named), row.why, row.facts or {},
        )
        for row, sequence in found
    ]


def audit_count(session: Session, project_id: int, query: AuditQuery = AuditQuery()) -> int:
    """How many rows :func:`audit_rows` would give without a limit."""
    counted = select(func.count(AuditAct.id)).where(*_conditions(project_id, query))
    return session.scalar(counted) or 0


def audit_actors(session: Session, project_id: int) -> list[str]:
    """Every name the trail knows, for the filter."""
    return list(session.scalars(
        select(AuditAct.actor).where(AuditAct.project_id == project_id)
        .distinct().order_by(AuditAct.actor)
    ))


def subject_name(subject: str, users_by_id: Mapping[int, str]) -> str:
    """``terminal:3`` as ``考勤机3号``, ``user:2`` as the user's name; others as they are."""
    kind, colon, number = subject.partition(":")
    word = _SUBJECTS.get(kind)
    if word is None:
        return subject
    if not colon:
        return word
    if kind == "user":
        known = users_by_id.get(int(number)) if number.isdecimal() else None
        return f"用户「{known}」" if known else "没有的用户"
    return f"{word}{number}号" if number.isdecimal() else f"{word} {number}"


_SUBJECTS = {
    "project": "项目", "roster": "花名册", "person": "人员", "team": "班组", "company": "单位",
    "staff": "联系人", "terminal": "考勤机", "stop_work": "停工", "leave": "请假",
    "outage_note": "停用说明", "explanation": "考勤说明", "findings": "考勤异常", "month": "月份",
    "board": "告示牌", "user": "用户", "list": "列表", "holidays": "节假日", "backup": "备份",
    "audit": "操作记录", "book": "账本", "key": "钥匙", "purge": "清除", "hold": "留存冻结",
    "keyslots": "打开方式", "backups": "备份设置", "removal": "考勤机清除任务",
    "login": "服务器登录名", "roster_import": "花名册导入", "policy": "保存策略",
    "rollup": "汇总", "slip": "退场考勤确认单", "worker": "人员", "stay": "用工",
}


def _conditions(project_id: int, query: AuditQuery) -> list[ColumnElement[bool]]:
    found = [AuditAct.project_id == project_id]
    if query.act is not None:
        found.append(AuditAct.act == query.act.value)
    if query.actor is not None:
        found.append(AuditAct.actor == query.actor)
    if query.first is not None:
        found.append(AuditAct.at >= _midnight(query.first))
    if query.last is not None:
        found.append(AuditAct.at < _midnight(query.last + timedelta(days=1)))
    return found + [_holds(word) for word in query.text.split()]


def _holds(word: str) -> ColumnElement[bool]:
    """The word stands in a column, in the Chinese name of the act or of the subject's kind, or in
    the name of the user meant."""
    columns = (AuditAct.subject, AuditAct.why, AuditAct.actor, type_coerce(AuditAct.facts, Text))
    acts = [act.value for act, name in ACT_NAMES.items() if word in name or word in act.value]
    kinds = [kind for kind, name in _SUBJECTS.items() if word in name]
    user_of = literal("user:", Text) + cast(AppUser.id, Text)
    meant = select(AppUser.id).where(
        AppUser.name.icontains(word, autoescape=True), AuditAct.subject == user_of
    )
    return or_(
        *(column.icontains(word, autoescape=True) for column in columns),
        *(AuditAct.subject.startswith(kind, autoescape=True) for kind in kinds),
        AuditAct.act.in_(acts), meant.exists(),
    )


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), CHINA)


def _act_name(act: str) -> str:
    try:
        return ACT_NAMES[Act(act)]
    except ValueError:  # of a newer program
        return act

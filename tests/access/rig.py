"""Users for tests: one of each role in a book, with passwords that are good enough."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import select

from desktop.access.actor import Actor, Role
from desktop.access.desk import Desk
from desktop.access.tables import AuditAct, LoginGuard
from desktop.access.users import set_password
from desktop.clock import FixedClock

ADMINISTRATOR = "管理员"
PEOPLE: Mapping[Role, str] = {
    Role.LABOUR_OFFICER: "劳资员甲",
    Role.PROJECT_MANAGER: "经理乙",
    Role.INSPECTOR: "检查丙",
    Role.TECHNICIAN: "技术丁",
}
PASSWORD = "四面 围墙 三台机"


def with_administrator(desk: Desk) -> Desk:
    """The same desk after its administrator has a password."""
    set_password(desk, ADMINISTRATOR, PASSWORD)
    return desk


def after_failures(desk: Desk, failures: int, user_id: int = 2) -> None:
    """As if so many log-ins had failed, without the work of guessing."""
    boot, uptime_s = desk.clock.uptime()
    with desk.book.write() as session:
        session.add(LoginGuard(
            user_id=user_id, failures=failures, wait_s=0, seen_at=desk.clock.now(), boot=boot,
            uptime_s=uptime_s,
        ))


def desk_of(desk: Desk, role: Role) -> Desk:
    """A desk of that role which has no row in the users table."""
    return Desk(desk.book, desk.project_id, Actor(PEOPLE.get(role, ADMINISTRATOR), role))


def trail(desk: Desk, *acts: str) -> list[AuditAct]:
    """The rows of these acts, oldest first; all of them without."""
    wanted = select(AuditAct).order_by(AuditAct.id)
    if acts:
        wanted = wanted.where(AuditAct.act.in_(acts))
    with desk.book.read() as session:
        return list(session.scalars(wanted))


class RunningClock(FixedClock):
    """A clock that can be set, in a computer whose uptime cannot."""

    def __init__(self, start: FixedClock, boot: str = "first run") -> None:
        super().__init__(start.now())
        self.boot, self.up = boot, 1000

    def uptime(self) -> tuple[str, int]:
        return self.boot, self.up

    def pass_by(self, seconds: int) -> None:
        """Time goes on, as it does when nobody sets anything."""
        from datetime import timedelta

        self.instant += timedelta(seconds=seconds)
        self.up += seconds

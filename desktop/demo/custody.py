"""Users, backups and a hold for the demo site, so that 设置 has something to show in pictures.

Everything is invented; the passwords below open a demonstration and nothing else.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from desktop.access import backup_desk, key_desk, users
from desktop.access.actor import Act, Role
from desktop.access.desk import Desk
from desktop.bootstrap import leaf_readers, open_office
from desktop.clock import FixedClock
from desktop.errors import Refused
from desktop.retention import biometric, dates, holds

ADMINISTRATOR = "管理员"
PASSWORD = "演示 白塔 松针 渡口"

_PEOPLE = (
    ("劳小专", Role.LABOUR_OFFICER), ("宗经理", Role.PROJECT_MANAGER), ("简督", Role.INSPECTOR),
    ("严技术", Role.TECHNICIAN),
)


def furnish(folder: Path, clock: FixedClock) -> None:
    """Let the people of an office work for an hour; ``clock`` moves on with what they do."""
    with_users(folder, clock)
    office = open_office(folder, clock=clock, user=ADMINISTRATOR, password=PASSWORD)
    try:
        desk = office.desk
        _wait(clock, 3)
        holds.add_hold(
            desk, holds.HoldKind.DISPUTE, "班组工资争议，仲裁已受理", document="样例仲字第12号"
        )
        dates.set_policy(desk, dates.Policy(waiting_days=7))
        biometric.refresh_removals(desk)
        _wait(clock, 4)
        first = backup_desk.create_backup(desk)
        _wait(clock, 9)
        _office_key(desk)
        with desk.book.write() as session:
            desk.audit(session, Act.PAPER_PRINTED, "list:roster", why="交监理检查", rows=60)
        _wait(clock, 5)
        backup_desk.create_backup(desk)
        from desktop.access.restore_desk import verify_backup

        verify_backup(first.path, readers=leaf_readers, clock=clock, desk=desk)
        _wait(clock, 6)
    finally:
        office.close()
    _knock(folder, clock)


def with_users(folder: Path, clock: FixedClock) -> None:
    """Five people with a role each."""
    office = open_office(folder, clock=clock)
    try:
        users.set_password(office.desk, ADMINISTRATOR, PASSWORD)
        for name, role in _PEOPLE:
            _wait(clock, 1)
            users.add_user(office.desk, name, role, f"{PASSWORD} {role.value}")
    finally:
        office.close()


def _office_key(desk: Desk) -> None:
    from desktop.storage.company_keys import new_company_keys, public_key

    _, public = new_company_keys(
        "演示用的总部口令 不是真的", name="示范建设集团有限公司", made_on=f"{desk.clock.today():%Y-%m-%d}"
    )
    key_desk.add_company_slot(desk, public_key(public))


def _knock(folder: Path, clock: FixedClock) -> None:
    """Somebody tries the administrator's door."""
    for _ in range(3):
        _wait(clock, 1)
        try:
            open_office(folder, clock=clock, user=ADMINISTRATOR, password="不是这个密码")
        except Refused:
            continue


def _wait(clock: FixedClock, minutes: int) -> None:
    clock.instant += timedelta(minutes=minutes)

"""The part of today's matters that keep the book safe: backups, terms, what waits, who knocked.

It comes last and loads last: it looks at folders, other computers and the trail. Every matter
leads to the part of 设置 where it is settled; who may not see that part is not told of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

from desktop.access.actor import Act, View, may_look
from desktop.access.desk import Desk
from desktop.ui.actions import PageName
from desktop.ui.i18n import moment_text, tr
from desktop.ui.pages.today.agenda import Agenda, Task, in_order, urgency
from desktop.ui.widgets.basics import bad, info, warn

if TYPE_CHECKING:
    from desktop.access.backup_desk import BackupStatus

_KNOCKS = 3
"""Failed log-ins since one's last visit worth a line."""


def with_custody(desk: Desk, agenda: Agenda) -> Agenda:
    """The agenda with what the book's safety asks for."""
    today = desk.clock.today()
    tasks = list(agenda.tasks)
    if agenda.empty:
        return agenda
    if may_look(desk.actor, View.BACKUPS) and not desk.book.demo:
        tasks += _backups(desk, today)
    if may_look(desk.actor, View.RETENTION):
        tasks += _retention(desk, today)
    if may_look(desk.actor, View.SHARING):
        tasks += _waiting(desk)
    if may_look(desk.actor, View.AUDIT):
        tasks += _knocks(desk, today)
    return replace(agenda, tasks=in_order(tasks, today))


def _settings(part: str, **more: object) -> dict[str, object]:
    return {"part": part, **more}


def _backups(desk: Desk, today: date) -> Iterator[Task]:
    from desktop.access.backup_desk import backup_status

    if desk.book.dialect != "sqlite":
        return
    status = backup_status(desk)
    yield from _own_backup(status, today)
    if status.second_place is None:
        yield Task(
            None, warn(tr("没有第二处"), "backup"), tr("备份只在这台电脑上"),
            tr("电脑坏了、丢了，备份也没了。设一个U盘或另一台电脑上的文件夹，以后自动复制。"), tr("去设置"),
            PageName.SETTINGS, _settings("backups", place=True),
        )
    elif status.second:
        yield Task(
            today, bad(tr("第二处连不上"), "backup"), tr("备份没有复制到第二存放处"), status.second,
            tr("去看备份"), PageName.SETTINGS, _settings("backups"),
        )


def _own_backup(status: BackupStatus, today: date) -> Iterator[Task]:
    if status.last is None:
        yield Task(
            today, bad(tr("没有备份"), "backup"), tr("账本还没有备份"),
            tr("备份是整个账本的加密副本；现在做一份只要几秒。"), tr("去备份"), PageName.SETTINGS,
            _settings("backups"),
        )
    elif status.due:
        yield Task(
            today, warn(tr("该备份了"), "backup"), tr("账本有改动，已满一天没有备份"), status.sentence,
            tr("去备份"), PageName.SETTINGS, _settings("backups"),
        )


def _retention(desk: Desk, today: date) -> Iterator[Task]:
    from desktop.retention.biometric import removal_tasks
    from desktop.retention.steps import purges

    with desk.look(View.RETENTION) as session:
        removals = removal_tasks(session, desk.project_id, today)
        waiting = [one for one in purges(session, desk.project_id) if one.state in ("proposed", "approved", "run")]
    if removals:
        oldest = removals[0].due_on
        yield Task(
            oldest, urgency(oldest, today, tr("待删除")),
            tr("{n} 人次退场后，人脸、指纹还在考勤机上", n=len(removals)),
            tr("在考勤机上删除，再读一次机上人员；退场即删是规定。"), tr("看名单"), PageName.SETTINGS,
            _settings("retention", list="tasks"),
        )
    for one in waiting:
        if one.state == "proposed":
            yield Task(
                None, warn(tr("待批准"), "clock"), tr("{n} 号到期清除等另一个人批准", n=one.number), one.why,
                tr("去看"), PageName.SETTINGS, _settings("retention", list="purges"),
            )
        elif one.may_run_on is not None:
            yield Task(
                one.may_run_on, urgency(one.may_run_on, today, tr("待执行")),
                tr("{n} 号到期清除可以执行", n=one.number) if one.may_run_on <= today
                else tr("{n} 号到期清除在等待期内", n=one.number),
                one.why, tr("去看"), PageName.SETTINGS, _settings("retention", list="purges"),
            )


def _waiting(desk: Desk) -> Iterator[Task]:
    from desktop.punches import spool

    if desk.book.dialect == "sqlite":
        return
    waiting = spool.waiting(desk.book)
    if waiting.batches or waiting.damaged:
        yield Task(
            None, warn(tr("等待入账 {n} 批", n=len(waiting.batches)), "clock"),
            tr("本机有打卡记录还没进账本"), waiting.sentence(), tr("去看"), PageName.SETTINGS,
            _settings("sharing"),
        )


def _knocks(desk: Desk, today: date) -> Iterator[Task]:
    """Log-ins that failed since this user's own last one before the present."""
    from desktop.access.queries import AuditQuery, audit_rows

    since = today - timedelta(days=31)
    with desk.look(View.AUDIT) as session:
        own = audit_rows(
            session, desk.project_id,
            AuditQuery(act=Act.LOGGED_IN, actor=desk.actor.name, first=since), 2,
        )
        failed = audit_rows(
            session, desk.project_id, AuditQuery(act=Act.LOGIN_FAILED, first=since), 200
        )
    if len(own) == 2:
        failed = [row for row in failed if row.sequence > own[1].sequence]
    if len(failed) >= _KNOCKS:
        yield Task(
            None, info(tr("{n} 次", n=len(failed)), "lock"),
            tr("上次登录以来，有 {n} 次登录失败", n=len(failed)),
            tr("最近一次 {at}。不是自己人输错的，请换密码、查谁动过这台电脑。", at=moment_text(failed[0].at)),
            tr("看记录"), PageName.SETTINGS, _settings("trail", act=Act.LOGIN_FAILED),
        )

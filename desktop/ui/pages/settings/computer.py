"""本机: when this window locks itself, and the acting user's own password."""

from __future__ import annotations

from typing import TYPE_CHECKING

from desktop.access.matrix import ROLE_NAMES
from desktop.ui.actions import Command
from desktop.ui.changes import Changes
from desktop.ui.i18n import tr
from desktop.ui.pages.settings.secret_panel import PASSWORD_HINT, SecretPanel
from desktop.ui.pages.settings.section import OpenPanel, Section
from desktop.ui.theme import Tone, Type
from desktop.ui.widgets.basics import Card, button, label, line
from desktop.ui.widgets.blocks import Facts
from desktop.ui.widgets.fields import Choice
from desktop.ui.workspace import Workspace

if TYPE_CHECKING:
    from desktop.access.desk import Desk

_MINUTES = (1, 3, 5, 10, 15, 30, 60)


class ComputerSection(Section):
    """Settings of this computer and of this user; they change nobody else's."""

    def __init__(self, workspace: Workspace, open_panel: OpenPanel) -> None:
        super().__init__(workspace, open_panel)
        actor = workspace.desk.actor
        self.rows.addWidget(self._own_card(actor.name, tr(ROLE_NAMES[actor.role])))
        self.rows.addWidget(self._lock_card())
        self.rows.addStretch(1)

    def run(self, command: Command) -> None:
        if command is Command.CHANGE_PASSWORD:
            self.change_password()

    def change_password(self) -> None:
        """The form that asks for the present password and a new one twice."""
        self.open_panel(PasswordPanel(self.workspace))

    def _own_card(self, name: str, role: str) -> Card:
        card = Card()
        card.rows.addWidget(label(tr("当前用户"), Type.HEAD))
        card.rows.addWidget(Facts([(tr("用户"), name), (tr("角色"), role)]))
        row = line()
        if self.workspace.desk.actor.user_id is not None:
            row.addWidget(button(tr("修改我的登录密码…"), self.change_password, icon="key"))
        else:
            row.addWidget(
                label(tr("这个账本只有第一位管理员，没有登录密码。加第二个用户以前，先给管理员设登录密码（账号与权限）。"), tone=Tone.TEXT_2, wrap=True), 1
            )
        row.addStretch(0)
        card.rows.addLayout(row)
        return card

    def _lock_card(self) -> Card:
        card = Card()
        card.rows.addWidget(label(tr("自动锁定"), Type.HEAD))
        row = line()
        words = label(tr("没有操作多久以后锁定窗口"))
        self.minutes = Choice([(m, tr("{m} 分钟", m=m)) for m in _MINUTES], tr("多久以后锁定"))
        words.setBuddy(self.minutes)
        self.minutes.choose(_nearest(self.workspace.preferences.lock_minutes))
        self.minutes.currentIndexChanged.connect(lambda _: self._keep())
        row.addWidget(words)
        row.addWidget(self.minutes)
        row.addStretch(1)
        card.rows.addLayout(row)
        card.rows.addWidget(
            label(
                tr("锁定时屏幕上的人员信息全部收起，采集照常进行；没保存的改动留在内存里，解锁后恢复。离开座位请按 Ctrl+L。"),
                tone=Tone.TEXT_2, wrap=True,
            )
        )
        return card

    def _keep(self) -> None:
        self.workspace.set_lock_minutes(self.minutes.value())


class PasswordPanel(SecretPanel):
    """The present password, then the new one twice."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(
            workspace, tr("修改我的登录密码"), tr("改后在每台电脑上都用新密码登录。"), tr("修改密码")
        )
        self.add_secret("old", tr("现在的密码 *"))
        self.add_new(tr("密码"), PASSWORD_HINT)
        self.rows.addStretch(1)

    def save(self) -> None:
        old, new = self.form.text("old"), self.new_secret("old")
        if new is None:
            return

        def work(desk: Desk) -> None:
            from desktop.access.users import change_own_password

            change_own_password(desk, old, new)

        def done(_: object) -> None:
            self.workspace.messages.info(tr("登录密码已修改。"))
            self.finished.emit()

        self.workspace.act(
            lambda desk, progress, cancel: work(desk), done, title=tr("修改密码"), owner=self,
            changes=Changes.CUSTODY,
        )


def _nearest(minutes: int) -> int:
    """The choice that is not longer than what was set."""
    return max((m for m in _MINUTES if m <= minutes), default=_MINUTES[0])


def make_section(workspace: Workspace, open_panel: OpenPanel) -> ComputerSection:
    """The part, on an open book."""
    return ComputerSection(workspace, open_panel)

"""Panels about users: add one, one with his acts, a new password for him."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from PySide6.QtWidgets import QCheckBox, QGridLayout

from desktop.access.actor import Act, Role
from desktop.access.matrix import ROLE_NAMES
from desktop.access.queries import UserRow
from desktop.ui.changes import Changes
from desktop.ui.i18n import moment_text, tr
from desktop.ui.pages.settings.secret_panel import PASSWORD_HINT, SecretPanel
from desktop.ui.theme import Tone
from desktop.ui.widgets.basics import button, label
from desktop.ui.widgets.blocks import Facts, section
from desktop.ui.widgets.fields import Choice, Form
from desktop.ui.widgets.gate import gate
from desktop.ui.widgets.panel import PanelContent, confirm
from desktop.ui.workspace import Workspace

if TYPE_CHECKING:
    from desktop.access.desk import Desk
    from desktop.ui.pages.settings.section import OpenPanel

_DUTIES = {
    Role.ADMINISTRATOR: "什么都能做；管账号、钥匙、恢复。",
    Role.LABOUR_OFFICER: "日常办事：花名册、考勤、月结、告示牌、备份。",
    Role.PROJECT_MANAGER: "看全部，批准说明和到期清除，导出表册。",
    Role.INSPECTOR: "只看，不能导出，不能看完整证件号码。",
    Role.TECHNICIAN: "只管考勤机，看不到人员。",
}


def add_role(form: Form, title: str, chosen: Role = Role.LABOUR_OFFICER) -> Choice:
    """Every role, and under the field what the chosen one is for."""
    made = Choice([(role, tr(name)) for role, name in ROLE_NAMES.items()])
    form.add("role", title, made)
    duty = label("", tone=Tone.TEXT_2, wrap=True)
    form.add_widget(duty)
    made.currentIndexChanged.connect(lambda _: duty.setText(tr(_DUTIES[made.value()])))
    made.choose(chosen)
    duty.setText(tr(_DUTIES[chosen]))
    return made


class AddUserPanel(SecretPanel):
    """Name, role, first password; the computer's account may be bound at once."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(
            workspace, tr("添加用户"), tr("第一次登录后，请他在「设置 → 本机」里改成自己的密码。"), tr("添加用户")
        )
        self.form.add_text("name", tr("用户名 *"), hint=tr("记在操作记录里的名字，如：王劳资。"))
        add_role(self.form, tr("角色 *"))
        self.add_new(tr("密码"), tr(PASSWORD_HINT))
        self.form.add(
            "bind", "", QCheckBox(tr("就是现在这个电脑账户的人：以后在这台电脑上可以不输密码登录"))
        )
        self.rows.addStretch(1)

    def save(self) -> None:
        password = self.new_secret("name")
        if password is None:
            return
        name, role, bind = (self.form.value(one) for one in ("name", "role", "bind"))

        def work(desk: Desk, progress: Any, cancel: Any) -> int:
            from desktop.access import os_account, users

            account = os_account.current() if bind else None
            return users.add_user(desk, name, role, password, os_account=account)

        def done(_: int) -> None:
            self.workspace.messages.info(
                tr("已添加用户「{name}」（{role}）。以后打开账本要登录。", name=name, role=tr(ROLE_NAMES[role]))
            )
            self.finished.emit()

        self.workspace.act(
            work, done, title=tr("添加用户"), owner=self, changes=Changes.CUSTODY
        )


class PasswordOfPanel(SecretPanel):
    """The administrator gives somebody a password: a forgotten one, or his own first one."""

    def __init__(self, workspace: Workspace, user: UserRow, *, first: bool = False) -> None:
        own = user.name == workspace.desk.actor.name
        title = tr("给「{name}」设登录密码", name=user.name)
        why = tr("加第二个用户以前，管理员自己要先有登录密码；以后锁定窗口也用它解锁。") if first else (
            tr("设好后当面告诉他，请他登录后自己改掉。失败次数清零。")
        )
        super().__init__(workspace, title, "" if own and not first else why, tr("设登录密码"))
        self._user = user
        self.add_new(tr("密码"), tr(PASSWORD_HINT))
        self.rows.addStretch(1)

    def save(self) -> None:
        password, name = self.new_secret(), self._user.name
        if password is None:
            return

        def work(desk: Desk, progress: Any, cancel: Any) -> None:
            from desktop.access.users import set_password

            set_password(desk, name, password)

        def done(_: None) -> None:
            self.workspace.messages.info(tr("「{name}」的登录密码已设好。", name=name))
            self.finished.emit()

        self.workspace.act(
            work, done, title=tr("设登录密码"), owner=self, changes=Changes.CUSTODY
        )


class UserPanel(PanelContent):
    """Facts of one user and the acts for him."""

    def __init__(self, workspace: Workspace, user: UserRow, open_panel: OpenPanel) -> None:
        super().__init__(user.name, tr(user.role_name))
        self._workspace, self._user, self._open_panel = workspace, user, open_panel
        facts = Facts(
            [
                (tr("角色"), tr(user.role_name)),
                (tr("上次登录"), moment_text(user.last_login_at)),
                (tr("登录失败"), tr("{n} 次", n=user.failures) if user.failures else tr("没有")),
                (tr("电脑账户"), user.account or tr("没有绑定")),
            ]
        )
        if not user.has_password:
            facts.add(tr("登录密码"), tr("还没有设"), Tone.WARN)
        self.rows.addWidget(facts)
        self._add_role()
        section(self.rows, tr("操作"))
        self._add_acts()
        self.rows.addWidget(
            label(tr("用户不能删除，只能停用：他做过的事要一直查得到是谁。"), tone=Tone.TEXT_3, wrap=True)
        )
        self.rows.addStretch(1)

    def set_role(self, role: Role) -> None:
        """Another role from the next log-in on."""
        name = self._user.name

        def work(desk: Desk) -> None:
            from desktop.access.users import set_role

            set_role(desk, name, role)

        self._run(work, tr("更改角色"), tr("「{name}」改为{role}，下次登录生效。", name=name, role=tr(ROLE_NAMES[role])))

    def set_active(self, active: bool) -> None:
        """Shut out, or let in again."""
        name = self._user.name
        if not active and not confirm(
            self, tr("停用用户"), tr("停用后「{name}」不能再登录；他做过的事仍查得到。", name=name), tr("停用用户")
        ):
            return

        def work(desk: Desk) -> None:
            from desktop.access.users import set_active

            set_active(desk, name, active)

        done = tr("「{name}」已启用。", name=name) if active else tr("「{name}」已停用。", name=name)
        self._run(work, tr("启用用户") if active else tr("停用用户"), done)

    def bind(self, bound: bool) -> None:
        """This computer's account lets the user in, or no longer does."""
        name = self._user.name

        def work(desk: Desk) -> None:
            from desktop.access import users

            if bound:
                users.bind_os_account(desk, name)
            else:
                users.unbind_os_account(desk, name)

        done = tr("「{name}」可以用这台电脑现在的账户登录了。", name=name) if bound else (
            tr("「{name}」以后都要输登录密码。", name=name)
        )
        self._run(work, tr("绑定电脑账户") if bound else tr("解除绑定"), done)

    def _add_role(self) -> None:
        form = Form()
        self.role = add_role(form, tr("改为"), self._user.role)
        self.rows.addWidget(form)
        change = button(tr("更改角色"), lambda: self.set_role(self.role.value()), icon="edit")
        change.setEnabled(False)
        self.role.currentIndexChanged.connect(
            lambda _: change.setEnabled(self.role.value() is not self._user.role)
        )
        self.rows.addWidget(gate(change, self._workspace, Act.USER_ROLE_SET))

    def _add_acts(self) -> None:
        user = self._user
        password = PasswordOfPanel
        acts: list[tuple[str, str, Act, Callable[[], object]]] = [
            (
                "key", tr("重设登录密码…") if user.has_password else tr("设登录密码…"), Act.PASSWORD_SET,
                lambda: self._open_panel(password(self._workspace, user)),
            ),
        ]
        if user.account:
            acts.append(("link", tr("解除电脑账户"), Act.ACCOUNT_UNBOUND, lambda: self.bind(False)))
        else:
            acts.append(("link", tr("绑定本机账户"), Act.ACCOUNT_BOUND, lambda: self.bind(True)))
        if user.active:
            acts.append(("stop", tr("停用…"), Act.USER_DEACTIVATED, lambda: self.set_active(False)))
        else:
            acts.append(("good", tr("启用"), Act.USER_ACTIVATED, lambda: self.set_active(True)))
        grid = QGridLayout()
        grid.setSpacing(8)
        for place, (icon, text, act, do) in enumerate(acts):
            made = gate(button(text, do, icon=icon), self._workspace, act)
            grid.addWidget(made, place // 2, place % 2)
        self.rows.addLayout(grid)

    def _run(self, work: Callable[[Desk], None], title: str, said: str) -> None:
        def done(_: None) -> None:
            self._workspace.messages.info(said)
            self.finished.emit()

        self._workspace.act(
            lambda desk, progress, cancel: work(desk), done, title=title, owner=self,
            changes=Changes.CUSTODY,
        )

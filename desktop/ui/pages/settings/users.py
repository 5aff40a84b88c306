"""账号与权限: who may log in, and the table of who may see and do what."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QStackedWidget, QWidget

from desktop.access.actor import Act, Role, View
from desktop.access.matrix import ROLE_NAMES, MatrixRow, permission_matrix
from desktop.access.queries import UserRow, users
from desktop.ui.i18n import moment_text, tr
from desktop.ui.pages.settings.section import OpenPanel, Section
from desktop.ui.pages.settings.user_panels import AddUserPanel, PasswordOfPanel, UserPanel
from desktop.ui.tables.columns import CENTER, Column
from desktop.ui.tables.export import Listing, output_button
from desktop.ui.tables.model import RowsModel
from desktop.ui.tables.view import ListView
from desktop.ui.theme import Tone
from desktop.ui.widgets.basics import State, bad, button, column, good, label, line, neutral, warn
from desktop.ui.widgets.fields import Segments
from desktop.ui.widgets.gate import gate
from desktop.ui.widgets.login_form import wait_words
from desktop.ui.workspace import Workspace

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


def user_state(row: UserRow) -> State:
    """Whether somebody can log in now, as word, icon and colour."""
    if not row.active:
        return neutral(tr("已停用"), "stop")
    if row.wait_s:
        return bad(tr("等 {wait}", wait=wait_words(row.wait_s)), "clock")
    if not row.has_password:
        return warn(tr("没有密码"), "key")
    if row.failures:
        return warn(tr("输错 {n} 次", n=row.failures), "lock")
    return good(tr("在用"))


USERS: tuple[Column[UserRow], ...] = (
    Column("用户名", 7.5, lambda r: r.name),
    Column("角色", 8.5, lambda r: tr(r.role_name)),
    Column("状态", 8, lambda r: "", state=user_state, order=lambda r: (not r.active, r.wait_s)),
    Column("电脑账户", 7, lambda r: r.account or "—"),
    Column("上次登录", 7, lambda r: moment_text(r.last_login_at), order=lambda r: str(r.last_login_at or ""), stretch=True),
)


def _allowed(role: Role) -> Column[MatrixRow]:
    """One role's column of the matrix: a tick in green or a quiet dash."""
    return Column(
        ROLE_NAMES[role], max(5.0, len(ROLE_NAMES[role]) + 0.5),
        lambda row: "√" if role in row.roles else "—", align=CENTER,
        tone=lambda row: Tone.GOOD if role in row.roles else Tone.TEXT_3,
    )


MATRIX: tuple[Column[MatrixRow], ...] = (
    Column("", 3, lambda row: tr("看") if row.kind == "view" else tr("做"), tone=lambda _: Tone.TEXT_2),
    Column("事项", 16, lambda row: row.name, stretch=True),
    *(_allowed(role) for role in Role),
)


class UsersSection(Section):
    """Two lists: the users, and what each role may."""

    def __init__(self, workspace: Workspace, open_panel: OpenPanel) -> None:
        super().__init__(workspace, open_panel)
        self._users: list[UserRow] = []
        bar = line()
        self.which = Segments([("users", tr("用户")), ("matrix", tr("谁可以做什么"))], tr("显示"))
        self.which.changed.connect(self.show_list)
        bar.addWidget(self.which)
        bar.addStretch(1)
        self.add = button(tr("添加用户…"), self.add_user, icon="plus", kind="primary")
        bar.addWidget(output_button(workspace, self, self._listing))
        bar.addWidget(gate(self.add, workspace, Act.USER_ADDED))
        self.rows.addLayout(bar)
        self._note = label("", tone=Tone.TEXT_2, wrap=True)
        self.rows.addWidget(self._note)
        self.stack = QStackedWidget()
        self.rows.addWidget(self.stack, 1)
        self.model = RowsModel(USERS, key=lambda row: row.id)
        self.view = ListView(tr("用户"))
        self.view.set_model(self.model)
        self.view.opened.connect(self.open_user)
        self.matrix = RowsModel(MATRIX, key=lambda row: hash(row.code))
        self.matrix.show_rows(permission_matrix())
        table = ListView(tr("谁可以做什么"))
        table.set_model(self.matrix, sortable=False)
        table.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        for view in (self.view, table):
            self.stack.addWidget(_alone(view))
        self.show_list("users")

    def load(self) -> None:
        clock = self.workspace.desk.clock

        def query(session: Session) -> list[UserRow]:
            return users(session, clock)

        self.workspace.read(query, self._show, view=View.USERS, owner=self, key="users")

    def show_list(self, name: str) -> None:
        """``users`` or ``matrix``."""
        self.which.choose(name)
        self.stack.setCurrentIndex(0 if name == "users" else 1)
        self._say()

    def add_user(self) -> None:
        """The form of a new user; the administrator's own password comes first."""
        without = next((one for one in self._users if one.role is Role.ADMINISTRATOR), None)
        if without is not None and not any(
            one.has_password for one in self._users if one.role is Role.ADMINISTRATOR
        ):
            self.open_panel(PasswordOfPanel(self.workspace, without, first=True))
            return
        self.open_panel(AddUserPanel(self.workspace))

    def open_user(self, user_id: int) -> None:
        """One user with what can be done for him."""
        found = next((one for one in self._users if one.id == user_id), None)
        if found is not None:
            self.open_panel(UserPanel(self.workspace, found, self.open_panel))

    def _show(self, rows: list[UserRow]) -> None:
        self._users = rows
        self.model.show_rows(rows)
        self._say()

    def _say(self) -> None:
        if self.which.value() == "matrix":
            self._note.setText(tr("每个操作都在程序内部核对角色，不只是按钮变灰。要两个人的事（到期清除）另外核对是不是同一个人。"))
        elif len(self._users) < 2:
            self._note.setText(tr("现在只有一位管理员，打开账本不用登录。加了第二个用户以后，人人都要登录，操作记在各自名下。"))
        else:
            self._note.setText(tr("打开账本要登录。密码连错 5 次要等 30 秒，再错加倍，最长 15 分钟。"))

    def _listing(self) -> Listing:
        if self.which.value() == "matrix":
            rows = list(self.matrix.rows())
            return Listing(
                tr("谁可以做什么"), "matrix", MATRIX, lambda session: rows, personal=False,
                view=View.USERS,
            )
        people = list(self._users)
        return Listing(
            tr("用户"), "users", USERS, lambda session: people, personal=False, view=View.USERS
        )


def _alone(view: ListView) -> QWidget:
    holder = QWidget()
    column(holder).addWidget(view, 1)
    return holder


def make_section(workspace: Workspace, open_panel: OpenPanel) -> UsersSection:
    """The part, on an open book."""
    return UsersSection(workspace, open_panel)

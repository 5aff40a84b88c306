"""An open book that wants to know who is there: name and password, or this computer's account."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from desktop.errors import SiteMusterError
from desktop.ui import theme
from desktop.ui.i18n import tr
from desktop.ui.theme import Tone, Type
from desktop.ui.widgets.basics import Card, IconView, button, centred, column, label, line
from desktop.ui.widgets.login_form import LoginForm

if TYPE_CHECKING:
    from desktop.bootstrap import LockedOffice


@dataclass(frozen=True, slots=True)
class Door:
    """A book that is open and that nobody has entered. ``account`` names this computer's account
    where a user is bound to it, else it is empty."""

    locked: LockedOffice
    names: Sequence[str]
    account: str


def at_the_door(locked: LockedOffice) -> Door:
    """What the log-in page needs to know; not for the main thread."""
    from desktop.access import os_account
    from desktop.access.queries import users

    here = os_account.current()
    with locked.book.read() as session:
        known = {row.account for row in users(session) if row.active and row.account}
    account = here.name if here is not None and here.name in known else ""
    return Door(locked, locked.user_names, account)


class LoginView(QWidget):
    """``given(name, password)``, ``account_asked``, ``forgotten`` (the recovery code helps),
    ``left``."""

    given = Signal(str, str)
    account_asked = Signal()
    forgotten = Signal()
    left = Signal()

    def __init__(self) -> None:
        super().__init__()
        whole = column(self)
        whole.addStretch(2)
        card = Card(margin=3 * theme.GRID)
        card.setFixedWidth(520)
        whole.addLayout(centred(card))
        whole.addStretch(3)
        head = line(gap=theme.GRID + 4)
        head.addWidget(IconView("person", Tone.ACCENT, 28))
        self._title = label("", Type.HEAD)
        head.addWidget(self._title, 1)
        card.rows.addLayout(head)
        card.rows.addWidget(
            label(tr("这个账本有多个用户。登录以后，操作都记在您的名下。"), tone=Tone.TEXT_2, wrap=True)
        )
        self.form = LoginForm()
        self.form.given.connect(self.given)
        card.rows.addWidget(self.form)
        self.account = button("", self.account_asked.emit, icon="computers")
        card.rows.addWidget(self.account)
        feet = line()
        feet.addWidget(button(tr("返回"), self.left.emit))
        feet.addWidget(button(tr("忘记密码…"), self.forgotten.emit, kind="quiet"))
        feet.addStretch(1)
        self._open = button(tr("登录"), self.form.give, kind="primary")
        self.form.ready_changed.connect(self._open.setEnabled)
        feet.addWidget(self._open)
        card.rows.addLayout(feet)

    def show_door(self, folder: Path, door: Door) -> None:
        """Who may enter which book."""
        self._title.setText(tr("登录账本「{name}」", name=folder.name))
        self.form.show_names(door.names)
        self.account.setVisible(bool(door.account))
        self.account.setText(tr(" 用本机账户登录（{name}）", name=door.account))
        self.account.setAccessibleName(tr("用本机账户登录"))
        self.form.focus_first()

    def refuse(self, error: SiteMusterError) -> None:
        """Say why it did not go; the fields are free again."""
        self.busy(False)
        self.form.refuse(error)

    def busy(self, working: bool) -> None:
        """One attempt at a time."""
        self.setEnabled(not working)

"""The log-in of an open book nobody has entered, and the way round a forgotten password."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QStackedWidget

from desktop.errors import Refused, SiteMusterError
from desktop.ui.i18n import tr
from desktop.ui.jobs import JobRunner, Lane
from desktop.ui.pages.start.forgotten import ForgottenView
from desktop.ui.pages.start.login import Door, LoginView

if TYPE_CHECKING:
    from desktop.bootstrap import LockedOffice, Office


class Logins(QObject):
    """``entered(office)``, ``left`` after the book was closed again, ``said(text)``. Main thread;
    it owns the locked book from :meth:`show_door` on."""

    entered = Signal(object)
    left = Signal()
    said = Signal(str)

    def __init__(self, jobs: JobRunner, stack: QStackedWidget) -> None:
        super().__init__(stack)
        self._jobs, self._stack = jobs, stack
        self._door: Door | None = None
        self._folder = Path()
        self.view = LoginView()
        self.view.given.connect(self._log_in)
        self.view.account_asked.connect(self._by_account)
        self.view.forgotten.connect(self._show_forgotten)
        self.view.left.connect(self._leave)
        self.forgotten = ForgottenView()
        self.forgotten.given.connect(self._reset)
        self.forgotten.left.connect(self._back)
        for view in (self.view, self.forgotten):
            stack.addWidget(view)

    def show_door(self, folder: Path, door: Door) -> None:
        """Ask who is there."""
        self._folder, self._door = folder, door
        self.view.busy(False)
        self.view.show_door(folder, door)
        self._stack.setCurrentWidget(self.view)

    def close_door(self) -> None:
        """Nobody will enter: close the book."""
        door, self._door = self._door, None
        if door is not None:
            door.locked.close()

    def forget(self) -> None:
        """Nothing typed and no name stays."""
        self.view.form.show_names([])
        self.view.busy(False)
        self.forgotten.forget()
        self.forgotten.show_names([])

    def _log_in(self, name: str, password: str) -> None:
        self._enter(lambda locked: locked.log_in(name, password))

    def _by_account(self) -> None:
        def enter(locked: LockedOffice) -> Office:
            office = locked.log_in_by_account()
            if office is None:
                raise Refused(
                    "account_unbound", tr("这台电脑的账户没有绑定用户，没有登录。请输入用户名和登录密码。")
                )
            return office

        self._enter(enter)

    def _enter(self, enter: Callable[[LockedOffice], Office]) -> None:
        door = self._door
        if door is None:
            return
        self.view.busy(True)

        def done(office: Office) -> None:
            self._door = None
            self.entered.emit(office)

        self._jobs.submit(
            lambda progress, cancel: enter(door.locked), done, lane=Lane.ACT, owner=self,
            failed=self.view.refuse,
        )

    def _show_forgotten(self) -> None:
        if self._door is not None:
            self.forgotten.show_names(self._door.names)
            self._stack.setCurrentWidget(self.forgotten)

    def _reset(self, name: str, new: str, code: str) -> None:
        door = self._door
        if door is None:
            return

        def done(_: object) -> None:
            self._back()
            self.said.emit(tr("「{name}」的密码已重设，请用新密码登录。", name=name))

        def refused(error: SiteMusterError) -> None:
            self.forgotten.refuse(error)

        self._jobs.submit(
            lambda progress, cancel: door.locked.reset_password(name, new, code), done,
            lane=Lane.ACT, owner=self, failed=refused, title=tr("重设密码"),
        )

    def _back(self) -> None:
        self.forgotten.forget()
        if self._door is not None:
            self.show_door(self._folder, self._door)

    def _leave(self) -> None:
        """Close the book in its lane, then the welcome."""
        door, self._door = self._door, None
        if door is not None:
            self._jobs.submit(
                lambda progress, cancel: door.locked.close(), lambda _: None, lane=Lane.ACT,
                owner=self, failed=self.view.refuse,
            )
        self.left.emit()

"""The first screen: make a book, open one, or try the demo site. Opening shows here too."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFileDialog, QStackedWidget, QWidget

from desktop.errors import SiteMusterError
from desktop.jobs import CancelToken, Progress
from desktop.ui.i18n import tr
from desktop.ui.jobs import JobRunner, Lane
from desktop.ui.pages.start.demo import DemoView
from desktop.ui.pages.start.opening import OpeningView, UnlockView
from desktop.ui.pages.start.welcome import WelcomeView
from desktop.ui.preferences import Preferences
from desktop.ui.shell.message_bar import MessageBar
from desktop.ui.widgets.basics import column

if TYPE_CHECKING:
    from desktop.bootstrap import Office
    from desktop.ui.pages.start.wizard import NewBookWizard

_LOCKED = {
    "passphrase_needed", "wrong_passphrase", "no_passphrase_slot", "keyring_unusable",
    "keyring_entry_missing", "wrong_recovery_code", "recovery_code_mistyped",
}
"""Codes after which the unlock view helps."""


class StartPage(QWidget):
    """``opened(office)`` when a book is open; the window takes it from there."""

    opened = Signal(object)

    def __init__(self, jobs: JobRunner, messages: MessageBar, preferences: Preferences) -> None:
        super().__init__()
        self._jobs, self._messages, self._preferences = jobs, messages, preferences
        self._folder = Path()
        self.stack = QStackedWidget()
        column(self).addWidget(self.stack)
        self.welcome = WelcomeView()
        self.welcome.asked_new.connect(self.show_wizard)
        self.welcome.asked_open.connect(self.choose_folder)
        self.welcome.asked_demo.connect(self.show_demo)
        self.welcome.asked_recent.connect(lambda folder: self.open_folder(folder, None))
        self.opening = OpeningView()
        self.unlock = UnlockView()
        self.unlock.given.connect(self._unlock)
        self.unlock.left.connect(self.show_welcome)
        self.demo = DemoView()
        self.demo.left.connect(self.show_welcome)
        self.demo.ready.connect(lambda folder: self.open_folder(folder, None))
        self.wizard: NewBookWizard | None = None
        for view in (self.welcome, self.opening, self.unlock, self.demo):
            self.stack.addWidget(view)
        self.show_welcome()

    def show_welcome(self) -> None:
        self.welcome.show_recent(self._preferences.recent_books())
        self.stack.setCurrentWidget(self.welcome)

    def show_wizard(self) -> None:
        """The steps of a new book."""
        from desktop.ui.pages.start.wizard import NewBookWizard

        if self.wizard is not None:
            self.stack.removeWidget(self.wizard)
            self.wizard.deleteLater()
        self.wizard = NewBookWizard(self._jobs, self._messages)
        self.wizard.left.connect(self.show_welcome)
        self.wizard.finished.connect(self.opened)
        self.stack.addWidget(self.wizard)
        self.stack.setCurrentWidget(self.wizard)

    def show_demo(self) -> None:
        self.stack.setCurrentWidget(self.demo)

    def choose_folder(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, tr("选择账本文件夹"))
        if folder:
            self.open_folder(Path(folder), None)

    def open_folder(
        self, folder: Path, passphrase: str | None, recovery_code: str | None = None
    ) -> None:
        """Open a book in its lane; SQLAlchemy loads there, not before the first paint."""
        self._folder = folder
        self.opening.show_folder(folder)
        self.stack.setCurrentWidget(self.opening)

        def work(progress: Progress, cancel: CancelToken) -> Office:
            from desktop.bootstrap import open_office

            secrets: dict[str, Any] = {"passphrase": passphrase}
            if recovery_code is not None:
                secrets["recovery_code"] = recovery_code
            return open_office(folder, **secrets)

        self._jobs.submit(
            work, self.opened.emit, lane=Lane.ACT, owner=self, failed=self._refused
        )

    def _unlock(self, passphrase: str, recovery_code: str) -> None:
        self.open_folder(self._folder, passphrase or None, recovery_code or None)

    def _refused(self, error: SiteMusterError) -> None:
        if error.code in _LOCKED:
            self.unlock.show_folder(self._folder, error)
            self.stack.setCurrentWidget(self.unlock)
            return
        self._messages.error(error)
        self.show_welcome()

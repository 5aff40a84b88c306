"""The first screen: make a book, open one, or try the demo site. Opening shows here too."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFileDialog, QStackedWidget, QWidget

from desktop.errors import SiteMusterError
from desktop.jobs import CancelToken, Progress
from desktop.ui.i18n import tr
from desktop.ui.jobs import JobRunner, Lane
from desktop.ui.pages.start.opening import OpeningView
from desktop.ui.preferences import Preferences
from desktop.ui.shell.message_bar import MessageBar
from desktop.ui.widgets.basics import column

if TYPE_CHECKING:
    from desktop.bootstrap import Office
    from desktop.ui.pages.start.demo import DemoView
    from desktop.ui.pages.start.unlock import UnlockView
    from desktop.ui.pages.start.welcome import WelcomeView
    from desktop.ui.pages.start.wizard import NewBookWizard

_LOCKED = {
    "passphrase_needed", "wrong_passphrase", "no_passphrase_slot", "keyring_unusable",
    "keyring_entry_missing", "wrong_recovery_code", "recovery_code_mistyped",
}
"""Codes after which the unlock view helps."""


class StartPage(QWidget):
    """``opened(office)`` when a book is open, ``elsewhere`` when another window has it open."""

    opened = Signal(object)
    elsewhere = Signal()

    def __init__(self, jobs: JobRunner, messages: MessageBar, preferences: Preferences) -> None:
        super().__init__()
        self._jobs, self._messages, self._preferences = jobs, messages, preferences
        self._folder = Path()
        self.stack = QStackedWidget()
        column(self).addWidget(self.stack)
        self.opening = OpeningView()
        self.wizard: NewBookWizard | None = None
        self._unlock_view: UnlockView | None = None
        self._demo_view: DemoView | None = None
        self._welcome: WelcomeView | None = None
        self.stack.addWidget(self.opening)

    @property
    def welcome(self) -> WelcomeView:
        """The three ways to begin; a start that goes straight to a book never makes it."""
        if self._welcome is None:
            from desktop.ui.pages.start.welcome import WelcomeView

            self._welcome = WelcomeView()
            self._welcome.asked_new.connect(self.show_wizard)
            self._welcome.asked_open.connect(self.choose_folder)
            self._welcome.asked_demo.connect(self.show_demo)
            self._welcome.asked_recent.connect(lambda folder: self.open_folder(folder, None))
            self.stack.addWidget(self._welcome)
        return self._welcome

    @property
    def unlock(self) -> UnlockView:
        """The view that asks for a secret, made when first needed."""
        if self._unlock_view is None:
            from desktop.ui.pages.start.unlock import UnlockView

            self._unlock_view = UnlockView()
            self._unlock_view.given.connect(self._unlock)
            self._unlock_view.left.connect(self.show_welcome)
            self.stack.addWidget(self._unlock_view)
        return self._unlock_view

    @property
    def demo(self) -> DemoView:
        """The view that builds the demo site, made when first needed."""
        if self._demo_view is None:
            from desktop.ui.pages.start.demo import DemoView

            self._demo_view = DemoView()
            self._demo_view.left.connect(self.show_welcome)
            self._demo_view.ready.connect(lambda folder: self.open_folder(folder, None))
            self.stack.addWidget(self._demo_view)
        return self._demo_view

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

            return open_office(folder, passphrase=passphrase, recovery_code=recovery_code)

        self._jobs.submit(
            work, self.opened.emit, lane=Lane.ACT, owner=self, failed=self._refused
        )

    def _unlock(self, passphrase: str, recovery_code: str) -> None:
        self.open_folder(self._folder, passphrase or None, recovery_code or None)

    def _refused(self, error: SiteMusterError) -> None:
        if error.code == "book_in_use" and self._call_other():
            self.elsewhere.emit()
            return
        if error.code in _LOCKED:
            self.unlock.show_folder(self._folder, error)
            self.stack.setCurrentWidget(self.unlock)
            return
        self._messages.error(error)
        self.show_welcome()

    def _call_other(self) -> bool:
        """The lock is held: if it is by a window, that one comes to the front."""
        from desktop.ui.single import raise_other

        return raise_other(self._folder)

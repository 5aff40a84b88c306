"""The first screen: make a book, open one, or try the demo site. Opening shows here too.

Opening goes through up to three doors: the key (:mod:`unlock`), the log-in (:mod:`login`) and,
where only the paper helped, a new everyday way (:mod:`recovered`).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFileDialog, QStackedWidget, QWidget

from desktop.errors import EnvironmentFault, SiteMusterError
from desktop.jobs import CancelToken, Progress
from desktop.ui.i18n import tr
from desktop.ui.jobs import JobRunner, Lane
from desktop.ui.pages.start.opening import OpeningView
from desktop.ui.pages.start.secret import Secret, company_key
from desktop.ui.preferences import Preferences
from desktop.ui.shell.message_bar import MessageBar
from desktop.ui.widgets.basics import column

if TYPE_CHECKING:
    from desktop.bootstrap import LockedOffice, Office
    from desktop.ui.pages.start.away import AwayView
    from desktop.ui.pages.start.demo import DemoView
    from desktop.ui.pages.start.login import Door
    from desktop.ui.pages.start.logins import Logins
    from desktop.ui.pages.start.recovered import RecoveredView
    from desktop.ui.pages.start.restore import Restored, RestoreView
    from desktop.ui.pages.start.unlock import UnlockView
    from desktop.ui.pages.start.welcome import WelcomeView
    from desktop.ui.pages.start.wizard import NewBookWizard

_LOCKED = {
    "passphrase_needed", "wrong_passphrase", "no_passphrase_slot", "keyring_unusable",
    "keyring_entry_missing", "keyring_entry_replaced", "wrong_recovery_code",
    "recovery_code_mistyped", "key_renewed", "no_company_slot", "wrong_company_key",
    "company_passphrase", "company_key_file", "company_key_newer", "company_key_unreadable",
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
        self._given = Secret()
        """What the opening under way was given; forgotten when it has ended."""
        self._recovers = False
        self.stack = QStackedWidget()
        column(self).addWidget(self.stack)
        self.opening = OpeningView()
        self.wizard: NewBookWizard | None = None
        self._unlock_view: UnlockView | None = None
        self._logins: Logins | None = None
        self._recovered: RecoveredView | None = None
        self._demo_view: DemoView | None = None
        self._restore_view: RestoreView | None = None
        self._away_view: AwayView | None = None
        self._told = ""
        """What is to be said once the book is open."""
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
            self._welcome.asked_restore.connect(lambda: self.show_restore(None, None))
            self._welcome.asked_recent.connect(lambda folder: self.open_folder(folder, None))
            self.stack.addWidget(self._welcome)
        return self._welcome

    @property
    def unlock(self) -> UnlockView:
        """The view that asks for a secret, made when first needed."""
        if self._unlock_view is None:
            from desktop.ui.pages.start.unlock import UnlockView

            self._unlock_view = UnlockView()
            self._unlock_view.given.connect(self._open)
            self._unlock_view.again.connect(lambda: self.open_folder(self._folder, None))
            self._unlock_view.left.connect(self.show_welcome)
            self.stack.addWidget(self._unlock_view)
        return self._unlock_view

    @property
    def logins(self) -> Logins:
        """Who enters a book with several users, made when first needed."""
        if self._logins is None:
            from desktop.ui.pages.start.logins import Logins

            self._logins = Logins(self._jobs, self.stack)
            self._logins.entered.connect(self._entered)
            self._logins.left.connect(self.show_welcome)
            self._logins.said.connect(self._messages.info)
        return self._logins

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

        self._drop_wizard()
        self.wizard = NewBookWizard(self._jobs, self._messages)
        self.wizard.left.connect(self.show_welcome)
        self.wizard.finished.connect(self._opened)
        self.stack.addWidget(self.wizard)
        self.stack.setCurrentWidget(self.wizard)

    def show_restore(self, bundle: Path | None, folder: Path | None) -> None:
        """Put a backup in place: of a book that was just closed, or on a new computer."""
        if self._restore_view is None:
            from desktop.ui.pages.start.restore import RestoreView

            self._restore_view = RestoreView(self._jobs)
            self._restore_view.restored.connect(self._restored)
            self._restore_view.left.connect(self._leave_restore)
            self.stack.addWidget(self._restore_view)
        self._folder = folder or Path()
        self._restore_view.show_for(bundle, folder)
        self.stack.setCurrentWidget(self._restore_view)

    def _leave_restore(self) -> None:
        """The book that was closed for it opens again."""
        if self._folder.name:
            self.open_folder(self._folder, None)
        else:
            self.show_welcome()

    def _restored(self, found: Restored) -> None:
        """Open what was restored, with the secret that served for it."""
        report = found.report
        said = [tr("已恢复到 {folder}，核对了 {n} 段。", folder=report.folder, n=report.ledger.segments)]
        if report.aside is not None:
            said.append(tr("原来的账本保留在 {path}。", path=report.aside))
        said += report.notes
        if report.missing:
            said.append(tr("备份里缺 {n} 份原始下载。", n=len(report.missing)))
        self._told = "".join(said)
        self._folder = report.folder
        self._open(found.secret)
        self._recovers = report.bind_offered  # elsewhere the usual way still opens it

    def show_demo(self) -> None:
        self.stack.setCurrentWidget(self.demo)

    def choose_folder(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, tr("选择账本文件夹"))
        if folder:
            self.open_folder(Path(folder), None)

    def open_folder(self, folder: Path, passphrase: str | None) -> None:
        """Open a book by its usual way, or by a passphrase."""
        self._folder = folder
        self._open(Secret(passphrase=passphrase))

    def close_door(self) -> None:
        """The window closes while nobody has entered: let go of the book."""
        if self._logins is not None:
            self._logins.close_door()

    def _open(self, secret: Secret) -> None:
        """In its lane; SQLAlchemy loads there, not before the first paint."""
        folder, self._recovers, self._given = self._folder, secret.recovers, secret
        self._begin()

        def work(progress: Progress, cancel: CancelToken) -> Office | Door:
            from desktop.bootstrap import open_locked

            return _entered_or_door(
                open_locked(
                    folder, passphrase=secret.passphrase, recovery_code=secret.recovery_code,
                    company=company_key(secret),
                )
            )

        self._jobs.submit(
            work, self._arrived, lane=Lane.ACT, owner=self, failed=self._refused
        )

    def _begin(self) -> None:
        self.opening.show_folder(self._folder)
        self.stack.setCurrentWidget(self.opening)

    def _arrived(self, found: Office | Door) -> None:
        from desktop.bootstrap import Office

        if isinstance(found, Office):
            self._entered(found)
        else:
            self.logins.show_door(self._folder, found)

    def _entered(self, office: Office) -> None:
        """Somebody is in: first a new everyday way where the usual one had failed."""
        if not self._recovers:
            self._opened(office)
            return
        from desktop.ui.pages.start.recovered import RecoveredView

        self._recovers = False
        self._recovered = RecoveredView(office, self._jobs)
        self._recovered.finished.connect(self._opened)
        self.stack.addWidget(self._recovered)
        self.stack.setCurrentWidget(self._recovered)

    def _opened(self, office: Office) -> None:
        """Nothing of the way in stays in a hidden widget: no secret, no name."""
        self.opened.emit(office)
        told, self._told = self._told, ""
        if told:
            self._messages.warn(told)
        self.stack.setCurrentWidget(self.opening)
        self._drop_wizard()
        self._forget_given()
        if self._unlock_view is not None:
            self._unlock_view.forget()
        if self._logins is not None:
            self._logins.forget()
        self._drop(self._recovered)
        self._recovered = None

    def _drop_wizard(self) -> None:
        self._drop(self.wizard)
        self.wizard = None

    def _drop(self, view: QWidget | None) -> None:
        if view is not None:
            self.stack.removeWidget(view)
            view.deleteLater()

    def _refused(self, error: SiteMusterError) -> None:
        if error.code == "book_in_use" and self._call_other():
            self.elsewhere.emit()
            return
        if error.code == "server_away" and isinstance(error, EnvironmentFault):
            self._show_away(error)
            return
        if error.code in _LOCKED:
            self.unlock.show_folder(self._folder, error)
            self.stack.setCurrentWidget(self.unlock)
            return
        self._messages.error(error)
        self.show_welcome()

    def _show_away(self, fault: EnvironmentFault) -> None:
        """Retry, or collect meanwhile."""
        if self._away_view is None:
            from desktop.ui.pages.start.away import AwayView

            self._away_view = AwayView(self._jobs)
            self._away_view.again.connect(lambda: self._open(self._given))
            self._away_view.left.connect(self._leave_away)
            self.stack.addWidget(self._away_view)
        self._away_view.show_folder(self._folder, fault, self._given)
        self.stack.setCurrentWidget(self._away_view)

    def _leave_away(self) -> None:
        self._forget_given()
        self.show_welcome()

    def _forget_given(self) -> None:
        self._given = Secret()
        if self._away_view is not None:
            self._away_view.forget()

    def _call_other(self) -> bool:
        """The lock is held: if it is by a window, that one comes to the front."""
        from desktop.ui.single import raise_other

        return raise_other(self._folder)


def _entered_or_door(locked: LockedOffice) -> Office | Door:
    """The office where nobody has to log in, else what the log-in needs to know."""
    try:
        if not locked.needs_login:
            return locked.without_login()
        from desktop.ui.pages.start.login import at_the_door

        return at_the_door(locked)
    except BaseException:
        locked.close()
        raise

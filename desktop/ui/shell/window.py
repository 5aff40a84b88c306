"""The main window: a welcome before a book is open, the shell while one is.

It owns the lanes and the open office, and closes politely: running work stops at a safe point
first. It knows pages by name only; their modules load when they are first shown. Locked, the shell
is taken down and the office stays (:mod:`desktop.ui.shell.lock`).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QByteArray, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QResizeEvent
from PySide6.QtWidgets import QMainWindow, QStackedWidget, QWidget

from desktop.ui import theme
from desktop.ui.i18n import tr
from desktop.ui.jobs import JobRunner, Lane
from desktop.ui.pages.start.page import StartPage
from desktop.ui.preferences import Preferences
from desktop.ui.shell.idle import IdleWatch
from desktop.ui.shell.message_bar import BusyStrip, MessageBar
from desktop.ui.widgets.basics import column
from desktop.ui.widgets.panel import ask_about_edits, confirm
from desktop.ui.workspace import Workspace

if TYPE_CHECKING:
    from desktop.bootstrap import Office
    from desktop.ui.drafts import Place
    from desktop.ui.shell.copied import Copied
    from desktop.ui.shell.daily import DailyBackup
    from desktop.ui.shell.frame import Frame
    from desktop.ui.shell.lock import Lock
    from desktop.ui.shell.neighbours import Neighbours
    from desktop.ui.single import WindowSignal

_SIZE = QSize(1440, 900)
_LEAST = QSize(900, 600)


class Window(QMainWindow):
    """``usable`` once a page of an open book has been painted and can be clicked."""

    usable = Signal()

    def __init__(self, preferences: Preferences) -> None:
        super().__init__()
        self.preferences = preferences
        self.jobs = JobRunner(self)
        self.office: Office | None = None
        self.frame: Frame | None = None
        self.idle = IdleWatch(self)
        self.idle.expired.connect(lambda: self.lock.lock(by_itself=True))
        self._lock: Lock | None = None
        self.copied: Copied | None = None
        self.neighbours: Neighbours | None = None
        self.daily: DailyBackup | None = None
        self._signal: WindowSignal | None = None
        self._ending = False
        self.setWindowTitle(tr("实名台"))
        self.resize(_SIZE)
        self.setMinimumSize(_LEAST)
        self._restore_size()
        self.messages = MessageBar()
        self.stack = QStackedWidget()
        self.start = StartPage(self.jobs, self.messages, preferences)
        self.start.opened.connect(self.take_office)
        self.start.elsewhere.connect(self.close)
        self.stack.addWidget(self.start)
        whole = QWidget()
        rows = column(whole, gap=0)
        self._rows = rows
        rows.addWidget(self.messages)
        rows.addWidget(self.stack, 1)
        self.busy = BusyStrip(self.jobs)
        rows.addWidget(self.busy)
        self.setCentralWidget(whole)
        self.jobs.idle.connect(self._maybe_end)
        self.jobs.unheard.connect(lambda title, error: self.lock.note_unheard(title, error))

    @property
    def lock(self) -> Lock:
        """What hides everything, made when first needed."""
        if self._lock is None:
            from desktop.ui.shell.lock import Lock

            self._lock = Lock(self)
        return self._lock

    def open_book(self, folder: Path, passphrase: str | None) -> None:
        """Open a book in the background; the welcome shows how it goes."""
        self.start.open_folder(folder, passphrase)

    def take_office(self, office: Office, place: Place | None = None) -> None:
        """Show the shell on an open book, at ``place`` where somebody comes back."""
        from desktop.ui.shell.frame import Frame

        self.office = office
        self.messages.hide()
        workspace = Workspace(office, self.jobs, self.messages, self.preferences, self)
        workspace.lock_minutes_changed.connect(self.idle.set_minutes)
        workspace.restore_asked.connect(self._restore)
        self.frame = Frame(workspace, self)
        self.frame.leave_asked.connect(self._leave_book)
        self.frame.lock_asked.connect(lambda: self.lock.lock())
        self.frame.log_out_asked.connect(lambda: self.lock.lock(for_another=True))
        self.frame.first_shown.connect(self._settled)
        self.frame.take_messages(self.messages)
        self.stack.addWidget(self.frame)
        self.stack.setCurrentWidget(self.frame)
        self.frame.start(place)

    def release_frame(self) -> Frame | None:
        """Take the shell out of the window; the message bar stays."""
        frame, self.frame = self.frame, None
        if frame is not None:
            self._rows.insertWidget(0, self.messages)
            self.stack.removeWidget(frame)
        return frame

    def close_book(self) -> None:
        """Close the book and show the welcome, after asking where something would be lost."""
        self._leave_book()

    def closeEvent(self, event: QCloseEvent) -> None:
        if self._ending and self.jobs.is_idle():
            self._finish()
            event.accept()
            return
        if not self._ending and not self._may_leave():
            event.ignore()
            return
        self._ending = True
        self.preferences.set_geometry(bytes(self.saveGeometry().toBase64().data()).decode())
        if self.jobs.is_idle():
            self._finish()
            event.accept()
            return
        event.ignore()
        self.messages.warn(tr("正在停下手头的工作，停稳后自动关闭。"))
        self.jobs.close()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self.frame is not None:
            self.frame.fit_width(self.width())

    def _settled(self) -> None:
        """A page is painted: now what can wait, above all listening for a second start."""
        from desktop.ui.single import WindowSignal

        self.usable.emit()
        if self.copied is None:
            from desktop.ui.shell.copied import Copied

            self.copied = Copied(self)
        if self.office is not None:
            self.idle.start(
                self.preferences.lock_minutes, self.office.desk.clock, self.windowHandle()
            )
            if self._signal is None:
                self.preferences.remember_book(self.office.book.path)
                self._signal = WindowSignal(self.office.book.path, self)
                self._signal.asked.connect(self._come_forward)
                self._meet_book(self.office)

    def _meet_book(self, office: Office) -> None:
        """Once per opening: what was found worth telling; then the day's backup, and listening to
        other computers."""
        from desktop.ui.shell.daily import DailyBackup

        self.daily = DailyBackup(self)
        if office.book.notices:
            self.messages.warn("".join(office.book.notices))
        if office.book.server is not None:
            from desktop.ui.shell.neighbours import Neighbours

            self.neighbours = Neighbours(self, office)

    def _part_from_book(self) -> None:
        if self.daily is not None:
            self.daily.stop()
            self.daily.deleteLater()
            self.daily = None
        neighbours, self.neighbours = self.neighbours, None
        if neighbours is not None:
            neighbours.stop()
            neighbours.deleteLater()

    def _may_leave(self) -> bool:
        """True unless the user wants to finish what is typed somewhere."""
        waiting = self._lock.unsaved() if self._lock is not None else []
        if self.frame is not None:
            waiting += self.frame.kept_drafts()
        if waiting and not confirm(
            self, tr("还有没保存的改动"),
            tr("锁定前的改动还没有保存（{what}）。关掉就没有了。", what="；".join(waiting)),
            tr("放弃改动并关闭"),
        ):
            return False
        if self.frame is None:
            return True
        for page in self.frame.dirty_pages():
            self.frame.show_page(page.name)
            if ask_about_edits(self, page.accessibleName()) != "drop":
                return False
        return True

    def _restore(self, bundle: Path) -> None:
        """Close the book and offer the backup for its place."""
        folder = self.office.book.path if self.office is not None else None
        if self._leave_book():
            self.start.show_restore(bundle, folder)

    def _leave_book(self) -> bool:
        """Back to the welcome, the book closed in its own lane; False if the user stayed."""
        if self.office is None or not self._may_leave():
            return False
        self._part_from_book()
        office, self.office = self.office, None
        self.idle.stop()
        if self._signal is not None:
            self._signal.close()
            self._signal = None
        frame = self.release_frame()
        if frame is not None:
            frame.workspace.deleteLater()
            frame.deleteLater()
        if self._lock is not None:
            self._lock.forget()
        self.stack.setCurrentWidget(self.start)
        self.start.show_welcome()
        self.jobs.submit(
            lambda progress, cancel: office.close(), lambda _: None,
            lane=Lane.ACT, owner=self, failed=self.messages.error, title=tr("关闭账本"),
        )
        return True

    def _maybe_end(self) -> None:
        if self._ending:
            QTimer.singleShot(0, self.close)

    def _finish(self) -> None:
        self.jobs.shut_down()
        if self._signal is not None:
            self._signal.close()
        self.start.close_door()
        self._part_from_book()
        if self.office is not None:
            self.office.close()
            self.office = None

    def _come_forward(self) -> None:
        self.setWindowState(
            (self.windowState() & ~Qt.WindowState.WindowMinimized) | Qt.WindowState.WindowActive
        )
        self.raise_()
        self.activateWindow()

    def _restore_size(self) -> None:
        kept = self.preferences.geometry
        if kept:
            self.restoreGeometry(QByteArray.fromBase64(kept.encode()))
        else:
            room = self.screen().availableSize()
            self.resize(_SIZE.boundedTo(room - QSize(4 * theme.GRID, 6 * theme.GRID)))

"""Locks the window: everything that may name a person leaves the widgets, work goes on behind.

The shell is not covered but taken down: pages, panels, models, completers and dialogs are deleted,
the clipboard is emptied if we filled it, and who comes back gets a new shell at the same place.
What was typed and not saved is kept as plain values meanwhile (:mod:`desktop.ui.drafts`), for
whoever typed it and for nobody else.
"""

from __future__ import annotations

import gc
import logging
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QAbstractItemModel, QCoreApplication, QEvent, QObject, QThread, QTimer
from PySide6.QtWidgets import QAbstractItemView, QApplication, QDialog, QLabel, QMenu, QWidget
from shiboken6 import delete, isValid

from desktop.access.actor import Act
from desktop.access.matrix import ROLE_NAMES
from desktop.errors import SiteMusterError
from desktop.ui.actions import PAGES
from desktop.ui.drafts import Place
from desktop.ui.i18n import moment_text, tr
from desktop.ui.jobs import Lane
from desktop.ui.shell.lock_view import Held, LockView

if TYPE_CHECKING:
    from desktop.access.desk import Desk
    from desktop.bootstrap import Office
    from desktop.ui.shell.window import Window

_log = logging.getLogger(__name__)
_AGAIN_MS = 20


class Lock(QObject):
    """One per window, main thread. Secrets are tried in the POOL lane: the ACT lane may be busy
    collecting for minutes."""

    def __init__(self, window: Window) -> None:
        super().__init__(window)
        self._window = window
        self._view: LockView | None = None
        self._places: dict[str, Place] = {}
        """Where each user was when he locked, by his name."""
        self.is_locked = False
        self._unheard: list[tuple[bool, str]] = []

    @property
    def view(self) -> LockView:
        """The lock screen, made when first needed."""
        if self._view is None:
            self._view = LockView()
            self._view.given.connect(self._try)
            self._view.others_asked.connect(self._show_others)
            self._view.closed.connect(self._window.close_book)
            self._window.stack.addWidget(self._view)
        return self._view

    def lock(self, *, by_itself: bool = False, for_another: bool = False) -> None:
        """Hide everything now; ``for_another`` goes straight to the log-in of somebody else."""
        window, office = self._window, self._window.office
        if self.is_locked or window.frame is None or office is None:
            return
        self.is_locked = True
        window.idle.stop()
        place = window.frame.place()
        self._places[office.desk.actor.name] = place
        window.messages.hold()
        window.busy.veil(True)
        desk, at = office.desk, moment_text(office.desk.clock.now())
        unsaved = [tr(PAGES[draft.page].text) for draft in place.drafts]

        def held(asks: str, others: bool) -> Held:
            actor = desk.actor
            return Held(actor.name, tr(ROLE_NAMES[actor.role]), at, by_itself, asks, unsaved, others)

        def known(found: tuple[str, bool]) -> None:
            if self.is_locked and window.office is office:
                self.view.show_held(held(*found))
                if for_another:
                    self._show_others()

        self.view.busy(True)
        window.stack.setCurrentWidget(self.view)
        if window.copied is not None:
            window.copied.take_back()
        _close_dialogs(window)
        fallback = ("passphrase" if desk.actor.user_id is None else "password", False)
        window.jobs.submit(
            lambda progress, cancel: what_opens(office), known, lane=Lane.POOL, owner=self,
            failed=lambda error: known(fallback),
        )
        self._take_down()

    def note_unheard(self, title: str, error: SiteMusterError | None) -> None:
        """A job ended that nobody was there to hear of; told when the window is open again."""
        said = (
            tr("{title}：已完成。", title=title) if error is None
            else tr("{title}没有完成：{why}", title=title, why=error.message)
        )
        self._unheard.append((error is None, said))
        if not self.is_locked:
            self._tell_unheard()

    def unsaved(self) -> list[str]:
        """``name：pages`` of everybody whose edits wait in memory."""
        return [
            tr("{name}：{pages}", name=name, pages="、".join(tr(PAGES[d.page].text) for d in place.drafts))
            for name, place in self._places.items() if place.drafts
        ]

    def forget(self) -> None:
        """The book is closed; nothing of it is kept."""
        self._places.clear()
        self._unheard.clear()
        self.is_locked = False
        if self._view is not None:
            self._view.forget()
        self._window.messages.release()
        self._window.busy.veil(False)

    def _take_down(self) -> None:
        """Delete the shell; not inside a dialog's or menu's own loop, whose code still runs."""
        if QThread.currentThread().loopLevel() > 1 or QApplication.activePopupWidget() is not None:
            _close_dialogs(self._window)
            QTimer.singleShot(_AGAIN_MS, self, self._take_down)
            return
        if not self.is_locked:
            return
        QTimer.singleShot(0, self, self._delete_shell)

    def _delete_shell(self) -> None:
        if not self.is_locked:
            return
        frame = self._window.release_frame()
        if frame is not None:
            models = _models_of(frame)
            delete(frame.workspace)
            delete(frame)
            for model in models:
                if isValid(model):
                    delete(model)
        for widget in QApplication.topLevelWidgets():
            if isinstance(widget, QDialog | QMenu) and widget.window() is not self._window:
                widget.deleteLater()
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        gc.unfreeze()  # the start froze what it made; pages of that time must go as well
        gc.collect()

    def _show_others(self) -> None:
        """Ask the book who may log in."""
        office = self._window.office
        if office is None:
            return
        book = office.book

        def work(progress: Any, cancel: Any) -> list[str]:
            from desktop.access.login import user_names

            with book.read() as session:
                return user_names(session)

        self._window.jobs.submit(
            work, self.view.show_others, lane=Lane.POOL, owner=self, failed=self.view.refuse
        )

    def _try(self, name: str, secret: str) -> None:
        """One attempt: of who locked the window (``name`` empty), or of somebody else."""
        office, held = self._window.office, self.view.held
        if office is None or held is None:
            return
        desk, asks = office.desk, held.asks
        self.view.busy(True)

        def work(progress: Any, cancel: Any) -> Office:
            if name:
                return log_in_at(desk, name, secret)
            unlock(office, asks, secret)
            return office

        self._window.jobs.submit(
            work, self._open, lane=Lane.POOL, owner=self, failed=self.view.refuse
        )

    def _open(self, office: Office) -> None:
        window = self._window
        if window.frame is not None:  # the shell is still being taken down
            QTimer.singleShot(_AGAIN_MS, self, lambda: self._open(office))
            return
        self.is_locked = False
        self.view.forget()
        window.messages.release()
        window.busy.veil(False)
        window.take_office(office, self._places.pop(office.desk.actor.name, None))
        self._tell_unheard()

    def _tell_unheard(self) -> None:
        told, self._unheard = self._unheard, []
        frame = self._window.frame
        if told and frame is not None:
            from desktop.ui.changes import Changes

            frame.workspace.bus.tell(~Changes.NONE)
            say = self._window.messages.info if all(well for well, _ in told) else (
                self._window.messages.warn
            )
            say("".join(said for _, said in told[-3:]))


def what_opens(office: Office) -> tuple[str, bool]:
    """Note the lock in the trail; what opens it again, and whether others may log in."""
    from desktop.access.login import has_password, login_needed

    with office.book.read() as session:
        others, own = login_needed(session), has_password(session, office.desk.actor)
    try:
        office.note_locked()
    except SiteMusterError as error:  # a full disk must not keep the window open
        _log.warning("the lock could not be noted: %s", error.code)
    if own:
        return "password", others
    # A demo carries its passphrase beside it: asking for that would protect nothing.
    return ("passphrase" if office.lockable and not office.book.demo else ""), others


def unlock(office: Office, asks: str, secret: str) -> None:
    """Return if ``secret`` is what the lock asks for; raise :class:`Refused` otherwise."""
    if asks:
        office.check_password(secret)
        return
    with office.book.write() as session:
        office.desk.audit(session, Act.SCREEN_UNLOCKED, "book", by="nothing")


def log_in_at(desk: Desk, name: str, password: str) -> Office:
    """Somebody else takes the desk of the same open book."""
    from desktop.bootstrap import LockedOffice

    return LockedOffice(desk.book, desk.project_id).log_in(name, password)


def _models_of(widget: QWidget) -> list[QAbstractItemModel]:
    """Models of views and completers: Python owns them, they do not die with the widgets."""
    from PySide6.QtWidgets import QCompleter

    views: list[Any] = [*widget.findChildren(QAbstractItemView), *widget.findChildren(QCompleter)]
    return [model for view in views if (model := view.model()) is not None]


def _close_dialogs(window: QWidget) -> None:
    """Dialogs end as if the user had stopped; popups and tips go as well."""
    for widget in QApplication.topLevelWidgets():
        if widget is window:
            continue
        if isinstance(widget, QDialog):
            widget.reject()
        elif isinstance(widget, QLabel):  # a tool tip hides itself only after a while
            widget.setText("")
            widget.hide()
        else:
            widget.close()

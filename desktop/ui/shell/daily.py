"""The day's backup, made by itself while the book is open: in the background, never in the way.

Whether one is due is asked in the READ lane; the backup itself runs in the POOL, so that neither
collecting nor reading waits for it. It is made by whoever is logged in, if he may.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QTimer

from desktop.access.actor import Act, may
from desktop.errors import Cancelled, SiteMusterError
from desktop.ui.changes import Changes
from desktop.ui.i18n import tr
from desktop.ui.jobs import Lane

if TYPE_CHECKING:
    from desktop.bootstrap import Office
    from desktop.ui.shell.window import Window

_log = logging.getLogger(__name__)
_FIRST_MS = 60_000
"""Not while the first pages are looked at."""
_EVERY_MS = 20 * 60_000


class DailyBackup(QObject):
    """One per open book, from the first page on; goes on while the window is locked."""

    def __init__(self, window: Window) -> None:
        super().__init__(window)
        self._window = window
        self._asking = False
        self._timer = QTimer(self)
        self._timer.timeout.connect(self.look)
        self._timer.start(_FIRST_MS)

    def stop(self) -> None:
        """The book is being closed."""
        self._timer.stop()

    def look(self) -> None:
        """Make the backup if one is due."""
        self._timer.setInterval(_EVERY_MS)
        office = self._window.office
        if office is None or self._asking or office.away or not may(office.desk.actor, Act.BACKUP_CREATED):
            return
        if office.book.demo or office.book.dialect != "sqlite":
            return
        self._asking = True

        def work(progress: Any, cancel: Any) -> bool:
            from desktop.access.backup_desk import due

            return due(office.book, office.desk.clock.now())

        def answered(wanted: bool) -> None:
            if wanted and self._window.office is not None:
                self._back_up(office)
            else:
                self._asking = False

        self._window.jobs.submit(
            work, answered, lane=Lane.READ, owner=self, failed=self._failed
        )

    def _back_up(self, office: Office) -> None:
        desk, messages = office.desk, self._window.messages

        def work(progress: Any, cancel: Any) -> Any:
            from desktop.access.backup_desk import create_backup

            return create_backup(desk, reason="daily", progress=progress, cancel=cancel)

        def done(info: Any) -> None:
            self._asking = False
            if info.second_ok is False:
                messages.warn(tr("今天的备份已做好。") + info.second)
            else:
                messages.info(tr("今天的备份已做好并核验。"))
            frame = self._window.frame
            if frame is not None:
                frame.workspace.bus.tell(Changes.CUSTODY)

        self._window.jobs.submit(
            work, done, lane=Lane.POOL, owner=self, failed=self._failed, title=tr("每日备份")
        )

    def _failed(self, error: SiteMusterError) -> None:
        """Said once; the next look tries again."""
        self._asking = False
        if isinstance(error, Cancelled):
            return
        _log.warning("the daily backup was not made: %s", error.code)
        self._window.messages.error(error)

"""What other computers did to a shared book, told to the pages; and whether the server is there.

The watcher has a thread of its own; everything arrives on the main thread through queued signals.
What waited on this PC goes into the book as soon as the server is back.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Qt, Signal

from desktop.storage.watch import Area, Watch
from desktop.ui.changes import Changes
from desktop.ui.i18n import tr
from desktop.ui.jobs import Lane

if TYPE_CHECKING:
    from desktop.bootstrap import Office
    from desktop.ui.shell.window import Window

CHANGES: Mapping[Area, Changes] = {
    Area.SITE: Changes.SITE, Area.PEOPLE: Changes.PEOPLE, Area.TERMINALS: Changes.TERMINALS,
    Area.PUNCHES: Changes.PUNCHES, Area.CALENDAR: Changes.CALENDAR, Area.MONTHS: Changes.MONTHS,
    Area.BOARD: Changes.BOARD, Area.USERS: Changes.CUSTODY, Area.AUDIT: Changes.CUSTODY,
    Area.RETENTION: Changes.CUSTODY,
}


class Neighbours(QObject):
    """One per open server book, from the first page on until the book is closed."""

    _changed = Signal(object)
    _reached = Signal(bool)

    def __init__(self, window: Window, office: Office) -> None:
        super().__init__(window)
        self._window, self._office = window, office
        self.here = True
        """Whether the server answered last."""
        queued = Qt.ConnectionType.QueuedConnection
        self._changed.connect(self._tell, queued)
        self._reached.connect(self._server_went_or_came, queued)
        self._watch = Watch(office.book, self._changed.emit, self._reached.emit)
        self._watch.start()

    def stop(self) -> None:
        """Before the book is closed; waits for the watcher's thread."""
        self._watch.stop()

    def _tell(self, areas: frozenset[Area]) -> None:
        gathered = Changes.NONE
        for area in areas:
            gathered |= CHANGES[area]
        self._bus_tell(gathered)

    def _bus_tell(self, what: Changes) -> None:
        frame = self._window.frame
        if frame is not None:
            frame.workspace.bus.tell(what)

    def _server_went_or_came(self, here: bool) -> None:
        self.here = here
        if not here:
            self._window.messages.warn(
                tr("连不上服务器。采集照常，记录先存在本机，恢复后自动入账；其他改动要等连上再做。程序会自己重连。")
            )
            self._bus_tell(Changes.TERMINALS)
            return
        book, project_id = self._office.book, self._office.project_id

        def work(progress: Any, cancel: Any) -> list[str]:
            from desktop.punches.late import store_waiting

            return store_waiting(book, project_id, progress=progress, cancel=cancel).sentences()

        def done(sentences: list[str]) -> None:
            self._window.messages.info(tr("又连上服务器了。") + "".join(sentences))
            self._bus_tell(~Changes.NONE)

        self._window.jobs.submit(
            work, done, lane=Lane.POOL, owner=self, failed=self._window.messages.error,
            title=tr("等待的记录入账"),
        )

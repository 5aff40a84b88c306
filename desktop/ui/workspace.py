"""What a page is given: the open office, the lanes, the change bus, the month, the message bar.

Pages ask through :meth:`Workspace.read`, naming the area they look at, and act through
:meth:`Workspace.act`; both deliver on the main thread, and neither lets a page hold a session. Who
may see and do what is the services' business: the window only asks, to hide what would be refused.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from PySide6.QtCore import QObject, Signal

from desktop.access.actor import Act, View, may, may_look
from desktop.errors import Cancelled, Conflict, SiteMusterError
from desktop.jobs import CancelToken, Progress
from desktop.ui.actions import Command, PageName
from desktop.ui.changes import ChangeBus, Changes
from desktop.ui.i18n import tr
from desktop.ui.jobs import Job, JobRunner, Lane

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from desktop.access.desk import Desk
    from desktop.bootstrap import Office
    from desktop.ui.preferences import Preferences


class Messages(Protocol):
    """Where sentences for the user go."""

    def info(
        self, text: str, act: str = "", do: Callable[[], object] | None = None
    ) -> None:
        """Something was done; ``act`` names a button that does ``do``."""

    def warn(
        self, text: str, act: str = "", do: Callable[[], object] | None = None
    ) -> None:
        """Done, but look at it."""

    def error(
        self, error: SiteMusterError, act: str = "", do: Callable[[], object] | None = None
    ) -> None:
        """Refused or failed, with the next step in the sentence."""


class Workspace(QObject):
    """One per open book; main thread. ``moved(page, target)`` asks the shell to change page,
    ``command_asked(command)`` to carry out an act of another page, ``restore_asked(bundle)`` to
    close the book and put a backup in its place."""

    month_changed = Signal(str)
    moved = Signal(object, object)
    command_asked = Signal(object)
    lock_minutes_changed = Signal(int)
    restore_asked = Signal(object)

    def __init__(
        self,
        office: Office,
        jobs: JobRunner,
        messages: Messages,
        preferences: Preferences,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.office = office
        self.jobs = jobs
        self.messages = messages
        self.preferences = preferences
        self.bus = ChangeBus(self)
        today = office.desk.clock.today()
        self._month = f"{today:%Y-%m}"

    @property
    def desk(self) -> Desk:
        return self.office.desk

    @property
    def project_id(self) -> int:
        return self.office.project_id

    def sees(self, view: View) -> bool:
        """Whether who is logged in may look at ``view``."""
        return may_look(self.desk.actor, view)

    def may(self, act: Act) -> bool:
        """Whether who is logged in may do ``act``."""
        return may(self.desk.actor, act)

    @property
    def month(self) -> str:
        """The month all pages speak of, ``YYYY-MM``."""
        return self._month

    def set_month(self, month: str) -> None:
        if month != self._month:
            self._month = month
            self.month_changed.emit(month)

    def set_lock_minutes(self, minutes: int) -> None:
        """Lock after so many idle minutes, here and now and at the next start."""
        self.preferences.set_lock_minutes(minutes)
        self.lock_minutes_changed.emit(minutes)

    def go(self, page: PageName, **target: Any) -> None:
        """Show ``page``; ``target`` is understood by that page alone."""
        self.moved.emit(page, target)

    def read(
        self,
        query: Callable[[Session], Any],
        done: Callable[[Any], None],
        *,
        view: View,
        owner: QObject,
        key: str = "",
        failed: Callable[[SiteMusterError], None] | None = None,
    ) -> Job:
        """Answer ``query`` about ``view`` in the READ lane; of equal ``key`` only the newest is
        delivered."""
        desk = self.desk

        def work(progress: Progress, cancel: CancelToken) -> Any:
            with desk.look(view) as session:
                return query(session)

        return self.jobs.submit(
            work, done, lane=Lane.READ, owner=owner, failed=failed or self.report, key=key
        )

    def act(
        self,
        work: Callable[[Desk, Progress, CancelToken], Any],
        done: Callable[[Any], None],
        *,
        title: str,
        owner: QObject,
        changes: Changes = Changes.NONE,
        failed: Callable[[SiteMusterError], None] | None = None,
        lane: Lane = Lane.ACT,
    ) -> Job:
        """Do ``work`` in the ACT lane; ``changes`` are told also when it failed half-way. Long work
        that need not wait for a pull, such as a backup, goes into the POOL."""
        desk = self.desk

        def finish(result: Any) -> None:
            self.bus.tell(changes)
            done(result)

        def fail(error: SiteMusterError) -> None:
            self.bus.tell(changes)
            (failed or self.report)(error)

        return self.jobs.submit(
            lambda progress, cancel: work(desk, progress, cancel), finish,
            lane=lane, owner=owner, failed=fail, title=title,
        )

    def report(self, error: SiteMusterError) -> None:
        """The usual end of a failed job; somebody else's change offers to be looked at, and who
        was given another role logs in anew."""
        if isinstance(error, Cancelled):
            self.messages.info(error.message)
        elif isinstance(error, Conflict):
            self.messages.error(error, tr("刷新"), lambda: self.bus.tell(~Changes.NONE))
        elif error.code == "user_changed":
            again = Command.LOG_OUT
            self.messages.error(error, tr("重新登录"), lambda: self.command_asked.emit(again))
        else:
            self.messages.error(error)

"""The one bridge between work and the window: lanes of threads, results on the main thread.

Work is a plain function ``work(progress, cancel)`` that knows no widget. Two lanes touch the book,
each with a single thread: READ for what screens show, ACT for what changes the book (a pull may
take minutes; readers never wait for the writer). POOL is for work without the book, such as
drawing pages. No second event loop, no ``processEvents``, no ``QThread`` subclasses.
"""

from __future__ import annotations

import enum
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal
from shiboken6 import isValid

from desktop.errors import Cancelled, SiteMusterError
from desktop.jobs import CancelToken, Progress

Work = Callable[[Progress, CancelToken], Any]

_PROGRESS_MS = 90


class Lane(enum.Enum):
    """Where a job runs; the jobs of READ and of ACT never overlap their own kind."""

    READ = "read"
    ACT = "act"
    POOL = "pool"


_THREADS = {Lane.READ: 1, Lane.ACT: 1, Lane.POOL: 2}


class Job:
    """One submitted piece of work; its token may be set from any thread."""

    def __init__(self, title: str, lane: Lane, key: tuple[int, str] | None) -> None:
        self.title = title
        self.lane = lane
        self.key = key
        self.cancel = CancelToken()
        self.progress: tuple[int, int, str] = (0, 0, "")
        self.outdated = False
        self.future: Future[None] | None = None

    def report(self, done: int, total: int, text: str) -> None:
        """Called by the worker; the main thread looks at its own pace."""
        self.progress = (done, total, text)


class JobRunner(QObject):
    """Owns the lanes. Lives on the main thread as long as the window.

    ``changed``: a titled job began, ended or moved on. ``crashed(exception)``: work raised what
    nobody foresaw. ``idle``: nothing is running any more. ``unheard(title, error)``: a titled job
    ended (``error`` None: well) whose owner is gone, as all pages are while the window is locked.
    """

    changed = Signal()
    crashed = Signal(object)
    idle = Signal()
    unheard = Signal(str, object)
    _finished = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._pools = {
            lane: ThreadPoolExecutor(threads, f"lane-{lane.value}")
            for lane, threads in _THREADS.items()
        }
        self._jobs: list[Job] = []
        self._latest: dict[tuple[int, str], Job] = {}
        self._main = threading.get_ident()
        self._closing = False
        self._finished.connect(self._deliver)
        self._ticker = QTimer(self)
        self._ticker.setInterval(_PROGRESS_MS)
        self._ticker.timeout.connect(self._tick)

    def submit(
        self,
        work: Work,
        done: Callable[[Any], None],
        *,
        lane: Lane,
        owner: QObject,
        failed: Callable[[SiteMusterError], None],
        title: str = "",
        key: str = "",
    ) -> Job:
        """Run ``work`` and call ``done(result)`` or ``failed(error)`` on the main thread.

        Nothing is called once ``owner`` is gone. Of jobs with the same ``owner`` and ``key`` only
        the newest delivers. A ``title`` puts the job into the busy strip, with a cancel button.
        """
        assert threading.get_ident() == self._main
        job = Job(title, lane, (id(owner), key) if key else None)
        if job.key is not None:
            previous = self._latest.get(job.key)
            if previous is not None:
                previous.outdated = True
                previous.cancel.set()
            self._latest[job.key] = job
        if self._closing:
            return job
        self._jobs.append(job)
        job.future = self._pools[lane].submit(self._run, job, work, (owner, done, failed))
        if title:
            self._ticker.start()
            self.changed.emit()
        return job

    def shown(self) -> list[Job]:
        """Titled jobs that are running or waiting, oldest first."""
        return [job for job in self._jobs if job.title]

    def is_idle(self) -> bool:
        """Nothing runs and nothing waits."""
        return not self._jobs

    def close(self) -> None:
        """Take nothing new and ask everything to stop; ``idle`` follows, perhaps at once."""
        self._closing = True
        for job in self._jobs:
            job.cancel.set()
        if self.is_idle():
            self.idle.emit()

    def shut_down(self) -> None:
        """Join the threads; after ``idle`` this returns at once."""
        self._closing = True
        for pool in self._pools.values():
            pool.shutdown(wait=True, cancel_futures=True)

    def _run(self, job: Job, work: Work, ends: Any) -> None:
        result: Any = None
        error: BaseException | None = None
        try:
            if not job.outdated:
                result = work(job.report, job.cancel)
        except BaseException as raised:  # noqa: BLE001 (the border: everything reaches the user)
            error = raised
        self._finished.emit((job, result, error, ends))

    def _deliver(self, parcel: Any) -> None:
        job: Job = parcel[0]
        result, error, (owner, done, failed) = parcel[1:]
        self._jobs.remove(job)
        if job.key is not None and self._latest.get(job.key) is job:
            del self._latest[job.key]
        if not self.shown():
            self._ticker.stop()
        if job.title:
            self.changed.emit()
        try:
            if isValid(owner) and not job.outdated:
                self._hand_over(result, error, done, failed)
            elif job.title and not job.outdated:
                self._tell_unheard(job, error)
        finally:
            if self.is_idle():
                self.idle.emit()

    def _hand_over(
        self,
        result: Any,
        error: BaseException | None,
        done: Callable[[Any], None],
        failed: Callable[[SiteMusterError], None],
    ) -> None:
        if error is None:
            if not self._closing:
                done(result)
        elif isinstance(error, SiteMusterError):
            if not (self._closing and isinstance(error, Cancelled)):
                failed(error)
        else:
            failed(_unexpected())
            self.crashed.emit(error)

    def _tell_unheard(self, job: Job, error: BaseException | None) -> None:
        if error is None or isinstance(error, SiteMusterError):
            self.unheard.emit(job.title, error)
        else:
            self.unheard.emit(job.title, _unexpected())
            self.crashed.emit(error)

    def _tick(self) -> None:
        self.changed.emit()


def _unexpected() -> SiteMusterError:
    return SiteMusterError("unexpected", "程序遇到意外问题，这一步没有完成，账本内容不受影响。")

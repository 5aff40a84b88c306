"""Notices that nobody has touched the window for a while, so that it can be locked.

It looks at the system windows only, never at every event of every widget, and counts with Qt's
monotonic timer and with the book's clock: a laptop that slept has been idle too.
"""

from __future__ import annotations

from datetime import datetime

from PySide6.QtCore import QElapsedTimer, QEvent, QObject, QTimer, Signal
from PySide6.QtGui import QGuiApplication, QWindow

from desktop.clock import Clock

_LOOK_MS = 5_000
_TOUCHES = frozenset({
    QEvent.Type.KeyPress, QEvent.Type.MouseButtonPress, QEvent.Type.MouseMove, QEvent.Type.Wheel,
    QEvent.Type.TouchBegin, QEvent.Type.TabletPress,
})


class IdleWatch(QObject):
    """``expired`` once after ``minutes`` without key, mouse, wheel or touch; then it sleeps until
    :meth:`start`. Main thread; one per window."""

    expired = Signal()

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._minutes = 0
        self._clock: Clock | None = None
        self._since = QElapsedTimer()
        self._touched_at: datetime | None = None
        self._timer = QTimer(self)
        self._timer.setInterval(_LOOK_MS)
        self._timer.timeout.connect(self.look)

    def start(self, minutes: int, clock: Clock, window: QWindow | None) -> None:
        """Count from now on; ``window`` is listened to before it ever had the focus."""
        self._minutes, self._clock = minutes, clock
        app = QGuiApplication.instance()
        assert isinstance(app, QGuiApplication)
        if not self._timer.isActive():
            app.focusWindowChanged.connect(self._watch)
        for one in (window, app.focusWindow()):
            self._watch(one)
        self.touch()
        self._timer.start()

    def stop(self) -> None:
        """Nothing to lock any more."""
        if self._timer.isActive():
            self._timer.stop()
            app = QGuiApplication.instance()
            assert isinstance(app, QGuiApplication)
            app.focusWindowChanged.disconnect(self._watch)

    def set_minutes(self, minutes: int) -> None:
        """Another limit, from the last touch on."""
        self._minutes = minutes

    def touch(self) -> None:
        """Somebody is there."""
        self._since.start()
        self._touched_at = self._clock.now() if self._clock is not None else None

    def idle_s(self) -> float:
        """Seconds since the last touch, by whichever clock saw more of them."""
        counted = self._since.elapsed() / 1000 if self._since.isValid() else 0.0
        if self._clock is None or self._touched_at is None:
            return counted
        return max(counted, (self._clock.now() - self._touched_at).total_seconds())

    def look(self) -> None:
        """Ask now; the timer does it by itself."""
        if self._timer.isActive() and self.idle_s() >= 60 * self._minutes:
            self.stop()
            self.expired.emit()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in _TOUCHES:
            self.touch()
        return False

    def _watch(self, window: QWindow | None) -> None:
        """Dialogs are windows of their own: whichever has the focus is listened to."""
        if window is not None:
            window.removeEventFilter(self)
            window.installEventFilter(self)

"""(f) From starting the program to a window that can be worked with, beside a minimal window.

Both sides count from before their process is started. Ours opens a book of 300 people (by a slot
without work factor, as long as by the raw key) and is usable when the first list, the tasks of
今日, has been painted and the event loop is free again; a click on a task must then do something.
The minimal side shows a main window with a filled list and nothing else.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from statistics import median
from threading import Timer
from typing import TYPE_CHECKING, Any

from benchmarks.child import Meter
from benchmarks.harness import (
    Figure,
    Run,
    Scale,
    Side,
    SideFailed,
    alternate,
    prepare,
    ratio,
    run,
    seconds,
    short,
)

if TYPE_CHECKING:
    from PySide6.QtCore import QObject
    from PySide6.QtWidgets import QWidget

    from desktop.ui.shell.window import Window

TITLE = "from start to a usable window, beside a minimal PySide6 window"

PEOPLE = 300
_TEAMS = 12
_PATIENCE_S = 90
_HOMES = ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME")


def measure(work: Path, scale: Scale) -> list[Figure]:
    book = str(work / "book")
    prepare("benchmarks.window:book_with_tasks", folder=book, people=scale.of(PEOPLE, PEOPLE))
    given = {"folder": book, "home": str(work / "home")}
    sides = [
        Side("benchmarks.window:whole", given), Side("benchmarks.window:minimal", {"home": given["home"]}),
    ]
    for side in sides:
        run(side)  # compiled modules and the disk's cache, for both
    ours, minimal = alternate(1 if scale.repeats == 1 else scale.repeats + 2, sides)
    if not all(one.facts["clicked"] for one in ours):
        raise SideFailed("the first list did not take a click")
    roster = [_until(one, "roster_s") for one in ours]
    return [
        Figure(
            "f", "usable: first list painted, clickable / minimal window", seconds(ours),
            seconds(minimal), ratio(ours, minimal), "×", 4,
        ),
        Figure(
            "f", "  own window painted, book not yet open / minimal", _stage(ours, "painted_s"),
            seconds(minimal), ratio([_until(one, "painted_s") for one in ours], minimal), "×",
        ),
        Figure(
            "f", "  and then the roster asked for and painted / minimal", _stage(ours, "roster_s"),
            seconds(minimal), ratio(roster, minimal), "×",
        ),
    ]


def _until(one: Run, stage: str) -> Run:
    """The run as if it had been measured to another stage."""
    return Run(one.facts[stage], 0.0, one.peak_mb, one.idle_mb, one.facts)


def _stage(runs: list[Run], stage: str) -> str:
    return f"{short(median(one.facts[stage] for one in runs))} s"


# ── the sides ───────────────────────────────────────────────────────────────────────────────────


def whole(meter: Meter, folder: str, home: str) -> dict[str, Any]:
    """The program's own start, closed again by itself."""
    _private(home)
    from benchmarks.site import PASSPHRASE
    from desktop.ui.app import run_window
    from desktop.ui.shell.window import Window

    visit = _Visit(meter)
    patience = Timer(_PATIENCE_S, visit.give_up)
    patience.daemon = True
    patience.start()
    shown = Window.showEvent

    def note_first_paint(window: Any, event: Any) -> None:
        shown(window, event)
        _after_paint(window, visit.window_painted)

    Window.showEvent = note_first_paint  # type: ignore[method-assign]
    run_window(Path(folder), PASSPHRASE, on_usable=visit.book_open)
    patience.cancel()
    if visit.stage != "done":
        raise SideFailed(f"the window stopped at: {visit.stage}")
    return visit.facts


class _Visit:
    """What the user would see, stage by stage; closes the window at the end."""

    def __init__(self, meter: Meter) -> None:
        self.facts: dict[str, Any] = {}
        self.stage = "start"
        self._meter = meter
        self._window: Any = None
        self._cost = (0.0, 0.0)

    def window_painted(self) -> None:
        self.facts.setdefault("painted_s", self._meter.seconds_since_birth())

    def book_open(self, window: Window) -> None:
        """The frame is there; its first list comes when the book has answered."""
        from desktop.ui.widgets.blocks import ActionRow

        self._window, self.stage = window, "first list"
        _when_painted(lambda widget: isinstance(widget, ActionRow), self._listed)

    def _listed(self, row: QWidget) -> None:
        self._meter.since_birth()
        self._cost = (self._meter.wall_s, self._meter.cpu_s)
        self.stage = "click"
        self.facts["clicked"] = self._click(row)
        self._roster()

    def _click(self, row: QWidget) -> bool:
        """Press the task's button with the mouse: another page or a panel must appear."""
        from PySide6.QtCore import Qt
        from PySide6.QtTest import QTest
        from PySide6.QtWidgets import QAbstractButton

        frame = self._window.frame
        page = frame.stack.currentWidget()
        button = row.findChild(QAbstractButton)
        if button is None:
            return False
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)
        return frame.stack.currentWidget() is not page or page.panel.content is not None

    def _roster(self) -> None:
        from PySide6.QtWidgets import QTableView

        from desktop.ui.actions import PageName

        self.stage = "roster"
        frame = self._window.frame
        frame.show_page(PageName.ROSTER)
        view = frame.page(PageName.ROSTER).findChild(QTableView)

        def filled(widget: QObject) -> bool:
            model = view.model()
            return (
                widget is view.viewport() and model is not None and model.rowCount() > 0
                and any(model.index(0, k).data() for k in range(model.columnCount()))
            )

        view.viewport().update()
        _when_painted(filled, self._finish)

    def _finish(self, _: QWidget) -> None:
        self.facts["roster_s"] = self._meter.seconds_since_birth()
        self._meter.wall_s, self._meter.cpu_s = self._cost
        self.stage = "done"
        self._window.close()

    def give_up(self) -> None:
        """Something never came: end at once with the stage as the reason."""
        print(f"the window stopped at: {self.stage}", file=sys.stderr, flush=True)
        os._exit(3)


def minimal(meter: Meter, home: str) -> dict[str, Any]:
    """The least window with a list."""
    _private(home)
    from PySide6.QtWidgets import QApplication, QListWidget, QMainWindow

    app = QApplication(sys.argv[:1])
    window = QMainWindow()
    rows = QListWidget()
    rows.addItems([f"第{place}行" for place in range(1, 31)])
    window.setCentralWidget(rows)
    window.resize(1440, 900)

    def usable(_: QWidget) -> None:
        meter.since_birth()
        window.close()

    _when_painted(lambda widget: widget is rows.viewport(), usable)
    window.show()
    app.exec()
    return {}


def _private(home: str) -> None:
    """Settings and logs of the machine's user stay out of it."""
    for name in _HOMES:
        os.environ[name] = str(Path(home) / name.lower())


def _when_painted(wanted: Callable[[Any], bool], then: Callable[[Any], None]) -> None:
    """Call ``then(widget)`` once, when a wanted widget was painted and the loop is free again."""
    from PySide6.QtCore import QCoreApplication, QEvent, QObject, QTimer

    app = QCoreApplication.instance()
    if app is None:
        raise SideFailed("there is no application")

    class Watch(QObject):
        def eventFilter(self, seen: QObject, event: QEvent) -> bool:
            if event.type() == QEvent.Type.Paint and wanted(seen):
                self.parent().removeEventFilter(self)
                QTimer.singleShot(0, lambda: then(seen))
            return False

    app.installEventFilter(Watch(app))


def _after_paint(widget: Any, then: Callable[[], None]) -> None:
    _when_painted(lambda seen: seen is widget, lambda _: then())


# ── the book ────────────────────────────────────────────────────────────────────────────────────


def book_with_tasks(meter: Meter, folder: str, people: int) -> dict[str, Any]:
    """A terminal that was never read makes a task of today."""
    from benchmarks.site import make_book, open_desk
    from desktop.punches.terminal_book import add_terminal

    make_book(meter, folder, people, _TEAMS)
    desk = open_desk(folder)
    with desk.book:
        add_terminal(desk, "大门", driver="zk", address="127.0.0.1:4370", direction="in")
    return {}

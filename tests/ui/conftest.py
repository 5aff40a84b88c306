"""A window on a copied book. Widgets live on the offscreen platform; Qt's warnings fail a test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication

from desktop.access.desk import Desk
from desktop.bootstrap import Office
from desktop.ui import theme
from desktop.ui.app import make_application
from desktop.ui.preferences import Preferences
from desktop.ui.shell.window import Window
from tests.people.sheets import rows_of, write_xlsx

# Made while tests are collected, before any of them draws paper: painting alone would leave a
# QGuiApplication behind, and Qt allows one application per process.
_APP: QApplication = make_application()
theme.apply(_APP, False)

Settle = Callable[[], None]


@pytest.fixture(autouse=True)
def quiet(qtlog: object) -> Iterator[None]:
    """Whatever Qt warns of is a fault of ours."""
    yield
    said = [record.message for record in qtlog.records]  # type: ignore[attr-defined]
    noise = ("propagateSizeHints", "does not support raise()")  # of the offscreen platform
    assert [line for line in said if not any(one in line for one in noise)] == []


@pytest.fixture
def window(tmp_path: Path, qtbot: object) -> Iterator[Window]:
    """An empty window with settings of its own."""
    made = Window(Preferences(tmp_path / "settings.json"))
    crashes: list[BaseException] = []
    made.jobs.crashed.connect(crashes.append)
    made.resize(1440, 900)
    made.show()
    yield made
    office, made.office = made.office, None  # its fixture closes it
    made._ending = True  # a failed test may leave edits behind: do not ask about them
    made.jobs.close()
    made.close()
    qtbot.waitUntil(made.isHidden, timeout=20_000)  # type: ignore[attr-defined]
    made.deleteLater()
    assert office is None or office.book is not None
    assert crashes == []


@pytest.fixture
def settle(window: Window, qtbot: object) -> Settle:
    """Wait until the lanes are empty and what they brought is shown."""

    def wait() -> None:
        for _ in range(3):  # a result may ask for more
            qtbot.wait(45)  # type: ignore[attr-defined]
            qtbot.waitUntil(window.jobs.is_idle, timeout=30_000)  # type: ignore[attr-defined]

    return wait


@pytest.fixture
def opened(window: Window, desk: Desk, settle: Settle) -> Window:
    """The window on the sample site's book, still without people."""
    window.take_office(Office(desk.book, desk))
    settle()
    return window


@pytest.fixture
def peopled(desk: Desk, tmp_path: Path) -> Desk:
    """The sample site with forty people on its roster."""
    from desktop.people.roster_import import import_roster

    report = import_roster(desk, write_xlsx(tmp_path / "roster.xlsx", rows_of(40)))
    assert report.created == 40
    return desk

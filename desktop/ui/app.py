"""Entry of the window: ``run_window(data_dir, passphrase)``. Paints first, thinks afterwards.

Nothing that needs SQLAlchemy is imported here or before the first paint; the book is opened in its
lane while the welcome is on the screen.
"""

from __future__ import annotations

import gc
import logging
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QTimer
from PySide6.QtWidgets import QApplication

from desktop import __version__, paths
from desktop.errors import EnvironmentFault
from desktop.settings import Theme
from desktop.ui import icons, theme
from desktop.ui.i18n import load_qt_texts, tr
from desktop.ui.preferences import Preferences
from desktop.ui.shell.window import Window

_CARD = "book.json"
_WITHOUT_BOOK_MS = 10_000
"""A start that has not come to a page by then waits for the user."""


def run_window(
    data_dir: Path | None,
    passphrase: str | None,
    *,
    on_usable: Callable[[Window], None] | None = None,
) -> int:
    """Show the window until it is closed; returns the exit code.

    ``data_dir`` None: the book used last on this computer, else the welcome. ``on_usable`` is
    called once a page of the open book is on the screen (benchmarks measure to there).
    """
    if _is_taken():
        return _in_own_process(data_dir)
    # Nothing made while starting forms a cycle worth looking for; looking costs a tenth of it.
    gc.disable()
    app = make_application()
    preferences = Preferences()
    if preferences.theme is Theme.SYSTEM:
        theme.follow_system(app)
    else:
        theme.apply(app, preferences.theme is Theme.DARK)
    folder = data_dir or _usual_book(preferences)
    window = Window(preferences)
    window.usable.connect(_collect_again)
    QTimer.singleShot(_WITHOUT_BOOK_MS, _collect_again)
    if on_usable is not None:
        window.usable.connect(lambda: on_usable(window))
    if folder is None or not (folder / _CARD).exists():
        window.start.show_welcome()
    window.show()
    # A zero timer runs after the first paint has been asked for: the window is there at once.
    QTimer.singleShot(0, lambda: _begin(window, folder, passphrase))
    return app.exec()


def _collect_again() -> None:
    """The start is over; what it made stays and need not be looked at again."""
    gc.freeze()
    gc.enable()


def make_application() -> QApplication:
    """The application with font and texts, made once per process."""
    existing = QApplication.instance()
    app = existing if isinstance(existing, QApplication) else QApplication(sys.argv[:1])
    app.setApplicationName("SiteMuster")
    app.setApplicationDisplayName(tr("实名台"))
    app.setApplicationVersion(__version__)
    app.setDesktopFileName("sitemuster")
    theme.choose_font(app)
    app.setWindowIcon(icons.icon("app", theme.Tone.ACCENT))
    load_qt_texts(app)
    return app


def _is_taken() -> bool:
    """Papers drawn before the window leave a QGuiApplication without a screen behind."""
    existing = QCoreApplication.instance()
    return existing is not None and not isinstance(existing, QApplication)


def _in_own_process(data_dir: Path | None) -> int:
    """The same program again, with the window only; Qt allows one application per process."""
    program = [sys.executable] if getattr(sys, "frozen", False) else [sys.executable, "-m", "desktop"]
    folder = [] if data_dir is None else ["--data-dir", str(data_dir)]
    return subprocess.run([*program, *folder]).returncode


def _begin(window: Window, folder: Path | None, passphrase: str | None) -> None:
    _keep_notes(window)
    if folder is not None and (folder / _CARD).exists():
        window.open_book(folder, passphrase)
    elif folder is not None:
        window.messages.warn(tr("「{folder}」里还没有账本。可以新建，或打开别处的账本。", folder=folder))
    if not theme.has_chinese_font():
        # In English on purpose: without the font nobody could read it otherwise.
        window.messages.warn("No Chinese font found. Please install one, e.g. fonts-noto-cjk.")


def _keep_notes(window: Window) -> None:
    """Log and crash notes; a folder that cannot be written is no reason not to start."""
    from desktop.log import start_logging
    from desktop.ui.crash import CrashNotes

    try:
        start_logging(paths.log_folder())
    except EnvironmentFault:
        logging.getLogger(__name__).warning("no log is kept")
    notes = CrashNotes(paths.log_folder(), window)
    notes.install()
    window.jobs.crashed.connect(notes.show_error)


def _usual_book(preferences: Preferences) -> Path | None:
    recent = preferences.recent_books()
    if recent:
        return recent[0]
    default = paths.default_book_folder()
    return default if (default / _CARD).exists() else None

"""Entry of the window: ``run_window(data_dir, passphrase)``. Paints first, thinks afterwards.

Nothing that needs SQLAlchemy is imported here or before the first paint; the book is opened in its
lane while the welcome is on the screen.
"""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QTimer
from PySide6.QtWidgets import QApplication

from desktop import __version__, paths
from desktop.errors import EnvironmentFault
from desktop.log import start_logging
from desktop.settings import Theme
from desktop.ui import icons, theme
from desktop.ui.crash import CrashNotes
from desktop.ui.i18n import load_qt_texts, tr
from desktop.ui.preferences import Preferences
from desktop.ui.shell.window import Window
from desktop.ui.single import raise_other

_CARD = "book.json"


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
    app = make_application()
    preferences = Preferences()
    chosen = preferences.theme
    dark = theme.system_is_dark(app) if chosen is Theme.SYSTEM else chosen is Theme.DARK
    theme.apply(app, dark)
    _begin_log()
    folder = data_dir or _usual_book(preferences)
    if folder is not None and raise_other(folder):
        return 0
    window = Window(preferences)
    notes = CrashNotes(paths.log_folder(), lambda: window)
    notes.install()
    window.jobs.crashed.connect(notes.show_error)
    if on_usable is not None:
        window.usable.connect(lambda: on_usable(window))
    window.show()
    # A zero timer runs after the first paint has been asked for: the window is there at once.
    QTimer.singleShot(0, lambda: _begin(window, folder, passphrase))
    return app.exec()


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
    if folder is not None and (folder / _CARD).exists():
        window.open_book(folder, passphrase)
    elif folder is not None:
        window.messages.warn(tr("「{folder}」里还没有账本。可以新建，或打开别处的账本。", folder=folder))
    if not theme.has_chinese_font():
        # In English on purpose: without the font nobody could read it otherwise.
        window.messages.warn("No Chinese font found. Please install one, e.g. fonts-noto-cjk.")


def _begin_log() -> None:
    """A log folder that cannot be written is no reason not to start."""
    try:
        start_logging(paths.log_folder())
    except EnvironmentFault:
        logging.getLogger(__name__).warning("no log is kept")


def _usual_book(preferences: Preferences) -> Path | None:
    recent = preferences.recent_books()
    if recent:
        return recent[0]
    default = paths.default_book_folder()
    return default if (default / _CARD).exists() else None

"""The window's hold on the computer's settings file: what it remembers, it writes at once.

A file that cannot be written costs the comfort, never the start.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

from desktop.errors import EnvironmentFault
from desktop.paths import settings_file
from desktop.settings import Settings, Theme

_log = logging.getLogger(__name__)
_WINDOW = "main"


class Preferences:
    """Look, size, rail, recent books; main thread."""

    def __init__(self, file: Path | None = None) -> None:
        self._file = file or settings_file()
        self._settings = Settings.load(self._file)

    @property
    def theme(self) -> Theme:
        return self._settings.theme

    @property
    def rail_collapsed(self) -> bool:
        return self._settings.rail_collapsed

    @property
    def lock_minutes(self) -> int:
        """Idle minutes after which this window locks; never 0."""
        return self._settings.lock_minutes

    @property
    def geometry(self) -> str:
        """What the window saved of its size and place, or an empty text."""
        return self._settings.windows.get(_WINDOW, "")

    def recent_books(self) -> list[Path]:
        """Books opened on this computer, newest first, only those still there."""
        return [folder for folder in self._settings.recent_books if folder.is_dir()]

    def set_theme(self, theme: Theme) -> None:
        self._keep(replace(self._settings, theme=theme))

    def set_rail_collapsed(self, narrow: bool) -> None:
        self._keep(replace(self._settings, rail_collapsed=narrow))

    def set_lock_minutes(self, minutes: int) -> None:
        self._keep(replace(self._settings, lock_minutes=minutes))

    def set_geometry(self, geometry: str) -> None:
        self._keep(self._settings.with_window(_WINDOW, geometry))

    def remember_book(self, folder: Path) -> None:
        self._keep(self._settings.with_book(folder))

    def _keep(self, settings: Settings) -> None:
        if settings == self._settings:
            return
        self._settings = settings
        try:
            settings.save(self._file)
        except EnvironmentFault:
            _log.warning("window settings could not be written")

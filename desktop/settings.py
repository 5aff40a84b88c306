"""Window settings of this computer: theme, last books, window geometry. No secrets, no book data.

Losing them costs nothing, so reading is tolerant: whatever does not fit falls back to its default.
"""

from __future__ import annotations

import enum
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from desktop.paths import disk_fault, write_atomically

_FORMAT = 1
_MOST_BYTES = 256 * 1024
_MOST_BOOKS = 8
LOCK_MINUTES = 10
"""Idle minutes after which a window locks, where the user chose nothing."""
_MOST_LOCK_MINUTES = 60


class Theme(enum.StrEnum):
    """Colours of the window; ``SYSTEM`` follows the desktop."""

    SYSTEM = "system"
    LIGHT = "light"
    DARK = "dark"


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings. ``recent_books`` newest first; ``windows`` maps a window to its geometry.

    Geometry is what the toolkit saved, as text (base64); its meaning is the window's business.
    """

    theme: Theme = Theme.SYSTEM
    recent_books: tuple[Path, ...] = ()
    windows: Mapping[str, str] = field(default_factory=dict)
    rail_collapsed: bool = False
    lock_minutes: int = LOCK_MINUTES

    def with_book(self, folder: Path) -> Settings:
        """The same after ``folder`` was opened."""
        others = [known for known in self.recent_books if known != folder]
        return replace(self, recent_books=(folder, *others)[:_MOST_BOOKS])

    def without_book(self, folder: Path) -> Settings:
        """The same after ``folder`` turned out to be gone."""
        books = tuple(known for known in self.recent_books if known != folder)
        return replace(self, recent_books=books)

    def with_window(self, name: str, geometry: str) -> Settings:
        """The same after a window was moved or sized."""
        return replace(self, windows={**self.windows, name: geometry})

    def save(self, file: Path) -> None:
        """Replace ``file`` whole; raises :class:`desktop.errors.EnvironmentFault`."""
        body = {
            "format": _FORMAT,
            "theme": self.theme.value,
            "recent_books": [str(folder) for folder in self.recent_books],
            "windows": dict(self.windows),
            "rail_collapsed": self.rail_collapsed,
            "lock_minutes": self.lock_minutes,
        }
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise disk_fault(error, file.parent) from error
        text = json.dumps(body, ensure_ascii=False, indent=2) + "\n"
        write_atomically(file, text.encode("utf-8"))

    @classmethod
    def load(cls, file: Path) -> Settings:
        """What ``file`` says, as far as it can be understood; defaults for the rest."""
        try:
            with file.open("rb") as source:
                body = json.loads(source.read(_MOST_BYTES))
        except (OSError, ValueError, RecursionError):
            return cls()
        return cls._of_json(body) if isinstance(body, dict) else cls()

    @classmethod
    def _of_json(cls, body: dict[str, Any]) -> Settings:
        theme, books, windows = body.get("theme"), body.get("recent_books"), body.get("windows")
        known = [book for book in books if _is_path(book)] if isinstance(books, list) else []
        frames = windows.items() if isinstance(windows, dict) else ()
        return cls(
            theme=Theme(theme) if theme in list(Theme) else Theme.SYSTEM,
            recent_books=tuple(Path(book) for book in known[:_MOST_BOOKS]),
            windows={name: frame for name, frame in frames if isinstance(frame, str)},
            rail_collapsed=body.get("rail_collapsed") is True,
            lock_minutes=_minutes(body.get("lock_minutes")),
        )


def _minutes(value: object) -> int:
    """Never off: a file that says nothing sensible locks after the usual time."""
    if not isinstance(value, int) or isinstance(value, bool) or value <= 0:
        return LOCK_MINUTES
    return min(value, _MOST_LOCK_MINUTES)


def _is_path(value: object) -> bool:
    return isinstance(value, str) and bool(value) and "\x00" not in value

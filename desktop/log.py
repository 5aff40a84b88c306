"""The program log: one rotating file, without personal data.

Nobody writes names or numbers of people into a log message; the filter here is the second line of
defence, for exceptions of libraries and for mistakes. It masks what looks like an ID number, a
mobile phone or a bank card, also in traces.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path

from desktop.paths import disk_fault

LOG_FILE = "sitemuster.log"
_MOST_BYTES = 2 * 1024 * 1024
_KEPT = 4

_DIGIT = "[0-9０-９]"
_GAP = r"[ \-]?"


def _alone(*signs: str, ending: str = "") -> re.Pattern[str]:
    """Signs in a row, single blanks or dashes between them, not inside a longer word."""
    inside = "[0-9A-Za-z０-９]"
    return re.compile(f"(?<!{inside}){_GAP.join(signs)}{ending}(?!{inside})")


_MASKS = (
    (_alone(*[_DIGIT] * 17, "[0-9０-９Xxｘ]"), "［证件号］"),
    (_alone(*[_DIGIT] * 16, ending=f"(?:{_GAP}{_DIGIT}){{0,3}}"), "［长号码］"),
    (_alone("[1１]", "[3-9３-９]", *[_DIGIT] * 9), "［手机号］"),
)
"""ID numbers (GB 11643), bank cards of 16 to 19 digits, mobile phones of the mainland."""


def redact(text: str) -> str:
    """``text`` with everything masked that looks like an ID number, a card or a mobile phone.

    >>> redact("tel 19900000001")
    'tel ［手机号］'
    """
    for pattern, word in _MASKS:
        text = pattern.sub(word, text)
    return text


class _RedactingFormatter(logging.Formatter):
    """Formats message and trace first, then masks the whole."""

    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record))


class _LogFile(RotatingFileHandler):
    """Made with its folder when there is something to write; never speaks on stderr."""

    def __init__(self, folder: Path) -> None:
        super().__init__(
            folder / LOG_FILE, maxBytes=_MOST_BYTES, backupCount=_KEPT, encoding="utf-8", delay=True
        )

    def _open(self) -> TextIOWrapper:
        Path(self.baseFilename).parent.mkdir(parents=True, exist_ok=True)
        return super()._open()

    def handleError(self, record: logging.LogRecord) -> None:
        """A log that cannot be written is no reason to put English into an answer."""


def start_logging(folder: Path, *, level: int = logging.INFO) -> logging.Handler:
    """Send the root logger to ``folder``; returns the handler, so that tests can take it off.

    Raises :class:`desktop.errors.EnvironmentFault` when the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / LOG_FILE).open("a"):
            pass
    except OSError as error:
        raise disk_fault(error, folder) from error
    return _attach(folder, level)


@contextmanager
def command_log(folder: Path, *, level: int = logging.INFO) -> Iterator[Path]:
    """The root logger writes to the file named, and nowhere else, while one command runs.

    Nothing is made where nothing is written; a folder that cannot be written stops no command.
    """
    root = logging.getLogger()
    before = root.level
    handler = _attach(folder, level)
    try:
        yield folder / LOG_FILE
    finally:
        root.removeHandler(handler)
        root.setLevel(before)
        handler.close()


def _attach(folder: Path, level: int) -> logging.Handler:
    """One handler for one file: a window opened by a command finds the command's."""
    root = logging.getLogger()
    file = os.path.abspath(folder / LOG_FILE)
    for held in root.handlers:
        if isinstance(held, _LogFile) and held.baseFilename == file:
            return held
    handler = _LogFile(folder)
    handler.setFormatter(
        _RedactingFormatter("%(asctime)s %(levelname)s %(threadName)s %(name)s: %(message)s")
    )
    root.setLevel(level)
    root.addHandler(handler)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    return handler

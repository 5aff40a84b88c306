"""Texts: Chinese in the source, through Qt's translator, so that another language can be loaded.

This module refuses to know who speaks: every text of the window passes :func:`tr`.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from PySide6.QtCore import QCoreApplication, QLibraryInfo, QTranslator

from desktop.clock import CHINA

_WEEKDAYS = "一二三四五六日"


def tr(text: str, /, **values: Any) -> str:
    """``text`` in the window's language, with ``{name}`` places filled from ``values``."""
    translated = QCoreApplication.translate("SiteMuster", text)
    return translated.format(**values) if values else translated


def load_qt_texts(app: QCoreApplication) -> bool:
    """Chinese for Qt's own buttons and file dialogs; True if the file was found."""
    translator = QTranslator(app)
    folder = QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)
    found = translator.load("qtbase_zh_CN", folder)
    if found:
        app.installTranslator(translator)
    return found


def day_text(day: date | None, missing: str = "—") -> str:
    """The one form of a date in lists and forms: ``2026-11-24``."""
    return missing if day is None else day.isoformat()


def day_words(day: date) -> str:
    """A date in a sentence: ``11月24日 周二``."""
    return f"{day.month}月{day.day}日 周{_WEEKDAYS[day.weekday()]}"


def weekday(day: date) -> str:
    """One character: ``一`` … ``日``."""
    return _WEEKDAYS[day.weekday()]


def moment_text(moment: datetime | None, missing: str = "—") -> str:
    """An instant (UTC) or a local time as shown: ``11-24 18:03``, the year where it differs not."""
    if moment is None:
        return missing
    local = moment if moment.tzinfo is None else moment.astimezone(CHINA)
    return local.strftime("%m-%d %H:%M")


def month_text(month: str) -> str:
    """``2026-11`` as ``2026年11月``."""
    year, number = month.split("-")
    return f"{year}年{int(number)}月"


def shifted_month(month: str, by: int) -> str:
    """The month ``by`` months later, ``YYYY-MM``."""
    year, number = (int(part) for part in month.split("-"))
    index = year * 12 + number - 1 + by
    return f"{index // 12:04d}-{index % 12 + 1:02d}"

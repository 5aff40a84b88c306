"""The printed recovery code, typed group by group; each group says at once whether it is right.

The check is that of :mod:`desktop.storage.recovery_code`; a right group says nothing of the book.
"""

from __future__ import annotations

import unicodedata

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QFontDatabase, QKeyEvent, QKeySequence
from PySide6.QtWidgets import QApplication, QGridLayout, QLabel, QLineEdit, QWidget

from desktop.errors import Refused
from desktop.ui import theme
from desktop.ui.i18n import tr
from desktop.ui.theme import Tone
from desktop.ui.widgets.basics import label, repolish, set_tone

GROUPS, DIGITS = 8, 6


class CodeField(QWidget):
    """Eight fields of six digits. ``completed`` on Enter in the last one; the whole code may be
    pasted or typed through without touching Tab."""

    completed = Signal()
    changed = Signal()

    def __init__(self, *, across: int = 4) -> None:
        super().__init__()
        self._fields: list[QLineEdit] = []
        self._notes: list[QLabel] = []
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(theme.GRID)
        grid.setVerticalSpacing(2)
        fixed = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
        fixed.setPointSizeF(theme.font().pointSizeF() * 1.1)
        for place in range(GROUPS):
            field = QLineEdit()
            field.setFont(fixed)
            field.setMaxLength(DIGITS + 2)  # a blank or dash typed along is dropped below
            field.setAccessibleName(tr("恢复码第{n}组", n=place + 1))
            field.setPlaceholderText("000000")
            field.textEdited.connect(lambda text, place=place: self._edited(place, text))
            field.installEventFilter(self)
            note = label(tr("第{n}组", n=place + 1), tone=Tone.TEXT_3)
            row, at = divmod(place, across)
            grid.addWidget(note, 2 * row, at)
            grid.addWidget(field, 2 * row + 1, at)
            self._fields.append(field)
            self._notes.append(note)
        self.setFocusProxy(self._fields[0])

    def text(self) -> str:
        """What was typed, groups divided by dashes."""
        return "-".join(field.text() for field in self._fields)

    def set_text(self, code: str) -> None:
        """Spread a code over the fields, whatever stands between its digits."""
        digits = _digits(code)
        for place, field in enumerate(self._fields):
            field.setText(digits[place * DIGITS : (place + 1) * DIGITS])
            self._judge(place)
        self.changed.emit()

    def clear(self) -> None:
        self.set_text("")

    def is_complete(self) -> bool:
        """Every group is there and right in itself."""
        return all(group_is_right(field.text()) for field in self._fields)

    def wrong_groups(self) -> list[int]:
        """Groups that are full and wrong, counted from 1."""
        return [
            place + 1 for place, field in enumerate(self._fields)
            if len(field.text()) == DIGITS and not group_is_right(field.text())
        ]

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            place = self._fields.index(watched)  # type: ignore[arg-type]
            if event.matches(QKeySequence.StandardKey.Paste):
                self._paste(place)
                return True
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                if place == GROUPS - 1:
                    self.completed.emit()
                else:
                    self._fields[place + 1].setFocus()
                return True
            if event.key() == Qt.Key.Key_Backspace and place and not self._fields[place].text():
                self._fields[place - 1].setFocus()
                return True
        return super().eventFilter(watched, event)

    def _paste(self, place: int) -> None:
        digits = _digits(QApplication.clipboard().text())
        if len(digits) > DIGITS:
            self.set_text(digits)
            self._fields[min(GROUPS - 1, len(digits) // DIGITS)].setFocus()
        else:
            self._fields[place].setText(digits)
            self._edited(place, digits)

    def _edited(self, place: int, text: str) -> None:
        digits = _digits(text)[:DIGITS]
        if digits != text:
            self._fields[place].setText(digits)
        self._judge(place)
        if group_is_right(digits) and place < GROUPS - 1:
            self._fields[place + 1].setFocus()
            self._fields[place + 1].selectAll()
        self.changed.emit()

    def _judge(self, place: int) -> None:
        """Word, colour and border of one group."""
        text, note = self._fields[place].text(), self._notes[place]
        right, wrong = group_is_right(text), len(text) == DIGITS and not group_is_right(text)
        name = tr("第{n}组", n=place + 1)
        note.setText(f"{name} ✓" if right else tr("{name} 不对", name=name) if wrong else name)
        set_tone(note, Tone.GOOD if right else Tone.BAD if wrong else Tone.TEXT_3)
        self._fields[place].setProperty("wrong", wrong)
        repolish(self._fields[place])


def _digits(text: str) -> str:
    plain = unicodedata.normalize("NFKC", text)  # a Chinese keyboard types full-width digits
    return "".join(sign for sign in plain if sign.isascii() and sign.isdigit())


def group_is_right(group: str) -> bool:
    """Whether six digits could be a group of some recovery code."""
    from desktop.storage.recovery_code import secret_of

    if len(group) != DIGITS or not group.isascii() or not group.isdigit():
        return False
    try:
        secret_of(group + "0" * DIGITS * (GROUPS - 1))
    except Refused:
        return False
    return True

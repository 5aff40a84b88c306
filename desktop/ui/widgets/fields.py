"""Fields of forms: text, choice, date, search; and the form that lays them out.

Labels stand above their fields and are their buddies; Enter moves on, Ctrl+Enter submits.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Protocol, runtime_checkable

from PySide6.QtCore import QDate, QEvent, QObject, QPoint, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QButtonGroup,
    QCalendarWidget,
    QCheckBox,
    QComboBox,
    QFrame,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QWidget,
)

from desktop.ui import icons, theme
from desktop.ui.i18n import day_text, tr
from desktop.ui.theme import Tone
from desktop.ui.widgets.basics import column, label, line, repolish, set_tone

Field = QLineEdit | QPlainTextEdit | QComboBox | QCheckBox


class SearchField(QLineEdit):
    """Search as you type: ``searched(text)`` a moment after the last key."""

    searched = Signal(str)

    def __init__(self, placeholder: str) -> None:
        super().__init__()
        self.setPlaceholderText(placeholder)
        self.setAccessibleName(placeholder)
        self.setClearButtonEnabled(True)
        self.addAction(icons.icon("search", Tone.TEXT_3), QLineEdit.ActionPosition.LeadingPosition)
        self._wait = QTimer(self)
        self._wait.setSingleShot(True)
        self._wait.setInterval(120)
        self._wait.timeout.connect(lambda: self.searched.emit(self.text().strip()))
        self.textChanged.connect(lambda _: self._wait.start())

    def search_now(self) -> None:
        """Do not wait for the pause."""
        self._wait.stop()
        self.searched.emit(self.text().strip())


class Choice(QComboBox):
    """A drop-down of (value, text) pairs. The wheel scrolls the page, not the choice."""

    def __init__(self, options: Sequence[tuple[Any, str]] = (), name: str = "") -> None:
        super().__init__()
        # Not in Qt's item data, where an enum that is a text would come back as a plain text.
        self._values: list[Any] = []
        if name:
            self.setAccessibleName(name)
        self.setMaxVisibleItems(16)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.setMinimumContentsLength(3)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.set_options(options)

    def set_options(self, options: Sequence[tuple[Any, str]]) -> None:
        """Replace the options; the chosen value stays if it still exists."""
        kept = self.value()
        self.blockSignals(True)
        self.clear()
        self._values = [value for value, _ in options]
        self.addItems([text for _, text in options])
        self.blockSignals(False)
        self.choose(kept)

    def minimumSizeHint(self) -> QSize:
        """May be squeezed in a narrow row: four characters and the arrow stay."""
        width = self.fontMetrics().horizontalAdvance("国国国国") + 40
        return QSize(width, super().minimumSizeHint().height())

    def value(self) -> Any:
        return self._values[self.currentIndex()] if self.currentIndex() >= 0 else None

    def choose(self, value: Any) -> None:
        """Show ``value``, or the first option."""
        if value in self._values:
            self.setCurrentIndex(self._values.index(value))
        elif self._values:
            self.setCurrentIndex(0)

    def wheelEvent(self, event: Any) -> None:
        event.ignore()


class DateField(QLineEdit):
    """A date typed in any usual form, or picked from a calendar; empty is allowed."""

    def __init__(self, day: date | None = None, base: date | None = None) -> None:
        super().__init__()
        self._base = base
        self.setPlaceholderText(tr("年-月-日"))
        self.setMaxLength(12)
        opener = self.addAction(icons.icon("calendar"), QLineEdit.ActionPosition.TrailingPosition)
        opener.setToolTip(tr("选择日期"))
        opener.triggered.connect(self._open)
        self.editingFinished.connect(self._tidy)
        self._popup: QFrame | None = None
        if day is not None:
            self.set_day(day)

    def set_day(self, day: date | None) -> None:
        self.setText(day_text(day, ""))

    def day(self) -> date | None:
        """The date, or None if empty or not a date; see :meth:`is_wrong`."""
        return parse_day(self.text(), self._base)

    def is_wrong(self) -> bool:
        return bool(self.text().strip()) and self.day() is None

    def _tidy(self) -> None:
        day = self.day()
        if day is not None:
            self.set_day(day)

    def _open(self) -> None:
        popup = QFrame(self, Qt.WindowType.Popup)
        popup.setProperty("surface", "popup")
        popup.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        calendar = QCalendarWidget()
        calendar.setFirstDayOfWeek(Qt.DayOfWeek.Monday)
        calendar.setVerticalHeaderFormat(QCalendarWidget.VerticalHeaderFormat.NoVerticalHeader)
        day = self.day() or self._base
        if day is not None:
            calendar.setSelectedDate(QDate(day.year, day.month, day.day))

        def take(picked: QDate) -> None:
            self.set_day(date(picked.year(), picked.month(), picked.day()))
            popup.close()
            self.setFocus()

        calendar.clicked.connect(take)
        calendar.activated.connect(take)
        column(popup, margin=theme.GRID).addWidget(calendar)
        popup.move(self.mapToGlobal(QPoint(0, self.height() + 2)))
        popup.show()
        calendar.setFocus()


def parse_day(text: str, base: date | None = None) -> date | None:
    """``2026-11-24``, ``2026.11.24``, ``20261124``, ``2026年11月24日``; ``11-24`` in base's year."""
    numbers = [int(part) for part in re.findall(r"\d+", text)]
    if len(numbers) == 1 and re.fullmatch(r"\s*\d{8}\s*", text):
        numbers = [numbers[0] // 10000, numbers[0] // 100 % 100, numbers[0] % 100]
    if len(numbers) == 2 and base is not None:
        numbers.insert(0, base.year)
    if len(numbers) != 3:
        return None
    try:
        return date(*numbers)
    except ValueError:
        return None


class Segments(QWidget):
    """A few options side by side, one chosen: ``changed(value)``."""

    changed = Signal(object)

    def __init__(self, options: Sequence[tuple[Any, str]], name: str) -> None:
        super().__init__()
        self.setAccessibleName(name)
        row = line(self, gap=0)
        self._group = QButtonGroup(self)
        self._values = [value for value, _ in options]
        for index, (_, text) in enumerate(options):
            made = QPushButton(text)
            made.setCheckable(True)
            made.setProperty("kind", "segment")
            if index == 0:  # neighbours share a border, the first one keeps its own
                made.setProperty("edge", "first")
            made.setAutoDefault(False)
            self._group.addButton(made, index)
            row.addWidget(made)
        row.addStretch(1)
        self._group.button(0).setChecked(True)
        self._group.idClicked.connect(lambda index: self.changed.emit(self._values[index]))

    def value(self) -> Any:
        return self._values[self._group.checkedId()]

    def choose(self, value: Any) -> None:
        """Check the option without telling anybody."""
        self._group.button(self._values.index(value)).setChecked(True)

    def set_text(self, value: Any, text: str) -> None:
        self._group.button(self._values.index(value)).setText(text)


@runtime_checkable
class KeptField(Protocol):
    """A field whose text alone does not say what was chosen."""

    def kept(self) -> Any:
        """All of it, as plain values."""

    def put_back(self, kept: Any) -> None:
        """Show what :meth:`kept` gave."""


class Form(QWidget):
    """Fields one under the other, by name. ``submitted`` on Ctrl+Enter; knows when it was edited."""

    submitted = Signal()
    edited = Signal()

    def __init__(self, *, enter_submits: bool = False) -> None:
        super().__init__()
        self.enter_submits = enter_submits
        """Enter in the last field submits, instead of moving on to the button."""
        self._rows = column(self, gap=theme.GRID + 4)
        self._fields: dict[str, Field] = {}
        self._notes: dict[str, tuple[QLabel, str]] = {}
        self._clean: dict[str, Any] = {}

    def add(self, name: str, title: str, field: Field, hint: str = "") -> Field:
        """Append a field under its label; ``hint`` is the quiet line below it."""
        box = column(gap=4)
        if not isinstance(field, QCheckBox):
            head = label(title, tone=Tone.TEXT_2)
            head.setBuddy(field)
            box.addWidget(head)
        field.setAccessibleName(title)
        box.addWidget(field)
        note = label(hint, tone=Tone.TEXT_3, wrap=True)
        if not hint:
            note.hide()  # never show() here: without a parent yet it would be a window
        box.addWidget(note)
        self._rows.addLayout(box)
        self._fields[name] = field
        self._notes[name] = (note, hint)
        field.installEventFilter(self)
        self._watch(field)
        return field

    def add_widget(self, widget: QWidget) -> None:
        """Something between the fields."""
        self._rows.addWidget(widget)

    def add_text(self, name: str, title: str, value: str = "", hint: str = "", **more: Any) -> QLineEdit:
        field = QLineEdit(value)
        if "placeholder" in more:
            field.setPlaceholderText(more["placeholder"])
        self.add(name, title, field, hint)
        return field

    def add_long_text(self, name: str, title: str, value: str = "", hint: str = "") -> QPlainTextEdit:
        field = QPlainTextEdit(value)
        field.setTabChangesFocus(True)
        field.setFixedHeight(field.fontMetrics().height() * 3 + 22)
        self.add(name, title, field, hint)
        return field

    def value(self, name: str) -> Any:
        """Text stripped, chosen value, date or truth."""
        field = self._fields[name]
        if isinstance(field, DateField):
            return field.day()
        if isinstance(field, QLineEdit):
            return field.text().strip()
        if isinstance(field, QPlainTextEdit):
            return field.toPlainText().strip()
        if isinstance(field, QCheckBox):
            return field.isChecked()
        return field.value() if isinstance(field, Choice) else field.currentText()

    def field(self, name: str) -> Field:
        return self._fields[name]

    def text(self, name: str) -> str:
        """The text of a field exactly as typed; a passphrase may begin with a blank."""
        field = self._fields[name]
        assert isinstance(field, QLineEdit)
        return field.text()

    def put(self, name: str, text: str) -> None:
        """Show ``text`` in a text field."""
        field = self._fields[name]
        assert isinstance(field, QLineEdit)
        field.setText(text)

    def same(self, first: str, second: str) -> bool:
        """Whether two fields hold the same text; marks the second where not."""
        equal = self.text(first) == self.text(second)
        self.mark(second, "" if equal else tr("两次输入不一样"))
        return equal

    def set_clean(self) -> None:
        """What stands here now counts as saved."""
        self._clean = {name: self._raw(name) for name in self._fields}

    def is_dirty(self) -> bool:
        return any(self._raw(name) != was for name, was in self._clean.items())

    def edited_fields(self) -> list[str]:
        """Names of the fields that no longer say what counted as saved."""
        return [name for name, was in self._clean.items() if self._raw(name) != was]

    def typed(self) -> dict[str, Any]:
        """What stands in the fields, for a draft; passwords stay out, they are typed again."""
        return {
            name: field.kept() if isinstance(field, KeptField) else self._raw(name)
            for name, field in self._fields.items()
            if not _is_secret(field)
        }

    def type_again(self, typed: Mapping[str, Any]) -> None:
        """Put a draft back; fields that no longer exist are passed over."""
        for name, value in typed.items():
            field = self._fields.get(name)
            if isinstance(field, KeptField):
                field.put_back(value)
            elif isinstance(field, QLineEdit):
                field.setText(value)
            elif isinstance(field, QPlainTextEdit):
                field.setPlainText(value)
            elif isinstance(field, QCheckBox):
                field.setChecked(value)
            elif isinstance(field, Choice):
                field.choose(value)

    def require(self, *names: str) -> bool:
        """Mark what is empty or no date; True if all of ``names`` are filled and nothing is wrong."""
        ok = True
        for name, field in self._fields.items():
            trouble = ""
            if isinstance(field, DateField) and field.is_wrong():
                trouble = tr("日期看不懂，请写成 2026-11-24 的样子")
            elif name in names and self.value(name) in ("", None):
                trouble = tr("必填")
            self.mark(name, trouble)
            if trouble and ok:
                ok = False
                field.setFocus()
        return ok

    def mark(self, name: str, trouble: str) -> None:
        """Show what is wrong under a field; an empty text takes the mark away."""
        note, hint = self._notes[name]
        note.setText(trouble or hint)
        note.setVisible(bool(trouble or hint))
        set_tone(note, Tone.BAD if trouble else Tone.TEXT_3)
        field = self._fields[name]
        field.setProperty("wrong", bool(trouble))
        repolish(field)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            enter = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
            if enter and event.modifiers() & Qt.KeyboardModifier.ControlModifier:
                self.submitted.emit()
                return True
            if enter and isinstance(watched, QLineEdit | QCheckBox):
                if self.enter_submits and watched is list(self._fields.values())[-1]:
                    self.submitted.emit()
                else:
                    self.focusNextChild()
                return True
        return super().eventFilter(watched, event)

    def _raw(self, name: str) -> Any:
        field = self._fields[name]
        return field.text().strip() if isinstance(field, QLineEdit) else self.value(name)

    def _watch(self, field: Field) -> None:
        if isinstance(field, QComboBox):
            field.currentIndexChanged.connect(lambda _: self.edited.emit())
        elif isinstance(field, QCheckBox):
            field.toggled.connect(lambda _: self.edited.emit())
        else:
            field.textChanged.connect(lambda *_: self.edited.emit())


def _is_secret(field: Field) -> bool:
    return isinstance(field, QLineEdit) and field.echoMode() is not QLineEdit.EchoMode.Normal

"""Larger blocks: empty states, facts in two columns, headings, rows that lead somewhere."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from desktop.ui import theme
from desktop.ui.theme import Tone, Type
from desktop.ui.widgets.basics import (
    Card,
    Chip,
    IconView,
    State,
    centred,
    clear,
    column,
    label,
    line,
    rule,
)

_CHIP_ROOM = 128
_WORDS = 480


class EmptyState(QWidget):
    """What a page is for, and the ways to begin, while there is nothing on it."""

    def __init__(
        self, icon: str, title: str, text: str, ways: Sequence[QPushButton] = ()
    ) -> None:
        super().__init__()
        rows = column(self, margin=4 * theme.GRID, gap=theme.GRID + 4)
        rows.addStretch(2)
        rows.addWidget(IconView(icon, Tone.TEXT_3, 56), 0, Qt.AlignmentFlag.AlignHCenter)
        self.title = label(title, Type.HEAD)
        self.title.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        rows.addWidget(self.title)
        self.text = label(text, tone=Tone.TEXT_2, wrap=True)
        self.text.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self.text.setFixedWidth(_WORDS)
        rows.addLayout(centred(self.text))
        row = line(gap=theme.GRID + 4)
        row.addStretch(1)
        for way in ways:
            row.addWidget(way)
        row.addStretch(1)
        rows.addSpacing(theme.GRID)
        rows.addLayout(row)
        rows.addStretch(3)


class Facts(QWidget):
    """Pairs of a quiet name and a value; values can be selected and copied."""

    def __init__(self, facts: Sequence[tuple[str, str]] = ()) -> None:
        super().__init__()
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(2 * theme.GRID)
        self._grid.setVerticalSpacing(theme.GRID)
        self._grid.setColumnStretch(1, 1)
        for name, value in facts:
            self.add(name, value)

    def add(self, name: str, value: str, tone: Tone = Tone.TEXT) -> QLabel:
        row = self._grid.rowCount()
        quiet = label(name, tone=Tone.TEXT_2)
        shown = label(value or "—", tone=tone, wrap=True, selectable=True)
        shown.setAccessibleName(name)
        self._grid.addWidget(quiet, row, 0, Qt.AlignmentFlag.AlignTop)
        self._grid.addWidget(shown, row, 1)
        return shown

    def add_state(self, name: str, state: State) -> None:
        row = self._grid.rowCount()
        self._grid.addWidget(label(name, tone=Tone.TEXT_2), row, 0)
        self._grid.addWidget(Chip(state), row, 1, Qt.AlignmentFlag.AlignLeft)


def section(rows: QVBoxLayout, title: str) -> QLabel:
    """A heading inside a panel or a card."""
    head = label(title, Type.STRONG)
    rows.addSpacing(4)
    rows.addWidget(head)
    return head


class ActionRow(QFrame):
    """A state, what it is about, and the button that goes to the next action."""

    def __init__(
        self,
        state: State,
        text: str,
        note: str = "",
        act: str = "",
        do: Callable[[], object] | None = None,
    ) -> None:
        super().__init__()
        row = line(self, gap=theme.GRID + 4)
        row.setContentsMargins(2 * theme.GRID, theme.GRID, 2 * theme.GRID, theme.GRID)
        place = QWidget()  # chips of one list end at one line, so that the texts begin at one
        place.setMinimumWidth(_CHIP_ROOM)
        cell = line(place)
        cell.addWidget(Chip(state), 0, Qt.AlignmentFlag.AlignVCenter)
        cell.addStretch(1)
        row.addWidget(place)
        texts = column(gap=1)
        texts.addWidget(label(text, wrap=True))
        if note:
            texts.addWidget(label(note, tone=Tone.TEXT_2, wrap=True))
        row.addLayout(texts, 1)
        if act and do is not None:
            made = QPushButton(act)
            made.setAutoDefault(False)
            made.setAccessibleName(f"{act}：{text}")
            made.clicked.connect(lambda: do())
            row.addWidget(made, 0, Qt.AlignmentFlag.AlignVCenter)


class RowList(Card):
    """Rows divided by thin lines inside one card."""

    def __init__(self) -> None:
        super().__init__(margin=0)
        self.rows.setSpacing(0)
        self._any = False

    def add(self, row: QWidget) -> None:
        if self._any:
            self.rows.addWidget(rule())
        self._any = True
        self.rows.addWidget(row)


class _AsHighAsNeeded(QWidget):
    """Wrapped texts say their least height for a narrow column; the true one is that for the
    width there is, so that no scroll bar comes before it is needed."""

    def minimumSizeHint(self) -> QSize:
        least = super().minimumSizeHint()
        layout = self.layout()
        return QSize(least.width(), 0) if layout is not None and layout.hasHeightForWidth() else least


class ScrollRows(QScrollArea):
    """A :class:`RowList` that scrolls, or an empty state in its place."""

    def __init__(self) -> None:
        super().__init__()
        self.setWidgetResizable(True)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        holder = _AsHighAsNeeded()
        self._rows = column(holder, gap=theme.GRID)
        self.setWidget(holder)
        self._list: RowList | None = None

    def clear_rows(self) -> None:
        clear(self._rows)
        self._list = None

    def head(self, text: str) -> None:
        """A heading; rows after it stand in a card of their own."""
        self._list = None
        self._pull_up()
        self._rows.addWidget(label(text, Type.STRONG))

    def add(self, row: QWidget) -> None:
        self._pull_up()
        if self._list is None:
            self._list = RowList()
            self._rows.addWidget(self._list)
        self._list.add(row)
        self._rows.addStretch(1)

    def show_empty(self, empty: QWidget) -> None:
        self.clear_rows()
        self._rows.addWidget(empty, 1)

    def _pull_up(self) -> None:
        """Take the stretch at the end away before something is appended."""
        last = self._rows.itemAt(self._rows.count() - 1)
        if last is not None and last.spacerItem() is not None:
            self._rows.takeAt(self._rows.count() - 1)


class Figure(QWidget):
    """A number with what it counts."""

    def __init__(self, name: str, tone: Tone = Tone.TEXT) -> None:
        super().__init__()
        rows = column(self, gap=0)
        self.number = label("—", Type.FIGURE, tone)
        self.note = label(name, tone=Tone.TEXT_2)
        rows.addWidget(self.number)
        rows.addWidget(self.note)

    def show_number(self, text: str) -> None:
        self.number.setText(text)

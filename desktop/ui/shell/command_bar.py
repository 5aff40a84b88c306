"""Ctrl+K: type a name, pinyin, initials, a number, a page or an act, and go there."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QObject, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QListWidget, QListWidgetItem, QWidget

from desktop.ui import icons, theme
from desktop.ui.actions import COMMANDS, PAGES, Command, PageName
from desktop.ui.i18n import tr
from desktop.ui.widgets.basics import column, label
from desktop.ui.widgets.fields import SearchField

_WIDTH = 560
_SHOWN = 12


@dataclass(frozen=True, slots=True)
class Hit:
    """One line of the bar. ``note`` is quiet text behind the name."""

    text: str
    note: str
    icon: str
    target: PageName | Command | int
    """A page, an act, or the id of a stay."""


SearchPeople = Callable[[str, Callable[[Sequence[Hit]], None]], None]


def hits_for(
    text: str, pages: Collection[PageName], commands: Collection[Command]
) -> list[Hit]:
    """Those of ``pages`` and ``commands`` that fit what was typed; all pages for an empty text."""
    typed = text.lower().replace(" ", "")
    found: list[Hit] = []
    for page in pages:
        declared = PAGES[page]
        if not typed or typed in declared.text or _starts(declared.keys, typed):
            found.append(Hit(declared.text, tr("页面"), declared.icon, page))
    for command in commands:
        declared = COMMANDS[command]
        fits = typed and (typed in declared.text.lower() or _starts(declared.keys, typed))
        if declared.in_bar and fits:
            found.append(Hit(declared.text, tr("操作"), declared.icon, command))
    return found


def _starts(keys: str, typed: str) -> bool:
    return any(key.startswith(typed) for key in keys.split())


class CommandBar(QFrame):
    """An overlay at the top of the window; ``picked(Hit)``; Esc or a click elsewhere closes it."""

    picked = Signal(object)

    def __init__(
        self, parent: QWidget, search_people: SearchPeople | None,
        pages: Collection[PageName], commands: Collection[Command],
    ) -> None:
        """``search_people`` None: who is logged in sees no people."""
        super().__init__(parent)
        self._pages, self._commands = pages, commands
        self.setProperty("surface", "popup")
        self.setAccessibleName(tr("搜索"))
        self._search_people = search_people
        rows = column(self, margin=theme.GRID)
        words = tr("姓名、拼音、首字母、人员编号；页面或操作")
        self.field = SearchField(words if search_people is not None else tr("页面或操作"))
        self.field.searched.connect(self._search)
        self.field.installEventFilter(self)
        self.list = QListWidget()
        self.list.setAccessibleName(tr("结果"))
        self.list.setIconSize(QSize(20, 20))
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.itemClicked.connect(lambda item: self._pick(item))
        self._none = label(tr("没有找到。可输入姓名、全拼、首字母或人员编号。"), tone=theme.Tone.TEXT_2)
        rows.addWidget(self.field)
        rows.addWidget(self.list)
        rows.addWidget(self._none)
        self.hide()

    def open_bar(self) -> None:
        """Show it empty, ready for typing."""
        self.field.clear()
        self._show_hits(self._hits(""))
        self._place()
        self.show()
        self.raise_()
        self.field.setFocus()

    def hits(self) -> list[Hit]:
        """What is listed now."""
        return [self.list.item(k).data(Qt.ItemDataRole.UserRole) for k in range(self.list.count())]

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            return self._key(event)
        if event.type() == QEvent.Type.FocusOut and not self.underMouse():
            self.hide()
        return super().eventFilter(watched, event)

    def _key(self, event: QKeyEvent) -> bool:
        key = event.key()
        if key == Qt.Key.Key_Escape:
            self.hide()
        elif key in (Qt.Key.Key_Down, Qt.Key.Key_Up):
            step = 1 if key == Qt.Key.Key_Down else -1
            count = max(1, self.list.count())
            self.list.setCurrentRow((self.list.currentRow() + step) % count)
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            if self.list.currentItem() is not None:
                self._pick(self.list.currentItem())
        else:
            return False
        return True

    def _search(self, text: str) -> None:
        if not self.isVisible():
            return
        base = self._hits(text)
        self._show_hits(base)
        if text and self._search_people is not None:
            self._search_people(text, lambda people: self._show_hits([*people, *base]))

    def _hits(self, text: str) -> list[Hit]:
        return hits_for(text, self._pages, self._commands)

    def _show_hits(self, hits: Sequence[Hit]) -> None:
        self.list.clear()
        for hit in hits[:_SHOWN]:
            item = QListWidgetItem(icons.icon(hit.icon), f"{hit.text}　　{hit.note}")
            item.setData(Qt.ItemDataRole.UserRole, hit)
            item.setSizeHint(QSize(0, theme.row_height()))
            self.list.addItem(item)
        if hits:
            self.list.setCurrentRow(0)
        self.list.setVisible(bool(hits))
        self._none.setVisible(not hits)
        self.list.setFixedHeight(theme.row_height() * max(1, min(len(hits), _SHOWN)) + 2)
        self._place()

    def _place(self) -> None:
        parent = self.parentWidget() or self
        width = min(_WIDTH, parent.width() - 4 * theme.GRID)
        self.setFixedWidth(width)
        self.adjustSize()
        self.move((parent.width() - width) // 2, 64)

    def _pick(self, item: QListWidgetItem) -> None:
        hit = item.data(Qt.ItemDataRole.UserRole)
        self.hide()
        self.picked.emit(hit)

"""The header: project, month switch, search, who is logged in, menu."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPoint, QSize, Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QAbstractButton, QFrame, QMenu, QPushButton, QToolButton, QWidget

from desktop.ui import icons, theme
from desktop.ui.i18n import month_text, shifted_month, tr
from desktop.ui.theme import Tone, Type
from desktop.ui.widgets.basics import Chip, ShortLabel, icon_button, info, line

_MONTHS_BACK = 12
_NAME_ROOM = 120


class MonthSwitch(QWidget):
    """‹ 2026年11月 ›; ``changed(month)`` when the user moved."""

    changed = Signal(str)

    def __init__(self, month: str) -> None:
        super().__init__()
        self._month = month
        row = line(self, gap=0)
        row.addWidget(icon_button("left", tr("上一月"), lambda: self._move(-1), tip=tr("上一月（Alt+←）")))
        self._word = QToolButton()
        self._word.setProperty("kind", "icon")
        self._word.setFont(theme.font(Type.HEAD))
        self._word.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._word.clicked.connect(self._list)
        row.addWidget(self._word)
        row.addWidget(icon_button("right", tr("下一月"), lambda: self._move(1), tip=tr("下一月（Alt+→）")))
        self.show_month(month)

    def show_month(self, month: str) -> None:
        self._month = month
        self._word.setText(month_text(month))
        self._word.setAccessibleName(tr("月份：{month}", month=month_text(month)))

    def _move(self, by: int) -> None:
        self.changed.emit(shifted_month(self._month, by))

    def _list(self) -> None:
        menu = QMenu(self)
        for back in range(-1, _MONTHS_BACK):
            month = shifted_month(self._month, -back)
            act = menu.addAction(month_text(month))
            act.triggered.connect(lambda _=False, month=month: self.changed.emit(month))
        menu.popup(self._word.mapToGlobal(QPoint(0, self._word.height() + 2)))


class Header(QFrame):
    """``searched`` opens the command bar, ``month_changed(month)`` moves all pages.

    ``actor`` is the name and role of who acts; ``lock`` the act of the button beside it.
    """

    searched = Signal()
    month_changed = Signal(str)

    def __init__(
        self, month: str, *, demo: bool, actor: tuple[str, str], lock: QAction,
        account: Sequence[QAction], menu: Sequence[QAction | None],
    ) -> None:
        super().__init__()
        self.setProperty("surface", "header")
        self.setFixedHeight(56)
        row = line(self, gap=2 * theme.GRID)
        row.setContentsMargins(2 * theme.GRID, 0, theme.GRID, 0)
        self._project = ShortLabel()
        self._project.setFont(theme.font(Type.HEAD))
        self._project.setTextFormat(Qt.TextFormat.PlainText)
        self._project.setMinimumWidth(80)
        row.addWidget(self._project, 2)
        if demo:
            row.addWidget(Chip(info(tr("演示工地"))))
        self.months = MonthSwitch(month)
        self.months.changed.connect(self.month_changed)
        row.addWidget(self.months)
        row.addStretch(1)
        self.search = QPushButton(tr("搜索人员、页面或操作　Ctrl+K"))
        self.search.setProperty("kind", "search")
        self.search.setIcon(icons.icon("search", Tone.TEXT_3))
        self.search.setIconSize(QSize(18, 18))
        self.search.setMinimumWidth(252)
        self.search.setMaximumWidth(300)
        self.search.setAutoDefault(False)
        self.search.clicked.connect(lambda: self.searched.emit())
        row.addWidget(self.search, 2)
        ends = line(gap=2)
        ends.addWidget(self._account(actor, account))
        locker = icon_button("lock", tr("锁定窗口"), lock.trigger, tip=tr("锁定窗口（Ctrl+L）"))
        ends.addWidget(locker)
        self._menu = _menu(self, menu)
        opener = icon_button("menu", tr("菜单"))
        opener.clicked.connect(lambda: _drop_down(self._menu, opener))
        ends.addWidget(opener)
        row.addLayout(ends)

    def _account(self, actor: tuple[str, str], acts: Sequence[QAction]) -> QPushButton:
        """Name and role; a click offers what concerns the person."""
        name, role = actor
        shown = self.fontMetrics().elidedText(name, Qt.TextElideMode.ElideRight, _NAME_ROOM)
        made = QPushButton(f" {shown}" if name == role else f" {shown}　{role}")
        made.setProperty("kind", "quiet")
        made.setIcon(icons.icon("person", Tone.ACCENT))
        made.setIconSize(QSize(18, 18))
        made.setAutoDefault(False)
        made.setAccessibleName(tr("当前用户：{name}，{role}", name=name, role=role))
        made.setToolTip(tr("操作都记在{name}（{role}）名下", name=name, role=role))
        menu = _menu(self, acts)
        made.clicked.connect(lambda: _drop_down(menu, made))
        return made

    def show_project(self, name: str) -> None:
        """The project's name; the whole of it in the tool tip."""
        self._project.setText(name)


def _menu(owner: QWidget, acts: Sequence[QAction | None]) -> QMenu:
    """``acts`` in a menu that says why one is grey; None draws a line."""
    made = QMenu(owner)
    made.setToolTipsVisible(True)
    for act in acts:
        if act is None:
            made.addSeparator()
        else:
            made.addAction(act)
    return made


def _drop_down(menu: QMenu, opener: QAbstractButton) -> None:
    """Open under the button, right edges in line."""
    left = opener.width() - menu.sizeHint().width()
    menu.popup(opener.mapToGlobal(QPoint(left, opener.height() + 2)))

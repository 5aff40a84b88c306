"""The header: project, month switch, search, menu."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QSize, Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QFrame, QMenu, QPushButton, QToolButton, QWidget

from desktop.ui import icons, theme
from desktop.ui.i18n import month_text, shifted_month, tr
from desktop.ui.theme import Tone, Type
from desktop.ui.widgets.basics import Chip, icon_button, info, label, line

_MONTHS_BACK = 12


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
    """``searched`` opens the command bar, ``month_changed(month)`` moves all pages."""

    searched = Signal()
    month_changed = Signal(str)

    def __init__(self, project: str, month: str, *, demo: bool, menu: list[QAction | None]) -> None:
        super().__init__()
        self.setProperty("surface", "header")
        self.setFixedHeight(56)
        row = line(self, gap=2 * theme.GRID)
        row.setContentsMargins(2 * theme.GRID, 0, theme.GRID, 0)
        self._project = label(project, Type.HEAD)
        self._project.setMinimumWidth(80)
        self._project.setToolTip(project)
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
        self.search.setFixedWidth(300)
        self.search.setAutoDefault(False)
        self.search.clicked.connect(lambda: self.searched.emit())
        row.addWidget(self.search)
        self._menu = QMenu(self)
        for act in menu:
            if act is None:
                self._menu.addSeparator()
            else:
                self._menu.addAction(act)
        opener = icon_button("menu", tr("菜单"))
        opener.clicked.connect(
            lambda: self._menu.popup(
                opener.mapToGlobal(
                    QPoint(opener.width() - self._menu.sizeHint().width(), opener.height() + 2)
                )
            )
        )
        row.addWidget(opener)

    def show_project(self, name: str) -> None:
        """The project's name; the whole of it in the tool tip."""
        self._project.setText(name)
        self._project.setToolTip(name)

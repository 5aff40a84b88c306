"""The left rail: the pages in the order of the user's work; narrow or wide, always labelled."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QButtonGroup, QFrame, QSizePolicy, QToolButton

from desktop.ui import icons, theme
from desktop.ui.actions import PAGES, PageName
from desktop.ui.i18n import tr
from desktop.ui.theme import Tone
from desktop.ui.widgets.basics import IconView, column, icon_button, label, line, repolish


class Rail(QFrame):
    """``picked(page)`` when the user chose one, ``collapsed(narrow)`` when the width changed."""

    picked = Signal(object)
    collapsed = Signal(bool)

    def __init__(self, pages: Sequence[PageName], narrow: bool = False) -> None:
        """``pages`` are those the user may see."""
        super().__init__()
        self.setProperty("surface", "rail")
        self.setAccessibleName(tr("页面"))
        rows = column(self, gap=2)
        rows.setContentsMargins(0, 0, 1, theme.GRID)
        self._brand = line(margin=0, gap=theme.GRID)
        self._brand.setContentsMargins(14, 12, 0, 12)
        self._mark = IconView("app", Tone.ACCENT, 28)
        self._name = label(tr("实名台"), theme.Type.HEAD)
        self._brand.addWidget(self._mark)
        self._brand.addWidget(self._name)
        self._brand.addStretch(1)
        rows.addLayout(self._brand)
        self._group = QButtonGroup(self)
        self._buttons: dict[PageName, QToolButton] = {}
        for page in pages:
            declared = PAGES[page]
            made = QToolButton()
            made.setProperty("kind", "rail")
            made.setText(tr(declared.text))
            made.setAccessibleName(tr(declared.text))
            made.setToolTip(f"{tr(declared.text)}（{declared.shortcut}）")
            made.setIcon(icons.icon(declared.icon))
            made.setCheckable(True)
            made.setAutoRaise(True)
            made.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
            made.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
            made.clicked.connect(lambda _=False, page=page: self.picked.emit(page))
            self._group.addButton(made)
            self._buttons[page] = made
            rows.addWidget(made)
        rows.addStretch(1)
        self._toggle = icon_button("collapse", tr("收起或展开侧栏"), self.toggle)
        self._toggle.setToolTip(tr("收起或展开侧栏（Ctrl+B）"))
        rows.addWidget(self._toggle, 0, Qt.AlignmentFlag.AlignHCenter)
        self._narrow = not narrow
        self.set_narrow(narrow)

    def show_page(self, page: PageName) -> None:
        """Check the button of a page."""
        self._buttons[page].setChecked(True)

    def button(self, page: PageName) -> QToolButton:
        return self._buttons[page]

    def is_narrow(self) -> bool:
        return self._narrow

    def toggle(self) -> None:
        self.set_narrow(not self._narrow)
        self.collapsed.emit(self._narrow)

    def set_narrow(self, narrow: bool) -> None:
        """Labels beside the icons, or under them."""
        if narrow == self._narrow:
            return
        self._narrow = narrow
        self.setFixedWidth(theme.RAIL_NARROW if narrow else theme.RAIL_WIDTH)
        self._name.setVisible(not narrow)
        style = (
            Qt.ToolButtonStyle.ToolButtonTextUnderIcon
            if narrow
            else Qt.ToolButtonStyle.ToolButtonTextBesideIcon
        )
        for made in self._buttons.values():
            made.setToolButtonStyle(style)
            made.setIconSize(QSize(22, 22))
            text = made.text().strip()
            made.setText(text if narrow else f"  {text}")
            made.setProperty("narrow", narrow)
            repolish(made)

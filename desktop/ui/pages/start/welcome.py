"""What somebody sees who has no book open: three ways to begin, and the books of this computer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QSizePolicy, QWidget

from desktop.ui import icons, theme
from desktop.ui.i18n import tr
from desktop.ui.theme import Tone, Type
from desktop.ui.widgets.basics import Card, IconView, button, centred, clear, column, label, line


class WayCard(Card):
    """A large way to begin: icon, name, one sentence; a button for mouse and keyboard alike."""

    chosen = Signal()

    def __init__(self, icon: str, title: str, text: str) -> None:
        super().__init__(margin=2 * theme.GRID + 4)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(f"{title}：{text}")
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setProperty("surface", "way")
        self.setFixedWidth(262)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Expanding)
        self.rows.addWidget(IconView(icon, Tone.ACCENT, 34))
        self.rows.addSpacing(4)
        self.rows.addWidget(label(title, Type.HEAD))
        self.rows.addWidget(label(text, tone=Tone.TEXT_2, wrap=True))
        self.rows.addStretch(1)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self.rect().contains(event.position().toPoint()):
            self.chosen.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.chosen.emit()
            return
        super().keyPressEvent(event)


class WelcomeView(QWidget):
    """Emits what was asked for; knows no service."""

    asked_new = Signal()
    asked_open = Signal()
    asked_demo = Signal()
    asked_restore = Signal()
    asked_recent = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        rows = column(self, margin=3 * theme.GRID, gap=theme.GRID)
        rows.addStretch(2)
        brand = line(gap=theme.GRID + 6)
        brand.addStretch(1)
        brand.addWidget(IconView("app", Tone.ACCENT, 52))
        words = column(gap=0)
        words.addWidget(label(tr("实名台"), Type.TITLE))
        words.addWidget(
            label(tr("从考勤机到公示栏：花名册、打卡、月考勤表、维权信息告示牌"), tone=Tone.TEXT_2)
        )
        brand.addLayout(words)
        brand.addStretch(1)
        rows.addLayout(brand)
        rows.addSpacing(3 * theme.GRID)
        rows.addLayout(self._ways())
        rows.addSpacing(2 * theme.GRID)
        self._recent = column(gap=2)
        middle = QHBoxLayout()
        middle.addStretch(1)
        self._box = QWidget()
        self._box.setFixedWidth(3 * 262 + 2 * 2 * theme.GRID)
        self._box.setLayout(self._recent)
        middle.addWidget(self._box)
        middle.addStretch(1)
        rows.addLayout(middle)
        restore = button(tr("从备份恢复账本…"), self.asked_restore.emit, icon="undo", kind="quiet")
        rows.addLayout(centred(restore))
        rows.addStretch(3)
        foot = label(
            tr("不联网也能用。数据只在本机账本文件夹内，全部加密。"), tone=Tone.TEXT_3
        )
        foot.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        rows.addWidget(foot)

    def _ways(self) -> QHBoxLayout:
        ways: list[tuple[str, str, str, Callable[[], object]]] = [
            ("plus", tr("新建账本"), tr("一个项目一本。填写项目和参建单位，选定考勤口径。"), self.asked_new.emit),
            ("book", tr("打开账本"), tr("打开这台电脑上已有的账本文件夹。"), self.asked_open.emit),
            ("today", tr("演示工地"), tr("虚构的300人工地，先看看一个月怎么走完。"), self.asked_demo.emit),
        ]
        row = line(gap=2 * theme.GRID)
        row.addStretch(1)
        for icon, title, text, act in ways:
            card = WayCard(icon, title, text)
            card.chosen.connect(act)
            row.addWidget(card)
        row.addStretch(1)
        return row

    def show_recent(self, folders: Sequence[Path]) -> None:
        """Books opened before on this computer, newest first."""
        clear(self._recent)
        self._box.setVisible(bool(folders))
        if not folders:
            return
        self._recent.addWidget(label(tr("最近打开"), Type.STRONG, Tone.TEXT_2))
        for folder in folders:
            made = QPushButton(f"{folder.name}　　{folder.parent}")
            made.setProperty("kind", "row")
            made.setIcon(icons.icon("book", Tone.ACCENT))
            made.setIconSize(QSize(18, 18))
            made.setToolTip(str(folder))
            made.clicked.connect(lambda _=False, folder=folder: self.asked_recent.emit(folder))
            self._recent.addWidget(made)

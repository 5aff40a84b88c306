"""The detail panel on the right side of a page: what other programs do in modal dialogs."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QMessageBox, QPushButton, QScrollArea, QWidget

from desktop.ui import theme
from desktop.ui.drafts import MakeAgain, Typed
from desktop.ui.i18n import tr
from desktop.ui.theme import Tone, Type
from desktop.ui.widgets.basics import clear, column, icon_button, label, line, rule
from desktop.ui.widgets.fields import Form


class PanelContent(QWidget):
    """What a page puts into its panel. ``finished`` closes the panel without asking."""

    finished = Signal()
    wide = False
    """Reports and lists get more room than forms."""

    def __init__(self, title: str, subtitle: str = "") -> None:
        super().__init__()
        self.title = title
        self.subtitle = subtitle
        self.rows = column(self, margin=2 * theme.GRID, gap=theme.GRID + 4)
        self.feet: Sequence[QPushButton] = ()

    def is_dirty(self) -> bool:
        """Whether closing would lose what was typed."""
        return False

    def save(self) -> None:
        """What 保存 means when leaving a dirty panel; only called where :meth:`is_dirty`."""

    def again(self) -> MakeAgain | None:
        """How to make this panel anew after the window was locked; it must not hold ``self``."""
        return None

    def typed(self) -> Typed:
        """What was typed, as plain values (see :mod:`desktop.ui.drafts`)."""
        return {}

    def type_again(self, typed: Typed) -> None:
        """Put back what :meth:`typed` gave."""


class FormContent(PanelContent):
    """A panel that is, above all, one form; edits in it survive the lock."""

    def __init__(self, title: str, subtitle: str = "") -> None:
        super().__init__(title, subtitle)
        self.form = Form()
        self.form.submitted.connect(self.save)

    def is_dirty(self) -> bool:
        return self.form.is_dirty()

    def typed(self) -> Typed:
        return self.form.typed()

    def type_again(self, typed: Typed) -> None:
        self.form.type_again(typed)


_UNBOUNDED = (1 << 24) - 1
"""Qt's own largest width of a widget."""


class DetailPanel(QFrame):
    """Title, scrolling content, buttons at the foot; Esc closes. Hidden while empty."""

    closed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("surface", "panel")
        self.setFixedWidth(theme.PANEL_WIDTH)
        self.content: PanelContent | None = None
        self._title = label("", Type.HEAD, wrap=True)
        self._subtitle = label("", tone=Tone.TEXT_2, wrap=True)
        self._scroll = QScrollArea()
        self._scroll.setWidgetResizable(True)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._foot = QFrame()
        self._foot.setProperty("surface", "foot")
        self._feet = line(self._foot, margin=theme.GRID + 4)
        rows = column(self, gap=0)
        head = line(margin=theme.GRID)
        head.setContentsMargins(2 * theme.GRID, theme.GRID + 2, theme.GRID, theme.GRID)
        texts = column(gap=2)
        texts.addWidget(self._title)
        texts.addWidget(self._subtitle)
        head.addLayout(texts, 1)
        self._close = icon_button("close", tr("关闭面板"), self.close_panel, tip=tr("关闭（Esc）"))
        head.addWidget(self._close, 0, Qt.AlignmentFlag.AlignTop)
        rows.addLayout(head)
        rows.addWidget(rule())
        rows.addWidget(self._scroll, 1)
        rows.addWidget(self._foot)
        self.hide()

    def put(self, content: PanelContent) -> bool:
        """Show ``content`` instead of what is there; False if the user kept his edits."""
        if not self.may_leave():
            content.deleteLater()
            return False
        self._drop()
        self.content = content
        content.finished.connect(self._finish)
        self._scroll.setWidget(content)
        self.retitle()
        self.set_feet(content.feet)
        self.show()
        self._scroll.verticalScrollBar().setValue(0)
        return True

    def fill(self, alone: bool) -> None:
        """Take the whole page, or the panel's own width."""
        wide = self.content is not None and self.content.wide
        width = theme.PANEL_WIDE if wide else theme.PANEL_WIDTH
        self.setMinimumWidth(0 if alone else width)
        self.setMaximumWidth(_UNBOUNDED if alone else width)

    def retitle(self) -> None:
        """Show the content's title again after it changed."""
        if self.content is not None:
            self._title.setText(self.content.title)
            self._subtitle.setText(self.content.subtitle)
            self._subtitle.setVisible(bool(self.content.subtitle))
            self.setAccessibleName(self.content.title)

    def set_feet(self, buttons: Sequence[QPushButton]) -> None:
        """Buttons at the foot, the most important one last."""
        clear(self._feet)
        self._feet.addStretch(1)
        for made in buttons:
            self._feet.addWidget(made)
        self._foot.setVisible(bool(buttons))

    def close_panel(self) -> bool:
        """Close, after asking where something would be lost; False if the user stayed."""
        if not self.may_leave():
            return False
        self._finish()
        return True

    def may_leave(self) -> bool:
        """True if nothing is lost or the user says so."""
        content = self.content
        if content is None or not content.is_dirty():
            return True
        answer = ask_about_edits(self, content.title)
        if answer == "save":
            content.save()
            return False  # the page closes the panel when the act has succeeded
        return answer == "drop"

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.close_panel()
            return
        super().keyPressEvent(event)

    def _finish(self) -> None:
        self._drop()
        self.hide()
        self.closed.emit()

    def _drop(self) -> None:
        if self.content is not None:
            self.content = None
            old = self._scroll.takeWidget()
            if old is not None:
                old.hide()
                old.deleteLater()
            clear(self._feet)


def ask_about_edits(parent: QWidget, what: str) -> str:
    """``save``, ``drop`` or ``stay``; the harmless one is the default."""
    box = QMessageBox(parent)
    box.setIcon(QMessageBox.Icon.Warning)
    box.setWindowTitle(tr("还没有保存"))
    box.setText(tr("「{what}」里的改动还没有保存。", what=what))
    save = box.addButton(tr("保存"), QMessageBox.ButtonRole.AcceptRole)
    drop = box.addButton(tr("放弃改动"), QMessageBox.ButtonRole.DestructiveRole)
    stay = box.addButton(tr("继续编辑"), QMessageBox.ButtonRole.RejectRole)
    box.setDefaultButton(stay)
    box.setEscapeButton(stay)
    box.exec()
    clicked = box.clickedButton()
    return "save" if clicked is save else "drop" if clicked is drop else "stay"


def confirm(parent: QWidget, title: str, text: str, act: str) -> bool:
    """Ask before something that cannot be undone; the button names the act."""
    box = QMessageBox(parent)
    box.setIcon(QMessageBox.Icon.Warning)
    box.setWindowTitle(title)
    box.setText(text)
    do = box.addButton(act, QMessageBox.ButtonRole.DestructiveRole)
    stay = box.addButton(tr("不做改动"), QMessageBox.ButtonRole.RejectRole)
    box.setDefaultButton(stay)
    box.setEscapeButton(stay)
    box.exec()
    return box.clickedButton() is do

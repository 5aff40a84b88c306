"""A forgotten password: whoever holds the printed recovery code sets a new one."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLineEdit, QWidget

from desktop.errors import SiteMusterError
from desktop.ui import theme
from desktop.ui.i18n import tr
from desktop.ui.theme import Tone, Type
from desktop.ui.widgets.basics import Card, IconView, button, centred, column, label, line
from desktop.ui.widgets.code_field import CodeField
from desktop.ui.widgets.fields import Choice, Form


class ForgottenView(QWidget):
    """``given(name, new password, recovery code)``; ``left`` goes back to the log-in."""

    given = Signal(str, str, str)
    left = Signal()

    def __init__(self) -> None:
        super().__init__()
        whole = column(self)
        whole.addStretch(2)
        card = Card(margin=3 * theme.GRID)
        card.setFixedWidth(560)
        whole.addLayout(centred(card))
        whole.addStretch(3)
        head = line(gap=theme.GRID + 4)
        head.addWidget(IconView("key", Tone.ACCENT, 28))
        head.addWidget(label(tr("用恢复码重设登录密码"), Type.HEAD), 1)
        card.rows.addLayout(head)
        card.rows.addWidget(
            label(tr("恢复码是新建账本时打印、锁存的那张纸。重设会记入操作记录。管理员在场时，请他在「设置」里重设更省事。"), tone=Tone.TEXT_2, wrap=True)
        )
        self._form = Form()
        self._form.add("name", tr("用户 *"), Choice([]))
        for name, title in (("first", tr("新密码 *")), ("second", tr("再输一遍 *"))):
            self._form.add_text(name, title).setEchoMode(QLineEdit.EchoMode.Password)
        card.rows.addWidget(self._form)
        card.rows.addWidget(label(tr("恢复码 *"), tone=Tone.TEXT_2))
        self.code = CodeField()
        card.rows.addWidget(self.code)
        self._trouble = label("", tone=Tone.BAD, wrap=True)
        card.rows.addWidget(self._trouble)
        feet = line()
        feet.addWidget(button(tr("返回"), self.left.emit))
        feet.addStretch(1)
        feet.addWidget(button(tr("重设密码"), self._give, kind="primary"))
        card.rows.addLayout(feet)
        self.code.completed.connect(self._give)

    def show_names(self, names: Sequence[str]) -> None:
        """Fresh fields for the users of a book."""
        self._form.field("name").set_options([(name, name) for name in names])  # type: ignore[union-attr]
        self.forget()
        self._form.field("name").setFocus()

    def refuse(self, error: SiteMusterError) -> None:
        """Nothing was changed; say why."""
        self.setEnabled(True)
        self._trouble.setText(error.message)

    def forget(self) -> None:
        """Nothing typed stays."""
        for name in ("first", "second"):
            self._form.put(name, "")
        self.code.clear()
        self._trouble.setText("")
        self.setEnabled(True)

    def _give(self) -> None:
        if not self._form.require("name", "first", "second") or not self._form.same("first", "second"):
            return
        if self.code.is_complete():
            self.setEnabled(False)
            self.given.emit(self._form.value("name"), self._form.text("first"), self.code.text())
        else:
            self._trouble.setText(tr("恢复码还没有输全，或有一组不对。"))

"""Name and password, and the wait after failures counted down in words."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QComboBox, QLineEdit, QWidget

from desktop.errors import SiteMusterError
from desktop.ui import theme
from desktop.ui.i18n import tr
from desktop.ui.theme import Tone
from desktop.ui.widgets.basics import column, label
from desktop.ui.widgets.fields import Form


class LoginForm(QWidget):
    """``given(name, secret)``; ``ready_changed(bool)`` whether an attempt is allowed now.

    Without ``asks_name`` only the secret is asked for and the name is given empty. The countdown
    is a courtesy: the service counts by itself and refuses what comes too early.
    """

    given = Signal(str, str)
    ready_changed = Signal(bool)

    def __init__(self, *, asks_name: bool = True, secret: str = "") -> None:
        super().__init__()
        self._needs = ("name", "password") if asks_name else ("password",)
        self._wait_s = 0
        self._sentence = ""
        rows = column(self, gap=theme.GRID + 4)
        self._form = Form(enter_submits=True)
        self.name = QComboBox()
        self.name.setEditable(True)
        self.name.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        if asks_name:
            self._form.add("name", tr("用户名"), self.name)
        self.password = self._form.add_text("password", secret or tr("登录密码"))
        self.password.setEchoMode(QLineEdit.EchoMode.Password)
        line = self.name.lineEdit()
        assert line is not None
        line.setAccessibleName(tr("用户名"))
        line.returnPressed.connect(self.password.setFocus)
        rows.addWidget(self._form)
        self._trouble = label("", tone=Tone.BAD, wrap=True)
        self._trouble.hide()
        rows.addWidget(self._trouble)
        self._form.submitted.connect(self.give)
        self._timer = QTimer(self)
        self._timer.setInterval(1000)
        self._timer.timeout.connect(self._count_down)

    def show_names(self, names: Sequence[str], chosen: str = "") -> None:
        """Who may be chosen; the name may also be typed."""
        self.name.clear()
        self.name.addItems(list(names))
        self.name.setCurrentText(chosen or (names[0] if len(names) == 1 else ""))
        self.forget()

    def focus_first(self) -> None:
        """The cursor goes to what is still empty."""
        named = "name" not in self._needs or bool(self.name.currentText())
        (self.password if named else self.name).setFocus()

    def give(self) -> None:
        """Hand name and password over, unless something is missing or the wait is not over."""
        if self._wait_s == 0 and self._form.require(*self._needs):
            self.given.emit(self.name.currentText().strip(), self.password.text())

    def refuse(self, error: SiteMusterError) -> None:
        """Say why it did not go, and count down where there is something to wait for."""
        self.password.clear()
        self._sentence = error.message
        self._wait_s = int(error.facts.get("wait_s", 0))
        self._show()
        if self._wait_s:
            self._timer.start()
        else:
            self.password.setFocus()

    def forget(self) -> None:
        """Nothing typed stays."""
        self.password.clear()
        self._timer.stop()
        self._wait_s = 0
        self._sentence = ""
        self._show()

    def trouble(self) -> str:
        """The sentence shown under the fields, empty without one."""
        return self._trouble.text()

    def _count_down(self) -> None:
        self._wait_s = max(0, self._wait_s - 1)
        if self._wait_s == 0:
            self._timer.stop()
            self._sentence = tr("可以再试了。")
            self.password.setFocus()
        self._show()

    def _show(self) -> None:
        text = self._sentence
        if self._wait_s:
            text = tr("登录失败次数过多，还要等 {wait} 才能再试。忘记密码时，请管理员重设，或用恢复码重设。", wait=wait_words(self._wait_s))
        self._trouble.setText(text)
        self._trouble.setVisible(bool(text))
        self.password.setEnabled(self._wait_s == 0)
        self.ready_changed.emit(self._wait_s == 0)


def wait_words(seconds: int) -> str:
    """``1 分 05 秒`` or ``30 秒``."""
    minutes, rest = divmod(seconds, 60)
    return tr("{m} 分 {s:02d} 秒", m=minutes, s=rest) if minutes else tr("{s} 秒", s=rest)

"""What a locked window shows: who locked it, how to come back, that collecting goes on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from desktop.errors import SiteMusterError
from desktop.ui import theme
from desktop.ui.i18n import tr
from desktop.ui.theme import Tone, Type
from desktop.ui.widgets.basics import Card, IconView, button, centred, clear, column, label, line
from desktop.ui.widgets.login_form import LoginForm

_WIDTH = 560
_SECRETS = {"password": "登录密码", "passphrase": "账本口令"}


@dataclass(frozen=True, slots=True)
class Held:
    """What the lock screen may say. ``asks`` is ``password``, ``passphrase`` or empty: nothing
    protects this book from who sits at the computer. ``unsaved`` are titles of pages."""

    name: str
    role: str
    at: str
    by_itself: bool
    asks: str
    unsaved: Sequence[str] = ()
    others: bool = False
    """Somebody else may log in instead."""


class LockView(QWidget):
    """``given(name, secret)``: the name is empty for who locked the window; ``others_asked`` for
    the names of the others; ``closed`` to close the book. It knows no page and nobody of the
    roster."""

    given = Signal(str, str)
    others_asked = Signal()
    closed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.held: Held | None = None
        self.form: LoginForm | None = None
        whole = column(self)
        whole.addStretch(2)
        card = Card(margin=3 * theme.GRID)
        card.setFixedWidth(_WIDTH)
        whole.addLayout(centred(card))
        whole.addStretch(3)
        head = line(gap=theme.GRID + 4)
        head.addWidget(IconView("lock", Tone.ACCENT, 28))
        self._title = label("", Type.HEAD)
        head.addWidget(self._title, 1)
        card.rows.addLayout(head)
        self._text = label("", tone=Tone.TEXT_2, wrap=True)
        card.rows.addWidget(self._text)
        self._note = label("", tone=Tone.WARN, wrap=True)
        card.rows.addWidget(self._note)
        self._part = column(gap=theme.GRID + 4)
        card.rows.addLayout(self._part)

    def show_held(self, held: Held) -> None:
        """Say who locked what, and ask for what opens it again."""
        self.held = held
        self.busy(False)
        self._title.setText(tr("窗口已锁定") if held.asks else tr("内容已收起"))
        who = held.name if held.name == held.role else tr("{name}（{role}）", name=held.name, role=held.role)
        how = tr("长时间没有操作，自动锁定") if held.by_itself else tr("锁定")
        text = tr("{at}，{who}{how}。", at=held.at, who=who, how=how)
        self._text.setText(text + tr("人员信息已从屏幕上收起，采集等后台工作照常进行。"))
        self._note.setText(self._warning(held))
        self._note.setVisible(bool(self._note.text()))
        self.show_own()

    def show_own(self) -> None:
        """The part for who locked the window."""
        held = self.held
        assert held is not None
        secret = _SECRETS.get(held.asks, "")
        self._begin(LoginForm(asks_name=False, secret=tr(secret)) if secret else None)
        feet = line()
        feet.addWidget(button(tr("关闭账本"), self.closed.emit, kind="quiet"))
        feet.addStretch(1)
        if held.others:
            feet.addWidget(button(tr("换人登录"), self.others_asked.emit))
        word = tr("解锁") if held.asks else tr("继续")
        feet.addWidget(self._opener(word))
        self._part.addLayout(feet)
        self._focus()

    def show_others(self, names: Sequence[str]) -> None:
        """The part where somebody else logs in."""
        form = LoginForm()
        form.show_names(names)
        self._begin(form)
        feet = line()
        feet.addWidget(button(tr("返回"), self.show_own))
        feet.addStretch(1)
        feet.addWidget(self._opener(tr("登录")))
        self._part.addLayout(feet)
        self._focus()

    def refuse(self, error: SiteMusterError) -> None:
        """It did not fit: the sentence under the field, the field empty for the next try."""
        self.busy(False)
        if self.form is not None:
            self.form.refuse(error)
        else:
            self._note.setText(error.message)
            self._note.show()

    def busy(self, working: bool) -> None:
        """While a secret is being tried nothing else is."""
        self.setEnabled(not working)

    def forget(self) -> None:
        """Unlocked: nothing typed and no name stays in a hidden widget."""
        self.held = None
        self._begin(None)
        for words in (self._text, self._note):
            words.setText("")
        self.busy(False)

    def give(self) -> None:
        """Try what stands in the fields."""
        if self.form is None:
            self.given.emit("", "")
        else:
            self.form.give()

    def _begin(self, form: LoginForm | None) -> None:
        clear(self._part)
        self.form = form
        if form is not None:
            form.given.connect(self.given)
            self._part.addWidget(form)

    def _opener(self, word: str) -> QWidget:
        made = button(word, self.give, kind="primary")
        if self.form is not None:
            self.form.ready_changed.connect(made.setEnabled)
        else:
            made.setFocus()
        return made

    def _focus(self) -> None:
        if self.form is not None:
            self.form.focus_first()

    def _warning(self, held: Held) -> str:
        parts = []
        if not held.asks:
            parts.append(
                tr("这个账本没有登录密码，也没有口令，只能收起内容，锁不住：坐到电脑前的人点「继续」就能看到。要真正锁住，请在「设置」里给自己设登录密码，或给账本设口令。")
            )
        if held.unsaved:
            parts.append(
                tr("有还没保存的改动（{pages}），留在内存里，由{name}解锁后恢复；关掉程序就没有了。", pages="、".join(held.unsaved), name=held.name)
            )
        return "\n".join(parts)

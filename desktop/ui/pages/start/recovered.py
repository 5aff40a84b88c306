"""A book was opened by its paper or by head office: offer a way that works every day again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLineEdit, QRadioButton, QWidget

from desktop.errors import SiteMusterError
from desktop.ui import theme
from desktop.ui.i18n import tr
from desktop.ui.jobs import JobRunner, Lane
from desktop.ui.theme import Tone, Type
from desktop.ui.widgets.basics import Card, IconView, button, centred, column, label, line
from desktop.ui.widgets.fields import Form

if TYPE_CHECKING:
    from desktop.access.desk import Desk
    from desktop.bootstrap import Office


class RecoveredView(QWidget):
    """``finished(office)`` after a new way was made, or put off."""

    finished = Signal(object)

    def __init__(self, office: Office, jobs: JobRunner) -> None:
        super().__init__()
        self._office, self._jobs = office, jobs
        whole = column(self)
        whole.addStretch(2)
        card = Card(margin=3 * theme.GRID)
        card.setFixedWidth(560)
        whole.addLayout(centred(card))
        whole.addStretch(3)
        head = line(gap=theme.GRID + 4)
        head.addWidget(IconView("key", Tone.ACCENT, 28))
        head.addWidget(label(tr("账本打开了。以后怎么打开？"), Type.HEAD), 1)
        card.rows.addLayout(head)
        card.rows.addWidget(
            label(tr("平常的打开方式在这台电脑上不管用了。现在定一个，下次就不用再输恢复码。账本里的数据不受影响。"), tone=Tone.TEXT_2, wrap=True)
        )
        self.bind = QRadioButton(tr("由这台电脑保管钥匙：登录本机用户后直接打开"))
        self.typed = QRadioButton(tr("设新口令，每次输入：适合多人共用的电脑"))
        self.bind.setChecked(True)
        card.rows.addWidget(self.bind)
        card.rows.addWidget(self.typed)
        self._form = Form(enter_submits=True)
        for name, title in (("first", tr("新口令 *")), ("second", tr("再输一遍 *"))):
            self._form.add_text(name, title).setEchoMode(QLineEdit.EchoMode.Password)
        self._form.submitted.connect(self.save)
        self._form.hide()
        self.typed.toggled.connect(self._form.setVisible)
        card.rows.addWidget(self._form)
        self.trouble = label("", tone=Tone.BAD, wrap=True)
        self.trouble.hide()
        card.rows.addWidget(self.trouble)
        feet = line()
        feet.addWidget(button(tr("以后再说"), lambda: self.finished.emit(office), kind="quiet"))
        feet.addStretch(1)
        feet.addWidget(button(tr("确定并进入账本"), self.save, kind="primary"))
        card.rows.addLayout(feet)

    def use_passphrase(self, passphrase: str) -> None:
        """Choose the passphrase and type it twice."""
        self.typed.setChecked(True)
        for name in ("first", "second"):
            self._form.put(name, passphrase)

    def save(self) -> None:
        """Make the chosen way; what refuses says why and the other one may be tried."""
        new = self._passphrase() if self.typed.isChecked() else ""
        if new is None:
            return

        def act(desk: Desk) -> None:
            from desktop.access import key_desk

            key_desk.recover_access(desk, new or None)

        self.setEnabled(False)
        desk = self._office.desk
        self._jobs.submit(
            lambda progress, cancel: act(desk), lambda _: self.finished.emit(self._office),
            lane=Lane.ACT, owner=self, failed=self._refused, title=tr("保存打开方式"),
        )

    def _passphrase(self) -> str | None:
        """What was typed twice, or None with the mark at what is missing."""
        if self._form.require("first", "second") and self._form.same("first", "second"):
            return self._form.text("first")
        return None

    def _refused(self, error: SiteMusterError) -> None:
        self.setEnabled(True)
        self.trouble.setText(error.message)
        self.trouble.show()

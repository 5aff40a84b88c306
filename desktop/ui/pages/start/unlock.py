"""A book that asks for a secret: passphrase, or the printed recovery code."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLineEdit, QTabBar, QWidget

from desktop.errors import SiteMusterError
from desktop.ui import theme
from desktop.ui.i18n import tr
from desktop.ui.theme import Tone, Type
from desktop.ui.widgets.basics import Card, IconView, button, centred, column, label, line
from desktop.ui.widgets.fields import Form


class UnlockView(QWidget):
    """Passphrase or recovery code: ``given(passphrase, recovery code)``, one of them empty."""

    given = Signal(str, str)
    left = Signal()

    def __init__(self) -> None:
        super().__init__()
        whole = column(self)
        whole.addStretch(2)
        card = Card(margin=3 * theme.GRID)
        card.setFixedWidth(520)
        whole.addLayout(centred(card))
        whole.addStretch(3)
        head = line(gap=theme.GRID + 4)
        head.addWidget(IconView("lock", Tone.ACCENT, 28))
        self._title = label("", Type.HEAD)
        head.addWidget(self._title, 1)
        card.rows.addLayout(head)
        self._why = label("", tone=Tone.TEXT_2, wrap=True)
        card.rows.addWidget(self._why)
        self._tabs = QTabBar()
        self._tabs.addTab(tr("口令"))
        self._tabs.addTab(tr("恢复码"))
        self._tabs.setExpanding(False)
        self._tabs.currentChanged.connect(self._switch)
        card.rows.addWidget(self._tabs)
        self._form = Form(enter_submits=True)
        self.passphrase = self._form.add_text("passphrase", tr("账本口令"))
        self.passphrase.setEchoMode(QLineEdit.EchoMode.Password)
        card.rows.addWidget(self._form)
        self._code_form = Form(enter_submits=True)
        self.code = self._code_form.add_text(
            "code", tr("恢复码"), hint=tr("新建账本时打印的8组数字，每组6位；空格和横线可不输。")
        )
        card.rows.addWidget(self._code_form)
        feet = line()
        feet.addWidget(button(tr("返回"), self.left.emit))
        feet.addStretch(1)
        feet.addWidget(button(tr("打开账本"), self._give, kind="primary"))
        card.rows.addLayout(feet)
        for form in (self._form, self._code_form):
            form.submitted.connect(self._give)
        self._switch(0)

    def show_folder(self, folder: Path, error: SiteMusterError) -> None:
        """Say which book and why it did not open by itself."""
        self._title.setText(tr("打开账本「{name}」", name=folder.name))
        self._why.setText(error.message)
        if error.code in ("no_passphrase_slot", "keyring_unusable", "keyring_entry_missing"):
            self._tabs.setCurrentIndex(1)
        self.passphrase.clear()
        (self.code if self._tabs.currentIndex() else self.passphrase).setFocus()

    def _switch(self, index: int) -> None:
        self._form.setVisible(index == 0)
        self._code_form.setVisible(index == 1)

    def _give(self) -> None:
        if self._tabs.currentIndex() == 0:
            if self._form.require("passphrase"):
                self.given.emit(self.passphrase.text(), "")
        elif self._code_form.require("code"):
            self.given.emit("", self.code.text())

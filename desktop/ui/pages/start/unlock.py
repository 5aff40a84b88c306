"""A book that asks for a secret: passphrase, printed recovery code, or head office's key."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLineEdit, QWidget

from desktop.errors import SiteMusterError
from desktop.ui import theme
from desktop.ui.i18n import tr
from desktop.ui.pages.start.secret_entry import CODE, COMPANY, SecretEntry
from desktop.ui.theme import Tone, Type
from desktop.ui.widgets.basics import Card, IconView, button, centred, column, label, line

_TITLES = {
    "keyring_unusable": "系统密钥环打不开",
    "keyring_entry_missing": "系统密钥环里没有这个账本的钥匙",
    "keyring_entry_replaced": "系统密钥环里的钥匙被改写过",
    "key_slots_missing": "账本缺少钥匙文件",
    "key_slots_damaged": "账本的钥匙文件损坏",
    "key_renewed": "账本已换过钥匙",
}
"""What happened, above the sentence that says so at length; else the book is named."""
_BY_CODE = {
    "no_passphrase_slot", "keyring_unusable", "keyring_entry_missing", "keyring_entry_replaced",
    "wrong_recovery_code", "recovery_code_mistyped",
}
_BY_COMPANY = {
    "wrong_company_key", "no_company_slot", "company_passphrase", "company_key_file",
    "company_key_newer", "company_key_unreadable",
}


class UnlockView(QWidget):
    """``given(Secret)``, ``again`` to try the keyring once more, ``left``."""

    given = Signal(object)
    again = Signal()
    left = Signal()

    def __init__(self) -> None:
        super().__init__()
        whole = column(self)
        whole.addStretch(2)
        card = Card(margin=3 * theme.GRID)
        card.setFixedWidth(600)
        whole.addLayout(centred(card))
        whole.addStretch(3)
        head = line(gap=theme.GRID + 4)
        head.addWidget(IconView("lock", Tone.ACCENT, 28))
        self._title = label("", Type.HEAD, wrap=True)
        head.addWidget(self._title, 1)
        card.rows.addLayout(head)
        self._why = label("", tone=Tone.TEXT_2, wrap=True)
        card.rows.addWidget(self._why)
        self.entry = SecretEntry()
        self.entry.given.connect(self.given)
        card.rows.addWidget(self.entry)
        feet = line()
        feet.addWidget(button(tr("返回"), self.left.emit))
        self._again = button(tr("再试一次密钥环"), self.again.emit, icon="refresh", kind="quiet")
        feet.addWidget(self._again)
        feet.addStretch(1)
        feet.addWidget(button(tr("打开账本"), self.entry.give, kind="primary"))
        card.rows.addLayout(feet)

    @property
    def passphrase(self) -> QLineEdit:
        return self.entry.passphrase

    def show_folder(self, folder: Path, error: SiteMusterError) -> None:
        """Say which book and why it did not open by itself."""
        name = tr("打开账本「{name}」", name=folder.name)
        said = _TITLES.get(error.code)
        self._title.setText(name if said is None else f"{name}：{tr(said)}")
        self._why.setText(error.message)
        self._again.setVisible(error.code.startswith("keyring"))
        self.entry.forget_typed()
        way = self.entry.tabs.currentIndex()
        if error.code in _BY_CODE:
            way = CODE
        elif error.code in _BY_COMPANY:
            way = COMPANY
        self.entry.show_way(way)

    def forget(self) -> None:
        """The book is open: no secret stays in a hidden field."""
        self.entry.forget()

"""The ways to give a secret: passphrase, printed recovery code, head office's private key."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFileDialog, QLineEdit, QStackedWidget, QTabBar, QWidget

from desktop.ui.i18n import tr
from desktop.ui.pages.start.secret import Secret
from desktop.ui.theme import Tone
from desktop.ui.widgets.basics import button, column, label, to_the_left
from desktop.ui.widgets.code_field import CodeField
from desktop.ui.widgets.fields import Form

PASSPHRASE, CODE, COMPANY = range(3)


class SecretEntry(QWidget):
    """Tabs, one way each: ``given(Secret)`` on Enter or :meth:`give`."""

    given = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        rows = column(self)
        self.tabs = QTabBar()
        self.tabs.setAccessibleName(tr("打开方式"))
        for word in (tr("口令"), tr("恢复码"), tr("公司恢复钥匙")):
            self.tabs.addTab(word)
        self.tabs.setExpanding(False)
        rows.addWidget(self.tabs)
        self._stack = QStackedWidget()
        for part in (self._passphrase_part(), self._code_part(), self._company_part()):
            self._stack.addWidget(part)
        rows.addWidget(self._stack)
        self.tabs.currentChanged.connect(self._switch)

    def show_way(self, way: int) -> None:
        """One of :data:`PASSPHRASE`, :data:`CODE`, :data:`COMPANY`, with the cursor in it."""
        self.tabs.setCurrentIndex(way)
        self._switch(way)

    def forget(self) -> None:
        """No secret stays in a hidden field."""
        self.passphrase.clear()
        self.code.clear()
        for name in ("passphrase", "file"):
            self._company.put(name, "")

    def forget_typed(self) -> None:
        """Passphrases are typed again after a refusal; a code is looked over."""
        self.passphrase.clear()
        self._company.put("passphrase", "")

    def give(self) -> None:
        """Hand over what stands in the part that is seen, if it is all there."""
        place = self.tabs.currentIndex()
        if place == PASSPHRASE:
            if self._form.require("passphrase"):
                self.given.emit(Secret(passphrase=self.passphrase.text()))
        elif place == CODE:
            if self.code.is_complete():
                self.given.emit(Secret(recovery_code=self.code.text()))
            else:
                self._say_what_is_wrong()
        elif self._company.require("file", "passphrase"):
            file = Path(self._company.value("file")).expanduser()
            typed = self._company.text("passphrase")
            self.given.emit(Secret(company_file=file, company_passphrase=typed))

    def _passphrase_part(self) -> QWidget:
        self._form = Form(enter_submits=True)
        self.passphrase = self._form.add_text("passphrase", tr("账本口令"))
        self.passphrase.setEchoMode(QLineEdit.EchoMode.Password)
        self._form.submitted.connect(self.give)
        return _at_top(self._form)

    def _code_part(self) -> QWidget:
        part = QWidget()
        rows = column(part)
        rows.addWidget(
            label(tr("新建账本时打印的 8 组数字，每组 6 位。每输完一组，程序就核对这一组。"), tone=Tone.TEXT_2, wrap=True)
        )
        self.code = CodeField()
        self.code.completed.connect(self.give)
        rows.addWidget(self.code)
        self._note = label("", tone=Tone.BAD, wrap=True)
        rows.addWidget(self._note)
        self.code.changed.connect(self._note.clear)
        rows.addStretch(1)
        return part

    def _company_part(self) -> QWidget:
        self._company = Form(enter_submits=True)
        self._company.add_widget(
            label(tr("账本加了公司钥匙的，总部可用自己保管的私钥文件打开。私钥文件只在这里读一次，不会留在本机。"), tone=Tone.TEXT_2, wrap=True)
        )
        self._company.add_text("file", tr("公司私钥文件"))
        pick = button(tr("选择文件…"), self._choose, icon="folder", kind="quiet")
        self._company.add_widget(to_the_left(pick))
        secret = self._company.add_text("passphrase", tr("私钥文件的口令"))
        secret.setEchoMode(QLineEdit.EchoMode.Password)
        self._company.submitted.connect(self.give)
        return _at_top(self._company)

    def _say_what_is_wrong(self) -> None:
        wrong = self.code.wrong_groups()
        if wrong:
            groups = "、".join(str(number) for number in wrong)
            self._note.setText(tr("第 {groups} 组不对，请对照纸面重新输入。", groups=groups))
        else:
            self._note.setText(tr("还没有输全：共 8 组，每组 6 位。"))

    def _choose(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, tr("选择公司私钥文件"))
        if path:
            self._company.put("file", path)
            self._company.field("passphrase").setFocus()

    def _switch(self, index: int) -> None:
        self._stack.setCurrentIndex(index)
        (self.passphrase, self.code, self._company.field("file"))[index].setFocus()


def _at_top(form: Form) -> QWidget:
    """A form that keeps to its height in a stack of taller ones."""
    part = QWidget()
    rows = column(part)
    rows.addWidget(form)
    rows.addStretch(1)
    return part

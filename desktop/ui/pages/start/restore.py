"""A backup becomes a book: on a new computer, or in the place of one that is closed for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QFileDialog, QLineEdit, QScrollArea, QWidget

from desktop.errors import SiteMusterError
from desktop.ui import theme
from desktop.ui.i18n import tr
from desktop.ui.jobs import JobRunner, Lane
from desktop.ui.pages.start.secret import Secret, company_key
from desktop.ui.pages.start.secret_entry import CODE, SecretEntry
from desktop.ui.theme import Tone, Type
from desktop.ui.widgets.basics import (
    Card,
    IconView,
    button,
    centred,
    column,
    label,
    line,
    to_the_left,
)
from desktop.ui.widgets.fields import Form

if TYPE_CHECKING:
    from desktop.access.restore_desk import RestoreReport
    from desktop.clock import Clock

_ACCEPT: Mapping[str, str] = {
    "backup_older": "我知道这不是账本登记的最后一份备份，仍要恢复它",
    "backup_flawed": "我知道这份备份里的账本核对不通过，仍要恢复它",
}
"""What must be ticked before it is tried again, by the code of the refusal."""


@dataclass(frozen=True, slots=True)
class Restored:
    """A finished restore and the secret that opened it: the next opening uses it as well."""

    report: RestoreReport
    secret: Secret


class RestoreView(QWidget):
    """``restored(Restored)``, ``left``. Restores beside first, checks every segment, then swaps."""

    restored = Signal(object)
    left = Signal()

    def __init__(self, jobs: JobRunner, clock: Clock | None = None) -> None:
        super().__init__()
        self._jobs, self._clock = jobs, clock
        self._accepted: dict[str, QCheckBox] = {}
        whole = column(self)
        area = QScrollArea()
        area.setWidgetResizable(True)
        holder = QWidget()
        rows = column(holder, margin=2 * theme.GRID)
        rows.addStretch(1)
        card = Card(margin=3 * theme.GRID)
        card.setFixedWidth(640)
        rows.addLayout(centred(card))
        rows.addStretch(1)
        area.setWidget(holder)
        whole.addWidget(area)
        self._card = card
        head = line(gap=theme.GRID + 4)
        head.addWidget(IconView("undo", Tone.ACCENT, 28))
        head.addWidget(label(tr("从备份恢复账本"), Type.HEAD), 1)
        card.rows.addLayout(head)
        self._what = label("", tone=Tone.TEXT_2, wrap=True)
        card.rows.addWidget(self._what)
        self.form = Form()
        for name, word, hint in (
            ("bundle", tr("备份文件夹 *"), tr("账本里 backups 下的一份，或第二存放处、U盘上的一份。")),
            ("folder", tr("恢复到 *"), tr("本机硬盘上的文件夹；原来有账本的，会挪到旁边保留。")),
        ):
            self.form.add_text(name, word, hint=hint)
            pick = button(tr("选择…"), partial(self._choose, name), icon="folder", kind="quiet")
            pick.setAccessibleName(tr("选择{what}", what=word.rstrip(" *")))
            self.form.add_widget(to_the_left(pick))
        card.rows.addWidget(self.form)
        card.rows.addWidget(label(tr("用什么打开这份备份"), Type.STRONG))
        self.entry = SecretEntry()
        self.entry.given.connect(self.restore)
        card.rows.addWidget(self.entry)
        self._user = Form()
        self._user.add_text("user", tr("管理员用户名"))
        self._user.add_text("password", tr("登录密码")).setEchoMode(QLineEdit.EchoMode.Password)
        self._user.hide()
        card.rows.addWidget(self._user)
        for code, words in _ACCEPT.items():
            tick = QCheckBox(tr(words))
            tick.hide()
            card.rows.addWidget(tick)
            self._accepted[code] = tick
        self._trouble = label("", tone=Tone.BAD, wrap=True)
        self._trouble.hide()
        card.rows.addWidget(self._trouble)
        feet = line()
        feet.addWidget(button(tr("返回"), self._leave))
        feet.addStretch(1)
        feet.addWidget(button(tr("核对并恢复"), self.entry.give, kind="primary"))
        card.rows.addLayout(feet)

    def show_for(self, bundle: Path | None, folder: Path | None) -> None:
        """For a bundle of an open book that was closed for it, or for nothing yet."""
        self.form.put("bundle", "" if bundle is None else str(bundle))
        self.form.put("folder", "" if folder is None else str(folder))
        text = tr("先在旁边恢复并核对每一段，全部通过才放到位；不通过，什么也不变。")
        if bundle is not None:
            text += tr("现在的账本会整个挪到旁边保留，不删除。")
        self._what.setText(text)
        self._user.hide()
        for tick in self._accepted.values():
            tick.setChecked(False)
            tick.hide()
        self._say("")
        self.setEnabled(True)
        self.entry.show_way(CODE)

    def restore(self, secret: Secret) -> None:
        """Do it with what was given."""
        if not self.form.require("bundle", "folder"):
            return
        bundle = Path(self.form.value("bundle")).expanduser()
        folder = Path(self.form.value("folder")).expanduser()
        accept = {code: tick.isChecked() for code, tick in self._accepted.items()}
        user, password = self._user.value("user") or None, self._user.text("password") or None
        clock = self._clock

        def work(progress: Any, cancel: Any) -> Restored:
            from desktop.access.restore_desk import restore_backup
            from desktop.bootstrap import leaf_readers
            from desktop.clock import SystemClock

            report = restore_backup(
                bundle, folder, readers=leaf_readers, clock=clock or SystemClock(),
                passphrase=secret.passphrase, recovery_code=secret.recovery_code,
                company=company_key(secret), user=user, password=password,
                accept_older=accept["backup_older"], accept_flaws=accept["backup_flawed"],
                progress=progress, cancel=cancel,
            )
            return Restored(report, secret)

        self._say("")
        self.setEnabled(False)
        self._jobs.submit(
            work, self._done, lane=Lane.ACT, owner=self, failed=self._refused, title=tr("恢复备份")
        )

    def forget(self) -> None:
        """No secret stays in a hidden field."""
        self.entry.forget()
        self._user.put("password", "")

    def trouble(self) -> str:
        """The sentence shown above the buttons."""
        return self._trouble.text()

    def _done(self, found: Restored) -> None:
        self.setEnabled(True)
        self.forget()
        self.restored.emit(found)

    def _refused(self, error: SiteMusterError) -> None:
        """Nothing was changed; where the user may decide otherwise, he is asked."""
        self.setEnabled(True)
        self._say(error.message)
        if error.code in self._accepted:
            self._accepted[error.code].show()
        if error.code in ("login_needed", "login_failed", "login_held"):
            self._user.show()
            self._user.field("user").setFocus()

    def _say(self, text: str) -> None:
        self._trouble.setText(text)
        self._trouble.setVisible(bool(text))

    def _leave(self) -> None:
        self.forget()
        self.left.emit()

    def _choose(self, name: str) -> None:
        title = tr("选择备份文件夹") if name == "bundle" else tr("恢复到哪个文件夹")
        folder = QFileDialog.getExistingDirectory(self, title, self.form.value(name))
        if folder:
            self.form.put(name, folder)

"""The recovery code: shown once, printed or kept, and partly typed back before the book opens."""

from __future__ import annotations

import secrets
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtGui import QFont, QFontDatabase
from PySide6.QtWidgets import QFileDialog, QGridLayout, QWidget

from desktop.errors import SiteMusterError
from desktop.paths import write_atomically
from desktop.ui import theme
from desktop.ui.i18n import tr
from desktop.ui.jobs import JobRunner
from desktop.ui.pages.start.steps import WizardStep
from desktop.ui.shell.message_bar import MessageBar
from desktop.ui.theme import Tone, Type
from desktop.ui.widgets.basics import Card, button, column, label, line
from desktop.ui.widgets.fields import Form


class RecoveryStep(WizardStep):
    """``proved`` when two of the groups were typed back as printed."""

    proved = Signal()

    def __init__(self, code: str, book_id: str, jobs: JobRunner, messages: MessageBar) -> None:
        super().__init__(
            tr("恢复码"),
            tr("账本已建立。换电脑、重装系统或忘记口令时，只有这张恢复码能打开账本。它只显示这一次，请打印或抄写后锁存。"),
        )
        self._code, self._book_id, self._messages = code, book_id, messages
        self._groups = code.split("-")
        self._asked = sorted(secrets.SystemRandom().sample(range(len(self._groups)), 2))
        card = Card(margin=3 * theme.GRID)
        grid = QGridLayout()
        grid.setHorizontalSpacing(4 * theme.GRID)
        grid.setVerticalSpacing(theme.GRID)
        fixed = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
        fixed.setPointSizeF(theme.font(Type.FIGURE).pointSizeF())
        fixed.setWeight(QFont.Weight.DemiBold)
        for place, group in enumerate(self._groups):
            number = label(tr("第{n}组", n=place + 1), tone=Tone.TEXT_3)
            shown = label(group)
            shown.setFont(fixed)
            row, at = divmod(place, 4)
            grid.addWidget(number, 2 * row, at)
            grid.addWidget(shown, 2 * row + 1, at)
        card.rows.addLayout(grid)
        acts = line()
        acts.addWidget(button(tr("打印"), self._print, icon="print"))
        acts.addWidget(button(tr("保存为文件…"), self._choose, icon="export"))
        acts.addStretch(1)
        acts.addWidget(
            button(tr("已打印或抄好，去核对"), lambda: self._show_code(False), kind="primary")
        )
        card.rows.addSpacing(theme.GRID)
        card.rows.addLayout(acts)
        self._shown = card
        self.rows.addWidget(card)
        self._check = self._check_part()
        self.rows.addWidget(self._check)
        self._show_code(True)

    def _check_part(self) -> QWidget:
        """Typing back, with the code out of sight: what is checked is the paper."""
        part = QWidget()
        rows = column(part, gap=theme.GRID + 4)
        rows.addWidget(label(tr("请照着打印或抄下的恢复码输入下面两组"), Type.HEAD))
        self._form = Form()
        for place in self._asked:
            self._form.add_text(f"group{place}", tr("第{n}组（6位数字）", n=place + 1))
        self._form.submitted.connect(self._prove)
        rows.addWidget(self._form)
        foot = line()
        foot.addWidget(button(tr("再看一次恢复码"), lambda: self._show_code(True), icon="eye"))
        foot.addStretch(1)
        foot.addWidget(button(tr("核对并进入账本"), self._prove, kind="primary"))
        rows.addLayout(foot)
        return part

    def _show_code(self, shown: bool) -> None:
        self._shown.setVisible(shown)
        self._check.setVisible(not shown)
        if not shown:
            self._form.field(f"group{self._asked[0]}").setFocus()

    def asked(self) -> list[int]:
        """Which groups must be typed back, counted from 0."""
        return self._asked

    def type_back(self, place: int, text: str) -> None:
        """Type into the field of a group."""
        self._form.field(f"group{place}").setText(text)  # type: ignore[union-attr]

    def prove(self) -> bool:
        """Whether both groups are as printed; marks the wrong one."""
        right = True
        for place in self._asked:
            typed = "".join(sign for sign in self._form.value(f"group{place}") if sign.isdigit())
            wrong = typed != self._groups[place]
            self._form.mark(f"group{place}", tr("与恢复码不一致，请看清纸面再输") if wrong else "")
            right = right and not wrong
        return right

    def save(self, path: Path) -> None:
        """Write the code to a file that the user keeps elsewhere."""
        text = f"{self._code}\n实名台账本 {self._book_id} 恢复码，请打印后锁存。\n"
        try:
            write_atomically(path, text.encode(), private=True)
        except SiteMusterError as error:
            self._messages.error(error)
            return
        self._messages.info(tr("恢复码已保存到 {path}。请打印后把文件移到别处。", path=path))

    def _prove(self) -> None:
        if self.prove():
            self.proved.emit()

    def _choose(self) -> None:
        path, _ = QFileDialog.getSaveFileName(
            self, tr("保存恢复码"), tr("实名台恢复码.txt"), tr("文本文件 (*.txt)")
        )
        if path:
            self.save(Path(path))

    def _print(self) -> None:
        from desktop.ui.printing import print_pages
        from desktop.ui.tables.paper import recovery_sheet

        print_pages(self, recovery_sheet(self._groups, self._book_id), self._messages)



"""A new recovery code: shown once, printed or kept, and partly typed back before it counts."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtGui import QFont, QFontDatabase
from PySide6.QtWidgets import QFileDialog, QGridLayout, QWidget

from desktop.errors import SiteMusterError
from desktop.paths import write_atomically
from desktop.ui import theme
from desktop.ui.i18n import tr
from desktop.ui.theme import Tone, Type
from desktop.ui.widgets.basics import Card, button, column, label, line
from desktop.ui.widgets.fields import Form

if TYPE_CHECKING:
    from desktop.ui.workspace import Messages
    from reports.paper import Document

_ASKED = 2


@dataclass(frozen=True, slots=True)
class CodePaper:
    """What the printed sheet says besides the code."""

    book_id: str
    project: str
    issued_on: date
    generation: int = 1


class CodeProof(QWidget):
    """``proved`` when two of the groups were typed back as printed; what is checked is the paper,
    so the code is out of sight meanwhile."""

    proved = Signal()

    def __init__(
        self, code: str, paper: CodePaper, messages: Messages, finish: str, *, narrow: bool = False
    ) -> None:
        """``finish`` is the word on the last button; ``narrow`` shows two groups in a row."""
        super().__init__()
        self._code, self._paper, self._messages = code, paper, messages
        self.groups = code.split("-")
        self._asked = sorted(secrets.SystemRandom().sample(range(len(self.groups)), _ASKED))
        rows = column(self, gap=theme.GRID + 4)
        self._shown = self._code_part(2 if narrow else 4)
        self._check = self._check_part(finish)
        rows.addWidget(self._shown)
        rows.addWidget(self._check)
        self.show_code(True)

    def asked(self) -> list[int]:
        """Which groups must be typed back, counted from 0."""
        return self._asked

    def type_back(self, place: int, text: str) -> None:
        """Type into the field of a group."""
        self._form.put(f"group{place}", text)

    def prove(self) -> bool:
        """Whether all groups asked for are as printed; marks the wrong one."""
        right = True
        for place in self._asked:
            typed = "".join(sign for sign in self._form.value(f"group{place}") if sign.isdigit())
            wrong = typed != self.groups[place]
            self._form.mark(f"group{place}", tr("与恢复码不一致，请看清纸面再输") if wrong else "")
            right = right and not wrong
        return right

    def finish(self) -> None:
        """Go on if the groups are right."""
        if self.prove():
            self.proved.emit()

    def show_code(self, shown: bool) -> None:
        """The code, or the fields to type it back; never both."""
        self._shown.setVisible(shown)
        self._check.setVisible(not shown)
        if not shown:
            self._form.field(f"group{self._asked[0]}").setFocus()

    def save(self, path: Path) -> None:
        """Write the code to a file that the user keeps elsewhere."""
        text = tr("{code}\n实名台账本 {book} 恢复码，请打印后锁存。\n", code=self._code, book=self._paper.book_id)
        try:
            write_atomically(path, text.encode(), private=True)
        except SiteMusterError as error:
            self._messages.error(error)
            return
        self._messages.info(tr("恢复码已保存到 {path}。请打印后把文件移到别处。", path=path))

    def document(self) -> Document:
        """The sheet to lock away."""
        from reports.recovery_sheet import RecoverySheetInput, recovery_sheet_document

        paper = self._paper
        return recovery_sheet_document(
            RecoverySheetInput(
                tuple(self.groups), paper.book_id, paper.issued_on, paper.project, paper.generation
            )
        )

    def _code_part(self, across: int) -> Card:
        card = Card(margin=2 * theme.GRID if across == 2 else 3 * theme.GRID)
        grid = QGridLayout()
        grid.setHorizontalSpacing(4 * theme.GRID)
        grid.setVerticalSpacing(theme.GRID)
        fixed = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
        fixed.setPointSizeF(theme.font(Type.FIGURE).pointSizeF())
        fixed.setWeight(QFont.Weight.DemiBold)
        for place, group in enumerate(self.groups):
            number = label(tr("第{n}组", n=place + 1), tone=Tone.TEXT_3)
            shown = label(group)
            shown.setFont(fixed)
            row, at = divmod(place, across)
            grid.addWidget(number, 2 * row, at)
            grid.addWidget(shown, 2 * row + 1, at)
        card.rows.addLayout(grid)
        acts = line()
        acts.addWidget(button(tr("打印"), self._print, icon="print"))
        acts.addWidget(button(tr("保存为文件…"), self._choose, icon="export"))
        acts.addStretch(1)
        go_on = button(tr("已打印或抄好，去核对"), lambda: self.show_code(False), kind="primary")
        card.rows.addSpacing(theme.GRID)
        card.rows.addLayout(acts)
        if across == 2:
            card.rows.addWidget(go_on)
        else:
            acts.addWidget(go_on)
        return card

    def _check_part(self, finish: str) -> QWidget:
        part = QWidget()
        rows = column(part, gap=theme.GRID + 4)
        rows.addWidget(label(tr("请照着打印或抄下的恢复码输入下面两组"), Type.STRONG, wrap=True))
        self._form = Form(enter_submits=True)
        for place in self._asked:
            self._form.add_text(f"group{place}", tr("第{n}组（6位数字）", n=place + 1))
        self._form.submitted.connect(self.finish)
        rows.addWidget(self._form)
        foot = line()
        foot.addWidget(button(tr("再看一次恢复码"), lambda: self.show_code(True), icon="eye"))
        foot.addStretch(1)
        foot.addWidget(button(finish, self.finish, kind="primary"))
        rows.addLayout(foot)
        return part

    def _choose(self) -> None:
        path, _ = QFileDialog.getSaveFileName(
            self, tr("保存恢复码"), tr("实名台恢复码.txt"), tr("文本文件 (*.txt)")
        )
        if path:
            self.save(Path(path))

    def _print(self) -> None:
        from desktop.ui.printing import print_pages

        print_pages(self, self.document(), self._messages)

"""The recovery code of a new book; the wizard ends only after part of it was typed back."""

from __future__ import annotations

from PySide6.QtCore import Signal

from desktop.ui.i18n import tr
from desktop.ui.pages.start.steps import WizardStep
from desktop.ui.shell.message_bar import MessageBar
from desktop.ui.widgets.code_proof import CodePaper, CodeProof


class RecoveryStep(WizardStep):
    """``proved`` when two of the groups were typed back as printed."""

    proved = Signal()

    def __init__(self, code: str, paper: CodePaper, messages: MessageBar) -> None:
        super().__init__(
            tr("恢复码"),
            tr("账本已建立。换电脑、重装系统或忘记口令时，只有这张恢复码能打开账本。它只显示这一次，请打印或抄写后锁存。"),
        )
        self.proof = CodeProof(code, paper, messages, tr("核对并进入账本"))
        self.proof.proved.connect(self.proved)
        self.rows.addWidget(self.proof)

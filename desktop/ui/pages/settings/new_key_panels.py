"""Panels that hand over a new paper: another recovery code, a new data key after a leak.

The code is made and proved here first; only then does the service change anything, so that no book
ever waits for a paper that nobody has.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtWidgets import QLineEdit

from desktop.ui.changes import Changes
from desktop.ui.i18n import tr
from desktop.ui.theme import Tone
from desktop.ui.widgets.basics import Card, button, column, label
from desktop.ui.widgets.code_proof import CodePaper, CodeProof
from desktop.ui.widgets.fields import Form
from desktop.ui.widgets.panel import PanelContent
from desktop.ui.workspace import Workspace

if TYPE_CHECKING:
    from desktop.access.desk import Desk


class NewCodePanel(PanelContent):
    """Consequences, then the code with its proof, then the act."""

    wide = True

    def __init__(
        self, workspace: Workspace, project: str, generation: int, title: str, subtitle: str
    ) -> None:
        super().__init__(title, subtitle)
        self.workspace = workspace
        self._project, self._generation = project, generation
        self.proof: CodeProof | None = None
        self._before = column(gap=12)
        self.rows.addLayout(self._before)
        self._part = column(gap=12)
        self.rows.addLayout(self._part)
        self.rows.addStretch(1)

    def show_code(self) -> None:
        """Make a code and show it; nothing of the book has changed yet."""
        from desktop.storage.recovery_code import new_code

        book, code = self.workspace.office.book, new_code()
        paper = CodePaper(
            book.book_id, self._project, book.clock.today(), self._generation
        )
        self.proof = CodeProof(
            code, paper, self.workspace.messages, self.finish_word(), narrow=True
        )
        self.proof.proved.connect(lambda: self.apply(code))
        self._part.addWidget(self.proof)

    def finish_word(self) -> str:
        """The word on the button after the proof."""
        return tr("核对并启用")

    def apply(self, code: str) -> None:
        """The paper is there: change the book."""


class RecoveryCodePanel(NewCodePanel):
    """Another paper for the same key."""

    def __init__(self, workspace: Workspace, project: str, generation: int) -> None:
        super().__init__(
            workspace, project, generation, tr("换恢复码"),
            tr("核对完才启用；中途关闭，旧恢复码照旧有效。"),
        )
        card = Card("neutral", margin=12)
        for text in (
            tr("启用以后，旧恢复码打不开账本。"),
            tr("更换以前做的备份仍要用旧恢复码打开：旧纸请与旧备份一起保管，或一起销毁。"),
            tr("账本里的数据、口令、密钥环都不变。"),
        ):
            card.rows.addWidget(label(f"· {text}", wrap=True))
        self._before.addWidget(card)
        self.show_code()

    def apply(self, code: str) -> None:
        def work(desk: Desk, progress: Any, cancel: Any) -> None:
            from desktop.access.key_desk import renew_recovery_code

            renew_recovery_code(desk, code)

        def done(_: None) -> None:
            self.workspace.messages.info(tr("新恢复码已启用，旧恢复码作废。请现在做一份新备份。"))
            self.finished.emit()

        self.workspace.act(
            work, done, title=tr("启用新恢复码"), owner=self, changes=Changes.CUSTODY
        )


class RekeyPanel(NewCodePanel):
    """A new data key for the whole book: verified backup, copy under the new key, exchange."""

    def __init__(
        self, workspace: Workspace, project: str, generation: int, *, passphrase: bool
    ) -> None:
        super().__init__(
            workspace, project, generation, tr("整本换钥匙"),
            tr("换成第 {n} 把钥匙。做完以前账本保持原样；中途停止，什么也不变。", n=generation),
        )
        card = Card("warn", margin=12)
        for text in (
            tr("先做一份备份并核验，再用新钥匙重新加密整个账本并核对每一段。几分钟内不要关机。"),
            tr("旧恢复码、旧口令从此打不开账本；但知道旧钥匙的人仍能打开换之前的备份和复制件，请收回或销毁。"),
            tr("其他电脑上的密钥环绑定作废，要用新恢复码或新口令打开后重新绑定。"),
        ):
            card.rows.addWidget(label(f"· {text}", wrap=True))
        self._before.addWidget(card)
        self.form: Form | None = None
        if passphrase:
            self.form = Form()
            for name, title in (("first", tr("账本口令（可以换新的）*")), ("second", tr("再输一遍 *"))):
                self.form.add_text(name, title).setEchoMode(QLineEdit.EchoMode.Password)
            self._before.addWidget(self.form)
        self._begin = button(tr("先印新恢复码"), self._next, kind="primary")
        self.feet = (self._begin,)

    def finish_word(self) -> str:
        return tr("核对并换钥匙")

    def apply(self, code: str) -> None:
        office = self.workspace.office
        passphrase = self.form.text("first") if self.form is not None else None

        def work(desk: Desk, progress: Any, cancel: Any) -> Any:
            from desktop.access.key_desk import ways_after

            return office.rekey(ways_after(desk, code, passphrase), progress, cancel)

        def done(report: Any) -> None:
            text = tr(
                "账本已换成第 {n} 把钥匙，重新密封 {v} 项资料、{f} 个文件。旧恢复码作废。",
                n=report.generation, v=f"{report.values:,}", f=report.files,
            )
            self.workspace.messages.info(text + (report.files_wait or ""))
            self.finished.emit()

        if self.proof is not None:
            self.proof.setEnabled(False)
        self.workspace.act(
            work, done, title=tr("整本换钥匙"), owner=self, changes=~Changes.NONE,
            failed=self._failed,
        )

    def _next(self) -> None:
        if self.form is not None and not (
            self.form.require("first", "second") and self.form.same("first", "second")
        ):
            return
        self._begin.hide()
        if self.form is not None:
            self.form.setEnabled(False)
        self.rows.insertWidget(1, label(tr("现在打印新恢复码，核对后开始换。"), tone=Tone.TEXT_2, wrap=True))
        self.show_code()

    def _failed(self, error: Any) -> None:
        self.workspace.report(error)
        if self.proof is not None:
            self.proof.setEnabled(True)

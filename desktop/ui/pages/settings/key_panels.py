"""Panels of single ways: a passphrase, head office's public key."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from desktop.access.actor import Act
from desktop.errors import SiteMusterError
from desktop.ui.changes import Changes
from desktop.ui.i18n import tr
from desktop.ui.jobs import Lane
from desktop.ui.pages.settings.secret_panel import SecretPanel
from desktop.ui.theme import Tone, Type
from desktop.ui.widgets.basics import Card, button, label
from desktop.ui.widgets.blocks import Facts
from desktop.ui.widgets.fields import Form
from desktop.ui.widgets.gate import gate
from desktop.ui.widgets.panel import PanelContent
from desktop.ui.workspace import Workspace

if TYPE_CHECKING:
    from desktop.access.desk import Desk
    from desktop.storage.company_keys import CompanyPublic


class PassphrasePanel(SecretPanel):
    """The book's passphrase, typed twice."""

    def __init__(self, workspace: Workspace, changes: bool) -> None:
        title = tr("换账本口令") if changes else tr("设账本口令")
        super().__init__(
            workspace, title, tr("口令打开整个账本；登录密码只说明是谁。两样不要相同。"), title
        )
        self.add_new(tr("口令"), tr("越长越好；忘了只能用恢复码。旧口令从此打不开账本，换之前的备份仍用旧口令。"))
        self.rows.addStretch(1)

    def save(self) -> None:
        passphrase = self.new_secret()
        if passphrase is None:
            return

        def work(desk: Desk, progress: Any, cancel: Any) -> None:
            from desktop.access.key_desk import change_passphrase

            change_passphrase(desk, passphrase)

        def done(_: None) -> None:
            self.workspace.messages.info(tr("账本口令已保存，下次打开时用它。"))
            self.finished.emit()

        self.workspace.act(
            work, done, title=tr("保存口令"), owner=self, changes=Changes.CUSTODY
        )


class CompanyPanel(PanelContent):
    """Head office's key out of a file; it counts only with the fingerprint that was read aloud."""

    def __init__(self, workspace: Workspace, path: str) -> None:
        super().__init__(tr("添加公司公钥"), Path(path).name)
        self._workspace = workspace
        self._public: CompanyPublic | None = None
        self._facts = Card("neutral", margin=12)
        self.rows.addWidget(self._facts)
        self._facts.rows.addWidget(label(tr("正在读取公钥文件…"), tone=Tone.TEXT_2))
        self.form = Form(enter_submits=True)
        self.form.add_text(
            "heard", tr("公司在电话里报的指纹 *"), hint=tr("请打公司的固定电话问，不要用发文件的那个聊天窗口。数字以外的空格、横线不用输。"),
        )
        self.form.submitted.connect(self.save)
        self.rows.addWidget(self.form)
        self.rows.addWidget(
            label(
                tr("添加以后，持有公司私钥的人能打开这个账本和以后做的备份，看到全部人员资料。请确认公司同意由谁保管私钥。"),
                tone=Tone.WARN, wrap=True,
            )
        )
        self.rows.addStretch(1)
        self._add = gate(
            button(tr("核对指纹并添加"), self.save, kind="primary"), workspace,
            Act.COMPANY_SLOT_ADDED,
        )
        self._add.setEnabled(False)
        self.feet = (self._add,)

        def read(progress: Any, cancel: Any) -> CompanyPublic:
            from desktop.access.key_desk import company_public

            return company_public(Path(path))

        workspace.jobs.submit(
            read, self.show_public, lane=Lane.POOL, owner=self, failed=self._unreadable
        )

    def show_public(self, public: CompanyPublic) -> None:
        """Whose key it says it is, and its fingerprint to compare by ear."""
        from desktop.ui.widgets.basics import clear

        self._public = public
        clear(self._facts.rows)
        self._facts.rows.addWidget(
            Facts([(tr("公司"), public.name or tr("未命名")), (tr("制作日期"), public.made_on)])
        )
        self._facts.rows.addWidget(label(tr("文件里的指纹"), tone=Tone.TEXT_2))
        self._facts.rows.addWidget(label(public.fingerprint, Type.HEAD, wrap=True, selectable=True))
        self._add.setEnabled(True)

    def save(self) -> None:
        public = self._public
        if public is None or not self.form.require("heard"):
            return
        heard = self.form.value("heard")

        def work(desk: Desk, progress: Any, cancel: Any) -> None:
            from desktop.access.key_desk import add_company_slot

            add_company_slot(desk, public, fingerprint=heard)

        def done(_: None) -> None:
            self._workspace.messages.info(tr("公司钥匙已添加。以后的备份，总部凭私钥也能打开。"))
            self.finished.emit()

        self._workspace.act(
            work, done, title=tr("添加公司钥匙"), owner=self, changes=Changes.CUSTODY
        )

    def _unreadable(self, error: SiteMusterError) -> None:
        self._workspace.report(error)
        self.finished.emit()

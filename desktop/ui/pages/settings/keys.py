"""钥匙: every way to open the book, its state, and what can be done about it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtWidgets import QFileDialog, QWidget

from desktop.access import key_desk
from desktop.access.actor import Act
from desktop.access.desk import Desk
from desktop.access.key_desk import KeyStatus
from desktop.ui import theme
from desktop.ui.changes import Changes
from desktop.ui.i18n import tr
from desktop.ui.jobs import Lane
from desktop.ui.pages.settings.key_panels import CompanyPanel, PassphrasePanel
from desktop.ui.pages.settings.new_key_panels import RecoveryCodePanel, RekeyPanel
from desktop.ui.pages.settings.section import OpenPanel, Section
from desktop.ui.theme import Tone, Type
from desktop.ui.widgets.basics import (
    Card,
    Chip,
    State,
    bad,
    button,
    clear,
    column,
    good,
    label,
    line,
    neutral,
    rule,
    warn,
)
from desktop.ui.widgets.blocks import ScrollRows
from desktop.ui.widgets.gate import gate
from desktop.ui.widgets.panel import confirm
from desktop.ui.workspace import Workspace

Way = tuple[str, Act, Callable[[], object]]
"""Word on the button, the act it needs, what it does."""


class KeysSection(Section):
    """Asks the keyring in the POOL lane: it may wait for a prompt of the system."""

    def __init__(self, workspace: Workspace, open_panel: OpenPanel) -> None:
        super().__init__(workspace, open_panel)
        self.status: KeyStatus | None = None
        self._project = ""
        self._area = ScrollRows()
        self._holder = QWidget()
        self._list = column(self._holder, gap=theme.GRID + 4)
        self._list.addWidget(label(tr("正在查看各种打开方式…"), tone=Tone.TEXT_2))
        self._area.show_empty(self._holder)
        self.rows.addWidget(self._area, 1)

    def load(self) -> None:
        desk = self.workspace.desk

        def work(progress: Any, cancel: Any) -> tuple[KeyStatus, str]:
            from desktop.access.actor import View
            from desktop.site.queries import project_view

            status = key_desk.key_status(desk)
            with desk.look(View.PROJECT) as session:
                return status, project_view(session, desk.project_id).name

        self.workspace.jobs.submit(
            work, self.show_status, lane=Lane.POOL, owner=self, failed=self.workspace.report,
            key="status",
        )

    def show_status(self, found: tuple[KeyStatus, str]) -> None:
        """One row per way, then what to do after a leak."""
        status, self._project = found
        self.status = status
        clear(self._list)
        for notice in status.notices:
            card = Card("warn", margin=theme.GRID + 4)
            card.rows.addWidget(label(notice, wrap=True))
            self._list.addWidget(card)
        card = Card(margin=0)
        card.rows.setSpacing(0)
        rows = [
            self._recovery(), self._passphrase(status), self._keyring(status), self._company(status)
        ]
        for place, row in enumerate(rows):
            if place:
                card.rows.addWidget(rule())
            card.rows.addWidget(row)
        self._list.addWidget(card)
        self._list.addWidget(self._leak(status))
        self._list.addStretch(1)

    def renew_code(self) -> None:
        """A new paper, proved before it counts."""
        status = self.status
        if status is not None:
            self.open_panel(RecoveryCodePanel(self.workspace, self._project, status.generation))

    def rekey(self) -> None:
        """A new data key for the whole book."""
        status = self.status
        if status is not None:
            self.open_panel(
                RekeyPanel(
                    self.workspace, self._project, status.generation + 1,
                    passphrase=status.passphrase,
                )
            )

    def change_passphrase(self) -> None:
        """The form of a new passphrase."""
        status = self.status
        self.open_panel(PassphrasePanel(self.workspace, bool(status and status.passphrase)))

    def _recovery(self) -> QWidget:
        return self._row(
            tr("恢复码"), good(tr("有")),
            tr("打印在纸上的 8 组数字，永远要有一张。换了新的，旧纸就打不开账本；更换以前做的备份仍要用旧纸。"),
            [(tr("换恢复码…"), Act.RECOVERY_CODE_RENEWED, self.renew_code)],
        )

    def _passphrase(self, status: KeyStatus) -> QWidget:
        act = Act.PASSPHRASE_CHANGED
        ways: list[Way] = [
            (tr("换口令…") if status.passphrase else tr("设口令…"), act, self.change_passphrase)
        ]
        if status.passphrase:
            ways.insert(0, (tr("取消口令"), act, self._drop_passphrase))
        state = good(tr("有")) if status.passphrase else neutral(tr("没有"))
        return self._row(
            tr("口令"), state, tr("每次打开账本时输入。多人共用电脑、没有系统密钥环的电脑要用口令。"), ways
        )

    def _keyring(self, status: KeyStatus) -> QWidget:
        states: dict[str, tuple[State, str]] = {
            "none": (neutral(tr("没有绑定")), tr("绑定以后，登录这台电脑的用户打开账本不用输口令。")),
            "fits": (good(tr("已绑定这台电脑")), tr("登录这台电脑的用户打开账本不用输口令。")),
            "missing": (
                warn(tr("打不开")),
                tr("绑定过，但这台电脑的密钥环里没有（或不再是）它的钥匙：换过电脑、用户，或密钥环被重置。重新绑定即可。"),
            ),
            "unusable": (
                bad(tr("不可用")),
                tr("绑定过，但密钥环现在用不了：{why}。先解锁密钥环，或改用口令。", why=status.keyring_trouble),
            ),
        }
        state, text = states[status.keyring]
        act = Act.COMPUTER_BOUND
        ways: list[Way] = [
            (tr("绑定这台电脑") if status.keyring == "none" else tr("重新绑定"), act, self._bind)
        ]
        if status.keyring != "none":
            ways.insert(0, (tr("取消绑定"), act, self._unbind))
        return self._row(tr("系统密钥环"), state, text, ways)

    def _company(self, status: KeyStatus) -> QWidget:
        company = status.company
        if company is None:
            return self._row(
                tr("公司钥匙"), neutral(tr("没有")),
                tr("加上总部的公钥以后，电脑丢了、人走了，总部凭自己的私钥也能打开账本和之后的备份。"),
                [(tr("添加公钥…"), Act.COMPANY_SLOT_ADDED, self._choose_company)],
            )
        return self._row(
            tr("公司钥匙"), good(tr("有")),
            tr("{name}　指纹 {print}", name=company.name or tr("未命名"), print=company.fingerprint),
            [
                (tr("移除…"), Act.COMPANY_SLOT_REMOVED, self._drop_company),
                (tr("换公钥…"), Act.COMPANY_SLOT_ADDED, self._choose_company),
            ],
        )

    def _leak(self, status: KeyStatus) -> QWidget:
        card = Card()
        row = line()
        texts = column(gap=2)
        texts.addWidget(label(tr("钥匙可能泄露了（电脑被盗、恢复码被拍照）"), Type.STRONG))
        texts.addWidget(
            label(
                tr("整本换钥匙：先做一份核验过的备份，再把账本用新的数据钥匙重新加密，旧恢复码、旧口令从此打不开它。现在用的是第 {n} 把钥匙。", n=status.generation),
                tone=Tone.TEXT_2, wrap=True,
            )
        )
        row.addLayout(texts, 1)
        made = button(tr("整本换钥匙…"), self.rekey, icon="key", kind="danger")
        row.addWidget(gate(made, self.workspace, Act.BOOK_REKEYED))
        card.rows.addLayout(row)
        return card

    def _row(self, name: str, state: State, text: str, ways: list[Way]) -> QWidget:
        made = QWidget()
        row = line(made, gap=theme.GRID + 4)
        row.setContentsMargins(2 * theme.GRID, theme.GRID + 4, 2 * theme.GRID, theme.GRID + 4)
        texts = column(gap=2)
        head = line()
        head.addWidget(label(name, Type.STRONG))
        head.addWidget(Chip(state))
        head.addStretch(1)
        texts.addLayout(head)
        texts.addWidget(label(text, tone=Tone.TEXT_2, wrap=True, selectable=True))
        row.addLayout(texts, 1)
        for word, act, do in ways:
            one = button(word, do)
            one.setAccessibleName(tr("{name}：{act}", name=name, act=word))
            row.addWidget(gate(one, self.workspace, act))
        return made

    def _choose_company(self) -> None:
        path, _ = QFileDialog.getOpenFileName(
            self, tr("选择公司公钥文件"), "", tr("公司公钥 (*.sitemuster-pub);;所有文件 (*)")
        )
        if path:
            self.open_panel(CompanyPanel(self.workspace, path))

    def _bind(self) -> None:
        self._run(key_desk.bind_to_this_computer, tr("绑定这台电脑"), tr("已绑定：在这台电脑上打开账本不用输口令。"))

    def _unbind(self) -> None:
        if confirm(self, tr("取消绑定"), tr("取消后，这台电脑打开账本要输口令。"), tr("取消绑定")):
            self._run(key_desk.unbind_from_this_computer, tr("取消绑定"), tr("已取消绑定，以后用口令打开。"))

    def _drop_passphrase(self) -> None:
        if confirm(self, tr("取消口令"), tr("取消后，只有这台电脑的密钥环、恢复码和公司钥匙能打开账本。"), tr("取消口令")):
            self._run(key_desk.remove_passphrase, tr("取消口令"), tr("口令已取消。"))

    def _drop_company(self) -> None:
        if confirm(
            self, tr("移除公司钥匙"), tr("移除后，总部打不开这个账本和以后的备份；移除以前复制走的仍能打开。"), tr("移除公司钥匙")
        ):
            self._run(key_desk.remove_company_slot, tr("移除公司钥匙"), tr("公司钥匙已移除。"))

    def _run(self, act: Callable[[Desk], object], title: str, said: str) -> None:
        self.workspace.act(
            lambda desk, progress, cancel: act(desk),
            lambda _: self.workspace.messages.info(said), title=title, owner=self,
            changes=Changes.CUSTODY,
        )


def make_section(workspace: Workspace, open_panel: OpenPanel) -> KeysSection:
    """The part, on an open book."""
    return KeysSection(workspace, open_panel)

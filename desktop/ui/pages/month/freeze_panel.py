"""Freezing: what stands in the way, and the reason when it is done all the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from desktop.errors import SiteMusterError
from desktop.months.freeze import FreezeResult, freeze_month
from desktop.ui.changes import Changes
from desktop.ui.drafts import MakeAgain
from desktop.ui.i18n import month_text, tr
from desktop.ui.pages.month.state import MonthState
from desktop.ui.theme import Tone
from desktop.ui.widgets.basics import Card, Chip, button, good, label, line
from desktop.ui.widgets.blocks import Facts, section
from desktop.ui.widgets.panel import FormContent
from desktop.ui.workspace import Workspace

if TYPE_CHECKING:
    from desktop.access.desk import Desk

_SHOWN = 8


class FreezePanel(FormContent):
    """Says what will be kept, lists what is open, and names the act on its button."""

    def __init__(self, workspace: Workspace, state: MonthState) -> None:
        super().__init__(
            tr("冻结 {month}", month=month_text(state.month)),
            tr("冻结不改动打卡数据；之后的补采、说明、进退场变动另出新版，并列出变动的行。"),
        )
        self._workspace, self._state = workspace, state
        facts = Facts(
            [
                (tr("人数"), tr("{n} 人", n=state.people)), (tr("规则"), state.rule),
                (tr("已有版本"), tr("第 {v} 版", v=state.status.version) if state.status.version else tr("无")),
            ]
        )
        self.rows.addWidget(facts)
        if state.blocking:
            self._add_open(state)
            self.feet = (
                button(
                    tr("带 {n} 项未处理冻结", n=len(state.blocking)), self.save, icon="freeze",
                    kind="danger",
                ),
            )
        else:
            row = line()
            row.addWidget(Chip(good(tr("没有未处理事项"))))
            row.addStretch(1)
            self.rows.addLayout(row)
            self.feet = (
                button(
                    tr("冻结 {month}", month=month_text(state.month)), self.save, icon="freeze",
                    kind="primary",
                ),
            )
        self.rows.addStretch(1)

    def again(self) -> MakeAgain:
        state = self._state
        return lambda page: FreezePanel(page.workspace, state)

    def save(self) -> None:
        """Freeze; with open findings only for a written reason."""
        reason: str | None = None
        if self._state.blocking:
            if not self.form.require("reason"):
                return
            reason = self.form.value("reason")
        month = self._state.month

        def work(desk: Desk, progress: Any, cancel: Any) -> FreezeResult:
            return freeze_month(desk, month, reason, progress=progress, cancel=cancel)

        self._workspace.act(
            work, self._done, title=tr("冻结 {month}", month=month_text(month)), owner=self,
            changes=Changes.MONTHS, failed=self._failed,
        )

    def _done(self, result: FreezeResult) -> None:
        self.form.set_clean()
        if result.unchanged:
            self._workspace.messages.warn(result.sentence)
        else:
            self._workspace.messages.info(result.sentence.replace("\n", ""))
        self.finished.emit()

    def _failed(self, error: SiteMusterError) -> None:
        self._workspace.report(error)
        self._workspace.bus.tell(Changes.CALENDAR)

    def _add_open(self, state: MonthState) -> None:
        self.form.add_long_text(
            "reason", tr("带着未处理事项冻结的理由 *"), hint=tr("留痕并记入这一版；检查时会被问到。")
        )
        self.form.set_clean()
        self.rows.addWidget(self.form)
        section(self.rows, tr("还没处理的 {n} 项", n=len(state.blocking)))
        card = Card("neutral", margin=12)
        for finding in state.blocking[:_SHOWN]:
            card.rows.addWidget(label(f"· {finding.text}", wrap=True))
        if len(state.blocking) > _SHOWN:
            card.rows.addWidget(
                label(tr("…等共 {n} 项", n=len(state.blocking)), tone=Tone.TEXT_2)
            )
        self.rows.addWidget(card)

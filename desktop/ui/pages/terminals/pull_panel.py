"""Collecting: what each terminal gave, told while the user watches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from desktop.errors import SiteMusterError
from desktop.punches.collect import PullResult, pull
from desktop.ui import theme
from desktop.ui.actions import PageName
from desktop.ui.changes import Changes
from desktop.ui.i18n import tr
from desktop.ui.pages.terminals.columns import drift_text
from desktop.ui.theme import Tone, Type
from desktop.ui.widgets.basics import (
    Card,
    Chip,
    IconView,
    bad,
    button,
    clear,
    column,
    good,
    label,
    line,
    warn,
)
from desktop.ui.widgets.panel import PanelContent
from desktop.ui.workspace import Workspace

if TYPE_CHECKING:
    from desktop.access.desk import Desk


class PullPanel(PanelContent):
    """Runs in the ACT lane; progress and cancel are in the busy strip."""

    def __init__(self, workspace: Workspace, names: Sequence[str] | None) -> None:
        who = tr("全部考勤机") if names is None else "、".join(names)
        super().__init__(tr("采集打卡"), who)
        self._workspace, self._names = workspace, names
        self.results: list[PullResult] = []
        self._box = column(gap=theme.GRID + 4)
        self.rows.addLayout(self._box)
        self.rows.addStretch(1)
        self._again = button(tr("再采一次"), self.begin, icon="refresh")
        self.feet = (self._again, button(tr("完成"), self.finished.emit, kind="primary"))

    def begin(self) -> None:
        """Start collecting; what is certain stays even if it is stopped."""
        clear(self._box)
        row = line()
        row.addWidget(IconView("clock", Tone.ACCENT))
        row.addWidget(label(tr("正在采集，进度见窗口底部。可以先做别的。"), wrap=True), 1)
        self._box.addLayout(row)
        self._again.setEnabled(False)
        names = self._names

        def work(desk: Desk, progress: Any, cancel: Any) -> list[PullResult]:
            return pull(desk, names, progress=progress, cancel=cancel)

        self._workspace.act(
            work, self.show_results, title=tr("采集打卡"), owner=self, failed=self._failed,
            changes=Changes.PUNCHES | Changes.TERMINALS,
        )

    def show_results(self, results: list[PullResult]) -> None:
        """One card per terminal, and one sentence in the message bar."""
        self.results = results
        clear(self._box)
        self._again.setEnabled(True)
        for result in results:
            self._box.addWidget(pull_card(result))
        failed = [result for result in results if result.error is not None]
        new = sum(result.new for result in results)
        if failed:
            names = "、".join(result.terminal for result in failed)
            self._workspace.messages.warn(
                tr("采集结束：新增 {n} 条；{names} 没有采成，原因见右侧。", n=f"{new:,}", names=names)
            )
        else:
            self._workspace.messages.info(
                tr("采集完成：{k} 台，新增 {n} 条打卡。", k=len(results), n=f"{new:,}"),
                tr("看考勤"), lambda: self._workspace.go(PageName.ATTENDANCE),
            )

    def _failed(self, error: SiteMusterError) -> None:
        clear(self._box)
        self._again.setEnabled(True)
        self._box.addWidget(label(error.message, wrap=True))
        self._workspace.report(error)


def pull_card(result: PullResult) -> Card:
    """What one terminal gave."""
    card = Card(margin=theme.GRID + 4)
    head = line()
    head.addWidget(label(result.terminal, Type.STRONG))
    head.addStretch(1)
    if result.error is not None:
        head.addWidget(Chip(bad(tr("没采成"))))
    elif result.waiting:
        head.addWidget(Chip(warn(tr("存在本机"), "clock")))
    elif result.complete:
        head.addWidget(Chip(good(tr("已采全"))))
    else:
        head.addWidget(Chip(warn(tr("部分"))))
    card.rows.addLayout(head)
    if result.error is not None:
        card.rows.addWidget(label(result.error.message, wrap=True, selectable=True))
        card.rows.addWidget(label(tr("代码 {c}", c=result.error.code), tone=Tone.TEXT_3))
    if result.reported is not None:
        parts = [
            tr("机内 {n} 条", n=f"{result.reported:,}"), tr("收到 {n}", n=f"{result.received:,}"),
            tr("新增 {n}", n=f"{result.new:,}"), tr("重复 {n}", n=f"{result.duplicate:,}"),
        ]
        if result.waiting:
            parts.append(tr("等连上服务器入账 {n}", n=f"{result.waiting:,}"))
        if result.quarantined:
            parts.append(tr("隔离 {n}", n=result.quarantined))
        if result.conflict:
            parts.append(tr("冲突 {n}", n=result.conflict))
        card.rows.addWidget(label("　".join(parts), wrap=True))
    if result.clock_offset_s is not None:
        card.rows.addWidget(
            label(tr("时钟：{t}", t=drift_text(result.clock_offset_s)), tone=Tone.TEXT_2)
        )
    for warning in result.warnings:
        card.rows.addWidget(label(warning, tone=Tone.WARN, wrap=True))
    return card

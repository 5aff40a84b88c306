"""The four steps of closing a month, each with its state and its next act."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QSizePolicy, QWidget

from desktop.access.actor import Act
from desktop.ui import theme
from desktop.ui.i18n import tr
from desktop.ui.pages.month.state import MonthState
from desktop.ui.theme import Tone, Type
from desktop.ui.widgets.basics import (
    Card,
    Chip,
    IconView,
    State,
    bad,
    button,
    clear,
    good,
    info,
    label,
    line,
    neutral,
    warn,
)
from desktop.ui.widgets.gate import gate
from desktop.ui.workspace import Workspace


@dataclass(frozen=True, slots=True)
class StepActs:
    """What the buttons of the steps do."""

    collect: Callable[[], object]
    settle: Callable[[], object]
    freeze: Callable[[], object]
    export: Callable[[], object]


class Steps(QWidget):
    """采集 → 异常 → 冻结 → 打印 / 导出, as four cards in a row."""

    def __init__(self, workspace: Workspace, acts: StepActs) -> None:
        super().__init__()
        self._workspace, self._acts = workspace, acts
        self._row = line(self, gap=theme.GRID)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)

    def show_state(self, state: MonthState) -> None:
        clear(self._row)
        incomplete, blocking = len(state.incomplete), len(state.blocking)
        rest = blocking - incomplete
        version, pages = state.status.version, state.status.pages
        self._add(
            1, tr("采集"), "pull",
            warn(tr("{n} 台没采全", n=incomplete)) if incomplete else good(tr("已采全")),
            tr("月末过后每台再采一次，直到全部采全。"), tr("去采集"), self._acts.collect,
            primary=bool(incomplete) and not version,
        )
        self._arrow()
        self._add(
            2, tr("异常"), "warn",
            bad(tr("{n} 项须处理", n=rest)) if rest else good(tr("已清零")),
            tr("待核的格、整天无记录的班组和考勤机，逐项核实。"), tr("去处理"), self._acts.settle,
            primary=bool(rest) and not incomplete and not version,
        )
        self._arrow()
        frozen = good(tr("第 {v} 版", v=version), "freeze") if version else _waiting(blocking)
        self._add(
            3, tr("冻结"), "freeze", frozen,
            tr("存下每一行和当时的规则，入链留档；以后有变动另出新版。"),
            tr("再冻结一版…") if version else tr("冻结当月…"), self._acts.freeze,
            primary=not version and not blocking, needs=Act.MONTH_FROZEN,
        )
        self._arrow()
        printed = neutral(tr("冻结后可出"))
        if version:
            printed = good(tr("已出 {n} 页", n=pages)) if pages else info(tr("待打印"), "print")
        self._add(
            4, tr("打印和导出"), "print", printed,
            tr("签字表、管理人员表、公示件和公示通知。"), tr("导出到文件夹…"), self._acts.export,
            primary=bool(version) and not pages, enabled=bool(version), needs=Act.MONTH_EXPORTED,
        )

    def _add(
        self, number: int, title: str, icon: str, state: State, text: str, act: str,
        do: Callable[[], object], *, primary: bool, enabled: bool = True, needs: Act | None = None,
    ) -> None:
        card = Card(margin=theme.GRID + 4)
        head = line()
        head.addWidget(IconView(icon, Tone.ACCENT if primary else Tone.TEXT_2, 20))
        head.addWidget(label(f"{number}　{title}", Type.STRONG), 1)
        card.rows.addLayout(head)
        card.rows.addWidget(Chip(state))
        words = label(text, tone=Tone.TEXT_2, wrap=True)
        words.setAlignment(Qt.AlignmentFlag.AlignTop)
        card.rows.addWidget(words, 1)
        foot = line()
        made = button(act, do, kind="primary" if primary else "")
        made.setEnabled(enabled)
        if needs is not None:
            gate(made, self._workspace, needs)
        foot.addWidget(made)
        foot.addStretch(1)
        card.rows.addLayout(foot)
        self._row.addWidget(card, 1)

    def _arrow(self) -> None:
        self._row.addWidget(IconView("right", Tone.TEXT_3, 16), 0, Qt.AlignmentFlag.AlignVCenter)


def _waiting(blocking: int) -> State:
    return neutral(tr("先处理异常")) if blocking else info(tr("可以冻结"), "freeze")

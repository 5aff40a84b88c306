"""Explanations of the month: proposed, approved, withdrawn; approve or withdraw one or many."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from PySide6.QtWidgets import QWidget

from desktop.access.actor import Act, View
from desktop.attendance.queries import ExplanationRow
from desktop.ui.changes import Changes
from desktop.ui.i18n import moment_text, tr
from desktop.ui.pages.attendance.cell_panel import (
    VALUES,
    ExplanationCard,
    cells_text,
    explanation_state,
)
from desktop.ui.pages.attendance.snapshot import MonthSnapshot
from desktop.ui.tables.columns import RIGHT, Column
from desktop.ui.tables.export import Listing, output_button
from desktop.ui.tables.model import RowsModel
from desktop.ui.tables.view import ListView
from desktop.ui.widgets.basics import button, column, line
from desktop.ui.widgets.blocks import EmptyState
from desktop.ui.widgets.fields import Choice
from desktop.ui.widgets.gate import gate
from desktop.ui.widgets.panel import PanelContent
from desktop.ui.workspace import Workspace

if TYPE_CHECKING:
    from desktop.access.desk import Desk

_WORDS = dict(VALUES)

COLUMNS: tuple[Column[ExplanationRow], ...] = (
    Column("编号", 3, lambda r: str(r.number), align=RIGHT, order=lambda r: r.number),
    Column("状态", 5, lambda r: "", state=lambda r: explanation_state(r.state), order=lambda r: r.state),
    Column("核实结果", 6, lambda r: tr(_WORDS[r.half_days])),
    Column("原因", 6, lambda r: r.reason),
    Column("格数", 3, lambda r: str(len(r.cells)), align=RIGHT, order=lambda r: len(r.cells)),
    Column("涉及", 20, cells_text, stretch=True),
    Column("提出", 9, lambda r: f"{r.proposed_by} {moment_text(r.proposed_at)}"),
    Column("批准", 5, lambda r: r.approved_by),
)


class ExplanationsTab(QWidget):
    """The list; a choice opens the explanation in the panel."""

    def __init__(
        self, workspace: Workspace, open_panel: Callable[[PanelContent], object]
    ) -> None:
        super().__init__()
        self._workspace, self._open_panel = workspace, open_panel
        self._all: list[ExplanationRow] = []
        rows = column(self)
        bar = line()
        self.state = Choice(
            [("", tr("全部状态")), ("proposed", tr("待批准")), ("approved", tr("已批准")),
             ("withdrawn", tr("已撤回"))], tr("状态"),
        )
        self.state.currentIndexChanged.connect(lambda _: self._filter())
        self.approve = button(tr("批准所选说明"), self._approve, icon="check", kind="primary")
        gate(self.approve, workspace, Act.EXPLANATION_APPROVED)
        bar.addWidget(self.state)
        bar.addStretch(1)
        bar.addWidget(self.approve)
        bar.addWidget(output_button(workspace, self, self._listing))
        rows.addLayout(bar)
        self.model = RowsModel(COLUMNS, key=lambda row: row.number)
        self.view = ListView(tr("情况说明"), many=True)
        self.view.set_model(self.model)
        self.view.opened.connect(self._open)
        self.view.selection_moved.connect(self._update)
        rows.addWidget(self.view, 1)
        self._empty = EmptyState(
            "note", tr("这个月还没有情况说明"),
            tr("漏打卡、设备故障时，在考勤表里选中一格或多格，写明经过；批准后印「补」，打卡数据不变。"),
        )
        rows.addWidget(self._empty, 1)
        self._update()

    def show_snapshot(self, snapshot: MonthSnapshot) -> None:
        self._all = snapshot.explanations
        self._filter()

    def _filter(self) -> None:
        state = self.state.value()
        self.model.show_rows([row for row in self._all if not state or row.state == state])
        self.view.setVisible(bool(self._all))
        self._empty.setVisible(not self._all)
        self._update()

    def open_first(self) -> None:
        """The first explanation in the panel."""
        if self.model.rowCount():
            self._open(self.model.id_at(0))

    def _chosen(self) -> list[ExplanationRow]:
        ids = set(self.view.chosen_ids())
        return [row for row in self.model.rows() if row.number in ids]

    def _update(self) -> None:
        chosen = self._chosen()
        self.approve.setEnabled(bool(chosen) and all(row.state == "proposed" for row in chosen))

    def _open(self, number: int) -> None:
        row = next((row for row in self.model.rows() if row.number == number), None)
        if row is None or len(self.view.chosen_ids()) > 1:
            return
        content = PanelContent(tr("说明 {n} 号", n=number))
        content.rows.addWidget(ExplanationCard(self._workspace, row))
        content.rows.addStretch(1)
        self._open_panel(content)

    def _approve(self) -> None:
        from desktop.attendance.explain import approve_explanation

        chosen = [(row.number, row.version) for row in self._chosen()]

        def work(desk: Desk, progress: Any, cancel: Any) -> int:
            for done, (number, seen) in enumerate(chosen):
                cancel.raise_if_set()
                progress(done, len(chosen), tr("说明 {n} 号", n=number))
                approve_explanation(desk, number, seen=seen)
            return len(chosen)

        self._workspace.act(
            work, lambda n: self._workspace.messages.info(tr("已批准 {n} 份说明。", n=n)),
            title=tr("批准说明"), owner=self, changes=Changes.CALENDAR,
        )

    def _listing(self) -> Listing:
        rows = list(self.model.rows())
        return Listing(tr("情况说明"), "explanations", COLUMNS, lambda session: rows, view=View.ATTENDANCE)

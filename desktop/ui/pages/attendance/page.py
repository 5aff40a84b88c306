"""考勤: the month's grid, findings, explanations, construction calendar."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QMenu, QStackedWidget, QTabBar, QWidget

from desktop.access.actor import View
from desktop.attendance.finding import Finding
from desktop.attendance.month import PersonMonth
from desktop.ui.actions import Command, PageName
from desktop.ui.changes import Changes
from desktop.ui.i18n import month_text, tr
from desktop.ui.jobs import Lane
from desktop.ui.pages.attendance.calendar_tab import CalendarTab
from desktop.ui.pages.attendance.cell_panel import CellsPanel
from desktop.ui.pages.attendance.explanations_tab import ExplanationsTab
from desktop.ui.pages.attendance.findings_tab import FindingsTab
from desktop.ui.pages.attendance.grid import MonthGrid
from desktop.ui.pages.attendance.grid_model import MEANINGS, grid_columns
from desktop.ui.pages.attendance.snapshot import MonthSnapshot, read_month
from desktop.ui.pages.base import Page
from desktop.ui.tables.export import Listing, output_button
from desktop.ui.theme import Tone
from desktop.ui.widgets.basics import Card, button, column, label, line
from desktop.ui.widgets.blocks import EmptyState
from desktop.ui.widgets.fields import Choice, SearchField
from desktop.ui.workspace import Workspace

_TABS = ("grid", "findings", "explanations", "calendar")


class AttendancePage(Page):
    """Reads the month whole; filters of the grid work on what was read."""

    name = PageName.ATTENDANCE
    interests = Changes.PEOPLE | Changes.PUNCHES | Changes.CALENDAR | Changes.TERMINALS
    follows_month = True

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace, tr("考勤"))
        today = workspace.desk.clock.today()
        self.snapshot: MonthSnapshot | None = None
        self._wanted: Mapping[str, Any] = {}
        self.tabs = QTabBar()
        self.tabs.setAccessibleName(tr("考勤的各部分"))
        self.tabs.setExpanding(False)
        for word in (tr("月考勤表"), tr("异常"), tr("情况说明"), tr("施工日历")):
            self.tabs.addTab(word)
        self.body.addWidget(self.tabs)
        self.stack = QStackedWidget()
        self.body.addWidget(self.stack, 1)
        self.grid = MonthGrid(today)
        self.findings = FindingsTab(workspace, self.open_panel, self.show_finding)
        self.explanations = ExplanationsTab(workspace, self.open_panel)
        self.calendar = CalendarTab(workspace, self.open_panel, today)
        for view in (self._grid_tab(), self.findings, self.explanations, self.calendar):
            self.stack.addWidget(view)
        self.tabs.currentChanged.connect(self.stack.setCurrentIndex)
        self.grid.opened.connect(self.open_cells)
        self.grid.cells_chosen.connect(self._selection_changed)
        self.grid.person_opened.connect(self._open_person)

    def load(self) -> None:
        workspace, month = self.workspace, self.workspace.month
        desk, project_id = workspace.desk, workspace.project_id
        now = desk.clock.local()

        def work(progress: Any, cancel: Any) -> MonthSnapshot:
            with desk.look(View.ATTENDANCE) as session:
                return read_month(session, project_id, month, now, progress, cancel)

        workspace.jobs.submit(
            work, self.show_snapshot, lane=Lane.READ, owner=self, failed=self._failed, key="month"
        )

    def show_snapshot(self, snapshot: MonthSnapshot) -> None:
        """Show a month that was read."""
        fresh = self.snapshot is None or self.snapshot.month != snapshot.month
        if fresh and self.snapshot is not None:  # before the first look only a draft can be there
            self.panel.close_panel()
        self.snapshot = snapshot
        self._team.set_options([("", tr("全部班组")), *((t, t) for t in self._team_names())])
        self._filter()
        for part in (self.findings, self.explanations, self.calendar):
            part.show_snapshot(snapshot)
        waiting = sum(row.state == "proposed" for row in snapshot.explanations)
        blocking = snapshot.blocking()
        self.tabs.setTabText(1, tr("异常 {n}", n=len(snapshot.findings)))
        self.tabs.setTabText(
            2, tr("情况说明 {n}", n=waiting) if waiting else tr("情况说明")
        )
        people, punches = len(snapshot.attendance.rows), snapshot.attendance.punches_read
        self.summarise(
            tr(
                "{month}　{people} 人，打卡 {punches} 条；须处理 {blocking} 项。{rule}",
                month=month_text(snapshot.month), people=people, punches=f"{punches:,}",
                blocking=blocking, rule=snapshot.attendance.rule.label,
            )
        )
        if fresh:
            today = self.workspace.desk.clock.today()
            if snapshot.first <= today <= snapshot.last:
                self.grid.show_day(min(snapshot.place(today) + 1, len(self.grid.model.days) - 1))
        if self._wanted:
            wanted, self._wanted = self._wanted, {}
            self.open_target(wanted)

    def open_target(self, target: Mapping[str, Any]) -> None:
        """``tab``, ``kind`` of finding, ``blocking``, or ``person_id`` with ``day``."""
        if self.snapshot is None or self.snapshot.month != self.workspace.month:
            self._wanted = target
            return
        if "tab" in target:
            self.show_tab(target["tab"])
        if "kind" in target:
            self.show_tab("findings")
            self.findings.show_kind(target["kind"])
        if "finding_key" in target:
            self.show_tab("findings")
            self.findings.show_key(target["finding_key"])
        if target.get("blocking"):
            self.show_tab("findings")
            self.findings.show_blocking()
        if "person_id" in target:
            self._show_cell(target["person_id"], target.get("day"))

    def show_tab(self, name: str) -> None:
        self.tabs.setCurrentIndex(_TABS.index(name))

    def place(self) -> Mapping[str, Any]:
        return {"tab": _TABS[self.tabs.currentIndex()]}

    def run(self, command: Command) -> None:
        if command is Command.STOP_WORK:
            self.show_tab("calendar")
            self.calendar.add_stop(None)
        elif command is Command.LEAVE:
            self.show_tab("calendar")
            self.calendar.add_leave(None)
        elif command is Command.EXPLAIN:
            self.show_tab("grid")
            if self.grid.chosen():
                self.open_cells()
            else:
                self.workspace.messages.warn(tr("请先在考勤表里选中要说明的一格或多格。"))

    def open_cells(self) -> None:
        """The panel of the selected cells."""
        chosen, snapshot = self.grid.chosen(), self.snapshot
        if chosen and snapshot is not None:
            cells = [(self.grid.model.person(row), place) for row, place in chosen]
            if self.open_panel(CellsPanel(self.workspace, snapshot, cells)):
                QTimer.singleShot(0, self.grid.show_current)

    def _grid_tab(self) -> QWidget:
        tab = QWidget()
        rows = column(tab)
        bar = line()
        self._search = SearchField(tr("姓名或人员编号"))
        self._search.setMaximumWidth(240)
        self._search.searched.connect(lambda _: self._filter())
        self._team = Choice([("", tr("全部班组"))], tr("班组"))
        self._team.currentIndexChanged.connect(lambda _: self._filter())
        self._which = Choice(
            [("", tr("全部人员")), ("?", tr("只看有待核的")), ("e", tr("只看有说明的"))], tr("范围")
        )
        self._which.currentIndexChanged.connect(lambda _: self._filter())
        self._explain = button(tr("填写情况说明"), self.open_cells, icon="note", kind="primary")
        self._explain.setEnabled(False)
        for widget in (self._search, self._team, self._which):
            bar.addWidget(widget)
        bar.addStretch(1)
        bar.addWidget(self._legend_button())
        bar.addWidget(output_button(self.workspace, self, self._listing))
        bar.addWidget(self._explain)
        rows.addLayout(bar)
        card = Card(margin=0)
        card.rows.addWidget(self.grid)
        rows.addWidget(card, 1)
        self._card = card
        self._empty = EmptyState(
            "attendance", tr("这个月还没有在场人员"),
            tr("考勤表按花名册里的进退场日期和班组排列。先导入花名册，再采集考勤机。"),
            (
                button(tr("去花名册"), lambda: self.workspace.go(PageName.ROSTER), kind="primary"),
                button(tr("去设备"), lambda: self.workspace.go(PageName.TERMINALS)),
            ),
        )
        rows.addWidget(self._empty, 1)
        self._empty.hide()
        self._foot = label("", tone=Tone.TEXT_2)
        rows.addWidget(self._foot)
        return tab

    def _legend_button(self) -> QWidget:
        made = button(tr("图例"), icon="info")
        menu = QMenu(made)
        for symbol, meaning in MEANINGS.items():
            menu.addAction(f"{symbol}　{tr(meaning)}")
        menu.addSeparator()
        menu.addAction(tr("右上角蓝角：说明待批准"))
        made.clicked.connect(lambda: menu.popup(made.mapToGlobal(made.rect().bottomLeft())))
        return made

    def _listing(self) -> Listing:
        """The grid as it is filtered; the sheet for signature is made by 月结."""
        model = self.grid.model
        rows = list(model.rows())
        return Listing(
            tr("{month}考勤明细", month=month_text(self.workspace.month)), "month-grid",
            grid_columns(model), lambda session: rows, view=View.ATTENDANCE,
        )

    def _team_names(self) -> list[str]:
        assert self.snapshot is not None
        return list(
            dict.fromkeys(self.snapshot.team_name(row) for row in self.snapshot.attendance.rows)
        )

    def _filter(self) -> None:
        snapshot = self.snapshot
        if snapshot is None:
            return
        text, team, which = self._search.text().strip(), self._team.value(), self._which.value()

        def fits(row: PersonMonth) -> bool:
            named = text in row.worker.name or str(row.worker.worker_no).startswith(text)
            in_team = not team or snapshot.team_name(row) == team
            wanted = (
                not which or (which == "?" and "?" in row.symbols)
                or (which == "e" and bool(row.explained))
            )
            return named and in_team and wanted

        rows = [row for row in snapshot.attendance.rows if fits(row)]
        kept = self.grid.chosen()
        self.grid.model.show_rows(snapshot, rows)
        nobody = not snapshot.attendance.rows
        self._card.setVisible(not nobody)
        self._empty.setVisible(nobody)
        if len(kept) == 1 and kept[0][0] < len(rows) and self.panel.content is None:
            self.grid.choose(*kept[0])
        unresolved = sum(row.symbols.count("?") for row in rows)
        self._foot.setText(
            tr("显示 {n} 人；待核 {u} 格。点一格看原因；拖选或按住 Ctrl 可选多格。", n=len(rows), u=unresolved)
        )

    def _selection_changed(self) -> None:
        chosen = self.grid.chosen()
        self._explain.setEnabled(bool(chosen))
        if len(chosen) > 1:
            self._explain.setText(tr("填写情况说明（{n} 格）", n=len(chosen)))
        else:
            self._explain.setText(tr("填写情况说明"))

    def _open_person(self, row: int) -> None:
        person = self.grid.model.person(row)
        self.workspace.go(PageName.ROSTER, stay_id=person.current.stay_id)

    def show_finding(self, finding: Finding) -> None:
        """The cell a finding speaks of, with its panel."""
        if finding.person_id is not None:
            self._show_cell(finding.person_id, finding.day)

    def _show_cell(self, person_id: int, day: Any) -> None:
        assert self.snapshot is not None
        self.show_tab("grid")
        self._search.clear()
        self._search.search_now()
        self._team.choose("")
        self._which.choose("")
        for position, row in enumerate(self.grid.model.rows()):
            if row.worker.person_id == person_id:
                self.grid.choose(position, self.snapshot.place(day) if day else 0)
                self.open_cells()
                return

    def _failed(self, error: Any) -> None:
        self.workspace.report(error)


def make_page(workspace: Workspace) -> AttendancePage:
    """The page, on an open book."""
    return AttendancePage(workspace)



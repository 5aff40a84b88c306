"""The construction calendar: stop-work and leave, entered, listed, withdrawn."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QScrollArea, QWidget

from desktop.access.actor import Act
from desktop.attendance.queries import LeaveRow, StopRow
from desktop.ui import theme
from desktop.ui.changes import Changes
from desktop.ui.i18n import tr
from desktop.ui.pages.attendance.entry_panels import LeavePanel, StopPanel
from desktop.ui.pages.attendance.month_sheet import MonthSheet
from desktop.ui.pages.attendance.snapshot import MonthSnapshot
from desktop.ui.theme import Tone, Type
from desktop.ui.widgets.basics import (
    Chip,
    State,
    button,
    clear,
    column,
    good,
    info,
    label,
    line,
    neutral,
    set_tone,
)
from desktop.ui.widgets.blocks import RowList
from desktop.ui.widgets.gate import gate
from desktop.ui.widgets.panel import PanelContent, confirm
from desktop.ui.workspace import Workspace


class CalendarTab(QWidget):
    """The month on the left, what was entered on the right; panels for new entries."""

    def __init__(
        self, workspace: Workspace, open_panel: Callable[[PanelContent], object], today: date
    ) -> None:
        super().__init__()
        self._workspace, self._open_panel, self._today = workspace, open_panel, today
        self._snapshot: MonthSnapshot | None = None
        whole = column(self)
        bar = line()
        self._sum = label("", Type.STRONG)
        bar.addWidget(self._sum, 1)
        leave = button(tr("登记请假"), lambda: self.add_leave(None), icon="person")
        stop = button(tr("登记停工"), lambda: self.add_stop(None), icon="stop", kind="primary")
        for made in (leave, stop):
            bar.addWidget(gate(made, workspace, Act.CALENDAR_CHANGED))
        whole.addLayout(bar)
        row = line(gap=3 * theme.GRID)
        left = column()
        self.sheet = MonthSheet(today)
        self.sheet.picked.connect(self.add_stop)
        left.addWidget(self.sheet)
        left.addWidget(
            label(tr("点一个日期可登记停工。周末照常施工的算施工日。"), tone=Tone.TEXT_3, wrap=True)
        )
        self._year = label("", wrap=True)
        left.addWidget(self._year)
        more = button(tr("导入年度节假日表…"), self._choose_holidays, icon="import", kind="quiet")
        more.setToolTip(tr("国务院办公厅每年公布的放假安排（csv）"))
        gate(more, workspace, Act.CALENDAR_CHANGED)
        left.addWidget(more, 0, Qt.AlignmentFlag.AlignLeft)
        left.addStretch(1)
        row.addLayout(left)
        lists = QWidget()
        self._lists = column(lists, gap=theme.GRID)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setWidget(lists)
        row.addWidget(area, 1)
        whole.addLayout(row, 1)

    def show_snapshot(self, snapshot: MonthSnapshot) -> None:
        self._snapshot = snapshot
        self.sheet.show_snapshot(snapshot)
        frame = snapshot.attendance.frame
        stopped = len(frame.stopped(None))
        self._sum.setText(
            tr("本月施工日 {n} 天", n=len(frame.construction_days()))
            + (tr("，全项目停工 {n} 天", n=stopped) if stopped else "")
        )
        known = snapshot.first.year in snapshot.holiday_years
        self._year.setText(
            tr("节假日按国务院 {y} 年放假安排。", y=snapshot.first.year) if known
            else tr("账本里还没有 {y} 年的放假安排，节假日暂按无假处理。", y=snapshot.first.year)
        )
        set_tone(self._year, Tone.TEXT_3 if known else Tone.WARN)
        clear(self._lists)
        self._list(tr("停工"), [self._stop_row(row) for row in snapshot.stops], tr("本月没有登记停工。"))
        self._lists.addSpacing(theme.GRID)
        self._list(tr("请假"), [self._leave_row(row) for row in snapshot.leaves], tr("本月没有登记请假。"))
        self._lists.addStretch(1)

    def add_stop(self, day: date | None) -> None:
        """The panel for a stop-work entry, from a day if one was picked."""
        teams = self._snapshot.attendance.frame.teams.values() if self._snapshot else ()
        named = [(team.id, f"{team.name}（{team.company}）") for team in teams]
        self._open_panel(StopPanel(self._workspace, named, day or self._today))

    def add_leave(self, person: tuple[int, int, str] | None) -> None:
        """The panel for a leave entry, for a person if one is known."""
        self._open_panel(LeavePanel(self._workspace, person, self._today))

    def import_holidays(self, path: Path) -> None:
        """Replace the years a table speaks of."""
        from desktop.site.holidays import import_holidays

        self._workspace.act(
            lambda desk, progress, cancel: import_holidays(desk, path),
            lambda years: self._workspace.messages.info(
                tr("已导入 {y} 年放假安排，考勤表已重算。", y="、".join(map(str, years)))
            ),
            title=tr("导入节假日表"), owner=self, changes=Changes.CALENDAR,
        )

    def _choose_holidays(self) -> None:
        path, _ = QFileDialog.getOpenFileName(
            self, tr("选择年度节假日表"), "", tr("节假日表 (*.csv)")
        )
        if path:
            self.import_holidays(Path(path))

    def _list(self, title: str, rows: list[QWidget], none: str) -> None:
        self._lists.addWidget(label(title, Type.STRONG))
        if not rows:
            self._lists.addWidget(label(none, tone=Tone.TEXT_2))
            return
        card = RowList()
        for row in rows:
            card.add(row)
        self._lists.addWidget(card)

    def _stop_row(self, row: StopRow) -> QWidget:
        state = neutral(tr("已撤回"), "undo") if row.withdrawn else info(tr("停工"), "stop")
        scope = row.team or tr("全项目")
        text = f"{_span(row.first, row.last)}　{scope}　{row.reason}"
        return self._row(
            state, text, row.document,
            None if row.withdrawn else lambda: self._withdraw_stop(row),
        )

    def _leave_row(self, row: LeaveRow) -> QWidget:
        state = neutral(tr("已撤回"), "undo") if row.withdrawn else good(row.kind, "calendar")
        note = "　".join(
            filter(None, (row.reason, row.document, tr("建设单位已批准") if row.owner_approved else ""))
        )
        text = f"{_span(row.first, row.last)}　{row.name}（{row.worker_no}）"
        return self._row(
            state, text, note, None if row.withdrawn else lambda: self._withdraw_leave(row)
        )

    def _row(
        self, state: State, text: str, note: str, drop: Callable[[], None] | None
    ) -> QWidget:
        made = QWidget()
        row = line(made, gap=theme.GRID + 4)
        row.setContentsMargins(12, 8, 8, 8)
        row.addWidget(Chip(state))
        texts = column(gap=1)
        texts.addWidget(label(text, wrap=True))
        if note:
            texts.addWidget(label(note, tone=Tone.TEXT_2, wrap=True))
        row.addLayout(texts, 1)
        if drop is not None:
            undo = button(tr("撤回"), drop, kind="quiet", tip=tr("撤回后留档，可重新登记"))
            row.addWidget(gate(undo, self._workspace, Act.CALENDAR_CHANGED))
        return made

    def _withdraw_stop(self, row: StopRow) -> None:
        from desktop.attendance.calendar import withdraw_stop

        if confirm(
            self, tr("撤回停工"), tr("撤回 {span} 的停工登记？这些天重新算施工日。", span=_span(row.first, row.last)),
            tr("撤回停工登记"),
        ):
            self._workspace.act(
                lambda desk, progress, cancel: withdraw_stop(desk, row.id, seen=row.version),
                lambda _: self._workspace.messages.info(tr("停工登记已撤回。")),
                title=tr("撤回停工"), owner=self, changes=Changes.CALENDAR,
            )

    def _withdraw_leave(self, row: LeaveRow) -> None:
        from desktop.attendance.calendar import withdraw_leave

        if confirm(
            self, tr("撤回请假"), tr("撤回{name} {span} 的请假登记？", name=row.name, span=_span(row.first, row.last)),
            tr("撤回请假登记"),
        ):
            self._workspace.act(
                lambda desk, progress, cancel: withdraw_leave(desk, row.id, seen=row.version),
                lambda _: self._workspace.messages.info(tr("请假登记已撤回。")),
                title=tr("撤回请假"), owner=self, changes=Changes.CALENDAR,
            )


def _span(first: date, last: date) -> str:
    return f"{first:%m-%d}" if first == last else tr("{a} 至 {b}", a=f"{first:%m-%d}", b=f"{last:%m-%d}")

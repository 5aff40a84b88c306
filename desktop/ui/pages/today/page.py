"""今日: what is due, in the order of its day, each with the button that leads on."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from functools import partial
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QSize, Qt, QTimer
from PySide6.QtWidgets import QListWidget, QListWidgetItem

from desktop.access.actor import Act, View
from desktop.ui import icons, theme
from desktop.ui.actions import Command, PageName
from desktop.ui.changes import Changes
from desktop.ui.i18n import day_words, tr
from desktop.ui.jobs import Lane
from desktop.ui.pages.base import Page
from desktop.ui.pages.today.agenda import Agenda, Task, read_agenda
from desktop.ui.theme import Tone
from desktop.ui.widgets.basics import Card, button, label, line, rule
from desktop.ui.widgets.blocks import ActionRow, EmptyState, Figure, ScrollRows
from desktop.ui.widgets.gate import gate
from desktop.ui.widgets.panel import PanelContent
from desktop.ui.workspace import Workspace

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


_PAINT_MS = 30
"""The first list is on the screen by then; loading beside it would hold up its painting."""


class TodayPage(Page):
    """Asks once when shown and after every change; holds nothing."""

    name = PageName.TODAY
    interests = ~Changes.NONE

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace, tr("今日"))
        self.agenda: Agenda | None = None
        self._sees = workspace.sees
        self._local = workspace.desk.clock.local()
        self._then = QTimer(self)
        self._then.setSingleShot(True)
        self._then.setInterval(_PAINT_MS)
        self._then.timeout.connect(self._read_months)
        today = workspace.desk.clock.today()
        self.summarise(f"{today.year}年{day_words(today)}")
        self._collect = button(tr("采集全部考勤机"), self._pull, icon="pull", kind="primary")
        self.add_acts([gate(self._collect, workspace, Act.PUNCHES_COLLECTED)])
        self._figures = {"punches": Figure(tr("今日打卡（条）"))}
        if workspace.sees(View.PEOPLE):
            self._figures = {
                "workers": Figure(tr("在册工人")), "managers": Figure(tr("在册管理人员")),
                **self._figures, "days": Figure(tr("本月施工日")),
            }
        card = Card()
        row = line(gap=4 * theme.GRID)
        for place, figure in enumerate(self._figures.values()):
            if place:
                row.addWidget(rule(upright=True))
            row.addWidget(figure)
        row.addStretch(1)
        card.rows.addLayout(row)
        self._card = card
        self.body.addWidget(card)
        self.rows = ScrollRows()
        self.body.addWidget(self.rows, 1)

    def load(self) -> None:
        clock, project_id = self.workspace.desk.clock, self.workspace.project_id
        sees = self._sees
        now, local = clock.now(), clock.local()

        def show_first(first: Agenda) -> None:
            self.show_agenda(first)
            self._then.start()

        self._local = local
        self.workspace.read(
            lambda session: read_agenda(session, project_id, now, local, sees), show_first,
            view=View.PROJECT, owner=self, key="agenda",
        )

    def _read_months(self) -> None:
        """The months follow once the first list is painted: their modules load only now."""
        first, local, project_id = self.agenda, self._local, self.workspace.project_id
        if first is None:
            return
        if not (self._sees(View.ATTENDANCE) and self._sees(View.MONTHS)):
            self._show_months(replace(first, complete=True))
            return

        def query(session: Session) -> Agenda:
            from desktop.ui.pages.today.month_tasks import with_months

            return with_months(session, project_id, first, local)

        self.workspace.read(
            query, self._show_months, view=View.ATTENDANCE, owner=self, key="agenda"
        )

    def _show_months(self, agenda: Agenda) -> None:
        """Last come backups, terms and what waits: they look at folders and other computers."""
        self.show_agenda(agenda)
        desk = self.workspace.desk

        def work(progress: Any, cancel: Any) -> Agenda:
            from desktop.ui.pages.today.custody_tasks import with_custody

            return with_custody(desk, agenda)

        self.workspace.jobs.submit(
            work, self.show_agenda, lane=Lane.READ, owner=self, failed=self.workspace.report,
            key="agenda",
        )

    def show_agenda(self, agenda: Agenda) -> None:
        """Figures, then the tasks: dated ones under their day, the others below."""
        self.agenda = agenda
        values = {
            "workers": agenda.workers, "managers": agenda.managers, "punches": agenda.punches,
            "days": agenda.construction_days,
        }
        for name, figure in self._figures.items():
            value = values[name]
            figure.show_number("…" if value is None else f"{value:,}")
        self._card.setVisible(not agenda.empty)
        self._collect.setVisible(not agenda.empty)
        self.rows.clear_rows()
        if agenda.empty:
            self._show_beginning()
        elif not agenda.tasks and agenda.complete:
            self.rows.show_empty(
                EmptyState("good", tr("今天没有到期的事"), tr("考勤机都采全了，手续齐全，告示牌与账本一致。"))
            )
        else:
            self._show_tasks(agenda.tasks)

    def _show_tasks(self, tasks: list[Task]) -> None:
        today = self.workspace.desk.clock.today()
        heading = ""
        for task in tasks:
            wanted = _heading(task, today)
            if wanted != heading:
                heading = wanted
                self.rows.head(heading)
            self.rows.add(
                ActionRow(
                    task.state, task.text, task.note, task.act, partial(self._go, task)
                )
            )

    def _show_beginning(self) -> None:
        go = self.workspace.go
        self.rows.show_empty(
            EmptyState(
                "today", tr("先把人和考勤机登记进来"),
                tr("今日页按期限列出要办的事：考勤公示、月结、考勤机采集、缺的手续、到期的合同。"),
                (
                    button(tr("导入花名册"), lambda: go(PageName.ROSTER), icon="import", kind="primary"),
                    button(tr("添加考勤机"), lambda: go(PageName.TERMINALS), icon="plus"),
                ),
            )
        )

    def _go(self, task: Task) -> None:
        if task.people:
            self.open_panel(PeopleList(self.workspace, task))
            return
        if task.month:
            self.workspace.set_month(task.month)
        self.workspace.go(task.page, **task.target)

    def _pull(self) -> None:
        self.workspace.command_asked.emit(Command.PULL_ALL)


class PeopleList(PanelContent):
    """The people behind a task; a click opens one in the roster."""

    def __init__(self, workspace: Workspace, task: Task) -> None:
        from desktop.ui.tables.columns import Column
        from desktop.ui.tables.export import Listing, output_button

        super().__init__(task.text, tr("{n} 人", n=len(task.people)))
        self._workspace = workspace
        self.rows.addWidget(label(task.note, tone=Tone.TEXT_2, wrap=True))
        columns: tuple[Column[tuple[int, str]], ...] = (Column(tr("人员"), 20, lambda row: row[1]),)
        listing = Listing(task.text[:24], "today-people", columns, lambda session: task.people)
        self.rows.addWidget(
            output_button(workspace, self, lambda: listing), 0, Qt.AlignmentFlag.AlignRight
        )
        self.list = QListWidget()
        self.list.setAccessibleName(task.text)
        self.list.setIconSize(QSize(18, 18))
        for stay_id, words in task.people:
            item = QListWidgetItem(icons.icon("person"), words)
            item.setData(Qt.ItemDataRole.UserRole, stay_id)
            item.setSizeHint(QSize(0, theme.row_height()))
            self.list.addItem(item)
        self.list.itemClicked.connect(self._open)
        self.list.itemActivated.connect(self._open)
        self.rows.addWidget(self.list, 1)

    def _open(self, item: QListWidgetItem) -> None:
        self._workspace.go(PageName.ROSTER, stay_id=item.data(Qt.ItemDataRole.UserRole))


def _heading(task: Task, today: date) -> str:
    if task.due is None:
        return tr("尽快办")
    if task.due < today:
        return tr("已过期")
    if task.due == today:
        return tr("今天")
    return day_words(task.due)


def make_page(workspace: Workspace) -> TodayPage:
    """The page, on an open book."""
    return TodayPage(workspace)

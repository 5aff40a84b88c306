"""保存期限: the two days, what falls due when, holds, purges in two persons, removal tasks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from PySide6.QtWidgets import QStackedWidget, QWidget

from desktop.access.actor import Act, View
from desktop.retention.dates import Dated
from desktop.ui import theme
from desktop.ui.changes import Changes
from desktop.ui.i18n import day_text, tr
from desktop.ui.jobs import Lane
from desktop.ui.pages.settings.purge_panels import PurgePanel, RemovalPanel, TermPanel
from desktop.ui.pages.settings.retention_panels import (
    DatesPanel,
    HoldPanel,
    LiftPanel,
    PolicyPanel,
)
from desktop.ui.pages.settings.section import OpenPanel, Section, card_head
from desktop.ui.pages.settings.terms import (
    HOLDS,
    PURGES,
    TERMS,
    Terms,
    read_terms,
    task_columns,
)
from desktop.ui.tables.columns import Column
from desktop.ui.tables.export import Listing, output_button
from desktop.ui.tables.model import RowsModel
from desktop.ui.tables.view import ListView
from desktop.ui.theme import Tone
from desktop.ui.widgets.basics import (
    Card,
    Chip,
    button,
    clear,
    column,
    good,
    label,
    line,
    warn,
)
from desktop.ui.widgets.blocks import EmptyState
from desktop.ui.widgets.fields import Segments
from desktop.ui.widgets.gate import gate
from desktop.ui.workspace import Workspace

_LISTS = ("terms", "holds", "purges", "tasks")


class RetentionSection(Section):
    """Reads everything at once; four lists share the room below the two days."""

    def __init__(self, workspace: Workspace, open_panel: OpenPanel) -> None:
        super().__init__(workspace, open_panel)
        self.terms: Terms | None = None
        self._cards = line(gap=theme.GRID + 4)
        self.rows.addLayout(self._cards)
        bar = line()
        self.which = Segments(
            [("terms", tr("期限")), ("holds", tr("留存冻结")), ("purges", tr("到期清除")),
             ("tasks", tr("考勤机删除"))], tr("显示"),
        )
        self.which.changed.connect(self.show_list)
        bar.addWidget(self.which)
        bar.addStretch(1)
        bar.addWidget(output_button(workspace, self, self._listing))
        self._hold = gate(
            button(tr("加留存冻结…"), self.add_hold, icon="freeze"), workspace, Act.HOLD_ADDED
        )
        self._policy = gate(
            button(tr("保存策略…"), self.set_policy, icon="edit"), workspace, Act.RETENTION_CHANGED
        )
        bar.addWidget(self._policy)
        bar.addWidget(self._hold)
        self.rows.addLayout(bar)
        self._note = label("", tone=Tone.TEXT_2, wrap=True)
        self.rows.addWidget(self._note)
        self.stack = QStackedWidget()
        self.rows.addWidget(self.stack, 1)
        today = workspace.desk.clock.today()
        self.models: dict[str, RowsModel[Any]] = {}
        self._views: dict[str, tuple[ListView, EmptyState]] = {}
        self._columns: dict[str, Sequence[Column[Any]]] = {
            "terms": TERMS, "holds": HOLDS, "purges": PURGES, "tasks": task_columns(today),
        }
        self._add_list("terms", tr("保存期限"), lambda r: hash(r.record_class), self._open_term, (
            "hourglass", tr("没有记录"), ""))
        self._add_list("holds", tr("留存冻结"), lambda r: r.id, self._open_hold, (
            "freeze", tr("没有留存冻结"), tr("有劳动争议、诉讼、监察立案时加一项，期间任何到期清除都停下来。")))
        self._add_list("purges", tr("到期清除"), lambda r: r.number, self._open_purge, (
            "hourglass", tr("还没有清除申请"), tr("到期后在「期限」里提出，另一个人批准，等待期满再执行；账本的链条保持完整。")))
        self._add_list("tasks", tr("考勤机删除"), lambda r: hash((r.stay_id, r.terminal_id, r.number)), self._open_task, (
            "good", tr("没有待删除的人脸、指纹"), tr("人员退场后，要在每台考勤机上删掉他的人脸、指纹；再读一次机上人员，程序自己核对。")))
        self.show_list("terms")

    def load(self) -> None:
        desk = self.workspace.desk
        self.workspace.jobs.submit(
            lambda progress, cancel: read_terms(desk), self.show_terms, lane=Lane.READ, owner=self,
            failed=self.workspace.report, key="terms",
        )

    def open_target(self, target: Mapping[str, Any]) -> None:
        """``list``: one of the four."""
        if target.get("list") in _LISTS:
            self.show_list(target["list"])

    def show_list(self, name: str) -> None:
        """Bring one of the four lists to the front."""
        self.which.choose(name)
        self.stack.setCurrentIndex(_LISTS.index(name))
        self._say()
        if name == "tasks":
            self._store_tasks()

    def show_terms(self, terms: Terms) -> None:
        """Two days in cards, then the lists."""
        self.terms = terms
        clear(self._cards)
        for word, held, act in (
            (tr("竣工日期"), terms.dates.completed, lambda: self.set_dates()),
            (tr("工资结清日期"), terms.dates.settled, lambda: self.set_dates()),
        ):
            self._cards.addWidget(self._day(word, held, act), 1)
        found: dict[str, Sequence[Any]] = {
            "terms": terms.rows, "holds": terms.holds, "purges": terms.purges,
            "tasks": terms.tasks,
        }
        for name, rows in found.items():
            self.models[name].show_rows(rows)
            view, empty = self._views[name]
            view.setVisible(bool(rows))
            empty.setVisible(not rows)
        open_tasks = len(terms.tasks)
        self.which.set_text("tasks", tr("考勤机删除 {n}", n=open_tasks) if open_tasks else tr("考勤机删除"))
        self._say()
        if self.which.value() == "tasks":
            self._store_tasks()

    def set_dates(self) -> None:
        """The form of the two days."""
        if self.terms is not None:
            self.open_panel(DatesPanel(self.workspace, self.terms.dates))

    def set_policy(self) -> None:
        """Waiting time, pictures, impact assessment."""
        if self.terms is not None:
            self.open_panel(PolicyPanel(self.workspace, self.terms.policy))

    def add_hold(self) -> None:
        """The form of a hold."""
        self.open_panel(HoldPanel(self.workspace))

    def _add_list(
        self, name: str, title: str, key: Callable[[Any], int],
        open_row: Callable[[Any], None], empty: tuple[str, str, str],
    ) -> None:
        model: RowsModel[Any] = RowsModel(self._columns[name], key)
        view = ListView(title)
        view.set_model(model)

        def opened(ident: int) -> None:
            row = next((row for row in model.rows() if key(row) == ident), None)
            if row is not None:
                open_row(row)

        view.opened.connect(opened)
        holder = QWidget()
        rows = column(holder)
        rows.addWidget(view, 1)
        nothing = EmptyState(*empty)
        nothing.hide()
        rows.addWidget(nothing, 1)
        self.models[name] = model
        self._views[name] = (view, nothing)
        self.stack.addWidget(holder)

    def _day(self, word: str, held: Dated | None, change: Callable[[], object]) -> QWidget:
        card = Card()
        edit = button(tr("登记…"), change, kind="quiet")
        edit.setAccessibleName(tr("登记{what}", what=word))
        state = good(day_text(held.day)) if held else warn(tr("没有登记"))
        card_head(card, word, Chip(state), gate(edit, self.workspace, Act.RETENTION_CHANGED))
        text = held.document if held else tr("两个日期都登记了，保存期限才起算；在那以前什么都不能清除。")
        card.rows.addWidget(label(text, tone=Tone.TEXT_2, wrap=True))
        card.rows.addStretch(1)
        return card

    def _say(self) -> None:
        notes = {
            "terms": tr("同一类记录有几条规定时取最长的。点一行看依据，到期的可以提出清除。"),
            "holds": tr("冻结期间不清除；一个人被冻结，涉及他的都不清除。"),
            "purges": tr("一人提出、另一人批准、等待期满才执行。执行后出具清除证明，留在账本里的只有编号和校验值。"),
            "tasks": tr("账本里没有人脸、指纹，只记哪台考勤机上该删谁。读过机上人员后，已经删掉的自动办结。"),
        }
        which, disk = self.which.value(), self.terms.disk.sentence if self.terms is not None else ""
        self._note.setText(notes[which] + (disk if which == "terms" else ""))
        self._policy.setVisible(which == "terms")
        self._hold.setVisible(which == "holds")

    def _store_tasks(self) -> None:
        """Tasks that are only seen get numbers, so that they can be confirmed one by one."""
        terms = self.terms
        if terms is None or all(task.id is not None for task in terms.tasks):
            return
        if not self.workspace.may(Act.BIOMETRICS_REMOVED):
            return

        def work(desk: Any, progress: Any, cancel: Any) -> Any:
            from desktop.retention.biometric import refresh_removals

            return refresh_removals(desk)

        self.workspace.act(
            work, lambda _: None, title=tr("登记删除任务"), owner=self, changes=Changes.CUSTODY
        )

    def _open_term(self, row: Any) -> None:
        self.open_panel(TermPanel(self.workspace, row))

    def _open_hold(self, row: Any) -> None:
        self.open_panel(LiftPanel(self.workspace, row))

    def _open_purge(self, row: Any) -> None:
        self.open_panel(PurgePanel(self.workspace, row))

    def _open_task(self, row: Any) -> None:
        self.open_panel(RemovalPanel(self.workspace, row))

    def _listing(self) -> Listing:
        name = self.which.value()
        rows, title = list(self.models[name].rows()), self._views[name][0].accessibleName()
        return Listing(
            title, f"retention-{name}", self._columns[name], lambda session: rows,
            personal=name == "tasks", view=View.RETENTION,
        )


def make_section(workspace: Workspace, open_panel: OpenPanel) -> RetentionSection:
    """The part, on an open book."""
    return RetentionSection(workspace, open_panel)

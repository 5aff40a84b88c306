"""设备: terminals and their state, collecting, sticks, numbers of nobody, the log of collections."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QFileDialog, QStackedWidget, QTabBar, QVBoxLayout, QWidget

from desktop.access.actor import Act, View
from desktop.punches.queries import downloads, quarantine, unmatched
from desktop.punches.terminal_book import TerminalView, list_terminals
from desktop.ui.actions import Command, PageName
from desktop.ui.changes import Changes
from desktop.ui.files import dropped_file
from desktop.ui.i18n import tr
from desktop.ui.pages.base import Page
from desktop.ui.pages.terminals.columns import (
    DOWNLOADS,
    QUARANTINE,
    UNMATCHED,
    terminal_columns,
    terminal_state,
)
from desktop.ui.pages.terminals.match_panel import MatchPanel
from desktop.ui.pages.terminals.pull_panel import PullPanel
from desktop.ui.pages.terminals.stick_panel import StickPanel
from desktop.ui.pages.terminals.terminal_panel import EditPanel, TerminalPanel
from desktop.ui.tables.columns import Column
from desktop.ui.tables.export import Listing, output_button
from desktop.ui.tables.model import RowsModel
from desktop.ui.tables.view import ListView
from desktop.ui.theme import Tone
from desktop.ui.widgets.basics import button, column, label, line
from desktop.ui.widgets.blocks import EmptyState
from desktop.ui.widgets.gate import gate
from desktop.ui.workspace import Workspace

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

_STICKS = (".dat", ".txt")
_TABS = ("terminals", "unmatched", "downloads", "quarantine")


class TerminalsPage(Page):
    """A handful of terminals; everything about one of them is in the panel."""

    name = PageName.TERMINALS
    interests = Changes.TERMINALS | Changes.PUNCHES | Changes.PEOPLE
    follows_month = True

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace, tr("设备"))
        self.setAcceptDrops(True)
        now = workspace.desk.clock.now()
        self._people = workspace.sees(View.PEOPLE)
        """Numbers of people and what the terminals call them are shown."""
        self._terminals: list[TerminalView] = []
        self._wanted: Mapping[str, Any] = {}
        acts = {
            button(tr("添加考勤机…"), self.add_terminal, icon="plus"): Act.TERMINAL_CHANGED,
            button(tr("导入U盘文件…"), lambda: self.import_stick(None), icon="usb"):
                Act.PUNCHES_COLLECTED,
            button(tr("采集全部"), self.pull_all, icon="pull", kind="primary"): Act.PUNCHES_COLLECTED,
        }
        self.add_acts(list(acts))
        for made, act in acts.items():
            gate(made, workspace, act)
        self.tabs = QTabBar()
        self.tabs.setExpanding(False)
        self.tabs.setAccessibleName(tr("设备的各部分"))
        for word in (tr("考勤机"), tr("未对号"), tr("采集记录"), tr("隔离记录")):
            self.tabs.addTab(word)
        head = line()
        head.addWidget(self.tabs, 1)
        self._listings: list[Listing] = []
        self._lists: list[QVBoxLayout] = []
        head.addWidget(
            output_button(workspace, self, lambda: self._listings[self.stack.currentIndex()])
        )
        self.body.addLayout(head)
        self.stack = QStackedWidget()
        self.body.addWidget(self.stack, 1)
        self.tabs.currentChanged.connect(self.stack.setCurrentIndex)
        self.terminals, self.view = self._list(
            terminal_columns(now), lambda t: t.id, tr("考勤机"), "terminals", personal=False
        )
        self.view.opened.connect(self.open_terminal)
        self._add_empty()
        self.unmatched, nobody = self._list(
            UNMATCHED, lambda u: hash((u.terminal_id, u.number)), tr("未对号"), "unmatched",
            note=tr("这些编号有打卡，但还不知道是谁。点一行去对号；对上以后，以前的打卡也计入。"),
        )
        nobody.opened.connect(self._open_unmatched)
        self.downloads, _ = self._list(
            DOWNLOADS, lambda d: hash((d.at, d.terminal, d.origin)), tr("采集记录"), "downloads",
            personal=False,
        )
        self.quarantine, _ = self._list(
            QUARANTINE, lambda q: q.id, tr("隔离记录"), "quarantine",
            note=tr("日期不可能的记录原样保存，永不计入考勤。多见于考勤机断电后时钟归零，请先校时。"),
        )
        for name in ("unmatched", "quarantine"):
            self.tabs.setTabVisible(_TABS.index(name), self._people)

    def load(self) -> None:
        project_id, month = self.workspace.project_id, self.workspace.month
        people = self._people
        first = date.fromisoformat(f"{month}-01")
        last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)

        def query(session: Session) -> tuple[Any, ...]:
            return (
                list_terminals(session, project_id),
                unmatched(session, project_id, first, last) if people else [],
                downloads(session, project_id),
                quarantine(session, project_id) if people else [],
            )

        self.workspace.read(query, self._show, view=View.TERMINALS, owner=self, key="terminals")

    def open_target(self, target: Mapping[str, Any]) -> None:
        """``terminal_id`` (``act`` match), or ``tab``."""
        if not self._terminals:
            self._wanted = target
            return
        if "tab" in target:
            self.show_tab(target["tab"])
        found = next((t for t in self._terminals if t.id == target.get("terminal_id")), None)
        if found is None:
            return
        if target.get("act") == "match":
            self.match(found.name)
        else:
            self.show_tab("terminals")
            self.open_terminal(found.id)

    def place(self) -> Mapping[str, Any]:
        return {"tab": _TABS[self.tabs.currentIndex()]}

    def run(self, command: Command) -> None:
        acts = {
            Command.ADD_TERMINAL: self.add_terminal,
            Command.PULL_ALL: self.pull_all,
            Command.IMPORT_STICK: lambda: self.import_stick(None),
            Command.MATCH_NUMBERS: self._match_first,
        }
        acts[command]()

    def show_tab(self, name: str) -> None:
        self.tabs.setCurrentIndex(_TABS.index(name))

    def open_terminal(self, terminal_id: int) -> None:
        """Everything about one terminal in the panel."""
        found = next((t for t in self._terminals if t.id == terminal_id), None)
        if found is not None:
            self.view.choose_id(terminal_id)
            self.open_panel(TerminalPanel(self.workspace, found, self))

    def add_terminal(self) -> None:
        self.open_panel(EditPanel(self.workspace, None))

    def pull_all(self) -> None:
        """Collect from every terminal with an address."""
        names = [t.name for t in self._terminals if t.address and t.retired_on is None]
        if not names:
            self.workspace.messages.warn(tr("还没有能联网采集的考勤机。请先添加考勤机，或导入U盘文件。"))
            return
        self.pull(None)

    def pull(self, names: Sequence[str] | None) -> None:
        """Collect from the named terminals; the panel shows what each of them gave."""
        panel = PullPanel(self.workspace, names)
        if self.open_panel(panel):
            panel.begin()

    def match(self, name: str) -> None:
        """The numbers of one terminal against the roster."""
        panel = MatchPanel(self.workspace, name)
        if self.open_panel(panel):
            panel.load()

    def import_stick(self, name: str | None) -> None:
        """Choose a file and say which terminal it came from."""
        if not self._terminals:
            self.workspace.messages.warn(tr("请先添加考勤机，再导入它的U盘文件。"))
            return
        path, _ = QFileDialog.getOpenFileName(
            self, tr("选择U盘上的打卡文件"), "", tr("打卡文件 (*.dat *.txt);;所有文件 (*)")
        )
        if path:
            self.open_stick(Path(path), name)

    def open_stick(self, path: Path, name: str | None) -> None:
        names = [t.name for t in self._terminals]
        self.open_panel(StickPanel(self.workspace, path, names, name))

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if self._terminals and dropped_file(event, _STICKS) is not None:
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        path = dropped_file(event, _STICKS)
        if path is not None:
            event.acceptProposedAction()
            self.open_stick(path, None)

    def _list(
        self, columns: Sequence[Column[Any]], key: Any, name: str, subject: str, *,
        note: str = "", personal: bool = True,
    ) -> tuple[RowsModel[Any], ListView]:
        tab = QWidget()
        rows = column(tab)
        if note:
            rows.addWidget(label(note, tone=Tone.TEXT_2, wrap=True))
        model: RowsModel[Any] = RowsModel(columns, key)
        self._listings.append(
            Listing(name, subject, columns, lambda session: list(model.rows()), personal, View.TERMINALS)
        )
        view = ListView(name)
        view.set_model(model)
        rows.addWidget(view, 1)
        self._lists.append(rows)
        self.stack.addWidget(tab)
        return model, view

    def _add_empty(self) -> None:
        self._empty = EmptyState(
            "terminals", tr("还没有登记考勤机"),
            tr("登记闸机旁的每一台考勤机：名称、进出方向、地址。不联网的也要登记，用U盘导入打卡文件。"),
            (
                button(tr("添加考勤机…"), self.add_terminal, icon="plus", kind="primary"),
                button(tr("先去导入花名册"), lambda: self.workspace.go(PageName.ROSTER)),
            ),
        )
        self._lists[0].addWidget(self._empty)
        self._empty.hide()

    def _show(self, found: tuple[Any, ...]) -> None:
        self._terminals, nobody, log, quarantined = found
        self.terminals.show_rows(self._terminals)
        self.unmatched.show_rows(nobody)
        self.downloads.show_rows(log)
        self.quarantine.show_rows(quarantined)
        for place, (word, rows) in enumerate(
            ((tr("未对号"), nobody), (tr("采集记录"), []), (tr("隔离记录"), quarantined)), 1
        ):
            self.tabs.setTabText(place, f"{word} {len(rows)}" if rows else word)
        self.view.setVisible(bool(self._terminals))
        self._empty.setVisible(not self._terminals)
        now = self.workspace.desk.clock.now()
        trouble = [t for t in self._terminals if terminal_state(t, now).tone in (Tone.WARN, Tone.BAD)]
        text = tr("{n} 台考勤机", n=len(self._terminals))
        if trouble:
            text += tr("；{names} 需要采集", names="、".join(t.name for t in trouble))
        self.summarise(text if self._terminals else "")
        if self._wanted:
            wanted, self._wanted = self._wanted, {}
            self.open_target(wanted)
        if isinstance(self.panel.content, TerminalPanel) and not self.panel.content.is_dirty():
            self.open_terminal(self.panel.content.terminal.id)

    def _open_unmatched(self, ident: int) -> None:
        row = next((u for u in self.unmatched.rows() if hash((u.terminal_id, u.number)) == ident), None)
        if row is not None:
            self.match(row.terminal)

    def _match_first(self) -> None:
        rows = self.unmatched.rows()
        names = [row.terminal for row in rows] or [t.name for t in self._terminals]
        if names:
            self.match(names[0])


def make_page(workspace: Workspace) -> TerminalsPage:
    """The page, on an open book."""
    return TerminalsPage(workspace)

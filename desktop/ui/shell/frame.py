"""The frame of an open book: rail, header, pages; routes acts, shortcuts and the command bar."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QApplication, QStackedWidget, QWidget

from desktop.access.actor import View
from desktop.access.matrix import ROLE_NAMES
from desktop.settings import Theme
from desktop.ui import icons, theme
from desktop.ui.actions import COMMANDS, MENU, PAGES, Command, PageName
from desktop.ui.drafts import Draft, Place
from desktop.ui.i18n import shifted_month, tr
from desktop.ui.jobs import Lane
from desktop.ui.pages.base import Page
from desktop.ui.shell.header import Header
from desktop.ui.shell.rail import Rail
from desktop.ui.widgets.basics import column, line
from desktop.ui.widgets.gate import gate, refusal
from desktop.ui.workspace import Workspace

if TYPE_CHECKING:
    from desktop.ui.shell.command_bar import CommandBar, Hit

_NARROW_UNDER = 1180


class Frame(QWidget):
    """``leave_asked``: close this book and show the welcome; ``first_shown``: a page is painted;
    ``lock_asked``: hide everything; ``log_out_asked``: somebody else wants to work.

    Pages the user may not see do not exist for him: no rail entry, no hit, no shortcut.
    """

    leave_asked = Signal()
    first_shown = Signal()
    lock_asked = Signal()
    log_out_asked = Signal()

    def __init__(self, workspace: Workspace, parent: QWidget) -> None:
        super().__init__(parent)
        self.workspace = workspace
        self._pages: dict[PageName, Page] = {}
        self._drafts: dict[PageName, Draft] = {}
        self.page_names = [name for name, said in PAGES.items() if workspace.sees(said.view)]
        self.commands = [command for command in COMMANDS if self._is_there(command)]
        self._acts = {command: self._action(command) for command in self.commands}
        self.rail = Rail(self.page_names, workspace.preferences.rail_collapsed)
        self.rail.picked.connect(self.show_page)
        self.rail.collapsed.connect(workspace.preferences.set_rail_collapsed)
        self.header = self._header()
        self.header.searched.connect(self.open_bar)
        self.header.month_changed.connect(workspace.set_month)
        workspace.month_changed.connect(self.header.months.show_month)
        workspace.moved.connect(self.show_page)
        workspace.command_asked.connect(self.run)
        self.stack = QStackedWidget()
        self._bar: CommandBar | None = None
        right = column(gap=0)
        self._right = right
        right.addWidget(self.header)
        right.addWidget(self.stack, 1)
        whole = line(self, gap=0)
        whole.addWidget(self.rail)
        whole.addLayout(right, 1)
        for page in self.page_names:
            self._shortcut(PAGES[page].shortcut, partial(self.show_page, page))

    @property
    def bar(self) -> CommandBar:
        """The command bar, made when it is first opened."""
        if self._bar is None:
            from desktop.ui.shell.command_bar import CommandBar

            people = self._search_people if self.workspace.sees(View.PEOPLE) else None
            self._bar = CommandBar(self, people, self.page_names, self.commands)
            self._bar.picked.connect(self._take_hit)
        return self._bar

    def start(self, place: Place | None = None) -> None:
        """Show the first page, or the one at ``place``; the project's name follows from the READ
        lane."""
        self.fit_width(self.window().width())
        if place is None or place.page not in self.page_names:
            self.show_page(PageName.TODAY)
        else:
            self.workspace.set_month(place.month)
            self._drafts = {draft.page: draft for draft in place.drafts}
            self.show_page(place.page, place.target)
        self.workspace.read(
            self._project_name, self.header.show_project, view=View.PROJECT, owner=self
        )
        QTimer.singleShot(0, self.first_shown.emit)

    def place(self) -> Place:
        """Where the user is now, with what he typed, as plain values."""
        current = self.stack.currentWidget()
        assert isinstance(current, Page)
        drafts = dict(self._drafts)
        for name, page in self._pages.items():
            draft = page.draft()
            if draft is not None:
                drafts[name] = draft
        return Place(
            current.name, self.workspace.month, dict(current.place()), tuple(drafts.values())
        )

    def take_messages(self, messages: QWidget) -> None:
        """The message bar stands under the header while a book is open: the rail does not jump."""
        self._right.insertWidget(1, messages)

    def page(self, name: PageName) -> Page:
        """The page, made when first asked for."""
        if name not in self._pages:
            module = importlib.import_module(f"desktop.ui.pages.{name.value}.page")
            made: Page = module.make_page(self.workspace)
            self._pages[name] = made
            self.stack.addWidget(made)
        return self._pages[name]

    def show_page(self, name: PageName, target: Mapping[str, Any] | None = None) -> None:
        """Bring a page to the front and hand it what it should go to."""
        if name not in self.page_names:
            self.workspace.messages.warn(
                tr("「{page}」不对您的角色开放。需要时请管理员调整您的角色。", page=tr(PAGES[name].text))
            )
            return
        page = self.page(name)
        self.stack.setCurrentWidget(page)
        self.rail.show_page(name)
        if target:
            page.open_target(target)
        if name in self._drafts:
            # Behind the page's own reads: what was typed comes back to a page that is filled.
            self.workspace.jobs.submit(
                lambda progress, cancel: None, lambda _: self._put_back(page), lane=Lane.READ,
                owner=page, failed=self.workspace.report,
            )

    def _put_back(self, page: Page) -> None:
        draft = self._drafts.pop(page.name, None)
        if draft is not None:
            page.put_back(draft)

    def dirty_pages(self) -> list[Page]:
        """Pages on which something typed is not saved."""
        return [page for page in self._pages.values() if page.is_dirty()]

    def kept_drafts(self) -> list[str]:
        """Titles of pages whose edits have not been looked at since the window was unlocked."""
        return [tr(PAGES[name].text) for name in self._drafts]

    def run(self, command: Command) -> None:
        """Carry out an act, on its page where it has one."""
        declared = COMMANDS[command]
        if declared.needs is not None and (why := refusal(self.workspace, declared.needs)):
            self.workspace.messages.warn(why)
            return
        if declared.page is not None:
            self.show_page(declared.page)
            self.page(declared.page).run(command)
            return
        own: dict[Command, Callable[[], object]] = {
            Command.COMMAND_BAR: self.open_bar,
            Command.REFRESH: self._refresh,
            Command.PREVIOUS_MONTH: lambda: self._shift_month(-1),
            Command.NEXT_MONTH: lambda: self._shift_month(1),
            Command.VERIFY_LEDGER: self._verify,
            Command.LOCK: self.lock_asked.emit,
            Command.LOG_OUT: self.log_out_asked.emit,
            Command.OPEN_BOOK: self.leave_asked.emit,
            Command.SWITCH_LOOK: self._switch_look,
            Command.COLLAPSE_RAIL: self.rail.toggle,
            Command.QUIT: self.window().close,
        }
        own[command]()

    def open_bar(self) -> None:
        self.bar.open_bar()

    def fit_width(self, width: int) -> None:
        """A small window gets the narrow rail; a large one what the user chose."""
        chosen = self.workspace.preferences.rail_collapsed
        self.rail.set_narrow(chosen or width < _NARROW_UNDER)

    def _is_there(self, command: Command) -> bool:
        """Acts of pages that are hidden are hidden too; passwords belong to users."""
        if command in (Command.CHANGE_PASSWORD, Command.LOG_OUT):
            return self.workspace.desk.actor.user_id is not None
        page = COMMANDS[command].page
        return page is None or page in self.page_names

    def _header(self) -> Header:
        desk = self.workspace.desk
        own = (Command.LOCK, Command.CHANGE_PASSWORD, Command.LOG_OUT)
        menu = [
            None if item is None else self._acts[item]
            for item in MENU if item is None or item in self._acts
        ]
        return Header(
            self.workspace.month, demo=desk.book.demo,
            actor=(desk.actor.name, tr(ROLE_NAMES[desk.actor.role])), lock=self._acts[Command.LOCK],
            account=[self._acts[item] for item in own if item in self._acts], menu=menu,
        )

    def _action(self, command: Command) -> QAction:
        declared = COMMANDS[command]
        act = QAction(icons.icon(declared.icon), tr(declared.text), self)
        if declared.needs is not None:
            gate(act, self.workspace, declared.needs)
        if declared.shortcut:
            act.setShortcut(QKeySequence(declared.shortcut))
        act.triggered.connect(lambda: self.run(command))
        self.addAction(act)
        return act

    def _shortcut(self, keys: str, do: Callable[[], object]) -> None:
        act = QAction(self)
        act.setShortcut(QKeySequence(keys))
        act.triggered.connect(lambda: do())
        self.addAction(act)

    def _refresh(self) -> None:
        page = self.stack.currentWidget()
        if isinstance(page, Page):
            page.refresh()

    def _shift_month(self, by: int) -> None:
        self.workspace.set_month(shifted_month(self.workspace.month, by))

    def _switch_look(self) -> None:
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        dark = not theme.is_dark()
        theme.choose(app, dark)
        self.workspace.preferences.set_theme(Theme.DARK if dark else Theme.LIGHT)

    def _verify(self) -> None:
        office, messages = self.workspace.office, self.workspace.messages

        def tell(verdict: Any) -> None:
            if verdict.ok:
                messages.info(
                    tr("账本校验通过：{n} 条打卡记录完整，没有改动过的痕迹。", n=f"{verdict.punches:,}")
                )
            else:
                messages.warn(tr("账本校验发现问题：{what}", what=verdict.first_bad))

        self.workspace.act(
            lambda desk, progress, cancel: office.verify_ledger(progress, cancel), tell,
            title=tr("校验账本"), owner=self,
        )

    def _project_name(self, session: Any) -> str:
        from desktop.site.queries import project_view

        return project_view(session, self.workspace.project_id).name

    def _search_people(self, text: str, done: Callable[[Sequence[Hit]], None]) -> None:
        from desktop.ui.pages.roster.search import people_hits

        self.workspace.read(
            lambda session: people_hits(session, self.workspace, text), done,
            view=View.PEOPLE, owner=self.bar, key="people",
        )

    def _take_hit(self, hit: Hit) -> None:
        if isinstance(hit.target, PageName):
            self.show_page(hit.target)
        elif isinstance(hit.target, Command):
            self.run(hit.target)
        else:
            self.show_page(PageName.ROSTER, {"stay_id": hit.target})

"""设置: users, keys, backups, the trail, terms of keeping, other computers, this computer."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from PySide6.QtWidgets import QStackedWidget, QTabBar, QWidget

from desktop.access.actor import View
from desktop.ui.actions import Command, PageName
from desktop.ui.changes import Changes
from desktop.ui.i18n import tr
from desktop.ui.pages.base import Page
from desktop.ui.pages.settings.section import Section
from desktop.ui.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Part:
    """A tab: its file, its word, what somebody must see to have it."""

    name: str
    word: str
    view: View
    server_only: bool = False


PARTS = (
    Part("users", "账号与权限", View.USERS),
    Part("keys", "钥匙", View.KEYS),
    Part("backups", "备份", View.BACKUPS),
    Part("trail", "操作记录", View.AUDIT),
    Part("retention", "保存期限", View.RETENTION),
    Part("sharing", "多台电脑", View.SHARING, server_only=True),
    Part("computer", "本机", View.PROJECT),
)
_OF_COMMAND = {Command.BACK_UP: "backups", Command.CHANGE_PASSWORD: "computer"}


class SettingsPage(Page):
    """Tabs of parts the user may see; each is imported and made when first shown."""

    name = PageName.SETTINGS
    interests = Changes.CUSTODY | Changes.PEOPLE | Changes.TERMINALS

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace, tr("设置"))
        server = getattr(workspace.office.book, "dialect", "sqlite") != "sqlite"
        self.parts = [
            part for part in PARTS
            if workspace.sees(part.view) and (server or not part.server_only)
        ]
        self._made: dict[str, Section] = {}
        self._seen: set[str] = set()
        self.tabs = QTabBar()
        self.tabs.setExpanding(False)
        self.tabs.setAccessibleName(tr("设置的各部分"))
        self.stack = QStackedWidget()
        for part in self.parts:
            self.tabs.addTab(tr(part.word))
            self.stack.addWidget(QWidget())
        self.body.addWidget(self.tabs)
        self.body.addWidget(self.stack, 1)
        self.tabs.currentChanged.connect(self._show_part)

    def load(self) -> None:
        """Only the part that is seen reads; the others read when their tab is opened."""
        self._seen.clear()
        self._show_part(self.tabs.currentIndex())

    def part(self, name: str) -> Section:
        """A part, made when first asked for."""
        if name not in self._made:
            module = importlib.import_module(f"desktop.ui.pages.settings.{name}")
            made: Section = module.make_section(self.workspace, self.open_panel)
            place = [part.name for part in self.parts].index(name)
            self.stack.removeWidget(empty := self.stack.widget(place))
            empty.deleteLater()
            self.stack.insertWidget(place, made)
            self._made[name] = made
        return self._made[name]

    def show_part(self, name: str) -> Section:
        """Bring a part to the front."""
        self.tabs.setCurrentIndex([part.name for part in self.parts].index(name))
        return self.part(name)

    def place(self) -> Mapping[str, Any]:
        return {"part": self.parts[self.tabs.currentIndex()].name}

    def open_target(self, target: Mapping[str, Any]) -> None:
        """``part``, and what that part understands."""
        name = target.get("part", "")
        if name in [part.name for part in self.parts]:
            self.show_part(name).open_target(target)

    def run(self, command: Command) -> None:
        self.show_part(_OF_COMMAND[command]).run(command)

    def _show_part(self, index: int) -> None:
        name = self.parts[index].name
        section = self.part(name)
        self.stack.setCurrentWidget(section)
        if name not in self._seen and self.isVisible():
            self._seen.add(name)
            section.load()


def make_page(workspace: Workspace) -> SettingsPage:
    """The page, on an open book."""
    return SettingsPage(workspace)

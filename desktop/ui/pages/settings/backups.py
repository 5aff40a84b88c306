"""备份: how well the book is covered, the list with verdicts, and what can be done with each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtWidgets import QWidget

from desktop.access import backup_desk
from desktop.access.actor import Act, View
from desktop.access.backup_desk import BackupInfo, BackupStatus
from desktop.access.desk import Desk
from desktop.ui import theme
from desktop.ui.actions import Command
from desktop.ui.changes import Changes
from desktop.ui.i18n import moment_text, tr
from desktop.ui.jobs import Lane
from desktop.ui.pages.settings.backup_list import (
    COLUMNS,
    BackupLine,
    Shelf,
    read_shelf,
    size_text,
)
from desktop.ui.pages.settings.backup_panels import BackupPanel, PlacePanel
from desktop.ui.pages.settings.section import OpenPanel, Section, card_head
from desktop.ui.tables.export import Listing, output_button
from desktop.ui.tables.model import RowsModel
from desktop.ui.tables.view import ListView
from desktop.ui.theme import Tone
from desktop.ui.widgets.basics import (
    Card,
    Chip,
    State,
    bad,
    button,
    clear,
    good,
    label,
    line,
    neutral,
    warn,
)
from desktop.ui.widgets.blocks import EmptyState
from desktop.ui.widgets.gate import gate
from desktop.ui.workspace import Workspace


def cover_state(status: BackupStatus) -> State:
    """Whether the book is covered today."""
    if status.last is None:
        return bad(tr("没有备份"))
    return warn(tr("该备份了"), "clock") if status.due else good(tr("已备份"))


class BackupsSection(Section):
    """Backups are made, checked and rehearsed in the POOL: collecting need not wait for them."""

    def __init__(self, workspace: Workspace, open_panel: OpenPanel) -> None:
        super().__init__(workspace, open_panel)
        self.shelf: Shelf | None = None
        self._cards = line(gap=theme.GRID + 4)
        self.rows.addLayout(self._cards)
        bar = line()
        self._room = label("", tone=Tone.TEXT_2, wrap=True)
        bar.addWidget(self._room, 1)
        bar.addWidget(output_button(workspace, self, self._listing))
        make = button(tr("立即备份"), self.back_up, icon="backup", kind="primary")
        bar.addWidget(gate(make, workspace, Act.BACKUP_CREATED))
        self.rows.addLayout(bar)
        self.model = RowsModel(COLUMNS, key=lambda row: hash(row.info.name))
        self.view = ListView(tr("备份"))
        self.view.set_model(self.model)
        self.view.opened.connect(self._open)
        self.rows.addWidget(self.view, 1)
        self._empty = EmptyState(
            "backup", tr("还没有备份"),
            tr("备份是整个账本的加密副本，连同打开它的钥匙槽。程序每天自动做一份；现在就可以先做第一份。"),
            (gate(button(tr("立即备份"), self.back_up, icon="backup"), workspace, Act.BACKUP_CREATED),),
        )
        self._empty.hide()
        self.rows.addWidget(self._empty, 1)

    def load(self) -> None:
        desk = self.workspace.desk
        self.workspace.jobs.submit(
            lambda progress, cancel: read_shelf(desk), self.show_shelf, lane=Lane.READ, owner=self,
            failed=self.workspace.report, key="shelf",
        )

    def run(self, command: Command) -> None:
        if command is Command.BACK_UP:
            self.back_up()

    def open_target(self, target: Mapping[str, Any]) -> None:
        """``place``: the form of the second place."""
        if target.get("place"):
            self.set_places()

    def show_shelf(self, shelf: Shelf) -> None:
        """The state in cards, then the list."""
        self.shelf = shelf
        clear(self._cards)
        self._cards.addWidget(self._cover(shelf), 1)
        self._cards.addWidget(self._second(shelf), 1)
        self.model.show_rows(shelf.lines)
        self.view.setVisible(bool(shelf.lines))
        self._empty.setVisible(not shelf.lines)
        if shelf.lines:
            self._room.setText(
                tr(
                    "共 {n} 份，占 {size}；保留 7 天、5 周、12 个月各一份，排满约占 {full}，磁盘还剩 {free}。",
                    n=len(shelf.lines), size=size_text(shelf.size), full=size_text(shelf.full),
                    free=size_text(shelf.free),
                )
            )

    def back_up(self) -> None:
        """One more backup, in the background."""
        messages = self.workspace.messages

        def work(desk: Desk, progress: Any, cancel: Any) -> BackupInfo:
            return backup_desk.create_backup(desk, progress=progress, cancel=cancel)

        def done(info: BackupInfo) -> None:
            text = tr("已备份并核验：{name}（{size}）。", name=info.name, size=size_text(info.size))
            if info.second_ok is False:
                messages.warn(text + info.second)
            else:
                messages.info(text + info.second)

        self.workspace.act(
            work, done, title=tr("备份"), owner=self, changes=Changes.CUSTODY, lane=Lane.POOL
        )

    def set_places(self) -> None:
        """Second place and time of day."""
        if self.shelf is not None:
            self.open_panel(PlacePanel(self.workspace, self.shelf.settings))

    def _open(self, ident: int) -> None:
        found = next((one for one in self.model.rows() if hash(one.info.name) == ident), None)
        if found is not None:
            self.open_backup(found)

    def open_backup(self, found: BackupLine) -> None:
        """One backup with what can be done with it."""
        self.open_panel(BackupPanel(self.workspace, found, self.open_panel))

    def _cover(self, shelf: Shelf) -> QWidget:
        status = shelf.status
        card = Card()
        card_head(card, tr("本机备份"), Chip(cover_state(status)))
        at = shelf.settings.daily_at
        when = tr("每天 {at} 以后自动做一份。", at=f"{at:%H:%M}") if at else tr("账本有改动时，每满一天自动做一份。")
        card.rows.addWidget(label(status.sentence, wrap=True))
        card.rows.addWidget(label(when, tone=Tone.TEXT_2, wrap=True))
        card.rows.addStretch(1)
        return card

    def _second(self, shelf: Shelf) -> QWidget:
        status = shelf.status
        card = Card()
        change = button(tr("设置…"), self.set_places, kind="quiet")
        change.setAccessibleName(tr("设置第二存放处和备份时间"))
        gate(change, self.workspace, Act.BACKUP_SETTINGS_CHANGED)
        card_head(card, tr("第二存放处"), Chip(_second_state(status)), change)
        if status.second_place is None:
            text = tr("电脑坏了、丢了，本机的备份也没了。请设一个U盘、移动硬盘或另一台电脑上的文件夹，每份备份自动复制一份过去。")
        elif status.second:
            text = status.second
        else:
            text = tr("{place}　最近复制 {at}", place=status.second_place, at=moment_text(status.second_copied_at, tr("还没有")))
        card.rows.addWidget(label(text, tone=Tone.TEXT_2, wrap=True))
        card.rows.addStretch(1)
        return card

    def _listing(self) -> Listing:
        rows = list(self.model.rows())
        return Listing(
            tr("备份"), "backups", COLUMNS, lambda session: rows, personal=False, view=View.BACKUPS
        )


def _second_state(status: BackupStatus) -> State:
    if status.second_place is None:
        return warn(tr("没有设"))
    if status.second:
        return bad(tr("连不上"))
    if status.second_copied_at is None:
        return neutral(tr("还没有复制"))
    return good(tr("有"))


def make_section(workspace: Workspace, open_panel: OpenPanel) -> BackupsSection:
    """The part, on an open book."""
    return BackupsSection(workspace, open_panel)

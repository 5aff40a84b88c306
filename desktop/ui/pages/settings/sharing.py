"""多台电脑: who is here, who collects which terminal, what waits on this one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from desktop.access.actor import View
from desktop.access.desk import Desk
from desktop.punches import spool
from desktop.punches.lease import Holder, holders, server_now
from desktop.punches.terminal_list import list_terminals
from desktop.storage import workstation
from desktop.storage.card import BookCard
from desktop.storage.tables import Workstation
from desktop.ui import theme
from desktop.ui.changes import Changes
from desktop.ui.i18n import moment_text, tr
from desktop.ui.jobs import Lane
from desktop.ui.pages.settings.section import OpenPanel, Section, card_head
from desktop.ui.tables.columns import Column
from desktop.ui.tables.export import Listing, output_button
from desktop.ui.tables.model import RowsModel
from desktop.ui.tables.view import ListView
from desktop.ui.theme import Tone
from desktop.ui.widgets.basics import (
    Card,
    Chip,
    State,
    button,
    clear,
    good,
    info,
    label,
    line,
    neutral,
    warn,
)
from desktop.ui.widgets.blocks import Facts
from desktop.ui.widgets.fields import Form
from desktop.ui.widgets.panel import PanelContent
from desktop.ui.workspace import Workspace

if TYPE_CHECKING:
    from desktop.punches.spool import Summary

_RECENT_S = 24 * 3600


@dataclass(frozen=True, slots=True)
class Pc:
    """One computer of the book. ``collects`` are names of terminals it reads now."""

    id: int
    name: str
    mine: bool
    seen_at: datetime
    collects: str
    recent: bool


@dataclass(frozen=True, slots=True)
class Together:
    """Everything the part shows."""

    me: str
    server: str
    pcs: Sequence[Pc]
    waiting: Summary


def read_together(desk: Desk) -> Together:
    """The computers, the leases and what waits here."""
    book = desk.book
    me = workstation.here(book.path)
    address = BookCard.peek(book.path).server
    with desk.look(View.SHARING) as session:
        now = server_now(desk, session)
        names = {one.id: one.name for one in list_terminals(session, desk.project_id)}
        held = holders(desk, session)
        rows = session.scalars(select(Workstation).order_by(Workstation.last_seen_at.desc())).all()
        pcs = [
            Pc(
                row.id, row.name, row.mark == me.mark, row.last_seen_at,
                _collected(row.name, held, names),
                (now - row.last_seen_at).total_seconds() < _RECENT_S,
            )
            for row in rows
        ]
    server = "" if address is None else f"{address.host}:{address.port}　{address.database}"
    return Together(me.name, server, pcs, spool.waiting(book))


def _collected(name: str, held: Sequence[Holder], terminals: dict[int, str]) -> str:
    return "、".join(terminals.get(one.terminal_id, "") for one in held if one.name == name)


def pc_state(row: Pc) -> State:
    """What a computer is doing, as word, icon and colour."""
    if row.collects:
        return info(tr("正在采集"), "pull")
    if row.mine:
        return good(tr("这一台"))
    return good(tr("今天用过")) if row.recent else neutral(tr("没在用"))


COLUMNS: tuple[Column[Pc], ...] = (
    Column("电脑", 10, lambda r: r.name),
    Column("状态", 7, lambda r: "", state=pc_state, order=lambda r: not r.recent),
    Column("最近打开", 8, lambda r: moment_text(r.seen_at), order=lambda r: r.seen_at),
    Column("正在采集", 16, lambda r: r.collects or "—", stretch=True),
)


class SharingSection(Section):
    """Only on a book that lies on a server."""

    def __init__(self, workspace: Workspace, open_panel: OpenPanel) -> None:
        super().__init__(workspace, open_panel)
        self.together: Together | None = None
        self._cards = line(gap=theme.GRID + 4)
        self.rows.addLayout(self._cards)
        bar = line()
        bar.addWidget(
            label(tr("同一台考勤机同一时间只由一台电脑采集；断线 90 秒后别的电脑可以接管，并留痕。"), tone=Tone.TEXT_2, wrap=True), 1
        )
        bar.addWidget(output_button(workspace, self, self._listing))
        self.rows.addLayout(bar)
        self.model = RowsModel(COLUMNS, key=lambda row: row.id)
        self.view = ListView(tr("电脑"))
        self.view.set_model(self.model)
        self.rows.addWidget(self.view, 1)

    def load(self) -> None:
        desk = self.workspace.desk
        self.workspace.jobs.submit(
            lambda progress, cancel: read_together(desk), self.show_together, lane=Lane.READ,
            owner=self, failed=self.workspace.report, key="together",
        )

    def show_together(self, found: Together) -> None:
        """This computer, what waits, then the list."""
        self.together = found
        clear(self._cards)
        own = Card()
        card_head(own, tr("这台电脑"), None, button(tr("改名…"), self.rename, kind="quiet"))
        own.rows.addWidget(Facts([(tr("名称"), found.me), (tr("服务器"), found.server)]))
        own.rows.addStretch(1)
        self._cards.addWidget(own, 1)
        self._cards.addWidget(self._waiting(found.waiting), 1)
        self.model.show_rows(found.pcs)

    def rename(self) -> None:
        """How the other computers see this one."""
        if self.together is not None:
            self.open_panel(NamePanel(self.workspace, self.together.me))

    def _waiting(self, waiting: Summary) -> Card:
        card = Card()
        some = bool(waiting.batches or waiting.damaged)
        state = warn(tr("{n} 批", n=len(waiting.batches))) if some else good(tr("没有"))
        act = button(tr("现在入账"), self.store_waiting, icon="refresh") if some else None
        card_head(card, tr("本机等待入账"), Chip(state), act)
        card.rows.addWidget(label(waiting.sentence(), tone=Tone.TEXT_2, wrap=True))
        card.rows.addStretch(1)
        return card

    def store_waiting(self) -> None:
        """Bring in what waits."""
        book, project_id = self.workspace.office.book, self.workspace.project_id

        def work(desk: Desk, progress: Any, cancel: Any) -> list[str]:
            from desktop.punches.late import store_waiting

            return store_waiting(book, project_id, progress=progress, cancel=cancel).sentences()

        self.workspace.act(
            work, lambda said: self.workspace.messages.info("".join(said) or tr("没有等待入账的记录。")),
            title=tr("等待的记录入账"), owner=self,
            changes=Changes.PUNCHES | Changes.TERMINALS | Changes.CUSTODY,
        )

    def _listing(self) -> Listing:
        rows = list(self.model.rows())
        return Listing(
            tr("电脑"), "workstations", COLUMNS, lambda session: rows, personal=False,
            view=View.SHARING,
        )


class NamePanel(PanelContent):
    """The name of this computer."""

    def __init__(self, workspace: Workspace, name: str) -> None:
        super().__init__(tr("这台电脑叫什么"), tr("其他电脑上看到的名称，如：门卫室、劳资办公室。"))
        self._workspace = workspace
        self.form = Form(enter_submits=True)
        self.form.add_text("name", tr("名称 *"), name)
        self.form.submitted.connect(self.save)
        self.rows.addWidget(self.form)
        self.rows.addStretch(1)
        self.feet = (button(tr("保存名称"), self.save, kind="primary"),)

    def save(self) -> None:
        """From the next opening on."""
        if not self.form.require("name"):
            return
        name, folder = self.form.value("name"), self._workspace.office.book.path

        def work(desk: Desk, progress: Any, cancel: Any) -> None:
            workstation.rename(folder, name)
            with desk.book.write() as session:
                workstation.register(desk.book, session)

        def done(_: None) -> None:
            self._workspace.messages.info(tr("这台电脑改名为「{name}」。", name=name))
            self.finished.emit()

        self._workspace.act(
            work, done, title=tr("保存名称"), owner=self, changes=Changes.CUSTODY
        )


def make_section(workspace: Workspace, open_panel: OpenPanel) -> SharingSection:
    """The part, on an open book."""
    return SharingSection(workspace, open_panel)

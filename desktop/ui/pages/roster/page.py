"""花名册: find people, bring in spreadsheets, see one person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDropEvent
from PySide6.QtWidgets import QFileDialog, QWidget

from desktop.access.actor import Act, View
from desktop.people.queries import RosterQuery, RosterRow, roster_ids, roster_rows
from desktop.people.rules import STATE_WORDS
from desktop.ui.actions import Command, PageName
from desktop.ui.changes import Changes
from desktop.ui.files import dropped_file
from desktop.ui.i18n import tr
from desktop.ui.pages.base import Page
from desktop.ui.pages.roster.columns import COLUMNS
from desktop.ui.pages.roster.import_panel import ImportPanel
from desktop.ui.pages.roster.person_panel import PersonPanel
from desktop.ui.tables.export import Listing, ask_reason, output_button
from desktop.ui.tables.model import PagingModel
from desktop.ui.tables.view import ListView
from desktop.ui.theme import Tone
from desktop.ui.widgets.basics import Card, button, label, line
from desktop.ui.widgets.blocks import EmptyState
from desktop.ui.widgets.fields import Choice, SearchField
from desktop.ui.widgets.gate import gate
from desktop.ui.workspace import Workspace

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from desktop.access.desk import Desk

_SHEETS = (".xlsx", ".xls", ".et", ".xlsm")


class RosterPage(Page):
    """The list is ids in SQL order with rows fetched as seen; a spreadsheet may be dropped on it."""

    name = PageName.ROSTER
    interests = Changes.PEOPLE | Changes.SITE

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace, tr("花名册"))
        self.setAcceptDrops(True)
        self._wanted: int | None = None
        export = button(tr("导出…"), self._export, icon="export")
        take = button(tr("导入花名册…"), self._choose_file, icon="import", kind="primary")
        self.add_acts([export, take])
        gate(export, workspace, Act.ROSTER_EXPORTED)
        gate(take, workspace, Act.ROSTER_IMPORTED)
        self.body.addLayout(self._bar())
        self.model: PagingModel[RosterRow] = PagingModel(
            COLUMNS, workspace, View.PEOPLE
        )
        self.model.loaded.connect(self._loaded)
        self.view = ListView(tr("花名册"))
        self.view.set_model(self.model)
        self.view.opened.connect(self.open_stay)
        self.body.addWidget(self.view, 1)
        self._empty = EmptyState(
            "roster", tr("花名册还是空的"),
            tr("把班组交来的花名册表格（.xlsx、.xls、WPS）拖到这里，先逐行核对再入册；也可以点「导入花名册」选择文件。"),
            (
                button(tr("导入花名册…"), self._choose_file, icon="import", kind="primary"),
                button(tr("保存一份空白表…"), self._save_blank, icon="sheet"),
            ),
        )
        self.body.addWidget(self._empty, 1)
        self._empty.hide()
        self._drop = Card()
        self._drop.setProperty("hot", True)
        hint = label(tr("松开鼠标，先核对再导入"), tone=Tone.ACCENT)
        self._drop.rows.addWidget(hint)
        self.body.addWidget(self._drop)
        self._drop.hide()

    def load(self) -> None:
        self._load_filters()
        self.model.set_source(self._find(), self._fetch())
        self.model.reload()

    def open_target(self, target: Mapping[str, Any]) -> None:
        """``stay_id``: show that person; ``text``: search."""
        if "text" in target:
            self.search.setText(target["text"])
        if "stay_id" in target:
            self.open_stay(target["stay_id"])

    def run(self, command: Command) -> None:
        if command is Command.IMPORT_ROSTER:
            self._choose_file()
        elif command is Command.EXPORT_ROSTER:
            self._export()

    def query(self) -> RosterQuery:
        """What the filters ask for, without the order."""
        return RosterQuery(
            text=self.search.text().strip(), team_id=self.team.value(),
            company_id=self.company.value(), state=self.state.value(),
            managers=self.kind.value(),
        )

    def open_stay(self, stay_id: int) -> None:
        """One person in the panel."""
        self._wanted = stay_id
        self.view.choose_id(stay_id)
        sealer = self.workspace.office.book.sealer
        self.workspace.read(
            lambda session: roster_rows(session, sealer, [stay_id]), self._show_person,
            view=View.PEOPLE, owner=self, key="person",
        )

    def import_file(self, path: Path) -> None:
        """Check a spreadsheet and show the report; nothing is stored yet."""
        panel = ImportPanel(self.workspace, path)
        if self.open_panel(panel):
            panel.check()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if self.workspace.may(Act.ROSTER_IMPORTED) and dropped_file(event, _SHEETS) is not None:
            event.acceptProposedAction()
            self._drop.show()

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self._drop.hide()

    def dropEvent(self, event: QDropEvent) -> None:
        self._drop.hide()
        path = dropped_file(event, _SHEETS)
        if path is not None:
            event.acceptProposedAction()
            self.import_file(path)

    def _bar(self) -> Any:
        bar = line()
        self.search = SearchField(tr("姓名、拼音、首字母、编号、班组"))
        self.search.setMinimumWidth(110)
        self.search.setMaximumWidth(280)
        self.search.searched.connect(lambda _: self._query_changed())
        self.team = Choice([(None, tr("全部班组"))], tr("班组"))
        self.company = Choice([(None, tr("全部单位"))], tr("用人单位"))
        self.company.setMaximumWidth(220)
        self.state = Choice(
            [(None, tr("全部状态")), *((state, tr(word)) for state, word in STATE_WORDS.items())],
            tr("状态"),
        )
        self.kind = Choice(
            [(None, tr("工人和管理人员")), (False, tr("只看工人")), (True, tr("只看管理人员"))], tr("人员类别")
        )
        bar.addWidget(self.search, 1)
        for choice in (self.team, self.company, self.state, self.kind):
            choice.currentIndexChanged.connect(lambda _: self._query_changed())
            bar.addWidget(choice)
        bar.addStretch(1)
        bar.addWidget(output_button(self.workspace, self, self._listing))
        return bar

    def _find(self) -> Any:
        query, project_id = self.query(), self.workspace.project_id
        sealer = self.workspace.office.book.sealer

        def find(
            session: Session, sort: str, descending: bool, limit: int | None
        ) -> list[int]:
            wanted = RosterQuery(
                query.text, query.team_id, query.company_id, query.state, query.managers,
                sort or "worker_no", descending,
            )
            return roster_ids(session, project_id, wanted, sealer, limit=limit)

        return find

    def _fetch(self) -> Any:
        sealer = self.workspace.office.book.sealer
        return lambda session, ids: roster_rows(session, sealer, ids)

    def _query_changed(self) -> None:
        self.model.set_source(self._find(), self._fetch())
        self.model.reload()

    def _loaded(self) -> None:
        count = self.model.rowCount()
        query = self.query()
        filtered = query != RosterQuery()
        nobody = count == 0 and not filtered
        self.view.setVisible(not nobody)
        self._empty.setVisible(nobody)
        if self.model.complete:  # until then the count is that of the first page
            whole = tr("共 {n} 人次。点一行看一人一档；把表格拖进来可导入。", n=f"{count:,}")
            self.summarise(tr("找到 {n} 人次", n=f"{count:,}") if filtered else whole)
        if self._wanted is not None and self.panel.content is not None:
            self.view.choose_id(self._wanted)

    def _load_filters(self) -> None:
        project_id = self.workspace.project_id

        def query(session: Session) -> tuple[list[Any], list[Any]]:
            from desktop.site.queries import companies, teams

            return (
                [(team.id, team.name) for team in teams(session, project_id)],
                [(company.id, company.name) for company in companies(session, project_id)],
            )

        def show(found: tuple[list[Any], list[Any]]) -> None:
            self.team.set_options([(None, tr("全部班组")), *found[0]])
            self.company.set_options([(None, tr("全部单位")), *found[1]])

        self.workspace.read(query, show, view=View.PROJECT, owner=self, key="filters")

    def _show_person(self, rows: Sequence[RosterRow]) -> None:
        if rows:
            self.open_panel(PersonPanel(self.workspace, rows[0]))

    def _listing(self) -> Listing:
        ids, fetch = list(self.model.ids()), self._fetch()
        return Listing(tr("花名册"), "roster", COLUMNS, lambda session: fetch(session, ids))

    def _choose_file(self) -> None:
        path, _ = QFileDialog.getOpenFileName(
            self, tr("选择花名册表格"), "", tr("表格 (*.xlsx *.xls *.et *.xlsm);;所有文件 (*)")
        )
        if path:
            self.import_file(Path(path))

    def _export(self) -> None:
        """The whole roster with full numbers, or what is filtered; the reason goes to the trail."""
        from desktop.people.roster_export import export_roster

        why = ask_reason(
            self, tr("导出花名册"), tr("导出的表格含完整证件号码和电话，须写明用途（如：报市安监站）："),
        )
        if why is None:
            return
        name, _ = QFileDialog.getSaveFileName(
            self, tr("导出花名册"), tr("花名册.xlsx"), tr("表格文件 (*.xlsx)")
        )
        if not name:
            return
        path = Path(name if name.endswith(".xlsx") else f"{name}.xlsx")
        query = self.query()

        def work(desk: Desk, progress: Any, cancel: Any) -> int:
            return export_roster(
                desk, path, reason=why, query=query, progress=progress, cancel=cancel
            )

        self.workspace.act(
            work,
            lambda n: self.workspace.messages.info(tr("已导出 {n} 人次到 {path}。", n=n, path=path)),
            title=tr("导出花名册"), owner=self,
        )

    def _save_blank(self) -> None:
        """An empty spreadsheet with the heads the import reads."""
        from desktop.people.roster_export import HEADS
        from desktop.ui.tables.columns import Column
        from desktop.ui.tables.export import write_sheet

        name, _ = QFileDialog.getSaveFileName(
            self, tr("保存空白花名册"), tr("花名册（空白）.xlsx"), tr("表格文件 (*.xlsx)")
        )
        if not name:
            return
        columns: list[Column[Any]] = [Column(str(head), 8, lambda row: "") for head in HEADS]
        listing = Listing(tr("花名册"), "blank", columns, lambda session: [], personal=False)
        self.workspace.act(
            lambda desk, progress, cancel: write_sheet(Path(name), listing, []),
            lambda _: self.workspace.messages.info(tr("空白花名册已保存到 {path}。", path=name)),
            title=tr("保存空白花名册"), owner=self,
        )


def make_page(workspace: Workspace) -> QWidget:
    """The page, on an open book."""
    return RosterPage(workspace)

"""操作记录: who did what and when, as the chain keeps it; filtered, read in pages, exported."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtWidgets import QFileDialog

from desktop.access.actor import Act, View
from desktop.access.matrix import ACT_NAMES
from desktop.access.queries import AuditQuery, AuditRow, audit_actors, audit_count, audit_rows
from desktop.clock import CHINA
from desktop.ui.i18n import tr
from desktop.ui.pages.settings.section import OpenPanel, Section
from desktop.ui.pages.settings.trail_words import noted
from desktop.ui.tables.columns import RIGHT, Column
from desktop.ui.tables.model import PagingModel
from desktop.ui.tables.view import ListView
from desktop.ui.theme import Tone
from desktop.ui.widgets.basics import button, label, line
from desktop.ui.widgets.blocks import EmptyState, Facts, section
from desktop.ui.widgets.fields import Choice, DateField, SearchField
from desktop.ui.widgets.gate import gate
from desktop.ui.widgets.panel import PanelContent
from desktop.ui.workspace import Workspace

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from desktop.access.desk import Desk

FAILED = frozenset({Act.LOGIN_FAILED.value, Act.LOGIN_HELD.value})


def when(row: AuditRow) -> str:
    """The site's time with its seconds: two acts of one minute have an order."""
    return f"{row.at.astimezone(CHINA):%Y-%m-%d %H:%M:%S}"


COLUMNS: tuple[Column[AuditRow], ...] = (
    Column("段号", 3.5, lambda r: f"{r.sequence:,}", align=RIGHT, tone=lambda _: Tone.TEXT_2),
    Column("时间", 7.6, lambda r: f"{r.at.astimezone(CHINA):%y-%m-%d %H:%M}"),
    Column("操作人", 4.5, lambda r: r.actor),
    Column("操作", 9.5, lambda r: r.act_name, tone=lambda r: Tone.BAD if r.act in FAILED else None),
    Column("对象", 7.5, lambda r: r.subject_name),
    Column("事由", 7, lambda r: r.why, stretch=True),
)


class TrailSection(Section):
    """Newest first; rows come as they are seen, however many there are."""

    def __init__(self, workspace: Workspace, open_panel: OpenPanel) -> None:
        super().__init__(workspace, open_panel)
        self.rows.addLayout(self._bar())
        self._note = label("", tone=Tone.TEXT_2, wrap=True)
        self.rows.addWidget(self._note)
        self.model: PagingModel[AuditRow] = PagingModel(COLUMNS, workspace, View.AUDIT)
        self.model.loaded.connect(self._loaded)
        self.view = ListView(tr("操作记录"))
        self.view.set_model(self.model, sortable=False)
        self.view.opened.connect(self.open_row)
        self.rows.addWidget(self.view, 1)
        self._empty = EmptyState(
            "trail", tr("没有符合条件的记录"), tr("换一个人、一种操作、一段日期，或清空文字再看。")
        )
        self._empty.hide()
        self.rows.addWidget(self._empty, 1)

    def load(self) -> None:
        project_id = self.workspace.project_id
        self.workspace.read(
            lambda session: audit_actors(session, project_id), self._show_actors, view=View.AUDIT,
            owner=self, key="actors",
        )
        self._reload()

    def open_target(self, target: Mapping[str, Any]) -> None:
        """``act``: only that kind; ``text``: search."""
        if "act" in target:
            self.act.choose(target["act"])
        if "text" in target:
            self.search.setText(target["text"])

    def query(self) -> AuditQuery:
        """What the filters ask for."""
        return AuditQuery(
            act=self.act.value(), actor=self.actor.value(), first=self.first.day(),
            last=self.last.day(), text=self.search.text().strip(),
        )

    def open_row(self, position: int) -> None:
        """One act in full; positions serve as ids, the newest is 0."""
        row = self.model.row(position)
        if row is not None:
            self.open_panel(TrailPanel(row))

    def export_to(self, path: Path) -> None:
        """The filtered rows as a file; the export is an act itself."""
        query = self.query()

        def work(desk: Desk, progress: Any, cancel: Any) -> int:
            from desktop.access.export import export_audit

            return export_audit(desk, path, query, progress=progress, cancel=cancel)

        self.workspace.act(
            work,
            lambda n: self.workspace.messages.info(tr("已导出 {n} 条到 {path}。", n=f"{n:,}", path=path)),
            title=tr("导出操作记录"), owner=self,
        )

    def _bar(self) -> Any:
        bar = line()
        today = self.workspace.desk.clock.today()
        self.search = SearchField(tr("事由、对象、明细里的文字"))
        self.search.setMinimumWidth(140)
        self.search.setMaximumWidth(240)
        self.search.searched.connect(lambda _: self._reload())
        self.actor = Choice([(None, tr("全部人员"))], tr("操作人"))
        self.act = Choice(
            [(None, tr("全部操作")), *((act, tr(name)) for act, name in ACT_NAMES.items())], tr("操作")
        )
        self.act.setMaximumWidth(150)
        self.first, self.last = DateField(None, today), DateField(None, today)
        for field, name in ((self.first, tr("从哪天")), (self.last, tr("到哪天"))):
            field.setAccessibleName(name)
            field.setPlaceholderText(name)
            field.setMaximumWidth(124)
            field.editingFinished.connect(self._reload)
            field.textChanged.connect(self._date_typed)
        bar.addWidget(self.search, 1)
        for choice in (self.actor, self.act):
            choice.currentIndexChanged.connect(lambda _: self._reload())
            bar.addWidget(choice)
        bar.addWidget(self.first)
        bar.addWidget(self.last)
        bar.addStretch(1)
        export = button(tr("导出…"), self._choose, icon="export")
        bar.addWidget(gate(export, self.workspace, Act.AUDIT_EXPORTED))
        return bar

    def _date_typed(self, text: str) -> None:
        """A date picked from the calendar never leaves the field."""
        if not text or (len(text) == 10 and not (self.first.is_wrong() or self.last.is_wrong())):
            self._reload()

    def _reload(self) -> None:
        query, project_id = self.query(), self.workspace.project_id

        def find(session: Session, sort: str, down: bool, limit: int | None) -> list[int]:
            count = audit_count(session, project_id, query)
            return list(range(count if limit is None else min(count, limit)))

        def fetch(session: Session, places: list[int]) -> Sequence[AuditRow]:
            if not places:
                return []
            return audit_rows(session, project_id, query, len(places), places[0])

        self.model.set_source(find, fetch)
        self.model.reload()

    def _loaded(self) -> None:
        if not self.model.complete:
            return
        count = self.model.rowCount()
        self.view.setVisible(bool(count))
        self._empty.setVisible(not count)
        self._note.setText(
            tr("{n} 条。记录与打卡在同一条链上，只增不改；人员只写内部编号，不写姓名和证件号。", n=f"{count:,}")
        )

    def _show_actors(self, names: list[str]) -> None:
        self.actor.set_options([(None, tr("全部人员")), *((name, name) for name in names)])

    def _choose(self) -> None:
        path, _ = QFileDialog.getSaveFileName(
            self, tr("导出操作记录"), tr("操作记录.xlsx"), tr("表格文件 (*.xlsx);;文本表格 (*.csv)")
        )
        if path:
            self.export_to(Path(path if path.endswith((".xlsx", ".csv")) else f"{path}.xlsx"))


class TrailPanel(PanelContent):
    """One act with everything that was written down about it."""

    def __init__(self, row: AuditRow) -> None:
        super().__init__(row.act_name, tr("第 {n} 段", n=f"{row.sequence:,}"))
        self.rows.addWidget(
            Facts(
                [
                    (tr("时间"), when(row)), (tr("操作人"), row.actor), (tr("对象"), row.subject_name),
                    (tr("事由"), row.why), (tr("代码"), row.act),
                ]
            )
        )
        if row.facts:
            section(self.rows, tr("明细"))
            self.rows.addWidget(Facts(noted(row.facts)))
        self.rows.addStretch(1)


def make_section(workspace: Workspace, open_panel: OpenPanel) -> TrailSection:
    """The part, on an open book."""
    return TrailSection(workspace, open_panel)

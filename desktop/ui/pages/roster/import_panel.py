"""The report of a roster spreadsheet: checked first, stored when the user says so."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtWidgets import QCheckBox, QTabBar

from desktop.errors import SiteMusterError
from desktop.people.roster_import import MissingOfPerson, RosterReport, import_roster
from desktop.people.roster_row import RowNote
from desktop.ui import theme
from desktop.ui.changes import Changes
from desktop.ui.i18n import tr
from desktop.ui.tables.columns import RIGHT, Column
from desktop.ui.tables.export import Listing, output_button
from desktop.ui.tables.model import RowsModel
from desktop.ui.tables.view import ListView
from desktop.ui.theme import Tone
from desktop.ui.widgets.basics import Card, button, label, line
from desktop.ui.widgets.blocks import Figure
from desktop.ui.widgets.fields import DateField
from desktop.ui.widgets.panel import PanelContent
from desktop.ui.workspace import Workspace

if TYPE_CHECKING:
    from desktop.access.desk import Desk

NOTE_COLUMNS: tuple[Column[RowNote], ...] = (
    Column("行", 2.6, lambda n: str(n.row), align=RIGHT, order=lambda n: n.row),
    Column("栏目", 5.5, lambda n: n.field),
    Column("说明", 20, lambda n: n.message, stretch=True),
)
MISSING_COLUMNS: tuple[Column[MissingOfPerson], ...] = (
    Column("行", 2.6, lambda m: str(m.row), align=RIGHT, order=lambda m: m.row),
    Column("姓名", 5.5, lambda m: m.name),
    Column(
        "缺什么", 20, lambda m: "、".join(step["finding"] for step in m.missing), stretch=True
    ),
)


class ImportPanel(PanelContent):
    """Dry run → report → confirm → import → report again."""

    wide = True

    def __init__(self, workspace: Workspace, path: Path) -> None:
        super().__init__(tr("核对花名册"), path.name)
        self._workspace, self.path = workspace, path
        self.report: RosterReport | None = None
        self._text = label(tr("正在逐行核对，还没有写入账本。"), wrap=True)
        self.rows.addWidget(self._text)
        figures = line(gap=3 * theme.GRID)
        self._figures = {
            "created": Figure(tr("新增"), Tone.GOOD), "updated": Figure(tr("更新"), Tone.ACCENT),
            "unchanged": Figure(tr("不变"), Tone.TEXT_2), "rejected": Figure(tr("退回"), Tone.BAD),
        }
        for figure in self._figures.values():
            figures.addWidget(figure)
        figures.addStretch(1)
        self.rows.addLayout(figures)
        self._takeover_row()
        self._notes = label("", tone=Tone.TEXT_2, wrap=True)
        self.rows.addWidget(self._notes)
        self._tabs = QTabBar()
        self._tabs.setExpanding(False)
        self._tabs.setAccessibleName(tr("报告的各部分"))
        for word in (tr("退回的行"), tr("提醒"), tr("缺手续")):
            self._tabs.addTab(word)
        head = line()
        head.addWidget(self._tabs, 1)
        head.addWidget(output_button(workspace, self, self._listing))
        self.rows.addLayout(head)
        self.rejected = RowsModel(NOTE_COLUMNS, key=lambda n: n.row)
        self.warnings = RowsModel(NOTE_COLUMNS, key=lambda n: hash((n.row, n.field, n.code)))
        self.missing = RowsModel(MISSING_COLUMNS, key=lambda m: m.row)
        self._views = []
        for model, name in (
            (self.rejected, tr("退回的行")), (self.warnings, tr("提醒")), (self.missing, tr("缺手续")),
        ):
            view = ListView(name)
            view.set_model(model)
            view.opened.connect(lambda _, view=view: self._show_detail(view))
            self._views.append(view)
            self.rows.addWidget(view, 1)
        self._detail = Card("neutral", margin=theme.GRID + 4)
        self._detail_text = label("", wrap=True, selectable=True)
        self._detail.rows.addWidget(self._detail_text)
        self._detail.hide()
        self.rows.addWidget(self._detail)
        self._tabs.currentChanged.connect(self._show_tab)
        self._show_tab(0)
        self._confirm = button(tr("导入"), self.store, icon="import", kind="primary")
        self._confirm.setEnabled(False)
        self._leave = button(tr("不导入"), self.finished.emit)
        self.feet = (self._leave, self._confirm)

    def check(self) -> None:
        """Read the whole spreadsheet and report; nothing is stored."""
        self._confirm.setEnabled(False)
        self._run(dry_run=True)

    def store(self) -> None:
        """Import for good; rejected rows stay out."""
        self._confirm.setEnabled(False)
        self._run(dry_run=False)

    def _takeover_row(self) -> None:
        row = line()
        self._takeover = QCheckBox(tr("接管正在施工的项目，接管日期"))
        self._takeover.setToolTip(tr("接管日前的登记、教育、合同日期按补录认可，缺的列入清单"))
        self._takeover_day = DateField(self._workspace.desk.clock.today())
        self._takeover_day.setFixedWidth(150)
        self._takeover_day.setAccessibleName(tr("接管日期"))
        self._takeover_day.setEnabled(False)
        self._takeover.toggled.connect(self._takeover_day.setEnabled)
        self._takeover.toggled.connect(lambda _: self.check())
        self._takeover_day.editingFinished.connect(self.check)
        row.addWidget(self._takeover)
        row.addWidget(self._takeover_day)
        row.addStretch(1)
        self.rows.addLayout(row)

    def _run(self, *, dry_run: bool) -> None:
        path = self.path
        takeover = self._takeover_day.day() if self._takeover.isChecked() else None

        def work(desk: Desk, progress: Any, cancel: Any) -> RosterReport:
            return import_roster(
                desk, path, dry_run=dry_run, takeover=takeover, progress=progress, cancel=cancel
            )

        self._workspace.act(
            work, self.show_report, owner=self, failed=self._failed,
            title=tr("核对花名册") if dry_run else tr("导入花名册"),
            changes=Changes.NONE if dry_run else Changes.PEOPLE,
        )

    def show_report(self, report: RosterReport) -> None:
        """Counts, then every rejected row, warning and missing step."""
        self.report = report
        counts = {
            "created": report.created, "updated": report.updated, "unchanged": report.unchanged,
            "rejected": len(report.rejected),
        }
        for name, count in counts.items():
            self._figures[name].show_number(f"{count:,}")
        self.rejected.show_rows(report.rejected)
        self.warnings.show_rows(report.warnings)
        self.missing.show_rows(report.missing)
        parts = (
            (tr("退回的行"), len(report.rejected)), (tr("提醒"), len(report.warnings)),
            (tr("缺手续"), len(report.missing)),
        )
        for place, (word, count) in enumerate(parts):
            self._tabs.setTabText(place, f"{word} {count:,}")
        first = next((k for k, view in enumerate(self._views) if view.model().rowCount()), 0)
        self._tabs.setCurrentIndex(first)
        notes = []
        if report.new_teams:
            notes.append(tr("将新建班组：{names}", names="、".join(report.new_teams)))
        if report.ignored_heads:
            notes.append(tr("不认识、已忽略的列：{names}", names="、".join(report.ignored_heads)))
        self._notes.setText("\n".join(notes))
        self._notes.setVisible(bool(notes))
        self._tell(report)

    def _tell(self, report: RosterReport) -> None:
        writing = report.created + report.updated
        if report.dry_run:
            self._text.setText(
                tr("共 {n} 行，已核对，还没有写入账本。退回的行改好后可再次导入，已入册的不会重复。", n=f"{report.rows:,}")
            )
            self._confirm.setText(tr("导入 {n} 行", n=f"{writing:,}"))
            self._confirm.setEnabled(writing > 0)
            return
        self._text.setText(
            tr("已写入账本：新增 {a} 行，更新 {b} 行。", a=f"{report.created:,}", b=f"{report.updated:,}")
        )
        self._workspace.messages.info(
            tr(
                "花名册已导入：新增 {a}，更新 {b}，不变 {c}，退回 {d}。",
                a=report.created, b=report.updated, c=report.unchanged, d=len(report.rejected),
            )
        )
        self._takeover.setEnabled(False)
        self._confirm.hide()
        self._leave.setText(tr("完成"))

    def _failed(self, error: SiteMusterError) -> None:
        self._text.setText(error.message)
        self._workspace.report(error)

    def _listing(self) -> Listing:
        """The list in view, to send back to whoever made the spreadsheet."""
        place = self._tabs.currentIndex()
        columns: Sequence[Column[Any]] = MISSING_COLUMNS if place == 2 else NOTE_COLUMNS
        rows = list((self.rejected, self.warnings, self.missing)[place].rows())
        name = (tr("退回的行"), tr("提醒"), tr("缺手续"))[place]
        return Listing(name, "roster-report", columns, lambda session: rows)

    def _show_tab(self, index: int) -> None:
        for place, view in enumerate(self._views):
            view.setVisible(place == index)
        self._detail.hide()

    def _show_detail(self, view: ListView) -> None:
        """The whole sentence of a row that is too long for its column."""
        model = view.model()
        row = model.row(view.currentIndex().row())  # type: ignore[attr-defined]
        if isinstance(row, MissingOfPerson):
            lines = [f"{step['finding']}（{step['clause']}）→ {step['next']}" for step in row.missing]
            self._detail_text.setText("\n".join(lines))
        else:
            self._detail_text.setText(tr("第 {row} 行「{field}」：{text}", row=row.row, field=row.field, text=row.message))
        self._detail.show()

"""Findings of the month: blocking ones first, each with its next step."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QPlainTextEdit, QWidget

from desktop.access.actor import Act, View
from desktop.attendance.answers import SILENT_TEAM, SILENT_TERMINAL
from desktop.attendance.finding import Finding
from desktop.ui.actions import PageName
from desktop.ui.changes import Changes
from desktop.ui.drafts import MakeAgain, Typed
from desktop.ui.i18n import day_text, tr
from desktop.ui.pages.attendance.snapshot import MonthSnapshot
from desktop.ui.tables.columns import Column
from desktop.ui.tables.export import Listing, output_button
from desktop.ui.tables.model import RowsModel
from desktop.ui.tables.view import ListView
from desktop.ui.theme import Tone
from desktop.ui.widgets.basics import Chip, State, bad, button, column, good, label, line, warn
from desktop.ui.widgets.blocks import EmptyState, section
from desktop.ui.widgets.fields import Choice, SearchField
from desktop.ui.widgets.gate import gate
from desktop.ui.widgets.panel import PanelContent
from desktop.ui.workspace import Workspace

KINDS = {
    "unresolved": "待核", "terminal_incomplete": "考勤机未采全", SILENT_TERMINAL: "考勤机整天无记录",
    SILENT_TEAM: "班组整天无人", "unmatched_number": "未对号", "explanation_waiting": "说明待批准",
    "stop_day_punched": "停工日有打卡", "leave_day_punched": "请假日有打卡", "double_turn": "连班",
    "manager_below": "带班不足", "quarantined": "隔离记录", "conflict": "记录冲突",
    "clock_drift": "时钟偏差", "not_accepted": "未通过验证", "not_biometric": "非生物识别",
    "unproven_method": "方式未注明", "repeated": "重复打卡", "outside_stay": "不在进退场期间",
}
QUESTIONS = frozenset({SILENT_TEAM, SILENT_TERMINAL})


def finding_state(finding: Finding) -> State:
    """Blocking, answered or only worth a look."""
    if finding.blocking:
        return bad(tr("须处理"))
    if finding.answer:
        return good(tr("已答复"))
    return warn(tr("提示"))


COLUMNS: tuple[Column[Finding], ...] = (
    Column("状态", 5, lambda f: "", state=finding_state, order=lambda f: (not f.blocking, f.answer)),
    Column("类别", 8, lambda f: tr(KINDS.get(f.code, f.code))),
    Column("日期", 6, lambda f: day_text(f.day, ""), order=lambda f: day_text(f.day, "")),
    Column("事项", 30, lambda f: f.text, stretch=True),
)


class FindingsTab(QWidget):
    """List with filters; a choice opens the panel through ``open_panel``."""

    def __init__(
        self, workspace: Workspace, open_panel: Callable[[PanelContent], object],
        show_cell: Callable[[Finding], object],
    ) -> None:
        super().__init__()
        self._workspace, self._open_panel, self._show_cell = workspace, open_panel, show_cell
        self._all: list[Finding] = []
        rows = column(self)
        bar = line()
        self.search = SearchField(tr("姓名或文字"))
        self.search.setMaximumWidth(280)
        self.search.searched.connect(lambda _: self._filter())
        self.kind = Choice([("", tr("全部类别"))], tr("类别"))
        self.kind.currentIndexChanged.connect(lambda _: self._filter())
        self.hard = Choice(
            [(None, tr("全部状态")), (True, tr("须处理")), (False, tr("提示和已答复"))], tr("状态")
        )
        self.hard.currentIndexChanged.connect(lambda _: self._filter())
        self.answer = button(tr("答复所选…"), self._answer_chosen, icon="edit")
        gate(self.answer, workspace, Act.FINDING_ANSWERED)
        for widget in (self.search, self.kind, self.hard):
            bar.addWidget(widget)
        bar.addStretch(1)
        bar.addWidget(self.answer)
        bar.addWidget(output_button(workspace, self, self._listing))
        rows.addLayout(bar)
        self.model = RowsModel(COLUMNS, key=lambda finding: hash(finding.key))
        self.view = ListView(tr("异常"), many=True)
        self.view.set_model(self.model)
        self.view.opened.connect(self._open)
        self.view.selection_moved.connect(self._update_answer)
        rows.addWidget(self.view, 1)
        self._empty = EmptyState(
            "good", tr("这个月没有异常"), tr("打卡不全、考勤机没采全、停工日有打卡等情况会列在这里，并给出下一步。")
        )
        rows.addWidget(self._empty, 1)
        self._update_answer()

    def show_snapshot(self, snapshot: MonthSnapshot) -> None:
        self._all = snapshot.findings
        present = dict.fromkeys(finding.code for finding in self._all)
        options = [(code, tr(KINDS.get(code, code))) for code in present]
        self.kind.set_options([("", tr("全部类别")), *options])
        self._filter()

    def show_kind(self, code: str) -> None:
        """Only findings of one kind."""
        self.kind.choose(code)

    def show_blocking(self) -> None:
        """Only what keeps the month from being frozen."""
        self.kind.choose("")
        self.hard.choose(True)

    def show_key(self, key: str) -> None:
        """One finding, chosen and open in the panel."""
        self.kind.choose("")
        self.hard.choose(None)
        self.search.clear()
        self._filter()
        if self.view.choose_id(hash(key)):
            self._open(hash(key))

    def _filter(self) -> None:
        text, kind, hard = self.search.text().strip(), self.kind.value(), self.hard.value()
        shown = [
            finding for finding in self._all
            if (not kind or finding.code == kind)
            and (hard is None or finding.blocking == hard)
            and (not text or text in finding.text)
        ]
        self.model.show_rows(shown)
        self.view.setVisible(bool(self._all))
        self._empty.setVisible(not self._all)

    def open_first(self) -> None:
        """The first finding in the panel."""
        if self.model.rowCount():
            self._open(self.model.id_at(0))

    def _chosen(self) -> list[Finding]:
        ids = set(self.view.chosen_ids())
        return [finding for finding in self.model.rows() if hash(finding.key) in ids]

    def _update_answer(self) -> None:
        chosen = self._chosen() if self.view.selectionModel() else []
        self.answer.setEnabled(
            bool(chosen) and all(finding.code in QUESTIONS for finding in chosen)
        )

    def _open(self, ident: int) -> None:
        finding = next((f for f in self.model.rows() if hash(f.key) == ident), None)
        if finding is not None and len(self.view.chosen_ids()) <= 1:
            self._open_panel(FindingPanel(self._workspace, [finding], self._show_cell))

    def _answer_chosen(self) -> None:
        self._open_panel(FindingPanel(self._workspace, self._chosen(), self._show_cell))

    def _listing(self) -> Listing:
        rows = list(self.model.rows())
        return Listing(tr("考勤异常"), "findings", COLUMNS, lambda session: rows, view=View.ATTENDANCE)


def finding_ways(
    workspace: Workspace, finding: Finding
) -> list[tuple[str, Callable[[], object]]]:
    """Where a finding is settled, the usual way first; never empty."""
    go = workspace.go
    if finding.code == "unmatched_number":
        return [(
            tr("去对号"),
            lambda: go(PageName.TERMINALS, terminal_id=finding.terminal_id, act="match"),
        )]
    if finding.person_id is not None and finding.day is not None:
        return [(
            tr("看这一格"),
            lambda: go(PageName.ATTENDANCE, person_id=finding.person_id, day=finding.day),
        )]
    if finding.code in QUESTIONS:
        return [(tr("去答复"), lambda: go(PageName.ATTENDANCE, finding_key=finding.key))]
    if finding.terminal_id is not None:
        return [
            (tr("去看考勤机"), lambda: go(PageName.TERMINALS, terminal_id=finding.terminal_id))
        ]
    if finding.code == "explanation_waiting":
        return [(tr("去批准"), lambda: go(PageName.ATTENDANCE, tab="explanations"))]
    return [(tr("去看"), lambda: go(PageName.ATTENDANCE, finding_key=finding.key))]


class FindingPanel(PanelContent):
    """One finding with its next act, or several questions answered at once."""

    def __init__(
        self, workspace: Workspace, findings: list[Finding],
        show_cell: Callable[[Finding], object],
    ) -> None:
        first = findings[0]
        one = len(findings) == 1
        super().__init__(
            tr(KINDS.get(first.code, first.code)) if one else tr("答复 {n} 个事项", n=len(findings))
        )
        self._workspace, self._findings = workspace, findings
        self._text: QPlainTextEdit | None = None
        for finding in findings[:8]:
            self.rows.addWidget(Chip(finding_state(finding)))
            self.rows.addWidget(label(finding.text, wrap=True, selectable=True))
        if one:
            section(self.rows, tr("下一步"))
            self.rows.addWidget(label(first.next_step, wrap=True))
            self._add_ways(first, show_cell)
        if all(finding.code in QUESTIONS for finding in findings):
            self._add_answer(first.answer if one else "")
        self.rows.addStretch(1)

    def is_dirty(self) -> bool:
        return self._text is not None and self._text.toPlainText().strip() != self._was

    def again(self) -> MakeAgain:
        findings = self._findings
        return lambda page: FindingPanel(page.workspace, findings, page.show_finding)  # type: ignore[attr-defined]

    def typed(self) -> Typed:
        return {} if self._text is None else {"answer": self._text.toPlainText()}

    def type_again(self, typed: Typed) -> None:
        if self._text is not None:
            self._text.setPlainText(typed["answer"])

    def save(self) -> None:
        """Store the answer for all of them."""
        from desktop.attendance.answers import answer_findings

        if self._text is None:
            return
        keys, text = [finding.key for finding in self._findings], self._text.toPlainText()

        def done(count: int) -> None:
            self._was = text.strip()
            self._workspace.messages.info(tr("已答复 {n} 个事项。", n=count))
            self.finished.emit()

        self._workspace.act(
            lambda desk, progress, cancel: answer_findings(desk, keys, text), done,
            title=tr("答复"), owner=self, changes=Changes.CALENDAR,
        )

    def _add_ways(self, finding: Finding, show_cell: Callable[[Finding], object]) -> None:
        row = line()
        if finding.person_id is not None and finding.day is not None:
            row.addWidget(
                button(tr("看这一格"), lambda: show_cell(finding), icon="go", kind="primary")
            )
        elif finding.code not in QUESTIONS or finding.terminal_id is not None:
            for text, do in finding_ways(self._workspace, finding)[:1]:
                row.addWidget(button(text, do, icon="go"))
        row.addStretch(1)
        self.rows.addLayout(row)

    def _add_answer(self, text: str) -> None:
        self._was = text.strip()
        head = section(self.rows, tr("答复原因"))
        self._text = QPlainTextEdit(text)
        self._text.setTabChangesFocus(True)
        self._text.setFixedHeight(self.fontMetrics().height() * 3 + 22)
        self._text.setAccessibleName(tr("答复原因"))
        head.setBuddy(self._text)
        self.rows.addWidget(self._text)
        self.rows.addWidget(
            label(tr("答复留档，并随冻结记入月表。若当日停工，请改为登记停工日。"), tone=Tone.TEXT_3, wrap=True)
        )
        keep = button(tr("保存答复"), self.save, kind="primary")
        self.feet = (gate(keep, self._workspace, Act.FINDING_ANSWERED),)


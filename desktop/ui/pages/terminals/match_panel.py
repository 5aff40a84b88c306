"""对号: numbers of a terminal, whose they may be, confirmed in bulk with from/to days."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from PySide6.QtWidgets import QGridLayout

from desktop.access.actor import Act, View
from desktop.punches.matching import (
    Basis,
    Match,
    Standing,
    by_hand,
    confirm,
    end_match,
    propose,
    read_people,
)
from desktop.ui.changes import Changes
from desktop.ui.i18n import tr
from desktop.ui.tables.columns import RIGHT, Column
from desktop.ui.tables.export import Listing, output_button
from desktop.ui.tables.model import RowsModel
from desktop.ui.tables.view import ListView
from desktop.ui.theme import Tone
from desktop.ui.widgets.basics import State, bad, button, good, info, label, line, neutral, warn
from desktop.ui.widgets.fields import Choice, DateField
from desktop.ui.widgets.gate import gate
from desktop.ui.widgets.panel import PanelContent
from desktop.ui.widgets.person_field import PersonField
from desktop.ui.workspace import Workspace

if TYPE_CHECKING:
    from desktop.access.desk import Desk

BASIS_WORDS = {
    Basis.WORKER_NO: "人员编号", Basis.ID_NUMBER: "身份证号", Basis.NAME: "唯一同名",
    Basis.HAND: "人工指认", Basis.NONE: "",
}


def standing_state(match: Match) -> State:
    """Where a number stands, as word, icon and colour."""
    return {
        Standing.OPEN: bad(tr("无人")), Standing.DOUBTFUL: warn(tr("待认"), "question"),
        Standing.PROPOSED: info(tr("建议")), Standing.CONFIRMED: good(tr("已确认")),
        Standing.BY_ITSELF: neutral(tr("自动"), "check"),
    }[match.standing]


def _seen(match: Match) -> str:
    if match.first_seen is None or match.last_seen is None:
        return ""
    return f"{match.first_seen:%m-%d}~{match.last_seen:%m-%d}"


COLUMNS: tuple[Column[Match], ...] = (
    Column("编号", 4.4, lambda m: m.shown, align=RIGHT),
    Column("机上姓名", 5, lambda m: m.terminal_name),
    Column("状态", 5.2, lambda m: "", state=standing_state, order=lambda m: m.standing.value),
    Column("对应人员", 7.6, lambda m: f"{m.person_name} {m.worker_no or ''}".strip(), stretch=True),
    Column("依据", 4.2, lambda m: tr(BASIS_WORDS[m.basis])),
    Column("打卡", 2.6, lambda m: f"{m.punches:,}", align=RIGHT, order=lambda m: m.punches),
    Column("时间", 5.8, _seen),
)


class MatchPanel(PanelContent):
    """Proposals are preselected; nothing counts before it is confirmed."""

    wide = True

    def __init__(self, workspace: Workspace, name: str) -> None:
        super().__init__(tr("对号：{name}", name=name), tr("把考勤机上原有的编号对到花名册上的人；确认后，以前的打卡也计入。"))
        self._workspace, self.name = workspace, name
        self._all: list[Match] = []
        bar = line()
        self._which = Choice(
            [("open", tr("待办")), ("settled", tr("已确认和自动")), ("", tr("全部"))], tr("显示")
        )
        self._which.currentIndexChanged.connect(lambda _: self._filter())
        bar.addWidget(self._which)
        self._count = label("", tone=Tone.TEXT_2)
        bar.addWidget(self._count, 1)
        read = button(tr("读取机上人员"), self.read_people, icon="refresh")
        bar.addWidget(gate(read, workspace, Act.PUNCHES_COLLECTED))
        bar.addWidget(output_button(workspace, self, self._listing))
        self.rows.addLayout(bar)
        self.model = RowsModel(COLUMNS, key=lambda match: hash(match.number))
        self.view = ListView(tr("对号"), many=True)
        self.view.set_model(self.model)
        self.view.selection_moved.connect(self._selection_changed)
        self.rows.addWidget(self.view, 1)
        self._note = label("", tone=Tone.WARN, wrap=True)
        self.rows.addWidget(self._note)
        self.rows.addLayout(self._bottom())
        self._confirm = button(tr("确认所选"), self.confirm, icon="check", kind="primary")
        self._end = button(tr("取消对号"), self._end_chosen, icon="undo", kind="danger")
        self.feet = (self._end, self._confirm)
        for made in self.feet:
            gate(made, workspace, Act.NUMBERS_MATCHED)
        self._selection_changed()

    def load(self) -> None:
        """Propose again from what is stored."""
        sealer, project_id = self._workspace.office.book.sealer, self._workspace.project_id
        self._workspace.read(
            lambda session: propose(session, sealer, project_id, self.name), self.show_matches,
            view=View.PEOPLE, owner=self, key="matches",
        )

    def show_matches(self, matches: list[Match]) -> None:
        self._all = matches
        counts = Counter(match.standing for match in matches)
        self._count.setText(
            tr(
                "建议 {p}，待认 {d}，无人 {o}，已定 {s}",
                p=counts[Standing.PROPOSED], d=counts[Standing.DOUBTFUL], o=counts[Standing.OPEN],
                s=counts[Standing.CONFIRMED] + counts[Standing.BY_ITSELF],
            )
        )
        self._filter()
        self.choose_proposals()

    def choose_proposals(self) -> None:
        """Select everything that is proposed, ready for one confirmation."""
        from PySide6.QtCore import QItemSelectionModel

        flags = (
            QItemSelectionModel.SelectionFlag.Select | QItemSelectionModel.SelectionFlag.Rows
        )
        self.view.clearSelection()
        for position, match in enumerate(self.model.rows()):
            if match.standing is Standing.PROPOSED:
                self.view.selectionModel().select(self.model.index(position, 0), flags)

    def show_settled(self) -> None:
        """List what is confirmed where nothing waits."""
        if not self.model.rowCount():
            self._which.choose("settled")

    def read_people(self) -> None:
        """Ask the terminal itself for its people."""
        name = self.name

        def work(desk: Desk, progress: Any, cancel: Any) -> Any:
            return read_people(desk, name, progress=progress, cancel=cancel)

        def done(read: Any) -> None:
            self._workspace.messages.info(
                tr("「{name}」上有 {n} 人，新增 {a}，减少 {r}。", name=name, n=read.people, a=read.added, r=read.removed)
            )
            self.load()

        self._workspace.act(
            work, done, title=tr("读取机上人员"), owner=self, changes=Changes.TERMINALS
        )

    def confirm(self) -> None:
        """Store the chosen matches; the person typed by hand wins for a single number."""
        chosen = [match for match in self._chosen() if match.person_id is not None]
        single = self._chosen()
        worker_no = self._person.worker_no()
        first, last = self._from.day(), self._to.day()
        if self._from.is_wrong() or self._to.is_wrong():
            self._workspace.messages.warn(tr("日期看不懂，请写成 2026-11-24 的样子。"))
            return
        if worker_no is not None and len(single) == 1:
            number = single[0].number
            self._run(lambda desk: _by_hand(desk, self.name, number, worker_no, first, last))
            return
        self._run(lambda desk: confirm(desk, self.name, chosen, from_day=first, to_day=last))

    def _run(self, work: Any) -> None:
        def done(count: int) -> None:
            self._person.clear()
            self._workspace.messages.info(tr("已确认 {n} 个编号，考勤将重算。", n=count))
            self.load()

        self._workspace.act(
            lambda desk, progress, cancel: work(desk), done, title=tr("确认对号"), owner=self,
            changes=Changes.PUNCHES | Changes.TERMINALS,
        )

    def _end_chosen(self) -> None:
        numbers = [m.number for m in self._chosen() if m.standing is Standing.CONFIRMED]
        name = self.name

        def work(desk: Desk, progress: Any, cancel: Any) -> int:
            return sum(end_match(desk, name, number, None) for number in numbers)

        def done(count: int) -> None:
            self._workspace.messages.info(tr("已取消 {n} 个对号，考勤将重算。", n=count))
            self.load()

        self._workspace.act(
            work, done, title=tr("取消对号"), owner=self, changes=Changes.PUNCHES | Changes.TERMINALS
        )

    def _bottom(self) -> QGridLayout:
        grid = QGridLayout()
        grid.setHorizontalSpacing(8)
        today = self._workspace.desk.clock.today()
        self._person = PersonField(self._workspace)
        self._person.setAccessibleName(tr("指认给谁"))
        self._person.textChanged.connect(lambda _: self._selection_changed())
        self._from, self._to = DateField(None, today), DateField(None, today)
        heads = (tr("指认给（单选一个编号时）"), tr("从（不填为一直以来）"), tr("到（不填为今后）"))
        fields = (self._person, self._from, self._to)
        for place, (head, field) in enumerate(zip(heads, fields, strict=True)):
            caption = label(head, tone=Tone.TEXT_2)
            caption.setBuddy(field)
            grid.addWidget(caption, 0, place)
            grid.addWidget(field, 1, place)
        grid.setColumnStretch(0, 4)
        grid.setColumnStretch(1, 3)
        grid.setColumnStretch(2, 3)
        return grid

    def _chosen(self) -> list[Match]:
        ids = set(self.view.chosen_ids())
        return [match for match in self.model.rows() if hash(match.number) in ids]

    def _filter(self) -> None:
        settled = (Standing.BY_ITSELF, Standing.CONFIRMED)
        which = self._which.value()
        self.model.show_rows(
            [m for m in self._all if not which or (m.standing in settled) == (which == "settled")]
        )

    def _selection_changed(self) -> None:
        chosen = self._chosen()
        ready = [
            m for m in chosen
            if m.person_id is not None and m.standing in (Standing.PROPOSED, Standing.DOUBTFUL)
        ]
        by_hand_ready = len(chosen) == 1 and self._person.worker_no() is not None
        self._confirm.setEnabled(bool(ready) or by_hand_ready)
        self._confirm.setText(tr(" 确认 {n} 个", n=1 if by_hand_ready else len(ready)))
        self._end.setEnabled(
            bool(chosen) and all(m.standing is Standing.CONFIRMED for m in chosen)
        )
        notes = [m.note for m in chosen if m.note]
        self._note.setText(notes[0] if len(chosen) == 1 and notes else "")
        self._note.setVisible(bool(self._note.text()))
        self._person.setEnabled(len(chosen) == 1)

    def _listing(self) -> Listing:
        rows = list(self.model.rows())
        return Listing(tr("对号"), f"matches:{self.name}", COLUMNS, lambda session: rows)


def _by_hand(
    desk: Desk, name: str, number: str, worker_no: int, first: Any, last: Any
) -> int:
    with desk.look(View.PEOPLE) as session:
        match = by_hand(session, number, worker_no)
    return confirm(desk, name, [match], from_day=first, to_day=last)



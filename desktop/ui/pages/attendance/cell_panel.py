"""Why one cell is what it is, and the explanation of one or many cells (F20)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, Signal

from desktop.access.actor import Act
from desktop.attendance.explain import REASON_WORDS, Reason
from desktop.attendance.queries import ExplanationRow, cell_reasons
from desktop.ui import theme
from desktop.ui.changes import Changes
from desktop.ui.drafts import MakeAgain, Typed
from desktop.ui.i18n import day_words, moment_text, tr
from desktop.ui.pages.attendance.grid import cell_tones
from desktop.ui.pages.attendance.grid_model import MEANINGS
from desktop.ui.pages.attendance.snapshot import MonthSnapshot
from desktop.ui.theme import Tone, Type
from desktop.ui.widgets.basics import (
    Card,
    Chip,
    State,
    button,
    good,
    info,
    label,
    line,
    neutral,
    warn,
)
from desktop.ui.widgets.blocks import Facts, section
from desktop.ui.widgets.fields import Choice, Form, Segments
from desktop.ui.widgets.gate import gate
from desktop.ui.widgets.panel import PanelContent
from desktop.ui.workspace import Workspace

if TYPE_CHECKING:
    from desktop.access.desk import Desk
    from desktop.attendance.month import PersonMonth

VALUES = ((2, "补 计1天"), (1, "补半 计半天"), (0, "× 未出勤"))


def symbol_state(symbol: str) -> State:
    """A symbol's meaning as word, icon and colour."""
    word = tr(MEANINGS.get(symbol, symbol))
    if symbol == "?":
        return warn(word, "question")
    if symbol == "×":
        return State(word, "bad", Tone.BAD, Tone.BAD_TINT)
    if symbol in ("补", "补半"):
        return info(word, "note")
    if symbol in ("√", "夜", "半"):
        return good(word, "half" if symbol == "半" else "good")
    return neutral(word)


def explanation_state(state: str) -> State:
    """``proposed``, ``approved`` or ``withdrawn`` as shown."""
    return {
        "proposed": warn(tr("待批准"), "clock"),
        "approved": good(tr("已批准")),
        "withdrawn": neutral(tr("已撤回"), "undo"),
    }[state]


class CellsPanel(PanelContent):
    """One cell with its why, or a heap of cells; below it the explanation in force or a form."""

    def __init__(
        self, workspace: Workspace, snapshot: MonthSnapshot, cells: Sequence[tuple[PersonMonth, int]]
    ) -> None:
        self._workspace, self._snapshot = workspace, snapshot
        self._cells = list(cells)
        people = {row.worker.person_id for row, _ in self._cells}
        first_row, place = self._cells[0]
        if len(self._cells) == 1:
            team = snapshot.team_name(first_row)
            super().__init__(
                f"{first_row.worker.name}　{day_words(self._day(place))}",
                tr("{team}　人员编号 {no}", team=team, no=first_row.worker.worker_no),
            )
            self._show_why(first_row, place)
        else:
            super().__init__(
                tr("已选 {n} 格", n=len(self._cells)), tr("{p} 人", p=len(people))
            )
            self._show_heap()
        existing = self._existing()
        self.form: ExplainForm | None = None
        if existing:
            for explanation in existing:
                self.rows.addWidget(ExplanationCard(workspace, explanation))
        else:
            self.form = ExplainForm(workspace, self.addresses())
            self.form.saved.connect(self.finished)
            section(self.rows, tr("情况说明"))
            self.rows.addWidget(self.form)
            submit = button(tr("提交说明"), self.save, kind="primary")
            self.feet = (gate(submit, workspace, Act.EXPLANATION_ADDED),)
        self.rows.addStretch(1)

    def addresses(self) -> list[tuple[int, date]]:
        """(person id, day) of the cells."""
        return [(row.worker.person_id, self._day(place)) for row, place in self._cells]

    def is_dirty(self) -> bool:
        return self.form is not None and self.form.is_dirty()

    def save(self) -> None:
        if self.form is not None:
            self.form.submit()

    def again(self) -> MakeAgain:
        snapshot, cells = self._snapshot, self._cells
        return lambda page: CellsPanel(page.workspace, snapshot, cells)

    def typed(self) -> Typed:
        return {} if self.form is None else self.form.typed()

    def type_again(self, typed: Typed) -> None:
        if self.form is not None:
            self.form.type_again(typed)

    def _day(self, place: int) -> date:
        return date.fromordinal(self._snapshot.first.toordinal() + place)

    def _existing(self) -> list[ExplanationRow]:
        found = {
            explanation.number: explanation
            for address in self.addresses()
            if (explanation := self._snapshot.by_cell.get(address)) is not None
        }
        return list(found.values())

    def _show_why(self, row: PersonMonth, place: int) -> None:
        symbol = row.symbols[place]
        tone, _, _ = cell_tones(symbol, weekend=False, holiday=False)
        head = line(gap=theme.GRID + 4)
        head.addWidget(label(symbol, Type.FIGURE, Tone.TEXT if tone is Tone.TEXT else tone))
        head.addWidget(Chip(symbol_state(symbol)), 0, Qt.AlignmentFlag.AlignVCenter)
        head.addStretch(1)
        self.rows.addLayout(head)
        section(self.rows, tr("为什么"))
        for reason in cell_reasons(self._snapshot.attendance, row, place):
            self.rows.addWidget(label(reason, wrap=True, selectable=True))
        punched = row.cells.symbols[place]
        if punched != symbol:
            self.rows.addWidget(
                label(tr("按打卡本应记「{s}」。", s=punched), tone=Tone.TEXT_2, wrap=True)
            )
        self.rows.addWidget(
            label(tr("规则：{rule}", rule=self._snapshot.attendance.rule.label), tone=Tone.TEXT_2, wrap=True)
        )

    def _show_heap(self) -> None:
        counts: dict[str, int] = {}
        for row, place in self._cells:
            counts[row.symbols[place]] = counts.get(row.symbols[place], 0) + 1
        facts = Facts()
        for symbol, count in sorted(counts.items(), key=lambda item: -item[1]):
            facts.add(f"{symbol}　{tr(MEANINGS.get(symbol, ''))}", tr("{n} 格", n=count))
        self.rows.addWidget(facts)
        names = list(dict.fromkeys(row.worker.name for row, _ in self._cells))
        shown = "、".join(names[:12]) + (tr("等 {n} 人", n=len(names)) if len(names) > 12 else "")
        self.rows.addWidget(label(shown, tone=Tone.TEXT_2, wrap=True))


class ExplainForm(Form):
    """What F20 asks: value, reason, text, evidence; ``saved`` after the proposal is stored."""

    saved = Signal()

    def __init__(self, workspace: Workspace, cells: Sequence[tuple[int, date]]) -> None:
        super().__init__()
        self._workspace, self._cells = workspace, list(cells)
        head = label(tr("核实结果"), tone=Tone.TEXT_2)
        self.value_choice = Segments([(value, tr(text)) for value, text in VALUES], tr("核实结果"))
        head.setBuddy(self.value_choice)
        self.add_widget(head)
        self.add_widget(self.value_choice)
        self.add(
            "reason", tr("原因"), Choice([(reason, word) for reason, word in REASON_WORDS.items()])
        )
        self.add_long_text("text", tr("经过"), hint=tr("写明谁在场、做什么、为何没有打卡；随说明编号入链存档。"))
        self.add_text("evidence", tr("证据（可不填）"), hint=tr("如：班前会签到表、施工日志第几页。"))
        self.add_widget(
            label(tr("补 为核实说明，不改动考勤机原始数据；批准后才计入确认天数。"), tone=Tone.TEXT_3, wrap=True)
        )
        self.submitted.connect(self.submit)
        self.set_clean()

    def choose_reason(self, reason: Reason) -> None:
        field = self.field("reason")
        assert isinstance(field, Choice)
        field.choose(reason)

    def typed(self) -> dict[str, Any]:
        return super().typed() | {"half_days": self.value_choice.value()}

    def type_again(self, typed: Typed) -> None:
        super().type_again(typed)
        self.value_choice.choose(typed["half_days"])

    def submit(self) -> None:
        """Propose; the page refreshes by the change bus."""
        if not self.require("text"):
            return
        half_days, reason = self.value_choice.value(), self.value("reason")
        text, evidence, cells = self.value("text"), self.value("evidence"), self._cells

        def work(desk: Desk, progress: Any, cancel: Any) -> Any:
            from desktop.attendance.explain import add_explanation

            return add_explanation(
                desk, cells, half_days=half_days, reason=reason, text=text, evidence=evidence
            )

        self._workspace.act(
            work, self._done, title=tr("提交说明"), owner=self, changes=Changes.CALENDAR
        )

    def _done(self, added: Any) -> None:
        self.set_clean()
        self._workspace.messages.info(
            tr("说明 {n} 号已提交（{cells} 格），批准后计入。", n=added.number, cells=added.cells)
        )
        self.saved.emit()


class ExplanationCard(Card):
    """An explanation with its state, and the acts that are possible now."""

    def __init__(self, workspace: Workspace, row: ExplanationRow) -> None:
        super().__init__()
        self._workspace, self._row = workspace, row
        head = line()
        head.addWidget(label(tr("说明 {n} 号", n=row.number), Type.STRONG))
        head.addWidget(Chip(explanation_state(row.state)))
        head.addStretch(1)
        self.rows.addLayout(head)
        value = {value: text for value, text in VALUES}[row.half_days]
        facts = Facts(
            [
                (tr("核实结果"), tr(value)), (tr("原因"), row.reason), (tr("经过"), row.text),
                (tr("证据"), row.evidence), (tr("涉及"), cells_text(row)),
                (tr("提出"), f"{row.proposed_by}　{moment_text(row.proposed_at)}"),
            ]
        )
        if row.approved_by:
            facts.add(tr("批准"), row.approved_by)
        self.rows.addWidget(facts)
        acts = line()
        acts.addStretch(1)
        if row.state != "withdrawn":
            undo = button(tr("撤回说明"), self.withdraw, icon="undo", kind="danger")
            acts.addWidget(gate(undo, workspace, Act.EXPLANATION_WITHDRAWN))
        if row.state == "proposed":
            approve = button(tr("批准说明"), self.approve, icon="check", kind="primary")
            acts.addWidget(gate(approve, workspace, Act.EXPLANATION_APPROVED))
        self.rows.addLayout(acts)

    def approve(self) -> None:
        from desktop.attendance.explain import approve_explanation

        self._act(approve_explanation, tr("批准说明"), tr("已批准"))

    def withdraw(self) -> None:
        from desktop.attendance.explain import withdraw_explanation

        self._act(withdraw_explanation, tr("撤回说明"), tr("已撤回，可重新填写"))

    def _act(self, act: Callable[..., None], title: str, done: str) -> None:
        number, seen = self._row.number, self._row.version
        self._workspace.act(
            lambda desk, progress, cancel: act(desk, number, seen=seen),
            lambda _: self._workspace.messages.info(tr("说明 {n} 号{done}。", n=number, done=done)),
            title=title, owner=self, changes=Changes.CALENDAR,
        )


def cells_text(row: ExplanationRow) -> str:
    """``钱一 11-03，11-04；孙二 11-03`` — shortened where it is long."""
    people: dict[str, list[str]] = {}
    for _, name, day in row.cells:
        people.setdefault(name, []).append(f"{day:%m-%d}")
    parts = [f"{name} {'、'.join(days)}" for name, days in people.items()]
    if len(parts) > 6:
        return "；".join(parts[:6]) + tr("；等 {n} 人 {c} 格", n=len(parts), c=len(row.cells))
    return "；".join(parts)

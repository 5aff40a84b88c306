"""One person: masked facts, state, missing steps with the next act, stays; full numbers on reason."""

from __future__ import annotations

from typing import Any

from desktop.access.actor import Act, View
from desktop.people.queries import RosterRow, stays_of_person
from desktop.people.reveal import Revealed, reveal
from desktop.site import codes
from desktop.ui import theme
from desktop.ui.actions import PageName
from desktop.ui.i18n import day_text, tr
from desktop.ui.pages.roster.columns import person_state
from desktop.ui.tables.export import ask_reason
from desktop.ui.theme import Tone
from desktop.ui.widgets.basics import Card, Chip, button, clear, column, label, line
from desktop.ui.widgets.blocks import Facts, section
from desktop.ui.widgets.gate import gate
from desktop.ui.widgets.panel import PanelContent
from desktop.ui.workspace import Workspace


class PersonPanel(PanelContent):
    """一人一档 of a stay; what is in clear goes away with the panel."""

    def __init__(self, workspace: Workspace, row: RosterRow) -> None:
        super().__init__(row.name, tr("人员编号 {no}　{trade}", no=row.worker_no, trade=row.trade))
        self._workspace, self._row = workspace, row
        head = line()
        head.addWidget(Chip(person_state(row)))
        head.addStretch(1)
        self._show = button(tr("显示完整信息"), self._ask, icon="eye", kind="quiet")
        gate(self._show, workspace, Act.PERSONAL_DATA_SHOWN)
        head.addWidget(self._show)
        self.rows.addLayout(head)
        self._facts_box = column()
        self.rows.addLayout(self._facts_box)
        self._facts(None)
        self._add_missing()
        section(self.rows, tr("在场记录"))
        self._stays = column(gap=4)
        self.rows.addLayout(self._stays)
        self.rows.addStretch(1)
        self.feet = (
            button(
                tr("看本月考勤"), icon="attendance",
                act=lambda: workspace.go(PageName.ATTENDANCE, person_id=row.person_id),
            ),
        )
        sealer, project_id = workspace.office.book.sealer, workspace.project_id
        workspace.read(
            lambda session: stays_of_person(session, sealer, project_id, row.person_id),
            self._show_stays, view=View.PEOPLE, owner=self,
        )

    def show_revealed(self, found: Revealed) -> None:
        """Numbers in clear, after the reason was written down."""
        self._show.setEnabled(False)
        self._facts(found)

    def _facts(self, clear_text: Revealed | None) -> None:
        clear(self._facts_box)
        row = self._row
        kind = codes.table("id_card_type").get(row.id_kind, tr("证件"))
        facts = Facts(
            [
                (kind, clear_text.id_number if clear_text else row.id_number),
                (tr("性别、民族"), "　".join(filter(None, (row.sex, row.nation)))),
                (tr("出生日期"), day_text(row.birth_day)),
                (tr("联系电话"), clear_text.phone if clear_text else row.phone),
                (tr("用人单位"), row.company),
                (tr("班组"), row.team),
                (tr("工资卡"), f"{row.bank_name}　{clear_text.bank_card if clear_text else row.bank_card}"),
                (tr("合同编号"), row.contract_number),
                (tr("进场"), day_text(row.from_day)),
                (tr("退场"), day_text(row.to_day)),
            ]
        )
        if clear_text is not None:
            facts.add(tr("住址"), clear_text.address)
            facts.add(tr("紧急联系电话"), clear_text.emergency_phone)
        if row.taken_over_on is not None:
            facts.add(tr("接管补录"), day_text(row.taken_over_on))
        self._facts_box.addWidget(facts)
        if clear_text is not None:
            self._facts_box.addWidget(
                label(tr("完整信息只在本面板显示，关闭即收回；已记入留痕。"), tone=Tone.WARN, wrap=True)
            )

    def _add_missing(self) -> None:
        if not self._row.missing:
            return
        section(self.rows, tr("缺的手续和下一步"))
        for step in self._row.missing:
            card = Card("warn", margin=theme.GRID + 4)
            card.rows.setSpacing(2)
            card.rows.addWidget(label(step.finding, theme.Type.STRONG, wrap=True))
            card.rows.addWidget(label(step.next_act, wrap=True))
            card.rows.addWidget(label(step.clause, tone=Tone.TEXT_2, wrap=True))
            self.rows.addWidget(card)

    def _show_stays(self, rows: list[RosterRow]) -> None:
        clear(self._stays)
        for row in rows:
            until = tr("至今") if row.to_day is None else day_text(row.to_day)
            text = tr(
                "{a} 至 {b}　{team}　{state}",
                a=day_text(row.from_day), b=until, team=row.team or row.trade, state=row.state_word,
            )
            self._stays.addWidget(label(text, tone=Tone.TEXT_2, wrap=True))

    def _ask(self) -> None:
        why = ask_reason(
            self, tr("显示完整信息"), tr("查看{name}的完整证件号码和电话要留痕。请写明事由：", name=self._row.name)
        )
        if why is not None:
            self.reveal(why)

    def reveal(self, why: str) -> None:
        """Show the numbers in clear; the act is audited with its reason."""
        person_id = self._row.person_id

        def work(desk: Any, progress: Any, cancel: Any) -> Revealed:
            return reveal(desk, person_id, why)

        self._workspace.act(work, self.show_revealed, title=tr("显示完整信息"), owner=self)


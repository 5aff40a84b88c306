"""The board's facts that belong to the site: pay day, floor wage, companies, people to call."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from PySide6.QtWidgets import QWidget

from desktop.site.queries import CompanyView, StaffView
from desktop.ui import theme
from desktop.ui.i18n import day_text, tr
from desktop.ui.pages.board.state import BoardState
from desktop.ui.theme import Tone, Type
from desktop.ui.widgets.basics import Card, button, clear, column, label, line


@dataclass(frozen=True, slots=True)
class Actions:
    """What opens the panel of each fact."""

    pay_day: Callable[[], object]
    wage: Callable[[], object]
    company: Callable[[CompanyView], object]
    add_company: Callable[[], object]
    person: Callable[[StaffView | None], object]
    versions: Callable[[], object]


class FactsList(QWidget):
    """Cards with one line per fact and a way to change it."""

    def __init__(self, actions: Actions) -> None:
        super().__init__()
        self._actions = actions
        self._state: BoardState | None = None
        self._rows = column(self, gap=theme.GRID + 4)

    def show_state(self, state: BoardState) -> None:
        self._state = state
        clear(self._rows)
        content, wage, acts = state.content, state.wage, self._actions
        card = self._card(tr("工资"), None)
        pay = tr("每月 {d} 日", d=content.pay_day) if content.pay_day else ""
        self._fact(card, tr("工资支付日期"), pay, acts.pay_day)
        text = "" if wage is None else tr(
            "月 {m} 元，小时 {h} 元，{doc}，{day} 起", m=wage.monthly, h=wage.hourly,
            doc=wage.document, day=day_text(wage.effective_from),
        )
        self._fact(card, tr("当地最低工资标准"), text, acts.wage)
        card = self._card(tr("参建单位"), (tr("添加单位"), acts.add_company))
        for company in state.companies:
            self._fact(
                card, f"{company.kind_name}　{company.name}",
                "　".join(filter(None, (company.contact, company.phone))),
                partial(acts.company, company),
            )
        card = self._card(tr("人员及电话"), (tr("添加人员"), lambda: acts.person(None)))
        for person in state.staff:
            self._fact(
                card, "　".join(filter(None, (person.post, person.company))),
                "　".join(filter(None, (person.name, person.phone))),
                partial(acts.person, person),
            )
        row = line()
        row.addWidget(
            label(tr("导出过 {n} 版", n=len(state.versions)), tone=Tone.TEXT_2), 1
        )
        row.addWidget(button(tr("版本记录"), acts.versions, kind="quiet"))
        self._rows.addLayout(row)

    def open_for(self, key: str) -> None:
        """Open the panel where a missing item (by its key) is filled in."""
        state, acts = self._state, self._actions
        if state is None:
            return
        head = key.split(".")[0]
        if head == "pay_day":
            acts.pay_day()
        elif head == "floor_wage":
            acts.wage()
        elif head in ("owner_lead", "project_manager", "labour_officer"):
            acts.person(None)
        else:
            company = next((c for c in state.companies if not (c.contact and c.phone)), None)
            if company is not None:
                acts.company(company)
            else:
                acts.add_company()

    def _card(self, title: str, act: tuple[str, Callable[[], object]] | None) -> Card:
        card = Card()
        head = line()
        head.addWidget(label(title, Type.HEAD), 1)
        if act is not None:
            head.addWidget(button(act[0], act[1], icon="plus", kind="quiet"))
        card.rows.addLayout(head)
        self._rows.addWidget(card)
        return card

    @staticmethod
    def _fact(card: Card, name: str, value: str, change: Callable[[], object]) -> None:
        row = line()
        texts = column(gap=0)
        texts.addWidget(label(name, tone=Tone.TEXT_2, wrap=True))
        shown = label(value or tr("未填写"), tone=Tone.TEXT if value else Tone.BAD, wrap=True)
        texts.addWidget(shown)
        row.addLayout(texts, 1)
        made = button(tr("修改"), change, kind="quiet")
        made.setAccessibleName(tr("修改{name}", name=name))
        row.addWidget(made)
        card.rows.addLayout(row)

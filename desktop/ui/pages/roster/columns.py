"""The columns of the roster, for screen, export and print. Numbers come masked from the query."""

from __future__ import annotations

from desktop.people.queries import RosterRow
from desktop.people.rules import PersonState
from desktop.ui.i18n import day_text, tr
from desktop.ui.tables.columns import RIGHT, Column
from desktop.ui.widgets.basics import State, bad, good, info, neutral, warn

_STATES = {
    PersonState.ON_SITE: good, PersonState.EXITED: neutral, PersonState.SUSPENDED: warn,
    PersonState.REFUSED: bad,
}


def person_state(row: RosterRow) -> State:
    """The state as word, icon and colour."""
    return _STATES.get(row.state, info)(row.state_word)


def missing_state(row: RosterRow) -> State | None:
    """How many steps of the gate are missing; nothing where all is there."""
    if not row.missing:
        return None
    return warn(tr("缺 {n} 项", n=len(row.missing)))


COLUMNS: tuple[Column[RosterRow], ...] = (
    Column("编号", 4.5, lambda r: str(r.worker_no), "worker_no", RIGHT),
    Column("姓名", 6.5, lambda r: r.name, "name"),
    Column("性别", 2.4, lambda r: r.sex, "sex"),
    Column("工种/岗位", 7.5, lambda r: r.trade, "trade"),
    Column("班组", 6, lambda r: r.team, "team"),
    Column("用人单位", 10.4, lambda r: r.company, "company", stretch=True),
    Column("状态", 4.8, lambda r: "", "state", state=person_state),
    Column("手续", 4.8, lambda r: "", state=missing_state),
    Column("进场", 5.2, lambda r: day_text(r.from_day, ""), "from_day"),
    Column("退场", 5.2, lambda r: day_text(r.to_day, ""), "to_day"),
    Column("证件号码", 9.6, lambda r: r.id_number),
    Column("联系电话", 6.4, lambda r: r.phone),
)

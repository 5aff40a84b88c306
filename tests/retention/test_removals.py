"""Whoever leaves, leaves the terminals: tasks, closed by a later reading or by hand."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import delete, select

from desktop.access.actor import Act
from desktop.access.desk import Desk
from desktop.errors import Refused
from desktop.people.tables import Stay
from desktop.punches.tables import TerminalPerson
from desktop.retention.biometric import (
    HAND,
    READ,
    RETURNED,
    RemovalTask,
    confirm_removal,
    refresh_removals,
    removal_tasks,
)
from tests.attendance.crew import Member, gates, hire, punched
from tests.retention.site_over import set_day

EXIT = date(2026, 11, 20)


def tasks(desk: Desk, *, everything: bool = False) -> list[RemovalTask]:
    with desk.book.read() as session:
        return removal_tasks(session, 1, desk.clock.today(), everything=everything)


def shown(desk: Desk, terminal_id: int, *numbers: str) -> None:
    """What ``terminal people`` does after a reading: the people replaced, the act audited."""
    with desk.book.write() as session:
        session.execute(delete(TerminalPerson).where(TerminalPerson.terminal_id == terminal_id))
        session.add_all(
            TerminalPerson(
                terminal_id=terminal_id, number=number, name="", card=0, read_at=desk.clock.now()
            )
            for number in numbers
        )
        desk.audit(
            session, Act.NUMBERS_MATCHED, f"terminal:{terminal_id}", did="people_read",
            people=len(numbers),
        )


@pytest.fixture
def places(desk: Desk) -> dict[str, int]:
    return gates(desk, 进="in", 出="out", 备用="both")


@pytest.fixture
def leaver(desk: Desk, places: dict[str, int]) -> Member:
    """Known to the first gate by a reading, punched at the second, never seen at the third."""
    shown(desk, places["进"], "1001", "1002")
    who = hire(desk, 1001, "钢筋班", left=EXIT)
    stays = hire(desk, 1002, "钢筋班")
    for member in (who, stays):
        punched(desk, places["出"], member, "11-19 17:30")
    return who


def test_a_task_for_every_terminal_that_knows_the_number(
    desk: Desk, leaver: Member, places: dict[str, int]
) -> None:
    found = tasks(desk)
    assert [(one.terminal, one.number, one.due_on, one.id) for one in found] == [
        ("出", "1001", EXIT, None), ("进", "1001", EXIT, None),
    ], "shown before they are stored: no page has to write"
    assert refresh_removals(desk) == (2, 0)
    assert refresh_removals(desk) == (0, 0)
    assert all(one.id is not None and one.open for one in tasks(desk))


def test_a_later_reading_without_the_number_closes_it(
    desk: Desk, leaver: Member, places: dict[str, int]
) -> None:
    refresh_removals(desk)
    shown(desk, places["进"], "1001", "1002")
    assert refresh_removals(desk) == (0, 0), "it still shows him"
    shown(desk, places["进"], "1002")
    assert [one.terminal for one in tasks(desk)] == ["出"], "seen before it is stored"
    assert refresh_removals(desk) == (0, 1)
    (open_one,) = tasks(desk)
    assert open_one.terminal == "出"
    closed = [one for one in tasks(desk, everything=True) if not one.open]
    assert [(one.closed_how, one.closed_by) for one in closed] == [(READ, "管理员")]


def test_a_terminal_with_nobody_left_counts_as_read(
    desk: Desk, leaver: Member, places: dict[str, int]
) -> None:
    refresh_removals(desk)
    shown(desk, places["出"])
    assert refresh_removals(desk) == (0, 1)
    assert [one.terminal for one in tasks(desk)] == ["进"]


def test_by_hand_with_a_note(desk: Desk, leaver: Member) -> None:
    refresh_removals(desk)
    first = tasks(desk)[0].id
    assert first is not None
    for task, note, code in (
        (first, " ", "task_note"), (99, "看过", "unknown_task"),
    ):
        with pytest.raises(Refused) as refusal:
            confirm_removal(desk, task, note)
        assert refusal.value.code == code
    confirm_removal(desk, first, "现场查看，编号已删除")
    with pytest.raises(Refused) as refusal:
        confirm_removal(desk, first, "再次")
    assert refusal.value.code == "task_closed"
    done = [one for one in tasks(desk, everything=True) if not one.open]
    assert [(one.closed_how, one.note) for one in done] == [(HAND, "现场查看，编号已删除")]


def test_somebody_who_comes_back_keeps_his_face(desk: Desk, leaver: Member) -> None:
    refresh_removals(desk)
    hire(desk, 1001, "木工班", entered=date(2026, 11, 24))
    assert refresh_removals(desk) == (0, 2)
    assert tasks(desk) == []
    assert {one.closed_how for one in tasks(desk, everything=True)} == {RETURNED}


def test_nobody_before_his_last_day(desk: Desk, leaver: Member) -> None:
    with desk.book.write() as session:
        stay = session.scalars(select(Stay).where(Stay.person_id == leaver.person_id)).one()
        stay.to_day = date(2026, 11, 25)
    assert tasks(desk) == []
    set_day(desk.clock, date(2026, 11, 25))  # type: ignore[arg-type]
    assert len(tasks(desk)) == 2

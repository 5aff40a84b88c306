"""A roster that comes again: changes, exits, re-entry, team changes, contracts, taking over."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from desktop.access.desk import Desk
from desktop.access.tables import AuditAct
from desktop.clock import FixedClock
from desktop.demo.people import invent_people
from desktop.errors import Refused
from desktop.people.queries import gate_findings
from desktop.people.roster_import import RosterReport, import_roster
from desktop.people.stays import refresh_states
from desktop.people.tables import Contract, Person, RosterImport, Stay, StayTeam
from tests.people.sheets import HEADS, manager_row, row_of, write_xlsx
from tests.sample_site import CONCRETE_LABOUR_NAME

ALL_HEADS = (*HEADS, "住建实名制登记日期", "工资监管登记日期", "安全教育日期")
ONE, TWO, THREE = invent_people(3)


def load(desk: Desk, path: Path, *rows: dict[str, Any], **options: Any) -> RosterReport:
    return import_roster(desk, write_xlsx(path / "roster.xlsx", rows, ALL_HEADS), **options)


def numbers(report: RosterReport) -> tuple[int, int, int, list[str]]:
    return (
        report.created, report.updated, report.unchanged,
        [note.code for note in report.rejected],
    )


def stays(desk: Desk) -> list[tuple[date, date | None, str]]:
    with desk.book.read() as session:
        found = session.scalars(select(Stay).order_by(Stay.person_id, Stay.from_day)).all()
        return [(stay.from_day, stay.to_day, stay.state) for stay in found]


def memberships(desk: Desk) -> list[tuple[int, date, date | None]]:
    with desk.book.read() as session:
        found = session.scalars(select(StayTeam).order_by(StayTeam.stay_id, StayTeam.from_day)).all()
        return [(one.team_id, one.from_day, one.to_day) for one in found]


def test_filled_cells_change_and_empty_ones_say_nothing(desk: Desk, tmp_path: Path) -> None:
    load(desk, tmp_path, row_of(ONE))
    report = load(
        desk, tmp_path, row_of(ONE, 0, 住址="", 联系电话=TWO.phone, 工资卡号="", 住建实名制登记日期="2026-03-01")
    )
    assert numbers(report) == (0, 1, 0, [])
    with desk.book.read() as session:
        person = session.scalars(select(Person)).one()
        stay = session.scalars(select(Stay)).one()
    opened = desk.book.sealer.open
    assert person.address_sealed is not None and opened(person.address_sealed) == ONE.address
    assert person.phone_sealed is not None and opened(person.phone_sealed) == TWO.phone
    assert person.bank_card_sealed is not None and opened(person.bank_card_sealed) == ONE.bank_card
    assert stay.housing_registered_on == date(2026, 3, 1)
    assert numbers(load(desk, tmp_path, row_of(ONE, 0, 联系电话=TWO.phone))) == (0, 0, 1, [])


def test_an_exit_closes_the_stay_and_its_team(desk: Desk, tmp_path: Path) -> None:
    load(desk, tmp_path, row_of(ONE))
    assert numbers(load(desk, tmp_path, row_of(ONE, 退场日期="2026-10-31"))) == (0, 1, 0, [])
    assert stays(desk) == [(date(2026, 3, 2), date(2026, 10, 31), "exited")]
    assert memberships(desk) == [(1, date(2026, 3, 2), date(2026, 10, 31))]
    assert numbers(load(desk, tmp_path, row_of(ONE))) == (0, 0, 1, [])  # no exit is no statement


def test_re_entry_is_a_new_stay(desk: Desk, tmp_path: Path) -> None:
    first = row_of(ONE, 0, 退场日期="2026-05-31")
    second = row_of(ONE, 2, 进场日期="2026-08-01", 合同编号="HT-900")
    assert numbers(load(desk, tmp_path, second, first)) == (2, 0, 0, [])
    assert stays(desk) == [
        (date(2026, 3, 2), date(2026, 5, 31), "exited"), (date(2026, 8, 1), None, "on_site")
    ]
    assert [team for team, _, _ in memberships(desk)] == [1, 3]
    with desk.book.read() as session:
        assert len(session.scalars(select(Person)).all()) == 1
    assert numbers(load(desk, tmp_path, first, second)) == (0, 0, 2, [])


def test_re_entry_of_somebody_the_book_thinks_present(desk: Desk, tmp_path: Path) -> None:
    load(desk, tmp_path, row_of(ONE))
    back = row_of(ONE, 0, 进场日期="2026-08-01")
    report = load(desk, tmp_path, back)
    assert numbers(report) == (0, 0, 0, ["stay_overlap"])
    assert (report.rejected[0].field, "退场日期" in report.rejected[0].message) == ("进场日期", True)
    report = load(desk, tmp_path, row_of(ONE, 0, 退场日期="2026-07-31"), back)
    assert numbers(report) == (1, 1, 0, [])


@pytest.mark.parametrize("entry", ["2026-04-01", "2026-05-31"])
def test_days_of_two_stays_never_overlap(desk: Desk, tmp_path: Path, entry: str) -> None:
    report = load(
        desk, tmp_path, row_of(ONE, 0, 退场日期="2026-05-31"), row_of(ONE, 0, 进场日期=entry)
    )
    assert numbers(report) == (1, 0, 0, ["stay_overlap"])
    assert "第3行" in report.rejected[0].message


def test_one_stay_told_twice(desk: Desk, tmp_path: Path) -> None:
    same = load(desk, tmp_path, row_of(ONE), row_of(ONE, 0, 序号="9"))
    assert numbers(same) == (1, 0, 1, [])
    other = load(desk, tmp_path, row_of(TWO), row_of(TWO, 0, 工资卡银行="别的银行"))
    assert numbers(other) == (1, 0, 0, ["stay_twice"])


def test_an_earlier_entry_adds_days(desk: Desk, tmp_path: Path) -> None:
    load(desk, tmp_path, row_of(ONE))
    report = load(desk, tmp_path, row_of(ONE, 0, 进场日期="2026-02-20"))
    assert numbers(report) == (0, 1, 0, [])
    assert [note.code for note in report.warnings] == ["entry_moved"]
    assert stays(desk)[0][0] == memberships(desk)[0][1] == date(2026, 2, 20)


def test_another_team_is_a_change_from_today(desk: Desk, tmp_path: Path) -> None:
    load(desk, tmp_path, row_of(ONE))
    report = load(desk, tmp_path, row_of(ONE, 0, 班组="木工班"))
    assert numbers(report) == (0, 1, 0, [])
    assert [note.code for note in report.warnings] == ["team_changed"]
    today = desk.clock.today()
    assert memberships(desk) == [
        (1, date(2026, 3, 2), date(2026, 11, 23)), (2, today, None)
    ]
    assert numbers(load(desk, tmp_path, row_of(ONE, 0, 班组="木工班"))) == (0, 0, 1, [])
    back = load(desk, tmp_path, row_of(ONE, 0, 班组="钢筋班"))  # the same day: a correction
    assert [note.code for note in back.warnings] == ["team_corrected"]
    assert memberships(desk)[-1] == (1, today, None)


def test_the_team_of_a_closed_stay_is_corrected(desk: Desk, tmp_path: Path) -> None:
    load(desk, tmp_path, row_of(ONE, 0, 退场日期="2026-05-31"))
    report = load(
        desk, tmp_path,
        row_of(ONE, 0, 退场日期="2026-05-31", 用人单位=CONCRETE_LABOUR_NAME, 班组="架子班"),
    )
    assert [note.code for note in report.warnings] == ["team_corrected"]
    assert memberships(desk) == [(3, date(2026, 3, 2), date(2026, 5, 31))]


def test_an_exit_before_a_team_change_takes_the_change_back(desk: Desk, tmp_path: Path) -> None:
    load(desk, tmp_path, row_of(ONE))
    load(desk, tmp_path, row_of(ONE, 0, 班组="木工班"))
    load(desk, tmp_path, row_of(ONE, 0, 班组="", 退场日期="2026-10-31"))
    report = load(desk, tmp_path, row_of(ONE, 0, 退场日期="2026-10-31"))
    assert report.rejected == []
    assert memberships(desk) == [(1, date(2026, 3, 2), date(2026, 10, 31))]


def test_a_manager_may_join_a_team_later(desk: Desk, tmp_path: Path) -> None:
    load(desk, tmp_path, manager_row(ONE))
    assert memberships(desk) == []
    report = load(desk, tmp_path, manager_row(ONE, 班组="管理班"))
    assert numbers(report) == (0, 1, 0, [])
    assert memberships(desk) == [(5, desk.clock.today(), None)]
    assert numbers(load(desk, tmp_path, manager_row(ONE))) == (0, 0, 1, [])


def test_the_number_stays_for_ever(desk: Desk, tmp_path: Path) -> None:
    load(desk, tmp_path, row_of(ONE, 0, 人员编号="8"))
    report = load(desk, tmp_path, row_of(ONE, 0, 人员编号="9"), row_of(TWO, 0, 人员编号="9"))
    assert numbers(report) == (1, 0, 1, [])
    assert [note.code for note in report.warnings if note.row == 3] == ["worker_no_kept"]
    with desk.book.read() as session:
        assert session.scalars(select(Person.worker_no).where(Person.name == ONE.name)).one() == 8


def test_two_people_of_one_file_cannot_have_one_number(desk: Desk, tmp_path: Path) -> None:
    report = load(desk, tmp_path, row_of(ONE, 0, 人员编号="8"), row_of(TWO, 0, 人员编号="8"))
    assert numbers(report) == (1, 0, 0, ["worker_no_taken"])


def test_given_numbers_keep_clear_of_small_ones(desk: Desk, tmp_path: Path) -> None:
    load(desk, tmp_path, row_of(ONE), row_of(TWO, 0, 人员编号="100500"), row_of(THREE))
    with desk.book.read() as session:
        given = session.scalars(select(Person.worker_no).order_by(Person.id)).all()
    assert list(given) == [100501, 100500, 100502]


def test_a_new_contract_number_is_a_renewal(desk: Desk, tmp_path: Path) -> None:
    load(desk, tmp_path, row_of(ONE, 0, 合同编号=""))
    load(desk, tmp_path, row_of(ONE, 0, 合同编号="HT-1"))
    load(desk, tmp_path, row_of(ONE, 0, 合同编号="HT-2", 合同开始日期="2027-01-01", 合同结束日期="2027-12-31"))
    report = load(desk, tmp_path, row_of(ONE, 0, 合同编号="HT-1"))
    assert numbers(report) == (0, 0, 1, [])
    with desk.book.read() as session:
        held = session.execute(select(Contract.number, Contract.from_day).order_by(Contract.id)).all()
    assert [tuple(one) for one in held] == [("HT-1", date(2026, 3, 1)), ("HT-2", date(2027, 1, 1))]


def test_a_correct_row_wins_when_the_book_knows_the_name(desk: Desk, tmp_path: Path) -> None:
    load(desk, tmp_path, row_of(ONE))
    report = load(desk, tmp_path, row_of(ONE, 0, 姓名="别人"), row_of(ONE))
    assert numbers(report) == (0, 0, 1, ["id_other_name"])


def test_the_first_row_of_a_file_names_the_person(desk: Desk, tmp_path: Path) -> None:
    wrong = row_of(ONE, 0, 姓名="别人", 进场日期="2026-01-01", 退场日期="2026-01-31")
    report = load(desk, tmp_path, row_of(ONE), wrong)
    assert numbers(report) == (1, 0, 0, ["id_other_name"])
    assert report.rejected[0].row == 4


LATE = {
    "合同开始日期": "2026-06-01", "合同结束日期": "2027-06-01", "住建实名制登记日期": "2026-06-02",
    "工资监管登记日期": "2026-06-02", "安全教育日期": "2026-06-03",
}


def test_late_papers_are_findings_unless_the_project_was_taken_over(
    desk: Desk, tmp_path: Path
) -> None:
    report = load(desk, tmp_path, row_of(ONE, 0, **LATE))
    assert {step["code"] for step in report.missing[0].missing} == {
        "contract_late", "housing_registration_late", "labour_registration_late", "training_late"
    }
    taken = load(desk, tmp_path, row_of(ONE, 0, **LATE), row_of(TWO), takeover=date(2026, 7, 1))
    assert taken.rejected == []
    listed = {one.name: one for one in taken.missing}
    assert ONE.name not in listed
    assert [step["code"] for step in listed[TWO.name].missing] == [
        "housing_registration_missing", "labour_registration_missing", "training_missing"
    ]
    assert all(step["clause"] and step["next"] for step in listed[TWO.name].missing)
    with desk.book.read() as session:
        assert set(session.scalars(select(Stay.taken_over_on))) == {date(2026, 7, 1)}
        trace = session.scalars(select(RosterImport).order_by(RosterImport.id.desc())).first()
        act = session.scalars(select(AuditAct).order_by(AuditAct.id.desc())).first()
        findings = gate_findings(session, 1, desk.clock.today())
    assert trace is not None and trace.taken_over_on == date(2026, 7, 1)
    assert act is not None and "补录" in act.why and act.facts["takeover"] == "2026-07-01"
    assert [(one.name, len(one.steps)) for one in findings] == [(TWO.name, 3)]
    again = load(desk, tmp_path, row_of(ONE, 0, **LATE), row_of(TWO), takeover=date(2026, 7, 1))
    assert numbers(again) == (0, 0, 2, [])


def test_only_people_already_there_are_taken_over(desk: Desk, tmp_path: Path) -> None:
    load(desk, tmp_path, row_of(ONE, 0, 进场日期="2026-09-01"), takeover=date(2026, 7, 1))
    with desk.book.read() as session:
        assert session.scalars(select(Stay.taken_over_on)).all() == [None]
    with pytest.raises(Refused) as refused:
        load(desk, tmp_path, row_of(ONE), takeover=date(2026, 11, 25))
    assert refused.value.code == "takeover_future"


def test_planned_entries_and_exits_come_true(desk: Desk, tmp_path: Path, clock: FixedClock) -> None:
    load(
        desk, tmp_path, row_of(ONE, 0, 进场日期="2026-12-01"), row_of(TWO, 0, 退场日期="2026-12-05"),
        row_of(THREE),
    )
    assert [state for _, _, state in stays(desk)] == ["contracted", "on_site", "on_site"]
    clock.instant = datetime(2026, 12, 5, 4, tzinfo=UTC)
    with desk.book.write() as session:
        assert refresh_states(session, 1, clock.today()) == 2
        assert refresh_states(session, 1, clock.today()) == 0
    assert [state for _, _, state in stays(desk)] == ["on_site", "exited", "on_site"]

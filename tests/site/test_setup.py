"""A project in the book: what was stored, shifts and rules by date, teams, holidays."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import func, select

from desktop.access.desk import Desk
from desktop.access.tables import AuditAct
from desktop.errors import Refused
from desktop.site import queries
from desktop.site.holidays import import_holidays
from desktop.site.rules import RulePack
from desktop.site.setup import create_project
from desktop.site.tables import FloorWage, Holiday, Project, Shift, Team
from desktop.site.tables import RulePack as RulePackRow
from desktop.site.teams import add_team, set_team_shift
from desktop.storage.book import Book
from tests.sample_site import GENERAL_CONTRACTOR_NAME, NIGHT_TEAM, sample_project


def test_the_whole_file_is_stored(desk: Desk) -> None:
    with desk.book.read() as session:
        project = queries.project_view(session, 1)
        assert (project.code, project.pay_day) == ("ZZ-2026-0001", 15)
        companies = queries.companies(session, 1)
        assert [company.kind for company in companies] == ["008", "009", "006", "006", "007"]
        assert companies[1].kind_name == "总承包单位"
        contractors = queries.companies_of_kind(session, 1, "009")
        assert [company.name for company in contractors] == [GENERAL_CONTRACTOR_NAME]
        staff = queries.staff(session, 1)
        assert [person.post for person in staff][:2] == ["项目负责人", "项目经理"]
        assert staff[1].company == GENERAL_CONTRACTOR_NAME
        teams = queries.teams(session, 1)
        assert [(team.number, team.name) for team in teams] == [
            (1, "钢筋班"), (2, "木工班"), (3, "架子班"), (4, NIGHT_TEAM)
        ]
        assert [team.shift for team in teams] == [Shift.DAY] * 3 + [Shift.NIGHT]
        rule = queries.rule_for(session, 1, date(2026, 11, 1))
        assert rule == RulePack()
        wage = queries.floor_wage(session, 1, date(2026, 11, 1))
        assert wage is not None and (wage.monthly, wage.hourly) == ("2100", "20.6")
        assert queries.floor_wage(session, 1, date(2023, 12, 31)) is None


def test_holidays_of_2026_come_along(desk: Desk) -> None:
    with desk.book.read() as session:
        october = queries.holidays(session, date(2026, 10, 1), date(2026, 10, 31))
        assert [day.day for day, one in october.items() if one.statutory] == [1, 2, 3]
        assert october[date(2026, 10, 10)].day_type == "work"
        everything = queries.holidays(session, date(2026, 1, 1), date(2026, 12, 31))
        assert sum(one.statutory for one in everything.values()) == 13
        assert queries.holiday_years(session) == [2026]


def test_rules_and_wages_follow_their_dates(desk: Desk) -> None:
    with desk.book.write() as session:
        session.add(
            RulePackRow(
                project_id=1, effective_from=date(2026, 12, 1), name="default", version=2,
                content=replace(RulePack(version=2), repeat_s=90).to_dict(),
            )
        )
        session.add(
            FloorWage(
                project_id=1, effective_from=date(2026, 12, 1), monthly="2200", hourly="21.6",
                document="样例文号",
            )
        )
    with desk.book.read() as session:
        assert queries.rule_for(session, 1, date(2026, 11, 30)).version == 1
        assert queries.rule_for(session, 1, date(2026, 12, 1)).repeat_s == 90
        wage = queries.floor_wage(session, 1, date(2026, 12, 31))
        assert wage is not None and wage.monthly == "2200"
        with pytest.raises(Refused) as refused:
            queries.rule_for(session, 1, date(2014, 1, 1))
        assert refused.value.code == "no_rule"
        with pytest.raises(Refused):
            queries.project_view(session, 99)


def test_a_shift_changes_from_a_day_on(desk: Desk) -> None:
    set_team_shift(desk, 1, date(2026, 11, 10), Shift.NIGHT)
    set_team_shift(desk, 1, date(2026, 11, 20), Shift.NIGHT)
    set_team_shift(desk, 1, date(2026, 11, 20), Shift.DAY)
    with desk.book.read() as session:
        shift = queries.shift_on(session, 1)
        views = queries.teams(session, 1, date(2026, 11, 12))
    assert [shift(1, date(2026, 11, day)) for day in (9, 10, 19, 20)] == [
        Shift.DAY, Shift.NIGHT, Shift.NIGHT, Shift.DAY
    ]
    assert shift(1, date(2015, 1, 1)) is Shift.DAY
    assert shift(4, date(2015, 1, 1)) is Shift.NIGHT
    assert shift(99, date(2026, 11, 1)) is Shift.DAY
    assert views[0].shift is Shift.NIGHT
    with pytest.raises(Refused):
        set_team_shift(desk, 99, date(2026, 11, 1), Shift.DAY)


def test_a_new_team_takes_the_next_number(desk: Desk) -> None:
    with desk.book.read() as session:
        company = queries.companies(session, 1)[2]
    team_id = add_team(desk, " 防水班 ", company.id, leader="樊水", shift=Shift.NIGHT)
    with desk.book.read() as session:
        team = queries.teams(session, 1)[-1]
        assert (team.id, team.number, team.name, team.shift) == (team_id, 5, "防水班", Shift.NIGHT)
        acts = session.scalars(select(AuditAct.act)).all()
    assert list(acts) == ["project.changed"]
    for name, company_id, code in (
        ("防水班", company.id, "team_exists"), (" ", company.id, "team_name"),
        ("新班", 999, "unknown_company"),
    ):
        with pytest.raises(Refused) as refused:
            add_team(desk, name, company_id)
        assert refused.value.code == code


def test_team_numbers_end_at_999(desk: Desk) -> None:
    with desk.book.write() as session:
        session.add(Team(project_id=1, company_id=3, number=999, name="最后一班", leader=""))
    with pytest.raises(Refused) as refused:
        add_team(desk, "再来一班", 3)
    assert refused.value.code == "too_many_teams"


def test_a_second_project_shares_companies(desk: Desk, tmp_path: Path) -> None:
    file = sample_project(tmp_path)
    with pytest.raises(Refused) as refused, desk.book.write() as session:
        create_project(session, desk.clock, file)
    assert refused.value.code == "project_exists"
    with desk.book.write() as session:
        second = create_project(session, desk.clock, replace(file, code="ZZ-2026-0002"))
    with desk.book.read() as session:
        first = [company.id for company in queries.companies(session, 1)]
        assert [company.id for company in queries.companies(session, second)] == first
        assert [team.number for team in queries.teams(session, second)] == [1, 2, 3, 4]
    renamed = replace(file.companies[0], name="别的名称")
    other = replace(file, code="ZZ-2026-0003", companies=(renamed,), staff=(), teams=())
    with pytest.raises(Refused) as refused, desk.book.write() as session:
        create_project(session, desk.clock, other)
    assert refused.value.code == "company_name"
    with desk.book.read() as session:
        assert session.scalar(select(func.count(Project.id))) == 2


def test_an_empty_book_takes_a_project_without_floor_wage(book: Book, tmp_path: Path) -> None:
    file = replace(sample_project(tmp_path), floor_wage=None, started_on=None)
    with book.write() as session:
        project_id = create_project(session, book.clock, file)
    with book.read() as session:
        assert queries.floor_wage(session, project_id, date(2026, 1, 1)) is None


HEAD = "date,day_type,name,statutory_300pct\n"


def test_another_year_is_imported_and_replaced(desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / "2027.csv"
    path.write_text("\ufeff" + HEAD + "2027-01-01,off,元旦,Y\n2027-01-02,off,元旦,N\n", encoding="utf-8")
    assert import_holidays(desk, path) == [2027]
    path.write_text(HEAD + "2027-01-01,off,元旦,Y\n2027-02-06,off,春节,Y\n", encoding="utf-8")
    assert import_holidays(desk, path) == [2027]
    with desk.book.read() as session:
        year = queries.holidays(session, date(2027, 1, 1), date(2027, 12, 31))
        assert list(year) == [date(2027, 1, 1), date(2027, 2, 6)]
        assert queries.holiday_years(session) == [2026, 2027]
        assert session.scalar(select(func.count()).select_from(Holiday)) == 41


@pytest.mark.parametrize(
    "content",
    [
        b"", b"day,name\n", HEAD.encode(), (HEAD + "2027-13-01,off,x,Y\n").encode(),
        (HEAD + "2027-01-01,rest,x,Y\n").encode(), (HEAD + "2027-01-01,off,,Y\n").encode(),
        (HEAD + "2027-01-01,off,x,maybe\n").encode(), (HEAD + "2027-01-01,off,x,Y,more\n").encode(),
        (HEAD + "2027-01-01,off,x,Y\n" * 2).encode(), (HEAD + "2027-01-01,off\n").encode(),
        (HEAD + "元旦").encode("gbk"), HEAD.encode() + b"x" * 70_000,
        (HEAD + "".join(f"2027-{m:02d}-{d:02d},off,x,N\n" for m in range(1, 13) for d in range(1, 28)))
        .encode(),
    ],
)
def test_a_bad_holiday_file_changes_nothing(desk: Desk, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "year.csv"
    path.write_bytes(content)
    with pytest.raises(Refused) as refused:
        import_holidays(desk, path)
    assert refused.value.code == "holiday_file"
    with desk.book.read() as session:
        assert queries.holiday_years(session) == [2026]


def test_a_missing_holiday_file_is_refused(desk: Desk, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="读不到"):
        import_holidays(desk, tmp_path / "none.csv")

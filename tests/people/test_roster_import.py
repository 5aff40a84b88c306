"""Importing a roster: what is created, every rejection in its order, warnings, limits."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from desktop.access.actor import Actor, Role
from desktop.access.desk import Desk
from desktop.access.tables import AuditAct
from desktop.clock import FixedClock
from desktop.demo.people import invent_people
from desktop.errors import Cancelled, NotPermitted, Refused
from desktop.jobs import CancelToken
from desktop.people import roster_cells, roster_sheet
from desktop.people.queries import RosterQuery, roster_ids, roster_rows
from desktop.people.roster_import import RosterReport, import_roster
from desktop.people.roster_sheet import Head, head_of
from desktop.people.rules import PersonState, id_check_digit
from desktop.people.tables import Contract, Person, RosterImport, Stay, StayTeam
from desktop.site.queries import teams
from desktop.storage.book import create_book
from tests.conftest import CHEAP, PASSPHRASE
from tests.people.sheets import HEADS, manager_row, row_of, rows_of, to_xls, write_xlsx
from tests.sample_site import CONCRETE_LABOUR_NAME, STEEL_LABOUR_NAME, insert_project

PEOPLE = invent_people(60)
ALL_HEADS = (
    *HEADS, "证件类型", "证件号码", "出生日期", "住建实名制登记日期", "工资监管登记日期", "安全教育日期", "紧急联系人",
    "紧急联系电话", "文化程度",
)


def load(desk: Desk, path: Path, rows: list[dict[str, Any]], **options: Any) -> RosterReport:
    heads = options.pop("heads", ALL_HEADS)
    return import_roster(desk, write_xlsx(path / "roster.xlsx", rows, heads), **options)


def count(desk: Desk, mapped: type[Any]) -> int:
    with desk.book.read() as session:
        return session.scalar(select(func.count()).select_from(mapped)) or 0


def test_a_roster_becomes_people_stays_teams_and_contracts(desk: Desk, tmp_path: Path) -> None:
    rows = [
        row_of(PEOPLE[0], 0, 人员编号="12", 住建实名制登记日期="2026-03-01", 文化程度="初中",
               紧急联系人="某某", 紧急联系电话="19900001111"),
        row_of(PEOPLE[1], 3, 退场日期="2026-10-31"),
        manager_row(PEOPLE[2]),
    ]
    report = load(desk, tmp_path, rows)
    assert (report.rows, report.created, report.updated, report.unchanged) == (3, 3, 0, 0)
    assert report.rejected == [] and report.ignored_heads == []
    with desk.book.read() as session:
        first = session.scalars(select(Person).where(Person.worker_no == 12)).one()
        sealer = desk.book.sealer
        assert (first.name, first.sex, first.education) == (PEOPLE[0].name, PEOPLE[0].sex, "初中")
        assert sealer.open(first.id_sealed) == PEOPLE[0].id_number
        assert first.phone_sealed is not None and sealer.open(first.phone_sealed) == PEOPLE[0].phone
        assert first.emergency_phone_sealed is not None
        assert sealer.open(first.emergency_phone_sealed) == "19900001111"
        ids = roster_ids(session, 1, RosterQuery())
        shown = roster_rows(session, sealer, ids)
        assert [row.worker_no for row in shown] == [12, 100001, 100002]
        assert [row.state for row in shown] == [
            PersonState.ON_SITE, PersonState.EXITED, PersonState.ON_SITE
        ]
        assert (shown[1].team, shown[1].company) == ("混凝土夜班", CONCRETE_LABOUR_NAME)
        assert shown[1].to_day == date(2026, 10, 31)
        assert (shown[2].is_manager, shown[2].team, shown[2].trade) == (True, "", "项目经理")
        memberships = session.scalars(select(StayTeam).order_by(StayTeam.id)).all()
        assert [(one.from_day, one.to_day) for one in memberships] == [
            (date(2026, 3, 2), None), (date(2026, 3, 2), date(2026, 10, 31))
        ]
        contract = session.scalars(select(Contract).order_by(Contract.id)).first()
        assert contract is not None
        assert (contract.kind, contract.number) == ("A", "HT-001")
        trace = session.scalars(select(RosterImport)).one()
        assert trace.counts["created"] == 3 and len(trace.sha256) == 32
        act = session.scalars(select(AuditAct)).one()
        assert (act.act, act.facts["created"]) == ("roster.imported", 3)
        assert not any(person.id_number in str(act.facts) for person in PEOPLE)


def test_no_number_stands_in_clear_in_the_tables(desk: Desk, tmp_path: Path) -> None:
    load(desk, tmp_path, rows_of(20))
    with desk.book.read() as session:
        dump = repr(session.connection().exec_driver_sql("SELECT * FROM person").fetchall()).encode()
    for person in invent_people(20):
        for secret in (person.id_number, person.phone, person.bank_card, person.address):
            assert secret.encode() not in dump


def _valid(number: str) -> str:
    return number[:17] + id_check_digit(number[:17])


ONE = PEOPLE[5]
CHILD = _valid("410000201101010013")


def test_rejections_name_row_field_and_code(desk: Desk, tmp_path: Path) -> None:
    """One row per kind, each correct but for one thing."""
    load(desk, tmp_path, [row_of(PEOPLE[0], 人员编号="7")])
    other_name = row_of(PEOPLE[1], 姓名="另一人")
    cases: list[tuple[dict[str, Any], str, str]] = [
        ({"姓名": " "}, "姓名", "missing"),
        ({"身份证号码": None}, "身份证号码", "missing"),
        ({"工种/岗位": "/"}, "工种/岗位", "missing"),
        ({"用人单位": ""}, "用人单位", "missing"),
        ({"班组": None}, "班组", "missing"),
        ({"进场日期": ""}, "进场日期", "missing"),
        ({"姓名": "张3"}, "姓名", "bad_name"),
        ({"性别": "不详"}, "性别", "bad_sex"),
        ({"证件类型": "借书证"}, "证件类型", "bad_id_kind"),
        ({"用人单位": "别家公司"}, "用人单位", "unknown_company"),
        ({"合同类型": "口头"}, "合同类型", "bad_contract_kind"),
        ({"合同开始日期": "三月"}, "合同开始日期", "bad_date"),
        ({"进场日期": "2026-3"}, "进场日期", "bad_date"),
        ({"进场日期": 2026.3}, "进场日期", "bad_date"),
        ({"联系电话": "12345"}, "联系电话", "bad_phone"),
        ({"紧急联系电话": "无号码"}, "紧急联系电话", "bad_phone"),
        ({"工资卡号": "6222"}, "工资卡号", "bad_card"),
        ({"工资卡号": 6200000000000000018}, "工资卡号", "card_rounded"),
        ({"人员编号": "A1"}, "人员编号", "bad_worker_no"),
        ({"人员编号": "1234567890"}, "人员编号", "bad_worker_no"),
        ({"人员编号": 0}, "人员编号", "bad_worker_no"),
        ({"住址": "#N/A"}, "住址", "cell_error"),
        ({"住址": "长" * 201}, "住址", "too_long"),
        ({"身份证号码": ONE.id_number[:-1]}, "身份证号码", "id_length"),
        ({"身份证号码": "410000199003070011"}, "身份证号码", "id_check_digit"),
        ({"身份证号码": "410000199002300011"}, "身份证号码", "id_date"),
        ({"身份证号码": 410000199003070010}, "身份证号码", "id_rounded"),
        ({"身份证号码": "4.10000199003E+17"}, "身份证号码", "id_rounded"),
        ({"身份证号码": CHILD, "性别": "男"}, "身份证号码", "under_age"),
        ({"身份证号码": PEOPLE[0].id_number, "性别": PEOPLE[0].sex}, "身份证号码", "id_other_name"),
        ({"进场日期": "2026-02-30"}, "进场日期", "impossible_date"),
        ({"安全教育日期": "2026-13-01"}, "安全教育日期", "impossible_date"),
        ({"退场日期": "2026-03-01"}, "退场日期", "exit_before_entry"),
        ({"合同结束日期": "2026-02-01"}, "合同结束日期", "contract_dates"),
        ({"人员编号": "7"}, "人员编号", "worker_no_taken"),
    ]
    rows = [row_of(ONE, 0, **change) for change, _, _ in cases]
    rows += [row_of(PEOPLE[1]), other_name]
    report = load(desk, tmp_path, rows)
    expected = [(place + 3, field, code) for place, (_, field, code) in enumerate(cases)]
    expected.append((len(cases) + 4, "身份证号码", "id_other_name"))
    assert [(note.row, note.field, note.code) for note in report.rejected] == expected
    assert all(note.message for note in report.rejected)
    assert (report.rows, report.created) == (len(rows), 1)
    said = " ".join(note.message for note in report.rejected)
    assert ONE.id_number not in said and ONE.phone not in said and ONE.name not in said


@pytest.mark.parametrize(
    ("faults", "code"),
    [
        (8, "missing"), (7, "bad_phone"), (6, "id_check_digit"), (5, "under_age"),
        (4, "id_other_name"), (3, "impossible_date"), (2, "exit_before_entry"), (1, "worker_no_taken"),
    ],
)
def test_a_row_stops_at_its_first_failure(
    desk: Desk, tmp_path: Path, faults: int, code: str
) -> None:
    """A row with many faults: mending the first shows the next, in the order of the design."""
    load(desk, tmp_path, [row_of(PEOPLE[0], 人员编号="7")])
    changes: list[dict[str, Any]] = [
        {"人员编号": "7"},
        {"退场日期": "2026-01-01"},
        {"安全教育日期": "2026-02-30"},
        {"身份证号码": PEOPLE[0].id_number},
        {"身份证号码": CHILD},
        {"身份证号码": CHILD[:-1] + "4"},
        {"联系电话": "1"},
        {"班组": ""},
    ]
    row = row_of(ONE)
    for change in changes[:faults]:
        row.update(change)
    report = load(desk, tmp_path, [row])
    assert [note.code for note in report.rejected] == [code]


def test_what_people_type_is_normalised(desk: Desk, tmp_path: Path) -> None:
    person = next(one for one in invent_people(300) if one.id_number.endswith("X"))
    wide = str.maketrans("0123456789X", "０１２３４５６７８９ｘ")
    row = row_of(
        person, 姓名=f"  {person.name[0]}　{person.name[1:]} ", 身份证号码=f" {person.id_number.translate(wide)} ",
        联系电话=f"{person.phone[:3]} {person.phone[3:7]}-{person.phone[7:]}",
        工资卡号=f"{person.bank_card[:4]} {person.bank_card[4:]}", 民族="汉", 人员编号="００１２",
        用人单位=f" {STEEL_LABOUR_NAME} ",
    )
    report = load(desk, tmp_path, [row])
    assert report.rejected == []
    with desk.book.read() as session:
        stored = session.scalars(select(Person)).one()
    assert (stored.name, stored.worker_no, stored.nation) == (person.name, 12, "汉族")
    opened = desk.book.sealer.open
    assert opened(stored.id_sealed) == person.id_number
    assert stored.phone_sealed is not None and opened(stored.phone_sealed) == person.phone
    assert stored.bank_card_sealed is not None and opened(stored.bank_card_sealed) == person.bank_card


@pytest.mark.parametrize(
    "typed",
    [
        "2026-03-01", "2026/3/1", "2026年3月1日", "20260301", "2026.3.1", "２０２６－０３－０１", "2026 年 3 月 1 日",
        "2026-03-01 08:30:00", date(2026, 3, 1), 20260301,
    ],
)
def test_dates_as_people_write_them(desk: Desk, tmp_path: Path, typed: Any) -> None:
    report = load(desk, tmp_path, [row_of(PEOPLE[0], 进场日期=typed, 合同结束日期="长期")])
    assert report.rejected == []
    with desk.book.read() as session:
        assert session.scalars(select(Stay.from_day)).all() == [date(2026, 3, 1)]
        assert session.scalars(select(Contract.to_day)).all() == [None]


def test_numbers_typed_as_numbers_are_read(desk: Desk, tmp_path: Path) -> None:
    row = row_of(PEOPLE[0], 联系电话=int(PEOPLE[0].phone), 人员编号=12.0, 合同编号=3.0)
    assert load(desk, tmp_path, [row]).rejected == []
    with desk.book.read() as session:
        assert session.scalars(select(Person.worker_no)).all() == [12]
        assert session.scalars(select(Contract.number)).all() == ["3"]


def test_other_documents(desk: Desk, tmp_path: Path) -> None:
    rows = [
        row_of(PEOPLE[0], 身份证号码="", 证件类型="护照", 证件号码="E12345678", 性别="女", 出生日期="1990-05-01"),
        row_of(PEOPLE[1], 身份证号码="810000199202020010", 性别="男"),
        row_of(PEOPLE[2], 身份证号码="", 证件类型="护照", 证件号码="E87654321", 出生日期="2012-05-01"),
    ]
    report = load(desk, tmp_path, rows)
    assert [(note.row, note.field, note.code) for note in report.rejected] == [
        (5, "身份证号码", "under_age")
    ]
    with desk.book.read() as session:
        people = session.scalars(select(Person).order_by(Person.id)).all()
    assert [(one.id_kind, one.sex, one.birth_day) for one in people] == [
        ("08", "女", date(1990, 5, 1)), ("L10", "男", date(1992, 2, 2))
    ]


def test_warnings_do_not_stop_a_row(desk: Desk, tmp_path: Path) -> None:
    man = next(one for one in PEOPLE if one.sex == "男")
    old = "410000195501010013"
    young = "419000200907010013"
    rows = [
        row_of(man, 0, **{"工种/岗位": "吹玻璃工"}),
        row_of(PEOPLE[10], 0, 性别="女" if PEOPLE[10].sex == "男" else "男"),
        row_of(PEOPLE[11], 0, 联系电话=man.phone, 工资卡号=man.bank_card),
        row_of(PEOPLE[12], 0, 工资卡号=PEOPLE[12].bank_card[:-1] + str((int(PEOPLE[12].bank_card[-1]) + 1) % 10)),
        row_of(PEOPLE[13], 0, 身份证号码=_valid(old), 性别=""),
        row_of(PEOPLE[14], 0, 身份证号码=_valid(young), 性别=""),
        row_of(PEOPLE[15], 0, 民族="火星族"),
        row_of(PEOPLE[16], 0, 班组="新来的班"),
        row_of(PEOPLE[17], 0, 身份证号码=_valid("990000199003070010"), 证件类型="身份证", 性别=""),
    ]
    report = load(desk, tmp_path, rows)
    assert report.rejected == []
    assert {(note.row, note.code) for note in report.warnings} == {
        (3, "unknown_trade"), (4, "sex_differs"), (5, "shared_phone"), (5, "shared_card"),
        (6, "card_luhn"), (7, "age_senior"), (8, "age_minor"), (9, "unknown_nation"),
        (10, "new_team"),
    }
    again = load(desk, tmp_path, [row_of(PEOPLE[20], 0, 联系电话=man.phone)])
    assert [(note.code, "人员编号" in note.message) for note in again.warnings] == [("shared_phone", True)]
    with desk.book.read() as session:
        assert [team.name for team in teams(session, 1)][-1] == "新来的班"
        assert session.scalars(select(Person.sex).where(Person.name == PEOPLE[10].name)).first() == (
            PEOPLE[10].sex
        )


def test_header_title_synonyms_and_order(desk: Desk, tmp_path: Path) -> None:
    names = {
        "姓名": "工人姓名", "身份证号码": "身 份 证 号 ", "工种/岗位": "工种（必填）", "用人单位": "所属企业", "班组": "*班组名称",
        "进场日期": "进场时间", "联系电话": "手机号码", "人员编号": "工号",
    }
    base = row_of(PEOPLE[0], 人员编号="5")
    heads = ["备注", *reversed(names.values()), "血型"]
    row = {names[head]: base[head] for head in names} | {"备注": "好", "血型": "A"}
    report = load(desk, tmp_path, [row], heads=heads)
    assert (report.created, report.rejected) == (1, [])
    assert report.ignored_heads == ["备注", "血型"]


def test_post_column_and_repeated_header(desk: Desk, tmp_path: Path) -> None:
    heads = (*HEADS, "管理岗位")
    rows: list[dict[str, Any]] = [
        row_of(PEOPLE[0], 0, **{"工种/岗位": "管理人员", "管理岗位": "安全员", "班组": ""}),
        {head: head for head in heads},
        row_of(PEOPLE[1], 1),
    ]
    report = load(desk, tmp_path, rows, heads=heads)
    assert (report.rows, report.created, report.rejected) == (2, 2, [])
    with desk.book.read() as session:
        assert session.execute(select(Stay.trade, Stay.is_manager).order_by(Stay.id)).first() == (
            "安全员", True
        )


def test_missing_heads_are_named(desk: Desk, tmp_path: Path) -> None:
    path = write_xlsx(tmp_path / "r.xlsx", rows_of(2), [h for h in HEADS if h not in ("班组", "进场日期")])
    with pytest.raises(Refused) as refused:
        import_roster(desk, path)
    assert refused.value.code == "roster_head"
    assert refused.value.facts["missing"] == ["班组", "进场日期"]
    assert "班组、进场日期" in refused.value.message


def test_a_header_below_the_tenth_row_is_not_found(desk: Desk, tmp_path: Path) -> None:
    import xlsxwriter

    for line, good in ((9, True), (10, False)):
        path = tmp_path / f"{line}.xlsx"
        with xlsxwriter.Workbook(str(path)) as book:
            sheet = book.add_worksheet()
            sheet.write_row(line, 2, HEADS)
            sheet.write_row(line + 1, 2, [rows_of(1)[0].get(head, "") for head in HEADS])
        if good:
            report = import_roster(desk, path, dry_run=True)
            assert (report.rows, report.created) == (1, 1)
        else:
            with pytest.raises(Refused):
                import_roster(desk, path)


def test_a_dry_run_reports_everything_and_keeps_nothing(desk: Desk, tmp_path: Path) -> None:
    rows = [*rows_of(5), row_of(PEOPLE[20], 0, 班组="新班"), row_of(PEOPLE[21], 0, 姓名="")]
    trial = load(desk, tmp_path, rows, dry_run=True)
    assert count(desk, Person) == count(desk, RosterImport) == count(desk, AuditAct) == 0
    real = load(desk, tmp_path, rows)
    assert (trial.rejected, trial.warnings, trial.created) == (
        real.rejected, real.warnings, real.created
    )
    assert [one.worker_no for one in trial.missing] == [one.worker_no for one in real.missing]


def test_an_inspector_may_not_import(desk: Desk, tmp_path: Path) -> None:
    visitor = Desk(desk.book, 1, Actor("检查员", Role.INSPECTOR))
    with pytest.raises(NotPermitted):
        load(visitor, tmp_path, rows_of(1))
    assert count(desk, Person) == 0


def test_cancelling_keeps_nothing(desk: Desk, tmp_path: Path) -> None:
    path = write_xlsx(tmp_path / "r.xlsx", rows_of(1_200))
    for stop_at in ("读取表格", "检查各行", "核对"):
        cancel = CancelToken()

        def watch(done: int, total: int, text: str, word: str = stop_at, token: CancelToken = cancel) -> None:
            if text.startswith(word):
                token.set()

        with pytest.raises(Cancelled):
            import_roster(desk, path, progress=watch, cancel=cancel)
    assert count(desk, Person) == 0


def test_too_many_rows_are_refused(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(roster_sheet, "MAX_ROWS", 10)
    with pytest.raises(Refused) as refused:
        load(desk, tmp_path, rows_of(11))
    assert refused.value.code == "roster_too_long"
    assert load(desk, tmp_path, rows_of(10)).created == 10


def test_xls_and_et_are_known_by_content(desk: Desk, tmp_path: Path) -> None:
    rows = rows_of(40)
    rows[3]["进场日期"] = date(2026, 3, 5)
    rows[4]["身份证号码"] = 410000199003070010
    path = write_xlsx(tmp_path / "roster.xlsx", rows)
    old = to_xls(path, tmp_path / "office")
    wps = old.rename(tmp_path / "roster.et")
    first = import_roster(desk, wps)
    assert (first.rows, first.created) == (40, 39)
    assert [(note.row, note.code) for note in first.rejected] == [(7, "id_rounded")]
    again = import_roster(desk, path.rename(tmp_path / "roster.xls"))
    assert (again.created, again.updated, again.unchanged) == (0, 0, 39)


def test_a_demo_book_takes_no_real_people(tmp_path: Path, clock: FixedClock) -> None:
    book, _ = create_book(tmp_path / "demo", clock, passphrase=PASSPHRASE, demo=True, cost=CHEAP)
    with book:
        with book.write() as session:
            project_id = insert_project(session, clock, tmp_path)
        desk = Desk(book, project_id, Actor("管理员", Role.ADMINISTRATOR))
        stranger = row_of(PEOPLE[0], 身份证号码="", 证件类型="护照", 证件号码="E12345678")
        with pytest.raises(Refused) as refused:
            load(desk, tmp_path, [stranger, *rows_of(2)])
        assert (refused.value.code, refused.value.facts) == ("demo_book", {"people": 1})
        assert load(desk, tmp_path, rows_of(2)).created == 2


def _counts(report: RosterReport) -> Mapping[str, int]:
    return {
        "rows": report.rows, "created": report.created, "updated": report.updated,
        "unchanged": report.unchanged, "rejected": len(report.rejected),
    }


def test_the_same_file_twice_changes_nothing(desk: Desk, tmp_path: Path) -> None:
    rows = [*rows_of(50), row_of(PEOPLE[55], 0, 班组="新班"), row_of(PEOPLE[56], 0, 联系电话="1")]
    rows[0]["性别"] = "女" if rows[0]["性别"] == "男" else "男"
    load(desk, tmp_path, rows)
    before = _everything(desk)
    again = load(desk, tmp_path, rows)
    assert _counts(again) == {
        "rows": 52, "created": 0, "updated": 0, "unchanged": 51, "rejected": 1
    }
    assert _everything(desk) == before


def _everything(desk: Desk) -> list[Any]:
    with desk.book.read() as session:
        return [
            session.connection().exec_driver_sql(f"SELECT * FROM {mapped.__tablename__}").fetchall()
            for mapped in (Person, Stay, StayTeam, Contract)
        ]


def test_heads_with_notes_in_brackets_and_padded_posts(desk: Desk, tmp_path: Path) -> None:
    for text, head in (
        ("身份证号码\n（18位）", Head.ID_NUMBER), ("姓名\n(必填)", Head.NAME),
        ("进场日期（格式：2026-03-01）", Head.ENTRY), ("合同开始日期\n（年-月-日）", Head.CONTRACT_FROM),
        ("工种\n（岗位）", Head.TRADE), ("用人单位（全称）*", Head.COMPANY),
        ("联系电话（紧急）", None), ("姓名（曾用名）", None),
    ):
        assert head_of(text) is head, text
    assert roster_cells.trade_of(" 项目 经理 ") == "项目经理" and roster_cells.trade_of("钢　筋工") == "钢筋工"
    person = invent_people(1, seed=77)[0]
    report = load(desk, tmp_path, [manager_row(person, " 项目 经理 ")])
    assert (report.created, report.rejected) == (1, [])
    with desk.book.read() as session:
        stay = session.scalars(select(Stay)).one()
    assert (stay.trade, stay.is_manager) == ("项目经理", True)

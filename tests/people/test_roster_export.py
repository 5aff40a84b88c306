"""Exporting the roster: whole numbers for the authority, a trace, and the way back in."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from desktop.access.desk import Desk
from desktop.access.tables import AuditAct
from desktop.demo.people import invent_people
from desktop.errors import Cancelled, EnvironmentFault, Refused
from desktop.jobs import CancelToken
from desktop.people.queries import RosterQuery
from desktop.people.roster_export import HEADS, export_roster
from desktop.people.roster_import import import_roster
from desktop.people.spreadsheet import open_spreadsheet
from tests.people.sheets import HEADS as COMMON
from tests.people.sheets import manager_row, row_of, rows_of, write_xlsx

PEOPLE = invent_people(60)


def test_what_goes_out_comes_back_unchanged(desk: Desk, tmp_path: Path) -> None:
    heads = (*COMMON, "证件类型", "证件号码", "出生日期", "安全教育日期", "文化程度", "紧急联系人", "紧急联系电话")
    rows = [
        *rows_of(40),
        row_of(PEOPLE[50], 0, 身份证号码="", 证件类型="护照", 证件号码="E12345678", 出生日期="1990-05-01"),
        row_of(PEOPLE[51], 0, 身份证号码="810000199202020010", 性别="男"),
        row_of(PEOPLE[52], 0, 退场日期="2026-04-30", 安全教育日期="2026-03-01", 文化程度="初中"),
        row_of(PEOPLE[52], 1, 进场日期="2026-06-01", 紧急联系人="某人", 紧急联系电话="19900002222"),
        manager_row(PEOPLE[53]),
        row_of(PEOPLE[54], 0, 住址="=1+1", 工资卡号="", 联系电话="", 合同类型="", 合同编号="", 合同开始日期="",
               合同结束日期=""),
    ]
    assert import_roster(desk, write_xlsx(tmp_path / "in.xlsx", rows, heads)).rejected == []
    out = tmp_path / "出口" / "花名册.xlsx"
    assert export_roster(desk, out, reason="报市安监站") == 46
    back = import_roster(desk, out)
    assert (back.rows, back.created, back.updated, back.unchanged) == (46, 0, 0, 46)
    assert back.rejected == [] and back.ignored_heads == []
    with desk.book.read() as session:
        acts = session.scalars(select(AuditAct).where(AuditAct.act == "roster.exported")).all()
    assert [(act.why, act.facts["stays"]) for act in acts] == [("报市安监站", 46)]
    assert [path.name for path in out.parent.iterdir()] == ["花名册.xlsx"]


def test_cells_are_text(desk: Desk, tmp_path: Path) -> None:
    import_roster(desk, write_xlsx(tmp_path / "in.xlsx", [row_of(PEOPLE[0], 0, 住址="=1+1")], COMMON))
    export_roster(desk, tmp_path / "out.xlsx", reason="核对")
    rows = list(open_spreadsheet(tmp_path / "out.xlsx").sheets.rows(0))
    heads = [rows[1][1][column] for column in range(len(HEADS))]
    cells = {heads[column]: value for column, value in rows[2][1].items()}
    assert all(isinstance(value, str) for value in cells.values())
    assert (cells["身份证号码"], cells["住址"]) == (PEOPLE[0].id_number, "=1+1")


def test_a_part_of_the_roster(desk: Desk, tmp_path: Path) -> None:
    import_roster(desk, write_xlsx(tmp_path / "in.xlsx", rows_of(8)))
    assert export_roster(desk, tmp_path / "o.xlsx", reason="班组", query=RosterQuery(team_id=1)) == 2


def test_no_reason_no_export(desk: Desk, tmp_path: Path) -> None:
    with pytest.raises(Refused) as refused:
        export_roster(desk, tmp_path / "out.xlsx", reason="  ")
    assert refused.value.code == "reason_missing"
    assert list(tmp_path.glob("*.xlsx")) == []


def test_failing_or_cancelled_exports_leave_no_file_and_no_trace(desk: Desk, tmp_path: Path) -> None:
    import_roster(desk, write_xlsx(tmp_path / "in.xlsx", rows_of(3)))
    blocker = tmp_path / "file"
    blocker.write_text("x")
    with pytest.raises(EnvironmentFault):
        export_roster(desk, blocker / "out.xlsx", reason="核对")
    folder = tmp_path / "empty"
    folder.mkdir()
    with pytest.raises(EnvironmentFault):
        export_roster(desk, folder, reason="核对")  # a folder stands where the file should be
    cancel = CancelToken()
    cancel.set()
    with pytest.raises(Cancelled):
        export_roster(desk, folder / "out.xlsx", reason="核对", cancel=cancel)
    assert list(folder.iterdir()) == []
    with desk.book.read() as session:
        acts = session.scalars(select(AuditAct.act)).all()
    assert "roster.exported" not in acts


_TEXT = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp")), max_size=40
)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(seed=st.integers(0, 10_000), texts=st.lists(_TEXT, min_size=4, max_size=4), empty=st.integers(0, 255))
def test_any_roster_comes_back_unchanged(
    desk: Desk, tmp_path: Path, seed: int, texts: list[str], empty: int
) -> None:
    chance = random.Random(seed)
    row: dict[str, Any] = row_of(invent_people(1, seed=seed)[0], seed % 4)
    row.update(zip(("住址", "合同编号", "工资卡银行", "民族"), texts, strict=True))
    optional = [
        "性别", "合同类型", "合同开始日期", "合同结束日期", "联系电话", "工资卡号", "住址", "合同编号",
    ]
    for place, head in enumerate(optional):
        if empty >> place & 1:
            row[head] = ""
    if chance.random() < 0.3:
        row["退场日期"] = "2026-09-30"
    first = import_roster(desk, write_xlsx(tmp_path / "in.xlsx", [row]))
    export_roster(desk, tmp_path / "out.xlsx", reason="往返")
    back = import_roster(desk, tmp_path / "out.xlsx")
    assert (back.rejected, back.created, back.updated) == ([], 0, 0)
    assert first.rejected == [] or first.rejected[0].code in ("too_long", "bad_sign", "cell_error")

"""project.toml: what is accepted, and how every refusal names its place."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from desktop.errors import Refused
from desktop.site.project_file import MAX_BYTES, ProjectFile, read_project_file
from desktop.site.rules import Basis
from desktop.site.tables import Shift
from tests.sample_site import (
    CONCRETE_LABOUR,
    GENERAL_CONTRACTOR,
    NIGHT_TEAM,
    PROJECT_TOML,
    STEEL_LABOUR,
    STEEL_LABOUR_NAME,
    SUPERVISION,
    SUPERVISION_NAME,
)


@pytest.fixture
def read(tmp_path: Path) -> Callable[[str | bytes], ProjectFile]:
    def read_text(content: str | bytes) -> ProjectFile:
        path = tmp_path / "project.toml"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return read_project_file(path)

    return read_text


Read = Callable[[str | bytes], ProjectFile]


def test_the_sample_is_read_as_written(read: Read) -> None:
    file = read(PROJECT_TOML)
    assert (file.code, file.pay_day, file.enclosed) == ("ZZ-2026-0001", 15, True)
    assert file.started_on == date(2026, 3, 1)
    assert file.floor_wage is not None and file.floor_wage.effective_from == date(2024, 1, 1)
    kinds = {company.credit_code: company.kind for company in file.companies}
    assert kinds[GENERAL_CONTRACTOR] == "009"
    assert kinds[STEEL_LABOUR] == kinds[CONCRETE_LABOUR] == "006"
    assert kinds[SUPERVISION] == "007"
    assert [team.shift for team in file.teams if team.name == NIGHT_TEAM] == [Shift.NIGHT]
    assert file.board["hotlines"] == ["12348", "12345"]
    assert file.rules.basis is Basis.VERIFICATION
    assert file.warnings == ()


def test_the_smallest_file(read: Read) -> None:
    file = read('\ufeff[project]\nname = "工程"\n')
    assert (file.name, file.code, file.companies, file.board) == ("工程", "", (), {})
    assert file.floor_wage is None and file.enclosed


def test_names_of_parts_may_be_written_as_people_write_them(read: Read) -> None:
    file = read(PROJECT_TOML.replace('"总承包单位"', '"施工总承包单位"').replace('"劳务分包"', '"006"'))
    assert [company.kind for company in file.companies] == ["008", "009", "006", "006", "007"]


def test_overrides_of_the_rule(read: Read) -> None:
    text = PROJECT_TOML.replace('basis = "verification"', 'basis = "workday"\nrepeat_s = 90')
    rules = read(text).rules
    assert (rules.basis, rules.full_s, rules.repeat_s) == (Basis.WORKDAY, 6 * 3600, 90)


def test_a_wrong_check_digit_is_a_note_with_the_likely_code(read: Read) -> None:
    wrong = GENERAL_CONTRACTOR[:-1] + "0"
    file = read(PROJECT_TOML.replace(GENERAL_CONTRACTOR, wrong))
    assert len(file.warnings) == 1
    assert GENERAL_CONTRACTOR in file.warnings[0]


@pytest.mark.parametrize(
    ("old", "new", "code", "table", "key"),
    [
        ("pay_day = 15", 'pay_day = "15"', "project_file_type", "project", "pay_day"),
        ("pay_day = 15", "pay_day = 32", "project_file_value", "project", "pay_day"),
        ("pay_day = 15", "pay_day = true", "project_file_type", "project", "pay_day"),
        ("enclosed = true", "enclosed = 1", "project_file_type", "project", "enclosed"),
        ("enclosed = true", "enclose = true", "project_file_unknown_key", "project", "enclose"),
        ('name = "样例花园一期工程"', "", "project_file_missing", "project", "name"),
        ('name = "样例花园一期工程"', 'name = " "', "project_file_missing", "project", "name"),
        ('name = "样例花园一期工程"', "name = 7", "project_file_type", "project", "name"),
        ('name = "样例花园一期工程"', 'name = "a\\nb"', "project_file_value", "project", "name"),
        ("started_on = 2026-03-01", 'started_on = "三月"', "project_file_value", "project", "started_on"),
        ("started_on = 2026-03-01", "started_on = 20260301", "project_file_type", "project", "started_on"),
        ("started_on = 2026-03-01", "started_on = 2029-03-01", "project_file_value", "project",
         "planned_completion_on"),
        ('monthly = "2100"', "monthly = 2100", "project_file_type", "project.floor_wage", "monthly"),
        ('monthly = "2100"', 'monthly = "两千"', "project_file_value", "project.floor_wage", "monthly"),
        ("effective_from = 2024-01-01", "", "project_file_missing", "project.floor_wage",
         "effective_from"),
        ('kind = "监理单位"', 'kind = "施工单位"', "project_file_value", "company", "kind"),
        (f'"{SUPERVISION}"\ncontact', f'"{STEEL_LABOUR}"\ncontact', "project_file_duplicate",
         "company", "credit_code"),
        (f'"{SUPERVISION}"\ncontact', '"91410000"\ncontact', "project_file_value", "company",
         "credit_code"),
        (f'"{SUPERVISION}"\ncontact', '"O1410000MA00000055"\ncontact', "project_file_value", "company",
         "credit_code"),
        ('post = "项目经理"', "", "project_file_missing", "staff", "post"),
        (f'company = "{STEEL_LABOUR}"\nleader = "段钢"', 'company = "别家"\nleader = "段钢"',
         "project_file_reference", "team", "company"),
        ('shift = "night"', 'shift = "夜"', "project_file_value", "team", "shift"),
        ('name = "木工班"', 'name = "钢筋班"', "project_file_duplicate", "team", "name"),
        ('hotlines = ["12348", "12345"]', "hotlines = [12348]", "project_file_type", "board", "hotlines"),
        ("housing_phone", "house_phone", "project_file_unknown_key", "board", "house_phone"),
        ('basis = "verification"', 'basis = "both"', "project_file_rule", "attendance", "basis"),
        ('basis = "verification"', "full_s = 0", "project_file_rule", "attendance", "half_s"),
        ('basis = "verification"', "version = 2", "project_file_unknown_key", "attendance", "version"),
    ],
)
def test_every_refusal_names_table_and_key(
    read: Read, old: str, new: str, code: str, table: str, key: str
) -> None:
    assert old in PROJECT_TOML
    with pytest.raises(Refused) as refused:
        read(PROJECT_TOML.replace(old, new, 1))
    assert refused.value.code == code
    assert (refused.value.facts["table"], refused.value.facts["key"]) == (table, key)
    assert key in refused.value.message and "未做任何改动" in refused.value.message


def test_two_companies_with_one_name(read: Read) -> None:
    with pytest.raises(Refused) as refused:
        read(PROJECT_TOML.replace(SUPERVISION_NAME, STEEL_LABOUR_NAME))
    assert refused.value.facts == {"table": "company", "place": 5, "key": "name"}


def test_more_entries_than_numbers(read: Read) -> None:
    with pytest.raises(Refused) as refused:
        read('[project]\nname = "工程"\n' + '[[staff]]\npost = "a"\nname = "b"\n' * 1000)
    assert refused.value.code == "project_file_value"


def test_an_empty_floor_wage_says_nothing(read: Read) -> None:
    assert read('[project]\nname = "工程"\n[project.floor_wage]\n').floor_wage is None


def test_an_unknown_table_is_named(read: Read) -> None:
    with pytest.raises(Refused) as refused:
        read(PROJECT_TOML + '\n[extra]\nkey = "x"\n')
    assert refused.value.facts == {"table": "", "key": "extra"}


@pytest.mark.parametrize("text", ["company = 3", "[company]\nname = 3", "company = [1]", "project = 0"])
def test_tables_of_the_wrong_kind(read: Read, text: str) -> None:
    with pytest.raises(Refused) as refused:
        read(text if text.startswith("project") else f'{text}\n[project]\nname = "工程"\n')
    assert refused.value.code == "project_file_type"


def test_a_syntax_error_names_its_line(read: Read) -> None:
    with pytest.raises(Refused) as refused:
        read('[project]\nname = "工程"\npay_day = = 3\n')
    assert refused.value.facts["line"] == 3
    assert "第3行" in refused.value.message


def test_a_file_that_is_no_text_names_its_line(read: Read) -> None:
    with pytest.raises(Refused) as refused:
        read('[project]\nname = "工程"\n'.encode("gbk"))
    assert (refused.value.code, refused.value.facts["line"]) == ("project_file_encoding", 2)


def test_size_depth_and_absence_are_bounded(read: Read, tmp_path: Path) -> None:
    for content, code in (
        (b"# " + b"x" * MAX_BYTES, "project_file_too_large"),
        (b"a = " + b"[" * 20_000, "project_file_syntax"),
    ):
        with pytest.raises(Refused) as refused:
            read(content)
        assert refused.value.code == code
    with pytest.raises(Refused, match="读不到"):
        read_project_file(tmp_path / "no.toml")
    with pytest.raises(Refused, match="读不到"):
        read_project_file(tmp_path)


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@settings(
    max_examples=150, deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_mutilated_files_are_read_or_refused(read: Read, data: st.DataObject) -> None:
    content = bytearray(PROJECT_TOML.encode())
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(content) - 1))
        length = data.draw(st.integers(0, 40))
        content[place : place + length] = data.draw(st.binary(max_size=20))
    try:
        read(bytes(content))
    except Refused as refused:
        assert refused.message.endswith("。")


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    table=st.sampled_from(["project", "company", "staff", "team", "board", "attendance"]),
    key=st.sampled_from(
        ["name", "kind", "credit_code", "phone", "company", "shift", "hotlines", "basis", "pay_day",
         "floor_wage", "started_on", "enclosed", "full_s", "legal_aid", "x"]
    ),
    value=_VALUES,
)
def test_any_value_anywhere_is_read_or_refused(table: str, key: str, value: object) -> None:
    from desktop.site.project_file import parse_project

    entry: dict[str, object] = {"name": "工程", key: value}
    document: dict[str, object] = {"project": {"name": "工程"}}
    document[table] = [entry] if table in ("company", "staff", "team") else entry
    try:
        parse_project(document)
    except Refused as refused:
        assert refused.message.endswith("。")


def test_a_moment_where_a_day_is_wanted_is_called_one(read: Read) -> None:
    with pytest.raises(Refused, match=r"应为日期.*现在是日期时间"):
        read(PROJECT_TOML.replace("started_on = 2026-03-01", "started_on = 2026-03-01T08:00:00", 1))
    with pytest.raises(Refused, match="现在是时间"):
        read(PROJECT_TOML.replace("started_on = 2026-03-01", "started_on = 08:00:00", 1))

"""The packaged code tables."""

from __future__ import annotations

import pytest

from desktop.site import codes


def test_codes_keep_their_zeros() -> None:
    assert codes.table("corp_type")["009"] == "总承包单位"
    assert codes.table("work_type")["010"] == "砌筑工"
    assert codes.table("nation")["01"] == "汉族"
    assert len(codes.table("nation")) == 58
    assert codes.code_of("education")["大专"] == "05"


def test_posts_and_trades() -> None:
    assert {"项目经理", "劳资专管员", "总监理工程师", "劳务员"} <= codes.posts()
    assert "钢筋工" in codes.trades()
    assert "瓦工" in codes.trades()  # another name of 砌筑工
    assert "" not in codes.trades()
    assert codes.posts().isdisjoint(codes.trades() - {"其它"})


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("009", "009"), ("总承包单位", "009"), ("总承包", "009"), ("施工总承包单位", "009"),
        ("施工总承包", "009"), ("总包", "009"), ("施工总包单位", "009"), ("其他", "012"), ("其它", "012"), ("劳务分包", "006"), ("劳务分包单位", "006"), ("监理", "007"),
        (" 建设单位 ", "008"), ("施工单位", None), ("", None), ("99", None),
    ],
)
def test_corp_kinds_by_code_or_name(text: str, kind: str | None) -> None:
    assert codes.corp_kind(text) == kind


def test_every_table_is_readable() -> None:
    for name in (
        "management_post", "corp_type", "work_type", "id_card_type", "nation", "education",
        "contract_kind", "id_area",
    ):
        table = codes.table(name)
        assert table
        assert all(code and text for code, text in table.items())
    assert len(codes.rows("holiday_2026")) == 39
    assert {row["symbol"] for row in codes.rows("attendance_symbol")} >= set("√半×○夜停节补—?")
    assert "12348" in {row["number"] for row in codes.rows("hotline")}
    assert codes.rows("minimum_wage_henan")[-1]["effective_from"] == "2024-01-01"

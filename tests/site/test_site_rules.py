"""Rule packs and credit codes: pure data."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.site.rules import (
    CREDIT_SYMBOLS,
    HOUR_S,
    RuleError,
    RulePack,
    check_credit_code,
    credit_digit,
    in_force,
    overridable,
    rule_pack,
)


def test_labels_say_the_rule() -> None:
    assert RulePack().label == "核验口径：首末次打卡间隔≥4小时计1天，≥2小时计半天"
    workday = rule_pack({"basis": "workday"})
    assert (workday.full_s, workday.half_s) == (6 * HOUR_S, 3 * HOUR_S)
    assert workday.label == "计工口径：首末次打卡间隔≥6小时计1天，≥3小时计半天"
    odd = rule_pack({"full_s": 4 * HOUR_S + 1800, "half_s": 2400})
    assert odd.label == "核验口径：首末次打卡间隔≥4小时30分计1天，≥40分钟计半天"


def test_a_pack_survives_storage() -> None:
    pack = rule_pack({"basis": "workday", "repeat_s": 90, "posting_days": 7})
    assert rule_pack(pack.to_dict()) == pack


@pytest.mark.parametrize(
    ("content", "key"),
    [
        ({"ful_s": 1}, "ful_s"),
        ({"full_s": "4"}, "full_s"),
        ({"full_s": True}, "full_s"),
        ({"full_s": 4.5}, "full_s"),
        ({"repeat_s": -1}, "repeat_s"),
        ({"open_limit_s": 25 * HOUR_S}, "open_limit_s"),
        ({"posting_days": 4}, "posting_days"),
        ({"basis": "月"}, "basis"),
        ({"basis": 4}, "basis"),
        ({"half_s": 5 * HOUR_S}, "half_s"),
        ({"half_s": 0}, "half_s"),
        ({"name": ""}, "name"),
        ({"name": 3}, "name"),
        ({"minor_below_age": 15}, "minor_below_age"),
    ],
)
def test_an_impossible_pack_names_its_key(content: dict[str, object], key: str) -> None:
    with pytest.raises(RuleError) as refused:
        rule_pack(content)
    assert refused.value.key == key
    assert refused.value.reason


def test_name_and_version_are_not_overridden_by_a_project() -> None:
    assert {"name", "version"}.isdisjoint(overridable())
    assert {"basis", "full_s", "half_s", "explanations_per_month"} <= set(overridable())


def test_the_latest_pack_rules() -> None:
    early, late = RulePack(), RulePack(version=2)
    packs = [(date(2026, 6, 1), late), (date(2015, 1, 1), early)]
    assert in_force(packs, date(2026, 5, 31)) is early
    assert in_force(packs, date(2026, 6, 1)) is late
    with pytest.raises(LookupError):
        in_force(packs, date(2014, 12, 31))


@pytest.mark.parametrize("code", ["91419000000000019Y", "91419000MA0000007T"])
def test_published_examples_pass(code: str) -> None:
    check = check_credit_code(f" {code.lower()} ")
    assert (check.code, check.problem) == (code, "")


def test_typing_errors_get_a_hint() -> None:
    assert check_credit_code("914190OO000000019Y").hint == "91419000000000019Y"
    wrong = check_credit_code("91419000000000019X")
    assert (wrong.problem, wrong.hint) == ("check_digit", "91419000000000019Y")
    assert check_credit_code("9141900").problem == "length"
    assert check_credit_code("9141900000000中019Y").problem == "symbol"
    hopeless = check_credit_code("I1419000000000019Y")
    assert (hopeless.problem, hopeless.hint) == ("symbol", "")


@given(st.text(CREDIT_SYMBOLS, min_size=17, max_size=17), st.integers(0, 16))
def test_one_wrong_symbol_is_found(body: str, place: int) -> None:
    code = body + credit_digit(body)
    assert not check_credit_code(code).problem
    other = CREDIT_SYMBOLS[(CREDIT_SYMBOLS.index(code[place]) + 1) % len(CREDIT_SYMBOLS)]
    assert check_credit_code(code[:place] + other + code[place + 1 :]).problem == "check_digit"

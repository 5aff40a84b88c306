"""Identity documents, ages, masks and the order of the gate: pure rules."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.people.rules import (
    GATE_ORDER,
    AgeLevel,
    Evidence,
    IdentityError,
    IdentityProblem,
    PersonState,
    age_band,
    age_on,
    blockers,
    check_identity,
    id_check_digit,
    is_card_number,
    is_mobile,
    is_phone,
    luhn_ok,
    mask_card,
    mask_id,
    mask_phone,
    missing_steps,
    name_key,
    normal_name,
    normal_number,
    person_state,
    plausible_name,
)

TODAY = date(2026, 11, 24)

# --- text ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        (" 张三 ", "张三"), ("王　强", "王强"), ("王  强", "王强"), ("𠮷　田", "𠮷田"),
        ("\u200b李〇\ufeff", "李〇"), ("John  Smith", "John Smith"), ("䶮\u00a0", "䶮"),
        ("买买提·阿不都热合曼·吐尔逊", "买买提·阿不都热合曼·吐尔逊"),
        ("ＡＢ", "ＡＢ"),  # letters of a name are not ours to change
    ],
)
def test_names_are_only_trimmed(typed: str, stored: str) -> None:
    assert normal_name(typed) == stored


def test_spellings_of_one_name() -> None:
    assert name_key("买买提•吐尔逊") == name_key("买买提·吐尔逊") == name_key("买买提 ·吐尔逊")
    assert name_key("john smith") == name_key("John  Smith")
    assert name_key("王强") != name_key("王刚")


@pytest.mark.parametrize("name", ["张三", "𠮷", "\U00031350某", "\ue863某", "李〇", "A·b"])
def test_names_that_may_be(name: str) -> None:
    assert plausible_name(name)


@pytest.mark.parametrize("name", ["", "123", "张3", "——", "张\x07", "张\u200b", "某" * 61])
def test_names_that_may_not_be(name: str) -> None:
    assert not plausible_name(name)


# --- identity documents ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "birth_day", "sex"),
    [
        ("410000199003070010", date(1990, 3, 7), "男"),
        ("410000197811230028", date(1978, 11, 23), "女"),
        ("41900019880808005X", date(1988, 8, 8), "男"),
    ],
)
def test_published_examples(number: str, birth_day: date, sex: str) -> None:
    identity = check_identity(number)
    assert (identity.kind, identity.number) == ("01", number)
    assert (identity.birth_day, identity.sex) == (birth_day, sex)


def test_sloppy_writing_is_forgiven() -> None:
    for typed in (
        "41900019880808005x", "４１９０００１９８８０８０８００５Ｘ", " 419000 19880808 005x\u200b", "419000\u300019880808005ｘ",
    ):
        assert check_identity(typed).number == "41900019880808005X"


def test_fifteen_digits_become_eighteen() -> None:
    identity = check_identity("410000780101001")
    assert (identity.number, identity.birth_day) == ("410000197801010013", date(1978, 1, 1))
    with pytest.raises(IdentityError) as wrong:
        check_identity("410000780231001")
    assert wrong.value.problem is IdentityProblem.DATE


@pytest.mark.parametrize(
    ("number", "problem"),
    [
        ("410000199003070011", IdentityProblem.CHECK_DIGIT),
        ("410000199002300011", IdentityProblem.DATE),
        ("410000189912310011", IdentityProblem.DATE),
        ("41000019900307001", IdentityProblem.LENGTH),
        ("", IdentityProblem.LENGTH),
        ("4100001990030700100", IdentityProblem.LENGTH),
        ("41000019900307X010", IdentityProblem.FORM),
        ("41000019900307001Y", IdentityProblem.FORM),
        ("四10000199003070010", IdentityProblem.FORM),
    ],
)
def test_wrong_numbers(number: str, problem: IdentityProblem) -> None:
    with pytest.raises(IdentityError) as wrong:
        check_identity(number)
    assert wrong.value.problem is problem
    assert wrong.value.reason
    assert number == "" or number not in str(wrong.value)


@given(st.integers(0, 10**6 - 1), st.dates(date(1900, 1, 1), date(2100, 12, 31)), st.integers(0, 999))
def test_one_changed_digit_is_always_found(area: int, birth: date, order: int) -> None:
    body = f"{area:06d}{birth.year:04d}{birth.month:02d}{birth.day:02d}{order:03d}"
    number = body + id_check_digit(body)
    assert check_identity(number, "01").birth_day == birth
    place = order % 17
    other = str((int(number[place]) + 1) % 10)
    with pytest.raises(IdentityError):
        check_identity(number[:place] + other + number[place + 1 :], "01")


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        ("810000199202020010", "L10"), ("820000198512120014", "L10"), ("830000197810100019", "L12"),
        ("941840198801010017", "L20"),
    ],
)
def test_residence_permits_are_known_by_their_numbers(number: str, kind: str) -> None:
    identity = check_identity(number)
    assert identity.kind == kind
    assert identity.birth_day is not None
    assert (identity.sex == "") == (kind == "L20")
    assert check_identity(number, kind) == identity
    with pytest.raises(IdentityError) as wrong:
        check_identity("410000199003070010", kind)
    assert wrong.value.problem is IdentityProblem.FORM


@pytest.mark.parametrize(
    ("kind", "number", "good"),
    [
        ("L20", "CHN123456789012", True), ("L20", "CH1234567890123", False), ("08", "e12345678", True),
        ("08", "E1", False), ("10", "H12345678", True), ("10", "H1234567890", True),
        ("10", "X12345678", False), ("12", "12345678", True), ("12", "1234567890A", True),
        ("02", "军字第1234567号", True), ("02", "1", False), ("99", "a\x00bcd", False),
    ],
)
def test_other_documents(kind: str, number: str, good: bool) -> None:
    if good:
        identity = check_identity(number, kind)
        assert (identity.kind, identity.birth_day, identity.sex) == (kind, None, "")
    else:
        with pytest.raises(IdentityError):
            check_identity(number, kind)


# --- phone, card, masks ----------------------------------------------------------------------


def test_phones() -> None:
    assert is_mobile("13800001234") and not is_mobile("12800001234")
    assert not is_mobile("1380000123") and not is_mobile("138000012345")
    assert is_phone(normal_number("0391-663 0001")) and is_phone("6630001")
    assert not is_phone("12345") and not is_phone("")


def test_cards() -> None:
    for card in ("6200000000000000018", "6200000000000123455", "620000000000007778"):
        assert is_card_number(card) and luhn_ok(card)
        assert not luhn_ok(card[:-1] + str((int(card[-1]) + 1) % 10))
    assert not is_card_number("620000000000") and not is_card_number("62000000000000000180")
    assert not is_card_number("６２０００００００００００００")


def test_one_mask_everywhere() -> None:
    assert mask_id("419000197811230040") == "4190**********0040"
    assert mask_id("E12345678") == "E1*****78"
    assert mask_id("CHN123456789012") == "CHN1*******9012"
    assert mask_phone("13800001234") == "138****1234"
    assert mask_phone("03916630001") == "****0001"
    assert mask_phone("") == mask_card("") == ""
    assert mask_card("6200000000000000018") == "****0018"


# --- ages ------------------------------------------------------------------------------------


def test_age_by_month_and_day() -> None:
    assert age_on(date(2010, 11, 24), date(2026, 11, 23)) == 15
    assert age_on(date(2010, 11, 24), date(2026, 11, 24)) == 16
    leap = date(2008, 2, 29)
    assert age_on(leap, date(2026, 2, 28)) == 17
    assert age_on(leap, date(2026, 3, 1)) == 18
    assert age_on(leap, date(2028, 2, 29)) == 20


@pytest.mark.parametrize(
    ("age", "sex", "code"),
    [
        (15, "男", "under_age"), (16, "男", "minor"), (17, "女", "minor"), (18, "男", None),
        (49, "女", None), (50, "女", "senior"), (59, "男", None), (60, "男", "senior"),
        (59, "", None), (60, "", "senior"),
    ],
)
def test_age_bands(age: int, sex: str, code: str | None) -> None:
    band = age_band(age, sex, minor_below=18, senior_male=60, senior_female=50)
    assert (band and band.code) == code
    if band is not None:
        assert (band.level is AgeLevel.BLOCK) == (age < 16)


# --- the gate --------------------------------------------------------------------------------

DAY = date(2026, 3, 2)
COMPLETE = Evidence(
    entered_on=DAY, has_contract=True, contract_from=DAY, housing_registered_on=DAY,
    labour_registered_on=DAY, trained_on=DAY,
)


def test_the_state_is_the_furthest_step_with_evidence() -> None:
    later = TODAY + timedelta(days=3)
    steps = [
        (Evidence(), PersonState.CANDIDATE),
        (Evidence(entered_on=later), PersonState.CANDIDATE),
        (Evidence(has_contract=True), PersonState.CONTRACTED),
        (Evidence(has_contract=True, housing_registered_on=DAY), PersonState.CONTRACTED),
        (replace(COMPLETE, entered_on=None), PersonState.REGISTERED),
        (replace(COMPLETE, entered_on=later, enrolled_on=DAY), PersonState.ENROLLED),
        (Evidence(entered_on=TODAY), PersonState.ON_SITE),
        (Evidence(entered_on=DAY, left_on=later), PersonState.ON_SITE),
        (Evidence(entered_on=DAY, left_on=TODAY), PersonState.EXITED),
    ]
    for evidence, state in steps:
        assert person_state(evidence, TODAY) is state


def test_nothing_is_missing_when_all_came_before() -> None:
    assert missing_steps(COMPLETE) == []
    assert missing_steps(replace(COMPLETE, entered_on=None)) == []


def test_each_missing_step_names_clause_and_next_act() -> None:
    steps = missing_steps(Evidence(entered_on=DAY))
    assert [step.code for step in steps] == [
        "contract_missing", "housing_registration_missing", "labour_registration_missing",
        "training_missing",
    ]
    assert [step.finding[:4] for step in steps] == ["未签先进", "未登记先", "未登记先", "未教育先"]
    assert all(step.clause and step.next_act for step in steps)


def test_managers_need_no_contract_with_us() -> None:
    codes = [step.code for step in missing_steps(Evidence(is_manager=True, entered_on=DAY))]
    assert "contract_missing" not in codes and "housing_registration_missing" in codes


def test_a_contract_without_term_is_incomplete() -> None:
    steps = missing_steps(replace(COMPLETE, contract_from=None))
    assert [step.code for step in steps] == ["contract_term_missing"]


def test_what_came_late_is_a_finding_unless_taken_over() -> None:
    late = replace(
        COMPLETE, contract_from=DAY + timedelta(days=1), trained_on=DAY + timedelta(days=2)
    )
    assert [step.code for step in missing_steps(late)] == ["contract_late", "training_late"]
    assert missing_steps(replace(late, taken_over_on=date(2026, 6, 1))) == []
    bare = Evidence(entered_on=DAY, taken_over_on=date(2026, 6, 1))
    assert len(missing_steps(bare)) == 4


def test_the_gate_lets_nobody_past_a_missing_step() -> None:
    def codes(step: PersonState, evidence: Evidence) -> list[str]:
        return [missing.code for missing in blockers(step, evidence)]

    nothing = Evidence()
    assert codes(PersonState.CANDIDATE, nothing) == []
    assert codes(PersonState.CONTRACTED, nothing) == []
    assert codes(PersonState.REGISTERED, nothing) == ["contract_missing"]
    assert codes(PersonState.ENROLLED, nothing) == [
        "contract_missing", "housing_registration_missing", "labour_registration_missing"
    ]
    assert len(codes(PersonState.ON_SITE, nothing)) == 4
    signed = Evidence(has_contract=True, contract_from=DAY)
    assert codes(PersonState.REGISTERED, signed) == []
    for step in GATE_ORDER:
        assert blockers(step, COMPLETE) == []
        assert blockers(step, nothing, relaxed=True) == []
    assert blockers(PersonState.SUSPENDED, nothing) == []
    late = replace(COMPLETE, contract_from=DAY + timedelta(days=1))
    assert missing_steps(late) and blockers(PersonState.ON_SITE, late) == []

"""The longest term decides, nothing is due while a day is missing, two persons are two."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.retention.rules import (
    CLASS_WORDS,
    CLAUSES,
    Facts,
    Hands,
    RecordClass,
    Snapshots,
    Start,
    contract_ended_on,
    decide,
    may_run_on,
    months_until,
    snapshot_bytes,
    two_persons,
    years_after,
)

DAYS = st.dates(date(2020, 1, 1), date(2040, 12, 31))
FACTS = st.builds(
    Facts, completed_on=DAYS, settled_on=DAYS, last_pay_on=DAYS, contract_ended_on=DAYS,
    assessed_on=DAYS, left_on=DAYS,
)
CLASSES = st.sampled_from(list(RecordClass))
BOOK = [one for one in RecordClass if one is not RecordClass.BIOMETRIC]


@given(CLASSES, FACTS)
def test_no_clause_is_ever_cut_short(record_class: RecordClass, facts: Facts) -> None:
    decision = decide(record_class, facts)
    assert decision.earliest is not None and decision.decided_by in decision.terms
    ends = [term.ends_on for term in decision.terms if term.ends_on is not None]
    assert len(ends) == len(CLAUSES[record_class])
    assert decision.earliest == max(ends)
    assert decision.decided_by is not None and decision.decided_by.ends_on == decision.earliest
    for term in decision.terms:
        start = facts.of(term.clause.start)
        assert term.starts_on == start is not None
        assert term.ends_on == years_after(start, term.clause.years)
    assert decision.decided_by.clause.id in decision.explanation


@given(FACTS)
def test_the_formulas_of_the_regulation(facts: Facts) -> None:
    """Section 6, written out once more by hand."""
    done, settled, pay = facts.completed_on, facts.settled_on, facts.last_pay_on
    assert done is not None and settled is not None and pay is not None
    both = years_after(max(done, settled), 3)
    earliest = {one: decide(one, facts).earliest for one in RecordClass}
    assert earliest[RecordClass.ATTENDANCE] == max(years_after(done, 2), years_after(settled, 3))
    assert earliest[RecordClass.LEDGER] == both
    assert earliest[RecordClass.PAYROLL] == max(years_after(pay, 3), both)
    assert earliest[RecordClass.BIOMETRIC] == facts.left_on
    # Raw data never outlives the ledger, so it can always be purged first.
    assert earliest[RecordClass.ATTENDANCE] <= both  # type: ignore[operator]


@given(
    st.sampled_from(BOOK), FACTS, st.sampled_from(["completed_on", "settled_on"]),
)
def test_without_one_of_the_two_days_nothing_is_due(
    record_class: RecordClass, facts: Facts, missing: str
) -> None:
    decision = decide(record_class, replace(facts, **{missing: None}))
    assert decision.earliest is None and decision.decided_by is None
    assert decision.missing and "不得清除" in decision.explanation


@given(CLASSES, FACTS, st.integers(0, 400))
def test_a_later_day_never_makes_anything_due_sooner(
    record_class: RecordClass, facts: Facts, more: int
) -> None:
    before = decide(record_class, facts).earliest
    for name in ("completed_on", "settled_on", "last_pay_on", "contract_ended_on"):
        later = replace(facts, **{name: getattr(facts, name) + timedelta(days=more)})
        after = decide(record_class, later).earliest
        assert before is not None and after is not None and after >= before


def test_the_sentence_names_rule_start_and_the_others() -> None:
    facts = Facts(date(2027, 3, 10), date(2027, 6, 30))
    attendance = decide(RecordClass.ATTENDANCE, facts)
    assert attendance.explanation == (
        "2030-06-30起可清除：依 T-28c 支付条例第二十八条：工资结清后保存不少于3年，"
        "自工资全部结清日2027-06-30起算（P-2.2.3c 至2029-03-10；M-13b 至2029-03-10，取最长）。"
    )
    late = decide(RecordClass.ATTENDANCE, Facts(date(2029, 3, 10), date(2027, 6, 30)))
    assert late.decided_by is not None and late.decided_by.clause.id == "P-2.2.3c"
    assert decide(RecordClass.PAYROLL, facts).missing == ("最后一次发薪日",)
    assert decide(RecordClass.ASSESSMENT, Facts()).missing == (
        "工程竣工日", "工资全部结清日", "评估报告日",
    )
    assert decide(RecordClass.BIOMETRIC, Facts(left_on=date(2026, 11, 28))).earliest == date(
        2026, 11, 28
    )


@given(st.dates(date(2000, 1, 1), date(2090, 1, 1)), st.integers(0, 5))
def test_a_term_of_years_is_never_shorter_than_them(day: date, years: int) -> None:
    end = years_after(day, years)
    assert (end.year, end.month, end.day) >= (day.year + years, day.month, day.day)
    assert (end - day).days <= 366 * years + 1


def test_leap_days_go_to_march() -> None:
    assert years_after(date(2028, 2, 29), 3) == date(2031, 3, 1)
    assert years_after(date(2028, 2, 29), 4) == date(2032, 2, 29)


@pytest.mark.parametrize(
    ("one", "other", "two"),
    [
        (Hands("甲", 1), Hands("乙", 2), True),
        (Hands("甲", 1), Hands("甲", 1), False),
        (Hands("甲", 1), Hands("乙", 1), False),
        (Hands("甲", 1), Hands(" 甲 ", 2), False),
        (Hands("Ａda", 1), Hands("ada", 2), False),
        (Hands("管理员", None), Hands("管理员", None), False),
        (Hands("管理员", None), Hands("王经理", 1), False),
        (Hands("甲", None), Hands("乙", None), True),
    ],
)
def test_two_persons_are_certainly_two(one: Hands, other: Hands, two: bool) -> None:
    assert two_persons(one, other) is two and two_persons(other, one) is two


def test_when_a_contract_was_over() -> None:
    end, left, done = date(2026, 12, 31), date(2026, 11, 28), date(2027, 3, 10)
    assert contract_ended_on(end, left, done) == end
    assert contract_ended_on(None, left, done) == left
    assert contract_ended_on(None, None, done) == done
    assert contract_ended_on(None, None, None) is None


def test_the_disk_arithmetic() -> None:
    assert snapshot_bytes(Snapshots.NONE, 1_000_000, 30) == 0
    assert snapshot_bytes(Snapshots.ALL, 1_000_000, 30) == 30_000_000 * 1024
    assert snapshot_bytes(Snapshots.ABNORMAL, 1_000_000, 30) == 1_500_000 * 1024
    assert months_until(date(2026, 11, 24), date(2027, 3, 10)) == 5
    assert months_until(date(2026, 11, 24), date(2026, 10, 1)) == 0
    assert may_run_on(date(2030, 6, 30), 7) == date(2030, 7, 7)


def test_every_class_has_a_word_and_clauses() -> None:
    assert set(CLASS_WORDS) == set(CLAUSES) == set(RecordClass)
    assert {clause.start for clauses in CLAUSES.values() for clause in clauses} == set(Start)

"""How long must what be kept? Pure rules of regulation §6: sources disagree, the longest decides.

Every clause gives a day of its own; the earliest day of purging is the latest of them. While 竣工 or
the settlement of wages is not known, nothing in the book may be purged at all. Two persons are
needed: who they are is decided here, that they act is not.
"""

from __future__ import annotations

import enum
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from types import MappingProxyType


class RecordClass(enum.StrEnum):
    """Kinds of records by the rules that hold for them."""

    ATTENDANCE = "attendance"
    LEDGER = "ledger"
    PAYROLL = "payroll"
    CONTRACT = "contract"
    ASSESSMENT = "assessment"
    BIOMETRIC = "biometric"


CLASS_WORDS: Mapping[RecordClass, str] = MappingProxyType({
    RecordClass.ATTENDANCE: "电子考勤原始数据、影像和原始下载",
    RecordClass.LEDGER: "用工管理台账（花名册、合同、进退场、签字表、公示、告示牌）",
    RecordClass.PAYROLL: "工资支付台账",
    RecordClass.CONTRACT: "已终止的劳动合同",
    RecordClass.ASSESSMENT: "个人信息保护影响评估",
    RecordClass.BIOMETRIC: "考勤机里的人脸、指纹模板",
})


class Start(enum.StrEnum):
    """What a term is counted from."""

    COMPLETED = "completed"
    SETTLED = "settled"
    BOTH = "both"
    """The later of completion and settlement."""
    LAST_PAY = "last_pay"
    CONTRACT_END = "contract_end"
    ASSESSED = "assessed"
    EXIT = "exit"


START_WORDS: Mapping[Start, str] = MappingProxyType({
    Start.COMPLETED: "工程竣工日",
    Start.SETTLED: "工资全部结清日",
    Start.BOTH: "竣工且工资全部结清之日",
    Start.LAST_PAY: "最后一次发薪日",
    Start.CONTRACT_END: "合同终止日",
    Start.ASSESSED: "评估报告日",
    Start.EXIT: "退场日",
})


@dataclass(frozen=True, slots=True)
class Clause:
    """One rule: its id in the catalogue, what it says, what it counts from and how long."""

    id: str
    says: str
    start: Start
    years: int


CLAUSES: Mapping[RecordClass, tuple[Clause, ...]] = MappingProxyType({
    RecordClass.ATTENDANCE: (
        Clause("P-2.2.3c", "实施方案二（二）：竣工后保存不少于2年", Start.COMPLETED, 2),
        # No start is stated; the completion is the latest that can be meant.
        Clause("M-13b", "实名制管理办法第十三条：保存不少于2年", Start.COMPLETED, 2),
        Clause("T-28c", "支付条例第二十八条：工资结清后保存不少于3年", Start.SETTLED, 3),
    ),
    RecordClass.LEDGER: (
        Clause("T-28c", "支付条例第二十八条：竣工且工资结清后保存不少于3年", Start.BOTH, 3),
        Clause("A-11", "专用账户办法第十一条：同用工管理台账", Start.BOTH, 3),
    ),
    RecordClass.PAYROLL: (
        Clause("T-15a", "支付条例第十五条：保存不少于3年", Start.LAST_PAY, 3),
        Clause("WP-6", "工资支付暂行规定第六条：保存不少于2年", Start.LAST_PAY, 2),
        Clause("T-28c", "支付条例第二十八条：竣工且工资结清后保存不少于3年", Start.BOTH, 3),
    ),
    RecordClass.CONTRACT: (
        Clause("T-28c", "支付条例第二十八条：竣工且工资结清后保存不少于3年", Start.BOTH, 3),
        Clause("LC-50", "劳动合同法第五十条：终止后保存不少于2年", Start.CONTRACT_END, 2),
    ),
    RecordClass.ASSESSMENT: (
        Clause("PI-56", "个人信息保护法第五十六条：保存不少于3年", Start.ASSESSED, 3),
    ),
    RecordClass.BIOMETRIC: (
        Clause("PI-19", "个人信息保护法第十九条、人脸识别办法：最短必要，退场即删", Start.EXIT, 0),
    ),
})
"""Which clauses speak of which records; among equal days the first one is named as deciding."""

PURGED_HERE = (RecordClass.ATTENDANCE, RecordClass.LEDGER)
"""Classes a purge is proposed for. Contracts go with the ledger of their person; of payroll the
book holds nothing yet; the assessment is paper; templates never were in the book."""

WAITING_DAYS = 7
"""Between approval and run, unless the policy says otherwise: time to object, to place a hold."""
LEAST_WAITING, MOST_WAITING = 1, 90


@dataclass(frozen=True, slots=True)
class Facts:
    """The days the terms are counted from; None where nothing is known."""

    completed_on: date | None = None
    settled_on: date | None = None
    last_pay_on: date | None = None
    contract_ended_on: date | None = None
    assessed_on: date | None = None
    left_on: date | None = None

    def of(self, start: Start) -> date | None:
        """The day a term with this start is counted from."""
        if start is Start.BOTH:
            if self.completed_on is None or self.settled_on is None:
                return None
            return max(self.completed_on, self.settled_on)
        return {
            Start.COMPLETED: self.completed_on, Start.SETTLED: self.settled_on,
            Start.LAST_PAY: self.last_pay_on, Start.CONTRACT_END: self.contract_ended_on,
            Start.ASSESSED: self.assessed_on, Start.EXIT: self.left_on,
        }[start]


@dataclass(frozen=True, slots=True)
class Term:
    """What one clause asks: from when, until when; ``ends_on`` None while its start is unknown."""

    clause: Clause
    starts_on: date | None
    ends_on: date | None


@dataclass(frozen=True, slots=True)
class Decision:
    """All terms of a class, and the earliest day of purging with the term that decided it.

    ``earliest`` is None while a day is missing; ``missing`` names each of them in words.
    """

    record_class: RecordClass
    terms: tuple[Term, ...]
    earliest: date | None
    decided_by: Term | None
    missing: tuple[str, ...]

    @property
    def explanation(self) -> str:
        """One sentence: which rule decided, or what is missing."""
        if self.earliest is None or self.decided_by is None:
            return f"还缺{'、'.join(self.missing)}，不得清除。"
        clause = self.decided_by.clause
        others = "；".join(
            f"{term.clause.id} 至{term.ends_on}"
            for term in self.terms if term is not self.decided_by
        )
        beside = f"（{others}，取最长）" if others else ""
        return (
            f"{self.earliest}起可清除：依 {clause.id} {clause.says}，"
            f"自{START_WORDS[clause.start]}{self.decided_by.starts_on}起算{beside}。"
        )


def decide(record_class: RecordClass, facts: Facts) -> Decision:
    """The earliest day on which records of a class may be purged: the latest of all its terms."""
    terms = tuple(
        Term(clause, start, None if start is None else years_after(start, clause.years))
        for clause in CLAUSES[record_class]
        for start in (facts.of(clause.start),)
    )
    missing = _missing(record_class, facts, terms)
    if missing:
        return Decision(record_class, terms, None, None, missing)
    deciding = terms[0]
    for term in terms[1:]:
        assert term.ends_on is not None and deciding.ends_on is not None
        if term.ends_on > deciding.ends_on:
            deciding = term
    return Decision(record_class, terms, deciding.ends_on, deciding, ())


def _missing(
    record_class: RecordClass, facts: Facts, terms: tuple[Term, ...]
) -> tuple[str, ...]:
    """The two days of the project first; a template on a terminal waits for neither."""
    missing = []
    if record_class is not RecordClass.BIOMETRIC:
        missing += [
            START_WORDS[start]
            for start in (Start.COMPLETED, Start.SETTLED) if facts.of(start) is None
        ]
    for term in terms:
        start = term.clause.start
        word = START_WORDS[start]
        if term.starts_on is None and start is not Start.BOTH and word not in missing:
            missing.append(word)
    return tuple(missing)


def years_after(day: date, years: int) -> date:
    """The same day ``years`` later; 29 February becomes 1 March, so that no term is shortened.

    >>> years_after(date(2028, 2, 29), 2)
    datetime.date(2030, 3, 1)
    """
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return date(day.year + years, 3, 1)


def contract_ended_on(
    contract_to: date | None, left_on: date | None, completed_on: date | None
) -> date | None:
    """When a contract was over: the later of its last day and the exit; one without either ended
    with the project at the latest."""
    known = [day for day in (contract_to, left_on) if day is not None]
    return max(known) if known else completed_on


# ── two persons ─────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Hands:
    """Who did a step: the user's name, and his number where the book has users."""

    name: str
    user_id: int | None


def two_persons(first: Hands, second: Hands) -> bool:
    """Are these certainly two? Names and numbers must both differ.

    One with a number and one without cannot be told apart: the first administrator may have been
    given both his number and another name in between.
    """
    if (first.user_id is None) != (second.user_id is None):
        return False
    if first.user_id is not None and first.user_id == second.user_id:
        return False
    return _key(first.name) != _key(second.name)


def _key(name: str) -> str:
    """Width, case and blanks do not make two people of one."""
    return "".join(unicodedata.normalize("NFKC", name).casefold().split())


def may_run_on(approved_on: date, waiting_days: int) -> date:
    """First day of the run."""
    return approved_on + timedelta(days=waiting_days)


# ── how much disk ───────────────────────────────────────────────────────────────────────────────


class Snapshots(enum.StrEnum):
    """Which punches may bring a picture along. Face templates never come into the book."""

    NONE = "none"
    ABNORMAL = "abnormal"
    ALL = "all"


SNAPSHOT_WORDS: Mapping[Snapshots, str] = MappingProxyType({
    Snapshots.NONE: "不留存抓拍照片",
    Snapshots.ABNORMAL: "只留存异常打卡的抓拍照片",
    Snapshots.ALL: "留存每次打卡的抓拍照片",
})

SNAPSHOT_KB = 30
"""Size of one snapshot unless measured otherwise (storage-notes §4)."""
_ABNORMAL_PERCENT = 5
"""Share of punches that need a second look; a custom of offices, used for the forecast only."""


def snapshot_bytes(policy: Snapshots, punches: int, snapshot_kb: int) -> int:
    """Bytes of the pictures of so many punches."""
    share = {Snapshots.NONE: 0, Snapshots.ABNORMAL: _ABNORMAL_PERCENT, Snapshots.ALL: 100}[policy]
    return punches * share // 100 * snapshot_kb * 1024


def months_until(first: date, last: date) -> int:
    """Calendar months from the month of ``first`` to that of ``last``, both counted; 0 if none."""
    return max(0, (last.year - first.year) * 12 + last.month - first.month + 1)

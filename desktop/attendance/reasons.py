"""Why a cell is what it is, in one Chinese sentence naming the punches and the rule. Pure.

Sentences are made when somebody asks, never while a month is computed: a large site has 300,000
cells. Nothing here decides anything; the verdicts come from ``rules``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from desktop.attendance.rules import (
    DAY_S,
    EXPLAINED_SYMBOLS,
    Cell,
    Dropped,
    Standing,
    Way,
    plain,
    standing_of,
    starts_at_night,
    terminal_of,
    time_of,
    way_of,
)
from desktop.site.rules import Basis, RulePack
from desktop.storage.types import day_of

BASIS_WORDS = {Basis.VERIFICATION: "核验口径", Basis.WORKDAY: "计工口径"}
LEAVE_WORDS = {"personal": "事假", "sick": "病假", "injury": "工伤", "business": "公出"}
WAY_WORDS = {Way.IN: "进", Way.OUT: "出", Way.UNKNOWN: "方向未定"}

DROPPED_WORDS = {
    Standing.NOT_ACCEPTED: "考勤机未通过验证",
    Standing.NOT_BIOMETRIC: "不是生物识别方式",
    Standing.UNPROVEN: "验证方式未注明，且该机未声明仅生物识别",
    Standing.REPEATED: "与上一次同方向打卡相隔太近，视为重复",
    Standing.OUTSIDE_STAY: "不在本人进退场期间",
}

DROPPED_CODES = {
    Standing.NOT_ACCEPTED: "not_accepted",
    Standing.NOT_BIOMETRIC: "not_biometric",
    Standing.UNPROVEN: "unproven_method",
    Standing.REPEATED: "repeated",
    Standing.OUTSIDE_STAY: "outside_stay",
}


@dataclass(frozen=True, slots=True)
class Gate:
    """What a sentence says of a terminal."""

    name: str
    biometric_only_from: date | None


@dataclass(frozen=True, slots=True)
class Blank:
    """What is known of a day without a kept punch; texts are empty where nothing applies."""

    stop: str = ""
    """Reason and document of the stop-work order; not empty when the day is stopped."""
    leave: str = ""
    holiday: str = ""
    stay: str = ""
    """The entry and exit days when the day lies outside them."""


@dataclass(frozen=True, slots=True)
class Explained:
    """An approved explanation of a cell."""

    number: int
    half_days: int
    reason: str


def moment(t_local: int, day: int) -> str:
    """Time of day as seen from an attendance day: ``07:02``, ``次日06:05``, ``11-02 23:10``."""
    minutes = t_local % DAY_S // 60
    clock = f"{minutes // 60:02d}:{minutes % 60:02d}"
    own = t_local // DAY_S
    if own == day:
        return clock
    if own == day + 1:
        return f"次日{clock}"
    return f"{day_of(own):%m-%d} {clock}"


def named(punch: int, day: int, gates: Sequence[Gate]) -> str:
    """``07:02（东门，进）``."""
    return (
        f"{moment(time_of(punch), day)}（{gates[terminal_of(punch)].name}，"
        f"{WAY_WORDS[way_of(punch)]}）"
    )


def punched_reason(
    day: int,
    bucket: Sequence[int],
    cell: Cell,
    *,
    night_team: bool,
    rule: RulePack,
    gates: Sequence[Gate],
) -> str:
    """The sentence of a day with kept punches ``bucket``."""
    names = "、".join(named(punch, day, gates) for punch in bucket)
    sentence = f"{names}，"
    if len(bucket) == 1:
        sentence += "当日仅此一次有效打卡，规则不能判定出勤，待核"
    else:
        sentence += f"首末次{_verdict(bucket, cell, night_team=night_team, rule=rule)}"
    declared = [punch for punch in bucket if standing_of(plain(punch)) is Standing.DECLARED]
    if declared:
        sentence += f"；{_declared(declared, day, gates)}"
    return f"{sentence}。"


def _verdict(bucket: Sequence[int], cell: Cell, *, night_team: bool, rule: RulePack) -> str:
    first = time_of(bucket[0])
    span = _long(time_of(bucket[-1]) - first)
    basis, full, half = BASIS_WORDS[rule.basis], hours_text(rule.full_s), hours_text(rule.half_s)
    if cell.half_days == 2:
        text = f"相隔{span}，达到{full}，计1天（{basis}）"
        if night_team:
            return f"{text}，班组当日为夜班，记夜班"
        if starts_at_night(first, rule):
            return f"{text}，首次打卡在夜间，记夜班"
        return text
    if cell.half_days == 1:
        return f"相隔{span}，达到{half}、不足{full}，计半天（{basis}）"
    return f"相隔{span}，不足{half}（{basis}），规则不能判定出勤，待核"


def hours_text(seconds: int) -> str:
    """A threshold in words: ``4小时``, ``2小时30分``."""
    hours, minutes = divmod(seconds // 60, 60)
    return f"{hours}小时{minutes}分" if minutes else f"{hours}小时"


def _long(seconds: int) -> str:
    """``11小时03分``; seconds are shown where minutes would hide that a limit was missed."""
    minutes, rest = divmod(seconds, 60)
    text = f"{minutes // 60}小时{minutes % 60:02d}分"
    return f"{text}{rest:02d}秒" if minutes % 60 == 59 else text


def _declared(punches: Sequence[int], day: int, gates: Sequence[Gate]) -> str:
    times = "、".join(moment(time_of(punch), day) for punch in punches)
    since = "、".join(
        f"{gates[place].name}自{gates[place].biometric_only_from}起"
        for place in sorted({terminal_of(punch) for punch in punches})
    )
    return f"其中{times}未注明验证方式，因{since}声明仅生物识别而计入"


def blank_reason(blank: Blank) -> str:
    """The sentence of a day without a kept punch, in the order of ``rules.blank``."""
    if blank.stop:
        return f"当日停工（{blank.stop}），无打卡记录。"
    if blank.leave:
        return f"当日{blank.leave}，无打卡记录。"
    if blank.holiday:
        return f"法定节假日（{blank.holiday}），无打卡记录。"
    if blank.stay:
        return f"当日不在进退场期间（{blank.stay}）。"
    return "当日无打卡记录。"


def dropped_reason(dropped: Dropped, gates: Sequence[Gate]) -> str:
    """The sentence of a punch that does not count."""
    name = named(dropped.punch, dropped.day, gates)
    return f"{name}未计：{DROPPED_WORDS[dropped.why]}。"


def explained_reason(explained: Explained) -> str:
    """The sentence of an explained cell."""
    value = {2: "计1天", 1: "计半天", 0: "未出勤"}[explained.half_days]
    symbol = EXPLAINED_SYMBOLS[explained.half_days]
    return (
        f"说明{explained.number}号（{explained.reason}）经核实{value}，记“{symbol}”，"
        "打卡数据未作改动。"
    )

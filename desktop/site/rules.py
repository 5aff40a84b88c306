"""The rule pack of a project and the check of credit codes: plain data and pure functions.

A rule pack holds every threshold that decides what a punch is worth (invariant 10). It is data
with an effective date; a month is always computed under the pack then in force. This module reads
no table and no clock.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import date

HOUR_S = 3600


class Basis(enum.StrEnum):
    """What a day's value is measured against (regulation §8)."""

    VERIFICATION = "verification"
    """核验口径: the person was on site; first to last punch at least four hours."""
    WORKDAY = "workday"
    """计工口径: the person worked a day; at least six hours."""


SPANS_S = {
    Basis.VERIFICATION: (4 * HOUR_S, 2 * HOUR_S),
    Basis.WORKDAY: (6 * HOUR_S, 3 * HOUR_S),
}
"""Seconds from first to last punch for a full and for half a day, by basis."""

_BASIS_WORDS = {Basis.VERIFICATION: "核验口径", Basis.WORKDAY: "计工口径"}

PRESENCE_NOTE = "在场时长不等于工作时长"
"""Printed with the rule on every sheet."""


@dataclass(frozen=True, slots=True)
class RulePack:
    """The thresholds of a project. ``_s`` are seconds, of a span or since midnight."""

    name: str = "default"
    version: int = 1
    basis: Basis = Basis.VERIFICATION
    full_s: int = 4 * HOUR_S
    half_s: int = 2 * HOUR_S
    day_cut_s: int = 4 * HOUR_S
    """The attendance day begins here in every team."""
    night_cut_s: int = 12 * HOUR_S
    """For unpaired punches of night teams the day begins here."""
    open_limit_s: int = 16 * HOUR_S
    """An ``in`` older than this no longer waits for its ``out``."""
    repeat_s: int = 60
    """A punch this soon after the last kept one of the same direction is a repetition."""
    night_from_s: int = 18 * HOUR_S
    night_to_s: int = 4 * HOUR_S
    """A first punch from the one or before the other makes the day a night."""
    explanations_per_month: int = 0
    """Explained days per person and month before the office is warned; 0 = no limit."""
    month_close_grace_s: int = 16 * HOUR_S
    """A terminal must have been read this long after the month's last midnight."""
    posting_days: int = 5
    """Full calendar days a notice stays up (P-2.4.1b)."""
    key_staff_percent: int = 80
    """The project manager's part of the construction days (P-2.3.2d)."""
    minor_below_age: int = 18
    """16 and 17 are 未成年工 (LL 58): a warning. Under 16 is refused by law, not by rule."""
    senior_male_age: int = 60
    senior_female_age: int = 50
    """From here on the roster import warns (regulation §12: no national or Henan age rule)."""

    @property
    def label(self) -> str:
        """The legend's sentence: 「核验口径：首末次打卡间隔≥4小时计1天，≥2小时计半天」."""
        return (
            f"{_BASIS_WORDS[self.basis]}：首末次打卡间隔≥{_hours(self.full_s)}计1天，"
            f"≥{_hours(self.half_s)}计半天"
        )

    def to_dict(self) -> dict[str, str | int]:
        """Plain JSON content; the inverse of :func:`rule_pack`."""
        content = asdict(self)
        content["basis"] = self.basis.value
        return content


class RuleError(ValueError):
    """A rule pack that cannot be. ``key`` is the offending key, ``reason`` a Chinese sentence."""

    def __init__(self, key: str, reason: str) -> None:
        super().__init__(key)
        self.key = key
        self.reason = reason


_FIXED = frozenset({"name", "version"})
_DAY_S = 24 * HOUR_S
_LIMITS: Mapping[str, tuple[int, int]] = {
    "version": (1, 1_000_000),
    "explanations_per_month": (0, 31),
    "month_close_grace_s": (0, 7 * _DAY_S),
    "posting_days": (5, 31),
    "key_staff_percent": (1, 100),
    "minor_below_age": (16, 30),
    "senior_male_age": (40, 120),
    "senior_female_age": (40, 120),
}
"""Allowed values, both included; what is not named here is 0 … 24 h in seconds."""


def rule_pack(content: Mapping[str, object]) -> RulePack:
    """The pack of a stored or typed document; missing keys have the default of its basis.

    Raises :class:`RuleError` for an unknown key, a wrong type or an impossible value.
    """
    known = {field.name for field in fields(RulePack)}
    for key in content:
        if key not in known:
            raise RuleError(key, f"没有「{key}」这个考勤规则")
    values: dict[str, object] = dict(content)
    basis = _basis(values.get("basis", Basis.VERIFICATION))
    full_s, half_s = SPANS_S[basis]
    values = {"full_s": full_s, "half_s": half_s, **values, "basis": basis}
    name = values.get("name", "default")
    if not isinstance(name, str) or not name.strip():
        raise RuleError("name", "规则名称应为文字")
    for key, value in values.items():
        if key not in ("basis", "name"):
            _check_number(key, value)
    pack = RulePack(**values)  # type: ignore[arg-type]  # every value was checked above
    if not 0 < pack.half_s <= pack.full_s:
        raise RuleError("half_s", "半天的时长须大于0，且不超过全天的时长")
    return pack


def _basis(value: object) -> Basis:
    try:
        return Basis(str(value))
    except ValueError:
        raise RuleError(
            "basis", "计算口径只能是 verification（核验口径）或 workday（计工口径）"
        ) from None


def _check_number(key: str, value: object) -> None:
    low, high = _LIMITS.get(key, (0, _DAY_S))
    if isinstance(value, bool) or not isinstance(value, int):
        raise RuleError(key, f"规则「{key}」应为整数")
    if not low <= value <= high:
        raise RuleError(key, f"规则「{key}」应在{low}到{high}之间")


def overridable() -> tuple[str, ...]:
    """Keys a project may set in its ``[attendance]`` table."""
    return tuple(field.name for field in fields(RulePack) if field.name not in _FIXED)


def in_force(packs: Sequence[tuple[date, RulePack]], day: date) -> RulePack:
    """The pack of ``(effective_from, pack)`` that rules ``day``: the latest not after it.

    Raises :class:`LookupError` when none is old enough.
    """
    ruling = [(start, pack) for start, pack in packs if start <= day]
    if not ruling:
        raise LookupError(day)
    return max(ruling, key=lambda item: item[0])[1]


def _hours(seconds: int) -> str:
    hours, rest = divmod(seconds, HOUR_S)
    minutes = rest // 60
    if not minutes:
        return f"{hours}小时"
    return f"{hours}小时{minutes}分" if hours else f"{minutes}分钟"


CREDIT_SYMBOLS = "0123456789ABCDEFGHJKLMNPQRTUWXY"
"""The 31 symbols of GB 32100-2015; no I, O, S, V, Z."""

_CREDIT_WEIGHTS = tuple(pow(3, place, 31) for place in range(17))
_LOOKALIKE = str.maketrans("OIZSV", "0125U")
"""What is typed for what was printed (forms.md, check digits §3)."""


@dataclass(frozen=True, slots=True)
class CreditCodeCheck:
    """Result of :func:`check_credit_code`: the code as it should be stored, and what is wrong.

    ``problem`` is empty, ``length``, ``symbol`` or ``check_digit``; ``hint`` a likely correct code
    or empty.
    """

    code: str
    problem: str = ""
    hint: str = ""


def check_credit_code(text: str) -> CreditCodeCheck:
    """Check a unified social credit code (GB 32100-2015); blanks and lower case are forgiven."""
    code = "".join(text.split()).upper()
    if len(code) != 18:
        return CreditCodeCheck(code, "length")
    fixed = code.translate(_LOOKALIKE)
    if any(symbol not in CREDIT_SYMBOLS for symbol in fixed):
        return CreditCodeCheck(code, "symbol")
    if code != fixed:
        return CreditCodeCheck(code, "symbol", fixed if credit_digit(fixed[:17]) == fixed[17] else "")
    right = credit_digit(code[:17])
    if right != code[17]:
        return CreditCodeCheck(code, "check_digit", code[:17] + right)
    return CreditCodeCheck(code)


def credit_digit(body: str) -> str:
    """The check symbol of the first 17 symbols."""
    total = sum(
        CREDIT_SYMBOLS.index(symbol) * weight
        for symbol, weight in zip(body, _CREDIT_WEIGHTS, strict=True)
    )
    return CREDIT_SYMBOLS[-total % 31]

"""Rules of people without any I/O: identity documents, ages, masks, and the order of the gate.

Words of the trade: a *person* (人员) has one identity; a *stay* (在场记录) is a person's time on the
project; the gate order (先签后进、先登后进) is contract → registration in both platforms → terminal →
entry. Check digits per forms.md: GB 11643 / ISO 7064 MOD 11-2 and ISO/IEC 7812 (Luhn).
"""

from __future__ import annotations

import enum
import re
import unicodedata
from dataclasses import dataclass
from datetime import date

# --- text as typed ---------------------------------------------------------------------------

_FULL_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: 0x20}
_BLANKS = re.compile(r"[\s\u200b-\u200f\u2060\ufeff\u00a0]+")
_HAN = r"[\u3007\u3400-\u9fff\ue000-\uf8ff\U00020000-\U0003ffff]"
_HAN_GAP = re.compile(rf"(?<={_HAN})\s+(?={_HAN})")
_INVISIBLE = re.compile(r"[\u200b-\u200f\u2060\ufeff]")
_DOTS = dict.fromkeys(map(ord, "•‧・∙⋅･●."), "·")


def half_width(text: str) -> str:
    """Full-width letters, digits and signs as their ASCII twins; nothing else is touched."""
    return text.translate(_FULL_WIDTH)


def normal_code(text: str) -> str:
    """An ID, phone or card number as it is stored: half-width, no blanks, letters upper case."""
    return _BLANKS.sub("", half_width(text)).upper()


def normal_number(text: str) -> str:
    """Like :func:`normal_code`, without the hyphens people group digits with."""
    return normal_code(text).replace("-", "")


def normal_name(text: str) -> str:
    """A person's name: outer blanks and the padding between Han characters removed (王　强).

    Characters themselves are never changed: a rare one stays the one on the card.
    """
    return " ".join(_HAN_GAP.sub("", _INVISIBLE.sub("", text)).split())


def name_key(name: str) -> str:
    """What two spellings of one name have in common: blanks, case and the kind of dot ignored."""
    folded = half_width(normal_name(name)).translate(_DOTS)
    return _BLANKS.sub("", folded).casefold()


def plausible_name(name: str) -> bool:
    """Has a letter, no digit and no control sign, and fits a form (60 characters).

    Signs of private use or not yet known to Python's tables count as letters: rare characters of
    names are often such. 〇 is no digit here.
    """
    kinds = {unicodedata.category(sign) for sign in name}
    letters = {kind for kind in kinds if kind[0] == "L" or kind in ("Co", "Cn", "Nl")}
    return 0 < len(name) <= 60 and bool(letters) and not kinds & {"Nd", "Cc", "Cs", "Cf"}


# --- identity documents ------------------------------------------------------------------------

RESIDENT_ID = "01"
PASSPORT = "08"
HK_MACAO_RESIDENCE = "L10"
TAIWAN_RESIDENCE = "L12"
PERMANENT_RESIDENCE = "L20"
"""Codes of ``id_card_type``; those with L are ours, the national table has none."""

_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_ID_CHECK = "10X98765432"
_OTHER_FORMS = {
    PASSPORT: r"[A-Z0-9]{5,17}",
    "09": r"[HM]\d{8}(\d{2})?",
    "10": r"[HM]\d{8}(\d{2})?",
    "12": r"\d{8}|\d{10}[A-Z]?",
    "23": r"\d{8}|\d{10}[A-Z]?",
}
_ANY_FORM = r"[^\x00-\x1f]{4,30}"


class IdentityProblem(enum.StrEnum):
    """What is wrong with an ID number; the first two are matters of form."""

    LENGTH = "id_length"
    FORM = "id_form"
    DATE = "id_date"
    CHECK_DIGIT = "id_check_digit"


class IdentityError(ValueError):
    """An ID number that cannot be. Carries no number: it ends in reports."""

    def __init__(self, problem: IdentityProblem, reason: str) -> None:
        super().__init__(problem.value)
        self.problem = problem
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Identity:
    """A checked ID number. ``birth_day`` None and ``sex`` empty where the number does not tell."""

    kind: str
    number: str
    birth_day: date | None = None
    sex: str = ""


def check_identity(text: str, kind: str = "") -> Identity:
    """Check and normalise an ID number; an empty ``kind`` is taken from the number itself.

    15-digit resident numbers become 18-digit ones. Raises :class:`IdentityError`.
    """
    number = normal_code(text)
    if kind and kind not in (
        RESIDENT_ID, HK_MACAO_RESIDENCE, TAIWAN_RESIDENCE, PERMANENT_RESIDENCE
    ):
        if not re.fullmatch(_OTHER_FORMS.get(kind, _ANY_FORM), number):
            raise IdentityError(IdentityProblem.FORM, "证件号码与证件类型的格式不符")
        return Identity(kind, number)
    if kind == PERMANENT_RESIDENCE and re.fullmatch(r"[A-Z]{3}\d{12}", number):
        return Identity(kind, number)  # the 2017 card, still valid; its check is not public
    if re.fullmatch(r"\d{15}", number):
        number = _from_15(number)
    if len(number) != 18:
        raise IdentityError(IdentityProblem.LENGTH, f"应为18位，现在是{len(number)}位")
    if not re.fullmatch(r"[0-9]{17}[0-9X]", number):
        raise IdentityError(IdentityProblem.FORM, "只能是17位数字加末位数字或X")
    return _from_18(number, kind or _kind_of(number))


def _from_15(number: str) -> str:
    """First-generation number: ``19`` after the area, check digit added (GB 11643)."""
    body = number[:6] + "19" + number[6:]
    return body + id_check_digit(body)


def _kind_of(number: str) -> str:
    if number.startswith(("810000", "820000")):
        return HK_MACAO_RESIDENCE
    if number.startswith("830000"):
        return TAIWAN_RESIDENCE
    return PERMANENT_RESIDENCE if number.startswith("9") else RESIDENT_ID


_PREFIXES = {
    HK_MACAO_RESIDENCE: ("810000", "820000"),
    TAIWAN_RESIDENCE: ("830000",),
    PERMANENT_RESIDENCE: ("9",),
}


def _from_18(number: str, kind: str) -> Identity:
    if not number.startswith(_PREFIXES.get(kind, ("",))):
        raise IdentityError(IdentityProblem.FORM, "号码开头与证件类型不符")
    try:
        birth_day = date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        birth_day = None
    if birth_day is None or not 1900 <= birth_day.year <= 2100:
        raise IdentityError(IdentityProblem.DATE, "其中的出生日期不存在")
    if id_check_digit(number[:17]) != number[17]:
        raise IdentityError(IdentityProblem.CHECK_DIGIT, "校验位不符，请对照证件逐位核对")
    sex = ""
    if kind != PERMANENT_RESIDENCE:
        sex = "男" if int(number[16]) % 2 else "女"
    return Identity(kind, number, birth_day, sex)


def id_check_digit(body: str) -> str:
    """Check character of 17 digits, ISO 7064 MOD 11-2.

    >>> id_check_digit("41900019880808005")
    'X'
    """
    total = sum(int(digit) * weight for digit, weight in zip(body, _ID_WEIGHTS, strict=True))
    return _ID_CHECK[total % 11]


# --- phone and bank card -------------------------------------------------------------------------

_MOBILE = re.compile(r"1[3-9]\d{9}")
_LANDLINE = re.compile(r"0\d{9,11}|\d{7,8}")


def is_mobile(number: str) -> bool:
    """11 digits, ``1[3-9]…`` (forms.md, §5)."""
    return _MOBILE.fullmatch(number) is not None


def is_phone(number: str) -> bool:
    """A mobile or a landline number, already normalised."""
    return is_mobile(number) or _LANDLINE.fullmatch(number) is not None


def is_card_number(number: str) -> bool:
    """13 to 19 digits (ISO/IEC 7812)."""
    return re.fullmatch(r"[0-9]{13,19}", number) is not None


def luhn_ok(number: str) -> bool:
    """Luhn check of a card number; passbook accounts may fail it and still be right."""
    total = 0
    for place, digit in enumerate(reversed(number)):
        value = int(digit) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


# --- masks (regulation §9) -------------------------------------------------------------------------


def mask_id(number: str) -> str:
    """First 4, stars, last 4; shorter documents keep two and two. One mask everywhere."""
    kept = 4 if len(number) >= 15 else 2
    return number[:kept] + "*" * max(len(number) - 2 * kept, 4) + number[-kept:]


def mask_phone(number: str) -> str:
    """``138****1234``; of other numbers only the last four."""
    return f"{number[:3] if is_mobile(number) else ''}****{number[-4:]}" if number else ""


def mask_card(number: str) -> str:
    """The last four digits."""
    return f"****{number[-4:]}" if number else ""


# --- ages (regulation §12) -------------------------------------------------------------------------

MINIMUM_AGE = 16
"""LL 15: nobody under 16 works. The only age that blocks."""


def age_on(birth_day: date, day: date) -> int:
    """Full years; born on 29 February counts on 1 March in common years."""
    return day.year - birth_day.year - ((day.month, day.day) < (birth_day.month, birth_day.day))


class AgeLevel(enum.StrEnum):
    """How loud an age band speaks."""

    WARN = "warn"
    BLOCK = "block"


@dataclass(frozen=True, slots=True)
class AgeBand:
    """A band an age falls into, with the sentence that says what to do."""

    code: str
    level: AgeLevel
    text: str


def age_band(age: int, sex: str, *, minor_below: int, senior_male: int, senior_female: int) -> (
    AgeBand | None
):
    """The band of ``age``; limits come from the rule pack, except the legal minimum."""
    if age < MINIMUM_AGE:
        return AgeBand("under_age", AgeLevel.BLOCK, "进场时未满16周岁，不得用工（劳动法第15条）")
    if age < minor_below:
        return AgeBand(
            "minor", AgeLevel.WARN, "未成年工：不得安排繁重、高处作业，须定期体检（劳动法第64、65条）"
        )
    limit = senior_female if sex == "女" else senior_male
    if age >= limit:
        return AgeBand(
            "senior", AgeLevel.WARN, f"年满{limit}周岁：请核对法定退休年龄和体检，宜签用工书面协议"
        )
    return None


# --- the gate (design, invariant 3) ---------------------------------------------------------------


class PersonState(enum.StrEnum):
    """Where a person stands on the way through the gate; the last two are side states."""

    CANDIDATE = "candidate"
    CONTRACTED = "contracted"
    REGISTERED = "registered"
    ENROLLED = "enrolled"
    ON_SITE = "on_site"
    EXITED = "exited"
    SUSPENDED = "suspended"
    REFUSED = "refused"


STATE_WORDS = {
    PersonState.CANDIDATE: "待签合同",
    PersonState.CONTRACTED: "已签合同",
    PersonState.REGISTERED: "已登记",
    PersonState.ENROLLED: "已下发",
    PersonState.ON_SITE: "在场",
    PersonState.EXITED: "已退场",
    PersonState.SUSPENDED: "暂停",
    PersonState.REFUSED: "不得进场",
}

GATE_ORDER = (
    PersonState.CANDIDATE, PersonState.CONTRACTED, PersonState.REGISTERED, PersonState.ENROLLED,
    PersonState.ON_SITE, PersonState.EXITED,
)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the book holds of one stay. Dates are None where nothing is held."""

    is_manager: bool = False
    entered_on: date | None = None
    left_on: date | None = None
    has_contract: bool = False
    contract_from: date | None = None
    housing_registered_on: date | None = None
    labour_registered_on: date | None = None
    enrolled_on: date | None = None
    trained_on: date | None = None
    taken_over_on: date | None = None


@dataclass(frozen=True, slots=True)
class MissingStep:
    """A step of the gate without evidence: its finding, clause and the next act."""

    code: str
    step: PersonState
    finding: str
    clause: str
    next_act: str


_CONTRACT_CLAUSE = "实施方案二(一)2；条例第28条"
_REGISTER_CLAUSE = "实施方案二(一)1；条例第28条"
_TRAINING_CLAUSE = "实施方案四(三)；安全生产法第28条"
_CONTRACT_ACT = "补签劳动合同或用工书面协议（一式三份，写明项目名称、工种、期限），再补填花名册合同各列"
_LATE_ACT = "写明原因存档；以后先办后进"


def person_state(evidence: Evidence, today: date) -> PersonState:
    """The furthest step the evidence supports. An entry on the roster is evidence of presence."""
    if evidence.left_on is not None and evidence.left_on <= today:
        return PersonState.EXITED
    if evidence.entered_on is not None and evidence.entered_on <= today:
        return PersonState.ON_SITE
    if evidence.enrolled_on is not None:
        return PersonState.ENROLLED
    if evidence.housing_registered_on is not None and evidence.labour_registered_on is not None:
        return PersonState.REGISTERED
    if evidence.has_contract:
        return PersonState.CONTRACTED
    return PersonState.CANDIDATE


def missing_steps(evidence: Evidence) -> list[MissingStep]:
    """Steps without evidence or taken after the entry, in gate order.

    Of a stay that was taken over from the time before this program (补录) only what is still
    missing is listed: a late date is then accepted. Managers need no labour contract with us.
    """
    steps: list[MissingStep] = []
    if not evidence.is_manager:
        steps += _contract_steps(evidence)
    for code, name, done in (
        ("housing", "住建实名制系统", evidence.housing_registered_on),
        ("labour", "工资支付监管系统", evidence.labour_registered_on),
    ):
        act = f"在{name}登记，再补填登记日期"
        steps += _dated_step(
            evidence, done, PersonState.REGISTERED, f"{code}_registration",
            f"未登记先进（{name}）", _REGISTER_CLAUSE, act,
        )
    steps += _dated_step(
        evidence, evidence.trained_on, PersonState.ON_SITE, "training",
        "未教育先上岗", _TRAINING_CLAUSE, "补三级安全教育（含实名制和维权内容），再补填安全教育日期",
    )
    return steps


def _contract_steps(evidence: Evidence) -> list[MissingStep]:
    if evidence.has_contract and evidence.contract_from is None:
        return [
            MissingStep(
                "contract_term_missing", PersonState.CONTRACTED, "合同缺期限", _CONTRACT_CLAUSE,
                "补填合同开始日期（合同须写明期限）",
            )
        ]
    return _dated_step(
        evidence, evidence.contract_from, PersonState.CONTRACTED, "contract", "未签先进",
        _CONTRACT_CLAUSE, _CONTRACT_ACT,
    )


def _dated_step(
    evidence: Evidence, done: date | None, step: PersonState, code: str, finding: str,
    clause: str, act: str,
) -> list[MissingStep]:
    entered = evidence.entered_on
    if done is None:
        return [MissingStep(f"{code}_missing", step, finding, clause, act)]
    late = entered is not None and done > entered
    if late and evidence.taken_over_on is None:
        return [MissingStep(f"{code}_late", step, f"{finding}（晚于进场日期）", clause, _LATE_ACT)]
    return []


def blockers(step: PersonState, evidence: Evidence, *, relaxed: bool = False) -> list[MissingStep]:
    """What must be done before an act of the program may bring somebody to ``step``.

    Only what is missing blocks, never what came late. ``relaxed`` is the audited rule switch that
    lets the office go on; the list is then empty, the findings stay.
    """
    if relaxed or step not in GATE_ORDER:
        return []
    reached = GATE_ORDER.index(step)
    return [
        missing
        for missing in missing_steps(evidence)
        if missing.code.endswith("_missing") and _needed_for(missing) <= reached
    ]


def _needed_for(missing: MissingStep) -> int:
    """Place in the order that a step must precede: contract before registration, and so on."""
    place = GATE_ORDER.index(missing.step)
    return place if missing.step is PersonState.ON_SITE else place + 1

"""What a single cell of the roster says: text, date, number. Pure; knows no row and no book."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import date

from desktop.people.rules import half_width, normal_code, normal_name
from desktop.people.spreadsheet import Cell

NOTHING = frozenset({"/", "\\", "-", "--", "—", "——", "无"})
"""What people write into a cell that has nothing to say."""
OPEN_END = frozenset({"长期", "无固定期限", "以完成工作任务为期限", "以完成一定工作任务为期限", "至工程结束"})
ERRORS = frozenset({"#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NULL!", "#NUM!"})
MAX_TEXT = 200
_EXACT_DIGITS = 15
"""A spreadsheet number keeps fifteen digits; the rest of an ID or card number is gone."""

_DATE = re.compile(
    r"(\d{4})(?:[-/.年](\d{1,2})[-/.月](\d{1,2})日?|(\d{2})(\d{2}))(?:[T ]?\d{1,2}:\d{2}(?::\d{2})?)?"
)
_AROUND = re.compile(r"\s*([-/.年月日])\s*")
_SCIENTIFIC = re.compile(r"\d(\.\d+)?[eE]\+?\d{1,2}")


class CellError(ValueError):
    """The cell has not the form its column asks for; ``reason`` is half a sentence."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(code)
        self.code = code
        self.reason = reason


def text_of(cell: Cell | None) -> str:
    """The cell as one line of text; raises :class:`CellError` for error values and signs nobody types."""
    if cell is None:
        return ""
    if isinstance(cell, str):
        text = " ".join(cell.split())
    elif isinstance(cell, date):
        text = cell.isoformat()
    else:
        text = str(cell)
    if text in ERRORS:
        raise CellError("cell_error", f"是公式错误 {text}")
    if len(text) > MAX_TEXT:
        raise CellError("too_long", f"超过{MAX_TEXT}个字")
    if any(unicodedata.category(sign) in ("Cc", "Cs") for sign in text):
        raise CellError("bad_sign", "含有不能识别的字符")
    return text


def optional_text(cell: Cell | None) -> str:
    """Like :func:`text_of`; ``/``, ``—`` and ``无`` mean nothing."""
    text = text_of(cell)
    return "" if text in NOTHING else text


def trade_of(cell: Cell | None) -> str:
    """A trade or post, without the padding between Han characters (项目　经理)."""
    return normal_name(optional_text(cell))


def rounded(cell: Cell | None) -> bool:
    """Whether a long number was typed as a number: its last digits are lost."""
    if isinstance(cell, int | float):
        return len(f"{cell:.0f}") > _EXACT_DIGITS
    return isinstance(cell, str) and _SCIENTIFIC.fullmatch(normal_code(cell)) is not None


def date_of(cell: Cell | None) -> date | None:
    """A date cell, or text such as 2026-03-01, 2026/3/1, 2026年3月1日, 20260301, 2026.3.1.

    None for an empty cell. Raises :class:`CellError` where there is no date, and
    :class:`ImpossibleDate` where there is one that never was.
    """
    if isinstance(cell, date):
        return _possible(cell.year, cell.month, cell.day)
    text = optional_text(cell)
    if not text:
        return None
    found = _DATE.fullmatch(_AROUND.sub(r"\1", half_width(text)).strip())
    if found is None:
        raise CellError("bad_date", "不是日期，应如 2026-03-01")
    return _possible(int(found[1]), int(found[2] or found[4]), int(found[3] or found[5]))


class ImpossibleDate(ValueError):
    """A date that never was, or lies outside any life on a site."""


def _possible(year: int, month: int, day: int) -> date:
    try:
        found = date(year, month, day)
    except ValueError:
        raise ImpossibleDate from None
    if not 1900 <= year <= 2100:
        raise ImpossibleDate
    return found


_SEXES: Mapping[str, str] = {"": "", "男": "男", "女": "女", "男性": "男", "女性": "女"}


def sex_of(cell: Cell | None) -> str:
    """``男``, ``女`` or empty."""
    text = optional_text(cell)
    if text not in _SEXES:
        raise CellError("bad_sex", "应为男或女")
    return _SEXES[text]


def worker_no_of(cell: Cell | None) -> int | None:
    """1 to 9 digits, or None."""
    text = normal_code(optional_text(cell))
    if not text:
        return None
    if not re.fullmatch(r"[0-9]{1,9}", text) or int(text) == 0:
        raise CellError("bad_worker_no", "应为1到9位数字")
    return int(text)


def contract_kind_of(cell: Cell | None) -> str:
    """Code of ``contract_kind``: A 劳动合同, B 用工书面协议; empty where nothing is said."""
    text = optional_text(cell)
    if not text:
        return ""
    if text.upper() in ("A", "B"):
        return text.upper()
    if "协议" in text:
        return "B"
    if "合同" in text:
        return "A"
    raise CellError("bad_contract_kind", "应为劳动合同或用工书面协议")


def fold(text: str) -> str:
    """What two spellings of a company's or team's name have in common (brackets, blanks, width)."""
    return "".join(unicodedata.normalize("NFKC", text).split()).casefold()

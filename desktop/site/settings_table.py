"""One table of a settings file: typed reading, with refusals that name the table and the key.

Knows TOML's value kinds, not what a project is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime, time
from typing import Any

from desktop.errors import Refused

MAX_TEXT = 500
MAX_ENTRIES = 999
"""Team numbers have three digits; no other list of a site is longer."""

_YUAN = re.compile(r"\d{1,9}(\.\d{1,2})?")


class SettingsTable:
    """One table of the file: takes keys out one by one; what is left over is an error."""

    def __init__(self, name: str, content: object, place: int | None = None) -> None:
        """``name`` is empty for the whole file; ``place`` counts the entries of a ``[[table]]``."""
        self.name = name
        self._where = f" [{name}] " if name else ""
        self._facts: dict[str, Any] = {"table": name}
        if place is not None:
            self._where = f"第{place}个 [[{name}]] "
            self._facts["place"] = place
        if not isinstance(content, dict):
            raise Refused(
                "project_file_type", f"设置文件里「{name}」应为一个表（[{name}]），未做任何改动。请对照样例改正。",
                **self._facts, key="",
            )
        self._rest: dict[str, Any] = dict(content)

    def fail(self, code: str, key: str, reason: str) -> Refused:
        """The refusal of one key, ready to be raised."""
        return Refused(
            code, f"设置文件{self._where}的「{key}」{reason}，未做任何改动。请改正后再试。",
            **self._facts, key=key,
        )

    def take(self, key: str, default: object = None) -> Any:
        return self._rest.pop(key, default)

    def text(self, key: str, *, required: bool = False) -> str:
        value = self.take(key)
        if value is None and not required:
            return ""
        if value is None or (required and value == ""):
            raise self.fail("project_file_missing", key, "没有填写")
        if not isinstance(value, str):
            raise self.fail("project_file_type", key, f"应为加引号的文字，现在是{_kind(value)}")
        value = value.strip()
        if len(value) > MAX_TEXT or any(ord(sign) < 32 for sign in value):
            raise self.fail("project_file_value", key, f"含有换行等控制字符，或超过{MAX_TEXT}个字")
        if required and not value:
            raise self.fail("project_file_missing", key, "没有填写")
        return value

    def texts(self, key: str) -> list[str]:
        value = self.take(key)
        if value is None:
            return []
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self.fail("project_file_type", key, '应为文字的列表，如 ["12333", "12345"]')
        if len(value) > MAX_ENTRIES or any(len(item) > MAX_TEXT for item in value):
            raise self.fail("project_file_value", key, "过长")
        return [item.strip() for item in value if item.strip()]

    def day(self, key: str, *, required: bool = False) -> date | None:
        value = self.take(key)
        if value is None or value == "":
            if required:
                raise self.fail("project_file_missing", key, "没有填写")
            return None
        if isinstance(value, str):
            try:
                return date.fromisoformat(value.strip())
            except ValueError:
                raise self.fail("project_file_value", key, "不是日期，应如 2026-03-01") from None
        if isinstance(value, datetime) or not isinstance(value, date):
            raise self.fail("project_file_type", key, f"应为日期（如 2026-03-01），现在是{_kind(value)}")
        return value

    def flag(self, key: str, default: bool) -> bool:
        value = self.take(key)
        if value is None:
            return default
        if not isinstance(value, bool):
            raise self.fail("project_file_type", key, f"应为 true 或 false，现在是{_kind(value)}")
        return value

    def number(self, key: str, low: int, high: int) -> int | None:
        value = self.take(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int):
            raise self.fail("project_file_type", key, f"应为整数，现在是{_kind(value)}")
        if not low <= value <= high:
            raise self.fail("project_file_value", key, f"应在{low}到{high}之间")
        return value

    def yuan(self, key: str) -> str:
        value = self.text(key)
        if value and not _YUAN.fullmatch(value):
            raise self.fail("project_file_value", key, '应为金额（元），如 "2100" 或 "20.6"')
        return value

    def end(self) -> None:
        """Raise for the first key nobody took."""
        for key in self._rest:
            raise self.fail("project_file_unknown_key", short_word(key), "不是已知的设置项")


_KINDS: Sequence[tuple[type, str]] = (
    (bool, "真假值"), (int, "数字"), (float, "数字"), (str, "文字"), (datetime, "日期时间"),
    (date, "日期"), (time, "时间"), (list, "列表"), (dict, "表"),
)


def _kind(value: object) -> str:
    return next((word for kind, word in _KINDS if isinstance(value, kind)), "其他内容")


def short_word(text: str) -> str:
    """A typed word as it may stand in a sentence."""
    clean = "".join(sign for sign in text if ord(sign) >= 32)
    return clean if len(clean) <= 30 else clean[:30] + "…"

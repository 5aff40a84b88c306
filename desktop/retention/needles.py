"""What is looked for when somebody is erased: names and numbers, and whether a text holds one.

Pure. A name that somebody else in the book bears too, and a number two people share, prove nothing
about whose they are in a free text: they are left out and counted.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from desktop.people.rules import half_width, name_key, normal_number
from desktop.storage.erasing import MARK

SHORTEST_CODE = 7
"""Digits of the shortest number looked for: a local telephone."""

_RUN = re.compile(r"[0-9]{7,}[0-9A-Z]?|[A-Z]{1,3}[0-9]{7,}")
_GAPS = re.compile(r"(?<=[0-9])[\s-]+(?=[0-9Xx])")
_ENCODINGS = ("utf-8", "gb18030", "utf-16-le")


def erased_name(worker_no: int) -> str:
    """What stands for a person whose name is gone."""
    return f"{MARK}{worker_no}"


@dataclass(frozen=True, slots=True)
class Identity:
    """Names and numbers of one person; empty strings are passed over."""

    name: str
    codes: tuple[str, ...]


@dataclass(slots=True)
class Needles:
    """Names and numbers to be found; ``doubtful`` of them are somebody else's as well."""

    names: frozenset[str]
    """As :func:`desktop.people.rules.name_key` gives them."""
    codes: frozenset[str]
    doubtful: int = 0
    _longer: tuple[str, ...] = ()
    _by_first: dict[str, list[str]] = field(default_factory=dict)
    _lengths: tuple[int, ...] = ()
    _odd: tuple[str, ...] = ()
    """Numbers of foreign papers that no pattern of digits finds."""

    @classmethod
    def of(cls, gone: Iterable[Identity], others: Iterable[Identity]) -> Needles:
        """Those of ``gone`` that none of the ``others`` shares."""
        leaving = list(gone)
        staying = list(others)
        names = {name_key(one.name) for one in leaving} - {""}
        codes = {normal_number(code) for one in leaving for code in one.codes}
        codes = {code for code in codes if len(code) >= SHORTEST_CODE}
        other_names = {name_key(one.name) for one in staying}
        other_codes = {normal_number(code) for one in staying for code in one.codes}
        sure_names, sure_codes = names - other_names, codes - other_codes
        by_first: dict[str, list[str]] = defaultdict(list)
        for name in sure_names:
            by_first[name[0]].append(name)
        return cls(
            frozenset(sure_names), frozenset(sure_codes),
            len(names - sure_names) + len(codes - sure_codes),
            # 王强 inside 王强生, who stays, is not 王强.
            tuple(
                longer for longer in other_names if any(name in longer for name in sure_names)
            ),
            dict(by_first), tuple(sorted({len(code) for code in sure_codes})),
            tuple(code for code in sure_codes if not _RUN.fullmatch(code)),
        )

    def in_text(self, text: str) -> bool:
        """Does a text hold one of them, whatever blanks or width it is written in?"""
        return self.code_in(text) or self.name_in(text)

    def is_name(self, text: str) -> bool:
        """Is the whole text one of the names?"""
        return name_key(text) in self.names

    def name_in(self, text: str) -> bool:
        """Does a text hold one of the names?"""
        if not self.names:
            return False
        key = name_key(text)
        for longer in self._longer:
            key = key.replace(longer, "＊")
        return any(
            key.startswith(name, place)
            for place, sign in enumerate(key) for name in self._by_first.get(sign, ())
        )

    def code_in(self, text: str) -> bool:
        """Does a text hold one of the numbers, also in groups of digits?"""
        if not self.codes:
            return False
        plain = _GAPS.sub("", half_width(text)).upper()
        if any(code in plain for code in self._odd):
            return True
        for run in _RUN.findall(plain):
            for length in self._lengths:
                for start in range(len(run) - length + 1):
                    if run[start : start + length] in self.codes:
                        return True
        return False

    def in_bytes(self, raw: bytes) -> bool:
        """The same for bytes of an unknown encoding: a line of a file, a record of a terminal."""
        if self.code_in(raw.decode("latin-1")):
            return True
        if raw.isascii():
            return self.name_in(raw.decode("ascii"))
        return any(self.in_text(raw.decode(name, "ignore")) for name in _ENCODINGS)

"""The program's own code tables, loaded once from the package data beside this file.

Codes are strings and keep their leading zeros. The tables are the program's dictionaries, not
those of an upload interface; it refuses to know any platform's numbering.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType

GENERAL_CONTRACTOR = "009"
SPECIALTY_SUBCONTRACTOR = "001"
LABOUR_SUBCONTRACTOR = "006"
SUPERVISION_COMPANY = "007"
OWNER_COMPANY = "008"
"""Codes of ``corp_type`` that the program treats by name (workflow §9)."""

RESIDENT_ID = "01"
"""Code of the resident identity card in ``id_card_type``."""


@cache
def rows(name: str) -> tuple[Mapping[str, str], ...]:
    """Every row of ``codes/<name>.csv`` as column → text."""
    text = (files("desktop.site") / "codes" / f"{name}.csv").read_text(encoding="utf-8")
    return tuple(MappingProxyType(row) for row in csv.DictReader(text.splitlines()))


@cache
def table(name: str) -> Mapping[str, str]:
    """Code → name of a table with those two columns (``corp_type``, ``nation``, …)."""
    return MappingProxyType({row["code"]: row["name"] for row in rows(name)})


@cache
def code_of(name: str) -> Mapping[str, str]:
    """Name → code, the inverse of :func:`table`."""
    return MappingProxyType({text: code for code, text in table(name).items()})


@cache
def posts() -> frozenset[str]:
    """Names of ``management_post``: a roster row with one of them is a manager."""
    return frozenset(table("management_post").values())


@cache
def trades() -> frozenset[str]:
    """Names and other names of ``work_type``: every trade the program knows."""
    known = set(table("work_type").values())
    for row in rows("work_type"):
        known.update(filter(None, row["aliases"].split("、")))
    return frozenset(known)


def corp_kind(text: str) -> str | None:
    """Code of a company's part in the project from its code or name, None if unknown.

    ``009``, ``总承包单位``, ``总承包``, ``总包``, ``施工总承包单位`` and ``施工总承包`` are the same part.
    """
    wanted = text.strip()
    if wanted in table("corp_type"):
        return wanted
    short = _short_kind(wanted)
    return next((c for c, name in table("corp_type").items() if _short_kind(name) == short), None)


def _short_kind(name: str) -> str:
    short = name.removeprefix("施工").removesuffix("单位")
    return _OTHER_WORDS.get(short, short)


_OTHER_WORDS: Mapping[str, str] = {"总包": "总承包", "其他": "其它"}
"""Short words people write for a part, beside those of the table."""

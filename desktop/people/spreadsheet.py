"""Opening a spreadsheet that somebody brought: by content, not by extension, and with bounds.

The file may be an .xlsx, an .xls or a WPS .et, may lie about its size, and may be hostile. Whatever
it is, the memory it costs is bounded by the limits below. Knows cells, not what a roster is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Protocol

from desktop.errors import Refused
from desktop.paths import read_regular

Cell = str | int | float | date
"""Text, number or date; an empty cell is not there at all."""

Row = tuple[int, Mapping[int, Cell]]
"""Row number as the spreadsheet program shows it (from 1), and the cells by column (from 0)."""

MAX_FILE_BYTES = 50 * 1024 * 1024
MAX_COLUMNS = 200
MAX_SHEETS = 50

_ZIP = b"PK\x03\x04"
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


class SheetError(ValueError):
    """The file cannot be read as a spreadsheet; ``reason`` is half a Chinese sentence."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(code)
        self.code = code
        self.reason = reason


class Sheets(Protocol):
    """The visible worksheets of a file."""

    names: list[str]

    def rows(self, place: int) -> Iterator[Row]:
        """Rows of the sheet at ``place`` that hold anything; raises :class:`SheetError`."""


@dataclass(frozen=True, slots=True)
class SpreadsheetFile:
    """An opened file: its worksheets and the digest of its bytes."""

    sheets: Sheets
    sha256: bytes


def open_spreadsheet(path: Path) -> SpreadsheetFile:
    """Open ``path``. Raises :class:`Refused` when it is no spreadsheet we read."""
    content = _content(path)
    try:
        return SpreadsheetFile(_sheets(content), hashlib.sha256(content).digest())
    except SheetError as error:
        raise refusal(path, error) from error


def refusal(path: Path, error: SheetError) -> Refused:
    """The sentence for the user."""
    return Refused(
        error.code, f"表格「{path.name}」{error.reason}，未做任何改动。"
        "请用 Excel 或 WPS 打开检查，另存为 .xlsx 后再试。",
    )


def _content(path: Path) -> bytes:
    try:
        content = read_regular(path, MAX_FILE_BYTES)
    except OSError as error:
        raise Refused(
            "sheet_missing", f"读不到表格「{path.name}」，未做任何改动。请检查路径、权限，或先关闭正在使用它的程序。"
        ) from error
    if len(content) > MAX_FILE_BYTES:
        raise Refused(
            "sheet_too_large",
            f"表格「{path.name}」超过{MAX_FILE_BYTES // 1024 // 1024} MB，未做任何改动。请删去图片，或分成几份导入。",
        )
    return content


def _sheets(content: bytes) -> Sheets:
    if content.startswith(_ZIP):
        from desktop.people.xlsx_rows import XlsxSheets

        return XlsxSheets(content)
    if content.startswith(_OLE):
        from desktop.people.xls_rows import XlsSheets

        return XlsSheets(content)
    raise SheetError("sheet_format", "不是 .xlsx、.xls 或 WPS 表格")

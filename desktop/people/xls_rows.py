"""Rows of an .xls file or WPS .et (BIFF), read by calamine behind a careful door.

calamine lays a sheet out as a full rectangle, believes the announced size and copies every shared
string into its cells. So the workbook stream is first walked record by record: where cells really
are, how long the strings are that they name. What is too large is refused, an announced size is
corrected to the real one, and calamine gets a fresh container with this stream alone.
Records: [MS-XLS].
"""

from __future__ import annotations

import io
import struct
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from desktop.people.ole import OleError, OleFile, wrap_stream
from desktop.people.spreadsheet import MAX_COLUMNS, MAX_SHEETS, Cell, Row, SheetError

if TYPE_CHECKING:
    from python_calamine import CalamineWorkbook

_MAX_AREA = 4_000_000
"""Cells of the rectangle calamine lays out: about 130 MB."""
_MAX_TEXT = 64 * 1024 * 1024
"""Bytes of text once every cell holds its own copy."""

_BOF, _EOF, _DIMENSIONS, _FILE_PASS = 0x0809, 0x000A, 0x0200, 0x002F
_SST, _CONTINUE, _LABEL_SST = 0x00FC, 0x003C, 0x00FD
_VALUES = frozenset({0x0203, 0x027E, _LABEL_SST, 0x0204, 0x0006, 0x0406, 0x0205, 0x00BD, 0x00D6})
"""NUMBER, RK, LABELSST, LABEL, FORMULA (two forms), BOOLERR, MULRK, RSTRING."""
_MULTIPLE_RK = 0x00BD


class XlsSheets:
    """The visible worksheets of an .xls; see :class:`desktop.people.spreadsheet.Sheets`."""

    def __init__(self, content: bytes) -> None:
        from python_calamine import SheetTypeEnum, SheetVisibleEnum

        stream = _checked(_workbook_stream(content))
        self._book = _guarded(_open, wrap_stream("Workbook", stream))
        shown = [
            sheet.name
            for sheet in self._book.sheets_metadata
            if sheet.visible == SheetVisibleEnum.Visible and sheet.typ == SheetTypeEnum.WorkSheet
        ]
        self.names: list[str] = shown[:MAX_SHEETS]
        if not self.names:
            raise SheetError("sheet_empty", "里没有可读的工作表")

    def rows(self, place: int) -> Iterator[Row]:
        """See the protocol."""
        sheet = _guarded(self._book.get_sheet_by_name, self.names[place])
        # calamine's rows begin with the first row of the sheet, but with the first used column.
        left = sheet.start[1] if sheet.start else 0
        for number, values in enumerate(sheet.iter_rows(), 1):
            cells = {
                column: cell
                for column, value in enumerate(values[:MAX_COLUMNS], left)
                if (cell := _cell(value)) != ""
            }
            if cells:
                yield number, cells


def _open(content: bytes) -> CalamineWorkbook:
    from python_calamine import CalamineWorkbook

    return CalamineWorkbook.from_filelike(io.BytesIO(content))


def _guarded(act: Any, argument: Any) -> Any:
    """Run a call into calamine; its errors and its panics become :class:`SheetError`."""
    try:
        return act(argument)
    except (KeyboardInterrupt, SystemExit, MemoryError):
        raise
    except BaseException as error:
        # A panic of the Rust side is no Exception; it says only that the file is not sound.
        raise SheetError("sheet_damaged", "已损坏") from error


def _cell(value: object) -> Cell:
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, float):
        return int(value) if value.is_integer() else value
    if isinstance(value, str | int | date):
        return value
    return str(value)


def _workbook_stream(content: bytes) -> bytes:
    try:
        container = OleFile(content)
        if "EncryptedPackage" in container.names:
            raise SheetError("sheet_encrypted", "设有打开密码")
        name = next((name for name in ("Workbook", "Book") if name in container.names), None)
        if name is None:
            raise SheetError("sheet_format", "不是 .xls 工作簿")
        return container.stream(name)
    except (OleError, struct.error) as error:
        raise SheetError("sheet_damaged", "已损坏") from error


@dataclass(slots=True)
class _Extent:
    """Where the cells of the present substream are, and where it announces its size."""

    rows: int = 0
    columns: int = 0
    announced: list[tuple[int, int]] = field(default_factory=list)


def _checked(stream: bytes) -> bytes:
    """The stream with true dimensions. Raises :class:`SheetError` when it asks for too much."""
    mended = bytearray(stream)
    extent = _Extent()
    strings: list[tuple[int, int]] = []
    used: Counter[int] = Counter()
    position, last = 0, -1
    while position + 4 <= len(stream):
        kind, length = struct.unpack_from("<HH", stream, position)
        start, position = position + 4, position + 4 + length
        if position > len(stream):
            break
        if kind == _BOF:
            extent = _Extent()
        elif kind == _FILE_PASS:
            raise SheetError("sheet_encrypted", "设有打开密码")
        elif kind == _DIMENSIONS:
            extent.announced.append((start, length))
        elif kind == _SST or (kind == _CONTINUE and last == _SST):
            strings.append((start, length))
        elif kind in _VALUES and length >= 6:
            _extend(extent, stream, kind, start, length, used)
        elif kind == _EOF:
            for place, size in extent.announced:
                _mend(mended, place, size, extent)
        if kind != _CONTINUE:
            last = kind
    _check_text(stream, strings, used)
    return bytes(mended)


def _extend(
    extent: _Extent, stream: bytes, kind: int, start: int, length: int, used: Counter[int]
) -> None:
    row, column = struct.unpack_from("<HH", stream, start)
    if kind == _MULTIPLE_RK:
        column += max((length - 6) // 6 - 1, 0)
    extent.rows, extent.columns = max(extent.rows, row + 1), max(extent.columns, column + 1)
    if extent.rows * extent.columns > _MAX_AREA:
        raise SheetError("sheet_too_large", "的行列过多")
    if kind == _LABEL_SST and length >= 10:
        used[struct.unpack_from("<I", stream, start + 6)[0]] += 1


def _mend(stream: bytearray, start: int, length: int, extent: _Extent) -> None:
    """Write the true size over the announced one; BIFF8 has 14 bytes, BIFF5 10."""
    if length == 14:
        struct.pack_into("<IIHH", stream, start, 0, extent.rows, 0, extent.columns)
    elif length == 10:
        struct.pack_into("<HHHH", stream, start, 0, min(extent.rows, 0xFFFF), 0, extent.columns)


def _check_text(stream: bytes, parts: list[tuple[int, int]], used: Counter[int]) -> None:
    """Refuse when the strings, copied into every cell that names them, would be too much."""
    table = b"".join(stream[start : start + length] for start, length in parts)
    if sum(used.values()) * len(table) <= _MAX_TEXT:
        return
    try:
        lengths = _string_lengths(stream, parts, max(used) + 1)
    except (struct.error, IndexError) as error:
        raise SheetError("sheet_damaged", "已损坏") from error
    total = sum(
        lengths[number] * count for number, count in used.items() if number < len(lengths)
    )
    if total > _MAX_TEXT:
        raise SheetError("sheet_too_large", "的文字过多")


def _string_lengths(stream: bytes, parts: list[tuple[int, int]], wanted: int) -> list[int]:
    """Bytes of each shared string (at most four per character), across CONTINUE records.

    A string's characters may break over a record; the continuation then begins with a new flag
    byte ([MS-XLS] 2.5.293).
    """
    walker = _Walker(stream, parts)
    (count,) = struct.unpack("<I", walker.take(8)[4:])
    lengths: list[int] = []
    for _ in range(min(count, wanted)):
        characters, flags = struct.unpack("<HB", walker.take(3))
        runs = struct.unpack("<H", walker.take(2))[0] if flags & 8 else 0
        extra = struct.unpack("<I", walker.take(4))[0] if flags & 4 else 0
        walker.skip_characters(characters, wide=bool(flags & 1))
        walker.skip(runs * 4 + extra)
        lengths.append(characters * 4)
    return lengths


class _Walker:
    """Reads on through the records of the string table."""

    def __init__(self, stream: bytes, parts: list[tuple[int, int]]) -> None:
        self._stream, self._parts = stream, iter(parts)
        self._place = self._end = 0

    def _next(self) -> None:
        start, length = next(self._parts, (-1, 0))
        if start < 0:
            raise IndexError
        self._place, self._end = start, start + length

    def take(self, count: int) -> bytes:
        found = b""
        while len(found) < count:
            if self._place == self._end:
                self._next()
            piece = self._stream[self._place : min(self._end, self._place + count - len(found))]
            self._place += len(piece)
            found += piece
        return found

    def skip(self, count: int) -> None:
        while count:
            if self._place == self._end:
                self._next()
            step = min(count, self._end - self._place)
            self._place += step
            count -= step

    def skip_characters(self, count: int, *, wide: bool) -> None:
        while count:
            if self._place == self._end:
                self._next()
                wide = bool(self.take(1)[0] & 1)
            width = 2 if wide else 1
            step = min(count, (self._end - self._place) // width)
            if step == 0:
                raise IndexError
            self._place += step * width
            count -= step

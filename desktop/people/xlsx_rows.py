"""Rows of an .xlsx file, streamed.

Written because a general reader lays a sheet out as a full rectangle and copies every shared
string into its cells: a file of two kilobytes can then ask for gigabytes and end the program. Here
nothing is laid out: a row lives while it is looked at, a shared string exists once, and every part
is inflated only up to the size it declares, which is bounded. Entities and document types are
refused. Formats: ECMA-376 part 1, §18 (worksheets, shared strings, number formats).
"""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from xml.parsers import expat

from desktop.people.spreadsheet import MAX_COLUMNS, MAX_SHEETS, Cell, Row, SheetError

_MAX_PARTS = 5_000
_MAX_SHEET_BYTES = 200 * 1024 * 1024
_MAX_RATIO = 250
"""A part that inflates more than this is a bomb; spreadsheets reach about 50."""
_MAX_CELL_TEXT = 32_767
"""Longest text of a cell in Excel."""
_MAX_STRING_BYTES = 64 * 1024 * 1024
_MAX_OTHER_BYTES = 16 * 1024 * 1024
_CHUNK = 256 * 1024
_MAX_STYLES = 65_536

_DATE_FORMATS = frozenset({*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)})
"""Built-in number formats that show dates, the Chinese ones (27–36, 50–58) included."""
_FORMAT_LITERALS = re.compile(r'"[^"]*"|\\.|_.|\*.|\[[^\]]*\]')
_FIRST_SERIAL, _LAST_SERIAL = 61, 2_958_465
"""From 1900-03-01 on the serial is unambiguous; the last one is 9999-12-31."""
_ESCAPE = re.compile(r"_x(000[9AaDd]|005[Ff])_")

_Start = Callable[[str, dict[str, str]], None]
_End = Callable[[str], None]


class XlsxSheets:
    """The visible worksheets of an .xlsx file; see :class:`desktop.people.spreadsheet.Sheets`."""

    def __init__(self, content: bytes) -> None:
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(content))
        except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError) as error:
            raise SheetError("sheet_damaged", "已损坏") from error
        if len(self._zip.filelist) > _MAX_PARTS:
            raise SheetError("sheet_damaged", "的结构不正常")
        self._parts = {info.filename: info for info in self._zip.filelist}
        self._from_1904 = False
        self.names, self._paths = self._workbook()
        self._strings = self._shared_strings()
        self._dates = self._date_styles()

    def rows(self, place: int) -> Iterator[Row]:
        """See the protocol. Rows come as the file is inflated; the caller may stop early."""
        reader = _SheetReader(self._strings, self._dates, self._from_1904)
        for _ in self._parse(self._paths[place], _MAX_SHEET_BYTES, reader.start, reader.end, reader):
            yield from reader.take()

    def _workbook(self) -> tuple[list[str], list[str]]:
        if "xl/workbook.xml" not in self._parts:
            raise SheetError("sheet_format", "不是 .xlsx 工作簿")
        found: list[tuple[str, str]] = []

        def start(name: str, given: dict[str, str]) -> None:
            if name == "workbookPr":
                self._from_1904 = given.get("date1904") in ("1", "true")
            elif name == "sheet" and given.get("state", "visible") == "visible":
                link = next((v for k, v in given.items() if k.rpartition(":")[2] == "id"), "")
                found.append((given.get("name", ""), link))

        self._read("xl/workbook.xml", start)
        targets = self._targets()
        kept = [(name, targets[link]) for name, link in found if targets.get(link) in self._parts]
        if not kept:
            raise SheetError("sheet_empty", "里没有可读的工作表")
        kept = kept[:MAX_SHEETS]
        return [name for name, _ in kept], [path for _, path in kept]

    def _targets(self) -> dict[str, str]:
        targets: dict[str, str] = {}

        def start(name: str, given: dict[str, str]) -> None:
            if name == "Relationship" and given.get("Type", "").endswith("/worksheet"):
                path = posixpath.normpath(posixpath.join("xl", given.get("Target", "")))
                targets[given.get("Id", "")] = path.lstrip("/")

        self._read("xl/_rels/workbook.xml.rels", start)
        return targets

    def _shared_strings(self) -> list[str]:
        strings: list[str] = []
        if "xl/sharedStrings.xml" not in self._parts:
            return strings
        text = _TextCollector()

        def start(name: str, given: dict[str, str]) -> None:
            if name == "si":
                text.begin()
            text.enter(name)

        def end(name: str) -> None:
            text.leave(name)
            if name == "si":
                strings.append(text.value())

        self._read("xl/sharedStrings.xml", start, end, text, _MAX_STRING_BYTES)
        return strings

    def _date_styles(self) -> list[bool]:
        if "xl/styles.xml" not in self._parts:
            return []
        custom: dict[str, bool] = {}
        styles: list[bool] = []
        inside = [""]

        def start(name: str, given: dict[str, str]) -> None:
            if name == "numFmt":
                custom[given.get("numFmtId", "")] = _shows_date(given.get("formatCode", ""))
            elif name == "xf" and inside[-1] == "cellXfs" and len(styles) < _MAX_STYLES:
                number = given.get("numFmtId", "0")
                built_in = number.isdecimal() and len(number) < 4 and int(number) in _DATE_FORMATS
                styles.append(custom.get(number, built_in))
            inside.append(name)

        def end(name: str) -> None:
            inside.pop()

        self._read("xl/styles.xml", start, end)
        return styles

    def _read(
        self, path: str, start: _Start, end: _End | None = None, text: _Text | None = None,
        limit: int = _MAX_OTHER_BYTES,
    ) -> None:
        for _ in self._parse(path, limit, start, end, text):
            pass

    def _parse(
        self, path: str, limit: int, start: _Start, end: _End | None, text: _Text | None
    ) -> Iterator[None]:
        """Feed one part to the parser; yields after every chunk."""
        info = self._parts.get(path)
        if info is None or info.flag_bits & 1 or info.compress_type not in (0, 8):
            raise SheetError("sheet_damaged", "缺少必要的部分，或已加密")
        bomb = info.file_size > _CHUNK and info.file_size > _MAX_RATIO * info.compress_size
        if info.file_size > limit or bomb:
            raise SheetError("sheet_too_large", "展开后过大")
        parser = _parser(start, end, text)
        try:
            with self._zip.open(info) as stream:
                while chunk := stream.read(_CHUNK):
                    parser.Parse(chunk, False)
                    yield
                parser.Parse(b"", True)
                yield
        except (
            expat.ExpatError, zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError,
            NotImplementedError, LookupError,
        ) as error:
            if isinstance(error, SheetError):
                raise
            raise SheetError("sheet_damaged", "已损坏") from error


class _Text:
    """Takes the character data of wanted elements, up to what a cell may hold."""

    parser: expat.XMLParserType | None = None

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._length = 0

    def collect(self, on: bool) -> None:
        """Switch character data on or off: most of a file's text is never handed to Python."""
        if self.parser is not None:
            self.parser.CharacterDataHandler = self.add if on else None

    def add(self, data: str) -> None:
        """Take a piece of text."""
        self._length += len(data)
        if self._length > _MAX_CELL_TEXT:
            raise SheetError("sheet_too_large", "有一格文字过长")
        self._pieces.append(data)

    def begin(self) -> None:
        """Forget what was taken."""
        self._pieces = []
        self._length = 0

    @property
    def text(self) -> str:
        """What was taken since :meth:`begin`."""
        return "".join(self._pieces)


def _parser(start: _Start, end: _End | None, text: _Text | None) -> expat.XMLParserType:
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.buffer_size = 65_536

    def refuse(*_: object) -> None:
        raise SheetError("sheet_damaged", "含有不允许的内容（DTD）")

    def local_start(name: str, given: dict[str, str]) -> None:
        start(name.rpartition(":")[2], given)

    def local_end(name: str) -> None:
        if end is not None:
            end(name.rpartition(":")[2])

    def first(name: str, given: dict[str, str]) -> None:
        # Most programs write no prefix; then the names are handed on as they are.
        if ":" in name:
            parser.StartElementHandler, parser.EndElementHandler = local_start, local_end
            local_start(name, given)
        else:
            parser.StartElementHandler, parser.EndElementHandler = start, end
            start(name, given)

    parser.StartDoctypeDeclHandler = refuse
    parser.StartElementHandler = first
    if text is not None:
        text.parser = parser
    return parser


class _TextCollector(_Text):
    """Text of ``<t>`` elements outside phonetic hints (``<rPh>``)."""

    def __init__(self) -> None:
        super().__init__()
        self._phonetic = 0

    def enter(self, name: str) -> None:
        if name == "rPh":
            self._phonetic += 1
        elif name == "t" and not self._phonetic:
            self.collect(True)

    def leave(self, name: str) -> None:
        if name == "rPh":
            self._phonetic -= 1
        elif name == "t":
            self.collect(False)

    def value(self) -> str:
        """The whole text of the string."""
        return _unescape(self.text)


class _SheetReader(_Text):
    """Turns the elements of a worksheet into rows; holds the finished rows of one chunk."""

    def __init__(self, strings: list[str], dates: list[bool], from_1904: bool) -> None:
        super().__init__()
        self._strings, self._dates = strings, dates
        self._shift = 1462 if from_1904 else 0
        self._done: list[Row] = []
        self._cells: dict[int, Cell] = {}
        self._row = 0
        self._column = -1
        self._type = ""
        self._style = ""
        self._columns: dict[str, int] = {}

    def take(self) -> list[Row]:
        """The rows finished since the last call."""
        done, self._done = self._done, []
        return done

    def start(self, name: str, given: dict[str, str]) -> None:
        if name == "c":
            place = given.get("r")
            self._column = self._column + 1 if place is None else self._column_of(place)
            self._type = given.get("t", "n")
            self._style = given.get("s", "")
            self.begin()
        elif name == "v" or (name == "t" and self._type == "inlineStr"):
            self.collect(True)
        elif name == "row":
            number = given.get("r")
            self._row = self._row + 1 if number is None else _row_number(number)
            self._cells = {}
            self._column = -1

    def end(self, name: str) -> None:
        if name in ("v", "t"):
            self.collect(False)
        elif name == "c":
            if self._pieces and self._column < MAX_COLUMNS:
                value = self._value(self.text)
                if value != "":
                    self._cells[self._column] = value
            self.begin()
        elif name == "row" and self._cells:
            self._done.append((self._row, self._cells))

    def _column_of(self, place: str) -> int:
        letters = place.rstrip("0123456789")
        column = self._columns.get(letters)
        if column is None:
            if not 0 < len(letters) <= 3 or not letters.isascii() or not letters.isalpha():
                raise SheetError("sheet_damaged", "已损坏")
            column = 0
            for letter in letters.upper():
                column = column * 26 + ord(letter) - 64
            column = self._columns[letters] = column - 1
        return column

    def _value(self, text: str) -> Cell:
        if self._type == "s":
            place = int(text)
            if not 0 <= place < len(self._strings):
                raise SheetError("sheet_damaged", "已损坏")
            return self._strings[place]
        if self._type == "b":
            return "TRUE" if text == "1" else "FALSE"
        if self._type != "n":
            return _unescape(text)
        number = float(text)
        style = int(self._style) if self._style.isdecimal() and len(self._style) < 6 else -1
        if 0 <= style < len(self._dates) and self._dates[style]:
            return _date(number + self._shift) or number
        return int(number) if number.is_integer() else number


def _row_number(text: str) -> int:
    if not text.isdecimal() or len(text) > 7:
        raise SheetError("sheet_damaged", "已损坏")
    return int(text)


def _date(serial: float) -> date | None:
    if not _FIRST_SERIAL <= serial <= _LAST_SERIAL:
        return None
    return date(1899, 12, 30) + timedelta(days=int(serial))


def _shows_date(code: str) -> bool:
    """Whether a custom number format shows a date: y, m or d outside quotes and brackets."""
    return any(sign in "ymdYMD年月日" for sign in _FORMAT_LITERALS.sub("", code.partition(";")[0]))


def _unescape(text: str) -> str:
    """``_x000D_`` and its like (ECMA-376 22.9.2.19); other escapes stay as they are."""
    if "_x" not in text:
        return text
    return _ESCAPE.sub(lambda found: chr(int(found[1], 16)), text)

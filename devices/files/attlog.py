"""Punches from a USB stick: ``1_attlog.dat`` and its variants (usb-files.md §1).

The file was alterable by hand; how much it proves is decided elsewhere. This reader says what
stands in it, line by line, as a stream of bounded memory. One bad line never stops the rest; a
file that contradicts itself (order of columns, device number) is refused as a whole, possibly
after parts of it were handed out — so use one transaction.
"""

from __future__ import annotations

import io
import math
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from typing import BinaryIO, NamedTuple

from devices.errors import Cancelled, FileRefused
from devices.terminals.driver import Cancel, Progress, silent
from devices.terminals.model import NOT_STATED, PART, MethodClass, Punch, SourceFormat, Unusable
from devices.terminals.zk.codes import method_class

MAX_BYTES = 64 << 20
"""About 1.6 million lines, more than any terminal stores."""
MAX_LINE = 1024
_BLOCK = 1 << 18
_SNIFF = 1 << 16
_FORMAT = int(SourceFormat.ATTLOG)
_EPOCH_DAY = date(1970, 1, 1).toordinal()
_MAX_CACHED = 200_000

_BOM = b"\xef\xbb\xbf"
_PADDING = b"\0\x1a"
_OFFICE = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
"""How .xlsx and .xls begin (zip, OLE): compressed, they look as random as an encrypted export."""
_TIME = re.compile(rb"(\d{4})[-/](\d{1,2})[-/](\d{1,2})[ T]+(\d{1,2}):(\d{1,2}):(\d{1,2})")
_DAY_ONLY = re.compile(rb"\d{4}[-/]\d{1,2}[-/]\d{1,2}")
_HOUR_ONLY = re.compile(rb"\d{1,2}:\d{1,2}:\d{1,2}")
_NUMBER = re.compile(rb"[!-~]{1,24}")
_SMALL = re.compile(rb"\d{1,5}")

_new_punch = partial(tuple.__new__, Punch)


class Rejected(NamedTuple):
    """A line that is no punch record. ``line`` is 1-based.

    ``code``: ``too_few_fields``, ``bad_time``, ``bad_number``,
    ``bad_device``, ``bad_state``, ``bad_method`` or ``line_too_long``. ``raw`` without line end,
    at most :data:`MAX_LINE` bytes.
    """

    line: int
    code: str
    raw: bytes


class AttlogPart(NamedTuple):
    """A run of lines: punches, impossible dates (``position`` = line), rejected lines."""

    punches: list[Punch]
    unusable: list[Unusable]
    rejected: list[Rejected]


@dataclass(slots=True)
class AttlogSummary:
    """What the file was, complete once the parts are exhausted.

    ``lines`` without empty ones = punches + unusable + rejected. ``first`` / ``last`` are the
    earliest and latest ``t_local``, None without punches. ``order`` is ``number_first`` or
    ``time_first``, "" before a line decided it.
    """

    lines: int = 0
    punches: int = 0
    unusable: int = 0
    rejected: int = 0
    device_number: int | None = None
    order: str = ""
    first: int | None = None
    last: int | None = None


class Attlog:
    """One file, opened anew by each call of :meth:`parts`. The file is only read."""

    def __init__(self, path: Path, *, max_bytes: int = MAX_BYTES) -> None:
        self.path = path
        self.summary = AttlogSummary()
        self._max_bytes = max_bytes

    def parts(
        self,
        size: int = PART,
        *,
        progress: Progress = silent,
        cancel: Cancel | None = None,
    ) -> Iterator[AttlogPart]:
        """All lines in file order, about ``size`` at a time.

        ``progress(bytes_read, bytes_total, "file")``. Raises ``FileRefused`` or ``Cancelled``,
        also between parts; ``summary`` is complete after the last part.
        """
        try:
            total = self.path.stat().st_size
            if total > self._max_bytes:
                raise FileRefused("too_large", facts=(total, self._max_bytes))
            with self.path.open("rb") as stream:
                _check_text(stream.read(_SNIFF))
                stream.seek(0)
                yield from self._parse(stream, total, size, progress, cancel)
        except OSError as error:
            raise FileRefused("unreadable") from error

    def _parse(
        self, stream: BinaryIO, total: int, size: int, progress: Progress, cancel: Cancel | None
    ) -> Iterator[AttlogPart]:
        parser = _Parser()
        self.summary = parser.summary
        for at, block in _lines(stream, self._max_bytes):
            if cancel is not None and cancel.is_set():
                raise Cancelled()
            parser.feed(block)
            progress(min(at, total), total, "file")
            if parser.held >= size:
                yield parser.take()
        summary = parser.summary
        if parser.held:
            yield parser.take()
        if not summary.lines:
            raise FileRefused("empty")
        if not summary.punches and not summary.unusable:
            raise FileRefused("not_attlog")


class AttlogContent(Attlog):
    """The same for the content of a file that was read before."""

    def __init__(self, content: bytes) -> None:
        super().__init__(Path())
        self._content = content

    def parts(
        self,
        size: int = PART,
        *,
        progress: Progress = silent,
        cancel: Cancel | None = None,
    ) -> Iterator[AttlogPart]:
        _check_text(self._content[:_SNIFF])
        stream = io.BytesIO(self._content)
        yield from self._parse(stream, len(self._content), size, progress, cancel)


def _lines(stream: BinaryIO, most: int) -> Iterator[tuple[int, list[bytes]]]:
    """Blocks of whole lines without ``\\n``, with the bytes read so far.

    A line longer than :data:`MAX_LINE` comes out once, cut to one byte more than that; NUL
    padding of any length takes no memory.
    """
    carry = b""
    at = 0
    first = True
    while block := stream.read(_BLOCK):
        at += len(block)
        if at > most:
            # It grew while we read, or it is no plain file.
            raise FileRefused("too_large", facts=(at, most))
        if first:
            block = block.removeprefix(_BOM)
            first = False
        lines = (carry + block).split(b"\n")
        carry = lines.pop()
        if len(carry) > MAX_LINE:
            # Keep the beginning only: enough to report it, and padding stays padding.
            carry = carry.rstrip(_PADDING)[: MAX_LINE + 1]
        yield at, lines
    yield at, [carry]


def _check_text(head: bytes) -> None:
    """Refuse what is not text before any line is looked at (§1: encrypted export)."""
    if head.startswith(_OFFICE):
        raise FileRefused("spreadsheet")
    body = head.removeprefix(_BOM).rstrip(_PADDING)
    if not body:
        if head:
            return
        raise FileRefused("empty")
    counts = Counter(body)
    text = sum(n for byte, n in counts.items() if 0x20 <= byte <= 0x7E or byte in b"\t\r\n")
    if text >= 0.7 * len(body):
        return
    entropy = -sum(n / len(body) * math.log2(n / len(body)) for n in counts.values())
    # Even spread over all byte values; a short file cannot reach 8 bits.
    if entropy > 0.9 * min(8.0, math.log2(len(body) + 1)) and len(body) >= 64:
        raise FileRefused("encrypted")
    raise FileRefused("not_text")


class _Parser:
    """Lines in, records out. The usual line costs a split and four look-ups."""

    def __init__(self) -> None:
        self.summary = AttlogSummary()
        self._line = 0
        self._device = b""
        self._order = ""
        self._separator: bytes | None = None
        self._days: dict[bytes, int] = {}
        self._minutes: dict[bytes, int] = {}
        self._seconds: dict[bytes, int] = {}
        self._numbers: dict[bytes, str] = {}
        self._codes: dict[bytes, tuple[int, int]] = {}
        self._punches: list[Punch] = []
        self._unusable: list[Unusable] = []
        self._rejected: list[Rejected] = []

    @property
    def held(self) -> int:
        return len(self._punches) + len(self._unusable) + len(self._rejected)

    def take(self) -> AttlogPart:
        """Hand out what was parsed since the last time, and count it."""
        part = AttlogPart(self._punches, self._unusable, self._rejected)
        summary = self.summary
        summary.punches += len(part.punches)
        summary.unusable += len(part.unusable)
        summary.rejected += len(part.rejected)
        summary.lines = summary.punches + summary.unusable + summary.rejected
        if part.punches:
            times = [punch.t_local for punch in part.punches]
            first, last = min(times), max(times)
            summary.first = first if summary.first is None else min(summary.first, first)
            summary.last = last if summary.last is None else max(summary.last, last)
        self._punches, self._unusable, self._rejected = [], [], []
        return part

    def feed(self, lines: list[bytes]) -> None:
        """Parse a block of lines. Only lines laid out like the first good one take the fast way;
        everything else, and everything new to the look-ups, goes through :meth:`_slowly`."""
        days, minutes, seconds = self._days, self._minutes, self._seconds
        numbers, codes = self._numbers, self._codes
        append = self._punches.append
        line_number = self._line
        for line in lines:
            line_number += 1
            separator = self._separator
            if separator is not None:
                raw = line.rstrip(b"\r")
                fields = raw.split(separator, 5)
                try:
                    when = fields[1]
                    if fields[2] == self._device and len(raw) <= MAX_LINE:
                        method, kind = codes[fields[4]]
                        append(
                            _new_punch(
                                (
                                    numbers[fields[0]],
                                    days[when[:10]] + minutes[when[10:16]] + seconds[when[16:]],
                                    method,
                                    codes[fields[3]][0],
                                    kind,
                                    1,
                                    _FORMAT,
                                    raw,
                                )
                            )
                        )
                        continue
                except (KeyError, IndexError):
                    pass
            self._line = line_number
            self._slowly(line)
        self._line = line_number

    def _slowly(self, line: bytes) -> None:
        """Any layout; every check; fills the look-ups of the fast way."""
        raw = line.strip(_PADDING + b"\r\n")
        if not raw.strip():
            return
        if len(raw) > MAX_LINE:
            self._reject("line_too_long", raw[:MAX_LINE])
            return
        separator, fields = _split(raw)
        order = _order_of(fields)
        if not order:
            few = len(fields) < 4
            self._reject("too_few_fields" if few else "bad_time", raw)
            return
        if len(fields) < 4:
            self._reject("too_few_fields", raw)
            return
        pin, when = (fields[0], fields[1]) if order == "number_first" else (fields[1], fields[0])
        if not _NUMBER.fullmatch(pin):
            self._reject("bad_number", raw)
            return
        device = _code(fields[2])
        state = _code(fields[3])
        method = _code(fields[4]) if len(fields) > 4 else NOT_STATED
        for value, code in ((device, "bad_device"), (state, "bad_state"), (method, "bad_method")):
            if value is None:
                self._reject(code, raw)
                return
        assert device is not None and state is not None and method is not None
        self._agree(order, device)
        self._keep(raw, pin.decode("ascii"), when, state, method)
        if order == "number_first" and separator is not None:
            self._learn(raw, separator, device)

    def _keep(self, raw: bytes, number: str, when: bytes, state: int, method: int) -> None:
        parts = _TIME.fullmatch(when)
        assert parts is not None
        year, month, day, hour, minute, second = map(int, parts.groups())
        try:
            base = (date(year, month, day).toordinal() - _EPOCH_DAY) * 86_400
        except ValueError:
            base = None
        if base is None or hour > 23 or minute > 59 or second > 59:
            text = when.decode("ascii")
            self._unusable.append(
                Unusable(self._line, "impossible_date", number, text, _FORMAT, raw)
            )
            return
        kind = method_class(method) if method != NOT_STATED else int(MethodClass.UNPROVEN)
        self._punches.append(
            Punch(
                number,
                base + hour * 3600 + minute * 60 + second,
                method,
                state,
                kind,
                1,
                _FORMAT,
                raw,
            )
        )

    def _agree(self, order: str, device: int) -> None:
        """A file whose lines disagree was put together by hand: refuse all of it."""
        summary = self.summary
        if not summary.order:
            summary.order = order
        elif summary.order != order:
            raise FileRefused("mixed_order", line=self._line)
        if device == NOT_STATED:
            return
        if summary.device_number is None:
            summary.device_number = device
        elif summary.device_number != device:
            raise FileRefused(
                "mixed_device", line=self._line, facts=(summary.device_number, device)
            )

    def _learn(self, raw: bytes, separator: bytes, device: int) -> None:
        """Remember the fields of a good line as they stand, blanks included, for the fast way."""
        fields = raw.split(separator, 5)
        when = fields[1]
        if len(fields) < 5 or len(when) != 19 or not self._punches or device == NOT_STATED:
            return
        if self._punches[-1].raw is not raw:
            return
        if self._separator is None:
            self._separator, self._device = separator, fields[2]
        punch = self._punches[-1]
        second_of_day = punch.t_local % 86_400
        if len(self._numbers) < _MAX_CACHED:
            self._numbers[fields[0]] = punch.number
        self._days[when[:10]] = punch.t_local - second_of_day
        self._minutes[when[10:16]] = second_of_day // 60 * 60
        self._seconds[when[16:]] = second_of_day % 60
        for field in fields[3:5]:
            value = _code(field.strip())
            if value is not None and value != NOT_STATED:
                self._codes[field] = (value, method_class(value))

    def _reject(self, code: str, raw: bytes) -> None:
        self._rejected.append(Rejected(self._line, code, raw))


def _split(raw: bytes) -> tuple[bytes | None, list[bytes]]:
    """Separator (None = blanks) and the stripped fields; a time split in two is joined again."""
    for separator in (b"\t", b",", b"|"):
        if separator in raw:
            fields = [field.strip() for field in raw.split(separator)]
            break
    else:
        separator, fields = None, raw.split()
    for at in (0, 1):
        if (
            len(fields) > at + 1
            and _DAY_ONLY.fullmatch(fields[at])
            and _HOUR_ONLY.fullmatch(fields[at + 1])
        ):
            fields[at : at + 2] = [fields[at] + b" " + fields[at + 1]]
            return separator, fields
    return separator, fields


def _order_of(fields: list[bytes]) -> str:
    """Which of the first two fields reads as a time; "" if none does."""
    if len(fields) > 1 and _TIME.fullmatch(fields[1]):
        return "number_first"
    if fields and _TIME.fullmatch(fields[0]):
        return "time_first"
    return ""


def _code(field: bytes) -> int | None:
    """A small number, ``NOT_STATED`` for an empty field, None for anything else."""
    if not field:
        return NOT_STATED
    if not _SMALL.fullmatch(field) or int(field) > 65_535:
        return None
    return int(field)

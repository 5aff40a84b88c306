"""Text fitting without Qt: advance widths of the two bundled faces, breaking and shrinking.

Both back ends print what :func:`fit` decided; neither measures again. The widths come from
``fonts/widths.bin``, written by ``installer/cut_fonts.py`` together with the faces.

An office's .docx is set in whatever Chinese fonts Windows has, where ``·``, ``—`` or ``×`` are as
wide as an ideograph and digits narrower than ours; and LibreOffice puts a quarter of an em between
ideographs and digits whatever the file says (seen in 7.4). Fitting counts both, so that a line
which fits here fits there.
"""

from __future__ import annotations

import re
import struct
import unicodedata
from bisect import bisect_right
from functools import lru_cache
from importlib.resources import files

from reports.paper import LEADING, UNITS_PER_PT, Role

EM = 1000
STEP_PT = 0.5
FLOOR_PT = 1.0
"""Nobody reads one point; the floor only ends the search for absurd input."""

LINE_BOX = 1.05
"""Height of a single line in units of its size; further lines add the leading."""

_GAP = 250
_SEAM = re.compile(
    "(?<=[0-9A-Za-z])(?=[\u3400-\u9fff\U00020000-\U0003ffff])"
    "|(?<=[\u3400-\u9fff\U00020000-\U0003ffff])(?=[0-9A-Za-z])"
)

_CLAUSE = re.compile("[^，、；。（]*[，、；。]|（[^，、；。（]*[，、；。]?|[^，、；。（]+")
_AFTER_NUMBER = frozenset("年月日号天人时分次页")

_BREAK_INSIDE = 0.6

_AMBIGUOUS = frozenset("·—–…‘’“”×÷°±§℃№√○△☆◎●□■→←↑↓①②③④⑤⑥⑦⑧⑨⑩ⅠⅡⅢⅣⅤⅥⅦⅧⅨⅩ─━│①≥≤≈∞∶")
_NO_START = frozenset("）】》〉」』”’，。、；：？！·…—～％)]}>,.;:?!%")
_NO_END = frozenset("（【《〈「『“‘([{<")
_WORD = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-./:@_+&'%,")
_PLAIN = re.compile("[ -~\u4e00-\u9fff]*")
"""What nearly every text consists of, and :func:`printable` leaves alone."""


class _Widths(dict[str, int]):
    """Advance of a character in 1/1000 em, looked up in the runs once."""

    def __init__(self, runs: list[tuple[int, int, int]], *, safe: bool) -> None:
        super().__init__()
        self._firsts = [run[0] for run in runs]
        self._runs, self._safe = runs, safe

    def advance(self, char: str) -> int | None:
        """The true advance, ``None`` if the face does not have the character."""
        code = ord(char)
        at = bisect_right(self._firsts, code) - 1
        if at < 0 or code > self._runs[at][1]:
            return None
        return self._runs[at][2]

    def __missing__(self, char: str) -> int:
        width = self.advance(char)
        if width is None or (self._safe and char in _AMBIGUOUS):
            width = max(width or 0, EM)
        self[char] = width
        return width


class _Shape(dict[int, int]):
    """For ``str.translate``: the widest digit for every digit, 一 for every plain ideograph.

    A text needs no more room than its shape, and thousands of names and numbers share a few.
    """

    def __init__(self, widths: _Widths) -> None:
        digits = "0123456789"
        super().__init__(dict.fromkeys(map(ord, digits), ord(max(digits, key=widths.__getitem__))))

    def __missing__(self, code: int) -> int:
        self[code] = ord("一") if 0x4E00 <= code <= 0x9FFF else code
        return self[code]


@lru_cache(1)
def _runs() -> dict[Role, list[tuple[int, int, int]]]:
    data = (files("reports") / "fonts" / "widths.bin").read_bytes()
    tables: list[list[tuple[int, int, int]]] = []
    at = 0
    while at < len(data):
        (count,) = struct.unpack_from("<I", data, at)
        end = at + 4 + 12 * count
        tables.append(list(struct.iter_unpack("<III", data[at + 4 : end])))
        at = end
    return {"song": tables[0], "hei": tables[1]}


@lru_cache(4)
def _widths(role: Role, safe: bool) -> _Widths:
    return _Widths(_runs()[role], safe=safe)


@lru_cache(2)
def _shape(role: Role) -> _Shape:
    return _Shape(_widths(role, True))


def text_width(text: str, pt: float, role: Role = "song") -> float:
    """Drawn width of one line in paper units."""
    return sum(map(_widths(role, False).__getitem__, text)) * pt * UNITS_PER_PT / EM


def room(text: str, pt: float, role: Role = "song") -> float:
    """Width to reserve for one line, in paper units: at least its drawn width."""
    return _reserved(text, _widths(role, True)) * pt * UNITS_PER_PT / EM


def _reserved(text: str, widths: _Widths) -> int:
    """Safe advances and the gaps others put between ideographs and digits, in 1/1000 em."""
    wide = sum(map(widths.__getitem__, text))
    return wide if text.isascii() else wide + _GAP * len(_SEAM.findall(text))


def text_height(lines: int, pt: float) -> float:
    """Height of a block of ``lines`` lines, in paper units."""
    return (LINE_BOX + LEADING * (lines - 1)) * pt * UNITS_PER_PT


def missing_glyphs(text: str, role: Role = "song") -> str:
    """The characters the bundled face cannot draw, each once, in order."""
    widths = _widths(role, False)
    return "".join(dict.fromkeys(c for c in printable(text) if widths.advance(c) is None))


def printable(text: str) -> str:
    """The text as it can stand on paper: one line, no control characters.

    Compatibility ideographs and radicals become the ideographs they stand for: they look the same
    and a PDF could not tell them apart.

    >>> printable("⼯ 长\\n李\\u200b")
    '工 长 李'
    """
    if _PLAIN.fullmatch(text):
        return text
    if any(0x2E80 <= ord(c) <= 0x2FDF for c in text):
        text = "".join(
            unicodedata.normalize("NFKC", c) if 0x2E80 <= ord(c) <= 0x2FDF else c for c in text
        )
    kept = []
    for char in unicodedata.normalize("NFC", text):
        kind = unicodedata.category(char)
        if kind in ("Zs", "Zl", "Zp") and char != "\u3000":
            kept.append(" ")
        elif kind == "Cc":
            kept.append(" " if char in "\t\n\r" else "")
        elif not (kind in ("Cf", "Cs") or _silent(ord(char))):
            kept.append(char)
    return "".join(kept)


def _silent(code: int) -> bool:
    """Variation selectors and the non-characters, which nobody could see."""
    selector = 0xFE00 <= code <= 0xFE0F or 0xE0100 <= code <= 0xE01EF
    return selector or code & 0xFFFE == 0xFFFE


def fit(
    text: str,
    width: int,
    height: int,
    pt: float,
    role: Role = "song",
    *,
    max_lines: int = 99,
) -> tuple[float, tuple[str, ...]]:
    """The largest size, at most ``pt``, at which the whole text fits, and its lines.

    Shrinks in half points; breaks into at most as many lines as ``height`` holds (and
    ``max_lines`` allows); never drops a character. Lines come out balanced; words, numbers and
    brackets with their neighbours are broken inside only where three fifths of the size would not
    keep them whole.

    >>> fit("张三", 1700, 950, 9)
    (9, ('张三',))
    """
    text = printable(text).strip(" ")
    if not text:
        return pt, ()
    if _fits_as_it_is(text.translate(_shape(role)), width, height, pt, role):
        return pt, (text,)
    if text.isascii() and text.isdecimal():
        wide = _reserved(text, _widths(role, True))
        size = _whole_at(wide, width, height, pt, max_lines)
        if size is not None:
            return size, (text,)
    return _fit(text, width, height, pt, role, max_lines)


@lru_cache(4096)
def _fits_as_it_is(text: str, width: int, height: int, pt: float, role: Role) -> bool:
    """Whether a text needs neither breaking nor shrinking."""
    return room(text, pt, role) <= width and lines_in(height, pt) > 0


@lru_cache(4096)
def _whole_at(wide: int, width: int, height: int, pt: float, max_lines: int) -> float | None:
    """The size at which one number, ``wide`` thousandths of an em, stands on one line.

    ``None`` if it has to be broken: what :func:`_fit` decides too, but known for all the numbers of
    one width at once.
    """
    size = pt
    while True:
        allowed = min(max_lines, lines_in(height, size))
        if wide * size * UNITS_PER_PT / EM <= width and (allowed or size <= FLOOR_PT):
            return size
        if size <= FLOOR_PT or (allowed > 1 and size <= pt * _BREAK_INSIDE):
            return None
        size = max(FLOOR_PT, size - STEP_PT)


@lru_cache(4096)
def _fit(
    text: str, width: int, height: int, pt: float, role: Role, max_lines: int
) -> tuple[float, tuple[str, ...]]:
    """:func:`fit` of a printable text."""
    size = pt
    widest = max(room(atom, 1, role) for atom in _atoms(text))
    while True:
        allowed = min(max_lines, lines_in(height, size))
        if room(text, size, role) <= width and (allowed or size <= FLOOR_PT):
            return size, (text,)
        whole = widest * size <= width
        if allowed > 1 and (whole or size <= pt * _BREAK_INSIDE):
            lines = _break(text, width, size, role)
            if len(lines) <= allowed and all(room(ln, size, role) <= width for ln in lines):
                clauses = tuple(_CLAUSE.findall(text))
                if len(clauses) <= allowed and all(room(c, size, role) <= width for c in clauses):
                    return size, clauses
                floor = max(width / 2, widest * size) if whole else float(width)
                return size, _balance(text, floor, width, size, role, lines)
        if size <= FLOOR_PT:
            return size, _break(text, max(width, 1), size, role)
        size = max(FLOOR_PT, size - STEP_PT)


def lines_in(height: int, pt: float) -> int:
    """How many lines of ``pt`` a box of ``height`` units holds; 0 if not even one."""
    unit = pt * UNITS_PER_PT
    if height < LINE_BOX * unit:
        return 0
    return 1 + int((height - LINE_BOX * unit) / (LEADING * unit))


def wrap(text: str, width: int, pt: float, role: Role = "song") -> tuple[str, ...]:
    """Lines of running text at a given size, as many as it takes."""
    text = printable(text).strip(" ")
    return _break(text, width, pt, role) if text else ()


def _atoms(text: str) -> list[str]:
    """The pieces between which a line may end: 20日 and 场， are one piece each."""
    atoms: list[str] = []
    for char in text:
        last = atoms[-1] if atoms else ""
        glued = last and (
            (char in _WORD and last[-1] in _WORD)
            or (char in _AFTER_NUMBER and last[-1].isdecimal())
            or (char in _NO_START and last != " ")
            or last[-1] in _NO_END
        )
        if glued:
            atoms[-1] += char
        else:
            atoms.append(char)
    return atoms


def _break(text: str, width: float, pt: float, role: Role) -> tuple[str, ...]:
    """Greedy lines; an atom wider than a line is broken inside."""
    widths = _widths(role, True)
    limit = width * EM / (pt * UNITS_PER_PT)
    lines: list[str] = []
    line, used = "", 0
    for atom in _atoms(text):
        pieces = [atom] if _reserved(atom, widths) <= limit else list(atom)
        for piece in pieces:
            wide = _reserved(piece, widths)
            if line:
                wide += _GAP if _SEAM.search(line[-1] + piece[0]) else 0
            if line and used + wide > limit:
                lines.append(line.rstrip(" "))
                line, used = "", 0
                wide = _reserved(piece, widths)
                if piece == " ":
                    continue
            line, used = line + piece, used + wide
    if line.strip(" "):
        lines.append(line.rstrip(" "))
    return tuple(lines)


def _balance(
    text: str, floor: float, width: float, pt: float, role: Role, lines: tuple[str, ...]
) -> tuple[str, ...]:
    """The same number of lines, as even as their breaks allow, none narrower than ``floor``."""
    low, high, best = floor, float(width), lines
    for _ in range(7):
        middle = (low + high) / 2
        tried = _break(text, middle, pt, role)
        whole = all(room(line, pt, role) <= middle for line in tried)
        if whole and len(tried) <= len(lines):
            high, best = middle, tried
        else:
            low = middle
    return best

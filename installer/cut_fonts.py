"""Cut the two faces of our papers from Noto CJK and write their advance-width table.

Run by hand when Noto changes; the results are committed, so that neither the program nor its
tests need the originals::

    python installer/cut_fonts.py            # Debian: fonts-noto-cjk
    python installer/cut_fonts.py --from DIR

What is kept: every ideograph the face has (the Basic block, Extension A and the rarer planes),
kana, Latin, punctuation and symbols. What goes, and why:

* the compatibility ranges U+2E80–2FDF, U+F900–FAFF and U+2F800–2FA1F, and of any other two
  characters sharing one glyph the less usual one: a PDF knows glyphs only, and its text layer
  would give back the wrong character;
* Hangul, which no Chinese form prints, and vertical metrics, which we do not set;
* GSUB and GPOS: without kerning and ligatures the width of a text is the sum of its advances,
  which lets ``reports/metrics.py`` fit text without Qt;
* hints: the painter never uses them.

The faces get names of their own. Their licence, SIL OFL 1.1, reserves the name "Source" and Noto
is a trademark; neither word appears in ours. The licence text goes with them.
"""

from __future__ import annotations

import argparse
import struct
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from fontTools import subset
from fontTools.ttLib import TTCollection

OUT = Path(__file__).resolve().parent.parent / "reports" / "fonts"
DEBIAN = Path("/usr/share/fonts/opentype/noto")

FACES = (
    ("song", "NotoSerifCJK-Regular.ttc", "Noto Serif CJK SC", "SiteMuster Song", "Regular"),
    ("hei", "NotoSansCJK-Bold.ttc", "Noto Sans CJK SC", "SiteMuster Hei", "Regular"),
)
"""Role, collection, family inside it, our family, our style."""

DROPPED = (
    (0x0000, 0x001F),
    (0x007F, 0x009F),
    (0x00AD, 0x00AD),  # soft hyphen
    (0x1100, 0x11FF),  # Hangul letters
    (0x2000, 0x200F),  # odd spaces and marks of direction
    (0x2028, 0x202F),
    (0x205F, 0x206F),
    (0x2E80, 0x2FDF),
    (0x3130, 0x318F),  # Hangul, compatibility letters
    (0x3200, 0x321E),
    (0x3260, 0x327F),
    (0xA960, 0xA97F),
    (0xAC00, 0xD7FF),
    (0xF900, 0xFAFF),
    (0xFE00, 0xFE0F),
    (0xFFA0, 0xFFDC),
    (0xFFF0, 0xFFFB),
    (0x2F800, 0x2FA1F),
    (0xE0000, 0xE0FFF),
)

KEPT = frozenset(
    (0xFA0E, 0xFA0F, 0xFA11, 0xFA13, 0xFA14, 0xFA1F, 0xFA21, 0xFA23, 0xFA24, 0xFA27, 0xFA28, 0xFA29)
)
"""Twelve code points of the compatibility block are ideographs in their own right."""

PREFERRED = (
    (0x4E00, 0x9FFF),
    (0x0020, 0x00FF),
    (0x3400, 0x4DBF),
    (0xFF00, 0xFF9F),
    (0x3000, 0x303F),
    (0x2010, 0x2026),
)
"""Of characters sharing a glyph the first in this order stays."""


def wanted(cmap: dict[int, str]) -> set[int]:
    """The code points to keep, no two of them with the same glyph."""
    owners: dict[str, list[int]] = defaultdict(list)
    for code, glyph in cmap.items():
        if code in KEPT or not any(first <= code <= last for first, last in DROPPED):
            owners[glyph].append(code)

    def usual(code: int) -> tuple[int, int]:
        for rank, (first, last) in enumerate(PREFERRED):
            if first <= code <= last:
                return rank, code
        return len(PREFERRED), code

    # U+2013 against U+2012: the en dash is the one people type.
    return {min(codes, key=usual) if 0x2013 not in codes else 0x2013 for codes in owners.values()}


def open_face(path: Path, family: str) -> Any:
    """The face of a collection that calls itself ``family``."""
    for font in TTCollection(str(path), lazy=True).fonts:
        names = {font["name"].getDebugName(1), font["name"].getDebugName(16)}
        if family in names or f"{family} Bold" in names:
            return font
    raise SystemExit(f"{family} is not in {path}")


def rename(font: Any, family: str, style: str) -> None:
    """Give the face its own names; copyright (0) and licence (13, 14) stay."""
    table = font["name"]
    kept = {0: table.getDebugName(0), 13: table.getDebugName(13), 14: table.getDebugName(14)}
    version = table.getDebugName(5).split(";")[0]
    postscript = family.replace(" ", "") + "-" + style
    table.names = []
    for number, text in {
        **kept,
        1: family,
        2: style,
        3: f"{version};{postscript}",
        4: f"{family} {style}",
        5: version,
        6: postscript,
    }.items():
        table.setName(text, number, 3, 1, 0x409)
    top = font["CFF "].cff
    top.fontNames = [postscript]
    top[0].FullName = f"{family} {style}"
    top[0].FamilyName = family
    top[0].Weight = style
    if hasattr(top[0], "Notice"):
        top[0].Notice = kept[0]
    font["OS/2"].usWeightClass = 400
    # Bold is the only weight of the Hei face: no engine shall embolden or look for another.
    font["OS/2"].fsSelection = (font["OS/2"].fsSelection & ~0x21) | 0x40
    font["head"].macStyle = 0


def cut(font: Any, family: str, style: str, target: Path) -> dict[int, int]:
    """Write the cut face and return the advance of every character, in 1/1000 em."""
    options = subset.Options()
    options.layout_features = []
    options.hinting = False
    options.desubroutinize = False
    options.name_IDs = ["*"]
    options.notdef_outline = True
    options.recalc_timestamp = False
    options.drop_tables += ["GSUB", "GPOS", "GDEF", "BASE", "VORG", "vhea", "vmtx", "DSIG"]
    codes = wanted(font.getBestCmap())
    cutter = subset.Subsetter(options)
    cutter.populate(unicodes=codes)
    cutter.subset(font)
    font["cmap"].tables = [t for t in font["cmap"].tables if t.format in (4, 12)]
    rename(font, family, style)
    font.save(str(target), reorderTables=False)
    advances, scale = font["hmtx"], 1000 / font["head"].unitsPerEm
    return {code: round(advances[glyph][0] * scale) for code, glyph in font.getBestCmap().items()}


def runs(advances: dict[int, int]) -> Iterable[tuple[int, int, int]]:
    """``(first, last, advance)`` of neighbouring characters of one width, ascending."""
    first = last = -2
    width = -1
    for code in sorted(advances):
        if code != last + 1 or advances[code] != width:
            if width >= 0:
                yield first, last, width
            first, width = code, advances[code]
        last = code
    yield first, last, width


def write_widths(faces: dict[str, dict[int, int]], target: Path) -> None:
    """``widths.bin``: per face, in the order song, hei: a count, then that many runs.

    Little endian: count u32; run = first u32, last u32, advance u32 (1/1000 em).
    """
    with target.open("wb") as out:
        for role in ("song", "hei"):
            table = list(runs(faces[role]))
            out.write(struct.pack("<I", len(table)))
            out.writelines(struct.pack("<III", *run) for run in table)
            print(f"{role}: {len(faces[role])} characters in {len(table)} runs")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--from", dest="source", type=Path, default=DEBIAN, metavar="DIR")
    source: Path = parser.parse_args().source
    OUT.mkdir(parents=True, exist_ok=True)
    faces = {}
    for role, collection, original, family, style in FACES:
        font = open_face(source / collection, original)
        target = OUT / f"{family.replace(' ', '')}.otf"
        faces[role] = cut(font, family, style, target)
        print(f"{target.name}: {target.stat().st_size / 1e6:.1f} MB")
    write_widths(faces, OUT / "widths.bin")


if __name__ == "__main__":
    main()

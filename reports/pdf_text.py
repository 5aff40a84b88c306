"""Mend what Qt leaves undone in a PDF it has just written: text layer, dates, file identity.

Qt's map from glyphs back to characters (ToUnicode) ends at U+FFFF and takes a space for a tab. A
name such as 𠮷 would be printed well and be lost to search, copying and checking. Glyphs get their
numbers in the order they are first drawn, so the holes of a face, in ascending order, are the
characters beyond U+FFFF in the order the painter first drew them. If the counts disagree the file
is refused rather than filled with guesses.

Dates and identity are taken from the document, not from the clock, and the parts of the faces get
their numbers in the order of first drawing, not in that of a hash table: equal documents are equal
files, whichever process wrote them. The reader here understands exactly the PDFs QPdfWriter writes, nothing else.
"""

from __future__ import annotations

import hashlib
import os
import re
import struct
import zlib
from collections.abc import Mapping, Sequence
from html import escape
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO

from reports.errors import ReportError
from reports.metrics import missing_glyphs
from reports.paper import Role

_START = re.compile(rb"startxref\s+(\d+)\s+%%EOF\s*$")
_XREF = re.compile(rb"xref\s+0 (\d+)\s+")
_RANGES = re.compile(rb"<([0-9A-F]{4})> <([0-9A-F]{4})> (?:<([0-9A-F]{4})>|\[([^\]]*)\])")
_ROOT = re.compile(rb"/Root (\d+) 0 R")
_INFO = re.compile(rb"/Info (\d+) 0 R")
_REFERENCE = re.compile(rb"\b(\d+) 0 R\b")
_NUMBER = re.compile(rb"\b(\d+)(?= 0 (?:R|obj)\b)")
_TAG = re.compile(rb"/([A-Z]{6})\+")


class RareTexts:
    """Characters beyond U+FFFF in the order of their first drawing, per face."""

    def __init__(self) -> None:
        self.seen: dict[Role, dict[str, None]] = {"song": {}, "hei": {}}

    def note(self, line: str, role: Role) -> None:
        if max(line) > "\uffff":
            absent = missing_glyphs(line, role)
            self.seen[role].update(
                dict.fromkeys(c for c in line if c > "\uffff" and c not in absent)
            )


def mend(
    path: Path,
    rare: Mapping[str, Sequence[str]],
    *,
    title: str,
    made_on: str,
    author: str = "",
    subject: str = "",
    pages: int,
) -> None:
    """Rewrite the file in place.

    ``rare`` gives per face (the start of its PostScript name) the characters beyond U+FFFF in the
    order of first drawing. Raises ``ReportError("write_failed")`` if the file is incomplete, has
    another number of pages than ``pages``, or its holes do not match.
    """
    with path.open("rb") as written:
        objects, root, info = _objects(written)
    if sum(body.count(b"/Type /Page\n") for body in objects) != pages:
        raise ReportError("write_failed", reason="pages")
    _order_faces(objects)
    _mend_maps(objects, rare)
    objects[info] = _info(info, title, made_on, author, subject)
    metadata = re.search(rb"/Metadata (\d+) 0 R", objects[root])
    if metadata:
        number = int(metadata[1])
        objects[number] = _xmp(number, title, made_on, author)
    with path.open("wb") as out:
        offsets, at, seal = [], 0, hashlib.sha256()
        for chunk in [b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n", *objects[1:]]:
            offsets.append(at)
            out.write(chunk)
            seal.update(chunk)
            at += len(chunk)
        out.write(b"xref\n0 %d\n0000000000 65535 f \n" % len(objects))
        out.writelines(b"%010d 00000 n \n" % offset for offset in offsets[1:])
        mark = seal.hexdigest()[:32].encode()
        out.write(
            b"trailer\n<<\n/Size %d\n/Info %d 0 R\n/Root %d 0 R\n/ID [<%s> <%s>]\n>>\n"
            % (len(objects), info, root, mark, mark)
        )
        out.write(b"startxref\n%d\n%%%%EOF\n" % at)
        out.flush()
        os.fsync(out.fileno())


def _objects(written: BinaryIO) -> tuple[list[bytes], int, int]:
    """The objects by number (0 is empty), the catalogue's and the information's number."""
    size = written.seek(0, os.SEEK_END)
    written.seek(max(0, size - 64))
    end = _START.search(written.read())
    start = int(end[1]) if end else size
    written.seek(min(start, size))
    tail = written.read()
    head, root, info = _XREF.match(tail), _ROOT.search(tail), _INFO.search(tail)
    if not head or not root or not info:
        raise ReportError("write_failed", reason="incomplete")
    count, table = int(head[1]), head.end()
    try:
        offsets = [int(tail[table + 20 * k : table + 20 * k + 10]) for k in range(count)]
    except ValueError as error:
        raise ReportError("write_failed", reason="incomplete") from error
    if not all(0 < offset < start for offset in offsets[1:]):
        raise ReportError("write_failed", reason="incomplete")
    ordered = [*sorted(offsets[1:]), start]
    following = dict(pairwise(ordered))
    objects = [b""]
    for number, offset in enumerate(offsets[1:], 1):
        written.seek(offset)
        body = written.read(following[offset] - offset)
        if not body.startswith(b"%d 0 obj" % number):
            raise ReportError("write_failed", reason="objects")
        objects.append(body)
    if max(int(root[1]), int(info[1])) >= count:
        raise ReportError("write_failed", reason="incomplete")
    return objects, int(root[1]), int(info[1])


def _order_faces(objects: list[bytes]) -> None:
    """Renumber what belongs to each face, in the order the faces were first drawn.

    A Type 0 font has its number from its first use; Qt writes its parts (descriptor, program, map)
    at the end, face by face in the order of a hash table that is seeded anew in every process.
    """
    fonts = [n for n, body in enumerate(objects) if b"/Subtype /Type0" in body[:200]]
    families = [_parts(objects, font) for font in fonts]
    old = [n for family in families for n in family]
    if len(set(old)) != len(old):
        raise ReportError("write_failed", reason="fonts")
    new = dict(zip(old, sorted(old), strict=True))
    tags = [next((t[1] for n in family if (t := _TAG.search(objects[n]))), b"") for family in families]
    in_file = [tag for _, tag in sorted(zip(families, tags, strict=True))]
    moved: dict[int, bytes] = {}
    for font, family, tag, place in zip(fonts, families, tags, in_file, strict=True):
        for number in (font, *family):
            head, start, rest = objects[number].partition(b"stream\n")
            head = _NUMBER.sub(lambda found: b"%d" % new.get(int(found[1]), int(found[1])), head)
            head = head.replace(b"/" + tag + b"+", b"/" + place + b"+")
            moved[new.get(number, number)] = head + start + rest
    for number, body in moved.items():
        objects[number] = body


def _parts(objects: list[bytes], font: int) -> list[int]:
    """The numbers of everything a font leads to, ascending, without itself."""
    found: set[int] = set()
    waiting = [font]
    while waiting:
        head = objects[waiting.pop()].partition(b"stream\n")[0]
        for number in map(int, _REFERENCE.findall(head)):
            if not 0 < number < len(objects):
                raise ReportError("write_failed", reason="fonts")
            if number not in found:
                found.add(number)
                waiting.append(number)
    return sorted(found - {font})


def _mend_maps(objects: list[bytes], rare: Mapping[str, Sequence[str]]) -> None:
    """Replace the ToUnicode streams of the bundled faces."""
    fonts = [o for o in objects if b"/Subtype /Type0" in o[:200]]
    for face, chars in rare.items():
        owners = [o for o in fonts if b"/BaseFont /" + face.encode() in o]
        if not owners and chars:
            raise ReportError("write_failed", reason="glyphs", face=face)
        if len(owners) > 1:
            # Qt starts a second subset beyond 65,535 glyphs; the faces have half as many.
            raise ReportError("write_failed", reason="fonts", face=face)
        for font in owners:
            child = _follow(objects, font, rb"/DescendantFonts \[(\d+) 0 R\]")
            descriptor = _follow(objects, objects[child], rb"/FontDescriptor (\d+) 0 R")
            program = _follow(objects, objects[descriptor], rb"/FontFile2 (\d+) 0 R")
            number = _follow(objects, font, rb"/ToUnicode (\d+) 0 R")
            known = _known(objects[number])
            holes = [k for k in range(1, _glyph_count(objects[program])) if k not in known]
            if len(holes) != len(chars):
                raise ReportError("write_failed", reason="glyphs", face=face)
            known.update(zip(holes, chars, strict=True))
            objects[number] = _map(number, known)
            _tag_subset(objects, (child, objects.index(font)), objects[descriptor])


def _follow(objects: list[bytes], body: bytes, reference: bytes) -> int:
    """The number of the object a reference in ``body`` leads to."""
    found = re.search(reference, body)
    if not found or not 0 < int(found[1]) < len(objects):
        raise ReportError("write_failed", reason="fonts")
    return int(found[1])


def _tag_subset(objects: list[bytes], fonts: tuple[int, int], descriptor: bytes) -> None:
    """Let the font be called like its descriptor, with the tag that says it is a subset."""
    name = re.search(rb"/FontName /(\S+)", descriptor)
    if name:
        for number in fonts:
            objects[number] = re.sub(rb"/BaseFont /\S+", b"/BaseFont /" + name[1], objects[number])


def _glyph_count(face: bytes) -> int:
    """How many glyphs an embedded TrueType subset has, .notdef included (its ``maxp`` table)."""
    start, end = face.find(b"stream\n") + 7, face.rfind(b"\nendstream")
    try:
        data = zlib.decompress(face[start:end])
        (tables,) = struct.unpack_from(">H", data, 4)
        for k in range(tables):
            tag, _, offset, _ = struct.unpack_from(">4sIII", data, 12 + 16 * k)
            if tag == b"maxp":
                return int(struct.unpack_from(">H", data, offset + 4)[0])
    except (zlib.error, struct.error) as error:
        raise ReportError("write_failed", reason="glyphs") from error
    raise ReportError("write_failed", reason="glyphs")


def _known(stream: bytes) -> dict[int, str]:
    """What Qt's map says: glyph number to character."""
    known: dict[int, str] = {}
    for first, last, single, several in _RANGES.findall(stream):
        start, stop = int(first, 16), int(last, 16)
        if start == 0 == stop:
            continue
        if single:
            codes = range(int(single, 16), int(single, 16) + stop - start + 1)
        else:
            codes = [int(c, 16) for c in re.findall(rb"<([0-9A-F]{4})>", several)]  # type: ignore[assignment]
        for glyph, code in zip(range(start, stop + 1), codes, strict=True):
            known[glyph] = " " if code in (0x09, 0x0A, 0x0D) else chr(code)
    return known


def _map(number: int, known: Mapping[int, str]) -> bytes:
    """A ToUnicode stream, characters beyond U+FFFF as UTF-16 pairs."""
    entries = [
        b"<%04X> <%s>" % (glyph, char.encode("utf-16-be").hex().upper().encode())
        for glyph, char in sorted(known.items())
    ]
    blocks = b"".join(
        b"%d beginbfchar\n%s\nendbfchar\n" % (len(block), b"\n".join(block))
        for block in (entries[k : k + 100] for k in range(0, len(entries), 100))
    )
    stream = (
        b"/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n"
        b"/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def\n"
        b"/CMapName /Adobe-Identity-UCS def\n/CMapType 2 def\n"
        b"1 begincodespacerange\n<0000> <FFFF>\nendcodespacerange\n"
        + blocks
        + b"endcmap\nCMapName currentdict /CMap defineresource pop\nend\nend\n"
    )
    return _stream(number, b"", stream)


def _stream(number: int, entries: bytes, stream: bytes) -> bytes:
    return b"%d 0 obj\n<< %s/Length %d >>\nstream\n%s\nendstream\nendobj\n" % (
        number,
        entries,
        len(stream),
        stream,
    )


def _string(text: str) -> bytes:
    return b"<FEFF" + text.encode("utf-16-be").hex().upper().encode() + b">"


def _info(number: int, title: str, made_on: str, author: str, subject: str) -> bytes:
    stamp = b"(D:%s000000+08'00')" % made_on.replace("-", "").encode()
    fields = {
        b"Title": _string(title),
        b"Author": _string(author),
        b"Subject": _string(subject),
        b"Creator": b"(SiteMuster)",
        b"Producer": b"(SiteMuster, Qt)",
        b"CreationDate": stamp,
        b"ModDate": stamp,
    }
    body = b"\n".join(b"/%s %s" % item for item in fields.items() if item[1] != b"<FEFF>")
    return b"%d 0 obj\n<<\n%s\n>>\nendobj\n" % (number, body)


def _xmp(number: int, title: str, made_on: str, author: str) -> bytes:
    stamp = f"{made_on}T00:00:00+08:00"
    creator = f"<dc:creator><rdf:Seq><rdf:li>{escape(author)}</rdf:li></rdf:Seq></dc:creator>"
    packet = (
        "<?xpacket begin='\ufeff' id='W5M0MpCehiHzreSzNTczkc9d'?>"
        '<x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" '
        'xmlns:xmp="http://ns.adobe.com/xap/1.0/">'
        f'<dc:title><rdf:Alt><rdf:li xml:lang="x-default">{escape(title)}</rdf:li></rdf:Alt>'
        f"</dc:title>{creator if author else ''}"
        f"<xmp:CreatorTool>SiteMuster</xmp:CreatorTool><xmp:CreateDate>{stamp}</xmp:CreateDate>"
        f"<xmp:ModifyDate>{stamp}</xmp:ModifyDate>"
        "</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end='w'?>"
    )
    return _stream(number, b"/Type /Metadata /Subtype /XML ", packet.encode())

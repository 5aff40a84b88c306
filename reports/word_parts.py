"""The small constant parts of a .docx package, and the one place that names its fonts.

A .docx names fonts, it does not carry them. Offices have 宋体 and 黑体; on Linux the first
installed of the usual replacements is named, because LibreOffice knows no list of alternatives
and would fall to a Japanese face.

Element order inside every parent follows the schema: Word calls a file damaged for less.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from html import escape

from reports.paper import LEADING, Meta, Role

_W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_R = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_REL = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml"

_TIGHT = (
    '<w:widowControl w:val="0"/><w:autoSpaceDE w:val="0"/><w:autoSpaceDN w:val="0"/>'
    '<w:adjustRightInd w:val="0"/><w:snapToGrid w:val="0"/>'
)
"""No added space between ideographs and digits, no grid: lines as wide as ours. On every style,
because LibreOffice does not read it from the defaults (seen)."""

DOCUMENT_START = (
    f'{_HEAD}<w:document xmlns:w="{_W}" xmlns:r="{_R}" '
    'xmlns:wp="http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing" '
    'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" '
    'xmlns:pic="http://schemas.openxmlformats.org/drawingml/2006/picture"><w:body>'
)


@dataclass(frozen=True, slots=True)
class OfficeFonts:
    """The names written for the two roles; ``hei_bold`` where the face itself is not heavy."""

    song: str = "宋体"
    hei: str = "黑体"
    hei_bold: bool = False


_SONG = (
    "宋体",
    "SimSun",
    "方正书宋_GBK",
    "FZShuSong-Z01",
    "Noto Serif CJK SC",
    "Source Han Serif SC",
)
_HEI = ("黑体", "SimHei", "方正黑体_GBK", "FZHei-B01", "Noto Sans CJK SC", "Source Han Sans SC")
_LIGHT_HEI = ("Noto Sans CJK SC", "Source Han Sans SC")


@lru_cache(1)
def office_fonts() -> OfficeFonts:
    """The fonts to name on this computer."""
    if sys.platform in ("win32", "darwin"):
        return OfficeFonts()
    try:
        listed = subprocess.run(
            ["fc-list", ":", "family"], capture_output=True, timeout=10, check=True
        ).stdout.decode("utf-8", "replace")
    except (OSError, subprocess.SubprocessError):
        return OfficeFonts()
    installed = {name.strip() for line in listed.splitlines() for name in line.split(",")}
    song = next((name for name in _SONG if name in installed), "宋体")
    hei = next((name for name in _HEI if name in installed), "黑体")
    return OfficeFonts(song, hei, hei in _LIGHT_HEI)


@dataclass(frozen=True, slots=True)
class Style:
    """One look of a paragraph: everything but the words."""

    pt: float
    role: Role
    align: str
    colour: int


def styles(used: Iterable[tuple[str, Style]], fonts: OfficeFonts) -> str:
    """``styles.xml``: the Chinese fonts stand on the defaults and on each style, nowhere else."""
    looks = "".join(_style(name, style, fonts) for name, style in used)
    return (
        f'{_HEAD}<w:styles xmlns:w="{_W}"><w:docDefaults><w:rPrDefault><w:rPr>'
        f'{_fonts(fonts.song)}<w:sz w:val="18"/><w:szCs w:val="18"/>'
        '<w:lang w:val="en-US" w:eastAsia="zh-CN" w:bidi="ar-SA"/></w:rPr></w:rPrDefault>'
        '<w:pPrDefault><w:pPr><w:spacing w:before="0" w:after="0" w:line="240" '
        'w:lineRule="auto"/></w:pPr></w:pPrDefault></w:docDefaults>'
        '<w:style w:type="paragraph" w:default="1" w:styleId="a"><w:name w:val="Normal"/>'
        f"<w:qFormat/><w:pPr>{_TIGHT}</w:pPr></w:style>"
        '<w:style w:type="character" w:default="1" w:styleId="a0">'
        '<w:name w:val="Default Paragraph Font"/></w:style>'
        '<w:style w:type="table" w:default="1" w:styleId="a1"><w:name w:val="Normal Table"/>'
        '<w:tblPr><w:tblInd w:w="0" w:type="dxa"/><w:tblCellMar><w:top w:w="0" w:type="dxa"/>'
        '<w:left w:w="0" w:type="dxa"/><w:bottom w:w="0" w:type="dxa"/>'
        '<w:right w:w="0" w:type="dxa"/></w:tblCellMar></w:tblPr></w:style>'
        '<w:style w:type="paragraph" w:customStyle="1" w:styleId="gap"><w:name w:val="gap"/>'
        f'<w:pPr>{_TIGHT}<w:spacing w:line="20" w:lineRule="exact"/></w:pPr>'
        '<w:rPr><w:sz w:val="2"/><w:szCs w:val="2"/></w:rPr></w:style>'
        f"{looks}</w:styles>"
    )


def _fonts(name: str) -> str:
    name = escape(name)
    return (
        f'<w:rFonts w:hint="eastAsia" w:ascii="{name}" w:eastAsia="{name}" '
        f'w:hAnsi="{name}" w:cs="{name}"/>'
    )


def _style(name: str, style: Style, fonts: OfficeFonts) -> str:
    heavy = style.role == "hei"
    run = _fonts(fonts.hei if heavy else fonts.song)
    if heavy and fonts.hei_bold:
        run += "<w:b/><w:bCs/>"
    if style.colour:
        run += f'<w:color w:val="{style.colour:06X}"/>'
    size = round(style.pt * 2)
    run += f'<w:sz w:val="{size}"/><w:szCs w:val="{size}"/>'
    line = round(style.pt * LEADING * 20)
    return (
        f'<w:style w:type="paragraph" w:customStyle="1" w:styleId="{name}">'
        f'<w:name w:val="{name}"/><w:pPr>{_TIGHT}'
        f'<w:spacing w:line="{line}" w:lineRule="exact"/><w:jc w:val="{style.align}"/></w:pPr>'
        f"<w:rPr>{run}</w:rPr></w:style>"
    )


CONTENT_TYPES = (
    f'{_HEAD}<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="png" ContentType="image/png"/>'
    '<Default Extension="rels" '
    'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/>'
    f'<Override PartName="/word/document.xml" ContentType="{_TYPE}.document.main+xml"/>'
    f'<Override PartName="/word/styles.xml" ContentType="{_TYPE}.styles+xml"/>'
    f'<Override PartName="/word/settings.xml" ContentType="{_TYPE}.settings+xml"/>'
    f'<Override PartName="/word/fontTable.xml" ContentType="{_TYPE}.fontTable+xml"/>'
    '<Override PartName="/docProps/core.xml" '
    'ContentType="application/vnd.openxmlformats-package.core-properties+xml"/>'
    '<Override PartName="/docProps/app.xml" '
    'ContentType="application/vnd.openxmlformats-officedocument.extended-properties+xml"/>'
    "</Types>"
)

PACKAGE_RELS = (
    f'{_HEAD}<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    f'<Relationship Id="rId1" Type="{_REL}/officeDocument" Target="word/document.xml"/>'
    '<Relationship Id="rId2" Type="http://schemas.openxmlformats.org/package/2006/relationships'
    '/metadata/core-properties" Target="docProps/core.xml"/>'
    f'<Relationship Id="rId3" Type="{_REL}/extended-properties" Target="docProps/app.xml"/>'
    "</Relationships>"
)

SETTINGS = (
    f'{_HEAD}<w:settings xmlns:w="{_W}"><w:zoom w:percent="100"/>'
    '<w:defaultTabStop w:val="420"/><w:characterSpacingControl w:val="doNotCompress"/>'
    '<w:compat><w:compatSetting w:name="compatibilityMode" '
    'w:uri="http://schemas.microsoft.com/office/word" w:val="15"/></w:compat>'
    '<w:themeFontLang w:val="en-US" w:eastAsia="zh-CN"/></w:settings>'
)

APP = (
    f'{_HEAD}<Properties xmlns="http://schemas.openxmlformats.org/officeDocument/2006/'
    'extended-properties"><Application>SiteMuster</Application></Properties>'
)


def document_rels(pictures: int) -> str:
    """``document.xml.rels``: three parts, then the pictures ``p1``, ``p2``, …"""
    images = "".join(
        f'<Relationship Id="p{k}" Type="{_REL}/image" Target="media/code{k}.png"/>'
        for k in range(1, pictures + 1)
    )
    return (
        f'{_HEAD}<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/'
        f'relationships"><Relationship Id="rId1" Type="{_REL}/styles" Target="styles.xml"/>'
        f'<Relationship Id="rId2" Type="{_REL}/settings" Target="settings.xml"/>'
        f'<Relationship Id="rId3" Type="{_REL}/fontTable" Target="fontTable.xml"/>'
        f"{images}</Relationships>"
    )


def font_table(fonts: OfficeFonts) -> str:
    """``fontTable.xml``: what to take where a named font is missing."""
    names = {fonts.song: ("宋体", "SimSun"), fonts.hei: ("黑体", "SimHei")}
    entries = "".join(
        f'<w:font w:name="{escape(name)}">'
        f'<w:altName w:val="{escape(alt[1] if name == alt[0] else alt[0])}"/>'
        '<w:charset w:val="86"/><w:family w:val="auto"/><w:pitch w:val="variable"/></w:font>'
        for name, alt in names.items()
    )
    return f'{_HEAD}<w:fonts xmlns:w="{_W}">{entries}</w:fonts>'


def core(title: str, meta: Meta) -> str:
    """``core.xml``; its dates are the document's, not the clock's."""
    stamp = f"{meta.made_on}T00:00:00Z"
    dated = 'xsi:type="dcterms:W3CDTF"'
    return (
        f'{_HEAD}<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/'
        'metadata/core-properties" xmlns:dc="http://purl.org/dc/elements/1.1/" '
        'xmlns:dcterms="http://purl.org/dc/terms/" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
        f"<dc:title>{escape(title)}</dc:title><dc:subject>{escape(meta.subject)}</dc:subject>"
        f"<dc:creator>{escape(meta.author)}</dc:creator>"
        f"<dcterms:created {dated}>{stamp}</dcterms:created>"
        f"<dcterms:modified {dated}>{stamp}</dcterms:modified></cp:coreProperties>"
    )

"""Pinyin of people's names, for sorting and for search by full spelling or by initials.

Surnames are not general pinyin: 单 曾 仇 解 区 查 朴 覃 翟 are wrong in every general dictionary, so
our own table comes first. The first reading sorts; the others are kept for search, because the
office may type any of them. Characters unknown to the dictionary are passed over.
"""

from __future__ import annotations

import unicodedata
from functools import cache
from typing import NamedTuple

_SURNAMES = {
    "单": "shan", "曾": "zeng", "仇": "qiu", "解": "xie", "区": "ou", "查": "zha", "朴": "piao",
    "覃": "qin", "翟": "zhai", "任": "ren", "华": "hua", "盖": "ge", "乐": "yue", "召": "shao",
    "员": "yun", "贠": "yun", "缪": "miao", "宓": "mi", "冼": "xian", "洗": "xian", "祭": "zhai",
    "种": "chong", "重": "chong", "秘": "bi", "褚": "chu", "那": "na", "黑": "he", "折": "she",
    "佴": "nai", "繁": "po", "逄": "pang", "郇": "xun", "郗": "xi", "隗": "wei", "晁": "chao",
    "谌": "chen", "臧": "zang", "訾": "zi", "卜": "bu", "长": "chang", "车": "che", "柏": "bai",
    "费": "fei", "葛": "ge", "哈": "ha", "阚": "kan", "么": "yao", "幺": "yao", "牟": "mu",
    "粘": "nian", "宁": "ning", "鲜": "xian", "相": "xiang", "燕": "yan", "应": "ying", "於": "yu",
    "俞": "yu", "曲": "qu", "瞿": "qu", "藏": "zang", "尉": "wei", "万": "wan", "石": "shi",
    "冯": "feng", "薄": "bo", "卡": "ka", "都": "du", "教": "jiao", "占": "zhan", "夏": "xia",
    "信": "xin", "伍": "wu", "纪": "ji", "过": "guo", "贾": "jia", "句": "gou", "勾": "gou",
    "阿": "a", "朝": "chao", "呙": "guo", "撒": "sa", "行": "xing", "不": "bu", "殷": "yin",
    "镡": "tan", "炅": "gui", "角": "jue", "瓮": "weng", "莘": "shen", "仝": "tong", "妫": "gui",
}
_COMPOUND = {
    "尉迟": ("yu", "chi"), "万俟": ("mo", "qi"), "长孙": ("zhang", "sun"), "澹台": ("tan", "tai"),
    "单于": ("chan", "yu"), "鲜于": ("xian", "yu"), "拓跋": ("tuo", "ba"), "乐正": ("yue", "zheng"),
    "亓官": ("qi", "guan"), "令狐": ("ling", "hu"), "呼延": ("hu", "yan"), "夹谷": ("jia", "gu"),
    "宰父": ("zai", "fu"), "夏侯": ("xia", "hou"), "南宫": ("nan", "gong"), "皇甫": ("huang", "fu"),
    "淳于": ("chun", "yu"), "濮阳": ("pu", "yang"), "赫连": ("he", "lian"), "完颜": ("wan", "yan"),
}
_RARE = {"𠮷": ("ji",)}
"""Read in names, absent from the dictionary."""

_GIVEN_READINGS = 2
"""Readings kept of a character of the given name: later ones are bookish."""


class Reading(NamedTuple):
    """Columns of ``Person``: readings joined by ``|``, the sort key first."""

    pinyin: str
    initials: str


@cache
def _dictionary() -> dict[int, str]:
    from pypinyin.pinyin_dict import pinyin_dict

    found: dict[int, str] = pinyin_dict
    return found


@cache
def _syllables(sign: str) -> tuple[str, ...]:
    """Toneless readings of one character, the commonest first; ü is v, Latin letters are kept."""
    if sign in _RARE:
        return _RARE[sign]
    if sign.isascii():
        return (sign.lower(),) if sign.isalnum() else ()
    spelled = _dictionary().get(ord(sign), "")
    return tuple(dict.fromkeys(_toneless(one) for one in spelled.split(",") if one))


def _toneless(syllable: str) -> str:
    """``lǚ`` → ``lv``, ``zhāng`` → ``zhang``."""
    plain = unicodedata.normalize("NFD", syllable).replace("u\u0308", "v").replace("ê", "e")
    return "".join(sign for sign in plain if "a" <= sign <= "z")


def reading(name: str) -> Reading:
    """Every reading of ``name`` worth searching.

    >>> reading("曾伟")
    Reading(pinyin='zengwei|cengwei', initials='zw|cw')
    """
    parts = [found for sign in name if (found := _syllables(sign))]
    if not parts:
        return Reading("", "")
    start = name[:2]
    if start in _COMPOUND and len(parts) > 1:
        firsts = tuple((one,) for one in _COMPOUND[start])
        parts = [*(_first(a, b) for a, b in zip(firsts, parts[:2], strict=True)), *parts[2:]]
        surname = 2
    else:
        parts[0] = _first((_SURNAMES[name[0]],) if name[0] in _SURNAMES else (), parts[0])
        surname = 1
    spelled = _spellings(parts, surname)
    return Reading(
        "|".join(dict.fromkeys("".join(one) for one in spelled)),
        "|".join(dict.fromkeys("".join(part[0] for part in one) for one in spelled)),
    )


def _first(preferred: tuple[str, ...], readings: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*preferred, *readings)))


def _spellings(parts: list[tuple[str, ...]], surname: int) -> list[list[str]]:
    """The main spelling, then one departure at a time: long names stay bounded."""
    main = [part[0] for part in parts]
    found = [main]
    for place, part in enumerate(parts):
        kept = part if place < surname else part[:_GIVEN_READINGS]
        for other in kept[1:]:
            found.append([*main[:place], other, *main[place + 1 :]])
    return found

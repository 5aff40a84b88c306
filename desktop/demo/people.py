"""Invented people for the demo site, tests and benchmarks: the same ones for the same seed.

Nobody of them exists: ID numbers begin with 410000 or 419000, which are not codes of a household
register, with a valid check digit. Among the first dozens stand the names that break programs:
rare characters, long minority names, namesakes, surnames read unlike the dictionary.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from typing import TypeVar

from desktop.people.rules import id_check_digit, luhn_ok

T = TypeVar("T")

_AREAS = ("410000", "419000")
_FIRST_BIRTH, _LAST_BIRTH = date(1968, 1, 1), date(2006, 12, 31)
_FIRST_BIRTH_WOMEN = date(1978, 1, 1)

_SURNAMES = (
    "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎"
    "余潘杜戴夏钟汪田任姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易常武乔贺赖龚文"
)
_UNUSUAL = "单曾仇解区查朴覃翟"
_COMPOUND = ("欧阳", "尉迟", "司马", "上官", "诸葛")
_GIVEN_MEN = "伟强磊洋勇军杰涛超明刚平辉鹏华飞鑫波斌宇浩凯健俊帆帅旭宁龙林阳建国志海永庆福贵根生"
_GIVEN_WOMEN = "芳娜敏静秀丽艳娟霞秀兰玲桂英梅红燕丹萍婷雪慧莹蓉凤巧云香月莲春"
_NAMED: tuple[tuple[str, str, str], ...] = (
    ("𠮷田明", "男", "汉族"),
    ("张䶮", "男", "汉族"),
    ("王𬭎", "男", "汉族"),
    ("买买提·阿不都热合曼·吐尔逊", "男", "维吾尔族"),
    ("古丽娜孜·阿不力米提", "女", "维吾尔族"),
    ("李〇", "女", "汉族"),
    ("巴特尔", "男", "蒙古族"),
    ("阿依古丽·艾合买提江", "女", "维吾尔族"),
    ("洛桑丹增", "男", "藏族"),
    ("马哈麦德", "男", "东乡族"),
)
_NAMED_FROM, _NAMED_EVERY = 14, 3
"""Places of the listed names: 14, 17, 20 … so that a small sample holds all of them."""
_NATIONS = ("回族", "满族", "苗族", "土家族", "彝族", "壮族", "布依族", "侗族")
_TRADES = (
    "钢筋工", "木工", "架子工", "混凝土工", "砌筑工", "模板工", "建筑电工", "管道工", "防水工",
    "装饰装修工", "电焊工", "杂工",
)
_TOWNS = (
    "河南省示范市示范区长青镇", "河南省示范市新丰县河口乡", "四川省示范州云岭县石桥镇",
    "新疆维吾尔自治区示范地区绿洲县巴扎镇", "贵州省示范州清溪县", "甘肃省示范州临河县",
)


@dataclass(frozen=True, slots=True)
class InventedPerson:
    """Somebody who does not exist."""

    name: str
    sex: str
    nation: str
    id_number: str
    phone: str
    bank_card: str
    address: str
    trade: str


def invent_people(count: int, seed: int = 0) -> list[InventedPerson]:
    """``count`` people with different ID, phone and card numbers; fewer are the first of more."""
    chance = random.Random(f"sitemuster people {seed}")
    serials: set[int] = set()
    identities: set[str] = set()
    people: list[InventedPerson] = []
    for place in range(count):
        name, sex, nation = _name(place, chance)
        identity = _new(identities, partial(_identity, chance, sex))
        serial = _new(serials, partial(chance.randrange, 10_000_000, 100_000_000))
        people.append(
            InventedPerson(
                name, sex, nation, identity, f"199{serial:08d}", _card(serial),
                f"{chance.choice(_TOWNS)}{chance.randrange(1, 60)}组{chance.randrange(1, 200)}号",
                chance.choice(_TRADES),
            )
        )
    return people


def _new(seen: set[T], draw: Callable[[], T]) -> T:
    """Something drawn that was not there before."""
    found = draw()
    while found in seen:
        found = draw()
    seen.add(found)
    return found


def _name(place: int, chance: random.Random) -> tuple[str, str, str]:
    listed, rest = divmod(place - _NAMED_FROM, _NAMED_EVERY)
    if rest == 0 and 0 <= listed < len(_NAMED):
        return _NAMED[listed]
    sex = "女" if chance.random() < 0.15 else "男"
    given = _GIVEN_WOMEN if sex == "女" else _GIVEN_MEN
    roll = chance.random()
    if roll < 0.02:
        surname = chance.choice(_COMPOUND)
    elif roll < 0.08:
        surname = chance.choice(_UNUSUAL)
    else:
        surname = chance.choice(_SURNAMES)
    name = surname + "".join(chance.choices(given, k=1 if chance.random() < 0.3 else 2))
    nation = chance.choice(_NATIONS) if chance.random() < 0.06 else "汉族"
    return name, sex, nation


def _identity(chance: random.Random, sex: str) -> str:
    first = _FIRST_BIRTH_WOMEN if sex == "女" else _FIRST_BIRTH
    birth = first + timedelta(days=chance.randrange((_LAST_BIRTH - first).days))
    order = chance.randrange(0, 499) * 2 + (1 if sex == "男" else 2)
    body = f"{chance.choice(_AREAS)}{birth.isoformat().replace('-', '')}{order:03d}"
    return body + id_check_digit(body)


def _card(serial: int) -> str:
    """19 digits that begin like no bank's, with a right last digit."""
    body = f"6200000000{serial:08d}"
    return next(body + digit for digit in "0123456789" if luhn_ok(body + digit))

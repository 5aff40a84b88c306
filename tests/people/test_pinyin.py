"""Names by pinyin: surnames first, every reading to be found."""

from __future__ import annotations

import time

import pytest

from desktop.demo.people import invent_people
from desktop.people.pinyin import reading


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("单伟", "shanwei"), ("曾伟", "zengwei"), ("仇平", "qiuping"), ("解军", "xiejun"),
        ("区明", "ouming"), ("查帅", "zhashuai"), ("朴鹏", "piaopeng"), ("覃勇", "qinyong"),
        ("翟磊", "zhailei"), ("尉迟恭", "yuchigong"), ("单于飞", "chanyufei"), ("万俟海", "moqihai"),
        ("欧阳娜", "ouyangna"), ("吕布", "lvbu"), ("𠮷田明", "jitianming"), ("张䶮", "zhangyan"),
        ("王𬭎", "wanghong"), ("John Smith", "johnsmith"), ("李〇", "liling"),
    ],
)
def test_the_first_reading_sorts(name: str, first: str) -> None:
    assert reading(name).pinyin.split("|")[0] == first


def test_every_reading_is_kept() -> None:
    assert {"zengwei", "cengwei"} <= set(reading("曾伟").pinyin.split("|"))
    assert reading("曾伟").initials == "zw|cw"
    assert {"shanwei", "danwei", "chanwei"} <= set(reading("单伟").pinyin.split("|"))


def test_long_names_stay_bounded() -> None:
    long = reading("买买提·阿不都热合曼·吐尔逊")
    assert long.pinyin.startswith("maimaitiabudourehemantuerxun|")
    assert long.initials.startswith("mmtabdrhmtex")
    assert len(reading("行" * 60).pinyin) < 20_000


@pytest.mark.parametrize("name", ["", "·", "\uf8f0", "——"])
def test_signs_without_reading(name: str) -> None:
    assert reading(name) == ("", "")


def test_a_hundred_thousand_names_take_moments() -> None:
    names = [person.name for person in invent_people(2_000)]
    reading(names[0])
    start = time.process_time()
    for _ in range(10):
        for name in names:
            reading(name)
    assert time.process_time() - start < 2  # 20,000 names; the whole site in a few seconds

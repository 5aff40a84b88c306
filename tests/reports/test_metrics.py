"""Fitting never drops a character and never leaves its box; the faces are what the table says."""

from __future__ import annotations

from pathlib import Path

import pytest
from fontTools.ttLib import TTFont
from hypothesis import given, settings
from hypothesis import strategies as st

import reports
from reports.metrics import (
    fit,
    lines_in,
    missing_glyphs,
    printable,
    room,
    text_height,
    text_width,
    wrap,
)
from reports.paper import UNITS_PER_PT, Role
from tests.reports.sheet_samples import LEGEND, NAMES, TRADES

FONTS = Path(reports.__file__).parent / "fonts"


def test_a_short_text_keeps_its_size_and_line() -> None:
    assert fit("张三", 1700, 950, 9) == (9, ("张三",))


@pytest.mark.parametrize("name", NAMES)
def test_a_long_name_is_complete_in_the_name_column(name: str) -> None:
    size, lines = fit(name, 2040, 920, 10)
    assert "".join(lines) == name
    assert size >= 6.5


def test_the_longest_trade_breaks_before_it_becomes_small() -> None:
    assert fit("建筑起重机械司机（塔式）", 1640, 920, 9) == (7.5, ("建筑起重机械", "司机（塔式）"))


@pytest.mark.parametrize("text", ["1111", "4444", "1010", "20261101", "样例样例", "甲1乙2"])
@pytest.mark.parametrize("role", ["song", "hei"])
def test_a_line_is_as_large_as_its_own_characters_allow(text: str, role: Role) -> None:
    for width in range(300, 1500, 7):
        size, lines = fit(text, width, 450, 9, role)  # one line high, down to 6.5 points
        if len(lines) == 1 and size > 6.5:
            assert room(text, size, role) <= width
            assert size == 9 or room(text, size + 0.5, role) > width


def test_texts_of_one_length_do_not_answer_for_each_other() -> None:
    narrow, wide = fit("1111", 640, 920, 9), fit("4444", 640, 920, 9)
    assert narrow == (9, ("1111",))
    assert wide == (8, ("4444",))
    assert fit("1111", 640, 920, 9) == narrow


def test_brackets_and_points_keep_to_their_neighbours() -> None:
    _, lines = fit("混凝土（泵送），振捣。", 1100, 2000, 9)
    assert not any(line.startswith(("）", "，", "。")) for line in lines)
    assert not any(line.endswith("（") for line in lines)


def test_numbers_stay_whole_and_with_their_unit() -> None:
    _, lines = fit("已退场，20日已签", 1140, 920, 7)
    assert lines == ("已退场，", "20日已签")


def test_a_word_wider_than_the_box_is_broken_rather_than_cut() -> None:
    size, lines = fit("KQ-JY01-202611-003-ABCDEFGHIJKLMNOP", 900, 2000, 9)
    assert "".join(lines) == "KQ-JY01-202611-003-ABCDEFGHIJKLMNOP"
    assert all(room(line, size) <= 900 for line in lines)


def test_nothing_gives_no_lines() -> None:
    assert fit("  ", 900, 900, 9) == (9, ())


def test_several_lines_are_about_as_long() -> None:
    _, lines = fit("一二三四五六七八九十甲", 10 * 320, 2000, 9)
    assert len(lines) == 2
    assert abs(len(lines[0]) - len(lines[1])) <= 1


names = st.text(
    st.one_of(
        st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5),
        st.sampled_from("·（）()，。、-0123456789ABCxyz 𠮷䶮𬭎—×√"),
    ),
    max_size=40,
)


@settings(max_examples=300, deadline=None)
@given(
    text=names,
    width=st.integers(400, 6000),
    height=st.integers(300, 2500),
    pt=st.sampled_from([6.0, 8.0, 9.0, 10.5, 16.0]),
    role=st.sampled_from(["song", "hei"]),
)
def test_every_character_is_kept_inside_the_box(
    text: str, width: int, height: int, pt: float, role: Role
) -> None:
    size, lines = fit(text, width, height, pt, role)
    assert "".join(lines).replace(" ", "") == printable(text).replace(" ", "")
    assert size <= pt
    assert size * 2 == int(size * 2)
    if size > 1:
        assert all(room(line, size, role) <= width for line in lines)
        assert len(lines) <= max(1, lines_in(height, size))
        assert text_height(len(lines), size) <= height or not lines


@settings(max_examples=100, deadline=None)
@given(text=names, pt=st.sampled_from([6.0, 9.0]))
def test_reserved_room_is_never_less_than_the_drawn_width(text: str, pt: float) -> None:
    assert room(text, pt) >= text_width(text, pt) - 1e-6


def test_wrapping_keeps_the_size() -> None:
    lines = wrap("根据实名制管理要求，现将本月考勤情况予以公示。" * 3, 8000, 12)
    assert len(lines) > 1
    assert "".join(lines) == "根据实名制管理要求，现将本月考勤情况予以公示。" * 3


def test_widths_add_up() -> None:
    assert text_width("张三", 10) == pytest.approx(20 * UNITS_PER_PT)
    assert text_width("1", 10, "hei") == pytest.approx(5.9 * UNITS_PER_PT)


def test_text_becomes_one_printable_line() -> None:
    assert printable("⼯\u00a0长\n李\u200b\ufe0f\x07") == "工 长 李"
    assert printable("\uf9dc") == "隆"
    assert printable("a\ud800\uffffb") == "ab"


def test_missing_glyphs_are_named_once() -> None:
    assert missing_glyphs("𠀀张𠀀ཀ") == "𠀀ཀ"
    assert missing_glyphs("".join(NAMES + TRADES), "hei") == ""


@pytest.mark.parametrize("role", ["song", "hei"])
def test_every_symbol_of_the_sheets_is_in_both_faces(role: Role) -> None:
    text = "".join(s + m for s, m in LEGEND) + "0123456789.≥、，。；：（）_—·℃％%/-"
    assert missing_glyphs(text, role) == ""


@pytest.mark.parametrize(
    ("name", "role"), [("SiteMusterSong.otf", "song"), ("SiteMusterHei.otf", "hei")]
)
def test_the_faces_and_the_width_table_agree(name: str, role: Role) -> None:
    with TTFont(FONTS / name, lazy=True) as font:
        cmap, advances = font.getBestCmap(), font["hmtx"]
        assert len(set(cmap.values())) == len(cmap), "two characters share a glyph"
        assert not any(0x2E80 <= c <= 0x2FDF or 0x2F800 <= c <= 0x2FA1F for c in cmap)
        assert not {"GSUB", "GPOS", "vmtx"} & set(font.keys())
        for char in "张𠮷䶮𬭎09Aa·—（√ ":
            assert text_width(char, 10, role) == pytest.approx(
                advances[cmap[ord(char)]][0] / 100 * UNITS_PER_PT
            )
    # Every ideograph of the Basic block up to Unicode 5, as Chinese registers use it; in the Hei
    # original U+58FF has no glyph of its own.
    absent = {code for code in range(0x4E00, 0x9FC4) if code not in cmap}
    assert absent == (set() if role == "song" else {0x58FF})


def test_the_licence_goes_with_the_faces() -> None:
    licence = (FONTS / "OFL.txt").read_text(encoding="utf-8")
    assert "SIL OPEN FONT LICENSE" in licence
    assert "Adobe" in licence
    for name in ("SiteMusterSong.otf", "SiteMusterHei.otf"):
        with TTFont(FONTS / name, lazy=True) as font:
            called = [str(r) for r in font["name"].names if r.nameID in (1, 3, 4, 6, 16)]
        assert called
        assert not any("Source" in c or "Noto" in c for c in called)
    assert sum(f.stat().st_size for f in FONTS.glob("*.otf")) < 21e6

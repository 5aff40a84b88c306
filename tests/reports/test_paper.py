"""The page model itself: laziness, joining, reading it back as text."""

from __future__ import annotations

import pytest

from reports.boxes import cell, entries_part, text_box
from reports.grid import lay_out
from reports.paper import (
    A4_PORTRAIT,
    BOTTOM,
    LEFT,
    TOP,
    Cell,
    Code,
    Document,
    LazyPages,
    Line,
    Meta,
    Page,
    Part,
    Rect,
    Row,
    Table,
    Window,
    covered,
    describe,
    join,
    mm,
    texts,
    vertical,
)


def page(word: str) -> Page:
    return Page(*A4_PORTRAIT, (text_box(word, 0, 0, 5000, 500, 9),))


def test_pages_are_made_when_looked_at() -> None:
    made: list[int] = []

    def make(k: int) -> Page:
        made.append(k)
        return page(str(k))

    pages = LazyPages(3, make)
    assert (len(pages), made) == (3, [])
    assert list(texts(pages[-1])) == ["2"]
    assert [list(texts(p)) for p in pages[:2]] == [["0"], ["1"]]
    with pytest.raises(IndexError):
        pages[3]


def test_joined_documents_keep_their_order_and_stay_lazy() -> None:
    one = Document("一", LazyPages(2, lambda k: page(f"a{k}")), Meta("作者"))
    two = Document("二", [page("b")])
    both = join(one, two, title="合订")
    assert [list(texts(p)) for p in both.pages] == [["a0"], ["a1"], ["b"]]
    assert both.meta.author == "作者"
    assert len(join(title="空").pages) == 0


def test_vertical_heads_are_one_character_a_line() -> None:
    assert vertical("夜班") == ("夜", "班")


def test_millimetres() -> None:
    assert mm(9.5) == 950


def table() -> Table:
    """Three columns; the first cell spans two rows, the last row two columns."""
    tall = Cell((Part(("姓", "名"), 9),), rows=2)
    return Table(
        1000,
        2000,
        (1000, 2000, 500),
        (
            Row(500, (tall, cell("甲", 2000, 500, 9, fill=0xEEEEEE), Cell(hatch=True))),
            Row(500, (covered(tall), cell("乙", 2000, 500, 9, fill=0xEEEEEE), Cell(hatch=True))),
            Row(600, (Cell(borders=LEFT | BOTTOM), cell("丙", 2500, 600, 9, span=2, borders=TOP))),
        ),
    )


def test_cells_stand_where_columns_and_rows_put_them() -> None:
    boxes = {c.text: (x, y, w, h) for c, x, y, w, h in lay_out(table()).boxes}
    assert boxes == {
        "姓名": (1000, 2000, 1000, 1000),
        "甲": (2000, 2000, 2000, 500),
        "乙": (2000, 2500, 2000, 500),
        "丙": (2000, 3000, 2500, 600),
    }


def test_shades_of_a_column_are_one_box() -> None:
    grid = lay_out(table())
    assert grid.fills == [(0xEEEEEE, (2000, 2000, 2000, 1000))]
    assert grid.hatches == [(4000, 2000, 500, 1000)]


def test_borders_on_one_line_are_one_stroke() -> None:
    strokes = set(lay_out(table()).strokes)
    assert (1000, 2000, 4500, 2000) in strokes
    assert (1000, 2000, 1000, 3600) in strokes
    assert (1000, 3600, 2000, 3600) in strokes
    assert not any(x1 == x2 == 4500 and y2 > 3000 for x1, _, x2, y2 in strokes)


def test_a_ruled_row_has_the_same_strokes_as_its_cells() -> None:
    cells = tuple(Cell() for _ in range(3))
    plain = Table(0, 0, (100, 200, 300), (Row(50, cells), Row(50, cells)))
    ruled = Table(0, 0, (100, 200, 300), (Row(50, cells, ruled=True), Row(50, cells, ruled=True)))
    assert lay_out(plain).strokes == lay_out(ruled).strokes


def test_lists_break_between_entries_only() -> None:
    part = entries_part(["√ 出勤一天", "半 出勤半天", "夜 夜班"], 3200, 900, 9)
    assert part.lines == ("√ 出勤一天；", "半 出勤半天；夜 夜班")


def test_a_page_reads_as_text() -> None:
    inner = page("内")
    whole = Page(
        *A4_PORTRAIT,
        (
            text_box("题", 10, 20, 3000, 600, 16, "hei", align="center"),
            Line(0, 0, 100, 0),
            Rect(0, 0, 50, 60, fill=0xFF0000),
            Code(1, 2, 2000, "SM1"),
            Window(0, 0, 100, 100, inner, scale=2.0),
            table(),
        ),
    )
    assert list(texts(whole)) == ["题", "内", "姓名", "甲", "乙", "丙"]
    assert "\n".join(describe(whole)) == (
        "page 21000 29700\n"
        "text 10 20 3000 600 16 hei center middle 题\n"
        "line 0 0 100 0 18\n"
        "rect 0 0 50 60 ff0000 0\n"
        "code 1 2 2000 M SM1\n"
        "window 0 0 100 100 2\n"
        "  page 21000 29700\n"
        "  text 0 0 5000 500 9 song left middle 内\n"
        "table 1000 2000 columns 1000 2000 500\n"
        "  row 500\n"
        "    1x2 center/middle b15 [9 song] 姓|名\n"
        "    1x1 center/middle b15 #eeeeee [9 song] 甲\n"
        "    1x1 center/middle b15 hatch\n"
        "  row 500\n"
        "    1x1 covered center/middle b15\n"
        "    1x1 center/middle b15 #eeeeee [9 song] 乙\n"
        "    1x1 center/middle b15 hatch\n"
        "  row 600\n"
        "    1x1 center/middle b9\n"
        "    2x1 center/middle b2 [9 song] 丙"
    )

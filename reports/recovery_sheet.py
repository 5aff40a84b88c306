"""The recovery sheet: one page of A4 with the code of a book, to be locked away.

The code large in numbered groups, which book it opens and since when, what it is for, where it
belongs, and lines for who printed and who keeps it. The book is named by the first eight
characters of its number. Nothing of the book's content stands here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from reports.boxes import cell, text_box
from reports.errors import ReportError
from reports.paper import (
    A4_PORTRAIT,
    BOTTOM,
    NO_BORDER,
    Align,
    Cell,
    Document,
    Item,
    Meta,
    Page,
    Role,
    Row,
    Table,
    mm,
)

TITLE = "账本恢复码"
GROUPS = 8

LEFT, WIDTH, TOP = mm(24), mm(162), mm(22)
_PER_ROW = 2
_NUMBER_WIDTH = mm(18)
_CODE_ROW = mm(20)
_LABEL_WIDTH = mm(42)
_FACT_ROW = mm(10)

PURPOSE = (
    "这组数字能打开上面这个账本。换电脑、重装系统、忘记口令、系统密钥环丢失时，只有它（或公司钥匙）能打开，"
    "任何人都无法另外补发。"
)
USE = (
    "用法：在打开账本的画面选「用恢复码打开」，按顺序输入8组数字；命令行用 key recover。"
    "输错一位时程序会指出是第几组。"
)
KEEPING = (
    "1．锁进保险柜或密封后交专人保管，不与电脑放在一起。",
    "2．不拍照、不扫描、不发到聊天软件，不输入到其他网站或程序。",
    "3．拿到这张纸的人，加上账本文件夹或一份备份，就能看到全部人员资料。",
    "4．更换恢复码后本页作废；但更换之前做的备份仍要用本页打开，请与旧备份一起保管或一起销毁。",
)


@dataclass(frozen=True, slots=True)
class RecoverySheetInput:
    """What the sheet prints. ``groups`` are the eight groups of six digits; ``issued_on`` the day
    from which the code holds; ``project`` and ``generation`` help to tell sheets apart."""

    groups: tuple[str, ...]
    book_id: str
    issued_on: date
    project: str = ""
    generation: int = 1


def recovery_sheet_document(sheet: RecoverySheetInput) -> Document:
    """The page. Raises ``ReportError("recovery_sheet")`` unless there are eight groups of six."""
    if len(sheet.groups) != GROUPS or any(len(one) != 6 or not one.isdigit() for one in sheet.groups):
        raise ReportError("recovery_sheet")
    page = Page(*A4_PORTRAIT, tuple(_items(sheet)))
    return Document(TITLE, (page,), Meta(made_on=sheet.issued_on.isoformat()))


def _items(sheet: RecoverySheetInput) -> Iterator[Item]:
    y = TOP
    yield text_box(TITLE, LEFT, y, WIDTH, mm(14), 24, "hei", align="center")
    y += mm(18)
    facts = _facts(sheet)
    yield facts
    y += facts.h + mm(6)
    code = _code(sheet.groups, y)
    yield code
    y += code.h + mm(6)
    for text, height, role in _words():
        yield text_box(text, LEFT, y, WIDTH, height, 12, role, valign="top")
        y += height
    yield _signatures(y + mm(6))


def _facts(sheet: RecoverySheetInput) -> Table:
    issued = sheet.issued_on
    rows = [
        ("账本编号", sheet.book_id[:8]),
        ("启用日期", f"{issued.year}年{issued.month}月{issued.day}日（第{sheet.generation}把钥匙）"),
    ]
    if sheet.project:
        rows.insert(0, ("工程名称", sheet.project))
    value = WIDTH - _LABEL_WIDTH
    return Table(
        LEFT, TOP + mm(18), (_LABEL_WIDTH, value),
        tuple(
            Row(
                _FACT_ROW,
                (
                    cell(label, _LABEL_WIDTH, _FACT_ROW, 12, "hei"),
                    cell(text, value, _FACT_ROW, 12, align="left", pad=mm(3)),
                ),
            )
            for label, text in rows
        ),
    )


def _code(groups: tuple[str, ...], y: int) -> Table:
    """Two groups in a row, read from left to right; each with its number, as the program asks."""
    value = (WIDTH - _PER_ROW * _NUMBER_WIDTH) // _PER_ROW
    rows = []
    for first in range(0, GROUPS, _PER_ROW):
        cells = []
        for place in range(first, first + _PER_ROW):
            number = f"第{place + 1}组"
            cells.append(cell(number, _NUMBER_WIDTH, _CODE_ROW, 12))
            cells.append(cell(groups[place], value, _CODE_ROW, 32, "hei"))
        rows.append(Row(_CODE_ROW, tuple(cells)))
    return Table(LEFT, y, (_NUMBER_WIDTH, value) * _PER_ROW, tuple(rows))


def _words() -> Iterator[tuple[str, int, Role]]:
    yield PURPOSE, mm(18), "song"
    yield USE, mm(18), "song"
    yield "保管", mm(8), "hei"
    for line in KEEPING:
        yield line, mm(13) if len(line) > 34 else mm(8), "song"


def _signatures(y: int) -> Table:
    """Who printed it, who keeps it, where, since when; to be filled in by hand."""
    quarter, height = WIDTH // 4, mm(12)
    blank = cell("", quarter, height, 12, borders=BOTTOM)

    def label(text: str, align: Align) -> Cell:
        return cell(
            text, quarter, height, 12, align=align, valign="bottom", borders=NO_BORDER, pad=mm(2)
        )

    rows = tuple(
        Row(height, (label(left, "left"), blank, label(right, "right"), blank))
        for left, right in (("打印人（签字）", "日期"), ("保管人（签字）", "存放地点"))
    )
    return Table(LEFT, y, (quarter,) * 4, rows)

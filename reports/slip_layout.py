"""The slip of one leaver: one month up to a date on A4 portrait, for signature before he goes.

Office custom (no official form): F02's content for one person, the month as a small calendar of
two lines, and room for the thumb print.
"""

from __future__ import annotations

from reports.boxes import cell, part
from reports.paper import (
    A4_PORTRAIT,
    BOX,
    GREY,
    LEFT,
    NO_BORDER,
    RED,
    RIGHT,
    Cell,
    Code,
    Page,
    Row,
    Table,
    covered,
)
from reports.sheet import SheetInput, SheetRow
from reports.sheet_cells import number_text
from reports.sheet_foot import SIGN_DATE, legend_part, rule_text, signer_parts
from reports.sheet_form import CODE_SIZE
from reports.sheet_grid import FILLS, HEAD_FILL
from reports.sheet_layout import NOBODY

MARGIN = 1500
COLUMNS = 16
COLUMN = 1125
"""Sixteen columns of 11.25 mm: half a month beside half a month, 180 mm in all."""
LABEL_PT, BODY_PT, SMALL_PT = 9.5, 10.5, 8.5


def slip_page(sheet: SheetInput) -> Page:
    """The page; without a row it says so."""
    rows: list[Row] = list(_top(sheet))
    if sheet.rows:
        person = sheet.rows[0]
        rows += _facts(sheet, person)
        rows += _calendar(sheet, person)
        rows += _counts(person)
        rows += _notes(sheet, person)
        rows += _signatures(sheet)
    else:
        rows.append(_wide(NOBODY, 1000, BODY_PT))
    table = Table(MARGIN, MARGIN, (COLUMN,) * COLUMNS, tuple(rows))
    return Page(*A4_PORTRAIT, (table,))


def _top(sheet: SheetInput) -> tuple[Row, ...]:
    code = sheet.page_code(0) if sheet.page_code is not None else None
    if code is not None:
        picture = Code(0, 0, CODE_SIZE, code.payload)
        left = Cell(span=3, rows=2, borders=NO_BORDER, code=picture)
    else:
        left = Cell(span=3, rows=2, borders=NO_BORDER)
    right_parts = [part("第 1 页 / 共 1 页", 3 * COLUMN, 500, LABEL_PT, max_lines=1)]
    for mark in (*sheet.marks, sheet.version):
        if mark:
            right_parts.append(part(mark, 3 * COLUMN, 500, LABEL_PT, "hei", colour=RED))
    if code is not None:
        right_parts.append(part(code.human, 3 * COLUMN, 700, 7, colour=GREY, max_lines=2))
    right = Cell(tuple(right_parts), span=3, rows=2, borders=NO_BORDER)
    title = cell(sheet.title, 10 * COLUMN, 1500, 16, "hei", span=10, borders=NO_BORDER)
    number = cell(f"编号：{sheet.number}", 10 * COLUMN, 800, LABEL_PT, span=10, borders=NO_BORDER)
    return (
        Row(1500, (left, title, right), head=True),
        Row(800, (covered(left), number, covered(right)), head=True),
    )


def _facts(sheet: SheetInput, person: SheetRow) -> list[Row]:
    pairs = [
        (("姓名", person.name), ("人员编号", person.worker_no)),
        (("工种/岗位", person.trade), ("班组", sheet.team)),
        (("进场日期", person.entry), ("退场日期", person.exit)),
        (("统计周期", sheet.period), ("本月施工日", sheet.construction_days)),
        (("班组长", sheet.leader), ("考勤方式", sheet.method)),
        ((sheet.unit_label, sheet.unit), ("制表日期", sheet.made_on)),
    ]
    rows = [
        _pair_row(pair)
        for pair in ((("工程名称", sheet.project),), (("施工总承包单位", sheet.contractor),))
    ]
    return rows + [_pair_row(pair) for pair in pairs]


def _pair_row(pairs: tuple[tuple[str, str], ...]) -> Row:
    """Label and value once or twice across the page."""
    height = 850
    cells = []
    for label, value in pairs:
        span = COLUMNS // len(pairs) - 3
        pt = LABEL_PT
        cells.append(cell(label, 3 * COLUMN, height, pt, span=3, fill=HEAD_FILL))
        cells.append(cell(value, span * COLUMN, height, BODY_PT, span=span))
    return Row(height, tuple(cells))


def _calendar(sheet: SheetInput, person: SheetRow) -> list[Row]:
    """Two stripes: days 1–16 and 17–31, each a head with the weekday over the symbols."""
    rows = []
    for first in (0, COLUMNS):
        heads, cells = [], []
        for k in range(first, first + COLUMNS):
            if k >= len(sheet.days):
                heads.append(Cell(hatch=True))
                cells.append(Cell(hatch=True))
                continue
            day = sheet.days[k]
            number = part(str(day.number), COLUMN, 450, LABEL_PT, max_lines=1)
            weekday = part(day.weekday, COLUMN, 400, SMALL_PT, max_lines=1)
            heads.append(Cell((number, weekday), fill=FILLS[day.shade] or HEAD_FILL))
            symbol, overtime = person.cells[k]
            parts = [part(symbol, COLUMN, 600, 12, max_lines=1)]
            if overtime:
                parts.append(part(overtime, COLUMN, 400, SMALL_PT, max_lines=1))
            shown = tuple(p for p in parts if p.lines)
            cells.append(Cell(shown, fill=FILLS[day.shade]))
        rows.append(Row(850, tuple(heads), ruled=True))
        rows.append(Row(1050, tuple(cells), ruled=True))
    return rows


def _counts(person: SheetRow) -> list[Row]:
    """The five numbers, each under its head."""
    counts = [
        ("打卡天数", person.punched_days),
        ("说明天数", person.explained_days),
        ("确认出勤天数", person.confirmed_days),
        ("加班（时）", person.overtime),
        ("夜班", person.nights),
    ]
    spans = (3, 3, 4, 3, 3)
    heads = [
        cell(name, span * COLUMN, 750, LABEL_PT, span=span, fill=HEAD_FILL)
        for (name, _), span in zip(counts, spans, strict=True)
    ]
    values = [
        cell(number_text(value), span * COLUMN, 950, 14, "hei", span=span)
        for (_, value), span in zip(counts, spans, strict=True)
    ]
    return [Row(750, tuple(heads)), Row(950, tuple(values))]


def _wide(text: str, height: int, pt: float, *, hei: bool = False, borders: int = BOX) -> Row:
    width = COLUMNS * COLUMN
    box = cell(
        text,
        width,
        height,
        pt,
        "hei" if hei else "song",
        span=COLUMNS,
        align="left",
        borders=borders,
        pad=100,
    )
    return Row(height, (box,))


def _notes(sheet: SheetInput, person: SheetRow) -> list[Row]:
    width, sides, pad = COLUMNS * COLUMN, LEFT | RIGHT, 100
    legend = legend_part(sheet, width, 1300, SMALL_PT, pad)
    rows = [
        Row(1300, (Cell((legend,), span=COLUMNS, align="left", borders=sides, pad=pad),)),
        _wide(rule_text(sheet), 900, SMALL_PT, borders=sides),
    ]
    for note in (*sheet.notes, *((f"备注：{person.remark}",) if person.remark else ())):
        rows.append(_wide(note, 700, SMALL_PT + 0.5, hei=True, borders=LEFT | RIGHT))
    return rows


def _signatures(sheet: SheetInput) -> list[Row]:
    rows = []
    if sheet.statement:
        rows.append(_wide(sheet.statement, 900, BODY_PT, hei=True))
    height = 3000
    date = part(SIGN_DATE, 6 * COLUMN, 600, SMALL_PT)
    rows.append(
        Row(
            height,
            (
                cell("工人本人签字", 3 * COLUMN, height, LABEL_PT, span=3, fill=HEAD_FILL),
                Cell((date,), span=6, align="right", valign="bottom", pad=100),
                cell("按手印", 3 * COLUMN, height, LABEL_PT, span=3, fill=HEAD_FILL),
                Cell(span=4),
            ),
        )
    )
    height = 2100
    for k in range(0, len(sheet.signers), 2):
        cells: list[Cell] = []
        pair = sheet.signers[k : k + 2]
        for signer in pair:
            # A single one at the end takes the whole line.
            span = 5 if len(pair) == 2 else COLUMNS - 3
            label = signer_parts(signer, 3 * COLUMN, height, LABEL_PT)
            cells.append(Cell(label, span=3, fill=HEAD_FILL))
            day = part(SIGN_DATE, span * COLUMN, 600, SMALL_PT)
            cells.append(Cell((day,), span=span, align="right", valign="bottom", pad=100))
        rows.append(Row(height, tuple(cells)))
    return rows

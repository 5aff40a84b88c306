"""(d) Sheets of 10,000 people as .docx and PDF, beside python-docx filling the same table.

python-docx adds row after row (by ``cells``, never by ``cell(i, j)``, which is quadratic) on fewer
rows and is compared per row: the same columns, texts, widths, exact row heights and centred small
type. It is spared tints and borders of cells, and the heads, legends, feet and page codes that ours
writes on every page. Texts alone, in an unformatted table, are told for information. The input is
ready beforehand on all sides.
"""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.child import Meter
from benchmarks.harness import (
    Figure,
    Run,
    Scale,
    Side,
    SideFailed,
    most_mb,
    ratio,
    run,
    seconds,
    short,
)

if TYPE_CHECKING:
    from reports.sheet import PageCode, SheetInput, SheetRow

TITLE = "sheets of everybody as .docx and PDF, beside python-docx filling the same table"

PEOPLE = 10_000
ROWS_OF_PYTHON_DOCX = 1_000
_DAYS = 30
_WEEKDAYS = "日一二三四五六"
_SYMBOLS = ("√", "√", "√", "√", "半", "√", "○", "夜", "√", "?", "补", "√", "△")


def measure(work: Path, scale: Scale) -> list[Figure]:
    people, rows = scale.of(PEOPLE, 40), scale.of(ROWS_OF_PYTHON_DOCX, 20)
    docx: list[Run] = []
    pdf: list[Run] = []
    filled: list[Run] = []
    bare: list[Run] = []
    for place in range(scale.repeats):
        given = {"people": people, "folder": str(work)}
        docx.append(run(Side("benchmarks.sheets:write_word", given)))
        pdf.append(run(Side("benchmarks.sheets:write_paper", given)))
        for runs, formatted in ((filled, True), (bare, False)):
            fewer = {**given, "people": rows, "formatted": formatted}
            runs.append(run(Side("benchmarks.sheets:fill_with_python_docx", fewer)))
        if docx[place].facts["pages"] != pdf[place].facts["pages"]:
            raise SideFailed("the papers differ in pages")
    pages = docx[0].facts["pages"]
    more = people / rows
    return [
        Figure(
            "d", f".docx of {people:,} people ({pages} pages) / python-docx, per row",
            seconds(docx), f"{seconds(filled)} for {rows:,} rows", ratio(filled, docx) * more,
            "× faster", 100, at_least=True,
        ),
        Figure(
            "d", "  .docx / python-docx with bare texts, per row", seconds(docx),
            f"{seconds(bare)} for {rows:,} rows", ratio(bare, docx) * more, "× faster",
        ),
        Figure("d", "  .docx peak memory", f"{most_mb(docx):.0f} MB",
               f"{short(most_mb(filled))} MB for {rows:,}", most_mb(docx), "MB", 100),
        Figure("d", f"PDF of {people:,} people / the .docx", seconds(pdf), seconds(docx),
               ratio(pdf, docx), "×", 15),
        Figure("d", "  PDF peak memory", f"{most_mb(pdf):.0f} MB", "", most_mb(pdf), "MB", 150),
    ]


# ── the sides ───────────────────────────────────────────────────────────────────────────────────


def write_word(meter: Meter, folder: str, people: int) -> dict[str, Any]:
    from reports.sheet import sheet_document
    from reports.word import write_docx

    sheet = sheet_of(people)
    meter.idle()
    with meter.measuring():
        document = sheet_document(sheet)
        write_docx(document, Path(folder) / "sheet.docx")
    return {"pages": len(document.pages)}


def write_paper(meter: Meter, folder: str, people: int) -> dict[str, Any]:
    from reports.painter import ensure_gui, write_pdf
    from reports.sheet import sheet_document

    sheet = sheet_of(people)
    ensure_gui()
    meter.idle()
    with meter.measuring():
        document = sheet_document(sheet)
        write_pdf(document, Path(folder) / "sheet.pdf")
    return {"pages": len(document.pages)}


def fill_with_python_docx(
    meter: Meter, folder: str, people: int, formatted: bool
) -> dict[str, Any]:
    import docx
    from docx.enum.table import WD_CELL_VERTICAL_ALIGNMENT, WD_ROW_HEIGHT_RULE
    from docx.enum.text import WD_ALIGN_PARAGRAPH
    from docx.shared import Mm, Pt

    texts = [_texts(place, row) for place, row in enumerate(sheet_of(people).rows, 1)]
    meter.idle()
    with meter.measuring():
        document = docx.Document()
        table = document.add_table(rows=0, cols=len(texts[0]))
        for values in texts:
            row = table.add_row()
            if formatted:
                row.height, row.height_rule = Mm(9.5), WD_ROW_HEIGHT_RULE.EXACTLY
            for cell, value in zip(row.cells, values, strict=True):
                cell.text = value
                if formatted:
                    cell.width = Mm(7)
                    cell.vertical_alignment = WD_CELL_VERTICAL_ALIGNMENT.CENTER
                    paragraph = cell.paragraphs[0]
                    paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
                    for part in paragraph.runs:
                        part.font.size = Pt(9)
        document.save(str(Path(folder) / "plain.docx"))
    return {"pages": 0}


# ── the input ───────────────────────────────────────────────────────────────────────────────────


def sheet_of(people: int) -> SheetInput:
    """F02 of one team of that many, each page with its code."""
    from reports.sheet import Shade, SheetDay, SheetInput, SheetKind

    days = tuple(
        SheetDay(n, _WEEKDAYS[(n - 1) % 7], Shade.WEEKEND if (n - 1) % 7 in (0, 6) else Shade.NONE)
        for n in range(1, _DAYS + 1)
    )
    return SheetInput(
        kind=SheetKind.SIGNING, title="2026年11月建筑工人实名制考勤表", project="样例花园一期工程",
        contractor="河南样例建设集团有限公司", unit="河南样例钢筋劳务有限公司", team="钢筋班",
        leader="段钢", period="11月1日—11月30日", construction_days="30天", method="生物识别考勤机",
        made_on="2026年12月2日", made_on_iso="2026-12-02", number="ZZ-2026-0001-202611-001",
        version="第1版", days=days, rows=_rows(people),
        legend=(("√", "出勤1天"), ("半", "出勤0.5天"), ("夜", "夜班1天"), ("○", "无打卡记录")),
        rule_label="核验口径：首末次打卡间隔≥4小时计1天，≥2小时计半天", page_code=_code,
    )


def _rows(people: int) -> tuple[SheetRow, ...]:
    from desktop.demo.people import invent_people
    from reports.sheet import SheetRow

    return tuple(
        SheetRow(
            worker_no=str(100_001 + place), name=one.name, trade=one.trade,
            cells=tuple((_SYMBOLS[(place * 5 + day * 3) % 13], "") for day in range(_DAYS)),
            punched_days=Decimal(40 + place % 20) / 2, explained_days=Decimal(place % 3),
            confirmed_days=Decimal(40 + place % 22) / 2, nights=Decimal(place % 5),
            entry="03-02", remark="补01" if place % 3 else "",
        )
        for place, one in enumerate(invent_people(people))
    )


def _texts(place: int, row: SheetRow) -> list[str]:
    """One row as texts in the columns of the form."""
    counts = (row.punched_days, row.explained_days, row.confirmed_days, row.overtime, row.nights)
    days = [symbol for symbol, _ in row.cells] + [""] * (31 - _DAYS)
    return [
        str(place), row.name, row.worker_no, row.trade, row.entry, *days,
        *("" if count is None else f"{count:f}" for count in counts), row.remark, "", "",
    ]


def _code(page: int) -> PageCode:
    """A payload of the length and characters of a page identity (33 modules)."""
    from reports.sheet import PageCode

    head = f"SM1:ZZ20260001:202611:001:1:{page + 1:03d}:"
    return PageCode(head + "0123456789ABCDEFGHIJKLMNOP"[: 63 - len(head)].ljust(63 - len(head), "Z"),
                    f"ZZ20260001 202611 001-{page + 1:03d}")

"""The foot of an attendance sheet: legend, rule, notes, statement, signatures."""

from __future__ import annotations

from reports.boxes import entries_part, part
from reports.metrics import fit
from reports.paper import BOTTOM, LEFT, RIGHT, Cell, Part, Row
from reports.sheet import NOT_ALTERED, NOT_WORKING_TIME, SheetInput
from reports.sheet_grid import HEAD_FILL, SheetGrid

SIGN_DATE = "日期：　　　　年　　月　　日"


def foot_rows(sheet: SheetInput, grid: SheetGrid) -> tuple[Row, ...]:
    """Legend, rule, notes, statement, signatures."""
    form, whole, pad = grid.form, grid.edges[-1], 100
    legend = legend_part(sheet, whole, form.legend, form.small_pt, pad)
    span, sides = len(grid), LEFT | RIGHT
    rows = [
        Row(form.legend, (Cell((legend,), span=span, align="left", borders=sides, pad=pad),)),
        grid.wide_row(rule_text(sheet), form.rule, form.small_pt, borders=sides),
    ]
    if sheet.notes:
        notes = "　".join(sheet.notes)
        size, _ = fit(notes, whole - 200, form.note, form.small_pt + 0.5, "hei")
        height = form.note if size >= form.small_pt - 0.5 else form.note * 9 // 5
        rows.append(grid.wide_row(notes, height, form.small_pt + 0.5, hei=True, borders=sides))
    if sheet.statement:
        row = grid.wide_row(
            sheet.statement, form.statement, form.fact_pt, hei=True, borders=sides | BOTTOM
        )
        rows.append(row)
    if sheet.signers:
        rows.append(_signature_row(sheet.signers, grid))
    return tuple(rows)


def _signature_row(signers: tuple[str, ...], grid: SheetGrid) -> Row:
    """Who signs, and room to do it, side by side."""
    form = grid.form
    height = form.signers
    shares = [1.0, 3.2] * len(signers)
    label = grid.edges[-1] / sum(shares)
    spans = grid.split(0, len(grid), shares, least=[label, 0.0] * len(signers))
    cells, start = [], 0
    for k, span in enumerate(spans):
        width = grid.width(start, span)
        if k % 2 == 0:
            parts = signer_parts(signers[k // 2], width, height, form.fact_pt)
            cells.append(Cell(parts, span=span, fill=HEAD_FILL))
        else:
            date = part(SIGN_DATE, width, 500, form.small_pt)
            cells.append(Cell((date,), span=span, align="right", valign="bottom", pad=100))
        start += span
    return Row(height, tuple(cells))


def legend_part(sheet: SheetInput, width: int, height: int, pt: float, pad: int) -> Part:
    """All symbols with their meanings."""
    entries = [f"{symbol} {meaning}" for symbol, meaning in sheet.legend]
    if not entries:
        return Part((), pt)
    entries[0] = f"图例：{entries[0]}"
    return entries_part(entries, width, height, pt, pad=pad)


def rule_text(sheet: SheetInput) -> str:
    """The chosen rule and the two sentences that stand on every sheet."""
    return f"规则：{sheet.rule_label.rstrip('。')}。{NOT_WORKING_TIME}。{NOT_ALTERED}。"


def signer_parts(label: str, width: int, height: int, pt: float) -> tuple[Part, ...]:
    """Who signs, and below it what for: 项目经理 over （审核，项目部章）."""
    who, bracket, what = label.partition("（")
    upper = part(who, width, height * 3 // 5, pt)
    if not bracket:
        return (upper,)
    return upper, part(bracket + what, width, height * 2 // 5, pt - 1)

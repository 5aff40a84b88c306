"""The audit trail as a file: .xlsx for reading and printing, .csv for programs. Audited itself.

The file appears whole or not at all, and never without its own row in the trail.
"""

from __future__ import annotations

import contextlib
import csv
import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy.orm import Session

from desktop.access.actor import Act, View
from desktop.access.desk import Desk
from desktop.access.queries import AuditQuery, AuditRow, audit_count, audit_rows
from desktop.delivery import destination, sha256_of
from desktop.errors import EnvironmentFault, Refused
from desktop.jobs import CancelToken, Progress, silent

HEADS = ("段号", "时间", "操作人", "操作", "对象", "事由", "代码", "明细")
_WIDTHS = (8, 20, 14, 26, 20, 40, 22, 60)
_PAGE = 1000
_MOST_IN_A_SHEET = 1_048_575
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def export_audit(
    desk: Desk,
    path: Path,
    query: AuditQuery = AuditQuery(),
    *,
    progress: Progress = silent,
    cancel: CancelToken | None = None,
) -> int:
    """Write the chosen rows to ``path``, oldest at the end; returns how many.

    Raises :class:`Refused` ``audit_format`` for another ending than .xlsx and .csv or a place
    inside the book, :class:`EnvironmentFault` when the place cannot be written.
    """
    desk.permit(Act.AUDIT_EXPORTED)
    path = destination(path, desk.book.path)
    ending = path.suffix.lower()
    if ending not in (".xlsx", ".csv"):
        raise Refused(
            "audit_format", f"操作记录只能导出为 .xlsx 或 .csv，没有导出「{path.name}」。请改文件名。"
        )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _beside(path) as draft:
            with desk.look(View.AUDIT) as session:
                total = audit_count(session, desk.project_id, query)
                if ending == ".xlsx" and total > _MOST_IN_A_SHEET:
                    raise _too_many(total)
                rows = _rows(session, desk.project_id, query, total, progress, cancel)
                count = _csv(draft, rows) if ending == ".csv" else _sheet(draft, rows)
            with desk.book.write() as session:
                desk.audit(
                    session, Act.AUDIT_EXPORTED, "audit", rows=count, sha256=sha256_of(draft)
                )
                os.replace(draft, path)
    except OSError as error:
        raise EnvironmentFault(
            "export_unwritable",
            f"操作记录写不进「{path.name}」，未导出。请检查文件夹权限、磁盘空间，或先关闭打开它的程序。",
        ) from error
    return count


@contextlib.contextmanager
def _beside(path: Path) -> Iterator[Path]:
    """A file of our own in the same folder, gone at the end unless it took the wanted name."""
    number, name = tempfile.mkstemp(prefix=".", suffix=path.suffix, dir=path.parent)
    os.close(number)
    draft = Path(name)
    try:
        yield draft
    finally:
        draft.unlink(missing_ok=True)


def _too_many(total: int) -> Refused:
    return Refused(
        "audit_too_long",
        f"选出的操作记录有{total}条，一张工作表放不下，未导出。请缩小日期范围，或导出为 .csv。",
        rows=total,
    )


def _rows(
    session: Session, project_id: int, query: AuditQuery, total: int, progress: Progress,
    cancel: CancelToken | None,
) -> Iterator[AuditRow]:
    offset = 0
    while rows := audit_rows(session, project_id, query, _PAGE, offset):
        if cancel is not None:
            cancel.raise_if_set()
        progress(offset, total, "写操作记录")
        yield from rows
        session.expunge_all()
        offset += len(rows)


def _cells(row: AuditRow) -> tuple[str, ...]:
    facts = json.dumps(dict(row.facts), ensure_ascii=False, sort_keys=True) if row.facts else ""
    return (
        str(row.sequence), f"{row.local:%Y-%m-%d %H:%M:%S}", row.actor, row.act_name,
        row.subject_name, row.why, row.act, facts,
    )


def _csv(path: Path, rows: Iterator[AuditRow]) -> int:
    """With the mark that makes Excel and WPS read UTF-8; no cell can become a formula."""
    count = 0
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADS)
        for row in rows:
            writer.writerow(
                f"'{cell}" if cell.startswith(_FORMULA) else cell for cell in _cells(row)
            )
            count += 1
    return count


def _sheet(path: Path, rows: Iterator[AuditRow]) -> int:
    import xlsxwriter

    options = {"constant_memory": True, "strings_to_formulas": False, "tmpdir": str(path.parent)}
    with xlsxwriter.Workbook(str(path), options) as book:
        head = book.add_format({"bold": True, "bottom": 1})
        sheet = book.add_worksheet("操作记录")
        sheet.set_landscape()
        sheet.repeat_rows(0)
        sheet.freeze_panes(1, 0)
        for column, (name, width) in enumerate(zip(HEADS, _WIDTHS, strict=True)):
            sheet.set_column(column, column, width)
            sheet.write_string(0, column, name, head)
        count = 0
        for count, row in enumerate(rows, 1):
            for column, cell in enumerate(_cells(row)):
                sheet.write_string(count, column, cell)
    return count

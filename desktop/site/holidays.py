"""The yearly holiday notice as data: the packaged year, and other years from a csv file.

The format is that of ``codes/holiday_2026.csv``: ``date,day_type,name,statutory_300pct`` with
``day_type`` ``off`` or ``work`` and ``statutory_300pct`` ``Y`` or ``N``.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path

from sqlalchemy import delete
from sqlalchemy.orm import Session

from desktop.access.actor import Act
from desktop.access.desk import Desk
from desktop.errors import Refused
from desktop.paths import read_regular
from desktop.site import codes
from desktop.site.tables import Holiday

PACKAGED_YEARS = (2026,)
_HEADS = ("date", "day_type", "name", "statutory_300pct")
_MAX_BYTES = 64 * 1024
_MAX_DAYS = 200
"""A year's notice names about forty days."""


def packaged_holidays() -> list[Holiday]:
    """Unsaved rows of every year the program brings along."""
    found: list[Holiday] = []
    for year in PACKAGED_YEARS:
        found += _holidays(codes.rows(f"holiday_{year}"))
    return found


def read_holidays(path: Path) -> list[Holiday]:
    """Unsaved rows of a csv file. Raises :class:`Refused` naming the line at fault."""
    try:
        content = read_regular(path, _MAX_BYTES)
        text = content.decode("utf-8-sig")
    except OSError as error:
        raise Refused(
            "holiday_file", f"读不到节假日文件「{path.name}」，未做任何改动。请检查路径与权限。"
        ) from error
    except UnicodeDecodeError as error:
        raise _refused("文件不是 UTF-8 文字") from error
    if len(content) > _MAX_BYTES:
        raise _refused("文件过大，不像是一年的节假日表")
    try:
        reader = csv.DictReader(text.splitlines())
        if tuple(reader.fieldnames or ()) != _HEADS:
            raise _refused(f"第一行应为 {','.join(_HEADS)}")
        return _holidays(reader)
    except csv.Error as error:
        raise _refused("不是逗号分隔的表格") from error


def _holidays(rows: Iterable[Mapping[str, str | None]]) -> list[Holiday]:
    found: dict[date, Holiday] = {}
    for line, row in enumerate(rows, 2):
        try:
            day = date.fromisoformat(row["date"] or "")
        except ValueError:
            raise _refused(f"第{line}行的日期应如 2027-01-01") from None
        kind, name, statutory = row["day_type"], (row["name"] or "").strip(), row["statutory_300pct"]
        if kind not in ("off", "work") or statutory not in ("Y", "N") or not name or None in row:
            raise _refused(f"第{line}行应依次为日期、off 或 work、名称、Y 或 N")
        if day in found:
            raise _refused(f"第{line}行的日期重复")
        found[day] = Holiday(day=day, day_type=kind, name=name[:50], statutory=statutory == "Y")
    if not found:
        raise _refused("没有任何日期")
    if len(found) > _MAX_DAYS:
        raise _refused(f"超过{_MAX_DAYS}天")
    return list(found.values())


def store_packaged(session: Session) -> None:
    """Put the packaged years into a new book; days already there stay as they are."""
    for holiday in packaged_holidays():
        if session.get(Holiday, holiday.day) is None:
            session.add(holiday)
    session.flush()


def import_holidays(desk: Desk, path: Path) -> list[int]:
    """Replace the years that ``path`` speaks of; returns them in order."""
    desk.permit(Act.CALENDAR_CHANGED)
    holidays = read_holidays(path)
    years = sorted({holiday.day.year for holiday in holidays})
    with desk.book.write() as session:
        for year in years:
            session.execute(
                delete(Holiday).where(Holiday.day.between(date(year, 1, 1), date(year, 12, 31)))
            )
        session.add_all(holidays)
        session.flush()
        desk.audit(
            session, Act.CALENDAR_CHANGED, "holidays", years=years, days=len(holidays)
        )
    return years


def _refused(reason: str) -> Refused:
    return Refused(
        "holiday_file", f"节假日文件有误：{reason}，未做任何改动。请按国务院办公厅通知改正后再导入。"
    )

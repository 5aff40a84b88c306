"""公示通知: the page 「关于____年__月实名制考勤信息的公示」 that hangs with the notice copies (F03)."""

from __future__ import annotations

from datetime import date

from sqlalchemy.orm import Session

from desktop.attendance.frame import month_bounds
from desktop.board.content import board_content
from desktop.clock import CHINA
from desktop.months import rules
from desktop.months.frozen import FrozenMonth
from desktop.months.sheets import sheet_number
from desktop.months.tables import MonthVersion
from reports.notice import NoticeInput, notice_document
from reports.paper import Document

ANNOUNCEMENT_SHEET = 0
"""The page's place in form numbers: it belongs to no team."""


def document(
    session: Session, project_id: int, version: MonthVersion, frozen: FrozenMonth, sheets: int
) -> Document:
    """The page for a frozen month; ``sheets`` counts the sheets of paper that hang beside it.

    Posting days stay blanks: the day of posting is not known before somebody posts.
    """
    first, last = month_bounds(frozen.month)
    made: date = version.frozen_at.astimezone(CHINA).date()
    content = board_content(session, project_id, made)
    officers = content.labour_officers
    managers = sum(len(s.rows) for s in frozen.sheets if s.number > rules.MANAGERS_SHEET)
    return notice_document(
        NoticeInput(
            year=first.year, month=first.month,
            project=frozen.head["project"], contractor=frozen.head["contractor"],
            period_first=first, period_last=last,
            persons=len({row.person_id for sheet in frozen.sheets for row in sheet.rows}),
            managers=managers, sheets=sheets,
            objection_name=officers[0].name if officers else "",
            objection_phone=content.item("project_dept_phone"),
            labour_inspection_phone=content.item("labour_inspection_phone"),
            housing_phone=content.item("housing_phone"),
            hotlines=content.hotlines,
            posting_days=frozen.head["posting_days"],
            mark="预览",
            version="更正" if version.version > 1 else "",
            number=sheet_number(frozen.month, frozen.head["project_code"], ANNOUNCEMENT_SHEET),
            made_on_iso=made.isoformat(),
        )
    )

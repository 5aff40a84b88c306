"""A small calendar of the month: construction days, stop-work, holidays, weekends."""

from __future__ import annotations

from datetime import date, timedelta

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from desktop.ui import theme
from desktop.ui.i18n import tr
from desktop.ui.pages.attendance.snapshot import MonthSnapshot
from desktop.ui.theme import Tone, Type

_CELL = QSize(64, 54)


class MonthSheet(QWidget):
    """Seven columns from Monday; a click picks a day: ``picked(date)``."""

    picked = Signal(object)

    def __init__(self, today: date) -> None:
        super().__init__()
        self._today = today
        self._days: list[tuple[date, str, Tone, Tone]] = []
        self.setAccessibleName(tr("施工日历"))
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def show_snapshot(self, snapshot: MonthSnapshot) -> None:
        """Word, text tone and ground of every day."""
        frame = snapshot.attendance.frame
        stopped = frame.stopped(None)
        working = set(frame.construction_days())
        self._days = []
        count = (snapshot.last - snapshot.first).days + 1
        for place in range(count):
            day = snapshot.first + timedelta(days=place)
            number = frame.first_day + place
            holiday = snapshot.holidays.get(day)
            if number in stopped:
                word, tone, ground = tr("停工"), Tone.TEXT_2, Tone.NEUTRAL_TINT
            elif holiday is not None and holiday.statutory:
                word, tone, ground = holiday.name, Tone.BAD, Tone.HOLIDAY
            elif holiday is not None and holiday.day_type == "work":
                word, tone, ground = tr("调班"), Tone.TEXT_2, Tone.SURFACE
            elif number not in working:
                word, tone, ground = tr("未施工"), Tone.TEXT_3, Tone.OUTSIDE
            elif day.weekday() >= 5 or (holiday is not None and holiday.day_type == "off"):
                word, tone, ground = tr("施工"), Tone.TEXT_3, Tone.WEEKEND
            else:
                word, tone, ground = tr("施工"), Tone.TEXT_3, Tone.SURFACE
            self._days.append((day, word, tone, ground))
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        weeks = self._place(len(self._days) - 1)[1] + 1 if self._days else 6
        return QSize(7 * _CELL.width() + 1, 28 + weeks * _CELL.height() + 1)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setFont(theme.font(Type.STRONG))
        painter.setPen(theme.colour(Tone.TEXT_2))
        for column, word in enumerate(tr("一二三四五六日")):
            rect = QRectF(column * _CELL.width(), 0, _CELL.width(), 26)
            painter.drawText(rect, int(Qt.AlignmentFlag.AlignCenter), word)
        for place, (day, word, tone, ground) in enumerate(self._days):
            column, week = self._place(place)
            rect = QRectF(
                column * _CELL.width(), 28 + week * _CELL.height(), _CELL.width(), _CELL.height()
            )
            painter.fillRect(rect, theme.colour(ground))
            painter.setPen(theme.colour(Tone.LINE))
            painter.drawRect(rect)
            today = day == self._today
            painter.setFont(theme.font(Type.HEAD if today else Type.BODY))
            painter.setPen(theme.colour(Tone.ACCENT if today else Tone.TEXT))
            painter.drawText(rect.adjusted(8, 4, 0, 0), int(Qt.AlignmentFlag.AlignLeft), str(day.day))
            painter.setFont(theme.font())
            painter.setPen(theme.colour(tone))
            shown = painter.fontMetrics().elidedText(
                word, Qt.TextElideMode.ElideRight, _CELL.width() - 10
            )
            painter.drawText(
                rect.adjusted(0, 0, -6, -4),
                int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignBottom), shown,
            )
        painter.end()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        column = int(event.position().x() // _CELL.width())
        week = int((event.position().y() - 28) // _CELL.height())
        for place, (day, *_) in enumerate(self._days):
            if self._place(place) == (column, week):
                self.picked.emit(day)

    def _place(self, place: int) -> tuple[int, int]:
        offset = self._days[0][0].weekday() + place
        return offset % 7, offset // 7

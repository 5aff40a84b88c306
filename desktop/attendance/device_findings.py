"""Findings about terminals: not read to the end, silent, doubtful records, wrong clocks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, time, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from desktop.attendance.answers import SILENT_TERMINAL, silent_key
from desktop.attendance.finding import Finding, spoken
from desktop.attendance.frame import Frame, TerminalFacts
from desktop.attendance.tables import OutageNote
from desktop.clock import CHINA
from desktop.punches.queries import REASON_WORDS
from desktop.punches.tables import ClockReading, Punch, PunchConflict, PunchQuarantine
from desktop.storage.types import day_of

_DRIFT_S, _ALARM_S = 60, 300  # terminals-overview §3
_ALMOST = timedelta(minutes=1)
"""A note until 23:59 reaches midnight."""

def device_findings(
    session: Session, frame: Frame, answers: Mapping[str, str], now: datetime
) -> Iterator[Finding]:
    """All findings about terminals of a month. ``now``: local wall time."""
    outages = _outages(session, frame)
    for terminal in frame.terminals:
        if any(terminal.in_use(day_of(day)) for day in frame.days):
            yield from _incomplete(frame, terminal, outages.get(terminal.id, []))
            yield from _silent(session, frame, terminal, outages.get(terminal.id, []), answers, now)
    yield from _quarantined(session, frame)
    yield from _conflicts(session, frame)
    yield from _drift(session, frame)


Times = list[tuple[datetime, datetime]]


def _outages(session: Session, frame: Frame) -> dict[int, Times]:
    begin = datetime.combine(frame.first, time())
    rows = session.execute(
        select(OutageNote.terminal_id, OutageNote.from_time, OutageNote.to_time).where(
            OutageNote.project_id == frame.project_id, OutageNote.to_time >= begin
        )
    )
    found: dict[int, Times] = {}
    for terminal_id, from_time, to_time in rows:
        found.setdefault(terminal_id, []).append((from_time, to_time))
    return found


def _incomplete(frame: Frame, terminal: TerminalFacts, outages: Times) -> Iterator[Finding]:
    """Not read completely after the month's end and the grace; after retirement no grace."""
    end = datetime.combine(frame.last + timedelta(days=1), time())
    needed = end + timedelta(seconds=frame.rule.month_close_grace_s)
    if terminal.retired_on is not None and terminal.retired_on < frame.last:
        end = needed = datetime.combine(terminal.retired_on + timedelta(days=1), time())
    held = terminal.complete_until
    if held is not None and held > needed.replace(tzinfo=CHINA).astimezone(UTC):
        return
    if any(begun < end and over >= end - _ALMOST for begun, over in outages):
        return
    state = (
        "还没有一次完整采集" if held is None
        else f"最近一次完整采集到{held.astimezone(CHINA):%m-%d %H:%M}"
    )
    yield Finding(
        "terminal_incomplete", f"terminal_incomplete:{terminal.id}:{frame.month}", True,
        f"考勤机「{terminal.name}」{state}，须完整采集到{needed:%m-%d %H:%M}以后。",
        f"在{needed:%m-%d %H:%M}以后再采集一次或导入U盘文件；确实无法采集的，登记停用说明，"
        f"写到{end - _ALMOST:%m-%d %H:%M}。",
        terminal_id=terminal.id,
    )


def _silent(
    session: Session,
    frame: Frame,
    terminal: TerminalFacts,
    outages: Times,
    answers: Mapping[str, str],
    now: datetime,
) -> Iterator[Finding]:
    """Construction days on which the terminal recorded nothing at all."""
    for number in frame.construction_days():
        day = day_of(number)
        if day >= now.date() or not terminal.in_use(day):
            continue
        any_punch = select(Punch.id).where(Punch.day == number, Punch.terminal_id == terminal.id)
        if session.scalar(any_punch.limit(1)) is not None:
            continue
        begin = datetime.combine(day, time())
        if any(begun < begin + timedelta(days=1) and over > begin for begun, over in outages):
            continue
        key = silent_key(SILENT_TERMINAL, terminal.id, day)
        answer = answers.get(key, "")
        yield Finding(
            SILENT_TERMINAL, key, not answer,
            f"考勤机「{terminal.name}」{spoken(day)}是施工日，全天没有一条打卡记录。",
            "检查该机并核实；登记停用说明，或答复原因；若当日停工，请登记停工日。",
            terminal_id=terminal.id, day=day, answer=answer,
        )


def _quarantined(session: Session, frame: Frame) -> Iterator[Finding]:
    """Records that cannot be punches, received from the month's first day until it is posted."""
    names = {terminal.id: terminal.name for terminal in frame.terminals}
    begin = datetime.combine(frame.first, time(), CHINA)
    end = datetime.combine(
        frame.last + timedelta(days=1 + frame.rule.posting_days), time(), CHINA
    )
    rows = session.execute(
        select(PunchQuarantine.terminal_id, PunchQuarantine.reason, func.count())
        .where(
            PunchQuarantine.terminal_id.in_(list(names)),
            PunchQuarantine.received_at >= int(begin.timestamp()),
            PunchQuarantine.received_at < int(end.timestamp()),
        )
        .group_by(PunchQuarantine.terminal_id, PunchQuarantine.reason)
    )
    for terminal_id, reason, count in rows:
        yield Finding(
            "quarantined", f"quarantined:{terminal_id}:{reason}:{frame.month}", False,
            f"考勤机「{names[terminal_id]}」有{count}条记录{REASON_WORDS.get(reason, reason)}，"
            "已原样留存，不计考勤。",
            "校准该机时钟；涉及的人和日期请核实后登记考勤说明。",
            terminal_id=terminal_id,
        )


def _conflicts(session: Session, frame: Frame) -> Iterator[Finding]:
    names = {terminal.id: terminal.name for terminal in frame.terminals}
    rows = session.execute(
        select(Punch.terminal_id, func.count())
        .join(PunchConflict, PunchConflict.punch_id == Punch.id)
        .where(
            Punch.day.between(frame.first_day, frame.last_day), Punch.terminal_id.in_(list(names))
        )
        .group_by(Punch.terminal_id)
    )
    for terminal_id, count in rows:
        yield Finding(
            "conflict", f"conflict:{terminal_id}:{frame.month}", False,
            f"考勤机「{names[terminal_id]}」有{count}条记录两次读出的内容不一致，两份都已留存，按先读到的计。",
            "核对该机是否更换、清过记录或损坏。",
            terminal_id=terminal_id,
        )


def _drift(session: Session, frame: Frame) -> Iterator[Finding]:
    names = {terminal.id: terminal.name for terminal in frame.terminals}
    rows = session.execute(
        select(ClockReading.terminal_id, func.min(ClockReading.offset_s), func.max(ClockReading.offset_s))
        .where(
            ClockReading.terminal_id.in_(list(names)),
            ClockReading.at >= datetime.combine(frame.first, time(), CHINA),
            ClockReading.at < datetime.combine(frame.last + timedelta(days=1), time(), CHINA),
        )
        .group_by(ClockReading.terminal_id)
    )
    for terminal_id, slow, fast in rows:
        offset = fast if fast >= -slow else slow
        if abs(offset) <= _DRIFT_S:
            continue
        word = "快" if offset > 0 else "慢"
        grave = "，已超过5分钟" if abs(offset) > _ALARM_S else ""
        yield Finding(
            "clock_drift", f"clock_drift:{terminal_id}:{frame.month}", False,
            f"考勤机「{names[terminal_id]}」的时钟{word}了{abs(offset)}秒{grave}；打卡时间按该机原样计。",
            "校准该机时钟；影响判定的日子请核实后登记考勤说明。",
            terminal_id=terminal_id,
        )

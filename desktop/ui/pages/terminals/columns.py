"""Columns of the lists about terminals, and what their states are called."""

from __future__ import annotations

from datetime import datetime, timedelta

from desktop.punches.queries import REASON_WORDS, DownloadView, QuarantineView, Unmatched
from desktop.punches.terminal_book import DIRECTIONS, TerminalView
from desktop.ui.i18n import moment_text, tr
from desktop.ui.tables.columns import RIGHT, Column
from desktop.ui.widgets.basics import State, bad, good, info, neutral, warn

_LATE = timedelta(hours=26)
"""A terminal read every evening is never older than this."""
_DRIFT_S = 60
ORIGINS = {"pull": "联网采集", "usb": "U盘文件", "live": "实时", "push": "推送"}


def terminal_state(terminal: TerminalView, now: datetime) -> State:
    """Whether everything it recorded is held, as word, icon and colour."""
    if terminal.retired_on is not None:
        return neutral(tr("已撤场"), "stop")
    if terminal.last_error:
        return bad(tr("上次没采成"))
    if terminal.complete_until is None:
        return warn(tr("还没采过"), "clock")
    late = now - terminal.complete_until
    if late > _LATE:
        return warn(tr("{n} 天没采", n=max(1, late.days)), "clock")
    return good(tr("已采全"))


def drift_text(offset_s: int | None) -> str:
    """``快 3 分 12 秒``; empty when it was never read."""
    if offset_s is None:
        return ""
    if abs(offset_s) < 2:
        return tr("准")
    size = abs(offset_s)
    long = tr("{m} 分 {s} 秒", m=size // 60, s=size % 60) if size >= 60 else tr("{s} 秒", s=size)
    return (tr("快 {t}", t=long)) if offset_s > 0 else tr("慢 {t}", t=long)


def drift_state(terminal: TerminalView) -> State | None:
    """A clock that is off by more than a minute is worth a word."""
    offset = terminal.clock_offset_s
    if offset is None or abs(offset) < _DRIFT_S:
        return None
    return warn(drift_text(offset), "clock")


def terminal_columns(now: datetime) -> tuple[Column[TerminalView], ...]:
    """Columns of the terminal list; states are told against ``now``."""
    return (
        Column("名称", 7, lambda t: t.name),
        Column("方向", 3, lambda t: tr(DIRECTIONS[t.direction])),
        Column("状态", 6.5, lambda t: "", state=lambda t: terminal_state(t, now),
               order=lambda t: t.last_error),
        Column("最近联系", 7, lambda t: moment_text(t.last_contact_at),
               order=lambda t: str(t.last_contact_at or "")),
        Column("采全至", 7, lambda t: moment_text(t.complete_until),
               order=lambda t: str(t.complete_until or "")),
        Column("时钟", 7.5, lambda t: "" if drift_state(t) else drift_text(t.clock_offset_s),
               state=drift_state, order=lambda t: t.clock_offset_s or 0),
        Column("已存记录", 5, lambda t: f"{t.held:,}", align=RIGHT, order=lambda t: t.held),
        Column("地址", 10, lambda t: t.address or tr("只用U盘")),
        Column("序列号", 9, lambda t: t.serial, stretch=True),
    )


UNMATCHED: tuple[Column[Unmatched], ...] = (
    Column("考勤机", 7, lambda u: u.terminal),
    Column("编号", 7, lambda u: u.shown, align=RIGHT),
    Column("机上姓名", 8, lambda u: u.terminal_name),
    Column("打卡次数", 5, lambda u: f"{u.punches:,}", align=RIGHT, order=lambda u: u.punches),
    Column("首次", 7, lambda u: moment_text(u.first), order=lambda u: u.first),
    Column("末次", 7, lambda u: moment_text(u.last), order=lambda u: u.last, stretch=True),
)

def download_state(row: DownloadView) -> State:
    """Whether a collection brought everything."""
    if row.complete:
        return good(tr("采全"))
    return bad(tr("没采成")) if row.error else info(tr("部分"), "half")


def _count(row: DownloadView, name: str) -> int:
    """A count of a collection; a stick counts lines where a terminal counts records."""
    found = row.counts.get(name)
    if found is None and name == "received":
        found = row.counts.get("lines")
    return int(found or 0)


DOWNLOADS: tuple[Column[DownloadView], ...] = (
    Column("时间", 7, lambda d: moment_text(d.at), order=lambda d: d.at),
    Column("考勤机", 7, lambda d: d.terminal),
    Column("方式", 5, lambda d: tr(ORIGINS.get(d.origin, d.origin))),
    Column("结果", 5.5, lambda d: "", state=download_state, order=lambda d: d.complete),
    Column("收到", 5, lambda d: f"{_count(d, 'received'):,}", align=RIGHT, order=lambda d: _count(d, "received")),
    Column("新增", 5, lambda d: f"{_count(d, 'new'):,}", align=RIGHT, order=lambda d: _count(d, "new")),
    Column("重复", 5, lambda d: f"{_count(d, 'duplicate'):,}", align=RIGHT, order=lambda d: _count(d, "duplicate")),
    Column("隔离", 4, lambda d: f"{_count(d, 'quarantined'):,}", align=RIGHT, order=lambda d: _count(d, "quarantined")),
    Column("代码", 8, lambda d: d.error, stretch=True),
)

QUARANTINE: tuple[Column[QuarantineView], ...] = (
    Column("考勤机", 7, lambda q: q.terminal),
    Column("原因", 11, lambda q: tr(REASON_WORDS.get(q.reason, q.reason))),
    Column("编号", 7, lambda q: q.number, align=RIGHT),
    Column("机上时间", 10, lambda q: q.time_text, stretch=True),
)

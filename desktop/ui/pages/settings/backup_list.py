"""What the list of backups shows: each with what is known of its soundness, and the disk it takes."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from desktop.access import backup_desk
from desktop.access.actor import Act, View
from desktop.access.backup_desk import BackupInfo, BackupSettings, BackupStatus
from desktop.access.desk import Desk
from desktop.access.queries import AuditQuery, AuditRow, audit_rows
from desktop.ui.i18n import moment_text, tr
from desktop.ui.tables.columns import RIGHT, Column
from desktop.ui.widgets.basics import State, bad, good, info, neutral

_MOST = 400
_KEPT = 24
"""7 daily, 5 weekly and 12 monthly: a full shelf."""
REASONS: Mapping[str, str] = {
    "manual": "手工", "daily": "每天", "opening": "打开时", "closing": "关闭时",
    "rekey": "换钥匙前", "restore": "恢复前", "purge": "清除前", "import": "导入前",
    "move": "搬迁前",
}


@dataclass(frozen=True, slots=True)
class BackupLine:
    """One backup. ``proof`` is the last act that looked inside it and what came of it."""

    info: BackupInfo
    newest: bool
    known: bool
    """The living book registered exactly this one."""
    proof: Act | None
    proof_ok: bool
    proof_at: datetime | None


@dataclass(frozen=True, slots=True)
class Shelf:
    """Everything the part shows, read at one time."""

    lines: Sequence[BackupLine]
    status: BackupStatus
    settings: BackupSettings
    size: int
    free: int
    now: datetime

    @property
    def full(self) -> int:
        """Bytes a full shelf will take, at the size of the newest backup."""
        newest = self.lines[0].info.size if self.lines else 0
        return max(self.size, newest * _KEPT)


def read_shelf(desk: Desk) -> Shelf:
    """Folders, settings and the trail; opens no backup."""
    status, settings = backup_desk.backup_status(desk), backup_desk.backup_settings(desk)
    infos = backup_desk.list_backups(desk.book.path)
    with desk.look(View.BACKUPS) as session:
        acts = {
            act: audit_rows(session, desk.project_id, AuditQuery(act=act), _MOST)
            for act in (Act.BACKUP_CREATED, Act.BACKUP_VERIFIED, Act.RESTORE_DRILLED)
        }
    last = status.last.name if status.last is not None else ""
    lines = [_line(info, info.name == last, acts) for info in infos]
    size = sum(info.size for info in infos)
    return Shelf(
        lines, status, settings, size, shutil.disk_usage(desk.book.path).free, desk.clock.now()
    )


def _line(info: BackupInfo, newest: bool, acts: Mapping[Act, Sequence[AuditRow]]) -> BackupLine:
    subject = f"backup:{info.name}"
    found = [
        (row.at, act, row) for act, rows in acts.items() for row in rows if row.subject == subject
    ]
    made = [row for _, act, row in found if act is Act.BACKUP_CREATED]
    known = any(row.facts.get("digest") == info.digest for row in made)
    if not found:
        return BackupLine(info, newest, known, None, False, None)
    at, act, row = max(found, key=lambda one: (one[0], one[2].id))
    ok = bool(row.facts.get("ok", act is Act.BACKUP_CREATED))
    return BackupLine(info, newest, known, act, ok, at)


def backup_state(line: BackupLine) -> State:
    """How sure one can be of a backup, as word, icon and colour."""
    if line.info.ok is False:
        return bad(tr("残缺"))
    if line.proof is None:
        return neutral(tr("没有登记"), "question")
    if not line.proof_ok:
        return bad(tr("核对不通过"))
    if line.proof is Act.RESTORE_DRILLED:
        return good(tr("已演练"))
    if line.proof is Act.BACKUP_VERIFIED:
        return good(tr("已核对"))
    return info(tr("建立时核验"), "good")


def reason_word(reason: str) -> str:
    """Why it was made."""
    if reason.startswith("migration"):
        return tr("升级前")
    return tr(REASONS.get(reason, reason))


def size_text(size: int) -> str:
    """1024-based, one decimal: what a file manager shows."""
    amount = float(size)
    for unit in ("B", "KB", "MB"):
        if amount < 1024:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1024
    return f"{amount:.1f} GB"


COLUMNS: tuple[Column[BackupLine], ...] = (
    Column("时间", 6.5, lambda r: moment_text(r.info.at), order=lambda r: r.info.at),
    Column("起因", 4, lambda r: reason_word(r.info.reason)),
    Column("核验", 7.5, lambda r: "", state=backup_state, order=lambda r: backup_state(r).word),
    Column("内容到", 5.5, lambda r: tr("第 {n} 段", n=r.info.reach), align=RIGHT, order=lambda r: r.info.reach),
    Column("大小", 5, lambda r: size_text(r.info.size), align=RIGHT, order=lambda r: r.info.size),
    Column("名称", 9, lambda r: r.info.name, stretch=True),
)

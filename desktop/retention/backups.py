"""Which backups still hold what was erased, and when they go: only then the erasure is complete."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from desktop.access.actor import View
from desktop.access.desk import Desk
from desktop.clock import CHINA
from desktop.retention.rules import years_after
from desktop.storage.bundle import BackupInfo
from desktop.storage.thinning import BEFORE_DAYS, BEFORE_LEAST


@dataclass(frozen=True, slots=True)
class HoldingBackup:
    """A backup made before the erasure. ``goes_by`` None: it is not thinned by itself."""

    name: str
    at: datetime
    second_place: bool
    goes_by: date | None

    @property
    def sentence(self) -> str:
        """One line of a list."""
        place = "第二处" if self.second_place else "本机"
        made = self.at.astimezone(CHINA).date()
        if self.goes_by is None:
            return f"{place}备份{self.name}（{made}）：不会自动清理，请在新备份核验后人工删除"
        return f"{place}备份{self.name}（{made}）：最迟约{self.goes_by}按备份策略清理"

    def as_json(self) -> dict[str, Any]:
        """An entry of results and certificates."""
        return {
            "name": self.name, "at": self.at, "second_place": self.second_place,
            "goes_by": self.goes_by,
        }


def holding(desk: Desk, sequence: int) -> list[HoldingBackup]:
    """Backups of this book whose chain ends before segment ``sequence`` of the project."""
    desk.permit_view(View.BACKUPS)
    from desktop.access.backup_desk import second_place_backups
    from desktop.storage.bundle import shelf

    found = list(_holding(shelf(desk.book.path), desk.project_id, sequence, second=False))
    found += _holding(second_place_backups(desk), desk.project_id, sequence, second=True)
    return sorted(found, key=lambda one: one.at)


def _holding(
    infos: Sequence[BackupInfo], project_id: int, sequence: int, *, second: bool
) -> Iterable[HoldingBackup]:
    bold = sorted((info.at for info in infos if not info.regular), reverse=True)[:BEFORE_LEAST]
    for info in infos:
        reach = {head.project: head.sequence for head in info.heads}
        if reach.get(project_id, 0) >= sequence:
            continue
        made = info.at.astimezone(CHINA).date()
        goes_by: date | None = years_after(made, 1)
        if not info.regular:
            goes_by = None if info.at in bold else made + timedelta(days=BEFORE_DAYS)
        yield HoldingBackup(info.name, info.at, second, goes_by)
